//! Providers on the loopback that speak the protocols of Ollama and OpenAI, well and badly.

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use futures_util::{StreamExt, stream};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tracing::Level;

use super::{
    Access, ChatOptions, ChatRequest, Llm, LlmConfig, LlmError, Model, Piece, Provider, StopReason,
    Tier,
};
use crate::api::ApiError;
use crate::logger::{self, LogSink};
use crate::testing::run;

const KEY: &str = "sk-very-secret-key";

type Answer = Box<dyn Fn(&str) -> Response + Send + Sync>;
type Seen = Arc<Mutex<Vec<(String, HeaderMap, Value)>>>;

/// A provider of models.
struct Stub {
    address: String,
    seen: Seen,
    server: JoinHandle<()>,
}

impl Stub {
    /// Answers requests for a path with what `answer` makes of it.
    async fn start(answer: impl Fn(&str) -> Response + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (seen, answer): (Seen, Answer) = (Seen::default(), Box::new(answer));
        let router = Router::new()
            .fallback(respond)
            .with_state((seen.clone(), Arc::new(answer)));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            seen,
            server,
        }
    }

    fn seen(&self) -> Vec<(String, HeaderMap, Value)> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn respond(State((seen, answer)): State<(Seen, Arc<Answer>)>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let path = parts.uri.path().to_owned();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    seen.lock()
        .unwrap()
        .push((path.clone(), parts.headers, body));
    answer(&path)
}

fn openai() -> Provider {
    "openai".parse().unwrap()
}

fn config() -> LlmConfig {
    let limit = Duration::from_secs(20);
    LlmConfig::default()
        .connect_within(limit)
        .list_within(limit)
        .answer_within(limit)
        .max_silence(limit)
}

/// A client of one OpenAI-like provider, with a key.
fn client_of(stub: &Stub) -> (Llm, Model) {
    let access = Access::at(format!("{}/v1", stub.address)).and_key(KEY);
    let llm = Llm::new(config().provider(openai(), access)).unwrap();
    (llm, Model::new(openai(), "gpt-4o"))
}

fn tags() -> Value {
    json!({"models": [
        {"name": "llama3.1:latest", "details": {"parameter_size": "8.0B"}},
        {"name": "llama3.2:latest", "details": {"parameter_size": "3.2B"}},
        {"name": "mixtral:latest", "details": {"parameter_size": "8x7B"}},
        {"name": "nomic-embed-text:latest", "details": {"parameter_size": "137M"}},
        {"name": "odd"},
    ]})
}

fn ask() -> ChatRequest {
    ChatRequest::from_user("a private question")
}

#[test]
fn models_are_chosen_by_what_they_are_for() {
    run(async {
        let local = Stub::start(|_| Json(tags()).into_response()).await;
        let remote = Stub::start(|_| Json(json!({"data": [{"id": "gpt-4o-mini"}, {"id": "o3"}, {"id": "text-embedding-3-small"}]})).into_response()).await;
        let config = config()
            .provider(Provider::OLLAMA, Access::at(&local.address))
            .provider(
                openai(),
                Access::at(format!("{}/v1", remote.address)).and_key(KEY),
            );
        let llm = Llm::new(config).unwrap();
        let select = async |tier, only| llm.select(tier, only).await.unwrap().to_string();
        assert_eq!(select(Tier::Fast, None).await, "ollama::llama3.2:latest");
        assert_eq!(
            select(Tier::Balanced, None).await,
            "ollama::llama3.1:latest"
        );
        assert_eq!(select(Tier::Smart, None).await, "ollama::mixtral:latest");
        assert_eq!(select(Tier::Smart, Some(openai())).await, "openai::o3");
        assert_eq!(
            select(Tier::Balanced, Some(openai())).await,
            "openai::gpt-4o-mini"
        );
        assert_eq!(llm.models(None).await.unwrap().models.len(), 8);

        let (path, headers, _) = remote.seen().remove(0);
        assert_eq!(
            (path.as_str(), &headers[header::AUTHORIZATION]),
            ("/v1/models", &format!("Bearer {KEY}").parse().unwrap())
        );
        assert_eq!(local.seen()[0].1.get(header::AUTHORIZATION), None);
        let groq = llm.select(Tier::Fast, Some("groq".parse().unwrap())).await;
        assert!(
            matches!(groq, Err(LlmError::NotConfigured { .. })),
            "{groq:?}"
        );
    });
}

