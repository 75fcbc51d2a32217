//! The data directory: who has it open, what it holds, and that all of it is on the disk.
//!
//! ```text
//! LOCK        held (flock) by the process that has the store open
//! FORMAT      "motet store 2 sled\n"; while the engine's files are made: "motet store 2 sled creating\n"
//! TIP         the last mark that is durable (`tip`)
//! sled/       the engine's own files, under its name
//! ```

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{
    super::StoreError,
    engine::{failed, io_failed},
};

/// The format that this version reads and writes.
pub(crate) const FORMAT_VERSION: u32 = 2;

/// Less free space than this, in bytes, and the disk is taken for full: an engine needs some to open and to write at all.
const FREE_BYTES_MIN: u64 = 2 * 1024 * 1024;

/// A data directory that this process has locked.
pub(crate) struct Directory {
    root: PathBuf,
    engine: &'static str,
    /// Held for as long as this value lives.
    lock: File,
}

impl Drop for Directory {
    /// Lets go of the lock, which closing the file does not: a process that this one is starting just now has a descriptor of
    /// it too, until it becomes another program, and a lock lives as long as any of them.
    fn drop(&mut self) {
        let _ = self.lock.unlock();
    }
}

impl Directory {
    /// Locks a directory, made if there is none, and checks that it holds this engine's data in this version's format.
    /// Returns whether the engine's files are still to be made. Touches nothing that it does not know.
    pub(crate) fn open(root: &Path, engine: &'static str) -> Result<(Self, bool), StoreError> {
        let made = |error| io_failed(engine, &format!("opening the data directory {}", root.display()), &error);
        fs::create_dir_all(root).map_err(made)?;
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(root.join("LOCK")).map_err(made)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse),
            Err(TryLockError::Error(error)) => return Err(made(error)),
        }
        let directory = Self { root: root.to_owned(), engine, lock };
        let creating = directory.check_format()?;
        if creating {
            directory.begin_creating().map_err(made)?;
        }
        Ok((directory, creating))
    }

    /// Where the engine's own files are.
    pub(crate) fn engine_path(&self) -> PathBuf {
        self.root.join(self.engine)
    }

    /// Where the last durable mark is.
    pub(crate) fn tip_path(&self) -> PathBuf {
        self.root.join("TIP")
    }

    /// The engine's files are made: syncs them and says so in `FORMAT`.
    pub(crate) fn created(&self) -> Result<(), StoreError> {
        self.sync_all()?;
        self.write_format("").map_err(|error| io_failed(self.engine, "writing FORMAT", &error))
    }

    /// Syncs everything in the directory, so that what a killed process left in the page cache counts as durable.
    pub(crate) fn sync_all(&self) -> Result<(), StoreError> {
        let synced = sync_tree(&self.root).and_then(|()| match self.root.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
            _ => File::open(".")?.sync_all(),
        });
        synced.map_err(|error| io_failed(self.engine, "syncing the data directory", &error))
    }

    /// Forgets what the system has cached of the engine's files. After a failed sync the cache may hold what the disk
    /// does not, marked as if it did (<https://wiki.postgresql.org/wiki/Fsync_Errors>); read anew, it is the truth.
    pub(crate) fn drop_caches(&self) -> Result<(), StoreError> {
        let dropped = each_file(&self.engine_path(), &mut |path| {
            // The first sync on a new descriptor tells an old error; what it says is known by now.
            let file = File::open(path)?;
            let _ = file.sync_data();
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
            Ok(())
        });
        dropped.map_err(|error| io_failed(self.engine, "reading the data directory", &error))
    }

    /// Whether the disk has no room for an engine to work.
    pub(crate) fn is_full(&self) -> bool {
        let free = rustix::fs::statvfs(&self.root).map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
        free.is_ok_and(|free| free < FREE_BYTES_MIN)
    }

    fn check_format(&self) -> Result<bool, StoreError> {
        let path = self.root.join("FORMAT");
        let found = match fs::read(&path) {
            Ok(found) => String::from_utf8_lossy(&found).trim_end().chars().take(100).collect::<String>(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return match ["sled", "fjall"].into_iter().find(|name| self.root.join(name).exists()) {
                    Some(name) => Err(self.unknown(format!("a directory {name} but no file FORMAT"))),
                    None => Ok(true),
                };
            }
            Err(error) => return Err(io_failed(self.engine, &format!("reading {}", path.display()), &error)),
        };
        if found == self.format(" creating") {
            return Ok(true);
        }
        if found != self.format("") {
            return Err(self.unknown(format!("{found:?}")));
        }
        match self.engine_path().is_dir() {
            true => Ok(false),
            false => Err(failed(
                self.engine,
                format!("{} is missing; restore it from a backup", self.engine_path().display()),
            )),
        }
    }

    fn unknown(&self, found: String) -> StoreError {
        StoreError::Format { found, expected: format!("{:?}", self.format("")) }
    }

    fn format(&self, state: &str) -> String {
        format!("motet store {FORMAT_VERSION} {}{state}", self.engine)
    }

    /// Nothing was acknowledged from files whose making was cut off: they are made again.
    fn begin_creating(&self) -> io::Result<()> {
        self.write_format(" creating")?;
        match fs::remove_dir_all(self.engine_path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn write_format(&self, state: &str) -> io::Result<()> {
        let new = self.root.join("FORMAT.new");
        let mut file = File::create(&new)?;
        writeln!(file, "{}", self.format(state))?;
        file.sync_all()?;
        fs::rename(&new, self.root.join("FORMAT"))?;
        File::open(&self.root)?.sync_all()
    }
}

/// Syncs every file below `path`, then the directories that name them.
fn sync_tree(path: &Path) -> io::Result<()> {
    for item in fs::read_dir(path)? {
        let item = item?;
        let kind = item.file_type()?;
        if kind.is_dir() {
            sync_tree(&item.path())?;
        } else if kind.is_file() {
            File::open(item.path())?.sync_all()?;
        }
    }
    File::open(path)?.sync_all()
}

fn each_file(path: &Path, visit: &mut dyn FnMut(&Path) -> io::Result<()>) -> io::Result<()> {
    for item in fs::read_dir(path)? {
        let item = item?;
        let kind = item.file_type()?;
        if kind.is_dir() {
            each_file(&item.path(), visit)?;
        } else if kind.is_file() {
            visit(&item.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_was_let_go_is_free_while_another_process_is_being_started() {
        let root = tempfile::tempdir().unwrap();
        let (directory, _) = Directory::open(root.path(), "sled").unwrap();
        // What a process has between its fork and its exec.
        let inherited = directory.lock.try_clone().unwrap();
        assert!(matches!(Directory::open(root.path(), "sled"), Err(StoreError::InUse)));
        drop(directory);
        Directory::open(root.path(), "sled").unwrap();
        drop(inherited);
    }
}
