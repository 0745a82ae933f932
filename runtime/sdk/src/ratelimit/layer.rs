//! A limit in front of routes, as a tower layer.

use std::future::{Ready, ready};
use std::hash::Hash;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::future::Either;
use tower::{Layer, Service};

use super::Limiter;

/// Puts a limit in front of routes: `Router::layer`, or `route_layer` for known paths alone.
///
/// Clones share their buckets, so one limit can stand in front of several routers.
#[derive(Debug, Clone)]
pub struct RateLimitLayer<F> {
    limiter: Limiter,
    key: F,
}

impl<F> RateLimitLayer<F> {
    pub(super) const fn new(limiter: Limiter, key: F) -> Self {
        Self { limiter, key }
    }
}

impl<S, F: Clone> Layer<S> for RateLimitLayer<F> {
    type Service = RateLimitService<S, F>;

    fn layer(&self, inner: S) -> Self::Service {
        RateLimitService {
            inner,
            limiter: self.limiter.clone(),
            key: self.key.clone(),
        }
    }
}

/// Routes behind a limit.
#[derive(Debug, Clone)]
pub struct RateLimitService<S, F> {
    inner: S,
    limiter: Limiter,
    key: F,
}

impl<S, F, K> Service<Request> for RateLimitService<S, F>
where
    S: Service<Request, Response = Response>,
    F: Fn(&Request) -> K,
    K: Hash,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Either<Ready<Result<Response, S::Error>>, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let key = (self.key)(&request);
        match self.limiter.check(&key) {
            Ok(()) => Either::Right(self.inner.call(request)),
            Err(limited) => Either::Left(ready(Ok(limited.into_response()))),
        }
    }
}
