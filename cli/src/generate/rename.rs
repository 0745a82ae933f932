//! `hecate rename`: a desk gets another name, and what was stored keeps its own.
//!
//! What is generated is made twice from the recorded answers, under the old name and under the new one; what somebody made
//! of it is merged in between. Names that stand in anybody's code follow as whole words. Events, their bits and tables
//! are stored, and stay: a renamed command records its event (`--event`).

use std::collections::BTreeMap;

use hecate_templates::Catalog;

use super::format::Formatter;
use super::kinds::command::{Extras, NewCommand};
use super::lock::{Artifact, LOCK, Lock, hash};
use super::merge::{Merged, merge};
use super::owned::refresh;
use super::plan::Plan;
use super::recorded::{self, folder, is_below, is_owned, short, shown};
use super::request::plan;
use super::tree::{CommandDesk, DivisionTree, read_division};
use super::words::replaced;
use crate::error::CliError;
use crate::generate::divisions_in;
use crate::generate::fields::parse_fields;
use crate::names::{Desk, Name, Overrides};
use crate::project::{RelPath, View};

/// `hecate rename`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Renaming {
    /// A kind, as `hecate.lock` or the command line calls it.
    pub(crate) kind: String,
    /// Its name, with or without its division.
    pub(crate) old: String,
    /// Its name from now on.
    pub(crate) new: Name,
}

/// A rename that is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Renamed {
    pub(crate) plan: Plan,
    /// Files with conflicts in them.
    pub(crate) conflicts: Vec<String>,
}

/// What becomes what.
struct Move {
    from: String,
    to: String,
    /// Words in the desk's own files, and in file names.
    own: Vec<(String, String)>,
    /// Words in everybody's files of the division and of the plugin's own crate.
    others: Vec<(String, String)>,
}

