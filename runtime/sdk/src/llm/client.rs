//! Asks providers: which models there are, and models for answers.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use genai::chat::{
    ChatOptions, ChatRequest, ChatResponse, ChatStream, ChatStreamEvent, StopReason, ToolCall,
    Usage,
};
use genai::resolver::{AuthData, Endpoint, ProviderConfig};
use genai::{Client, ModelIden};
use serde::Deserialize;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::config::{Access, LlmConfig, Provider};
use super::error::{Asked, LlmError};
use super::rank::{Model, Tier, rank};

/// Where Ollama listens unless it is told otherwise.
const OLLAMA: &str = "http://localhost:11434/";
/// What is sent to servers of the own that want no key; the protocols have no way to send none.
const NO_KEY: &str = "none";

/// Asks the providers of a configuration. Cheap to clone; keep one, it holds connections.
#[derive(Debug, Clone)]
pub struct Llm {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    client: Client,
    http: reqwest::Client,
    config: LlmConfig,
}

/// The models that there are, and who could not be asked.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Models {
    /// The models, by provider in the order of the configuration, then by name.
    pub models: Vec<Model>,
    /// Why other providers' models are not among them.
    pub failures: Vec<LlmError>,
}

/// A piece of an answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum Piece {
    /// The next words.
    Text(String),
    /// The next words of what the model thinks before it answers.
    Reasoning(String),
    /// The answer is complete; nothing follows.
    Done {
        /// Why it ends here; `None` if the provider does not say, which may mean that it was cut.
        stop: Option<StopReason>,
        /// The tools that the model wants to be used.
        tool_calls: Vec<ToolCall>,
        /// What it cost, if the provider says so.
        usage: Option<Usage>,
    },
}

/// An answer as it is written. It ends after [`Piece::Done`] or an error; dropping it ends the request.
pub type PieceStream = Pin<Box<dyn Stream<Item = Result<Piece, LlmError>> + Send>>;

impl Llm {
    /// Asks the providers of `config`. Connects to nobody yet.
    ///
    /// # Errors
    ///
    /// [`LlmError::Client`] if there are no certificates to check providers with.
    pub fn new(config: LlmConfig) -> Result<Self, LlmError> {
        let http = crate::http_client_builder()
            .connect_timeout(config.connect)
            .read_timeout(config.answer.max(config.silence))
            .build()
            .map_err(|error| LlmError::Client(error.into()))?;
        let mut client = Client::builder().with_reqwest(http.clone());
        for (provider, access) in &config.providers {
            client = client.append_provider_config(provider.kind(), provider_config(access));
        }
        let client = client.build();
        let client = client.map_err(|error| LlmError::Client(error.into()))?;
        Ok(Self {
            shared: Arc::new(Shared {
                client,
                http,
                config,
            }),
        })
    }

    /// The models of all providers, or of one. A provider that cannot be asked does not keep the others' from you.
    ///
    /// # Errors
    ///
    /// [`LlmError`] of the first provider if none could be asked; [`LlmError::NoProviders`] or
    /// [`LlmError::NotConfigured`] if there is none to ask.
    pub async fn models(&self, only: Option<Provider>) -> Result<Models, LlmError> {
        let configured = &self.shared.config.providers;
        let mut lists = JoinSet::new();
        for (place, (provider, access)) in configured.iter().enumerate() {
            if only.is_none_or(|only| only == *provider) {
                let (this, asked) = (self.clone(), Asked::new(*provider, "", access));
                lists.spawn(async move { (place, this.list(&asked).await) });
            }
        }
        if lists.is_empty() {
            return Err(
                only.map_or(LlmError::NoProviders, |provider| LlmError::NotConfigured {
                    provider,
                }),
            );
        }
        let mut lists = lists.join_all().await;
        lists.sort_unstable_by_key(|(place, _)| *place);
        let (mut found, mut answered) = (Models::default(), false);
        for (_, list) in lists {
            match list {
                Ok(mut models) => {
                    answered = true;
                    models.sort_by(|one, other| one.name.cmp(&other.name));
                    found.models.append(&mut models);
                }
                Err(error) => found.failures.push(error),
            }
        }
        if answered {
            return Ok(found);
        }
        Err(found
            .failures
            .into_iter()
            .next()
            .unwrap_or(LlmError::NoModels))
    }

    /// The model to take for `tier`: the first of [`rank`], providers preferred in the order of the configuration.
    ///
    /// # Errors
    ///
    /// As [`models`](Self::models); [`LlmError::NoModels`] if none of them chats.
    pub async fn select(&self, tier: Tier, only: Option<Provider>) -> Result<Model, LlmError> {
        let found = self.models(only).await?;
        let configured = self.shared.config.providers.iter();
        let preferred: Vec<_> = configured.map(|(provider, _)| *provider).collect();
        let ranked = rank(found.models, tier, &preferred);
        ranked.into_iter().next().ok_or_else(|| {
            let mut failures = found.failures.into_iter();
            failures.next().unwrap_or(LlmError::NoModels)
        })
    }

    /// Asks a model, and waits for the whole answer.
    ///
    /// # Errors
    ///
    /// [`LlmError`]. It may have cost something all the same.
    pub async fn chat(
        &self,
        model: &Model,
        request: impl Into<ChatRequest>,
        options: &ChatOptions,
    ) -> Result<ChatResponse, LlmError> {
        let asked = self.asked(model)?;
        let limit = self.shared.config.answer;
        let client = &self.shared.client;
        let answer = client.exec_chat(iden(model), request.into(), Some(options));
        let answer = timeout(limit, answer).await;
        let answer = answer.map_err(|_| asked.timeout(limit))?;
        answer.map_err(|error| asked.explain(error, limit))
    }

