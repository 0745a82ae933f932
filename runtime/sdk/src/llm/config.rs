//! Who offers models, and what it takes to reach them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use genai::adapter::AdapterKind;
use serde::{Deserialize, Serialize};

/// Where Ollama listens unless it is told otherwise.
const OLLAMA_PORT: u16 = 11434;

/// Who offers models: `ollama`, `anthropic`, `openai`, `gemini`, … Ordered by name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Provider(AdapterKind);

/// A name that no provider has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no provider of models; these are: {}", known())]
pub struct UnknownProvider {
    /// The name.
    pub name: String,
}

impl Provider {
    /// Models on the own machine, served by Ollama.
    pub const OLLAMA: Self = Self(AdapterKind::Ollama);

    /// All providers, by name.
    pub fn all() -> Vec<Self> {
        let mut all: Vec<_> = AdapterKind::all().iter().copied().map(Self).collect();
        all.sort_unstable();
        all
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0.as_lower_str()
    }

    /// The variable that its key is commonly given in: `OPENAI_API_KEY`.
    pub fn key_variable(self) -> Option<&'static str> {
        self.0.default_key_env_name()
    }

    pub(super) const fn kind(self) -> AdapterKind {
        self.0
    }
}

fn known() -> String {
    let names: Vec<_> = Provider::all().into_iter().map(Provider::name).collect();
    names.join(", ")
}

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(name: &str) -> Result<Self, UnknownProvider> {
        let mut all = AdapterKind::all().iter();
        let kind = all.find(|kind| kind.as_lower_str() == name);
        kind.copied().map(Self).ok_or_else(|| UnknownProvider {
            name: name.to_owned(),
        })
    }
}

impl TryFrom<String> for Provider {
    type Error = UnknownProvider;

    fn try_from(name: String) -> Result<Self, UnknownProvider> {
        name.parse()
    }
}

impl From<Provider> for String {
    fn from(provider: Provider) -> Self {
        provider.name().to_owned()
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provider({self})")
    }
}

impl Ord for Provider {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name().cmp(other.name())
    }
}

impl PartialOrd for Provider {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A secret that a provider knows its customer by. It is shown nowhere.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Key(String);

impl Key {
    /// The key with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(super) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// How to reach a provider.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[non_exhaustive]
pub struct Access {
    /// Another address than the provider's own: a server on the own machine, a gateway.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// The key, if it wants one.
    #[serde(default)]
    pub key: Option<Key>,
}

impl Access {
    /// At the provider's own address, with its key.
    pub fn with_key(key: impl Into<String>) -> Self {
        Self {
            endpoint: None,
            key: Some(Key::new(key)),
        }
    }

    /// At another address, such as `http://localhost:8080/v1/`, without a key.
    pub fn at(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: Some(endpoint.into()),
            key: None,
        }
    }

    /// The same with a key.
    #[must_use]
    pub fn and_key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(Key::new(key));
        self
    }

    /// The address, with the slash that paths are put behind.
    pub(super) fn base(&self) -> Option<String> {
        let endpoint = self.endpoint.as_deref()?;
        Some(format!("{}/", endpoint.trim_end_matches('/')))
    }
}

/// Which providers to ask, in the order in which they are preferred, and how long to wait for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LlmConfig {
    pub(super) providers: Vec<(Provider, Access)>,
    pub(super) connect: Duration,
    pub(super) list: Duration,
    pub(super) answer: Duration,
    pub(super) silence: Duration,
}

impl Default for LlmConfig {
    /// No providers. 5 s to connect, 10 s for a list, 120 s for an answer, 60 s between its pieces.
    fn default() -> Self {
        Self {
            providers: Vec::new(),
            connect: Duration::from_secs(5),
            list: Duration::from_secs(10),
            answer: Duration::from_secs(120),
            silence: Duration::from_secs(60),
        }
    }
}

impl LlmConfig {
    /// Reads environment variables, or whatever the host gives as such: each provider whose key is there
    /// (`OPENAI_API_KEY`, `ANTHROPIC_API_KEY`, …; of two with one key the first), by name; and before them Ollama, at
    /// `OLLAMA_HOST` or where it usually listens.
    pub fn from_vars(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut variables: Vec<_> = variables.into_iter().collect();
        variables.retain(|(_, value)| !value.trim().is_empty());
        let find = |name: &str| {
            let found = variables.iter().find(|variable| variable.0 == name);
            found.map(|variable| variable.1.trim().to_owned())
        };
        let host = find("OLLAMA_HOST");
        let local = host.map_or_else(Access::default, |host| Access::at(ollama(&host)));
        let mut config = Self::default().provider(Provider::OLLAMA, local);
        let mut taken = Vec::new();
        for provider in Provider::all() {
            if let Some(variable) = provider.key_variable()
                && !taken.contains(&variable)
                && let Some(key) = find(variable)
            {
                taken.push(variable);
                config = config.provider(provider, Access::with_key(key));
            }
        }
        config
    }

