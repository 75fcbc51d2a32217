//! Finds the HTTP API of the server that was named, and makes sure that it is that server's and not another one's.

use motet_client::{
    address::{Address, HTTP_PORT, TCP_PORT},
    connection::{Connection, ConnectionError, Greeting},
    error::{Error, ErrorKind},
};
use motet_protocol::{
    error::ErrorCode,
    ids::{ServerId, SessionId},
    message::{HttpAddress as Advertised, Welcome},
};
use serde::Deserialize;
use uuid::Uuid;

use super::{Api, HttpAddress, api::NoHttp};

/// The part of `/api/server` that says which server it is.
#[derive(Deserialize)]
struct Identity {
    server_id: ServerId,
}

/// The HTTP API of `server`: at `given` (`--http`), or where the server's greeting says it is.
///
/// The identity in the greeting is compared with the one that `/api/server` tells, before the caller sends a password, a
/// token or a change there. Two cases have no greeting to compare: a `ws://` server, whose API is on the same port, and a
/// server that greets no guests. The latter is used at `given`, or on the default HTTP port if its TCP port is the default
/// one too. Blocks.
///
/// # Errors
///
/// `NoConnection` if the server cannot be reached, if another server answers over HTTP, or if that cannot be told.
pub(crate) fn http_of(server: &Address, given: Option<&HttpAddress>) -> Result<HttpAddress, Error> {
    if let Address::Ws { .. } = server {
        let beside = HttpAddress::beside(server);
        if given.is_none_or(|given| *given == beside) {
            return Ok(beside);
        }
    }
    let welcome = match greet(server)? {
        Ok(welcome) => welcome,
        Err(ConnectionError::Bye(bye)) if bye.code == ErrorCode::Unauthorized => {
            let usual = || server.authority().ends_with(&format!(":{TCP_PORT}")).then(|| on_port(server, HTTP_PORT));
            return given.cloned().or_else(usual).ok_or_else(|| {
                cannot(format!(
                    "{server} does not tell guests where its HTTP API is; name it with --http or MOTET_HTTP"
                ))
            });
        }
        Err(error) => {
            let error = Error::no_connection(server, error);
            return Err(match error.kind() {
                ErrorKind::NoConnection => error,
                _ => Error::new(ErrorKind::NoConnection, format!("cannot use {server}: {error}")),
            });
        }
    };
    let http = match given {
        Some(given) => given.clone(),
        None => advertised(server, &welcome)?,
    };
    let identity: Identity = Api::new(http.clone(), None)
        .get("/server")
        .map_err(|error| cannot(format!("cannot tell whether {http} is the HTTP API of {server}: {error}")))?;
    if identity.server_id != welcome.server_id {
        return Err(cannot(format!("{http} belongs to another server than {server}: nothing was sent there")));
    }
    Ok(http)
}

/// Where the greeting says that HTTP is.
fn advertised(server: &Address, welcome: &Welcome) -> Result<HttpAddress, Error> {
    match &welcome.http {
        Some(Advertised::Port(port)) => Ok(on_port(server, *port)),
        Some(Advertised::Url(url)) => url.parse().map_err(|_| {
            cannot(format!(
                "{server} has its HTTP API at {url}, which this client cannot use; name another with --http"
            ))
        }),
        None => Err(cannot(format!("{server} serves no HTTP API"))),
    }
}

fn on_port(server: &Address, port: u16) -> HttpAddress {
    HttpAddress::on_port(server, port)
}

fn cannot(message: String) -> Error {
    Error::new(ErrorKind::NoConnection, message).with_source(NoHttp)
}

/// Greets as a guest, on a thread with a runtime of its own: the caller may be inside one.
fn greet(server: &Address) -> Result<Result<Welcome, ConnectionError>, Error> {
    let greet = || -> std::io::Result<_> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let greeting = Greeting { session: SessionId(Uuid::new_v4()), name: String::new(), token: None };
        Ok(runtime.block_on(Connection::open(server, greeting)).map(|(_, welcome)| welcome))
    };
    let greeted = std::thread::scope(|scope| scope.spawn(greet).join());
    match greeted {
        Ok(Ok(greeted)) => Ok(greeted),
        Ok(Err(error)) => Err(cannot(format!("cannot greet {server}: {error}"))),
        Err(_) => Err(cannot(format!("cannot greet {server}"))),
    }
}
