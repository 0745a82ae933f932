//! Serves a file: whole or in ranges, never as something that runs in the page of who asks.

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_SECURITY_POLICY, ETAG,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use mime::Mime;
use tower_http::services::ServeFile;

use super::conditions::{Outcome, decide};
use super::shelf::{FileError, Files, StoredFile};
use crate::api::ApiError;

impl Files {
    /// Answers a `GET` or `HEAD` of a file: with ranges, entity tag (the hash of the content), and conditions on both.
    ///
    /// Pictures, sound, films and plain text are shown in place; other types, which may hold scripts, are offered to
    /// be saved. A client may keep the file, and asks each time whether it is still there.
    ///
    /// A range that the file does not have (416) and a condition that does not hold (412) are answered in the envelope.
    ///
    /// # Errors
    ///
    /// [`FileError`], which turns into an answer in the envelope too.
    pub async fn serve(&self, id: &str, request: Request) -> Result<Response, FileError> {
        let file = self.find(id).await?;
        let etag = format!("\"{}\"", file.sha256);
        let (mut parts, body) = request.into_parts();
        let mut response = match decide(&mut parts.headers, &etag) {
            Outcome::NotModified => StatusCode::NOT_MODIFIED.into_response(),
            Outcome::Failed => precondition_failed(),
            Outcome::Serve => {
                let request = Request::from_parts(parts, body);
                self.serve_content(&file, request).await?
            }
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        if let Ok(etag) = HeaderValue::from_str(&etag) {
            headers.insert(ETAG, etag);
        }
        Ok(response)
    }

    async fn serve_content(
        &self,
        file: &StoredFile,
        request: Request,
    ) -> Result<Response, FileError> {
        let mime = file.content_type.parse();
        let mime = mime.unwrap_or(mime::APPLICATION_OCTET_STREAM);
        let content = file.content(self.dir());
        let served = ServeFile::new_with_mime(content, &mime)
            .ignore_multi_range_requests(true)
            .try_call(request)
            .await;
        let response = served.map_err(|source| match source.kind() {
            // Removed since it was found.
            std::io::ErrorKind::NotFound => FileError::NotFound {
                id: file.id.to_string(),
            },
            _ => FileError::Storage {
                path: self.dir().to_owned(),
                source,
            },
        })?;
        Ok(match response.status() {
            StatusCode::RANGE_NOT_SATISFIABLE => not_that_long(file.bytes),
            StatusCode::PRECONDITION_FAILED => precondition_failed(),
            _ => described(response.map(Body::new), file, &mime),
        })
    }
}

/// Says how the content is to be taken.
fn described(mut response: Response, file: &StoredFile, mime: &Mime) -> Response {
    let (shown, headers) = (is_shown(mime), response.headers_mut());
    let kind = if shown { "inline" } else { "attachment" };
    headers.insert(CONTENT_DISPOSITION, file.name.disposition(kind));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !shown {
        let policy = HeaderValue::from_static("default-src 'none'; sandbox");
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Whether a browser may show it in place: none of these carries a script, as HTML, XML, SVG and PDF do.
fn is_shown(mime: &Mime) -> bool {
    match mime.type_() {
        mime::AUDIO | mime::VIDEO => true,
        mime::IMAGE => mime.suffix().is_none(),
        _ => mime.essence_str() == "text/plain",
    }
}

fn not_that_long(bytes: u64) -> Response {
    let error = ApiError::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "range_not_satisfiable",
        format!("the file has {bytes} bytes"),
    );
    let mut response = error.into_response();
    if let Ok(range) = HeaderValue::from_str(&format!("bytes */{bytes}")) {
        response.headers_mut().insert(CONTENT_RANGE, range);
    }
    response
}

fn precondition_failed() -> Response {
    let message = "the file is not the one that the request is about";
    ApiError::new(
        StatusCode::PRECONDITION_FAILED,
        "precondition_failed",
        message,
    )
    .into_response()
}
