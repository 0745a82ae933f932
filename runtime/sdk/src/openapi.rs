//! `openapi.json`, made of the routes and of what the desks say of themselves.
//!
//! Beside the standard's fields each operation of a desk has `x-hecate`: the desk's name, kind and division, the events
//! of a command, table and key of a query. The page that a generated plugin starts with is drawn from these alone.

use hecate_manifest::Manifest;
use serde_json::{Map, Value, json};

use crate::fields::{Field, FieldType};
use crate::queries::sortable;
use crate::routes::{Desk, DeskKind, Endpoint};
use crate::table::Table;

/// The document for all `divisions`.
pub(crate) fn document(manifest: &Manifest, divisions: &[(&'static str, Vec<Endpoint>)]) -> Value {
    let mut paths = Map::new();
    for (division, endpoints) in divisions {
        for endpoint in endpoints {
            let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
            path[endpoint.method] = operation(division, endpoint);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": manifest.title(),
            "version": manifest.version.to_string(),
            "description": manifest.description,
        },
        "servers": [{"url": format!("/plugin/{}/api", manifest.name)}],
        "paths": paths,
        "components": {"schemas": {"Error": error_schema()}},
    })
}

fn operation(division: &str, endpoint: &Endpoint) -> Value {
    let names = endpoint
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = names
        .map(|name| parameter(name, "path", true, &json!({"type": "string"})))
        .collect();
    let Some(desk) = &endpoint.desk else {
        return json!({"tags": [division], "parameters": parameters, "responses": responses("200", &json!({"type": "object"}))});
    };
    let mut operation = json!({
        "operationId": desk.name,
        "summary": sentence(desk.name),
        "tags": [division],
        "x-hecate": extension(division, desk),
    });
    if matches!(desk.kind, DeskKind::Birth | DeskKind::Command) {
        operation["requestBody"] = json!({
            "required": desk.fields.iter().any(|field| !field.optional),
            "content": {"application/json": {"schema": body_schema(desk.fields)}},
        });
        let id = format!("{division}_id");
        let accepted = json!({
            "type": "object",
            "properties": {
                "ok": {"const": true},
                id: {"type": "string"},
                "version": {"type": ["integer", "null"]},
                "position": {"type": ["integer", "null"]},
                "visible": {"type": "boolean"},
            },
        });
        operation["responses"] = responses("201", &accepted);
    } else if let Some(table) = &desk.table {
        parameters.extend(query_parameters(desk, table));
        operation["responses"] = responses("200", &answer_schema(desk.kind, table));
    }
    operation["parameters"] = parameters.into();
    operation
}

fn extension(division: &str, desk: &Desk) -> Value {
    let mut extension = json!({"desk": desk.name, "kind": desk.kind.word(), "division": division});
    if !desk.events.is_empty() {
        extension["events"] = json!(desk.events);
    }
    if let Some(table) = &desk.table {
        extension["table"] = json!(table.name());
        extension["key"] = json!(table.key());
    }
    extension
}

fn body_schema(fields: &[Field]) -> Value {
    let property = |field: &Field| (field.name.to_owned(), field.kind.schema());
    let properties: Map<String, Value> = fields.iter().map(property).collect();
    let required: Vec<_> = fields
        .iter()
        .filter(|field| !field.optional)
        .map(|field| field.name)
        .collect();
    json!({"type": "object", "properties": properties, "required": required})
}

fn row_schema(table: &Table) -> Map<String, Value> {
    let mut properties = Map::new();
    properties.insert(
        table.key().to_owned(),
        json!({"type": "string", "format": "uuid"}),
    );
    properties.insert("version".to_owned(), json!({"type": "integer"}));
    properties.insert("status".to_owned(), json!({"type": "integer"}));
    for column in table.declared() {
        properties.insert(column.name.to_owned(), column.kind.schema());
    }
    properties
}

fn answer_schema(kind: DeskKind, table: &Table) -> Value {
    let mut row = row_schema(table);
    let properties = match kind {
        DeskKind::Count => json!({"ok": {"const": true}, "count": {"type": "integer"}}),
        DeskKind::ById => {
            row.insert("ok".to_owned(), json!({"const": true}));
            row.into()
        }
        _ => json!({
            "ok": {"const": true},
            "items": {"type": "array", "items": {"type": "object", "properties": row}},
            "next": {"type": ["string", "null"]},
        }),
    };
    json!({"type": "object", "properties": properties})
}

fn query_parameters(desk: &Desk, table: &Table) -> Vec<Value> {
    let filter = |name: &&'static str| {
        let kind = table
            .column(name)
            .map_or(FieldType::Int, |column| column.kind);
        parameter(name, "query", false, &kind.schema())
    };
    let filters = || desk.filters.iter().map(filter);
    let limit = || {
        parameter(
            "limit",
            "query",
            false,
            &json!({"type": "integer", "minimum": 1, "maximum": 200}),
        )
    };
    let after = || parameter("after", "query", false, &json!({"type": "string"}));
    let order = || {
        parameter(
            "order",
            "query",
            false,
            &json!({"type": "string", "enum": ["asc", "desc"]}),
        )
    };
    match desk.kind {
        DeskKind::Page => {
            let sortable = sortable(table, &desk.filters);
            let names: Vec<_> = sortable.iter().map(|column| column.name).collect();
            let schema = json!({"type": "string", "enum": names});
            let sort = (!names.is_empty()).then(|| parameter("sort", "query", false, &schema));
            filters()
                .chain([after()])
                .chain(sort)
                .chain([order(), limit()])
                .collect()
        }
        DeskKind::ByField(_) => vec![after(), order(), limit()],
        DeskKind::Search => vec![
            parameter("q", "query", true, &json!({"type": "string"})),
            limit(),
        ],
        DeskKind::Count => filters().collect(),
        _ => Vec::new(),
    }
}

fn parameter(name: &str, place: &str, required: bool, schema: &Value) -> Value {
    json!({"name": name, "in": place, "required": required, "schema": schema})
}

fn responses(status: &str, schema: &Value) -> Value {
    let error = json!({
        "description": "What went wrong, with a stable code",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    });
    json!({
        status: {"description": "Done", "content": {"application/json": {"schema": schema}}},
        "default": error,
    })
}

fn error_schema() -> Value {
    json!({
        "type": "object",
        "required": ["ok", "error", "code"],
        "properties": {
            "ok": {"const": false},
            "error": {"type": "string"},
            "code": {"type": "string"},
            "fields": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    })
}

/// `confirm_order` as people write it: `Confirm order`.
fn sentence(name: &str) -> String {
    let mut sentence = name.replace('_', " ");
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    sentence
}
