//! A reimplementation of Bullet's software renderer TinyRenderer: the same bytes, many times faster.
//!
//! Start at [`Renderer`]: it is made of [`Shape`]s (meshes with their looks) and draws them wherever they are.
//!
//! Every pixel is computed with the same operations as in TinyRenderer, in the same precision and order, so the result
//! is bitwise identical. The difference is how much is computed:
//! 1. A mesh is prepared once; an image moves its vertices, not the corners of its faces (`shape.rs`, `normals.rs`).
//! 2. Which triangle is seen at each pixel is found without any colour (`visible.rs`), from an equivalent test for what is
//!    inside and depths that are nearly known; a comparison within their error is repeated exactly (`triangle.rs`).
//! 3. Only what is seen is shaded, many pixels side by side (`shade.rs`).
//! 4. The light's depth map is drawn only where a pixel asks for it, and only until the answer is known (`shadow.rs`).
//!
//! Here: images of given shapes. Not here: the origin of meshes and poses, files, windows. Renderers do not share
//! anything, so any number of them can draw at the same time. After one or two images, when its normals no longer
//! change, a renderer allocates nothing (a test counts).

mod clip;
mod cover;
mod facing;
mod frame;
mod linear;
mod looks;
mod normals;
mod run;
mod scene;
mod seen;
mod shade;
mod shadow;
mod shape;
mod triangle;
mod visible;

pub use scene::{Eye, Shape, Texture};

use pulp::{Arch, WithSimd};

use crate::clip::{Clipped, clip};
use crate::frame::{Frame, Viewport};
use crate::seen::project;
use crate::shade::Shading;
use crate::shadow::Shadow;
use crate::shape::Posed;
use crate::visible::{Triangle, Visible};

/// Draws a set of shapes, again and again.
pub struct Renderer {
    shapes: Vec<Posed>,
    poses: Vec<[f32; 16]>,
    viewport: Viewport,
    visible: Visible,
    shadow: Shadow,
    shading: Shading,
}

impl Renderer {
    /// A renderer of `shapes`, drawn in this order, for images of `width` x `height` pixels. Initially, all shapes are
    /// at the origin.
    ///
    /// # Panics
    /// If a side is 0 or above 4096 (65,536 for a texture), if a face has a vertex that does not exist, or if a shape's
    /// lists of vertices, normals and coordinates, or its texture's size and texels, disagree.
    pub fn new(shapes: Vec<Shape>, width: usize, height: usize) -> Self {
        assert!((1..=4096).contains(&width) && (1..=4096).contains(&height), "an image of {width} x {height} pixels");
        shapes.iter().for_each(check);
        let places = shapes.iter().map(|shape| shape.place + 1).max().unwrap_or(0);
        let mut identity = [0.0; 16];
        (0..4).for_each(|i| identity[5 * i] = 1.0);
        // Each face may leave four parts of itself.
        let triangles = shapes.iter().map(|shape| 4 * shape.faces.len()).sum::<usize>() + 1;
        Self {
            shapes: shapes.into_iter().map(Posed::new).collect(),
            poses: vec![identity; places],
            viewport: Viewport { width, height },
            visible: Visible::new(width, height, triangles),
            shadow: Shadow::new(width, height),
            shading: Shading::new(width * height),
        }
    }

    /// The poses of the places: for each a 4 x 4 matrix, by rows, from the mesh to the world.
    pub fn poses(&mut self) -> &mut [[f32; 16]] {
        &mut self.poses
    }

    /// Draws into `rgb`: three bytes a pixel, rows from the top.
    ///
    /// # Panics
    /// If `rgb` has another length.
    pub fn render(&mut self, eye: &Eye, rgb: &mut [u8]) {
        let Viewport { width, height } = self.viewport;
        assert_eq!(rgb.len(), width * height * 3, "bytes for {width} x {height} pixels");
        Arch::new().dispatch(Draw { renderer: self, eye, rgb });
    }

    #[inline(always)]
    fn draw(&mut self, eye: &Eye, rgb: &mut [u8]) {
        let frame = Frame::new(eye, self.viewport);
        for posed in &mut self.shapes {
            posed.update(&self.poses[posed.place], &frame, eye.shadow);
        }
        self.visible.clear(frame.far);
        for (number, posed) in self.shapes.iter().enumerate() {
            if posed.visible {
                draw_shape(posed, number as u32, &mut self.visible, &frame);
            }
        }
        let shadow = eye.shadow.then(|| {
            self.shadow.clear();
            &mut self.shadow
        });
        self.shading.draw(&self.visible, &self.shapes, &frame, shadow, rgb);
    }
}

