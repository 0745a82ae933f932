//! The manifest as types.

use semver::Version;
use serde_json::{Map, Value};

use super::reader::{Reader, text_in};
use super::{ManifestError, PluginType, TrustLevel};
use crate::{Permission, PluginName};

/// A plugin's manifest: ours and upstream's fields. Nothing of the file is lost: what is not known is in
/// [`Self::extra`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Manifest {
    /// Technical name: the plugin's route, directory and package.
    pub name: PluginName,
    /// Version of the plugin.
    pub version: Version,
    /// Oldest SDK that the plugin runs on, as written; see [`crate::check_min_sdk`].
    pub min_sdk_version: Option<String>,
    /// What kind of plugin it is; a manifest that does not say is upstream's container.
    pub plugin_type: PluginType,
    /// Name for people.
    pub display_name: Option<String>,
    /// What the plugin is for, in one line.
    pub description: Option<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// SPDX expression.
    pub license: Option<String>,
    /// Where its source is.
    pub repository: Option<String>,
    /// An emoji, the name of one, or a file of the frontend.
    pub icon: Option<String>,
    /// Custom element that the frontend defines.
    pub tag: Option<String>,
    /// Whether a path without a file is answered with the page: the frontend has a router of its own.
    pub spa_fallback: bool,
    /// How far the author asks to be trusted.
    pub trust_level: Option<TrustLevel>,
    /// What the plugin asks for. What is not here is denied.
    pub permissions: Vec<Permission>,
    /// What the frontend asks of the native shell: `true`, or options.
    pub native_capabilities: Map<String, Value>,
    /// Upstream's numbering of its daemon, at the top level or in `appstore`. Reported, never enforced.
    pub min_daemon_version: Option<String>,
    /// Kinds of document that the plugin opens.
    pub file_types: Vec<FileType>,
    /// Upstream's entry in its store, kept as it is.
    pub appstore: Option<Map<String, Value>>,
    /// Fields that are not known here.
    pub extra: Map<String, Value>,
}

/// A kind of document that a plugin opens.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileType {
    /// Technical name; `type` in the manifest.
    pub kind: String,
    /// Name for people.
    pub label: Option<String>,
    /// As [`Manifest::icon`].
    pub icon: Option<String>,
    /// Whether the plugin can start an empty one.
    pub can_create: bool,
    /// Extensions of foreign files that it can read, with their dot: `.md`.
    pub import_extensions: Vec<String>,
}

impl Manifest {
    /// Reads the text of a `manifest.json`.
    ///
    /// Permissions, trust levels and plugin types that are not known are kept, not refused; `min_sdk_version`
    /// is not looked into. Of a key that stands twice the last counts.
    ///
    /// # Errors
    ///
    /// The first fault, as [`ManifestError`]: not JSON, no `name` or `version` or one that cannot be used, or a
    /// known field of another type.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let mut fields = Reader::of_text(text)?;
        let name = fields.required_text("name")?;
        let version = fields.required_text("version")?;
        let appstore = fields.object("appstore")?;
        let min_of_appstore = text_in(appstore.as_ref(), "appstore", "min_daemon_version")?;
        Ok(Self {
            name: PluginName::parse(&name).map_err(ManifestError::Name)?,
            version: Version::parse(&version).map_err(|source| ManifestError::Version {
                text: version,
                source,
            })?,
            min_sdk_version: fields.text("min_sdk_version")?,
            plugin_type: match fields.text("plugin_type")? {
                Some(word) => PluginType::parse(&word),
                None => PluginType::default(),
            },
            display_name: fields.text("display_name")?,
            description: fields.text("description")?,
            author: fields.text("author")?,
            license: fields.text("license")?,
            repository: fields.text("repository")?,
            icon: fields.text("icon")?,
            tag: fields.text("tag")?,
            spa_fallback: fields.flag("spa_fallback")?.unwrap_or(false),
            trust_level: fields
                .text("trust_level")?
                .map(|word| TrustLevel::parse(&word)),
            permissions: fields
                .texts("permissions")?
                .iter()
                .map(|text| Permission::parse(text))
                .collect(),
            native_capabilities: fields.object("native_capabilities")?.unwrap_or_default(),
            min_daemon_version: fields.text("min_daemon_version")?.or(min_of_appstore),
            file_types: fields
                .objects("file_types")?
                .into_iter()
                .map(FileType::read)
                .collect::<Result<_, _>>()?,
            appstore,
            extra: fields.rest(),
        })
    }

    /// What to call the plugin when speaking to people.
    pub fn title(&self) -> &str {
        match &self.display_name {
            Some(display_name) if !display_name.trim().is_empty() => display_name,
            _ => self.name.as_str(),
        }
    }
}

impl FileType {
    fn read(mut fields: Reader) -> Result<Self, ManifestError> {
        Ok(Self {
            kind: fields.required_text("type")?,
            label: fields.text("label")?,
            icon: fields.text("icon")?,
            can_create: fields.flag("can_create")?.unwrap_or(false),
            import_extensions: fields.texts("import_extensions")?,
        })
    }
}
