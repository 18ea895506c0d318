//! How much of a convolution each thread computes.

use burn::cubecl::client::Client;

/// Multiplications per channel that a kernel is unrolled to.
const UNROLLED: usize = 1200;

/// Channels that a thread computes, as vectors: their length and how many.
#[derive(Clone, Copy)]
pub(super) struct Block {
    pub length: usize,
    pub vectors: usize,
}

impl Block {
    /// At most `most` channels: 4 or 8.
    pub fn new(channels: usize, most: usize) -> Self {
        match channels {
            1..3 => Self { length: channels, vectors: 1 },
            3..8 => Self { length: 4, vectors: 1 },
            _ => Self { length: 4, vectors: most / 4 },
        }
    }

    pub fn channels(self) -> usize {
        self.length * self.vectors
    }
}

/// What a thread computes: pixels along each axis, and channels.
pub(super) struct Cut {
    pub tile: [usize; 2],
    pub block: Block,
}

/// Pixels and channels of a thread, from those that need least memory loads to those that make most threads.
const CUTS: [[usize; 2]; 4] = [[16, 8], [4, 8], [4, 4], [1, 4]];

impl Cut {
    /// The first that gives as many threads as are wanted, for so many images and groups.
    pub fn new(size: [usize; 2], channels: usize, taps: usize, images: usize, wanted: usize) -> Self {
        let cuts = CUTS.map(|[pixels, most]| {
            let block = Block::new(channels, most);
            let most = match (size, pixels) {
                ([1, _], _) => [1, pixels],
                (_, 16) => [4, 4],
                (_, 4) => [2, 2],
                _ => [1, 1],
            };
            Self { tile: [0, 1].map(|axis| size[axis].next_power_of_two().min(most[axis])), block }
        });
        let threads = |Self { tile, block }: &Self| {
            let tiles: usize = (0..2).map(|axis| size[axis].div_ceil(tile[axis])).product();
            images * tiles * channels.div_ceil(block.channels())
        };
        let unrolled = |Self { tile, block }: &Self| tile[0] * tile[1] * taps * block.channels() <= UNROLLED;
        let [rest @ .., last] = cuts;
        rest.into_iter().find(|cut| unrolled(cut) && threads(cut) >= wanted).unwrap_or(last)
    }
}

#[cfg(test)]
thread_local! {
    /// Threads that are wanted whatever the adapter.
    pub(super) static WANTED: std::cell::Cell<Option<usize>> = const { std::cell::Cell::new(None) };
}

/// Threads that keep the device busy. What computes four values at a time is a processor that stands in for a GPU:
/// there a thread should compute as much as it can.
pub(super) fn wanted_threads(client: &Client) -> usize {
    #[cfg(test)]
    if let Some(wanted) = WANTED.get() {
        return wanted;
    }
    match client.properties().hardware.plane_size_max {
        ..=4 => 1,
        _ => 1 << 14,
    }
}
