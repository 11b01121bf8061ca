//! The spaces of observations and actions.

/// Side of the images that agents of this version observe, in pixels.
pub const IMAGE_SIDE: usize = 64;

/// Bytes of such an image: `[64, 64, 3]`, RGB, rows from the top.
pub const IMAGE_BYTES: usize = ImageSpace::STANDARD.bytes();

/// Observations that are images: `[height, width, channels]` bytes, rows from the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageSpace {
    /// Rows.
    pub height: usize,
    /// Pixels in a row.
    pub width: usize,
    /// Bytes of a pixel.
    pub channels: usize,
}

impl ImageSpace {
    /// `[64, 64, 3]`, RGB: the only observations that the networks and the replay memory of this version take.
    pub const STANDARD: Self = Self { height: IMAGE_SIDE, width: IMAGE_SIDE, channels: 3 };

    /// Bytes of an image.
    pub const fn bytes(&self) -> usize {
        self.height * self.width * self.channels
    }
}

/// Continuous actions: `[size]` numbers, each from -1 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionSpace {
    /// Elements of an action.
    pub size: usize,
}
