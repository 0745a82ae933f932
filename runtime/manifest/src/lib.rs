//! What every side of Hecate must agree on about a plugin: its manifest, its bundle, its versions.
//!
//! - [`Manifest`] is `manifest.json`, read once, into types that cannot hold a bad name or version.
//! - [`check_min_sdk`] decides whether a plugin asks for a newer SDK than there is.
//! - [`control`] is what host and plugin tell each other beside requests, [`exchange`] what plugins tell each other
//!   through it, about the topics of [`TopicFilter`].
//! - `rules` (feature `rules`) is what `hecate check` says about a manifest, with positions, and the record that
//!   every linter of the project reports in.
//! - `bundle` and `keys` (feature `bundle`) write and read the one file that a plugin is installed from. Reading
//!   is for input from anybody.
//!
//! What is absent on purpose: the terminal, HTTP, and policy. Which signatures are enough, what a permission
//! opens, and where files go is decided by those who call. Without features the crate is small, because it is
//! compiled into every plugin.
#![warn(missing_docs)]

#[cfg(feature = "bundle")]
pub mod bundle;
mod compat;
pub mod control;
pub mod exchange;
#[cfg(feature = "bundle")]
pub mod keys;
mod manifest;
mod name;
mod permission;
#[cfg(feature = "rules")]
pub mod rules;
mod topic;

pub use compat::{MinSdk, SDK_VERSION, check_min_sdk, sdk_version, suggest_version};
pub use manifest::{FileType, Manifest, ManifestError, PluginType, TrustLevel};
pub use name::{MAX_NAME_CHARS, NameError, NameFault, PluginName, suggest_name};
pub use permission::{PERMISSION_FORMS, Permission};
pub use topic::{MAX_TOPIC_BYTES, MAX_TOPIC_WORDS, Topic, TopicError, TopicFilter};
