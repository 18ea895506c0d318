//! The innermost loops: small tiles of results held in vector registers.

#![allow(
    clippy::needless_range_loop,
    reason = "rows and vectors of a tile are counted alike, whatever they index"
)]

use macerator::{Scalar, Simd, Vector};

/// Lanes of the widest vector there is.
pub(crate) const MAX_LANES: usize = 16;

/// Rows of a tile, two vectors wide, that the registers of `S` hold.
#[inline(always)]
pub(crate) fn tile_rows<S: Simd>() -> usize {
    match f32::lanes::<S>() {
        16 => 12,
        8 => 6,
        _ if cfg!(target_arch = "aarch64") => 12,
        _ => 4,
    }
}

/// Vector length and tile rows of the architecture at hand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub lanes: usize,
    pub rows: usize,
}

/// The layout that [`macerator::with_simd`] functions will run with.
#[macerator::with_simd]
pub(crate) fn layout<S: Simd>() -> Layout {
    Layout { lanes: f32::lanes::<S>(), rows: tile_rows::<S>() }
}

/// Splits `count` rows into near-equal tiles of at most `most` rows.
pub(crate) fn tiles(count: usize, most: usize) -> impl Iterator<Item = (usize, usize)> + Clone {
    let parts = count.div_ceil(most);
    (0..parts).map(move |i| {
        let start = i * count / parts;
        (start, (i + 1) * count / parts - start)
    })
}

/// Calls `$function::<S, ROWS, ...>` for a run-time number of rows, 1 to 12.
macro_rules! with_rows {
    ($rows:expr, $($function:ident).+::<$simd:ty, _ $(, $more:tt)*>($($argument:expr),* $(,)?)) => {
        match $rows {
            // Never: it lets the compiler leave out tiles that the registers of this architecture don't hold.
            rows if rows > $crate::tile::tile_rows::<$simd>() => {}
            1 => $($function).+::<$simd, 1 $(, $more)*>($($argument),*),
            2 => $($function).+::<$simd, 2 $(, $more)*>($($argument),*),
            3 => $($function).+::<$simd, 3 $(, $more)*>($($argument),*),
            4 => $($function).+::<$simd, 4 $(, $more)*>($($argument),*),
            5 => $($function).+::<$simd, 5 $(, $more)*>($($argument),*),
            6 => $($function).+::<$simd, 6 $(, $more)*>($($argument),*),
            7 => $($function).+::<$simd, 7 $(, $more)*>($($argument),*),
            8 => $($function).+::<$simd, 8 $(, $more)*>($($argument),*),
            9 => $($function).+::<$simd, 9 $(, $more)*>($($argument),*),
            10 => $($function).+::<$simd, 10 $(, $more)*>($($argument),*),
            11 => $($function).+::<$simd, 11 $(, $more)*>($($argument),*),
            _ => $($function).+::<$simd, 12 $(, $more)*>($($argument),*),
        }
    };
}
pub(crate) use with_rows;

/// `a · b + c`, in one instruction where there is one.
#[cfg(not(all(target_arch = "wasm32", target_feature = "atomics")))]
#[inline(always)]
unsafe fn fused<S: Simd>(a: Vector<S, f32>, b: Vector<S, f32>, c: Vector<S, f32>) -> Vector<S, f32> {
    a.mul_add(b, c)
}

/// `a · b + c`, in one instruction where there is one: browsers with threads have it too, and the vector library's own
/// way to it does not compile.
///
/// # Safety
/// The machine has relaxed SIMD.
#[cfg(all(target_arch = "wasm32", target_feature = "atomics"))]
#[inline]
#[target_feature(enable = "relaxed-simd")]
unsafe fn fused<S: Simd>(a: Vector<S, f32>, b: Vector<S, f32>, c: Vector<S, f32>) -> Vector<S, f32> {
    use core::arch::wasm32::{f32x4_relaxed_madd, v128};

    if f32::lanes::<S>() != 4 {
        return a.mul_add(b, c);
    }
    // SAFETY: four floats, as they are in a `v128`.
    let [a, b, c] = [a, b, c].map(|vector| unsafe { std::mem::transmute_copy::<_, v128>(&vector) });
    // SAFETY: as above.
    unsafe { std::mem::transmute_copy(&f32x4_relaxed_madd(a, b, c)) }
}

/// `out[m][v] = bias[m] + Σₖ weights[k · ROWS + m] · source[v][offsets[k] ..]`, one vector for each `v`, moved between
/// `bounds` and stored at `into[v] + m · steps[v]`.
///
/// # Safety
/// `weights` holds `ROWS` floats for each offset and `bias` holds `ROWS`; a vector can be read at every offset from
/// every `source` and written at every multiple of its step, below `ROWS`, from every `into`.
#[cfg_attr(all(target_arch = "wasm32", target_feature = "atomics"), target_feature(enable = "relaxed-simd"))]
#[cfg_attr(not(all(target_arch = "wasm32", target_feature = "atomics")), inline(always))]
pub(crate) unsafe fn correlate<S: Simd, const ROWS: usize, const VECTORS: usize>(
    weights: *const f32,
    offsets: &[usize],
    source: [*const f32; VECTORS],
    bias: *const f32,
    bounds: Option<[f32; 2]>,
    into: [*mut f32; VECTORS],
    steps: [usize; VECTORS],
) {
    // SAFETY: the caller's promise covers every access.
    unsafe {
        let mut sums = [[0f32.splat::<S>(); VECTORS]; ROWS];
        for m in 0..ROWS {
            sums[m] = [(*bias.add(m)).splat::<S>(); VECTORS];
        }
        for (k, &offset) in offsets.iter().enumerate() {
            let mut values = [0f32.splat::<S>(); VECTORS];
            for v in 0..VECTORS {
                values[v] = f32::vload_unaligned::<S>(source[v].add(offset));
            }
            for m in 0..ROWS {
                let weight = (*weights.add(k * ROWS + m)).splat::<S>();
                for v in 0..VECTORS {
                    sums[m][v] = fused::<S>(weight, values[v], sums[m][v]);
                }
            }
        }
        if let Some(bounds) = bounds {
            let (low, high) = (bounds[0].splat::<S>(), bounds[1].splat::<S>());
            for m in 0..ROWS {
                for v in 0..VECTORS {
                    // In this order what is no number stays so.
                    sums[m][v] = high.min(low.max(sums[m][v]));
                }
            }
        }
        for m in 0..ROWS {
            for v in 0..VECTORS {
                f32::vstore_unaligned::<S>(into[v].add(m * steps[v]), sums[m][v]);
            }
        }
    }
}

