//! Requests to the HTTP API. They block: inside an async runtime they belong on a
//! blocking thread.

use std::{
    io::{self, Read},
    time::Duration,
};

use motet_client::error::{Error, ErrorKind};
use motet_protocol::error::{About, ErrorCode, ErrorMessage};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use ureq::{
    Agent, AsSendBody, Body, SendBody, Timeout,
    http::{Method, Request, Response, header},
    unversioned::{
        resolver::DefaultResolver,
        transport::{Connector, TcpConnector},
    },
};

use super::{HttpAddress, early::EarlyAnswers};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the server may keep silent: it reads a whole log for some answers. Long answers may take as long as they take.
const SILENCE_MAX: Duration = Duration::from_secs(120);

/// An answer in JSON, in bytes: who wrote each part of the most patched text that the server tells.
const ANSWER_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A problem document, in bytes: far more than a server says.
const PROBLEM_BYTES_MAX: u64 = 64 * 1024;

/// What the server's sessions are listed as.
const USER_AGENT: &str = concat!("motet/", env!("CARGO_PKG_VERSION"));

/// The HTTP API of a server, with or without a token. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Api {
    agent: Agent,
    address: HttpAddress,
    token: Option<String>,
}

/// Tokens stay out of what is printed.
impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("address", &self.address).finish_non_exhaustive()
    }
}

/// The cause of an error that is about the HTTP address, which has flags of its own.
#[derive(Debug, thiserror::Error)]
#[error("no answer over HTTP")]
pub(crate) struct NoHttp;

/// What a server says that does not do what it was asked (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    code: ErrorCode,
    detail: String,
    retry_after_ms: Option<u32>,
}

impl Api {
    /// Of this server, for whom the token stands for; for a guest without one. Nothing is connected yet.
    pub(crate) fn new(address: HttpAddress, token: Option<String>) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // A token is for this server and no other; and a connection over TCP knows no proxy either.
            .max_redirects(0)
            .proxy(None)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_per_read(Some(SILENCE_MAX))
            .timeout_per_write(Some(SILENCE_MAX))
            .user_agent(USER_AGENT);
        let connector = TcpConnector::default().chain(EarlyAnswers);
        let agent = Agent::with_parts(config.build(), connector, DefaultResolver::default());
        Self { agent, address, token }
    }

    /// Where it is.
    pub(crate) fn address(&self) -> &HttpAddress {
        &self.address
    }

    /// Asks for something.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.answer(self.request(Method::GET, path, None, ())?)
    }

    /// Asks for something that is no JSON, or too long to be taken at once. If reading it fails, it [broke off](Self::broke_off).
    pub(crate) fn read(&self, path: &str) -> Result<impl Read + use<>, Error> {
        Ok(self.request(Method::GET, path, None, ())?.into_body().into_reader())
    }

    /// Sends something, and takes the answer.
    pub(crate) fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        self.answer(self.send_json(method, path, body)?)
    }

    /// Sends something that is answered with no more than that it is done.
    pub(crate) fn send_only(&self, method: Method, path: &str, body: &impl Serialize) -> Result<(), Error> {
        self.send_json(method, path, body).map(drop)
    }

    /// Deletes something.
    pub(crate) fn delete(&self, path: &str) -> Result<(), Error> {
        self.request(Method::DELETE, path, None, ()).map(drop)
    }

    /// Sends something long. The server is asked before whether it takes it at all.
    pub(crate) fn upload<T: DeserializeOwned>(&self, path: &str, media: &str, mut body: impl Read) -> Result<T, Error> {
        self.answer(self.request(Method::POST, path, Some(media), SendBody::from_reader(&mut body))?)
    }

    fn send_json(&self, method: Method, path: &str, body: &impl Serialize) -> Result<Response<Body>, Error> {
        let json = motet_protocol::json::encode(body);
        self.request(method, path, Some("application/json"), json)
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        media: Option<&str>,
        body: impl AsSendBody,
    ) -> Result<Response<Body>, Error> {
        let mut request = Request::builder().method(method.clone()).uri(format!("{}/api{path}", self.address));
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(media) = media {
            request = request.header(header::CONTENT_TYPE, media);
            if media != "application/json" {
                request = request.header(header::EXPECT, "100-continue");
            }
        }
        // Of all that is in it, only a token can be typed so that it does not fit in a header.
        let request = request.body(body).map_err(|_| {
            let message = "the token has characters that no token has";
            refused(ErrorCode::Unauthorized, message.to_owned(), None)
        })?;
        let response = self.agent.run(request).map_err(|error| self.lost(&method, error))?;
        match response.status().is_success() {
            true => Ok(response),
            false => Err(self.problem(response)),
        }
    }

    fn answer<T: DeserializeOwned>(&self, response: Response<Body>) -> Result<T, Error> {
        let reader = response.into_body().into_with_config().limit(ANSWER_BYTES_MAX).reader();
        serde_json::from_reader(io::BufReader::new(reader)).map_err(|error| match error.is_io() {
            true => self.broke_off(&error.into()),
            false => Error::bad_server(format_args!("an answer from {}: {error}", self.address)),
        })
    }

    fn problem(&self, response: Response<Body>) -> Error {
        let status = response.status();
        let reader = response.into_body().into_with_config().limit(PROBLEM_BYTES_MAX).reader();
        match serde_json::from_reader(io::BufReader::new(reader)) {
            Ok(Problem { code, detail, retry_after_ms }) => refused(code, detail, retry_after_ms),
            Err(_) => Error::bad_server(format_args!("{status} from {}", self.address)),
        }
    }

    /// A request that was not answered. What changes something may have done so if it was sent.
    fn lost(&self, method: &Method, error: ureq::Error) -> Error {
        use ureq::Error as Ureq;
        let not_sent = match &error {
            Ureq::HostNotFound | Ureq::ConnectionFailed | Ureq::Timeout(Timeout::Connect | Timeout::Resolve) => true,
            Ureq::Io(error) => error.kind() == io::ErrorKind::ConnectionRefused,
            Ureq::Protocol(error) => return Error::bad_server(format_args!("no HTTP from {}: {error}", self.address)),
            _ => false,
        };
        if not_sent || *method == Method::GET {
            return self.no_connection(&error);
        }
        let message = format!("{} was lost before its answer came ({error}); check whether it was done", self.address);
        Error::new(ErrorKind::OutcomeUnknown, message)
    }

    /// The error of an answer that ends in the middle.
    pub(crate) fn broke_off(&self, error: &io::Error) -> Error {
        Error::new(ErrorKind::NoConnection, format!("the answer of {} broke off: {error}", self.address))
            .with_source(NoHttp)
    }

    fn no_connection(&self, error: &dyn std::error::Error) -> Error {
        Error::new(ErrorKind::NoConnection, format!("cannot reach {}: {error}", self.address)).with_source(NoHttp)
    }
}

