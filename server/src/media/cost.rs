//! What making a picture ready takes at its worst, so that those that are made ready at once share what
//! there is. Decoders keep only some of their own bounds: that of JPEG keeps none.

use super::{
    picture::{GIF_FRAME, check, limits},
    studio::{Unfit, rewound},
};
use image::{ImageDecoder as _, ImageFormat, ImageReader, codecs::webp::WebPDecoder};
use std::{fs::File, io::BufReader};

/// Beside pixels: tables, rows, what is written, and a colour profile or two.
const BESIDE: u64 = 4 * 1024 * 1024;

/// In bytes; refuses what has too many pixels before any decoder makes room for them.
pub fn memory(file: &File, format: ImageFormat) -> Result<u64, Unfit> {
    let reader = || Ok::<_, Unfit>(BufReader::new(rewound(file)?));
    let moving = format == ImageFormat::WebP && WebPDecoder::new(reader()?)?.has_animation();
    let mut decoder = ImageReader::with_format(reader()?, format);
    decoder.limits(limits());
    let decoder = decoder.into_decoder()?;
    let (width, height) = decoder.dimensions();
    check((width, height))?;
    let (pixels, colour) = (u64::from(width) * u64::from(height), decoder.color_type());
    let bytes = u64::from(colour.bytes_per_pixel());
    let whole = match format {
        // Progressive or in several scans, it is all kept as coefficients of 16 bits, of up to four colours,
        // beside the pixels. The file is in memory, and its profile and what else is in it once or twice more.
        ImageFormat::Jpeg => pixels * if colour.has_color() { 11 } else { 3 } + 3 * file.metadata()?.len(),
        // A frame that isn't as large as all of it is put into it.
        ImageFormat::Gif => pixels * 8 + GIF_FRAME,
        // Each frame, by its colours and what one sees through, is put into the picture before it, and a copy
        // is handed out.
        ImageFormat::WebP if moving => pixels * 22,
        // The pixels, those that are turned or decoded from, and what the encoder makes of them.
        ImageFormat::WebP => pixels * 12,
        // The same, or the other half of what is compressed; where a colour has two bytes, also those swapped.
        _ => pixels * bytes * if bytes > u64::from(colour.channel_count()) { 3 } else { 2 },
    };
    Ok(whole + BESIDE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::DynamicImage;
    use std::io::{Seek as _, Write as _};

    const MIB: u64 = 1024 * 1024;

    fn of(picture: &DynamicImage, format: ImageFormat) -> u64 {
        let mut file = tempfile::tempfile().unwrap();
        picture.write_to(&mut file, format).unwrap();
        file.flush().unwrap();
        file.rewind().unwrap();
        memory(&file, format).unwrap() - BESIDE
    }

    #[test]
    fn each_kind_of_picture_costs_what_it_takes() {
        let pixels = 1000 * 500;
        let colours = DynamicImage::new_rgb8(1000, 500);
        let jpeg = of(&colours, ImageFormat::Jpeg);
        assert!((11 * pixels + 1..12 * pixels).contains(&jpeg), "{jpeg}");
        assert!(of(&DynamicImage::new_luma8(1000, 500), ImageFormat::Jpeg) < 4 * pixels);
        assert_eq!(of(&colours, ImageFormat::Png), 6 * pixels);
        assert_eq!(of(&DynamicImage::new_rgba16(1000, 500), ImageFormat::Png), 24 * pixels);
        assert_eq!(of(&colours, ImageFormat::Gif), 8 * pixels + GIF_FRAME);
        assert_eq!(of(&colours, ImageFormat::WebP), 12 * pixels);
    }

    #[test]
    fn the_largest_photo_fits_into_what_there_is() {
        let mut file = tempfile::tempfile().unwrap();
        let small = DynamicImage::new_rgb8(8, 8);
        let mut jpeg = Vec::new();
        let encoder = image::codecs::jpeg::JpegEncoder::new(&mut jpeg);
        small.write_with_encoder(encoder).unwrap();
        // What its header says of its size.
        let at = jpeg.windows(2).position(|marker| marker == b"\xff\xc0").unwrap() + 5;
        jpeg[at..at + 4].copy_from_slice(&[7000_u16.to_be_bytes(), 7142_u16.to_be_bytes()].concat());
        file.write_all(&jpeg).unwrap();
        file.set_len(25_000_000).unwrap();
        let cost = memory(&file, ImageFormat::Jpeg).unwrap();
        assert!((500 * MIB..640 * MIB).contains(&cost), "{} MiB", cost / MIB);
    }
}
