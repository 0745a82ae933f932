//! `hecate bump VERSION`: the version in manifest, package, lock file and changelog, in one plan.

use std::str::FromStr;

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstRootNode};
use semver::{BuildMetadata, Prerelease, Version};

use super::Draft;
use crate::error::CliError;
use crate::generate::cargo_files::{locked_version, package_version};
use crate::generate::request::Request;
use crate::project::{MANIFEST, RelPath};

const CHANGELOG: &str = "CHANGELOG.md";

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

impl Request for Bump {
    fn draft(&self, draft: &mut Draft<'_>) -> Result<(), CliError> {
        let text = draft.view().text(MANIFEST)?.unwrap_or_default();
        let manifest = hecate_manifest::Manifest::parse(text)
            .map_err(|error| CliError::because("`manifest.json` cannot be used", error))?;
        let (plugin, is) = (manifest.name.to_string(), manifest.version);
        let to = next(&is, &self.to);
        if to == is {
            return Ok(());
        }
        if to < is {
            return Err(CliError::cannot(format!(
                "`{to}` is older than {is}, the version that the plugin has"
            ))
            .hint("versions only rise: whoever has the newer one would not get the older")
            .hint(format!("the next one is {}", next(&is, &BumpTo::Patch))));
        }
        draft.merge(MANIFEST, |text| manifest_version(text, &to))?;
        draft.merge("Cargo.toml", |text| package_version(text, &to))?;
        draft.merge("Cargo.lock", |text| locked_version(text, &plugin, &to))?;
        let changelog = draft.view().text(CHANGELOG)?.map(str::to_owned);
        let changelog = released(changelog.as_deref(), &to, &self.date);
        let path = RelPath::new(CHANGELOG).map_err(|error| CliError::bug(error.to_string()))?;
        draft.put(path, changelog.into_bytes());
        Ok(())
    }
}

fn next(is: &Version, to: &BumpTo) -> Version {
    let mut next = is.clone();
    (next.pre, next.build) = (Prerelease::EMPTY, BuildMetadata::EMPTY);
    match to {
        BumpTo::Version(version) => return version.clone(),
        // What came before a release becomes that release.
        BumpTo::Patch if !is.pre.is_empty() => {}
        BumpTo::Patch => next.patch += 1,
        BumpTo::Minor => (next.minor, next.patch) = (is.minor + 1, 0),
        BumpTo::Major => (next.major, next.minor, next.patch) = (is.major + 1, 0, 0),
    }
    next
}

/// Sets `version`, and keeps everything else as it stands.
fn manifest_version(text: &str, to: &Version) -> Result<String, CliError> {
    let root = CstRootNode::parse(text, &ParseOptions::default())
        .map_err(|error| CliError::because("`manifest.json` cannot be read", error))?;
    let version = root.object_value().and_then(|object| object.get("version"));
    let version = version.ok_or_else(|| CliError::cannot("`manifest.json` has no `version`"))?;
    version.set_value(CstInputValue::String(to.to_string()));
    Ok(root.to_string())
}

/// Puts what was unreleased below a heading of the version; without a changelog, begins one.
fn released(text: Option<&str>, to: &Version, date: &str) -> String {
    let heading = format!("## {to} - {date}");
    let Some(text) = text else {
        return format!("# Changelog\n\n## Unreleased\n\n{heading}\n");
    };
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let is_unreleased = |line: &str| {
        let title = line.trim().trim_start_matches('#').trim();
        line.starts_with("## ")
            && title
                .trim_matches(['[', ']'])
                .eq_ignore_ascii_case("unreleased")
    };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let at = match lines.iter().position(|line| is_unreleased(line)) {
        Some(unreleased) => unreleased + 1,
        // Above the newest version, or at the end.
        None => {
            let newest = lines.iter().position(|line| line.starts_with("## "));
            newest.unwrap_or(lines.len())
        }
    };
    let (before, after) = lines.split_at(at);
    let mut changed = before.concat();
    if !changed.ends_with('\n') {
        changed.push_str(ending);
    }
    if before.last().is_some_and(|line| !line.trim().is_empty()) {
        changed.push_str(ending);
    }
    changed.push_str(&heading);
    changed.push_str(ending);
    if after.first().is_some_and(|line| !line.trim().is_empty()) {
        changed.push_str(ending);
    }
    changed + &after.concat()
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use super::BumpTo;
    use super::{manifest_version, next, released};

    #[test]
    fn the_next_version_follows_from_the_part_that_rises() {
        let next = |is: &str, to: &BumpTo| next(&Version::parse(is).unwrap(), to).to_string();
        assert_eq!(next("1.2.3", &BumpTo::Patch), "1.2.4");
        assert_eq!(next("1.2.3", &BumpTo::Minor), "1.3.0");
        assert_eq!(next("1.2.3+build", &BumpTo::Major), "2.0.0");
        assert_eq!(next("2.0.0-rc.1", &BumpTo::Patch), "2.0.0");
    }

    #[test]
    fn a_manifest_keeps_its_face() {
        let text = "{\r\n  // mine\r\n  \"name\" : \"a\",\r\n\t\"version\":\"0.1.0\" , \"x\": [1,2]\r\n}\r\n";
        let bumped = manifest_version(text, &Version::new(0, 2, 0)).unwrap();
        assert_eq!(bumped, text.replace("0.1.0", "0.2.0"));
    }

    #[test]
    fn what_was_unreleased_is_the_versions() {
        let to = Version::new(0, 2, 0);
        let released = |text: &str| released(Some(text), &to, "2026-01-02");
        assert_eq!(
            released("# Changelog\n\n## [Unreleased]\n\n- a desk\n\n## 0.1.0 - 2026-01-01\n"),
            "# Changelog\n\n## [Unreleased]\n\n## 0.2.0 - 2026-01-02\n\n- a desk\n\n## 0.1.0 - 2026-01-01\n"
        );
        assert_eq!(
            released("# Changelog\r\n\r\n## 0.1.0\r\n"),
            "# Changelog\r\n\r\n## 0.2.0 - 2026-01-02\r\n\r\n## 0.1.0\r\n"
        );
        assert_eq!(
            released("# Changelog"),
            "# Changelog\n\n## 0.2.0 - 2026-01-02\n"
        );
    }
}
