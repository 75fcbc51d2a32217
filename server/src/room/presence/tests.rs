use super::*;
use crate::{room::window::Logged, wire::Encoded};
use motet_protocol::{
    codec,
    message::{Command, Entry},
    ot::{Operation, Scalar},
    people::People,
    presence::Selection,
    room::Author,
};

/// Chance from a seed: the generator of Knuth's MMIX.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}

/// A text whose characters are told apart, with its whole history.
struct Script {
    revisions: Vec<Vec<u64>>,
    window: Window,
    next: u64,
}

impl Script {
    fn new(length: u64, window_entries_max: usize) -> Self {
        Self { revisions: vec![(0..length).collect()], window: Window::new(window_entries_max), next: length }
    }

    fn text(&self) -> &[u64] {
        &self.revisions[self.revisions.len() - 1]
    }

    fn head(&self) -> Revision {
        self.revisions.len() as Revision - 1
    }

    fn here(&self) -> Here<'_> {
        Here { window: &self.window, head: self.head(), length: self.text().len() as u64 }
    }

    /// Puts `inserted` characters in place of `deleted` ones, and rebases the roster's positions as a room does.
    fn edit(&mut self, roster: &mut Roster, by: u64, at: usize, deleted: usize, inserted: usize) -> Entry {
        let rest = self.text().len() - at - deleted;
        let builder = Operation::builder().retain(at as u64).insert(&"é".repeat(inserted)).delete(deleted as u64);
        let operation = builder.retain(rest as u64).build().unwrap();
        let mut text = self.text().to_vec();
        text.splice(at..at + deleted, self.next..self.next + inserted as u64);
        self.next += inserted as u64;
        self.revisions.push(text);
        let revision = self.head();
        let command = Command::Edit(operation);
        let entry = Entry { revision, participant: ParticipantId(by), seq: revision, time_ms: 0, command };
        self.window.push(Logged { entry: entry.clone(), encoded: Encoded::new(codec::encode(&entry)) });
        if roster.is_far_behind(self.head()) {
            roster.rebase_positions(self.here());
        }
        while let Some(oldest) = self.window.surplus() {
            if roster.needs(oldest) {
                roster.rebase_positions(self.here());
            }
            self.window.drop_oldest();
        }
        entry
    }

    fn edit_at_random(&mut self, roster: &mut Roster, dice: &mut Dice) -> Entry {
        let length = self.text().len();
        let at = dice.below(length + 1);
        let deleted = dice.below((length - at).min(6) + 1);
        let inserted = if length < 4 { 8 } else { dice.below(5) };
        self.edit(roster, dice.below(8) as u64, at, deleted, inserted)
    }

    /// Whether a place in the text is where `was` was at `base`: what survived from left of it is left, and right right.
    fn is_same_place(&self, base: Revision, was: Scalar, now: Scalar) -> bool {
        let (then, text) = (&self.revisions[base as usize], self.text());
        let (left, right) = then.split_at(was.0 as usize);
        let Some((left_now, right_now)) = text.split_at_checked(now.0 as usize) else { return false };
        !left.iter().any(|character| right_now.contains(character))
            && !right.iter().any(|character| left_now.contains(character))
    }
}

fn person(number: u64, role: Role) -> Person {
    let author = Author { name: format!("person {number}"), account: None };
    Person { participant: ParticipantId(number), author, role, joined_ms: number }
}

fn caret(at: u64) -> Presence {
    Presence { selections: vec![Selection::caret(Scalar(at))], ..Presence::default() }
}

fn color(color: u32) -> Presence {
    Presence { color: Some(color), ..Presence::default() }
}

fn caret_of(people: &People, number: u64) -> u64 {
    people.get(ParticipantId(number)).unwrap().presence.as_ref().unwrap().selections[0].head.0
}

/// Tells a reader all there is; returns in how many messages.
fn catch_up(roster: &mut Roster, watch: &mut Watch, people: &mut People, here: Here<'_>) -> usize {
    let mut messages = 0;
    while roster.has_news(*watch) {
        let (news, next) = roster.news(*watch, here);
        assert!(next.seen > watch.seen, "each message brings the reader on");
        *watch = next;
        people.hear(news);
        messages += 1;
    }
    messages
}

