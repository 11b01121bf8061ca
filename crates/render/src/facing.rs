//! [`Facing`]: which faces of a mesh look towards an eye.
//!
//! TinyRenderer decides by vertices that were moved to the world and rounded. Here the eye is moved to the mesh instead,
//! which takes one product a face; where rounding could matter, TinyRenderer's own expression decides.

use crate::linear::{self, Matrix, Vector4, cross64, dot64, minus64};

/// Planes of a mesh's faces, in its own frame.
pub struct Facing {
    /// Normals, as long as twice the face's area: x, y, z.
    normal: [Vec<f64>; 3],
    /// Distance from the origin, times the normal's length.
    offset: Vec<f64>,
    /// Longest edge.
    edge: Vec<f64>,
    /// Distance of the farthest vertex from the origin.
    radius: f64,
}

impl Facing {
    pub fn new(positions: &[Vector4], faces: &[[u32; 3]]) -> Self {
        let at = |vertex: u32| {
            let [x, y, z, _] = positions[vertex as usize].map(f64::from);
            [x, y, z]
        };
        let length = |v: [f64; 3]| dot64(v, v).sqrt();
        let mut planes = Self { normal: [vec![], vec![], vec![]], offset: vec![], edge: vec![], radius: 0.0 };
        for face in faces {
            let [a, b, c] = face.map(at);
            let (ab, ac) = (minus64(b, a), minus64(c, a));
            let normal = cross64(ab, ac);
            for axis in 0..3 {
                planes.normal[axis].push(normal[axis]);
            }
            planes.offset.push(dot64(a, normal));
            planes.edge.push(length(ab).max(length(ac)).max(length(minus64(c, b))));
            planes.radius = [a, b, c].into_iter().map(length).fold(planes.radius, f64::max);
        }
        planes
    }

    /// Lists in `front` the faces that look towards `eye` when the mesh is moved by `model`.
    #[inline(always)]
    pub fn find(&self, positions: &[Vector4], faces: &[[u32; 3]], model: &Matrix, eye: [f64; 3], front: &mut Vec<u32>) {
        front.clear();
        let columns = linear::columns(model);
        let [a, b, c, _] = model.map(|row| row.map(f64::from));
        let origin = [a[3], b[3], c[3]];
        let rows = [a, b, c].map(|[x, y, z, _]| [x, y, z]);
        // Columns of the inverse of the linear part, times its determinant.
        let adjugate = [cross64(rows[1], rows[2]), cross64(rows[2], rows[0]), cross64(rows[0], rows[1])];
        let determinant = dot64(rows[0], adjugate[0]);
        let away = minus64(eye, origin);
        // The eye in the mesh's frame, times the determinant.
        let local: [f64; 3] =
            std::array::from_fn(|i| away[0] * adjugate[0][i] + away[1] * adjugate[1][i] + away[2] * adjugate[2][i]);

        // A coordinate in the world is off by at most four roundings of the sum of its terms' sizes: `error` is twice
        // that. The volume spanned by the way from the eye to a corner and by two edges is then off by less than `bound`,
        // which covers the rounding of all that is done here in double precision, too. The linear part stretches nothing
        // by more than three times its largest element.
        let stretch = 3.0 * rows.as_flattened().iter().fold(0.0f64, |a, &b| a.max(b.abs()));
        let reach = stretch * self.radius;
        let error = 4.0 * f64::from(f32::EPSILON) * (origin.iter().fold(0.0f64, |a, &b| a.max(b.abs())) + reach);
        let distance = dot64(away, away).sqrt() + reach;

        let count = self.offset.len();
        let [x, y, z] = &self.normal;
        let (x, y, z, edges) = (&x[..count], &y[..count], &z[..count], &self.edge[..count]);
        for face in 0..count {
            let volume =
                self.offset[face] * determinant - (local[0] * x[face] + local[1] * y[face] + local[2] * z[face]);
            let edge = stretch * edges[face] + 2.0 * error;
            let bound = 8.0 * error * edge * (edge + distance);
            if volume > bound {
                continue;
            }
            // In doubt, also where the bound is not a number.
            let surely = volume < -bound;
            if surely || !looks_away(positions, faces[face], &columns, eye) {
                front.push(face as u32);
            }
        }
    }
}

/// TinyRenderer's own decision.
fn looks_away(positions: &[Vector4], face: [u32; 3], columns: &[Vector4; 4], eye: [f64; 3]) -> bool {
    let [a, b, c] = face.map(|vertex| {
        let [x, y, z, _] = linear::transform(columns, positions[vertex as usize]).map(f64::from);
        [x, y, z]
    });
    dot64(minus64(a, eye), cross64(minus64(b, a), minus64(c, a))) >= 0.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Also for eyes in a face's plane, or nearly so, and for places where single precision is coarse.
        #[test]
        fn faces_are_oriented_as_in_tiny_renderer(
            corners in prop::array::uniform12(-1f32..1.0),
            turn in prop::array::uniform9(-1f32..1.0),
            place in prop::array::uniform3(-300f32..300.0),
            shares in prop::array::uniform3(-2f64..2.0),
            lift in prop::sample::select(vec![0.0, 1e-9, -1e-7, 1e-6, 1e-3, -1.0]),
        ) {
            let positions: Vec<Vector4> = corners.chunks_exact(3).map(|p| [p[0], p[1], p[2], 1.0]).collect();
            let faces = [[0, 1, 2], [0, 2, 1], [0, 2, 3], [1, 3, 2]];
            let mut model = [[0.0, 0.0, 0.0, 1.0]; 4];
            for i in 0..3 {
                model[i] = [turn[3 * i], turn[3 * i + 1], turn[3 * i + 2], place[i]];
            }
            let columns = linear::columns(&model);
            let [a, b, c] = [0, 1, 2].map(|i: usize| linear::transform(&columns, positions[i]).map(f64::from));
            let eye: [f64; 3] = std::array::from_fn(|i| {
                a[i] + shares[0] * (b[i] - a[i]) + shares[1] * (c[i] - a[i]) + lift * shares[2]
            });
            let mut front = vec![];
            Facing::new(&positions, &faces).find(&positions, &faces, &model, eye, &mut front);
            let expected: Vec<u32> =
                (0..4).filter(|&face: &u32| !looks_away(&positions, faces[face as usize], &columns, eye)).collect();
            prop_assert_eq!(front, expected);
        }
    }
}
