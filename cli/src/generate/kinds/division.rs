//! `hecate gen division`: a crate with its departments, and the walking skeleton in it.

use serde::Serialize;

use super::Draft;
use super::command::NewCommand;
use super::query::{NewQuery, QueryKind};
use crate::error::CliError;
use crate::generate::cargo_files::{add_division, lock_division};
use crate::generate::contexts::package;
use crate::generate::fields::FieldSpec;
use crate::generate::request::Request;
use crate::names::{Name, Overrides, near};

#[derive(Serialize)]
struct DivisionOnly {
    division: Crate,
}

#[derive(Serialize)]
struct Crate {
    dir: String,
    package: String,
}

/// `hecate gen division`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewDivision {
    pub(crate) subject: Name,
    pub(crate) fields: Vec<FieldSpec>,
}

impl Request for NewDivision {
    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), CliError> {
        let subject = &self.subject;
        let plugin = draft.plugin()?;
        let answers: Vec<_> = self.fields.iter().map(FieldSpec::to_string).collect();
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
        };
        draft.seed(
            "division",
            subject.snake(),
            answers,
            &DivisionOnly { division },
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
