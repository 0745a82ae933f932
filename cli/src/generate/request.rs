//! What was asked, and how it becomes a plan. Pure: the same request on the same view is the same plan.

use std::collections::BTreeMap;
use std::str::FromStr;

use hecate_templates::Catalog;
use semver::Version;

use super::fields::FieldSpec;
use super::format::Formatter;
use super::kinds::{self, Draft};
use super::plan::Plan;
use crate::error::CliError;
use crate::names::{Name, Overrides};
use crate::project::{RelPath, SdkSource, View};

/// Something to generate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    Plugin(NewPlugin),
    Division(NewDivision),
    Command(NewCommand),
    Projection(NewProjection),
    Query(NewQuery),
    Bump(Bump),
}

/// `hecate new plugin`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewPlugin {
    pub(crate) name: Name,
    pub(crate) frontend: Frontend,
    pub(crate) sdk: SdkSource,
    pub(crate) author: String,
}

/// The frontend that a plugin begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Frontend {
    /// No page
    None,
    /// Plain HTML and JavaScript, no build
    Vanilla,
}

/// `hecate gen division`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewDivision {
    pub(crate) subject: Name,
    pub(crate) fields: Vec<FieldSpec>,
}

/// `hecate gen desk cmd`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewCommand {
    pub(crate) verb: Name,
    pub(crate) subject: Name,
    pub(crate) fields: Vec<FieldSpec>,
    pub(crate) division: Name,
    pub(crate) birth: bool,
    pub(crate) overrides: Overrides,
}

/// `hecate gen desk prj`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewProjection {
    /// Events, with a revision or the newest.
    pub(crate) events: Vec<(Name, Option<u32>)>,
    pub(crate) table: Name,
    pub(crate) division: Name,
}

/// `hecate gen desk qry`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewQuery {
    pub(crate) kind: QueryKind,
    pub(crate) subject: Name,
    pub(crate) fields: Vec<Name>,
    pub(crate) division: Name,
}

/// `hecate bump`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bump {
    pub(crate) to: BumpTo,
    /// The day of the release: `2026-01-02`.
    pub(crate) date: String,
}

/// The version that a plugin gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BumpTo {
    Version(Version),
    Major,
    Minor,
    Patch,
}

impl FromStr for BumpTo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "major" => Ok(Self::Major),
            "minor" => Ok(Self::Minor),
            "patch" => Ok(Self::Patch),
            _ => Version::parse(text).map(Self::Version).map_err(|error| {
                format!("`{text}` is neither a version (`1.2.0`: {error}) nor `major`, `minor` or `patch`")
            }),
        }
    }
}

/// What a query desk answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum QueryKind {
    /// One row, by its id
    ById,
    /// The rows with one value in a column
    ByField,
    /// Rows, page by page
    Page,
    /// The rows that contain a text
    Search,
    /// The number of rows
    Count,
}

impl QueryKind {
    /// As it is given on the command line.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::ById => "by-id",
            Self::ByField => "by-field",
            Self::Page => "page",
            Self::Search => "search",
            Self::Count => "count",
        }
    }
}

/// Everything that `request` changes in `view`.
pub(crate) fn plan(
    request: &Request,
    view: &View,
    catalog: &Catalog,
    formatter: Formatter,
) -> Result<Plan, CliError> {
    let mut draft = Draft::new(view, catalog)?;
    match request {
        Request::Plugin(request) => kinds::plugin::draft(&mut draft, request)?,
        Request::Division(request) => kinds::division::draft(&mut draft, request)?,
        Request::Command(request) => kinds::command::draft(&mut draft, request)?,
        Request::Projection(request) => kinds::projection::draft(&mut draft, request)?,
        Request::Query(request) => kinds::query::draft(&mut draft, request)?,
        Request::Bump(request) => kinds::bump::draft(&mut draft, request)?,
    }
    let mut wanted: BTreeMap<RelPath, Vec<u8>> = draft.finish()?;
    formatter.format(&mut wanted, view)?;
    draft.record(&mut wanted)?;
    Ok(Plan::between(view, wanted))
}
