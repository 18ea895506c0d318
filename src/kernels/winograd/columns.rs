//! Functions of the columns of some lines, in vectors.

#![allow(
    clippy::needless_range_loop,
    reason = "`map` on arrays becomes a call of a function without vector registers"
)]

use std::ops::{Add, Sub};

use macerator::{Scalar, Simd, Vector};

/// What is computed of each column of some lines.
pub(super) trait Columns<const FROM: usize, const INTO: usize> {
    fn apply<T: Value>(&self, from: [T; FROM]) -> [T; INTO];
}

/// Applies `function` to some lines of `count` floats.
///
/// # Safety
/// All lines are `count` floats long, and those of `into` lie apart from those of `from`.
#[inline(always)]
pub(super) unsafe fn along<S: Simd, const FROM: usize, const INTO: usize>(
    count: usize,
    from: [*const f32; FROM],
    into: [*mut f32; INTO],
    function: &impl Columns<FROM, INTO>,
) {
    let lanes = f32::lanes::<S>();
    // SAFETY: as the caller promises.
    unsafe {
        if count < lanes {
            return (0..count).for_each(|x| column::<f32, _, _>(x, from, into, function));
        }
        for x in (0..count).step_by(lanes) {
            // The last vector may overlap with the one before it.
            column::<Vector<S, f32>, _, _>(x.min(count - lanes), from, into, function);
        }
    }
}

/// One column, or a vector of them from `x` on.
///
/// # Safety
/// As of [`along`].
#[inline(always)]
unsafe fn column<T: Value, const FROM: usize, const INTO: usize>(
    x: usize,
    from: [*const f32; FROM],
    into: [*mut f32; INTO],
    function: &impl Columns<FROM, INTO>,
) {
    // SAFETY: as the caller promises.
    unsafe {
        let mut values = [T::all(0.0); FROM];
        for row in 0..FROM {
            values[row] = T::load(from[row].add(x));
        }
        let results = function.apply(values);
        for row in 0..INTO {
            results[row].store(into[row].add(x));
        }
    }
}

/// A float, or a vector of them.
pub(super) trait Value: Copy + Add<Output = Self> + Sub<Output = Self> {
    fn all(value: f32) -> Self;
    fn times(self, factor: f32) -> Self;
    /// What is no number stays so.
    fn between(self, low: Self, high: Self) -> Self;
    /// # Safety
    /// It can be read.
    unsafe fn load(from: *const f32) -> Self;
    /// # Safety
    /// It can be written.
    unsafe fn store(self, into: *mut f32);
}

impl Value for f32 {
    #[inline(always)]
    fn all(value: f32) -> Self {
        value
    }

    #[inline(always)]
    fn times(self, factor: f32) -> Self {
        self * factor
    }

    #[inline(always)]
    fn between(self, low: Self, high: Self) -> Self {
        let value = if self < low { low } else { self };
        if value > high { high } else { value }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: as the caller promises.
        unsafe { *from }
    }

    #[inline(always)]
    unsafe fn store(self, into: *mut f32) {
        // SAFETY: as the caller promises.
        unsafe { *into = self }
    }
}

impl<S: Simd> Value for Vector<S, f32> {
    #[inline(always)]
    fn all(value: f32) -> Self {
        value.splat::<S>()
    }

    #[inline(always)]
    fn times(self, factor: f32) -> Self {
        self * factor.splat::<S>()
    }

    #[inline(always)]
    fn between(self, low: Self, high: Self) -> Self {
        high.min(low.max(self))
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: as the caller promises.
        unsafe { f32::vload_unaligned::<S>(from) }
    }

    #[inline(always)]
    unsafe fn store(self, into: *mut f32) {
        // SAFETY: as the caller promises.
        unsafe { f32::vstore_unaligned::<S>(into, self) }
    }
}
