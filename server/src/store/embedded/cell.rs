//! An engine that may fail: its panics become errors, and after a failure it is opened again when it is written to next.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::{Duration, Instant},
};

use parking_lot::RwLock;

use super::{
    super::StoreError,
    engine::{Engine, failed},
};

/// How often at most a closed engine is opened again for a mere read: opening may take seconds, and may fail each time.
const REOPEN_PAUSE: Duration = Duration::from_secs(1);

/// An engine that was closed may hold its files for a moment, since threads of its own still end.
const REOPEN_TRIES: u32 = 50;
const REOPEN_TRY_PAUSE: Duration = Duration::from_millis(20);

/// How an engine comes back after it failed.
pub(crate) trait Reopen<E>: Send + Sync + 'static {
    /// Opens the engine anew, with all that it holds synced. Called when the old one is closed.
    fn reopen(&self) -> Result<E, StoreError>;

    /// Whether the disk is so full that neither opening nor writing makes sense.
    fn is_full(&self) -> bool;
}

enum State<E> {
    /// It works.
    Open(E),
    /// A write failed. It is read from as well as it goes on, and opened again for the next write.
    Failed(E),
    /// It could not be opened again when this was tried last.
    Closed(StoreError, Instant),
}

pub(crate) struct Cell<E> {
    state: RwLock<State<E>>,
    reopen: Box<dyn Reopen<E>>,
}

impl<E: Engine> Cell<E> {
    pub(crate) fn new(engine: E, reopen: Box<dyn Reopen<E>>) -> Self {
        Self { state: RwLock::new(State::Open(engine)), reopen }
    }

    /// Reads from the engine, be it as it may. `reopened` is called, with nobody else inside, if it was opened anew.
    pub(crate) fn read<T>(
        &self,
        reopened: impl FnOnce(&E) -> Result<(), StoreError>,
        operation: impl FnOnce(&E) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let State::Closed(error, tried) = &*self.state.read()
            && tried.elapsed() < REOPEN_PAUSE
        {
            return Err(error.clone());
        }
        if matches!(&*self.state.read(), State::Closed(..)) {
            self.open_again(reopened)?;
        }
        match &*self.state.read() {
            State::Open(engine) | State::Failed(engine) => caught::<E, T>(|| operation(engine)),
            State::Closed(error, _) => Err(error.clone()),
        }
    }

    /// Opens the engine again if it failed; the first step of every write. `reopened` is called, with nobody else inside,
    /// if it was opened anew.
    pub(crate) fn mend(&self, reopened: impl FnOnce(&E) -> Result<(), StoreError>) -> Result<(), StoreError> {
        // The guard must be gone before the engine is opened again.
        let open = matches!(&*self.state.read(), State::Open(_));
        if open { Ok(()) } else { self.open_again(reopened) }
    }

    /// Writes to the engine. If this fails, nobody knows what was written until the engine was opened again.
    pub(crate) fn write<T>(&self, operation: impl FnOnce(&E) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let outcome = match &*self.state.read() {
            State::Open(engine) => caught::<E, T>(|| operation(engine)),
            State::Failed(_) => return Err(failed(E::NAME, "it failed just now and is about to be opened again")),
            State::Closed(error, _) => return Err(error.clone()),
        };
        outcome.map_err(|error| {
            self.fail();
            // Engines name what happened only once, if at all, and are "poisoned" from then on.
            if self.reopen.is_full() { StoreError::Full } else { error }
        })
    }

    fn fail(&self) {
        let mut state = self.state.write();
        let moved = State::Closed(failed(E::NAME, "it is being marked as failed"), Instant::now());
        *state = match std::mem::replace(&mut *state, moved) {
            State::Open(engine) => State::Failed(engine),
            other => other,
        };
    }

    fn open_again(&self, reopened: impl FnOnce(&E) -> Result<(), StoreError>) -> Result<(), StoreError> {
        if self.reopen.is_full() {
            return Err(StoreError::Full);
        }
        let mut state = self.state.write();
        if matches!(&*state, State::Open(_)) {
            return Ok(());
        }
        let closed = State::Closed(failed(E::NAME, "it is being opened again"), Instant::now());
        let old = std::mem::replace(&mut *state, closed);
        // Closing a failed engine may well panic; there is nothing left in it to lose.
        let _ = catch_unwind(AssertUnwindSafe(move || drop(old)));
        let ready = |engine: E| caught::<E, ()>(|| reopened(&engine)).map(|()| engine);
        match self.try_reopen().and_then(ready) {
            Ok(engine) => {
                *state = State::Open(engine);
                Ok(())
            }
            Err(error) => {
                let error = if self.reopen.is_full() { StoreError::Full } else { error };
                *state = State::Closed(error.clone(), Instant::now());
                Err(error)
            }
        }
    }

    fn try_reopen(&self) -> Result<E, StoreError> {
        let mut tries = 1;
        loop {
            match caught::<E, E>(|| self.reopen.reopen()) {
                Err(_) if tries < REOPEN_TRIES => thread::sleep(REOPEN_TRY_PAUSE),
                outcome => return outcome,
            }
            tries += 1;
        }
    }
}

/// Runs an engine's code and turns a panic into an error.
pub(crate) fn caught<E: Engine, T>(operation: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(operation)).unwrap_or_else(|panic| {
        let what = words_of(&*panic);
        Err(failed(
            E::NAME,
            format!("it panicked: {what}. The data may be damaged: keep a copy of the directory, and restore a backup"),
        ))
    })
}

fn words_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without words")
}

/// For an engine that has nothing to be opened from.
pub(crate) struct Never;

impl<E: Engine> Reopen<E> for Never {
    fn reopen(&self) -> Result<E, StoreError> {
        Err(failed(E::NAME, "it cannot be opened again"))
    }

    fn is_full(&self) -> bool {
        false
    }
}