/// Everything that changes when the desk is called otherwise.
pub(crate) fn rename(
    renaming: &Renaming,
    view: &View,
    catalog: &Catalog,
    formatter: Formatter,
) -> Result<Renamed, CliError> {
    recorded::must_be_settled(view)?;
    let lock = Lock::parse(view.text(LOCK)?)?;
    let artifact = recorded::find(&lock, &catalog.kinds(), &renaming.kind, &renaming.old)?;
    let (division, old) = names_of(artifact)?;
    let new = &renaming.new;
    let nothing = Renamed {
        plan: Plan::default(),
        conflicts: Vec::new(),
    };
    if old == *new {
        return Ok(nothing);
    }
    let tree = read_division(view, &division)?;
    let from = folder(artifact).filter(|from| view.below(from).next().is_some());
    let from = from.ok_or_else(|| {
        CliError::cannot(format!(
            "the folder of the {} is not there",
            shown(artifact)
        ))
        .hint("take it from your last commit, or remove what is left of it with `hecate remove`")
    })?;
    let to = match from.rsplit_once('/') {
        Some((above, _)) => format!("{above}/{new}"),
        None => new.to_string(),
    };
    if view.below(&to).next().is_some() {
        return Err(CliError::cannot(format!("`{to}` is there already"))
            .hint("take another name; nothing was changed"));
    }
    let mut record = artifact.clone();
    record.name = format!("{division}/{new}");
    let without = without(view, &lock, artifact, &from)?;
    let mut moved = move_of(&tree, artifact, &old, new, from, to);
    let mut bases = BTreeMap::new();
    let mut wanted = BTreeMap::new();
    let mut after = without.clone();
    if artifact.kind == "command" {
        let desk = tree.commands.iter().find(|desk| desk.folder.name == old);
        let desk = desk.ok_or_else(|| CliError::bug("a command without its folder"))?;
        if tree.archive().is_some_and(|archive| archive == desk) {
            return Err(CliError::cannot(format!(
                "the {} is known by its name: others look whether what they change was archived",
                shown(artifact)
            ))
            .hint("make a desk of another name beside it"));
        }
        let request = |name: &Name| command_of(artifact, desk, &division, name, view);
        let made = |name: &Name| plan(&request(name)?, &without, catalog, formatter);
        bases = contents(&made(&old)?);
        let anew = made(new)?;
        wanted = contents(&anew);
        after = anew.applied_to(after);
        let renamed = read_division(&after, &division)?;
        let renamed = renamed
            .commands
            .iter()
            .find(|desk| desk.folder.name == *new);
        let routes = desk
            .route
            .as_ref()
            .zip(renamed.and_then(|desk| desk.route.as_ref()));
        if let Some((old, new)) = routes.map(|(old, new)| (format!("\"{old}\""), format!("\"{new}\"")))
            // A route that somebody has changed is not the name's, and stays.
            && bases.values().any(|base| base.contains(&old))
        {
            moved.others.push((old, new));
        }
    }
    let mut lock = Lock::parse(after.text(LOCK)?)?;
    if artifact.kind != "command" {
        // Its name stands in it as a word alone: words are all that there is to change.
        lock.put(record);
    }

    let mut conflicts = Vec::new();
    let mut marked = BTreeMap::new();
    let mut changed = Vec::new();
    for (path, contents) in view.below(&moved.from) {
        let path = format!("{}/{path}", moved.from);
        if is_owned(contents) {
            continue;
        }
        let place = moved.path(&path);
        let text = view.text(&path)?.unwrap_or_default();
        let ours = replaced(text, &moved.own);
        let untouched = artifact
            .files
            .get(&path)
            .is_some_and(|known| *known == hash(contents));
        let merged = match (bases.get(&path), wanted.get(&place)) {
            (Some(_), Some(new)) if untouched => Merged {
                text: new.clone(),
                conflicts: false,
            },
            (Some(base), Some(new)) => merge(&path, &replaced(base, &moved.own), &ours, new)?,
            _ => Merged {
                text: ours.clone(),
                conflicts: false,
            },
        };
        if merged.conflicts {
            conflicts.push(place.clone());
            marked.insert(place.clone(), merged.text);
            // Until it is settled, the rest of the project follows from one side of it.
            after = put(after, &place, ours)?;
        } else {
            changed.push((path, place.clone()));
            after = put(after, &place, merged.text)?;
        }
    }
    // What the user has thrown away does not come back.
    for path in artifact.files.keys().filter(|path| !view.has(path)) {
        after = after.without(&moved.path(path));
    }
    let near = format!("divisions/{division}");
    for (path, contents) in view.iter() {
        let path = path.as_str();
        let is_near = is_below(path, &near) || is_below(path, "src");
        if !is_near || !path.ends_with(".rs") || is_below(path, &moved.from) || is_owned(contents) {
            continue;
        }
        let text = view.text(path)?.unwrap_or_default();
        let new = replaced(text, &moved.others);
        if new != text {
            changed.push((path.to_owned(), path.to_owned()));
            after = put(after, path, new)?;
        }
    }
    after = formatted(view, after, &changed, formatter)?;
    // Whatever was as it was generated is so still, under its new words.
    lock.follow(
        |path| moved.path(path),
        |path, place, known| {
            let was = view
                .get(path)
                .is_some_and(|contents| hash(contents) == known);
            let is = after.get(place).map(hash);
            is.filter(|_| was).unwrap_or_else(|| known.to_owned())
        },
    );
    after = put(after, LOCK, lock.to_text()?)?;
    let plugin = hecate_manifest::Manifest::parse(view.text("manifest.json")?.unwrap_or_default())
        .map_err(|error| CliError::because("`manifest.json` cannot be used", error))?
        .name
        .to_string();
    after = refresh(&after, &plugin, catalog, formatter)?.applied_to(after);
    for (place, text) in marked {
        after = put(after, &place, text)?;
    }
    Ok(Renamed {
        plan: Plan::from_to(view, &after),
        conflicts,
    })
}

impl Move {
    /// Where a file is from now on.
    fn path(&self, path: &str) -> String {
        match path
            .strip_prefix(&self.from)
            .filter(|rest| rest.starts_with('/'))
        {
            Some(rest) => format!("{}{}", self.to, replaced(rest, &self.own)),
            None => path.to_owned(),
        }
    }
}

