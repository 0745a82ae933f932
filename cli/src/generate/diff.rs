//! Shows a plan as a unified diff.

use similar::TextDiff;

use super::plan::Plan;

/// The whole plan as one diff, as `git diff` would show it.
pub(crate) fn diff(plan: &Plan) -> String {
    let mut text = String::new();
    for step in &plan.steps {
        let (old, new) = (
            contents(step.before.as_deref()),
            contents(step.after.as_deref()),
        );
        let from = if step.before.is_some() {
            format!("a/{}", step.path)
        } else {
            "/dev/null".to_owned()
        };
        let to = if step.after.is_some() {
            format!("b/{}", step.path)
        } else {
            "/dev/null".to_owned()
        };
        let diff = TextDiff::from_lines(old.as_str(), new.as_str());
        text.push_str(&diff.unified_diff().header(&from, &to).to_string());
    }
    text
}

fn contents(bytes: Option<&[u8]>) -> String {
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}
