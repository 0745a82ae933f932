//! What the host asks beside requests.

use std::sync::Arc;
use std::time::Duration;

use hecate_abi::control;
use hecate_manifest::control::{Acquire, StartConfig, StoreAsk};
use hecate_manifest::exchange::HopesAsk;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Inner;
use crate::messages::Messages;
use crate::paths::Paths;
use crate::running::StartError;
use crate::{logger, metrics};

/// How often the host gets the metrics.
const METRICS_EVERY: Duration = Duration::from_secs(1);

pub(super) async fn carry_out(
    inner: Arc<Inner>,
    operation: u32,
    payload: Vec<u8>,
) -> Result<Vec<u8>, StartError> {
    let unreadable =
        |error: serde_json::Error| StartError(format!("the payload cannot be read: {error}"));
    let not_running = || StartError("the plugin has not started".to_owned());
    let done = || Ok(b"null".to_vec());
    match operation {
        control::START => {
            let config: StartConfig = serde_json::from_slice(&payload).map_err(unreadable)?;
            let paths = Paths::of(&config);
            metrics::install();
            logger::install(Arc::new(inner.host), "");
            let running = (inner.start)(config).await?;
            logger::install(Arc::new(inner.host), &running.started.name);
            let started = serde_json::to_vec(&running.started).map_err(unreadable)?;
            inner
                .running
                .set((Arc::new(running), paths))
                .map_err(|_| StartError("it has started before".to_owned()))?;
            let host = inner.host;
            tokio::spawn(async move {
                loop {
                    host.push_metrics();
                    tokio::time::sleep(METRICS_EVERY).await;
                }
            });
            Ok(started)
        }
        control::ACQUIRE_STORE => {
            let Acquire { epoch } = serde_json::from_slice(&payload).map_err(unreadable)?;
            let (running, paths) = inner.running.get().ok_or_else(not_running)?;
            running.acquire(paths, epoch).await?;
            done()
        }
        control::RELEASE_STORE => {
            inner
                .running
                .get()
                .ok_or_else(not_running)?
                .0
                .release()
                .await;
            done()
        }
        control::HEALTH => {
            let health = inner.running.get().ok_or_else(not_running)?.0.health();
            serde_json::to_vec(&health).map_err(unreadable)
        }
        control::STORE => {
            let ask: StoreAsk = serde_json::from_slice(&payload).map_err(unreadable)?;
            let (running, paths) = inner.running.get().ok_or_else(not_running)?;
            let answer = running.look_after(paths, &ask).await?;
            serde_json::to_vec(&answer).map_err(unreadable)
        }
        control::FACTS
        | control::DELIVER
        | control::HOPES
        | control::ANSWER
        | control::FEEDBACK => {
            let (running, _) = inner.running.get().ok_or_else(not_running)?;
            exchange(running.messages(), operation, &payload).await
        }
        control::SHUTDOWN => {
            if let Some((running, _)) = inner.running.get() {
                running.shutdown().await;
            }
            done()
        }
        other => Err(StartError(format!(
            "operation {other} is not known to this SDK"
        ))),
    }
}

/// What concerns other plugins.
async fn exchange(
    messages: &Messages,
    operation: u32,
    payload: &[u8],
) -> Result<Vec<u8>, StartError> {
    fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<T, StartError> {
        serde_json::from_slice(payload)
            .map_err(|error| StartError(format!("the payload cannot be read: {error}")))
    }
    fn written(answer: &impl Serialize) -> Result<Vec<u8>, StartError> {
        serde_json::to_vec(answer)
            .map_err(|error| StartError(format!("the answer cannot be written: {error}")))
    }
    match operation {
        control::FACTS => written(&messages.facts(read(payload)?).await?),
        control::DELIVER => written(&messages.deliver(read(payload)?).await?),
        control::HOPES => {
            let HopesAsk { wait_ms } = read(payload)?;
            written(&messages.hopes(Duration::from_millis(wait_ms)).await)
        }
        control::ANSWER => written(&messages.answer(read(payload)?).await.map_err(StartError)?),
        _ => {
            messages.feedback(read(payload)?);
            written(&())
        }
    }
}
