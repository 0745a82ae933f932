//! Where `hecate-sdk` comes from, as long as it is not published: a checkout, a git repository, or the registry.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::CliError;
use crate::project::{file_text, is_file};

/// Where a project finds its SDK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SdkSource {
    /// A directory with the SDK's package in it.
    Path(PathBuf),
    /// A commit of a git repository.
    Git {
        /// Its address.
        url: String,
        /// Its commit, tag or branch.
        rev: String,
    },
    /// The registry that cargo uses.
    Registry,
}

impl FromStr for SdkSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || format!("`{text}` is not `path:DIR`, `git:URL#REV` or `registry`");
        if text == "registry" {
            return Ok(Self::Registry);
        }
        let (kind, place) = text.split_once(':').ok_or_else(form)?;
        match kind {
            "path" if !place.is_empty() => Ok(Self::Path(place.into())),
            "git" => match place.rsplit_once('#') {
                Some((url, rev)) if !url.is_empty() && !rev.is_empty() => Ok(Self::Git {
                    url: url.to_owned(),
                    rev: rev.to_owned(),
                }),
                _ => Err(form()),
            },
            _ => Err(form()),
        }
    }
}

impl fmt::Display for SdkSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "path:{}", path.display()),
            Self::Git { url, rev } => write!(f, "git:{url}#{rev}"),
            Self::Registry => f.write_str("registry"),
        }
    }
}

impl SdkSource {
    /// The source with its directory made absolute and found to be a checkout of the SDK: `DIR` may be the SDK's own
    /// directory or that of the whole checkout.
    pub(crate) fn resolve(self, dir: &Path) -> Result<Self, CliError> {
        let Self::Path(path) = self else {
            return Ok(self);
        };
        let path = dir.join(path);
        let candidates = [path.clone(), path.join("runtime/sdk")];
        let found = candidates.iter().find(|candidate| is_sdk(candidate));
        let found = found
            .and_then(|found| found.canonicalize().ok())
            .ok_or_else(|| {
                CliError::cannot(format!("`{}` holds no `hecate-sdk`", path.display()))
                    .hint("name the checkout of Hecate, or its `runtime/sdk`: `--sdk path:DIR`")
            })?;
        Ok(Self::Path(found))
    }

    /// The source that a `.cargo/config.toml` names; without one, the registry.
    pub(crate) fn of_config(text: &str) -> Self {
        let config = text.parse::<toml_edit::DocumentMut>().ok();
        let patch = config
            .as_ref()
            .and_then(|config| config.get("patch")?.get("crates-io")?.get("hecate-sdk"));
        let named = |name: &str| patch.and_then(|patch| patch.get(name)?.as_str());
        match (named("path"), named("git"), named("rev")) {
            (Some(path), _, _) => Self::Path(path.into()),
            (None, Some(url), Some(rev)) => Self::Git {
                url: url.to_owned(),
                rev: rev.to_owned(),
            },
            _ => Self::Registry,
        }
    }

    /// The `.cargo/config.toml` that makes cargo find it; `None` where cargo needs no telling.
    pub(crate) fn cargo_config(&self) -> Option<String> {
        let place = match self {
            Self::Path(path) => format!("path = {}", quoted(&path.display().to_string())),
            Self::Git { url, rev } => format!("git = {}, rev = {}", quoted(url), quoted(rev)),
            Self::Registry => return None,
        };
        Some(format!(
            "# Where this machine finds `hecate-sdk` until it is published. Not checked in: it is another place on\n\
             # every machine. `hecate doctor --fix` writes it anew.\n\
             [patch.crates-io]\n\
             hecate-sdk = {{ {place} }}\n"
        ))
    }
}

/// The checkout that this program was built from, if it was built from one and that is still there.
pub(crate) fn default_sdk() -> Result<SdkSource, CliError> {
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(|root| root.join("runtime/sdk"));
    match built_from {
        Some(path) if is_sdk(&path) => Ok(SdkSource::Path(path)),
        Some(path) => Err(CliError::cannot(format!(
            "the checkout that hecate was built from has moved: `{}` is not there",
            path.display()
        ))
        .hint("name the SDK with `--sdk path:DIR`, `--sdk git:URL#REV` or `--sdk registry`")),
        None => Err(CliError::cannot("hecate was not built from a checkout")
            .hint("name the SDK with `--sdk …`")),
    }
}

/// The directory that a project's local patch names, if it has one.
pub(crate) fn local_patch(root: &Path) -> Option<PathBuf> {
    let text = file_text(&root.join(".cargo/config.toml")).ok()?;
    let config = text.parse::<toml_edit::DocumentMut>().ok()?;
    let path = config
        .get("patch")?
        .get("crates-io")?
        .get("hecate-sdk")?
        .get("path")?
        .as_str()?;
    Some(PathBuf::from(path))
}

/// Whether `dir` is the SDK's package.
pub(crate) fn is_sdk(dir: &Path) -> bool {
    let manifest = dir.join("Cargo.toml");
    is_file(&manifest)
        && file_text(&manifest).is_ok_and(|text| text.contains("name = \"hecate-sdk\""))
}

fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::SdkSource;

    #[test]
    fn sources_are_read_and_shown_alike() {
        for text in [
            "path:/x/y",
            "git:https://example.org/hecate.git#v0.1.0",
            "registry",
        ] {
            let source: SdkSource = text.parse().unwrap();
            assert_eq!(source.to_string(), text);
            let config = source.cargo_config().unwrap_or_default();
            assert_eq!(SdkSource::of_config(&config), source, "{config}");
        }
        for wrong in [
            "",
            "path:",
            "git:https://example.org",
            "git:#x",
            "crates",
            "file:/x",
        ] {
            assert!(wrong.parse::<SdkSource>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_directory_without_the_sdk_is_refused() {
        let error = SdkSource::Path("nowhere".into())
            .resolve(Path::new("/tmp"))
            .unwrap_err();
        assert_eq!(error.message(), "`/tmp/nowhere` holds no `hecate-sdk`");
    }

    #[test]
    fn the_patch_is_toml_whatever_the_path() {
        let config = SdkSource::Path("/odd \"path\"\\x".into())
            .cargo_config()
            .unwrap();
        let config: toml_edit::DocumentMut = config.parse().unwrap();
        assert_eq!(
            config["patch"]["crates-io"]["hecate-sdk"]["path"].as_str(),
            Some("/odd \"path\"\\x")
        );
        assert_eq!(SdkSource::Registry.cargo_config(), None);
    }
}
