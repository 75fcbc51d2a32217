//! `motet load` against a server in this process: what it counts, and what makes it fail.
use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, ChildStderr, Output},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::harness::{Server, motet, run_motet};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A short load of two rooms, unless `more` says otherwise.
fn load(server: &Server, more: &[&str]) -> Value {
    let http = format!("http://{}", server.http);
    let mut words = vec!["--json", "load", "--http", &http];
    for (word, usual) in [("--rooms", "2"), ("--seconds", "0.5"), ("--warmup", "0.1")] {
        if !more.contains(&word) {
            words.extend([word, usual]);
        }
    }
    words.extend(more);
    serde_json::from_str(&server.motet(&words)).unwrap()
}

fn number(report: &Value, name: &str) -> f64 {
    report[name].as_f64().unwrap_or_else(|| panic!("{name} is no number in {report}"))
}

fn error_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_closed_loop_counts_edits_screens_bytes_and_processor_time() {
    let server = Server::start(&[]);
    let report = load(&server, &["--writers", "2", "--readers", "1"]);
    assert!(number(&report, "edits") > 0.0);
    assert!(number(&report, "screens") > number(&report, "edits"), "each edit reaches two other screens: {report}");
    assert_eq!(number(&report, "rooms_equal"), 2.0);
    assert!(number(&report, "bytes_up_per_edit") > 0.0 && number(&report, "bytes_down_per_edit") > 0.0);
    assert!(number(&report, "server_cpu_us_per_edit") > 0.0 && number(&report, "client_cpu_us_per_edit") > 0.0);
    assert_eq!(report["errors"], serde_json::json!({}));
    assert_eq!(server.motet(&["rooms"]), "", "the rooms of the load are gone");
}

#[test]
fn an_open_loop_makes_the_edits_that_were_due_and_no_more() {
    let server = Server::start(&[]);
    let report = load(&server, &["--rate", "200", "--seconds", "1", "--seed", "7"]);
    let due = number(&report, "edits") + number(&report, "edits_late") + number(&report, "edits_missed");
    // Edits of the warm-up may be acknowledged in the measured time and count there; each writer has few of them.
    assert!((100.0..=300.0).contains(&due), "{due} of about 200: {report}");
    assert!(report["client_late_us"]["p50"].is_number());
    assert_eq!(number(&report, "rooms_equal"), 2.0);
}

