//! What several commands share.
//!
//! - [`globals`]: the options of all commands, and the connections that follow from them.
//! - [`at`], [`place`]: revisions, times and version names, as people type them.
//! - [`based`]: edits on an older revision.
//! - [`output`], [`progress`], [`notice`]: standard output and standard error.
//! - [`failure`]: how a command fails, and its exit code.
//! - [`foreign`]: text of other people, made safe for a terminal. [`people`]: their names.
//! - [`settings`], [`password`]: arguments of several commands. [`latency`]: histograms.

pub(crate) mod at;
pub(crate) mod based;
pub(crate) mod failure;
pub(crate) mod foreign;
pub(crate) mod globals;
pub(crate) mod latency;
pub(crate) mod notice;
pub(crate) mod output;
pub(crate) mod password;
pub(crate) mod people;
pub(crate) mod place;
pub(crate) mod progress;
pub(crate) mod settings;

pub(crate) use failure::Failure;
pub(crate) use globals::Globals;
