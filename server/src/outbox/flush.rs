//! Which connections this thread has something for, and when they are written: *flush on park*.

use std::{cell::RefCell, sync::Arc};

use super::Connection;

/// Connections on the list after which a thread does not wait until it parks.
const DIRTY_MAX: usize = 256;

thread_local! {
    static DIRTY: RefCell<Vec<Arc<Connection>>> = const { RefCell::new(Vec::new()) };
}

/// Puts a connection on this thread's list; it must not be on a list already.
pub(super) fn add(connection: Arc<Connection>) {
    DIRTY.with_borrow_mut(|dirty| dirty.push(connection));
}

/// Whether this thread has something to write.
pub fn is_any_dirty() -> bool {
    DIRTY.with_borrow(|dirty| !dirty.is_empty())
}

/// Writes the outboxes that this thread has filled since it last did.
pub fn flush_dirty() {
    // The list is taken out: dropping the last handle of a connection may run code that uses the list.
    let mut dirty = DIRTY.with_borrow_mut(std::mem::take);
    for connection in dirty.drain(..) {
        connection.flush();
    }
    DIRTY.with_borrow_mut(|list| {
        if list.is_empty() {
            *list = dirty;
        }
    });
}

/// The same if the list is long.
pub fn flush_if_many() {
    if DIRTY.with_borrow(Vec::len) >= DIRTY_MAX {
        flush_dirty();
    }
}
