//! What the benchmarks share: rooms and edits of given sizes.

use std::sync::Arc;

use bytes::BytesMut;
use motet_protocol::{
    ids::{ParticipantId, Revision, Seq},
    message::{Command, Entry},
    ot::Operation,
};
use motet_server::room::{
    Outlet, Principal, ReaderId, Room, RoomState, Wire, limits::RoomLimits, live::Join, propose::Submit,
};

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
}

/// A room in which somebody types, one character after the other, and others read along.
#[derive(Debug)]
pub struct Typing {
    room: Room<()>,
    writer: ReaderId,
    seq: Seq,
    sink: Sink,
}

impl Typing {
    /// A room with a text of this many bytes and so many readers, the writer among them.
    pub fn new(bytes: usize, readers: u64) -> Self {
        let mut room = Room::new(state(bytes), 0, RoomLimits::default());
        let mut sink = Sink::default();
        let revision = room.revision();
        let mut join = |n| {
            let join = Join {
                key: (),
                principal: Arc::new(Principal::nobody(ParticipantId(100 + n))),
                channel: 1,
                wire: Wire::Tcp,
                after: Some(revision),
                entries_only: true,
            };
            let (reader, _, _) = room.join(join).expect("the revision is there");
            room.feed(reader, &mut sink);
            reader
        };
        let writer = join(0);
        for n in 1..readers {
            join(n);
        }
        Self { room, writer, seq: 0, sink }
    }

    /// One character, from submit to every reader. Texts grow by it, and shrink by it every other time.
    pub fn type_one(&mut self) {
        self.seq += 1;
        let len = self.room.state().text().len_chars() as u64;
        let at = len / 2;
        let operation = match self.seq % 2 {
            1 => Operation::builder().retain(at).insert("x").retain(len - at),
            _ => Operation::builder().retain(at).delete(1).retain(len - at - 1),
        };
        let submit = Submit {
            participant: ParticipantId(100),
            seq: self.seq,
            base: self.room.revision(),
            command: Command::Edit(operation.build().expect("it fits")),
        };
        self.room.submit(self.writer, submit, &[], self.seq).expect("it is right");
        self.room.take_append().expect("nothing is in flight");
        self.room.appended().expect("it follows");
        let sink = &mut self.sink;
        self.room.feed_following(|(), _, reader| {
            reader.feed(sink);
        });
    }
}
