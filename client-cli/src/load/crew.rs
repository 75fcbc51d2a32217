//! The rooms and connections of one process, from the first connection to the last comparison.

use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use motet_client::{client::Client, error::ErrorKind};
use motet_protocol::{error::ErrorCode, hash::TextHash, ids::RoomId, message::At, ot::Operation};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use uuid::Uuid;

use super::{
    company::Turn,
    figures::{Outcome, Sample, lock},
    mix::Mix,
    own,
    pace::Pace,
    peer::{Common, Part, Peer, Phase, Role},
    scenario::Scenario,
    sent::Shared,
    stop::interrupted,
    storm::Storms,
};
use crate::cli::{Failure, Globals, notice};

/// How long the last edits may take to reach everyone.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the deletion of a room may take.
const DELETE_TIMEOUT: Duration = Duration::from_secs(5);

/// The time from one sample to the next.
const SAMPLE: Duration = Duration::from_secs(1);

/// A room of the load and what its connections will say in the end.
struct Room {
    id: RoomId,
    shared: Arc<Mutex<Shared>>,
    peers: JoinSet<Result<TextHash, Failure>>,
}

/// The rooms and everybody in them.
pub(super) struct Crew<'a> {
    scenario: &'a Scenario,
    globals: &'a Globals,
    client: Client,
    common: Arc<Common>,
    rooms: Vec<Room>,
    phase: watch::Sender<Phase>,
}

impl<'a> Crew<'a> {
    /// Without rooms and connections.
    pub(super) async fn new(scenario: &'a Scenario, globals: &'a Globals) -> Result<Self, Failure> {
        let client = globals.connect().await?;
        let common = Arc::new(Common {
            server: globals.server.clone(),
            wire: scenario.wire,
            meter: Arc::default(),
            figures: Mutex::default(),
            recent: Mutex::default(),
        });
        Ok(Self { scenario, globals, client, common, rooms: Vec::new(), phase: watch::Sender::new(Phase::Ready) })
    }

    /// Makes the rooms and opens all connections, which do not edit yet.
    pub(super) async fn gather(&mut self) -> Result<(), Failure> {
        for index in 0..self.scenario.rooms {
            self.open(index).await?;
        }
        Ok(())
    }

    /// Makes a room with its text, and its connections.
    async fn open(&mut self, index: u32) -> Result<(), Failure> {
        let it = self.scenario;
        let mix = match &it.trace {
            Some(trace) => Mix::Trace { trace: Arc::clone(trace), next: 0 },
            None => Mix::Random { text_size: it.text_size.into(), inserts: it.inserts, length: it.length.into() },
        };
        let id = RoomId::from_uuid(Uuid::new_v4());
        // Known before it is made, so that it is deleted whatever comes between.
        let shared = Arc::<Mutex<Shared>>::default();
        self.rooms.push(Room { id: id.clone(), shared: Arc::clone(&shared), peers: JoinSet::new() });
        self.client.create_room(Some(id.clone())).await?;
        let text = mix.start();
        if !text.is_empty() {
            let (room, events) = self.client.join(id.clone()).await?;
            drop(events);
            let fill = Operation::builder().insert(&text).build();
            room.edit(fill.map_err(|error| Failure::Failed(error.to_string()))?)?;
            room.synchronized().await?;
        }
        let pace = it
            .rate
            .and_then(|rate| it.every(rate))
            .map_or(Pace::Closed { think: it.think }, |every| Pace::Open { every });
        for number in 0..it.writers + it.readers + it.slow_readers {
            let role = if number < it.writers {
                let begun = f64::from(index * it.writers + number) / f64::from(it.rooms * it.writers);
                Role::Writer { mix: mix.clone(), pace, begin_after: it.ramp.mul_f64(begun) }
            } else if number < it.writers + it.readers {
                Role::Reader
            } else {
                Role::SlowReader { pause: it.slow_pause }
            };
            let does = |rate| Turn::every(it.every(rate).filter(|_| number < it.writers));
            let part = Part {
                room: id.clone(),
                role,
                says: does(it.chat),
                shows: does(it.presence),
                watches: it.presence > 0.0,
                cuts: (it.cut > 0.0).then_some((it.cut_every, it.cut)),
                seed: it.seed.wrapping_add(u64::from(index) << 32).wrapping_add(number.into()),
                greeting: self.globals.greeting(),
                shared: Arc::clone(&shared),
                common: Arc::clone(&self.common),
                phase: self.phase.subscribe(),
            };
            let peer = Peer::join(part).await?;
            if let Some(room) = self.rooms.last_mut() {
                room.peers.spawn(peer.run());
            }
        }
        Ok(())
    }

