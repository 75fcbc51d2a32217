//! Questions and their answers.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Entry;
use crate::{
    access::AccountId,
    chat::ChatMessage,
    comment::Comment,
    ids::{Revision, RoomId, UnixMs},
    ot::Scalar,
    room::{RoleOf, RoomFilter, RoomInfo, RoomSettings, SettingsPatch, Version},
};

/// A question, as [`ClientMessage::Ask`](super::ClientMessage::Ask) puts it. The server looks the answer up beside the
/// connection's other messages; an error about the request's number can take the place of every answer.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Question {
    /// Makes a room. Answered by [`Answer::Created`].
    CreateRoom {
        /// The room's name, or none for a new UUID.
        #[serde(default)]
        room: Option<RoomId>,
        /// The room's first settings; they become its first entry, unless they are empty.
        #[serde(default)]
        settings: Box<SettingsPatch>,
    },
    /// Deletes a room with its history. Answered by [`Answer::Deleted`].
    DeleteRoom {
        /// The room to delete.
        room: RoomId,
    },
    /// Lists the rooms that the caller may see, by name. Answered by [`Answer::Rooms`].
    ListRooms {
        /// Which rooms.
        #[serde(default)]
        filter: Box<RoomFilter>,
        /// The last room of the page before; the list goes on after it.
        #[serde(default)]
        after: Option<RoomId>,
        /// At most this many rooms, 1 to [`PAGE_MAX`](crate::limits::PAGE_MAX).
        limit: u32,
    },
    /// Asks about one room. Answered by [`Answer::Room`].
    ShowRoom {
        /// The room to describe.
        room: RoomId,
    },
    /// Reads the text. Answered by one or more [`Answer::Text`].
    ReadText {
        /// The room to read.
        room: RoomId,
        /// The place in history to read at.
        at: At,
    },
    /// Reads a page of the log. Answered by [`Answer::Log`].
    ReadLog {
        /// The room to read.
        room: RoomId,
        /// The first revision of the page, from 1.
        from: Revision,
        /// At most this many entries, 1 to [`PAGE_MAX`](crate::limits::PAGE_MAX); fewer come where they are large.
        limit: u32,
    },
    /// Asks for the hash of the text, to check a replica. Answered by [`Answer::Hash`].
    HashText {
        /// The room to hash.
        room: RoomId,
        /// The place in history to hash at.
        at: At,
    },
    /// Reads a room's settings and roles. Answered by [`Answer::Settings`].
    ReadSettings {
        /// The room to read.
        room: RoomId,
        /// The place in history to read at.
        at: At,
    },
    /// Reads the named versions of a room. Answered by [`Answer::Versions`].
    ReadVersions {
        /// The room to read.
        room: RoomId,
    },
    /// Reads a page of the chat, the newest message first. Answered by [`Answer::Chat`].
    ReadChat {
        /// The room to read.
        room: RoomId,
        /// The page holds messages from before this revision.
        #[serde(default)]
        before: Option<Revision>,
        /// With it, the page holds the replies to this message, without the message itself; else the messages that are no
        /// replies.
        #[serde(default)]
        thread: Option<Revision>,
        /// The place in history: messages come as they stood then.
        #[serde(default)]
        at: At,
        /// At most this many messages, 1 to [`PAGE_MAX`](crate::limits::PAGE_MAX); fewer come where they are large.
        limit: u32,
    },
    /// Reads the comments by their position. Answered by one or more [`Answer::Comments`].
    ReadComments {
        /// The room to read.
        room: RoomId,
        /// The place in history to read at.
        at: At,
    },
    /// Notes that the caller's account has read the chat up to a message. Answered by [`Answer::Marked`].
    MarkRead {
        /// The room of the chat.
        room: RoomId,
        /// The newest message that was read.
        message: Revision,
    },
    /// Subscribes to the list of rooms. Answered by [`Answer::Rooms`] with the first page, then by [`Answer::RoomChanged`] and
    /// [`Answer::RoomGone`] until `UnwatchRooms`.
    WatchRooms {
        /// Which rooms.
        #[serde(default)]
        filter: Box<RoomFilter>,
    },
    /// Ends the `WatchRooms` that was asked with the same number. Not answered.
    UnwatchRooms {},
    /// Asks for credentials of the TURN server for calls. Answered by [`Answer::Turn`].
    TurnCredentials {},
    /// Asks how the text before a position might go on. Answered by [`Answer::Completions`].
    Complete {
        /// The room of the text.
        room: RoomId,
        /// The revision that `position` is based on.
        base: Revision,
        /// Where the completion is wanted.
        position: Scalar,
        /// At most this many completions, 1 to [`COMPLETIONS_MAX`](crate::limits::COMPLETIONS_MAX).
        limit: u32,
    },
    /// Asks what happened in a room after one place in history and up to another. Answered by [`Answer::Summary`].
    Summarize {
        /// The room to summarize.
        room: RoomId,
        /// The span begins after this place.
        from: At,
        /// The span ends with this place.
        to: At,
    },
}

