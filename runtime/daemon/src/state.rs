//! The life of a plugin, as everybody may see it: nothing is shown as running that does not serve.

use jiff::Timestamp;
use serde::Serialize;

/// Where a plugin is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its files are there.
    Installed,
    /// Its files are what was installed, and its library may be mapped.
    Verified,
    /// `init` runs, then its stores open.
    Starting,
    /// It serves.
    Ready,
    /// An older generation ends; a newer one serves.
    Draining,
    /// It was stopped.
    Stopped,
    /// It may not run here.
    Refused,
    /// It could not start, or it ended.
    Failed,
    /// A newer version failed; the one before it serves.
    RolledBack,
}

impl State {
    /// How a plugin in this state is spoken of: "`my-plugin` has failed".
    pub(crate) const fn said(self) -> &'static str {
        match self {
            Self::Installed => "is installed",
            Self::Verified => "is verified",
            Self::Starting => "is starting",
            Self::Ready => "is ready",
            Self::Draining => "is ending",
            Self::Stopped => "is stopped",
            Self::Refused => "was refused",
            Self::Failed => "has failed",
            Self::RolledBack => "was rolled back",
        }
    }

    /// Whether it is on its way to serving.
    pub(crate) const fn is_coming(self) -> bool {
        matches!(self, Self::Installed | Self::Verified | Self::Starting)
    }
}

/// A state with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The state.
    pub state: State,
    /// Why, where it needs saying.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when.
    pub since: Timestamp,
}

impl Status {
    /// The state from now on.
    pub(crate) fn now(state: State, reason: Option<String>) -> Self {
        Self {
            state,
            reason,
            since: Timestamp::now(),
        }
    }
}

/// One change, as it is logged and told to listeners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The plugin.
    pub plugin: String,
    /// Its version, if one is concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What caused the change: `install`, `reload`, `start`, `uninstall`, `shutdown`.
    pub cause: &'static str,
    /// The new status.
    #[serde(flatten)]
    pub status: Status,
}
