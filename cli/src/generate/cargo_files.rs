//! Edits to `Cargo.toml` and `Cargo.lock`, by a parser that keeps everything else as it was.

use semver::Version;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use super::contexts::package;
use crate::error::CliError;
use crate::names::Name;

/// Makes the plugin's package depend on the division's.
pub(super) fn add_division(
    cargo_toml: &str,
    plugin: &str,
    subject: &Name,
) -> Result<String, CliError> {
    let mut document = parse(cargo_toml, "Cargo.toml")?;
    let package = package(plugin, subject);
    let dependencies = document
        .entry("dependencies")
        .or_insert(Item::Table(Table::new()));
    let dependencies = dependencies
        .as_table_like_mut()
        .ok_or_else(|| CliError::cannot("`Cargo.toml`: `dependencies` is not a table"))?;
    if dependencies.get(&package).is_none() {
        let mut source = toml_edit::InlineTable::new();
        source.insert("path", format!("divisions/{subject}").into());
        dependencies.insert(&package, value(source));
    }
    Ok(document.to_string())
}

/// Adds the division's package to the locked ones, as cargo itself would.
pub(super) fn lock_division(
    cargo_lock: &str,
    plugin: &str,
    subject: &Name,
) -> Result<String, CliError> {
    let mut document = parse(cargo_lock, "Cargo.lock")?;
    let package = package(plugin, subject);
    let Some(packages) = document
        .get_mut("package")
        .and_then(Item::as_array_of_tables_mut)
    else {
        return Ok(cargo_lock.to_owned());
    };
    if packages.iter().any(|known| is_named(known, &package)) {
        return Ok(cargo_lock.to_owned());
    }
    let mut added = Table::new();
    added.insert("name", value(package.as_str()));
    added.insert("version", value("0.1.0"));
    added.insert("dependencies", dependencies(&["hecate-sdk".to_owned()]));
    packages.push(added);
    for known in packages.iter_mut().filter(|known| is_named(known, plugin)) {
        let names = known
            .get("dependencies")
            .and_then(Item::as_array)
            .into_iter()
            .flatten();
        let mut names: Vec<String> = names
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect();
        names.push(package.clone());
        names.sort_unstable();
        known.insert("dependencies", dependencies(&names));
    }
    sort(packages);
    Ok(document.to_string())
}

/// Takes the division's package out of what the plugin's depends on.
pub(super) fn remove_division(
    cargo_toml: &str,
    plugin: &str,
    subject: &Name,
) -> Result<String, CliError> {
    let mut document = parse(cargo_toml, "Cargo.toml")?;
    let dependencies = document
        .get_mut("dependencies")
        .and_then(Item::as_table_like_mut);
    if let Some(dependencies) = dependencies {
        dependencies.remove(&package(plugin, subject));
    }
    Ok(document.to_string())
}

/// Takes the division's package out of the locked ones. What only it needed stays: cargo drops it by itself.
pub(super) fn unlock_division(
    cargo_lock: &str,
    plugin: &str,
    subject: &Name,
) -> Result<String, CliError> {
    let mut document = parse(cargo_lock, "Cargo.lock")?;
    let package = package(plugin, subject);
    let Some(packages) = document
        .get_mut("package")
        .and_then(Item::as_array_of_tables_mut)
    else {
        return Ok(cargo_lock.to_owned());
    };
    // One of that name from elsewhere has a source, and is not the division's.
    packages.retain(|known| !is_named(known, &package) || known.get("source").is_some());
    for known in packages.iter_mut().filter(|known| is_named(known, plugin)) {
        if let Some(names) = known.get_mut("dependencies").and_then(Item::as_array_mut) {
            names.retain(|name| name.as_str() != Some(package.as_str()));
        }
    }
    Ok(document.to_string())
}

/// Sets the version of the plugin's own package, there or in `[workspace.package]` where it inherits it.
pub(super) fn package_version(cargo_toml: &str, to: &Version) -> Result<String, CliError> {
    let mut document = parse(cargo_toml, "Cargo.toml")?;
    let own = document
        .get("package")
        .and_then(|table| table.get("version"));
    let table = if own.is_some_and(Item::is_str) {
        document.get_mut("package")
    } else {
        let workspace = document.get_mut("workspace");
        workspace.and_then(|workspace| workspace.get_mut("package"))
    };
    let version = table.and_then(|table| table.get_mut("version"));
    let version = version.filter(|version| version.is_str()).ok_or_else(|| {
        CliError::cannot(
            "`Cargo.toml` has no `version`, neither of the package nor of the workspace",
        )
    })?;
    set_text(version, to.to_string());
    Ok(document.to_string())
}

/// Sets the version of the plugin among the locked packages, so that `--locked` builds go on.
pub(super) fn locked_version(
    cargo_lock: &str,
    plugin: &str,
    to: &Version,
) -> Result<String, CliError> {
    let mut document = parse(cargo_lock, "Cargo.lock")?;
    let packages = document
        .get_mut("package")
        .and_then(Item::as_array_of_tables_mut);
    for package in packages.into_iter().flat_map(ArrayOfTables::iter_mut) {
        // A package of that name from elsewhere has a source.
        if is_named(package, plugin)
            && package.get("source").is_none()
            && let Some(version) = package.get_mut("version")
        {
            set_text(version, to.to_string());
        }
    }
    Ok(document.to_string())
}

