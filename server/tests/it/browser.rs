//! Real browsers, two of them, each a process with a profile of its own: what people do with Motet from there.

mod chromium;
mod patience;
mod tab;

use self::chromium::{Chromium, ELSEWHERE};
use self::tab::Tab;
use crate::harness::{Peer, Server, http::Http, insert};
use motet_protocol::message::{At, Command};
use serde_json::{Value, json};

/// Whether the page's text may be written; its editor is `view` from there on.
const WRITABLE: &str = "globalThis.view = globalThis.motet?.view, !!view && !view.state.readOnly";

/// What the page says of what was typed.
const STATE: &str = "(document.querySelector('[data-testid=save]')?.textContent ?? '')";

/// What the page warns of.
const ALERT: &str = "(document.querySelector('[role=alert]')?.textContent ?? '')";

fn server() -> Server {
    Server::start(&["--store", "memory", "--durability", "none"])
}

/// Waits until the server has this text.
fn assert_saved(server: &Server, text: &str) {
    let mut peer = Peer::greeted(server);
    patience::until(|| (peer.text("notes", At::Head) == text).then_some(()));
    assert_eq!(peer.text("notes", At::Head), text);
}

#[test]
fn two_browsers_call_each_other() {
    if !Chromium::is_installed() {
        return;
    }
    let server = server();
    let browsers = [Chromium::start(), Chromium::start()];
    // The server's own page: an origin that may use the camera.
    let page = format!("http://{}/", server.http);
    let [mut zoe, mut ben] = browsers.each_ref().map(|browser| Tab::open(browser, &page));
    for (tab, name) in [(&mut zoe, "Zoë"), (&mut ben, "Ben")] {
        tab.run(include_str!("browser/call.js"));
        tab.run(&format!("globalThis.me = new Participant('{name}', 'calls'); null"));
    }

    // They find each other by presence, and nobody is in a call yet.
    zoe.until("me.find('Ben')");
    ben.until("me.find('Zoë')");
    assert_eq!(zoe.run("me.callOf('Ben') ?? null"), json!(null));

    zoe.run("me.ring('Ben')");
    for (tab, other) in [(&mut zoe, "Ben"), (&mut ben, "Zoë")] {
        tab.until("me.state === 'connected' && me.channel?.readyState === 'open'");
        tab.until("me.signals.candidate > 0");
        tab.until("me.mediaBytes()");
        assert_eq!(tab.until(&format!("me.callOf('{other}')")), json!({"audio": true, "video": true, "screen": false}));
    }
    assert_eq!(zoe.run("[me.signals.offer, me.signals.answer]"), json!([0, 1]));
    assert_eq!(ben.run("[me.signals.offer, me.signals.answer]"), json!([1, 0]));

    zoe.run("me.channel.send('Do you hear me, Ben? 𝄞')");
    ben.until("me.heard.length > 0");
    ben.run("me.channel.send('I do, Zoë.')");
    zoe.until("me.heard.length > 0");
    assert_eq!(ben.run("me.heard"), json!(["Do you hear me, Ben? 𝄞"]));
    assert_eq!(zoe.run("me.heard"), json!(["I do, Zoë."]));

    zoe.run("me.hangUp()");
    ben.until("me.signals.hangup === 1 && me.state === 'closed'");
    zoe.until("me.callOf('Ben') === null");
    ben.until("me.callOf('Zoë') === null");
    for tab in [&mut zoe, &mut ben] {
        assert_eq!(tab.run("me.errors"), json!([]));
    }
}

