//! `/api/server`: the server itself.

use axum::{Json, extract::State};
use motet_protocol::{
    ids::ServerId,
    limits::{Limits, PROTOCOL_VERSION},
    message::Durability,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Api, problem::Answer, who::Who};

/// A server: what it is, and what it does now.
#[derive(Debug, Serialize, ToSchema)]
pub struct Server {
    /// Its version.
    version: &'static str,
    /// Which server this is: the same as in the protocol's `welcome`. Stays as long as the data directory does.
    #[schema(value_type = String, format = Uuid)]
    server_id: ServerId,
    /// The version of the protocol that it speaks.
    protocol: u16,
    /// What an acknowledgement promises.
    durability: Durability,
    /// What keeps its rooms.
    store: &'static str,
    /// How long it has been running, in seconds.
    uptime_s: u64,
    /// What it allows.
    limits: Limits,
    /// Connections over TCP and WebSocket.
    connections: u64,
    /// Rooms in memory.
    rooms_open: u64,
    /// Entries that were appended since it started.
    entries: u64,
    /// Times that it made a batch of them durable.
    commits: u64,
    /// Bytes that came over TCP and WebSocket.
    received_bytes: u64,
    /// Bytes that went there.
    sent_bytes: u64,
}

/// What the server is, and what it does now
#[utoipa::path(
    get, path = "/server", tag = "server",
    responses((status = 200, description = "Figures", body = Server)),
)]
pub async fn show(State(api): State<Api>, _: Who) -> Answer<Json<Server>> {
    let (metrics, settings) = (&api.context.metrics, &api.context.settings);
    Ok(Json(Server {
        version: env!("CARGO_PKG_VERSION"),
        server_id: settings.server_id,
        protocol: PROTOCOL_VERSION,
        durability: settings.durability,
        store: api.context.rooms.store.engine(),
        uptime_s: api.started.elapsed().as_secs(),
        limits: settings.limits.clone(),
        connections: metrics.connections.get().try_into().unwrap_or(0),
        rooms_open: metrics.rooms_open.get().try_into().unwrap_or(0),
        entries: metrics.entries.get(),
        commits: metrics.commits.get(),
        received_bytes: metrics.bytes_in.get(),
        sent_bytes: metrics.bytes_out.get(),
    }))
}
