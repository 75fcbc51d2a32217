//! What a room's history tells, as pure folds over its log. No locks, no disk, no clock.
//!
//! - [`activity`]: who came and went, and what was decided.
//! - [`cast`]: who the participants of a log are.
//! - [`blame`]: who wrote each part of a text.
//! - [`stats`]: who did how much, and when.
//! - [`unified`]: what differs between two texts, line by line.

pub mod activity;
pub mod blame;
pub mod cast;
pub mod stats;
pub mod unified;
