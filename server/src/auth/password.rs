//! Hashing passwords with argon2id: few at a time, and away from the runtime's threads.

use std::{
    fmt,
    num::NonZero,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, PasswordHash, Salt},
};
use motet_protocol::error::ErrorCode;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::{
    limits::{HASH_MEMORY_KIB, HASH_PASSES, HASHES_AT_ONCE_MAX, HASHES_WAITING_MAX},
    secret::{Secret, random},
};
use crate::{blocking::offload, refusal::Refusal};

/// When to come again if too many passwords wait to be hashed, in milliseconds.
const RETRY_MS: u32 = 2_000;

/// What passwords are hashed in. It is kept from one to the next: an allocator that does not reuse aligned memory well
/// (glibc's, bug 14581) would take 19 MiB more of the system each time.
#[derive(Default)]
pub(super) struct Memory(Vec<Block>);

impl Memory {
    fn of(&mut self, params: &Params) -> &mut [Block] {
        let blocks = params.block_count();
        if self.0.len() < blocks {
            self.0.resize(blocks, Block::new());
        }
        &mut self.0[..blocks]
    }
}

/// Hashes a password. Takes some 20 ms.
pub(super) fn hash(password: &Secret, memory: &mut Memory) -> String {
    let (params, salt) = (todays(), random::<16>());
    hash_with(password, &salt, &params, memory)
        .and_then(|hash| written(&salt, hash, &params))
        .expect("a salt of 16 bytes and a password of bounded length can be hashed")
}

/// A hash as it is kept.
fn written(salt: &[u8], hash: Output, params: &Params) -> Option<String> {
    let kept = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: params.try_into().ok()?,
        salt: Some(Salt::new(salt).ok()?),
        hash: Some(hash),
    };
    Some(kept.to_string())
}

/// What a password is hashed with.
fn todays() -> Params {
    Params::new(HASH_MEMORY_KIB, HASH_PASSES, 1, None).expect("the parameters are within argon2's range")
}

/// Whether this is the password that was hashed. Takes as long when it is not, and when there is no hash at all.
pub(super) fn verify(password: &Secret, hash: Option<&str>, memory: &mut Memory) -> bool {
    let right = is_right(password, hash.unwrap_or_else(|| nobodys()), memory).unwrap_or(false);
    right && hash.is_some()
}

/// Nothing if what is kept is no hash of ours; its parameters may be those of another version of the server.
fn is_right(password: &Secret, kept: &str, memory: &mut Memory) -> Option<bool> {
    let kept = PasswordHash::new(kept).ok()?;
    if kept.algorithm != Algorithm::Argon2id.ident() || kept.version != Some(Version::V0x13.into()) {
        return None;
    }
    let params = Params::try_from(&kept).ok()?;
    // Compared in constant time.
    Some(hash_with(password, &kept.salt?, &params, memory)? == kept.hash?)
}

fn hash_with(password: &Secret, salt: &[u8], params: &Params, memory: &mut Memory) -> Option<Output> {
    let mut out = [0; Params::DEFAULT_OUTPUT_LEN];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    argon2.hash_password_into_with_memory(password.expose().as_bytes(), salt, &mut out, memory.of(params)).ok()?;
    Output::new(&out).ok()
}

/// A hash that nobody knows a password for: it was drawn, not made of one.
fn nobodys() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| {
        let drawn = Output::new(&random::<{ Params::DEFAULT_OUTPUT_LEN }>()).ok();
        drawn.and_then(|hash| written(&random::<16>(), hash, &todays())).expect("its length is that of a hash")
    })
}

/// Lets so many hash at once and so many wait.
#[derive(Clone)]
pub(super) struct Hasher {
    places: Arc<Semaphore>,
    /// As many as there are places, once each was taken.
    memories: Arc<Mutex<Vec<Memory>>>,
    here: Arc<AtomicUsize>,
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").field("here", &self.here).finish_non_exhaustive()
    }
}

impl Hasher {
    /// As many at once as this machine bears.
    pub(super) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self::with_places((processors / 2).clamp(1, HASHES_AT_ONCE_MAX))
    }

    fn with_places(places: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(places)), memories: Arc::default(), here: Arc::default() }
    }

    /// Hashes a password.
    pub(super) async fn hash(&self, password: Secret) -> Result<String, Refusal> {
        self.in_turn(move |memory| hash(&password, memory)).await
    }

    /// Whether a password is right; see [`verify`].
    pub(super) async fn verify(&self, password: Secret, hash: Option<String>) -> Result<bool, Refusal> {
        self.in_turn(move |memory| verify(&password, hash.as_deref(), memory)).await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let _here = Here::enter(&self.here).ok_or_else(|| {
            Refusal::for_now(ErrorCode::Overloaded, "too many people sign in at once; try again", RETRY_MS)
        })?;
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.expect("the semaphore is never closed");
        // The place goes along: who gives up waiting for the answer does not stop the work.
        let memories = Arc::clone(&self.memories);
        offload(move || {
            let mut memory = memories.lock().pop().unwrap_or_default();
            let done = work(&mut memory);
            memories.lock().push(memory);
            drop(place);
            done
        })
        .await
    }
}

struct Here(Arc<AtomicUsize>);

impl Here {
    fn enter(here: &Arc<AtomicUsize>) -> Option<Self> {
        let one = Self(Arc::clone(here));
        (here.fetch_add(1, Ordering::Relaxed) < HASHES_WAITING_MAX).then_some(one)
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_is_right() {
        let mut memory = Memory::default();
        let hashed = hash(&Secret::new("correct horse"), &mut memory);
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        assert_ne!(hashed, hash(&Secret::new("correct horse"), &mut memory), "salted");
        let mut is = |password: &str, hash: Option<&str>| verify(&Secret::new(password), hash, &mut memory);
        assert!(is("correct horse", Some(&hashed)));
        assert!(!is("correct horse ", Some(&hashed)));
        assert!(!is("correct horse", Some("$argon2id$damaged")));
        assert!(!is("correct horse", None));
    }

    #[test]
    fn a_hash_is_what_the_reference_implementation_makes_of_it() {
        // From the reference implementation's tests (phc-winner-argon2, src/test.c, version 0x13).
        let kept = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let mut memory = Memory::default();
        assert!(verify(&Secret::new("password"), Some(kept), &mut memory));
        assert!(!verify(&Secret::new("Password"), Some(kept), &mut memory));
    }

    #[tokio::test]
    async fn a_thousand_who_sign_in_at_once_are_hashed_a_few_at_a_time() {
        let hasher = Hasher::with_places(2);
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let tasks: Vec<_> = (0..1_000)
            .map(|_| {
                let (hasher, now, most) = (hasher.clone(), Arc::clone(&now), Arc::clone(&most));
                tokio::spawn(async move {
                    let work = move |_: &mut Memory| {
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(1, Ordering::SeqCst);
                    };
                    hasher.in_turn(work).await
                })
            })
            .collect();
        let mut done = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(()) => done += 1,
                Err(refusal) => {
                    assert_eq!((refusal.code, refusal.retry_after_ms), (ErrorCode::Overloaded, Some(2_000)))
                }
            }
        }
        assert!(done >= HASHES_WAITING_MAX, "{done}");
        assert!((1..=2).contains(&most.load(Ordering::SeqCst)));
        assert_eq!(hasher.here.load(Ordering::SeqCst), 0);
    }
}
