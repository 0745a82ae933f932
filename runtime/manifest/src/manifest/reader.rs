//! Takes typed fields out of a JSON object, with errors that say where.
//!
//! Not serde's derive: its errors do not name the path, and flattening, which is needed to keep unknown fields,
//! makes them worse.

use serde_json::{Map, Value};

use super::ManifestError;

/// The fields of one object that have not been taken yet, and where the object stands.
pub(super) struct Reader {
    /// Empty for the manifest itself, else the path with a closing `.`
    prefix: String,
    fields: Map<String, Value>,
}

impl Reader {
    pub(super) fn of_text(text: &str) -> Result<Self, ManifestError> {
        let value = serde_json::from_str(text).map_err(ManifestError::Json)?;
        match value {
            Value::Object(fields) => Ok(Self {
                prefix: String::new(),
                fields,
            }),
            other => Err(ManifestError::NotAnObject {
                found: kind(&other),
            }),
        }
    }

    /// What no call has taken.
    pub(super) fn rest(self) -> Map<String, Value> {
        self.fields
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, ManifestError> {
        self.take(name, text)
    }

    pub(super) fn required_text(&mut self, name: &str) -> Result<String, ManifestError> {
        self.text(name)?.ok_or_else(|| ManifestError::Missing {
            path: self.path(name),
        })
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, ManifestError> {
        self.take(name, |path, value| match value {
            Value::Bool(flag) => Ok(flag),
            other => wrong(path, "true or false", &other),
        })
    }

    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<String>, ManifestError> {
        self.list(name, text)
    }

    pub(super) fn object(
        &mut self,
        name: &str,
    ) -> Result<Option<Map<String, Value>>, ManifestError> {
        self.take(name, object)
    }

    pub(super) fn objects(&mut self, name: &str) -> Result<Vec<Self>, ManifestError> {
        self.list(name, |path, value| {
            Ok(Self {
                prefix: format!("{path}."),
                fields: object(path, value)?,
            })
        })
    }

    fn list<T>(
        &mut self,
        name: &str,
        item: impl Fn(String, Value) -> Result<T, ManifestError>,
    ) -> Result<Vec<T>, ManifestError> {
        let items = self.take(name, |path, value| match value {
            Value::Array(values) => values
                .into_iter()
                .enumerate()
                .map(|(index, value)| item(format!("{path}[{index}]"), value))
                .collect(),
            other => wrong(path, "a list", &other),
        })?;
        Ok(items.unwrap_or_default())
    }

    fn take<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(String, Value) -> Result<T, ManifestError>,
    ) -> Result<Option<T>, ManifestError> {
        let Some(value) = self.fields.remove(name) else {
            return Ok(None);
        };
        read(self.path(name), value).map(Some)
    }

    fn path(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

/// A text inside an object that is otherwise kept as it is.
pub(super) fn text_in(
    fields: Option<&Map<String, Value>>,
    path: &str,
    name: &str,
) -> Result<Option<String>, ManifestError> {
    fields
        .and_then(|fields| fields.get(name))
        .map(|value| text(format!("{path}.{name}"), value.clone()))
        .transpose()
}

fn text(path: String, value: Value) -> Result<String, ManifestError> {
    match value {
        Value::String(text) => Ok(text),
        other => wrong(path, "a string", &other),
    }
}

fn object(path: String, value: Value) -> Result<Map<String, Value>, ManifestError> {
    match value {
        Value::Object(fields) => Ok(fields),
        other => wrong(path, "an object", &other),
    }
}

fn wrong<T>(path: String, expected: &'static str, value: &Value) -> Result<T, ManifestError> {
    Err(ManifestError::Type {
        path,
        expected,
        found: kind(value),
    })
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
