//! The one thread that writes: group commit over all rooms.
//!
//! While one batch is being made durable the next one gathers, whichever rooms it is for, so that one sync serves everyone
//! who waits. The queue holds at most one append per open room ([`Room::take_append`](crate::room::Room::take_append) gives
//! out one at a time), and each of those is bounded.

use std::{
    cell::RefCell,
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

/// How often a thread that has queued something turns to something else before it wakes the log: one that never parks must not
/// keep it waiting.
const TURNS_MAX: usize = 64;

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
    ready: Arc<Condvar>,
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
    /// written, after [`end`](Self::end).
    ///
    /// An append that ends as unknown is told so (each time), kept, and sent again until it ends otherwise; but
    /// for a damaged log, which stays damaged.
    pub fn start(
        store: Arc<dyn Store>,
        outcomes: mpsc::UnboundedSender<Outcomes<T>>,
    ) -> (Self, thread::JoinHandle<()>) {
        let queue = Queue { waiting: VecDeque::new(), ended: false };
        let shared = Arc::new(Shared { queue: Mutex::new(queue), ready: Arc::default() });
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
        self.shared.ready.notify_one();
    }

    /// Queues an append on a thread that calls [`ring`] before it waits for anything. So what a thread has to append gathers:
    /// waking the log for each would cost more than writing it. A log that is at work takes it without being woken.
    pub fn push_soon(&self, tag: T, append: Append) {
        self.push_quietly(tag, append);
        UNTOLD.with_borrow_mut(|untold| {
            // There is one log; one more to wake is right all the same.
            if !untold.logs.iter().any(|log| Arc::ptr_eq(log, &self.shared.ready)) {
                untold.logs.push(Arc::clone(&self.shared.ready));
            }
        });
    }

    fn push_quietly(&self, tag: T, append: Append) {
        self.shared.queue.lock().waiting.push_back((tag, append));
    }

    /// Lets the thread end once the queue is empty.
    pub fn end(&self) {
        self.shared.queue.lock().ended = true;
        self.shared.ready.notify_one();
    }
}

/// The logs that this thread has queued something for and not woken yet.
struct Untold {
    logs: Vec<Arc<Condvar>>,
    /// How often it turned to something else since.
    turns: usize,
}

thread_local! {
    static UNTOLD: RefCell<Untold> = const { RefCell::new(Untold { logs: Vec::new(), turns: 0 }) };
}

/// Wakes the log for what this thread has queued. To be called when the thread parks.
pub fn ring() {
    UNTOLD.with_borrow_mut(|untold| {
        untold.turns = 0;
        for log in untold.logs.drain(..) {
            log.notify_one();
        }
    });
}

/// Takes note that this thread turns to something else, and wakes the log if that was often. To be called between two
/// connections' messages.
pub fn turn() {
    let due = UNTOLD.with_borrow_mut(|untold| {
        untold.turns += usize::from(!untold.logs.is_empty());
        untold.turns >= TURNS_MAX
    });
    if due {
        ring();
    }
}

fn write_all<T: Clone>(shared: &Shared<T>, store: &dyn Store, outcomes: &mpsc::UnboundedSender<Outcomes<T>>) {
    let mut unanswered: Vec<(T, Append)> = Vec::new();
    let mut retry_at: Option<Instant> = None;
    loop {
        let mut batch = Vec::new();
        {
            let mut queue = shared.queue.lock();
            while queue.waiting.is_empty() && !(queue.ended && unanswered.is_empty()) {
                match retry_at {
                    None => shared.ready.wait(&mut queue),
                    Some(at) => {
                        if shared.ready.wait_until(&mut queue, at).timed_out() {
                            break;
                        }
                    }
                }
                if queue.ended && !unanswered.is_empty() {
                    // Whoever ends the server has waited for the store long enough.
                    return;
                }
            }
            if queue.ended && queue.waiting.is_empty() && unanswered.is_empty() {
                return;
            }
            let mut entries = 0;
            while entries < BATCH_ENTRIES_MAX {
                let Some(next) = queue.waiting.pop_front() else { break };
                entries += next.1.entries.len();
                batch.push(next);
            }
        }
        if retry_at.is_some_and(|at| at <= Instant::now()) {
            batch.append(&mut unanswered);
            retry_at = None;
        }
        if batch.is_empty() {
            continue;
        }
        let (tags, appends): (Vec<T>, Vec<Append>) = batch.into_iter().unzip();
        let mut ended = Outcomes::with_capacity(tags.len());
        for ((tag, append), outcome) in tags.into_iter().zip(&appends).zip(append_all(store, &appends)) {
            let damaged = matches!(outcome, AppendOutcome::Unknown(StoreError::Damaged { .. }));
            if matches!(outcome, AppendOutcome::Unknown(_)) && !damaged {
                unanswered.push((tag.clone(), append.clone()));
                retry_at.get_or_insert_with(|| Instant::now() + RETRY_AFTER);
            }
            ended.push((tag, outcome));
        }
        if outcomes.send(ended).is_err() {
            return;
        }
    }
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
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::store::{Head, LogId, memory::MemoryStore};

    /// Longer than anything here takes, on however busy a machine.
    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn what_a_thread_has_gathered_is_written_when_it_rings_and_when_it_does_much_else() {
        let (outcomes_in, mut outcomes) = mpsc::unbounded_channel();
        let (log, thread) = LogWriter::start(Arc::new(MemoryStore::new()), outcomes_in);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        for revision in 0..20 {
            let append = |log| Append {
                log: LogId(log),
                expected: Head { revision, position: 0 },
                entries: vec![Bytes::from_static(b"entry")],
            };
            log.push_soon(1, append(1));
            log.push_soon(2, append(2));
            if revision % 2 == 0 {
                ring();
            } else {
                (0..TURNS_MAX).for_each(|_| turn());
            }
            let mut written = Vec::new();
            while written.len() < 2 {
                let batch = async { tokio::time::timeout(LONG, outcomes.recv()).await };
                written.extend(runtime.block_on(batch).expect("the log was woken").unwrap());
            }
            let appended = |outcome: &AppendOutcome| matches!(outcome, AppendOutcome::Appended(_));
            assert!(written.iter().all(|(_, outcome)| appended(outcome)), "{written:?}");
            assert!(UNTOLD.with_borrow(|untold| untold.logs.is_empty()));
        }
        log.end();
        thread.join().unwrap();
    }
}
