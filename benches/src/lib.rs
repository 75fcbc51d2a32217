//! What the benchmarks share: rooms and edits of given sizes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use motet_protocol::{
    ids::{Channel, LogIdentity, ParticipantId, Revision, Seq},
    message::{Command, Entry, ServerMessage},
    ot::Operation,
};
use motet_server::{
    room::{Fed, Join, OpenRoom, Outlet, Principal, ReaderId, RoomState, Submit, limits::RoomLimits},
    wire::Wire,
};

/// A directory for a store, gone with the value: beside the program, since the system's for temporary files is often in
/// memory, where a sync costs nothing.
pub fn disk_directory() -> std::io::Result<tempfile::TempDir> {
    let program = std::env::current_exe()?;
    tempfile::Builder::new().prefix("motet-").tempdir_in(program.parent().unwrap_or(&program))
}

/// Texts that the cost of an edit is measured in: it should be the same in all of them.
pub const TEXT_BYTES: [(&str, usize); 4] =
    [("1 KB", 1 << 10), ("100 KB", 100 << 10), ("1 MB", 1 << 20), ("10 MB", 10 << 20)];

/// Text of about this many bytes, in lines.
pub fn text(bytes: usize) -> String {
    "The quick brown fox jumps over the lazy dog, and so on.\n".repeat(bytes / 57 + 1)
}

/// A state whose text has about this many bytes.
pub fn state(bytes: usize) -> RoomState {
    let (mut state, mut revision, mut rest) = (RoomState::default(), 0, text(bytes));
    while !rest.is_empty() {
        let tail = rest.split_off(rest.len().min(100_000));
        revision += 1;
        let len = state.text().len_chars() as u64;
        let operation = Operation::builder().retain(len).insert(&rest).build().expect("it is small");
        state.fold(&entry(revision, operation)).expect("it is the next one");
        rest = tail;
    }
    state
}

/// An entry of a participant of no importance.
pub fn entry(revision: Revision, operation: Operation) -> Entry {
    Entry { revision, participant: ParticipantId(1), seq: revision, time_ms: 0, command: Command::Edit(operation) }
}

/// An outlet that takes everything and forgets it.
#[derive(Debug, Default)]
pub struct Sink(BytesMut);

impl Outlet for Sink {
    fn has_room(&self) -> bool {
        true
    }

    fn buffer(&mut self) -> &mut BytesMut {
        self.0.clear();
        &mut self.0
    }

    fn put(&mut self, message: &ServerMessage) {
        Wire::Tcp.put(message, self.buffer());
    }

    fn lag(&mut self, _channel: Channel) {}
}

/// A room in which somebody types, one character after the other, others read along, and one was away.
#[derive(Debug)]
pub struct Typing {
    room: OpenRoom<()>,
    writer: Author,
    late: Author,
    sink: Sink,
}

/// Who submits.
#[derive(Debug)]
struct Author {
    participant: ParticipantId,
    reader: ReaderId,
    seq: Seq,
}

impl Typing {
    /// A room with a text of this many bytes and so many readers, the two who write among them.
    pub fn new(bytes: usize, readers: u64) -> Self {
        let mut room = OpenRoom::new(state(bytes), 0, RoomLimits::default());
        let mut sink = Sink::default();
        let revision = room.revision();
        let mut join = |n| {
            let participant = ParticipantId(100 + n);
            let join = Join {
                key: (),
                principal: Arc::new(Principal::nobody(participant)),
                channel: 1,
                wire: Wire::Tcp,
                log: LogIdentity(uuid::Uuid::nil()),
                after: Some(revision),
                entries_only: true,
                now: 0,
            };
            let reader = room.join(join, &mut sink).expect("the revision is there");
            Author { participant, reader, seq: 0 }
        };
        let (writer, late) = (join(0), join(1));
        for n in 2..readers {
            join(n);
        }
        Self { room, writer, late, sink }
    }

    /// One character, from submit to every reader. Texts grow by it, and shrink by it every other time.
    pub fn type_one(&mut self) {
        self.commit_one();
        self.feed();
    }

    /// One character into the log and the text, and to nobody.
    pub fn commit_one(&mut self) {
        let (base, operation) = (self.room.revision(), self.edit(self.writer.seq.is_multiple_of(2)));
        self.writer.submit(&mut self.room, operation, base);
        self.commit();
    }

    /// What was committed goes to every reader.
    pub fn feed(&mut self) {
        let sink = &mut self.sink;
        self.room.feed_following(|(), reader| reader.feed(sink));
    }

    /// How long the room takes to put an edit in order that counts on a text so many revisions ago.
    pub fn order_late(&mut self, behind: u64) -> Duration {
        // An even number of edits leaves the length as it was.
        let (base, operation) = (self.room.revision(), self.edit(true));
        for _ in 0..behind {
            self.type_one();
        }
        let start = Instant::now();
        self.late.submit(&mut self.room, operation, base);
        let took = start.elapsed();
        self.commit();
        self.feed();
        took
    }

    /// A newcomer, until it has the text; then it leaves.
    pub fn join(&mut self) {
        let participant = ParticipantId(50);
        let join = Join {
            key: (),
            principal: Arc::new(Principal::nobody(participant)),
            channel: 1,
            wire: Wire::Tcp,
            log: LogIdentity(uuid::Uuid::nil()),
            after: None,
            entries_only: false,
            now: 0,
        };
        let reader = self.room.join(join, &mut self.sink).expect("rooms can be joined");
        assert_eq!(self.room.feed(reader, &mut self.sink), Fed::CaughtUp);
        self.room.leave(reader, 0);
        assert!(self.room.take_effects().listed);
    }

    /// An insertion or a deletion in the middle of the text.
    fn edit(&self, inserts: bool) -> Operation {
        let len = self.room.state().text().len_chars() as u64;
        let at = len / 2;
        let operation = match inserts {
            true => Operation::builder().retain(at).insert("x").retain(len - at),
            false => Operation::builder().retain(at).delete(1).retain(len - at - 1),
        };
        operation.build().expect("it fits")
    }

    fn commit(&mut self) {
        self.room.take_append().expect("nothing is in flight");
        self.room.handle_appended(0, 0);
        let effects = self.room.take_effects();
        assert!(effects.committed > 0 && effects.failed.is_none());
    }
}

impl Author {
    fn submit(&mut self, room: &mut OpenRoom<()>, operation: Operation, base: Revision) {
        self.seq += 1;
        let submit = Submit { participant: self.participant, seq: self.seq, base, command: Command::Edit(operation) };
        room.handle_submit(self.reader, submit, &[], self.seq).expect("it is right");
        assert!(room.take_effects().append);
    }
}