/// Draws the faces of a shape that the camera may see.
#[inline(always)]
fn draw_shape(posed: &Posed, shape: u32, visible: &mut Visible, frame: &Frame) {
    for &face in &posed.front {
        let corners = posed.faces[face as usize];
        let whole = posed.seen.corners(corners);
        let triangle = Triangle { drawn: whole, whole, cut: false, shape, face };
        if posed.seen.in_front {
            visible.draw(&triangle, posed.seen.bounded, frame);
            continue;
        }
        match clip(&corners.map(|vertex| posed.seen.clip(vertex))) {
            Clipped::Whole => visible.draw(&triangle, false, frame),
            Clipped::Parts { triangles, count } => {
                for part in &triangles[..count] {
                    let part = Triangle { drawn: project(part, frame), cut: true, ..triangle };
                    visible.draw(&part, false, frame);
                }
            }
        }
    }
}

fn check(shape: &Shape) {
    let vertices = shape.positions.len();
    assert_eq!((shape.normals.len(), shape.coordinates.len()), (vertices, vertices), "normals and coordinates");
    let last = shape.faces.as_flattened().iter().max();
    assert!(last.is_none_or(|&vertex| (vertex as usize) < vertices), "a face has vertex {last:?} of {vertices}");
    if let Some(texture) = &shape.texture {
        let Texture { width, height, texels } = texture;
        let side = 1..=65_536;
        assert!(side.contains(width) && side.contains(height), "a texture of {width} x {height} pixels");
        assert_eq!(texels.len(), width * height * 3, "bytes for a texture of {width} x {height} pixels");
    }
}

/// A call of [`Renderer::draw`] with the widest SIMD instructions of this machine.
struct Draw<'a> {
    renderer: &'a mut Renderer,
    eye: &'a Eye,
    rgb: &'a mut [u8],
}

impl WithSimd for Draw<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        self.renderer.draw(self.eye, self.rgb);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulp::Simd;

    use super::*;

    /// Triangles at random, half of them with a texture.
    fn shapes() -> impl Strategy<Value = Vec<Shape>> {
        let vertex =
            (prop::array::uniform3(-1f32..1.0), prop::array::uniform3(-1f32..1.0), prop::array::uniform2(-3f32..3.0));
        prop::collection::vec(vertex, 30..60).prop_map(|vertices| {
            let shape = |number: usize| Shape {
                place: number,
                positions: vertices.iter().map(|vertex| vertex.0).collect(),
                normals: vertices.iter().map(|vertex| vertex.1).collect(),
                coordinates: vertices.iter().map(|vertex| vertex.2).collect(),
                faces: (0..vertices.len() as u32 - 2).skip(number).step_by(2).map(|i| [i, i + 1, i + 2]).collect(),
                color: [0.9, 0.6, 0.3, 1.0],
                texture: (number == 1).then(|| Texture {
                    width: 3,
                    height: 2,
                    texels: (0..18).map(|i| i * 14).collect(),
                }),
                double_sided: number == 0,
            };
            vec![shape(0), shape(1)]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// The same bytes with every SIMD instruction set.
        #[test]
        fn the_width_of_vectors_does_not_show(shapes in shapes(), shift in prop::array::uniform3(-1f32..1.0)) {
            let view = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 1.0, 0.0, 0.0, shift[0], shift[1], shift[2] - 1.5, 1.0];
            let projection = [1.3, 0.0, 0.0, 0.0, 0.0, 1.7, 0.0, 0.0, 0.0, 0.0, -1.004, -1.0, 0.0, 0.0, -0.2004, 0.0];
            let eye = Eye { view, projection, light_direction: [0.3, -1.0, 1.0], shadow: true };
            let mut widest = vec![0; 50 * 40 * 3];
            let mut other = widest.clone();
            Renderer::new(shapes.clone(), 50, 40).render(&eye, &mut widest);
            pulp::Scalar::new().vectorize(Draw { renderer: &mut Renderer::new(shapes.clone(), 50, 40), eye: &eye, rgb: &mut other });
            prop_assert!(widest == other, "without SIMD");
            #[cfg(target_arch = "x86_64")]
            if let Some(simd) = pulp::x86::V3::try_new() {
                Simd::vectorize(simd, Draw { renderer: &mut Renderer::new(shapes, 50, 40), eye: &eye, rgb: &mut other });
                prop_assert!(widest == other, "with SIMD on four numbers");
            }
            // A scene next to the image proves nothing. If no scene were seen, the test would fail with too many of these.
            prop_assume!(widest.iter().any(|&byte| byte != 255));
        }
    }
}
