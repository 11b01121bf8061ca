//! [`Posed`]: a shape with all that is computed once for its mesh and once for each image.
//!
//! Here: vertices in clip space and on the screen, for the camera and for the light, and which faces look away. Not here:
//! triangles and pixels.

use crate::Shape;
use crate::frame::{Frame, Viewport};
use crate::linear::{self, Matrix, Vector4};
use crate::looks::Looks;
use crate::normals::Normals;
use crate::triangle::{Bounds, Corners};

/// Vertices as one of two eyes sees them, the camera or the light.
pub struct Seen {
    /// Clip coordinates x, y, z, w.
    clip: Vec<Vector4>,
    /// Pixels x and y, clip space's z, and the w that was divided by.
    screen: Vec<Vector4>,
    /// Whether every w is above zero: no triangle crosses the plane through the eye.
    pub in_front: bool,
    /// Whether every face is [`Corners::bounded`].
    pub bounded: bool,
    /// Extents on the screen.
    pub bounds: Bounds,
}

impl Seen {
    fn new(length: usize) -> Self {
        Self {
            clip: vec![[0.0; 4]; length],
            screen: vec![[0.0; 4]; length],
            in_front: false,
            bounded: false,
            bounds: Bounds::default(),
        }
    }

    #[inline(always)]
    fn update(&mut self, matrix: &Matrix, positions: &[Vector4], viewport: Viewport) {
        let columns = linear::columns(matrix);
        let halves = viewport.halves();
        let mut bounds = Bounds::default();
        for ((&position, clip), screen) in positions.iter().zip(&mut self.clip).zip(&mut self.screen) {
            *clip = linear::transform(&columns, position);
            *screen = on_screen(*clip, halves);
            bounds.add(*screen);
        }
        self.in_front = bounds.in_front();
        self.bounded = bounds.bounded();
        self.bounds = bounds;
    }

    /// Clip coordinates of a vertex.
    #[inline(always)]
    pub fn clip(&self, vertex: u32) -> Vector4 {
        self.clip[vertex as usize]
    }

    /// A face on the screen.
    #[inline(always)]
    pub fn corners(&self, face: [u32; 3]) -> Corners {
        Corners::new(face.map(|vertex| self.screen[vertex as usize]))
    }
}

/// A point of clip space on the screen: pixels x and y, clip space's z, and the w that was divided by. That is the product
/// with the viewport's matrix, divided.
#[inline(always)]
pub fn on_screen([x, y, z, w]: Vector4, [half_width, half_height]: [f32; 2]) -> Vector4 {
    let homogeneous_x = (((0.0 + half_width * w) + 0.0 * z) + 0.0 * y) + half_width * x;
    let homogeneous_y = (((0.0 + half_height * w) + 0.0 * z) + half_height * y) + 0.0 * x;
    let homogeneous_w = (((0.0 + w) + 0.0 * z) + 0.0 * y) + 0.0 * x;
    [homogeneous_x / homogeneous_w, homogeneous_y / homogeneous_w, z, homogeneous_w]
}

/// Planes of the faces in the mesh's own frame, to tell which face looks away from a point.
struct Planes {
    /// Normals, as long as twice the face's area.
    normal: [Vec<f64>; 3],
    /// Distance from the origin, times the normal's length.
    offset: Vec<f64>,
    /// Longest edge.
    edge: Vec<f64>,
    /// Distance of the farthest vertex from the origin, and the largest coordinate.
    radius: f64,
}

impl Planes {
    fn new(positions: &[[f32; 3]], faces: &[[u32; 3]]) -> Self {
        let at = |vertex: u32| positions[vertex as usize].map(f64::from);
        let length = |v: [f64; 3]| linear::dot64(v, v).sqrt();
        let mut planes = Self { normal: [vec![], vec![], vec![]], offset: vec![], edge: vec![], radius: 0.0 };
        for &[a, b, c] in faces {
            let [a, b, c] = [at(a), at(b), at(c)];
            let (ab, ac) = (linear::minus64(b, a), linear::minus64(c, a));
            let normal = linear::cross64(ab, ac);
            for axis in 0..3 {
                planes.normal[axis].push(normal[axis]);
            }
            planes.offset.push(linear::dot64(a, normal));
            planes.edge.push(length(ab).max(length(ac)).max(length(linear::minus64(c, b))));
            planes.radius = [a, b, c].into_iter().map(length).fold(planes.radius, f64::max);
        }
        planes
    }
}

/// A shape, its mesh prepared, where the last image saw it.
pub struct Posed {
    pub shape: Shape,
    pub looks: Looks,
    pub normals: Normals,
    /// Vertices with a last element of 1.
    positions: Vec<Vector4>,
    planes: Planes,
    model: Matrix,
    /// As the camera sees it.
    pub seen: Seen,
    /// As the light sees it.
    pub lit: Seen,
    /// The normal table in the world.
    pub world_normals: Vec<Vector4>,
    /// Numbers of the faces that the camera may see.
    pub front: Vec<u32>,
}

