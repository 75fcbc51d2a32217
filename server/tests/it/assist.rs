//! Completion and summaries, asked for over a real socket.

use crate::harness::{Server, id, insert};
use motet_protocol::{
    error::ErrorCode,
    message::{Answer, At, ClientMessage, CompletionKind, Question, ServerMessage},
    ot::Scalar,
    room::SettingsPatch,
};

#[test]
fn a_word_that_was_begun_is_completed_where_it_stands_by_now() {
    let server = Server::start(&["--store", "memory"]);
    let mut peer = server.peer_in("lobby");
    let settings = SettingsPatch { language: Some("rust".into()), ..SettingsPatch::default() };
    peer.say(&ClientMessage::Ask {
        request: 1,
        question: Question::CreateRoom { room: Some(id("main")), settings: Box::new(settings) },
    });
    assert!(matches!(peer.hear(), ServerMessage::Answer { answer: Answer::Created { .. }, .. }));
    let (head, _) = peer.join(2, "main");
    peer.seq = 0;
    let base = peer.edit(2, head, insert(0, "fn measure() {}\nmea", 0));
    let later = peer.edit(2, base, insert(0, "// ", 19));
    let mut ask = |base, position, limit| {
        let position = Scalar(position);
        peer.say(&ClientMessage::Ask {
            request: 7,
            question: Question::Complete { room: id("main"), base, position, limit },
        });
        peer.hear()
    };
    let ServerMessage::Answer { answer: Answer::Completions { revision, completions, .. }, .. } = ask(base, 19, 5)
    else {
        panic!()
    };
    assert_eq!(revision, later);
    let first = &completions[0];
    assert_eq!((first.label.as_str(), first.kind, first.from), ("measure", CompletionKind::Word, Scalar(19)));
    for (base, limit, code) in [(later + 1, 5, ErrorCode::RevisionUnknown), (base, 0, ErrorCode::BadArgument)] {
        let ServerMessage::Error(error) = ask(base, 0, limit) else { panic!() };
        assert_eq!(error.code, code);
    }
    // A position behind the end is the end.
    assert!(matches!(ask(later, u64::MAX, 5), ServerMessage::Answer { answer: Answer::Completions { .. }, .. }));
}

#[test]
fn what_happened_in_a_span_is_told_for_people_and_for_programs() {
    let server = Server::start(&["--store", "memory"]);
    let mut peer = server.peer_in("demo");
    peer.edit(1, 0, insert(0, "one\n", 0));
    peer.edit(1, 1, insert(4, "two\n", 4));
    let mut ask = |from, to| {
        peer.say(&ClientMessage::Ask { request: 8, question: Question::Summarize { room: id("demo"), from, to } });
        peer.hear()
    };
    let ServerMessage::Answer { answer: Answer::Summary { text, facts, .. }, .. } = ask(At::Revision(1), At::Head)
    else {
        panic!()
    };
    assert!(!text.is_empty());
    let facts: serde_json::Value = serde_json::from_str(&facts).unwrap();
    assert_eq!(facts["changes"]["inserted"], 4, "{facts}");
    let ServerMessage::Error(error) = ask(At::Head, At::Revision(1)) else { panic!() };
    assert_eq!(error.code, ErrorCode::BadArgument);
}