#[test]
fn what_is_typed_in_one_browser_is_seen_in_the_other_and_by_a_binary_client() {
    if !Chromium::is_installed() {
        return;
    }
    let server = server();
    let browsers = [Chromium::start(), Chromium::start()];
    let page = format!("http://{}/r/notes", server.http);
    let [mut zoe, mut ben] = browsers.each_ref().map(|browser| Tab::open(browser, &page));
    for tab in [&mut zoe, &mut ben] {
        tab.until(WRITABLE);
    }
    let shows = |tab: &mut Tab, text: &str| {
        tab.until(&format!("view.state.doc.toString() === {}", json!(text)));
    };

    zoe.run("view.focus()");
    zoe.insert("Hello, 𝄞!");
    shows(&mut ben, "Hello, 𝄞!");

    // In front of what is there, in the middle of it by its UTF-16 units.
    ben.run("view.focus(); view.dispatch({ selection: { anchor: 7 } })");
    ben.insert("dear ");
    shows(&mut zoe, "Hello, dear 𝄞!");

    let mut binary = Peer::greeted(&server);
    let (revision, text) = binary.join(1, "notes");
    assert_eq!(text, "Hello, dear 𝄞!");
    binary.edit(1, revision, insert(14, "\nFrom a binary client.", 14));
    for tab in [&mut zoe, &mut ben] {
        shows(tab, "Hello, dear 𝄞!\nFrom a binary client.");
    }

    // Both at once, at both ends: nothing is lost, and everybody has the same.
    zoe.run("view.dispatch({ selection: { anchor: 0 } })");
    ben.run("view.focus(); view.dispatch({ selection: { anchor: view.state.doc.length } })");
    zoe.insert("1. ");
    ben.insert(" Bye.");
    let last = "1. Hello, dear 𝄞!\nFrom a binary client. Bye.";
    for tab in [&mut zoe, &mut ben] {
        shows(tab, last);
    }
    assert_eq!(binary.text("notes", At::Head), last);
}

#[test]
fn a_keystroke_in_a_text_with_the_line_ends_of_windows_changes_nothing_else() {
    if !Chromium::is_installed() {
        return;
    }
    let server = server();
    let mut binary = server.peer_in("notes");
    binary.edit(1, 0, insert(0, "one\r\ntwo\r\nthree\r\n", 0));
    let browser = Chromium::start();
    let mut tab = Tab::open(&browser, &format!("http://{}/r/notes", server.http));
    tab.until(WRITABLE);
    tab.run("view.focus(); view.dispatch({ selection: { anchor: 7 } })");
    tab.insert("!");
    // A guest has a name, which comes first.
    assert!(matches!(binary.entry().command, Command::Introduce(_)));
    let typed = binary.entry();
    assert_eq!(typed.command, Command::Edit(insert(8, "!", 17)));

    // The caret stays where it is in the words, whatever comes in front of it.
    binary.edit(1, typed.revision, insert(0, "zero\r\n", 18));
    tab.until("view.state.doc.toString() === 'zero\\none\\ntwo!\\nthree\\n'");
    assert_eq!(tab.run("[view.state.selection.main.anchor, view.state.selection.main.head]"), json!([13, 13]));
    tab.press_enter();
    binary.entry();
    assert_eq!(binary.text("notes", At::Head), "zero\r\none\r\ntwo!\r\n\r\nthree\r\n");
}

#[test]
fn what_could_not_be_saved_is_shown_with_the_reason_and_typing_goes_on() {
    if !Chromium::is_installed() {
        return;
    }
    let server = Server::start(&["--store", "memory", "--durability", "none", "--text-bytes-max", "20"]);
    let browser = Chromium::start();
    let mut tab = Tab::open(&browser, &format!("http://{}/r/notes", server.http));
    tab.until(WRITABLE);
    tab.run("view.focus()");
    tab.insert("This is more than twenty bytes.");
    tab.until(&format!("{ALERT}.includes('not saved') && view.state.doc.length === 0 && !view.state.readOnly"));
    tab.run(
        "[...document.querySelectorAll('[role=alert] button')].find((one) => one.textContent === 'Show them').click()",
    );
    tab.until("document.querySelector('[role=alert] pre').textContent === 'This is more than twenty bytes.'");
    tab.insert("This is not.");
    assert_saved(&server, "This is not.");
}

