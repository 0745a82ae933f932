//! README's session, typed as it stands: what it shows is what a newcomer sees.

use std::fs;

use crate::support::{Run, Sandbox, checkout};

#[test]
fn the_session_of_the_readme_holds() {
    let sandbox = Sandbox::new();
    let readme = fs::read_to_string(checkout().join("README.md")).unwrap();
    let mut dir = sandbox.path("");
    let mut typed = 0;
    for (command, expected) in session(&readme) {
        typed += 1;
        if let Some(into) = command.strip_prefix("cd ") {
            dir = dir.join(into);
            continue;
        }
        let bin = std::path::Path::new(env!("CARGO_BIN_EXE_hecate"))
            .parent()
            .unwrap();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let mut shell = sandbox.program("sh");
        shell
            .current_dir(&dir)
            .args(["-c", &command])
            .env("PATH", path);
        let run = Run::of(&mut shell, &sandbox).ok();
        let said: Vec<_> = run.stdout.trim_end().lines().collect();
        assert!(
            matches(&expected, &said),
            "`{command}` should say:\n{}\n{run}",
            expected.join("\n")
        );
    }
    assert!(typed > 5, "the README has a session");
}

/// The commands of all `console` blocks, each with the lines that it is said to answer.
fn session(readme: &str) -> Vec<(String, Vec<&str>)> {
    let mut commands: Vec<(String, Vec<&str>)> = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside {
            match line.strip_prefix("$ ") {
                Some(command) => commands.push((command.to_owned(), Vec::new())),
                None => commands.last_mut().unwrap().1.push(line),
            }
        }
    }
    commands
}

/// Whether `said` is what is expected: `...` stands for any lines, `[..]` for anything in a line.
fn matches(expected: &[&str], said: &[&str]) -> bool {
    match expected.split_first() {
        None => said.is_empty(),
        Some((&"...", rest)) => (0..=said.len()).any(|from| matches(rest, &said[from..])),
        Some((line, rest)) => said
            .split_first()
            .is_some_and(|(first, said)| is_like(line, first) && matches(rest, said)),
    }
}

fn is_like(expected: &str, line: &str) -> bool {
    match expected.split_once("[..]") {
        None => expected == line,
        Some((start, rest)) => line.strip_prefix(start).is_some_and(|line| {
            (0..=line.len()).any(|from| line.is_char_boundary(from) && is_like(rest, &line[from..]))
        }),
    }
}

#[test]
fn elisions_stand_for_anything_and_nothing_else_does() {
    assert!(matches(&["a", "...", "d"], &["a", "b", "c", "d"]));
    assert!(matches(&["a [..] c", "..."], &["a b c"]));
    assert!(!matches(&["a", "...", "d"], &["a", "b"]));
    assert!(!matches(&["a"], &["a", "b"]));
    assert!(!is_like("a[..]c", "a b"));
}
