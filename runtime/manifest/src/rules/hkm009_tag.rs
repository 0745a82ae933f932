use super::document::Document;
use super::{Context, Finding, Rule, Severity};
use crate::suggest_name;

pub(super) static RULE: Rule = Rule {
    code: "HKM009",
    severity: Severity::Error,
    title: "the tag is not the name of a custom element",
    explanation: "`tag` is the HTML element that the plugin's frontend defines. Browsers accept only names that \
        start with a lowercase letter, hold a hyphen and no uppercase letter, and are not one of the eight that \
        SVG and MathML have taken; for any other, `customElements.define` throws and the page stays empty.",
    wrong: r#"{
  "tag": "Orders"
}"#,
    right: r#"{
  "tag": "orders-studio"
}"#,
};

/// Names with a hyphen that belong to SVG and MathML.
const TAKEN: [&str; 8] = [
    "annotation-xml",
    "color-profile",
    "font-face",
    "font-face-src",
    "font-face-uri",
    "font-face-format",
    "font-face-name",
    "missing-glyph",
];

pub(super) fn check(manifest: &Document<'_>, _: &Context<'_>, found: &mut Vec<Finding>) {
    let Some(tag) = manifest.text_field("tag") else {
        return;
    };
    let Some(fault) = fault(&tag.value) else {
        return;
    };
    let text = tag.value.escape_debug();
    let message = format!("`{text}` is not the name of a custom element: {fault}");
    let finding = manifest.finding(&RULE, tag, message);
    found.push(match suggestion(&tag.value) {
        Some(suggestion) => finding.with_help(format!("write `{suggestion}`")),
        None => finding,
    });
}

fn suggestion(tag: &str) -> Option<String> {
    let name = suggest_name(tag)?.to_string();
    let candidates = [name.clone(), format!("{name}-studio")];
    candidates.into_iter().find(|tag| fault(tag).is_none())
}

/// The rule is `PCENChar` of the HTML standard.
fn fault(tag: &str) -> Option<String> {
    if !tag.starts_with(|first: char| first.is_ascii_lowercase()) {
        return Some("it must start with a lowercase letter".into());
    }
    if let Some(character) = tag.chars().find(|character| !may_stand(*character)) {
        return Some(format!("it may not hold `{}`", character.escape_debug()));
    }
    if !tag.contains('-') {
        return Some("it must hold a hyphen".into());
    }
    TAKEN
        .contains(&tag)
        .then(|| "SVG and MathML have taken it".into())
}

const fn may_stand(character: char) -> bool {
    matches!(character,
        '-' | '.' | '0'..='9' | '_' | 'a'..='z' | '\u{b7}'
        | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{37d}'
        | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{203f}'..='\u{2040}'
        | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}'
        | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}
