//! The client's state machine against a small server: honest, and the clients converge; dishonest, and nobody panics.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use motet_fuzz::{Step, operation};
use motet_protocol::{
    client::{Client, Outgoing, State},
    limits::Limits,
    ot::Operation,
};
use ropey::Rope;

#[derive(Arbitrary, Debug)]
enum Event {
    Edit(bool, Vec<Step>),
    Upload(bool),
    Download(bool),
    Reconnect(bool),
}

#[derive(Arbitrary, Debug)]
enum Lie {
    Edit(Vec<Step>),
    Remote(u64, u64, Vec<Step>),
    Pass(u64),
    Acknowledged(u64, u64),
    TooLarge(u64),
}

#[derive(Arbitrary, Debug)]
struct Input {
    edit_bytes_max: u8,
    components_max: u8,
    honest: Vec<Event>,
    revision: u64,
    dishonest: Vec<Lie>,
}

struct Editor {
    client: Client,
    text: Rope,
    outbox: Option<Outgoing>,
}

#[derive(Default)]
struct Server {
    log: Vec<(usize, u64, Operation)>,
}

impl Server {
    fn upload(&mut self, who: usize, editor: &mut Editor) {
        let Some(submit) = editor.outbox.take() else { return };
        if self.log.iter().any(|(by, seq, _)| (*by, *seq) == (who, submit.seq)) {
            return;
        }
        let after = self.log[submit.base as usize..].iter();
        let operation = after.fold(submit.command.operation().unwrap().clone(), |mine, (_, _, entry)| mine.transform(entry).unwrap().0);
        self.log.push((who, submit.seq, operation));
    }

    fn download(&self, who: usize, editor: &mut Editor) -> bool {
        let at = editor.client.revision() as usize;
        let Some((by, seq, operation)) = self.log.get(at) else { return false };
        let revision = at as u64 + 1;
        if *by == who {
            editor.outbox = editor.client.acknowledged(*seq, revision).unwrap();
        } else {
            editor.client.remote(revision, operation).unwrap().apply_to_rope(&mut editor.text).unwrap();
        }
        true
    }
}

fn honest(limits: &Limits, events: &[Event]) {
    let mut server = Server::default();
    let mut editors = [0, 1].map(|_| {
        let mut client = Client::new(0, 0);
        client.set_limits(limits);
        Editor { client, text: Rope::new(), outbox: None }
    });
    for event in events {
        let (Event::Edit(who, _) | Event::Upload(who) | Event::Download(who) | Event::Reconnect(who)) = event;
        let who = usize::from(*who);
        let editor = &mut editors[who];
        match event {
            Event::Edit(_, steps) => {
                let edit = operation(editor.text.len_chars() as u64, steps);
                edit.apply_to_rope(&mut editor.text).unwrap();
                if let Some(outgoing) = editor.client.edit(edit).unwrap() {
                    editor.outbox = Some(outgoing);
                }
            }
            Event::Upload(_) => server.upload(who, editor),
            Event::Download(_) => drop(server.download(who, editor)),
            Event::Reconnect(_) => {
                while server.download(who, editor) {}
                editor.outbox = editor.client.outgoing();
            }
        }
    }
    let settled = |server: &Server, editor: &Editor| {
        *editor.client.state() == State::Synchronized && editor.client.revision() == server.log.len() as u64
    };
    while !editors.iter().all(|editor| settled(&server, editor)) {
        for (who, editor) in editors.iter_mut().enumerate() {
            while server.download(who, editor) {}
            editor.outbox = editor.client.outgoing();
            server.upload(who, editor);
        }
    }
    assert_eq!(editors[0].text, editors[1].text);
}

fn dishonest(limits: &Limits, revision: u64, lies: &[Lie]) {
    let mut client = Client::new(revision, 0);
    client.set_limits(limits);
    let mut length = 0;
    for lie in lies {
        let next = client.revision().saturating_add(1);
        match lie {
            Lie::Edit(steps) => {
                let edit = operation(length, steps);
                let target = edit.target_len();
                if client.edit(edit).is_ok() {
                    length = target;
                }
            }
            Lie::Remote(skip, base, steps) => {
                if let Ok(remote) = client.remote(next.wrapping_add(skip % 3), &operation(base % 64, steps)) {
                    length = remote.target_len();
                }
            }
            Lie::Pass(skip) => drop(client.pass(next.wrapping_add(skip % 3))),
            Lie::Acknowledged(seq, skip) => drop(client.acknowledged(seq % 8, next.wrapping_sub(skip % 3))),
            Lie::TooLarge(seq) => drop(client.too_large(seq % 8)),
        }
        let _ = client.outgoing();
    }
}

fuzz_target!(|input: Input| {
    let limits = Limits {
        edit_bytes_max: input.edit_bytes_max.into(),
        operation_components_max: input.components_max.into(),
        ..Limits::default()
    };
    honest(&limits, &input.honest);
    dishonest(&limits, input.revision, &input.dishonest);
});
