//! What the tests share: a home and a directory of their own, the command's answers as text, a daemon, a client.

mod browser;
mod daemon;
mod http;
mod project;
mod run;
mod sandbox;
mod shared;
mod small_disk;
mod specimen;
mod tree;

pub(crate) use browser::Browser;
pub(crate) use daemon::Daemon;
pub(crate) use http::{Answer, RUNTIME, get, post, send};
pub(crate) use project::Project;
pub(crate) use run::Run;
pub(crate) use sandbox::{Sandbox, checkout, target_dir};
pub(crate) use shared::{moody, orders};
pub(crate) use small_disk::SmallDisk;
pub(crate) use specimen::Specimen;
pub(crate) use tree::tree;
