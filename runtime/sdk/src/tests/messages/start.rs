//! What cannot be right is said when the plugin starts.

use hecate_manifest::control::StartConfig;

use super::*;
use crate::running::Running;
use crate::testing::run;

struct TellNobody;

impl Emitter for TellNobody {
    type Event = AccountEvent;
    type Fact = Wrong;
    const NAME: &'static str = "tell_nobody";
    const DIVISION: &'static str = "acount";

    fn tell(_: &AccountEvent, _: &RecordedEvent) -> Option<Wrong> {
        None
    }
}

#[derive(Serialize, Deserialize)]
struct Wrong {}

impl Fact for Wrong {
    const TOPIC: &'static str = "Bank Opened";
}

struct HearTwice;

impl Listener for HearTwice {
    type Fact = Value;
    const NAME: &'static str = "open_too";
    const FILTER: &'static str = "bank.>.x";

    fn on_fact(_: Value, _: &Heard) -> Handled {
        Handled::Skip
    }
}

struct Mistaken;

impl Plugin for Mistaken {
    fn manifest() -> &'static str {
        r#"{"name": "mistaken", "version": "0.1.0", "plugin_type": "in_vm"}"#
    }

    async fn init(_: PluginContext) -> Result<Self, InitError> {
        Ok(Self)
    }

    fn divisions() -> Vec<DivisionSpec> {
        vec![Accounts::division()]
    }

    fn integrations() -> Integrations {
        Integrations::new()
            .emitter::<TellNobody>()
            .listener::<OpenToo>()
            .listener::<HearTwice>()
    }
}

#[test]
fn mistakes_are_named_all_at_once() {
    let config = StartConfig {
        data_dir: "/nowhere".into(),
        bundle_dir: "/nowhere".into(),
    };
    let error = run(Running::start::<Mistaken>(&config))
        .err()
        .unwrap()
        .to_string();
    assert_eq!(
        error,
        "the emitter `tell_nobody` follows the division `acount`, which there is not; \
         the emitter `tell_nobody`: `Bank Opened` is not a topic: its words are of a-z, 0-9, `_` and `-`; \
         the listener `open_too`: `bank.>.x` is not a topic filter: `>` may only stand at its end; \
         there are two listeners `open_too`"
    );
}
