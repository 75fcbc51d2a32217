//! The composition root: from a configuration to a server, and to its end.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use motet_protocol::message::Durability;
use tokio::{net::TcpListener, runtime::Runtime, sync::mpsc};
use tokio_util::sync::CancellationToken;

use crate::{
    assist::provider::Assist,
    auth::Authenticator,
    config::{Config, Engine},
    context::Context,
    http::listener::accept_http,
    hub::{expiry, grants, rooms::Rooms, watch},
    log::LogWriter,
    metrics::Metrics,
    outbox::flush_dirty,
    requests::Assistant,
    rooms::open::{append_batch::append_all, commits},
    server_id,
    store::{self, Store, StoreError, StoreKind},
    transport::listen::{Door, accept_tcp},
};

/// How long a server that ends waits for what was ordered to be durable.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long it waits for connections to take their last words.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// How often idle rooms are looked for.
const SWEEP: Duration = Duration::from_millis(500);

/// Threads that wait for the disk, at most: opening rooms, history, snapshots.
const BLOCKING_THREADS: usize = 4;

/// Why a server could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The store cannot be opened.
    #[error("cannot open the data directory: {0}")]
    Store(#[from] StoreError),
    /// Something of the system's failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Who is to complete and summarize cannot be asked.
    #[error("the system's certificates, for --assist-url, cannot be read: {0}")]
    Assist(std::io::Error),
}

/// The sockets of a server.
#[derive(Debug)]
pub struct Listeners {
    /// For HTTP and WebSocket.
    pub http: TcpListener,
    /// For Motet's own frames.
    pub tcp: TcpListener,
}

impl Listeners {
    /// Opens both.
    pub async fn bind(config: &Config) -> Result<Self, RunError> {
        let bind = |address: SocketAddr| async move {
            TcpListener::bind(address).await.map_err(|source| RunError::Listen { address, source })
        };
        Ok(Self { http: bind(config.http).await?, tcp: bind(config.tcp).await? })
    }
}

/// What a thread of the runtime does when it has nothing else to do: it gives the log what its rooms have for it, and writes
/// what it has gathered for connections.
fn before_park() {
    append_all();
    flush_dirty();
}

/// A runtime whose threads write what they have gathered for connections before they park: a server needs one of these.
pub fn runtime(threads: usize) -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("motet-serve")
        .max_blocking_threads(BLOCKING_THREADS)
        .on_thread_park(before_park)
        .enable_all()
        .build()
}

/// Opens the store that the configuration names. Waits for the disk.
pub fn open_store(config: &Config) -> Result<Arc<dyn Store>, StoreError> {
    let kind = match config.store {
        Engine::Sled => StoreKind::Sled,
        Engine::Fjall => StoreKind::Fjall,
        Engine::Memory => StoreKind::Memory,
    };
    store::open(kind, &config.data, config.durability)
}

/// Serves until `shutdown` is ready, then ends cleanly: stops accepting and reading, makes durable what was ordered,
/// says goodbye, stores snapshots.
pub async fn run(
    config: Config,
    store: Arc<dyn Store>,
    listeners: Listeners,
    shutdown: impl Future<Output = ()>,
) -> Result<(), RunError> {
    if config.durability != Durability::Sync {
        tracing::warn!(durability = config.durability.as_str(), "acknowledged edits may be lost in a power cut");
    }
    let server_id = server_id::of(store.as_ref())?;
    let http_port = listeners.http.local_addr()?.port();
    let auth = Authenticator::open(config.auth.clone(), Arc::clone(&store))?;
    let metrics = Arc::new(Metrics::new(config.durability, store.engine()));
    let (outcomes_in, outcomes_out) = mpsc::unbounded_channel();
    let (log, log_thread) = LogWriter::start(Arc::clone(&store), outcomes_in);
    let assist = Assist::configured(config.assist.as_ref()).map_err(RunError::Assist)?;
    let rooms = Rooms::new(Arc::clone(&store), log.clone(), config.room_limits(), config.rules(), Arc::clone(&metrics))
        .with_links_of(auth.clone());
    rooms.finish_removals().await;
    let context = Context {
        rooms: rooms.clone(),
        auth,
        settings: Arc::new(config.settings(server_id, http_port)),
        assistant: Assistant::new(assist),
        metrics: Arc::clone(&metrics),
        stopping: CancellationToken::new(),
        closing: CancellationToken::new(),
    };
    let door = Door::new(config.connections_max);
    let commits = tokio::spawn(commits::bring(outcomes_out, Arc::clone(&store), metrics));
    let sweeps = [
        tokio::spawn(sweep(rooms.clone(), config.unload_after)),
        tokio::spawn(watch::tell(rooms.clone())),
        tokio::spawn(expiry::run(rooms.clone())),
        tokio::spawn(grants::follow(rooms.clone())),
        tokio::spawn(Arc::clone(&rooms.presence_timer).run()),
    ];
    let tcp = tokio::spawn(accept_tcp(listeners.tcp, door.clone(), context.clone()));
    let http = tokio::spawn(accept_http(listeners.http, door.clone(), context.clone(), config.pages));

    shutdown.await;
    tracing::info!("shutting down");
    context.stopping.cancel();
    let _ = tokio::join!(tcp, http);
    if !rooms.settle(SETTLE_TIMEOUT).await {
        tracing::error!("the store did not take everything in time; what it did not take was not acknowledged");
    }
    context.closing.cancel();
    door.tasks.close();
    if tokio::time::timeout(CLOSE_TIMEOUT, door.tasks.wait()).await.is_err() {
        tracing::warn!("some connections did not take their last words in time");
    }
    sweeps.iter().for_each(tokio::task::JoinHandle::abort);
    rooms.snapshot_all().await;
    log.end();
    let ended = tokio::task::spawn_blocking(move || {
        let joined = log_thread.join();
        (joined, store.flush())
    });
    match ended.await {
        Ok((Ok(()), Ok(()))) => {}
        Ok((_, Err(error))) => return Err(error.into()),
        Ok((Err(_), _)) | Err(_) => tracing::error!("the log's thread failed"),
    }
    let _ = commits.await;
    tracing::info!("ended");
    Ok(())
}

async fn sweep(rooms: Rooms, unload_after: Duration) {
    let mut tick = tokio::time::interval(SWEEP.min(unload_after.max(Duration::from_millis(100))));
    loop {
        tick.tick().await;
        rooms.look_at_clock();
        rooms.unload_idle(unload_after).await;
    }
}
