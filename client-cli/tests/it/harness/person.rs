//! A person who uses the real `motet`, with a home directory of their own.

use std::{
    io::Write,
    path::PathBuf,
    process::{Child, Output},
};

use serde_json::Value;

use super::{Server, motet};

pub struct Person<'a> {
    server: &'a Server,
    home: tempfile::TempDir,
}

impl<'a> Person<'a> {
    pub fn at(server: &'a Server) -> Self {
        Self { server, home: tempfile::tempdir().unwrap() }
    }

    /// The command, started, with this on standard input.
    pub fn begins(&self, words: &[&str], input: &str) -> Child {
        let mut command = motet(self.server.tcp, words);
        command.env("XDG_CONFIG_HOME", self.home.path()).env("MOTET_HTTP", format!("http://{}", self.server.http));
        let mut child = command.spawn().unwrap();
        // It may end without reading; then the input is dropped.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child
    }

    /// A command that must end well; returns what it printed.
    pub fn does_with(&self, words: &[&str], input: &str) -> String {
        printed(words, self.begins(words, input).wait_with_output().unwrap())
    }

    /// The same with nothing on standard input.
    pub fn does(&self, words: &[&str]) -> String {
        self.does_with(words, "")
    }

    /// The lines that it prints with `--json`.
    pub fn json(&self, words: &[&str]) -> Vec<Value> {
        let printed = self.does(&[words, &["--json"]].concat());
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// A command that must fail: its exit code, and the code and words of its error.
    pub fn fails_with(&self, words: &[&str], input: &str) -> (i32, String, String) {
        let words = [words, &["--json"]].concat();
        let output = self.begins(&words, input).wait_with_output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "motet {words:?} was to fail");
        let error: Value = serde_json::from_str(&told).unwrap_or_else(|_| panic!("motet {words:?}: {told}"));
        let text = |name: &str| error["error"][name].as_str().unwrap().to_owned();
        (output.status.code().unwrap(), text("code"), text("message"))
    }

    /// The same: its error's code. The exit code must be 1.
    pub fn refused(&self, words: &[&str]) -> String {
        let (exit, code, told) = self.fails_with(words, "");
        assert_eq!(exit, 1, "motet {words:?}: {told}");
        code
    }

    /// Where their tokens are.
    pub fn credentials(&self) -> PathBuf {
        self.home.path().join("motet").join("credentials.json")
    }
}

/// What a command printed that must have ended well.
pub fn printed(words: &[&str], output: Output) -> String {
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "motet {words:?}: {}\n{told}", output.status);
    String::from_utf8(output.stdout).unwrap()
}
