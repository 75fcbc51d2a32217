//! Lists of rooms that connections follow instead of asking again and again.
//!
//! A room that changes is noted once, whoever follows it; a moment later everybody whose list it is in, was in, or comes
//! into is told how it is by then. So a room where much happens costs its followers a message every [`PAUSE`], and one
//! that nobody follows costs one look at a flag.

use std::{
    collections::{HashSet, VecDeque},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use motet_protocol::{
    error::ErrorCode,
    ids::{RequestId, RoomId},
    limits::ROOM_WATCHES_MAX,
    message::{Answer, ServerMessage},
    room::RoomFilter,
};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::rooms::Rooms;
use crate::{
    blocking::offload,
    outbox::{Connection, flush_dirty},
    refusal::Refusal,
    session::Caller,
};

/// How long changes are gathered.
const PAUSE: Duration = Duration::from_millis(200);

/// Rooms of one list of which it is known that they were told. Of older ones it is not told any more that they are gone.
const TOLD_MAX: usize = 1_000;

/// Changed rooms that wait for a follower who does not read; further ones are told when they change again.
const WAITING_MAX: usize = 1_000;

/// All lists that are followed.
#[derive(Debug, Default)]
pub struct Watches {
    any: AtomicBool,
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    watches: Vec<Watch>,
    changed: HashSet<RoomId>,
}

/// A list that a connection follows.
#[derive(Debug)]
struct Watch {
    connection: Weak<Connection>,
    request: RequestId,
    caller: Arc<Caller>,
    filter: Arc<RoomFilter>,
    told: VecDeque<RoomId>,
    waiting: HashSet<RoomId>,
}

impl Watches {
    /// Follows a list from here on.
    pub fn add(
        &self,
        connection: &Arc<Connection>,
        request: RequestId,
        caller: &Arc<Caller>,
        filter: RoomFilter,
    ) -> Result<(), Refusal> {
        let mut inner = self.inner.lock();
        inner.watches.retain(|watch| watch.connection.strong_count() > 0);
        let own = |watch: &&Watch| watch.connection.as_ptr() == Arc::as_ptr(connection);
        if inner.watches.iter().filter(own).any(|watch| watch.request == request) {
            let words = format!("the number {request} follows a list already; choose another");
            return Err(Refusal::new(ErrorCode::BadArgument, words));
        }
        if inner.watches.iter().filter(own).count() >= ROOM_WATCHES_MAX {
            let words = format!("a connection follows at most {ROOM_WATCHES_MAX} lists; end one first");
            return Err(Refusal::new(ErrorCode::LimitReached, words));
        }
        inner.watches.push(Watch {
            connection: Arc::downgrade(connection),
            request,
            caller: Arc::clone(caller),
            filter: Arc::new(filter),
            told: VecDeque::new(),
            waiting: HashSet::new(),
        });
        self.any.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Notes what a follower was told at first.
    pub fn told(&self, connection: &Arc<Connection>, request: RequestId, rooms: impl Iterator<Item = RoomId>) {
        let mut inner = self.inner.lock();
        if let Some(watch) = inner.watches.iter_mut().find(|watch| watch.is(connection, request)) {
            rooms.for_each(|room| watch.remember(room));
        }
    }

    /// Follows a list no more.
    pub fn remove(&self, connection: &Arc<Connection>, request: RequestId) {
        let mut inner = self.inner.lock();
        inner.watches.retain(|watch| watch.connection.strong_count() > 0 && !watch.is(connection, request));
        self.any.store(!inner.watches.is_empty(), Ordering::Relaxed);
    }

    /// Whether anybody follows anything.
    pub fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// Notes that a room changed, came or went.
    pub fn touch(&self, room: &RoomId) {
        if self.any() && self.inner.lock().changed.insert(room.clone()) {
            self.changed.notify_one();
        }
    }

    /// Which rooms changed, those to be told, and of what.
    fn take(&self) -> (HashSet<RoomId>, Vec<Due>) {
        let mut inner = self.inner.lock();
        let Inner { watches, changed } = &mut *inner;
        watches.retain(|watch| watch.connection.strong_count() > 0);
        self.any.store(!watches.is_empty(), Ordering::Relaxed);
        let mut due = Vec::new();
        for watch in watches {
            for room in changed.iter() {
                if watch.waiting.len() < WAITING_MAX {
                    watch.waiting.insert(room.clone());
                }
            }
            let Some(connection) = watch.connection.upgrade() else { continue };
            if watch.waiting.is_empty() || !connection.standing().has_room {
                continue;
            }
            due.push(Due {
                connection,
                request: watch.request,
                caller: Arc::clone(&watch.caller),
                filter: Arc::clone(&watch.filter),
                rooms: watch.waiting.drain().collect(),
            });
        }
        (std::mem::take(changed), due)
    }

    /// Takes note of what a follower could not be told for now.
    fn put_back(&self, due: &Due, rooms: impl Iterator<Item = RoomId>) {
        let mut inner = self.inner.lock();
        if let Some(watch) = inner.watches.iter_mut().find(|watch| watch.is(&due.connection, due.request)) {
            let room_for = WAITING_MAX.saturating_sub(watch.waiting.len());
            watch.waiting.extend(rooms.take(room_for));
        }
    }

    /// Whether somebody who did not read has something waiting.
    fn waits(&self) -> bool {
        self.inner.lock().watches.iter().any(|watch| !watch.waiting.is_empty())
    }

    /// Takes note that a follower is told of a room. Says whether it was told of it before.
    fn note(&self, due: &Due, room: &RoomId, listed: bool) -> bool {
        let mut inner = self.inner.lock();
        let Some(watch) = inner.watches.iter_mut().find(|watch| watch.is(&due.connection, due.request)) else {
            return false;
        };
        let at = watch.told.iter().position(|told| told == room);
        match at {
            Some(at) if !listed => drop(watch.told.remove(at)),
            None if listed => watch.remember(room.clone()),
            _ => {}
        }
        at.is_some()
    }
}

impl Watch {
    fn is(&self, connection: &Arc<Connection>, request: RequestId) -> bool {
        self.request == request && self.connection.as_ptr() == Arc::as_ptr(connection)
    }

    fn remember(&mut self, room: RoomId) {
        if self.told.len() >= TOLD_MAX {
            self.told.pop_front();
        }
        self.told.push_back(room);
    }
}

/// What one follower is to be told.
struct Due {
    connection: Arc<Connection>,
    request: RequestId,
    caller: Arc<Caller>,
    filter: Arc<RoomFilter>,
    rooms: Vec<RoomId>,
}

/// Tells followers of changes, for ever.
pub async fn tell(rooms: Rooms) {
    loop {
        if rooms.watches.waits() {
            tokio::time::sleep(PAUSE).await;
        } else {
            rooms.watches.changed.notified().await;
            tokio::time::sleep(PAUSE).await;
        }
        let (changed, dues) = rooms.watches.take();
        // Whatever changes from here on is noted anew, told or not.
        rooms.seen(&changed);
        for due in dues {
            let looking = rooms.clone();
            let told = offload(move || {
                let rooms =
                    due.rooms.iter().map(|room| (room.clone(), looking.listed_now(&due.caller, &due.filter, room)));
                let found = rooms.collect::<Vec<_>>();
                (due, found)
            });
            let Ok((due, found)) = told.await else { continue };
            let mut found = found.into_iter();
            while let Some((room, found_now)) = found.next() {
                if !due.connection.standing().has_room {
                    let rest = found.map(|(room, _)| room);
                    rooms.watches.put_back(&due, std::iter::once(room).chain(rest));
                    break;
                }
                let request = due.request;
                let message = match found_now {
                    Ok(Some(info)) => {
                        rooms.watches.note(&due, &room, true);
                        ServerMessage::Answer { request, answer: Answer::RoomChanged { room: Box::new(info) } }
                    }
                    // Of a room that it never saw nobody hears that it is gone.
                    Ok(None) if rooms.watches.note(&due, &room, false) => {
                        ServerMessage::Answer { request, answer: Answer::RoomGone { room } }
                    }
                    Ok(None) | Err(_) => continue,
                };
                due.connection.send(&message);
            }
        }
        flush_dirty();
    }
}
