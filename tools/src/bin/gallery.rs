//! Draws the image of all tasks in the documentation, two rows of three in alphabetic order, each at a moment of an
//! episode of random actions: `cargo run --release -p dreamgraft-tools --bin gallery -- docs/gallery.png`.
#![allow(clippy::print_stderr, reason = "a program prints")]

use replay::{IMAGE_BYTES, IMAGE_SIDE};
use std::path::Path;
use std::process::ExitCode;
use train::output::write_png;
use train::{Film, PlayOptions, Plays, TrainError, WhoPlays};

/// The agent step at which each task is shown, in alphabetic order: early walkers stand, late poles swing.
const STEPS: [usize; 6] = [10, 6, 4, 40, 28, 7];
const COLUMNS: usize = 3;
/// Each pixel becomes a square of this side.
const SCALE: usize = 4;
/// Pixels between two images.
const GAP: usize = 8;
const SIDE: usize = IMAGE_SIDE * SCALE;

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: gallery FILE.png");
        return ExitCode::FAILURE;
    };
    match draw(Path::new(&path)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn draw(path: &Path) -> Result<(), TrainError> {
    let options = PlayOptions {
        policy: WhoPlays::Random,
        task: None,
        settings: Vec::new(),
        film: Film::No,
        evaluation: None,
        episodes: 1,
        seed: 0,
    };
    let plays = train::play(tasks::catalogue(), &options, |_| true)?;
    let rows = plays.len().div_ceil(COLUMNS);
    let (width, height) = (COLUMNS * SIDE + (COLUMNS - 1) * GAP, rows * SIDE + (rows - 1) * GAP);
    let mut gallery = vec![0xc0; width * height * 3];
    for (place, (Plays { last, .. }, step)) in plays.iter().zip(STEPS.iter().cycle()).enumerate() {
        let Some(episode) = last else { continue };
        let image = &episode.image()[step * IMAGE_BYTES..][..IMAGE_BYTES];
        let (left, top) = (place % COLUMNS * (SIDE + GAP), place / COLUMNS * (SIDE + GAP));
        for (y, x) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y, x))) {
            let from = (y / SCALE * IMAGE_SIDE + x / SCALE) * 3;
            let to = ((top + y) * width + left + x) * 3;
            gallery[to..to + 3].copy_from_slice(&image[from..from + 3]);
        }
    }
    Ok(write_png(path, width, height, &gallery)?)
}
