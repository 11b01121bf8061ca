//! Animated GIFs.
//!
//! Here: frames of red, green and blue bytes as an endless animation. Not here: which frames.

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use gif::{Encoder, Frame, Repeat};

use super::error::OutputError;
use super::pixels::Pixels;
use super::write::write_file;

/// NeuQuant looks at every tenth pixel to choose a frame's 256 colours: fast, and hardly distinguishable from using all
/// of them.
const SAMPLING: i32 = 10;

/// How an animation is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GifOptions {
    /// Each pixel becomes a square of this side.
    pub upscale: u16,
    /// How long a frame is shown. The format counts hundredths of a second: frames are shown for the hundredth below or
    /// above, so that all of them together are right. Many viewers show less than two hundredths as ten.
    pub shown: Duration,
}

/// Writes `frames` as an endless animation, atomically.
///
/// # Errors
/// If there are no frames, a side is longer than 65535 pixels after upscaling, or the file cannot be written.
pub fn write_gif(path: &Path, frames: &Pixels, options: GifOptions) -> Result<(), OutputError> {
    write_file(path, &encode_gif(frames, options)?)
}

/// `frames` as the bytes of a GIF file. A frame of at most 256 colours is kept exactly, others nearly.
///
/// # Errors
/// If there are no frames, or a side is longer than 65535 pixels after upscaling.
pub fn encode_gif(frames: &Pixels, options: GifOptions) -> Result<Vec<u8>, OutputError> {
    let (width, height) = (frames.width(), frames.height());
    let wrong = |reason: String| OutputError::Format { format: "GIF", width, height, reason };
    let side = |pixels: usize| u16::try_from(pixels.saturating_mul(usize::from(options.upscale))).ok();
    let (Some(wide @ 1..), Some(high @ 1..)) = (side(width), side(height)) else {
        return Err(wrong(format!("upscaled {} times, each side has 1 to {} pixels", options.upscale, u16::MAX)));
    };
    if frames.count() == 0 {
        return Err(wrong("there is no frame".to_owned()));
    }
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, wide, high, &[]).map_err(|error| wrong(error.to_string()))?;
    encoder.set_repeat(Repeat::Infinite).map_err(|error| wrong(error.to_string()))?;
    let hundredths = |frames: usize| (options.shown.as_secs_f64() * 100.0 * frames as f64).round() as u64;
    for (index, pixels) in frames.frames().enumerate() {
        let delay = u16::try_from(hundredths(index + 1) - hundredths(index))
            .map_err(|_| wrong(format!("a frame cannot be shown for {:?}", options.shown)))?;
        // Colours are chosen before upscaling: the same ones, from fewer pixels.
        let mut frame = Frame::from_rgb_speed(width as u16, height as u16, pixels, SAMPLING);
        frame.buffer = Cow::Owned(upscaled(&frame.buffer, width, usize::from(options.upscale)));
        (frame.width, frame.height, frame.delay) = (wide, high, delay);
        encoder.write_frame(&frame).map_err(|error| wrong(error.to_string()))?;
    }
    drop(encoder);
    Ok(bytes)
}

/// Rows of `width` pixels, one byte each, with every pixel made a square of side `times`.
fn upscaled(pixels: &[u8], width: usize, times: usize) -> Vec<u8> {
    let mut larger = Vec::with_capacity(pixels.len() * times * times);
    for row in pixels.chunks_exact(width) {
        let start = larger.len();
        larger.extend(row.iter().flat_map(|&pixel| std::iter::repeat_n(pixel, times)));
        let end = larger.len();
        (1..times).for_each(|_| larger.extend_from_within(start..end));
    }
    larger
}

#[cfg(test)]
mod tests {
    use gif::{ColorOutput, DecodeOptions};

    use super::*;

    /// Width, height, and each frame's delay and RGBA bytes.
    fn decode(bytes: &[u8]) -> (u16, u16, Vec<(u16, Vec<u8>)>) {
        let mut options = DecodeOptions::new();
        options.set_color_output(ColorOutput::RGBA);
        let mut decoder = options.read_info(bytes).unwrap();
        let mut frames = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            frames.push((frame.delay, frame.buffer.to_vec()));
        }
        assert_eq!(decoder.repeat(), Repeat::Infinite);
        (decoder.width(), decoder.height(), frames)
    }

    #[test]
    fn few_colours_are_kept_exactly_and_pixels_become_squares() {
        // Three frames of 4 x 3 pixels; the last one is black: frames replace each other.
        let rgb: Vec<u8> = (0..3 * 4 * 3 * 3).map(|i| if i < 72 { (i * 3) as u8 } else { 0 }).collect();
        let frames = Pixels::new(4, 3, rgb.clone()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        write_gif(&path, &frames, GifOptions { upscale: 2, shown: Duration::from_millis(33) }).unwrap();
        let (width, height, decoded) = decode(&std::fs::read(&path).unwrap());
        assert_eq!((width, height, decoded.len()), (8, 6, 3));
        for (t, (delay, rgba)) in decoded.iter().enumerate() {
            // 33, 66 and 99 milliseconds.
            assert_eq!((*delay, rgba.len()), ([3, 4, 3][t], 8 * 6 * 4));
            for (i, pixel) in rgba.chunks_exact(4).enumerate() {
                let (x, y) = (i % 8 / 2, i / 8 / 2);
                let source = ((t * 3 + y) * 4 + x) * 3;
                assert_eq!((&pixel[..3], pixel[3]), (&rgb[source..source + 3], 255), "{t} {x} {y}");
            }
        }
    }

    #[test]
    fn many_colours_are_kept_nearly() {
        let rgb: Vec<u8> = (0..64 * 64).flat_map(|i| [(i % 64) * 4, i / 64 * 4, 128].map(|c| c as u8)).collect();
        let frames = Pixels::new(64, 64, rgb.clone()).unwrap();
        let bytes = encode_gif(&frames, GifOptions { upscale: 1, shown: Duration::from_millis(40) }).unwrap();
        let (_, _, decoded) = decode(&bytes);
        let far = decoded[0].1.chunks_exact(4).zip(rgb.chunks_exact(3));
        let mean = far.map(|(a, b)| (0..3).map(|c| f64::from(a[c].abs_diff(b[c]))).sum::<f64>()).sum::<f64>() / 12288.0;
        assert!(mean < 8.0, "{mean}");
    }

    #[test]
    fn animations_that_cannot_be_are_errors() {
        let wrong = |width, height, count: usize, upscale| {
            let frames = Pixels::new(width, height, vec![0; width * height * 3 * count]).unwrap();
            encode_gif(&frames, GifOptions { upscale, shown: Duration::from_millis(10) }).unwrap_err()
        };
        for error in [wrong(4, 4, 0, 1), wrong(4, 4, 1, 0), wrong(16_384, 1, 1, 4), wrong(1, 65_536, 1, 1)] {
            assert!(matches!(error, OutputError::Format { format: "GIF", .. }), "{error}");
        }
    }
}
