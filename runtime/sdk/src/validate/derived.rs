//! Rules that are derived with garde, and the extractor that checks them before a handler runs.

use std::error::Error as StdError;

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use garde::Report;
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::{Invalid, Validate};
use crate::api::{ApiError, Json};
use crate::misread;

/// What is wrong with all of a body, or of a query string, is told under these names.
const BODY: &str = "body";
const QUERY: &str = "query";

/// A [`Json`] body or a [`Query`] string whose rules hold.
///
/// What does not hold is answered with 422, code `invalid`, and a message for each field; see the
/// [module](crate::validate) for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Valid<E>(pub E);

impl<T, S> FromRequest<S> for Valid<Json<T>>
where
    T: DeserializeOwned + garde::Validate<Context: Default>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let Json(value) = Json::<T>::from_request(request, state).await?;
        garde::Validate::validate(&value).map_err(|report| told(report, BODY))?;
        Ok(Self(Json(value)))
    }
}

impl<T, S> FromRequestParts<S> for Valid<Query<T>>
where
    T: DeserializeOwned + garde::Validate<Context: Default>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        let Query(value) = query.map_err(|rejection| not_readable(&rejection))?;
        garde::Validate::validate(&value).map_err(|report| told(report, QUERY))?;
        Ok(Self(Query(value)))
    }
}

/// What is derived holds for commands too: [`crate::api::Command`] asks for no more than [`Validate`].
impl<T: garde::Validate<Context: Default>> Validate for T {
    fn validate(&self) -> Result<(), Invalid> {
        Ok(garde::Validate::validate(self)?)
    }
}

impl From<Report> for Invalid {
    fn from(report: Report) -> Self {
        told(report, BODY)
    }
}

/// Messages by field. A field with several has them in one.
fn told(report: Report, whole: &str) -> Invalid {
    let mut invalid = Invalid::default();
    for (path, error) in report.into_inner() {
        let field = match path.to_string() {
            path if path.is_empty() => whole.to_owned(),
            path => path,
        };
        let message = invalid.fields.entry(field).or_default();
        if !message.is_empty() {
            message.push_str(", ");
        }
        message.push_str(error.message());
    }
    invalid
}

/// For `#[garde(custom(one_of(&["small", "large"])))]`: the text must be one of `words`.
///
/// An enum says the same in the type, and is checked while the body is read; this is for words that come from
/// elsewhere.
pub fn one_of<T: AsRef<str> + ?Sized>(
    words: &'static [&'static str],
) -> impl Fn(&T, &()) -> garde::Result {
    move |value, ()| {
        if words.contains(&value.as_ref()) {
            return Ok(());
        }
        let message = format!("must be one of {}", words.join(", "));
        Err(garde::Error::new(message))
    }
}

/// The answer to a query string that is not of the form of its type; names the parameter.
fn not_readable(rejection: &QueryRejection) -> ApiError {
    type Misread = serde_path_to_error::Error<serde::de::value::Error>;
    let mut cause: Option<&(dyn StdError + 'static)> = Some(rejection);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<Misread>() {
            return misread::told(error.path(), &error.inner().to_string(), QUERY).into();
        }
        cause = error.source();
    }
    ApiError::bad_request("bad_query", rejection.body_text())
}