/// Replaces a value and keeps what stands around it.
fn set_text(item: &mut Item, text: String) {
    let decor = item.as_value().map(|value| value.decor().clone());
    *item = value(text);
    if let (Some(value), Some(decor)) = (item.as_value_mut(), decor) {
        *value.decor_mut() = decor;
    }
}

/// Sorts the packages of a lock file, as cargo does.
pub(super) fn sorted_lock(cargo_lock: &str) -> Result<String, CliError> {
    let mut document = parse(cargo_lock, "Cargo.lock")?;
    if let Some(packages) = document
        .get_mut("package")
        .and_then(Item::as_array_of_tables_mut)
    {
        sort(packages);
    }
    Ok(document.to_string())
}

fn sort(packages: &mut ArrayOfTables) {
    let mut tables: Vec<Table> = packages.iter().cloned().collect();
    let key = |table: &Table, name: &str| {
        table
            .get(name)
            .and_then(Item::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    tables.sort_by_key(|table| (key(table, "name"), key(table, "version")));
    packages.clear();
    for mut table in tables {
        table.set_position(None);
        packages.push(table);
    }
}

fn is_named(package: &Table, name: &str) -> bool {
    package.get("name").and_then(Item::as_str) == Some(name)
}

/// One name in each line, as cargo writes them.
fn dependencies(names: &[String]) -> Item {
    let mut array = toml_edit::Array::new();
    for name in names {
        let mut name = toml_edit::Value::from(name.as_str());
        name.decor_mut().set_prefix("\n ");
        array.push_formatted(name);
    }
    array.set_trailing("\n");
    array.set_trailing_comma(true);
    value(array)
}

fn parse(text: &str, file: &str) -> Result<DocumentMut, CliError> {
    text.parse().map_err(|error: toml_edit::TomlError| {
        let line = error
            .span()
            .map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        CliError::cannot(format!("`{file}`, line {line}: {}", error.message()))
            .hint("mend it first")
    })
}

#[cfg(test)]
mod tests {
    use super::{add_division, lock_division, remove_division, unlock_division};
    use crate::names::Name;

    #[test]
    fn a_dependency_is_added_and_the_rest_is_kept() {
        let text =
            "# mine\n[dependencies]\nhecate-sdk = \"0.1\" # keep\n\n[profile.dev]\ndebug = 0\n";
        let subject = Name::parse("kanban_card").unwrap();
        let added = add_division(text, "my-plugin", &subject).unwrap();
        assert_eq!(
            added,
            "# mine\n[dependencies]\nhecate-sdk = \"0.1\" # keep\n\
             my-plugin-kanban-card = { path = \"divisions/kanban_card\" }\n\n[profile.dev]\ndebug = 0\n"
        );
        assert_eq!(
            add_division(&added, "my-plugin", &subject).unwrap(),
            added,
            "twice is once"
        );
    }

    #[test]
    fn a_locked_package_is_added_as_cargo_writes_it() {
        let text = "# head\nversion = 4\n\n[[package]]\nname = \"alpha\"\nversion = \"1.0.0\"\n\n\
                    [[package]]\nname = \"my-plugin\"\nversion = \"0.1.0\"\ndependencies = [\n \"hecate-sdk\",\n]\n\n\
                    [[package]]\nname = \"zeta\"\nversion = \"1.0.0\"\n";
        let locked = lock_division(text, "my-plugin", &Name::parse("order").unwrap()).unwrap();
        assert_eq!(
            locked,
            "# head\nversion = 4\n\n[[package]]\nname = \"alpha\"\nversion = \"1.0.0\"\n\n\
             [[package]]\nname = \"my-plugin\"\nversion = \"0.1.0\"\ndependencies = [\n \"hecate-sdk\",\n \"my-plugin-order\",\n]\n\n\
             [[package]]\nname = \"my-plugin-order\"\nversion = \"0.1.0\"\ndependencies = [\n \"hecate-sdk\",\n]\n\n\
             [[package]]\nname = \"zeta\"\nversion = \"1.0.0\"\n"
        );
    }

    #[test]
    fn what_was_added_is_taken_away_and_the_rest_is_kept() {
        let order = Name::parse("order").unwrap();
        let toml =
            "# mine\n[dependencies]\nhecate-sdk = \"0.1\" # keep\n\n[profile.dev]\ndebug = 0\n";
        let added = add_division(toml, "my-plugin", &order).unwrap();
        assert_eq!(remove_division(&added, "my-plugin", &order).unwrap(), toml);
        let lock = "# head\nversion = 4\n\n\
                    [[package]]\nname = \"my-plugin\"\nversion = \"0.1.0\"\ndependencies = [\n \"hecate-sdk\",\n]\n\n\
                    [[package]]\nname = \"zeta\"\nversion = \"1.0.0\"\n";
        let locked = lock_division(lock, "my-plugin", &order).unwrap();
        assert_eq!(unlock_division(&locked, "my-plugin", &order).unwrap(), lock);
        assert_eq!(unlock_division(lock, "my-plugin", &order).unwrap(), lock);
    }

    #[test]
    fn what_is_not_toml_is_named_with_its_line() {
        let error = add_division("[a]\n= 1\n", "p", &Name::parse("order").unwrap()).unwrap_err();
        assert!(
            error.message().starts_with("`Cargo.toml`, line 2:"),
            "{error}"
        );
    }
}
