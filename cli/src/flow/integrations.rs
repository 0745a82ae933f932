//! Emitters, listeners, process managers and responders as they stand in the sources, whoever wrote them.

use std::collections::BTreeMap;

use heck::ToSnakeCase;
use quote::ToTokens;
use syn::{Expr, ImplItem, Item, ItemImpl, Lit, Type};

use crate::error::CliError;
use crate::project::View;

/// What an integration does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Emitter,
    Listener,
    ProcessManager,
    Requester,
    Responder,
}

impl Role {
    /// As it is given to `hecate gen integration`.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Emitter => "emitter",
            Self::Listener => "listener",
            Self::ProcessManager => "process-manager",
            Self::Requester => "requester",
            Self::Responder => "responder",
        }
    }
}

const ROLES: [(&str, Role); 4] = [
    ("Emitter", Role::Emitter),
    ("Listener", Role::Listener),
    ("ProcessManager", Role::ProcessManager),
    ("Responder", Role::Responder),
];

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) role: Role,
    pub(crate) name: String,
    /// The division whose events it follows.
    pub(crate) division: Option<String>,
    /// Topic, filter or hope.
    pub(crate) topic: String,
    /// The events that it speaks of, without revision.
    pub(crate) events: Vec<String>,
    /// The commands that it dispatches, with their divisions.
    pub(crate) commands: Vec<(String, String)>,
}

/// All that there are, in the order of their files.
pub(crate) fn read(view: &View) -> Result<Vec<Found>, CliError> {
    let mut sources = Vec::new();
    let mut topics: BTreeMap<String, String> = BTreeMap::new();
    for (path, bytes) in view.iter() {
        let is_source =
            path.as_str().starts_with("src/") || path.as_str().starts_with("divisions/");
        if !is_source || !path.as_str().ends_with(".rs") {
            continue;
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            continue;
        };
        // Most files have none, and are not parsed. What is not Rust is `hecate check`'s to say.
        let is_one = ["Fact for", "Hope for"]
            .into_iter()
            .any(|words| text.contains(words))
            || ROLES
                .iter()
                .any(|(name, _)| text.contains(&format!("{name} for")));
        let Some(file) = is_one.then(|| syn::parse_file(text).ok()).flatten() else {
            continue;
        };
        for item in &file.items {
            if let Item::Impl(item) = item
                && let Some(topic) =
                    text_of(item, "TOPIC").or_else(|| match trait_of(item)?.as_str() {
                        "Hope" => text_of(item, "NAME"),
                        _ => None,
                    })
                && let Some(name) = type_name(&item.self_ty)
            {
                topics.insert(name, topic);
            }
        }
        sources.push((text, file));
    }
    let mut found: Vec<Found> = Vec::new();
    for (text, file) in &sources {
        let here: Vec<_> = file.items.iter().filter_map(of_role).collect();
        for (role, item) in &here {
            // Alone in its file, it has functions of its own beside it.
            let text = match here.len() {
                1 => (*text).to_owned(),
                _ => item.to_token_stream().to_string(),
            };
            let text: String = text.split_whitespace().collect();
            found.extend(integration(*role, item, &text, &topics));
        }
    }
    // A hope that nobody here answers is asked.
    let hopes = sources.iter().flat_map(|(_, file)| &file.items);
    for hope in hopes.filter_map(hope_of) {
        if !found
            .iter()
            .any(|found| found.role == Role::Responder && found.topic == hope.topic)
        {
            found.push(hope);
        }
    }
    Ok(found)
}

fn hope_of(item: &Item) -> Option<Found> {
    let Item::Impl(item) = item else { return None };
    let topic = trait_of(item).filter(|of| of == "Hope")?;
    let topic = text_of(item, "NAME").unwrap_or(topic);
    Some(Found {
        role: Role::Requester,
        name: type_name(&item.self_ty)?.to_snake_case(),
        division: None,
        topic,
        events: Vec::new(),
        commands: Vec::new(),
    })
}

fn of_role(item: &Item) -> Option<(Role, &ItemImpl)> {
    let Item::Impl(item) = item else { return None };
    let of = trait_of(item)?;
    let (_, role) = ROLES.iter().find(|(name, _)| *name == of)?;
    Some((*role, item))
}

fn integration(
    role: Role,
    item: &ItemImpl,
    text: &str,
    topics: &BTreeMap<String, String>,
) -> Option<Found> {
    let own = type_name(&item.self_ty)?;
    let about = |name: &str| {
        item.items.iter().find_map(|item| match item {
            ImplItem::Type(item) if item.ident == name => type_name(&item.ty),
            _ => None,
        })
    };
    let topic_of = |name: &str| {
        let name = about(name)?;
        Some(
            topics
                .get(&name)
                .cloned()
                .unwrap_or_else(|| name.to_snake_case()),
        )
    };
    let topic = match role {
        Role::Emitter => topic_of("Fact"),
        Role::Listener => text_of(item, "FILTER").or_else(|| topic_of("Fact")),
        Role::Responder => topic_of("Hope"),
        Role::ProcessManager | Role::Requester => None,
    };
    Some(Found {
        role,
        name: text_of(item, "NAME").unwrap_or_else(|| own.to_snake_case()),
        division: text_of(item, "DIVISION"),
        topic: topic.unwrap_or_else(|| own.to_snake_case()),
        events: match role {
            Role::Emitter | Role::ProcessManager => events_in(text),
            Role::Listener | Role::Requester | Role::Responder => Vec::new(),
        },
        commands: match role {
            Role::Emitter => Vec::new(),
            _ => commands_in(text),
        },
    })
}

