//! Signing in, against a store on the disk: what lets somebody in, and what does not any more.

use std::{net::IpAddr, path::Path, sync::Arc};

use motet_protocol::{
    access::{AccountId, Role},
    error::ErrorCode,
    ids::UnixMs,
    message::Durability,
};
use motet_server::{
    auth::{
        AuthConfig, Authenticator, Identity, NewLink, Secret, SignedIn, Target,
        admin::{AdminError, create_admin},
        config::{Choice, Mode, Registration},
        limits::*,
    },
    refusal::Refusal,
    store::{self, Store, StoreKind},
};

const NOW: UnixMs = 1_700_000_000_000;
const PASSWORD: &str = "correct horse battery";

fn address(last: u8) -> IpAddr {
    [127, 0, 0, last].into()
}

fn open(path: &Path, choice: Choice) -> Authenticator {
    let store = store::open(StoreKind::Sled, path, Durability::Sync).unwrap();
    Authenticator::open(config(choice), store).unwrap()
}

fn config(choice: Choice) -> AuthConfig {
    choice.check(&[]).unwrap()
}

fn mode(mode: Mode) -> Choice {
    Choice { mode: Some(mode), ..Choice::default() }
}

/// A server that keeps accounts, on a directory of its own.
fn accounts() -> (tempfile::TempDir, Authenticator) {
    let data = tempfile::tempdir().unwrap();
    let authenticator = open(data.path(), mode(Mode::Accounts));
    (data, authenticator)
}

async fn register(server: &Authenticator, name: &str) -> SignedIn {
    server.register(name, Secret::new(PASSWORD), "test", address(1), NOW).await.unwrap()
}

async fn login(server: &Authenticator, name: &str, password: &str, now: UnixMs) -> Result<SignedIn, Refusal> {
    server.login(name, Secret::new(password), "test", address(1), now).await
}

async fn who(server: &Authenticator, token: &Secret, now: UnixMs) -> Result<Identity, Refusal> {
    server.identify(Some(token.expose()), "Somebody Else", now).await
}

/// Asserts that a token is answered as any other that is not good.
async fn refused(server: &Authenticator, token: &str, now: UnixMs) {
    let expected = "unauthorized: the token is missing, wrong, expired or revoked; sign in";
    let refusal = server.identify(Some(token), "Ann", now).await.unwrap_err();
    assert_eq!((refusal.to_string().as_str(), refusal.retry_after_ms), (expected, None), "{token}");
}

#[tokio::test]
async fn an_open_server_takes_people_by_their_word() {
    let data = tempfile::tempdir().unwrap();
    let server = open(data.path(), mode(Mode::Open));
    let ann = server.identify(None, "Ann", NOW).await.unwrap();
    assert_eq!((ann.account.as_ref(), ann.name.as_str(), ann.admin), (None, "Ann", false));
    assert!(ann.still_valid(UnixMs::MAX - 1));
    refused(&server, "", NOW).await;
    refused(&server, "mta_AAAA", NOW).await;
    assert_eq!(login(&server, "ann", PASSWORD, NOW).await.unwrap_err().code, ErrorCode::Forbidden);
}

#[tokio::test]
async fn who_registered_is_known_after_a_restart() {
    let (data, server) = accounts();
    let signed_in = register(&server, "ann").await;
    let ann = who(&server, &signed_in.access_token, NOW).await.unwrap();
    assert_eq!((ann.account.unwrap().as_str(), ann.name.as_str()), ("ann", "ann"), "a name is not to be chosen");
    drop(server);
    let server = open(data.path(), mode(Mode::Accounts));
    assert!(who(&server, &signed_in.access_token, NOW).await.is_ok());
    assert!(server.refresh(signed_in.refresh_token, NOW).await.is_ok());
    assert!(login(&server, "ann", PASSWORD, NOW).await.is_ok());
    let again = server.register("ann", Secret::new(PASSWORD), "test", address(1), NOW).await;
    assert_eq!(again.unwrap_err().code, ErrorCode::AccountExists);
}

