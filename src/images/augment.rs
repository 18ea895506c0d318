//! Small random changes to images, so that one image counts for many.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::{ImageShape, rng};

/// How strongly images are changed while training. All are the largest deviation, drawn evenly on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(default, deny_unknown_fields)]
pub struct Augment {
    /// Shift in pixels, in both directions.
    pub shift_px: f32,
    /// Rotation in degrees.
    pub rotate_deg: f32,
    /// Relative size.
    pub scale: f32,
    /// Added to every value, relative to the whole range.
    pub brightness: f32,
    /// Relative spread around the middle grey.
    pub contrast: f32,
    /// Standard deviation of noise, relative to the whole range.
    pub noise: f32,
    /// Mirror left and right half of the time. Off: letters and digits do not survive it.
    pub flip: bool,
}

impl Default for Augment {
    fn default() -> Self {
        Augment {
            shift_px: 2.0,
            rotate_deg: 4.0,
            scale: 0.06,
            brightness: 0.08,
            contrast: 0.15,
            noise: 0.015,
            flip: false,
        }
    }
}

impl Augment {
    /// Writes one image as floats 0..255, changed as (`seed`, `epoch`, `index`) say.
    ///
    /// Pixels outside the image repeat its edge. The same three numbers give the same result on every machine.
    ///
    /// # Shapes
    /// - `image`, `out`: [channels, height, width] as `shape` says
    pub fn apply(
        &self,
        image: &[u8],
        shape: ImageShape,
        seed: u64,
        epoch: u64,
        index: usize,
        out: &mut [f32],
    ) {
        let mut rng =
            rng::stream(seed, rng::AUGMENT | (epoch & 0x7fff_ffff) << 32 | index as u64 & 0xffff_ffff);
        // Every number is drawn whatever the settings are, so that one setting does not move the others.
        let mut even = || rng.random_range(-1.0f32..=1.0);
        let shift = [even(), even()].map(|v| v * self.shift_px);
        // The rotation by 2·atan(θ/2), which is θ for small angles, by exact arithmetic only: sine and cosine
        // differ in their last bit from one machine to another.
        let half = even() * self.rotate_deg.to_radians() / 2.0;
        let (cos, sin) = ((1.0 - half * half) / (1.0 + half * half), 2.0 * half / (1.0 + half * half));
        let size = 1.0 / (1.0 + even() * self.scale).max(0.05);
        let add = even() * self.brightness * 255.0;
        let spread = 1.0 + even() * self.contrast;
        let flip = if even() > 0.0 && self.flip { -1.0 } else { 1.0 };
        let view = View { matrix: [cos * size * flip, -sin * size * flip, sin * size, cos * size], shift };
        view.sample(image, shape, out);
        for value in out.iter_mut() {
            *value = (*value - 127.5) * spread + 127.5 + add;
        }
        if self.noise > 0.0 {
            for value in out.iter_mut() {
                *value += rng::normal(&mut rng) * self.noise * 255.0;
            }
        }
        for value in out.iter_mut() {
            *value = value.clamp(0.0, 255.0);
        }
    }
}

/// An affine map from the pixels of the result to those of the image, about its centre.
struct View {
    /// [x from x, x from y, y from x, y from y]
    matrix: [f32; 4],
    shift: [f32; 2],
}

