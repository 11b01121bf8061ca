//! Replays recorded actions and writes what came of them, so that other simulators' recordings can be compared.
//!
//! ```text
//! cargo run --release --example replay_actions -- TASK IN.npz OUT.npz
//! ```
//!
//! IN.npz: `init` `[N]` f64, the joint offsets (rad) that the episode starts with; `actions` `[T, A]` f32, one a frame;
//! optionally `frame_steps` `[K]` i64, the frames before which an image is drawn (default: 0, 1, 10, 20, 60, 150, 400, 999).
//!
//! OUT.npz: `init`, `actions` and `frame_steps` again; `joints` `[T, J, 2]` f64, position and velocity after each frame;
//! `reward` `[T]` f64; `done` `[T]` bool by PyBullet's own rule, after which the trajectory goes on; `frames`
//! `[K, 64, 64, 3]` u8.

use std::fs::File;
use std::io::{BufWriter, Cursor, Write};
use std::path::Path;
use std::process::ExitCode;

use npyz::WriterBuilder;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// Frames before which an image is drawn, unless the input says otherwise.
const IMAGE_FRAMES: [i64; 8] = [0, 1, 10, 20, 60, 150, 400, 999];

type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [task, input, output] = arguments.as_slice() else {
        return fail("usage: replay_actions TASK IN.npz OUT.npz");
    };
    match replay(task, Path::new(input), Path::new(output)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

#[expect(clippy::print_stderr, reason = "a program's message to its user")]
fn fail(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}

/// Replays the actions in the file `input` in `task` and writes the file `output`.
pub fn replay(task: &str, input: &Path, output: &Path) -> Result<(), Error> {
    let mut simulation = tasks::simulation(task)?;
    let mut archive = File::open(input)
        .map_err(Error::from)
        .and_then(|file| Ok(ZipArchive::new(file)?))
        .map_err(|error| format!("cannot read {} as an npz file: {error}", input.display()))?;
    let size = simulation.action_size();
    let init: Vec<f64> =
        array(&mut archive, "init", &[simulation.offset_count()])?.ok_or("there is no array \"init\"")?;
    let actions: Vec<f32> = array(&mut archive, "actions", &[ANY, size])?.ok_or("there is no array \"actions\"")?;
    let count = actions.len() / size;
    let image_frames: Vec<i64> = match array(&mut archive, "frame_steps", &[ANY])? {
        Some(frames) => frames,
        None => IMAGE_FRAMES.into_iter().filter(|&frame| (frame as usize) < count).collect(),
    };
    if let Some(wrong) = image_frames.iter().find(|&&frame| frame < 0 || frame as usize >= count) {
        return Err(format!("\"frame_steps\" asks for an image before frame {wrong} of {count}").into());
    }
    if let Some(place) = init.iter().position(|x| !x.is_finite()) {
        return Err(format!("element {place} of \"init\" is {}", init[place]).into());
    }
    if let Some(place) = actions.iter().position(|x| !x.is_finite()) {
        return Err(format!("frame {} of \"actions\" holds {}", place / size, actions[place]).into());
    }

    let (mut joints, mut rewards, mut done) = (vec![], vec![], vec![]);
    let mut images = vec![0; image_frames.len() * tasks::IMAGE_BYTES];
    simulation.start(&init);
    let joint_count = simulation.joints().len();
    for (t, action) in actions.chunks_exact(size).enumerate() {
        let wanted = image_frames.iter().zip(images.chunks_exact_mut(tasks::IMAGE_BYTES));
        for (_, image) in wanted.filter(|&(&frame, _)| frame as usize == t) {
            simulation.render(image);
        }
        let frame = simulation.frame(action);
        joints.extend_from_slice(simulation.joints().as_flattened());
        rewards.push(frame.reward);
        done.push(frame.done);
    }

    let side = tasks::SIDE as u64;
    let (steps, drawn) = (count as u64, image_frames.len() as u64);
    let written = || -> Result<(), Error> {
        let mut out = ZipWriter::new(BufWriter::new(File::create(output)?));
        put(&mut out, "init", &[init.len() as u64], init)?;
        put(&mut out, "actions", &[steps, size as u64], actions)?;
        put(&mut out, "joints", &[steps, joint_count as u64, 2], joints)?;
        put(&mut out, "reward", &[steps], rewards)?;
        put(&mut out, "done", &[steps], done)?;
        put(&mut out, "frame_steps", &[drawn], image_frames)?;
        put(&mut out, "frames", &[drawn, side, side, 3], images)?;
        out.finish()?.flush()?;
        Ok(())
    };
    written().map_err(|error| format!("cannot write {}: {error}", output.display()).into())
}

/// A side of any length.
const ANY: usize = usize::MAX;

/// The array called `name`, if the archive has it, which must be in C order and have the given shape.
fn array<T: npyz::Deserialize>(
    archive: &mut ZipArchive<File>,
    name: &str,
    shape: &[usize],
) -> Result<Option<Vec<T>>, Error> {
    let entry = match archive.by_name(&format!("{name}.npy")) {
        Ok(entry) => entry,
        Err(ZipError::FileNotFound) => return Ok(None),
        Err(error) => return Err(format!("cannot read array \"{name}\": {error}").into()),
    };
    let file = npyz::NpyFile::new(entry).map_err(|error| format!("array \"{name}\" is damaged: {error}"))?;
    let given = file.shape().to_vec();
    let fits = given.len() == shape.len() && given.iter().zip(shape).all(|(&a, &b)| b == ANY || a == b as u64);
    if !fits || file.order() != npyz::Order::C {
        let wanted: Vec<String> =
            shape.iter().map(|&side| if side == ANY { "any".to_owned() } else { side.to_string() }).collect();
        let wanted = wanted.join(", ");
        return Err(format!("array \"{name}\" has shape {given:?}, not [{wanted}] in C order").into());
    }
    let kind = file.dtype().descr();
    let values = file.into_vec().map_err(|error| format!("array \"{name}\" of type {kind}: {error}"))?;
    Ok(Some(values))
}

fn put<T: npyz::AutoSerialize>(
    out: &mut ZipWriter<BufWriter<File>>,
    name: &str,
    shape: &[u64],
    values: Vec<T>,
) -> Result<(), Error> {
    let mut bytes = Cursor::new(vec![]);
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(shape).writer(&mut bytes).begin_nd()?;
    writer.extend(values)?;
    writer.finish()?;
    out.start_file(format!("{name}.npy"), SimpleFileOptions::default())?;
    out.write_all(&bytes.into_inner())?;
    Ok(())
}
