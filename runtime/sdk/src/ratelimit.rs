//! Rate limits: a token bucket for each key, in front of routes or asked by hand.
//!
//! A key is whatever tells callers apart: a token, a session, the path. Each has a bucket of its own that holds `burst`
//! requests and fills at an even rate. Who finds it empty gets 429 in the one envelope, code `rate_limited`, with a
//! `Retry-After` that is true: the whole seconds after which the request goes through, if nobody else takes its place.
//!
//! ```
//! use hecate_sdk::axum::extract::Request;
//! use hecate_sdk::axum::{Router, routing::post};
//! use hecate_sdk::plugin::{InitError, Plugin, PluginContext};
//! use hecate_sdk::ratelimit::{RateLimit, RateLimitLayer};
//! use hecate_sdk::serde_json::json;
//! use hecate_sdk::testing::{TestPlugin, run};
//!
//! struct MyPlugin {
//!     limit: RateLimitLayer<fn(&Request) -> Option<String>>,
//! }
//!
//! /// Who asks: all that bring no token share one bucket.
//! fn caller(request: &Request) -> Option<String> {
//!     let token = request.headers().get("x-token")?;
//!     Some(token.to_str().ok()?.to_owned())
//! }
//!
//! impl Plugin for MyPlugin {
//!     fn manifest() -> &'static str {
//!         r#"{"name": "my-plugin", "version": "0.1.0", "plugin_type": "in_vm"}"#
//!     }
//!
//!     async fn init(_: PluginContext) -> Result<Self, InitError> {
//!         Ok(Self { limit: RateLimit::per_hour(1).burst(2).by(caller as _)? })
//!     }
//!
//!     fn routes(&self) -> Router {
//!         Router::new().route("/letters", post(async || "sent")).layer(self.limit.clone())
//!     }
//! }
//!
//! run(async {
//!     let plugin = TestPlugin::start::<MyPlugin>().await;
//!     for status in [200, 200, 429] {
//!         assert_eq!(plugin.post("/letters", json!({})).await.status, status);
//!     }
//! });
//! ```
//!
//! # Memory
//!
//! A bucket is 8 bytes under a fingerprint of its key, however long the key is, and there are at most
//! [`RateLimit::keys`] of them. A bucket that is full again is as good as none, so it makes room for a new key: the one
//! that has been full the longest first. If no bucket is full, the new key is refused until one is. So a flood of
//! made-up keys ends in refusals, and never lets a known caller have more than its share.
//!
//! Fingerprints are 64 bits under a random seed; two of ten thousand keys share a bucket with a chance of 1 in 10¹¹.
//!
//! Absent on purpose: limits across instances or restarts (a bucket lives in memory), waiting in line for a token, and a
//! ready-made key from `X-Forwarded-For`, which every client can write itself.

mod buckets;
mod layer;
#[cfg(test)]
mod tests;

use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::{Quota, RateLimiter};
use http::StatusCode;

use self::buckets::{Buckets, SinceStart};
pub use self::layer::{RateLimitLayer, RateLimitService};
use crate::api::ApiError;
use crate::metrics::{Counter, counter};

/// Keys that are told apart at most, unless [`RateLimit::keys`] says otherwise.
const KEYS: usize = 10_000;
/// The finest rate that is kept exactly enough: a microsecond for each request.
const MAX_PER_SECOND: u32 = 1_000_000;
/// The longest that an empty bucket may take to fill.
const MAX_FILL: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// How many requests a key has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a limit does nothing until it is asked: end with `by` or `limiter`"]
pub struct RateLimit {
    rate: u32,
    per: Duration,
    burst: u32,
    keys: usize,
}

/// A limit that would let everything through, or nothing: refused when it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RateLimitError {
    /// Nothing would ever go through.
    #[error("a rate of 0 lets nothing through: give at least 1")]
    ZeroRate,
    /// Nothing would ever go through.
    #[error("a burst of 0 lets nothing through: give at least 1")]
    ZeroBurst,
    /// Nothing would ever go through.
    #[error("a limit for 0 keys lets nothing through: give at least 1")]
    ZeroKeys,
    /// Finer than time is counted.
    #[error("a rate of more than {MAX_PER_SECOND} in a second is not a limit that can be kept")]
    TooFast,
    /// Slower than anybody waits.
    #[error(
        "a burst of {burst} would take more than a year to come back at this rate: give a smaller one"
    )]
    TooSlow {
        /// The burst.
        burst: u32,
    },
}

impl RateLimit {
    /// `rate` requests in a second, up to as many at once.
    pub const fn per_second(rate: u32) -> Self {
        Self::new(rate, Duration::from_secs(1))
    }

    /// `rate` requests in a minute, up to as many at once.
    pub const fn per_minute(rate: u32) -> Self {
        Self::new(rate, Duration::from_secs(60))
    }

    /// `rate` requests in an hour, up to as many at once.
    pub const fn per_hour(rate: u32) -> Self {
        Self::new(rate, Duration::from_secs(60 * 60))
    }