/// Each reader is told now and then, moves everybody's places by itself in between, and must be right all the time.
#[test]
fn selections_stay_on_their_characters_under_random_edits() {
    for seed in 0..150_u64 {
        let mut dice = Dice(seed);
        let mut script = Script::new(40, 1 + dice.below(80));
        let mut roster = Roster::default();
        let mut readers = vec![(Watch::default(), People::default()); 3];
        // What each told last, and on what; each reader knows an older one perhaps.
        let mut told: HashMap<u64, Vec<(Revision, Selection)>> = HashMap::new();
        for number in 0..8 {
            roster.arrive(person(number, Role::Editor));
        }
        for step in 0..300 {
            match dice.below(10) {
                0..5 => {
                    let entry = script.edit_at_random(&mut roster, &mut dice);
                    readers.iter_mut().for_each(|(_, people)| people.fold(&entry));
                }
                5..8 => {
                    let first = script.window.first().map_or(script.head(), |first| first - 1);
                    let base = first + dice.below((script.head() - first) as usize + 1) as u64;
                    let length = script.revisions[base as usize].len();
                    let mut place = || Scalar(dice.below(length + 1) as u64);
                    let (anchor, other) = (place(), place());
                    let head = if dice.below(2) == 0 { anchor } else { other };
                    let number = dice.below(8) as u64;
                    let selection = Selection { anchor, head };
                    let presence = Presence { selections: vec![selection], ..Presence::default() };
                    roster.set(ParticipantId(number), base, presence, script.here(), 0).unwrap();
                    told.entry(number).or_default().push((base, selection));
                }
                _ => {
                    let (watch, people) = &mut readers[dice.below(3)];
                    catch_up(&mut roster, watch, people, script.here());
                    for (number, told) in &told {
                        let now = people.get(ParticipantId(*number)).unwrap().presence.as_ref().unwrap().selections[0];
                        let (base, was) = told[told.len() - 1];
                        for (was, now) in [(was.anchor, now.anchor), (was.head, now.head)] {
                            assert!(script.is_same_place(base, was, now), "seed {seed}, step {step}: {was:?} {now:?}");
                        }
                    }
                }
            }
            for (reader, (_, people)) in readers.iter().enumerate() {
                for known in people.iter() {
                    let Some(presence) = &known.presence else { continue };
                    let now = presence.selections[0];
                    let ever = &told[&known.person.participant.0];
                    let right = |(base, was): &(Revision, Selection)| {
                        script.is_same_place(*base, was.anchor, now.anchor)
                            && script.is_same_place(*base, was.head, now.head)
                    };
                    assert!(ever.iter().any(right), "seed {seed}, step {step}, reader {reader}: {now:?}");
                }
            }
        }
    }
}

#[test]
fn a_caret_goes_along_with_its_own_typing_and_stays_in_front_of_that_of_others() {
    let (mut script, mut roster) = (Script::new(10, 100), Roster::default());
    let (mut watch, mut people) = (Watch::default(), People::default());
    for number in [1, 2] {
        roster.arrive(person(number, Role::Editor));
        roster.set(ParticipantId(number), 0, caret(5), script.here(), 0).unwrap();
    }
    script.edit(&mut roster, 1, 5, 0, 3);
    catch_up(&mut roster, &mut watch, &mut people, script.here());
    assert_eq!((caret_of(&people, 1), caret_of(&people, 2)), (8, 5));
}

#[test]
fn who_was_away_for_a_while_sees_the_newest_and_no_film() {
    let (mut script, mut roster) = (Script::new(10, 100), Roster::default());
    let (mut watch, mut people) = (Watch::default(), People::default());
    roster.arrive(person(1, Role::Editor));
    roster.arrive(person(2, Role::Viewer));
    catch_up(&mut roster, &mut watch, &mut people, script.here());
    for at in 0..1_000 {
        roster.set(ParticipantId(1), script.head(), caret(at % 10), script.here(), 0).unwrap();
        script.edit(&mut roster, 2, 0, 0, 1);
        roster.arrive(person(3, Role::Viewer));
        roster.leave(ParticipantId(3));
    }
    let before = script.text().len() as u64;
    script.edit(&mut roster, 2, 0, 0, 1);
    let (news, _) = roster.news(watch, script.here());
    assert_eq!((news.whole, news.presence.len(), news.people.len(), news.left.len()), (false, 1, 0, 1));
    assert_eq!(catch_up(&mut roster, &mut watch, &mut people, script.here()), 1);
    assert_eq!(caret_of(&people, 1), 9 + 2);
    assert_eq!(script.text().len() as u64, before + 1);
    assert_eq!((people.len(), people.present()), (2, 2));
}

