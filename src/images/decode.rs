//! One image file to planar bytes of a given size.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageReader, imageops};

/// Longest side of an image that is decoded, in pixels.
pub const MAX_SIDE: u32 = 16_384;
/// Memory that decoding one image may take.
const MAX_DECODE_BYTES: u64 = 256 << 20;

/// Channels, height and width of the images of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ImageShape {
    /// 1 (grey) or 3 (red, green, blue).
    pub channels: usize,
    pub height: usize,
    pub width: usize,
}

impl ImageShape {
    /// Bytes of one image.
    pub fn len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Whether an image of this shape has no pixels.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether image files can be decoded to this shape.
    pub fn is_valid(&self) -> bool {
        let side = 1..=MAX_SIDE as usize;
        matches!(self.channels, 1 | 3) && side.contains(&self.height) && side.contains(&self.width)
    }
}

/// Decodes PNG, JPEG, WebP, BMP or GIF (its first frame) and brings it to `shape`.
///
/// The orientation that a camera wrote (EXIF) is applied; transparent parts become white; colour becomes
/// grey by Rec. 709 luma where one channel is asked for, and grey is repeated where three are. The image is
/// resized as a whole with a triangle filter: its aspect ratio is not kept, nothing is cropped.
///
/// # Shapes
/// - result: [channels, height, width], one byte each
///
/// # Errors
/// The reason, in words, why the file does not decode.
pub fn decode(bytes: &[u8], shape: ImageShape) -> Result<Vec<u8>, String> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| e.to_string())?;
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODE_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|e| e.to_string())?;
    if decoder.total_bytes() > MAX_DECODE_BYTES {
        let (width, height) = decoder.dimensions();
        return Err(format!("{width}×{height} pixels are more than can be decoded"));
    }
    let orientation = decoder.orientation().map_err(|e| e.to_string())?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(|e| e.to_string())?;
    image.apply_orientation(orientation);
    if image.color().has_alpha() {
        image = on_white(image);
    }
    Ok(planar(image, shape))
}

/// Draws an image over a white ground.
fn on_white(image: DynamicImage) -> DynamicImage {
    let mut rgba = image.into_rgba8();
    for pixel in rgba.pixels_mut() {
        let alpha = u32::from(pixel.0[3]);
        for value in &mut pixel.0[..3] {
            // At most 255, for the weights sum to 255.
            *value = ((u32::from(*value) * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        }
        pixel.0[3] = 255;
    }
    DynamicImage::ImageRgba8(rgba)
}

fn planar(image: DynamicImage, shape: ImageShape) -> Vec<u8> {
    let (height, width) = (shape.height as u32, shape.width as u32);
    let same = (image.height(), image.width()) == (height, width);
    let filter = imageops::FilterType::Triangle;
    if shape.channels == 1 {
        let grey = image.into_luma8();
        return if same {
            grey.into_raw()
        } else {
            imageops::resize(&grey, width, height, filter).into_raw()
        };
    }
    let rgb = image.into_rgb8();
    let rgb = if same { rgb } else { imageops::resize(&rgb, width, height, filter) };
    let mut out = Vec::with_capacity(shape.len());
    for channel in 0..3 {
        out.extend(rgb.pixels().map(|pixel| pixel.0[channel]));
    }
    out
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    fn encode(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        image.write_to(&mut out, format).unwrap();
        out.into_inner()
    }

    const RGB4: ImageShape = ImageShape { channels: 3, height: 4, width: 4 };

    /// Red on the left, blue on the right.
    fn red_blue() -> DynamicImage {
        DynamicImage::ImageRgb8(RgbImage::from_fn(4, 4, |x, _| {
            Rgb(if x < 2 { [255, 0, 0] } else { [0, 0, 255] })
        }))
    }

    #[test]
    fn every_format_gives_planar_red_green_blue() {
        for format in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Gif, ImageFormat::WebP] {
            let planar = decode(&encode(&red_blue(), format), RGB4).unwrap();
            assert_eq!(planar[..4], [255, 255, 0, 0], "{format:?}: red plane");
            assert_eq!(planar[16..32], [0; 16], "{format:?}: green plane");
            assert_eq!(planar[32..36], [0, 0, 255, 255], "{format:?}: blue plane");
        }
        let jpeg = decode(&encode(&red_blue(), ImageFormat::Jpeg), RGB4).unwrap();
        assert!(jpeg[0] > 150 && jpeg[32] < 100, "lossy, yet red on the left: {jpeg:?}");
    }

    #[test]
    fn exif_orientation_turns_the_image() {
        // An APP1 segment with one entry: orientation (0x0112) = 6, to be turned by 90° clockwise.
        let exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        let tall = GrayImage::from_fn(16, 8, |x, _| Luma([if x < 8 { 0 } else { 255 }]));
        let jpeg = encode(&DynamicImage::ImageLuma8(tall), ImageFormat::Jpeg);
        let mut turned = jpeg[..2].to_vec();
        turned.extend([0xff, 0xe1]);
        turned.extend((exif.len() as u16 + 2).to_be_bytes());
        turned.extend(exif);
        turned.extend(&jpeg[2..]);
        let shape = ImageShape { channels: 1, height: 16, width: 8 };
        let planar = decode(&turned, shape).unwrap();
        assert!(planar[..8].iter().all(|&v| v < 40), "dark half is on top: {:?}", &planar[..8]);
        assert!(planar[120..].iter().all(|&v| v > 215), "light half is below");
    }

    #[test]
    fn transparency_becomes_white_and_colour_becomes_grey() {
        let clear =
            RgbaImage::from_fn(2, 1, |x, _| if x == 0 { Rgba([9, 9, 9, 0]) } else { Rgba([0, 0, 0, 255]) });
        let png = encode(&DynamicImage::ImageRgba8(clear), ImageFormat::Png);
        let grey = decode(&png, ImageShape { channels: 1, height: 1, width: 2 }).unwrap();
        assert_eq!(grey, [255, 0]);
    }

    #[test]
    fn a_large_image_is_averaged_down() {
        let checks = GrayImage::from_fn(64, 64, |x, y| Luma([if (x + y) % 2 == 0 { 0 } else { 255 }]));
        let png = encode(&DynamicImage::ImageLuma8(checks), ImageFormat::Png);
        let small = decode(&png, ImageShape { channels: 3, height: 4, width: 4 }).unwrap();
        assert!(small.iter().all(|v| (120..=135).contains(v)), "no aliasing: {small:?}");
    }

    #[test]
    fn what_does_not_decode_says_why() {
        let mut png = encode(&red_blue(), ImageFormat::Png);
        png.truncate(40);
        assert!(decode(&png, RGB4).is_err());
        assert!(decode(b"text", RGB4).is_err());
    }

    #[test]
    fn an_image_of_absurd_size_is_refused_by_its_header() {
        let mut bmp = encode(&red_blue(), ImageFormat::Bmp);
        bmp[18..22].copy_from_slice(&100_000u32.to_le_bytes());
        bmp[22..26].copy_from_slice(&100_000u32.to_le_bytes());
        assert!(decode(&bmp, RGB4).is_err());
    }
}
