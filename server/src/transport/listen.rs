//! Who is let in.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    connection::{self},
    inbound::Inbound,
};
use crate::{context::Context, wire::Wire};

/// How long to wait after a connection could not be accepted (too many files are open, say) before the next try.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How many connections there may be, over all listeners, and who counts them at the end.
#[derive(Clone, Debug)]
pub struct Door {
    places: Arc<Semaphore>,
    /// The tasks of all connections.
    pub tasks: TaskTracker,
}

impl Door {
    /// A door for this many connections.
    pub fn new(connections_max: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(connections_max)), tasks: TaskTracker::new() }
    }
}

/// A connection's place, which is free when nobody has it any more: an upgraded connection takes it along, and so does a request
/// that outlives its connection.
#[derive(Clone, Debug)]
pub struct Place(#[expect(dead_code, reason = "it is held, not looked at")] Arc<OwnedSemaphorePermit>);

/// Accepts connections until told to stop; each is served in a task of its own. One above the limit is closed at once.
pub async fn accept<F>(
    listener: TcpListener,
    door: Door,
    stopping: CancellationToken,
    serve: impl Fn(TcpStream, SocketAddr, Place) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        let accepted = tokio::select! {
            () = stopping.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match Arc::clone(&door.places).try_acquire_owned() {
                Ok(place) => {
                    door.tasks.spawn(serve(stream, peer, Place(Arc::new(place))));
                }
                Err(_) => tracing::warn!(%peer, "too many connections; one was turned away"),
            },
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves Motet's own frames.
pub async fn accept_tcp(listener: TcpListener, door: Door, context: Context) {
    let stopping = context.stopping.clone();
    let serve = |stream, _, place| {
        let served = connection::serve(stream, Inbound::tcp(), Wire::Tcp, context.clone());
        async move {
            served.await;
            drop(place);
        }
    };
    accept(listener, door, stopping, serve).await;
}
