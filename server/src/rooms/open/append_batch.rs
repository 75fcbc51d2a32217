//! Rooms that have something for the log, gathered by each thread until it parks: what several people do in a room at once
//! becomes one append, one commit, and one write to each reader. The log is woken once for all of these rooms.

use std::{cell::RefCell, sync::Arc};

use super::RoomHandle;
use crate::outbox;

/// How often a thread that has gathered something turns to something else before it appends and writes: a thread that never
/// parks must not keep readers waiting.
const TURNS_MAX: usize = 64;

/// The rooms of one thread.
struct Batch {
    rooms: Vec<Arc<RoomHandle>>,
    /// How often it turned to something else since there was something.
    turns: usize,
}

thread_local! {
    static BATCH: RefCell<Batch> = const { RefCell::new(Batch { rooms: Vec::new(), turns: 0 }) };
}

/// Takes a room, which is to be given once until it is appended.
pub(super) fn add(room: Arc<RoomHandle>) {
    BATCH.with_borrow_mut(|batch| batch.rooms.push(room));
}

/// Whether this thread has gathered something.
pub(super) fn is_any() -> bool {
    BATCH.with_borrow(|batch| !batch.rooms.is_empty())
}

/// Gives the log what this thread has gathered. To be called when the thread parks, with no room locked.
pub fn append_all() {
    // The list is taken out, since the last owner of a room may drop it in here, and with it anything.
    let mut rooms = BATCH.with_borrow_mut(|batch| {
        batch.turns = 0;
        std::mem::take(&mut batch.rooms)
    });
    for room in &rooms {
        room.append_quietly();
    }
    if let Some(room) = rooms.first() {
        room.wake_log();
    }
    rooms.clear();
    BATCH.with_borrow_mut(|batch| {
        if batch.rooms.is_empty() {
            batch.rooms = rooms;
        }
    });
}

/// Gives the log what this thread has gathered for it, and writes the outboxes that it has filled. To be called when the
/// thread parks, with no room locked.
pub fn flush_all() {
    append_all();
    outbox::flush_dirty();
}

/// Does so now if this thread has not parked for long, and writes the outboxes if they are many. To be called when the thread
/// turns to something else, with no room locked.
pub fn flush_if_many() {
    if turn(outbox::is_any_dirty()) {
        flush_all();
    } else {
        outbox::flush_if_many();
    }
}

/// Takes note that this thread turns to something else, with other things gathered than rooms or without. Returns whether it is
/// time to append and to write.
fn turn(others: bool) -> bool {
    BATCH.with_borrow_mut(|batch| {
        if batch.rooms.is_empty() && !others {
            batch.turns = 0;
        } else {
            batch.turns += 1;
        }
        batch.turns >= TURNS_MAX
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_never_parks_writes_after_a_bounded_number_of_turns() {
        append_all();
        for _ in 0..10 {
            assert!((1..TURNS_MAX).all(|_| !turn(true)));
            assert!(turn(true), "it is time to write");
            append_all();
        }
        assert!((0..10 * TURNS_MAX).all(|_| !turn(false)), "nothing waits");
        // What is gathered after many turns with nothing waits for a whole round of them, too.
        assert!((1..TURNS_MAX).all(|_| !turn(true)));
        assert!(turn(true));
        append_all();
    }
}
