//! One file for each verb: its arguments, and what it does with them.

pub(crate) mod bump;
pub(crate) mod bundle;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod dev;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod r#gen;
pub(crate) mod install;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod new;
pub(crate) mod ps;
pub(crate) mod reload;
pub(crate) mod remove;
pub(crate) mod rename;
pub(crate) mod schema;
pub(crate) mod serve;
mod serve_bundle;
pub(crate) mod store;
pub(crate) mod undo;
pub(crate) mod uninstall;
