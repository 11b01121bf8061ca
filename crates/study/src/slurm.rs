//! The launcher of Slurm clusters: scripts that a person can read, and their submission.
//!
//! A job array for each level of the dependency graph, each after the one before. Not here: the work of a task of an
//! array, which is `dreamgraft study run-one`.

use crate::StudyError;
use crate::manifest::Manifest;
use crate::status::is_finished;
use crate::study_file::contents;
use serde::Deserialize;
use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// In the folder of the scripts: numbers of the jobs that were submitted last, one a line.
const JOBS_FILE: &str = "jobs";

/// The resources that each task requests from the cluster: `--profile FILE`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// `--partition`; the cluster's default if none is given.
    pub partition: Option<String>,
    /// Cores of a task, and threads of its run.
    pub cpus: usize,
    /// `--mem`.
    pub memory: Option<String>,
    /// `--time`.
    pub time: Option<String>,
    /// Seconds before its time limit at which a task receives the signal to save a checkpoint.
    pub signal_lead: u64,
    /// More lines for the head of the scripts, such as `#SBATCH --account=mine` or `module load gcc`.
    pub lines: Vec<String>,
}

impl Default for Profile {
    fn default() -> Self {
        Self { partition: None, cpus: 1, memory: None, time: None, signal_lead: 120, lines: Vec::new() }
    }
}

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    /// If the file cannot be read, or a key of it not be used.
    pub fn read(path: &Path) -> Result<Self, StudyError> {
        let text = contents(path)?;
        toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            let why = transfer::plain(&error.message().split_whitespace().collect::<Vec<_>>().join(" "));
            StudyError::StudyFile { place: format!("{} (line {line})", path.display()), why }
        })
    }
}

/// The data of the scripts.
#[derive(Debug)]
pub struct Scripts<'a> {
    /// The program, by a path that the cluster's machines know.
    pub program: &'a Path,
    /// The study file, as an absolute path too.
    pub study_file: &'a Path,
    /// The study's folder, likewise.
    pub folder: &'a Path,
    /// Its runs.
    pub manifest: &'a Manifest,
    /// Resources.
    pub profile: &'a Profile,
    /// The device of the gradient steps, as for `dreamgraft train --device`; `None` for the CPU.
    pub device: Option<&'a str>,
}

/// A job array that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// Its script.
    pub script: PathBuf,
    /// Numbers of its runs.
    pub runs: Vec<usize>,
}

