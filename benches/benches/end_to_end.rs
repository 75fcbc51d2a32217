//! From one screen to another: a real server in this process, real sockets, a real disk. One letter is typed; it is acknowledged, and
//! the other client has it.

#![allow(missing_docs, reason = "criterion's macros")]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread::JoinHandle,
    time::Duration,
};

use bytes::BytesMut;
use clap::Parser;
use criterion::{Criterion, criterion_group, criterion_main};
use motet_benches::disk_directory;
use motet_protocol::{
    codec::{self, Frame, FrameDecoder},
    ids::{RoomId, SessionId},
    limits::{FRAME_BYTES_MAX, PROTOCOL_VERSION},
    message::{Answer, ClientMessage, Command, Hello, Question, ServerMessage},
    ot::Operation,
};
use motet_server::{
    config::Flags,
    run::{Listeners, open_store, run, runtime},
};
use tokio_util::{codec::Decoder, sync::CancellationToken};
use uuid::Uuid;

fn screens(c: &mut Criterion) {
    for (store, durability) in [("memory", "none"), ("fjall", "os"), ("fjall", "sync"), ("sled", "sync")] {
        let server = Server::start(store, durability);
        let (mut writer, mut reader) = (Client::join(server.tcp), Client::join(server.tcp));
        let mut revision = 0;
        c.bench_function(&format!("one letter to the other screen, {store} {durability}"), |bench| {
            bench.iter(|| {
                let inserts = revision % 2 == 0;
                let operation = if inserts { Operation::builder().insert("x") } else { Operation::builder().delete(1) };
                let command = Command::Edit(operation.build().expect("it is small"));
                writer.say(&ClientMessage::Submit { channel: 1, seq: revision + 1, base: revision, command });
                revision += 1;
                while !matches!(writer.hear(), ServerMessage::Ack { revision: acked, .. } if acked == revision) {}
                while !matches!(reader.hear(), ServerMessage::Entry { entry, .. } if entry.revision == revision) {}
            });
        });
        server.stop();
    }
}

/// A server on a thread of this process.
struct Server {
    tcp: SocketAddr,
    shutdown: CancellationToken,
    thread: JoinHandle<()>,
    _data: tempfile::TempDir,
}

impl Server {
    fn start(store: &str, durability: &str) -> Self {
        let data = disk_directory().expect("it can be written to");
        let path = data.path().to_str().expect("it was named by this program").to_owned();
        let words = ["motetd", "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--data", path.as_str()];
        let flags = ["--store", store, "--durability", durability];
        let config = Flags::parse_from(words.into_iter().chain(flags)).resolve().expect("these flags are right");
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let (ready_in, ready_out) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let store = open_store(&config).expect("it is empty");
            runtime(config.threads).expect("threads can be started").block_on(async {
                let listeners = Listeners::bind(&config).await.expect("there are free ports");
                ready_in.send(listeners.tcp.local_addr().expect("it listens")).expect("somebody waits for it");
                let stopped = async move { stop.cancelled().await };
                run(config, store, listeners, stopped).await.expect("it ends as it was told to");
            });
        });
        Self { tcp: ready_out.recv().expect("it starts"), shutdown, thread, _data: data }
    }

    fn stop(self) {
        self.shutdown.cancel();
        self.thread.join().expect("it ends without a panic");
    }
}

/// A client that waits for each answer.
struct Client {
    stream: TcpStream,
    buffer: BytesMut,
    frames: FrameDecoder,
}

impl Client {
    /// A client in the room `room`, which is made where there is none.
    fn join(tcp: SocketAddr) -> Self {
        let stream = TcpStream::connect(tcp).expect("the server listens");
        stream.set_nodelay(true).expect("it is a TCP socket");
        let mut client = Self { stream, buffer: BytesMut::new(), frames: FrameDecoder::new(FRAME_BYTES_MAX) };
        let session = SessionId(Uuid::new_v4());
        client.say(&ClientMessage::Hello(Hello {
            protocol: PROTOCOL_VERSION,
            token: None,
            session,
            name: String::new(),
        }));
        let room = RoomId::new("room").expect("it is a name");
        client.say(&ClientMessage::Ask {
            request: 1,
            question: Question::CreateRoom { room: Some(room.clone()), settings: Box::default() },
        });
        while !matches!(
            client.hear(),
            ServerMessage::Answer { answer: Answer::Created { .. }, .. } | ServerMessage::Error(_)
        ) {}
        client.say(&ClientMessage::Join { channel: 1, room, after: Some(0), log: None, entries_only: true });
        while !matches!(client.hear(), ServerMessage::Joined { .. }) {}
        client
    }

    fn say(&mut self, message: &ClientMessage) {
        let mut frame = BytesMut::with_capacity(64);
        codec::frame_into(message, &mut frame);
        self.stream.write_all(&frame).expect("the server is there");
    }

    fn hear(&mut self) -> ServerMessage {
        loop {
            if let Some(Frame::Message(bytes)) = self.frames.decode(&mut self.buffer).expect("these are frames") {
                return codec::decode(&bytes).expect("the server speaks this protocol");
            }
            let mut piece = [0; 4_096];
            let length = self.stream.read(&mut piece).expect("the server is there");
            assert!(length > 0, "the server closed the connection");
            self.buffer.extend_from_slice(&piece[..length]);
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3)).sample_size(30);
    targets = screens
}
criterion_main!(benches);
