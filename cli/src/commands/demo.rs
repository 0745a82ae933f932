//! `hecate demo`: the whole line in one command, through the code paths of the user's own commands.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Parser;
use hecate_manifest::bundle::Profile;
use http::Method;
use serde_json::{Value, json};

use crate::background::Background;
use crate::check::{check_project, count};
use crate::client::{ask_plugin, runtime};
use crate::commands::serve::stopped;
use crate::commands::{bundle, install};
use crate::context::Context;
use crate::error::CliError;
use crate::generate;
use crate::project::{MANIFEST, Project, file_bytes, is_dir, is_file};

const NAME: &str = "hecate-demo";

/// What the demo types: a small real domain, orders with line totals.
const COMMANDS: [&str; 8] = [
    "hecate gen division order customer:string product:string quantity:int unit_price:decimal line_total:decimal",
    "hecate gen desk cmd confirm order note:string?",
    "hecate gen desk cmd ship order carrier:enum:post,courier shipped_on:date",
    "hecate gen desk cmd cancel order reason:string",
    "hecate gen desk prj order_shipped --table shipments",
    "hecate gen desk qry page shipment",
    "hecate gen desk qry by-field order customer",
    "hecate gen desk qry search order",
];

/// See it all: a plugin made, grown, checked, bundled, loaded and used
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// Stop when everything is done, instead of serving on
    #[arg(long)]
    once: bool,
}

pub(crate) fn run(args: &DemoArgs, cx: &Context) -> Result<(), CliError> {
    let root = cx.dir().join(NAME);
    let quiet = cx.clone().silent();
    let inside = quiet.clone().in_dir(root.clone());
    let mut steps = Steps { cx, number: 0 };

    steps.run("make", "hecate new plugin hecate-demo", || {
        make(&root, &quiet)
    })?;
    steps.run("grow", &COMMANDS.join("\n          "), || {
        COMMANDS
            .iter()
            .try_for_each(|command| same_as_typed(command, &inside))
    })?;
    let project = steps.run("check", "hecate check", || check(&inside))?;
    let bundle = steps.run("bundle", "hecate bundle", || {
        bundle::write(
            &project,
            Profile::Release,
            None,
            &cx.clone().in_dir(root.clone()).without_results(),
        )
    })?;
    let daemon = steps.run("serve", "hecate serve", || Background::ensure(cx))?;
    steps.run(
        "install",
        &format!("hecate install {}", shown(&bundle, cx.dir())),
        || install::send(&inside, file_bytes(&bundle)?, false).map(drop),
    )?;
    let rows = steps.run("use", "POST and GET over HTTP", || use_it(daemon.port()))?;
    tell(cx, daemon.port(), &root, &rows);
    if args.once {
        return Ok(());
    }
    cx.printer().note("\nserving until Ctrl-C");
    runtime()?.block_on(async {
        stopped()?.await;
        Ok(())
    })
}

/// Runs the steps and says what each is, and which one failed.
struct Steps<'a> {
    cx: &'a Context,
    number: usize,
}

impl Steps<'_> {
    fn run<T>(
        &mut self,
        name: &str,
        what: &str,
        step: impl FnOnce() -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        self.number += 1;
        let number = self.number;
        self.cx
            .printer()
            .note(&format!("{number}/7 {name:<7} {what}"));
        let begun = Instant::now();
        let done = step().map_err(|error| {
            error.in_step(&format!("step {number} of the demo (`{name}`) failed"))
        })?;
        self.cx
            .printer()
            .detail(&format!("    {:.1} s", begun.elapsed().as_secs_f32()));
        Ok(done)
    }
}

/// Makes the project, or goes on with the one of an earlier demo.
fn make(root: &Path, cx: &Context) -> Result<(), CliError> {
    if is_dir(root) && is_file(&root.join(MANIFEST)) {
        return Ok(());
    }
    same_as_typed("hecate new plugin hecate-demo", cx)
}

/// Carries a command line out as if it were typed in the context's directory.
fn same_as_typed(command: &str, cx: &Context) -> Result<(), CliError> {
    let parsed = crate::Cli::try_parse_from(command.split_whitespace());
    let parsed =
        parsed.map_err(|error| CliError::bug(format!("`{command}` is not understood: {error}")))?;
    parsed.command.run(cx)
}