    const fn new(rate: u32, per: Duration) -> Self {
        Self {
            rate,
            per,
            burst: rate,
            keys: KEYS,
        }
    }

    /// How many requests a key may send at once after a rest.
    pub const fn burst(mut self, burst: u32) -> Self {
        self.burst = burst;
        self
    }

    /// How many keys are told apart at most; 10,000 unless said. What comes beyond them is told in the
    /// [module](crate::ratelimit).
    pub const fn keys(mut self, keys: usize) -> Self {
        self.keys = keys;
        self
    }

    /// A layer for routes, with the key that `key` finds in a request.
    ///
    /// A key may be an `Option`: all requests without one share a bucket.
    ///
    /// # Errors
    ///
    /// [`RateLimitError`].
    pub fn by<F, K>(self, key: F) -> Result<RateLimitLayer<F>, RateLimitError>
    where
        F: Fn(&Request) -> K + Clone,
        K: Hash,
    {
        Ok(RateLimitLayer::new(self.limiter()?, key))
    }

    /// A limiter to ask by hand.
    ///
    /// # Errors
    ///
    /// [`RateLimitError`].
    pub fn limiter(self) -> Result<Limiter, RateLimitError> {
        let rate = NonZeroU32::new(self.rate).ok_or(RateLimitError::ZeroRate)?;
        let burst = NonZeroU32::new(self.burst).ok_or(RateLimitError::ZeroBurst)?;
        if self.keys == 0 {
            return Err(RateLimitError::ZeroKeys);
        }
        let each = self.per / rate.get();
        if each < Duration::from_secs(1) / MAX_PER_SECOND {
            return Err(RateLimitError::TooFast);
        }
        // A year also keeps the limiter's own sums far from the end of its numbers.
        let fill = each
            .checked_mul(burst.get())
            .filter(|fill| *fill <= MAX_FILL);
        let fill = fill.ok_or(RateLimitError::TooSlow { burst: burst.get() })?;
        let quota = Quota::with_period(each).ok_or(RateLimitError::TooFast)?;
        let clock = SinceStart::default();
        let buckets = Buckets::new(clock.clone(), self.keys, fill - each);
        Ok(Limiter {
            shared: Arc::new(Shared {
                limiter: RateLimiter::new(quota.allow_burst(burst), buckets, clock),
                fingerprints: RandomState::new(),
                refused: counter("rate_limited_total"),
            }),
        })
    }
}

/// A limiter to ask by hand. Cheap to clone; clones share their buckets, for as long as one of them lives.
///
/// ```
/// use hecate_sdk::ratelimit::RateLimit;
///
/// let limiter = RateLimit::per_hour(60).burst(1).limiter()?;
/// assert!(limiter.check("Ada").is_ok());
/// let limited = limiter.check("Ada").unwrap_err();
/// assert_eq!(limited.retry_after_seconds(), 60);
/// assert!(limiter.check("Bob").is_ok());
/// # Ok::<(), hecate_sdk::ratelimit::RateLimitError>(())
/// ```
#[derive(Clone)]
pub struct Limiter {
    shared: Arc<Shared>,
}

struct Shared {
    limiter: RateLimiter<u64, Buckets, SinceStart, NoOpMiddleware<Nanos>>,
    fingerprints: RandomState,
    refused: Counter,
}

impl Limiter {
    /// Takes one request out of the bucket of `key`.
    ///
    /// # Errors
    ///
    /// [`Limited`] if the bucket is empty, or if there is no room for a new key. Nothing was taken.
    pub fn check<K: Hash + ?Sized>(&self, key: &K) -> Result<(), Limited> {
        let shared = &self.shared;
        let fingerprint = shared.fingerprints.hash_one(key);
        shared.limiter.check_key(&fingerprint).map_err(|refusal| {
            shared.refused.increment(1);
            Limited {
                retry_after: refusal.wait_time_from(shared.limiter.clock().now()),
            }
        })
    }

    /// How many keys it remembers.
    #[cfg(test)]
    fn into_len(self) -> usize {
        let shared = Arc::into_inner(self.shared).unwrap();
        shared.limiter.into_state_store().len()
    }
}

impl std::fmt::Debug for Limiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limiter").finish_non_exhaustive()
    }
}

/// Too many requests of one key. Answers 429 with `Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests; try again in {} s", self.retry_after_seconds())]
pub struct Limited {
    /// After this time a request goes through, if no other one takes its place.
    pub retry_after: Duration,
}

impl Limited {
    /// [`Self::retry_after`] in whole seconds, rounded up, as the header has it; at least 1.
    pub fn retry_after_seconds(self) -> u64 {
        let begun = u64::from(self.retry_after.subsec_nanos() > 0);
        (self.retry_after.as_secs() + begun).max(1)
    }
}

impl From<Limited> for ApiError {
    fn from(limited: Limited) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limited",
            limited.to_string(),
        )
        .retry_after(limited.retry_after_seconds())
    }
}

impl IntoResponse for Limited {
    fn into_response(self) -> Response {
        ApiError::from(self).into_response()
    }
}
