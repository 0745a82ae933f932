//! What `hecate` writes: one folder for each kind, embedded into the program that uses it.
//!
//! A kind's `template.toml` says what it is for and lists its files: where each one goes (itself a template), who owns
//! it, and which file below `files/` it is made from. A file that ends in `.j2` is rendered, every other one is taken
//! byte for byte. Rendering is strict: a name that the context does not have is an error that says where.
//!
//! What is absent on purpose: the contexts (the caller's, one type for each kind), formatting, and the disk.

#![warn(missing_docs)]

use std::borrow::Cow;

use include_dir::{Dir, include_dir};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use serde::{Deserialize, Serialize};

static FOLDERS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR");

/// Who may change a generated file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// The generator: the file follows from the directory tree and is rewritten each time.
    Owned,
    /// The user: it is written once.
    Seeded,
    /// Both: a parser changes a part of it and keeps the rest.
    Merged,
    /// This machine: it is not checked in.
    Local,
}

/// A kind of things that can be generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// Its name: that of its folder.
    pub id: String,
    /// What it is, in one line.
    pub description: String,
    /// Its version: raised with every change of what it writes.
    pub version: u32,
    /// Its files.
    pub files: Vec<File>,
}

/// One file of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// What it is made from, below `files/`.
    pub from: String,
    /// Where it goes, relative to the project: a template.
    pub to: String,
    /// Who may change it.
    pub owner: Owner,
    /// The list of the context that it is rendered for, once for each of its items, which it sees as `item`.
    #[serde(default)]
    pub each: Option<String>,
}

/// A file, rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Where it goes, relative to the project.
    pub path: String,
    /// Its contents.
    pub contents: Vec<u8>,
    /// Who may change it.
    pub owner: Owner,
}

/// Why a template cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// There is no such kind.
    #[error("there is no template `{0}`")]
    Unknown(String),
    /// Its `template.toml` is not right.
    #[error("`{kind}/template.toml` cannot be read: {reason}")]
    Description {
        /// The kind.
        kind: String,
        /// What is wrong.
        reason: String,
    },
    /// A file that it lists is missing.
    #[error("`{kind}/files/{file}` is listed and not there")]
    Missing {
        /// The kind.
        kind: String,
        /// The file.
        file: String,
    },
    /// A file cannot be rendered: a syntax error, or a name that the context does not have.
    #[error("`{kind}/files/{file}` cannot be rendered")]
    Render {
        /// The kind.
        kind: String,
        /// The file.
        file: String,
        /// What is wrong, with line and excerpt.
        source: minijinja::Error,
    },
}

/// All kinds.
#[derive(Debug)]
pub struct Catalog {
    environment: Environment<'static>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    description: String,
    version: u32,
    #[serde(rename = "file", default)]
    files: Vec<File>,
}

impl Catalog {
    /// The kinds that are built in.
    pub fn builtin() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build();
        if let Ok(syntax) = syntax {
            environment.set_syntax(syntax);
        }
        // Rust, TOML and JSON: nothing here is HTML that a name could break.
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        Self { environment }
    }

    /// The names of all kinds, in order.
    pub fn kinds(&self) -> Vec<&'static str> {
        let mut kinds: Vec<_> = FOLDERS
            .dirs()
            .filter(|dir| dir.contains(dir.path().join("template.toml")))
            .filter_map(|dir| dir.path().to_str())
            .collect();
        kinds.sort_unstable();
        kinds
    }

    /// The kind `id`.
    ///
    /// # Errors
    ///
    /// [`TemplateError::Unknown`] or [`TemplateError::Description`].
    pub fn kind(&self, id: &str) -> Result<Kind, TemplateError> {
        let text = FOLDERS
            .get_file(format!("{id}/template.toml"))
            .and_then(include_dir::File::contents_utf8)
            .ok_or_else(|| TemplateError::Unknown(id.to_owned()))?;
        let Description {
            description,
            version,
            files,
        } = toml_edit::de::from_str(text).map_err(|error| TemplateError::Description {
            kind: id.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Kind {
            id: id.to_owned(),
            description,
            version,
            files,
        })
    }

    /// Renders all files of the kind `id`. A file whose path is rendered to nothing is left out.
    ///
    /// # Errors
    ///
    /// [`TemplateError`].
    pub fn render<C: Serialize>(
        &self,
        id: &str,
        context: &C,
    ) -> Result<Vec<Rendered>, TemplateError> {
        let context = Value::from(Serde(context));
        let kind = self.kind(id)?;
        let mut rendered = Vec::with_capacity(kind.files.len());
        for file in &kind.files {
            match &file.each {
                None => rendered.extend(self.file(id, file, &context)?),
                Some(list) => {
                    let items = context.get_attr(list).and_then(|items| items.try_iter());
                    for item in items.map_err(|error| unrendered(id, &file.from, error))? {
                        let context = context!(item, ..context.clone());
                        rendered.extend(self.file(id, file, &context)?);
                    }
                }
            }
        }
        Ok(rendered)
    }

    /// One file, unless its path is rendered to nothing.
    fn file(
        &self,
        id: &str,
        file: &File,
        context: &Value,
    ) -> Result<Option<Rendered>, TemplateError> {
        let path = self.text(id, &file.from, &file.to, context)?;
        if path.is_empty() {
            return Ok(None);
        }
        let source = self.source(id, &file.from)?;
        let contents = if file.from.ends_with(".j2") {
            self.text(id, &file.from, &String::from_utf8_lossy(source), context)?
                .into_bytes()
        } else {
            source.to_vec()
        };
        Ok(Some(Rendered {
            path,
            contents,
            owner: file.owner,
        }))
    }

    fn source(&self, kind: &str, file: &str) -> Result<&'static [u8], TemplateError> {
        let found = FOLDERS.get_file(format!("{kind}/files/{file}"));
        let missing = || TemplateError::Missing {
            kind: kind.to_owned(),
            file: file.to_owned(),
        };
        found.map(include_dir::File::contents).ok_or_else(missing)
    }

    fn text(
        &self,
        kind: &str,
        file: &str,
        source: &str,
        context: &Value,
    ) -> Result<String, TemplateError> {
        let name: Cow<'_, str> = format!("{kind}/files/{file}").into();
        let template = self.environment.template_from_named_str(&name, source);
        let rendered = template.and_then(|template| template.render(context.clone()));
        rendered.map_err(|source| unrendered(kind, file, source))
    }
}

