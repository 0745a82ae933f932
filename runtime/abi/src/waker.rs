//! Wakers across the boundary: either side may wake the other's task from any thread.
#![expect(unsafe_code, reason = "function tables shared with another library")]

use std::mem::ManuallyDrop;
use std::task::{self, RawWaker, RawWakerVTable};

use crate::call::caught;

/// A task's waker as the other side sees it: four functions, the exporter's own data behind them.
///
/// Lent by pointer for the length of one poll; only `clone` allocates.
#[repr(C)]
pub struct Waker {
    clone: unsafe extern "C" fn(*const Self) -> *const Self,
    wake: unsafe extern "C" fn(*const Self),
    wake_by_ref: unsafe extern "C" fn(*const Self),
    drop: unsafe extern "C" fn(*const Self),
}

/// Lent: valid during the poll it was made for.
#[repr(C)]
struct Lent {
    head: Waker,
    inner: *const task::Waker,
}

/// Cloned: boxed, freed by `wake` or `drop`.
#[repr(C)]
struct Kept {
    head: Waker,
    inner: task::Waker,
}

/// Lends `waker` to `poll` in the form that crosses the boundary.
pub(crate) fn lend<R>(waker: &task::Waker, poll: impl FnOnce(*const Waker) -> R) -> R {
    let head = Waker {
        clone: clone_lent,
        wake: wake_lent,
        wake_by_ref: wake_lent,
        drop: drop_lent,
    };
    let lent = Lent { head, inner: waker };
    poll((&raw const lent).cast())
}

/// Gives `poll` a waker of this side's kind for the other side's `waker`.
///
/// # Safety
///
/// `waker` must be valid for the length of `poll`.
pub(crate) unsafe fn borrow<R>(waker: *const Waker, poll: impl FnOnce(&task::Waker) -> R) -> R {
    // SAFETY: the table keeps the contract of `RawWaker`; not dropping it leaves the lender's waker alone.
    let borrowed = ManuallyDrop::new(unsafe { task::Waker::new(waker.cast(), &IMPORTED) });
    poll(&borrowed)
}

unsafe extern "C" fn clone_lent(waker: *const Waker) -> *const Waker {
    // SAFETY: made by `lend`, and the poll is still running.
    keep(unsafe { &*(*waker.cast::<Lent>()).inner })
}

unsafe extern "C" fn wake_lent(waker: *const Waker) {
    // SAFETY: made by `lend`, and the poll is still running.
    let inner = unsafe { &*(*waker.cast::<Lent>()).inner };
    caught(|| inner.wake_by_ref());
}

const unsafe extern "C" fn drop_lent(_: *const Waker) {}

fn keep(waker: &task::Waker) -> *const Waker {
    let head = Waker {
        clone: clone_kept,
        wake: wake_kept,
        wake_by_ref: wake_kept_by_ref,
        drop: drop_kept,
    };
    let inner = waker.clone();
    Box::into_raw(Box::new(Kept { head, inner })).cast()
}

unsafe extern "C" fn clone_kept(waker: *const Waker) -> *const Waker {
    // SAFETY: made by `keep` and not yet dropped.
    keep(unsafe { &(*waker.cast::<Kept>()).inner })
}

unsafe extern "C" fn wake_kept(waker: *const Waker) {
    // SAFETY: made by `keep`; waking by value ends it.
    let kept = unsafe { Box::from_raw(waker.cast::<Kept>().cast_mut()) };
    caught(|| kept.inner.wake());
}

unsafe extern "C" fn wake_kept_by_ref(waker: *const Waker) {
    // SAFETY: made by `keep` and not yet dropped.
    let inner = unsafe { &(*waker.cast::<Kept>()).inner };
    caught(|| inner.wake_by_ref());
}

unsafe extern "C" fn drop_kept(waker: *const Waker) {
    // SAFETY: made by `keep`; this ends it.
    let kept = unsafe { Box::from_raw(waker.cast::<Kept>().cast_mut()) };
    caught(|| drop(kept));
}

/// How this side's tasks use a waker of the other side.
static IMPORTED: RawWakerVTable = RawWakerVTable::new(
    // SAFETY (all four): the pointer is a valid `Waker` by the contract of `borrow` and of `clone`.
    |waker| unsafe {
        let waker = waker.cast::<Waker>();
        RawWaker::new(((*waker).clone)(waker).cast(), &IMPORTED)
    },
    |waker| unsafe {
        let waker = waker.cast::<Waker>();
        ((*waker).wake)(waker);
    },
    |waker| unsafe {
        let waker = waker.cast::<Waker>();
        ((*waker).wake_by_ref)(waker);
    },
    |waker| unsafe {
        let waker = waker.cast::<Waker>();
        ((*waker).drop)(waker);
    },
);
