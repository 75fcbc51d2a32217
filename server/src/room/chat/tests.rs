use motet_protocol::{
    access::{AccountId, Member},
    chat::ChatMessage,
    codec,
    ids::ParticipantId,
    limits::{MENTIONS_MAX, MESSAGE_BYTES_MAX, REACTION_PARTICIPANTS_MAX, REACTIONS_GIVEN_MAX, REACTIONS_MAX},
    room::Author,
};

use super::*;
use crate::room::actor::EntryMeta;

fn by(participant: u64, role: Role) -> Actor<'static> {
    Actor { participant: ParticipantId(participant), account: None, role }
}

fn say(text: &str) -> ChatCommand {
    ChatCommand::Say { text: text.to_owned(), thread: None, quote: None, mentions: Vec::new() }
}

fn rewrite(text: &str) -> ChatCommand {
    ChatCommand::Rewrite { message: 1, text: text.to_owned(), mentions: Vec::new() }
}

fn react(emoji: &str, on: bool) -> ChatCommand {
    ChatCommand::React { message: 1, emoji: emoji.to_owned(), on }
}

const DELETE: ChatCommand = ChatCommand::Delete { message: 1 };

/// A message of participant 1, said at revision 1, and what came after.
struct History {
    record: Record,
    revision: Revision,
    author: Author,
}

impl History {
    fn of(text: &str) -> Self {
        let author = Author::default();
        let meta = EntryMeta { revision: 1, participant: ParticipantId(1), author: &author, time_ms: 10 };
        let record = Record::new(Said { meta, text, mentions: &[], quote: None, thread: None, ordinal: 1 });
        Self { record, revision: 1, author }
    }

    fn does(&mut self, participant: u64, command: &ChatCommand) -> Result<Revision, ErrorCode> {
        check(command, &by(participant, Role::Editor), Some(&self.record), self.revision).map_err(|no| no.code)?;
        Ok(self.folds(participant, command))
    }

    fn folds(&mut self, participant: u64, command: &ChatCommand) -> Revision {
        self.revision += 1;
        let participant = ParticipantId(participant);
        let meta =
            EntryMeta { revision: self.revision, participant, author: &self.author, time_ms: self.revision * 10 };
        self.record.fold(meta, command);
        self.revision
    }

    fn now(&self) -> ChatMessage {
        self.record.at(self.revision)
    }
}

fn reactions(message: &ChatMessage) -> Vec<(String, Vec<u64>)> {
    let people = |people: &[ParticipantId]| people.iter().map(|id| id.0).collect();
    message.reactions.iter().map(|given| (given.emoji.clone(), people(&given.participants))).collect()
}

#[test]
fn a_message_is_told_as_it_stood_at_each_revision() {
    let mut history = History::of("helo");
    let mended = history.does(1, &rewrite("hello")).unwrap();
    let liked = history.does(2, &react("👍", true)).unwrap();
    let unliked = history.does(2, &react("👍", false)).unwrap();
    let deleted = history.does(1, &DELETE).unwrap();
    let at = |revision| history.record.at(revision);
    assert_eq!((at(1).text.as_str(), at(1).rewritten_ms), ("helo", None));
    assert_eq!((at(mended).text.as_str(), at(mended).rewritten_ms), ("hello", Some(mended * 10)));
    assert_eq!(reactions(&at(mended)), []);
    assert_eq!(reactions(&at(liked)), [("👍".to_owned(), vec![2])]);
    assert_eq!(reactions(&at(unliked)), []);
    assert_eq!(at(unliked).deleted, None);
    assert_eq!((at(deleted).text.as_str(), at(deleted).deleted.unwrap().by), ("", ParticipantId(1)));
}

#[test]
fn folding_a_part_of_the_log_again_changes_nothing() {
    let mut history = History::of("a");
    let commands = [rewrite("b"), react("🎉", true), react("🎉", false), react("🎉", true), rewrite("c"), DELETE];
    for command in &commands {
        history.folds(1, command);
    }
    assert_eq!(history.record.fold_reply(20), 1);
    let before = history.record.clone();
    history.revision = 1;
    for command in &commands {
        history.folds(1, command);
    }
    assert_eq!(history.record.fold_reply(20), 1);
    assert_eq!(history.record, before);
}

#[test]
fn only_who_said_it_rewrites_it_and_a_host_takes_it_away_too() {
    let history = History::of("mine");
    let may = |command: &ChatCommand, participant, role| {
        check(command, &by(participant, role), Some(&history.record), 1).map_err(|no| no.code)
    };
    assert_eq!(may(&rewrite("x"), 2, Role::Host), Err(ErrorCode::Forbidden));
    assert_eq!(may(&DELETE, 2, Role::Editor), Err(ErrorCode::Forbidden));
    assert_eq!(may(&DELETE, 2, Role::Host), Ok(()));
    assert_eq!(may(&rewrite("x"), 1, Role::Editor), Ok(()));
}

