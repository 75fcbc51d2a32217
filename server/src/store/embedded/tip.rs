//! How a database whose end is gone is found out, when all that is left of it looks whole.
//!
//! Engines take a damaged end of their log for one that was never written: a flipped bit there silently takes back
//! everything after it. So the store counts marks: at most once a second, and when it is closed, a number one higher is
//! written along with a batch, and once that is durable, to the file `TIP`, outside of the engine. An engine whose mark
//! is behind `TIP` has lost what was durable. This costs nothing on the way of an append, and what it can miss is what was
//! written in the second before a crash, if just that is damaged too.
//!
//! ```text
//! TIP    mark 8 │ crc32 of the mark 4       (big-endian, written over in place, synced when the store is closed)
//! ```
//!
//! A store that does not sync has no `TIP`: it may lose its end by a power cut.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::Path,
    time::{Duration, Instant},
};

/// How often at most a mark is set while writes go on.
const MARK_PAUSE: Duration = Duration::from_secs(1);

const TIP_BYTES: usize = 12;

/// The marks of an open store.
pub(crate) struct Tip {
    file: File,
    mark: u64,
    marked: Instant,
    /// Whether anything was written that no later mark covers: one that goes along with it says nothing of it.
    behind: bool,
}

impl Tip {
    /// The mark in a file `TIP`; 0 if there is none, or none that can be read.
    pub(crate) fn read(path: &Path) -> io::Result<u64> {
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            bytes => bytes?,
        };
        let Ok(bytes) = <[u8; TIP_BYTES]>::try_from(bytes.as_slice()) else { return Ok(0) };
        let mark = u64::from_be_bytes(std::array::from_fn(|index| bytes[index]));
        Ok(if bytes == encoded(mark) { mark } else { 0 })
    }

    /// Goes on from a mark.
    pub(crate) fn open(path: &Path, mark: u64) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        let mut tip = Self { file, mark, marked: Instant::now(), behind: false };
        tip.reached(mark)?;
        tip.sync()?;
        Ok(tip)
    }

    /// Something is about to be written: the mark to write along with it, if one is due.
    pub(crate) fn next(&mut self) -> Option<u64> {
        self.behind = true;
        (self.marked.elapsed() >= MARK_PAUSE).then(|| self.last()).flatten()
    }

    /// The mark to write before the store is closed, if anything was written since the last.
    pub(crate) fn last(&mut self) -> Option<u64> {
        self.behind.then(|| {
            self.mark += 1;
            self.mark
        })
    }

    pub(crate) fn is_behind(&self) -> bool {
        self.behind
    }

    /// A mark is durable in the engine.
    pub(crate) fn reached(&mut self, mark: u64) -> io::Result<()> {
        self.file.write_all_at(&encoded(mark), 0)?;
        self.marked = Instant::now();
        Ok(())
    }

    /// The last mark is reached.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        self.behind = false;
        Ok(())
    }
}

fn encoded(mark: u64) -> [u8; TIP_BYTES] {
    let mark = mark.to_be_bytes();
    let checksum = crc32fast::hash(&mark).to_be_bytes();
    std::array::from_fn(|index| if index < 8 { mark[index] } else { checksum[index - 8] })
}
