//! A plugin with one division, of orders: what is stored, folded and projected while it is measured.

use std::sync::{LazyLock, Mutex, PoisonError};

use anyhow::{Context, Result};
use hecate_sdk::aggregate::{
    Aggregate, DecodeError, Event, EventSet, decode_payload, encode_payload, status_change,
};
use hecate_sdk::division::DivisionSpec;
use hecate_sdk::fields::FieldType;
use hecate_sdk::flags::StatusChange;
use hecate_sdk::plugin::{InitError, Plugin, PluginContext};
use hecate_sdk::projection::{Projection, TableProjection};
use hecate_sdk::routes::Routes;
use hecate_sdk::rust_decimal::Decimal;
use hecate_sdk::store::{AppendRequest, ExpectedVersion, NewEvent, StreamId};
use hecate_sdk::table::{Column, Table};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Something was added to an order.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LineAdded {
    order_id: Uuid,
    customer: String,
    total: Decimal,
    currency: String,
    note: String,
    lines: Vec<Line>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    article: String,
    count: u32,
}

impl LineAdded {
    /// About as long as the events of `appends`.
    pub(super) fn example(order_id: Uuid) -> Self {
        let line = |article: &str, count| Line {
            article: article.to_owned(),
            count,
        };
        Self {
            order_id,
            customer: "Ada Lovelace".to_owned(),
            total: Decimal::new(12990, 2),
            currency: "EUR".to_owned(),
            note: "leave it at the door".to_owned(),
            lines: vec![line("lamp", 2), line("bulb", 4)],
        }
    }
}

/// An order was shipped.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Shipped {}

impl Event for LineAdded {
    const NAME: &'static str = "order_line_added";
    const REVISION: u32 = 1;
    const SETS: u64 = 1;
}

impl Event for Shipped {
    const NAME: &'static str = "order_shipped";
    const REVISION: u32 = 1;
    const SETS: u64 = 2;
}

#[derive(Debug)]
pub(super) enum OrderEvent {
    LineAdded(LineAdded),
    Shipped(Shipped),
}

impl EventSet for OrderEvent {
    fn decode(event_type: &str, revision: u32, data: &[u8]) -> Result<Self, DecodeError> {
        match (event_type, revision) {
            (LineAdded::NAME, LineAdded::REVISION) => decode_payload(data).map(Self::LineAdded),
            (Shipped::NAME, Shipped::REVISION) => decode_payload(data).map(Self::Shipped),
            _ => Err(DecodeError::unknown(event_type, revision)),
        }
    }

    fn encode(&self) -> Result<NewEvent, serde_json::Error> {
        match self {
            Self::LineAdded(event) => encode_payload(event),
            Self::Shipped(event) => encode_payload(event),
        }
    }

    fn status_change(&self) -> StatusChange {
        match self {
            Self::LineAdded(_) => status_change::<LineAdded>(),
            Self::Shipped(_) => status_change::<Shipped>(),
        }
    }
}

/// What an order remembers.
#[derive(Debug, Default)]
pub(super) struct Order {
    status: u64,
    articles: u64,
    total: Decimal,
}

impl Aggregate for Order {
    type Event = OrderEvent;
    const KIND: &'static str = "order";

    fn apply(&mut self, event: &OrderEvent) {
        self.status = event.status_change().apply(self.status);
        if let OrderEvent::LineAdded(added) = event {
            self.total += added.total;
            let counts = added.lines.iter().map(|line| u64::from(line.count));
            self.articles += counts.sum::<u64>();
        }
    }
}

/// An append of `events` events to the order `id`.
pub(super) fn lines(id: Uuid, events: usize) -> Result<AppendRequest> {
    let event = OrderEvent::LineAdded(LineAdded::example(id)).encode()?;
    let stream = StreamId::of(Order::KIND, &id.to_string());
    let events = vec![event; events];
    Ok(AppendRequest::new(stream, ExpectedVersion::Any, events))
}

static ORDERS: LazyLock<Table> = LazyLock::new(|| {
    Table::new("orders", "order_id").columns(&[
        Column::new("customer", FieldType::String),
        Column::new("total", FieldType::Decimal),
        Column::new("note", FieldType::String),
    ])
});

fn projections() -> Vec<Box<dyn Projection>> {
    let orders = TableProjection::<OrderEvent>::new(Order::KIND, &ORDERS, |row, event| {
        match event {
            OrderEvent::LineAdded(event) => {
                row.set("customer", &event.customer);
                row.set("total", &event.total);
                row.set("note", &event.note);
            }
            OrderEvent::Shipped(_) => row.touch(),
        }
        Ok(())
    });
    vec![Box::new(orders)]
}

/// The plugin; it projects its events, or does not.
pub(super) struct Orders<const PROJECTS: bool>;

/// What the plugin was given that was started last: the way to its division.
static CONTEXT: Mutex<Option<PluginContext>> = Mutex::new(None);

/// What the plugin was given that was started last.
pub(super) fn context() -> Result<PluginContext> {
    let context = CONTEXT.lock().unwrap_or_else(PoisonError::into_inner);
    context.clone().context("no plugin was started")
}

impl<const PROJECTS: bool> Plugin for Orders<PROJECTS> {
    fn manifest() -> &'static str {
        r#"{"name": "bench-orders", "version": "0.0.0", "plugin_type": "in_vm"}"#
    }

    async fn init(context: PluginContext) -> Result<Self, InitError> {
        *CONTEXT.lock().unwrap_or_else(PoisonError::into_inner) = Some(context);
        Ok(Self)
    }

    fn divisions() -> Vec<DivisionSpec> {
        let order = DivisionSpec::new(Order::KIND, Routes::new());
        vec![if PROJECTS {
            order.projections(projections)
        } else {
            order
        }]
    }
}
