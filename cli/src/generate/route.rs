//! Routes of desks: those that people ask for, and whether one is free.

use std::fmt;
use std::str::FromStr;

use super::source::routes_in;
use crate::error::CliError;
use crate::project::View;

/// Routes that every plugin has of itself.
const BUILT_IN: [&str; 5] = [
    "/manifest",
    "/flag-maps",
    "/openapi.json",
    "/health",
    "/event-stream",
];

/// The path of a desk's route, below the plugin's `api`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route(String);

impl FromStr for Route {
    type Err = CliError;

    fn from_str(text: &str) -> Result<Self, CliError> {
        let wrong = |what: String| {
            CliError::usage(format!("`{text}` cannot be a route: {what}"))
                .hint("a route is given as `/orders/{id}/confirm`, or `/orders/import` for a birth")
        };
        let Some(path) = text.strip_prefix('/') else {
            return Err(wrong("it does not begin with `/`".to_owned()));
        };
        for part in path.split('/') {
            let is_plain =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
            if part.is_empty() {
                return Err(wrong("a part of it is empty".to_owned()));
            }
            if part.starts_with('{') && part != "{id}" {
                return Err(wrong(format!(
                    "`{part}` is not `{{id}}`, the one part that may vary"
                )));
            }
            if part != "{id}" && (!part.chars().all(is_plain) || part.starts_with('.')) {
                return Err(wrong(format!(
                    "`{part}` is not made of small letters, digits, hyphens, underscores and dots"
                )));
            }
        }
        if path.split('/').filter(|part| *part == "{id}").count() > 1 {
            return Err(wrong("`{id}` stands in it twice".to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Route {
    /// Checks that the route has what its desk needs: the id of what exists, and none of what does not yet.
    pub(crate) fn check(&self, birth: bool) -> Result<(), CliError> {
        let has_id = self.0.split('/').any(|part| part == "{id}");
        match (birth, has_id) {
            (true, true) => Err(CliError::usage(format!(
                "the route `{self}` has an `{{id}}`, and what is born has none yet"
            ))
            .hint("leave it out: `/orders/import`")),
            (false, false) => Err(CliError::usage(format!(
                "the route `{self}` has no `{{id}}`, and the command needs to know about what it is"
            ))
            .hint(format!(
                "put it in: `{self}/{{id}}`, or say `--birth` if it brings a new thing into being"
            ))),
            _ => Ok(()),
        }
    }
}

/// Checks that no other desk has the route, and neither the plugin itself nor every plugin. `place` is the folder of the
/// desk that wants it.
pub(super) fn check_free(
    view: &View,
    method: &'static str,
    route: &str,
    place: &str,
) -> Result<(), CliError> {
    if BUILT_IN.contains(&route) {
        return Err(
            CliError::cannot(format!("every plugin has the route `{route}` of itself"))
                .hint("take another one with `--route`"),
        );
    }
    // Most files say nothing about it, and are not looked through.
    let first = route.split('/').nth(1).unwrap_or_default();
    let begins = if first.starts_with('{') {
        "\"/".to_owned()
    } else {
        format!("\"/{first}")
    };
    let varies = "\"/{";
    for dir in ["divisions", "src"] {
        for (path, bytes) in view.below(dir) {
            let path = format!("{dir}/{path}");
            let is_desk = path.ends_with("/route.rs");
            let is_own = path
                .strip_prefix(place)
                .is_some_and(|rest| rest.starts_with('/'));
            if is_own || !(is_desk || (dir == "src" && path.ends_with(".rs"))) {
                continue;
            }
            let Ok(text) = std::str::from_utf8(bytes) else {
                continue;
            };
            if !text.contains(&begins) && !text.contains(varies) {
                continue;
            }
            for (known_method, known) in routes_in(text) {
                if is_same(known, route)
                    && (known_method == method || known_method.is_empty() || known != route)
                {
                    let of = format!("{known_method} {known}");
                    return Err(CliError::cannot(format!(
                        "the route `{method} {route}` is taken: `{path}` has `{}`",
                        of.trim()
                    ))
                    .hint("take another one with `--route`, or give the desk another verb"));
                }
            }
        }
    }
    Ok(())
}

/// Whether a request could be meant for either.
fn is_same(one: &str, other: &str) -> bool {
    let shape = |path: &str| {
        path.split('/')
            .map(|part| if part.starts_with('{') { "{}" } else { part }.to_owned())
            .collect::<Vec<_>>()
    };
    shape(one) == shape(other)
}

#[cfg(test)]
mod tests {
    use super::{BUILT_IN, Route, check_free};
    use crate::project::{RelPath, View};

    fn view(text: &str) -> View {
        let path = "divisions/order/src/guide_order_lifecycle/confirm_order/route.rs";
        View::default().with(RelPath::new(path).unwrap(), text.as_bytes().to_vec())
    }

    fn taken(text: &str, method: &'static str, route: &str) -> bool {
        check_free(&view(text), method, route, "divisions/order/src/x/y").is_err()
    }

    #[test]
    fn a_route_is_made_of_plain_parts_and_one_id() {
        for good in [
            "/a",
            "/orders/{id}/confirm",
            "/v2/orders-new/{id}",
            "/a/b.json",
        ] {
            assert_eq!(good.parse::<Route>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "orders",
            "/",
            "//",
            "/orders/",
            "/Orders",
            "/{order}",
            "/{id}/{id}",
            "/{*rest}",
            "/a b",
            "/a?b",
            "/../a",
            "/a/%2e",
            "/a/:id",
            "/{id}x",
            "/a\"b",
        ] {
            let error = bad.parse::<Route>().unwrap_err();
            assert_eq!((error.code(), error.hints().len()), (2, 1), "{bad}");
        }
    }

    #[test]
    fn what_is_born_has_no_id_and_all_else_has_one() {
        let route = |text: &str| text.parse::<Route>().unwrap();
        assert!(route("/imports").check(true).is_ok() && route("/imports").check(false).is_err());
        assert!(route("/a/{id}").check(false).is_ok() && route("/a/{id}").check(true).is_err());
    }

    #[test]
    fn a_route_is_taken_under_other_names_of_its_parameters_too() {
        let text = ".post(\"/orders/{id}/confirm\", confirm_order)";
        assert!(taken(text, "POST", "/orders/{id}/confirm"));
        assert!(!taken(text, "GET", "/orders/{id}/confirm"));
        assert!(taken(text, "GET", "/orders/{value}/confirm"));
        assert!(!taken(text, "POST", "/orders/{id}/accept"));
        assert!(taken(".get(\n  \"/{id}\", x)", "POST", "/{other}"));
        assert!(taken("Router::new().route(\"/a\", get(a))", "POST", "/a"));
    }

    #[test]
    fn what_every_plugin_has_is_taken() {
        let sdk = include_str!("../../../runtime/sdk/src/running/builtin.rs");
        let listed = sdk.split_once("BUILT_IN: ").unwrap().1;
        let listed = listed.split_once("];").unwrap().0;
        assert_eq!(listed.matches("\"/").count(), BUILT_IN.len());
        for route in BUILT_IN {
            assert!(listed.contains(&format!("\"{route}\"")), "{route}");
            assert!(taken("", "POST", route), "{route}");
        }
        assert!(!taken("", "POST", "/healthy"));
    }
}