impl View {
    /// Bilinear; outside the image its edge is repeated.
    fn sample(&self, image: &[u8], shape: ImageShape, out: &mut [f32]) {
        let ImageShape { channels, height, width } = shape;
        let [xx, xy, yx, yy] = self.matrix;
        let (mid_x, mid_y) = ((width as f32 - 1.0) / 2.0, (height as f32 - 1.0) / 2.0);
        let (max_x, max_y) = (width as f32 - 1.0, height as f32 - 1.0);
        let plane = height * width;
        for row in 0..height {
            for column in 0..width {
                let (dx, dy) = (column as f32 - mid_x, row as f32 - mid_y);
                let x = (xx * dx + xy * dy + mid_x - self.shift[0]).clamp(0.0, max_x);
                let y = (yx * dx + yy * dy + mid_y - self.shift[1]).clamp(0.0, max_y);
                let (left, top) = (x as usize, y as usize);
                let (right, bottom) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
                let (fx, fy) = (x - left as f32, y - top as f32);
                for channel in 0..channels {
                    let at = |r: usize, c: usize| f32::from(image[channel * plane + r * width + c]);
                    let upper = at(top, left) + (at(top, right) - at(top, left)) * fx;
                    let lower = at(bottom, left) + (at(bottom, right) - at(bottom, left)) * fx;
                    out[channel * plane + row * width + column] = upper + (lower - upper) * fy;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: ImageShape = ImageShape { channels: 1, height: 9, width: 9 };
    const NONE: Augment = Augment {
        shift_px: 0.0,
        rotate_deg: 0.0,
        scale: 0.0,
        brightness: 0.0,
        contrast: 0.0,
        noise: 0.0,
        flip: false,
    };

    fn image() -> Vec<u8> {
        (0..81).map(|i| (i * 3) as u8).collect()
    }

    fn apply(augment: Augment, epoch: u64, index: usize) -> Vec<f32> {
        let mut out = vec![0.0; 81];
        augment.apply(&image(), SHAPE, 1, epoch, index, &mut out);
        out
    }

    #[test]
    fn without_any_change_the_image_is_itself() {
        let expected: Vec<f32> = image().into_iter().map(f32::from).collect();
        assert_eq!(apply(NONE, 0, 0), expected);
    }

    #[test]
    fn epoch_and_index_decide_and_values_stay_in_range() {
        let strong = Augment { brightness: 0.6, noise: 0.3, flip: true, ..Augment::default() };
        assert_eq!(apply(strong, 2, 3), apply(strong, 2, 3));
        assert_ne!(apply(strong, 2, 3), apply(strong, 3, 3));
        assert_ne!(apply(strong, 2, 3), apply(strong, 2, 4));
        assert!(apply(strong, 2, 3).iter().all(|v| (0.0..=255.0).contains(v)));
    }

    #[test]
    fn a_flip_mirrors_about_half_of_the_images() {
        let flip = Augment { flip: true, ..NONE };
        let mirrored = (0..200).filter(|&index| apply(flip, 0, index)[0] == 8.0 * 3.0).count();
        let plain = (0..200).filter(|&index| apply(flip, 0, index)[0] == 0.0).count();
        assert_eq!(mirrored + plain, 200);
        assert!((70..130).contains(&mirrored), "{mirrored}");
    }

    #[test]
    fn a_shift_moves_by_at_most_its_setting() {
        let shift = Augment { shift_px: 2.0, ..NONE };
        // One step to the right adds 3 and one down 27, so the middle tells how far the image moved.
        for index in 0..100 {
            assert!((apply(shift, 0, index)[40] - 120.0).abs() <= 60.0);
        }
        assert!((0..100).any(|index| (apply(shift, 0, index)[40] - 120.0).abs() > 30.0));
    }

    #[test]
    fn noise_has_the_asked_deviation() {
        let grey = vec![128; 32 * 32];
        let shape = ImageShape { channels: 1, height: 32, width: 32 };
        let mut out = vec![0.0; 1024];
        Augment { noise: 0.04, ..NONE }.apply(&grey, shape, 7, 0, 0, &mut out);
        let variance = out.iter().map(|v| (v - 128.0) * (v - 128.0)).sum::<f32>() / 1024.0;
        assert!((variance.sqrt() - 0.04 * 255.0).abs() < 0.8, "{}", variance.sqrt());
    }

    #[test]
    fn settings_left_out_take_their_defaults() {
        let read: Augment = serde_json::from_str(r#"{"flip":true}"#).unwrap();
        assert_eq!(read, Augment { flip: true, ..Augment::default() });
        assert!(serde_json::from_str::<Augment>(r#"{"flop":true}"#).is_err());
    }
}
