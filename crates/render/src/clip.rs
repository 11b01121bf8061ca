//! Cutting a triangle at the near plane, as TinyRenderer does it: by edges, with corners that may come twice.

use crate::linear::Vector4;

/// The visible part of a triangle in clip space.
pub enum Clipped {
    /// All of it.
    Whole,
    /// These triangles, of which some are lines.
    Parts { triangles: [[Vector4; 3]; 4], count: usize },
}

/// Cuts the triangle where some corners are behind the eye (w below zero). If all are, nothing is left; if none is, it
/// stays whole, even where it is nearer than the near plane.
#[inline(always)]
pub fn clip(triangle: &[Vector4; 3]) -> Clipped {
    let mut triangles = [[[0.0; 4]; 3]; 4];
    if triangle.iter().all(|corner| corner[3] < 0.0) {
        return Clipped::Parts { triangles, count: 0 };
    }
    if triangle.iter().all(|corner| corner[3] >= 0.0) {
        return Clipped::Whole;
    }
    let (mut corners, mut length) = ([[0.0; 4]; 6], 0);
    for (a, b) in [(0, 1), (1, 2), (2, 0)] {
        if let Some(edge) = cut(triangle[a], triangle[b]) {
            corners[length..length + 2].copy_from_slice(&edge);
            length += 2;
        }
    }
    let count = length.saturating_sub(2);
    for i in 0..count {
        triangles[i] = [corners[0], corners[i + 1], corners[i + 2]];
    }
    Clipped::Parts { triangles, count }
}

/// The part of the edge from `a` to `b` that is beyond the near plane.
fn cut(a: Vector4, b: Vector4) -> Option<[Vector4; 2]> {
    let inside = |v: Vector4| v[3] > 0.0 && v[2] > -v[3];
    let crossing = || {
        let (distance_a, distance_b) = (a[2] + a[3], b[2] + b[3]);
        let factor = (1.0 / f64::from(distance_b - distance_a)) as f32;
        std::array::from_fn(|i| (a[i] * distance_b - b[i] * distance_a) * factor)
    };
    match (inside(a), inside(b)) {
        (true, true) => Some([a, b]),
        (true, false) => Some([a, crossing()]),
        (false, true) => Some([crossing(), b]),
        (false, false) => None,
    }
}
