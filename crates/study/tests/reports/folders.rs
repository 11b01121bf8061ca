//! Artificial folders of studies: rising curves, any number of runs, with all files of a run.

use random::Stream;
use std::fmt::Write as _;
use std::path::Path;
use study::manifest::{Entry, Manifest, Role};
use train::{Frames, Origin, RunRequest};

/// An image of one pixel.
pub const GIF: &[u8] =
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff\x2c\x00\x00\x00\x00\x01\x00\x01\x00\
    \x00\x02\x02D\x01\x00\x3b";

/// As [`GIF`], still.
pub const PNG: &[u8] = b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\
    \x00\x3a\x7e\x9bU\x00\x00\x00\x0aIDA\
    Tx\xdach\x00\x00\x00\x82\x00\x81\xdaE\x08\x3b\x00\x00\x00\x00IEND\xaeB\x60\x82";

/// Frames of a run.
pub const STEPS: u64 = 100_000;

/// A method: its name, and how far its curve is ahead, as a share of the run.
pub const METHODS: [(&str, f64); 3] = [("baseline", 0.0), ("fractional-0.2", 0.12), ("meta-model", 0.06)];

/// Makes the folder of a study of these tasks, each method with `seeds` runs.
pub fn study(root: &Path, name: &str, tasks: &[&str], seeds: u64) {
    let mut entries = vec![entry(0, Role::Source, &["hopper", "ant"], "source", Some("two-walkers"), 0, &[])];
    for task in tasks {
        for (method, _) in METHODS {
            for seed in 1..=seeds {
                let (source, after): (_, &[usize]) =
                    if method == "baseline" { (None, &[]) } else { (Some("two-walkers"), &[0]) };
                entries.push(entry(entries.len(), Role::Target, &[task], method, source, seed, after));
            }
        }
    }
    for entry in &entries {
        run(root, entry, STEPS);
    }
    Manifest::new(name, &"0123456789abcdef".repeat(4), entries).write(root).unwrap();
}

/// Makes the folder of a study of two tasks with so many methods, called m1, m2 and so on, each with `seeds` runs.
pub fn of_many(root: &Path, methods: usize, seeds: u64) {
    let mut entries = Vec::new();
    for task in ["hopper", "ant"] {
        for method in 0..methods {
            let method = match method {
                0 => "baseline".to_owned(),
                19 => "fractional-0.2-from-inverted-pendulum-swingup+hopper".to_owned(),
                _ => format!("m{method}"),
            };
            for seed in 1..=seeds {
                entries.push(entry(entries.len(), Role::Target, &[task], &method, None, seed, &[]));
            }
        }
    }
    for entry in &entries {
        run(root, entry, STEPS);
        // All begin from nothing.
        let _ = std::fs::remove_file(root.join(&entry.folder).join("transfer.json"));
    }
    Manifest::new("many", &"0123456789abcdef".repeat(4), entries).write(root).unwrap();
}

pub fn entry(
    index: usize,
    role: Role,
    tasks: &[&str],
    method: &str,
    source: Option<&str>,
    seed: u64,
    after: &[usize],
) -> Entry {
    let folder = format!("runs/{}/{method}/{seed}", tasks.join("+"));
    let tasks: Vec<String> = tasks.iter().map(|task| (*task).to_owned()).collect();
    let is_random = role == Role::Source || method == "baseline";
    let origin =
        Origin::Agent { from: "runs/hopper+ant/source/0".into(), plan: None, fraction: None, untrained: false };
    let request = RunRequest {
        steps: Some(Frames(STEPS)),
        seed: Some(seed),
        folder: Some(folder.clone().into()),
        origin: if is_random { Origin::Random } else { origin },
        ..RunRequest::new(tasks.clone(), "small")
    };
    let arguments = request.to_arguments().into_iter().map(|word| word.into_string().unwrap()).collect();
    Entry {
        pilot: None,
        index,
        role,
        tasks,
        method: method.to_owned(),
        source: source.map(str::to_owned),
        seed,
        steps: STEPS,
        folder: folder.into(),
        after: after.to_vec(),
        request,
        arguments,
    }
}

