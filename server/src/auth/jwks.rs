//! A JWKS file that is read again when it has changed.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use motet_protocol::ids::UnixMs;
use parking_lot::Mutex;

use super::{
    jwt::{BadKeys, Keys},
    limits::{JWKS_BYTES_MAX, JWKS_LOOK_MS},
};

/// A file with keys that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadFile {
    /// It cannot be read.
    #[error("the file {path} cannot be read: {source}")]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What it holds cannot be used.
    #[error("the file {path} cannot be used: {source}")]
    Unusable {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: BadKeys,
    },
}

/// The keys of a file.
#[derive(Debug)]
pub struct JwksFile {
    path: PathBuf,
    read: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    keys: Arc<Keys>,
    stamp: Stamp,
    looked_ms: UnixMs,
}

/// What tells one content of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
}

impl JwksFile {
    /// Reads the file.
    pub fn open(path: &Path) -> Result<Self, BadFile> {
        let stamp = stamp(path).map_err(|source| BadFile::Unreadable { path: path.to_owned(), source })?;
        let read = Held { keys: Arc::new(read(path)?), stamp, looked_ms: 0 };
        Ok(Self { path: path.to_owned(), read: Mutex::new(read) })
    }

    /// The keys; those of before while the file cannot be used. Waits for the disk, at most once a second.
    pub fn keys(&self, now: UnixMs) -> Arc<Keys> {
        let mut held = self.read.lock();
        if now.saturating_sub(held.looked_ms) >= JWKS_LOOK_MS {
            held.looked_ms = now;
            self.look(&mut held);
        }
        Arc::clone(&held.keys)
    }

    fn look(&self, held: &mut Held) {
        let path = self.path.display();
        match stamp(&self.path) {
            Ok(stamp) if stamp == held.stamp => {}
            Ok(stamp) => {
                // Looked at before it is read: a change while it is read is seen the next time.
                held.stamp = stamp;
                match read(&self.path) {
                    Ok(keys) => {
                        tracing::info!(%path, ?keys, "the keys of tokens have changed");
                        held.keys = Arc::new(keys);
                    }
                    Err(error) => tracing::warn!(%error, "the keys of tokens stay as they were"),
                }
            }
            Err(error) => tracing::debug!(%path, %error, "the keys of tokens stay as they were"),
        }
    }
}

fn stamp(path: &Path) -> io::Result<Stamp> {
    let about = fs::metadata(path)?;
    Ok(Stamp { modified: about.modified().ok(), bytes: about.len() })
}

fn read(path: &Path) -> Result<Keys, BadFile> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(JWKS_BYTES_MAX + 1).read_to_string(&mut text));
    let unreadable = |source| BadFile::Unreadable { path: path.to_owned(), source };
    let bytes = read.map_err(unreadable)?;
    if bytes as u64 > JWKS_BYTES_MAX {
        return Err(unreadable(io::Error::other(format!("it has more than {JWKS_BYTES_MAX} bytes"))));
    }
    Keys::set(&text).map_err(|source| BadFile::Unusable { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::jwt::Expected;

    #[test]
    fn keys_are_exchanged_without_a_restart() {
        let vectors: serde_json::Value = serde_json::from_str(include_str!("jwt/vectors.json")).unwrap();
        let expected = Expected { audience: Some("motet".to_owned()), issuer: None };
        let now = 1_700_000_000_000;
        let good = |file: &JwksFile, name: &str, now| {
            file.keys(now).identify(vectors[name].as_str().unwrap(), &expected, 1_700_000_000_000).is_some()
        };
        let set = |key: usize| serde_json::json!({"keys": [vectors["jwks"]["keys"][key]]}).to_string();

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("jwks.json");
        std::fs::write(&path, set(0)).unwrap();
        let file = JwksFile::open(&path).unwrap();
        assert!(good(&file, "rs256", now) && !good(&file, "eddsa", now));

        std::fs::write(&path, set(1)).unwrap();
        assert!(good(&file, "rs256", now + JWKS_LOOK_MS - 1), "looked at too often");
        assert!(!good(&file, "rs256", now + JWKS_LOOK_MS) && good(&file, "eddsa", now + JWKS_LOOK_MS));

        std::fs::write(&path, "{\"keys\": [").unwrap();
        assert!(good(&file, "eddsa", now + 2 * JWKS_LOOK_MS), "half a file took the keys away");
        std::fs::remove_file(&path).unwrap();
        assert!(good(&file, "eddsa", now + 3 * JWKS_LOOK_MS));
        std::fs::write(&path, set(0)).unwrap();
        assert!(good(&file, "rs256", now + 4 * JWKS_LOOK_MS));
    }

    #[test]
    fn a_file_that_cannot_be_used_is_told_before_anything_starts() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("jwks.json");
        assert!(matches!(JwksFile::open(&path), Err(BadFile::Unreadable { .. })));
        std::fs::write(&path, "{\"keys\": []}").unwrap();
        assert!(matches!(JwksFile::open(&path), Err(BadFile::Unusable { source: BadKeys::NoneUsable, .. })));
        std::fs::write(&path, " ".repeat(JWKS_BYTES_MAX as usize + 1)).unwrap();
        assert!(matches!(JwksFile::open(&path), Err(BadFile::Unreadable { .. })));
    }
}
