//! Signing in over HTTP: what is answered, to right requests and to wrong ones.

use crate::auth_api::{Answer, Api};
use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use motet_protocol::access::Role;
use motet_server::{
    api::problem::PROBLEM_JSON,
    auth::{
        NewLink, Target,
        config::{Choice, Mode},
        limits::{BODY_BYTES_MAX, REGISTERS},
    },
    clock::now_ms,
};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";

fn accounts() -> Api {
    Api::start(Choice { mode: Some(Mode::Accounts), ..Choice::default() }, PASSWORD)
}

fn credentials(name: &str, password: &str) -> Value {
    json!({"name": name, "password": password})
}

/// Asserts that an answer is a problem document of this status and code.
fn problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    assert_eq!(answer.headers[header::CONTENT_TYPE], PROBLEM_JSON, "{answer:?}");
    let document = answer.json();
    assert_eq!((&document["status"], &document["code"]), (&json!(status), &json!(code)), "{answer:?}");
    assert!(document["detail"].is_string() && document["title"].is_string() && document["type"].is_string());
}

#[tokio::test]
async fn a_person_registers_signs_in_refreshes_and_signs_out() {
    let api = accounts();
    let registered = api.post("/register", None, credentials("ann", PASSWORD)).await;
    assert_eq!(registered.status, StatusCode::CREATED);
    assert_eq!(registered.headers[header::CACHE_CONTROL], "no-store");
    let signed_in = api.post("/login", None, credentials("ann", PASSWORD)).await;
    assert_eq!(signed_in.status, StatusCode::OK);
    let access = signed_in.text("access_token");
    let me = api.get("/me", Some(&access)).await.json();
    assert_eq!((&me["account"], &me["name"], &me["admin"]), (&json!("ann"), &json!("ann"), &json!(false)));
    let sessions = api.get("/sessions", Some(&access)).await.json();
    assert_eq!(sessions.as_array().unwrap().len(), 2);
    let other = sessions.as_array().unwrap().iter().find(|session| session["current"] == json!(false)).unwrap();
    let path = format!("/sessions/{}", other["id"].as_str().unwrap());
    assert_eq!(api.delete(&path, Some(&access)).await.status, StatusCode::NO_CONTENT);
    problem(&api.delete(&path, Some(&access)).await, 404, "not_found");

    let refreshed = api.post("/refresh", None, json!({"refresh_token": signed_in.text("refresh_token")})).await;
    let next = json!({"refresh_token": refreshed.text("refresh_token")});
    assert_eq!(api.post("/logout", None, next.clone()).await.status, StatusCode::NO_CONTENT);
    problem(&api.post("/logout", None, next.clone()).await, 401, "unauthorized");
    problem(&api.post("/refresh", None, next).await, 401, "unauthorized");
    problem(&api.get("/me", Some(&refreshed.text("access_token"))).await, 401, "unauthorized");
}

#[tokio::test]
async fn tokens_that_are_not_good_get_the_same_bytes() {
    let api = accounts();
    let signed_in = api.post("/login", None, credentials("root", PASSWORD)).await;
    let revoked = signed_in.text("access_token");
    let refresh = signed_in.text("refresh_token");
    assert_eq!(api.delete("/sessions", Some(&revoked)).await.status, StatusCode::NO_CONTENT);
    let missing = api.get("/me", None).await;
    problem(&missing, 401, "unauthorized");
    assert_eq!(missing.headers[header::WWW_AUTHENTICATE], "Bearer");
    let none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290IiwiZXhwIjo5OTk5OTk5OTk5fQ.";
    for token in [&revoked, &refresh, none, "mta_AAAA", "mtt_AAAA", "mts_AAAA", "x", "a b"] {
        let answer = api.get("/me", Some(token)).await;
        assert_eq!((answer.status, &answer.bytes), (missing.status, &missing.bytes), "{token}");
        assert_eq!(answer.headers, missing.headers, "{token}");
    }
    let basic = Request::get("/api/auth/me").header(header::AUTHORIZATION, "Basic cm9vdA==").body(Body::empty());
    assert_eq!(api.send(1, basic.unwrap()).await.bytes, missing.bytes);
}

#[tokio::test]
async fn a_wrong_password_and_no_account_get_the_same_bytes() {
    let api = accounts();
    let wrong = api.post("/login", None, credentials("root", "wrong password")).await;
    problem(&wrong, 401, "unauthorized");
    for name in ["nobody", "NOBODY", ""] {
        let answer = api.post("/login", None, credentials(name, "wrong password")).await;
        assert_eq!((answer.status, &answer.bytes, &answer.headers), (wrong.status, &wrong.bytes, &wrong.headers));
    }
}