/// The run in another folder, with this setting typed as well.
pub fn moved(entry: Entry, folder: &str, setting: Option<&str>) -> Entry {
    let settings = setting.map(str::to_owned).into_iter().collect();
    let request = RunRequest { folder: Some(folder.into()), settings, ..entry.request };
    let arguments = request.to_arguments().into_iter().map(|word| word.into_string().unwrap()).collect();
    Entry { folder: folder.into(), request, arguments, ..entry }
}

/// Makes the run folder of `entry`, as it is after `frames` frames.
pub fn run(root: &Path, entry: &Entry, frames: u64) {
    let folder = root.join(&entry.folder);
    std::fs::create_dir_all(folder.join("videos")).unwrap();
    let config = format!(
        "tasks = {:?}\nseed = {}\nsteps = {}\nthreads = 2\n[log]\nevery = 1000\n[schedule]\nprefill_frames = 5000\n\
         pretrain_updates = 100\ntrain_every = 1000\ntrain_updates = 100\n[task]\ntermination = \"fixed\"\n[agent]\n\
         horizon = 15\nmodel_learning_rate = 0.001\n[made_by]\ndreamgraft = \"0.1.0\"\nprocessor = \"A processor\"\ncores = 2\nsystem = \"A system\"\n",
        entry.tasks, entry.seed, entry.steps
    );
    std::fs::write(folder.join("config.toml"), config).unwrap();
    std::fs::write(folder.join("metrics.jsonl"), metrics(entry, frames)).unwrap();
    for task in &entry.tasks {
        std::fs::write(folder.join(format!("videos/0000100000-{task}.gif")), GIF).unwrap();
        std::fs::write(folder.join(format!("videos/0000100000-{task}-open-loop.png")), PNG).unwrap();
    }
    if entry.role == Role::Target && entry.method != "baseline" {
        std::fs::write(folder.join("transfer.json"), include_str!("transfer.json")).unwrap();
    }
}

fn metrics(entry: &Entry, frames: u64) -> String {
    let ahead = METHODS.iter().find(|(method, _)| *method == entry.method).map_or(0.0, |(_, ahead)| *ahead);
    let mut stream = Stream::new(entry.index as u64, "curve");
    let slow = stream.uniform_in(-0.05, 0.05);
    let several = entry.tasks.len() > 1;
    let named = |name: &str, task: &str| if several { format!("{name}/{task}") } else { name.to_owned() };
    let mut text = String::new();
    for frame in (5000..=frames).step_by(1000) {
        let share = frame as f64 / entry.steps as f64;
        let learned = 1.0 / (1.0 + (-12.0 * (share + ahead + slow - 0.45)).exp());
        let level = if frame == 5000 { -850.0 } else { -850.0 + 1600.0 * learned };
        let mut line = format!("{{\"step\":{frame}");
        for task in &entry.tasks {
            write!(line, ",\"{}\":{}", named("train_return", task), level + 90.0 * stream.normal()).unwrap();
            write!(line, ",\"{}\":{}", named("train_length", task), 1000.0 / entry.tasks.len() as f64).unwrap();
        }
        // An episode of each task in every 1000 frames.
        let episodes = frame / 1000 * entry.tasks.len() as u64;
        let updates = 100 + (frame - 5000) / 10;
        writeln!(text, "{line},\"episodes\":{episodes},\"updates\":{updates},\"seconds\":{}}}", frame / 40).unwrap();
        if frame % 10_000 == 0 {
            let mut line = format!("{{\"step\":{frame}");
            for task in &entry.tasks {
                write!(line, ",\"{}\":{}", named("eval_return", task), level + 60.0 + 60.0 * stream.normal()).unwrap();
            }
            if entry.method == "meta-model" {
                write!(line, ",\"reward_source_use/hopper\":{},\"reward_latent_use/stoch\":0.9", 0.3 + share).unwrap();
            }
            writeln!(text, "{line}}}").unwrap();
        }
    }
    text
}
