//! A flow as Mermaid, which most forges and editors draw.

use super::{Flow, Kind};

/// The flow as a flowchart from left to right.
pub(crate) fn mermaid(flow: &Flow) -> String {
    let mut lines = vec!["flowchart LR".to_owned()];
    let of_group = |group: Option<&str>, indent: &str| {
        let nodes = flow.nodes.iter().enumerate();
        nodes
            .filter(|(_, node)| node.group.as_deref() == group)
            .map(|(nth, node)| {
                let (open, close) = shape(node.kind);
                let label = escaped(&node.label);
                let class = node.kind.word();
                format!("{indent}n{nth}{open}\"{label}\"{close}:::{class}")
            })
            .collect::<Vec<_>>()
    };
    lines.extend(of_group(None, "    "));
    for (nth, group) in flow.groups().into_iter().enumerate() {
        // By a name of ours: a division may be called as one of Mermaid's own words.
        lines.push(format!("    subgraph g{nth}[\"{}\"]", escaped(group)));
        lines.extend(of_group(Some(group), "        "));
        lines.push("    end".to_owned());
    }
    for (from, to) in &flow.edges {
        lines.push(format!("    n{from} --> n{to}"));
    }
    let mut kinds: Vec<Kind> = flow.nodes.iter().map(|node| node.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        let (fill, line) = kind.colours();
        lines.push(format!(
            "    classDef {} fill:{fill},stroke:{line},color:#1b1f24",
            kind.word()
        ));
    }
    lines.join("\n") + "\n"
}

const fn shape(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Command => ("[", "]"),
        Kind::Event => ("(", ")"),
        Kind::Table => ("[(", ")]"),
        Kind::Process => ("{{", "}}"),
        Kind::Heard | Kind::Told => (">", "]"),
    }
}

fn escaped(label: &str) -> String {
    label
        .replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
