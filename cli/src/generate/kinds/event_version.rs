//! `hecate gen event-version`: a new revision of an event. What is stored stays; it is told as the new revision by an
//! upcaster, which a sample and a replay hold to.
//!
//! Who reads the event reads the new revision from here on, so its name is changed where it is read: in the slot, the
//! columns and the projections. Who tells it (`handle.rs`) goes on telling the old one, which becomes the new one on its
//! way to the store, until its author says what new events tell.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Draft, known_event};
use crate::error::CliError;
use crate::generate::contexts::{
    DivisionCx, EnumCx, EventCx, FieldCx, event_sample, fields, imports,
};
use crate::generate::fields::{FieldSpec, FieldType};
use crate::generate::request::Request;
use crate::generate::source::{self, Source};
use crate::generate::tree::{CommandDesk, DivisionTree, EventFile};
use crate::names::{Name, Versioned};
use crate::project::RelPath;

/// `hecate gen event-version`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewRevision {
    pub(crate) event: Name,
    /// The revision that is there; the newest, where none is given.
    pub(crate) revision: Option<u32>,
    /// Fields that the new one has beside those of the old one.
    pub(crate) fields: Vec<FieldSpec>,
    pub(crate) division: Name,
}

#[derive(Serialize)]
struct RevisionCx {
    division: DivisionCx,
    old: EventCx,
    new: EventCx,
    revision: u32,
    fields: Vec<RevisedCx>,
    any_new: bool,
    /// Enums of the new fields.
    enums: Vec<EnumCx>,
    /// Enums of the old fields, where they are declared.
    kept_enums: Vec<KeptEnum>,
    imports: Vec<&'static str>,
    /// Those of what old events would have said.
    imports_before: Vec<&'static str>,
    /// A payload of the old revision.
    sample: String,
    /// Whether the desk brings things into being.
    birth: bool,
}

#[derive(Serialize)]
struct RevisedCx {
    #[serde(flatten)]
    field: FieldCx,
    is_new: bool,
    /// What old events would have said, in Rust, where the field is new.
    before: String,
    /// Whether the desk writes it in the division's rows.
    is_column: bool,
}

#[derive(Serialize)]
struct KeptEnum {
    module: String,
    type_name: String,
}

impl Request for NewRevision {
    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), CliError> {
        let tree = draft.division(&self.division)?;
        let answers: Vec<_> = self.fields.iter().map(FieldSpec::to_string).collect();
        let record = |event: &Versioned| format!("{}/{event}", self.division);
        let newest = known_event(&tree, &self.event, None)?;
        // Without a revision, asked again: it is the newest that was asked for.
        let made = |event: &EventFile| draft.recorded("event-version", &record(&event.versioned));
        if self.revision.is_none() && made(newest).is_some_and(|made| made.answers == answers) {
            draft.touch_division(&self.division);
            return Ok(());
        }
        let old = known_event(&tree, &self.event, self.revision)?;
        let next = old.versioned.next().ok_or_else(|| {
            CliError::cannot(format!(
                "`{}` is the last revision that can be",
                old.versioned
            ))
        })?;
        if let Some(there) = tree.event(&self.event, Some(next.revision())) {
            if made(there).is_some_and(|made| made.answers == answers) {
                draft.touch_division(&self.division);
                return Ok(());
            }
            return Err(
                CliError::cannot(format!("`{next}` is there already, made otherwise")).hint(
                    format!(
                        "make the one behind the newest: `hecate gen event-version {}`",
                        self.event
                    ),
                ),
            );
        }
        self.check(old)?;
        let desk = tree
            .commands
            .iter()
            .find(|desk| desk.folder.name == old.desk)
            .ok_or_else(|| CliError::bug(format!("no desk has `{}`", old.versioned)))?;
        let context = self.context(draft, &tree, desk, old, &next)?;
        draft.seed("event-version", &record(&next), answers, &context)?;
        self.read_anew(draft, &tree, old, &next)?;
        // Asked for again, whatever reads the event is found as it is now.
        let of_division = format!("{}/", self.division);
        draft.record_anew(&of_division, &old.versioned.to_string(), &next.to_string());
        draft.touch_division(&self.division);
        Ok(())
    }
}

impl NewRevision {
    /// The new fields must be new.
    fn check(&self, old: &EventFile) -> Result<(), CliError> {
        for field in &self.fields {
            if let Some(known) = old.fields.iter().find(|known| known.name == field.name) {
                return Err(CliError::cannot(format!(
                    "`{}` has a field `{}` already: `{known}`",
                    old.versioned, field.name
                ))
                .hint("name the fields that come new; to change or drop one, make the revision and change its file and its upcaster by hand"));
            }
        }
        Ok(())
    }

