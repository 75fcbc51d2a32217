//! The commands of `motet`, one file each.

use std::process::ExitCode;

use motet_protocol::ids::SessionId;
use uuid::Uuid;

use crate::{
    address::Address,
    connection::{ConnectionError, Greeting},
};

/// What every command is told.
#[derive(Clone, Debug)]
pub struct Globals {
    /// The server.
    pub server: Address,
    /// Proof of who one is.
    pub token: Option<String>,
    /// Whether the output is for programs.
    pub json: bool,
}

impl Globals {
    /// A greeting with a session of its own.
    pub fn greeting(&self) -> Greeting {
        Greeting { session: SessionId(Uuid::new_v4()), name: String::new(), token: self.token.clone() }
    }
}

/// How a command can fail; each kind has its exit code.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It was refused, or did not work: 1.
    #[error("{0}")]
    Failed(String),
    /// What was typed makes no sense: 2, as for what the parser refuses.
    #[error("{0}")]
    Usage(String),
    /// There is no connection to the server: 3.
    #[error("cannot reach {server}: {source}")]
    NoConnection {
        /// Where it should be.
        server: Address,
        /// Why not.
        source: ConnectionError,
    },
    /// Whoever read the output has gone: a success.
    #[error("nobody reads the output any more")]
    BrokenPipe,
}

impl Failure {
    /// The exit code of the process.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Failed(_) => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(2),
            Self::NoConnection { .. } => ExitCode::from(3),
            Self::BrokenPipe => ExitCode::SUCCESS,
        }
    }
}
