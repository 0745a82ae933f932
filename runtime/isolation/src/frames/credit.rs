//! How much of a body may be on its way: each body has a window, and what the receiver has used up is given back.
//!
//! A frame costs more than its bytes, so that a body cut into crumbs does not fill the receiver's memory with frames.

use super::Violation;

/// How much of one body may be on its way, in [`cost`].
pub const WINDOW: usize = 256 * 1024;
/// The longest part of a body.
pub const CHUNK: usize = 64 * 1024;
/// What a frame costs beside its bytes.
const FRAME: usize = 64;
/// A part shorter than this is not sent while more is there to send and no room for it.
const WORTH: usize = 4 * 1024;

/// What a part of `length` bytes takes of the window.
pub const fn cost(length: usize) -> usize {
    length + FRAME
}

/// The sender's side of one body.
#[derive(Debug, Clone)]
pub struct Sending {
    left: usize,
}

impl Default for Sending {
    fn default() -> Self {
        Self { left: WINDOW }
    }
}

impl Sending {
    /// How many of `length` bytes may be sent as one part now; `None` is: wait for credit. Takes the credit.
    pub fn take(&mut self, length: usize) -> Option<usize> {
        if self.left < cost(length.min(WORTH)) {
            return None;
        }
        let part = length.min(CHUNK).min(self.left - FRAME);
        self.left -= cost(part);
        Some(part)
    }

    /// Takes back what the receiver has used up.
    ///
    /// # Errors
    ///
    /// [`Violation::Credit`] if it gives more than was sent.
    pub const fn credited(&mut self, used: usize) -> Result<(), Violation> {
        if used > WINDOW - self.left {
            return Err(Violation::Credit);
        }
        self.left += used;
        Ok(())
    }
}

/// The receiver's side of one body.
#[derive(Debug, Clone)]
pub struct Receiving {
    left: usize,
    owed: usize,
}

impl Default for Receiving {
    fn default() -> Self {
        Self {
            left: WINDOW,
            owed: 0,
        }
    }
}

impl Receiving {
    /// Counts a part that has arrived.
    ///
    /// # Errors
    ///
    /// [`Violation::Credit`] if the sender had no credit for it.
    pub const fn received(&mut self, length: usize) -> Result<(), Violation> {
        match self.left.checked_sub(cost(length)) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(Violation::Credit),
        }
    }

    /// Counts a part that has been used up; the credit to give, if it has become worth a frame.
    pub const fn used(&mut self, length: usize) -> Option<u32> {
        self.owed += cost(length);
        if self.owed < WINDOW / 2 {
            return None;
        }
        let given = self.owed;
        self.owed = 0;
        self.left += given;
        Some(given as u32)
    }
}
