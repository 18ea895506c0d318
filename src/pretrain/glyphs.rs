//! Pictures of letters and digits: 32×32, grey, one glyph each, slightly distorted.
//!
//! The height of capitals is brought to about 18 pixels per face and the baseline is kept, so that `o`, `O`
//! and `0` differ. Then come a small shift, rotation, scale, stretch, blur, contrast and noise.

use graftlab_images::rng;
use rand::{Rng, RngExt};

use super::face::{Affine, Face};
use super::fonts::{Fonts, LoadedFamily, STYLES, Typeface};
use crate::data::{Dataset, ImageShape, Split, TaskLabels};

/// Side of a picture in pixels.
pub const SIDE: usize = 32;
/// Height of capitals in pixels, before it is scaled at random.
const CAP_PX: f32 = 18.0;
/// Row of the baseline.
const BASELINE_PX: f32 = 23.0;
/// Grey values are multiples of this, which makes the PNG files a third smaller.
const STEP: f32 = 8.0;
/// White that is kept around a glyph.
const MARGIN_PX: f32 = 0.5;

/// The classes of the task `character`.
pub fn characters() -> Vec<char> {
    ('0'..='9').chain('A'..='Z').chain('a'..='z').collect()
}

/// Draws one glyph at random.
///
/// # Shapes
/// - result: [`SIDE`] × [`SIDE`], dark on light
pub fn draw(face: &Face, letter: char, rng: &mut impl Rng) -> Vec<u8> {
    let mut even = |deviation: f32| rng.random_range(-1.0f32..=1.0) * deviation;
    let size = CAP_PX * (1.0 + even(0.08));
    let stretch = 1.0 + even(0.06);
    let angle = even(3.0).to_radians();
    let (shift_x, shift_y) = (even(1.5), even(1.5));
    let blur = 0.08 + even(0.08);
    let (ink, paper) = (40.0 + even(40.0), 225.0 + even(30.0));
    let noise = 3.0 + even(3.0);

    let mut map = placed(face, letter, size, stretch, angle);
    map.e += shift_x;
    map.f += shift_y;
    keep_inside(face, letter, &mut map);
    let covered = soften(&face.draw(letter, &map, SIDE, SIDE), blur);
    let picture = covered.iter().map(|cover| {
        let value = paper + (ink - paper) * cover + rng::normal(rng) * noise;
        ((value / STEP).round() * STEP).clamp(0.0, 255.0) as u8
    });
    picture.collect()
}

/// The glyph in the middle of the picture, on its baseline, turned about its centre.
fn placed(face: &Face, letter: char, size: f32, stretch: f32, angle: f32) -> Affine {
    let bounds = face.bounds(letter, &Affine::scale(1.0));
    let widest = SIDE as f32 - 2.0 * MARGIN_PX;
    let scale = size / face.cap_height;
    // Only the widest of the bold capitals are narrowed.
    let scale_x = (scale * stretch).min(widest / (bounds.right - bounds.left));
    let (sin, cos) = angle.sin_cos();
    let map =
        Affine { a: scale_x * cos, b: -scale * sin, c: -scale_x * sin, d: -scale * cos, e: 0.0, f: 0.0 };
    let (x, y) = ((bounds.left + bounds.right) / 2.0, face.cap_height / 2.0);
    let centre_y = BASELINE_PX - size / 2.0;
    Affine { e: SIDE as f32 / 2.0 - map.a * x - map.b * y, f: centre_y - map.c * x - map.d * y, ..map }
}

/// Moves a glyph that touches the edge back into the picture.
fn keep_inside(face: &Face, letter: char, map: &mut Affine) {
    let bounds = face.bounds(letter, map);
    let back = |low: f32, high: f32| {
        let (room_low, room_high) = (low - MARGIN_PX, SIDE as f32 - MARGIN_PX - high);
        match (room_low < 0.0, room_high < 0.0) {
            (true, true) => (room_high - room_low) / 2.0,
            (true, false) => (-room_low).min(room_high),
            (false, true) => -(-room_high).min(room_low),
            (false, false) => 0.0,
        }
    };
    map.e += back(bounds.left, bounds.right);
    map.f += back(bounds.top, bounds.bottom);
}

/// Three taps in both directions: `blur` goes to each neighbour.
fn soften(picture: &[f32], blur: f32) -> Vec<f32> {
    let pass = |picture: &[f32], step: usize, place: fn(usize) -> usize| -> Vec<f32> {
        let value = |at: usize| {
            let here = picture[at];
            let before = if place(at) > 0 { picture[at - step] } else { here };
            let after = if place(at) + 1 < SIDE { picture[at + step] } else { here };
            here + blur * (before + after - 2.0 * here)
        };
        (0..picture.len()).map(value).collect()
    };
    pass(&pass(picture, 1, |at| at % SIDE), SIDE, |at| at / SIDE)
}

/// Glyphs of all families of the given parts: every character in every face, as often as is said per part.
///
/// Every image is labelled for the tasks `character`, `typeface`, `emphasis`, and for the two that make emphasis up, `slant`
/// and `weight`; its group is its family. The same seed gives the same pictures.
pub fn render(fonts: &Fonts, parts: &[(Split, usize)], seed: u64) -> Dataset {
    let characters = characters();
    let mut labels: [Vec<Option<u32>>; 5] = Default::default();
    let (mut pixels, mut groups, mut splits, mut paths) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for &(part, copies) in parts {
        for LoadedFamily { family, faces } in fonts.part(part) {
            for (style, face) in faces.iter().enumerate() {
                for (class, &letter) in characters.iter().enumerate() {
                    if letter.is_ascii_digit() && !family.has_digits() {
                        continue;
                    }
                    for _ in 0..copies {
                        let mut rng = rng::stream(seed, paths.len() as u64);
                        pixels.extend(draw(face, letter, &mut rng));
                        let typeface = u32::from(family.typeface == Typeface::Sans);
                        let [emphasis, slant, weight] =
                            [style, style / 2, style % 2].map(|class| class as u32);
                        let all = [class as u32, typeface, emphasis, slant, weight];
                        for (labels, label) in labels.iter_mut().zip(all) {
                            labels.push(Some(label));
                        }
                        groups.push(family.name.clone());
                        splits.push(part);
                        paths.push(format!("{}, {}, {letter}", family.name, STYLES[style]));
                    }
                }
            }
        }
    }
    let [character, typeface, emphasis, slant, weight] = labels;
    let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
    let task = |name: &str, classes, labels| TaskLabels::of_classes(name, classes, labels);
    Dataset {
        shape: ImageShape { channels: 1, height: SIDE, width: SIDE },
        pixels,
        tasks: vec![
            task("character", characters.iter().map(char::to_string).collect(), character),
            task("typeface", names(&["serif", "sans"]), typeface),
            task("emphasis", names(&STYLES), emphasis),
            task("slant", names(&["upright", "italic"]), slant),
            task("weight", names(&["regular", "bold"]), weight),
        ],
        groups: Some(groups),
        splits,
        paths,
        skipped: Vec::new(),
        unused_tasks: Vec::new(),
    }
}

/// Seed of the pictures that the networks are trained on.
const PRETRAIN_SEED: u64 = 20;
/// How often each glyph of a training family is drawn for pretraining.
const PRETRAIN_COPIES: usize = 4;

/// The pictures that the bundled networks are trained, chosen and tested on, split by font family.
pub fn pretraining(fonts: &Fonts) -> Dataset {
    let parts = [(Split::Train, PRETRAIN_COPIES), (Split::Validation, 1), (Split::Test, 1)];
    render(fonts, &parts, PRETRAIN_SEED)
}
