//! [`Looks`]: a shape's colour and texture, made ready to be looked up.

use crate::linear::{larger, truncate, whole};
use crate::{Shape, Texture};

/// Red, green and blue, 0 to 255 in whole numbers.
pub type Color = [f32; 3];

/// The appearance of a shape's surface.
pub enum Looks {
    /// The same everywhere.
    Plain(Color),
    /// A texture.
    Textured(Texels),
}

/// A texture times a colour.
pub struct Texels {
    width: u32,
    height: u32,
    /// Its colours, each once, up to 256 of them.
    palette: Vec<Color>,
    /// Logarithm of the bits that number a pixel's colour: 0 for two colours, up to 3; 5 for red, green and blue itself.
    depth: u32,
    /// The pixels' numbers, packed.
    words: Vec<u32>,
}

impl Looks {
    pub fn new(shape: &Shape) -> Self {
        match &shape.texture {
            None => Self::Plain(tint([255; 3], shape.color)),
            Some(texture) => Self::Textured(Texels::new(texture, shape.color)),
        }
    }
}

/// A texture's colour times a shape's.
fn tint(texel: [u8; 3], color: [f32; 4]) -> Color {
    std::array::from_fn(|i| f32::from(truncate(f32::from(texel[i]) * color[i]) as u8))
}

impl Texels {
    fn new(texture: &Texture, color: [f32; 4]) -> Self {
        let &Texture { width, height, ref texels } = texture;
        let mut numbers = Vec::with_capacity(width * height);
        let (width, height) = (width as u32, height as u32);
        let tinted = texels.chunks_exact(3).map(|texel| tint([texel[0], texel[1], texel[2]], color));
        let mut palette: Vec<Color> = vec![];
        for color in tinted.clone() {
            let number = palette.iter().position(|&known| known == color).unwrap_or_else(|| {
                palette.push(color);
                palette.len() - 1
            });
            if number > 255 {
                let words = tinted.map(|[r, g, b]| r as u32 | (g as u32) << 8 | (b as u32) << 16).collect();
                return Self { width, height, palette: vec![], depth: 5, words };
            }
            numbers.push(number as u32);
        }
        let depth = (0..3).find(|&depth| palette.len() <= 1 << (1 << depth)).unwrap_or(3);
        let per_word = 32 >> depth;
        let pack = |numbers: &[u32]| {
            numbers.iter().enumerate().fold(0, |word, (place, &number)| word | number << (place << depth))
        };
        Self { width, height, palette, depth, words: numbers.chunks(per_word).map(pack).collect() }
    }

    /// The number of the pixel at texture coordinates.
    #[inline(always)]
    pub fn texel(&self, u: f32, v: f32) -> u32 {
        pixel(u, self.width) + pixel(v, self.height) * self.width
    }

    /// The colour of a pixel.
    #[inline(always)]
    pub fn color(&self, texel: u32) -> Color {
        let texel = texel as usize;
        let word = self.words[texel >> (5 - self.depth)];
        if self.depth == 5 {
            return [word & 255, word >> 8 & 255, word >> 16].map(|part| part as f32);
        }
        let place = texel & ((32 >> self.depth) - 1);
        let number = word >> (place << self.depth) & ((1 << (1 << self.depth)) - 1);
        self.palette[number as usize]
    }
}

/// The pixel, of `pixels`, at a coordinate.
#[inline(always)]
fn pixel(coordinate: f32, pixels: u32) -> u32 {
    // C's `modf`: an infinite number does not have a fractional part.
    let part = if coordinate.is_infinite() { 0.0 } else { coordinate - coordinate.trunc() };
    let part = if part < 0.0 { part + 1.0 } else { part };
    // NaN gives 0, as C's smallest integer does here.
    let place = larger(part, 0.0) * pixels as f32;
    whole(place).min(pixels - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_texels_are_those_of_the_texture() {
        for colors in [1u32, 2, 3, 4, 5, 16, 17, 256, 257, 1000] {
            let (width, height) = (37, 29);
            let color = |i: u32| (i.wrapping_mul(2_654_435_761) >> 7) % colors;
            let texels = (0..width * height).flat_map(|i| {
                let number = color(i as u32);
                [number as u8, (number >> 8) as u8, 7]
            });
            let texture = Texture { width, height, texels: texels.collect() };
            let packed = Texels::new(&texture, [1.0; 4]);
            for y in 0..height {
                for x in 0..width {
                    let at = [(x as f32 + 0.5) / width as f32 - 3.0, (y as f32 + 0.5) / height as f32 + 2.0];
                    let texel = &texture.texels[(y * width + x) * 3..][..3];
                    assert_eq!(
                        packed.color(packed.texel(at[0], at[1])).as_slice(),
                        texel.iter().map(|&part| f32::from(part)).collect::<Vec<_>>()
                    );
                }
            }
        }
    }

    #[test]
    fn coordinates_wrap_and_never_leave_the_texture() {
        for (coordinate, expected) in
            [(0.0, 0), (0.999_999_94, 9), (-1e-9, 9), (1.0, 0), (-0.25, 7), (7.55, 5), (f32::INFINITY, 0), (1e30, 0)]
        {
            assert_eq!(pixel(coordinate, 10), expected, "{coordinate}");
        }
        assert_eq!(pixel(f32::NAN, 10), 0);
    }
}
