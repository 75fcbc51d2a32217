//! `motet who`: tells who is in a room and where.

use std::time::Duration;

use clap::Args;
use motet_client::{
    client::Client,
    room::{Event, Follower},
};
use motet_protocol::{
    access::ProjectId,
    ids::{ParticipantId, RoomId},
    people::{Known, News},
    presence::{Person, Status},
};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::cli::{Failure, Globals, foreign::one_line, notice, output::Output};

/// How long to wait for the rest of a large roster, which comes in several messages.
const REST: Duration = Duration::from_millis(300);

/// Lists the participants of a room: participant, name, role, status, and position of the caret in Unicode scalar values,
/// without yourself. Of a project: path, participant, name and role of each participant in its rooms.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet who minutes\n  motet who minutes --follow\n  motet who --project motet\n  motet who minutes --json | jq -r .author.name"
)]
pub(crate) struct Who {
    /// The room.
    #[arg(required_unless_present = "project")]
    room: Option<RoomId>,
    /// All rooms of this project in place of one room; uses HTTP.
    #[arg(long, value_name = "PROJECT", conflicts_with_all = ["room", "follow"])]
    project: Option<ProjectId>,
    /// Continue, and print who comes, moves and leaves.
    #[arg(long)]
    follow: bool,
}

/// Who is in which file of a project.
#[derive(Deserialize)]
struct Company {
    files: Vec<File>,
}

/// The people in a room of a project.
#[derive(Serialize, Deserialize)]
struct File {
    path: String,
    room: RoomId,
    present: u32,
    people: Vec<Person>,
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
        let room = match (self.room, self.project) {
            (_, Some(project)) => return tokio::task::block_in_place(|| of_project(&project, globals)),
            (Some(room), None) => room,
            (None, None) => return Err(Failure::Failed("neither a room nor a project is named".to_owned())),
        };
        let client = Client::connect(globals.options()).await?;
        let me = client.welcome().participant;
        let head = client.show_room(room.clone()).await?.head;
        let mut follower = client.follow(room, head).await?;
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
        let mut is_lost = false;
        while let Some(event) = follower.next().await {
            match event {
                Event::Presence { news, .. } => tell_news(&follower, &news, me, globals.json, &mut out)?,
                Event::Disconnected { reason } => {
                    is_lost = true;
                    notice::say(globals.json, format_args!("connection lost ({reason}); trying again"));
                }
                Event::Joined { .. } if is_lost => {
                    is_lost = false;
                    notice::say(globals.json, "connected again");
                }
                Event::Closed { error } => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }
}

fn of_project(project: &ProjectId, globals: &Globals) -> Result<(), Failure> {
    let Company { files } = globals.api()?.get(&format!("/projects/{project}/people"))?;
    let mut out = Output::new();
    for file in &files {
        if globals.json {
            out.json(file)?;
            continue;
        }
        let path = one_line(&file.path);
        for Person { participant, author, role, .. } in &file.people {
            let name = match author.name.as_str() {
                "" => "-".to_owned(),
                name => one_line(name),
            };
            out.line(format_args!("{path}\t{participant}\t{name}\t{role}"))?;
        }
        if (file.people.len() as u64) < u64::from(file.present) {
            out.line(format_args!("{path}\t{} are present; the list has only those who may edit", file.present))?;
        }
    }
    out.flush()
}

fn tell_all(follower: &Follower, me: ParticipantId, json: bool, out: &mut Output) -> Result<(), Failure> {
    let people = follower.people();
    let mut others: Vec<&Known> = people.iter().filter(|known| known.person.participant != me).collect();
    others.sort_unstable_by_key(|known| (known.person.joined_ms, known.person.participant));
    for known in others {
        if json { out.json(known)? } else { out.line(row(known))? }
    }
    if (people.len() as u64) < u64::from(people.present()) && !json {
        out.line(format_args!("{} are present; the list has only those who may edit", people.present()))?;
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
        "" => "-".to_owned(),
        name => one_line(name),
    };
    format!("{}\t{name}\t{}\t{status}\t{caret}", person.participant, person.role)
}
