//! A line to a server that can be cut: at any byte, in either direction, at moments drawn from a seed.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Notify,
};

pub struct Line {
    pub address: SocketAddr,
    pub cuts: Arc<AtomicU64>,
    restless: Arc<AtomicBool>,
    /// Whether new connections are refused.
    down: Arc<AtomicBool>,
    cut: Arc<Notify>,
}

impl Line {
    /// A line that is cut only when told to.
    pub async fn to(server: SocketAddr) -> Self {
        Self::start(server, 0, false).await
    }

    /// A line that is cut again and again, each time after up to 800 bytes, until `rest`.
    pub async fn restless(server: SocketAddr, seed: u64) -> Self {
        Self::start(server, seed, true).await
    }

    async fn start(server: SocketAddr, seed: u64, restless: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let line = Self {
            address: listener.local_addr().unwrap(),
            cuts: Arc::default(),
            restless: Arc::new(AtomicBool::new(restless)),
            down: Arc::default(),
            cut: Arc::default(),
        };
        let down = Arc::clone(&line.down);
        let (restless, cut, cuts) = (Arc::clone(&line.restless), Arc::clone(&line.cut), Arc::clone(&line.cuts));
        let mut random = StdRng::seed_from_u64(seed);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if down.load(Ordering::Relaxed) {
                    continue;
                }
                let Ok(far) = TcpStream::connect(server).await else { continue };
                let mut bytes = || {
                    let drawn = random.random_range(1..800);
                    if restless.load(Ordering::Relaxed) { drawn } else { u64::MAX }
                };
                let (up, down) = (bytes(), bytes());
                let (cut, cuts) = (Arc::clone(&cut), Arc::clone(&cuts));
                tokio::spawn(async move {
                    let (near_in, near_out) = near.into_split();
                    let (far_in, far_out) = far.into_split();
                    tokio::select! {
                        () = carry(near_in, far_out, up) => {}
                        () = carry(far_in, near_out, down) => {}
                        () = cut.notified() => {}
                    }
                    cuts.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        line
    }

    /// From now on connections hold.
    pub fn rest(&self) {
        self.restless.store(false, Ordering::Relaxed);
        self.cut();
    }

    /// Cuts what is connected now, and refuses new connections until [`up`](Self::up).
    pub fn down(&self) {
        self.down.store(true, Ordering::Relaxed);
        self.cut();
    }

    /// Takes connections again.
    pub fn up(&self) {
        self.down.store(false, Ordering::Relaxed);
    }

    /// Cuts what is connected now.
    pub fn cut(&self) {
        self.cut.notify_waiters();
    }
}

/// Carries at most so many bytes, then drops both ends.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut bytes_max: u64) {
    let mut buffer = [0; 512];
    while bytes_max > 0 {
        let part = buffer.len().min(usize::try_from(bytes_max).unwrap_or(usize::MAX));
        let Ok(read) = from.read(&mut buffer[..part]).await else { return };
        if read == 0 || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
        bytes_max -= read as u64;
    }
}