/// The same as the refusal on a connection.
fn refused(code: ErrorCode, message: String, retry_after_ms: Option<u32>) -> Error {
    Error::refused(&ErrorMessage { about: About::Connection, code, message, retry_after_ms })
}

/// A path with arguments behind it.
pub(crate) fn with_query(path: &str, arguments: &[(&str, &str)]) -> String {
    let mut whole = path.to_owned();
    for (index, (name, value)) in arguments.iter().enumerate() {
        whole.push(if index == 0 { '?' } else { '&' });
        whole.push_str(name);
        whole.push('=');
        whole.push_str(&escaped(value));
    }
    whole
}

/// A text as a part of a path or an argument (RFC 3986, section 2.3: what is unreserved stays).
pub(crate) fn escaped(text: &str) -> String {
    let escaped = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    });
    escaped.collect()
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader, Write},
        net::TcpListener,
    };

    use super::*;

    /// An API that answers the first request with these bytes.
    fn answered(bytes: &'static str) -> (Api, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head: Vec<String> = lines.map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
            stream.write_all(bytes.as_bytes()).unwrap();
            head.join("\n")
        });
        (Api::new(address, Some("mta_secret".to_owned())), server)
    }

    #[test]
    fn what_is_refused_over_http_reads_as_on_a_connection() {
        let document = "HTTP/1.1 404 Not Found\r\n\r\n\
                        {\"status\":404,\"code\":\"room_not_found\",\"detail\":\"there is no room a\"}";
        let (api, server) = answered(document);
        let error = api.get::<()>("/rooms/a").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused(ErrorCode::RoomNotFound));
        assert_eq!(error.to_string(), "there is no room a");
        let head = server.join().unwrap().to_ascii_lowercase();
        assert!(head.starts_with("get /api/rooms/a http/1.1\n"), "{head}");
        assert!(head.contains("authorization: bearer mta_secret"), "{head}");
    }

    #[test]
    fn a_token_is_not_carried_to_another_server() {
        let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
        elsewhere.set_nonblocking(true).unwrap();
        let moved = format!(
            "HTTP/1.1 307 Moved\r\nlocation: http://{}/\r\ncontent-length: 0\r\n\r\n",
            elsewhere.local_addr().unwrap()
        );
        let (api, server) = answered(moved.leak());
        assert_eq!(api.get::<()>("/rooms").unwrap_err().kind(), ErrorKind::BadServer);
        server.join().unwrap();
        assert!(elsewhere.accept().is_err());
    }

    #[test]
    fn an_end_that_is_no_motet_is_told_as_one() {
        for bytes in [
            "SSH-2.0-OpenSSH_9.6\r\n",
            "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 5\r\n\r\nsorry",
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        ] {
            let (api, server) = answered(bytes);
            let error = api.get::<u64>("/rooms").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadServer, "{bytes}: {error}");
            server.join().unwrap();
        }
    }

    #[test]
    fn a_change_whose_answer_is_lost_may_have_been_made() {
        let (api, server) = answered("");
        let error = api.delete("/rooms/a").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
        server.join().unwrap();
        let unreachable = Api::new("http://127.0.0.1:1".parse().unwrap(), None);
        assert_eq!(unreachable.delete("/rooms/a").unwrap_err().kind(), ErrorKind::NoConnection);
    }

    #[test]
    fn names_cannot_step_out_of_their_place_in_an_address() {
        assert_eq!(escaped("../a b?ä"), "..%2Fa%20b%3F%C3%A4");
        assert_eq!(with_query("/x", &[("from", "version:a&b"), ("to", "1")]), "/x?from=version%3Aa%26b&to=1");
    }
}