    /// Asks a provider too, after those before it. One that is there already gets the new access in its place.
    #[must_use]
    pub fn provider(mut self, provider: Provider, access: Access) -> Self {
        match self
            .providers
            .iter_mut()
            .find(|(known, _)| *known == provider)
        {
            Some(known) => known.1 = access,
            None => self.providers.push((provider, access)),
        }
        self
    }

    /// How long a connection may take.
    #[must_use]
    pub const fn connect_within(mut self, limit: Duration) -> Self {
        self.connect = limit;
        self
    }

    /// How long a list of models may take.
    #[must_use]
    pub const fn list_within(mut self, limit: Duration) -> Self {
        self.list = limit;
        self
    }

    /// How long a whole answer may take, or the first piece of one that comes in pieces.
    #[must_use]
    pub const fn answer_within(mut self, limit: Duration) -> Self {
        self.answer = limit;
        self
    }

    /// How long the next piece of an answer may take.
    #[must_use]
    pub const fn max_silence(mut self, limit: Duration) -> Self {
        self.silence = limit;
        self
    }

    pub(super) fn access(&self, provider: Provider) -> Option<&Access> {
        let mut providers = self.providers.iter();
        providers
            .find(|(known, _)| *known == provider)
            .map(|(_, access)| access)
    }
}

/// The address that a value of `OLLAMA_HOST` means: `0.0.0.0`, `box:8080`, `https://models.example`. What a server
/// listens on everywhere is asked on this machine.
fn ollama(host: &str) -> String {
    if host.contains("://") {
        return host.to_owned();
    }
    let host = host
        .strip_prefix("0.0.0.0")
        .map_or_else(|| host.to_owned(), |rest| format!("127.0.0.1{rest}"));
    let name = host.rsplit_once(']').map_or(&*host, |(_, behind)| behind);
    match name.contains(':') {
        true if host.starts_with(':') => format!("http://127.0.0.1{host}"),
        true => format!("http://{host}"),
        false => format!("http://{host}:{OLLAMA_PORT}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, Key, LlmConfig, Provider, ollama};

    fn provider(name: &str) -> Provider {
        name.parse().unwrap()
    }

    #[test]
    fn providers_have_names() {
        assert_eq!(provider("ollama"), Provider::OLLAMA);
        for name in ["", "Ollama", "open ai", "genai_1"] {
            let error = name.parse::<Provider>().unwrap_err().to_string();
            assert!(
                error.contains("these are: ") && error.contains(", ollama, "),
                "{error}"
            );
        }
        let all = Provider::all();
        assert!(all.is_sorted() && all.iter().all(|one| provider(one.name()) == *one));
    }

    #[test]
    fn a_key_is_not_shown() {
        let config =
            LlmConfig::default().provider(provider("openai"), Access::with_key("sk-secret"));
        assert!(!format!("{config:?}").contains("secret"), "{config:?}");
        assert_eq!(format!("{:?}", Key::new("sk-secret")), "Key(…)");
    }

    #[test]
    fn variables_say_who_is_asked_and_in_which_order() {
        let variables = [
            ("OPENAI_API_KEY", " sk-1 "),
            ("ANTHROPIC_API_KEY", "sk-2"),
            ("GROQ_API_KEY", " "),
            ("PATH", "/bin"),
        ];
        let config = LlmConfig::from_vars(
            variables.map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        assert_eq!(
            config.providers,
            [
                (Provider::OLLAMA, Access::default()),
                (provider("anthropic"), Access::with_key("sk-2")),
                (provider("openai"), Access::with_key("sk-1")),
            ]
        );
        let host = [("OLLAMA_HOST".to_owned(), "box".to_owned())];
        let config = LlmConfig::from_vars(host);
        assert_eq!(
            config.providers,
            [(Provider::OLLAMA, Access::at("http://box:11434"))]
        );
    }

    #[test]
    fn access_comes_from_a_file_too() {
        let text = r#"{"endpoint": "http://box/v1", "key": "sk-1"}"#;
        let access: Access = serde_json::from_str(text).unwrap();
        assert_eq!(access, Access::at("http://box/v1").and_key("sk-1"));
        assert_eq!(access.base().as_deref(), Some("http://box/v1/"));
        assert_eq!(
            Access::at("http://box/").base().as_deref(),
            Some("http://box/")
        );
    }

    #[test]
    fn where_ollama_listens() {
        for (host, url) in [
            ("0.0.0.0", "http://127.0.0.1:11434"),
            ("0.0.0.0:8080", "http://127.0.0.1:8080"),
            (":8080", "http://127.0.0.1:8080"),
            ("box", "http://box:11434"),
            ("box:80", "http://box:80"),
            ("[::1]", "http://[::1]:11434"),
            ("[::1]:80", "http://[::1]:80"),
            ("https://models.example/", "https://models.example/"),
        ] {
            assert_eq!(ollama(host), url, "{host}");
        }
    }
}
