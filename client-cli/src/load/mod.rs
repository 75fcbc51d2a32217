//! `motet load`: many writers and readers, what they notice, and what that costs the server.

mod arguments;
mod company;
mod crew;
mod figures;
mod fleet;
mod html;
mod live;
mod metrics;
mod mix;
mod own;
mod pace;
mod peer;
mod plot;
mod report;
mod scenario;
mod sent;
mod stop;
mod storm;
mod wire;

use std::{cell::RefCell, path::PathBuf};

use clap::Args;

use self::{
    arguments::Arguments,
    crew::Crew,
    fleet::Fleet,
    live::Live,
    metrics::{Usage, usage},
    report::Report,
    scenario::Scenario,
    stop::{interrupted, until},
};
use crate::{
    cli::{Failure, Globals, notice},
    http::{HttpAddress, find::http_of},
};

/// Loads a server and measures it: in a closed loop every writer edits, waits for the acknowledgement, and edits again; with
/// --rate edits are due at fixed times (an open loop), and latency counts from then.
///
/// Measures edits per second, the time from an edit to its acknowledgement and to each other screen, chat, presence, bytes, errors, and,
/// from the server's /metrics, its processor time per edit and its memory; also what the load itself used, and whether the
/// load rather than the server was the limit. At the end all replicas and the server must hold the same texts; if not,
/// the exit code is 1. The rooms are new ones, and deleted at the end, also when the load fails or is stopped by Ctrl-C or SIGTERM.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  motet load\n  motet load --rooms 1 --writers 2 --think 100     # what one pair of people notices\n  motet load --rate 5000 --html report.html        # an open loop, with plots\n  motet --server ws://127.0.0.1:6683 load --wire json --rooms 50 --seconds 30 --json\n  motet load --readers 10 --slow-readers 2 --cut 0.1 --storm 200\n  motet load --rate 100 --presence 500 --chat 10    # people who move about and talk\n  motet load --scenario docs/scenarios/bad-day.toml --seconds 60\n  motet load --workers 4 --rooms 400               # four processes"
)]
pub(crate) struct Load {
    /// Read the arguments that are not given as flags from this TOML file.
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Write a report with plots.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Work for another process of this command, which says what to do on standard input.
    #[arg(long, hide = true)]
    worker: bool,
    #[command(flatten)]
    arguments: Box<Arguments>,
}

impl Load {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        if self.worker {
            return fleet::work(globals).await;
        }
        let mut arguments = match &self.scenario {
            Some(path) => (*self.arguments).or(Arguments::read(path)?),
            None => *self.arguments,
        };
        if let Some(http) = &globals.http_given {
            arguments.http = Some(http.to_string());
        }
        let scenario = Scenario::new(&arguments, globals)?;
        let client = globals.connect().await?;
        let welcome = client.welcome().clone();
        drop(client);
        let http = metrics_of(scenario.http.as_deref(), globals).await;
        let usages = RefCell::new(Vec::new());
        let edge = || async {
            let is_first = usages.borrow().is_empty();
            let usage = server_usage(http.as_ref(), globals, is_first).await;
            usages.borrow_mut().push(usage);
        };
        let mut live = Live::new(globals.json);
        let outcome = if scenario.workers == 1 {
            let mut crew = Crew::new(&scenario, globals).await?;
            let work = async {
                crew.gather().await?;
                crew.work(edge, |sample| live.show(sample)).await
            };
            let outcome = until(interrupted(), work).await;
            crew.leave().await;
            outcome
        } else {
            let mut fleet = Fleet::default();
            let work = async {
                fleet.gather(&scenario, &arguments, globals).await?;
                fleet.work(edge, |sample| live.show(sample)).await
            };
            let outcome = until(interrupted(), work).await;
            fleet.leave().await;
            outcome
        };
        live.end();
        let outcome = outcome?;
        let used = match usages.borrow().as_slice() {
            [Some(before), Some(after)] => Some((*before, *after)),
            _ => None,
        };
        let server = (welcome.server, welcome.durability, &globals.server);
        let report = Report::new(&scenario, server, &outcome, used);
        report.print(globals.json)?;
        if let Some(path) = self.html {
            std::fs::write(&path, html::page(&report, &outcome))
                .map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))?;
        }
        if !report.is_equal() {
            return Err(Failure::Failed("replicas and the server hold different texts".to_owned()));
        }
        Ok(())
    }
}

/// The HTTP address of the measured server, whose `/metrics` are read. None if it cannot be found, which is reported.
async fn metrics_of(given: Option<&str>, globals: &Globals) -> Option<HttpAddress> {
    let (server, given) = (globals.server.clone(), given.map(str::parse::<HttpAddress>));
    let found = tokio::task::spawn_blocking(move || match given.transpose() {
        Ok(given) => http_of(&server, given.as_ref()).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    });
    match found.await {
        Ok(Ok(http)) => Some(http),
        Ok(Err(error)) => {
            notice::say(globals.json, format_args!("no figures of the server: {error}; see --http"));
            None
        }
        Err(_) => None,
    }
}

/// What the server has used until now, if it says so. That it does not is reported the first time.
async fn server_usage(http: Option<&HttpAddress>, globals: &Globals, is_first: bool) -> Option<Usage> {
    let http = http?;
    let authority = http.as_str().trim_start_matches("http://");
    match usage(authority).await {
        Ok(usage) => Some(usage),
        Err(error) => {
            if is_first {
                notice::say(
                    globals.json,
                    format_args!("no figures of the server from http://{authority}/metrics: {error}; see --http"),
                );
            }
            None
        }
    }
}
