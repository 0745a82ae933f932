use super::document::Document;
use super::{Context, Finding, Rule, Severity};

pub(super) static RULE: Rule = Rule {
    code: "HKM019",
    severity: Severity::Warning,
    title: "the icon's file does not exist",
    explanation: "`icon` is an emoji, the name of one, or a file: relative to the manifest, or to `priv/static/`, \
        from where pages are served. With an extension such as `.svg` a file is meant, and there is none.",
    wrong: r#"{
  "icon": "logo.svg"
}"#,
    right: r#"{
  "icon": "icon.svg"
}"#,
};

const EXTENSIONS: [&str; 8] = ["svg", "png", "webp", "avif", "jpg", "jpeg", "gif", "ico"];

pub(super) fn check(manifest: &Document<'_>, context: &Context<'_>, found: &mut Vec<Finding>) {
    let (Some(icon), Some(exists)) = (manifest.text_field("icon"), context.files) else {
        return;
    };
    if !names_a_file(&icon.value) {
        return;
    }
    let places = [
        icon.value.to_string(),
        format!("priv/static/{}", icon.value),
    ];
    if stays_below(&icon.value) && places.iter().any(|place| exists(place)) {
        return;
    }
    let text = icon.value.escape_debug();
    let finding = manifest.finding(&RULE, icon, format!("there is no file `{text}`"));
    found.push(finding.with_help(
        "give a file relative to the manifest or to `priv/static/`, an emoji, or the name of one",
    ));
}

fn names_a_file(icon: &str) -> bool {
    let is_address = icon.contains("://") || icon.starts_with("data:");
    let extension = icon.rsplit_once('.').map(|(_, extension)| extension);
    !is_address
        && extension.is_some_and(|found| {
            EXTENSIONS
                .iter()
                .any(|extension| extension.eq_ignore_ascii_case(found))
        })
}

fn stays_below(path: &str) -> bool {
    !path.starts_with('/') && path.split('/').all(|component| component != "..")
}