    /// Asks a model for an answer in pieces. Resolves with the first of them.
    ///
    /// # Errors
    ///
    /// [`LlmError`] if the answer does not begin; what goes wrong later is in the stream.
    pub async fn stream(
        &self,
        model: &Model,
        request: impl Into<ChatRequest>,
        options: &ChatOptions,
    ) -> Result<PieceStream, LlmError> {
        let asked = self.asked(model)?;
        let config = &self.shared.config;
        let options = options.clone();
        let options = options
            .with_capture_usage(true)
            .with_capture_tool_calls(true);
        let client = &self.shared.client;
        let answer = client.exec_chat_stream(iden(model), request.into(), Some(&options));
        let answer = answer.await;
        let answer = answer.map_err(|error| asked.explain(error, config.answer))?;
        let mut rest = pieces(answer.stream, asked, config.answer, config.silence);
        match rest.next().await {
            Some(Ok(first)) => Ok(Box::pin(stream::once(async { Ok(first) }).chain(rest))),
            Some(Err(error)) => Err(error),
            None => Ok(rest),
        }
    }

    async fn list(&self, asked: &Asked) -> Result<Vec<Model>, LlmError> {
        let limit = self.shared.config.list;
        let list = async {
            if asked.provider == Provider::OLLAMA {
                return self.list_ollama(asked, limit).await;
            }
            let names = self
                .shared
                .client
                .all_model_names(asked.provider.kind(), ());
            let names = names.await.map_err(|error| asked.explain(error, limit))?;
            let models = names
                .into_iter()
                .map(|name| Model::new(asked.provider, name));
            Ok(models.collect())
        };
        timeout(limit, list)
            .await
            .map_err(|_| asked.timeout(limit))?
    }

    /// Ollama says how large its models are, which the library does not pass on: `llama3.1` alone tells nothing.
    async fn list_ollama(&self, asked: &Asked, limit: Duration) -> Result<Vec<Model>, LlmError> {
        #[derive(Deserialize)]
        struct Tags {
            models: Vec<Tag>,
        }
        #[derive(Deserialize)]
        struct Tag {
            name: String,
            #[serde(default)]
            details: Details,
        }
        #[derive(Deserialize, Default)]
        struct Details {
            #[serde(default)]
            parameter_size: String,
        }
        let base = asked.access.base().unwrap_or_else(|| OLLAMA.to_owned());
        let response = self.shared.http.get(format!("{base}api/tags")).send().await;
        let response = response.map_err(|error| asked.http(error, limit))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.text().await;
        let body = body.map_err(|error| asked.http(error, limit))?;
        if !status.is_success() {
            return Err(asked.status(status, &headers, &body));
        }
        let tags: Tags = serde_json::from_str(&body)
            .map_err(|_| asked.unreadable("it is not a list of models"))?;
        let model =
            |tag: Tag| Model::new(asked.provider, tag.name).with_size(&tag.details.parameter_size);
        Ok(tags.models.into_iter().map(model).collect())
    }

    fn asked(&self, model: &Model) -> Result<Asked, LlmError> {
        let provider = model.provider;
        let access = self.shared.config.access(provider);
        let access = access.ok_or(LlmError::NotConfigured { provider })?;
        Ok(Asked::new(provider, &model.name, access))
    }
}

fn iden(model: &Model) -> ModelIden {
    ModelIden::new(model.provider.kind(), model.name.as_str())
}

/// Everything is said: what is left open the library would look for in the environment.
fn provider_config(access: &Access) -> ProviderConfig {
    let key = access.key.as_ref().map_or(NO_KEY, |key| key.secret());
    let config = ProviderConfig::from_auth(AuthData::from_single(key));
    match access.base() {
        Some(base) => config.with_endpoint(Endpoint::from_owned(base)),
        None => config,
    }
}

/// The pieces of an answer: the first within `limit`, each further one within `silence`.
fn pieces(answer: ChatStream, asked: Asked, limit: Duration, silence: Duration) -> PieceStream {
    let begun = Some((answer, asked, limit));
    Box::pin(stream::unfold(begun, move |state| async move {
        let (mut answer, asked, limit) = state?;
        loop {
            let piece = match timeout(limit, answer.next()).await {
                Err(_) => return Some((Err(asked.timeout(limit)), None)),
                Ok(None) => {
                    let provider = asked.provider;
                    return Some((Err(LlmError::BrokenOff { provider }), None));
                }
                Ok(Some(Err(error))) => return Some((Err(asked.explain(error, limit)), None)),
                Ok(Some(Ok(ChatStreamEvent::Chunk(chunk)))) => Piece::Text(chunk.content),
                Ok(Some(Ok(ChatStreamEvent::ReasoningChunk(chunk)))) => {
                    Piece::Reasoning(chunk.content)
                }
                Ok(Some(Ok(ChatStreamEvent::End(mut end)))) => {
                    let done = Piece::Done {
                        stop: end.captured_stop_reason.take(),
                        usage: end.captured_usage.take(),
                        tool_calls: end.captured_into_tool_calls().unwrap_or_default(),
                    };
                    return Some((Ok(done), None));
                }
                // Beginnings, signs of life, and pieces of tool calls, which come whole at the end.
                Ok(Some(Ok(_))) => continue,
            };
            return Some((Ok(piece), Some((answer, asked, silence))));
        }
    }))
}
