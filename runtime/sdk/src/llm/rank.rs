//! Which of several models to take: pure, total, and the same whatever order they are listed in.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::config::Provider;
use super::name::Name;

/// Sizes, in parameters, from which a model is more than `fast`, and more than `balanced`.
const BALANCED_FROM: u64 = 7_000_000_000;
const SMART_ABOVE: u64 = 34_000_000_000;

/// Words by which providers say what a model is for, where it has no size. The cheaper word counts: `flash-lite`.
const FAST_WORDS: &[&str] = &[
    "fast", "flash", "haiku", "instant", "lite", "micro", "mini", "nano", "small", "tiny",
];
const BALANCED_WORDS: &[&str] = &["medium", "plus", "sonnet"];
const SMART_WORDS: &[&str] = &[
    "heavy", "large", "max", "opus", "pro", "qwq", "r1", "reasoner", "ultra",
];
/// Words of models that do not chat.
const OTHER_WORDS: &[&str] = &[
    "audio",
    "babbage",
    "bge",
    "dall",
    "davinci",
    "embed",
    "embedding",
    "embeddings",
    "guard",
    "image",
    "imagen",
    "minilm",
    "moderation",
    "realtime",
    "rerank",
    "reranker",
    "sora",
    "speech",
    "stt",
    "transcribe",
    "tts",
    "veo",
    "whisper",
];

/// What a model is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// To sort, extract and answer simple questions: the small and cheap ones.
    Fast,
    /// To summarize, write and analyse: most tasks.
    Balanced,
    /// To reason and plan: the largest.
    Smart,
}

/// A model that can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Model {
    /// Who offers it.
    pub provider: Provider,
    /// What its provider calls it.
    pub name: String,
    /// How many parameters it has, if its provider or its name says so.
    pub parameters: Option<u64>,
}

impl Model {
    /// The model that `provider` calls `name`; its size is read from the name.
    pub fn new(provider: Provider, name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            provider,
            parameters: Name::parse(&name).parameters,
            name,
        }
    }

    /// The model with the size that its provider states, such as `8.0B`.
    pub(super) fn with_size(mut self, size: &str) -> Self {
        self.parameters = super::name::parameters(size).or(self.parameters);
        self
    }

    /// What it is for: by its size, where that is known, or by what its name says; otherwise [`Tier::Balanced`].
    pub fn tier(&self) -> Tier {
        match self.parameters {
            Some(parameters) if parameters < BALANCED_FROM => return Tier::Fast,
            Some(parameters) if parameters <= SMART_ABOVE => return Tier::Balanced,
            Some(_) => return Tier::Smart,
            None => {}
        }
        let name = Name::parse(&self.name);
        let version = name.version.first().copied();
        match (name.family.as_str(), version) {
            // Models that reason at length, small as the smaller may be.
            ("o", Some(_)) if name.has(&["mini"]) => Tier::Balanced,
            ("o", Some(_)) => Tier::Smart,
            _ if name.has(FAST_WORDS) => Tier::Fast,
            _ if name.has(BALANCED_WORDS) => Tier::Balanced,
            _ if name.has(SMART_WORDS) => Tier::Smart,
            ("gpt", Some(..=3)) => Tier::Fast,
            ("gpt", Some(5..)) => Tier::Smart,
            _ => Tier::Balanced,
        }
    }

    /// Whether it answers in text: not one for embeddings, speech or pictures.
    pub fn chats(&self) -> bool {
        !Name::parse(&self.name).has(OTHER_WORDS)
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.provider, self.name)
    }
}

