//! The way from HTTP to WebSocket.

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tungstenite::handshake::derive_accept_key;

use super::listener::Http;
use crate::{
    transport::{connection, inbound::Inbound, listen::Place},
    wire::Wire,
};

/// The only WebSocket version served, as the header gives it (RFC 6455, section 4.2.1).
const WEBSOCKET_VERSION: &str = "13";

/// Answers the opening handshake (RFC 6455, section 4.2.2) and hands the socket to a connection's task.
pub(super) async fn websocket(State(http): State<Http>, mut request: Request) -> Response {
    let says = |name: header::HeaderName, what: &str| {
        let values = request.headers().get_all(name);
        let mut words = values.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        words.any(|word| word.trim().eq_ignore_ascii_case(what))
    };
    if !says(header::UPGRADE, "websocket") || !says(header::CONNECTION, "upgrade") {
        let upgrade = [(header::UPGRADE, "websocket")];
        return (StatusCode::UPGRADE_REQUIRED, upgrade, "this is a WebSocket; see docs/protocol.md\n").into_response();
    }
    if !says(header::SEC_WEBSOCKET_VERSION, WEBSOCKET_VERSION) {
        let version = [(header::SEC_WEBSOCKET_VERSION, WEBSOCKET_VERSION)];
        return (StatusCode::UPGRADE_REQUIRED, version, "WebSocket version 13 is spoken here\n").into_response();
    }
    let Some(key) = request.headers().get(header::SEC_WEBSOCKET_KEY) else {
        return (StatusCode::BAD_REQUEST, "the header Sec-WebSocket-Key is missing\n").into_response();
    };
    let accept_key = derive_accept_key(key.as_bytes());
    let upgrade = hyper::upgrade::on(&mut request);
    let place = request.extensions().get::<Place>().cloned();
    let context = http.context;
    http.door.tasks.spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let Ok(parts) = upgraded.downcast::<TokioIo<TcpStream>>() else {
            tracing::error!("an upgraded connection is not the TCP connection that it came on");
            return;
        };
        let inbound = Inbound::websocket(parts.read_buf);
        connection::serve(parts.io.into_inner(), inbound, Wire::WsBinary, context).await;
        drop(place);
    });
    let head = [
        (header::CONNECTION, "upgrade".to_owned()),
        (header::UPGRADE, "websocket".to_owned()),
        (header::SEC_WEBSOCKET_ACCEPT, accept_key),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, head).into_response()
}
