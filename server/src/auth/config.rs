//! Who is let in, as the configuration says it: checked before anything starts.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::ValueEnum;
use serde::Deserialize;

use super::{
    jwks::{BadFile, JwksFile},
    jwt::{BadKeys, Expected, Keys},
    secret::Secret,
};

/// The variable that may hold the secret for HS256. There is no flag for the secret itself: everybody on a machine sees
/// the flags of its processes.
pub const JWT_SECRET_VARIABLE: &str = "MOTETD_JWT_SECRET";

/// `--auth`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// everybody is let in, with the name that they say
    Open,
    /// who has an account on this server is let in
    Accounts,
    /// who has a token of your identity provider is let in
    Jwt,
}

/// `--registration`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Registration {
    /// everybody can make an account for themselves
    Open,
    /// an admin makes the accounts
    Closed,
}

/// What the flags, the environment and the file say of it, together.
#[derive(Debug, Default)]
pub struct Choice {
    /// `--auth`.
    pub mode: Option<Mode>,
    /// `--allow-open`.
    pub allow_open: bool,
    /// `--allow-guests`.
    pub allow_guests: bool,
    /// `--registration`.
    pub registration: Option<Registration>,
    /// `--jwt-secret-file`.
    pub jwt_secret_file: Option<PathBuf>,
    /// [`JWT_SECRET_VARIABLE`].
    pub jwt_secret: Option<Secret>,
    /// `--jwt-jwks`.
    pub jwt_jwks: Option<PathBuf>,
    /// `--jwt-issuer`.
    pub jwt_issuer: Option<String>,
    /// `--jwt-audience`.
    pub jwt_audience: Option<String>,
    /// `--proxies`.
    pub proxies: usize,
}

/// Who is let in.
#[derive(Clone, Debug)]
pub struct AuthConfig {
    /// Whose word counts for who somebody is.
    pub mode: AuthMode,
    /// Whether somebody without a token is let in as a guest. Rooms say what guests may do.
    pub guests: bool,
    /// Whether everybody can make an account.
    pub registration: bool,
    /// How many proxies are in front, each of which puts whom it saw at the end of `X-Forwarded-For`.
    pub proxies: usize,
}

/// Whose word counts for who somebody is.
#[derive(Clone, Debug)]
pub enum AuthMode {
    /// Their own.
    Open,
    /// This server's, which keeps accounts.
    Accounts,
    /// That of somebody who signs tokens.
    Jwt {
        /// With these keys.
        keys: JwtKeys,
        /// What else must stand in them.
        expected: Arc<Expected>,
    },
}

/// Where the keys are from.
#[derive(Clone, Debug)]
pub enum JwtKeys {
    /// A secret.
    Secret(Arc<Keys>),
    /// A file that may change.
    File(Arc<JwksFile>),
}