/// Division and name of a desk; everything else has no name of its own.
fn names_of(artifact: &Artifact) -> Result<(Name, Name), CliError> {
    let refused = |why: &str, hint: String| {
        Err(CliError::cannot(format!("the {} {why}", shown(artifact))).hint(hint))
    };
    let Some((division, name)) = artifact.name.split_once('/') else {
        return match artifact.kind.as_str() {
            "division" => refused(
                "has given its name to what is stored: its events, their ids and its store",
                "stored names stay for ever: make a division of the new name, and a listener or process manager that carries over what it needs".to_owned(),
            ),
            "plugin" => refused(
                "is known by its name to daemons and stores",
                "make a plugin of the new name with `hecate new plugin`".to_owned(),
            ),
            _ => refused("has no name of its own", "desks can be renamed".to_owned()),
        };
    };
    let has_index = artifact.kind == "query-by-field"
        || (artifact.kind == "query-page" && !artifact.answers.is_empty());
    if has_index {
        return refused(
            "is called after the columns that it asks for, which get their index from its name",
            format!("remove it, and make the one that you need: `hecate remove query {name}`"),
        );
    }
    let is_desk = ["command", "projection"].contains(&artifact.kind.as_str())
        || artifact.kind.starts_with("query-");
    if !is_desk {
        return refused(
            "is called after what it is about",
            format!(
                "remove it, and make it anew: `hecate remove {} {name}`",
                artifact.kind
            ),
        );
    }
    let read = |text: &str| {
        Name::parse_composite(text)
            .map_err(|error| CliError::because(format!("`{text}` in `{LOCK}` is no name"), error))
    };
    Ok((read(division)?, read(name)?))
}

/// The project without the desk.
fn without(view: &View, lock: &Lock, artifact: &Artifact, from: &str) -> Result<View, CliError> {
    let mut lock = lock.clone();
    lock.remove(&artifact.kind, &artifact.name);
    let files = view.below(from).map(|(path, _)| format!("{from}/{path}"));
    let without = files.fold(view.clone(), |view, path| view.without(&path));
    put(without, LOCK, lock.to_text()?)
}

/// The request that the recorded answers of a command are, under one name or the other.
fn command_of(
    artifact: &Artifact,
    desk: &CommandDesk,
    division: &Name,
    name: &Name,
    view: &View,
) -> Result<NewCommand, CliError> {
    let named = Desk::split(name, &divisions_in(view)).map_err(|error| {
        CliError::usage(format!("`{name}` names no desk: {error}"))
            .hint("a desk is named by a verb and a subject: `confirm_order`")
    })?;
    let wrong = |answer: &str| {
        CliError::cannot(format!(
            "`{LOCK}`: `{answer}` is no answer of the {}",
            shown(artifact)
        ))
        .hint("it is written by `hecate` alone: take it from your last commit (`git checkout hecate.lock`)")
    };
    let read = |text: &str| Name::parse(text).map_err(|_| wrong(text));
    let (mut fields, mut events, mut birth) = (Vec::new(), Vec::new(), false);
    let mut extras = Extras::default();
    for answer in &artifact.answers {
        match answer.split_once('=') {
            Some(("--event", event)) => events.push(read(event)?),
            Some(("--route", route)) => extras.route = Some(route.parse()?),
            Some(("--sets", flag)) => extras.sets = Some(read(flag)?),
            Some(("--clears", flags)) => {
                extras.clears = flags.split(',').map(read).collect::<Result<_, _>>()?;
            }
            _ if answer == "--birth" => birth = true,
            _ if answer.starts_with("--") => return Err(wrong(answer)),
            _ => fields.push(answer.clone()),
        }
    }
    // The names that were stored stay, whatever the usual ones would be.
    if events.is_empty() {
        let old =
            Name::parse_composite(short(&artifact.name)).map_err(|_| wrong(&artifact.name))?;
        let old = Desk::split(&old, &divisions_in(view)).map_err(|_| wrong(&artifact.name))?;
        let usual = old.event(&Overrides::default());
        events.push(usual.map_err(|_| wrong(&artifact.name))?.name().clone());
    }
    let bit = |name: &Name| {
        let event = desk
            .events
            .iter()
            .find(|event| event.versioned.name() == name);
        event.map(|event| event.sets).filter(|bit| *bit != 0)
    };
    extras.kept = events.iter().filter_map(bit).collect();
    let mut events = events.into_iter();
    let overrides = Overrides {
        event: events.next(),
        ..Overrides::default()
    };
    extras.further = events.collect();
    Ok(NewCommand {
        verb: named.verb().clone(),
        subject: named.subject().clone(),
        fields: parse_fields(division, &fields)?,
        division: division.clone(),
        birth,
        overrides,
        extras,
    })
}

