//! [`Visuals`]: the visible shapes of a world, as plain data for another renderer.
//!
//! Here: the meshes of Bullet's converter, colours, textures, and their current poses. Not here: pixels. The calls rely
//! on the same facts as those in `client.rs`.

#![allow(unsafe_code)]

use std::ffi::c_int;

use crate::client::Client;
use crate::ffi;
use crate::id::WorldId;

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
pub struct Visual {
    /// Which of the poses moves it.
    pub place: usize,
    /// Vertices, m.
    pub positions: Vec<[f32; 3]>,
    /// A normal for each vertex, as far as Bullet's renderer has normalised it by now.
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

/// All that there is to see in a [`crate::World`], in the order in which Bullet draws it.
#[derive(Clone, Debug)]
pub struct Visuals {
    /// The meshes.
    pub shapes: Vec<Visual>,
    /// Place of each of Bullet's shape numbers, or -1.
    numbers: Vec<c_int>,
    places: usize,
    world: WorldId,
}

impl Visuals {
    /// How many poses there are: each moves one or more meshes.
    pub fn places(&self) -> usize {
        self.places
    }

    pub(crate) fn read(client: &mut Client, world: WorldId) -> Self {
        let mut visuals = Self { shapes: vec![], numbers: vec![], places: 0, world };
        // SAFETY: the processor lives as long as `client`, and its renderer likewise.
        let renderer = unsafe { ffi::bullet_renderer(client.processor) };
        for number in 0.. {
            let mut info = ffi::VisualInfo::default();
            // SAFETY: the structure is ours to fill in.
            if unsafe { ffi::bullet_visual_describe(renderer, number, &mut info) } == 0 {
                break;
            }
            let place = visuals.place(info.shape);
            visuals.shapes.push(read_shape(renderer, number, &info, place));
        }
        visuals
    }

    /// The place of Bullet's shape `number`, a new one if it has none.
    fn place(&mut self, number: c_int) -> usize {
        let number = usize::try_from(number).expect("Bullet numbers its shapes from 0");
        if self.numbers.len() <= number {
            self.numbers.resize(number + 1, -1);
        }
        if self.numbers[number] < 0 {
            self.numbers[number] = self.places as c_int;
            self.places += 1;
        }
        self.numbers[number] as usize
    }

    pub(crate) fn poses(&self, client: &mut Client, world: WorldId, poses: &mut [[f32; 16]]) {
        assert_eq!(self.world, world, "visuals belong to another world");
        assert_eq!(poses.len(), self.places, "one pose a place");
        // SAFETY: every place is below `places`, so the writes stay within `poses`; the numbers have the given count.
        unsafe {
            ffi::bullet_poses(
                client.processor,
                self.numbers.as_ptr(),
                self.numbers.len() as c_int,
                poses.as_mut_ptr().cast(),
            );
        }
    }
}

fn read_shape(renderer: ffi::Renderer, number: c_int, info: &ffi::VisualInfo, place: usize) -> Visual {
    let [vertices, faces, width, height] =
        [info.vertices, info.faces, info.texture_width, info.texture_height].map(|count| count as usize);
    let mut positions = vec![[0.0f32; 3]; vertices];
    let mut normals = vec![[0.0f32; 3]; vertices];
    let mut coordinates = vec![[0.0f32; 2]; vertices];
    let mut corners = vec![[0 as c_int; 3]; faces];
    let mut texels = vec![0u8; width * height * 3];
    // SAFETY: each array has the size that the object was described with, just now.
    unsafe {
        ffi::bullet_visual_read(
            renderer,
            number,
            positions.as_mut_ptr().cast(),
            normals.as_mut_ptr().cast(),
            coordinates.as_mut_ptr().cast(),
            corners.as_mut_ptr().cast(),
            texels.as_mut_ptr(),
        );
    }
    Visual {
        place,
        positions,
        normals,
        coordinates,
        faces: corners.into_iter().map(|face| face.map(|corner| corner as u32)).collect(),
        color: info.color,
        texture: (!texels.is_empty()).then_some(Texture { width, height, texels }),
        double_sided: info.double_sided != 0,
    }
}
