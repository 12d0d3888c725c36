//! Pictures: decoded within bounds, turned the right way up, encoded anew, and made small. What a
//! camera wrote beside the pixels is gone then, and so is whatever else a file pretended to be.

use super::{
    PIXELS_MAX, SIDE_MAX, THUMBNAIL_SIDE, scrub,
    studio::{Prepared, Unfit, rewound},
};
use image::{
    DynamicImage, ImageDecoder, ImageEncoder as _, ImageError, ImageFormat, ImageReader, Limits,
    codecs::{
        jpeg::JpegEncoder,
        png::{CompressionType, FilterType, PngDecoder, PngEncoder},
        webp::{WebPDecoder, WebPEncoder},
    },
    metadata::Orientation,
};
use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Cursor, Seek as _, SeekFrom, Write as _},
};

/// All pixels of one picture, in bytes, and what decoders that ask take beside them; see `cost` for the rest.
const MEMORY_MAX: u64 = 256 * 1024 * 1024;
/// A moving picture's first frame may be larger than the picture; by so many bytes.
pub const GIF_FRAME: u64 = 16 * 1024 * 1024;
/// Of a moving picture: frames, and the pixels of all of them together.
const FRAMES_MAX: u32 = 2_000;
const FRAME_PIXELS_MAX: u64 = 1_000_000_000;
const QUALITY: u8 = 88;
const THUMBNAIL_QUALITY: u8 = 80;
/// Longer colour profiles aren't of screens and cameras.
const PROFILE_MAX: usize = 64 * 1024;

impl From<ImageError> for Unfit {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Limits(_) => too_large("more"),
            ImageError::IoError(error) => of_a_picture(error),
            _ => Unfit::Broken(DAMAGED),
        }
    }
}

const DAMAGED: &str = "This picture is damaged, or isn't what it looks like.";

/// What a disk never says is the picture's own fault.
fn of_a_picture(error: io::Error) -> Unfit {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => Unfit::Broken(DAMAGED),
        _ => Unfit::Failed(error),
    }
}

fn too_large(size: &str) -> Unfit {
    Unfit::TooLarge(format!("A picture has at most 12,000 pixels a side and 50 million in all; this one has {size}."))
}

pub fn check((width, height): (u32, u32)) -> Result<(), Unfit> {
    let pixels = u64::from(width) * u64::from(height);
    if width > SIDE_MAX || height > SIDE_MAX || pixels > PIXELS_MAX {
        return Err(too_large(&format!("{width} × {height}")));
    }
    if pixels == 0 { Err(Unfit::Broken("This picture is empty.")) } else { Ok(()) }
}

pub fn limits() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MEMORY_MAX);
    limits
}