/// An answer, as [`ServerMessage::Answer`](super::ServerMessage::Answer) brings it.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Answer {
    /// A room was made.
    Created {
        /// The new room.
        room: Box<RoomInfo>,
    },
    /// A room was deleted.
    Deleted {
        /// The name that is free now.
        room: RoomId,
    },
    /// A page of rooms.
    Rooms {
        /// The rooms, by name.
        rooms: Vec<RoomInfo>,
        /// What to ask with as `after` for the next page, if there is one.
        next: Option<RoomId>,
    },
    /// What the caller may know of one room.
    Room {
        /// The room that was asked about.
        room: Box<RoomInfo>,
    },
    /// A piece of a text, at most 64 KiB; the last one may be empty.
    Text {
        /// The revision of the whole text.
        revision: Revision,
        /// The next piece.
        text: String,
        /// Whether this is the last piece.
        #[serde(default, skip_serializing_if = "is_false")]
        last: bool,
    },
    /// A page of the log.
    Log {
        /// The entries, without gaps.
        entries: Vec<Entry>,
        /// The newest committed revision: there are more pages where the last entry is below it.
        head: Revision,
    },
    /// The hash of a text.
    Hash {
        /// The revision of the text.
        revision: Revision,
        /// CRC-32 (IEEE 802.3, as zlib's) of its UTF-8 bytes.
        crc32: u32,
        /// Its length in UTF-8 bytes.
        bytes: u64,
    },
    /// A room's settings and roles.
    Settings {
        /// The revision that they are of.
        revision: Revision,
        /// All settings.
        settings: Box<RoomSettings>,
        /// The account that made the room, if an account did.
        owner: Option<AccountId>,
        /// Every decision on a member.
        roles: Vec<RoleOf>,
    },
    /// The named versions of a room.
    Versions {
        /// The versions, by revision.
        versions: Vec<Version>,
    },
    /// A page of the chat, the newest message first.
    Chat {
        /// The messages as they stand at the place in history.
        messages: Vec<ChatMessage>,
        /// Whether there are older ones.
        more: bool,
    },
    /// Comments by their position: all of them, in one or more of these.
    Comments {
        /// The revision that their positions are based on.
        revision: Revision,
        /// The next comments.
        comments: Vec<Comment>,
        /// Whether these are the last ones.
        #[serde(default, skip_serializing_if = "is_false")]
        last: bool,
    },
    /// The read mark is set.
    Marked {
        /// Messages that are still unread.
        unread: u64,
    },
    /// A room came into a list that is followed, or changed.
    RoomChanged {
        /// The room as it is now.
        room: Box<RoomInfo>,
    },
    /// A room went out of a list that is followed.
    RoomGone {
        /// The room's name.
        room: RoomId,
    },
    /// Credentials of the TURN server for calls.
    Turn {
        /// The TURN server's addresses (`turn:…`).
        urls: Vec<String>,
        /// The user name.
        username: String,
        /// The password.
        credential: String,
        /// When the TURN server stops taking them.
        expires_ms: UnixMs,
    },
    /// How the text before a position might go on.
    Completions {
        /// The revision that the completions are based on.
        revision: Revision,
        /// The completions, the best first.
        completions: Vec<Completion>,
    },
    /// What happened in a span of the log.
    Summary {
        /// For people.
        text: String,
        /// For programs: a JSON object, described in docs/assist.md.
        facts: String,
    },
}

/// Most pieces are not the last one; JSON marks only the last.
pub(super) fn is_false(value: &bool) -> bool {
    !value
}

/// A place in a room's history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// The newest committed revision.
    #[default]
    Head,
    /// This revision.
    Revision(Revision),
    /// The last revision at or before this time.
    Time(UnixMs),
}

/// One way for a text to go on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Completion {
    /// How a list shows it.
    pub label: String,
    /// Where it comes from.
    pub kind: CompletionKind,
    /// Where the text that it replaces begins; that text ends at the position of the question.
    pub from: Scalar,
    /// The text to put there.
    pub insert: String,
    /// A remark for people; may be empty.
    pub detail: String,
}

/// Where a completion comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompletionKind {
    /// A word of the text.
    Word,
    /// A word of the language.
    Keyword,
    /// A pattern of the language.
    Snippet,
    /// A provider's proposal.
    Proposal,
}
