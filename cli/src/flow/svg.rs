//! A flow as SVG: one box for each division, its commands, events and tables in columns, curves between them.
//!
//! A flow is no graph of any kind: it goes from left to right, and only what dispatches commands goes back. Such a command is
//! drawn once more behind whoever dispatches it, so that no line has to turn.

use std::collections::BTreeMap;

use super::{Flow, Kind};

const CHAR: f64 = 7.25;
const PAD: f64 = 14.0;
const HEIGHT: f64 = 30.0;
const ROW: f64 = 42.0;
const GAP: f64 = 74.0;
const HEAD: f64 = 42.0;
const MARGIN: f64 = 24.0;

impl Kind {
    /// Fill and line: those of sticky notes on a wall, as event storming has them.
    pub(super) const fn colours(self) -> (&'static str, &'static str) {
        match self {
            Self::Heard | Self::Told => ("#f6d3e6", "#c0588f"),
            Self::Command => ("#cfe4ff", "#3d7fd0"),
            Self::Event => ("#ffdfae", "#d98a1c"),
            Self::Table => ("#d3f0d2", "#4c9f4a"),
            Self::Process => ("#e3d8fb", "#8260c9"),
        }
    }

    const fn column(self) -> usize {
        match self {
            Self::Heard => 0,
            Self::Command => 1,
            Self::Event => 2,
            Self::Table | Self::Process | Self::Told => 3,
        }
    }
}

/// Columns: facts, commands, events, what follows from them, and the commands that follow from that.
const COLUMNS: usize = 5;

/// A box on the drawing.
struct Place {
    kind: Kind,
    label: String,
    column: usize,
    /// Which of the groups it lies in.
    group: usize,
    /// Whether it stands for what is drawn elsewhere.
    again: bool,
    /// Middle of its height.
    y: f64,
}

/// The flow as a drawing that looks after light and dark itself.
pub(crate) fn svg(flow: &Flow) -> String {
    let (mut places, edges) = places(flow);
    let groups = groups(flow);
    let tops = arrange(&mut places, &edges, groups.len());
    let widths: Vec<f64> = (0..COLUMNS)
        .map(|column| {
            let of_column = places.iter().filter(|place| place.column == column);
            let longest = of_column.map(|place| place.label.chars().count()).max();
            longest.map_or(0.0, |chars| chars as f64 * CHAR + 2.0 * PAD)
        })
        .collect();
    let mut lefts = Vec::with_capacity(COLUMNS);
    let mut x = 2.0 * MARGIN;
    for width in &widths {
        lefts.push(x);
        if *width > 0.0 {
            x += width + GAP;
        }
    }
    let right = (x - GAP).max(8.0 * MARGIN);
    let (width, height) = (
        right + 2.0 * MARGIN,
        tops.last().copied().unwrap_or_default() + MARGIN,
    );
    let mut drawn = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\" aria-label=\"event flow\">\n{}",
        style()
    );
    drawn.push_str(&format!(
        "<rect class=\"ground\" width=\"{width:.0}\" height=\"{height:.0}\"/>\n"
    ));
    for (nth, name) in groups.iter().enumerate() {
        let (top, below) = (tops[nth], tops[nth + 1] - MARGIN);
        drawn.push_str(&format!(
            "<rect class=\"group\" x=\"{MARGIN:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"12\"/>\n\
             <text class=\"name\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
            right,
            below - top,
            MARGIN + PAD,
            top + 25.0,
            escaped(name)
        ));
    }
    for (from, to) in &edges {
        let (from, to) = (&places[*from], &places[*to]);
        let (x1, x2) = (
            lefts[from.column] + widths[from.column],
            lefts[to.column] - 7.0,
        );
        let bend = (x2 - x1) / 2.0;
        drawn.push_str(&format!(
            "<path class=\"edge {}\" marker-end=\"url(#tip)\" d=\"M{x1:.1} {:.1}C{:.1} {:.1} {:.1} {:.1} {x2:.1} {:.1}\"/>\n",
            from.kind.word(),
            from.y,
            x1 + bend,
            from.y,
            x2 - bend,
            to.y,
            to.y
        ));
    }
    for place in &places {
        let (left, width) = (lefts[place.column], widths[place.column]);
        let again = if place.again { " again" } else { "" };
        let round = if place.kind == Kind::Event {
            HEIGHT / 2.0
        } else {
            6.0
        };
        drawn.push_str(&format!(
            "<g class=\"{}{again}\"><rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{HEIGHT}\" rx=\"{round}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text></g>\n",
            place.kind.word(),
            place.y - HEIGHT / 2.0,
            left + width / 2.0,
            place.y + 4.5,
            escaped(&place.label)
        ));
    }
    drawn.push_str("</svg>\n");
    drawn
}