/// A clean copy of a picture in `to`, with its size, and its thumbnail. What that takes, `cost` has said.
pub fn prepare(mut from: File, to: File, format: ImageFormat) -> Result<Prepared, Unfit> {
    let mut reader = ImageReader::with_format(BufReader::new(rewound(&from)?), format);
    reader.limits(limits());
    let mut decoder = reader.into_decoder()?;
    check(decoder.dimensions())?;
    if decoder.total_bytes() > MEMORY_MAX {
        return Err(too_large("more colours than fit"));
    }
    if format == ImageFormat::Gif {
        let mut limits = limits();
        limits.max_alloc = Some(decoder.total_bytes() + GIF_FRAME);
        decoder.set_limits(limits)?;
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten().filter(|profile| profile.len() <= PROFILE_MAX);
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    let (width, height, thumbnail) = (picture.width(), picture.height(), thumbnail(&picture)?);

    let mut out = BufWriter::new(to);
    match format {
        ImageFormat::Gif => {
            drop(picture);
            gif(&from, &mut out)?;
        }
        ImageFormat::WebP if orientation == Orientation::NoTransforms => {
            // Its frames take the room.
            drop(picture);
            check_frames(&from)?;
            scrub::webp(&mut rewound(&from)?, &mut out).map_err(of_a_picture)?;
        }
        ImageFormat::Png if moves(&from)? => {
            scrub::png(&mut BufReader::new(rewound(&from)?), &mut out).map_err(of_a_picture)?;
        }
        _ => encode(picture, format, profile, &mut out)?,
    }
    out.flush()?;
    let file = out.into_inner().map_err(|error| Unfit::Failed(error.into_error()))?;
    let size = file.metadata()?.len();
    from.seek(SeekFrom::Start(0))?;
    Ok(Prepared { file, size, width: Some(width), height: Some(height), duration: None, thumbnail: Some(thumbnail) })
}

fn encode(
    picture: DynamicImage,
    format: ImageFormat,
    profile: Option<Vec<u8>>,
    out: &mut BufWriter<File>,
) -> Result<(), Unfit> {
    let profile = profile.filter(|profile| fits(&picture, profile));
    match format {
        ImageFormat::Jpeg => {
            let mut encoder = JpegEncoder::new_with_quality(out, QUALITY);
            if let Some(profile) = profile {
                let _ = encoder.set_icc_profile(profile);
            }
            // Not copied where it is in those colours already.
            if picture.color().channel_count() == 1 {
                picture.into_luma8().write_with_encoder(encoder)?;
            } else {
                picture.into_rgb8().write_with_encoder(encoder)?;
            }
        }
        ImageFormat::WebP => picture.into_rgba8().write_with_encoder(WebPEncoder::new_lossless(out))?,
        _ => {
            let mut encoder = PngEncoder::new_with_quality(out, CompressionType::Default, FilterType::Adaptive);
            if let Some(profile) = profile {
                let _ = encoder.set_icc_profile(profile);
            }
            picture.write_with_encoder(encoder)?;
        }
    }
    Ok(())
}

/// A profile for colours that the picture still has after decoding.
fn fits(picture: &DynamicImage, profile: &[u8]) -> bool {
    let space = if picture.color().has_color() { b"RGB " } else { b"GRAY" };
    profile.get(16..20) == Some(space)
}

/// Frame by frame, with its own colours; comments and what stands behind the end are left out.
fn gif(from: &File, out: &mut BufWriter<File>) -> Result<(), Unfit> {
    let broken = |_| Unfit::Broken(DAMAGED);
    let mut options = ::gif::DecodeOptions::new();
    options.set_color_output(::gif::ColorOutput::Indexed);
    options.check_frame_consistency(true);
    let mut decoder = options.read_info(BufReader::new(rewound(from)?)).map_err(broken)?;
    let palette = decoder.global_palette().unwrap_or_default().to_vec();
    let mut encoder = ::gif::Encoder::new(out, decoder.width(), decoder.height(), &palette).map_err(unwritten)?;
    let (mut frames, mut pixels) = (0, 0);
    let mut repeated = false;
    while let Some(frame) = decoder.read_next_frame().map_err(broken)? {
        frames += 1;
        pixels += u64::from(frame.width) * u64::from(frame.height);
        bound_frames(frames, pixels)?;
        let frame = frame.clone();
        if !repeated {
            // It is known once the first frame has been reached.
            encoder.set_repeat(decoder.repeat()).map_err(unwritten)?;
            repeated = true;
        }
        encoder.write_frame(&frame).map_err(unwritten)?;
    }
    Ok(())
}

fn unwritten(error: ::gif::EncodingError) -> Unfit {
    match error {
        ::gif::EncodingError::Io(error) => Unfit::Failed(error),
        _ => Unfit::Broken(DAMAGED),
    }
}

fn bound_frames(frames: u32, pixels: u64) -> Result<(), Unfit> {
    if frames > FRAMES_MAX || pixels > FRAME_PIXELS_MAX {
        return Err(Unfit::TooLarge(
            "A moving picture has at most 2,000 frames and 1,000 million pixels in all.".into(),
        ));
    }
    Ok(())
}

/// Whether all frames of a WebP can be shown.
fn check_frames(from: &File) -> Result<(), Unfit> {
    let mut decoder = WebPDecoder::new(BufReader::new(rewound(from)?))?;
    decoder.set_limits(limits())?;
    if !decoder.has_animation() {
        return Ok(());
    }
    let pixels = u64::from(decoder.dimensions().0) * u64::from(decoder.dimensions().1);
    let mut frames = 0;
    for frame in image::AnimationDecoder::into_frames(decoder) {
        frame?;
        frames += 1;
        bound_frames(frames, pixels * u64::from(frames))?;
    }
    Ok(())
}

/// Whether a PNG has several frames.
fn moves(from: &File) -> Result<bool, Unfit> {
    let decoder = PngDecoder::with_limits(BufReader::new(rewound(from)?), limits())?;
    Ok(decoder.is_apng()?)
}

/// JPEG where it hides nothing, WebP where one can see through it.
fn thumbnail(picture: &DynamicImage) -> Result<Vec<u8>, Unfit> {
    let larger = picture.width().max(picture.height()) > THUMBNAIL_SIDE;
    let small = if larger { picture.thumbnail(THUMBNAIL_SIDE, THUMBNAIL_SIDE) } else { picture.clone() };
    let mut bytes = Vec::new();
    let rgba = small.to_rgba8();
    if small.color().has_alpha() && rgba.pixels().any(|pixel| pixel.0[3] < 255) {
        rgba.write_with_encoder(WebPEncoder::new_lossless(&mut bytes))?;
    } else {
        small
            .to_rgb8()
            .write_with_encoder(JpegEncoder::new_with_quality(Cursor::new(&mut bytes), THUMBNAIL_QUALITY))?;
    }
    Ok(bytes)
}
