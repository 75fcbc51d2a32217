//! `motet load` against a server in this process: what it counts, and what makes it fail.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod harness;

use std::{net::SocketAddr, process::Output};

use harness::{Server, motet, run_motet};
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
        &["load", "--workers", "3", "--rooms", "2"],
        &["load", "--trace", "/nowhere/at/all"],
        &["load", "--seconds", "-1"],
    ] {
        let nobody: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let output = run_motet(nobody, words, "");
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
