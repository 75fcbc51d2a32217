//! The one thread that writes: group commit over all rooms.
//!
//! While one batch is being made durable the next one gathers, whichever rooms it is for, so that one sync serves everyone
//! who waits. The queue holds at most one append per open room ([`OpenRoom::take_append`](crate::room::OpenRoom::take_append) gives
//! out one at a time), and each of those is bounded.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};
use tokio::sync::mpsc;

use crate::store::{Append, AppendOutcome, Store, StoreError};

/// Entries that are made durable with one sync, about: enough that the sync's cost is shared, few enough that nobody
/// waits for a long batch.
const BATCH_ENTRIES_MAX: usize = 256;

/// How long an append without an answer waits before it is sent again.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// Appends on their way to the store. `T` is whatever their sender wants back with the outcome.
#[derive(Debug)]
pub struct LogWriter<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Clone for LogWriter<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

#[derive(Debug)]
struct Shared<T> {
    queue: Mutex<Queue<T>>,
    ready: Condvar,
}

#[derive(Debug)]
struct Queue<T> {
    waiting: VecDeque<(T, Append)>,
    ended: bool,
}

/// How the appends of one batch ended.
pub type Outcomes<T> = Vec<(T, AppendOutcome)>;

impl<T: Clone + Send + 'static> LogWriter<T> {
    /// Starts the thread. Each batch's outcomes are sent as one message. The thread ends, with everything that it was given
    /// written or found not to be writable for now, after [`end`](Self::end).
    ///
    /// An append that ends as unknown is told so (each time), kept, and sent again until it ends otherwise; but
    /// for a damaged log, which stays damaged.
    pub fn start(
        store: Arc<dyn Store>,
        outcomes: mpsc::UnboundedSender<Outcomes<T>>,
    ) -> (Self, thread::JoinHandle<()>) {
        let queue = Queue { waiting: VecDeque::new(), ended: false };
        let shared = Arc::new(Shared { queue: Mutex::new(queue), ready: Condvar::new() });
        let writer = Self { shared: Arc::clone(&shared) };
        let thread = thread::Builder::new()
            .name("motet-log".to_owned())
            .spawn(move || write_all(&shared, store.as_ref(), &outcomes))
            .expect("a server that cannot start its one writer thread cannot serve");
        (writer, thread)
    }

    /// Queues an append.
    pub fn push(&self, tag: T, append: Append) {
        self.push_quietly(tag, append);
        self.wake();
    }

    /// Queues one of several appends; [`wake`](Self::wake) the thread behind the last. A thread that is at work takes them
    /// without being woken.
    pub fn push_quietly(&self, tag: T, append: Append) {
        self.shared.queue.lock().waiting.push_back((tag, append));
    }

    /// Wakes the thread if it waits.
    pub fn wake(&self) {
        self.shared.ready.notify_one();
    }

    /// Lets the thread end once the queue is empty.
    pub fn end(&self) {
        self.shared.queue.lock().ended = true;
        self.shared.ready.notify_one();
    }
}

fn write_all<T: Clone>(shared: &Shared<T>, store: &dyn Store, outcomes: &mpsc::UnboundedSender<Outcomes<T>>) {
    let mut unanswered: VecDeque<(T, Append)> = VecDeque::new();
    let mut retry_at: Option<Instant> = None;
    while let Some(batch) = next_batch(shared, &mut unanswered, &mut retry_at) {
        let (tags, appends): (Vec<T>, Vec<Append>) = batch.into_iter().unzip();
        let mut ended = Outcomes::with_capacity(tags.len());
        for ((tag, append), outcome) in tags.into_iter().zip(&appends).zip(append_all(store, &appends)) {
            let damaged = matches!(outcome, AppendOutcome::Unknown(StoreError::Damaged { .. }));
            if matches!(outcome, AppendOutcome::Unknown(_)) && !damaged {
                unanswered.push_back((tag.clone(), append.clone()));
                retry_at.get_or_insert_with(|| Instant::now() + RETRY_AFTER);
            }
            ended.push((tag, outcome));
        }
        if outcomes.send(ended).is_err() {
            return;
        }
    }
}

/// Waits for what is to be written next; none if that was all.
fn next_batch<T>(
    shared: &Shared<T>,
    unanswered: &mut VecDeque<(T, Append)>,
    retry_at: &mut Option<Instant>,
) -> Option<Vec<(T, Append)>> {
    let mut queue = shared.queue.lock();
    while queue.waiting.is_empty() && retry_at.is_none_or(|at| at > Instant::now()) {
        if queue.ended {
            // What is unanswered still was tried again for as long as whoever ends the server waits for it.
            return None;
        }
        match *retry_at {
            None => shared.ready.wait(&mut queue),
            Some(at) => drop(shared.ready.wait_until(&mut queue, at)),
        }
    }
    if retry_at.is_some_and(|at| at <= Instant::now()) {
        // Before what came since, and in batches of the usual size.
        unanswered.append(&mut queue.waiting);
        std::mem::swap(unanswered, &mut queue.waiting);
        *retry_at = None;
    }
    let (mut batch, mut entries) = (Vec::new(), 0);
    while entries < BATCH_ENTRIES_MAX
        && let Some(next) = queue.waiting.pop_front()
    {
        entries += next.1.entries.len();
        batch.push(next);
    }
    Some(batch)
}

/// One batch. A panic inside the engine is an answer that nobody knows.
fn append_all(store: &dyn Store, batch: &[Append]) -> Vec<AppendOutcome> {
    let answered = catch_unwind(AssertUnwindSafe(|| store.append(batch)));
    match answered {
        Ok(outcomes) if outcomes.len() == batch.len() => outcomes,
        _ => {
            let what = "the engine panicked while it wrote; its message is on stderr".to_owned();
            let error = StoreError::Engine { engine: store.engine(), what };
            batch.iter().map(|_| AppendOutcome::Unknown(error.clone())).collect()
        }
    }
}

#[cfg(test)]
mod tests;
