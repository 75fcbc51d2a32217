//! The commands that go over HTTP: each asks, waits and prints.

use clap::Subcommand;

use super::{
    blame::Blame, diff::Diff, export::Export, import::Import, login::Login, logout::Logout, register::Register,
    restore::Restore, role::RoleCommand, set::Set, share::Share, stats::Stats, token::Token, versions::Versions,
};
use crate::cli::{Failure, Globals};

#[derive(Debug, Subcommand)]
pub(crate) enum OverHttp {
    Register(Register),
    Login(Login),
    Logout(Logout),
    Token(Token),
    Share(Share),
    Role(RoleCommand),
    Set(Set),
    Versions(Versions),
    Diff(Diff),
    Blame(Blame),
    Restore(Restore),
    Stats(Stats),
    Export(Export),
    Import(Import),
}

impl OverHttp {
    /// Whether the command signs in or out, so that it needs no token.
    pub(crate) fn signs_in_or_out(&self) -> bool {
        matches!(self, Self::Register(_) | Self::Login(_) | Self::Logout(_))
    }

    /// Does it. Waits for the network and for people.
    pub(crate) fn run(self, globals: &Globals) -> Result<(), Failure> {
        match self {
            Self::Register(register) => register.run(globals),
            Self::Login(login) => login.run(globals),
            Self::Logout(logout) => logout.run(globals),
            Self::Token(token) => token.run(globals),
            Self::Share(share) => share.run(globals),
            Self::Role(role) => role.run(globals),
            Self::Set(set) => set.run(globals),
            Self::Versions(versions) => versions.run(globals),
            Self::Diff(diff) => diff.run(globals),
            Self::Blame(blame) => blame.run(globals),
            Self::Restore(restore) => restore.run(globals),
            Self::Stats(stats) => stats.run(globals),
            Self::Export(export) => export.run(globals),
            Self::Import(import) => import.run(globals),
        }
    }
}
