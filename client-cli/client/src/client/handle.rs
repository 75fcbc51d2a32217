//! The handle.

use std::{sync::Arc, time::Duration};

use motet_protocol::{
    chat::ChatMessage,
    comment::Comment,
    hash::TextHash,
    ids::{Revision, RoomId},
    message::{Answer, At, Completion, Entry, Question, Welcome},
    ot::Scalar,
    room::{RoomFilter, RoomInfo, SettingsPatch},
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    Backoff,
    request::Request,
    task::{Opened, Order, Task},
};
use crate::{
    address::Address,
    connection::{Connection, Greeting},
    error::Error,
    room::{Events, Follower, Replica, Room},
};

/// Orders that wait for the task; with more, the caller waits.
const ORDERS_MAX: usize = 64;

/// Where to connect, as whom, and how hard to try.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server.
    pub server: Address,
    /// Who the client says it is.
    pub greeting: Greeting,
    /// How long to wait between attempts, once the connection was there and is lost.
    pub backoff: Backoff,
    /// After how long to give up: everything without a connection, and a room where the server says "later"; none is
    /// never.
    pub give_up_after: Option<Duration>,
    /// Where the token of the next connection comes from, if the greeting's may have expired by then.
    pub tokens: Option<TokenSource>,
}

/// Tokens for connections that come after the first one.
#[derive(Clone)]
pub struct TokenSource(Arc<dyn Fn() -> Option<String> + Send + Sync>);

impl TokenSource {
    /// From what gives a token that is good now; none for the one before. It may wait, as for a server.
    pub fn new(next: impl Fn() -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(next))
    }

    pub(crate) async fn next(&self) -> Option<String> {
        let next = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || next()).await.ok().flatten()
    }
}

/// Tokens stay out of what is printed.
impl std::fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenSource")
    }
}

impl Options {
    /// With the defaults: never gives up.
    pub fn new(server: Address, greeting: Greeting) -> Self {
        Self { server, greeting, backoff: Backoff::default(), give_up_after: None, tokens: None }
    }
}

/// A text as it was at a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The revision.
    pub revision: Revision,
    /// The text.
    pub text: String,
}

/// Which part of a chat is wanted.
#[derive(Clone, Copy, Debug)]
pub struct ChatPart {
    /// Messages said before this revision.
    pub before: Option<Revision>,
    /// Only the thread of this message.
    pub thread: Option<Revision>,
    /// When.
    pub at: At,
    /// At most this many, 1 to [`PAGE_MAX`](motet_protocol::limits::PAGE_MAX).
    pub limit: u32,
}

/// What happened in a span of a room's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// For people.
    pub text: String,
    /// For programs: a JSON object, described in docs/assist.md.
    pub facts: String,
}

/// A client. Cheap to clone; the connection ends when the last clone and the last room of it are dropped. What is not
/// acknowledged then may be lost: ask [`Room::synchronized`] first.
#[derive(Clone, Debug)]
pub struct Client {
    orders: mpsc::Sender<Order>,
    welcome: Arc<Welcome>,
    _alive: Arc<DropGuard>,
}

impl Client {
    /// Connects. The first attempt is the only one; later losses are mended by the client itself.
    pub async fn connect(options: Options) -> Result<Self, Error> {
        let (connection, welcome) = Connection::open(&options.server, options.greeting.clone())
            .await
            .map_err(|error| Error::no_connection(&options.server, error))?;
        let (orders, orders_out) = mpsc::channel(ORDERS_MAX);
        let alive = CancellationToken::new();
        let task = Task::new(options, welcome.limits.clone(), orders_out, alive.clone());
        tokio::spawn(task.run(connection));
        Ok(Self { orders, welcome: Arc::new(welcome), _alive: Arc::new(alive.drop_guard()) })
    }

    /// What the server said when it was first greeted.
    pub fn welcome(&self) -> &Welcome {
        &self.welcome
    }

    /// Makes a room, with a new UUID for a name where none is given.
    pub async fn create_room(&self, room: Option<RoomId>) -> Result<RoomInfo, Error> {
        self.create_room_with(room, SettingsPatch::default()).await
    }

    /// The same, with something set from the start.
    pub async fn create_room_with(&self, room: Option<RoomId>, settings: SettingsPatch) -> Result<RoomInfo, Error> {
        let settings = Box::new(settings);
        let question = Question::CreateRoom { room, settings };
        match self.ask(false, question).await? {
            Answer::Created { room } => Ok(*room),
            other => Err(unexpected(&other)),
        }
    }