/// Tries to register, with a name that cannot be: it is counted, and takes no time.
async fn try_to_register(api: &Api, from: u8, forwarded: &str) -> Answer {
    let request = Request::post("/api/auth/register").header(header::CONTENT_TYPE, "application/json");
    let body = Body::from(credentials("x", PASSWORD).to_string());
    api.send(from, request.header("x-forwarded-for", forwarded).body(body).unwrap()).await
}

#[tokio::test]
async fn too_many_attempts_from_an_address_hear_when_to_come_again() {
    let api = accounts();
    for index in 0..REGISTERS {
        // What somebody says of their address does not count.
        problem(&try_to_register(&api, 7, &format!("10.9.9.{index}")).await, 400, "bad_argument");
    }
    let answer = try_to_register(&api, 7, "10.9.9.9").await;
    problem(&answer, 429, "too_many_attempts");
    let wait_s: u64 = answer.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert_eq!(wait_s, answer.json()["retry_after_ms"].as_u64().unwrap().div_ceil(1_000));
    problem(&try_to_register(&api, 8, "10.9.9.9").await, 400, "bad_argument");
}

#[tokio::test]
async fn who_comes_through_a_proxy_is_counted_alone() {
    let api = Api::start(Choice { mode: Some(Mode::Accounts), proxies: 1, ..Choice::default() }, PASSWORD);
    for index in 0..REGISTERS {
        let forwarded = format!("6.6.6.{index}, 10.9.9.9");
        problem(&try_to_register(&api, 1, &forwarded).await, 400, "bad_argument");
    }
    problem(&try_to_register(&api, 1, "6.6.6.99, 10.9.9.9").await, 429, "too_many_attempts");
    problem(&try_to_register(&api, 1, "10.9.9.9, 10.9.9.8").await, 400, "bad_argument");
}

