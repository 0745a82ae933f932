//! Receives `multipart/form-data`, part by part, within limits.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use bytes::Bytes;
use http::header::CONTENT_DISPOSITION;
use serde::Serialize;
use tokio::time::timeout;

use super::incoming::{Incoming, Whole};
use super::metered::{Meter, Verdict, metered};
use super::name::{FileName, NameError, NameFault, refused};
use super::shelf::{Files, StoredFile, off};

/// Bytes that are gathered before a thread that may block writes them.
const WRITE_BYTES: usize = 256 * 1024;
/// What a browser says when it does not know.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// What one request may bring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    pub(super) file_bytes: u64,
    pub(super) request_bytes: u64,
    pub(super) field_bytes: usize,
    pub(super) parts: usize,
    pub(super) silence: Duration,
}

impl Default for Limits {
    /// 32 MiB for a file, 128 MiB for a request, 64 KiB for a field, 64 parts, 30 s of silence.
    fn default() -> Self {
        Self {
            file_bytes: 32 << 20,
            request_bytes: 128 << 20,
            field_bytes: 64 << 10,
            parts: 64,
            silence: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// The largest file, in bytes. One that is larger than a request may be is never received.
    #[must_use]
    pub const fn max_file_bytes(mut self, bytes: u64) -> Self {
        self.file_bytes = bytes;
        self
    }

    /// The largest request, in bytes, with everything between its files.
    #[must_use]
    pub const fn max_request_bytes(mut self, bytes: u64) -> Self {
        self.request_bytes = bytes;
        self
    }

    /// The largest value of a field that is no file, in bytes.
    #[must_use]
    pub const fn max_field_bytes(mut self, bytes: usize) -> Self {
        self.field_bytes = bytes;
        self
    }

    /// The most parts of a request, files and fields together.
    #[must_use]
    pub const fn max_parts(mut self, parts: usize) -> Self {
        self.parts = parts;
        self
    }

    /// How long a client may send nothing before it is given up.
    #[must_use]
    pub const fn max_silence(mut self, silence: Duration) -> Self {
        self.silence = silence;
        self
    }
}

/// What a request brought.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Received {
    /// Its files, in the order in which they came.
    pub files: Vec<ReceivedFile>,
    /// Its other fields, name and value.
    pub fields: Vec<(String, String)>,
}

/// A file, and which field of the form it was in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReceivedFile {
    /// Name of the field.
    pub field: String,
    /// The file.
    #[serde(flatten)]
    pub file: StoredFile,
}

impl Received {
    /// The first value of a field that is no file.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields
            .find(|field| field.0 == name)
            .map(|field| field.1.as_str())
    }
}

