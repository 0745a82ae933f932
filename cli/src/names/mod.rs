//! Names: everything a desk is called, from one verb and one subject.
//!
//! `initiate` and `order` give the command `initiate_order_v1`, the event `order_initiated_v1`, the types
//! `InitiateOrderV1` and `OrderInitiatedV1` and the routes below `/orders`. The patterns are those of the Erlang
//! original, whose desks read like sentences:
//!
//! | verb | subject | event | because |
//! |---|---|---|---|
//! | `initiate` | `order` | `order_initiated` | subject, then past participle |
//! | `pick_up` | `passenger` | `passenger_picked_up` | a verb of several words inflects its first |
//! | `assign` | `agent_to_team` | `agent_assigned_to_team` | what follows the first noun follows the verb |
//! | `confirm` | `container_down` | `container_confirmed_down` | so does a particle at the end |
//! | `join` | `game` | `player_joined` | by override: the event tells something else |
//!
//! [`Name`] is the one kind of name, [`Desk`] puts two of them together, [`past`] and [`plural`] know English by rules
//! and by the tables in `data/`, [`Versioned`] adds the revision. The checks are apart from all this: [`check_field`],
//! [`check_value`] and [`check_crate`] refuse what cannot stand alone in Rust, TypeScript or SQL, [`check_subject`] what
//! cannot be taken apart again, [`check_thing`] and [`check_table`] what a plugin has of itself; [`crud_verb`] and [`near`] only advise. A division may be called `match` or `order`,
//! since everything made of its name has a second word.
//!
//! What is absent on purpose: files, settings, and a list of the desks there are. Everything here is a function of its
//! arguments. British spelling is used throughout (`cancelled`), as upstream does.

mod crud;
mod desk;
mod name;
mod near;
mod past;
mod phrase;
mod plural;
mod reserved;
mod table;
mod versioned;

pub use crud::{Crud, crud_event, crud_verb};
pub use desk::{Desk, DeskError, EventError, Overrides, OverridesError};
pub use name::{Fault, Name, NameError};
pub use near::{Closeness, Near, near};
pub use past::past;
pub use plural::{plural, singular};
pub use reserved::{
    ReservedError, check_crate, check_field, check_subject, check_table, check_thing, check_value,
};
pub use versioned::{Versioned, VersionedError};

#[cfg(test)]
mod tests;
