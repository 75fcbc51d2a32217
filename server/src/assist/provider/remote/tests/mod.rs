//! The endpoint as a real service on this machine, well or ill.

mod service;

use motet_protocol::{ids::ParticipantId, message::Command, message::Entry, ot::Operation, ot::position::Scalar};
use ropey::Rope;
use serde_json::{Value, json};
use service::{Service, certificate, respond};

use super::*;
use crate::assist::{
    complete::{CompletionKind, complete},
    languages::Language,
    limits::{PROMPT_AFTER_CHARS, PROMPT_BEFORE_CHARS, PROSE_CHARS_MAX, SUGGESTION_CHARS_MAX},
    provider::{Answer, Assist, Key},
    summary::{Around, Summarizer},
    words::WordIndex,
};

/// Long enough for the slowest machine.
const PATIENT: Patience =
    Patience { complete: Duration::from_secs(120), summarize: Duration::from_secs(120), rest: REST };

/// Short, for services that never answer.
const IMPATIENT: Patience =
    Patience { complete: Duration::from_millis(100), summarize: Duration::from_millis(100), rest: Duration::ZERO };

fn assist(service: &Service, patience: Patience) -> Assist {
    assist_at(&format!("http://{}/v1", service.address), &[], patience)
}

fn assist_at(base: &str, trusted: &[rustls::pki_types::CertificateDer<'static>], patience: Patience) -> Assist {
    let endpoint = Endpoint::new(base, "small-model", Some(Key::new("sk-secret").unwrap())).unwrap();
    let mut roots = RootCertStore::empty();
    for certificate in trusted {
        roots.add(certificate.clone()).unwrap();
    }
    let tls = tls_builder().with_root_certificates(roots).with_no_client_auth();
    Assist::with(Box::new(Remote::with(endpoint, tls, patience)))
}

/// Somebody who has typed `before`, with `after` behind the cursor.
fn request(before: &str, after: &str) -> CompletionRequest {
    let text = Rope::from(format!("{before}{after}"));
    let position = Scalar(before.chars().count() as u64);
    let known = complete(&text, position, Language::Rust, &WordIndex::of(&text), 5);
    CompletionRequest { text, position, language: Language::Rust, limit: 5, known }
}

/// Asks for a completion that the server itself knows one answer to.
async fn ask(assist: &Assist) -> Answer<Vec<Completion>> {
    assist.complete(request("let zebra = 1; zeb", "")).await
}

/// Asserts that the answer is the server's own, and tells why.
fn why(answer: Answer<Vec<Completion>>) -> ProviderError {
    assert_eq!(answer.by, "built-in");
    assert_eq!(answer.value.iter().map(|completion| &*completion.text).collect::<Vec<_>>(), ["zebra"]);
    let why = answer.instead.expect("a reason");
    assert!(!format!("{why} {why:?}").contains("secret"), "{why}");
    why
}

fn a_summary() -> Summary {
    let mut summarizer = Summarizer::new(0, Rope::new());
    let command = Command::Edit(Operation::builder().insert("words").build().unwrap());
    let entry = Entry { revision: 1, participant: ParticipantId(7), seq: 1, time_ms: 1, command };
    assert_eq!(summarizer.take(&entry), Ok(None));
    summarizer.finish(&Around::default())
}

#[tokio::test]
async fn what_the_model_suggests_comes_before_what_the_server_knows() {
    let service = Service::saying("```json\n{\"completions\": [\"ra + 1;\\n\"]}\n```").await;
    let answer = ask(&assist(&service, PATIENT)).await;
    assert_eq!((&*answer.by, &answer.instead), ("small-model", &None));
    let [suggested, known] = &answer.value[..] else { panic!("{answer:?}") };
    assert_eq!((suggested.kind, &*suggested.insert), (CompletionKind::Suggestion, "ra + 1;\n"));
    assert_eq!((&*suggested.text, suggested.replace_from), ("ra + 1;", Scalar(18)));
    assert_eq!((known.kind, &*known.insert), (CompletionKind::Word, "zebra"));
}

#[tokio::test]
async fn the_endpoint_is_asked_in_its_form_with_the_key_in_its_header_only() {
    let service = Service::saying("{\"completions\": []}").await;
    assist(&service, PATIENT).complete(request("fn größe() { let a = \"x\\", "\"; }")).await;
    let [asked] = &service.asked()[..] else { panic!("{:?}", service.asked()) };
    assert_eq!(asked.line, "POST /v1/chat/completions");
    assert_eq!(asked.authorization.as_deref(), Some("Bearer sk-secret"));
    assert_eq!(asked.body["model"], "small-model");
    assert_eq!(asked.body["messages"][0]["role"], "system");
    assert_eq!(asked.body["messages"][1]["role"], "user");
    let told: Value = serde_json::from_str(asked.body["messages"][1]["content"].as_str().unwrap()).unwrap();
    assert_eq!(told["before"], "fn größe() { let a = \"x\\");
    assert_eq!((&told["after"], &told["language"]), (&json!("\"; }"), &json!("rust")));
    assert!(!asked.body.to_string().contains("sk-secret"));
}

#[tokio::test]
async fn of_a_large_text_only_what_is_around_the_position_leaves_the_server() {
    let service = Service::saying("{\"completions\": []}").await;
    let (before, after) = ("𝒳".repeat(300_000), "y".repeat(300_000));
    assist(&service, PATIENT).complete(request(&before, &after)).await;
    let asked = service.asked().remove(0);
    let told: Value = serde_json::from_str(asked.body["messages"][1]["content"].as_str().unwrap()).unwrap();
    assert_eq!(told["before"].as_str().unwrap(), "𝒳".repeat(PROMPT_BEFORE_CHARS));
    assert_eq!(told["after"].as_str().unwrap(), "y".repeat(PROMPT_AFTER_CHARS));
    assert!(asked.body_bytes < 32 * 1024, "{} bytes", asked.body_bytes);
}

#[tokio::test]
async fn the_model_tells_the_facts_of_a_summary_in_its_words() {
    let service = Service::saying(" Somebody wrote words.\u{7}\n").await;
    let answer = assist(&service, PATIENT).summarize(&a_summary()).await;
    let expected = Answer { value: "Somebody wrote words.".to_owned(), by: "small-model".to_owned(), instead: None };
    assert_eq!(answer, expected);
    assert_eq!(service.asked()[0].body["messages"][1]["content"], a_summary().to_string());
}

#[tokio::test]
async fn without_an_endpoint_the_server_answers() {
    let answer = ask(&Assist::configured(None).unwrap()).await;
    assert_eq!((&*answer.by, &answer.instead, answer.value.len()), ("built-in", &None, 1));
    let answer = Assist::built_in().summarize(&a_summary()).await;
    assert_eq!((answer.value, answer.instead), (a_summary().to_string(), None));
}

#[tokio::test]
async fn a_service_that_refuses_is_told_with_its_reason_but_not_with_the_key() {
    let body = json!({ "error": { "message": "Incorrect API key provided:\n sk-secret." } }).to_string();
    let service = Service::web(move || respond(401, &body)).await;
    let expected = ProviderError::Refused { status: 401, why: "Incorrect API key provided: [key].".to_owned() };
    assert_eq!(why(ask(&assist(&service, PATIENT)).await), expected);
    let summary = assist(&service, PATIENT).summarize(&a_summary()).await;
    assert_eq!((summary.value, summary.instead), (a_summary().to_string(), Some(expected)));

    let service = Service::web(|| respond(500, &"<html>".repeat(1 << 20))).await;
    let ProviderError::Refused { status: 500, why } = why(ask(&assist(&service, PATIENT)).await) else {
        panic!("not refused")
    };
    assert!(why.chars().count() <= QUOTE_CHARS_MAX + 1);
}

#[tokio::test]
async fn the_key_does_not_follow_a_redirect() {
    let elsewhere = Service::saying("{\"completions\": [\"x\"]}").await;
    let to = format!("http://{}/", elsewhere.address);
    let service = Service::web(move || {
        let mut response = respond(307, "");
        response.headers_mut().insert("location", to.parse().unwrap());
        response
    })
    .await;
    let error = why(ask(&assist(&service, PATIENT)).await);
    assert_eq!(error, ProviderError::Refused { status: 307, why: "no reason".to_owned() });
    assert!(elsewhere.asked().is_empty());
}

#[tokio::test]
async fn an_answer_that_cannot_be_understood_is_told() {
    let bodies = [
        "",
        "garbage",
        "[]",
        "{}",
        "{\"choices\": []}",
        "{\"choices\": [{}]}",
        "{\"choices\": [{\"message\": {\"content\": null}}]}",
        "{\"choices\": [{\"message\": {\"content\": [1]}}]}",
        "{\"choices\": [{\"message\": {\"content\": \" \"}}]}",
        "{\"choices\": [{\"message\": {\"content\": \"sk-secret is no JSON\"}}]}",
        "{\"choices\": [{\"message\": {\"content\": \"{\\\"completions\\\": [1]}\"}}]}",
    ];
    for body in bodies {
        let service = Service::web(move || respond(200, body)).await;
        let error = why(ask(&assist(&service, PATIENT)).await);
        assert_eq!(error.code(), "malformed", "{body}: {error}");
    }
    let deep = "[".repeat(200_000);
    let service = Service::web(move || respond(200, &deep)).await;
    assert_eq!(why(ask(&assist(&service, PATIENT)).await).code(), "malformed");
}

#[tokio::test]
async fn what_does_not_speak_http_or_is_not_there_is_told() {
    let nobody = Service { address: "127.0.0.1:1".parse().unwrap(), ..Service::raw(b"", 0, false).await };
    let services = [
        nobody,
        Service::raw(b"", 0, false).await,
        Service::raw(b"SSH-2.0-OpenSSH_9.9\r\n", 1, true).await,
        Service::raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", 1, false).await,
        Service::raw(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", 1, true).await,
    ];
    for (index, service) in services.iter().enumerate() {
        let error = why(ask(&assist(service, PATIENT)).await);
        assert_eq!(error.code(), "unreachable", "service {index}: {error}");
    }
}

#[tokio::test]
async fn a_service_that_hangs_is_not_waited_for() {
    let services = [
        Service::raw(b"", 0, true).await,
        Service::raw(b"HTTP/1.1 200 OK\r\n", 1, true).await,
        Service::raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", 1, true).await,
        Service::raw(b"HTTP/1.1 500 Oh\r\nContent-Length: 9\r\n\r\nhalf", 1, true).await,
    ];
    for service in &services {
        let error = why(ask(&assist(service, IMPATIENT)).await);
        assert_eq!(error, ProviderError::Timeout { after: IMPATIENT.complete });
        let summary = assist(service, IMPATIENT).summarize(&a_summary()).await;
        assert_eq!(summary.instead.map(|error| error.code()), Some("timeout"));
    }
}

#[tokio::test]
async fn a_service_that_hung_is_left_alone_for_a_while() {
    let service = Service::raw(b"", 0, true).await;
    let for_long = Patience { rest: Duration::from_secs(3_600), ..IMPATIENT };
    let resting = assist(&service, for_long);
    assert_eq!(why(ask(&resting).await).code(), "timeout");
    assert_eq!(why(ask(&resting).await), ProviderError::Resting);
    let tireless = assist(&service, IMPATIENT);
    assert_eq!(why(ask(&tireless).await).code(), "timeout");
    assert_eq!(why(ask(&tireless).await).code(), "timeout");
    // Who answers, be it with a refusal, is there.
    let service = Service::web(|| respond(503, "")).await;
    let refused = assist(&service, Patience { rest: for_long.rest, ..PATIENT });
    assert_eq!(why(ask(&refused).await).code(), "refused");
    assert_eq!(why(ask(&refused).await).code(), "refused");
}

#[tokio::test]
async fn a_service_that_does_not_stop_talking_is_cut_off() {
    let service = Service::web(|| respond(200, &" ".repeat(RESPONSE_BYTES_MAX + 1))).await;
    let too_large = ProviderError::TooLarge { bytes_max: RESPONSE_BYTES_MAX };
    assert_eq!(why(ask(&assist(&service, PATIENT)).await), too_large);
    // No length told, and no end.
    let service =
        Service::raw(b"HTTP/1.1 200 OK\r\n\r\n                                        ", usize::MAX, true).await;
    assert_eq!(why(ask(&assist(&service, PATIENT)).await), too_large);
    // A head without an end.
    let service = Service::raw(b"HTTP/1.1 200 OK\r\nA: ", 1_000_000, true).await;
    assert_eq!(why(ask(&assist(&service, PATIENT)).await).code(), "unreachable");
}

#[tokio::test]
async fn suggestions_that_do_not_belong_in_a_text_are_left_out() {
    let long = "x".repeat(SUGGESTION_CHARS_MAX + 1);
    let suggestions = json!({ "completions": ["", " \n", "\u{1b}[2J", long, "one\r\ntwo", "one\ntwo", "3", "4", "5"] });
    let service = Service::saying(&suggestions.to_string()).await;
    let answer = ask(&assist(&service, PATIENT)).await;
    let inserts: Vec<_> = answer.value.iter().map(|completion| &*completion.insert).collect();
    assert_eq!(inserts, ["one\ntwo", "3", "4", "zebra"]);
    let service = Service::saying(&"é".repeat(2 * PROSE_CHARS_MAX)).await;
    let answer = assist(&service, PATIENT).summarize(&a_summary()).await;
    assert_eq!(answer.value.chars().count(), PROSE_CHARS_MAX + 1);
}

#[tokio::test]
async fn a_crowd_does_not_pile_up_before_a_service_that_hangs() {
    let service = Service::raw(b"", 0, true).await;
    let assist = Arc::new(assist(&service, PATIENT));
    let waiting: Vec<_> = (0..REMOTE_REQUESTS_MAX)
        .map(|_| {
            let assist = Arc::clone(&assist);
            tokio::spawn(async move { ask(&assist).await })
        })
        .collect();
    // They have all begun before this task goes on: the test's runtime has one thread, and each waits only for the service.
    tokio::task::yield_now().await;
    assert_eq!(why(ask(&assist).await), ProviderError::Busy);
    for one in waiting {
        one.abort();
        assert!(one.await.unwrap_err().is_cancelled());
    }
    // Now there is room again: a request gets as far as the service, and waits there.
    assert!(timeout(Duration::from_millis(100), ask(&assist)).await.is_err());
}

#[tokio::test]
async fn https_is_spoken_with_whom_is_trusted_and_nobody_else() {
    let service = Service::encrypted().await;
    let base = format!("https://{}/v1", service.address);
    let answer = ask(&assist_at(&base, &[certificate()], PATIENT)).await;
    assert_eq!((answer.instead, &*answer.value[0].insert), (None, "encrypted"));
    let error = why(ask(&assist_at(&base, &[], PATIENT)).await);
    assert_eq!(error.code(), "unreachable");
    assert!(error.to_string().contains("certificate"), "{error}");
}

/// What is logged while it exists, on this thread.
#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_hears_once_that_a_service_fails_and_never_of_the_key() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let well = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_well = Arc::clone(&well);
    let service = Service::web(move || match is_well.load(std::sync::atomic::Ordering::Relaxed) {
        true => respond(200, "{\"choices\": [{\"message\": {\"content\": \"{\\\"completions\\\": []}\"}}]}"),
        false => respond(403, "sk-secret is no key"),
    })
    .await;
    let assist = assist(&service, PATIENT);
    for _ in 0..3 {
        why(ask(&assist).await);
    }
    well.store(true, std::sync::atomic::Ordering::Relaxed);
    for _ in 0..3 {
        assert_eq!(ask(&assist).await.instead, None);
    }
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(logged.matches("the assisting provider fails").count(), 1, "{logged}");
    assert_eq!(logged.matches("the assisting provider answers again").count(), 1, "{logged}");
    assert!(logged.contains("[key] is no key") && !logged.contains("secret"), "{logged}");
}