/// Which words follow.
fn move_of(
    tree: &DivisionTree,
    artifact: &Artifact,
    old: &Name,
    new: &Name,
    from: String,
    to: String,
) -> Move {
    let departments = &tree.departments;
    let pair = |form: &dyn Fn(&Name) -> String| (form(old), form(new));
    let word = pair(&|name| name.to_string());
    let (own, others) = match artifact.kind.as_str() {
        "command" => {
            let of_command = [
                pair(&|name| format!("{name}_v1")),
                pair(&|name| format!("{}V1", name.type_name())),
            ];
            let mut others = vec![
                pair(&|name| format!("{}::{name}", departments.cmd)),
                pair(&|name| format!("samples::{name}")),
                // Dispatched by name.
                pair(&|name| format!("\"{name}\"")),
            ];
            others.extend(of_command.clone());
            (std::iter::once(word).chain(of_command).collect(), others)
        }
        // It is called as its event is, whose name stays: only where its own is meant.
        "projection" => (
            vec![pair(&|name| format!(".revision(\"{name}\""))],
            vec![pair(&|name| format!("{}::{name}", departments.prj))],
        ),
        _ => (
            vec![word],
            vec![pair(&|name| format!("{}::{name}", departments.qry))],
        ),
    };
    Move {
        from,
        to,
        own,
        others,
    }
}

/// The texts that a plan writes.
fn contents(plan: &Plan) -> BTreeMap<String, String> {
    let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).ok();
    let steps = plan.steps.iter();
    steps
        .filter_map(|step| Some((step.path.to_string(), step.after.as_ref().and_then(text)?)))
        .collect()
}

fn put(view: View, path: &str, text: String) -> Result<View, CliError> {
    let path = RelPath::new(path).map_err(|error| CliError::bug(error.to_string()))?;
    Ok(view.with(path, text.into_bytes()))
}

/// Formats what has changed where it was formatted before: longer names break other lines.
fn formatted(
    view: &View,
    after: View,
    changed: &[(String, String)],
    formatter: Formatter,
) -> Result<View, CliError> {
    let read = |view: &View, path: &str| {
        let path = RelPath::new(path)
            .ok()
            .filter(|path| path.as_str().ends_with(".rs"))?;
        let contents = view.get(path.as_str())?.to_vec();
        let is_rust =
            std::str::from_utf8(&contents).is_ok_and(|text| syn::parse_file(text).is_ok());
        is_rust.then_some((path, contents))
    };
    let mut old: BTreeMap<RelPath, Vec<u8>> = changed
        .iter()
        .filter_map(|(path, _)| read(view, path))
        .collect();
    formatter.format(&mut old, view)?;
    let was = |path: &str| {
        old.get(path)
            .is_some_and(|contents| view.get(path) == Some(contents.as_slice()))
    };
    let mut new: BTreeMap<RelPath, Vec<u8>> = changed
        .iter()
        .filter(|(path, _)| was(path))
        .filter_map(|(_, place)| read(&after, place))
        .collect();
    formatter.format(&mut new, &after)?;
    Ok(new
        .into_iter()
        .fold(after, |view, (path, contents)| view.with(path, contents)))
}