    /// Deletes a room with its history.
    pub async fn delete_room(&self, room: RoomId) -> Result<(), Error> {
        let question = Question::DeleteRoom { room };
        match self.ask(false, question).await? {
            Answer::Deleted { .. } => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// A page of at most `limit` of the wanted rooms after a name (1 to [`PAGE_MAX`](motet_protocol::limits::PAGE_MAX)), and where to go
    /// on if there are more.
    pub async fn list_rooms(
        &self,
        filter: RoomFilter,
        after: Option<RoomId>,
        limit: u32,
    ) -> Result<(Vec<RoomInfo>, Option<RoomId>), Error> {
        let filter = Box::new(filter);
        let question = Question::ListRooms { filter, after, limit };
        match self.ask(true, question).await? {
            Answer::Rooms { rooms, next } => Ok((rooms, next)),
            other => Err(unexpected(&other)),
        }
    }

    /// What is known of a room.
    pub async fn show_room(&self, room: RoomId) -> Result<RoomInfo, Error> {
        let question = Question::ShowRoom { room };
        match self.ask(true, question).await? {
            Answer::Room { room } => Ok(*room),
            other => Err(unexpected(&other)),
        }
    }

    /// A room's text.
    pub async fn read_text(&self, room: RoomId, at: At) -> Result<Text, Error> {
        let question = Question::ReadText { room, at };
        match self.ask(true, question).await? {
            Answer::Text { revision, text, last: _ } => Ok(Text { revision, text }),
            other => Err(unexpected(&other)),
        }
    }

    /// A page of at most `limit` entries from a revision on, and the head.
    pub async fn read_log(&self, room: RoomId, from: Revision, limit: u32) -> Result<(Vec<Entry>, Revision), Error> {
        let question = Question::ReadLog { room, from, limit };
        match self.ask(true, question).await? {
            Answer::Log { entries, head } => Ok((entries, head)),
            other => Err(unexpected(&other)),
        }
    }

    /// The hash of a room's text, and the revision that it is of.
    pub async fn hash_text(&self, room: RoomId, at: At) -> Result<(Revision, TextHash), Error> {
        let question = Question::HashText { room, at };
        match self.ask(true, question).await? {
            Answer::Hash { revision, crc32, bytes } => Ok((revision, TextHash { crc32, bytes })),
            other => Err(unexpected(&other)),
        }
    }

    /// A page of a room's chat, the newest message first, and whether there are older ones.
    pub async fn read_chat(&self, room: RoomId, part: ChatPart) -> Result<(Vec<ChatMessage>, bool), Error> {
        let ChatPart { before, thread, at, limit } = part;
        let question = Question::ReadChat { room, before, thread, at, limit };
        match self.ask(true, question).await? {
            Answer::Chat { messages, more } => Ok((messages, more)),
            other => Err(unexpected(&other)),
        }
    }

    /// A room's comments by their place, and the revision that they are of.
    pub async fn read_comments(&self, room: RoomId, at: At) -> Result<(Vec<Comment>, Revision), Error> {
        let question = Question::ReadComments { room, at };
        match self.ask(true, question).await? {
            Answer::Comments { comments, revision, last: _ } => Ok((comments, revision)),
            other => Err(unexpected(&other)),
        }
    }

    /// Notes that the chat was read up to a message; returns how many are unread. Only for who has an account.
    pub async fn mark_read(&self, room: RoomId, message: Revision) -> Result<u64, Error> {
        let question = Question::MarkRead { room, message };
        match self.ask(true, question).await? {
            Answer::Marked { unread } => Ok(unread),
            other => Err(unexpected(&other)),
        }
    }

    /// How a text might go on at a place of it as it was at `base`, the best first; at most `limit`, 1 to
    /// [`COMPLETIONS_MAX`](motet_protocol::limits::COMPLETIONS_MAX). Where each begins counts on the text as it is by then.
    pub async fn complete(
        &self,
        room: RoomId,
        base: Revision,
        position: Scalar,
        limit: u32,
    ) -> Result<Vec<Completion>, Error> {
        let question = Question::Complete { room, base, position, limit };
        match self.ask(true, question).await? {
            Answer::Completions { completions, revision: _ } => Ok(completions),
            other => Err(unexpected(&other)),
        }
    }

    /// What happened after one place of a room's history and up to another.
    pub async fn summarize(&self, room: RoomId, from: At, to: At) -> Result<Summary, Error> {
        let question = Question::Summarize { room, from, to };
        match self.ask(true, question).await? {
            Answer::Summary { text, facts } => Ok(Summary { text, facts }),
            other => Err(unexpected(&other)),
        }
    }

    /// Opens a room; returns when its text is there. Drop events that you do not need at once.
    pub async fn join(&self, room: RoomId) -> Result<(Room, Events), Error> {
        let replica = Replica::new(&self.welcome.limits, self.welcome.participant);
        let (seat, events, bell) = self.open(room, replica).await?;
        Ok((Room::new(seat, bell, self.clone()), events))
    }

    /// Follows a room's log after a revision, without a replica.
    pub async fn follow(&self, room: RoomId, after: Revision) -> Result<Follower, Error> {
        let replica = Replica::following(&self.welcome.limits, self.welcome.participant, after);
        let (seat, events, bell) = self.open(room, replica).await?;
        Ok(Follower::new(Room::new(seat, bell, self.clone()), events))
    }

    async fn open(&self, room: RoomId, replica: Replica) -> Result<Opened, Error> {
        let (opened, answer) = oneshot::channel();
        self.order(Order::Join { room, replica: Box::new(replica), opened }).await?;
        answer.await.map_err(|_| Error::closed())?
    }

    /// Asks a question. `repeatable`: asking twice does what asking once does.
    async fn ask(&self, repeatable: bool, question: Question) -> Result<Answer, Error> {
        let (answer, answered) = oneshot::channel();
        self.order(Order::Ask(Request { question, repeatable, answer })).await?;
        answered.await.map_err(|_| Error::closed())?
    }

    async fn order(&self, order: Order) -> Result<(), Error> {
        self.orders.send(order).await.map_err(|_| Error::closed())
    }
}

fn unexpected(answer: &Answer) -> Error {
    Error::bad_server(format_args!("another question was answered: {answer:?}"))
}
