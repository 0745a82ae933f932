//! Time between two tries, longer each time.

use std::time::Duration;

use tokio::sync::watch;

/// How long to wait before the next try.
#[derive(Debug, Default)]
pub(super) struct Pause {
    tries: u32,
}

impl Pause {
    const SHORTEST: Duration = Duration::from_millis(50);
    /// Tries that fail one after the other before it is no trouble of a moment.
    const STUCK: u32 = 3;
    const LONGEST: Duration = Duration::from_secs(5);

    /// It went well: the next trouble is the first.
    pub(super) const fn forget(&mut self) {
        self.tries = 0;
    }

    /// It did not.
    pub(super) const fn lengthen(&mut self) {
        self.tries = self.tries.saturating_add(1);
    }

    /// Whether the trouble lasts.
    pub(super) const fn is_stuck(&self) -> bool {
        self.tries >= Self::STUCK
    }

    /// Waits as long as the last tries ask for. Says whether the loop should end meanwhile.
    pub(super) async fn wait(&self, stopping: &mut watch::Receiver<bool>) -> bool {
        let Some(doubled) = self.tries.checked_sub(1) else {
            return false;
        };
        let pause = Self::SHORTEST.saturating_mul(1 << doubled.min(10));
        tokio::select! {
            // An error means that whoever could stop it is gone.
            _ = stopping.changed() => true,
            () = tokio::time::sleep(pause.min(Self::LONGEST)) => false,
        }
    }
}
