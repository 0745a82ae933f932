use std::sync::Arc;

use crate::conformance::Subject;
use crate::store::MemoryStore;

fn subject() -> Subject {
    Subject::new(|| async { Arc::new(MemoryStore::default()) as _ })
}

mod stores {
    crate::store_suite!(super::subject());
}

mod projections {
    crate::projection_suite!(super::subject());
}
