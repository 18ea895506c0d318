//! One face of a font: its outlines, drawn under an affine map.

use std::path::Path;

use ab_glyph::{Font, FontVec, OutlineCurve, Point, point};
use ab_glyph_rasterizer::Rasterizer;

use super::error::PretrainError;

/// A map from font units, y up, to pixels, y down: `(x, y) ↦ (a x + b y + e, c x + d y + f)`.
#[derive(Debug, Clone, Copy)]
pub struct Affine {
    pub a: f32,
    pub b: f32,
    pub c: f32,
    pub d: f32,
    pub e: f32,
    pub f: f32,
}

impl Affine {
    /// Upright at `scale` pixels per font unit, the origin of the glyph at (0, 0).
    pub fn scale(scale: f32) -> Affine {
        Affine { a: scale, b: 0.0, c: 0.0, d: -scale, e: 0.0, f: 0.0 }
    }

    fn at(&self, p: Point) -> Point {
        point(self.a * p.x + self.b * p.y + self.e, self.c * p.x + self.d * p.y + self.f)
    }
}

/// Left, top, right and bottom in pixels.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub left: f32,
    pub top: f32,
    pub right: f32,
    pub bottom: f32,
}

/// The outlines of one font file.
pub struct Face {
    font: FontVec,
    /// Height of `H` in font units.
    pub cap_height: f32,
}

impl Face {
    /// Reads a TrueType or OpenType file.
    ///
    /// # Errors
    /// A file that cannot be read, is no font, or has no outlines for letters and digits.
    pub fn load(path: &Path) -> Result<Face, PretrainError> {
        let bad = |reason: String| PretrainError::BadFont { path: path.display().to_string(), reason };
        let bytes = std::fs::read(path).map_err(|e| bad(e.to_string()))?;
        let font = FontVec::try_from_vec(bytes).map_err(|e| bad(e.to_string()))?;
        let mut face = Face { font, cap_height: 0.0 };
        for letter in ('0'..='9').chain('A'..='Z').chain('a'..='z') {
            if face.curves(letter).is_empty() {
                return Err(bad(format!("no outline for {letter}")));
            }
        }
        let capital = face.bounds('H', &Affine::scale(1.0));
        face.cap_height = capital.bottom - capital.top;
        Ok(face)
    }

    fn curves(&self, letter: char) -> Vec<OutlineCurve> {
        self.font.outline(self.font.glyph_id(letter)).map_or_else(Vec::new, |outline| outline.curves)
    }

    /// The box around the control points of a glyph, which holds its outline.
    pub fn bounds(&self, letter: char, map: &Affine) -> Bounds {
        let none = f32::INFINITY;
        let mut bounds = Bounds { left: none, top: none, right: -none, bottom: -none };
        for curve in self.curves(letter) {
            for p in points(&curve) {
                let p = map.at(p);
                bounds.left = bounds.left.min(p.x);
                bounds.right = bounds.right.max(p.x);
                bounds.top = bounds.top.min(p.y);
                bounds.bottom = bounds.bottom.max(p.y);
            }
        }
        bounds
    }

    /// Draws a glyph: the covered part of each pixel, 0..1, row by row.
    ///
    /// What lies outside the picture is lost. A margin around it keeps it from wrapping to the other side.
    pub fn draw(&self, letter: char, map: &Affine, width: usize, height: usize) -> Vec<f32> {
        const MARGIN: usize = 16;
        let map = Affine { e: map.e + MARGIN as f32, f: map.f + MARGIN as f32, ..*map };
        let mut raster = Rasterizer::new(width + 2 * MARGIN, height + 2 * MARGIN);
        for curve in self.curves(letter) {
            match curve {
                OutlineCurve::Line(p, q) => raster.draw_line(map.at(p), map.at(q)),
                OutlineCurve::Quad(p, q, r) => raster.draw_quad(map.at(p), map.at(q), map.at(r)),
                OutlineCurve::Cubic(p, q, r, s) => {
                    raster.draw_cubic(map.at(p), map.at(q), map.at(r), map.at(s))
                }
            }
        }
        let mut covered = vec![0.0; width * height];
        raster.for_each_pixel_2d(|x, y, cover| {
            let (x, y) = ((x as usize).wrapping_sub(MARGIN), (y as usize).wrapping_sub(MARGIN));
            if x < width && y < height {
                covered[y * width + x] = cover.min(1.0);
            }
        });
        covered
    }

    /// Ink of some letters in squares of the cap height.
    pub fn darkness(&self) -> f32 {
        const CAP: f32 = 48.0;
        let ink = "HEnlmIhutd".chars().map(|letter| self.draw_large(letter, CAP).iter().sum::<f32>());
        ink.sum::<f32>() / (CAP * CAP)
    }

    /// How far the stem of `l` leans to the right.
    pub fn slant_degrees(&self) -> f32 {
        const CAP: f32 = 48.0;
        let drawn = self.draw_large('l', CAP);
        let centre = |row: usize| {
            let line = &drawn[row * LARGE..(row + 1) * LARGE];
            let ink: f32 = line.iter().sum();
            line.iter().enumerate().map(|(x, cover)| x as f32 * cover).sum::<f32>() / ink.max(1e-6)
        };
        // Between 30 % and 70 % of the cap height there is only the stem.
        let (upper, lower) = (BASELINE - (0.7 * CAP) as usize, BASELINE - (0.3 * CAP) as usize);
        (centre(upper) - centre(lower)).atan2((lower - upper) as f32).to_degrees()
    }

    fn draw_large(&self, letter: char, cap: f32) -> Vec<f32> {
        let map = Affine { e: 24.0, f: BASELINE as f32, ..Affine::scale(cap / self.cap_height) };
        self.draw(letter, &map, LARGE, LARGE)
    }
}

/// Side of the picture on which faces are measured, and the row of its baseline.
const LARGE: usize = 128;
const BASELINE: usize = 88;

fn points(curve: &OutlineCurve) -> impl Iterator<Item = Point> {
    let points = match *curve {
        OutlineCurve::Line(p, q) => [p, p, q, q],
        OutlineCurve::Quad(p, q, r) => [p, q, q, r],
        OutlineCurve::Cubic(p, q, r, s) => [p, q, r, s],
    };
    points.into_iter()
}
