//! What can go wrong for a program that uses this library.

use std::{fmt, sync::Arc};

use motet_protocol::{
    error::{ErrorCode, ErrorMessage},
    ot::Mismatch,
};

use crate::{address::Address, connection::ConnectionError};

/// What kind an error is; programs decide by this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The server cannot be reached, or was lost for longer than the client was told to wait.
    NoConnection,
    /// The connection was lost after this was sent: it may have been done or not.
    OutcomeUnknown,
    /// The server said no, with this code.
    Refused(ErrorCode),
    /// The server said what it may not say.
    BadServer,
    /// An edit that does not fit the text of the replica.
    Mismatch,
    /// The replica's text is being replaced by the server's, so there is nothing to edit at this moment.
    Resyncing,
    /// The client or the room was closed before.
    Closed,
    /// As much as may waits for the server already.
    Full,
}

/// An error, in words, with what caused it. Cheap to clone: everyone who waits for a lost connection gets the same error.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    message: Arc<str>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// What kind it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// An error of a layer that is built on this library.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into().into(), source: None }
    }

    /// The same error with the error that caused it.
    pub fn with_source(self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }

    /// A refusal by the server, with its code and message.
    pub fn refused(error: &ErrorMessage) -> Self {
        Self::new(ErrorKind::Refused(error.code), error.message.clone())
    }

    /// A server that breaks the protocol; `what` says how.
    pub fn bad_server(what: impl fmt::Display) -> Self {
        Self::new(ErrorKind::BadServer, format!("the server said what it may not say: {what}"))
    }

    pub(crate) fn closed() -> Self {
        Self::new(ErrorKind::Closed, "the client was closed")
    }

    /// A connection that could not be opened. A server that refused it for good becomes that refusal.
    pub fn no_connection(server: &Address, error: ConnectionError) -> Self {
        match error {
            ConnectionError::Bye(message) if !is_passing(&message) => Self::refused(&message),
            error => Self::new(ErrorKind::NoConnection, format!("cannot reach {server}: {error}")).with_source(error),
        }
    }
}

/// Whether a server that says goodbye so may greet again later.
pub(crate) fn is_passing(bye: &ErrorMessage) -> bool {
    let waits = matches!(
        bye.code,
        ErrorCode::ShuttingDown
            | ErrorCode::IdleTimeout
            | ErrorCode::HandshakeTimeout
            | ErrorCode::TooManyConnections
            | ErrorCode::Overloaded
            | ErrorCode::FramingLost
            | ErrorCode::StorageUnavailable
            | ErrorCode::Internal
    );
    waits || bye.retry_after_ms.is_some()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<Mismatch> for Error {
    fn from(mismatch: Mismatch) -> Self {
        Self::new(ErrorKind::Mismatch, mismatch.to_string()).with_source(mismatch)
    }
}
