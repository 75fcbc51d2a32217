//! Services to ask: one that speaks the form, and one that does not.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    response::Response,
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

/// What a service was asked.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) line: String,
    pub(super) authorization: Option<String>,
    pub(super) body: Value,
    pub(super) body_bytes: usize,
}

/// A running service.
pub(super) struct Service {
    pub(super) address: SocketAddr,
    pub(super) asked: Arc<Mutex<Vec<Asked>>>,
}

impl Service {
    /// A web server that answers every request so.
    pub(super) async fn web(answer: impl Fn() -> Response + Clone + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let service = Self { address: listener.local_addr().unwrap(), asked: Arc::default() };
        let asked = Arc::clone(&service.asked);
        let handler = move |request: Request| async move {
            let (head, body) = request.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            asked.lock().unwrap().push(Asked {
                line: format!("{} {}", head.method, head.uri),
                authorization: head.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned()),
                body: serde_json::from_slice(&body).unwrap(),
                body_bytes: body.len(),
            });
            answer()
        };
        tokio::spawn(async { axum::serve(listener, Router::new().fallback(handler)).await });
        service
    }

    /// A web server with a model that says this.
    pub(super) async fn saying(content: &str) -> Self {
        let completion = json!({
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "choices": [{
                "index": 0,
                "message": { "role": "assistant", "content": content },
                "finish_reason": "stop",
            }],
            "usage": { "total_tokens": 7 },
        });
        Self::web(move || respond(200, &completion.to_string())).await
    }

    /// Something that takes connections, waits for a request, sends these bytes so many times, and then hangs or hangs up.
    pub(super) async fn raw(bytes: &'static [u8], times: usize, hangs: bool) -> Self {
        Self::sockets(move |mut socket| async move {
            let _ = socket.read(&mut [0; 1_024]).await;
            for _ in 0..times {
                if socket.write_all(bytes).await.is_err() {
                    return;
                }
            }
            if hangs {
                std::future::pending().await
            }
        })
        .await
    }

    /// A web server behind TLS, with the certificate of these tests, whose model suggests `encrypted`.
    pub(super) async fn encrypted() -> Self {
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("key.pem")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(vec![certificate()], key).unwrap()));
        Self::sockets(move |socket| {
            let acceptor = acceptor.clone();
            async move {
                let Ok(mut socket) = acceptor.accept(socket).await else { return };
                let _ = socket.read(&mut [0; 64 * 1_024]).await;
                let body = json!({ "choices": [{ "message": { "content": "{\"completions\": [\"encrypted\"]}" } }] });
                let body = body.to_string();
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
                let _ = socket.shutdown().await;
            }
        })
        .await
    }

    async fn sockets<F: Future<Output = ()> + Send + 'static>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket));
            }
        });
        Self { address, asked: Arc::default() }
    }

    /// What it was asked so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// For 127.0.0.1, of these tests alone, good from 2020 to 2120; `key.pem` is no secret.
pub(super) fn certificate() -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(include_bytes!("certificate.pem")).unwrap()
}

pub(super) fn respond(status: u16, body: &str) -> Response {
    Response::builder().status(status).body(Body::from(body.to_owned())).unwrap()
}
