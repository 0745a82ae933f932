//! Who may ask: requests that a browser was tricked into are refused before anything looks at them.
//!
//! `Host` must name this machine on our port (against DNS rebinding), and `Origin`, where a browser sends one,
//! must be our own page (against other sites and other local servers). `localhost`, `127.0.0.1` and `[::1]` are
//! one origin to us.

use http::{HeaderMap, Method, Uri, header, uri::Authority};

const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Forbidden {
    /// `Host` is missing or names somebody else.
    #[error("this server answers only to localhost, 127.0.0.1 and [::1] on its own port")]
    Host,
    /// Another site's page asks.
    #[error("requests from other origins are not allowed")]
    Origin,
}

impl Forbidden {
    /// The stable code of this refusal.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Host => "host_not_allowed",
            Self::Origin => "origin_not_allowed",
        }
    }
}

/// Checks the head of a request that came over TCP to `port`.
///
/// # Errors
///
/// [`Forbidden`]: answer 403 and nothing else.
pub fn check(method: &Method, uri: &Uri, headers: &HeaderMap, port: u16) -> Result<(), Forbidden> {
    // An absolute-form target would make `Host` meaningless.
    if uri
        .authority()
        .is_some_and(|authority| !is_ours(authority.as_str(), port))
    {
        return Err(Forbidden::Host);
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    match (
        hosts.next().and_then(|host| host.to_str().ok()),
        hosts.next(),
    ) {
        (Some(host), None) if is_ours(host, port) => {}
        _ => return Err(Forbidden::Host),
    }
    let origins = headers.get_all(header::ORIGIN);
    for origin in origins {
        let host = origin
            .to_str()
            .ok()
            .and_then(|origin| origin.strip_prefix("http://"));
        if !host.is_some_and(|host| is_ours(host, port)) {
            return Err(Forbidden::Origin);
        }
    }
    let fetch = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let foreign = matches!(fetch("sec-fetch-site"), Some("cross-site" | "same-site"));
    // A link on another site may open a page of ours; its scripts and forms may not reach us.
    let navigates = fetch("sec-fetch-mode") == Some("navigate") && *method == Method::GET;
    if foreign && !navigates && !ours_by_name(headers, port) {
        return Err(Forbidden::Origin);
    }
    Ok(())
}

/// A page on `http://127.0.0.1:4444` that reaches `ws://localhost:4444` is cross-site to the browser but ours.
fn ours_by_name(headers: &HeaderMap, port: u16) -> bool {
    let origin = headers
        .get(header::ORIGIN)
        .and_then(|value| value.to_str().ok());
    origin
        .and_then(|origin| origin.strip_prefix("http://"))
        .is_some_and(|host| is_ours(host, port))
}

fn is_ours(authority: &str, port: u16) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else {
        return false;
    };
    let named = NAMES
        .iter()
        .any(|name| authority.host().eq_ignore_ascii_case(name));
    named && !authority.as_str().contains('@') && authority.port_u16().unwrap_or(80) == port
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue, Method};

    use super::{Forbidden, check};

    fn ask(
        method: &Method,
        uri: &str,
        headers: &[(&'static str, &'static str)],
    ) -> Result<(), Forbidden> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        check(method, &uri.parse().unwrap(), &map, 4444)
    }

    #[test]
    fn our_own_names_pass() {
        for host in [
            "localhost:4444",
            "127.0.0.1:4444",
            "[::1]:4444",
            "LOCALHOST:4444",
        ] {
            assert_eq!(
                ask(&Method::POST, "/x", &[("host", host)]),
                Ok(()),
                "{host}"
            );
        }
        let mixed = [
            ("host", "localhost:4444"),
            ("origin", "http://127.0.0.1:4444"),
            ("sec-fetch-site", "cross-site"),
        ];
        assert_eq!(ask(&Method::GET, "/plugin/a/ws", &mixed), Ok(()));
    }

    #[test]
    fn other_hosts_are_refused() {
        let other = [
            "evil.example:4444",
            "localhost:4445",
            "localhost",
            "a@localhost:4444",
            "127.0.0.1.evil:4444",
            "",
        ];
        for host in other {
            assert_eq!(
                ask(&Method::GET, "/", &[("host", host)]),
                Err(Forbidden::Host),
                "{host}"
            );
        }
        assert_eq!(ask(&Method::GET, "/", &[]), Err(Forbidden::Host));
        let twice = [("host", "localhost:4444"), ("host", "localhost:4444")];
        assert_eq!(ask(&Method::GET, "/", &twice), Err(Forbidden::Host));
        let absolute = ask(
            &Method::GET,
            "http://evil.example/",
            &[("host", "localhost:4444")],
        );
        assert_eq!(absolute, Err(Forbidden::Host));
    }

    #[test]
    fn other_origins_are_refused() {
        for origin in [
            "http://evil.example",
            "null",
            "https://localhost:4444",
            "http://localhost:3000",
            "file://",
        ] {
            let headers = [("host", "localhost:4444"), ("origin", origin)];
            assert_eq!(
                ask(&Method::GET, "/", &headers),
                Err(Forbidden::Origin),
                "{origin}"
            );
        }
        let image = [
            ("host", "localhost:4444"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-mode", "no-cors"),
        ];
        assert_eq!(ask(&Method::GET, "/", &image), Err(Forbidden::Origin));
        let link = [
            ("host", "localhost:4444"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
        ];
        assert_eq!(ask(&Method::GET, "/", &link), Ok(()));
        assert_eq!(ask(&Method::POST, "/", &link), Err(Forbidden::Origin));
    }
}