#[test]
fn a_provider_that_is_down_does_not_hide_the_others() {
    run(async {
        let up = Stub::start(|_| Json(json!({"data": [{"id": "gpt-4o"}]})).into_response()).await;
        // There is no list at this address.
        let down = Stub::start(|_| StatusCode::NOT_FOUND.into_response()).await;
        let gone = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap();
        let groq: Provider = "groq".parse().unwrap();
        let broken = config()
            .provider(Provider::OLLAMA, Access::at(format!("http://{gone}")))
            .provider(groq, Access::at(&down.address));
        let llm = Llm::new(broken.clone().provider(openai(), Access::at(&up.address))).unwrap();
        let models = llm.models(None).await.unwrap();
        assert_eq!(models.models, [Model::new(openai(), "gpt-4o")]);
        let [
            LlmError::Unreachable { provider: one, .. },
            LlmError::Unavailable {
                provider: other, ..
            },
        ] = &models.failures[..]
        else {
            panic!("{:?}", models.failures)
        };
        assert_eq!((*one, *other), (Provider::OLLAMA, groq));

        let all_broken = Llm::new(broken).unwrap().select(Tier::Fast, None).await;
        assert!(
            matches!(all_broken, Err(LlmError::Unreachable { .. })),
            "{all_broken:?}"
        );
        let nobody = Llm::new(LlmConfig::default()).unwrap().models(None).await;
        assert!(matches!(nobody, Err(LlmError::NoProviders)), "{nobody:?}");
        let none = Stub::start(|_| Json(json!({"models": []})).into_response()).await;
        let none =
            Llm::new(config().provider(Provider::OLLAMA, Access::at(&none.address))).unwrap();
        assert!(matches!(
            none.select(Tier::Fast, None).await,
            Err(LlmError::NoModels)
        ));
    });
}

