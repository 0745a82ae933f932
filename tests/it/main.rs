//! The `hecate` command and whole flows, as their users meet them. One binary: one link, and never a stale one.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests prepare and look at files and programs themselves, and a failed step is a failed test"
)]

mod bad_input;
mod corpus;
mod line;
mod support;
