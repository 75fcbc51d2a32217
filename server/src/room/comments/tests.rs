use motet_protocol::{access::AccountId, ids::ParticipantId, limits::NAME_BYTES_MAX, room::Author};

use super::*;

fn author(name: &str, account: Option<&str>) -> Author {
    Author { name: name.to_owned(), account: account.map(|account| AccountId::new(account).unwrap()) }
}

fn by(participant: u64, role: Role) -> Actor<'static> {
    Actor { participant: ParticipantId(participant), account: None, role }
}

fn open(start: u64, end: u64, text: &str) -> CommentCommand {
    CommentCommand::Open { start: Scalar(start), end: Scalar(end), text: text.to_owned(), mentions: Vec::new() }
}

fn reply(comment: Revision, text: &str) -> CommentCommand {
    CommentCommand::Reply { comment, text: text.to_owned(), mentions: Vec::new() }
}

/// A room's comments with its text, each entry at the next revision.
#[derive(Default)]
struct Page {
    revision: Revision,
    text: Rope,
    comments: Comments,
}

impl Page {
    fn with(text: &str) -> Self {
        let mut page = Self::default();
        page.edit(Operation::builder().insert(text).build().unwrap());
        page
    }

    fn edit(&mut self, operation: Operation) {
        self.revision += 1;
        operation.apply_to_rope(&mut self.text).unwrap();
        self.comments.map(&operation);
    }

    /// Checks and folds; returns the entry's revision.
    fn does(&mut self, participant: u64, role: Role, command: &CommentCommand) -> Result<Revision, ErrorCode> {
        let len = self.text.len_chars() as u64;
        let checked = self.comments.check(command, &by(participant, role), len, std::iter::empty());
        checked.map_err(|refusal| refusal.code)?;
        self.revision += 1;
        let author = author("Ada", None);
        let (participant, time_ms) = (ParticipantId(participant), self.revision * 10);
        self.comments.fold(
            EntryMeta { revision: self.revision, participant, author: &author, time_ms },
            command,
            &self.text,
        );
        Ok(self.revision)
    }

