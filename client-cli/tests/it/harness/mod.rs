//! A real server in this process, the real `motet`, and a line between them that can be cut.

pub mod line;
pub mod person;

use std::{
    io::Write,
    net::SocketAddr,
    process::{Command, Output, Stdio},
};

use clap::Parser;
use motet_client::{
    client::{Client, Options},
    connection::Greeting,
};
use motet_protocol::ids::{RoomId, SessionId};
use motet_server::{
    config::Flags,
    run::{Listeners, open_store, run, runtime},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub struct Server {
    pub tcp: SocketAddr,
    pub http: SocketAddr,
    shutdown: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    /// A server that keeps its rooms in memory, with the flags given.
    pub fn start(flags: &[&str]) -> Self {
        let fixed = ["motetd", "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--store", "memory"];
        let config = Flags::parse_from(fixed.iter().chain(flags)).resolve().unwrap();
        let shutdown = CancellationToken::new();
        let (ready_in, ready_out) = std::sync::mpsc::channel();
        let stop = shutdown.clone();
        let thread = std::thread::spawn(move || {
            let store = open_store(&config).unwrap();
            runtime(2).unwrap().block_on(async {
                let listeners = Listeners::bind(&config).await.unwrap();
                let addresses = (listeners.tcp.local_addr().unwrap(), listeners.http.local_addr().unwrap());
                ready_in.send(addresses).unwrap();
                let stopped = async move { stop.cancelled().await };
                tokio::spawn(run(config, store, listeners, stopped)).await.unwrap().unwrap();
            });
        });
        let (tcp, http) = ready_out.recv().unwrap();
        Self { tcp, http, shutdown, thread: Some(thread) }
    }

    /// `motet` with this server; must end well. Returns what it printed.
    pub fn motet(&self, words: &[&str]) -> String {
        self.motet_with(words, "")
    }

    /// As `motet`, with something on standard input.
    pub fn motet_with(&self, words: &[&str], input: &str) -> String {
        let output = run_motet(self.tcp, words, input);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "motet {words:?}: {}\n{told}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// `motet` that must fail: its exit code and what it said.
    pub fn motet_fails(&self, words: &[&str], input: &str) -> (i32, String) {
        let output = run_motet(self.tcp, words, input);
        assert!(!output.status.success(), "motet {words:?} was to fail");
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if !std::thread::panicking() {
                ended.expect("the server ends without a panic");
            }
        }
    }
}

/// The real command, not started yet.
pub fn motet(server: SocketAddr, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_motet"));
    command.args(words).env("MOTET_SERVER", format!("tcp://{server}")).env_remove("MOTET_TOKEN");
    // Not the tokens and the name of the person who runs the tests.
    command.env("XDG_CONFIG_HOME", "/nowhere").env_remove("MOTET_HTTP").env_remove("MOTET_NAME");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn run_motet(server: SocketAddr, words: &[&str], input: &str) -> Output {
    let mut child = motet(server, words).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It may end without reading; then the input is dropped.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

pub fn id(room: &str) -> RoomId {
    RoomId::new(room).unwrap()
}

pub fn options(server: SocketAddr) -> Options {
    let greeting = Greeting { session: SessionId(Uuid::new_v4()), name: String::new(), token: None };
    Options::new(format!("tcp://{server}").parse().unwrap(), greeting)
}

pub async fn client(server: SocketAddr) -> Client {
    Client::connect(options(server)).await.unwrap()
}
