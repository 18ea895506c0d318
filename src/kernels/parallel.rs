//! Work shared by the cores where there are threads, done in order where there are none.
//!
//! Results never depend on the number of threads: each piece of work writes its own part of the output.

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Range;

/// Splits `data` into pieces of `size` elements (the last may be shorter) and calls `work(state, index, piece)` on
/// each, with a `state` made by `init` for each thread.
pub(crate) fn for_each_piece<T: Send, S>(
    data: &mut [T],
    size: usize,
    init: impl Fn() -> S + Sync + Send,
    work: impl Fn(&mut S, usize, &mut [T]) + Sync + Send,
) {
    #[cfg(any(not(target_arch = "wasm32"), target_feature = "atomics"))]
    {
        use rayon::prelude::*;
        data.par_chunks_mut(size)
            .enumerate()
            .for_each_init(init, |state, (index, piece)| work(state, index, piece));
    }
    #[cfg(all(target_arch = "wasm32", not(target_feature = "atomics")))]
    {
        let mut state = init();
        data.chunks_mut(size).enumerate().for_each(|(index, piece)| work(&mut state, index, piece));
    }
}

/// Calls `work(index, element)` on each element.
pub(crate) fn for_each<T: Send>(data: &mut [T], work: impl Fn(usize, &mut T) + Sync + Send) {
    for_each_piece(
        data,
        1,
        || (),
        |(), index, piece| piece.iter_mut().for_each(|element| work(index, element)),
    );
}

/// A vector of `length` floats that `write` fills completely.
///
/// # Safety
/// `write` initialises every element.
pub(crate) unsafe fn filled(length: usize, write: impl FnOnce(&mut [MaybeUninit<f32>])) -> Vec<f32> {
    let mut values = Vec::with_capacity(length);
    write(&mut values.spare_capacity_mut()[..length]);
    // SAFETY: the capacity is there and the caller promises that every element was written.
    unsafe { values.set_len(length) };
    values
}

/// Values of one piece of work of an operation that takes each value by itself.
const PIECE: usize = 1 << 15;

/// A vector of `length` floats that `write(range, values)` fills range by range.
///
/// # Safety
/// `write` initialises every value that it is given.
pub(crate) unsafe fn filled_by_range(
    length: usize,
    write: impl Fn(Range<usize>, &mut [MaybeUninit<f32>]) + Sync + Send,
) -> Vec<f32> {
    let write = |output: &mut [MaybeUninit<f32>]| {
        for_each_piece(
            output,
            PIECE,
            || (),
            |(), index, output| write(index * PIECE..index * PIECE + output.len(), output),
        );
    };
    // SAFETY: the pieces are the whole, and the caller promises that each is written.
    unsafe { filled(length, write) }
}

/// Values that several threads write to, each in ranges of its own.
pub(crate) struct Shared<'a, T> {
    start: *mut MaybeUninit<T>,
    length: usize,
    lifetime: PhantomData<&'a mut [MaybeUninit<T>]>,
}

// SAFETY: all access goes through `part`, whose callers keep the ranges apart.
unsafe impl<T: Send> Sync for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    pub fn new(values: &'a mut [MaybeUninit<T>]) -> Self {
        Self { start: values.as_mut_ptr(), length: values.len(), lifetime: PhantomData }
    }

    /// The values of a range.
    ///
    /// # Safety
    /// No two ranges in use at the same time overlap.
    #[allow(clippy::mut_from_ref, reason = "the caller keeps the ranges apart")]
    pub unsafe fn part(&self, range: Range<usize>) -> &mut [MaybeUninit<T>] {
        assert!(range.start <= range.end && range.end <= self.length);
        // SAFETY: within the slice, and nobody else has it.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}
