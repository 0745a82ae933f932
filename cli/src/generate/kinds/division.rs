//! `hecate gen division`: a crate with its departments, and the walking skeleton in it.

use serde::Serialize;

use super::Draft;
use super::command::{Extras, NewCommand, free_bits};
use super::query::{NewQuery, QueryKind};
use crate::error::CliError;
use crate::generate::article::with_article;
use crate::generate::cargo_files::{add_division, lock_division};
use crate::generate::contexts::{FlagCx, package, words};
use crate::generate::fields::FieldSpec;
use crate::generate::request::Request;
use crate::generate::tree::{Flag, read_division};
use crate::names::{Name, Overrides, near};

/// Desks with a bit that every division begins with.
const FIRST_DESKS: usize = 2;

#[derive(Serialize)]
struct DivisionOnly {
    division: Crate,
    flags: Vec<FlagCx>,
}

#[derive(Serialize)]
struct Crate {
    dir: String,
    package: String,
    a_word: String,
}

/// `hecate gen division`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewDivision {
    pub(crate) subject: Name,
    pub(crate) fields: Vec<FieldSpec>,
    /// Status bits that are no event's own.
    pub(crate) flags: Vec<Name>,
}

impl Request for NewDivision {
    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), CliError> {
        draft.check_keeps_divisions()?;
        let subject = &self.subject;
        let plugin = draft.plugin()?;
        let mut answers: Vec<_> = self.fields.iter().map(FieldSpec::to_string).collect();
        if !self.flags.is_empty() {
            let flags: Vec<_> = self.flags.iter().map(Name::snake).collect();
            answers.push(format!("--flags={}", flags.join(",")));
        }
        if draft.is_there(
            "division",
            subject.snake(),
            &format!("divisions/{subject}"),
            &answers,
        )? {
            draft.touch_division(subject);
            return Ok(());
        }
        let known = crate::generate::divisions_in(draft.view());
        if let Some(near) = near(&known, subject)
            && near.closeness != crate::names::Closeness::Spelling
        {
            return Err(CliError::cannot(format!("there is a division `{}` already, which is too close to `{subject}`", near.name))
            .hint(format!("use that one, or a name that differs by more than its number: `hecate gen desk cmd … --division {}`", near.name)));
        }
        let division = Crate {
            dir: subject.snake().to_owned(),
            package: package(&plugin, subject),
            a_word: with_article(&words(subject)),
        };
        let flags = self.flags(draft)?;
        draft.seed(
            "division",
            subject.snake(),
            answers,
            &DivisionOnly { division, flags },
        )?;
        draft.merge("Cargo.toml", |text| add_division(text, &plugin, subject))?;
        draft.merge("Cargo.lock", |text| lock_division(text, &plugin, subject))?;

        let desk = |verb: &str, fields: &[FieldSpec], birth| -> Result<NewCommand, CliError> {
            Ok(NewCommand {
                verb: Name::parse(verb).map_err(|error| CliError::bug(error.to_string()))?,
                subject: subject.clone(),
                fields: fields.to_vec(),
                division: subject.clone(),
                birth,
                overrides: Overrides::default(),
                extras: Extras::default(),
            })
        };
        desk("initiate", &self.fields, true)?.draft(draft)?;
        desk("archive", &[], false)?.draft(draft)?;
        for kind in [QueryKind::ById, QueryKind::Page] {
            let query = NewQuery {
                kind,
                subject: subject.clone(),
                fields: Vec::new(),
                division: subject.clone(),
            };
            query.draft(draft)?;
        }
        Ok(())
    }
}

impl NewDivision {
    /// The flags with their bits, which come behind those of the first two desks.
    fn flags(&self, draft: &Draft<'_>) -> Result<Vec<FlagCx>, CliError> {
        let tree = read_division(draft.view(), &self.subject)?;
        let bits = free_bits(draft, &tree, FIRST_DESKS + self.flags.len())?;
        let flag = |(name, bit): (&Name, u64)| {
            FlagCx::of(&Flag {
                constant: name.snake().to_ascii_uppercase(),
                bit,
            })
        };
        let bits = bits.into_iter().skip(FIRST_DESKS);
        Ok(self.flags.iter().zip(bits).map(flag).collect())
    }
}

/// Reads the flags of a new division, each a name that no bit of its first desks has.
pub(crate) fn parse_flags(flags: &[String]) -> Result<Vec<Name>, CliError> {
    let mut parsed: Vec<Name> = Vec::with_capacity(flags.len());
    for text in flags {
        let name = Name::parse(text).map_err(|error| {
            let shown = CliError::usage(format!("`{text}` cannot be a flag: {error}"));
            match &error.suggestion {
                Some(suggestion) => shown.hint(format!("did you mean `{suggestion}`?")),
                None => shown.hint("flags are given as `--flags open,shelved`"),
            }
        })?;
        if ["initiated", "archived"].contains(&name.snake()) {
            return Err(CliError::usage(format!(
                "the flag `{name}` would be called as the bit of the event that every division has"
            ))
            .hint("leave it out: that bit comes by itself"));
        }
        if let Some(known) = parsed
            .iter()
            .find(|known| known.type_name() == name.type_name())
        {
            return Err(if *known == name {
                CliError::usage(format!("the flag `{name}` is given twice"))
                    .hint("name each flag once")
            } else {
                CliError::usage(format!("the flags `{known}` and `{name}` are too close"))
                    .hint("call one of the two otherwise")
            });
        }
        parsed.push(name);
    }
    Ok(parsed)
}