fn check(cx: &Context) -> Result<Project, CliError> {
    let project = generate::open(cx)?;
    let findings = check_project(&project, cx)?;
    if count(&findings).0 > 0 {
        return Err(CliError::cannot("the project has findings").hint(format!(
            "look at them: cd {NAME} && hecate check; or remove `{NAME}` and begin anew"
        )));
    }
    Ok(project)
}

/// Posts a few orders and gives the rows that come of them.
fn use_it(port: u16) -> Result<Vec<Value>, CliError> {
    let api = format!("/plugin/{NAME}/api");
    let post = |path: &str, body: Value| {
        ask_plugin(port, Method::POST, &format!("{api}{path}"), Some(&body))
    };
    let orders = [
        ("Ada", "lamp", 2, "24.50", "49.00"),
        ("Grace", "desk", 1, "310.00", "310.00"),
        ("Ada", "chair", 4, "89.90", "359.60"),
    ];
    let mut ids = Vec::new();
    for (customer, product, quantity, unit_price, line_total) in orders {
        let body = json!({
            "customer": customer, "product": product, "quantity": quantity,
            "unit_price": unit_price, "line_total": line_total,
        });
        let answer = post("/orders/initiate", body)?;
        ids.push(answer["order_id"].as_str().unwrap_or_default().to_owned());
    }
    post(
        &format!("/orders/{}/confirm", ids[0]),
        json!({"note": "by telephone"}),
    )?;
    post(
        &format!("/orders/{}/ship", ids[0]),
        json!({"carrier": "courier", "shipped_on": "2026-11-23"}),
    )?;
    post(
        &format!("/orders/{}/cancel", ids[1]),
        json!({"reason": "does not fit"}),
    )?;
    let get = |path: &str| ask_plugin(port, Method::GET, &format!("{api}{path}"), None);
    let flags = get("/flag-maps")?["flag_maps"]["order"].take();
    let row = |id: &String| {
        let mut row = get(&format!("/orders/{id}"))?;
        row["labels"] = labels(&flags, row["status"].as_u64().unwrap_or_default());
        Ok(row)
    };
    ids.iter().map(row).collect()
}

/// What the bits of a status mean.
fn labels(flags: &Value, status: u64) -> Value {
    let bits = flags.as_object().into_iter().flatten();
    let set = bits.filter(|(bit, _)| bit.parse::<u64>().is_ok_and(|bit| status & bit != 0));
    let labels: Vec<_> = set.filter_map(|(_, label)| label.as_str()).collect();
    labels.join(", ").to_lowercase().into()
}

fn tell(cx: &Context, port: u16, root: &Path, rows: &[Value]) {
    let printer = cx.printer();
    printer.json(
        "demo",
        json!({"url": page(port), "project": root, "rows": rows}),
    );
    printer.result("\n  customer  product  quantity  line_total  status");
    for row in rows {
        let text = |field: &str| {
            row[field]
                .as_str()
                .map_or_else(|| row[field].to_string(), str::to_owned)
        };
        printer.result(&format!(
            "  {:<8}  {:<7}  {:>8}  {:>10}  {}",
            text("customer"),
            text("product"),
            text("quantity"),
            text("line_total"),
            text("labels")
        ));
    }
    let hecate = cx.program().display();
    let place = shown(root, cx.dir());
    printer.result(&format!(
        "\nIts page:  {}\n\nNext, in another terminal:\n  \
         cd {place}\n  \
         {hecate} gen desk cmd praise order stars:int   # a new slice; look at the files\n  \
         {hecate} dev                                   # build, load, reload on save; reload the page\n  \
         {hecate} explain desk                          # the words",
        page(port)
    ));
}

fn page(port: u16) -> String {
    format!("http://localhost:{port}/plugin/{NAME}/")
}

fn shown(path: &Path, dir: &Path) -> String {
    let path: PathBuf = path.strip_prefix(dir).unwrap_or(path).to_owned();
    path.display().to_string()
}