    /// Edits for the time of the scenario, then compares. `measuring` is awaited when the measured time begins and when
    /// it ends; `tell` gets the samples as they come.
    pub(super) async fn work<F: Future<Output = ()>>(
        &mut self,
        mut edge: impl FnMut() -> F,
        mut tell: impl FnMut(&Sample),
    ) -> Result<Outcome, Failure> {
        let it = self.scenario;
        self.phase.send_replace(Phase::WarmUp);
        let mut outcome = Outcome::default();
        self.pass(it.ramp + it.warmup, -(it.ramp + it.warmup).as_secs_f64(), |sample| {
            tell(&Sample { at: sample.at.min(0.0), ..sample })
        })
        .await?;
        edge().await;
        let (start, cpu, (up, down)) = (Instant::now(), own::cpu_seconds(), self.common.meter.read());
        self.phase.send_replace(Phase::Measure);
        let rooms = self.rooms.iter().map(|room| room.id.clone()).collect();
        let storms = Storms::start(it, self.globals, &self.common, rooms);
        let samples = &mut outcome.samples;
        self.pass(it.seconds, 0.0, |sample| {
            tell(&sample);
            samples.push(sample);
        })
        .await?;
        self.phase.send_replace(Phase::Stop);
        outcome.seconds = start.elapsed().as_secs_f64();
        outcome.cpu_seconds.push(own::cpu_seconds() - cpu);
        let (up_after, down_after) = self.common.meter.read();
        (outcome.bytes_up, outcome.bytes_down) = (up_after - up, down_after - down);
        edge().await;
        storms.stop().await;
        let equal = timeout(SETTLE_TIMEOUT, self.settle()).await;
        outcome.rooms_equal =
            equal.map_err(|_| Failure::Failed("the last edits did not reach everyone in time".to_owned()))??;
        outcome.figures = lock(&self.common.figures).clone();
        Ok(outcome)
    }

    /// Closes all connections, however the load ended, and deletes the rooms unless they are to be kept. Reports how many
    /// cannot be deleted, also when a second signal stops the deletion.
    pub(super) async fn leave(self) {
        if self.scenario.keep {
            return;
        }
        let rooms: Vec<RoomId> = self.rooms.into_iter().map(|room| room.id).collect();
        let mut left = rooms.len();
        let delete = async {
            for room in rooms {
                match timeout(DELETE_TIMEOUT, self.client.delete_room(room)).await {
                    Ok(Ok(())) => left -= 1,
                    // It was never made, or another client deleted it.
                    Ok(Err(error)) if error.kind() == ErrorKind::Refused(ErrorCode::RoomNotFound) => left -= 1,
                    Ok(Err(_)) => {}
                    Err(_) => return,
                }
            }
        };
        tokio::select! {
            () = delete => {}
            () = interrupted() => {}
        }
        if left > 0 {
            notice::say(self.globals.json, format_args!("{left} rooms of the load could not be deleted"));
        }
    }

    /// Lets time pass, in samples. Fails when a connection ends.
    async fn pass(&mut self, time: Duration, from: f64, mut tell: impl FnMut(Sample)) -> Result<(), Failure> {
        let start = Instant::now();
        *lock(&self.common.recent) = Default::default();
        let (mut last, mut bytes) = (start, self.common.meter.read());
        while let Some(left) = time.checked_sub(start.elapsed()).filter(|left| !left.is_zero()) {
            sleep(left.min(SAMPLE)).await;
            if let Some(ended) = self.rooms.iter_mut().find_map(|room| room.peers.try_join_next()) {
                return Err(why(ended));
            }
            let (now, (up, down)) = (Instant::now(), self.common.meter.read());
            let (edits, to_ack_us) = std::mem::take(&mut *lock(&self.common.recent));
            tell(Sample {
                at: from + (now - start).as_secs_f64(),
                seconds: (now - last).as_secs_f64(),
                edits,
                to_ack_us,
                bytes_up: up - bytes.0,
                bytes_down: down - bytes.1,
            });
            (last, bytes) = (now, (up, down));
        }
        Ok(())
    }

    /// Waits until everything is acknowledged and everyone has received everything. Returns in how many rooms all
    /// replicas and the server hold the same text.
    async fn settle(&mut self) -> Result<u32, Failure> {
        for room in &mut self.rooms {
            while lock(&room.shared).waiting > 0 {
                if let Some(ended) = room.peers.try_join_next() {
                    return Err(why(ended));
                }
                sleep(Duration::from_millis(5)).await;
            }
        }
        let mut hashes = Vec::with_capacity(self.rooms.len());
        for room in &self.rooms {
            let (head, hash) = self.client.hash_text(room.id.clone(), At::Head).await?;
            lock(&room.shared).head = head;
            hashes.push(hash);
        }
        self.phase.send_replace(Phase::Settle);
        let mut equal = 0;
        for (room, hash) in self.rooms.iter_mut().zip(hashes) {
            let mut all = true;
            while let Some(ended) = room.peers.join_next().await {
                match ended {
                    Ok(Ok(held)) => all &= held == hash,
                    other => return Err(why(other)),
                }
            }
            equal += u32::from(all);
        }
        Ok(equal)
    }
}

fn why(ended: Result<Result<TextHash, Failure>, tokio::task::JoinError>) -> Failure {
    match ended {
        Ok(Err(failure)) => failure,
        Ok(Ok(_)) => Failure::Failed("a connection ended before its time".to_owned()),
        Err(error) => Failure::Failed(format!("a connection's task failed: {error}")),
    }
}