fn trait_of(item: &ItemImpl) -> Option<String> {
    let (path, _) = item.trait_.as_ref()?;
    Some(path.segments.last()?.ident.to_string())
}

fn type_name(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    Some(path.path.segments.last()?.ident.to_string())
}

fn text_of(item: &ItemImpl, name: &str) -> Option<String> {
    item.items.iter().find_map(|item| match item {
        ImplItem::Const(item) if item.ident == name => match &item.expr {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    })
}

/// `order_paid` of `OrderEvent::OrderPaidV1`.
fn events_in(text: &str) -> Vec<String> {
    let mut events: Vec<String> = Vec::new();
    for rest in text.split("Event::").skip(1) {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric());
        let module = rest[..end.unwrap_or(rest.len())].to_snake_case();
        let name = module
            .rsplit_once("_v")
            .map_or(module.as_str(), |(name, _)| name);
        if !name.is_empty() && !events.iter().any(|known| known == name) {
            events.push(name.to_owned());
        }
    }
    events
}

/// Division and command of each `Dispatch::new("order","cancel_order",…)`; `text` has no white space.
fn commands_in(text: &str) -> Vec<(String, String)> {
    let mut commands = Vec::new();
    for rest in text.split("Dispatch::new(").skip(1) {
        let mut quoted = rest.split('"');
        if let (Some(before), Some(division), Some(between), Some(command)) =
            (quoted.next(), quoted.next(), quoted.next(), quoted.next())
            && before.is_empty()
            && between == ","
        {
            let found = (division.to_owned(), command.to_owned());
            if !commands.contains(&found) {
                commands.push(found);
            }
        }
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::{Role, read};
    use crate::project::{RelPath, View};

    fn view(text: &str) -> View {
        View::default().with(RelPath::new("src/x.rs").unwrap(), text.as_bytes().to_vec())
    }

    #[test]
    fn a_process_manager_is_read_with_its_events_and_commands() {
        let text = r#"
            impl ProcessManager for Bill {
                type Event = OrderEvent;
                const NAME: &'static str = "bill_orders";
                const DIVISION: &'static str = "order";
                fn handle() { match x { OrderEvent::OrderPaidV1(_) => Dispatch::new( "bill" , "initiate_bill", b) } }
            }"#;
        let found = read(&view(text)).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(
            (
                found[0].role,
                found[0].name.as_str(),
                found[0].division.as_deref()
            ),
            (Role::ProcessManager, "bill_orders", Some("order"))
        );
        assert_eq!(found[0].events, ["order_paid"]);
        assert_eq!(
            found[0].commands,
            [("bill".to_owned(), "initiate_bill".to_owned())]
        );
    }

    #[test]
    fn of_several_in_one_file_each_has_its_own() {
        let text = r#"
            impl Listener for A { const FILTER: &'static str = "a"; fn f() { Dispatch::new("x", "do_a", 1) } }
            impl Listener for B { const FILTER: &'static str = "b"; fn f() { Dispatch::new("x", "do_b", 1) } }"#;
        let found = read(&view(text)).unwrap();
        let commands: Vec<_> = found.iter().flat_map(|found| &found.commands).collect();
        assert_eq!(
            commands,
            [
                &("x".to_owned(), "do_a".to_owned()),
                &("x".to_owned(), "do_b".to_owned())
            ]
        );
    }

    #[test]
    fn topics_are_those_of_the_facts() {
        let text = r#"
            impl Fact for OrderPaid { const TOPIC: &'static str = "shop.order_paid"; }
            impl Emitter for Tell { type Fact = OrderPaid; const DIVISION: &'static str = "order"; }
            impl Listener for Hear { type Fact = OrderPaid; const FILTER: &'static str = OrderPaid::TOPIC; }
            impl Listener for HearAll { const FILTER: &'static str = "shop.>"; }"#;
        let topics: Vec<_> = read(&view(text))
            .unwrap()
            .into_iter()
            .map(|found| found.topic)
            .collect();
        assert_eq!(topics, ["shop.order_paid", "shop.order_paid", "shop.>"]);
    }

    #[test]
    fn a_hope_that_nobody_answers_is_asked() {
        let text = r#"
            impl Hope for Pay { const NAME: &'static str = "bank.pay"; }
            impl Hope for Place { const NAME: &'static str = "shop.place"; }
            impl Responder for AnswerPlace { type Hope = Place; }"#;
        let found = read(&view(text)).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|it| (it.role, it.topic.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                (Role::Responder, "shop.place"),
                (Role::Requester, "bank.pay")
            ]
        );
    }

    #[test]
    fn what_is_not_rust_is_passed_over() {
        assert_eq!(read(&view("impl Emitter for {")).unwrap(), []);
    }
}
