//! A server as a process of its own, and what the system says that it uses.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use motet_benches::disk_directory;

use crate::Failure;

/// The servers from npm, and where `npm ci` installs them.
pub(crate) const PEERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");

/// The program to start.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Program {
    Relay,
    Motet { store: &'static str, durability: &'static str },
    Node { file: &'static str, package: &'static str },
}

/// A running server, killed in the end.
pub(crate) struct Server {
    child: Child,
    /// Where it speaks Motet's frames, if it does.
    pub(crate) tcp: Option<SocketAddr>,
    /// Where it speaks WebSocket.
    pub(crate) http: SocketAddr,
    _data: tempfile::TempDir,
}

impl Server {
    /// Starts it with nothing in it, and waits until it serves.
    pub(crate) fn start(program: Program) -> Result<Self, Failure> {
        let data = disk_directory()?;
        let mut command = match program {
            Program::Relay => Command::new(beside_this("relay")?),
            Program::Motet { store, durability } => {
                let mut command = Command::new(beside_this("motetd")?);
                command.args(["--tcp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--log", "error", "--data"]);
                command.arg(data.path()).args(["--store", store, "--durability", durability]);
                command
            }
            Program::Node { file, .. } => {
                let mut command = Command::new("node");
                command.arg(Path::new(PEERS).join(file)).env("NODE_ENV", "production");
                command
            }
        };
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(|error| {
            format!("{:?}: {error}; benches/peers/run builds and installs what is needed", command.get_program())
        })?;
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().ok_or("no output")?).read_line(&mut line)?;
        let address = |name: &str| line.split_whitespace().find_map(|word| word.strip_prefix(name)?.parse().ok());
        let (tcp, http) = (address("tcp="), address("http="));
        let mut server = Self { child, tcp, http: SocketAddr::from(([127, 0, 0, 1], 0)), _data: data };
        server.http = http.ok_or_else(|| format!("not a ready line: {line:?}"))?;
        Ok(server)
    }

    /// Processor time of all its threads so far, in microseconds. The system counts nanoseconds for each thread; its
    /// total for the process is in ticks of 10 ms, too coarse for short runs. A thread that ended takes its time with it.
    pub(crate) fn cpu_us(&self) -> Result<f64, Failure> {
        let mut total = 0.0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // One that ended since the directory was read has no file any more.
            let Ok(schedstat) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
            let ran_ns: f64 = schedstat.split(' ').next().unwrap_or_default().parse()?;
            total += ran_ns / 1_000.0;
        }
        Ok(total)
    }

    /// Resident memory now, in kB.
    pub(crate) fn memory_kb(&self) -> Result<f64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program of this workspace, built with the same profile.
fn beside_this(name: &str) -> Result<PathBuf, Failure> {
    Ok(std::env::current_exe()?.with_file_name(name))
}
