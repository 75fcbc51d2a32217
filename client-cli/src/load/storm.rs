//! Newcomers who come all at once.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use motet_protocol::ids::RoomId;
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    figures::lock,
    peer::{Common, open},
    scenario::Scenario,
};
use crate::cli::Globals;

/// The storms of the measured time.
pub(super) struct Storms(Option<AbortOnDropHandle<()>>);

impl Storms {
    /// The first comes at once.
    pub(super) fn start(it: &Scenario, globals: &Globals, common: &Arc<Common>, rooms: Vec<RoomId>) -> Self {
        if it.storm == 0 {
            return Self(None);
        }
        let (newcomers, every) = (it.storm, it.storm_every);
        let storms = tokio::spawn(storms(newcomers, every, globals.clone(), Arc::clone(common), rooms));
        Self(Some(AbortOnDropHandle::new(storms)))
    }

    /// No more storms.
    pub(super) async fn stop(self) {
        if let Some(storms) = self.0 {
            storms.abort();
            // It was cancelled, which is what was wanted.
            let _ = storms.await;
        }
    }
}

async fn storms(newcomers: u32, every: Duration, globals: Globals, common: Arc<Common>, rooms: Vec<RoomId>) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let mut storm = JoinSet::new();
        for room in rooms.iter().cycle().take(newcomers as usize).cloned() {
            let (greeting, common) = (globals.greeting(), Arc::clone(&common));
            storm.spawn(async move {
                let start = Instant::now();
                let opened = open(&common, greeting, room).await;
                let mut figures = lock(&common.figures);
                match opened {
                    Ok(_) => figures.to_join_us.record(start.elapsed().as_micros() as u64),
                    Err(failure) => figures.error(failure.word()),
                }
            });
        }
        while storm.join_next().await.is_some() {}
    }
}
