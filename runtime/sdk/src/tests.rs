mod account;
mod care;
mod dispatch;
mod memory_store;
mod messages;
mod plugin;
mod projections;
mod sqlite_store;
