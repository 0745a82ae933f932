//! The `hecate` command and whole flows, as their users meet them. One binary: one link, and never a stale one.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests prepare and look at files and programs themselves, and a failed step is a failed test"
)]

mod bad_input;
mod bundles;
mod closed;
mod corpus;
mod delivery;
mod demo;
mod dev;
mod example;
mod features;
mod integrations;
mod killed;
mod kinds;
mod line;
mod manifests;
mod min_sdk;
mod mutations;
mod neighbours;
mod page;
mod prompts;
mod readme;
mod removing;
mod renaming;
mod requests;

mod serving;
mod store;
mod structure;
mod support;
mod swaps;
mod undo;
mod verify;