#[test]
fn who_left_and_came_again_has_told_nothing_yet() {
    let (script, mut roster) = (Script::new(10, 100), Roster::default());
    let (mut watch, mut people) = (Watch::default(), People::default());
    roster.arrive(person(1, Role::Editor));
    roster.arrive(person(2, Role::Editor));
    roster.set(ParticipantId(1), 0, caret(3), script.here(), 0).unwrap();
    catch_up(&mut roster, &mut watch, &mut people, script.here());
    assert_eq!(caret_of(&people, 1), 3);
    // The same session on another connection.
    roster.arrive(Person { joined_ms: 77, ..person(1, Role::Viewer) });
    catch_up(&mut roster, &mut watch, &mut people, script.here());
    let known = people.get(ParticipantId(1)).unwrap();
    assert_eq!((known.person.joined_ms, &known.presence), (77, &None));
    roster.leave(ParticipantId(1));
    catch_up(&mut roster, &mut watch, &mut people, script.here());
    assert_eq!(people.len(), 1);
}

#[test]
fn a_reader_that_missed_more_leavers_than_are_remembered_begins_anew() {
    let (script, mut roster) = (Script::new(0, 100), Roster::default());
    let (mut watch, mut people) = (Watch::default(), People::default());
    let (mut quick, mut quick_people) = (Watch::default(), People::default());
    let many = LEFT_MAX as u64 + 100;
    for number in 0..many {
        roster.arrive(person(number, Role::Editor));
    }
    catch_up(&mut roster, &mut watch, &mut people, script.here());
    catch_up(&mut roster, &mut quick, &mut quick_people, script.here());
    assert_eq!(people.len() as u64, many);
    for number in 1..many {
        roster.leave(ParticipantId(number));
        assert!(!roster.news(quick, script.here()).0.whole, "who keeps up is told what changed");
        catch_up(&mut roster, &mut quick, &mut quick_people, script.here());
    }
    assert!(roster.left.len() <= LEFT_MAX);
    assert_eq!(catch_up(&mut roster, &mut watch, &mut people, script.here()), 1);
    assert_eq!(people, quick_people);
    assert_eq!(people.len(), 1);
}

#[test]
fn a_large_room_shows_those_who_may_edit_and_how_many_there_are() {
    let (script, mut roster) = (Script::new(0, 100), Roster::default());
    let (mut watch, mut people) = (Watch::default(), People::default());
    let role = |number| if number % 10 == 0 { Role::Editor } else { Role::Viewer };
    let full = ROSTER_MAX as u64;
    for number in 0..full {
        roster.arrive(person(number, role(number)));
    }
    catch_up(&mut roster, &mut watch, &mut people, script.here());
    assert_eq!((people.len(), people.present() as usize), (ROSTER_MAX, ROSTER_MAX));
    for number in full..2 * full {
        roster.arrive(person(number, role(number)));
        roster.set(ParticipantId(number), 0, color(1), script.here(), 0).unwrap();
    }
    catch_up(&mut roster, &mut watch, &mut people, script.here());
    assert_eq!((people.len(), people.present() as usize), (2 * ROSTER_MAX / 10, 2 * ROSTER_MAX));
    assert!(people.iter().all(|known| known.person.role == Role::Editor));
    roster.change(ParticipantId(1), |person| person.role = Role::Host);
    catch_up(&mut roster, &mut watch, &mut people, script.here());
    assert!(people.get(ParticipantId(1)).is_some(), "who may edit from now on is told of");
    for number in 300..2 * full {
        roster.leave(ParticipantId(number));
    }
    catch_up(&mut roster, &mut watch, &mut people, script.here());
    assert_eq!((people.len(), people.present()), (300, 300));
}

#[test]
fn a_room_of_a_thousand_editors_shows_as_many_as_fit_and_who_waits_takes_the_place_of_who_leaves() {
    let (script, mut roster) = (Script::new(0, 100), Roster::default());
    let (mut watch, mut people) = (Watch::default(), People::default());
    for number in 0..1_000 {
        roster.arrive(person(number, Role::Editor));
    }
    catch_up(&mut roster, &mut watch, &mut people, script.here());
    assert_eq!((people.len(), people.present()), (ROSTER_MAX, 1_000));
    for number in 0..100 {
        roster.leave(ParticipantId(number));
    }
    catch_up(&mut roster, &mut watch, &mut people, script.here());
    assert_eq!((people.len(), people.present()), (ROSTER_MAX, 900));
    assert!(people.get(ParticipantId(0)).is_none() && people.get(ParticipantId(599)).is_some());
}

