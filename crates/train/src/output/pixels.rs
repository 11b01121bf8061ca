//! PNG images, and the open-loop plot, which shows how well a world model predicts.
//!
//! Here: [`Pixels`], PNG, and the grids of [`OpenLoop`]. Not here: animations (`gif`), and making the predictions.

use std::path::Path;

use png::{BitDepth, ColorType, Encoder};
use replay::{IMAGE_BYTES, IMAGE_SIDE};

use super::error::OutputError;
use super::write::write_file;

/// Frames of one size, `[T, height, width, 3]`: rows from the top, red, green and blue bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Pixels {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Pixels {
    /// Frames from their bytes.
    ///
    /// # Errors
    /// If a side is 0, or the bytes are not those of whole frames.
    pub fn new(width: usize, height: usize, rgb: Vec<u8>) -> Result<Self, OutputError> {
        let frame = width.saturating_mul(height).saturating_mul(3);
        if frame == 0 || !rgb.len().is_multiple_of(frame) {
            let expected = format!("frames of {width} x {height} pixels");
            return Err(OutputError::Pixels { expected, found: rgb.len() });
        }
        Ok(Self { width, height, rgb })
    }

    /// Width of a frame in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height of a frame in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Number of frames.
    pub fn count(&self) -> usize {
        self.rgb.len() / (self.width * self.height * 3)
    }

    /// The bytes of all frames.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// The bytes of each frame.
    pub fn frames(&self) -> impl Iterator<Item = &[u8]> {
        self.rgb.chunks_exact(self.width * self.height * 3)
    }
}

/// Writes an image of red, green and blue bytes, rows from the top, atomically.
///
/// # Errors
/// If the bytes do not form one image, or the file cannot be written.
pub fn write_png(path: &Path, width: usize, height: usize, rgb: &[u8]) -> Result<(), OutputError> {
    write_file(path, &encode_png(width, height, rgb)?)
}

/// An image as the bytes of a PNG file.
///
/// # Errors
/// If the bytes do not form one image, or PNG does not support its size.
pub fn encode_png(width: usize, height: usize, rgb: &[u8]) -> Result<Vec<u8>, OutputError> {
    if rgb.len() != width.saturating_mul(height).saturating_mul(3) {
        let expected = format!("an image of {width} x {height} pixels");
        return Err(OutputError::Pixels { expected, found: rgb.len() });
    }
    let wrong = |reason: String| OutputError::Format { format: "PNG", width, height, reason };
    let (Ok(wide), Ok(high)) = (u32::try_from(width), u32::try_from(height)) else {
        return Err(wrong("a side is too long".to_owned()));
    };
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, wide, high);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(rgb)?;
        writer.finish()
    });
    written.map_err(|error| wrong(error.to_string()))?;
    Ok(bytes)
}

/// Real images and the predictions of the world model for sequences of equal length: `[N, T, 64, 64, 3]`, bytes.
///
/// The model saw the first frames (the context) and predicted the rest from the actions alone. Each sequence gives
/// three rows: truth, model, and the error `(model - truth + 1) / 2` of colours from 0 to 1, grey where both agree.
#[derive(Clone, Copy, Debug)]
pub struct OpenLoop<'a> {
    truth: &'a [u8],
    model: &'a [u8],
    length: usize,
}

impl<'a> OpenLoop<'a> {
    /// Rows of a sequence: truth, model, error.
    const ROWS: usize = 3;

    /// Sequences of `length` frames each, `truth` and `model` of one shape.
    ///
    /// # Errors
    /// If there are no frames, or the bytes do not form complete sequences, equally many in both.
    pub fn new(truth: &'a [u8], model: &'a [u8], length: usize) -> Result<Self, OutputError> {
        let sequence = length.saturating_mul(IMAGE_BYTES);
        if sequence == 0 || truth.is_empty() || !truth.len().is_multiple_of(sequence) {
            let expected = format!("sequences of {length} frames of {IMAGE_SIDE} x {IMAGE_SIDE} pixels, at least one");
            return Err(OutputError::Pixels { expected, found: truth.len() });
        }
        if truth.len() != model.len() {
            let expected = format!("the {} that the model's frames need, as many as the true ones", truth.len());
            return Err(OutputError::Pixels { expected, found: model.len() });
        }
        Ok(Self { truth, model, length })
    }

    /// The still image: columns are time, with three rows for each sequence.
    pub fn image(&self) -> Pixels {
        let (wide, high) = (self.length, Self::ROWS * self.sequences());
        let mut image = blank(wide, high, 1);
        for sequence in 0..self.sequences() {
            for time in 0..self.length {
                for row in 0..Self::ROWS {
                    let to = Cell { frame: 0, row: Self::ROWS * sequence + row, column: time };
                    self.put(&mut image, to, sequence, time, row);
                }
            }
        }
        image
    }

    fn sequences(&self) -> usize {
        self.truth.len() / (self.length * IMAGE_BYTES)
    }