impl Scripts<'_> {
    /// Writes the scripts of all levels with runs that are not finished, first levels first.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self) -> Result<Vec<Level>, StudyError> {
        let folder = self.folder.join("slurm");
        for path in [&folder, &self.folder.join("logs")] {
            files::create_folders(path).map_err(StudyError::io(path))?;
        }
        let mut levels: Vec<usize> = Vec::new();
        for entry in &self.manifest.entries {
            levels.push(entry.after.iter().map(|first| levels[*first] + 1).max().unwrap_or(0));
        }
        let mut written = Vec::new();
        for level in 0..=levels.iter().copied().max().unwrap_or(0) {
            let of_level = self.manifest.entries.iter().filter(|entry| levels[entry.index] == level);
            let left = of_level.filter(|entry| !is_finished(self.folder, entry));
            let runs: Vec<usize> = left.map(|entry| entry.index).collect();
            if runs.is_empty() {
                continue;
            }
            let script = folder.join(format!("level-{level}.sh"));
            let text = self.script(level, &runs);
            files::write_atomically(&script, |file| file.write_all(text.as_bytes()))
                .map_err(StudyError::io(&script))?;
            written.push(Level { script, runs });
        }
        Ok(written)
    }

    fn script(&self, level: usize, runs: &[usize]) -> String {
        let Self { program, study_file, folder, manifest, profile, device } = self;
        let device = device.map(|device| format!(" --device {device}")).unwrap_or_default();
        let logs = folder.join("logs");
        let mut lines = vec![
            "#!/bin/bash".to_owned(),
            format!(
                "# Runs {} of the study {}, each after those of the levels before.",
                ranges(runs),
                manifest.header.study
            ),
            format!("#SBATCH --job-name={}-{level}", manifest.header.study),
            format!("#SBATCH --array={}", ranges(runs)),
            format!("#SBATCH --output={}", directive(&logs, "%a.log")),
            "#SBATCH --open-mode=append".to_owned(),
            "#SBATCH --ntasks=1".to_owned(),
            format!("#SBATCH --cpus-per-task={}", profile.cpus),
            "#SBATCH --requeue".to_owned(),
            "# Slurm signals the script some time before the time limit; the script signals the run, which saves a \
             checkpoint."
                .to_owned(),
            format!("#SBATCH --signal=B:USR1@{}", profile.signal_lead),
        ];
        for (word, value) in [("partition", &profile.partition), ("mem", &profile.memory), ("time", &profile.time)] {
            lines.extend(value.as_ref().map(|value| format!("#SBATCH --{word}={value}")));
        }
        lines.extend(profile.lines.iter().cloned());
        lines.push(format!(
            r#"
failed={}/"$SLURM_ARRAY_TASK_ID.failed"
rm -f "$failed"
asked= again= run=
# Signals the run until it has ended: a single signal could arrive before the run handles signals, and be lost.
tell() {{
    asked=1 again=1
    if [ -n "$run" ]; then
        while kill -USR1 "$run" 2>/dev/null; do sleep 1; done &
    fi
}}
trap tell USR1 TERM
{} study run-one {} --dir {} --threads {}{device} --index "$SLURM_ARRAY_TASK_ID" &
run=$!
[ -z "$asked" ] || tell
# A signal ends `wait`, not the run, so the script waits again. The shell remembers the exit code of a run that has ended.
again=1
while [ -n "$again" ]; do again=; wait "$run"; code=$?; done
# A run that is signalled before it handles signals is killed (USR1, TERM). Nothing is lost then either.
case "$asked $code" in '1 138' | '1 143') code=75 ;; esac
# If the run ends while the signal arrives, bash may lose its exit code (-1). The run is then started again, and reports.
if [ "$code" = 75 ] || [ "$code" = -1 ]; then
    code=75
    # Stopped with a checkpoint saved: this task goes to the end of the queue and resumes later, unless it is being
    # ended for another reason than its time limit (scancel), which requeueing would undo.
    case "$(squeue --noheader --jobs="$SLURM_JOB_ID" --format='%T %r')" in
        RUNNING* | *TimeLimit) scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID" ;;
    esac
elif [ "$code" != 0 ]; then
    echo "exit code $code" > "$failed"
fi
exit "$code"
"#,
            quoted(&logs),
            quoted(program),
            quoted(study_file),
            quoted(folder),
            profile.cpus
        ));
        lines.join("\n")
    }
}

/// Submits the scripts, each after the one before; the number of each job.
///
/// # Errors
/// If jobs that were submitted before are still queued or running, or `sbatch` is not there, or refuses.
pub fn submit(folder: &Path, levels: &[Level]) -> Result<Vec<String>, StudyError> {
    let noted = folder.join("slurm").join(JOBS_FILE);
    let queued = queued(&noted)?;
    if !queued.is_empty() {
        return Err(StudyError::Queued { folder: folder.to_owned(), jobs: queued.join(" ") });
    }
    let mut jobs: Vec<String> = Vec::new();
    for level in levels {
        let mut command = Command::new("sbatch");
        command.args(["--parsable", "--kill-on-invalid-dep=yes"]);
        command.args(jobs.last().map(|job| format!("--dependency=afterok:{job}")));
        let refuse = |why: String| StudyError::Launch { program: "sbatch".to_owned(), why };
        let output = command.arg(&level.script).output();
        let output = output.map_err(|error| {
            refuse(format!(
                "cannot be started ({error}); run this command on a machine that can submit jobs, or submit {} by hand",
                level.script.display()
            ))
        })?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            return Err(refuse(format!("rejects {}: {}", level.script.display(), text.trim().replace('\n', "; "))));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        jobs.push(text.trim().split(';').next().unwrap_or_default().to_owned());
        // After each: if a later one is refused, these are queued all the same.
        files::write_atomically(&noted, |file| writeln!(file, "{}", jobs.join("\n")))
            .map_err(StudyError::io(&noted))?;
    }
    Ok(jobs)
}

