//! Several processes that share a load: the first one tells the others what to do over their standard input, and they
//! answer on their standard output, one JSON value a line.

use std::{future::Future, io::Write, process::Stdio};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines, Stdin},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::{mpsc, oneshot},
    task::JoinSet,
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    arguments::Arguments,
    crew::Crew,
    figures::{Outcome, Sample},
    scenario::Scenario,
    stop::interrupted,
};
use crate::cli::{Failure, Globals};

/// What workers have said and the first process has not looked at.
const HEARD_MAX: usize = 64;

/// What a worker says.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    /// Everyone is connected: waits for the word to begin.
    Ready,
    /// The measured time begins, or ends.
    Edge,
    Sample(Sample),
    Outcome(Box<Outcome>),
}

/// The work of one worker: its arguments come on standard input, then an empty line when all are ready.
pub(super) async fn work(globals: &Globals) -> Result<(), Failure> {
    let mut input = BufReader::new(tokio::io::stdin()).lines();
    let arguments: Arguments = serde_json::from_str(&line(&mut input).await?)
        .map_err(|error| Failure::Usage(format!("a worker takes its arguments from another motet: {error}")))?;
    let scenario = Scenario::new(&arguments, globals)?;
    let (begin_in, begin) = oneshot::channel();
    // The end of the input says that the load is stopped, or that the process that began it has gone.
    let ended = AbortOnDropHandle::new(tokio::spawn(async move {
        if line(&mut input).await.is_ok() {
            // The receiver is gone where the load has failed.
            let _ = begin_in.send(());
        }
        while line(&mut input).await.is_ok() {}
    }));
    let stop = async {
        tokio::select! {
            _ = ended => {}
            () = interrupted() => {}
        }
    };
    let mut crew = Crew::new(&scenario, globals).await?;
    let work = async {
        crew.gather().await?;
        tell(&Told::Ready);
        if begin.await.is_err() {
            // The input has ended, which stops this.
            std::future::pending::<()>().await;
        }
        let edge = || async { tell(&Told::Edge) };
        crew.work(edge, |sample| tell(&Told::Sample(sample.clone()))).await
    };
    let outcome = tokio::select! {
        outcome = work => Some(outcome),
        () = stop => None,
    };
    crew.leave().await;
    // The process that began the load reports that it was stopped.
    if let Some(outcome) = outcome {
        tell(&Told::Outcome(Box::new(outcome?)));
    }
    Ok(())
}

async fn line(input: &mut Lines<BufReader<Stdin>>) -> Result<String, Failure> {
    input.next_line().await?.ok_or_else(|| Failure::Failed("the process that began this load has gone".to_owned()))
}