    /// Draws one image of the grid: `row` 0 the truth, 1 the model's frame, 2 the error.
    fn put(&self, to: &mut Pixels, cell: Cell, sequence: usize, time: usize, row: usize) {
        let start = (sequence * self.length + time) * IMAGE_BYTES;
        let truth = &self.truth[start..start + IMAGE_BYTES];
        let model = &self.model[start..start + IMAGE_BYTES];
        let line = IMAGE_SIDE * 3;
        for y in 0..IMAGE_SIDE {
            let top = cell.frame * to.height + cell.row * IMAGE_SIDE + y;
            let at = (top * to.width + cell.column * IMAGE_SIDE) * 3;
            let out = &mut to.rgb[at..at + line];
            let (truth, model) = (&truth[y * line..(y + 1) * line], &model[y * line..(y + 1) * line]);
            match row {
                0 => out.copy_from_slice(truth),
                1 => out.copy_from_slice(model),
                _ => out.iter_mut().zip(truth.iter().zip(model)).for_each(|(out, (&t, &m))| *out = error(t, m)),
            }
        }
    }
}

/// A place in a grid of images.
#[derive(Clone, Copy)]
struct Cell {
    frame: usize,
    row: usize,
    column: usize,
}

/// A black grid of images.
fn blank(columns: usize, rows: usize, frames: usize) -> Pixels {
    let (width, height) = (columns * IMAGE_SIDE, rows * IMAGE_SIDE);
    Pixels { width, height, rgb: vec![0; frames * width * height * 3] }
}

/// `(model - truth + 1) / 2` of colours from 0 to 1, in bytes, halves rounded up: 128 where both agree.
fn error(truth: u8, model: u8) -> u8 {
    ((u16::from(model) + 256 - u16::from(truth)) / 2) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> (u32, u32, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut rgb).unwrap();
        assert_eq!((info.color_type, info.bit_depth), (ColorType::Rgb, BitDepth::Eight));
        (info.width, info.height, rgb)
    }

    #[test]
    fn an_image_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let rgb: Vec<u8> = (0..5 * 3 * 3).map(|i| (i * 5) as u8).collect();
        write_png(&path, 5, 3, &rgb).unwrap();
        assert_eq!(decode(&std::fs::read(&path).unwrap()), (5, 3, rgb));
    }

    #[test]
    fn bytes_that_are_not_an_image_are_refused() {
        assert!(matches!(encode_png(5, 3, &[0; 44]), Err(OutputError::Pixels { found: 44, .. })));
        assert!(matches!(encode_png(0, 3, &[]), Err(OutputError::Format { format: "PNG", .. })));
        for (width, height, bytes) in [(0, 1, 0), (2, 2, 11), (usize::MAX, 2, 12)] {
            assert!(matches!(Pixels::new(width, height, vec![0; bytes]), Err(OutputError::Pixels { .. })));
        }
        let frames = vec![0; 6 * IMAGE_BYTES];
        for (truth, model, length) in [(6, 6, 0), (6, 6, 4), (0, 0, 1), (6, 3, 3)] {
            let (truth, model) = (&frames[..truth * IMAGE_BYTES], &frames[..model * IMAGE_BYTES]);
            assert!(matches!(OpenLoop::new(truth, model, length), Err(OutputError::Pixels { .. })));
        }
    }

    #[test]
    fn the_grid_has_truth_model_and_error_in_their_places() {
        // Two sequences of three frames; each frame has one colour, by which it is recognised.
        let frame = |base: usize| move |i: usize| vec![(base + i) as u8; IMAGE_BYTES];
        let truth: Vec<u8> = (0..6).flat_map(frame(10)).collect();
        let model: Vec<u8> = (0..6).flat_map(frame(60)).collect();
        let grid = OpenLoop::new(&truth, &model, 3).unwrap();
        let expected = |sequence: usize, time: usize, row: usize| {
            let i = sequence * 3 + time;
            [10 + i, 60 + i, (50 + 256) / 2][row] as u8
        };

        let image = grid.image();
        assert_eq!((image.width(), image.height(), image.count()), (3 * 64, 6 * 64, 1));
        for (i, pixel) in image.rgb().chunks_exact(3).enumerate() {
            let (x, y) = (i % 192, i / 192);
            assert_eq!(pixel, [expected(y / 192, x / 64, y / 64 % 3); 3], "{x} {y}");
        }
    }

    #[test]
    fn images_stand_upright_in_the_grid() {
        let truth: Vec<u8> = (0..IMAGE_BYTES).map(|i| (i % 251) as u8).collect();
        let model: Vec<u8> = truth.iter().map(|byte| byte / 2).collect();
        let image = OpenLoop::new(&truth, &model, 1).unwrap().image();
        assert_eq!(image.rgb()[..IMAGE_BYTES], truth);
        assert_eq!(image.rgb()[IMAGE_BYTES..2 * IMAGE_BYTES], model);
    }

    #[test]
    fn the_error_is_the_formula_in_bytes() {
        for (truth, model) in (0..=255).flat_map(|truth| (0..=255).map(move |model| (truth, model))) {
            let exact = (f64::from(model) / 255.0 - f64::from(truth) / 255.0 + 1.0) / 2.0 * 255.0;
            assert_eq!(f64::from(error(truth, model)), (exact + 1e-9).round(), "{truth} {model}");
        }
    }
}