/// The most bytes of a list of jobs.
const LARGEST_NOTE: u64 = 1 << 20;

/// Of the jobs that the file `noted` names, those that Slurm still has in its queue.
fn queued(noted: &Path) -> Result<Vec<String>, StudyError> {
    let noted = match files::read_text(noted, LARGEST_NOTE) {
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        other => other.map_err(|error| StudyError::io(noted)(error.into()))?,
    };
    let refuse = |why: String| StudyError::Launch { program: "squeue".to_owned(), why };
    // The whole queue: `--jobs` refuses numbers that Slurm has forgotten.
    let output = Command::new("squeue").args(["--noheader", "--format=%F"]).output();
    let output = output.map_err(|error| {
        refuse(format!(
            "cannot be started ({error}), so the queued jobs are unknown; run this command on a machine that can \
             submit jobs"
        ))
    })?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(refuse(format!("cannot list the queued jobs: {}", text.trim().replace('\n', "; "))));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let queue: HashSet<&str> = text.split_whitespace().collect();
    Ok(noted.lines().filter(|job| queue.contains(job)).map(str::to_owned).collect())
}

/// `0-3,5`.
fn ranges(numbers: &[usize]) -> String {
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for &number in numbers {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => parts.push((number, number)),
        }
    }
    let text =
        |&(first, last): &(usize, usize)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    parts.iter().map(text).collect::<Vec<_>>().join(",")
}

/// A file in a folder for a line of `#SBATCH`: `sbatch` reads quotes and backslashes as shells do, and `%` in the file's name is
/// its own.
fn directive(folder: &Path, name: &str) -> String {
    let folder = folder.display().to_string().replace('%', "%%");
    format!("\"{}/{name}\"", folder.replace('\\', r"\\").replace('"', "\\\""))
}