impl Posed {
    pub fn new(shape: Shape) -> Self {
        let length = shape.positions.len();
        let positions = shape.positions.iter().map(|&[x, y, z]| [x, y, z, 1.0]).collect();
        Self {
            looks: Looks::new(&shape),
            normals: Normals::new(shape.normals.clone()),
            planes: Planes::new(&shape.positions, &shape.faces),
            positions,
            model: [[0.0; 4]; 4],
            seen: Seen::new(length),
            lit: Seen::new(length),
            world_normals: vec![],
            front: Vec::with_capacity(shape.faces.len()),
            shape,
        }
    }

    /// Whether it is drawn, not only a caster of shadows.
    pub fn visible(&self) -> bool {
        self.shape.color[3] != 0.0
    }

    /// Moves the shape to `pose` for the next image.
    #[inline(always)]
    pub fn update(&mut self, pose: &[f32; 16], frame: &Frame, shadow: bool) {
        self.model = linear::from_rows(pose);
        self.normals.advance(&self.shape.faces, shadow, self.visible());
        let lit = linear::product(&frame.light_view, &self.model);
        self.lit.update(&linear::product(&frame.projection, &lit), &self.positions, frame.viewport);
        if !self.visible() {
            return;
        }
        let seen = linear::product(&frame.view, &self.model);
        self.seen.update(&linear::product(&frame.projection, &seen), &self.positions, frame.viewport);
        self.turn_normals();
        self.find_front(frame.eye);
    }

    #[inline(always)]
    fn turn_normals(&mut self) {
        let columns = linear::columns(&linear::inverse_transpose(&self.model));
        self.world_normals.clear();
        self.world_normals.extend(self.normals.table.iter().map(|&normal| linear::transform(&columns, normal)));
    }

    /// Lists the faces that do not look away from `eye`. TinyRenderer decides by vertices that were moved to the world
    /// and rounded. Here the eye is moved to the mesh instead; where rounding could matter, the vertices decide.
    #[inline(always)]
    fn find_front(&mut self, eye: [f64; 3]) {
        self.front.clear();
        if self.shape.double_sided {
            self.front.extend(0..self.shape.faces.len() as u32);
            return;
        }
        let [rows_0, rows_1, rows_2, _] = self.model.map(|row| row.map(f64::from));
        let rows = [rows_0, rows_1, rows_2];
        let linear_part = rows.map(|[x, y, z, _]| [x, y, z]);
        let origin = rows.map(|row| row[3]);
        let [r0, r1, r2] = linear_part;
        // Columns of the inverse times the determinant.
        let adjugate = [linear::cross64(r1, r2), linear::cross64(r2, r0), linear::cross64(r0, r1)];
        let determinant = linear::dot64(r0, adjugate[0]);
        let away = linear::minus64(eye, origin);
        // `determinant` times the eye in the mesh's frame.
        let local: [f64; 3] =
            std::array::from_fn(|i| away[0] * adjugate[0][i] + away[1] * adjugate[1][i] + away[2] * adjugate[2][i]);

        // A coordinate in the world is off by at most four roundings of its largest term; a mixed product of the vector
        // to a vertex and two edges then by less than the bound below. It covers the rounding of all that is done here.
        let planes = &self.planes;
        let size = linear_part.as_flattened().iter().fold(0.0f64, |a, &b| a.max(b.abs()));
        let reach = 3.0 * size * planes.radius;
        let largest = origin.iter().fold(0.0f64, |a, &b| a.max(b.abs())) + reach;
        let error = 4.0 * f64::from(f32::EPSILON) * largest;
        let distance = linear::dot64(away, away).sqrt() + reach;
        let count = planes.offset.len();
        let [x, y, z] = &planes.normal;
        let (x, y, z) = (&x[..count], &y[..count], &z[..count]);
        let edge = &planes.edge[..count];
        let scale = 3.0 * size;
        for face in 0..count {
            let volume =
                planes.offset[face] * determinant - (local[0] * x[face] + local[1] * y[face] + local[2] * z[face]);
            let edge = scale * edge[face] + 2.0 * error;
            let bound = 8.0 * error * edge * (edge + distance);
            if volume > bound {
                continue;
            }
            // In doubt, also where the bound is not a number.
            let surely_seen = volume < -bound;
            if surely_seen || !self.looks_away(self.shape.faces[face], eye) {
                self.front.push(face as u32);
            }
        }
    }

    fn looks_away(&self, face: [u32; 3], eye: [f64; 3]) -> bool {
        let [a, b, c] = face.map(|vertex| {
            let [x, y, z] = self.shape.positions[vertex as usize];
            let world = linear::transform(&linear::columns(&self.model), [x, y, z, 1.0]);
            [world[0], world[1], world[2]].map(f64::from)
        });
        let normal = linear::cross64(linear::minus64(b, a), linear::minus64(c, a));
        linear::dot64(linear::minus64(a, eye), normal) >= 0.0
    }
}
