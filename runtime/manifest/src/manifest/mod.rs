//! `manifest.json`: what a plugin says of itself.

mod error;
mod model;
mod reader;
mod words;

pub use error::ManifestError;
pub use model::{FileType, Manifest};
pub use words::{PluginType, TrustLevel};

#[cfg(test)]
mod tests;