/// Puts the models that chat in the order in which to take them for `tier`.
///
/// First those of the tier, then those of the next; where two are as near, the cheaper. Within a tier first those of
/// the providers in `preferred`, in its order; then the larger (those of unknown size last), then, within a family, the
/// newer; then by name. Models listed twice are there once.
///
/// ```
/// use hecate_sdk::llm::{Model, Tier, rank};
///
/// let model = |name: &str| Model::new("ollama".parse().unwrap(), name);
/// let models = [model("phi3:3.8b"), model("llama3:70b"), model("llama3:8b"), model("nomic-embed-text")];
/// let names = |tier| rank(models.clone(), tier, &[]).into_iter().map(|model| model.name).collect::<Vec<_>>();
/// assert_eq!(names(Tier::Fast), ["phi3:3.8b", "llama3:8b", "llama3:70b"]);
/// assert_eq!(names(Tier::Smart), ["llama3:70b", "llama3:8b", "phi3:3.8b"]);
/// ```
pub fn rank(
    models: impl IntoIterator<Item = Model>,
    tier: Tier,
    preferred: &[Provider],
) -> Vec<Model> {
    let mut ranked: Vec<Model> = models.into_iter().filter(Model::chats).collect();
    ranked.sort_by_cached_key(|model| {
        let name = Name::parse(&model.name);
        let preferred = preferred
            .iter()
            .position(|provider| *provider == model.provider);
        (
            distance(tier, model.tier()),
            preferred.unwrap_or(usize::MAX),
            Reverse(model.parameters),
            name.family,
            Reverse((name.version, name.date)),
            model.name.clone(),
            model.provider,
        )
    });
    ranked.dedup_by(|one, other| one.name == other.name && one.provider == other.provider);
    ranked
}

/// How far a tier is from the wanted one.
fn distance(wanted: Tier, has: Tier) -> u8 {
    match (wanted, has) {
        _ if wanted == has => 0,
        (Tier::Balanced, Tier::Fast) | (Tier::Fast | Tier::Smart, Tier::Balanced) => 1,
        _ => 2,
    }
}

/// A word that is no tier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no tier: it is `fast`, `balanced` or `smart`")]
pub struct UnknownTier(pub String);

impl FromStr for Tier {
    type Err = UnknownTier;