fn tell(told: &Told) {
    let line = serde_json::to_string(told).expect("numbers, lists and maps with names for keys are always JSON");
    // Where the process that began this load has gone, the input has ended too, which stops it.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The workers.
pub(super) struct Fleet {
    workers: Vec<(Child, ChildStdin)>,
    heard: mpsc::Receiver<(usize, Told)>,
    /// Ends with whether the worker said its outcome.
    readers: JoinSet<Result<(), usize>>,
}

impl Default for Fleet {
    fn default() -> Self {
        let (_, heard) = mpsc::channel(1);
        Self { workers: Vec::new(), heard, readers: JoinSet::new() }
    }
}

impl Fleet {
    /// Starts the workers, gives each its share of the rooms, and waits until all are ready.
    pub(super) async fn gather(
        &mut self,
        it: &Scenario,
        arguments: &Arguments,
        globals: &Globals,
    ) -> Result<(), Failure> {
        let (heard_in, heard) = mpsc::channel(HEARD_MAX);
        self.heard = heard;
        for index in 0..it.workers {
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["--server", &globals.server.to_string(), "load", "--worker"]);
            if globals.json {
                command.arg("--json");
            }
            if let Some(token) = &globals.token {
                command.env("MOTET_TOKEN", token);
            }
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
            let mut child = command.spawn()?;
            let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
                return Err(Failure::Failed("a worker has no pipes".to_owned()));
            };
            let share = serde_json::to_string(&share(it, arguments, index)).map_err(std::io::Error::from)?;
            input.write_all(format!("{share}\n").as_bytes()).await?;
            self.workers.push((child, input));
            self.readers.spawn(listen(index as usize, output, heard_in.clone()));
        }
        drop(heard_in);
        for _ in 0..it.workers {
            match self.hear().await? {
                (_, Told::Ready) => {}
                (index, _) => return Err(ended(index)),
            }
        }
        Ok(())
    }

    /// Begins everywhere at once. `edge` is awaited when the first worker says that the measured time begins or ends.
    pub(super) async fn work<F: Future<Output = ()>>(
        &mut self,
        mut edge: impl FnMut() -> F,
        mut show: impl FnMut(&Sample),
    ) -> Result<Outcome, Failure> {
        let workers = self.workers.len();
        for (_, input) in &mut self.workers {
            input.write_all(b"\n").await?;
        }
        let (mut edges, mut outcomes) = (0, Vec::new());
        let mut sampled = vec![0; workers];
        let mut samples: Vec<(usize, Sample)> = Vec::new();
        while outcomes.len() < workers {
            match self.hear().await? {
                (index, Told::Ready) => return Err(ended(index)),
                (_, Told::Edge) => {
                    if edges == 0 || edges == workers {
                        edge().await;
                    }
                    edges += 1;
                }
                (index, Told::Sample(sample)) => {
                    let at = sampled[index];
                    sampled[index] += 1;
                    match samples.get_mut(at) {
                        Some((_, merged)) => merged.merge(&sample),
                        None => samples.push((0, sample)),
                    }
                    samples[at].0 += 1;
                    if samples[at].0 == workers {
                        show(&samples[at].1);
                    }
                }
                (_, Told::Outcome(outcome)) => outcomes.push(*outcome),
            }
        }
        let merged = outcomes.into_iter().reduce(|mut all, one| {
            all.merge(one);
            all
        });
        merged.ok_or_else(|| Failure::Failed("no worker worked".to_owned()))
    }

    /// The workers end, however the load did: each deletes its rooms before that.
    pub(super) async fn leave(self) {
        let (children, inputs): (Vec<Child>, Vec<ChildStdin>) = self.workers.into_iter().unzip();
        drop(inputs);
        // Those that say something more would wait for ever.
        drop(self.heard);
        let wait = async {
            for mut child in children {
                // Of one that fails nothing more can be heard.
                let _ = child.wait().await;
            }
        };
        tokio::select! {
            () = wait => {}
            () = interrupted() => {}
        }
    }

    /// What a worker says next; fails when one ends without its outcome.
    async fn hear(&mut self) -> Result<(usize, Told), Failure> {
        loop {
            tokio::select! {
                biased;
                told = self.heard.recv() => {
                    return told.ok_or_else(|| Failure::Failed("all workers have ended".to_owned()));
                }
                Some(done) = self.readers.join_next() => {
                    if let Ok(Err(index)) = done {
                        return Err(ended(index));
                    }
                }
            }
        }
    }
}

fn ended(index: usize) -> Failure {
    Failure::Failed(format!("worker {index} ended before its time; what it said stands above"))
}

async fn listen(index: usize, output: ChildStdout, heard: mpsc::Sender<(usize, Told)>) -> Result<(), usize> {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(told) = serde_json::from_str(&line) else { return Err(index) };
        let is_last = matches!(told, Told::Outcome(_));
        if heard.send((index, told)).await.is_err() || is_last {
            return Ok(());
        }
    }
    Err(index)
}

/// The arguments of one worker: its part of the rooms, of the rate and of the newcomers.
fn share(it: &Scenario, arguments: &Arguments, index: u32) -> Arguments {
    let part = |whole: u32| whole / it.workers + u32::from(index < whole % it.workers);
    let rooms = part(it.rooms);
    let of_rooms = |rate: f64| rate * f64::from(rooms) / f64::from(it.rooms);
    Arguments {
        rooms: Some(rooms),
        rate: it.rate.map(of_rooms),
        presence: Some(of_rooms(it.presence)),
        chat: Some(of_rooms(it.chat)),
        storm: Some(part(it.storm)),
        seed: Some(it.seed.wrapping_add(u64::from(index) << 48)),
        workers: Some(1),
        ..arguments.clone()
    }
}
