//! The server's HTTP API, as the commands use it, and who is signed in where.
//!
//! - [`address`]: where the API of a server is.
//! - [`api`]: requests and answers; problem documents become the same errors as refusals on a connection.
//!   `early` reads answers that come before all was sent.
//! - [`credentials`]: the file that keeps tokens.
//! - [`session`]: signing in and out, and tokens that renew themselves.

pub mod address;
pub mod api;
pub mod credentials;
mod early;
pub mod session;

pub use address::HttpAddress;
pub use api::Api;
pub use credentials::Credentials;
