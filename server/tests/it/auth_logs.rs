//! Passwords, tokens and keys are in no log, whatever is logged and whatever goes wrong.

use std::{
    io::{self, Write},
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
};

use crate::{alone::is_alone, auth_api::Api};
use axum::http::Method;
use motet_protocol::{access::Role, message::Durability};
use motet_server::{
    auth::{
        NewLink, Target,
        config::{Choice, Mode},
    },
    clock::now_ms,
    store::{self, StoreKind},
};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The part of a secret that would be enough to find it by in a log.
fn core(secret: &str) -> &str {
    let from = secret.find('_').map_or(0, |at| at + 1);
    &secret[from..secret.len().min(from + 24)]
}

#[test]
fn a_full_run_logs_no_secret() {
    // The log below is that of the whole process.
    if is_alone(a_full_run_logs_no_secret) {
        tokio::runtime::Runtime::new().unwrap().block_on(full_run_logs_no_secret());
    }
}

async fn full_run_logs_no_secret() {
    let log = Log::default();
    // For all threads, those that hash passwords and wait for the disk included.
    tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).with_ansi(false).init();
    let passwords = ["hunter2-of-root", "hunter2-of-ann", "hunter2-wrong", "hunter2-the-next"];
    let [root_password, password, wrong, next] = passwords;
    let mut secrets: Vec<String> = passwords.map(str::to_owned).to_vec();

    let api = Api::start(Choice { mode: Some(Mode::Accounts), ..Choice::default() }, root_password);
    let login = |name: &str, password: &str| api.post("/login", None, json!({"name": name, "password": password}));
    let registered = api.post("/register", None, json!({"name": "ann", "password": password})).await;
    let signed_in = login("ann", password).await;
    for answer in [&registered, &signed_in] {
        secrets.extend([answer.text("access_token"), answer.text("refresh_token")]);
    }
    assert_eq!(login("ann", wrong).await.status, 401);
    // People type their password where the name should be.
    assert_eq!(login(wrong, "ann").await.status, 401);
    let access = signed_in.text("access_token");
    let refresh = json!({"refresh_token": signed_in.text("refresh_token")});
    let refreshed = api.post("/refresh", None, refresh.clone()).await;
    secrets.extend([refreshed.text("access_token"), refreshed.text("refresh_token")]);
    assert_eq!(api.post("/password", Some(&access), json!({"old": wrong, "new": next})).await.status, 401);
    assert_eq!(api.post("/password", Some(&access), json!({"old": password, "new": next})).await.status, 204);
    let ticket = api.call(Method::POST, "/ticket", Some(&access), None).await;
    secrets.push(ticket.text("ticket"));
    assert_eq!(api.get("/me", Some(&ticket.text("ticket"))).await.status, 200);
    assert_eq!(api.get("/me", Some(&ticket.text("ticket"))).await.status, 401);
    let new = NewLink { role: Role::Host, label: String::new(), created_by: None, expires_ms: None };
    let room = Target::Room("abc".parse().unwrap());
    let link = api.authenticator.create_link(room.clone(), new, now_ms()).await.unwrap();
    secrets.push(link.secret.expose().to_owned());
    let redeemed = api.post("/redeem", Some(&access), json!({"link": link.secret.expose()})).await;
    secrets.push(redeemed.text("token"));
    let identity = api.authenticator.identify(Some(&redeemed.text("token")), "", now_ms()).await.unwrap();
    api.authenticator.revoke_links(&room).unwrap();
    // A refresh token used twice, bodies that are wrong with a password in them, and a removal.
    assert_eq!(api.post("/refresh", None, refresh).await.status, 401);
    assert_eq!(api.post("/login", None, json!({"name": "ann", "pasword": next})).await.status, 400);
    assert_eq!(api.post("/login", None, json!({"name": "ann", "password": [next]})).await.status, 400);
    let root = login("root", root_password).await.text("access_token");
    secrets.push(root.clone());
    assert_eq!(api.delete("/accounts/ann", Some(&root)).await.status, 204);
    tracing::info!(?identity, ?link, authenticator = ?api.authenticator, "everything that can be printed");

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for told in ["an account was made", "signed in", "could not sign in", "used twice", "the account was removed"] {
        assert!(log.contains(told), "the log is not that of the run: it lacks {told:?}");
    }
    assert!(log.contains("everything that can be printed"));
    for secret in secrets {
        let core = core(&secret);
        assert!(!log.contains(core), "{core} is in the log:\n{log}");
    }
    assert!(!log.contains("$argon2id$"), "a hash is in the log");
}

/// What `motetd admin create` says on both of its outputs, and whether it ended well.
fn create_admin(data: &Path, name: &str, typed: &str) -> (bool, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_motetd"))
        .args(["admin", "create", name, "--data"])
        .arg(data)
        .env("MOTETD_LOG", "trace")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have ended before it read anything.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(!said.contains("hunter2"), "{said}");
    (output.status.success(), said)
}

#[test]
fn making_an_admin_on_the_command_line_shows_no_password() {
    let data = tempfile::tempdir().unwrap();
    let (made, said) = create_admin(data.path(), "root", "hunter2-of-root\n");
    assert!(made && said.contains("made the admin account root"), "{said}");
    for (name, typed, told) in [
        ("root", "hunter2-of-root\n", "choose another name"),
        ("other", "hunter2\n", "at least 8 characters"),
        ("other", "", "at least 8 characters"),
        ("other", &"hunter2".repeat(1_000), "at most 512 bytes"),
        ("A B", "hunter2-of-root\n", "3 to 32 of a-z"),
    ] {
        let (made, said) = create_admin(data.path(), name, typed);
        assert!(!made && said.contains(told), "{said}");
    }
}

#[test]
fn an_admin_is_not_made_while_a_server_has_the_data() {
    let data = tempfile::tempdir().unwrap();
    let held = store::open(StoreKind::Sled, data.path(), Durability::Os).unwrap();
    let (made, said) = create_admin(data.path(), "root", "hunter2-of-root\n");
    assert!(!made && said.contains("stop the server first"), "{said}");
    drop(held);
    let (made, said) = create_admin(data.path(), "root", "hunter2-of-root\n");
    assert!(made, "{said}");
}
