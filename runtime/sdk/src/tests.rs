mod account;
mod bodies;
mod care;
mod consistency;
mod crash;
mod damage;
mod dispatch;
mod killed;
mod levels;
mod memory_store;
mod messages;
mod mutants;
mod myself;
mod operate;
mod plugin;
mod projections;
mod repetitions;
mod snapshots;
mod sqlite_store;
mod stores;
mod upcasts;

/// The variable that says where a child of a test is to die.
pub(crate) const CRASH: &str = "HECATE_TEST_CRASH";

/// Dies here, as in a crash, if this process was started to die here.
pub(crate) fn crash(at: &str) {
    if std::env::var_os(CRASH).is_some_and(|asked| asked == at) {
        std::process::abort();
    }
}
