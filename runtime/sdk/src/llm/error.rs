//! What can go wrong with a model, whoever offers it and in whatever words.

use std::time::Duration;

use genai::webc;
use http::StatusCode;
use http::header::RETRY_AFTER;
use serde_json::Value;

use super::config::{Access, Provider};
use crate::api::{ApiError, chain};

/// Characters of a provider's own message that are repeated.
const MESSAGE_CHARS: usize = 200;

/// Why there is no answer. Neither keys nor what was asked are in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LlmError {
    /// There is nobody to ask.
    #[error("no provider of models is configured")]
    NoProviders,
    /// This provider is not to be asked.
    #[error("the provider `{provider}` is not configured")]
    NotConfigured {
        /// The provider.
        provider: Provider,
    },
    /// The providers have no model that chats.
    #[error("there is no model to choose from")]
    NoModels,
    /// The provider has no such model.
    #[error("`{provider}` has no model `{model}`")]
    NoSuchModel {
        /// The provider.
        provider: Provider,
        /// The model.
        model: String,
    },
    /// The provider does not know the key, or wants one.
    #[error("`{provider}` does not accept the key")]
    Unauthorized {
        /// The provider.
        provider: Provider,
    },
    /// The provider was asked too often.
    #[error("`{provider}` was asked too often")]
    RateLimited {
        /// The provider.
        provider: Provider,
        /// When to ask again, if it says so.
        retry_after: Option<Duration>,
    },
    /// The provider does not do what was asked.
    #[error("`{provider}` refuses the request ({status}): {message}")]
    Refused {
        /// The provider.
        provider: Provider,
        /// Its status.
        status: StatusCode,
        /// The beginning of its message.
        message: String,
    },
    /// The provider has troubles of its own.
    #[error("`{provider}` cannot answer right now ({status})")]
    Unavailable {
        /// The provider.
        provider: Provider,
        /// Its status.
        status: StatusCode,
    },
    /// Nobody answers at its address.
    #[error("`{provider}` cannot be reached")]
    Unreachable {
        /// The provider.
        provider: Provider,
        /// Why, without the address.
        source: reqwest::Error,
    },
    /// It took too long.
    #[error("`{provider}` did not answer within {} s", limit.as_secs_f32())]
    Timeout {
        /// The provider.
        provider: Provider,
        /// How long it had.
        limit: Duration,
    },
    /// The answer ended in the middle.
    #[error("the answer of `{provider}` broke off")]
    BrokenOff {
        /// The provider.
        provider: Provider,
    },
    /// The answer is not of the form that its protocol has.
    #[error("the answer of `{provider}` cannot be read: {reason}")]
    Unreadable {
        /// The provider.
        provider: Provider,
        /// What is wrong.
        reason: &'static str,
    },
    /// The request cannot be put to this model.
    #[error("the request cannot be put to `{provider}`: {reason}")]
    Request {
        /// The provider.
        provider: Provider,
        /// Why.
        reason: String,
    },
    /// The client for requests could not be made.
    #[error("no HTTP client can be made")]
    Client(#[source] genai::BoxError),
}

/// Who was asked: what an error is told with.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) provider: Provider,
    model: String,
    pub(super) access: Access,
}

impl Asked {
    pub(super) fn new(provider: Provider, model: &str, access: &Access) -> Self {
        Self {
            provider,
            model: model.to_owned(),
            access: access.clone(),
        }
    }

    pub(super) const fn timeout(&self, limit: Duration) -> LlmError {
        LlmError::Timeout {
            provider: self.provider,
            limit,
        }
    }

    /// What an error of the library means. `limit` is how long the provider had.
    pub(super) fn explain(&self, error: genai::Error, limit: Duration) -> LlmError {
        use genai::Error as E;
        let provider = self.provider;
        match error {
            E::WebModelCall { webc_error, .. } | E::WebAdapterCall { webc_error, .. } => {
                self.web(webc_error, limit)
            }
            E::HttpError {
                status,
                body,
                headers,
                ..
            } => self.status(status, &headers, &body),
            // Inside of a stream errors are boxed.
            E::WebStream { error, .. } => match error.downcast::<E>() {
                Ok(error) => self.explain(*error, limit),
                Err(error) => match error.downcast::<reqwest::Error>() {
                    Ok(error) => self.http(*error, limit),
                    Err(_) => LlmError::BrokenOff { provider },
                },
            },
            // An error event within a stream that had begun well.
            E::ChatResponse { body, .. } => LlmError::Refused {
                provider,
                status: StatusCode::OK,
                message: self.message(&body.to_string()),
            },
            E::RequiresApiKey { .. } | E::NoAuthData { .. } | E::Resolver { .. } => {
                LlmError::Unauthorized { provider }
            }
            E::ChatReqHasNoMessages { .. } => self.request("it has no messages"),
            E::LastChatMessageIsNotUser { .. } => {
                self.request("its last message is not the user's")
            }
            E::MessageRoleNotSupported { .. } => {
                self.request("one of its roles is not known there")
            }
            E::MessageContentTypeNotSupported { .. } => {
                self.request("one of its contents is of a kind that is not known there")
            }
            E::JsonModeWithoutInstruction => self.request("JSON is wanted, but no message says so"),
            E::AdapterNotSupported { feature, .. } => {
                self.request(&format!("{feature} is not known there"))
            }
            E::StreamParse { .. } => self.unreadable("a piece of it is not JSON"),
            _ => self.unreadable("something in it is missing"),
        }
    }

