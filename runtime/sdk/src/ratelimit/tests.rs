use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use http::{StatusCode, header};
use tokio::time::advance;
use tower::ServiceExt;

use super::{Limited, Limiter, RateLimit, RateLimitError};

const MILLISECOND: Duration = Duration::from_millis(1);

fn retry_after(limiter: &Limiter, key: &str) -> Duration {
    limiter.check(key).unwrap_err().retry_after
}

#[tokio::test(start_paused = true)]
async fn a_bucket_empties_at_once_and_fills_evenly() {
    let limiter = RateLimit::per_second(4).burst(3).limiter().unwrap();
    for _ in 0..3 {
        assert_eq!(limiter.check("a"), Ok(()));
    }
    assert_eq!(retry_after(&limiter, "a"), 250 * MILLISECOND);
    assert_eq!(limiter.check("b"), Ok(()), "each key has its own");
    advance(250 * MILLISECOND).await;
    assert_eq!(limiter.check("a"), Ok(()));
    assert!(limiter.check("a").is_err());
    // However long it rests, it holds its burst and no more.
    advance(Duration::from_secs(3600)).await;
    let passed = (0..10).filter(|_| limiter.check("a").is_ok()).count();
    assert_eq!(passed, 3);
}

#[tokio::test(start_paused = true)]
async fn asking_too_early_loses_nothing_of_what_has_come_back() {
    let limiter = RateLimit::per_second(1).limiter().unwrap();
    assert_eq!(limiter.check("a"), Ok(()));
    for milliseconds in [900, 800, 700, 600, 500, 400, 300, 200, 100] {
        advance(100 * MILLISECOND).await;
        assert_eq!(retry_after(&limiter, "a"), milliseconds * MILLISECOND);
    }
    advance(100 * MILLISECOND).await;
    assert_eq!(limiter.check("a"), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn the_time_to_wait_is_neither_short_nor_long() {
    let limiter = RateLimit::per_minute(7).burst(2).limiter().unwrap();
    assert!(limiter.check("a").is_ok() && limiter.check("a").is_ok());
    let wait = retry_after(&limiter, "a");
    advance(wait - Duration::from_nanos(1)).await;
    assert_eq!(retry_after(&limiter, "a"), Duration::from_nanos(1));
    advance(Duration::from_nanos(1)).await;
    assert_eq!(limiter.check("a"), Ok(()));
}

#[test]
fn seconds_are_rounded_up() {
    let seconds = |retry_after| Limited { retry_after }.retry_after_seconds();
    assert_eq!(seconds(Duration::from_nanos(1)), 1);
    assert_eq!(seconds(Duration::from_secs(1)), 1);
    assert_eq!(seconds(Duration::from_millis(1001)), 2);
    assert_eq!(seconds(Duration::ZERO), 1);
}

#[test]
fn what_cannot_limit_is_refused_when_it_is_made() {
    let error = |limit: RateLimit| limit.limiter().err();
    assert_eq!(
        error(RateLimit::per_second(0)),
        Some(RateLimitError::ZeroRate)
    );
    assert_eq!(
        error(RateLimit::per_second(1).burst(0)),
        Some(RateLimitError::ZeroBurst)
    );
    assert_eq!(
        error(RateLimit::per_second(1).keys(0)),
        Some(RateLimitError::ZeroKeys)
    );
    assert_eq!(error(RateLimit::per_second(1_000_000)), None);
    assert_eq!(
        error(RateLimit::per_second(1_000_001)),
        Some(RateLimitError::TooFast)
    );
    assert_eq!(
        error(RateLimit::per_hour(1).burst(u32::MAX)),
        Some(RateLimitError::TooSlow { burst: u32::MAX })
    );
    let layer = RateLimit::per_second(0).by(|_: &Request| ());
    assert_eq!(layer.err(), Some(RateLimitError::ZeroRate));
}

#[tokio::test(start_paused = true)]
async fn memory_is_bounded_and_the_longest_idle_goes_first() {
    let limiter = RateLimit::per_second(1).burst(5).keys(3).limiter().unwrap();
    for (key, requests) in [("one", 3), ("two", 1), ("three", 2)] {
        for _ in 0..requests {
            limiter.check(key).unwrap();
        }
    }
    // `two` has a full bucket again after 1 s, `three` after 2 s, `one` after 3 s.
    assert_eq!(retry_after(&limiter, "new"), Duration::from_secs(1));
    advance(Duration::from_secs(1)).await;
    assert_eq!(limiter.check("new"), Ok(()));
    assert_eq!(
        retry_after(&limiter, "two"),
        Duration::from_secs(1),
        "it made room for `new`, and now waits for `three` or `new` as any other newcomer"
    );
    // Whoever is known still has its own: what is left of 5, after 3 were used and 1 came back.
    let left = (0..10).filter(|_| limiter.check("one").is_ok()).count();
    assert_eq!(left, 3);
    assert_eq!(limiter.into_len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_queue_learns_of_use_when_it_looks() {
    let limiter = RateLimit::per_second(1)
        .burst(10)
        .keys(2)
        .limiter()
        .unwrap();
    limiter.check("early").unwrap();
    advance(100 * MILLISECOND).await;
    limiter.check("late").unwrap();
    advance(500 * MILLISECOND).await;
    // Now `early` is the one that is full later, though it was first in the queue.
    limiter.check("early").unwrap();
    assert_eq!(retry_after(&limiter, "new"), 500 * MILLISECOND);
    advance(500 * MILLISECOND).await;
    limiter.check("new").unwrap();
    let left = (0..20).filter(|_| limiter.check("early").is_ok()).count();
    assert_eq!(left, 9, "`early` was kept: a fresh bucket would have 10");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_keys_is_refused_and_spares_who_is_known() {
    let limiter = RateLimit::per_minute(60)
        .burst(60)
        .keys(1000)
        .limiter()
        .unwrap();
    limiter.check("known").unwrap();
    let mut passed = 0;
    for flood in 0..100_000_u32 {
        passed += u32::from(limiter.check(&flood).is_ok());
        if flood % 100 == 0 {
            assert_eq!(limiter.check("known").is_ok(), flood / 100 < 59);
        }
    }
    assert_eq!(passed, 999, "as many as there was room for");
    assert_eq!(limiter.into_len(), 1000);
}

#[test]
fn it_outlives_who_made_it_and_counts_each_request_once() {
    // At one in an hour nothing comes back while this runs.
    let limiter = std::thread::spawn(|| RateLimit::per_hour(1).burst(100).limiter().unwrap())
        .join()
        .unwrap();
    let ask = || {
        let limiter = limiter.clone();
        std::thread::spawn(move || (0..50).filter(|_| limiter.check("a").is_ok()).count())
    };
    let threads: Vec<_> = (0..8).map(|_| ask()).collect();
    let passed: usize = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .sum();
    assert_eq!(passed, 100);
    assert!(limiter.check("a").is_err());
}

fn by_token(request: &Request) -> Option<String> {
    let token = request.headers().get("x-token")?;
    Some(token.to_str().ok()?.to_owned())
}

async fn send(router: &Router, token: Option<&str>) -> Response {
    let mut request = Request::builder().uri("/");
    if let Some(token) = token {
        request = request.header("x-token", token);
    }
    let sent = router.clone().oneshot(request.body(Body::empty()).unwrap());
    sent.await
        .unwrap_or_else(|never: Infallible| match never {})
}

#[tokio::test(start_paused = true)]
async fn routes_answer_429_in_the_envelope_and_say_when() {
    let limit = RateLimit::per_minute(4).burst(1).by(by_token).unwrap();
    let router = Router::new().route("/", get(async || "fine")).layer(limit);
    assert_eq!(send(&router, Some("a")).await.status(), StatusCode::OK);
    advance(100 * MILLISECOND).await;
    let refused = send(&router, Some("a")).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers()[header::RETRY_AFTER], "15");
    let body = axum::body::to_bytes(refused.into_body(), 1024)
        .await
        .unwrap();
    assert_eq!(
        body,
        r#"{"ok":false,"error":"too many requests; try again in 15 s","code":"rate_limited"}"#
    );
    assert_eq!(send(&router, Some("b")).await.status(), StatusCode::OK);
    // All that have no token are one.
    assert_eq!(send(&router, None).await.status(), StatusCode::OK);
    assert_eq!(
        send(&router, None).await.status(),
        StatusCode::TOO_MANY_REQUESTS
    );
    advance(Duration::from_secs(15)).await;
    assert_eq!(send(&router, Some("a")).await.status(), StatusCode::OK);
}
