//! The integrations that there are, from the folders of `src/integrations` and `src/processes`: the owned list of them.

use std::collections::BTreeMap;

use hecate_templates::Catalog;
use serde::Serialize;
use syn::{Item, Type};

use super::owned::render;
use super::source::said;
use crate::error::CliError;
use crate::project::{RelPath, View};

/// Where emitters, listeners, requesters and responders lie.
pub(super) const INTEGRATIONS: &str = "src/integrations";
/// Where process managers lie.
pub(super) const PROCESSES: &str = "src/processes";

/// The file that must name the list.
const LIB: &str = "src/lib.rs";

/// What a list of integrations holds: by which method it is added, and where its type is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Part {
    method: &'static str,
    path: String,
}

/// The owned files of the integrations, if the plugin names their list or has any.
pub(super) fn files(
    view: &View,
    catalog: &Catalog,
) -> Result<BTreeMap<RelPath, Vec<u8>>, CliError> {
    #[derive(Serialize)]
    struct Lists {
        integrations: Vec<String>,
        processes: Vec<String>,
        parts: Vec<Part>,
    }
    let (integrations, mut parts) = folders(view, INTEGRATIONS, "")?;
    let (processes, of_processes) = folders(view, PROCESSES, "crate::processes::")?;
    parts.extend(of_processes);
    let names_list = view
        .text(LIB)?
        .is_some_and(|text| text.contains("mod integrations;"));
    if parts.is_empty() && !names_list && !view.has("src/integrations/mod.rs") {
        return Ok(BTreeMap::new());
    }
    let lists = Lists {
        integrations,
        processes,
        parts,
    };
    render(catalog, "owned-integrations", &lists)
}

/// The plugin must list its integrations, which a plugin made before there were any does not.
pub(super) fn check_listed(view: &View) -> Result<(), CliError> {
    let text: String = view
        .text(LIB)?
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    if text.contains("integrations::all()") {
        return Ok(());
    }
    Err(CliError::cannot(format!(
        "`{LIB}` does not list what the plugin exchanges with others"
    ))
    .hint("add `pub mod integrations;` and `pub mod processes;` to it")
    .hint(
        "and to its `impl Plugin`: `fn integrations() -> hecate_sdk::integration::Integrations { integrations::all() }`; \
         the two modules are written by `hecate`",
    ))
}

/// The type that the plugin exports.
pub(super) fn plugin_type(view: &View) -> Result<String, CliError> {
    let text = view.text(LIB)?.unwrap_or_default();
    let exported = text.split("export_plugin!(").nth(1);
    let name = exported
        .and_then(|rest| rest.split(')').next())
        .map(str::trim);
    name.filter(|name| !name.is_empty())
        .map(str::to_owned)
        .ok_or_else(|| {
            CliError::cannot(format!("`{LIB}` exports no plugin"))
                .hint("a plugin ends with `hecate_sdk::export_plugin!(TheType);`")
        })
}

/// The modules below `place`, and what they add to the list.
fn folders(view: &View, place: &str, prefix: &str) -> Result<(Vec<String>, Vec<Part>), CliError> {
    let (mut modules, mut parts) = (Vec::new(), Vec::new());
    for (path, bytes) in view.below(place) {
        let module = match path.split('/').collect::<Vec<_>>().as_slice() {
            ["mod.rs"] => continue,
            [file] => file.strip_suffix(".rs").map(str::to_owned),
            [folder, "mod.rs"] => Some((*folder).to_owned()),
            _ => None,
        };
        let Some(module) = module else { continue };
        let file = format!("{place}/{path}");
        let text = String::from_utf8_lossy(bytes);
        let source = syn::parse_file(&text).map_err(|error| {
            let line = error.span().start().line;
            CliError::cannot(format!("`{file}` is not Rust: {}", said(&error))).hint(format!(
                "line {line}; `hecate` reads there what the plugin exchanges with others"
            ))
        })?;
        parts.extend(
            parts_of(&source.items)
                .into_iter()
                .map(|(method, name)| Part {
                    method,
                    path: format!("{prefix}{module}::{name}"),
                }),
        );
        modules.push(module);
    }
    Ok((modules, parts))
}

/// What a file adds: a hope that nobody answers there is one that is asked.
fn parts_of(items: &[Item]) -> Vec<(&'static str, String)> {
    let of_trait = |wanted: &str, method: &'static str| {
        let named = items.iter().filter_map(move |item| {
            let Item::Impl(item) = item else { return None };
            let (path, Type::Path(own)) = (&item.trait_.as_ref()?.0, &*item.self_ty) else {
                return None;
            };
            let is_it = path.segments.last()?.ident == wanted;
            is_it.then(|| {
                own.path
                    .segments
                    .last()
                    .map(|it| (method, it.ident.to_string()))
            })?
        });
        named.collect::<Vec<_>>()
    };
    let mut parts = of_trait("Emitter", "emitter");
    parts.extend(of_trait("Listener", "listener"));
    parts.extend(of_trait("ProcessManager", "process"));
    let responders = of_trait("Responder", "responder");
    if responders.is_empty() {
        parts.extend(of_trait("Hope", "requester"));
    }
    parts.extend(responders);
    parts
}

#[cfg(test)]
mod tests {
    use super::parts_of;

    fn parts(text: &str) -> Vec<(&'static str, String)> {
        parts_of(&syn::parse_file(text).unwrap().items)
    }

    #[test]
    fn what_is_added_follows_from_the_traits() {
        assert_eq!(
            parts(
                "impl Emitter for A {} impl hecate_sdk::integration::Listener for B {} impl Fact for C {}"
            ),
            [("emitter", "A".to_owned()), ("listener", "B".to_owned())]
        );
        assert_eq!(parts("impl Hope for A {}"), [("requester", "A".to_owned())]);
        assert_eq!(
            parts("impl Hope for A {} impl Responder for B {}"),
            [("responder", "B".to_owned())]
        );
    }
}