#[test]
fn a_roster_larger_than_a_frame_comes_in_several() {
    let (script, mut roster) = (Script::new(1_000_000, 100), Roster::default());
    let (mut watch, mut people) = (Watch::default(), People::default());
    let selections: Vec<Selection> =
        (0..SELECTIONS_MAX as u64).map(|at| Selection::caret(Scalar(900_000 + at))).collect();
    for number in 0..ROSTER_MAX as u64 {
        let author = Author { name: "ü".repeat(128), account: None };
        roster.arrive(Person { author, ..person(number, Role::Editor) });
        let presence = Presence { selections: selections.clone(), ..Presence::default() };
        roster.set(ParticipantId(number), 0, presence, script.here(), 0).unwrap();
    }
    let mut messages = 0;
    while roster.has_news(watch) {
        let (news, next) = roster.news(watch, script.here());
        assert_eq!(news.whole, messages == 0);
        let News { whole, present, people: new, presence, left } = news.clone();
        let channel = 1;
        let message = motet_protocol::message::ServerMessage::Presence {
            channel,
            revision: 0,
            whole,
            present,
            people: new,
            presence,
            left,
        };
        assert!(codec::encode(&message).len() <= 2 * NEWS_BYTES);
        assert!(motet_protocol::json::encode(&message).len() <= motet_protocol::limits::FRAME_BYTES_MAX);
        people.hear(news);
        watch = next;
        messages += 1;
    }
    assert!(messages > 3);
    assert_eq!(people.len(), ROSTER_MAX);
    assert!(people.iter().all(|known| known.presence.as_ref().unwrap().selections == selections));
}

#[test]
fn who_says_nothing_for_long_is_idle_until_it_types() {
    let (script, mut roster) = (Script::new(0, 100), Roster::default());
    let (mut watch, mut people) = (Watch::default(), People::default());
    roster.arrive(person(1, Role::Editor));
    roster.arrive(person(2, Role::Editor));
    roster.set(ParticipantId(1), 0, color(5), script.here(), 1_000).unwrap();
    roster.set(ParticipantId(2), 0, Presence { status: Status::Away, ..color(6) }, script.here(), 1_000).unwrap();
    let mut status = |roster: &mut Roster| {
        catch_up(roster, &mut watch, &mut people, script.here());
        [1, 2].map(|number| people.get(ParticipantId(number)).unwrap().presence.as_ref().unwrap().status)
    };
    roster.handle_timeout(1_000 + PRESENCE_IDLE_MS - 1);
    assert_eq!(status(&mut roster), [Status::Active, Status::Away]);
    roster.handle_timeout(1_000 + PRESENCE_IDLE_MS);
    assert_eq!(status(&mut roster), [Status::Idle, Status::Away]);
    let version = roster.version;
    roster.handle_timeout(1_000 + 2 * PRESENCE_IDLE_MS);
    assert_eq!(roster.version, version, "it is told once");
    roster.heard(ParticipantId(1), 1_000 + 2 * PRESENCE_IDLE_MS);
    assert_eq!(status(&mut roster), [Status::Active, Status::Away]);
    roster.handle_timeout(5);
    roster.handle_timeout(5 + PRESENCE_IDLE_MS);
    assert_eq!(status(&mut roster), [Status::Idle, Status::Away], "a clock set back keeps nobody active");
}

#[test]
fn what_is_out_of_range_is_refused_or_brought_into_the_text() {
    let (mut script, mut roster) = (Script::new(10, 4), Roster::default());
    let (mut watch, mut people) = (Watch::default(), People::default());
    roster.arrive(person(1, Role::Editor));
    let selections = vec![Selection::default(); SELECTIONS_MAX + 1];
    let many = Presence { selections, ..Presence::default() };
    let set = |roster: &mut Roster, script: &Script, base, presence| {
        roster.set(ParticipantId(1), base, presence, script.here(), 0).map_err(|refusal| refusal.code)
    };
    assert_eq!(set(&mut roster, &script, 0, many), Err(ErrorCode::BadArgument));
    assert_eq!(set(&mut roster, &script, 1, caret(0)), Err(ErrorCode::RevisionUnknown));
    assert_eq!(set(&mut roster, &script, 0, caret(u64::MAX)), Ok(()));
    catch_up(&mut roster, &mut watch, &mut people, script.here());
    assert_eq!(caret_of(&people, 1), 10);
    for _ in 0..8 {
        script.edit(&mut roster, 2, 0, 1, 0);
    }
    assert_eq!(set(&mut roster, &script, 0, caret(9)), Ok(()));
    catch_up(&mut roster, &mut watch, &mut people, script.here());
    assert_eq!(caret_of(&people, 1), 2, "its base is older than the window");
}
