//! A server as a process of its own, to be measured and killed.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

/// A running `motetd`.
pub struct Process {
    pub tcp: SocketAddr,
    pub http: SocketAddr,
    child: Child,
}

impl Process {
    /// Starts one on free ports.
    pub fn start(data: &Path, flags: &[&str]) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::start_at(data, any, any, flags)
    }

    /// Starts one on these addresses.
    pub fn start_at(data: &Path, tcp: SocketAddr, http: SocketAddr, flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_motetd"))
            .args(["--tcp", &tcp.to_string(), "--http", &http.to_string(), "--data"])
            .arg(data)
            .args(flags)
            .env("MOTETD_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = |name: &str| {
            let word = line.split_whitespace().find_map(|word| word.strip_prefix(name));
            word.and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("not a ready line: {line:?}"))
        };
        Self { tcp: address("tcp="), http: address("http="), child }
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(mut self) {
        self.end();
    }

    /// SIGTERM; returns whether it ended well.
    pub fn terminate(mut self) -> bool {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().success()
    }

    /// Resident memory in bytes.
    pub fn memory_bytes(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap() * 1024.0
    }

    /// A figure from its `/metrics`.
    pub fn figure(&self, name: &str) -> f64 {
        super::figure(self.http, name)
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}
