//! Values that cross the boundary: byte slices, owned bytes, header lists, requests and responses.
#![expect(unsafe_code, reason = "raw parts of values that the other side made")]

use std::ffi::c_void;
use std::{fmt, ptr, slice};

use crate::call::Stream;

/// Borrowed bytes. Valid for as long as the item that holds it says.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Slice {
    ptr: *const u8,
    len: usize,
}

impl Slice {
    /// No bytes.
    pub const EMPTY: Self = Self {
        ptr: ptr::null(),
        len: 0,
    };

    /// The raw parts of `bytes`.
    pub const fn of(bytes: &[u8]) -> Self {
        Self {
            ptr: bytes.as_ptr(),
            len: bytes.len(),
        }
    }

    /// The bytes themselves; a null pointer is an empty slice.
    ///
    /// # Safety
    ///
    /// The bytes must be alive and unchanged for `'a`.
    pub const unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.ptr.is_null() || self.len == 0 {
            return &[];
        }
        // SAFETY: not null, and the caller vouches for the rest.
        unsafe { slice::from_raw_parts(self.ptr, self.len) }
    }
}

/// One header field: name and value as on the wire.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Header {
    /// Lowercase field name.
    pub name: Slice,
    /// Field value; not necessarily UTF-8.
    pub value: Slice,
}

/// Bytes with their owner. Dropping it gives them back to the side that made them.
#[repr(C)]
pub struct Owned {
    bytes: Slice,
    owner: *mut c_void,
    release: Option<unsafe extern "C" fn(*mut c_void)>,
}

// SAFETY: made only from `Send` values (see `new`), and read-only until dropped.
unsafe impl Send for Owned {}
// SAFETY: shared access only reads the bytes.
unsafe impl Sync for Owned {}

impl Owned {
    /// No bytes, nothing to release.
    pub const EMPTY: Self = Self {
        bytes: Slice::EMPTY,
        owner: ptr::null_mut(),
        release: None,
    };

    /// Hands `value` over; its bytes must not move while it does not.
    pub fn new<T: AsRef<[u8]> + Send + Sync + 'static>(value: T) -> Self {
        if value.as_ref().is_empty() {
            return Self::EMPTY;
        }
        let boxed = Box::new(value);
        let bytes = Slice::of((*boxed).as_ref());
        Self {
            bytes,
            owner: Box::into_raw(boxed).cast(),
            release: Some(release::<T>),
        }
    }

    /// Whether there are no bytes.
    pub const fn is_empty(&self) -> bool {
        self.bytes.len == 0
    }
}

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the owner keeps the bytes alive until `self` is dropped.
        unsafe { self.bytes.bytes() }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            // SAFETY: `owner` and `release` were made together, and this runs once.
            unsafe { release(self.owner) }
        }
    }
}

impl fmt::Debug for Owned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owned({} bytes)", self.bytes.len)
    }
}

/// A list of headers with the owner of their bytes.
#[repr(C)]
pub struct Headers {
    list: *const Header,
    len: usize,
    owner: *mut c_void,
    release: Option<unsafe extern "C" fn(*mut c_void)>,
}

// SAFETY: as for `Owned`.
unsafe impl Send for Headers {}
// SAFETY: as for `Owned`.
unsafe impl Sync for Headers {}

impl Headers {
    /// No headers.
    pub const EMPTY: Self = Self {
        list: ptr::null(),
        len: 0,
        owner: ptr::null_mut(),
        release: None,
    };

    /// Hands `source` over together with the list that `each` makes of it.
    ///
    /// `each` gets the source at its final address and pushes slices of it.
    pub fn new<T: Send + Sync + 'static>(
        source: T,
        each: impl FnOnce(&T, &mut Vec<Header>),
    ) -> Self {
        let mut boxed = Box::new((source, Vec::new()));
        let (source, list) = &mut *boxed;
        each(source, list);
        if list.is_empty() {
            return Self::EMPTY;
        }
        let (list, len) = (list.as_ptr(), list.len());
        let owner = Box::into_raw(boxed).cast();
        Self {
            list,
            len,
            owner,
            release: Some(release::<(T, Vec<Header>)>),
        }
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        // SAFETY: the owner keeps list and bytes alive until `self` is dropped.
        unsafe { headers(self.list, self.len) }
    }
}

impl Drop for Headers {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            // SAFETY: `owner` and `release` were made together, and this runs once.
            unsafe { release(self.owner) }
        }
    }
}

/// A request on its way to the plugin. The head is borrowed for the call; body and stream are handed over.
#[repr(C)]
pub struct Request {
    method: Slice,
    uri: Slice,
    headers: *const Header,
    headers_len: usize,
    /// The body, or its first part if [`Request::stream`] is present.
    pub body: Owned,
    /// The rest of the body, pulled by the plugin.
    pub stream: Stream,
}

impl Request {
    /// A request whose head borrows from the arguments, which must outlive the call it is made for.
    pub const fn new(
        method: &[u8],
        uri: &[u8],
        headers: &[Header],
        body: Owned,
        stream: Stream,
    ) -> Self {
        Self {
            method: Slice::of(method),
            uri: Slice::of(uri),
            headers: headers.as_ptr(),
            headers_len: headers.len(),
            body,
            stream,
        }
    }

    /// Request method.
    ///
    /// # Safety
    ///
    /// Only during the call that this request was passed to.
    pub unsafe fn method(&self) -> &[u8] {
        // SAFETY: the caller of `Plugin::call` keeps the head alive for the call.
        unsafe { self.method.bytes() }
    }

    /// Request target: path and query.
    ///
    /// # Safety
    ///
    /// Only during the call that this request was passed to.
    pub unsafe fn uri(&self) -> &[u8] {
        // SAFETY: as above.
        unsafe { self.uri.bytes() }
    }

    /// Header fields, in order.
    ///
    /// # Safety
    ///
    /// Only during the call that this request was passed to.
    pub unsafe fn headers(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        // SAFETY: as above.
        unsafe { headers(self.headers, self.headers_len) }
    }
}

/// The plugin's answer.
#[repr(C)]
pub struct Response {
    /// HTTP status code.
    pub status: u16,
    /// Header fields.
    pub headers: Headers,
    /// The body, or the frame that was ready first if [`Response::stream`] is present.
    pub body: Owned,
    /// The rest of the body; absent for an answer that was ready as a whole.
    pub stream: Stream,
}

impl Response {
    /// Status and body alone.
    pub const fn new(status: u16, body: Owned) -> Self {
        Self {
            status,
            headers: Headers::EMPTY,
            body,
            stream: Stream::NONE,
        }
    }
}

/// # Safety
///
/// `list` must point to `len` headers that are alive for `'a`, as must be their bytes.
unsafe fn headers<'a>(
    list: *const Header,
    len: usize,
) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    let list = if list.is_null() {
        &[]
    } else {
        // SAFETY: by the contract of this function.
        unsafe { slice::from_raw_parts(list, len) }
    };
    // SAFETY: by the contract of this function.
    list.iter()
        .map(|header| unsafe { (header.name.bytes(), header.value.bytes()) })
}

unsafe extern "C" fn release<T>(owner: *mut c_void) {
    // SAFETY: `owner` is a `Box<T>` made in this module and released once.
    let boxed = unsafe { Box::from_raw(owner.cast::<T>()) };
    crate::call::caught(|| drop(boxed));
}
