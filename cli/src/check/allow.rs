//! Findings that somebody has allowed, with the reason: in `hecate.toml`, or in a comment beside the place.
//!
//! What allows without a reason, or allows nothing, is a finding itself: else a project keeps excuses for what was mended
//! long ago, and they hide what breaks there next.

use hecate_manifest::rules::{Finding, Rule, Severity, Span, nearest};

use super::all_rules;
use crate::project::{Allow, SETTINGS};

pub(super) static RULE: Rule = Rule {
    code: "HKS009",
    severity: Severity::Error,
    title: "an allowance is not in order",
    explanation: "A finding can be allowed, if somebody says why: below `[check]` in `hecate.toml`, for a path or the \
        whole project, or by a comment on the line of the finding or above it. An allowance without a reason or of an \
        unknown code allows nothing, and one that nothing needs any more is to be removed. What stops a build or an \
        installation cannot be allowed: it would stop it all the same.",
    wrong: "// hecate: allow(HKS005)",
    right: "// hecate: allow(HKS005): the old projection goes with the next release",
};

/// What a comment that allows begins with, after its marker.
const WORDS: &str = "hecate: allow(";

/// Rules whose findings stop a build or an installation, besides the errors in manifests.
const FIRM: [&str; 6] = ["HKG001", "HKS001", "HKS006", "HKS007", "HKS008", "HKS009"];

/// One code that is allowed, and where.
struct Allowance {
    code: String,
    reason: String,
    reach: Reach,
    /// Where it stands.
    file: String,
    span: Option<Span>,
}

enum Reach {
    Project,
    /// A file, or everything below a directory.
    Path(String),
    /// A line of the file it stands in, and what is found in that file as a whole.
    Line(u32),
}

impl Allowance {
    fn covers(&self, finding: &Finding) -> bool {
        if finding.rule.code != self.code {
            return false;
        }
        match &self.reach {
            Reach::Project => true,
            Reach::Path(path) => finding
                .file
                .strip_prefix(path.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            Reach::Line(line) => {
                finding.file == self.file && finding.span.is_none_or(|span| span.line == *line)
            }
        }
    }

    /// Why it allows nothing, whatever is found, and what to do about it.
    fn fault(&self) -> Option<(String, String)> {
        let rules = all_rules();
        let Some(rule) = rules.iter().find(|rule| rule.code == self.code) else {
            let code = self.code.escape_debug();
            let help = match nearest(&self.code, rules.iter().map(|rule| rule.code)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "the code stands beside each finding, as in `HKS005`".to_owned(),
            };
            return Some((format!("`{code}` is not the code of a finding"), help));
        };
        let is_of_manifest = rule.code.starts_with("HKM") && rule.severity == Severity::Error;
        if is_of_manifest || FIRM.contains(&rule.code) {
            let message = format!("`{}` cannot be allowed: {}", rule.code, rule.title);
            return Some((message, "mend what it finds".to_owned()));
        }
        self.reason.is_empty().then(|| {
            let message = format!("`{}` is allowed without a reason", rule.code);
            let help = if self.file == SETTINGS {
                "add `reason = \"…\"`"
            } else {
                "say why after a colon: `hecate: allow(CODE): reason`"
            };
            (message, help.to_owned())
        })
    }
}

/// Takes what is allowed out of `findings`, and adds what is wrong with the allowances. Says how many it took.
///
/// `sources` are the files that may have comments, `settings` the list and the text of `hecate.toml`. With `all_seen`
/// every rule has looked at everything, so that an allowance without a finding is one too many.
pub(super) fn sift<'a>(
    findings: &mut Vec<Finding>,
    sources: impl Iterator<Item = (&'a str, &'a str)>,
    settings: (&[Allow], &str),
    all_seen: bool,
) -> usize {
    let mut allowances = in_settings(settings.0, settings.1);
    for (file, text) in sources {
        in_comments(file, text, &mut allowances);
    }
    let before = findings.len();
    let mut wrong = Vec::new();
    for allowance in &allowances {
        let finding =
            |message| Finding::new(&RULE, allowance.file.as_str(), allowance.span, message);
        if let Some((message, help)) = allowance.fault() {
            wrong.push(finding(message).with_help(help));
        } else if all_seen && !findings.iter().any(|finding| allowance.covers(finding)) {
            let message = format!(
                "`{}` is allowed, and nothing like it is found",
                allowance.code
            );
            let finding = finding(message).with_severity(Severity::Warning);
            wrong.push(finding.with_help("remove the allowance"));
        }
    }
    allowances.retain(|allowance| allowance.fault().is_none());
    findings.retain(|finding| !allowances.iter().any(|allowance| allowance.covers(finding)));
    let taken = before - findings.len();
    findings.append(&mut wrong);
    taken
}

fn in_settings(list: &[Allow], text: &str) -> Vec<Allowance> {
    let mut from = 0;
    let allowances = list.iter().map(|allow| {
        // They are found in the order in which they stand.
        let quoted = format!("\"{}\"", allow.code);
        let at = text[from..].find(&quoted).map(|at| from + at);
        let span = at.map(|at| {
            from = at + quoted.len();
            Span::of(text, at..from)
        });
        Allowance {
            code: allow.code.clone(),
            reason: allow.reason.trim().to_owned(),
            reach: match &allow.path {
                Some(path) => Reach::Path(path.trim_end_matches('/').to_owned()),
                None => Reach::Project,
            },
            file: SETTINGS.to_owned(),
            span,
        }
    });
    allowances.collect()
}

