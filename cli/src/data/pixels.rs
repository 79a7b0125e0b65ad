//! One image file: its bytes, decoded and brought to the model's size.

use image::imageops::{self, FilterType};
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::options::Resize;

/// How much longer than the model's the longer side of a resized image may be, so that none takes all memory.
const MAX_ASPECT: u32 = 100;

/// As many as `image` takes of a PNG.
const MOST_PIXELS: usize = (512 << 20) / 3;

/// Whether bytes begin as a PNG or JPEG image does.
pub fn is_known(start: &[u8]) -> bool {
    start.starts_with(b"\x89PNG\r\n\x1a\n") || start.starts_with(b"\xff\xd8\xff")
}

/// The 8-bit pixels of an image, row by row, brought to `width` x `height`: RGB, or for 1 channel luma (ITU-R 601, in
/// the whole numbers of Pillow, torchvision and OpenCV). Alpha is dropped; orientation tags and colour profiles are not
/// applied, as the field's loaders do.
///
/// # Errors
/// What is wrong with the image: damaged or cut short, no PNG or JPEG, out of all proportion.
pub fn decode(bytes: &[u8], channels: usize, width: u32, height: u32, resize: Resize) -> Result<Vec<u8>, String> {
    // Colours first, so that the resize rounds to 8 bits once, in what the model sees.
    let image = decoded(bytes)?;
    let image = if channels == 1 { grey(image).into() } else { image.into_rgb8().into() };
    sized(image, width, height, resize)
        .map(DynamicImage::into_bytes)
        .ok_or_else(|| "too long and thin for a centre crop".to_owned())
}

/// By what the bytes are, whatever the file is called.
fn decoded(bytes: &[u8]) -> Result<DynamicImage, String> {
    let damaged = |error: String| format!("damaged or cut short: {error}");
    match image::guess_format(bytes) {
        Ok(ImageFormat::Jpeg) => jpeg(bytes).map_err(damaged),
        Ok(ImageFormat::Png) => {
            image::load_from_memory_with_format(bytes, ImageFormat::Png).map_err(|error| damaged(error.to_string()))
        }
        _ if bytes.is_empty() => Err("the file is empty".to_owned()),
        _ => Err("neither a PNG nor a JPEG image".to_owned()),
    }
}

/// Strictly: `image` fills what is missing of a damaged file with grey.
fn jpeg(bytes: &[u8]) -> Result<DynamicImage, String> {
    let said = |error: zune_jpeg::errors::DecodeErrors| format!("{error:?}");
    let last = |marker: [u8; 2]| bytes.windows(2).rposition(|pair| pair == marker);
    // The decoder does not miss the end of the last lines.
    if last([0xff, 0xd9]) < last([0xff, 0xda]) {
        return Err("the end of the image is missing".to_owned());
    }
    let options = DecoderOptions::default().set_strict_mode(true);
    let options = options.set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(said)?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    if width.saturating_mul(height) > MOST_PIXELS {
        return Err(format!("{width} x {height} pixels are more than memory is given for"));
    }
    let luma = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let colours = if luma { ColorSpace::Luma } else { ColorSpace::RGB };
    decoder.set_options(decoder.options().jpeg_set_out_colorspace(colours));
    let pixels = decoder.decode().map_err(said)?;
    let (width, height) = (width as u32, height as u32);
    let image = match luma {
        true => GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
        false => RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
    };
    image.ok_or_else(|| "it has fewer pixels than it says".to_owned())
}

/// Luma by ITU-R 601 in 16-bit whole numbers: 150, 76 and 29 for pure green, red and blue.
fn grey(image: DynamicImage) -> GrayImage {
    if !image.color().has_color() {
        return image.into_luma8();
    }
    let rgb = image.into_rgb8();
    let luma = |[r, g, b]: [u8; 3]| {
        let [r, g, b] = [r, g, b].map(u32::from);
        ((19_595 * r + 38_470 * g + 7_471 * b + 0x8000) >> 16) as u8
    };
    GrayImage::from_fn(rgb.width(), rgb.height(), |x, y| image::Luma([luma(rgb.get_pixel(x, y).0)]))
}

/// An image brought to `width` x `height`; none when the resize before the crop would be out of all proportion.
fn sized(image: DynamicImage, width: u32, height: u32, resize: Resize) -> Option<DynamicImage> {
    let (from_width, from_height) = (image.width(), image.height());
    let (covers_width, covers_height) = match resize {
        Resize::Exact => (width, height),
        Resize::Crop => cover((from_width, from_height), (width, height), 1.0),
        Resize::Imagenet => cover((from_width, from_height), (width, height), 256.0 / 224.0),
    };
    if covers_width / width > MAX_ASPECT || covers_height / height > MAX_ASPECT {
        return None;
    }
    let image = if (from_width, from_height) == (covers_width, covers_height) {
        image
    } else {
        match image {
            DynamicImage::ImageLuma8(grey) => {
                imageops::resize(&grey, covers_width, covers_height, FilterType::Triangle).into()
            }
            other => imageops::resize(&other.into_rgb8(), covers_width, covers_height, FilterType::Triangle).into(),
        }
    };
    // Half a pixel goes to the even side, as Python's round has it in torchvision's CenterCrop.
    let offset = |whole: u32, part: u32| (f64::from(whole - part) / 2.0).round_ties_even() as u32;
    let (x, y) = (offset(covers_width, width), offset(covers_height, height));
    if (covers_width, covers_height) == (width, height) {
        Some(image)
    } else {
        Some(image.crop_imm(x, y, width, height))
    }
}

/// The size with the aspect of `from` whose tighter side is `to` times `margin`; neither side is below `to`.
fn cover(from: (u32, u32), to: (u32, u32), margin: f64) -> (u32, u32) {
    let target = |side: u32| (f64::from(side) * margin).floor();
    let scale = (target(to.0) / f64::from(from.0)).max(target(to.1) / f64::from(from.1));
    // The tighter side is exact up to the product's rounding, the other one cut as torchvision's Resize cuts it.
    let side = |from: u32, to: u32| ((f64::from(from) * scale + 1e-6).floor() as u32).max(to);
    (side(from.0, to.0), side(from.1, to.1))
}