#[tokio::test]
async fn wrong_requests_are_answered_with_problem_documents() {
    let api = accounts();
    let send = |content_type: &'static str, body: String| {
        let request = Request::post("/api/auth/login").header(header::CONTENT_TYPE, content_type);
        api.send(1, request.body(Body::from(body)).unwrap())
    };
    const JSON: &str = "application/json";
    problem(&send(JSON, String::new()).await, 400, "bad_message");
    problem(&send(JSON, "{".to_owned()).await, 400, "bad_message");
    problem(&send(JSON, "\u{0}".to_owned()).await, 400, "bad_message");
    problem(&send(JSON, "[".repeat(BODY_BYTES_MAX)).await, 400, "bad_argument");
    problem(&send(JSON, r#"{"name":"ann"}"#.to_owned()).await, 400, "bad_argument");
    problem(&send(JSON, r#"{"name":"ann","password":7}"#.to_owned()).await, 400, "bad_argument");
    problem(&send(JSON, r#"{"name":"ann","password":"x","admin":true}"#.to_owned()).await, 400, "bad_argument");
    problem(&send(JSON, r#"{"name":"ann","name":"bob","password":"x"}"#.to_owned()).await, 400, "bad_argument");
    problem(&send("text/plain", "{}".to_owned()).await, 415, "bad_message");
    let large = credentials("ann", &"x".repeat(BODY_BYTES_MAX)).to_string();
    problem(&send(JSON, large).await, 413, "frame_too_large");

    for (name, password) in [("an", PASSWORD), ("../etc", PASSWORD), ("Ann", PASSWORD), ("ann", "short"), ("ann", "")] {
        problem(&api.post("/register", None, credentials(name, password)).await, 400, "bad_argument");
    }
    problem(&api.post("/register", None, credentials("root", PASSWORD)).await, 409, "account_exists");
    let root = api.post("/login", None, credentials("root", PASSWORD)).await.text("access_token");
    for path in ["/accounts?limit=0", "/accounts?limit=1001", "/accounts?limit=x", "/accounts?other=1"] {
        problem(&api.get(path, Some(&root)).await, 400, "bad_argument");
    }
    for path in ["/sessions/x", "/sessions/%00", "/sessions/%ff", "/sessions/..%2f..%2fetc"] {
        problem(&api.delete(path, Some(&root)).await, 400, "bad_argument");
    }
    problem(&api.delete("/accounts/nobody", Some(&root)).await, 404, "not_found");
    problem(&api.delete("/accounts/a%20b", Some(&root)).await, 400, "bad_argument");
}

#[tokio::test]
async fn only_admins_look_after_accounts() {
    let api = accounts();
    let root = api.post("/login", None, credentials("root", PASSWORD)).await.text("access_token");
    let new = json!({"name": "ann", "password": PASSWORD});
    let made = api.post("/accounts", Some(&root), new.clone()).await;
    assert_eq!((made.status, made.text("name")), (StatusCode::CREATED, "ann".to_owned()));
    let ann = api.post("/login", None, credentials("ann", PASSWORD)).await.text("access_token");
    problem(&api.get("/accounts", Some(&ann)).await, 403, "forbidden");
    problem(&api.post("/accounts", Some(&ann), new.clone()).await, 403, "forbidden");
    problem(&api.delete("/accounts/root", Some(&ann)).await, 403, "forbidden");
    problem(&api.post("/accounts", None, new).await, 401, "unauthorized");
    let accounts = api.get("/accounts?after=a&limit=1", Some(&root)).await.json();
    assert_eq!((&accounts[0]["name"], &accounts[0]["admin"]), (&json!("ann"), &json!(false)));
    assert_eq!(api.delete("/accounts/ann", Some(&root)).await.status, StatusCode::NO_CONTENT);
    problem(&api.get("/me", Some(&ann)).await, 401, "unauthorized");
}

#[tokio::test]
async fn passwords_are_changed_and_accounts_removed_by_who_knows_the_password() {
    let api = accounts();
    let ann = api.post("/register", None, credentials("ann", PASSWORD)).await.text("access_token");
    let change = |old: &str| api.post("/password", Some(&ann), json!({"old": old, "new": "another password"}));
    problem(&change("wrong password").await, 401, "unauthorized");
    assert_eq!(change(PASSWORD).await.status, StatusCode::NO_CONTENT);
    problem(&api.post("/login", None, credentials("ann", PASSWORD)).await, 401, "unauthorized");
    problem(&api.post("/delete", Some(&ann), json!({"password": PASSWORD})).await, 401, "unauthorized");
    let deleted = api.post("/delete", Some(&ann), json!({"password": "another password"})).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    problem(&api.get("/me", Some(&ann)).await, 401, "unauthorized");
}

#[tokio::test]
async fn links_and_tickets_work_for_guests_of_an_open_server() {
    let api = Api::start(Choice::default(), PASSWORD);
    assert_eq!(api.get("/me", None).await.text("name"), "");
    problem(&api.post("/ticket", None, json!({})).await, 401, "unauthorized");
    problem(&api.post("/register", None, credentials("ann", PASSWORD)).await, 403, "forbidden");
    let new = NewLink { role: Role::Editor, label: String::new(), created_by: None, expires_ms: None };
    let room = Target::Room("abc".parse().unwrap());
    let link = api.authenticator.create_link(room, new, now_ms()).await.unwrap();
    let redeem = json!({"link": link.secret.expose(), "name": "Ann"});
    let redeemed = api.post("/redeem", None, redeem).await;
    assert_eq!(redeemed.json()["target"], json!({"room": "abc"}));
    let token = redeemed.text("token");
    let me = api.get("/me", Some(&token)).await.json();
    let grant = json!({"target": {"room": "abc"}, "role": "editor", "link": link.link.id});
    assert_eq!((&me["name"], &me["account"], &me["grant"]), (&json!("Ann"), &Value::Null, &grant));
    let ticket = api.call(Method::POST, "/ticket", Some(&token), None).await;
    assert_eq!(ticket.status, StatusCode::CREATED);
    assert_eq!(api.get("/me", Some(&ticket.text("ticket"))).await.text("name"), "Ann");
    problem(&api.get("/me", Some(&ticket.text("ticket"))).await, 401, "unauthorized");
    problem(&api.post("/redeem", None, json!({"link": "mtl_AAAA", "name": "Ann"})).await, 404, "not_found");
}

#[tokio::test]
async fn the_openapi_document_has_every_route_with_its_problems() {
    let document = serde_json::to_value(&accounts().document).unwrap();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            routes.push(format!("{method} {path}"));
            let content = &operation["responses"]["default"]["content"][PROBLEM_JSON];
            assert_eq!(content["schema"]["$ref"], "#/components/schemas/Problem", "{method} {path}");
            assert!(operation["summary"].is_string() && operation["operationId"].is_string(), "{method} {path}");
        }
    }
    routes.sort();
    let expected = [
        "delete /api/auth/accounts/{name}",
        "delete /api/auth/sessions",
        "delete /api/auth/sessions/{id}",
        "get /api/auth/accounts",
        "get /api/auth/me",
        "get /api/auth/sessions",
        "post /api/auth/accounts",
        "post /api/auth/delete",
        "post /api/auth/login",
        "post /api/auth/logout",
        "post /api/auth/password",
        "post /api/auth/redeem",
        "post /api/auth/refresh",
        "post /api/auth/register",
        "post /api/auth/ticket",
    ];
    assert_eq!(routes, expected);
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    let codes = &document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"];
    assert!(codes.as_array().unwrap().contains(&json!("too_many_attempts")));
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer} is not in the document");
    }
}
