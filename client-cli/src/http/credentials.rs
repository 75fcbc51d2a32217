//! The file that keeps who is signed in where, with their tokens.

use std::{
    collections::BTreeMap,
    env,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use motet_protocol::{access::AccountId, ids::UnixMs};
use serde::{Deserialize, Serialize};

use super::HttpAddress;

/// An account that is signed in, with its tokens. Never printed.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SignedIn {
    /// Who.
    pub account: AccountId,
    /// Lets in.
    pub access_token: String,
    /// Until when.
    pub access_expires_ms: UnixMs,
    /// Gets the next two tokens, once.
    pub refresh_token: String,
    /// Until when.
    pub refresh_expires_ms: UnixMs,
}

/// Tokens stay out of what is printed.
impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedIn").field("account", &self.account).finish_non_exhaustive()
    }
}

/// Who is signed in, by the address of the server.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    servers: BTreeMap<String, SignedIn>,
}

/// The file that keeps who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    path: PathBuf,
}

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {path}, which keeps who is signed in: {source}")]
pub(crate) struct FileError {
    path: PathBuf,
    source: io::Error,
}

/// The file, locked against changes by other processes.
#[derive(Debug)]
pub(crate) struct Locked<'a> {
    credentials: &'a Credentials,
    /// Unlocked when it is closed.
    _lock: File,
}

impl Credentials {
    /// The user's own: `motet/credentials.json` below `$XDG_CONFIG_HOME`, else below `~/.config`. None where there is neither.
    pub(crate) fn of_user() -> Option<Self> {
        let set = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let config = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")))?;
        Some(Self::at(config.join("motet").join("credentials.json")))
    }

    /// In a file of this path; it need not be there yet.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Who is signed in on a server.
    pub(crate) fn get(&self, server: &HttpAddress) -> Result<Option<SignedIn>, FileError> {
        Ok(self.read()?.servers.remove(server.as_str()))
    }

    /// Whether no tokens are kept, for any server.
    pub(crate) fn is_empty(&self) -> Result<bool, FileError> {
        Ok(self.read()?.servers.is_empty())
    }

    /// Waits until no other process changes the file. A refresh token may be used once, by the holder of this lock.
    pub(crate) fn lock(&self) -> Result<Locked<'_>, FileError> {
        let lock = || {
            make_directory(self.path.parent().unwrap_or(Path::new(".")))?;
            // The file itself is replaced by each change, so the lock is another one.
            let file = private().write(true).create(true).truncate(false).open(self.path.with_extension("lock"))?;
            file.lock()?;
            Ok(file)
        };
        let _lock = lock().map_err(|source| self.error(source))?;
        Ok(Locked { credentials: self, _lock })
    }

    fn read(&self) -> Result<Kept, FileError> {
        match fs::read(&self.path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| self.error(error.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kept::default()),
            Err(error) => Err(self.error(error)),
        }
    }

    /// Replaces the file as a whole: a crash leaves the old one or the new one.
    fn write(&self, kept: &Kept) -> Result<(), FileError> {
        let write = || {
            let new = self.path.with_extension("new");
            // What a crash left there may be readable by others.
            match fs::remove_file(&new) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = private().write(true).create_new(true).open(&new)?;
            file.write_all(&serde_json::to_vec_pretty(kept)?)?;
            file.sync_all()?;
            fs::rename(&new, &self.path)
        };
        write().map_err(|source| self.error(source))
    }

    fn error(&self, source: io::Error) -> FileError {
        FileError { path: self.path.clone(), source }
    }
}

impl Locked<'_> {
    /// Who is signed in on a server.
    pub(crate) fn get(&self, server: &HttpAddress) -> Result<Option<SignedIn>, FileError> {
        self.credentials.get(server)
    }

    /// Stores the tokens for a server, or removes them. Returns the earlier ones.
    pub(crate) fn set(&self, server: &HttpAddress, now: Option<SignedIn>) -> Result<Option<SignedIn>, FileError> {
        let mut kept = self.credentials.read()?;
        let before = match now {
            Some(signed_in) => kept.servers.insert(server.to_string(), signed_in),
            None => kept.servers.remove(server.as_str()),
        };
        self.credentials.write(&kept)?;
        Ok(before)
    }
}

/// Files that only their owner reads.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed_in(token: &str) -> SignedIn {
        SignedIn {
            account: AccountId::new("ann").unwrap(),
            access_token: token.to_owned(),
            access_expires_ms: 1,
            refresh_token: "mtr_secret".to_owned(),
            refresh_expires_ms: 2,
        }
    }

    #[test]
    fn each_server_has_its_own_tokens() {
        let directory = tempfile::tempdir().unwrap();
        let credentials = Credentials::at(directory.path().join("motet").join("credentials.json"));
        let [one, two]: [HttpAddress; 2] = ["http://one", "http://two"].map(|text| text.parse().unwrap());
        assert!(credentials.get(&one).unwrap().is_none());
        let locked = credentials.lock().unwrap();
        locked.set(&one, Some(signed_in("mta_1"))).unwrap();
        locked.set(&two, Some(signed_in("mta_2"))).unwrap();
        assert_eq!(locked.set(&one, None).unwrap().unwrap().access_token, "mta_1");
        assert!(credentials.get(&one).unwrap().is_none());
        assert_eq!(credentials.get(&two).unwrap().unwrap().access_token, "mta_2");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_tokens_even_where_a_crash_left_a_file() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let credentials = Credentials::at(directory.path().join("credentials.json"));
        fs::write(directory.path().join("credentials.new"), "half").unwrap();
        credentials.lock().unwrap().set(&"http://one".parse().unwrap(), Some(signed_in("mta_1"))).unwrap();
        let mode = fs::metadata(&credentials.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!format!("{:?}", signed_in("mta_1")).contains("mt"));
    }

    #[test]
    fn a_file_that_is_none_of_ours_is_not_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let credentials = Credentials::at(directory.path().join("credentials.json"));
        fs::write(&credentials.path, "{").unwrap();
        let server = "http://one".parse().unwrap();
        let error = credentials.lock().unwrap().set(&server, Some(signed_in("mta_1"))).unwrap_err();
        assert!(error.to_string().contains("credentials.json"), "{error}");
        assert_eq!(fs::read_to_string(&credentials.path).unwrap(), "{");
    }
}
