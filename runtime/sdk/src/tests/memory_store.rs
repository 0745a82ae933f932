use std::sync::Arc;

use crate::store::{EventStore, MemoryStore};

async fn make() -> Arc<dyn EventStore> {
    Arc::new(MemoryStore::default())
}

crate::store_suite!(make());
