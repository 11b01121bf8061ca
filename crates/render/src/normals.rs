//! Normals of a mesh, which TinyRenderer normalises again each time it reads one.
//!
//! Normalising a normalised vector in single precision can change it, and some then alternate between two values. So
//! the normal at a corner of a face depends on how many corners were visited before: for each image all corners of all
//! faces in turn, once for the shadows and once for the image. Here that sequence is followed until an image leaves
//! every normal as it found it; from then on, normals do not change any more.

use crate::linear::{Vector4, normalize};

/// The normals at the corners of a mesh's faces.
pub struct Normals {
    /// Each vertex's normal, as the last visit left it.
    state: Vec<[f32; 3]>,
    /// Distinct normals that the image uses, with a last element of 0.
    pub table: Vec<Vector4>,
    /// For each face, where in the table its corners' normals are.
    pub corners: Vec<[u32; 3]>,
    /// With or without shadows: the kind of image that leaves the normals as it finds them, once it is known.
    unchanged_for: Option<bool>,
}

impl Normals {
    /// `state`: a normal for each vertex.
    pub fn new(state: Vec<[f32; 3]>) -> Self {
        Self { state, table: vec![], corners: vec![], unchanged_for: None }
    }

    /// Makes `table` and `corners` those of the next image.
    pub fn advance(&mut self, faces: &[[u32; 3]], shadow: bool, drawn: bool) {
        if self.unchanged_for == Some(shadow) {
            return;
        }
        let before = self.state.clone();
        if shadow {
            for &vertex in faces.as_flattened() {
                self.visit(vertex);
            }
        }
        if drawn {
            self.draw(faces);
        }
        self.unchanged_for = (self.state == before).then_some(shadow);
    }

    fn visit(&mut self, vertex: u32) -> [f32; 3] {
        let normal = &mut self.state[vertex as usize];
        *normal = normalize(*normal);
        *normal
    }

    fn draw(&mut self, faces: &[[u32; 3]]) {
        // Which entries each vertex already has: seldom more than two.
        let mut entries: Vec<Vec<(u32, [u32; 3])>> = vec![vec![]; self.state.len()];
        self.table.clear();
        self.corners.clear();
        for face in faces {
            let corners = face.map(|vertex| {
                let normal = self.visit(vertex);
                let bits = normal.map(f32::to_bits);
                let known = &mut entries[vertex as usize];
                if let Some(&(entry, _)) = known.iter().find(|(_, other)| *other == bits) {
                    return entry;
                }
                let entry = self.table.len() as u32;
                known.push((entry, bits));
                self.table.push([normal[0], normal[1], normal[2], 0.0]);
                entry
            });
            self.corners.push(corners);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Visits as TinyRenderer makes them, one by one.
    struct Visits(Vec<[f32; 3]>);

    impl Visits {
        fn corners(&mut self, faces: &[[u32; 3]]) -> Vec<[[f32; 3]; 3]> {
            let mut visit = |vertex: u32| {
                self.0[vertex as usize] = normalize(self.0[vertex as usize]);
                self.0[vertex as usize]
            };
            faces.iter().map(|face| face.map(&mut visit)).collect()
        }
    }

    #[test]
    fn normals_follow_every_visit() {
        let mut x = 1u32;
        let mut random = || {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (x >> 8) as f32 / 8_388_608.0 - 1.0
        };
        let start: Vec<[f32; 3]> = (0..40).map(|_| [random(), random(), random()]).collect();
        let faces: Vec<[u32; 3]> = (0..57).map(|i| [i % 40, (i * 7 + 1) % 40, (i * 3 + 2) % 40]).collect();
        let (mut normals, mut visits) = (Normals::new(start.clone()), Visits(start));
        let mut swinging = false;
        for image in 0..40 {
            let shadow = !(10..25).contains(&image);
            normals.advance(&faces, shadow, true);
            if shadow {
                visits.corners(&faces);
            }
            let expected = visits.corners(&faces);
            let given: Vec<[[f32; 3]; 3]> = normals
                .corners
                .iter()
                .map(|corners| corners.map(|entry| std::array::from_fn(|axis| normals.table[entry as usize][axis])))
                .collect();
            assert_eq!(given, expected, "image {image}");
            swinging |= normals.table.len() > 40;
        }
        assert!(swinging, "some of 40 normals never come to rest");
    }
}
