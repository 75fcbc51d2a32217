//! `motetd admin`: what is done to a data directory while no server has it open.

use std::{
    io::{self, BufRead, IsTerminal, Read},
    sync::Arc,
};

use clap::{Args, Subcommand};
use motet_protocol::{access::AccountId, ids::UnixMs};

use super::{
    account::{account_name, check_password},
    accounts::create,
    identify::account_key,
    limits::PASSWORD_BYTES_MAX,
    password,
    records::Records,
    secret::Secret,
};
use crate::{
    refusal::Refusal,
    store::{Store, StoreError},
};

/// What `motetd` does in place of serving.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// Look after the accounts of a server that is stopped
    Admin(AdminArgs),
}

/// `motetd admin …`.
#[derive(Debug, Args)]
pub struct AdminArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: AdminAction,
}

/// What to do to the accounts.
#[derive(Debug, Subcommand)]
pub enum AdminAction {
    /// Make an account that looks after the server; the password is asked for, or read from stdin
    Create {
        /// 3 to 32 of a-z, 0-9, '-' and '_'
        name: String,
    },
}

/// Why an account was not made.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The name or the password cannot be, or the name is taken.
    #[error("{}", .0.message)]
    Refused(#[from] Refusal),
    /// The password was not typed the same way twice.
    #[error("the two passwords are not the same")]
    Mismatch,
    /// The password cannot be read.
    #[error("the password cannot be read: {0}")]
    Io(#[from] io::Error),
    /// A server has the data directory open.
    #[error("the data directory is in use: stop the server first, or let an admin make the account")]
    InUse,
    /// The data directory cannot be opened.
    #[error("cannot open the data directory: {0}")]
    Store(StoreError),
}

impl From<StoreError> for AdminError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::InUse => Self::InUse,
            error => Self::Store(error),
        }
    }
}

/// Makes an account that looks after the server. Waits for the disk.
pub fn create_admin(
    store: &Arc<dyn Store>,
    name: &str,
    password: &Secret,
    now: UnixMs,
) -> Result<AccountId, AdminError> {
    let name = account_name(name)?;
    check_password(&name, password)?;
    let hash = password::hash(password, &mut password::Memory::default());
    let records = Records::new(Arc::clone(store));
    records.update(&account_key(&name), |kept| create(kept, &name, &hash, true, now))?;
    store.flush()?;
    Ok(name)
}

/// A password: typed twice at a terminal, otherwise the first line of stdin.
pub fn ask_password() -> Result<Secret, AdminError> {
    if io::stdin().is_terminal() {
        let typed = Secret::new(rpassword::prompt_password("Password: ")?);
        let again = Secret::new(rpassword::prompt_password("Again: ")?);
        return if typed == again { Ok(typed) } else { Err(AdminError::Mismatch) };
    }
    // One byte more than a password has, and a line's end: so that one that is too long is told to be.
    let mut line = String::new();
    io::stdin().lock().take(PASSWORD_BYTES_MAX as u64 + 3).read_line(&mut line)?;
    let password = Secret::new(line.trim_end_matches(['\n', '\r']));
    Ok(password)
}
