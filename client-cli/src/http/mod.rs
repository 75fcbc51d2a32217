//! The server's HTTP API, as the commands use it, and who is signed in where.
//!
//! - [`address`]: where the API of a server is.
//! - [`api`]: requests and answers; problem documents become the same errors as refusals on a connection.
//!   `early` reads answers that come before all was sent.
//! - [`credentials`]: the file that keeps tokens.
//! - `find`: where the API of the named server is, and whether it is that server's.
//! - [`session`]: signing in and out, and tokens that renew themselves.

pub(crate) mod address;
pub(crate) mod api;
pub(crate) mod credentials;
mod early;
pub(crate) mod find;
pub(crate) mod session;

pub(crate) use address::HttpAddress;
pub(crate) use api::Api;
pub(crate) use credentials::Credentials;
