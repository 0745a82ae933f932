//! This test program, started again to run one test that is ignored otherwise.

use std::process::{Command, Stdio};

/// The command that runs the test `name` of `module`, through `program` with its arguments before it.
pub(super) fn again(program: &[&str], module: &str, name: &str) -> Command {
    let mut command = Command::new(program[0]);
    let (_, module) = module.split_once("::").unwrap();
    let test = format!("{module}::{name}");
    command
        .args(&program[1..])
        .arg(std::env::current_exe().unwrap())
        .args([&test, "--exact", "--ignored", "--nocapture"])
        .arg("--test-threads=1")
        .stdin(Stdio::null());
    command
}
