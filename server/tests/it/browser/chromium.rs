//! A headless Chromium: a process of its own with a profile of its own, gone when it is dropped.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use super::patience;

/// A name by which a browser finds this machine without taking it for its own: a page from there has no more rights than one from afar.
pub(crate) const ELSEWHERE: &str = "motet.example";

/// A running browser.
pub(crate) struct Chromium {
    child: Child,
    profile: TempDir,
}

impl Chromium {
    /// Whether there is one to start. Where everything must be tested there has to be.
    pub(crate) fn is_installed() -> bool {
        let version = Command::new("chromium").arg("--version").stderr(Stdio::null()).output();
        let installed = version.is_ok_and(|version| version.status.success());
        if !installed {
            assert!(std::env::var_os("MOTET_TESTS_NEED_ALL").is_none(), "this test takes chromium");
            println!("NOT RUN: chromium is not installed");
        }
        installed
    }

    pub(crate) fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let child = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"])
            // A camera and a microphone that everybody has, and nobody to ask whether they may be used.
            .args(["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"])
            // Two browsers on a machine without a network still find each other.
            .args(["--allow-loopback-in-peer-connection", "--remote-debugging-port=0"])
            .arg(format!("--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1"))
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(profile.path().join("stderr")).unwrap())
            // It starts processes of its own, which are ended with it.
            .process_group(0)
            .spawn()
            .unwrap();
        Self { child, profile }
    }

    /// Where its debugging protocol is spoken, and the path of the browser itself there.
    pub(crate) fn devtools(&self) -> (u16, String) {
        let read = || {
            let told = fs::read_to_string(self.profile.path().join("DevToolsActivePort")).ok()?;
            let (port, path) = told.trim_end().split_once('\n')?;
            Some((port.parse().ok()?, path.to_owned()))
        };
        let stderr = || fs::read_to_string(self.profile.path().join("stderr")).unwrap_or_default();
        patience::until(read).unwrap_or_else(|| panic!("chromium did not start: {}", stderr()))
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.child.id())]).status();
        let _ = self.child.wait();
    }
}