/// Why nothing was stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The request is not `multipart/form-data`.
    #[error("files are sent as `multipart/form-data`")]
    NotMultipart,
    /// It says that it is, and is not.
    #[error("the request is not well-formed `multipart/form-data`")]
    Malformed(#[source] MultipartError),
    /// What stands before a part does not end.
    #[error("the headers of a part have more than {max} bytes")]
    HeadTooLarge {
        /// The limit.
        max: usize,
    },
    /// A file may not have its name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A file is too large.
    #[error("`{name}` has more than {max} bytes")]
    FileTooLarge {
        /// The file.
        name: FileName,
        /// The limit.
        max: u64,
    },
    /// A field that is no file is too large.
    #[error("the field `{name}` has more than {max} bytes")]
    FieldTooLarge {
        /// The field.
        name: String,
        /// The limit.
        max: usize,
    },
    /// A field that is no file is not UTF-8.
    #[error("the field `{name}` is not text")]
    FieldNotText {
        /// The field.
        name: String,
    },
    /// The request is too large.
    #[error("the request has more than {max} bytes")]
    RequestTooLarge {
        /// The limit.
        max: u64,
    },
    /// The request has too many parts.
    #[error("the request has more than {max} parts")]
    TooManyParts {
        /// The limit.
        max: usize,
    },
    /// The client went away.
    #[error("the upload broke off")]
    BrokenOff,
    /// The client fell silent.
    #[error("nothing came for {} s", silence.as_secs_f32())]
    Stalled {
        /// The limit.
        silence: Duration,
    },
    /// The disk, or what may be used of it, is full.
    #[error("there is no space left for the files")]
    DiskFull(#[source] io::Error),
    /// The disk refuses.
    #[error("the files cannot be written")]
    Storage(#[source] io::Error),
}

impl Files {
    /// Receives the files of a request and stores them: all, or none.
    ///
    /// The limits are these alone; a `DefaultBodyLimit` on the route is not asked. An empty file field of a browser's
    /// form is passed over.
    ///
    /// # Errors
    ///
    /// [`ReceiveError`]; nothing was stored, and nothing is left on the disk.
    pub async fn receive(
        &self,
        request: Request,
        limits: &Limits,
    ) -> Result<Received, ReceiveError> {
        let meter = Meter::new(limits.request_bytes);
        let mut request = request.map(|body| metered(body, meter.clone()));
        DefaultBodyLimit::disable().apply(&mut request);
        let multipart = Multipart::from_request(request, &()).await;
        let multipart = multipart.map_err(|_| ReceiveError::NotMultipart)?;
        let mut parts = Parts {
            multipart,
            meter,
            limits,
        };
        let (mut whole, mut fields) = (Vec::new(), Vec::new());
        let mut count = 0;
        while let Some(part) = parts.next().await? {
            count += 1;
            if count > limits.parts {
                return Err(ReceiveError::TooManyParts { max: limits.parts });
            }
            let field = part.field.name().unwrap_or_default().to_owned();
            if !part.is_file() {
                let value = part.text(&field).await?;
                fields.push((field, value));
            } else if let Some(file) = self.take_in(part).await? {
                whole.push((field, file));
            }
        }
        let (names, whole): (Vec<_>, Vec<_>) = whole.into_iter().unzip();
        let kept = match whole.is_empty() {
            true => Vec::new(),
            false => self.keep(whole).await?,
        };
        let files = names.into_iter().zip(kept);
        Ok(Received {
            files: files
                .map(|(field, file)| ReceivedFile { field, file })
                .collect(),
            fields,
        })
    }

    /// Writes one file; `None` for the empty file field of a form.
    async fn take_in(&self, mut part: Part<'_>) -> Result<Option<Whole>, ReceiveError> {
        let mut chunk = part.chunk().await?;
        let given = part.field.file_name();
        if given == Some("") && chunk.is_none() {
            return Ok(None);
        }
        // A name that the parser cannot read is no name, though one was given.
        let given = given.ok_or_else(|| refused("", NameFault::Unreadable))?;
        let name = FileName::parse(given)?;
        let content_type = content_type(&part.field, &name);

        let mut incoming = self.begin().await?;
        let (mut gathered, mut bytes) = (Vec::new(), 0);
        while let Some(piece) = chunk {
            bytes += piece.len() as u64;
            if bytes > part.limits.file_bytes {
                let max = part.limits.file_bytes;
                return Err(ReceiveError::FileTooLarge { name, max });
            }
            gathered.extend_from_slice(&piece);
            if gathered.len() >= WRITE_BYTES {
                (incoming, gathered) = write(incoming, gathered).await?;
            }
            chunk = part.chunk().await?;
        }
        let (incoming, _) = write(incoming, gathered).await?;
        Ok(Some(
            off(move || incoming.finish(name, content_type)).await?,
        ))
    }
}

/// Writes what was gathered, and gives the space for more back.
async fn write(mut incoming: Incoming, mut gathered: Vec<u8>) -> io::Result<(Incoming, Vec<u8>)> {
    off(move || {
        incoming.write(&gathered)?;
        gathered.clear();
        Ok((incoming, gathered))
    })
    .await
}

/// The type that the client says, unless it says that it does not know; then that of the name's extension.
fn content_type(field: &Field<'_>, name: &FileName) -> String {
    let said = field.content_type().filter(|said| *said != UNKNOWN_TYPE);
    let guessed = || mime_guess::from_path(name.as_str()).first_raw();
    said.or_else(guessed).unwrap_or(UNKNOWN_TYPE).to_owned()
}

/// The parts of a request that is still coming in.
struct Parts<'a> {
    multipart: Multipart,
    meter: Arc<Meter>,
    limits: &'a Limits,
}

/// One of them.
struct Part<'a> {
    field: Field<'a>,
    meter: &'a Meter,
    limits: &'a Limits,
}

