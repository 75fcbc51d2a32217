//! Every limit of signing in, each with its reason.

/// How long an access token is good for, in milliseconds: what a stolen one is worth at most. Clients refresh before.
pub const ACCESS_TOKEN_MS: u64 = 15 * 60 * 1_000;

/// How long a session lasts that is not refreshed, in milliseconds: a month away, and one signs in again.
pub const SESSION_MS: u64 = 30 * 24 * 3_600 * 1_000;

/// Sessions of one account. One more ends the one that was used the longest time ago. It keeps an account's record, which
/// holds them, small: at most 20 KiB of the 64 that the store takes.
pub const SESSIONS_MAX: usize = 64;

/// What is kept of the name of a session's program (its `User-Agent`), in bytes: enough for a person to know it by.
pub const CLIENT_BYTES_MAX: usize = 128;

/// How long a ticket is good for, in milliseconds: from its answer to opening a WebSocket.
pub const TICKET_MS: u64 = 30 * 1_000;

/// Tickets that are out, of all clients together: a few megabytes of memory.
pub const TICKETS_MAX: usize = 10_000;

/// Tickets that are out for one token, so that nobody takes all of them.
pub const TICKETS_PER_TOKEN_MAX: usize = 16;

/// How long a share token is good for at most, in milliseconds; the link is followed again after that.
pub const SHARE_TOKEN_MS: u64 = 30 * 24 * 3_600 * 1_000;

/// Links to one room or project. They are one record: at most 30 KiB of the 64 that the store takes.
pub const LINKS_MAX: usize = 100;

/// What is kept as a link's label, in bytes.
pub const LABEL_BYTES_MAX: usize = 64;

/// An account's name: shorter ones are too easily taken for somebody else's.
pub const ACCOUNT_NAME_BYTES_MIN: usize = 3;

/// An account's name: it fits in lists, in keys of the store and in front of what somebody says.
pub const ACCOUNT_NAME_BYTES_MAX: usize = 32;

/// A password, in characters (NIST SP 800-63B).
pub const PASSWORD_CHARS_MIN: usize = 8;

/// A password, in bytes: a long sentence; what is hashed stays small.
pub const PASSWORD_BYTES_MAX: usize = 512;

/// Memory that hashing one password takes, in KiB (OWASP's first choice for argon2id with one lane: 19 MiB, two passes).
pub const HASH_MEMORY_KIB: u32 = 19 * 1_024;

/// Passes over that memory.
pub const HASH_PASSES: u32 = 2;

/// Passwords hashed at once, at most: two take 38 MiB, which the server keeps from then on, and leave threads for those who wait for the disk. A machine with
/// fewer than four processors hashes one at a time, so that rooms go on.
pub const HASHES_AT_ONCE_MAX: usize = 2;

/// Passwords that wait to be hashed: some seconds of work. Those beyond hear to come again.
pub const HASHES_WAITING_MAX: usize = 128;

/// Tries to sign in to one account at once, then one more every [`ACCOUNT_TRY_MS`].
pub const ACCOUNT_TRIES: u32 = 10;

/// See [`ACCOUNT_TRIES`]; in milliseconds. 3,000 guesses a day find no password that is worth the name.
pub const ACCOUNT_TRY_MS: u64 = 30 * 1_000;

/// Tries to sign in from one address at once, then one more every [`ADDRESS_TRY_MS`]: an office behind one address.
pub const ADDRESS_TRIES: u32 = 50;

/// See [`ADDRESS_TRIES`]; in milliseconds.
pub const ADDRESS_TRY_MS: u64 = 2 * 1_000;

/// Accounts made from one address at once, then one more every [`REGISTER_MS`].
pub const REGISTERS: u32 = 10;

/// See [`REGISTERS`]; in milliseconds.
pub const REGISTER_MS: u64 = 60 * 1_000;

/// Accounts and addresses whose tries are counted one by one. When there are more, those that are not among them share a
/// count.
pub const COUNTED_MAX: usize = 20_000;

/// A JWKS file, in bytes: some hundred keys.
pub const JWKS_BYTES_MAX: u64 = 256 * 1_024;

/// How often at most a JWKS file is looked at, in milliseconds.
pub const JWKS_LOOK_MS: u64 = 1_000;

/// How far the clock of who issues tokens may be off, in milliseconds.
pub const LEEWAY_MS: u64 = 30 * 1_000;

/// A secret that signs tokens with HS256, in bytes (RFC 7518, section 3.2).
pub const JWT_SECRET_BYTES_MIN: usize = 32;

/// The modulus of an RSA key, in bytes (RFC 7518, section 3.3).
pub const RSA_BYTES_MIN: usize = 256;

/// The body of a request to `/api/auth`, in bytes: a token of the greatest length and some more.
pub const BODY_BYTES_MAX: usize = 16 * 1_024;

/// Accounts in one page of a list.
pub const ACCOUNTS_PAGE_MAX: usize = 1_000;