#[test]
fn the_page_works_over_plain_http_from_another_machine() {
    if !Chromium::is_installed() {
        return;
    }
    let server = Server::start(&["--store", "memory", "--durability", "none", "--allow-host", ELSEWHERE]);
    let browser = Chromium::start();
    let mut tab = Tab::open(&browser, &format!("http://{ELSEWHERE}:{}/r/notes", server.http.port()));
    assert_eq!(tab.run("isSecureContext"), json!(false));
    tab.until(WRITABLE);
    tab.run("view.focus()");
    tab.insert("From afar.");
    assert_saved(&server, "From afar.");
    tab.until(&format!("{STATE} === 'Saved'"));
}

#[test]
fn a_link_leads_into_its_room_until_it_is_taken_back() {
    if !Chromium::is_installed() {
        return;
    }
    let server = Server::start(&["--store", "memory", "--durability", "none", "--auth", "accounts"]);
    let mut ann = Http::connect(server.http);
    let account = json!({ "name": "ann", "password": "correct horse battery" });
    let token = ann.json("POST", "/api/auth/register", &account).is(201).json()["access_token"].clone();
    ann.headers.push(("authorization", format!("Bearer {}", token.as_str().unwrap())));
    ann.json("POST", "/api/rooms", &json!({ "room": "minutes" })).is(201);
    let made = ann.json("POST", "/api/rooms/minutes/links", &json!({ "role": "editor" })).is(201).json();
    let seen = ann.json("POST", "/api/rooms/minutes/links", &json!({ "role": "viewer" })).is(201).json();
    let page = format!("http://{}/r/minutes", server.http);
    let address = |link: &Value| json!(format!("{page}#{}", link["secret"].as_str().unwrap()));

    // As `motet share` prints it. The secret goes out of the address, and the page can be loaded again.
    let browsers = [Chromium::start(), Chromium::start()];
    let [mut zoe, mut ben] = browsers.each_ref().map(|browser| Tab::open(browser, "about:blank"));
    zoe.run(&format!("location.href = {}; null", address(&made)));
    zoe.until(WRITABLE);
    assert_eq!(zoe.run("location.href"), json!(page));
    zoe.run("globalThis.old = true; location.reload()");
    zoe.until(&format!("!globalThis.old && ({WRITABLE})"));
    zoe.run("view.focus()");
    zoe.insert("Present: Zoë.");

    // Who may only see can only see.
    ben.run(&format!("location.href = {}; null", address(&seen)));
    ben.until("globalThis.view = globalThis.motet?.view, view?.state.doc.toString() === 'Present: Zoë.'");
    ben.until("document.querySelector('footer').textContent.includes('Can view')");
    assert_eq!(ben.run("view.state.readOnly"), json!(true));

    // Then it is over, in words; the text is still there to be read.
    ann.delete(&format!("/api/rooms/minutes/links/{}", made["link"]["id"].as_str().unwrap())).is(204);
    zoe.until(&format!("{ALERT}.includes('for people with an account') && view.state.readOnly"));
    assert_eq!(zoe.run("view.state.doc.toString()"), json!("Present: Zoë."));
    let mut late = Tab::open(&browsers[0], "about:blank");
    late.run(&format!("location.href = {}; null", address(&made)));
    late.until("document.querySelector('.toasts').textContent.includes('does not work any more')");
}

#[test]
fn a_wrong_name_in_the_address_opens_no_other_room() {
    if !Chromium::is_installed() {
        return;
    }
    let server = server();
    let browser = Chromium::start();
    let mut tab = Tab::open(&browser, &format!("http://{}/r/Demo", server.http));
    tab.until("document.querySelector('h1')?.textContent.startsWith('This is not a room')");
    // Nor does the list of rooms make one.
    let mut http = Http::connect(server.http);
    let mut list = Tab::open(&browser, &format!("http://{}/", server.http));
    list.until("document.querySelector('main')?.textContent.includes('No rooms yet.')");
    assert_eq!(http.get("/api/rooms").is(200).json()["rooms"].as_array().unwrap().len(), 0);
}
