//! Places where a test lets the process die, so that the next one shows what was left.
//!
//! A point stands between two steps whose order matters. In a build without tests it is nothing at all. In a test's
//! process the variable [`VARIABLE`] names a point and which passing of it is the last: `append.before_commit:3`.

/// Dies here, if that is what the test wants.
#[cfg(not(test))]
#[inline(always)]
pub(crate) const fn point(_: &'static str) {}

#[cfg(test)]
pub(crate) use armed::{POINTS, REBUILDING, VARIABLE, point};

#[cfg(test)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Where the point to die at is named, and the number of the passing.
    pub(crate) const VARIABLE: &str = "HECATE_FAULT";

    /// All points that there are.
    pub(crate) const POINTS: &[&str] = &[
        "open.before_format",
        "open.after_format",
        "open.before_epoch",
        "open.after_epoch",
        "acquire.store_is_open",
        "append.before_begin",
        "append.after_begin",
        "append.between_inserts",
        "append.before_commit",
        "append.after_commit",
        "append.between_answers",
        "projection.before_format",
        "projection.between_events",
        "projection.before_commit",
        "projection.after_commit",
        "messages.before_commit",
        "messages.after_commit",
        "messages.before_sending",
        "messages.after_sending",
        "release.projector_stopped",
        "close.before_checkpoint",
        "close.after_checkpoint",
    ];

    /// Those while rows are built anew beside the running ones; two of them stand in a test's own projection.
    pub(crate) const REBUILDING: &[&str] = &[
        "rebuild.opened",
        "rebuild.projecting",
        "rebuild.built",
        "rebuild.removing",
        "rebuild.copied",
        "rebuild.switched",
    ];

    struct Fuse {
        point: String,
        passes_left: AtomicUsize,
    }

    fn fuse() -> Option<&'static Fuse> {
        static FUSE: OnceLock<Option<Fuse>> = OnceLock::new();
        let read = || {
            let wanted = std::env::var(VARIABLE).ok()?;
            let (point, passes) = wanted.rsplit_once(':').expect("a point and a number");
            Some(Fuse {
                point: point.to_owned(),
                passes_left: AtomicUsize::new(passes.parse().expect("a number")),
            })
        };
        FUSE.get_or_init(read).as_ref()
    }

    pub(crate) fn point(name: &'static str) {
        let is_known = POINTS.contains(&name) || REBUILDING.contains(&name);
        assert!(is_known, "`{name}` is not on the list");
        let Some(fuse) = fuse().filter(|fuse| fuse.point == name) else {
            return;
        };
        if fuse.passes_left.fetch_sub(1, Ordering::SeqCst) == 1 {
            // No destructor runs and no buffer is written, as if it were killed from outside at just this instruction.
            std::process::abort();
        }
    }
}
