//! The SDK that a project resolves to: asked of cargo, once for each `Cargo.lock`.

use cargo_metadata::{CargoOpt, MetadataCommand};
use semver::Version;

use crate::context::Context;
use crate::generate::{hash, write_cache};
use crate::project::{Project, View, file_text, is_file};

/// Where the answer is kept: below the directory that builds use and git ignores.
const CACHE: &str = "target/hecate/sdk";

/// The version of `hecate-sdk` in use, if that can be told. Says why not, where it cannot.
pub(super) fn resolved(project: &Project, view: &View, cx: &Context) -> Option<Version> {
    let Some(lock) = view.get("Cargo.lock") else {
        cx.printer().note("note: there is no `Cargo.lock` yet, so `min_sdk_version` is not compared; any cargo command makes it");
        return None;
    };
    let path = project.root().join(CACHE);
    let key = hash(lock);
    if is_file(&path)
        && let Ok(known) = file_text(&path)
        && let Some((known_key, version)) = known.trim().split_once(' ')
        && known_key == key
    {
        return Version::parse(version).ok();
    }
    let mut command = MetadataCommand::new();
    command
        .current_dir(project.root())
        .features(CargoOpt::SomeFeatures(Vec::new()));
    command.other_options(["--offline".to_owned()]);
    let metadata = match command.exec() {
        Ok(metadata) => metadata,
        Err(_) => {
            cx.printer().note("note: cargo cannot resolve the project offline, so `min_sdk_version` is compared with `Cargo.lock` alone");
            return locked(view);
        }
    };
    let sdk = metadata
        .packages
        .iter()
        .find(|package| package.name.as_str() == "hecate-sdk")?;
    // Without the cache it is asked again next time.
    _ = write_cache(&path, format!("{key} {}\n", sdk.version).as_bytes());
    Some(sdk.version.clone())
}

fn locked(view: &View) -> Option<Version> {
    let document: toml_edit::DocumentMut = view.text("Cargo.lock").ok()??.parse().ok()?;
    let packages = document.get("package")?.as_array_of_tables()?;
    let text = |table: &toml_edit::Table, key: &str| table.get(key)?.as_str().map(str::to_owned);
    let sdk = packages
        .iter()
        .find(|package| text(package, "name").as_deref() == Some("hecate-sdk"))?;
    Version::parse(&text(sdk, "version")?).ok()
}
