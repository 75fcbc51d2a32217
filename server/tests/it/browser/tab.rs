//! A page in a browser, driven over the Chrome DevTools Protocol (<https://chromedevtools.github.io/devtools-protocol/>).

use std::net::TcpStream;

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

use super::{
    chromium::Chromium,
    patience::{self, PATIENCE},
};

/// One page.
pub(crate) struct Tab {
    devtools: DevTools,
}

impl Tab {
    /// Opens an address and waits until it is loaded.
    pub(crate) fn open(browser: &Chromium, address: &str) -> Self {
        let (port, path) = browser.devtools();
        let made = DevTools::connect(port, &path).ask("Target.createTarget", json!({"url": "about:blank"})).unwrap();
        let target = made["targetId"].as_str().unwrap();
        let mut tab = Self { devtools: DevTools::connect(port, &format!("/devtools/page/{target}")) };
        tab.devtools.ask("Page.navigate", json!({"url": address})).unwrap();
        tab.until(&format!("location.href === {} && document.readyState === 'complete'", json!(address)));
        tab
    }

    /// What an expression is, or what its promise becomes.
    pub(crate) fn run(&mut self, expression: &str) -> Value {
        self.try_run(expression).unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// The same, once it is something true.
    pub(crate) fn until(&mut self, expression: &str) -> Value {
        let mut last = Ok(Value::Null);
        // Where a page is just being replaced by the next one, what is asked of it fails.
        let is_true = |value: &Value| !matches!(value, Value::Null | Value::Bool(false)) && *value != json!(0);
        let found = patience::until(|| {
            last = self.try_run(expression);
            last.clone().ok().filter(is_true)
        });
        found.unwrap_or_else(|| {
            let me = self.try_run("JSON.stringify(globalThis.me)");
            panic!("{expression} did not come true; it is {last:?}; the page has {me:?}")
        })
    }

    /// Types into what has the focus.
    pub(crate) fn insert(&mut self, text: &str) {
        self.devtools.ask("Input.insertText", json!({ "text": text })).unwrap();
    }

    /// Presses the Enter key, as a keyboard does.
    pub(crate) fn press_enter(&mut self) {
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { "\r" } else { "" };
            let key = json!({
                "type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": text,
            });
            self.devtools.ask("Input.dispatchKeyEvent", key).unwrap();
        }
    }

    fn try_run(&mut self, expression: &str) -> Result<Value, Value> {
        let how = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let mut answer = self.devtools.ask("Runtime.evaluate", how)?;
        match answer.get_mut("exceptionDetails") {
            Some(thrown) => Err(thrown.take()),
            None => Ok(answer["result"]["value"].take()),
        }
    }
}

/// A connection to the browser, or to one page of it.
struct DevTools {
    socket: WebSocket<TcpStream>,
    last_id: u64,
}

impl DevTools {
    fn connect(port: u16, path: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (socket, _) = tungstenite::client(format!("ws://127.0.0.1:{port}{path}"), stream).unwrap();
        Self { socket, last_id: 0 }
    }

    /// The result of a command, or its error. Events are passed over.
    fn ask(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        self.last_id += 1;
        let command = json!({"id": self.last_id, "method": method, "params": params});
        self.socket.send(Message::text(command.to_string())).unwrap();
        loop {
            let message = self.socket.read().unwrap();
            let mut answer: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
            if answer["id"] == self.last_id {
                return match answer.get_mut("error") {
                    Some(error) => Err(error.take()),
                    None => Ok(answer["result"].take()),
                };
            }
        }
    }
}
