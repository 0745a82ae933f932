//! What `gen delivery` writes: its workflows are YAML, and their own steps build a copy of the project that knows nothing of
//! this machine.

use std::fs;
use std::path::{Path, PathBuf};

use yaml_rust2::{Yaml, YamlLoader};

use crate::support::{Project, Run, Sandbox, checkout, target_dir};

/// The commands of a workflow's only job, with the names of their steps.
fn steps(project: &Path, workflow: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(project.join(".github/workflows").join(workflow)).unwrap();
    let documents =
        YamlLoader::load_from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let [document] = documents.as_slice() else {
        panic!("{workflow} is one document: {text}");
    };
    assert!(document["on"].as_hash().is_some(), "{text}");
    let jobs = document["jobs"].as_hash().unwrap();
    assert_eq!(jobs.len(), 1);
    let (_, job) = jobs.iter().next().unwrap();
    assert_eq!(job["runs-on"].as_str(), Some("ubuntu-24.04"));
    let steps = job["steps"].as_vec().unwrap();
    let step = |step: &Yaml| {
        if step["uses"].as_str().is_some() {
            return None;
        }
        let text = |key: &str| {
            step[key]
                .as_str()
                .unwrap_or_else(|| panic!("{step:?}"))
                .to_owned()
        };
        Some((text("name"), text("run")))
    };
    steps.iter().filter_map(step).collect()
}

/// A copy of what is checked in.
fn checked_out(sandbox: &Sandbox, plugin: &Project<'_>, dir: &str) -> PathBuf {
    let copy = Project::copied(sandbox, &plugin.path(""), dir);
    fs::remove_dir_all(copy.path(".cargo")).unwrap();
    fs::remove_dir_all(copy.path(".git")).unwrap();
    copy.path("")
}

/// Runs one step as a runner does.
fn run(sandbox: &Sandbox, dir: &Path, script: &str, sdk: Option<&Path>) -> Run {
    let tools = Path::new(env!("CARGO_BIN_EXE_hecate")).parent().unwrap();
    let path = format!(
        "{}:{}:{}",
        sandbox.path("bin").display(),
        tools.display(),
        std::env::var("PATH").unwrap()
    );
    let mut command = sandbox.program("sh");
    command
        .args(["-e", "-c", script])
        .current_dir(dir)
        .env("PATH", path)
        .env("CARGO_TARGET_DIR", target_dir())
        .env("GITHUB_REF_NAME", "v0.1.0")
        .env("HECATE_BUNDLE", "--debug");
    if let Some(sdk) = sdk {
        command.env("HECATE_SDK", sdk);
    }
    Run::of(&mut command, sandbox)
}

#[test]
fn the_steps_of_the_workflows_build_a_copy_elsewhere() {
    let sandbox = Sandbox::new();
    let plugin = Project::new(&sandbox, "it-delivery");
    let _made = plugin.hecate("gen division order customer:string").ok();
    let made = plugin.hecate("gen delivery").ok();
    assert!(made.stderr.contains("variable HECATE_SDK"), "{made}");
    let again = plugin.hecate("gen delivery").ok();
    assert!(again.stdout.starts_with("nothing to do"), "{again}");
    let here = checkout().display().to_string();
    for (path, contents) in plugin.tree() {
        let is_made =
            path.starts_with("delivery/") || path.starts_with(".github/") || path == "hecate.lock";
        let text = String::from_utf8_lossy(&contents);
        assert!(
            !is_made || !text.contains(&here),
            "{path} names this machine: {text}"
        );
    }
    let copy = checked_out(&sandbox, &plugin, "elsewhere");

    // Without the SDK, the first step says so.
    let checks = steps(&copy, "ci.yml");
    let lost = run(&sandbox, &copy, &checks[0].1, None).code(1);
    assert!(
        lost.stderr.contains("hint: name a checkout of Hecate"),
        "{lost}"
    );
    for (name, script) in &checks {
        let done = run(&sandbox, &copy, script, Some(&checkout()));
        assert_eq!(done.code, 0, "{name}: {done}");
    }
    // A release asks GitHub for the last step alone.
    sandbox.write("bin/gh", "#!/bin/sh\necho \"$@\"\n");
    let _runs = Run::of(sandbox.program("chmod").args(["+x", "bin/gh"]), &sandbox).ok();
    let releases = steps(&copy, "release.yml");
    let mut said = String::new();
    for (name, script) in &releases {
        let done = run(&sandbox, &copy, script, Some(&checkout()));
        assert_eq!(done.code, 0, "{name}: {done}");
        said = done.stdout;
    }
    assert!(
        said.starts_with(
            "release create v0.1.0 --generate-notes target/dist/SHA256SUMS target/dist/it-delivery-0.1.0-"
        ),
        "{said}"
    );
    let hashed = run(
        &sandbox,
        &copy,
        "cd target/dist && sha256sum --check SHA256SUMS",
        None,
    )
    .ok();
    assert!(hashed.stdout.contains(": OK"), "{hashed}");
    let other = releases[0].1.replace("GITHUB_REF_NAME#v", "OTHER:-0.2.0");
    let _refused = run(&sandbox, &copy, &other, None).code(1);
}

#[test]
fn every_source_of_the_sdk_is_written_for_cargo() {
    let sandbox = Sandbox::new();
    for (nth, (sdk, said)) in [
        (
            "git:https://example.org/hecate.git#v0.1.0",
            "hecate-sdk = { git = \"https://example.org/hecate.git\", rev = \"v0.1.0\" }",
        ),
        ("registry", ""),
    ]
    .into_iter()
    .enumerate()
    {
        let plugin = Project::new(&sandbox, &format!("it-delivered-{nth}"));
        let _made = plugin.hecate(&format!("gen delivery --sdk {sdk}")).ok();
        let copy = checked_out(&sandbox, &plugin, &format!("copy-{nth}"));
        let checks = steps(&copy, "ci.yml");
        let _there = run(&sandbox, &copy, &checks[0].1, None).ok();
        let config = fs::read_to_string(copy.join(".cargo/config.toml")).unwrap_or_default();
        assert!(
            config.contains(said) && config.is_empty() == said.is_empty(),
            "{sdk}: {config}"
        );
        // The lock names the source that this machine has, which is another one.
        assert!(
            checks
                .iter()
                .all(|(_, script)| !script.contains("--locked")),
            "{checks:?}"
        );
        let other = plugin.hecate("gen delivery --sdk path:.").code(1);
        assert!(other.stderr.contains("holds no `hecate-sdk`"), "{other}");
        let other = plugin.hecate("gen delivery").code(1);
        assert!(other.stderr.contains("made from other answers"), "{other}");
    }
}
