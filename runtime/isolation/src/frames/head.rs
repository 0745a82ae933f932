//! Heads of requests and answers inside their frames.
//!
//! ```text
//! request  = u8 length, method | u16 length, target | fields | body (the rest)
//! response = fields | body (the rest)
//! fields   = u16 count | count × field
//! field    = u8 number in the table of common names, or 0 and u16 length, name | u32 length, value
//! ```

use std::collections::HashMap;
use std::sync::LazyLock;

use bytes::{BufMut, Bytes};

use super::Violation;

/// Names that travel as one byte. Both ends are one program, so the list may change with any release.
const NAMES: [&str; 62] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
    "access-control-request-headers",
    "access-control-request-method",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-range",
    "content-security-policy",
    "content-type",
    "cookie",
    "date",
    "dnt",
    "etag",
    "expect",
    "expires",
    "forwarded",
    "from",
    "host",
    "idempotency-key",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "link",
    "location",
    "origin",
    "pragma",
    "range",
    "referer",
    "referrer-policy",
    "retry-after",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "server",
    "set-cookie",
    "strict-transport-security",
    "traceparent",
    "upgrade-insecure-requests",
    "user-agent",
    "vary",
    "x-content-type-options",
    "x-request-id",
];

static NUMBERS: LazyLock<HashMap<&'static [u8], u8>> = LazyLock::new(|| {
    let names = NAMES.iter().map(|name| name.as_bytes());
    names.zip(1..).collect()
});

/// A field as it travels: name and value.
pub type Field<'a> = (&'a [u8], &'a [u8]);

/// Why a head cannot travel: something in it is longer than its length can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

/// Appends the head of a request.
///
/// # Errors
///
/// [`TooLong`]; what was appended means nothing then.
pub fn put_request<'a>(
    out: &mut Vec<u8>,
    method: &[u8],
    target: &[u8],
    fields: impl Iterator<Item = Field<'a>>,
) -> Result<(), TooLong> {
    out.put_u8(u8::try_from(method.len()).map_err(|_| TooLong)?);
    out.put_slice(method);
    out.put_u16_le(u16::try_from(target.len()).map_err(|_| TooLong)?);
    out.put_slice(target);
    put_fields(out, fields)
}

/// Appends the head of an answer.
///
/// # Errors
///
/// [`TooLong`]; what was appended means nothing then.
pub fn put_response<'a>(
    out: &mut Vec<u8>,
    fields: impl Iterator<Item = Field<'a>>,
) -> Result<(), TooLong> {
    put_fields(out, fields)
}

fn put_fields<'a>(
    out: &mut Vec<u8>,
    fields: impl Iterator<Item = Field<'a>>,
) -> Result<(), TooLong> {
    let at = out.len();
    out.put_u16_le(0);
    let mut count = 0_u16;
    for (name, value) in fields {
        count = count.checked_add(1).ok_or(TooLong)?;
        if let Some(number) = NUMBERS.get(name) {
            out.put_u8(*number);
        } else {
            out.put_u8(0);
            out.put_u16_le(u16::try_from(name.len()).map_err(|_| TooLong)?);
            out.put_slice(name);
        }
        out.put_u32_le(u32::try_from(value.len()).map_err(|_| TooLong)?);
        out.put_slice(value);
    }
    out[at..at + 2].copy_from_slice(&count.to_le_bytes());
    Ok(())
}

/// The head of a request, in the payload it came in.
#[derive(Debug, PartialEq, Eq)]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a [u8],
    /// Path and query.
    pub target: &'a [u8],
    /// Names and values.
    pub fields: Fields<'a>,
    /// Where the body begins in the payload.
    pub body: usize,
}

/// The fields of a head, in order.
pub type Fields<'a> = Vec<Field<'a>>;

/// Reads the head of a request.
///
/// # Errors
///
/// [`Violation::Head`].
pub fn request(payload: &Bytes) -> Result<RequestHead<'_>, Violation> {
    let mut reader = Reader {
        bytes: payload,
        at: 0,
    };
    let length = usize::from(reader.byte()?);
    let method = reader.take(length)?;
    let length = usize::from(reader.short()?);
    let target = reader.take(length)?;
    let fields = reader.fields()?;
    Ok(RequestHead {
        method,
        target,
        fields,
        body: reader.at,
    })
}

/// Reads the head of an answer: its fields, and where the body begins in the payload.
///
/// # Errors
///
/// [`Violation::Head`].
pub fn response(payload: &Bytes) -> Result<(Fields<'_>, usize), Violation> {
    let mut reader = Reader {
        bytes: payload,
        at: 0,
    };
    let fields = reader.fields()?;
    Ok((fields, reader.at))
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Violation> {
        let rest = self.bytes.get(self.at..).ok_or(Violation::Head)?;
        let taken = rest.get(..length).ok_or(Violation::Head)?;
        self.at += length;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Violation> {
        self.take(N)?.try_into().map_err(|_| Violation::Head)
    }

    fn byte(&mut self) -> Result<u8, Violation> {
        self.array().map(u8::from_le_bytes)
    }

    fn short(&mut self) -> Result<u16, Violation> {
        self.array().map(u16::from_le_bytes)
    }

    fn fields(&mut self) -> Result<Fields<'a>, Violation> {
        let count = usize::from(self.short()?);
        // A field takes five bytes at least: what is not there is not reserved for.
        let mut fields = Vec::with_capacity(count.min((self.bytes.len() - self.at) / 5));
        for _ in 0..count {
            let name = match usize::from(self.byte()?) {
                0 => {
                    let length = usize::from(self.short()?);
                    self.take(length)?
                }
                number => NAMES.get(number - 1).ok_or(Violation::Head)?.as_bytes(),
            };
            let length = u32::from_le_bytes(self.array()?) as usize;
            fields.push((name, self.take(length)?));
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::NAMES;

    #[test]
    fn the_table_is_sorted_and_fits_into_a_byte() {
        assert!(NAMES.is_sorted() && NAMES.len() < 256);
    }
}
