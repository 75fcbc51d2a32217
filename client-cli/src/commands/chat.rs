//! `motet chat`: reads what is said in a room, and says something.

use std::{
    collections::HashMap,
    io::{self, BufRead, IsTerminal},
};

use clap::Args;
use motet_client::{
    client::{ChatPart, Client},
    room::{Event, Follower},
};
use motet_protocol::{
    chat::{ChatCommand, ChatMessage},
    ids::{ParticipantId, Revision, RoomId},
    limits::{COMMANDS_WAITING_MAX, PAGE_MAX},
    message::{At, Command, Entry},
    room::Author,
};
use tokio::sync::mpsc;

use crate::cli::{
    Failure, Globals, at,
    foreign::one_line,
    notice,
    output::{Output, time_of},
    people::{name_of, outcome},
};

/// Lines that were typed and not said yet.
const TYPED_MAX: usize = 16;

/// Shows what is said in a room. On a terminal it goes on: new messages appear, and a line that is typed is said.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet chat minutes\n  motet chat minutes --history 100 --json | jq -r .text\n  motet chat minutes --say 'shall we begin?'\n  motet chat minutes --say 'yes' --reply 17\n  motet chat minutes --react 17 👍\n  motet chat minutes --delete 17"
)]
pub(crate) struct Chat {
    /// The room.
    room: RoomId,
    /// How many of the last messages to show.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=PAGE_MAX as i64))]
    history: u32,
    /// Only messages before this one.
    #[arg(long, value_name = "MESSAGE")]
    before: Option<Revision>,
    /// Only the thread of this message.
    #[arg(long, value_name = "MESSAGE")]
    thread: Option<Revision>,
    /// The chat as it was: at a revision, at a time, or a while ago.
    #[arg(long, value_name = "REVISION|TIME", value_parser = at::parse)]
    at: Option<At>,
    /// Go on with what is said from now on, also without a terminal; lines on standard input are sent.
    #[arg(long, conflicts_with_all = ["at", "before", "thread"])]
    live: bool,
    /// Say this, and print the message's number.
    #[arg(long, value_name = "TEXT", group = "deed")]
    say: Option<String>,
    /// With --say: answer this message.
    #[arg(long, value_name = "MESSAGE", requires = "say")]
    reply: Option<Revision>,
    /// Put another text in place of a message of one's own.
    #[arg(long, num_args = 2, value_names = ["MESSAGE", "TEXT"], group = "deed")]
    rewrite: Option<Vec<String>>,
    /// Take a message away.
    #[arg(long, value_name = "MESSAGE", group = "deed")]
    delete: Option<Revision>,
    /// React to a message.
    #[arg(long, num_args = 2, value_names = ["MESSAGE", "EMOJI"], group = "deed")]
    react: Option<Vec<String>>,
    /// Take a reaction back.
    #[arg(long, num_args = 2, value_names = ["MESSAGE", "EMOJI"], group = "deed")]
    unreact: Option<Vec<String>>,
    /// The name that others see.
    #[arg(long, default_value = "", hide_default_value = true)]
    name: String,
}