#[test]
fn a_model_answers() {
    run(async {
        let stub = Stub::start(|_| {
            Json(json!({
                "model": "gpt-4o-2024-08-06",
                "choices": [{"message": {"role": "assistant", "content": "forty-two"}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
            }))
            .into_response()
        })
        .await;
        let (llm, model) = client_of(&stub);
        let request = ChatRequest::from_system("Be short.")
            .append_message(super::ChatMessage::user("Say it."));
        let answer = llm
            .chat(
                &model,
                request,
                &ChatOptions::default().with_temperature(0.0),
            )
            .await
            .unwrap();
        assert_eq!(answer.first_text(), Some("forty-two"));
        assert_eq!(answer.usage.total_tokens, Some(5));
        let (path, _, body) = stub.seen().remove(0);
        assert_eq!(
            (path.as_str(), &body["model"], &body["temperature"]),
            ("/v1/chat/completions", &json!("gpt-4o"), &json!(0.0))
        );
        assert_eq!(body["messages"][1]["content"], "Say it.");
    });
}

#[test]
fn an_answer_comes_in_pieces() {
    run(async {
        let lines = ["for", "ty-", "two"]
            .map(|word| json!({"message": {"role": "assistant", "content": word}, "done": false}));
        let done = json!({"message": {"content": ""}, "done": true, "done_reason": "stop", "prompt_eval_count": 3, "eval_count": 2});
        // Cut anywhere but at the ends of lines, as a network does.
        let text = lines
            .iter()
            .chain([&done])
            .map(|line| format!("{line}\n"))
            .collect::<String>();
        let stub = Stub::start(move |_| {
            let chunks: Vec<_> = text
                .as_bytes()
                .chunks(7)
                .map(Bytes::copy_from_slice)
                .collect();
            Body::from_stream(stream::iter(
                chunks.into_iter().map(Ok::<_, std::io::Error>),
            ))
            .into_response()
        })
        .await;
        let llm = Llm::new(config().provider(Provider::OLLAMA, Access::at(&stub.address))).unwrap();
        let model = Model::new(Provider::OLLAMA, "llama3.1");
        let pieces: Vec<_> = llm
            .stream(&model, ask(), &ChatOptions::default())
            .await
            .unwrap()
            .collect()
            .await;
        let mut text = String::new();
        for piece in &pieces[..pieces.len() - 1] {
            let Ok(Piece::Text(words)) = piece else {
                panic!("{piece:?}")
            };
            text.push_str(words);
        }
        assert_eq!(text, "forty-two");
        let Some(Ok(Piece::Done {
            stop,
            usage,
            tool_calls,
        })) = pieces.last()
        else {
            panic!("{pieces:?}")
        };
        assert_eq!(stop, &Some(StopReason::Completed("stop".to_owned())));
        assert_eq!(usage.as_ref().unwrap().total_tokens, Some(5));
        assert!(tool_calls.is_empty());
        let (path, _, body) = stub.seen().remove(0);
        assert_eq!(
            (path.as_str(), &body["stream"]),
            ("/api/chat", &json!(true))
        );
    });
}

fn events(events: &[&str]) -> String {
    events
        .iter()
        .map(|event| format!("data: {event}\n\n"))
        .collect()
}

#[test]
fn an_answer_that_ends_in_the_middle_says_so() {
    run(async {
        let begun = events(&[r#"{"choices":[{"index":0,"delta":{"content":"for"}}]}"#]);
        let read = Arc::new(Notify::new());
        let breaks = read.clone();
        let stub = Stub::start(move |_| {
            let (begun, breaks) = (Bytes::from(begun.clone()), breaks.clone());
            let broken = stream::once(async { Ok(begun) }).chain(stream::once(async move {
                breaks.notified().await;
                Err(std::io::Error::other("gone"))
            }));
            let headers = [(header::CONTENT_TYPE, "text/event-stream")];
            (headers, Body::from_stream(broken)).into_response()
        })
        .await;
        let (llm, model) = client_of(&stub);
        let pieces = llm
            .stream(&model, ask(), &ChatOptions::default())
            .await
            .unwrap();
        read.notify_one();
        let pieces: Vec<_> = pieces.collect().await;
        assert!(
            matches!(&pieces[..], [Ok(Piece::Text(text)), Err(LlmError::BrokenOff { .. })] if text == "for"),
            "{pieces:?}"
        );
    });
}

#[test]
fn silence_is_not_waited_for_without_end() {
    run(async {
        let begun = events(&[r#"{"choices":[{"index":0,"delta":{"content":"for"}}]}"#]);
        let stub = Stub::start(move |path| {
            let begun = if path.ends_with("completions") {
                begun.clone()
            } else {
                String::new()
            };
            let silent = stream::iter([Ok::<_, std::io::Error>(Bytes::from(begun))])
                .chain(stream::pending());
            (
                [(header::CONTENT_TYPE, "text/event-stream")],
                Body::from_stream(silent),
            )
                .into_response()
        })
        .await;
        let short = Duration::from_millis(100);
        let at = Access::at(format!("{}/v1", stub.address));
        let of = |config: LlmConfig| Llm::new(config.provider(openai(), at.clone())).unwrap();
        let model = Model::new(openai(), "gpt-4o");

        let mut answer = of(config().max_silence(short))
            .stream(&model, ask(), &ChatOptions::default())
            .await
            .unwrap();
        assert!(matches!(answer.next().await, Some(Ok(Piece::Text(_)))));
        assert!(
            matches!(answer.next().await, Some(Err(LlmError::Timeout { limit, .. })) if limit == short)
        );
        assert!(answer.next().await.is_none());

        let whole = of(config().answer_within(short))
            .chat(&model, ask(), &ChatOptions::default())
            .await;
        assert!(matches!(whole, Err(LlmError::Timeout { .. })), "{whole:?}");
        let list = of(config().list_within(short)).models(None).await;
        assert!(matches!(list, Err(LlmError::Timeout { .. })), "{list:?}");
    });
}

/// What each bad answer is, asked for at once and in pieces.
#[test]
fn bad_answers_have_names() {
    run(async {
        for (status, body, code, http) in [
            (
                401,
                json!({"error": {"message": "no such key"}}).to_string(),
                "Unauthorized",
                "llm_failed",
            ),
            (403, String::new(), "Unauthorized", "llm_failed"),
            (404, String::new(), "NoSuchModel", "llm_failed"),
            (
                400,
                json!({"error": {"message": "too long"}}).to_string(),
                "Refused",
                "llm_failed",
            ),
            (429, String::new(), "RateLimited", "llm_rate_limited"),
            (500, "oh".to_owned(), "Unavailable", "llm_unavailable"),
            (503, String::new(), "Unavailable", "llm_unavailable"),
            (200, "not JSON".to_owned(), "Unreadable", "llm_failed"),
        ] {
            let stub = Stub::start(move |_| {
                let headers = [
                    (header::CONTENT_TYPE, "application/json"),
                    (header::RETRY_AFTER, "7"),
                ];
                (StatusCode::from_u16(status).unwrap(), headers, body.clone()).into_response()
            })
            .await;
            let (llm, model) = client_of(&stub);
            let whole = llm
                .chat(&model, ask(), &ChatOptions::default())
                .await
                .unwrap_err();
            assert!(
                format!("{whole:?}").starts_with(code),
                "{status}: {whole:?}"
            );
            if let LlmError::RateLimited { retry_after, .. } = &whole {
                assert_eq!(*retry_after, Some(Duration::from_secs(7)));
            }
            let answer = ApiError::from(whole);
            assert_eq!(answer.code(), http, "{status}");
            if status != 200 {
                let pieces = llm
                    .stream(&model, ask(), &ChatOptions::default())
                    .await
                    .err()
                    .unwrap();
                assert!(
                    format!("{pieces:?}").starts_with(code),
                    "{status}: {pieces:?}"
                );
            }
        }
    });
}

#[test]
fn what_is_not_configured_is_not_asked() {
    run(async {
        let stub = Stub::start(|_| Json(json!({})).into_response()).await;
        let (llm, _) = client_of(&stub);
        let other = Model::new(Provider::OLLAMA, "llama3.1");
        let error = llm
            .chat(&other, ask(), &ChatOptions::default())
            .await
            .unwrap_err();
        assert!(matches!(error, LlmError::NotConfigured { .. }), "{error:?}");
        assert!(stub.seen().is_empty());
    });
}

/// Every line of the log of this process.
#[derive(Default)]
struct Lines(Mutex<String>);

impl LogSink for Lines {
    fn log(&self, _: Level, line: &str) {
        let mut lines = self.0.lock().unwrap();
        lines.push_str(line);
        lines.push('\n');
    }

    fn max_level(&self) -> Level {
        Level::TRACE
    }
}

/// The provider repeats the key in its answer, as some do.
#[test]
fn neither_keys_nor_questions_are_told() {
    const ALONE: &str = "HECATE_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        // There is one log in a process, and other tests have it.
        let test = "llm::tests::neither_keys_nor_questions_are_told";
        let mut alone = Command::new(std::env::current_exe().unwrap());
        let output = alone
            .args(["--exact", test, "--nocapture"])
            .env(ALONE, "yes")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{text}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        return;
    }
    let lines = Arc::new(Lines::default());
    logger::install(lines.clone(), "test");
    run(async {
        let stub = Stub::start(|_| {
            let said = format!("the key {KEY} is not known{}", "!".repeat(300));
            let said = json!({"error": {"message": said}});
            (StatusCode::BAD_REQUEST, Json(said)).into_response()
        })
        .await;
        let (llm, model) = client_of(&stub);
        let whole = llm
            .chat(&model, ask(), &ChatOptions::default())
            .await
            .unwrap_err();
        let LlmError::Refused { message, .. } = &whole else {
            panic!("{whole:?}")
        };
        assert!(message.starts_with("the key … is not known!!"), "{message}");
        assert_eq!(message.chars().count(), 201);
        let pieces = llm.stream(&model, ask(), &ChatOptions::default()).await;
        let told = format!("{whole} {whole:?} {:?} {llm:?}", pieces.err().unwrap());
        let told = format!("{told} {:?}", ApiError::from(whole));
        assert!(
            !told.contains(KEY) && !told.contains("private question"),
            "{told}"
        );
    });
    // Not under the lock: a panic is logged too.
    let lines = lines.0.lock().unwrap().clone();
    assert!(lines.contains("a model gave no answer"), "{lines}");
    assert!(
        !lines.contains(KEY) && !lines.contains("private question"),
        "{lines}"
    );
}