    fn only(&self) -> Comment {
        let mut all = self.comments.list();
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    fn place(&self) -> (u64, u64) {
        let only = self.only();
        (only.start.0, only.end.0)
    }
}

#[test]
fn a_comment_moves_with_its_text_and_stays_when_that_is_deleted() {
    let mut page = Page::with("one two three");
    page.does(1, Role::Editor, &open(4, 7, "two?")).unwrap();
    page.edit(Operation::builder().insert("zero ").retain(13).build().unwrap());
    assert_eq!(page.place(), (9, 12));
    page.edit(Operation::builder().retain(10).insert("-").retain(8).build().unwrap());
    assert_eq!(page.place(), (9, 13), "what is typed within it belongs to it");
    page.edit(Operation::builder().retain(8).delete(6).retain(5).build().unwrap());
    assert_eq!(page.place(), (8, 8));
    assert_eq!(page.only().on, "two", "it still shows what it was made on");
}

#[test]
fn comments_are_listed_by_their_place() {
    let mut page = Page::with("abcdef");
    for (start, end) in [(4, 5), (0, 1), (2, 6), (2, 3)] {
        page.does(1, Role::Editor, &open(start, end, "x")).unwrap();
    }
    let places: Vec<_> = page.comments.list().iter().map(|comment| (comment.start.0, comment.end.0)).collect();
    assert_eq!(places, [(0, 1), (2, 3), (2, 6), (4, 5)]);
}

#[test]
fn a_comment_is_answered_resolved_and_opened_again() {
    let mut page = Page::with("text");
    let comment = page.does(1, Role::Editor, &open(0, 4, "why?")).unwrap();
    let answer = page.does(2, Role::Editor, &reply(comment, "because")).unwrap();
    page.does(2, Role::Editor, &CommentCommand::Resolve { comment }).unwrap();
    let resolved = page.only().resolved.unwrap();
    assert_eq!(resolved.by, ParticipantId(2));
    page.does(1, Role::Editor, &CommentCommand::Resolve { comment }).unwrap();
    assert_eq!(page.only().resolved, Some(resolved), "who was first stays");
    page.does(1, Role::Editor, &CommentCommand::Reopen { comment }).unwrap();
    assert_eq!(page.only().resolved, None);
    let texts: Vec<_> = page.only().items.iter().map(|item| (item.item, item.text.clone())).collect();
    assert_eq!(texts, [(comment, "why?".to_owned()), (answer, "because".to_owned())]);
}

#[test]
fn only_who_said_it_rewrites_it_and_a_host_takes_it_away_too() {
    let mut page = Page::with("text");
    let comment = page.does(1, Role::Editor, &open(0, 4, "why?")).unwrap();
    let item = page.does(2, Role::Editor, &reply(comment, "because")).unwrap();
    let rewrite = |item| CommentCommand::Rewrite { comment, item, text: "so".to_owned() };
    let delete = |item| CommentCommand::Delete { comment, item };
    assert_eq!(page.does(1, Role::Editor, &rewrite(item)), Err(ErrorCode::Forbidden));
    assert_eq!(page.does(3, Role::Host, &rewrite(item)), Err(ErrorCode::Forbidden), "no host puts words into a mouth");
    assert_eq!(page.does(1, Role::Editor, &delete(item)), Err(ErrorCode::Forbidden));
    page.does(2, Role::Editor, &rewrite(item)).unwrap();
    assert_eq!(page.only().items[1].text, "so");
    page.does(3, Role::Host, &delete(item)).unwrap();
    let gone = &page.only().items[1];
    assert_eq!((gone.text.as_str(), gone.deleted.unwrap().by), ("", ParticipantId(3)));
    assert_eq!(page.does(2, Role::Editor, &rewrite(item)), Err(ErrorCode::NotFound));
    page.does(1, Role::Editor, &delete(comment)).unwrap();
    assert!(page.comments.is_empty() && page.comments.bytes == 0);
    assert_eq!(page.does(1, Role::Editor, &reply(comment, "x")), Err(ErrorCode::NotFound));
}

#[test]
fn another_session_of_the_same_account_is_the_same_author() {
    let (ada, eve) = (AccountId::new("ada").unwrap(), AccountId::new("eve").unwrap());
    let mut comments = Comments::default();
    let author = author("Ada", Some("ada"));
    let meta = EntryMeta { revision: 1, participant: ParticipantId(1), author: &author, time_ms: 1 };
    comments.fold(meta, &open(0, 0, "mine"), &Rope::new());
    let rewrite = CommentCommand::Rewrite { comment: 1, item: 1, text: "still mine".to_owned() };
    let may = |account| {
        let actor = Actor { participant: ParticipantId(2), account, role: Role::Editor };
        comments.check(&rewrite, &actor, 0, std::iter::empty()).is_ok()
    };
    assert!(may(Some(&ada)) && !may(Some(&eve)) && !may(None));
}

#[test]
fn nonsense_is_refused() {
    let mut page = Page::with("text");
    let comment = page.does(1, Role::Editor, &open(0, 0, "here")).unwrap();
    for (command, code) in [
        (open(0, 5, "beyond the end"), ErrorCode::BadArgument),
        (open(3, 2, "backwards"), ErrorCode::BadArgument),
        (open(u64::MAX, u64::MAX, "far away"), ErrorCode::BadArgument),
        (open(0, 1, ""), ErrorCode::BadArgument),
        (open(0, 1, &"x".repeat(MESSAGE_BYTES_MAX + 1)), ErrorCode::BadArgument),
        (reply(comment + 1, "x"), ErrorCode::NotFound),
        (CommentCommand::Resolve { comment: 0 }, ErrorCode::NotFound),
        (CommentCommand::Delete { comment, item: 99 }, ErrorCode::NotFound),
    ] {
        assert_eq!(page.does(1, Role::Host, &command), Err(code), "{command:?}");
    }
}

#[test]
fn every_limit_is_told_and_what_waits_for_the_log_counts() {
    let mut page = Page::with("text");
    let first = page.does(1, Role::Editor, &open(0, 1, "x")).unwrap();
    for _ in 1..COMMENTS_MAX {
        page.does(1, Role::Editor, &open(0, 1, "x")).unwrap();
    }
    assert_eq!(page.does(1, Role::Editor, &open(0, 1, "x")), Err(ErrorCode::LimitReached));
    for _ in 0..REPLIES_MAX {
        page.does(1, Role::Editor, &reply(first, "x")).unwrap();
    }
    assert_eq!(page.does(1, Role::Editor, &reply(first, "x")), Err(ErrorCode::LimitReached));

    let page = Page::with("text");
    let waiting = vec![open(0, 1, "x"); COMMENTS_MAX];
    let checked = page.comments.check(&open(0, 1, "x"), &by(1, Role::Editor), 4, waiting.iter());
    assert_eq!(checked.unwrap_err().code, ErrorCode::LimitReached);

    let mut page = Page::with("text");
    let long = "x".repeat(MESSAGE_BYTES_MAX);
    let comment = page.does(1, Role::Editor, &open(0, 1, &long)).unwrap();
    while page.does(1, Role::Editor, &reply(comment, &long)).is_ok() {}
    assert!(page.only().items.len() < REPLIES_MAX, "the bytes of one comment are what stops it");
    assert!(codec::encode(&page.only()).len() <= COMMENT_BYTES_MAX);
    while page.does(1, Role::Editor, &open(0, 1, &long)).is_ok() {}
    assert!(page.comments.len() < COMMENTS_MAX, "the bytes of all comments are what stops it");
    assert!(page.comments.encode().len() <= COMMENTS_BYTES_MAX);
}

#[test]
fn what_is_counted_is_no_less_than_what_is_encoded() {
    let mut comments = Comments::default();
    let author = author(&"n".repeat(NAME_BYTES_MAX), Some(&"a".repeat(128)));
    let meta =
        EntryMeta { revision: u64::MAX, participant: ParticipantId(u64::MAX), author: &author, time_ms: u64::MAX };
    let mentions = vec![Member::Account(author.account.clone().unwrap()), Member::Participant(ParticipantId(u64::MAX))];
    let (start, end) = (Scalar(0), Scalar(300));
    let open = CommentCommand::Open { start, end, text: "é".to_owned(), mentions };
    comments.fold(meta, &open, &Rope::from_str(&"é".repeat(300)));
    let actor = Actor { participant: meta.participant, account: author.account.as_ref(), role: Role::Editor };
    assert!(comments.encode().len() <= comments.bytes);
    assert!(comments.bytes <= added_bytes(&open, &actor), "what is announced before is no less");
}

#[test]
fn a_snapshot_gives_the_same_comments_back() {
    let mut page = Page::with("some text");
    let comment = page.does(1, Role::Editor, &open(0, 4, "é")).unwrap();
    page.does(2, Role::Editor, &reply(comment, "yes")).unwrap();
    page.does(2, Role::Editor, &CommentCommand::Resolve { comment }).unwrap();
    page.does(1, Role::Editor, &open(5, 9, "later")).unwrap();
    let bytes = page.comments.encode();
    assert_eq!(Comments::decode(&bytes).unwrap(), page.comments);
    let second = 4 + u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
    for cut in (1..bytes.len()).filter(|cut| *cut != second) {
        assert!(Comments::decode(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    let turned = [&bytes[second..], &bytes[..second]].concat();
    assert!(Comments::decode(&turned).is_err());
}