    fn context(
        &self,
        draft: &Draft<'_>,
        tree: &DivisionTree,
        desk: &CommandDesk,
        old: &EventFile,
        next: &Versioned,
    ) -> Result<RevisionCx, CliError> {
        let all: Vec<_> = old.fields.iter().chain(&self.fields).cloned().collect();
        let sources = sources(draft, tree, desk)?;
        let mut kept_enums: Vec<KeptEnum> = Vec::new();
        let mut revised = Vec::new();
        for (field, mut cx) in all.iter().zip(fields(&all, next.name()).0) {
            let is_new = !old.fields.contains(field);
            if !is_new && matches!(field.kind, FieldType::Enum(_)) {
                let kept = kept_enum(&sources, old, field)?;
                cx.rename_type(&kept.type_name);
                if kept_enums
                    .iter()
                    .all(|known| known.type_name != kept.type_name)
                {
                    kept_enums.push(kept);
                }
            }
            let writes = |(name, kind): &(String, FieldType)| {
                name == field.name.snake() && *kind == field.kind
            };
            revised.push(RevisedCx {
                before: if is_new {
                    before(field, &cx)
                } else {
                    String::new()
                },
                is_column: !is_new && desk.columns.iter().any(writes),
                is_new,
                field: cx,
            });
        }
        let required = self.fields.iter().filter(|field| !field.optional);
        let required: Vec<_> = required.cloned().collect();
        let sample = event_sample(&self.division, old);
        Ok(RevisionCx {
            division: DivisionCx::new(&draft.plugin()?, tree),
            old: EventCx::of(&self.division, old),
            new: EventCx::new(&self.division, &old.desk, next, old.sets),
            revision: next.revision(),
            any_new: !self.fields.is_empty(),
            enums: fields(&self.fields, next.name()).1,
            kept_enums,
            imports: imports(&all),
            imports_before: imports(&required),
            fields: revised,
            sample: serde_json::to_string_pretty(&sample).unwrap_or_default(),
            birth: desk.is_birth,
        })
    }

    /// Changes the event's name where it is read.
    fn read_anew(
        &self,
        draft: &mut Draft<'_>,
        tree: &DivisionTree,
        old: &EventFile,
        next: &Versioned,
    ) -> Result<(), CliError> {
        let src = format!("divisions/{}/src", self.division);
        let desk = format!("{src}/{}/{}", tree.departments.cmd, old.desk);
        let mut readers = vec![format!("{desk}/state.rs"), format!("{desk}/columns.rs")];
        let projections = tree.projections.iter();
        readers.extend(projections.map(|projection| {
            format!(
                "{}/projection.rs",
                tree.desk_path(&tree.departments.prj, &projection.folder)
            )
        }));
        let (type_name, module) = (next.type_name(), next.to_string());
        for path in readers {
            let Some(text) = draft.view().text(&path)? else {
                continue;
            };
            let renamed = in_place_of(text, &old.type_name, &type_name);
            let renamed = in_place_of(&renamed, &old.module, &module);
            if renamed != text {
                let path = RelPath::new(&path).map_err(|error| CliError::bug(error.to_string()))?;
                draft.put(path, renamed.into_bytes());
            }
        }
        Ok(())
    }
}

/// The files of a desk, as far as they are Rust.
fn sources(
    draft: &Draft<'_>,
    tree: &DivisionTree,
    desk: &CommandDesk,
) -> Result<BTreeMap<String, Source>, CliError> {
    let place = tree.desk_path(&tree.departments.cmd, &desk.folder);
    let mut sources = BTreeMap::new();
    for module in &desk.folder.modules {
        let path = format!("{place}/{module}.rs");
        let text = draft.view().text(&path)?.unwrap_or_default();
        let source = source::read(text).map_err(|error| {
            CliError::cannot(format!("`{path}` is not Rust: {}", source::said(&error)))
        })?;
        sources.insert(module.clone(), source);
    }
    Ok(sources)
}

/// The enum of a field that stays, and the module that declares it.
fn kept_enum(
    sources: &BTreeMap<String, Source>,
    old: &EventFile,
    field: &FieldSpec,
) -> Result<KeptEnum, CliError> {
    let written = sources
        .get(&old.module)
        .and_then(|source| source.type_of(&old.type_name, field.name.snake()));
    let declared = written.and_then(|type_name| {
        let (module, _) = sources
            .iter()
            .find(|(_, source)| source.enums().contains_key(type_name))?;
        Some(KeptEnum {
            module: module.clone(),
            type_name: type_name.to_owned(),
        })
    });
    declared.ok_or_else(|| {
        CliError::cannot(format!(
            "the type of the field `{}` of `{}` is declared in none of its desk's files",
            field.name, old.versioned
        ))
        .hint("move the enum beside the event, or write the new revision by hand")
    })
}

/// What an event without the field would have said.
fn before(field: &FieldSpec, cx: &FieldCx) -> String {
    if field.optional {
        return "None".to_owned();
    }
    match &field.kind {
        FieldType::String => "String::new()".to_owned(),
        FieldType::Int => "0".to_owned(),
        FieldType::Float => "0.0".to_owned(),
        FieldType::Bool => "false".to_owned(),
        FieldType::Decimal => "Decimal::ZERO".to_owned(),
        FieldType::Uuid => "Uuid::nil()".to_owned(),
        FieldType::Date => "Date::constant(1970, 1, 1)".to_owned(),
        FieldType::DateTime => "Timestamp::UNIX_EPOCH".to_owned(),
        FieldType::Json => "Value::Null".to_owned(),
        FieldType::Enum(_) => cx.sample_inner.clone(),
    }
}

/// `text` with every whole word `old` replaced.
fn in_place_of(text: &str, old: &str, new: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut changed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(old) {
        let (before, behind) = (&rest[..at], &rest[at + old.len()..]);
        let is_whole = !before.ends_with(is_word) && !behind.starts_with(is_word);
        changed.push_str(before);
        changed.push_str(if is_whole { new } else { old });
        rest = behind;
    }
    changed.push_str(rest);
    changed
}

#[cfg(test)]
mod tests {
    use super::in_place_of;

    #[test]
    fn whole_words_are_replaced_and_parts_of_words_are_not() {
        let text = "use super::a_v1::AV1; // a_v1, a_v10, xa_v1 a_v1_replay `a_v1`";
        assert_eq!(
            in_place_of(text, "a_v1", "a_v2"),
            "use super::a_v2::AV1; // a_v2, a_v10, xa_v1 a_v1_replay `a_v2`"
        );
        assert_eq!(in_place_of("a", "a", "b"), "b");
        assert_eq!(in_place_of("", "a", "b"), "");
    }
}
