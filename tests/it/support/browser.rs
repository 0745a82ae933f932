//! A browser that looks at a page: Chromium without a window, over its own debugging protocol.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::http::RUNTIME;
use futures_util::{SinkExt, StreamExt};

/// How long a page may take to look as it should.
const PATIENCE: Duration = Duration::from_secs(20);

/// One tab of a browser with an empty profile.
pub(crate) struct Browser {
    child: Child,
    _profile: tempfile::TempDir,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: Option<String>,
    calls: u64,
}

impl Browser {
    /// Starts a browser and opens `url`.
    pub(crate) fn open(url: &str) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let child = Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
            ])
            .args([
                "--disable-background-networking",
                "--remote-debugging-port=0",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("`chromium` is needed: `tests/run` installs it");
        let address = profile.path().join("DevToolsActivePort");
        let address = wait_for("the browser", || {
            let text = fs::read_to_string(&address).unwrap_or_default();
            let (port, path) = text.split_once('\n')?;
            Some(format!("ws://127.0.0.1:{port}{}", path.trim()))
        });
        let (socket, _) = RUNTIME.block_on(connect_async(address)).unwrap();
        let mut browser = Self {
            child,
            _profile: profile,
            socket,
            session: None,
            calls: 0,
        };
        let tab = browser.call("Target.createTarget", &json!({"url": url}));
        let attach = json!({"targetId": tab["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", &attach);
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        browser
    }

    /// Loads the page anew.
    pub(crate) fn reload(&mut self) {
        self.call("Page.reload", &json!({}));
    }

    /// What a JavaScript expression comes to in the page; promises are waited for.
    pub(crate) fn run(&mut self, script: &str) -> Value {
        let call = json!({"expression": script, "awaitPromise": true, "returnByValue": true});
        let answer = self.call("Runtime.evaluate", &call);
        assert!(answer["exceptionDetails"].is_null(), "{script}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until a JavaScript expression is true in the page.
    #[track_caller]
    pub(crate) fn wait_until(&mut self, script: &str) {
        wait_for(script, || (self.run(script) == json!(true)).then_some(()));
    }

    fn call(&mut self, method: &str, params: &Value) -> Value {
        self.calls += 1;
        let id = self.calls;
        let mut call = json!({"id": id, "method": method, "params": params});
        if let Some(session) = &self.session {
            call["sessionId"] = json!(session);
        }
        RUNTIME.block_on(async {
            let text = Message::text(call.to_string());
            self.socket.send(text).await.unwrap();
            loop {
                let message = self.socket.next().await.unwrap().unwrap();
                let Message::Text(text) = message else {
                    continue;
                };
                let answer: Value = serde_json::from_str(&text).unwrap();
                if answer["id"] == id {
                    assert!(answer["error"].is_null(), "{method}: {answer}");
                    return answer["result"].clone();
                }
            }
        })
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may be gone already; nothing is left to do then.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Asks again until there is an answer.
#[track_caller]
fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        sleep(Duration::from_millis(50));
    }
}
