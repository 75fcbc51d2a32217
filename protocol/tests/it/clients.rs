//! Several clients, each with the real state machine, against the smallest server there can be: all reach the same text,
//! whatever is lost on the way. Every failure names its seed; `MOTET_SEED=n` runs that one alone.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicUsize, Ordering},
};

use motet_protocol::{
    chat::ChatCommand,
    client::{Client, ClientError, NotTaken, Outgoing, State},
    comment::CommentCommand,
    ids::{Revision, Seq},
    limits::{COMMANDS_WAITING_MAX, EDIT_BYTES_MAX, EDIT_COMPONENTS_MAX, Limits},
    message::Command,
    ot::{
        Operation,
        position::{Bias, Scalar},
    },
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use ropey::Rope;

/// What a server says to one client.
enum Told {
    Entry(Revision, Command),
    Ack(Seq, Revision),
    TooLarge(Seq),
    Refused(Seq),
}

/// An ordered log, transforming one by one, with every submit taken once.
#[derive(Default)]
struct Server {
    text: Rope,
    log: Vec<(usize, Seq, Command)>,
    /// What an entry may have at most, in components and in inserted bytes.
    limits: Limits,
    /// How many submits were refused for that.
    refused: usize,
}

impl Server {
    /// Returns the answer to a submit that is refused, or was taken before; else it is in the log.
    fn submit(&mut self, client: usize, submit: &Outgoing) -> Option<Told> {
        let mut command = submit.command.clone();
        for (at, (by, seq, entry)) in self.log.iter().enumerate().skip(submit.base as usize) {
            if (*by, *seq) == (client, submit.seq) {
                assert_eq!(command, *entry, "a submit sent again has become what is in the log");
                return Some(Told::Ack(submit.seq, at as Revision + 1));
            }
            if let Some(operation) = entry.operation() {
                command.move_over(operation).unwrap();
            }
        }
        if let Some(operation) = command.operation() {
            if operation.component_count() > self.limits.operation_components_max as usize
                || operation.inserted_bytes() as u64 > self.limits.edit_bytes_max
            {
                self.refused += 1;
                return Some(Told::TooLarge(submit.seq));
            }
            operation.apply_to_rope(&mut self.text).unwrap();
        }
        if command == said(REFUSED) {
            return Some(Told::Refused(submit.seq));
        }
        let last = self.log.iter().filter(|(by, ..)| *by == client).count() as Seq;
        assert_eq!(submit.seq, last + 1, "seqs are dense");
        self.log.push((client, submit.seq, command));
        None
    }
}

/// What the server refuses to be told.
const REFUSED: &str = "refused";

fn said(text: &str) -> Command {
    let text = text.to_owned();
    Command::Chat(Box::new(ChatCommand::Say { text, thread: None, quote: None, mentions: Vec::new() }))
}

fn commented(range: std::ops::Range<u64>, text: &str) -> Command {
    let (start, end, text) = (Scalar(range.start), Scalar(range.end), text.to_owned());
    Command::Comment(Box::new(CommentCommand::Open { start, end, text, mentions: Vec::new() }))
}

struct Editor {
    client: Client,
    text: Rope,
    cursor: Scalar,
    connected: bool,
    /// How much of the log was put in `inbox`.
    told: usize,
    inbox: VecDeque<Told>,
    outbox: VecDeque<Outgoing>,
    /// The commands other than edits that it has done, in order, without those that were refused.
    done: Vec<Command>,
}

struct Session {
    server: Server,
    editors: Vec<Editor>,
}

impl Session {
    fn new(text: &str, editors: usize, limits: Limits) -> Self {
        let start = Operation::builder().insert(text).build().unwrap();
        let server =
            Server { text: Rope::from_str(text), log: vec![(usize::MAX, 1, Command::Edit(start))], limits, refused: 0 };
        let editor = || {
            let mut client = Client::new(1, 0);
            client.set_limits(&server.limits);
            let (inbox, outbox, done) = (VecDeque::new(), VecDeque::new(), Vec::new());
            let text = server.text.clone();
            Editor { client, text, cursor: Scalar(0), connected: true, told: 1, inbox, outbox, done }
        };
        Self { editors: (0..editors).map(|_| editor()).collect(), server }
    }

    fn edit(&mut self, who: usize, operation: Operation) {
        let editor = &mut self.editors[who];
        operation.apply_to_rope(&mut editor.text).unwrap();
        let outgoing = editor.client.edit(operation).unwrap();
        editor.outbox.extend(outgoing.filter(|_| editor.connected));
    }

    fn command(&mut self, who: usize, command: Command) {
        let editor = &mut self.editors[who];
        let outgoing = editor.client.command(command.clone()).unwrap();
        editor.outbox.extend(outgoing.filter(|_| editor.connected));
        if command != said(REFUSED) {
            editor.done.push(command);
        }
    }

    /// The server reads one submit of this client.
    fn upload(&mut self, who: usize) {
        if let Some(submit) = self.editors[who].outbox.pop_front() {
            let answer = self.server.submit(who, &submit);
            self.download_entries(who);
            self.editors[who].inbox.extend(answer);
        }
    }

    /// What was logged since goes on its way to this client.
    fn download_entries(&mut self, who: usize) {
        let editor = &mut self.editors[who];
        for (at, (by, seq, command)) in self.server.log.iter().enumerate().skip(editor.told) {
            let revision = at as Revision + 1;
            let own = *by == who;
            editor.inbox.push_back(if own {
                Told::Ack(*seq, revision)
            } else {
                Told::Entry(revision, command.clone())
            });
        }
        editor.told = self.server.log.len();
    }

    /// This client reads one message.
    fn read(&mut self, who: usize) {
        let editor = &mut self.editors[who];
        let outgoing = match editor.inbox.pop_front() {
            None => None,
            Some(Told::Entry(revision, Command::Edit(operation))) => {
                let operation = editor.client.remote(revision, &operation).unwrap();
                operation.apply_to_rope(&mut editor.text).unwrap();
                editor.cursor = operation.map_position(editor.cursor, Bias::Before);
                None
            }
            Some(Told::Entry(revision, _)) => {
                editor.client.pass(revision).unwrap();
                None
            }
            Some(Told::Refused(seq)) => {
                assert_eq!(editor.client.refused(seq).unwrap(), Some(said(REFUSED)));
                editor.client.outgoing()
            }
            Some(Told::Ack(seq, revision)) => editor.client.acknowledged(seq, revision).unwrap(),
            Some(Told::TooLarge(seq)) => Some(editor.client.too_large(seq).unwrap().expect("it can be smaller")),
        };
        editor.outbox.extend(outgoing);
    }

    /// Everything under way in both directions is lost.
    fn disconnect(&mut self, who: usize) {
        let editor = &mut self.editors[who];
        editor.connected = false;
        editor.inbox.clear();
        editor.outbox.clear();
    }

    /// The client catches up from its revision, then sends again what is outstanding.
    fn reconnect(&mut self, who: usize) {
        let editor = &mut self.editors[who];
        editor.connected = true;
        editor.told = editor.client.revision() as usize;
        self.download_entries(who);
        while !self.editors[who].inbox.is_empty() {
            self.read(who);
        }
        let editor = &mut self.editors[who];
        // Reading an acknowledgement may have put the next submit there already.
        editor.outbox.clear();
        editor.outbox.extend(editor.client.outgoing());
    }

    fn settle(&mut self) {
        for who in 0..self.editors.len() {
            if !self.editors[who].connected {
                self.reconnect(who);
            }
        }
        for _ in 0..100_000 {
            for who in 0..self.editors.len() {
                self.upload(who);
                self.download_entries(who);
                while !self.editors[who].inbox.is_empty() {
                    self.read(who);
                }
            }
            let head = self.server.log.len() as Revision;
            let quiet =
                |editor: &Editor| *editor.client.state() == State::Synchronized && editor.client.revision() == head;
            if self.editors.iter().all(quiet) {
                return;
            }
        }
        panic!("a client is stuck");
    }

    fn assert_converged(&self) {
        for (who, editor) in self.editors.iter().enumerate() {
            assert_eq!(editor.text, self.server.text, "client {who} holds the server's text");
            assert_eq!(editor.client.revision(), self.server.log.len() as Revision);
            let seqs = self.server.log.iter().filter(|(by, ..)| *by == who).map(|(_, seq, _)| *seq);
            assert!(seqs.eq(1..=editor.client.seq()), "every submit of client {who} is in the log once, in order");
            let logged = self.server.log.iter().filter(|(by, ..)| *by == who);
            let logged =
                logged.filter(|(.., command)| command.operation().is_none()).map(|(.., command)| words(command));
            assert!(logged.eq(editor.done.iter().map(words)), "what client {who} did is there in its order");
        }
    }
}

/// What a command says, wherever it stands.
fn words(command: &Command) -> &str {
    match command {
        Command::Chat(chat) => match &**chat {
            ChatCommand::Say { text, .. } => text,
            other => panic!("{other:?}"),
        },
        Command::Comment(comment) => match &**comment {
            CommentCommand::Open { text, .. } => text,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn random_operation(random: &mut StdRng, text: &Rope, large: bool) -> Operation {
    let mut operation = Operation::builder();
    let mut rest = text.len_chars() as u64;
    for _ in 0..if large { random.random_range(1..20) } else { 1 } {
        let retained = random.random_range(0..=rest);
        operation = operation.retain(retained);
        rest -= retained;
        if random.random_bool(0.6) {
            let length = random.random_range(1..if large { 20 } else { 3 });
            operation = operation.insert(&"aß😀\n".repeat(5).chars().take(length).collect::<String>());
        } else {
            let deleted = random.random_range(0..=rest.min(5));
            operation = operation.delete(deleted);
            rest -= deleted;
        }
    }
    operation.retain(rest).build().unwrap()
}

/// Runs a test with many seeds, or with the one that is asked for.
fn with_seeds(count: u64, test: impl Fn(&mut StdRng) + std::panic::RefUnwindSafe) {
    let asked = std::env::var("MOTET_SEED").ok().and_then(|seed| seed.parse().ok());
    for seed in asked.map_or(0..count, |seed: u64| seed..seed + 1) {
        let run = std::panic::catch_unwind(|| test(&mut StdRng::seed_from_u64(seed)));
        if let Err(panic) = run {
            eprintln!("MOTET_SEED={seed} brings this failure back");
            std::panic::resume_unwind(panic);
        }
    }
}

/// Returns how many submits were refused as too large.
fn random_session(random: &mut StdRng, limits: Limits, large: f64) -> usize {
    let editors = random.random_range(2..5);
    let mut session = Session::new("The quick brown ß😀", editors, limits);
    for step in 0..random.random_range(5..120) {
        let who = random.random_range(0..editors);
        match random.random_range(0..13) {
            0..4 => {
                let large = random.random_bool(large);
                let operation = random_operation(random, &session.editors[who].text, large);
                session.edit(who, operation);
            }
            4..7 => session.upload(who),
            7..10 if session.editors[who].connected => {
                session.download_entries(who);
                session.read(who);
            }
            10 => session.disconnect(who),
            11 => {
                let len = session.editors[who].text.len_chars() as u64;
                let start = random.random_range(0..=len);
                let range = start..random.random_range(start..=len);
                let said = [said(&format!("{step}")), said(REFUSED), commented(range, &format!("{step}"))];
                session.command(who, said[random.random_range(0..3)].clone());
            }
            _ if !session.editors[who].connected => session.reconnect(who),
            _ => {}
        }
    }
    session.settle();
    session.assert_converged();
    session.server.refused
}

#[test]
fn clients_converge_however_often_they_lose_their_connection() {
    with_seeds(2_000, |random| assert_eq!(random_session(random, Limits::default(), 0.1), 0));
}

#[test]
fn edits_that_are_too_large_arrive_in_pieces() {
    let refused = AtomicUsize::new(0);
    with_seeds(2_000, |random| {
        // A client sends three components at most; what others typed within a deletion makes five of them.
        let limits = Limits { edit_bytes_max: 8, operation_components_max: 4, ..Limits::default() };
        refused.fetch_add(random_session(random, limits, 0.7), Ordering::Relaxed);
    });
    assert!(
        refused.into_inner() > 0 || std::env::var("MOTET_SEED").is_ok(),
        "some were refused, and sent in smaller ones"
    );
}

#[test]
fn what_several_people_type_at_one_place_is_not_interleaved() {
    with_seeds(2_000, |random| {
        let editors = random.random_range(2..5);
        let mut session = Session::new("before|after", editors, Limits::default());
        let mut left = vec![10; editors];
        for editor in &mut session.editors {
            editor.cursor = Scalar(7);
        }
        while left.iter().any(|left| *left > 0) {
            let who = random.random_range(0..editors);
            match random.random_range(0..4) {
                0 if left[who] > 0 => {
                    left[who] -= 1;
                    let editor = &mut session.editors[who];
                    let rest = editor.text.len_chars() as u64 - editor.cursor.0;
                    let letter = char::from(b'0' + who as u8).to_string();
                    let typed = Operation::builder().retain(editor.cursor.0).insert(&letter).retain(rest);
                    editor.cursor.0 += 1;
                    session.edit(who, typed.build().unwrap());
                }
                1 => session.upload(who),
                2 => {
                    session.download_entries(who);
                    session.read(who);
                }
                _ => {}
            }
        }
        session.settle();
        session.assert_converged();
        let text = session.server.text.to_string();
        for who in 0..editors {
            let run = char::from(b'0' + who as u8).to_string().repeat(10);
            assert!(text.contains(&run), "what client {who} typed stays together in {text:?}");
        }
    });
}

fn edit_of(outgoing: Outgoing) -> Operation {
    outgoing.command.operation().unwrap().clone()
}

fn typed(base: u64, text: &str) -> Operation {
    Operation::builder().insert(text).retain(base).build().unwrap()
}

#[test]
fn a_megabyte_typed_offline_is_sent_in_submits_of_legal_size() {
    let mut client = Client::new(0, 0);
    let mut sent: Vec<Operation> = client.edit(typed(0, "a")).unwrap().map(edit_of).into_iter().collect();
    // While the first waits: a paste beyond one submit, then a change every few characters.
    let paste = "0123456789".repeat(100_000);
    client.edit(Operation::builder().retain(1).insert(&paste).build().unwrap()).unwrap();
    let edits = (0..3_000).fold(Operation::builder().retain(1), |edits, _| edits.insert("ß").delete(1).retain(99));
    client.edit(edits.retain(1_000_000 - 300_000).build().unwrap()).unwrap();
    let mut text = Rope::new();
    let mut revision = 0;
    while let Some(outgoing) = {
        sent.last().unwrap().apply_to_rope(&mut text).unwrap();
        revision += 1;
        client.acknowledged(revision, revision).unwrap()
    } {
        assert_eq!((outgoing.seq, outgoing.base), (revision + 1, revision));
        let operation = edit_of(outgoing);
        assert!(operation.inserted_bytes() <= EDIT_BYTES_MAX);
        assert!(operation.component_count() <= EDIT_COMPONENTS_MAX);
        sent.push(operation);
    }
    assert_eq!(text.len_chars(), 1_000_001);
    assert_eq!(text.chars().filter(|c| *c == 'ß').count(), 3_000);
    assert_eq!(*client.state(), State::Synchronized);
}

#[test]
fn an_edit_that_changes_nothing_is_not_sent() {
    let mut client = Client::new(5, 0);
    let nothing = || Operation::builder().retain(3).build().unwrap();
    assert_eq!(client.edit(nothing()).unwrap(), None);
    assert_eq!(*client.state(), State::Synchronized);
    client.edit(typed(3, "a")).unwrap().unwrap();
    // Typed and taken back while the first was on its way.
    client.edit(typed(4, "b")).unwrap();
    client.edit(Operation::builder().delete(1).retain(4).build().unwrap()).unwrap();
    assert_eq!(client.acknowledged(1, 6).unwrap(), None);
    assert_eq!(*client.state(), State::Synchronized);
    assert_eq!(client.seq(), 1);
}

#[test]
fn an_edit_that_does_not_fit_is_refused_and_the_client_goes_on() {
    let mut client = Client::new(0, 0);
    client.edit(typed(0, "abc")).unwrap();
    assert!(client.edit(typed(7, "x")).is_err());
    client.edit(typed(3, "d")).unwrap();
    assert!(client.edit(typed(3, "x")).is_err());
    let next = client.acknowledged(1, 1).unwrap().unwrap();
    assert_eq!(edit_of(next), typed(3, "d"));
}

#[test]
fn a_server_that_contradicts_itself_is_noticed() {
    let mut client = Client::new(4, 0);
    let remote = typed(3, "r");
    assert_eq!(client.remote(6, &remote), Err(ClientError::Gap { expected: 5, found: 6 }));
    assert_eq!(client.acknowledged(1, 5), Err(ClientError::NotOutstanding(1)));
    assert_eq!(client.too_large(1), Err(ClientError::NotOutstanding(1)));
    client.edit(typed(3, "a")).unwrap().unwrap();
    // What is outstanding cannot have been in the text that the client started from.
    assert_eq!(client.acknowledged(1, 4), Err(ClientError::Gap { expected: 5, found: 4 }));
    assert_eq!(client.acknowledged(2, 5), Err(ClientError::NotOutstanding(2)));
    assert!(matches!(client.remote(5, &typed(9, "r")), Err(ClientError::Mismatch(_))));
    assert_eq!(edit_of(client.outgoing().unwrap()), typed(3, "a"), "nothing has changed");
    client.acknowledged(1, 5).unwrap();
    assert_eq!(client.acknowledged(1, 5), Ok(None), "an acknowledgement may come twice");
    let mut last = Client::new(Revision::MAX, 0);
    assert!(last.remote(0, &remote).is_err());
}

#[test]
fn a_submit_that_cannot_be_smaller_says_so() {
    let mut client = Client::new(0, 0);
    client.edit(typed(0, "😀")).unwrap();
    let before = client.clone();
    assert_eq!(client.too_large(1), Ok(None));
    assert_eq!(client, before);
}

/// A session in which every character is typed once only, so that a character's place tells where it went.
fn session_of_single_characters(random: &mut StdRng) {
    let mut next = 0x4E00_u32;
    let mut fresh = move |count: usize| -> String {
        (0..count)
            .map(|_| {
                next += 1;
                char::from_u32(next).unwrap()
            })
            .collect()
    };
    let editors = random.random_range(2..5);
    let mut session = Session::new(&fresh(12), editors, Limits::default());
    // What each comment was made on, and what else the text had.
    let mut made: Vec<(String, String)> = Vec::new();
    for _ in 0..random.random_range(20..200) {
        let who = random.random_range(0..editors);
        let text = session.editors[who].text.clone();
        let len = text.len_chars();
        let start = random.random_range(0..=len);
        let end = random.random_range(start..=len.min(start + 6));
        match random.random_range(0..11) {
            0..3 => {
                let operation = Operation::builder().retain(start as u64);
                let operation = match random.random_bool(0.6) {
                    true => operation.insert(&fresh(end - start + 1)).retain((len - start) as u64),
                    false => operation.delete((end - start) as u64).retain((len - end) as u64),
                };
                session.edit(who, operation.build().unwrap());
            }
            3 => {
                let others = text.slice(..start).to_string() + &text.slice(end..).to_string();
                session.command(who, commented(start as u64..end as u64, &made.len().to_string()));
                made.push((text.slice(start..end).to_string(), others));
            }
            4..7 => session.upload(who),
            7..10 if session.editors[who].connected => {
                session.download_entries(who);
                session.read(who);
            }
            10 if session.editors[who].connected => session.disconnect(who),
            _ if !session.editors[who].connected => session.reconnect(who),
            _ => {}
        }
    }
    session.settle();
    session.assert_converged();
    let mut text = Rope::new();
    for (.., command) in &session.server.log {
        if let Some(operation) = command.operation() {
            operation.apply_to_rope(&mut text).unwrap();
            continue;
        }
        let Command::Comment(comment) = command else { panic!("{command:?}") };
        let CommentCommand::Open { start, end, text: number, .. } = &**comment else { panic!("{comment:?}") };
        let (on, others) = &made[number.parse::<usize>().unwrap()];
        let found = text.slice(start.0 as usize..end.0 as usize).to_string();
        let whole = text.to_string();
        assert!(on.chars().all(|c| found.contains(c) || !whole.contains(c)), "{on:?} is in {found:?}, or deleted");
        assert!(!others.chars().any(|c| found.contains(c)), "{found:?} has nothing of the rest, {others:?}");
    }
}

#[test]
fn a_comment_stands_on_the_characters_it_was_made_on_whoever_edits_meanwhile() {
    with_seeds(2_000, session_of_single_characters);
}

#[test]
fn what_is_done_between_two_edits_stays_between_them() {
    let mut client = Client::new(0, 0);
    client.edit(typed(0, "a")).unwrap().unwrap();
    client.edit(typed(1, "b")).unwrap();
    assert_eq!(client.command(said("between")), Ok(None));
    client.edit(typed(2, "c")).unwrap();
    client.edit(typed(3, "d")).unwrap();
    let sent: Vec<Outgoing> = (1..=3).map(|at| client.acknowledged(at, at).unwrap().unwrap()).collect();
    assert_eq!(sent[0].command, Command::Edit(typed(1, "b")));
    assert_eq!(sent[1].command, said("between"));
    assert_eq!(sent[2].command, Command::Edit(typed(2, "dc")));
    assert_eq!(client.acknowledged(4, 4), Ok(None));
    assert_eq!(*client.state(), State::Synchronized);
}

#[test]
fn a_refused_command_takes_nothing_with_it() {
    let mut client = Client::new(0, 0);
    client.command(said(REFUSED)).unwrap().unwrap();
    client.edit(typed(0, "a")).unwrap();
    client.command(said("later")).unwrap();
    assert_eq!(client.refused(1), Ok(Some(said(REFUSED))));
    let next = client.outgoing().unwrap();
    assert_eq!((next.seq, &next.command), (1, &Command::Edit(typed(0, "a"))), "the seq is free again");
    assert_eq!(client.refused(1), Ok(None), "an edit cannot be taken out of the text");
    assert_eq!(client.acknowledged(1, 1).unwrap().unwrap().command, said("later"));
    assert_eq!(client.refused(2), Ok(Some(said("later"))));
    assert_eq!((client.seq(), client.state()), (1, &State::Synchronized));
}

#[test]
fn commands_that_wait_are_bounded() {
    let mut client = Client::new(0, 0);
    for at in 0..COMMANDS_WAITING_MAX as u64 {
        client.command(said("x")).unwrap();
        client.edit(typed(at, "x")).unwrap();
    }
    let before = client.clone();
    assert_eq!(client.command(said("one too many")), Err(NotTaken::Full));
    assert_eq!(client, before);
    client.acknowledged(1, 1).unwrap();
    client.command(said("fits again")).unwrap();
}
