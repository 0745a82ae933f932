//! The ready routes over a directory of their own, and requests as clients send them.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::files::{Files, Limits};
use crate::paths::Paths;

pub(super) const BOUNDARY: &str = "----boundary";

pub(super) struct Desk {
    pub(super) data: PathBuf,
    pub(super) files: Files,
    pub(super) router: Router,
    _dir: Option<TempDir>,
}

pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Desk {
    pub(super) fn new(limits: Limits) -> Self {
        let dir = TempDir::new().unwrap();
        let mut desk = Self::at(dir.path().to_owned(), limits);
        desk._dir = Some(dir);
        desk
    }

    pub(super) fn at(data: PathBuf, limits: Limits) -> Self {
        let files = Files::new(&Paths::new(&data, "/none"));
        let router = Router::new().nest("/files", files.routes(limits));
        Self {
            data,
            files,
            router,
            _dir: None,
        }
    }

    pub(super) async fn send(&self, request: Request) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: axum::body::to_bytes(body, usize::MAX).await.unwrap(),
        }
    }

    pub(super) async fn upload(&self, body: impl Into<Body>) -> Reply {
        self.send(upload(body)).await
    }

    /// Uploads one file; its id.
    pub(super) async fn keep(&self, name: &str, kind: &str, content: &[u8]) -> String {
        let reply = self
            .upload(form(&[file("file", name, kind, content)]))
            .await;
        assert_eq!(reply.status, StatusCode::CREATED, "{:?}", reply.body);
        reply.json()["files"][0]["id"].as_str().unwrap().to_owned()
    }

    pub(super) async fn get(&self, id: &str, headers: &[(&str, &str)]) -> Reply {
        self.send(ask(Method::GET, &format!("/{id}"), headers))
            .await
    }

    /// Everything below `files/`, whether or not it is whole.
    pub(super) fn entries(&self) -> BTreeSet<String> {
        let Ok(entries) = fs::read_dir(self.data.join("files")) else {
            return BTreeSet::new();
        };
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }
}

impl Reply {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    pub(super) fn header(&self, name: header::HeaderName) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(super) fn refused(&self, status: u16, code: &str) {
        let body = self.json();
        assert_eq!(
            (self.status.as_u16(), &body["code"]),
            (status, &json!(code)),
            "{body}"
        );
        assert_eq!(body["ok"], false);
    }
}

pub(super) fn upload(body: impl Into<Body>) -> Request {
    Request::post("/files")
        .header(
            header::CONTENT_TYPE,
            format!("multipart/form-data; boundary={BOUNDARY}"),
        )
        .body(body.into())
        .unwrap()
}

pub(super) fn ask(method: Method, path: &str, headers: &[(&str, &str)]) -> Request {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/files{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

/// A part with this disposition.
pub(super) fn part(disposition: &[u8], kind: Option<&str>, content: &[u8]) -> Vec<u8> {
    let mut part = b"Content-Disposition: form-data; ".to_vec();
    part.extend_from_slice(disposition);
    if let Some(kind) = kind {
        part.extend(format!("\r\nContent-Type: {kind}").bytes());
    }
    part.extend_from_slice(b"\r\n\r\n");
    part.extend_from_slice(content);
    part.extend_from_slice(b"\r\n");
    part
}

pub(super) fn file(field: &str, name: &str, kind: &str, content: &[u8]) -> Vec<u8> {
    let disposition = format!("name=\"{field}\"; filename=\"{name}\"");
    part(disposition.as_bytes(), Some(kind), content)
}

pub(super) fn field(name: &str, value: &str) -> Vec<u8> {
    part(
        format!("name=\"{name}\"").as_bytes(),
        None,
        value.as_bytes(),
    )
}

pub(super) fn form(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        body.extend(format!("--{BOUNDARY}\r\n").bytes());
        body.extend_from_slice(part);
    }
    body.extend(format!("--{BOUNDARY}--\r\n").bytes());
    body
}

/// The beginning of a form whose last file has not ended.
pub(super) fn unfinished(content: &[u8]) -> Vec<u8> {
    let mut body = form(&[file("one", "a.bin", "image/png", b"whole")]);
    body.truncate(body.len() - "--\r\n".len());
    body.extend_from_slice(
        b"\r\nContent-Disposition: form-data; name=\"two\"; filename=\"b.bin\"\r\n\r\n",
    );
    body.extend_from_slice(content);
    body
}
