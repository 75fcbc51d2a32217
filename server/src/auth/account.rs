//! What is kept of an account, and how it changes. Pure: the time and the random bytes come as arguments.

use std::fmt;

use bincode::{Decode, Encode};
use motet_protocol::{
    access::{AccountId, BadAccountId},
    error::ErrorCode,
    ids::UnixMs,
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{
    limits::{
        ACCOUNT_NAME_BYTES_MAX, ACCOUNT_NAME_BYTES_MIN, CLIENT_BYTES_MAX, PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN,
        SESSION_MS, SESSIONS_MAX,
    },
    secret::Secret,
    token::{Refresh, TokenId},
};
use crate::refusal::Refusal;

/// What the store has under an account's name.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Kept {
    /// An account.
    Account(Account),
    /// There was one. Its name is not given away again, since rooms may still name it among their people.
    Removed {
        /// When it was removed.
        removed_ms: UnixMs,
    },
}

/// An account with its sessions.
#[derive(Clone, Encode, Decode)]
pub struct Account {
    /// The hash of its password, in PHC's format.
    pub password: String,
    /// Whether it looks after the server.
    pub admin: bool,
    /// When it was made.
    pub created_ms: UnixMs,
    /// Where it is signed in; at most [`SESSIONS_MAX`].
    pub sessions: Vec<Session>,
}

/// One sign-in, kept alive by refresh tokens each of which is good for one turn.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Session {
    /// What it is known by.
    pub id: TokenId,
    /// How many refresh tokens it has had before the one that is good now.
    pub turn: u32,
    /// SHA-256 of that token's secret, which has 256 random bits itself.
    pub secret_hash: [u8; 32],
    /// When somebody signed in.
    pub created_ms: UnixMs,
    /// When it was refreshed last.
    pub used_ms: UnixMs,
    /// The program, as it names itself.
    pub client: String,
}

/// What becomes of a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turned {
    /// It was good; this is the next one.
    Next(Refresh),
    /// It was used before: somebody has a copy. The session is closed, whoever of the two this was.
    Reused,
    /// There is no such session any more.
    Unknown,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { password: _, admin, created_ms, sessions } = self;
        let mut shown = f.debug_struct("Account");
        shown.field("admin", admin).field("created_ms", created_ms).field("sessions", sessions).finish_non_exhaustive()
    }
}

impl Session {
    /// When it ends unless it is refreshed before.
    pub fn expires_ms(&self) -> UnixMs {
        self.used_ms.saturating_add(SESSION_MS)
    }
}

impl Account {
    /// A new account without sessions.
    pub fn new(password: String, admin: bool, now: UnixMs) -> Self {
        Self { password, admin, created_ms: now, sessions: Vec::new() }
    }

    /// A session that is still good.
    pub fn session(&self, id: TokenId, now: UnixMs) -> Option<&Session> {
        self.sessions.iter().find(|session| session.id == id && now < session.expires_ms())
    }

    /// Signs in. Returns the first refresh token, and the sessions that had to give way.
    pub fn open(
        &mut self,
        name: &AccountId,
        id: TokenId,
        secret: [u8; 32],
        client: &str,
        now: UnixMs,
    ) -> (Refresh, Vec<TokenId>) {
        let mut closed = self.close_where(|session| session.expires_ms() <= now);
        while self.sessions.len() >= SESSIONS_MAX {
            let Some(oldest) = self.sessions.iter().min_by_key(|session| session.used_ms).map(|session| session.id)
            else {
                break;
            };
            closed.extend(self.close_where(|session| session.id == oldest));
        }
        self.sessions.push(Session {
            id,
            turn: 0,
            secret_hash: hash(&secret),
            created_ms: now,
            used_ms: now,
            client: cut(client),
        });
        (Refresh { account: name.clone(), session: id, turn: 0, secret }, closed)
    }

    /// Takes a refresh token, whose signature was checked, and gives the next one, with this secret.
    pub fn turn(&mut self, token: &Refresh, secret: [u8; 32], now: UnixMs) -> Turned {
        let current = |session: &&mut Session| session.id == token.session && now < session.expires_ms();
        let Some(session) = self.sessions.iter_mut().find(current) else { return Turned::Unknown };
        let good = session.secret_hash.ct_eq(&hash(&token.secret));
        if session.turn != token.turn || !bool::from(good) {
            self.close(token.session);
            return Turned::Reused;
        }
        session.turn = session.turn.wrapping_add(1);
        session.secret_hash = hash(&secret);
        session.used_ms = now;
        Turned::Next(Refresh { turn: session.turn, secret, ..token.clone() })
    }

    /// Closes a session. Returns whether there was one.
    pub fn close(&mut self, id: TokenId) -> bool {
        !self.close_where(|session| session.id == id).is_empty()
    }

    /// Closes the sessions of which this holds, and returns them.
    pub fn close_where(&mut self, which: impl Fn(&Session) -> bool) -> Vec<TokenId> {
        self.sessions.extract_if(.., |session| which(session)).map(|session| session.id).collect()
    }
}