fn unrendered(kind: &str, file: &str, source: minijinja::Error) -> TemplateError {
    TemplateError::Render {
        kind: kind.to_owned(),
        file: file.to_owned(),
        source,
    }
}

#[cfg(test)]
mod versions;

#[cfg(test)]
mod tests {
    use super::{Catalog, File, Owner, TemplateError};

    #[test]
    fn every_kind_has_its_files_and_no_more() {
        let catalog = Catalog::builtin();
        assert!(!catalog.kinds().is_empty());
        for id in catalog.kinds() {
            let kind = catalog.kind(id).unwrap();
            let mut listed: Vec<_> = kind
                .files
                .iter()
                .map(|file| format!("{id}/files/{}", file.from))
                .collect();
            listed.sort_unstable();
            listed.dedup();
            for file in &kind.files {
                catalog.source(id, &file.from).unwrap();
                assert!(
                    catalog.environment.template_from_str(&file.to).is_ok(),
                    "{id}: {}",
                    file.to
                );
            }
            let mut there: Vec<String> = Vec::new();
            let mut folders: Vec<_> = super::FOLDERS
                .get_dir(format!("{id}/files"))
                .into_iter()
                .collect();
            while let Some(folder) = folders.pop() {
                folders.extend(folder.dirs());
                there.extend(
                    folder
                        .files()
                        .filter_map(|file| file.path().to_str().map(str::to_owned)),
                );
            }
            there.sort_unstable();
            assert_eq!(listed, there, "`{id}` lists what it has");
        }
    }

    #[test]
    fn a_name_that_the_context_lacks_is_an_error_with_its_place() {
        let catalog = Catalog::builtin();
        let context = minijinja::context!(there => 1);
        let error = catalog
            .text("plugin", "x.j2", "one\n{{ missing.thing }}\n", &context)
            .unwrap_err();
        let TemplateError::Render { source, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(source.line(), Some(2));
    }

    #[test]
    fn a_file_whose_path_comes_to_nothing_is_left_out() {
        let catalog = Catalog::builtin();
        let file = |to: &str| File {
            from: "_gitignore".to_owned(),
            to: to.to_owned(),
            owner: Owner::Seeded,
            each: None,
        };
        let of = |item: &str| {
            let context = minijinja::context!(item => item);
            let rendered = catalog.file("plugin", &file("{{ item }}"), &context);
            rendered.unwrap().map(|file| file.path)
        };
        assert_eq!((of("a"), of("")), (Some("a".to_owned()), None));
    }

    #[test]
    fn nothing_below_templates_looks_like_a_package_or_is_hidden() {
        fn walk(dir: &include_dir::Dir<'_>, found: &mut Vec<String>) {
            for file in dir.files() {
                found.push(file.path().display().to_string());
            }
            for inner in dir.dirs() {
                walk(inner, found);
            }
        }
        let catalog = Catalog::builtin();
        for id in catalog.kinds() {
            let mut found = Vec::new();
            walk(super::FOLDERS.get_dir(id).unwrap(), &mut found);
            for path in found {
                let name = path.rsplit('/').next().unwrap_or_default();
                assert!(
                    name != "Cargo.toml" && !name.starts_with('.'),
                    "{path} would be left out of a package"
                );
            }
            assert!(
                catalog
                    .kind(id)
                    .unwrap()
                    .files
                    .iter()
                    .all(|file| file.owner != Owner::Merged || file.from.ends_with(".j2"))
            );
        }
    }
}
