use std::sync::Arc;

use hecate_bus::Bus;

use crate::conformance::bus::Subject;

crate::bus_suite!(Subject::new(|| async { Arc::new(Bus::new()) as _ }));
