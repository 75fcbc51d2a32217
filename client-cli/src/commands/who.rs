//! `motet who`: tells who is in a room and where.

use std::time::Duration;

use clap::Args;
use motet_protocol::{
    ids::{ParticipantId, RoomId},
    people::{Known, News},
    presence::Status,
};
use serde::Serialize;
use tokio::time::timeout;

use super::{Failure, Globals, output::Output};
use crate::{
    client::Client,
    room::{Event, Follower},
};

/// How long to wait for the rest of a large roster, which comes in several messages.
const REST: Duration = Duration::from_millis(300);

/// Tells who is in a room: participant, name, role, status, and the place of the caret in scalars. One's own stay is left out.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet who minutes\n  motet who minutes --follow\n  motet who minutes --json | jq -r .author.name"
)]
pub(crate) struct Who {
    /// The room.
    room: RoomId,
    /// Go on, and tell who comes, moves and leaves.
    #[arg(long)]
    follow: bool,
}

/// A line for programs.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Is {
        #[serde(flatten)]
        known: &'a Known,
    },
    Left {
        participant: ParticipantId,
    },
}

impl Who {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let client = Client::connect(globals.options()).await?;
        let me = client.welcome().participant;
        let head = client.show_room(self.room.clone()).await?.head;
        let mut follower = client.follow(self.room, head).await?;
        follower.watch_presence(true);
        let mut out = Output::new();
        if !self.follow {
            let mut first = true;
            loop {
                let next =
                    if first { follower.next().await } else { timeout(REST, follower.next()).await.unwrap_or(None) };
                match next {
                    Some(Event::Closed { error }) => return Err(error.into()),
                    Some(Event::Presence { .. }) => {
                        first = false;
                        let people = follower.people();
                        if people.len() as u64 >= u64::from(people.present()) {
                            break;
                        }
                    }
                    Some(_) => {}
                    None => break,
                }
            }
            return tell_all(&follower, me, globals.json, &mut out);
        }
        while let Some(event) = follower.next().await {
            match event {
                Event::Presence { news, .. } => tell_news(&follower, &news, me, globals.json, &mut out)?,
                Event::Closed { error } => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }
}

fn tell_all(follower: &Follower, me: ParticipantId, json: bool, out: &mut Output) -> Result<(), Failure> {
    let people = follower.people();
    let mut others: Vec<&Known> = people.iter().filter(|known| known.person.participant != me).collect();
    others.sort_unstable_by_key(|known| (known.person.joined_ms, known.person.participant));
    for known in others {
        if json { out.json(known)? } else { out.line(row(known))? }
    }
    if (people.len() as u64) < u64::from(people.present()) && !json {
        out.line(format_args!("{} are there; those are told of who may edit", people.present()))?;
    }
    out.flush()
}

fn tell_news(follower: &Follower, news: &News, me: ParticipantId, json: bool, out: &mut Output) -> Result<(), Failure> {
    for participant in news.left.iter().copied().filter(|participant| *participant != me) {
        if json { out.json(&Line::Left { participant })? } else { out.line(format_args!("{participant}\tleft"))? }
    }
    let people = follower.people();
    let told = news.presence.iter().map(|of| of.participant);
    let mut changed: Vec<ParticipantId> = news.people.iter().map(|person| person.participant).chain(told).collect();
    changed.sort_unstable();
    changed.dedup();
    for known in changed.into_iter().filter(|participant| *participant != me).filter_map(|who| people.get(who)) {
        if json { out.json(&Line::Is { known })? } else { out.line(row(known))? }
    }
    out.flush()
}

/// A line for people.
fn row(known: &Known) -> String {
    let Known { person, presence } = known;
    let status = match presence.as_ref().map(|presence| presence.status) {
        Some(Status::Active) => "active",
        Some(Status::Idle) => "idle",
        Some(Status::Away) => "away",
        None => "-",
    };
    let caret = presence.as_ref().and_then(|presence| presence.selections.first());
    let caret = caret.map_or("-".to_owned(), |selection| selection.head.0.to_string());
    let name = match person.author.name.as_str() {
        "" => "-",
        name => name,
    };
    format!("{}\t{name}\t{}\t{status}\t{caret}", person.participant, person.role)
}