fn in_comments(file: &str, text: &str, allowances: &mut Vec<Allowance>) {
    // Nearly all files have none.
    if !text.contains(WORDS) {
        return;
    }
    let marker = if file.ends_with(".toml") { "# " } else { "// " };
    let start = format!("{marker}{WORDS}");
    let lines: Vec<&str> = text.lines().collect();
    for (nth, line) in lines.iter().enumerate() {
        let Some((before, rest)) = line.split_once(&start) else {
            continue;
        };
        // Within a text it is not a comment, and within documentation an example.
        if before.matches('"').count() % 2 == 1 || before.trim_start().starts_with("//") {
            continue;
        }
        let (code, rest) = rest.split_once(')').unwrap_or((rest, ""));
        let reason = rest.strip_prefix(':').unwrap_or_default();
        let covered = if before.trim().is_empty() {
            let comment = |line: &&str| {
                let line = line.trim_start();
                line.starts_with(marker.trim_end()) || line.starts_with("#[")
            };
            nth + lines[nth..].iter().take_while(|line| comment(line)).count()
        } else {
            nth
        };
        let number = |nth: usize| u32::try_from(nth + 1).unwrap_or(u32::MAX);
        allowances.push(Allowance {
            code: code.trim().to_owned(),
            reason: reason.trim().to_owned(),
            reach: Reach::Line(number(covered)),
            file: file.to_owned(),
            span: Some(Span {
                line: number(nth),
                column: number(before.chars().count()),
                len: number(line.trim_end()[before.len()..].chars().count()) - 1,
            }),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Settings;

    const FILE: &str = "divisions/order/src/flags.rs";

    fn found(code: &str, line: u32) -> Finding {
        let rule = all_rules().into_iter().find(|rule| rule.code == code);
        let (column, len) = (1, 1);
        let span = Some(Span { line, column, len });
        Finding::new(rule.unwrap(), FILE, span, "broken")
    }

    /// What is left of findings on lines 1 to 3, as `code line`, and how many were taken.
    fn left(source: &str, settings: &str) -> (Vec<String>, usize) {
        let mut findings: Vec<_> = (1..=3).map(|line| found("HKE002", line)).collect();
        let list = Settings::parse(settings).unwrap().check.unwrap_or_default();
        let sources = [(FILE, source)].into_iter();
        let taken = sift(&mut findings, sources, (&list.allow, settings), true);
        let shown = findings.iter().map(|finding| {
            let line = finding.span.map_or(0, |span| span.line);
            format!("{} {line} {}", finding.rule.code, finding.message)
        });
        (shown.collect(), taken)
    }

    fn broken(lines: &[u32]) -> Vec<String> {
        let line = |line: &u32| format!("HKE002 {line} broken");
        lines.iter().map(line).collect()
    }

    #[test]
    fn a_comment_allows_its_line_or_the_one_below() {
        let (rest, taken) = left("a // hecate: allow(HKE002): old\nb\nc\n", "");
        assert_eq!((rest, taken), (broken(&[2, 3]), 1));
        let above = "// hecate: allow(HKE002): old\n#[expect(dead_code)]\nc\n";
        assert_eq!(left(above, ""), (broken(&[1, 2]), 1));
    }

    #[test]
    fn a_text_or_a_document_that_looks_like_a_comment_allows_nothing() {
        for source in [
            "let a = \"// hecate: allow(HKE002): old\";\n",
            "/// // hecate: allow(HKE002): old\n",
        ] {
            assert_eq!(left(source, ""), (broken(&[1, 2, 3]), 0), "{source}");
        }
    }

    #[test]
    fn the_settings_allow_a_path_or_the_project() {
        for path in [
            "",
            "path = \"divisions/order\", ",
            "path = \"divisions/\", ",
        ] {
            let settings =
                format!("[check]\nallow = [{{ code = \"HKE002\", {path}reason = \"old\" }}]\n");
            assert_eq!(left("", &settings), (Vec::new(), 3), "{path}");
        }
        let (rest, taken) = left(
            "",
            "[check]\nallow = [{ code = \"HKE002\", path = \"divisions/ord\", reason = \"old\" }]\n",
        );
        assert_eq!(taken, 0, "half a name is not a path");
        assert_eq!(
            rest[3],
            "HKS009 2 `HKE002` is allowed, and nothing like it is found"
        );
    }

    #[test]
    fn what_is_wrong_with_an_allowance_is_found_and_nothing_allowed() {
        for (comment, message) in [
            ("allow(HKE002)", "`HKE002` is allowed without a reason"),
            ("allow(HKE002):  ", "`HKE002` is allowed without a reason"),
            ("allow(HKE02): x", "`HKE02` is not the code of a finding"),
            ("allow(HKE002", "`HKE002` is allowed without a reason"),
            (
                "allow(HKS001): x",
                "`HKS001` cannot be allowed: a desk's file cannot be read as Rust",
            ),
            (
                "allow(HKE001): x",
                "`HKE001` is allowed, and nothing like it is found",
            ),
        ] {
            let (rest, taken) = left(&format!("a // hecate: {comment}\nb\nc\n"), "");
            assert_eq!(taken, 0, "{comment}");
            assert_eq!(rest[..3], broken(&[1, 2, 3]), "{comment}");
            assert_eq!(rest[3], format!("HKS009 1 {message}"));
        }
    }

    #[test]
    fn nothing_is_one_too_many_while_a_file_cannot_be_read() {
        let mut findings = Vec::new();
        let source = [(FILE, "a // hecate: allow(HKE002): old\n")].into_iter();
        assert_eq!(sift(&mut findings, source, (&[], ""), false), 0);
        assert_eq!(findings, []);
    }
}
