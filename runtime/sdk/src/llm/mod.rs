//! Language models of whoever offers them: chosen by what they are for, not by their names.
//!
//! A plugin asks for a [`Tier`]; which model that is depends on the providers that its user has. [`rank`] decides it
//! from names and sizes alone: the same models give the same choice, in whatever order they were listed.
//!
//! ```no_run
//! use hecate_sdk::llm::{ChatMessage, ChatOptions, ChatRequest, Llm, LlmConfig, LlmError, Tier};
//!
//! # async fn summary(document: &str) -> Result<(), LlmError> {
//! let llm = Llm::new(LlmConfig::from_vars(std::env::vars()))?;
//! let model = llm.select(Tier::Balanced, None).await?;
//! let request = ChatRequest::from_system("Answer in one sentence.")
//!     .append_message(ChatMessage::user(format!("What does this say? {document}")));
//! let reply = llm.chat(&model, request, &ChatOptions::default()).await?;
//! println!("{model}: {}", reply.first_text().unwrap_or_default());
//! # Ok(())
//! # }
//! ```
//!
//! An answer as it is written:
//!
//! ```no_run
//! use hecate_sdk::futures_util::StreamExt;
//! use hecate_sdk::llm::{ChatOptions, ChatRequest, Llm, LlmError, Model, Piece};
//!
//! # async fn tell(llm: &Llm, model: &Model) -> Result<(), LlmError> {
//! let request = ChatRequest::from_user("Tell me a story.");
//! let mut story = llm.stream(model, request, &ChatOptions::default()).await?;
//! while let Some(piece) = story.next().await {
//!     if let Piece::Text(text) = piece? {
//!         print!("{text}");
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Requests and answers are those of the [`genai`] crate, which speaks every provider's protocol; what it
//! can do beyond this (tools, pictures) is reached through them. Keys come from what the host gives to the plugin, are
//! sent to the provider they are for, and are shown nowhere: not in logs, errors or debug output. A plugin needs the
//! permission for its providers' ports.
//!
//! Absent on purpose: retries (an answer may have been paid for) and prices (they change without notice).

mod client;
mod config;
mod error;
mod name;
mod rank;

pub use client::{Llm, Models, Piece, PieceStream};
pub use config::{Access, Key, LlmConfig, Provider, UnknownProvider};
pub use error::LlmError;
pub use genai::chat::{
    ChatMessage, ChatOptions, ChatRequest, ChatResponse, StopReason, ToolCall, Usage,
};
pub use rank::{Model, Tier, UnknownTier, rank};

#[cfg(test)]
mod tests;
