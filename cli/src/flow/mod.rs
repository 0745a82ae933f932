//! The flow of a plugin: commands lead to events, events to tables, to process managers and to facts, and those to commands
//! again. Read from the sources as they stand; drawn as Mermaid or SVG.

mod integrations;
mod mermaid;
mod svg;

use crate::error::CliError;
use crate::generate::DivisionTree;
use crate::names::plural;
use crate::project::View;

pub(crate) use integrations::{Found, read as integrations_in};
pub(crate) use mermaid::mermaid;
pub(crate) use svg::svg;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A fact that is heard.
    Heard,
    Command,
    Event,
    Table,
    Process,
    /// A fact that is told.
    Told,
}

impl Kind {
    /// What it is called in a legend and in a style.
    const fn word(self) -> &'static str {
        match self {
            Self::Heard => "heard",
            Self::Command => "command",
            Self::Event => "event",
            Self::Table => "table",
            Self::Process => "process",
            Self::Told => "fact",
        }
    }
}

/// Something in the flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// The division that it belongs to; facts that are heard belong to none.
    pub(crate) group: Option<String>,
    pub(crate) kind: Kind,
    pub(crate) label: String,
}

/// A plugin's flow: what there is, and what leads to what, as places in the list of nodes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Flow {
    pub(crate) nodes: Vec<Node>,
    pub(crate) edges: Vec<(usize, usize)>,
}

impl Flow {
    /// The flow of the plugin with these divisions.
    pub(crate) fn of(divisions: &[DivisionTree], view: &View) -> Result<Self, CliError> {
        let mut flow = Self::default();
        for division in divisions {
            flow.add_division(division);
        }
        for found in integrations::read(view)? {
            flow.add_integration(&found);
        }
        Ok(flow)
    }

    fn add_division(&mut self, division: &DivisionTree) {
        let group = division.subject.snake();
        let rows = plural(&division.subject);
        // What brings a thing into being comes first.
        let (births, others): (Vec<_>, Vec<_>) =
            division.commands.iter().partition(|desk| desk.is_birth);
        for desk in births.into_iter().chain(others) {
            let command = self.node(Some(group), Kind::Command, desk.folder.name.snake());
            for event in &desk.events {
                let event = self.node(Some(group), Kind::Event, event.versioned.name().snake());
                self.edge(command, event);
                let table = self.node(Some(group), Kind::Table, rows.snake());
                self.edge(event, table);
            }
        }
        for desk in &division.projections {
            let Some(name) = &desk.table else { continue };
            let table = self.node(Some(group), Kind::Table, name);
            for module in &desk.events {
                if let Some(event) = division.events().find(|event| event.module == *module) {
                    let name = event.versioned.name().snake();
                    let event = self.node(Some(group), Kind::Event, name);
                    self.edge(event, table);
                }
            }
        }
    }

    fn add_integration(&mut self, found: &integrations::Found) {
        use integrations::Role;
        let group = found.division.as_deref();
        let node = match found.role {
            Role::Emitter | Role::Requester => self.node(group, Kind::Told, &found.topic),
            Role::Listener | Role::Responder => self.node(None, Kind::Heard, &found.topic),
            Role::ProcessManager => self.node(group, Kind::Process, &found.name),
        };
        for event in &found.events {
            if let Some(event) = self.find(group, Kind::Event, event) {
                self.edge(event, node);
            }
        }
        for (division, command) in &found.commands {
            if let Some(command) = self.find(Some(division), Kind::Command, command) {
                self.edge(node, command);
            }
        }
    }

    fn find(&self, group: Option<&str>, kind: Kind, label: &str) -> Option<usize> {
        self.nodes.iter().position(|node| {
            node.kind == kind && node.label == label && node.group.as_deref() == group
        })
    }

    /// The place of a node, which is added where it is not there yet.
    fn node(&mut self, group: Option<&str>, kind: Kind, label: &str) -> usize {
        self.find(group, kind, label).unwrap_or_else(|| {
            self.nodes.push(Node {
                group: group.map(str::to_owned),
                kind,
                label: label.to_owned(),
            });
            self.nodes.len() - 1
        })
    }

    fn edge(&mut self, from: usize, to: usize) {
        if !self.edges.contains(&(from, to)) {
            self.edges.push((from, to));
        }
    }

    /// The groups, in their order.
    fn groups(&self) -> Vec<&str> {
        let mut groups: Vec<&str> = Vec::new();
        for group in self.nodes.iter().filter_map(|node| node.group.as_deref()) {
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::{Flow, Kind, Node, mermaid, svg};

    /// `order` with a process manager, and a fact that is heard.
    fn flow() -> Flow {
        let node = |group: Option<&str>, kind, label: &str| Node {
            group: group.map(str::to_owned),
            kind,
            label: label.to_owned(),
        };
        let order = Some("order");
        Flow {
            nodes: vec![
                node(order, Kind::Command, "initiate_order"),
                node(order, Kind::Event, "order_initiated"),
                node(order, Kind::Table, "orders"),
                node(order, Kind::Process, "bill_orders"),
                node(Some("bill"), Kind::Command, "initiate_bill"),
                node(None, Kind::Heard, "shop.<paid> & \"more\""),
            ],
            edges: vec![(0, 1), (1, 2), (1, 3), (3, 4), (5, 0)],
        }
    }

    #[test]
    fn mermaid_has_every_node_and_every_edge() {
        insta::assert_snapshot!(mermaid(&flow()), @r#"
        flowchart LR
            n5>"shop.&lt;paid&gt; &amp; &quot;more&quot;"]:::heard
            subgraph g0["order"]
                n0["initiate_order"]:::command
                n1("order_initiated"):::event
                n2[("orders")]:::table
                n3{{"bill_orders"}}:::process
            end
            subgraph g1["bill"]
                n4["initiate_bill"]:::command
            end
            n0 --> n1
            n1 --> n2
            n1 --> n3
            n3 --> n4
            n5 --> n0
            classDef heard fill:#f6d3e6,stroke:#c0588f,color:#1b1f24
            classDef command fill:#cfe4ff,stroke:#3d7fd0,color:#1b1f24
            classDef event fill:#ffdfae,stroke:#d98a1c,color:#1b1f24
            classDef table fill:#d3f0d2,stroke:#4c9f4a,color:#1b1f24
            classDef process fill:#e3d8fb,stroke:#8260c9,color:#1b1f24
        "#);
    }

    #[test]
    fn svg_is_well_formed_and_says_everything() {
        let drawn = svg(&flow());
        for label in [
            "initiate_order",
            "order_initiated",
            "orders",
            "bill_orders",
            "initiate_bill",
        ] {
            assert!(drawn.contains(&format!(">{label}<")), "{label}: {drawn}");
        }
        assert!(
            drawn.contains("shop.&lt;paid&gt; &amp; &quot;more&quot;"),
            "{drawn}"
        );
        assert_eq!(drawn.matches("<path class=\"edge").count(), 5);
        assert!(drawn.starts_with("<svg ") && drawn.ends_with("</svg>\n"));
        assert_eq!(drawn, svg(&flow()), "the same flow is the same drawing");
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(mermaid(&Flow::default()), "flowchart LR\n");
        assert!(svg(&Flow::default()).contains("</svg>"));
    }
}