    fn web(&self, error: webc::Error, limit: Duration) -> LlmError {
        match error {
            webc::Error::ResponseFailedStatus {
                status,
                body,
                headers,
            } => self.status(status, &headers, &body),
            webc::Error::Reqwest(error) => self.http(error, limit),
            webc::Error::ResponseFailedNotJson { .. }
            | webc::Error::ResponseFailedInvalidJson { .. } => self.unreadable("it is not JSON"),
            webc::Error::JsonValueExt(_) => self.unreadable("something in it is missing"),
        }
    }

    pub(super) fn http(&self, error: reqwest::Error, limit: Duration) -> LlmError {
        let provider = self.provider;
        // An address may have a password in it.
        let source = error.without_url();
        if source.is_timeout() {
            LlmError::Timeout { provider, limit }
        } else if source.is_connect() || source.is_builder() {
            LlmError::Unreachable { provider, source }
        } else {
            LlmError::BrokenOff { provider }
        }
    }

    pub(super) fn status(
        &self,
        status: StatusCode,
        headers: &http::HeaderMap,
        body: &str,
    ) -> LlmError {
        let provider = self.provider;
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => LlmError::Unauthorized { provider },
            StatusCode::NOT_FOUND if !self.model.is_empty() => LlmError::NoSuchModel {
                provider,
                model: self.model.clone(),
            },
            StatusCode::TOO_MANY_REQUESTS => {
                let seconds = headers
                    .get(RETRY_AFTER)
                    .and_then(|value| value.to_str().ok()?.trim().parse().ok());
                LlmError::RateLimited {
                    provider,
                    retry_after: seconds.map(Duration::from_secs),
                }
            }
            StatusCode::NOT_FOUND => LlmError::Unavailable { provider, status },
            _ if status.is_client_error() => LlmError::Refused {
                provider,
                status,
                message: self.message(body),
            },
            _ => LlmError::Unavailable { provider, status },
        }
    }

    pub(super) const fn unreadable(&self, reason: &'static str) -> LlmError {
        LlmError::Unreadable {
            provider: self.provider,
            reason,
        }
    }

    fn request(&self, reason: &str) -> LlmError {
        LlmError::Request {
            provider: self.provider,
            reason: reason.to_owned(),
        }
    }

    /// The provider's own message, cut, and without the key, which some repeat.
    fn message(&self, body: &str) -> String {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let places = ["/error/message", "/message", "/error"];
        let said = places
            .iter()
            .find_map(|place| body.pointer(place)?.as_str());
        let mut message = said.unwrap_or("it does not say why").to_owned();
        if let Some(key) = &self.access.key
            && !key.secret().is_empty()
        {
            message = message.replace(key.secret(), "…");
        }
        if let Some((end, _)) = message.char_indices().nth(MESSAGE_CHARS) {
            message.truncate(end);
            message.push('…');
        }
        message
    }
}

impl From<LlmError> for ApiError {
    /// What a client of the plugin is told: whose fault it is, and nothing of the provider's own words.
    fn from(error: LlmError) -> Self {
        let (status, code) = match &error {
            LlmError::Request { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "llm_request"),
            LlmError::NoProviders | LlmError::NotConfigured { .. } | LlmError::NoModels => {
                (StatusCode::SERVICE_UNAVAILABLE, "llm_not_configured")
            }
            LlmError::RateLimited { .. } => (StatusCode::SERVICE_UNAVAILABLE, "llm_rate_limited"),
            LlmError::Timeout { .. } => (StatusCode::GATEWAY_TIMEOUT, "llm_timeout"),
            LlmError::Unavailable { .. } | LlmError::Unreachable { .. } => {
                (StatusCode::BAD_GATEWAY, "llm_unavailable")
            }
            LlmError::Client(_) => return Self::internal(&error),
            _ => (StatusCode::BAD_GATEWAY, "llm_failed"),
        };
        tracing::warn!(error = chain(&error), "a model gave no answer");
        let message = match &error {
            LlmError::Refused { provider, .. } => format!("`{provider}` refuses the request"),
            error => error.to_string(),
        };
        Self::new(status, code, message)
    }
}
