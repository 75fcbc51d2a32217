//! How a command can fail, and its exit code.

use std::{error::Error as _, io, process::ExitCode};

use crate::http::{api::NoHttp, session::SessionError};
use motet_client::error::{Error, ErrorKind};

/// How a command can fail; each kind has its exit code.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// It did not work: 1.
    #[error("{0}")]
    Failed(String),
    /// What was typed makes no sense: 2, as for what the parser refuses.
    #[error("{0}")]
    Usage(String),
    /// The client failed: 3 where the connection is at fault, else 1.
    #[error(transparent)]
    Client(#[from] Error),
    /// The reader of the output has gone: a success.
    #[error("the reader of the output has gone")]
    BrokenPipe,
}

impl Failure {
    /// The exit code of the process.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code())
    }

    /// Whether the server is at fault, which is not there.
    pub(crate) fn is_about_connection(&self) -> bool {
        self.code() == 3
    }

    fn code(&self) -> u8 {
        match self {
            Self::BrokenPipe => 0,
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Client(error) => match error.kind() {
                ErrorKind::NoConnection | ErrorKind::OutcomeUnknown | ErrorKind::Closed => 3,
                ErrorKind::Refused(_)
                | ErrorKind::BadServer
                | ErrorKind::Mismatch
                | ErrorKind::Resyncing
                | ErrorKind::Full => 1,
            },
        }
    }

    /// A word for programs: the server's code, or one of the client's own.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::BrokenPipe => "broken_pipe",
            Self::Failed(_) => "failed",
            Self::Usage(_) => "usage",
            Self::Client(error) => match error.kind() {
                ErrorKind::Refused(code) => code.as_str(),
                ErrorKind::NoConnection | ErrorKind::Closed => "no_connection",
                ErrorKind::OutcomeUnknown => "outcome_unknown",
                ErrorKind::BadServer => "bad_server",
                ErrorKind::Mismatch => "mismatch",
                ErrorKind::Resyncing => "resyncing",
                ErrorKind::Full => "full",
            },
        }
    }

    /// What to do about it, where the words of the server do not say so.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        let code = match self {
            Self::Client(error) => match error.kind() {
                ErrorKind::NoConnection if is_over_http(error) => {
                    return Some(
                        "does motetd speak HTTP there? Name another with --http or MOTET_HTTP, or --server ws://HOST:PORT for both",
                    );
                }
                ErrorKind::NoConnection => {
                    return Some("is motetd running there? Name another with --server or MOTET_SERVER");
                }
                ErrorKind::Refused(code) => code,
                _ => return None,
            },
            _ => return None,
        };
        use motet_protocol::error::ErrorCode;
        match code {
            ErrorCode::RoomNotFound => Some("`motet rooms` lists the rooms, `motet create ROOM` makes one"),
            ErrorCode::Unauthorized => {
                Some("sign in with `motet login NAME`, or give a token with --token or MOTET_TOKEN")
            }
            _ => None,
        }
    }
}

fn is_over_http(error: &Error) -> bool {
    error.source().is_some_and(|cause| cause.is::<NoHttp>())
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Server(error) => Self::Client(error),
            SessionError::File(error) => Self::Failed(error.to_string()),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::Failed(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use motet_client::{address::Address, connection::ConnectionError};
    use motet_protocol::error::{About, ErrorCode, ErrorMessage};

    use super::*;

    #[test]
    fn the_shell_can_tell_refused_from_wrongly_used_from_unreachable() {
        let server: Address = "tcp://127.0.0.1:1".parse().unwrap();
        let refused = |code| {
            Error::refused(&ErrorMessage {
                about: About::Connection,
                code,
                message: String::new(),
                retry_after_ms: None,
            })
        };
        assert_eq!(Failure::Client(refused(ErrorCode::RoomNotFound)).code(), 1);
        assert_eq!(Failure::Failed(String::new()).code(), 1);
        assert_eq!(Failure::Usage(String::new()).code(), 2);
        assert_eq!(Failure::Client(Error::no_connection(&server, ConnectionError::Closed)).code(), 3);
        assert_eq!(Failure::from(io::Error::from(io::ErrorKind::BrokenPipe)).code(), 0);
        assert_eq!(Failure::from(io::Error::from(io::ErrorKind::NotFound)).code(), 1);
    }

    #[test]
    fn a_server_that_is_elsewhere_is_named_by_the_flag_that_says_where() {
        let server: Address = "tcp://127.0.0.1:1".parse().unwrap();
        let tcp = Failure::Client(Error::no_connection(&server, ConnectionError::Closed));
        assert!(tcp.advice().unwrap().contains("--server or MOTET_SERVER"));
        let api = crate::http::Api::new("http://127.0.0.1:1".parse().unwrap(), None);
        let http = Failure::Client(api.get::<()>("/rooms").unwrap_err());
        assert!(http.advice().unwrap().contains("--http or MOTET_HTTP"));
    }
}
