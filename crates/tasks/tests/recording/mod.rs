//! Recorded trajectories, as `npz` files: `init`, `actions`, `joints`, `reward`, `done`, and `frame_steps` with `frames`
//! if there are images. A file holds one episode, or several of one PyBullet environment object, which then are the
//! first axis of every array.

// Each test program uses a part.
#![allow(dead_code)]

use std::fs::File;
use std::path::{Path, PathBuf};

use zip::ZipArchive;

/// An episode of a task.
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
    /// `[V]`, after the reset; empty in a recording with images.
    pub first_observation: Vec<f32>,
    /// `[T, V]`, after each frame; empty in a recording with images.
    pub observations: Vec<f32>,
    /// `[K]`: the frames before which there is an image.
    pub image_frames: Vec<i64>,
    /// `[K, 64, 64, 3]`.
    pub images: Vec<u8>,
}

/// A file that the tests carry: `task`, the first episode of a PyBullet object with images, or `task-episodes`, three
/// episodes of one object without.
pub fn golden(name: &str) -> PathBuf {
    // Also for the tests of the tools, which share this module.
    let workspace =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find(|folder| folder.join("crates/tasks").is_dir());
    workspace.expect("the folder of the workspace").join(format!("crates/tasks/tests/golden/{name}.npz"))
}

impl Recording {
    /// The only episode of a file.
    pub fn open(path: &Path) -> Self {
        let mut archive = ZipArchive::new(File::open(path).unwrap()).unwrap();
        let recording = Self {
            image_frames: array(&mut archive, "frame_steps").1,
            images: array(&mut archive, "frames").1,
            ..Self::trajectory(&mut archive, &[])
        };
        assert!(recording.rewards.len() == 1000 && recording.image_frames.len() == 8, "a whole recording");
        recording
    }

    /// All episodes of a file that holds several, without images.
    pub fn open_episodes(path: &Path) -> Vec<Self> {
        let mut archive = ZipArchive::new(File::open(path).unwrap()).unwrap();
        let all = Self::trajectory(&mut archive, &[3]);
        assert_eq!(all.rewards.len(), 3 * 200, "a whole recording");
        let [first, observations] = ["first_observation", "observation"].map(|name| array::<f32>(&mut archive, name).1);
        (0..3)
            .map(|episode| Self {
                offsets: part(&all.offsets, episode),
                actions: part(&all.actions, episode),
                rewards: part(&all.rewards, episode),
                done: part(&all.done, episode),
                joints: part(&all.joints, episode),
                first_observation: part(&first, episode),
                observations: part(&observations, episode),
                image_frames: vec![],
                images: vec![],
            })
            .collect()
    }

    /// The content of every file, with all its episodes together. The shapes of the arrays start with `episodes`.
    fn trajectory(archive: &mut ZipArchive<File>, episodes: &[u64]) -> Self {
        let (shape, rewards) = array(archive, "reward");
        assert_eq!(shape[..shape.len() - 1], *episodes, "episodes of the file");
        Self {
            offsets: array(archive, "init").1,
            actions: array(archive, "actions").1,
            rewards,
            done: array(archive, "done").1,
            joints: array(archive, "joints").1,
            first_observation: vec![],
            observations: vec![],
            image_frames: vec![],
            images: vec![],
        }
    }

    /// Positions and velocities of all joints after frame `t`.
    pub fn joints(&self, t: usize) -> &[f64] {
        let size = self.joints.len() / self.rewards.len();
        &self.joints[t * size..][..size]
    }

    /// The vector observation after frame `t`, if it was recorded.
    pub fn observation(&self, t: usize) -> Option<&[f32]> {
        let size = self.first_observation.len();
        (size > 0).then(|| &self.observations[t * size..(t + 1) * size])
    }

    /// The image before frame `t`, if one was recorded.
    pub fn image(&self, t: usize) -> Option<&[u8]> {
        let index = self.image_frames.iter().position(|&frame| frame == t as i64)?;
        Some(&self.images[index * environment::IMAGE_BYTES..][..environment::IMAGE_BYTES])
    }
}

/// One of three equal parts.
fn part<T: Clone>(values: &[T], index: usize) -> Vec<T> {
    let size = values.len() / 3;
    values[index * size..][..size].to_vec()
}

/// The shape and the values of an array.
fn array<T: npyz::Deserialize>(archive: &mut ZipArchive<File>, name: &str) -> (Vec<u64>, Vec<T>) {
    let entry = archive.by_name(&format!("{name}.npy")).unwrap();
    let file = npyz::NpyFile::new(entry).unwrap();
    (file.shape().to_vec(), file.into_vec().unwrap())
}
