//! What stands for each module that a plugin on the Erlang platform had at hand. Documentation only.
//!
//! # `json`
//!
//! [`serde_json`]. A derive is told where its crate lies:
//!
//! ```
//! use hecate_sdk::serde::{Deserialize, Serialize};
//! use hecate_sdk::serde_json;
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! #[serde(crate = "hecate_sdk::serde")]
//! struct Order {
//!     customer: String,
//!     note: Option<String>,
//! }
//!
//! let order: Order = serde_json::from_str(r#"{"customer": "Ada"}"#)?;
//! assert_eq!(order, Order { customer: "Ada".to_owned(), note: None });
//! assert_eq!(serde_json::to_string(&order)?, r#"{"customer":"Ada","note":null}"#);
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! # `ets`
//!
//! What can be had again is kept in a cache that is bounded in number and age: `moka`, feature `cache`.
#![cfg_attr(feature = "cache", doc = "```")]
#![cfg_attr(not(feature = "cache"), doc = "```ignore")]
//! use std::time::Duration;
//!
//! use hecate_sdk::moka::sync::Cache;
//!
//! let forecasts: Cache<String, String> =
//!     Cache::builder().max_capacity(1000).time_to_live(Duration::from_secs(600)).build();
//! // Asked for twice at the same moment it is computed once.
//! let forecast = forecasts.get_with("Ghent".to_owned(), || "rain".to_owned());
//! assert_eq!(forecast, "rain");
//! assert_eq!(forecasts.get("Ghent").as_deref(), Some("rain"));
//! assert_eq!(forecasts.get("Bruges"), None);
//! ```
//! What must not be lost is a read model: see `mnesia`.
//!
//! # `pg`
//!
//! Within a plugin, [`live`](crate::live) tells whoever listens about each stored event; what else its parts tell each
//! other goes through a channel of [`tokio`], whose subscribers come and go:
//!
//! ```
//! use hecate_sdk::tokio::sync::broadcast;
//!
//! # hecate_sdk::testing::run(async {
//! let members = broadcast::Sender::new(16);
//! let (mut one, mut other) = (members.subscribe(), members.subscribe());
//! assert_eq!(members.send("the shop is open").ok(), Some(2));
//! assert_eq!(one.recv().await, Ok("the shop is open"));
//! assert_eq!(other.recv().await, Ok("the shop is open"));
//! # });
//! ```
//!
//! # `logger`
//!
//! [`tracing`]. Every event becomes one line of JSON for the host, with the plugin's name in it:
//!
//! ```
//! use hecate_sdk::tracing;
//!
//! let (order, cents) = ("a1", 1250);
//! tracing::info!(order, cents, "an order was paid");
//! ```
//!
//! # `crypto`
//!
//! `sha2` and `rand`, feature `crypto`.
#![cfg_attr(feature = "crypto", doc = "```")]
#![cfg_attr(not(feature = "crypto"), doc = "```ignore")]
//! use hecate_sdk::rand::{self, RngExt};
//! use hecate_sdk::sha2::{Digest, Sha256};
//!
//! let digest = Sha256::digest("hecate");
//! assert_eq!(digest[..4], [0x2d, 0x3a, 0xd4, 0xcd]);
//!
//! // From a generator that is seeded by the system and cannot be predicted: fit for tokens.
//! let token: [u8; 32] = rand::random();
//! assert_ne!(token, rand::random::<[u8; 32]>());
//! let die = rand::rng().random_range(1..=6);
//! assert!((1..=6).contains(&die));
//! ```
//!
//! # `calendar`, `qdate`
//!
//! [`jiff`]: instants, dates, and what lies between them.
//!
//! ```
//! use hecate_sdk::jiff::{ToSpan, Timestamp, civil::date};
//!
//! let stored: Timestamp = "2026-03-28T22:30:00Z".parse()?;
//! assert_eq!((stored + 90.minutes()).to_string(), "2026-03-29T00:00:00Z");
//!
//! let due = date(2026, 1, 31).checked_add(1.month())?;
//! assert_eq!(due, date(2026, 2, 28));
//! assert_eq!(due.weekday(), hecate_sdk::jiff::civil::Weekday::Saturday);
//! # Ok::<(), hecate_sdk::jiff::Error>(())
//! ```
//!
//! # `mnesia`
//!
//! SQLite. What follows from events is a [`projection`](crate::projection), whose rows [`queries`](crate::queries) and
//! [`Division::query`](crate::division::Division::query) read; for anything else there is [`rusqlite`]:
//!
//! ```
//! use hecate_sdk::rusqlite::{Connection, params};
//!
//! let mut database = Connection::open_in_memory()?;
//! database.execute_batch("CREATE TABLE stock (item TEXT PRIMARY KEY, number INTEGER NOT NULL CHECK (number >= 0)) STRICT")?;
//! database.execute("INSERT INTO stock VALUES (?1, ?2)", params!["lamp", 3])?;
//!
//! // All of it or nothing, as `mnesia:transaction`.
//! let sale = database.transaction()?;
//! sale.execute("UPDATE stock SET number = number - 1 WHERE item = ?1", ["lamp"])?;
//! sale.commit()?;
//! let sold_out = database.execute("UPDATE stock SET number = number - 3 WHERE item = ?1", ["lamp"]);
//! assert!(sold_out.is_err());
//! let left: i64 = database.query_row("SELECT number FROM stock WHERE item = ?1", ["lamp"], |row| row.get(0))?;
//! assert_eq!(left, 2);
//! # Ok::<(), hecate_sdk::rusqlite::Error>(())
//! ```