/// A grid of pixels in a padded source: images, rows and columns, and the floats from one to the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    pub images: usize,
    pub rows: usize,
    pub columns: usize,
    pub image_step: usize,
    pub row_step: usize,
}

/// `sums[m][v] += Σₚ source[offsets[m] + p] · gradient[p][v]` over the pixels `p` of a grid: the weight gradient of
/// `ROWS` taps for `VECTORS` vectors of output channels.
///
/// # Safety
/// `offsets` has `ROWS` entries, each of which can be read through the whole grid; `gradient` holds
/// `VECTORS` vectors for each pixel and `sums` one row of `VECTORS` vectors every `sums_step` floats.
#[cfg_attr(all(target_arch = "wasm32", target_feature = "atomics"), target_feature(enable = "relaxed-simd"))]
#[cfg_attr(not(all(target_arch = "wasm32", target_feature = "atomics")), inline(always))]
pub(crate) unsafe fn outer<S: Simd, const ROWS: usize, const VECTORS: usize>(
    source: *const f32,
    offsets: &[usize],
    grid: Grid,
    mut gradient: *const f32,
    sums: *mut f32,
    sums_step: usize,
) {
    // SAFETY: the caller's promise covers every access.
    unsafe {
        let lanes = f32::lanes::<S>();
        let mut from = [source; ROWS];
        for m in 0..ROWS {
            from[m] = source.add(offsets[m]);
        }
        let mut totals = [[0f32.splat::<S>(); VECTORS]; ROWS];
        for image in 0..grid.images {
            for row in 0..grid.rows {
                let start = image * grid.image_step + row * grid.row_step;
                for at in start..start + grid.columns {
                    let mut values = [0f32.splat::<S>(); VECTORS];
                    for v in 0..VECTORS {
                        values[v] = f32::vload_unaligned::<S>(gradient.add(v * lanes));
                    }
                    gradient = gradient.add(VECTORS * lanes);
                    for m in 0..ROWS {
                        let pixel = (*from[m].add(at)).splat::<S>();
                        for v in 0..VECTORS {
                            totals[m][v] = fused::<S>(pixel, values[v], totals[m][v]);
                        }
                    }
                }
            }
        }
        for m in 0..ROWS {
            for v in 0..VECTORS {
                let at = sums.add(m * sums_step + v * lanes);
                f32::vstore_unaligned::<S>(at, totals[m][v] + f32::vload_unaligned::<S>(at));
            }
        }
    }
}

/// `sums[m] += Σ source[offsets[m] ..] · gradient[..]`, vector by vector along the rows of a plane, the lanes kept
/// apart: the weight gradient of `ROWS` taps for a single output channel. `vectors` a row, the gradient's
/// rows being `vectors` whole vectors long.
///
/// # Safety
/// `offsets` has `ROWS` entries; `vectors` vectors can be read on each row of the grid from each of them, and from
/// `gradient`; `sums` holds `ROWS` vectors.
#[cfg_attr(all(target_arch = "wasm32", target_feature = "atomics"), target_feature(enable = "relaxed-simd"))]
#[cfg_attr(not(all(target_arch = "wasm32", target_feature = "atomics")), inline(always))]
pub(crate) unsafe fn inner<S: Simd, const ROWS: usize>(
    source: *const f32,
    offsets: &[usize],
    rows: usize,
    row_step: usize,
    vectors: usize,
    mut gradient: *const f32,
    sums: *mut f32,
) {
    // SAFETY: the caller's promise covers every access.
    unsafe {
        let lanes = f32::lanes::<S>();
        let mut from = [source; ROWS];
        for m in 0..ROWS {
            from[m] = source.add(offsets[m]);
        }
        let mut totals = [0f32.splat::<S>(); ROWS];
        for m in 0..ROWS {
            totals[m] = f32::vload_unaligned::<S>(sums.add(m * lanes));
        }
        for row in 0..rows {
            for v in 0..vectors {
                let at = row * row_step + v * lanes;
                let values = f32::vload_unaligned::<S>(gradient);
                gradient = gradient.add(lanes);
                for m in 0..ROWS {
                    totals[m] = fused::<S>(f32::vload_unaligned::<S>(from[m].add(at)), values, totals[m]);
                }
            }
        }
        for m in 0..ROWS {
            f32::vstore_unaligned::<S>(sums.add(m * lanes), totals[m]);
        }
    }
}
