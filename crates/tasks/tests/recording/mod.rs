//! Recorded trajectories, as `npz` files: `init`, `actions`, `joints`, `reward`, `done`, `frame_steps`, `frames`.

// Each test program uses a part.
#![allow(dead_code)]

use std::fs::File;
use std::path::Path;

use zip::ZipArchive;

/// 1000 frames of a task.
pub struct Recording {
    /// Joint offsets at reset.
    pub offsets: Vec<f64>,
    /// `[T, A]`.
    pub actions: Vec<f32>,
    /// `[T]`.
    pub rewards: Vec<f64>,
    /// `[T]`.
    pub done: Vec<bool>,
    /// `[T, J, 2]`.
    pub joints: Vec<f64>,
    /// `[K]`: the frames before which there is an image.
    pub image_frames: Vec<i64>,
    /// `[K, 64, 64, 3]`.
    pub images: Vec<u8>,
}

impl Recording {
    /// The recording of a task that the tests carry.
    pub fn read(task: &str) -> Self {
        Self::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{task}.npz")))
    }

    pub fn open(path: &Path) -> Self {
        let mut archive = ZipArchive::new(File::open(path).unwrap()).unwrap();
        let recording = Self {
            offsets: array(&mut archive, "init"),
            actions: array(&mut archive, "actions"),
            rewards: array(&mut archive, "reward"),
            done: array(&mut archive, "done"),
            joints: array(&mut archive, "joints"),
            image_frames: array(&mut archive, "frame_steps"),
            images: array(&mut archive, "frames"),
        };
        assert!(recording.rewards.len() == 1000 && recording.image_frames.len() == 8, "a whole recording");
        recording
    }

    /// Positions and velocities of all joints after frame `t`.
    pub fn joints(&self, t: usize) -> &[f64] {
        let size = self.joints.len() / self.rewards.len();
        &self.joints[t * size..][..size]
    }

    /// The image before frame `t`, if one was recorded.
    pub fn image(&self, t: usize) -> Option<&[u8]> {
        let index = self.image_frames.iter().position(|&frame| frame == t as i64)?;
        Some(&self.images[index * tasks::IMAGE_BYTES..][..tasks::IMAGE_BYTES])
    }
}

fn array<T: npyz::Deserialize>(archive: &mut ZipArchive<File>, name: &str) -> Vec<T> {
    let entry = archive.by_name(&format!("{name}.npy")).unwrap();
    npyz::NpyFile::new(entry).unwrap().into_vec().unwrap()
}