/// A choice that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum BadChoice {
    /// Everybody who reaches the server would be let in.
    #[error(
        "{0} is not a loopback address, and --auth is open: everybody who reaches it could change everything; choose \
         --auth accounts or --auth jwt, or say --auth open --allow-open"
    )]
    OpenToAll(SocketAddr),
    /// There is no key, or more than one.
    #[error(
        "--auth jwt takes one of --jwt-secret-file, the variable {JWT_SECRET_VARIABLE} and --jwt-jwks, to know its keys by"
    )]
    Keys,
    /// A flag that would do nothing.
    #[error("{0} goes with --auth {1} only")]
    Idle(&'static str, &'static str),
    /// The secret cannot be used.
    #[error("the secret of tokens cannot be used: {0}")]
    Secret(#[from] BadKeys),
    /// The file with the secret cannot be read.
    #[error("the file {path} cannot be read: {source}")]
    SecretFile {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file with the keys cannot be used.
    #[error(transparent)]
    Jwks(#[from] BadFile),
}

impl Choice {
    /// Checks it for a server that listens on these addresses.
    pub fn check(self, listens: &[SocketAddr]) -> Result<AuthConfig, BadChoice> {
        let mode = self.mode.unwrap_or(Mode::Open);
        self.check_idle(mode)?;
        let said_twice = self.mode == Some(Mode::Open) && self.allow_open;
        if mode == Mode::Open
            && !said_twice
            && let Some(address) = listens.iter().find(|address| !address.ip().to_canonical().is_loopback())
        {
            return Err(BadChoice::OpenToAll(*address));
        }
        Ok(AuthConfig {
            guests: mode == Mode::Open || self.allow_guests,
            proxies: self.proxies,
            registration: mode == Mode::Accounts && self.registration != Some(Registration::Closed),
            mode: match mode {
                Mode::Open => AuthMode::Open,
                Mode::Accounts => AuthMode::Accounts,
                Mode::Jwt => self.jwt()?,
            },
        })
    }

    /// A flag that does nothing is a misunderstanding that should not wait for its consequences. The secret's variable may
    /// stay set in an environment.
    fn check_idle(&self, mode: Mode) -> Result<(), BadChoice> {
        let jwt = [
            ("--jwt-secret-file", self.jwt_secret_file.is_some()),
            ("--jwt-jwks", self.jwt_jwks.is_some()),
            ("--jwt-issuer", self.jwt_issuer.is_some()),
            ("--jwt-audience", self.jwt_audience.is_some()),
        ];
        let idle = match mode {
            Mode::Jwt => None,
            _ => jwt.into_iter().find(|(_, set)| *set).map(|(flag, _)| BadChoice::Idle(flag, "jwt")),
        };
        match idle {
            Some(bad) => Err(bad),
            None if self.registration.is_some() && mode != Mode::Accounts => {
                Err(BadChoice::Idle("--registration", "accounts"))
            }
            None if self.allow_open && mode != Mode::Open => Err(BadChoice::Idle("--allow-open", "open")),
            None => Ok(()),
        }
    }

    fn jwt(self) -> Result<AuthMode, BadChoice> {
        let keys = match (self.jwt_secret_file, self.jwt_secret, self.jwt_jwks) {
            (Some(path), None, None) => JwtKeys::Secret(Arc::new(Keys::secret(&read(&path)?)?)),
            (None, Some(secret), None) => JwtKeys::Secret(Arc::new(Keys::secret(&secret)?)),
            (None, None, Some(path)) => JwtKeys::File(Arc::new(JwksFile::open(&path)?)),
            _ => return Err(BadChoice::Keys),
        };
        let expected = Expected { issuer: self.jwt_issuer, audience: self.jwt_audience };
        Ok(AuthMode::Jwt { keys, expected: Arc::new(expected) })
    }
}

fn read(path: &Path) -> Result<Secret, BadChoice> {
    let text = fs::read_to_string(path).map_err(|source| BadChoice::SecretFile { path: path.to_owned(), source })?;
    // Editors put a line's end behind the last line.
    Ok(Secret::new(text.trim_end_matches(['\n', '\r'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn everywhere() -> [SocketAddr; 2] {
        ["127.0.0.1:1".parse().unwrap(), "0.0.0.0:2".parse().unwrap()]
    }

    #[test]
    fn a_server_that_everybody_reaches_is_open_only_if_that_is_said_twice() {
        let choice = |mode, allow_open| Choice { mode, allow_open, ..Choice::default() };
        for (mode, allow_open) in [(None, false), (None, true), (Some(Mode::Open), false)] {
            let checked = choice(mode, allow_open).check(&everywhere());
            assert!(matches!(checked, Err(BadChoice::OpenToAll(_))), "{mode:?} {allow_open}");
            assert!(choice(mode, allow_open).check(&everywhere()[..1]).is_ok());
        }
        assert!(choice(Some(Mode::Open), true).check(&everywhere()).unwrap().guests);
        assert!(!choice(Some(Mode::Accounts), false).check(&everywhere()).unwrap().guests);
        let loopback = ["[::1]:1".parse().unwrap(), "[::ffff:127.0.0.1]:1".parse().unwrap()];
        assert!(choice(None, false).check(&loopback).is_ok());
    }

    #[test]
    fn a_flag_that_would_do_nothing_is_refused() {
        let closed = Choice { registration: Some(Registration::Closed), ..Choice::default() };
        assert!(matches!(closed.check(&[]), Err(BadChoice::Idle("--registration", _))));
        let issuer = Choice { jwt_issuer: Some("me".to_owned()), mode: Some(Mode::Accounts), ..Choice::default() };
        assert!(matches!(issuer.check(&[]), Err(BadChoice::Idle("--jwt-issuer", "jwt"))));
    }

    #[test]
    fn tokens_of_others_need_one_key_that_is_not_too_short() {
        let jwt = || Choice { mode: Some(Mode::Jwt), ..Choice::default() };
        assert!(matches!(jwt().check(&[]), Err(BadChoice::Keys)));
        let short = Choice { jwt_secret: Some(Secret::new("short")), ..jwt() };
        assert!(matches!(short.check(&[]), Err(BadChoice::Secret(BadKeys::SecretTooShort))));
        let long = Choice { jwt_secret: Some(Secret::new("x".repeat(32))), ..jwt() };
        assert!(long.check(&[]).is_ok());
        let missing = Choice { jwt_jwks: Some("/nowhere/jwks.json".into()), ..jwt() };
        assert!(matches!(missing.check(&[]), Err(BadChoice::Jwks(_))));
    }
}