impl Chat {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = globals.connect_as(&self.name).await?;
        match self.deed()? {
            Some(command) => self.act(&client, command, globals.json).await,
            None => self.show(&client, globals.json).await,
        }
    }

    fn deed(&self) -> Result<Option<ChatCommand>, Failure> {
        let mentions = Vec::new();
        Ok(Some(if let Some(text) = &self.say {
            ChatCommand::Say { text: text.clone(), thread: self.reply, quote: None, mentions }
        } else if let Some(words) = &self.rewrite {
            let (message, text) = message_and(words)?;
            ChatCommand::Rewrite { message, text, mentions }
        } else if let Some(message) = self.delete {
            ChatCommand::Delete { message }
        } else if let Some(words) = &self.react {
            let (message, emoji) = message_and(words)?;
            ChatCommand::React { message, emoji, on: true }
        } else if let Some(words) = &self.unreact {
            let (message, emoji) = message_and(words)?;
            ChatCommand::React { message, emoji, on: false }
        } else {
            return Ok(None);
        }))
    }

    async fn act(&self, client: &Client, command: ChatCommand, json: bool) -> Result<(), Failure> {
        let head = client.show_room(self.room.clone()).await?.head;
        let mut follower = client.follow(self.room.clone(), head).await?;
        follower.command(Command::Chat(Box::new(command)))?;
        let revision = loop {
            if let Some(outcome) = outcome(follower.next().await, json) {
                break outcome?;
            }
        };
        let mut out = Output::new();
        match json {
            true => out.json(&serde_json::json!({ "revision": revision }))?,
            false => out.line(revision)?,
        }
        out.flush()
    }

    async fn show(&self, client: &Client, json: bool) -> Result<(), Failure> {
        let mut page = Page { out: Output::new(), json, people: HashMap::new() };
        let alive = io::stdin().is_terminal() && io::stdout().is_terminal();
        let plain = self.at.is_none() && self.before.is_none() && self.thread.is_none();
        // The log is followed from before the history is read on, so that nothing falls between the two.
        let follower = match plain && (self.live || alive) {
            false => None,
            true => {
                let head = client.show_room(self.room.clone()).await?.head;
                Some((head, client.follow(self.room.clone(), head).await?))
            }
        };
        let at = match &follower {
            Some((head, _)) => At::Revision(*head),
            None => self.at.unwrap_or(At::Head),
        };
        let history = self.history(client, at).await?;
        for message in history.iter().rev() {
            page.message(message)?;
        }
        page.out.flush()?;
        if let (Some(newest), Some(_), true) = (history.first(), &client.welcome().account, plain) {
            client.mark_read(self.room.clone(), newest.message).await?;
        }
        match follower {
            None => Ok(()),
            Some((_, follower)) => live(follower, page).await,
        }
    }

    /// The newest messages that were asked for, the newest first.
    async fn history(&self, client: &Client, at: At) -> Result<Vec<ChatMessage>, Failure> {
        let mut history: Vec<ChatMessage> = Vec::new();
        let mut before = self.before;
        while let Some(limit) = self.history.checked_sub(history.len() as u32).filter(|left| *left > 0) {
            let part = ChatPart { before, thread: self.thread, at, limit };
            let (messages, more) = client.read_chat(self.room.clone(), part).await?;
            before = messages.last().map(|last| last.message);
            history.extend(messages);
            if !more || before.is_none() {
                break;
            }
        }
        Ok(history)
    }
}

fn message_and(words: &[String]) -> Result<(Revision, String), Failure> {
    match words {
        [message, rest] => {
            let number = message.parse();
            let number = number.map_err(|_| Failure::Usage(format!("{message:?} is no message; give its number")))?;
            Ok((number, rest.clone()))
        }
        _ => Err(Failure::Usage("give a message's number and a text".to_owned())),
    }
}

/// Shows what is said, and says what is typed, until one of both ends.
async fn live(mut follower: Follower, mut page: Page) -> Result<(), Failure> {
    let json = page.json;
    let mut typed = typed_lines();
    let (mut waiting, mut typing, mut not_said) = (0_usize, true, 0_u64);
    loop {
        tokio::select! {
            // Input that is faster than the server waits, as from a pipe.
            line = typed.recv(), if typing && waiting < COMMANDS_WAITING_MAX => match line {
                Some(Ok(line)) if line.trim().is_empty() => {}
                Some(Ok(text)) => {
                    let say = ChatCommand::Say { text, thread: None, quote: None, mentions: Vec::new() };
                    follower.command(Command::Chat(Box::new(say)))?;
                    waiting += 1;
                }
                Some(Err(error)) => {
                    not_said += 1;
                    notice::say_failure(json, &Failure::Failed(format!("not said: {error}")));
                }
                None => typing = false,
            },
            event = follower.next() => match event {
                None => return Ok(()),
                Some(Event::Entry { entry, .. }) => page.entry(&entry)?,
                Some(Event::Acknowledged { revision, .. }) => {
                    waiting = waiting.saturating_sub(1);
                    page.said(revision)?;
                }
                Some(Event::Refused { error, .. }) => {
                    waiting = waiting.saturating_sub(1);
                    not_said += 1;
                    notice::say_failure(json, &error.into());
                }
                Some(Event::Disconnected { reason }) => {
                    notice::say(json, format_args!("connection lost ({reason}); it comes back"));
                }
                Some(Event::PutOff { error }) => notice::say_put_off(json, error),
                Some(Event::Closed { error }) => return Err(error.into()),
                Some(Event::Joined { .. } | Event::Replaced { .. }) => {}
                // Presence was not asked for.
                Some(Event::Presence { .. } | Event::Signal { .. } | Event::Declined { .. }) => {}
            },
        }
        page.out.flush()?;
        if !typing && waiting == 0 {
            return match not_said {
                0 => Ok(()),
                _ => Err(Failure::Failed(format!("{not_said} of the lines that were typed are not said"))),
            };
        }
    }
}