/// Half of the edits of a run are due while the server stalls; nearly all of those that are due in the first half of that
/// time wait for longer than the other half. A load that left out what it could not send meanwhile would have one late edit for
/// each writer, two in a hundred here.
#[test]
fn a_stall_of_the_server_is_in_the_times_of_every_edit_that_was_due_meanwhile() {
    const STALL: Duration = Duration::from_millis(1_500);
    let server = Server::start(&[]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (line, stalled) = runtime.block_on(stalling(server.tcp, STALL));
    let address = format!("tcp://{line}");
    let run = ["--rate", "100", "--seconds", "3", "--warmup", "0", "--writers", "1", "--seed", "9"];
    let report = load(&server, &[&["--server", &address][..], &run].concat());
    assert!(stalled.load(Ordering::Relaxed), "there was no stall: {report}");
    let due = number(&report, "edits") + number(&report, "edits_late") + number(&report, "edits_missed");
    assert!(due >= 250.0, "{due} of 300: {report}");
    // A quarter of all edits waited for half of the stall; of what a percentile says, a tenth is the next smaller share.
    let half_us = STALL.as_micros() as f64 / 2.0;
    let times = &report["to_ack_us"];
    assert!(
        number(times, "p90") >= half_us,
        "fewer than {} edits of {due} waited for {half_us} µs: {report}",
        due / 10.0
    );
    assert!(
        number(times, "p99") >= number(times, "p90") && number(times, "max") >= 0.9 * STALL.as_micros() as f64,
        "{report}"
    );
    assert_eq!(number(&report, "rooms_equal"), 2.0);
}

#[test]
fn people_who_talk_and_move_about_are_counted_and_timed() {
    let server = Server::start(&[]);
    let ws = format!("ws://{}", server.http);
    for more in [&["--rate", "50"][..], &["--think", "20"], &["--server", &ws, "--wire", "json", "--workers", "2"]] {
        let run = ["--presence", "100", "--chat", "40", "--readers", "1", "--seconds", "1", "--seed", "4"];
        let report = load(&server, &[&run[..], more].concat());
        assert!(number(&report, "edits") > 0.0, "{report}");
        // Said at fixed times, so that no more are said than were due.
        let chats = number(&report, "chats");
        assert!((1.0..=400.0).contains(&chats), "{chats} of about 40: {report}");
        assert!(number(&report["chat_to_ack_us"], "p50") > 0.0, "{report}");
        assert!((1.0..=1_000.0).contains(&number(&report, "carets")), "of about 100: {report}");
        assert!(number(&report, "presence_messages") > 0.0, "{report}");
        assert!(number(&report, "carets_seen") > 0.0, "{report}");
        assert_eq!((&report["errors"], number(&report, "rooms_equal")), (&serde_json::json!({}), 2.0));
    }
    let quiet = load(&server, &["--seconds", "0.2"]);
    assert_eq!(
        (number(&quiet, "chats"), number(&quiet, "carets"), number(&quiet, "presence_messages")),
        (0.0, 0.0, 0.0)
    );
    assert!(quiet["chat_to_ack_us"].is_null());
}

#[test]
fn talking_survives_connections_that_are_cut() {
    let server = Server::start(&[]);
    let run =
        ["--presence", "200", "--chat", "100", "--cut", "0.5", "--cut-every", "0.1", "--seconds", "1", "--seed", "6"];
    let report = load(&server, &run);
    assert!(number(&report, "cuts") > 0.0 && number(&report, "chats") > 0.0, "{report}");
    assert_eq!(number(&report, "rooms_equal"), 2.0, "{report}");
}

#[test]
fn each_way_of_writing_messages_ends_with_equal_texts() {
    let server = Server::start(&[]);
    let ws = format!("ws://{}", server.http);
    let binary = load(&server, &["--server", &ws]);
    let json = load(&server, &["--server", &ws, "--wire", "json"]);
    for report in [&binary, &json] {
        assert!(number(report, "edits") > 0.0);
        assert_eq!(number(report, "rooms_equal"), 2.0);
    }
    assert!(
        number(&json, "bytes_up_per_edit") > 1.5 * number(&binary, "bytes_up_per_edit"),
        "JSON is longer: {json} {binary}"
    );
}

#[test]
fn storms_cuts_and_slow_readers_lose_nothing() {
    let server = Server::start(&[]);
    let more = ["--storm", "6", "--storm-every", "0.2", "--cut", "0.5", "--cut-every", "0.1", "--slow-readers", "1"];
    let report = load(&server, &[&more[..], &["--seconds", "1", "--seed", "3", "--slow-pause", "2"]].concat());
    assert!(number(&report, "cuts") > 0.0, "{report}");
    assert!(number(&report, "joins") >= 6.0, "{report}");
    assert_eq!(number(&report, "rooms_equal"), 2.0);
}

#[test]
fn several_processes_share_the_rooms() {
    let server = Server::start(&[]);
    let report = load(&server, &["--workers", "2", "--rooms", "3"]);
    assert!(number(&report, "edits") > 0.0);
    assert_eq!(number(&report, "rooms"), 3.0);
    assert_eq!(number(&report, "rooms_equal"), 3.0);
    assert!(number(&report, "server_cpu_us_per_edit") > 0.0, "the server is asked once, by the first process");
}

#[test]
fn a_scenario_file_has_the_words_of_the_flags_and_flags_win() {
    let server = Server::start(&[]);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("small.toml");
    std::fs::write(&file, "rooms = 1\nwriters = 3\nreaders = 1\ntext-size = 100\nlength = 4\nseed = 5\n").unwrap();
    let file = file.to_str().unwrap();
    let report = load(&server, &["--scenario", file, "--writers", "1"]);
    let said = |name| number(&report, name);
    assert_eq!((said("rooms"), said("writers"), said("readers"), said("seed")), (2.0, 1.0, 1.0, 5.0));
    std::fs::write(file, "romms = 1\n").unwrap();
    let (code, told) = server.motet_fails(&["load", "--scenario", file], "");
    assert_eq!(code, 2);
    assert!(told.contains("romms"), "{told}");
}

#[test]
fn the_scenarios_of_the_documentation_can_be_run() {
    let server = Server::start(&[]);
    let ws = format!("ws://{}", server.http);
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/scenarios");
    let mut seen = 0;
    for file in std::fs::read_dir(docs).unwrap() {
        let file = file.unwrap().path();
        let small =
            ["--writers", "1", "--readers", "1", "--storm", "2", "--workers", "1", "--ramp", "0", "--seconds", "0.2"];
        let more = [&["--server", &ws, "--scenario", file.to_str().unwrap()], &small[..]].concat();
        assert_eq!(number(&load(&server, &more), "rooms_equal"), 2.0, "{}", file.display());
        seen += 1;
    }
    assert!(seen > 0);
}

#[test]
fn a_trace_is_played_again_and_again() {
    let server = Server::start(&[]);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("trace.json");
    let trace = serde_json::json!({
        "kind": "sequential", "startContent": "", "endContent": "hi!",
        "txns": [{"patches": [[0, 0, "hä"]]}, {"patches": [[1, 1, "i"], [2, 0, "!"]]}],
    });
    std::fs::write(&file, trace.to_string()).unwrap();
    let report = load(&server, &["--trace", file.to_str().unwrap(), "--readers", "1"]);
    assert!(number(&report, "edits") > 3.0, "{report}");
    assert_eq!(number(&report, "rooms_equal"), 2.0);
}

/// A load that goes on for an hour if nothing ends it, and what it says, once it edits.
fn begins(server: &Server, more: &[&str]) -> (Child, BufReader<ChildStderr>) {
    let http = format!("http://{}", server.http);
    let words = ["load", "--http", &http, "--rooms", "2", "--seconds", "3600", "--warmup", "0"];
    let mut load = motet(server.tcp, &[&words[..], more].concat()).spawn().unwrap();
    let mut told = BufReader::new(load.stderr.take().unwrap());
    let mut line = String::new();
    told.read_line(&mut line).unwrap();
    assert!(line.contains("edits/s"), "{line}");
    (load, told)
}

/// How a load ended that was to end long before its time, and what it said.
fn ends(mut load: Child, mut told: BufReader<ChildStderr>) -> (Option<i32>, String) {
    let begun = Instant::now();
    while load.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(60) {
            load.kill().unwrap();
            panic!("the load goes on");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut words = String::new();
    told.read_to_string(&mut words).unwrap();
    (load.wait().unwrap().code(), words)
}

#[test]
fn a_load_that_is_stopped_takes_its_rooms_with_it() {
    let server = Server::start(&[]);
    for (workers, signal) in [("1", Signal::INT), ("2", Signal::INT), ("1", Signal::TERM), ("2", Signal::TERM)] {
        let (load, told) = begins(&server, &["--workers", workers]);
        assert_eq!(server.motet(&["rooms"]).lines().count(), 2);
        kill_process(Pid::from_child(&load), signal).unwrap();
        let (code, words) = ends(load, told);
        assert_eq!(code, Some(1), "{words}");
        assert_eq!(words.matches("motet: ").count(), 1, "{words}");
        assert!(words.contains("motet: stopped before its time"), "{words}");
        assert_eq!(server.motet(&["rooms"]), "", "{workers} workers");
    }
}

#[test]
fn a_load_whose_server_is_gone_ends() {
    for workers in ["1", "2"] {
        let server = Server::start(&[]);
        let (load, told) = begins(&server, &["--workers", workers]);
        drop(server);
        let (code, words) = ends(load, told);
        assert!(code.is_some_and(|code| code != 0), "{code:?}: {words}");
        assert!(words.contains("could not be deleted"), "{words}");
    }
}

#[test]
fn figures_that_the_server_does_not_give_are_missed_once() {
    let server = Server::start(&[]);
    let words = ["load", "--json", "--http", "http://127.0.0.1:1", "--rooms", "1", "--seconds", "0.1", "--warmup", "0"];
    let output = run_motet(server.tcp, &words, "");
    assert!(output.status.success(), "{}", error_of(&output));
    let told: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert!(told["notice"].as_str().unwrap().contains("--http"), "{told}");
}

#[test]
fn the_page_has_plots_and_needs_no_network() {
    let server = Server::start(&[]);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("report.html");
    load(&server, &["--html", file.to_str().unwrap()]);
    let page = std::fs::read_to_string(file).unwrap();
    assert_eq!(page.matches("<svg").count(), 3);
    assert!(page.contains("<polyline") && page.contains("texts     equal in 2 of 2 rooms"));
    for word in ["http:", "https:", "<script", "src="] {
        assert!(!page.contains(word), "{word} in {page}");
    }
}

#[test]
fn what_makes_no_sense_is_wrong_usage() {
    for words in [
        &["load", "--rooms", "0"][..],
        &["load", "--wire", "json"],
        &["load", "--rate", "10", "--think", "5"],
        &["load", "--rate", "NaN"],
        &["load", "--cut", "1.5"],
        &["load", "--chat", "-1"],
        &["load", "--presence", "NaN"],
        &["load", "--workers", "3", "--rooms", "2"],
        &["load", "--trace", "/nowhere/at/all"],
        &["load", "--seconds", "-1"],
    ] {
        let unreachable: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let output = run_motet(unreachable, words, "");
        assert_eq!(output.status.code(), Some(2), "{words:?}: {}", error_of(&output));
    }
}

#[test]
fn replicas_that_differ_from_the_server_fail_the_run() {
    let server = Server::start(&[]);
    let output = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let liar = liar(server.http).await;
        let (address, http) = (format!("ws://{liar}"), format!("http://{}", server.http));
        let words = ["--json", "--server", &address, "load", "--wire", "json", "--rooms", "1", "--seconds", "0.5"];
        let mut command = motet(server.tcp, &words);
        command.args(["--warmup", "0", "--inserts", "1", "--seed", "1", "--http", &http]);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    });
    assert_eq!(output.status.code(), Some(1), "{}", error_of(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(number(&report, "rooms_equal"), 0.0);
    assert!(error_of(&output).contains("different texts"), "{}", error_of(&output));
}

/// A line to the server that holds everything up once for so long, soon after the edits have begun. Tells whether it has.
async fn stalling(server: SocketAddr, stall: Duration) -> (SocketAddr, Arc<AtomicBool>) {
    /// Pieces that the writers have sent by then; it takes fewer to fill the rooms.
    const PIECES: u64 = 40;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stalled = Arc::new(AtomicBool::new(false));
    let (begun, seen) = (Arc::clone(&stalled), Arc::new(AtomicU64::new(0)));
    let until = Arc::new(Mutex::new(Instant::now()));
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(server).await.unwrap();
            far.set_nodelay(true).unwrap();
            let (mut near_in, mut near_out) = near.into_split();
            let (mut far_in, mut far_out) = far.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut far_in, &mut near_out).await });
            let (begun, seen, until) = (Arc::clone(&begun), Arc::clone(&seen), Arc::clone(&until));
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while let Ok(read @ 1..) = near_in.read(&mut buffer).await {
                    if seen.fetch_add(1, Ordering::Relaxed) == PIECES {
                        *until.lock().unwrap() = Instant::now() + stall;
                        begun.store(true, Ordering::Relaxed);
                    }
                    let until = *until.lock().unwrap();
                    tokio::time::sleep_until(until.into()).await;
                    if far_out.write_all(&buffer[..read]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, stalled)
}

/// A line to the server on which each `"e"` that others typed arrives as `"E"`.
async fn liar(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(server).await.unwrap();
            let (mut near_in, mut near_out) = near.into_split();
            let (mut far_in, mut far_out) = far.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut near_in, &mut far_out).await });
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while let Ok(read @ 1..) = far_in.read(&mut buffer).await {
                    let bytes = &mut buffer[..read];
                    for at in 0..read.saturating_sub(2) {
                        if &bytes[at..at + 3] == b"\"e\"" {
                            bytes[at + 1] = b'E';
                        }
                    }
                    if near_out.write_all(bytes).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}
