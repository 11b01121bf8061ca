//! The drawn scene: meshes with their looks, the camera and the light.

/// Pixels that are worked on side by side.
pub(crate) const LANES: usize = 8;

/// An image that is laid over a mesh, repeated in both directions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Texture {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `[height, width, 3]`, RGB; the first row is at coordinate 0.
    pub texels: Vec<u8>,
}

/// A mesh with its looks.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Which of the poses moves it.
    pub place: usize,
    /// Vertices, m.
    pub positions: Vec<[f32; 3]>,
    /// A normal for each vertex.
    pub normals: Vec<[f32; 3]>,
    /// Texture coordinates for each vertex, in repeats of the texture.
    pub coordinates: Vec<[f32; 2]>,
    /// Triangles: three indices of vertices, counter-clockwise as seen from outside.
    pub faces: Vec<[u32; 3]>,
    /// Red, green, blue, opacity, 0 to 1. It is opaque unless the opacity is 0.
    pub color: [f32; 4],
    /// The factor of the colour.
    pub texture: Option<Texture>,
    /// Whether it is seen from inside, too.
    pub double_sided: bool,
}

/// Camera and light.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Eye {
    /// From the world to the eye: 4 x 4, by columns.
    pub view: [f32; 16],
    /// From the eye to clip space: 4 x 4, by columns.
    pub projection: [f32; 16],
    /// The direction from which the light comes.
    pub light_direction: [f32; 3],
    /// Whether things cast shadows.
    pub shadow: bool,
}