    fn from_str(text: &str) -> Result<Self, UnknownTier> {
        match text {
            "fast" => Ok(Self::Fast),
            "balanced" => Ok(Self::Balanced),
            "smart" => Ok(Self::Smart),
            _ => Err(UnknownTier(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::{Model, Tier, rank};
    use crate::llm::Provider;

    fn provider(name: &str) -> Provider {
        name.parse().unwrap()
    }

    fn model(name: &str) -> Model {
        Model::new(provider("ollama"), name)
    }

    #[test]
    fn tiers_of_known_models() {
        for (tier, names) in [
            (
                Tier::Fast,
                &[
                    "claude-haiku-4-5-20251001",
                    "claude-3-5-haiku-latest",
                    "gpt-4o-mini",
                    "gpt-4.1-nano",
                    "gpt-5-mini",
                    "gpt-3.5-turbo",
                    "gemini-2.5-flash",
                    "gemini-2.5-flash-lite",
                    "mistral-small-latest",
                    "phi3:mini",
                    "phi-3:3.8b",
                    "llama3.2:3b",
                    "smollm2:135m",
                    "bloom-500M",
                    "grok-4-fast",
                ][..],
            ),
            (
                Tier::Balanced,
                &[
                    "claude-sonnet-4-6-20260101",
                    "gpt-4o",
                    "gpt-4.1",
                    "o4-mini",
                    "o3-mini",
                    "o1-mini",
                    "mistral-medium",
                    "deepseek-chat",
                    "deepseek-v3",
                    "llama3.1",
                    "llama3:8b",
                    "qwen2.5:14b",
                    "mistral-small:24b",
                    "qwq:32b",
                    "gemma2:27b",
                    "qwen3:30b-a3b",
                    "some-model",
                ],
            ),
            (
                Tier::Smart,
                &[
                    "claude-opus-4-6-20260101",
                    "o1",
                    "o3",
                    "o3-pro",
                    "gpt-5",
                    "gpt-5-pro",
                    "gemini-2.5-pro",
                    "mistral-large-latest",
                    "deepseek-r1",
                    "deepseek-reasoner",
                    "qwq",
                    "llama3:70b",
                    "mixtral:8x7b",
                    "mixtral:8x22b",
                    "gpt-oss:120b",
                    "qwen3:235b-a22b",
                    "kimi-k2-1t",
                ],
            ),
        ] {
            for name in names {
                assert_eq!(model(name).tier(), tier, "{name}");
            }
        }
    }

    /// What the original took for something else: it looked for its words anywhere in a name, the first one counting,
    /// and knew only whole numbers of billions.
    #[test]
    fn a_word_within_a_word_is_not_that_word() {
        for (name, tier) in [
            ("solo3", Tier::Balanced),
            ("falco1-mini", Tier::Fast),
            ("gemini-pro-mini", Tier::Fast),
            ("deepseek-r1:1.5b", Tier::Fast),
            ("opus-distill:7b", Tier::Balanced),
            ("magnum-opusculum", Tier::Balanced),
            ("tinyllama:1.1b", Tier::Fast),
            ("some:500m", Tier::Fast),
            ("some:8x7B", Tier::Smart),
        ] {
            assert_eq!(model(name).tier(), tier, "{name}");
        }
        assert_eq!(model("some").with_size("500M").tier(), Tier::Fast);
        assert_eq!(model("some").with_size("8x7B").tier(), Tier::Smart);
        assert_eq!(
            model("some:3b").with_size("of unknown size").tier(),
            Tier::Fast
        );
    }

    #[test]
    fn what_does_not_chat_is_left_out() {
        for name in [
            "nomic-embed-text",
            "text-embedding-3-small",
            "whisper-1",
            "tts-1-hd",
            "dall-e-3",
            "gpt-4o-realtime-preview",
            "omni-moderation-latest",
            "llama-guard-3-8b",
            "bge-m3",
        ] {
            assert_eq!(rank([model(name)], Tier::Fast, &[]), [], "{name}");
        }
    }

    #[test]
    fn the_nearest_tier_then_preference_then_size_then_age_then_name() {
        let names = |models: &[&str], tier| {
            let models: Vec<_> = models.iter().map(|name| model(name)).collect();
            let ranked = rank(models, tier, &[]);
            ranked
                .into_iter()
                .map(|model| model.name)
                .collect::<Vec<_>>()
        };
        let claude = [
            "claude-opus-4-1",
            "claude-haiku-4-5",
            "claude-sonnet-4-5",
            "claude-opus-4-6",
            "claude-sonnet-4",
        ];
        assert_eq!(
            names(&claude, Tier::Balanced),
            [
                "claude-sonnet-4-5",
                "claude-sonnet-4",
                "claude-haiku-4-5",
                "claude-opus-4-6",
                "claude-opus-4-1"
            ]
        );
        let local = ["b:13b", "a:13b", "c:14b", "a", "a:3b", "a:70b"];
        assert_eq!(
            names(&local, Tier::Balanced),
            ["c:14b", "a:13b", "b:13b", "a", "a:3b", "a:70b"]
        );
        assert_eq!(names(&["x", "x", "x"], Tier::Fast), ["x"]);

        let (ollama, openai) = (provider("ollama"), provider("openai"));
        let models = [
            Model::new(ollama, "a:70b"),
            Model::new(openai, "o3"),
            Model::new(ollama, "o3"),
        ];
        let first = |preferred: &[Provider]| {
            rank(models.clone(), Tier::Smart, preferred)
                .remove(0)
                .to_string()
        };
        assert_eq!(first(&[]), "ollama::a:70b");
        assert_eq!(first(&[openai]), "openai::o3");
    }

    const NAMES: [&str; 12] = [
        "llama3.1",
        "llama3.1:8b",
        "llama3:70b",
        "phi3:mini",
        "gpt-4o",
        "gpt-4o-mini",
        "o3",
        "mixtral:8x7b",
        "claude-opus-4-6",
        "claude-opus-4-1",
        "some",
        "other",
    ];

    proptest! {
        #[test]
        fn the_order_of_the_list_makes_no_difference(
            names in proptest::collection::vec((select(&NAMES[..]), select(&["ollama", "openai", "groq"][..])), 0..20),
            tier in select(&[Tier::Fast, Tier::Balanced, Tier::Smart][..]),
            turn in 0..20usize,
        ) {
            let models: Vec<_> = names.iter().map(|(name, by)| Model::new(provider(by), *name)).collect();
            let mut other: Vec<_> = models.iter().rev().cloned().collect();
            if !other.is_empty() {
                let turn = turn % other.len();
                other.rotate_left(turn);
            }
            prop_assert_eq!(rank(models, tier, &[]), rank(other, tier, &[]));
        }
    }
}
