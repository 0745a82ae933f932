//! The frames that daemon and runner exchange: the ABI's calls, many of them over one socket.
//!
//! ```text
//! frame = u32 length of the payload | u8 kind | u8 flags | u16 aux | u32 id | payload      (little endian)
//! ```
//!
//! `id` names a call. The daemon gives it, and gives it again only when the runner's last frame for it has come: a
//! `Response` without [`MORE`], or an `End`. So an answer to a call that was given up is never taken for one to the next.
//!
//! Everything is checked here that can be checked without knowing what has been said before: kinds, flags, lengths, the
//! form of heads. What depends on that is the affair of the two ends. Nothing is trusted, nothing panics.

mod credit;
mod head;

use bytes::{Buf, BufMut, Bytes, BytesMut};

pub use credit::{CHUNK, Receiving, Sending, WINDOW, cost};
pub use head::{Field, Fields, RequestHead, TooLong, put_request, put_response, request, response};

/// Bytes before each payload.
pub const HEAD_BYTES: usize = 12;
/// The longest payload. The head of a request is at most some 400 KiB: hyper refuses longer ones.
pub const MAX_PAYLOAD: usize = 1024 * 1024;
/// How much of a body travels in the frame of its head.
pub const INLINE: usize = 64 * 1024;

/// Flag: a body, or the rest of one, follows in `Data` frames.
pub const MORE: u8 = 1;
/// Flag: the payload lies in shared memory. Reserved: whoever sends it today breaks the contract.
pub const SHARED: u8 = 2;
/// Flag of `End`: what ended has failed.
pub const FAILED: u8 = 4;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Runner → daemon, once, first: whether the library was loaded, and the receipt of the sandbox. JSON.
    Hello = 1,
    /// Daemon → runner: a request; the body, or its first part, behind the head.
    Request = 2,
    /// Runner → daemon: an answer, `aux` its status; the body, or its first part, behind the head.
    Response = 3,
    /// Either way: the next part of a body.
    Data = 4,
    /// Either way: the end of a body. From the runner also: a call without an answer.
    End = 5,
    /// Daemon → runner: the call is given up. Runner → daemon: the request's body is not wanted any more.
    Reset = 6,
    /// Either way: how much of a body has been used up, `u32`.
    Credit = 7,
    /// Daemon → runner: a control operation, `aux` its number, the payload JSON. Answered as a request is.
    Control = 8,
    /// Runner → daemon: one event of the plugin's log, `aux` its level.
    Log = 9,
    /// Runner → daemon: all metrics of the plugin.
    Metrics = 10,
}

impl Kind {
    const ALL: [Self; 10] = [
        Self::Hello,
        Self::Request,
        Self::Response,
        Self::Data,
        Self::End,
        Self::Reset,
        Self::Credit,
        Self::Control,
        Self::Log,
        Self::Metrics,
    ];

    fn of(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }

    /// The flags that may stand on it.
    const fn flags(self) -> u8 {
        match self {
            Self::Request | Self::Response | Self::Control => MORE,
            Self::End => FAILED,
            _ => 0,
        }
    }

    const fn takes(self, length: usize) -> bool {
        match self {
            Self::End | Self::Reset => length == 0,
            Self::Credit => length == 4,
            Self::Data => length <= CHUNK,
            _ => length <= MAX_PAYLOAD,
        }
    }
}

/// How the other end broke the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// There is no such kind of frame.
    #[error("a frame of the unknown kind {0}")]
    Kind(u8),
    /// A flag that such a frame does not have.
    #[error("a frame with the flags {flags:#04x}, which `{kind:?}` does not have")]
    Flags {
        /// The frame.
        kind: Kind,
        /// Its flags.
        flags: u8,
    },
    /// A payload that is too long, or not as long as such a frame is.
    #[error("a `{kind:?}` of {length} bytes")]
    Length {
        /// The frame.
        kind: Kind,
        /// What its head says.
        length: usize,
    },
    /// The head of a request or an answer is cut off.
    #[error("a head that is cut off")]
    Head,
    /// More was sent than was allowed.
    #[error("more of a body than there was credit for")]
    Credit,
    /// A frame that does not come at this point.
    #[error("a `{kind:?}` for call {id}, which does not wait for one")]
    Unexpected {
        /// The frame.
        kind: Kind,
        /// The call.
        id: u32,
    },
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub kind: Kind,
    /// [`MORE`], [`FAILED`].
    pub flags: u8,
    /// Status, operation or level.
    pub aux: u16,
    /// Which call.
    pub id: u32,
    /// The rest.
    pub payload: Bytes,
}

impl Frame {
    /// Whether a flag is set.
    pub const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The credit in the payload.
    pub fn credit(&self) -> usize {
        let mut payload = &self.payload[..];
        payload.try_get_u32_le().unwrap_or(0) as usize
    }
}

/// Appends a frame whose payload is what `payload` appends.
pub fn put(
    out: &mut Vec<u8>,
    kind: Kind,
    flags: u8,
    aux: u16,
    id: u32,
    payload: impl FnOnce(&mut Vec<u8>),
) {
    let start = out.len();
    out.put_u32_le(0);
    out.put_u8(kind as u8);
    out.put_u8(flags);
    out.put_u16_le(aux);
    out.put_u32_le(id);
    payload(out);
    let length = (out.len() - start - HEAD_BYTES) as u32;
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

/// Appends a frame that carries `bytes`.
pub fn put_bytes(out: &mut Vec<u8>, kind: Kind, flags: u8, aux: u16, id: u32, bytes: &[u8]) {
    put(out, kind, flags, aux, id, |out| {
        out.extend_from_slice(bytes);
    });
}

/// Appends a `Credit`.
pub fn put_credit(out: &mut Vec<u8>, id: u32, used: u32) {
    put_bytes(out, Kind::Credit, 0, 0, id, &used.to_le_bytes());
}

/// Cuts frames out of what arrives.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: BytesMut,
}

impl Decoder {
    /// Where to read the next bytes to.
    pub fn space(&mut self) -> &mut BytesMut {
        self.buffer.reserve(64 * 1024);
        &mut self.buffer
    }

    /// The next whole frame, if it has arrived.
    ///
    /// # Errors
    ///
    /// [`Violation`], as soon as the head has arrived: a length that is too long is never waited for.
    pub fn frame(&mut self) -> Result<Option<Frame>, Violation> {
        let Some(mut head) = self.buffer.get(..HEAD_BYTES) else {
            return Ok(None);
        };
        let length = head.get_u32_le() as usize;
        let (kind, flags, aux, id) = (
            head.get_u8(),
            head.get_u8(),
            head.get_u16_le(),
            head.get_u32_le(),
        );
        let kind = Kind::of(kind).ok_or(Violation::Kind(kind))?;
        if flags & !kind.flags() != 0 {
            return Err(Violation::Flags { kind, flags });
        }
        if !kind.takes(length) {
            return Err(Violation::Length { kind, length });
        }
        if self.buffer.len() < HEAD_BYTES + length {
            return Ok(None);
        }
        self.buffer.advance(HEAD_BYTES);
        let payload = self.buffer.split_to(length).freeze();
        Ok(Some(Frame {
            kind,
            flags,
            aux,
            id,
            payload,
        }))
    }
}

#[cfg(test)]
mod tests;
