use std::time::{Duration, Instant};

use super::send::Losses;
use super::{ExportError, export, traces};

#[test]
fn lost_spans_are_said_now_and_then_and_none_is_forgotten() {
    let (mut losses, begin) = (Losses::default(), Instant::now());
    let mut after = |seconds, spans| losses.lost(spans, begin + Duration::from_secs(seconds));
    assert_eq!(after(0, 5), Some(5));
    assert_eq!(after(5, 512), None);
    assert_eq!(after(59, 1), None);
    assert_eq!(after(60, 2), Some(515));
    assert_eq!(after(61, 1), None);
}

#[test]
fn endpoints_are_plain_http_and_services_have_a_name() {
    for bad in [
        "",
        "collector",
        "127.0.0.1:4318",
        "https://127.0.0.1:4318",
        "http://",
        "http://a/?b",
    ] {
        let error = export(bad, "bank").unwrap_err();
        assert!(matches!(error, ExportError::Endpoint { .. }), "{bad}");
    }
    let error = export("http://127.0.0.1:4318", " ").unwrap_err();
    assert!(matches!(error, ExportError::Service));
    let wanted = "http://[::1]:4318/v1/traces";
    assert_eq!(traces("http://[::1]:4318").unwrap(), wanted);
    assert_eq!(traces("http://[::1]:4318/").unwrap(), wanted);
}
