//! Who somebody is: accounts, sessions, tokens, links and tickets. docs/auth.md says what people see of it.
//!
//! Pure, with the time as an argument:
//! - [`identity`]: who somebody is, and whether that still holds.
//! - [`token`]: the tokens that this server signs; [`jwt`]: those that others do.
//! - [`account`] and [`links`]: what is kept, and how it changes.
//! - [`attempts`] and `tickets`: tables in memory, of bounded size.
//! - [`limits`]: every limit, with its reason.
//!
//! With a store, files, threads:
//! - [`Authenticator`]: what the rest of the server asks. `identify`, `accounts` and `sharing` are its parts.
//! - [`config`]: what it is told; [`jwks`]: keys in a file that changes; [`admin`]: the first account.
//!
//! No HTTP: `api/auth.rs` has the routes, `api/caller.rs` reads the token of a request.
//!
//! What a person may do in a room is not decided here: rooms do that, by the account and by the grant of an [`Identity`].

pub mod account;
mod accounts;
pub mod admin;
pub mod attempts;
mod authenticator;
pub mod config;
mod identify;
pub mod identity;
pub mod jwks;
pub mod jwt;
pub mod limits;
pub mod links;
mod password;
mod records;
mod secret;
mod sharing;
mod tickets;
pub mod token;
mod watch;

pub(crate) use self::authenticator::unauthorized;
pub use self::{
    accounts::{AccountInfo, SessionInfo, SignedIn},
    authenticator::Authenticator,
    config::AuthConfig,
    identity::{Grant, Identity, Target},
    links::{Link, NewLink},
    secret::Secret,
    sharing::{NewShare, Shared, Taken},
    token::TokenId,
};
