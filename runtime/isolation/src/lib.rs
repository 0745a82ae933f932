//! A plugin in a process of its own: what daemon and runner say to each other.
//!
//! [`frames`] is the form of it: how calls, answers and bodies share one socket, and how none of them takes more than
//! its part. What is absent on purpose: sockets, processes, and what a frame means to either end.

#![warn(missing_docs)]

pub mod frames;
