//! The images of an evaluation: a video of its last episode, and the world model's predictions of it.
//!
//! Here: which frames are shown, and under which names. Not here: file formats (`output`).

use crate::agent::Trainable;
use crate::folder::metrics_files::MetricsFiles;
use crate::output::{GifOptions, OpenLoop, Pixels, encode_png, write_gif, write_png};
use crate::run::episode::Played;
use crate::{Frames, TrainError};
use random::Stream;
use replay::{Episode, IMAGE_SIDE};
use std::path::Path;
use std::time::Duration;

/// Frames that the model is shown before it must predict.
const CONTEXT: usize = 5;

/// Transitions in the open-loop plot, including the context.
const IMAGES: usize = 50;

/// Each pixel of a video becomes a square of this side.
const UPSCALE: u16 = 4;

/// Writes the video and the open-loop plot of an episode to the folder `videos`, and the latter also to `record`. An episode
/// without images has neither.
///
/// # Errors
/// If a file cannot be written.
pub(crate) fn write(
    videos: &Path,
    frames: Frames,
    agent: &impl Trainable,
    played: &Played,
    random: &mut Stream,
    metrics_files: &mut MetricsFiles,
) -> Result<(), TrainError> {
    let Played { episode, step_seconds, .. } = played;
    if episode.image().is_empty() {
        return Ok(());
    }
    let name = format!("{:010}-{}", frames.0, environment::file_name(episode.task()));
    video(&videos.join(format!("{name}.gif")), episode, *step_seconds)?;
    if !agent.predicts_images() {
        return Ok(());
    }
    let length = episode.len().min(IMAGES);
    let seen = episode.observations().part(&episode.sizes().observations, 0..length);
    let action = &episode.action()[..length * episode.action_size()];
    let model = agent.open_loop(seen, action, CONTEXT.min(length), random);
    let image = OpenLoop::new(seen.image, &model, length)?.image();
    let (width, height) = (image.width(), image.height());
    write_png(&videos.join(format!("{name}-open-loop.png")), width, height, image.rgb())?;
    let encoded = encode_png(width, height, image.rgb())?;
    metrics_files.image(frames, &format!("open_loop/{}", episode.task()), width, height, encoded)
}

/// Writes an episode as a GIF that shows each image for `step_seconds`.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn video(path: &Path, episode: &Episode, step_seconds: f64) -> Result<(), TrainError> {
    write_gif_of(path, IMAGE_SIDE, episode.image().to_vec(), step_seconds)
}

/// Writes images of this width and the standard height as a GIF that shows each for `step_seconds`.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn write_gif_of(path: &Path, width: usize, images: Vec<u8>, step_seconds: f64) -> Result<(), TrainError> {
    let pixels = Pixels::new(width, IMAGE_SIDE, images)?;
    let shown = Duration::from_secs_f64(step_seconds);
    Ok(write_gif(path, &pixels, GifOptions { upscale: UPSCALE, shown })?)
}
