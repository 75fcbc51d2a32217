//! Real browsers, two of them, each a process with a profile of its own: what people do with Motet from there.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

#[path = "browser/chromium.rs"]
mod chromium;
mod harness;
#[path = "browser/patience.rs"]
mod patience;
#[path = "browser/tab.rs"]
mod tab;

use chromium::Chromium;
use harness::Server;
use serde_json::json;
use tab::Tab;

#[test]
fn two_browsers_call_each_other() {
    if !Chromium::is_installed() {
        return;
    }
    let server = Server::start(&["--store", "memory", "--durability", "none"]);
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