#[tokio::test]
async fn nobody_hears_whether_there_is_an_account() {
    let (_data, server) = accounts();
    register(&server, "ann").await;
    let mut answers = Vec::new();
    for name in ["ann", "bob", "No Account At All", "", "a\0b"] {
        answers.push(login(&server, name, "wrong password", NOW).await.unwrap_err());
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    // The counts too are the same: what is left of them, and when there is more.
    let mut counts = Vec::new();
    for name in ["ann", "bob"] {
        let mut count = 1;
        let wait_ms = loop {
            let refusal = login(&server, name, "wrong password", NOW).await.unwrap_err();
            match refusal.code {
                ErrorCode::Unauthorized => count += 1,
                _ => break (refusal.code, refusal.retry_after_ms),
            }
        };
        counts.push((count, wait_ms));
    }
    assert_eq!(counts[0], (ACCOUNT_TRIES, (ErrorCode::TooManyAttempts, Some(ACCOUNT_TRY_MS as u32))));
    assert_eq!(counts[0], counts[1]);
}

#[tokio::test]
async fn guessing_is_slowed_down_by_account_and_by_address() {
    let (_data, server) = accounts();
    register(&server, "ann").await;
    for _ in 0..ACCOUNT_TRIES {
        assert_eq!(login(&server, "ann", "wrong password", NOW).await.unwrap_err().code, ErrorCode::Unauthorized);
    }
    let right = login(&server, "ann", PASSWORD, NOW).await.unwrap_err();
    assert_eq!((right.code, right.retry_after_ms), (ErrorCode::TooManyAttempts, Some(ACCOUNT_TRY_MS as u32)));
    assert!(login(&server, "ann", PASSWORD, NOW + ACCOUNT_TRY_MS).await.is_ok());

    let mut tried = 0;
    let refusal = loop {
        let name = format!("name{tried}");
        let refusal = server.login(&name, Secret::new("x"), "", address(2), NOW).await.unwrap_err();
        match refusal.code {
            ErrorCode::Unauthorized => tried += 1,
            _ => break refusal,
        }
    };
    assert_eq!((tried, refusal.code), (ADDRESS_TRIES, ErrorCode::TooManyAttempts));
    assert!(
        server.login("name0", Secret::new("x"), "", address(3), NOW).await.unwrap_err().code == ErrorCode::Unauthorized
    );
}

#[tokio::test]
async fn accounts_are_not_made_without_end_nor_where_they_may_not_be() {
    let (_data, server) = accounts();
    for index in 0..REGISTERS {
        register(&server, &format!("name{index}")).await;
    }
    let refusal = server.register("another", Secret::new(PASSWORD), "", address(1), NOW).await.unwrap_err();
    assert_eq!(refusal.code, ErrorCode::TooManyAttempts);
    assert!(server.register("another", Secret::new(PASSWORD), "", address(2), NOW).await.is_ok());

    let data = tempfile::tempdir().unwrap();
    let closed = Choice { registration: Some(Registration::Closed), ..mode(Mode::Accounts) };
    let server = open(data.path(), closed);
    let refusal = server.register("ann", Secret::new(PASSWORD), "", address(1), NOW).await.unwrap_err();
    assert_eq!(refusal.code, ErrorCode::Forbidden);
    server.create_account("ann", Secret::new(PASSWORD), false, NOW).await.unwrap();
    assert!(login(&server, "ann", PASSWORD, NOW).await.is_ok());
}

#[tokio::test]
async fn an_access_token_ends_and_a_refresh_token_gets_the_next_one() {
    let (_data, server) = accounts();
    let first = register(&server, "ann").await;
    let later = NOW + ACCESS_TOKEN_MS;
    let ann = who(&server, &first.access_token, later - 1).await.unwrap();
    assert_eq!(ann.expires_ms, Some(later));
    assert!(!ann.still_valid(later));
    refused(&server, first.access_token.expose(), later).await;
    let second = server.refresh(first.refresh_token.clone(), later).await.unwrap();
    let next = who(&server, &second.access_token, later).await.unwrap();
    assert_eq!(next.token_id, ann.token_id, "the session is the same");
    let late = server.refresh(second.refresh_token, later + SESSION_MS).await.unwrap_err();
    assert_eq!(late.code, ErrorCode::Unauthorized);
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_its_session_on_open_connections_too() {
    let (_data, server) = accounts();
    let first = register(&server, "ann").await;
    let elsewhere = login(&server, "ann", PASSWORD, NOW).await.unwrap();
    let connection = who(&server, &first.access_token, NOW).await.unwrap();
    let second = server.refresh(first.refresh_token.clone(), NOW).await.unwrap();
    assert!(connection.still_valid(NOW));
    let stolen = server.refresh(first.refresh_token, NOW).await.unwrap_err();
    let next = server.refresh(second.refresh_token, NOW).await.unwrap_err();
    assert_eq!(stolen, next);
    assert_eq!(stolen.code, ErrorCode::Unauthorized);
    assert!(!connection.still_valid(NOW));
    refused(&server, second.access_token.expose(), NOW).await;
    assert!(who(&server, &elsewhere.access_token, NOW).await.is_ok(), "the other session goes on");
}

#[tokio::test]
async fn of_two_who_use_a_refresh_token_at_once_one_gets_on_at_most() {
    let (_data, server) = accounts();
    let signed_in = register(&server, "ann").await;
    let (one, other) = tokio::join!(
        server.refresh(signed_in.refresh_token.clone(), NOW),
        server.refresh(signed_in.refresh_token.clone(), NOW)
    );
    assert!(one.is_ok() != other.is_ok());
    let won = one.or(other).unwrap();
    refused(&server, won.access_token.expose(), NOW).await;
}

#[tokio::test]
async fn signing_out_ends_a_session_for_good() {
    let (data, server) = accounts();
    let signed_in = register(&server, "ann").await;
    let connection = who(&server, &signed_in.access_token, NOW).await.unwrap();
    server.logout(signed_in.refresh_token.clone()).await.unwrap();
    assert!(!connection.still_valid(NOW));
    refused(&server, signed_in.access_token.expose(), NOW).await;
    assert_eq!(server.logout(signed_in.refresh_token).await.unwrap_err().code, ErrorCode::Unauthorized);
    drop(server);
    let server = open(data.path(), mode(Mode::Accounts));
    refused(&server, signed_in.access_token.expose(), NOW).await;
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one_or_all() {
    let (_data, server) = accounts();
    let here = register(&server, "ann").await;
    let there = login(&server, "ann", PASSWORD, NOW + 5).await.unwrap();
    let others = register(&server, "bob").await;
    let ann = who(&server, &here.access_token, NOW).await.unwrap();
    let bob = who(&server, &others.access_token, NOW).await.unwrap();
    let sessions = server.sessions(&ann, NOW + 5).await.unwrap();
    let currents: Vec<_> = sessions.iter().map(|session| (session.used_ms, session.current)).collect();
    assert_eq!(currents, [(NOW + 5, false), (NOW, true)]);
    let not_his = server.revoke_session(&bob, sessions[0].id).await.unwrap_err();
    assert_eq!(not_his.code, ErrorCode::NotFound);
    server.revoke_session(&ann, sessions[0].id).await.unwrap();
    refused(&server, there.access_token.expose(), NOW).await;
    assert!(ann.still_valid(NOW));
    assert_eq!(server.revoke_sessions(&ann).await.unwrap(), 1);
    assert!(!ann.still_valid(NOW) && bob.still_valid(NOW));
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let (_data, server) = accounts();
    let here = register(&server, "ann").await;
    let there = login(&server, "ann", PASSWORD, NOW).await.unwrap();
    let ann = who(&server, &here.access_token, NOW).await.unwrap();
    let change = |old: &str, new: &str| {
        let (server, ann, old, new) = (server.clone(), ann.clone(), Secret::new(old), Secret::new(new));
        async move { server.change_password(&ann, old, new, NOW).await.map_err(|refusal| refusal.code) }
    };
    assert_eq!(change("wrong password", "another password").await, Err(ErrorCode::Unauthorized));
    assert_eq!(change(PASSWORD, "short").await, Err(ErrorCode::BadArgument));
    assert_eq!(change(PASSWORD, "another password").await, Ok(()));
    refused(&server, there.access_token.expose(), NOW).await;
    assert!(ann.still_valid(NOW));
    assert_eq!(login(&server, "ann", PASSWORD, NOW).await.unwrap_err().code, ErrorCode::Unauthorized);
    assert!(login(&server, "ann", "another password", NOW).await.is_ok());
}

#[tokio::test]
async fn the_name_of_a_removed_account_is_not_given_away() {
    let (_data, server) = accounts();
    let signed_in = register(&server, "ann").await;
    register(&server, "bob").await;
    let ann = who(&server, &signed_in.access_token, NOW).await.unwrap();
    let wrong = server.delete_own_account(&ann, Secret::new("wrong password"), NOW).await.unwrap_err();
    assert_eq!(wrong.code, ErrorCode::Unauthorized);
    server.delete_own_account(&ann, Secret::new(PASSWORD), NOW).await.unwrap();
    assert!(!ann.still_valid(NOW));
    refused(&server, signed_in.access_token.expose(), NOW).await;
    assert_eq!(server.refresh(signed_in.refresh_token, NOW).await.unwrap_err().code, ErrorCode::Unauthorized);
    assert_eq!(login(&server, "ann", PASSWORD, NOW).await.unwrap_err().code, ErrorCode::Unauthorized);
    let again = server.register("ann", Secret::new(PASSWORD), "", address(1), NOW).await.unwrap_err();
    assert_eq!(again.code, ErrorCode::AccountExists);
    let names = |infos: Vec<motet_server::auth::AccountInfo>| {
        infos.into_iter().map(|info| info.name.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(server.accounts(None, 1).await.unwrap()), ["bob"], "a removed one takes no place");
    let bob = AccountId::new("bob").unwrap();
    assert!(server.accounts(Some(bob.clone()), 10).await.unwrap().is_empty());
    server.delete_account(bob.clone(), NOW).await.unwrap();
    assert_eq!(server.delete_account(bob, NOW).await.unwrap_err().code, ErrorCode::NotFound);
}

#[tokio::test]
async fn tokens_that_are_not_good_are_answered_alike() {
    let (_data, server) = accounts();
    let (_other_data, other) = accounts();
    let ours = register(&server, "ann").await;
    let theirs = register(&other, "ann").await;
    let claims = ours.access_token.expose().strip_prefix("mta_").unwrap();
    for token in [
        "".to_owned(),
        " ".to_owned(),
        "mta_".to_owned(),
        "mtz_AAAA".to_owned(),
        "mtt_AAAA".to_owned(),
        theirs.access_token.expose().to_owned(),
        ours.refresh_token.expose().to_owned(),
        format!("mts_{claims}"),
        format!("{}A", ours.access_token.expose()),
        ours.access_token.expose().to_uppercase(),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4iLCJleHAiOjk5OTk5OTk5OTl9.".to_owned(),
        "\0\u{ffff}".to_owned(),
        "x".repeat(1_000_000),
    ] {
        refused(&server, &token, NOW).await;
    }
    refused(&server, ours.access_token.expose(), NOW + ACCESS_TOKEN_MS).await;
    let nobody = server.identify(None, "Ann", NOW).await.unwrap_err();
    let wrong = server.identify(Some("wrong"), "Ann", NOW).await.unwrap_err();
    assert_eq!(nobody, wrong);
}

#[tokio::test]
async fn guests_are_let_in_where_they_are_allowed() {
    let data = tempfile::tempdir().unwrap();
    let server = open(data.path(), Choice { allow_guests: true, ..mode(Mode::Accounts) });
    assert_eq!(server.identify(None, "Ann", NOW).await.unwrap().name, "Ann");
    refused(&server, "wrong", NOW).await;
}

fn link(role: Role, expires_ms: Option<UnixMs>) -> NewLink {
    NewLink { role, label: "for the workshop".to_owned(), created_by: None, expires_ms }
}

fn room() -> Target {
    Target::Room("abc".parse().unwrap())
}

#[tokio::test]
async fn who_follows_a_link_gets_its_role_until_it_is_revoked() {
    for choice in [mode(Mode::Open), mode(Mode::Accounts)] {
        let data = tempfile::tempdir().unwrap();
        let server = open(data.path(), choice);
        let made = server.create_link(room(), link(Role::Editor, None), NOW).await.unwrap();
        let other = server.create_link(room(), link(Role::Viewer, None), NOW).await.unwrap();
        let shared = server.redeem(made.secret.clone(), "Ann", None, NOW).await.unwrap();
        let second = server.redeem(other.secret.clone(), "Bob", None, NOW).await.unwrap();
        let ann = who(&server, &shared.token, NOW).await.unwrap();
        let bob = who(&server, &second.token, NOW).await.unwrap();
        let grant = ann.grant.clone().unwrap();
        assert_eq!((grant.target, grant.role, grant.link), (room(), Role::Editor, made.link.id));
        assert_eq!((ann.account.as_ref(), ann.name.as_str()), (None, "Ann"));
        refused(&server, made.secret.expose(), NOW).await;

        assert_eq!(server.links(room(), NOW).await.unwrap(), [made.link.clone(), other.link]);
        server.revoke_link(room(), made.link.id).await.unwrap();
        assert!(!ann.still_valid(NOW) && bob.still_valid(NOW));
        refused(&server, shared.token.expose(), NOW).await;
        let again = server.redeem(made.secret, "Ann", None, NOW).await.unwrap_err();
        let wrong = server.redeem(Secret::new("mtl_AAAA"), "Ann", None, NOW).await.unwrap_err();
        assert_eq!((again.code, &again), (ErrorCode::NotFound, &wrong));
        let gone = server.revoke_link(room(), made.link.id).await.unwrap_err();
        assert_eq!(gone.code, ErrorCode::NotFound);

        assert_eq!(server.revoke_links(&room()).unwrap(), 1);
        assert!(!bob.still_valid(NOW));
        refused(&server, second.token.expose(), NOW).await;
    }
}

#[tokio::test]
async fn a_link_and_what_came_of_it_end_together() {
    let data = tempfile::tempdir().unwrap();
    let server = open(data.path(), mode(Mode::Open));
    let made = server.create_link(room(), link(Role::Viewer, Some(NOW + 1_000)), NOW).await.unwrap();
    let shared = server.redeem(made.secret.clone(), "Ann", None, NOW).await.unwrap();
    let ann = who(&server, &shared.token, NOW + 999).await.unwrap();
    assert_eq!((shared.expires_ms, ann.expires_ms), (NOW + 1_000, Some(NOW + 1_000)));
    refused(&server, shared.token.expose(), NOW + 1_000).await;
    let late = server.redeem(made.secret, "Ann", None, NOW + 1_000).await.unwrap_err();
    assert_eq!(late.code, ErrorCode::NotFound);
}

#[tokio::test]
async fn who_is_signed_in_stays_who_they_are_behind_a_link() {
    let (_data, server) = accounts();
    let signed_in = register(&server, "ann").await;
    let ann = who(&server, &signed_in.access_token, NOW).await.unwrap();
    let project = Target::Project("book".parse().unwrap());
    let made = server.create_link(project.clone(), link(Role::Editor, None), NOW).await.unwrap();
    let shared = server.redeem(made.secret.clone(), "Not Ann", Some(&ann), NOW).await.unwrap();
    let later = NOW + ACCESS_TOKEN_MS;
    let by_link = who(&server, &shared.token, later).await.unwrap();
    assert_eq!((by_link.account.as_ref(), by_link.name.as_str()), (ann.account.as_ref(), "ann"));
    assert_eq!(by_link.grant.clone().unwrap().target, project);
    let sessions = server.sessions(&by_link, later).await.unwrap_err();
    assert_eq!(sessions.code, ErrorCode::Forbidden, "a share token is not for the account itself");
    let twice = server.redeem(made.secret, "", Some(&by_link), later).await.unwrap_err();
    assert_eq!(twice.code, ErrorCode::Forbidden);
    server.logout(signed_in.refresh_token).await.unwrap();
    assert!(!by_link.still_valid(later), "signing out ends this too");
    refused(&server, shared.token.expose(), later).await;
}

#[tokio::test]
async fn a_ticket_stands_for_a_token_once() {
    let (_data, server) = accounts();
    let signed_in = register(&server, "ann").await;
    let ann = who(&server, &signed_in.access_token, NOW).await.unwrap();
    let (ticket, expires_ms) = server.ticket(&ann, NOW).unwrap();
    assert_eq!(expires_ms, NOW + TICKET_MS);
    let by_ticket = who(&server, &ticket, NOW).await.unwrap();
    assert_eq!((&by_ticket.account, by_ticket.expires_ms), (&ann.account, ann.expires_ms));
    refused(&server, ticket.expose(), NOW).await;
    let (late, _) = server.ticket(&ann, NOW).unwrap();
    refused(&server, late.expose(), NOW + TICKET_MS).await;
    let (of_old_session, _) = server.ticket(&ann, NOW).unwrap();
    server.logout(signed_in.refresh_token).await.unwrap();
    assert!(!by_ticket.still_valid(NOW));
    refused(&server, of_old_session.expose(), NOW).await;
    assert_eq!(server.ticket(&ann, NOW).unwrap_err().code, ErrorCode::Unauthorized);
    let guest = Identity::guest("Bob").unwrap();
    assert_eq!(server.ticket(&guest, NOW).unwrap_err().code, ErrorCode::Unauthorized);
}

#[tokio::test]
async fn accounts_do_not_count_where_somebody_elses_word_does() {
    let (data, server) = accounts();
    let signed_in = register(&server, "ann").await;
    drop(server);
    let server = open(data.path(), mode(Mode::Open));
    refused(&server, signed_in.access_token.expose(), NOW).await;
    drop(server);
    let jwt = Choice { jwt_secret: Some(Secret::new("x".repeat(32))), ..mode(Mode::Jwt) };
    let server = open(data.path(), jwt);
    refused(&server, signed_in.access_token.expose(), NOW).await;
}

#[tokio::test]
async fn a_token_of_somebody_elses_lets_in_and_what_came_of_it_ends_with_it() {
    let data = tempfile::tempdir().unwrap();
    let vectors: serde_json::Value = serde_json::from_str(include_str!("../../src/auth/jwt/vectors.json")).unwrap();
    let path = data.path().join("jwks.json");
    std::fs::write(&path, vectors["jwks"].to_string()).unwrap();
    let audience = Some("motet".to_owned());
    let server = open(data.path(), Choice { jwt_jwks: Some(path), jwt_audience: audience, ..mode(Mode::Jwt) });
    let token = vectors["eddsa"].as_str().unwrap();
    let ann = server.identify(Some(token), "Not Ann", NOW).await.unwrap();
    assert_eq!((ann.account.as_ref().unwrap().as_str(), ann.name.as_str()), ("ann@example.org", "Ann"));
    let until = ann.expires_ms.unwrap();
    let (ticket, _) = server.ticket(&ann, NOW).unwrap();
    assert_eq!(who(&server, &ticket, NOW).await.unwrap().expires_ms, Some(until));
    let made = server.create_link(room(), link(Role::Viewer, None), NOW).await.unwrap();
    let shared = server.redeem(made.secret.clone(), "", Some(&ann), NOW).await.unwrap();
    let by_link = who(&server, &shared.token, until - 1).await.unwrap();
    assert_eq!((by_link.account.as_ref(), by_link.name.as_str()), (ann.account.as_ref(), "Ann"));
    refused(&server, shared.token.expose(), until).await;
    refused(&server, token, until).await;
    refused(&server, vectors["eddsa_critical"].as_str().unwrap(), NOW).await;
    let guest = server.redeem(made.secret, "Bob", None, NOW).await.unwrap();
    assert_eq!(who(&server, &guest.token, NOW).await.unwrap().name, "Bob");
    assert!(server.identify(None, "Bob", NOW).await.is_err());
    assert_eq!(login(&server, "ann", PASSWORD, NOW).await.unwrap_err().code, ErrorCode::Forbidden);
}

#[test]
fn the_manual_gives_the_limits_that_hold() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/auth.md")).unwrap();
    let words = page.split_whitespace().collect::<Vec<_>>().join(" ");
    let (minute_ms, day_ms) = (60 * 1_000, 24 * 3_600 * 1_000);
    for said in [
        format!("is good for {} minutes", ACCESS_TOKEN_MS / minute_ms),
        format!("not refreshed for {} days ends", SESSION_MS / day_ms),
        format!("within {} seconds", TICKET_MS / 1_000),
        format!("At most {TICKETS_PER_TOKEN_MAX} are out"),
        format!("has at most {SESSIONS_MAX} sessions"),
        format!("for at most {} days", SHARE_TOKEN_MS / day_ms),
        format!("at most {LINKS_MAX} links"),
        format!("A name is {ACCOUNT_NAME_BYTES_MIN} to {ACCOUNT_NAME_BYTES_MAX} of"),
        format!("at least {PASSWORD_CHARS_MIN} characters and at most {PASSWORD_BYTES_MAX} bytes"),
        format!("{} MiB, {HASH_PASSES} passes", HASH_MEMORY_KIB / 1_024),
        format!("at most {} KiB", BODY_BYTES_MAX / 1_024),
        format!("| {ACCOUNT_TRIES} | one every {} seconds |", ACCOUNT_TRY_MS / 1_000),
        format!("| {ADDRESS_TRIES} | one every {} seconds |", ADDRESS_TRY_MS / 1_000),
        format!("| {REGISTERS} | one every minute |"),
        format!("and {HASHES_WAITING_MAX} wait"),
        format!("secret of at least {JWT_SECRET_BYTES_MIN} bytes"),
        format!("RSA keys of {} bits and more", RSA_BYTES_MIN * 8),
        format!("may be {} seconds off", LEEWAY_MS / 1_000),
    ] {
        assert!(words.contains(&said), "docs/auth.md does not say {said:?}");
    }
    assert_eq!((REGISTER_MS, HASHES_AT_ONCE_MAX, COUNTED_MAX), (minute_ms, 2, 20_000));
}

#[test]
fn an_admin_is_made_while_no_server_runs() {
    let data = tempfile::tempdir().unwrap();
    let open_store = || store::open(StoreKind::Sled, data.path(), Durability::Sync);
    let store: Arc<dyn Store> = open_store().unwrap();
    let password = Secret::new(PASSWORD);
    create_admin(&store, "root", &password, NOW).unwrap();
    let again = create_admin(&store, "root", &password, NOW);
    assert!(matches!(again, Err(AdminError::Refused(refusal)) if refusal.code == ErrorCode::AccountExists));
    let in_use: AdminError = open_store().map(|_| ()).unwrap_err().into();
    assert!(in_use.to_string().contains("stop the server first"), "{in_use}");
    let server = Authenticator::open(config(mode(Mode::Accounts)), store).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let signed_in = login(&server, "root", PASSWORD, NOW).await.unwrap();
        assert!(who(&server, &signed_in.access_token, NOW).await.unwrap().admin);
    });
}