impl Parts<'_> {
    async fn next(&mut self) -> Result<Option<Part<'_>>, ReceiveError> {
        let Self {
            multipart,
            meter,
            limits,
        } = self;
        let next = within(limits, multipart.next_field()).await?;
        let field = next.map_err(|error| meter.explain(error))?;
        meter.progress();
        Ok(field.map(|field| Part {
            field,
            meter,
            limits,
        }))
    }
}

impl Part<'_> {
    /// Whether the part has a file name. One that is not in the form that browsers write is one too: its bytes must
    /// not pass for the value of a field.
    fn is_file(&self) -> bool {
        let disposition = self.field.headers().get(CONTENT_DISPOSITION);
        self.field.file_name().is_some()
            || disposition.is_some_and(|disposition| names_a_file(disposition.as_bytes()))
    }

    /// The next bytes; none of its pieces is empty.
    async fn chunk(&mut self) -> Result<Option<Bytes>, ReceiveError> {
        loop {
            let chunk = within(self.limits, self.field.chunk()).await?;
            let chunk = chunk.map_err(|error| self.meter.explain(error))?;
            self.meter.progress();
            if chunk.as_ref().is_none_or(|chunk| !chunk.is_empty()) {
                return Ok(chunk);
            }
        }
    }

    async fn text(mut self, name: &str) -> Result<String, ReceiveError> {
        let (mut value, max) = (Vec::new(), self.limits.field_bytes);
        while let Some(chunk) = self.chunk().await? {
            if value.len() + chunk.len() > max {
                let name = name.to_owned();
                return Err(ReceiveError::FieldTooLarge { name, max });
            }
            value.extend_from_slice(&chunk);
        }
        String::from_utf8(value).map_err(|_| ReceiveError::FieldNotText {
            name: name.to_owned(),
        })
    }
}

/// Whether a `Content-Disposition` has a parameter `filename`, in whatever form.
fn names_a_file(disposition: &[u8]) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    let outside = disposition.iter().filter(|byte| {
        let was_quoted = quoted;
        match **byte {
            b'"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = quoted && !escaped && **byte == b'\\';
        !was_quoted
    });
    let outside: Vec<u8> = outside.map(u8::to_ascii_lowercase).collect();
    let mut parameters = outside.split(|byte| *byte == b';');
    parameters.any(|parameter| parameter.trim_ascii_start().starts_with(b"filename"))
}

/// The client has `limits.silence` for the next piece.
async fn within<T>(limits: &Limits, next: impl Future<Output = T>) -> Result<T, ReceiveError> {
    let silence = limits.silence;
    timeout(silence, next)
        .await
        .map_err(|_| ReceiveError::Stalled { silence })
}

impl Meter {
    /// Why the parser gave up: what the meter saw, or else what was written.
    fn explain(&self, error: MultipartError) -> ReceiveError {
        match self.verdict() {
            Some(Verdict::RequestTooLarge { max }) => ReceiveError::RequestTooLarge { max },
            Some(Verdict::HeadTooLarge { max }) => ReceiveError::HeadTooLarge { max },
            Some(Verdict::BrokenOff) => ReceiveError::BrokenOff,
            None => ReceiveError::Malformed(error),
        }
    }
}

impl From<io::Error> for ReceiveError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => Self::DiskFull(error),
            _ => Self::Storage(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::names_a_file;

    #[test]
    fn a_file_name_is_seen_in_any_form() {
        for file in [
            &br#"form-data; name="a"; filename="b""#[..],
            br#"form-data; name="a"; filename*=UTF-8''b"#,
            br#"form-data; name="a\"";FileName = b"#,
            b"form-data; name=a; filename=\xff",
        ] {
            assert!(names_a_file(file), "{}", file.escape_ascii());
        }
        for field in [
            &br#"form-data; name="filename""#[..],
            br#"form-data; name="a; filename=b""#,
            br#"form-data; name="a\"; filename=b""#,
        ] {
            assert!(!names_a_file(field), "{}", field.escape_ascii());
        }
    }
}
