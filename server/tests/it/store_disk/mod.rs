//! Small filesystems of their own for tests: an ext4 in a file, mounted by loop. They need root; a test that can't have
//! them says so aloud.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Command,
};

/// A mounted image; unmounted when dropped.
pub(crate) struct Mounted {
    at: PathBuf,
}

impl Mounted {
    /// Where its files are.
    pub(crate) fn path(&self) -> &Path {
        &self.at
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let done = Command::new("umount").arg(&self.at).output();
        if !done.is_ok_and(|done| done.status.success()) {
            let _ = Command::new("umount").arg("-l").arg(&self.at).output();
        }
    }
}

/// Makes an ext4 filesystem of so many MiB in a file.
pub(crate) fn make(image: &Path, size_mib: u64) -> Result<(), String> {
    let file = File::create(image).map_err(|error| error.to_string())?;
    file.set_len(size_mib << 20).map_err(|error| error.to_string())?;
    run(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0"]).arg(image))
}

/// Mounts an image. Nothing is written back by age while a test runs: only what is synced reaches the image.
pub(crate) fn mount(image: &Path, at: &Path) -> Result<Mounted, String> {
    std::fs::create_dir_all(at).map_err(|error| error.to_string())?;
    run(Command::new("mount").args(["-o", "loop,commit=300"]).arg(image).arg(at))?;
    Ok(Mounted { at: at.to_owned() })
}

/// Whether this machine lets the test mount; if not, says aloud what was not tested.
pub(crate) fn may_mount(test: &str) -> bool {
    let directory = tempfile::tempdir().expect("a directory for temporary files");
    let image = directory.path().join("image");
    match make(&image, 16).and_then(|()| mount(&image, &directory.path().join("mounted"))) {
        Ok(_mounted) => true,
        Err(why) => {
            // Not captured by the test harness, as println and eprintln are.
            let words =
                format!("\nNOT RUN: {test}: it needs root and a loop device to mount a disk of its own: {why}\n");
            let _ = std::io::Write::write_all(&mut std::io::stderr(), words.as_bytes());
            false
        }
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let done = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    match done.status.success() {
        true => Ok(()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&done.stderr).trim())),
    }
}