/// A path for a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Pid, Signal, kill_process};
    use std::fs::Permissions;
    use std::io::{BufRead, BufReader};
    use std::os::unix::fs::PermissionsExt;
    use std::process::Stdio;

    #[test]
    fn arrays_are_short() {
        assert_eq!(ranges(&[0, 1, 2, 5, 7, 8]), "0-2,5,7-8");
        assert_eq!(quoted(Path::new("it's")), r"'it'\''s'");
        assert_eq!(directive(Path::new(r#"1% "b\c"#), "%a.log"), r#""1%% \"b\\c/%a.log""#);
    }

    /// A script for one run, whose program is a shell script with these lines; `scontrol` records its arguments, and
    /// `squeue` prints the state of the job.
    fn task(folder: &Path, program: &str, state: &str) -> (String, Command) {
        let executable = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, format!("#!/bin/bash\n{text}\n")).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
            path
        };
        std::fs::create_dir_all(folder.join("logs")).unwrap();
        executable("scontrol", &format!("echo \"$@\" >> {}", quoted(&folder.join("asked"))));
        executable("squeue", &format!("echo '{state}'"));
        let program = executable("program", program);
        let (manifest, profile) = (Manifest::new("mine", "", Vec::new()), Profile::default());
        let scripts = Scripts {
            program: &program,
            study_file: folder,
            folder,
            manifest: &manifest,
            profile: &profile,
            device: None,
        };
        let path = std::env::join_paths(
            std::iter::once(folder.to_owned()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
        );
        let mut command = Command::new("bash");
        command.arg(folder.join("script")).env("PATH", path.unwrap());
        command.envs([("SLURM_JOB_ID", "14"), ("SLURM_ARRAY_JOB_ID", "12"), ("SLURM_ARRAY_TASK_ID", "3")]);
        (scripts.script(0, &[3]), command)
    }

    #[test]
    fn a_task_ends_as_its_run_does_however_soon() {
        for (code, asked, failed) in [(0, None, false), (75, Some("requeue 12_3\n"), false), (7, None, true)] {
            for ended_before in [false, true] {
                let folder = tempfile::tempdir().unwrap();
                let (mut text, mut command) = task(folder.path(), &format!("exit {code}"), "RUNNING None");
                if ended_before {
                    // The shell looks after its run only when that has long ended.
                    assert!(text.contains("\nagain=1\n"), "{text}");
                    text = text.replacen("\nagain=1\n", "\nagain=1\nwhile kill -0 $! 2>/dev/null; do :; done\n", 1);
                }
                std::fs::write(folder.path().join("script"), text).unwrap();
                let output = command.output().unwrap();
                assert_eq!(output.status.code(), Some(code), "{output:?}");
                let found = std::fs::read_to_string(folder.path().join("asked")).ok();
                assert_eq!(found.as_deref(), asked, "{code}");
                assert_eq!(folder.path().join("logs/3.failed").exists(), failed, "{code}");
            }
        }
    }

    /// Signals a started task to stop, and perhaps its run at the same moment; returns its exit code and the arguments
    /// of `scontrol`.
    fn stopped(state: &str, both: bool) -> (Option<i32>, String) {
        // A path as people make them.
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join(r#"it's "$mine" \ 100%"#);
        std::fs::create_dir(&folder).unwrap();
        let program = "trap 'exit 75' USR1 TERM; echo ready $$; while :; do read -t 1 < <(:); done";
        let (text, mut command) = task(&folder, program, state);
        std::fs::write(folder.join("script"), text).unwrap();
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        let run: i32 = line.strip_prefix("ready ").unwrap().parse().unwrap();
        kill_process(Pid::from_child(&child), if both { Signal::TERM } else { Signal::USR1 }).unwrap();
        if both {
            let _ = kill_process(Pid::from_raw(run).unwrap(), Signal::TERM);
        }
        let code = child.wait().unwrap().code();
        assert!(!folder.join("logs/3.failed").exists());
        (code, std::fs::read_to_string(folder.join("asked")).unwrap_or_default())
    }

    #[test]
    fn a_signalled_task_waits_for_the_checkpoint_and_requeues_itself() {
        assert_eq!(stopped("RUNNING None", false), (Some(75), "requeue 12_3\n".to_owned()));
        assert_eq!(stopped("COMPLETING TimeLimit", false), (Some(75), "requeue 12_3\n".to_owned()));
        // Bash loses the run's exit code in about every second of these.
        for _ in 0..10 {
            assert_eq!(stopped("RUNNING None", true), (Some(75), "requeue 12_3\n".to_owned()));
        }
    }

    #[test]
    fn a_task_signalled_before_its_run_is_ready_repeats_the_signal() {
        // Before there is a run; before its number is known; before the shell waits for it.
        for line in ["trap tell USR1 TERM\n", "_TASK_ID\" &\n", "\nrun=$!\n", "\nagain=1\n"] {
            let folder = tempfile::tempdir().unwrap();
            // It ends with its script, too, so that a script that forgets it is found.
            let program = "trap 'exit 75' USR1; while kill -0 $PPID; do read -t 1 < <(:); done";
            let (text, mut command) = task(folder.path(), program, "RUNNING None");
            assert!(text.contains(line), "{text}");
            let text = text.replacen(line, &format!("{line}kill -USR1 $$\n"), 1);
            std::fs::write(folder.path().join("script"), text).unwrap();
            let output = command.output().unwrap();
            assert_eq!(output.status.code(), Some(75), "{line}: {output:?}");
            assert_eq!(std::fs::read_to_string(folder.path().join("asked")).unwrap(), "requeue 12_3\n", "{line}");
        }
    }

    #[test]
    fn a_task_that_is_cancelled_stays_so() {
        assert_eq!(stopped("COMPLETING None", true), (Some(75), String::new()));
    }
}