/// The boxes, and the lines between them: a line that would go back leads to a box of its own.
fn places(flow: &Flow) -> (Vec<Place>, Vec<(usize, usize)>) {
    let names = groups(flow);
    let group_of = |group: Option<&str>| {
        let nth = names.iter().position(|name| Some(name.as_str()) == group);
        nth.unwrap_or_default()
    };
    let mut places: Vec<Place> = Vec::new();
    for (nth, node) in flow.nodes.iter().enumerate() {
        // A fact that is heard lies where it leads to.
        let heard_in = || {
            let to = flow
                .edges
                .iter()
                .find(|(from, _)| *from == nth)
                .map(|(_, to)| *to);
            to.and_then(|to| flow.nodes[to].group.as_deref())
        };
        let group = node.group.as_deref().or_else(heard_in);
        places.push(Place {
            kind: node.kind,
            label: node.label.clone(),
            column: node.kind.column(),
            group: group_of(group),
            again: false,
            y: 0.0,
        });
    }
    let mut again: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    let mut edges = Vec::new();
    for (from, to) in &flow.edges {
        let (group, goes_on) = (
            places[*from].group,
            places[*from].column < places[*to].column,
        );
        if goes_on && group == places[*to].group {
            edges.push((*from, *to));
            continue;
        }
        let copy = *again.entry((group, *to)).or_insert_with(|| {
            let node = &flow.nodes[*to];
            places.push(Place {
                kind: node.kind,
                label: node.label.clone(),
                column: places[*from].column + 1,
                group,
                again: true,
                y: 0.0,
            });
            places.len() - 1
        });
        edges.push((*from, copy));
    }
    (places, edges)
}

/// Names of the boxes around: the divisions.
fn groups(flow: &Flow) -> Vec<String> {
    flow.groups().into_iter().map(str::to_owned).collect()
}

/// Gives every place its height; gives where each group begins, and where the last one ends.
fn arrange(places: &mut [Place], edges: &[(usize, usize)], groups: usize) -> Vec<f64> {
    let mut tops = vec![MARGIN];
    for group in 0..groups {
        let top = tops.last().copied().unwrap_or(MARGIN);
        let first = top + HEAD + HEIGHT / 2.0;
        let in_column = |places: &[Place], column: usize| -> Vec<usize> {
            let nths = (0..places.len())
                .filter(|nth| places[*nth].group == group && places[*nth].column == column);
            nths.collect()
        };
        // Events are in the order of their commands: one below the other. All else is beside what it belongs to.
        for (row, nth) in in_column(places, Kind::Event.column())
            .into_iter()
            .enumerate()
        {
            places[nth].y = first + row as f64 * ROW;
        }
        for column in [1, 0, 3, 4] {
            let nths = in_column(places, column);
            let mut wanted: Vec<(f64, usize)> = nths
                .into_iter()
                .map(|nth| {
                    let beside: Vec<f64> = edges
                        .iter()
                        .filter_map(|(from, to)| match (column < 2, *from == nth, *to == nth) {
                            (true, true, _) => Some(places[*to].y),
                            (false, _, true) => Some(places[*from].y),
                            _ => None,
                        })
                        .collect();
                    let middle = beside.iter().sum::<f64>() / beside.len().max(1) as f64;
                    (if beside.is_empty() { first } else { middle }, nth)
                })
                .collect();
            wanted.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
            spread(&mut wanted, first);
            for (y, nth) in wanted {
                places[nth].y = y;
            }
        }
        let lowest = places
            .iter()
            .filter(|place| place.group == group)
            .map(|place| place.y + HEIGHT / 2.0);
        let lowest = lowest.fold(first, f64::max);
        tops.push(lowest + PAD + 2.0 + MARGIN);
    }
    tops
}

/// Moves what lies too close apart, as little as it takes, and nothing above `first`.
fn spread(wanted: &mut [(f64, usize)], first: f64) {
    // Runs of boxes that touch share one middle: that of what each of them wanted.
    let mut runs: Vec<(f64, usize)> = Vec::new();
    for (y, _) in wanted.iter() {
        runs.push((*y, 1));
        while let [.., (above, many), (below, few)] = runs.as_slice() {
            let reach = (*many + *few) as f64 / 2.0 * ROW;
            if below - above >= reach {
                break;
            }
            let count = many + few;
            let middle = (above * *many as f64 + below * *few as f64) / count as f64;
            runs.truncate(runs.len() - 2);
            runs.push((middle, count));
        }
    }
    let mut nth = 0;
    let mut free = first;
    for (middle, count) in runs {
        let top = (middle - (count - 1) as f64 / 2.0 * ROW).max(free);
        for row in 0..count {
            wanted[nth].0 = top + row as f64 * ROW;
            nth += 1;
        }
        free = top + count as f64 * ROW;
    }
}

fn style() -> String {
    let mut rules = String::new();
    for kind in [
        Kind::Heard,
        Kind::Command,
        Kind::Event,
        Kind::Table,
        Kind::Process,
        Kind::Told,
    ] {
        let ((fill, line), word) = (kind.colours(), kind.word());
        rules.push_str(&format!(
            "g.{word} rect{{fill:{fill};stroke:{line}}}path.{word}{{stroke:{line}}}\n"
        ));
    }
    format!(
        "<style>\n\
         .ground{{fill:#fff}}.group{{fill:#f6f8fa;stroke:#d0d7de}}\n\
         text{{font:12px ui-monospace,SFMono-Regular,Menlo,\"DejaVu Sans Mono\",monospace;fill:#1b1f24;text-anchor:middle}}\n\
         text.name{{font:600 14px system-ui,sans-serif;text-anchor:start;fill:#57606a}}\n\
         .edge{{fill:none;stroke-width:1.4;opacity:.75}}#tip path{{fill:#8b949e}}g.again rect{{stroke-dasharray:4 3}}\n\
         {rules}\
         @media(prefers-color-scheme:dark){{.ground{{fill:#0d1117}}.group{{fill:#161b22;stroke:#30363d}}text.name{{fill:#9198a1}}}}\n\
         </style>\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"3\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
         <path d=\"M0 0.5L8 4L0 7.5z\"/></marker></defs>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
