//! `hecate dev`: build, load, and again at each save.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::json;

use crate::support::{Project, Sandbox, get, post};

/// How long a debug build may take when others build too.
const PATIENCE: Duration = Duration::from_secs(240);

/// A running `hecate dev`, with what it says, on both streams.
struct Dev {
    child: Child,
    lines: Receiver<String>,
}

impl Dev {
    fn start(sandbox: &Sandbox, project: &Project<'_>) -> Self {
        let mut command = sandbox.command_in(&project.name, &["dev", "--no-open"]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let streams: [Box<dyn std::io::Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        for stream in streams {
            let sender = sender.clone();
            std::thread::spawn(move || {
                // The test may have ended.
                BufReader::new(stream)
                    .lines()
                    .map_while(Result::ok)
                    .for_each(|line| _ = sender.send(line));
            });
        }
        Self { child, lines }
    }

    /// Waits for a line that contains `text`.
    #[track_caller]
    fn says(&self, text: &str) -> String {
        let mut said = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => said.push(line),
                Err(_) => panic!("waited in vain for `{text}`: {said:#?}"),
            }
        }
    }

    /// Ends it as Ctrl-C does.
    fn stop(mut self) -> i32 {
        let interrupt = format!("kill -INT {}", self.child.id());
        Command::new("sh")
            .args(["-c", &interrupt])
            .status()
            .unwrap();
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // It may have ended already.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

#[test]
fn what_is_saved_is_live() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-dev");
    let _made = plugin.hecate("gen division order customer:string").ok();
    let dev = Dev::start(&sandbox, &plugin);
    let live = dev.says("live in");
    let url = format!("http://localhost:{}/plugin/it-dev/", sandbox.port());
    assert!(live.ends_with(&url), "{live}");
    let port = sandbox.port();
    let api = "/plugin/it-dev/api";
    let born = post(
        port,
        &format!("{api}/orders/initiate"),
        &json!({"customer": "Ada"}),
    );
    assert_eq!(born.status, 201, "{born:?}");
    let id = born.json()["order_id"].as_str().unwrap().to_owned();

    // A desk of its own: generated in one terminal, live in the other.
    let _made = plugin.hecate("gen desk cmd confirm order note:string").ok();
    dev.says("live in");
    let confirm = format!("{api}/orders/{id}/confirm");
    assert_eq!(post(port, &confirm, &json!({"note": "yes"})).status, 201);

    // What the compiler says is said; what was live stays live.
    plugin.edit(
        "src/lib.rs",
        "mod divisions;",
        "mod divisions;\nfn broken( {",
    );
    dev.says("unclosed delimiter");
    dev.says("waiting for a change");
    let row = get(port, &format!("{api}/orders/{id}")).json();
    assert_eq!(
        (&row["customer"], &row["note"]),
        (&json!("Ada"), &json!("yes"))
    );

    plugin.edit("src/lib.rs", "fn broken( {", "");
    plugin.write("priv/static/more.txt", "more");
    dev.says("live in");
    assert_eq!(get(port, "/plugin/it-dev/more.txt").text(), "more");

    // An edited struct counts: the generated lists follow it.
    let event = "divisions/order/src/guide_order_lifecycle/confirm_order/confirm_order_v1.rs";
    let command = plugin.read(event);
    assert!(command.contains("pub note: String"), "{command}");
    assert_eq!(dev.stop(), 0);
}