/// Lines of standard input, read beside everything else, each of them or why it is none.
fn typed_lines() -> mpsc::Receiver<io::Result<String>> {
    let (lines, typed) = mpsc::channel(TYPED_MAX);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            // After a line that is no text the next one may be; after another error there is none.
            let is_last = line.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::InvalidData);
            if lines.blocking_send(line).is_err() || is_last {
                return;
            }
        }
    });
    typed
}

/// Where it is shown.
struct Page {
    out: Output,
    json: bool,
    /// Who was introduced since the history was shown, and who is in it.
    people: HashMap<ParticipantId, Author>,
}

impl Page {
    fn message(&mut self, message: &ChatMessage) -> Result<(), Failure> {
        self.people.insert(message.participant, message.author.clone());
        if self.json {
            return self.out.json(message);
        }
        let (time, who) = (time_of(message.time_ms), name_of(message.participant, &message.author));
        let thread = message.thread.map_or(String::new(), |thread| format!(" ↳{thread}"));
        let text = match message.deleted {
            Some(_) => "(deleted)".to_owned(),
            None => one_line(&message.text),
        };
        let mut line = format!("{}{thread}\t{time}\t{who}: {text}", message.message);
        if message.rewritten_ms.is_some() {
            line.push_str(" (edited)");
        }
        for reaction in &message.reactions {
            line.push_str(&format!("  {} {}", one_line(&reaction.emoji), reaction.participants.len()));
        }
        if message.replies > 0 {
            line.push_str(&format!("  [{} in its thread]", message.replies));
        }
        self.out.line(line)
    }

    /// Prints a chat entry of another participant.
    fn entry(&mut self, entry: &Entry) -> Result<(), Failure> {
        let command = match &entry.command {
            Command::Introduce(author) => {
                self.people.insert(entry.participant, author.clone());
                return Ok(());
            }
            Command::Chat(command) => command,
            _ => return Ok(()),
        };
        if self.json {
            return self.out.json(entry);
        }
        let author = self.people.get(&entry.participant).cloned().unwrap_or_default();
        let (revision, time, who) = (entry.revision, time_of(entry.time_ms), name_of(entry.participant, &author));
        let what = match &**command {
            ChatCommand::Say { text, thread, .. } => {
                let thread = thread.map_or(String::new(), |thread| format!(" ↳{thread}"));
                return self.out.line(format!("{revision}{thread}\t{time}\t{who}: {}", one_line(text)));
            }
            ChatCommand::Rewrite { message, text, .. } => format!("changed {message}: {}", one_line(text)),
            ChatCommand::Delete { message } => format!("deleted {message}"),
            ChatCommand::React { message, emoji, on: true } => format!("reacted {} to {message}", one_line(emoji)),
            ChatCommand::React { message, emoji, .. } => format!("took {} back from {message}", one_line(emoji)),
        };
        self.out.line(format!("\t{time}\t{who} {what}"))
    }

    /// One's own line is there already; a program wants its number.
    fn said(&mut self, revision: Revision) -> Result<(), Failure> {
        if self.json { self.out.json(&serde_json::json!({ "revision": revision })) } else { Ok(()) }
    }
}
