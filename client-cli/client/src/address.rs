//! Where a server is.

use std::{fmt, str::FromStr};

/// The address of a server and how to speak with it: `tcp://HOST:PORT` or `ws://HOST:PORT[/PATH]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Motet's own frames over TCP.
    Tcp {
        /// `HOST:PORT`.
        authority: String,
    },
    /// WebSocket.
    Ws {
        /// `HOST:PORT`.
        authority: String,
        /// The path, with its slash.
        path: String,
    },
}

/// The port that a server listens on for TCP by default.
pub const TCP_PORT: u16 = 6684;
/// The port that a server listens on for HTTP by default.
pub const HTTP_PORT: u16 = 6683;

/// A text that is no address of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no server; write tcp://HOST:PORT or ws://HOST:PORT")]
pub struct BadAddress(String);

impl Address {
    /// `HOST:PORT`.
    pub fn authority(&self) -> &str {
        match self {
            Self::Tcp { authority } | Self::Ws { authority, .. } => authority,
        }
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let bad = || BadAddress(text.to_owned());
        let (scheme, rest) = text.split_once("://").ok_or_else(bad)?;
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, ""),
        };
        let with_port = |port: u16| match authority.rsplit_once(':') {
            _ if authority.is_empty() => Err(bad()),
            Some((host, digits)) if !host.is_empty() && !digits.ends_with(']') => {
                digits.parse::<u16>().map(|_| authority.to_owned()).map_err(|_| bad())
            }
            Some((_, digits)) if !digits.ends_with(']') => Err(bad()),
            _ => Ok(format!("{authority}:{port}")),
        };
        match (scheme, path) {
            ("tcp", "" | "/") => Ok(Self::Tcp { authority: with_port(TCP_PORT)? }),
            ("ws", "" | "/") => Ok(Self::Ws { authority: with_port(HTTP_PORT)?, path: "/ws".to_owned() }),
            ("ws", path) => Ok(Self::Ws { authority: with_port(HTTP_PORT)?, path: path.to_owned() }),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { authority } => write!(f, "tcp://{authority}"),
            Self::Ws { authority, path } => write!(f, "ws://{authority}{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_write_them() {
        for (text, canonical) in [
            ("tcp://127.0.0.1:6684", "tcp://127.0.0.1:6684"),
            ("tcp://motet.example", "tcp://motet.example:6684"),
            ("tcp://[::1]", "tcp://[::1]:6684"),
            ("tcp://[::1]:5/", "tcp://[::1]:5"),
            ("ws://localhost", "ws://localhost:6683/ws"),
            ("ws://localhost:80/motet/ws", "ws://localhost:80/motet/ws"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), canonical);
        }
        for text in ["", "localhost:1", "tcp://", "tcp://:1", "tcp://x:port", "tcp://x:99999", "http://x", "tcp://x/y"]
        {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
