//! [`Posed`]: a shape with all that is computed once for its mesh and once for each image.

use crate::facing::Facing;
use crate::frame::Frame;
use crate::linear::{self, Matrix, Vector4};
use crate::looks::Looks;
use crate::normals::Normals;
use crate::scene::Shape;
use crate::seen::Seen;

/// A shape, its mesh prepared, where the last image saw it.
pub struct Posed {
    pub place: usize,
    pub faces: Vec<[u32; 3]>,
    /// Texture coordinates.
    pub coordinates: Vec<[f32; 2]>,
    pub looks: Looks,
    pub normals: Normals,
    /// Whether it is drawn, not only a caster of shadows.
    pub visible: bool,
    double_sided: bool,
    /// Vertices with a last element of 1.
    positions: Vec<Vector4>,
    facing: Facing,
    /// Seen from the camera.
    pub seen: Seen,
    /// Seen from the light.
    pub lit: Seen,
    /// The normals' table in the world.
    pub world_normals: Vec<Vector4>,
    /// Numbers of the faces that the camera may see.
    pub front: Vec<u32>,
}

impl Posed {
    pub fn new(shape: Shape) -> Self {
        let positions: Vec<Vector4> = shape.positions.iter().map(|&[x, y, z]| [x, y, z, 1.0]).collect();
        Self {
            looks: Looks::new(&shape),
            facing: Facing::new(&positions, &shape.faces),
            seen: Seen::new(positions.len()),
            lit: Seen::new(positions.len()),
            positions,
            front: Vec::with_capacity(shape.faces.len()),
            world_normals: vec![],
            place: shape.place,
            visible: shape.color[3] != 0.0,
            double_sided: shape.double_sided,
            faces: shape.faces,
            coordinates: shape.coordinates,
            normals: Normals::new(shape.normals),
        }
    }

    /// Moves the shape to `pose` for the next image.
    #[inline(always)]
    pub fn update(&mut self, pose: &[f32; 16], frame: &Frame, shadow: bool) {
        let model = linear::from_rows(pose);
        self.normals.advance(&self.faces, shadow, self.visible);
        let lit = linear::product(&frame.light_view, &model);
        self.lit.update(&linear::product(&frame.projection, &lit), &self.positions, frame.viewport);
        if !self.visible {
            return;
        }
        let seen = linear::product(&frame.view, &model);
        self.seen.update(&linear::product(&frame.projection, &seen), &self.positions, frame.viewport);
        self.turn_normals(&model);
        if self.double_sided {
            self.front.clear();
            self.front.extend(0..self.faces.len() as u32);
        } else {
            self.facing.find(&self.positions, &self.faces, &model, frame.eye, &mut self.front);
        }
    }

    #[inline(always)]
    fn turn_normals(&mut self, model: &Matrix) {
        let columns = linear::columns(&linear::inverse_transpose(model));
        self.world_normals.clear();
        self.world_normals.extend(self.normals.table.iter().map(|&normal| linear::transform(&columns, normal)));
    }
}
