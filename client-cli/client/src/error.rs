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

/// An error, in words, with what caused it. Cheap to clone: one lost connection is told to everyone who waits for it.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    words: Arc<str>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
    /// Whether it is about the HTTP API, which has an address of its own.
    over_http: bool,
}

impl Error {
    /// What kind it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub(crate) fn new(kind: ErrorKind, words: impl Into<String>) -> Self {
        Self { kind, words: words.into().into(), source: None, over_http: false }
    }

    /// The same, of the HTTP API.
    pub(crate) fn over_http(self) -> Self {
        Self { over_http: true, ..self }
    }

    /// Whether it is about the HTTP API.
    pub(crate) fn is_over_http(&self) -> bool {
        self.over_http
    }

    pub(crate) fn refused(error: &ErrorMessage) -> Self {
        Self::new(ErrorKind::Refused(error.code), error.message.clone())
    }

    pub(crate) fn bad_server(words: impl fmt::Display) -> Self {
        Self::new(ErrorKind::BadServer, format!("the server said what it may not say: {words}"))
    }

    pub(crate) fn closed() -> Self {
        Self::new(ErrorKind::Closed, "the client was closed")
    }

    /// A server that was not reached. One that answered with a refusal is told as that.
    pub(crate) fn no_connection(server: &Address, error: ConnectionError) -> Self {
        match error {
            ConnectionError::Bye(message) if !is_passing(&message) => Self::refused(&message),
            error => Self {
                kind: ErrorKind::NoConnection,
                words: format!("cannot reach {server}: {error}").into(),
                source: Some(Arc::new(error)),
                over_http: false,
            },
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
        f.write_str(&self.words)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<Mismatch> for Error {
    fn from(mismatch: Mismatch) -> Self {
        let words = mismatch.to_string().into();
        Self { kind: ErrorKind::Mismatch, words, source: Some(Arc::new(mismatch)), over_http: false }
    }
}
