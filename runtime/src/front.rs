//! One plugin's part of the web: `/plugin/{name}/`, its API and its WebSocket.

use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::sync::Arc;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use tower::ServiceExt;
use tower_http::services::ServeDir;

use crate::body::{Body, BoxError};
use crate::instance::Instance;
use crate::{inline, reply, upgrade};

/// Where a plugin is mounted.
#[derive(Debug, Clone)]
pub struct Mount {
    /// The plugin's technical name: the part after `/plugin/`.
    pub name: String,
    /// Port of the server, which its pages may reach.
    pub port: u16,
    /// Whether a path without a file is answered with `index.html`.
    pub spa_fallback: bool,
}

/// Serves one plugin instance.
pub struct Front {
    instance: Arc<Instance>,
    files: Option<ServeDir>,
    policy: HeaderValue,
    /// The policies of pages with scripts inside, by their path.
    page_policies: BTreeMap<String, HeaderValue>,
    mount: Mount,
}

impl Front {
    /// Mounts `instance`; `static_dir` is what the plugin asked for, relative to `bundle_dir`.
    ///
    /// # Errors
    ///
    /// The offending path, if it is absolute or leaves the bundle.
    pub fn new(
        instance: Arc<Instance>,
        mount: Mount,
        bundle_dir: &Path,
        static_dir: Option<&str>,
    ) -> Result<Self, String> {
        if let Some(dir) = static_dir
            && !Path::new(dir)
                .components()
                .all(|part| matches!(part, Component::Normal(_)))
        {
            return Err(format!(
                "`static_dir` must be a path inside the bundle, not `{dir}`"
            ));
        }
        let files = static_dir.map(|dir| {
            ServeDir::new(bundle_dir.join(dir))
                .precompressed_br()
                .precompressed_gzip()
        });
        let policy = content_policy(mount.port, &[]);
        let pages = static_dir.map(|dir| inline::pages_with_scripts(&bundle_dir.join(dir)));
        let pages = pages.into_iter().flatten();
        let page_policies = pages.map(|(page, hashes)| (page, content_policy(mount.port, &hashes)));
        Ok(Self {
            instance,
            files,
            page_policies: page_policies.collect(),
            policy,
            mount,
        })
    }

    /// The instance behind this front.
    pub const fn instance(&self) -> &Arc<Instance> {
        &self.instance
    }

    /// Answers a request whose path starts with `/plugin/{name}`; `rest` is what follows, without the query.
    pub async fn respond<B>(&self, request: Request<B>, rest: &str) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
    {
        if rest == "/api" || rest.starts_with("/api/") || rest == "/ws" {
            let target = with_query(rest, request.uri().query());
            if upgrade::is_wanted(request.headers()) {
                return upgrade::pass(&self.instance, request, &target).await;
            }
            if rest == "/ws" {
                return reply::error(
                    StatusCode::UPGRADE_REQUIRED,
                    "upgrade_required",
                    "this address is a WebSocket",
                );
            }
            return self.instance.call(request, &target).await;
        }
        self.file(request, rest).await
    }

    async fn file<B>(&self, request: Request<B>, rest: &str) -> Response<Body> {
        let name = &self.mount.name;
        if rest.is_empty() {
            let mut moved = reply::json(
                StatusCode::PERMANENT_REDIRECT,
                &serde_json::json!({"ok": true}),
            );
            if let Ok(place) = HeaderValue::from_str(&with_query(
                &format!("/plugin/{name}/"),
                request.uri().query(),
            )) {
                moved.headers_mut().insert(header::LOCATION, place);
            }
            return moved;
        }
        if request.method() != Method::GET && request.method() != Method::HEAD {
            let message = "files can only be read";
            let mut refused = reply::error(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                message,
            );
            refused
                .headers_mut()
                .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refused;
        }
        let missing = || {
            let message = format!("the plugin `{name}` has no file `{rest}`");
            reply::error(StatusCode::NOT_FOUND, "not_found", &message)
        };
        let (Some(files), Ok(path)) = (&self.files, PathAndQuery::try_from(rest)) else {
            return missing();
        };
        let wants_page = self.mount.spa_fallback && is_place_in_page(rest, request.headers());
        let (mut parts, _) = request.into_parts();
        let mut page = path.path().to_owned();
        parts.uri = path.into();
        let request = Request::from_parts(parts.clone(), ());
        let Ok(mut served) = files.clone().oneshot(request).await;
        if served.status() == StatusCode::NOT_FOUND && wants_page {
            page = "/".to_owned();
            parts.uri = http::Uri::from_static("/");
            Ok(served) = files.clone().oneshot(Request::from_parts(parts, ())).await;
        }
        if served.status() == StatusCode::NOT_FOUND {
            return missing();
        }
        if served.status().is_redirection() && served.headers().contains_key(header::LOCATION) {
            return self.inside_mount(served.map(reply::boxed));
        }
        let mut served = served.map(reply::boxed);
        let headers = served.headers_mut();
        if page.ends_with('/') {
            page.push_str("index.html");
        }
        let policy = self.page_policies.get(&page).unwrap_or(&self.policy);
        headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        headers.insert(
            header::REFERRER_POLICY,
            HeaderValue::from_static("same-origin"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        served
    }

    /// The file service knows nothing of the mount: its redirect of a folder lacks the prefix.
    fn inside_mount(&self, mut moved: Response<Body>) -> Response<Body> {
        let place = moved
            .headers()
            .get(header::LOCATION)
            .and_then(|value| value.to_str().ok());
        let place = place.map(|place| format!("/plugin/{}{place}", self.mount.name));
        if let Some(place) = place.and_then(|place| HeaderValue::try_from(place).ok()) {
            moved.headers_mut().insert(header::LOCATION, place);
        }
        moved
    }
}

fn with_query(path: &str, query: Option<&str>) -> String {
    query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
}

/// Whether a router in the page may know `rest`: whoever asks wants a page, and the last part of the path is no file.
fn is_place_in_page(rest: &str, headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT);
    let accepts_html = accepts
        .and_then(|accepts| accepts.to_str().ok())
        .is_some_and(|accepts| accepts.contains("text/html"));
    let last = rest.rsplit('/').next().unwrap_or_default();
    accepts_html && !last.contains('.')
}

/// Pages load their own files, run the scripts that stand in them (`hashes`), and reach this server, under each of its
/// names, and nothing else.
fn content_policy(port: u16, hashes: &[String]) -> HeaderValue {
    let ours = format!(
        "ws://localhost:{port} http://localhost:{port} ws://127.0.0.1:{port} http://127.0.0.1:{port}"
    );
    let scripts = hashes
        .iter()
        .map(|hash| format!(" 'sha256-{hash}'"))
        .collect::<String>();
    let scripts = if scripts.is_empty() {
        scripts
    } else {
        format!("script-src 'self'{scripts}; ")
    };
    let policy = format!(
        "default-src 'self'; {scripts}connect-src 'self' {ours}; img-src 'self' data: blob:; font-src 'self' data:; \
         style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; form-action 'self'; \
         frame-ancestors 'self'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'self'"))
}