fn hash(secret: &[u8; 32]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// As much of a program's name as is kept: what can be shown, and not too much of it.
fn cut(client: &str) -> String {
    let mut cut: String = client.chars().filter(|character| !character.is_control()).take(CLIENT_BYTES_MAX).collect();
    cut.truncate(cut.floor_char_boundary(CLIENT_BYTES_MAX));
    cut
}

/// The name of an account that this server is to keep: 3 to 32 of `a-z 0-9 - _`.
///
/// # Errors
///
/// `bad_argument` with words.
pub fn account_name(name: &str) -> Result<AccountId, Refusal> {
    let valid = (ACCOUNT_NAME_BYTES_MIN..=ACCOUNT_NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
    let name = if valid { AccountId::new(name) } else { Err(BadAccountId) };
    name.map_err(|BadAccountId| {
        let words = format!(
            "an account's name is {ACCOUNT_NAME_BYTES_MIN} to {ACCOUNT_NAME_BYTES_MAX} of a-z, 0-9, '-' and '_'"
        );
        Refusal::new(ErrorCode::BadArgument, words)
    })
}

/// Whether a password may be an account's.
///
/// # Errors
///
/// `bad_argument` with words, which do not have the password in them.
pub fn check_password(name: &AccountId, password: &Secret) -> Result<(), Refusal> {
    let password = password.expose();
    let refused = |words: String| Err(Refusal::new(ErrorCode::BadArgument, words));
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return refused(format!("a password has at least {PASSWORD_CHARS_MIN} characters"));
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return refused(format!("a password has at most {PASSWORD_BYTES_MAX} bytes"));
    }
    if password.eq_ignore_ascii_case(name.as_str()) {
        return refused("a password is not the name of its account".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ann() -> (AccountId, Account) {
        (AccountId::new("ann").unwrap(), Account::new("$argon2id$".to_owned(), false, 0))
    }

    #[test]
    fn a_refresh_token_is_good_once_and_a_copy_of_it_ends_the_session() {
        let (name, mut account) = ann();
        let (first, _) = account.open(&name, TokenId::random(), [1; 32], "test", 0);
        let Turned::Next(second) = account.turn(&first, [2; 32], 1) else { panic!("refused") };
        let Turned::Next(third) = account.turn(&second, [3; 32], 2) else { panic!("refused") };
        assert_eq!(account.turn(&first, [4; 32], 3), Turned::Reused);
        assert_eq!(account.turn(&third, [5; 32], 4), Turned::Unknown);
        assert!(account.sessions.is_empty());
    }

    #[test]
    fn a_session_that_is_not_refreshed_ends() {
        let (name, mut account) = ann();
        let (token, _) = account.open(&name, TokenId::random(), [1; 32], "test", 5);
        assert!(account.session(token.session, 4 + SESSION_MS).is_some());
        assert!(account.session(token.session, 5 + SESSION_MS).is_none());
        assert_eq!(account.turn(&token, [2; 32], 5 + SESSION_MS), Turned::Unknown);
    }

    #[test]
    fn one_session_too_many_ends_the_one_that_was_not_used_for_longest() {
        let (name, mut account) = ann();
        let mut tokens = Vec::new();
        for at in 0..SESSIONS_MAX as u64 {
            tokens.push(account.open(&name, TokenId::random(), [1; 32], "test", at).0);
        }
        assert!(matches!(account.turn(&tokens[0], [2; 32], 1_000), Turned::Next(_)));
        let (_, closed) = account.open(&name, TokenId::random(), [3; 32], "test", 1_001);
        assert_eq!(closed, [tokens[1].session]);
        assert_eq!(account.sessions.len(), SESSIONS_MAX);
    }

    #[test]
    fn an_account_with_all_its_sessions_fits_in_the_store() {
        let (name, mut account) = ann();
        for _ in 0..SESSIONS_MAX {
            account.open(&name, TokenId::random(), [0xff; 32], &"é".repeat(1_000), u64::MAX / 2);
        }
        let length = motet_protocol::codec::encode(&Kept::Account(account)).len();
        assert!(length <= 20 * 1_024, "{length} bytes");
    }

    #[test]
    fn names_and_passwords_that_should_not_be_are_refused() {
        for bad in ["", "an", "Ann", "ann b", "änn", "../a", &"a".repeat(33)] {
            assert!(account_name(bad).is_err(), "{bad:?}");
        }
        let name = account_name("ann-marie_2").unwrap();
        for bad in ["", "seven77", "Ann-Marie_2", &"x".repeat(PASSWORD_BYTES_MAX + 1)] {
            let refusal = check_password(&name, &Secret::new(bad)).unwrap_err();
            assert!(bad.is_empty() || !refusal.message.contains(bad), "{}", refusal.message);
        }
        assert_eq!(check_password(&name, &Secret::new("ééééééé ")), Ok(()));
    }
}