#[test]
fn nonsense_is_refused() {
    let mut history = History::of("x");
    let quote = |revision, start, end| {
        let quote = Some(Quote { revision, start, end });
        ChatCommand::Say { text: "x".to_owned(), thread: None, quote, mentions: Vec::new() }
    };
    for (command, code) in [
        (say(""), ErrorCode::BadArgument),
        (say(&"x".repeat(MESSAGE_BYTES_MAX + 1)), ErrorCode::BadArgument),
        (rewrite(""), ErrorCode::BadArgument),
        (quote(1, 3, 2), ErrorCode::BadArgument),
        (quote(2, 0, 1), ErrorCode::BadArgument),
        (react("", true), ErrorCode::BadArgument),
        (react("👍 👍", true), ErrorCode::BadArgument),
        (react(&"👍".repeat(13), true), ErrorCode::BadArgument),
        (ChatCommand::Delete { message: 2 }, ErrorCode::NotFound),
    ] {
        assert_eq!(history.does(1, &command), Err(code), "{command:?}");
    }
    assert_eq!(check(&DELETE, &by(1, Role::Host), None, 1).unwrap_err().code, ErrorCode::NotFound);
    history.does(1, &DELETE).unwrap();
    for command in [rewrite("x"), DELETE, react("👍", true)] {
        assert_eq!(history.does(1, &command), Err(ErrorCode::NotFound), "{command:?} of what is gone");
    }
}

#[test]
fn reactions_are_counted_once_each_and_have_limits() {
    let mut history = History::of("x");
    for participant in 0..REACTION_PARTICIPANTS_MAX as u64 {
        history.does(participant, &react("👍", true)).unwrap();
        history.does(participant, &react("👍", true)).unwrap();
    }
    assert_eq!(history.now().reactions[0].participants.len(), REACTION_PARTICIPANTS_MAX);
    assert_eq!(history.does(9_999, &react("👍", true)), Err(ErrorCode::LimitReached));
    for other in 1..REACTIONS_MAX {
        history.does(1, &react(&format!("e{other}"), true)).unwrap();
    }
    assert_eq!(history.does(1, &react("one-more", true)), Err(ErrorCode::LimitReached));
    history.does(1, &react("e1", false)).unwrap();
    history.does(1, &react("one-more", true)).unwrap();
    let mut given = history.now().reactions.iter().map(|reaction| reaction.participants.len()).sum::<usize>();
    assert_eq!(history.now().reactions.len(), REACTIONS_MAX);
    while history.does(given as u64 + 10_000, &react("e2", true)).is_ok() {
        given += 1;
    }
    assert_eq!(given, REACTIONS_GIVEN_MAX.min(REACTION_PARTICIPANTS_MAX * 2 + REACTIONS_MAX - 2));
}

#[test]
fn the_largest_record_fits_a_value_of_the_store() {
    const VALUE_BYTES_MAX: usize = 64 * 1024;
    let account = AccountId::new(&"a".repeat(128)).unwrap();
    let mut history = History::of("x");
    history.author = Author { name: "n".repeat(256), account: Some(account.clone()) };
    history.revision = u64::MAX / 16;
    let mentions = vec![Member::Account(account); MENTIONS_MAX];
    let text = "x".repeat(MESSAGE_BYTES_MAX);
    for _ in 0..8 {
        history.folds(1, &ChatCommand::Rewrite { message: 1, text: text.clone(), mentions: mentions.clone() });
    }
    let emoji: Vec<String> = (0..REACTIONS_MAX).map(|n| format!("{n:02}{}", "👍".repeat(11))).collect();
    for n in 0..4 * REACTIONS_GIVEN_MAX as u64 {
        history.folds(u64::MAX - n, &react(&emoji[n as usize % REACTIONS_MAX], true));
        if n % 2 == 0 {
            history.folds(u64::MAX - n, &react(&emoji[n as usize % REACTIONS_MAX], false));
        }
    }
    let bytes = codec::encode(&history.record).len();
    assert!((32 * 1024..=VALUE_BYTES_MAX).contains(&bytes), "it has {bytes} bytes");
    assert_eq!(history.now().text, text);
}

#[test]
fn a_room_knows_its_newest_message_and_how_many_there_were() {
    let mut chat = Chat::default();
    assert_eq!((chat.count(), chat.last(), chat.first_after(0)), (0, None, None));
    chat.fold(3, 30, &say(&"é".repeat(PREVIEW_BYTES_MAX)));
    assert_eq!(chat.last().unwrap().beginning, "é".repeat(PREVIEW_BYTES_MAX / 2));
    chat.fold(5, 50, &say("second"));
    chat.fold(6, 60, &ChatCommand::Rewrite { message: 5, text: "2nd".to_owned(), mentions: Vec::new() });
    chat.fold(7, 70, &ChatCommand::Delete { message: 3 });
    assert_eq!(chat.last(), Some(&Last { message: 5, time_ms: 50, beginning: "2nd".to_owned() }));
    chat.fold(8, 80, &ChatCommand::Delete { message: 5 });
    chat.fold(9, 90, &ChatCommand::Rewrite { message: 5, text: "again".to_owned(), mentions: Vec::new() });
    assert_eq!((chat.count(), chat.last().unwrap().beginning.as_str()), (2, ""));
}

#[test]
fn what_a_crash_left_to_do_begins_where_it_should() {
    let mut chat = Chat::default();
    for revision in (10..1_000).step_by(10) {
        chat.fold(revision, revision, &say("x"));
    }
    assert_eq!(chat.first_after(980), Some(990));
    assert_eq!(chat.first_after(985), Some(990));
    assert_eq!(chat.first_after(990), None);
    assert_eq!(chat.first_after(5_000), None);
    let oldest = 990 - 10 * (RECENT_MAX as u64 - 1);
    assert_eq!(chat.first_after(oldest), Some(oldest + 10));
    assert_eq!(chat.first_after(oldest - 1), Some(oldest), "nothing can have been in between");
    assert_eq!(chat.first_after(0), Some(1), "more than is remembered");
}
