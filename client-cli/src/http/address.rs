//! Where the HTTP API of a server is.

use std::{fmt, str::FromStr};

use motet_client::address::{Address, HTTP_PORT};

/// The address of a server over HTTP: `http://HOST:PORT[/PREFIX]`, the same text for the same server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct HttpAddress(String);

/// A text that is no address of a server over HTTP.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no server over HTTP; write http://HOST:PORT")]
pub(crate) struct BadHttpAddress(String);

impl HttpAddress {
    /// The API of a `ws://` server, which is on the same port. Of a `tcp://` server, the API on the default port.
    pub(crate) fn beside(server: &Address) -> Self {
        match server {
            Address::Ws { authority, path } => {
                Self(format!("http://{authority}{}", path.strip_suffix("/ws").unwrap_or_default()))
            }
            Address::Tcp { .. } => Self::on_port(server, HTTP_PORT),
        }
    }

    /// An API on the host of a server, at this port.
    pub(crate) fn on_port(server: &Address, port: u16) -> Self {
        let authority = server.authority();
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        Self(format!("http://{host}:{port}"))
    }

    /// The address without a slash at its end.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HttpAddress {
    type Err = BadHttpAddress;

    fn from_str(text: &str) -> Result<Self, BadHttpAddress> {
        let bad = || BadHttpAddress(text.to_owned());
        let rest = text.strip_prefix("http://").ok_or_else(bad)?;
        let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'@' | b'?' | b'#' | b'"' | b'\\');
        if !rest.bytes().all(plain) {
            return Err(bad());
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        // The rules for hosts and ports are those of the other addresses.
        let address: Address = format!("ws://{authority}").parse().map_err(|_| bad())?;
        Ok(Self(format!("http://{}{}", address.authority(), path.trim_end_matches('/'))))
    }
}

impl fmt::Display for HttpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_is_found_from_the_address_of_the_server() {
        for (server, http) in [
            ("tcp://127.0.0.1:6684", "http://127.0.0.1:6683"),
            ("tcp://[::1]:7000", "http://[::1]:6683"),
            ("tcp://motet.example", "http://motet.example:6683"),
            ("ws://localhost", "http://localhost:6683"),
            ("ws://localhost:80/motet/ws", "http://localhost:80/motet"),
        ] {
            assert_eq!(HttpAddress::beside(&server.parse::<Address>().unwrap()).as_str(), http);
        }
    }

    #[test]
    fn one_server_has_one_text() {
        for (text, canonical) in [
            ("http://localhost", "http://localhost:6683"),
            ("http://localhost:80/", "http://localhost:80"),
            ("http://[::1]:5/motet/", "http://[::1]:5/motet"),
        ] {
            assert_eq!(text.parse::<HttpAddress>().unwrap().as_str(), canonical);
        }
        for text in
            ["", "localhost:1", "https://x", "http://", "http://:1", "http://ann:secret@x", "http://x/?a", "http://x y"]
        {
            assert!(text.parse::<HttpAddress>().is_err(), "{text}");
        }
    }
}
