//! The script of a job array, which a person can read.
//!
//! Here: its text. Not here: which runs it has (`arrays`), the requested resources (`profile`), and submitting it
//! (`slurm`).

use super::arrays::Array;
use super::profile::Resources;
use crate::layout;
use crate::local::STOPPED;
use std::path::Path;

/// The data of all scripts of a study.
#[derive(Debug)]
pub(super) struct Paths<'a> {
    /// The program.
    pub program: &'a Path,
    /// The study file.
    pub study_file: &'a Path,
    /// The study's folder.
    pub folder: &'a Path,
    /// The study's name.
    pub study: &'a str,
    /// The store of shared runs.
    pub share: Option<&'a Path>,
    /// The device of the gradient steps.
    pub device: Option<&'a str>,
}

impl Paths<'_> {
    /// The script of the array with this number.
    pub fn script(&self, number: usize, array: &Array, resources: &Resources) -> String {
        let Self { program, study_file, folder, study, share, device } = self;
        let device = device.map(|device| format!(" --device {device}")).unwrap_or_default();
        let share = share.map(|store| format!(" --share {}", quoted(store))).unwrap_or_default();
        let (logs, own) = (folder.join(layout::LOGS), folder.join(layout::SLURM));
        let after = match array.after.as_slice() {
            [] => String::new(),
            after => format!(", after the runs {}", ranges(after)),
        };
        let mut lines = vec![
            "#!/bin/bash".to_owned(),
            format!("# The runs {} of the study {study}{after}.", ranges(&array.runs)),
            format!("#SBATCH --job-name={study}-{number}"),
            format!("#SBATCH --array={}", ranges(&(0..array.runs.len()).collect::<Vec<_>>())),
            "# Slurm's own output; the output of each run is in the folder logs.".to_owned(),
            format!("#SBATCH --output={}", directive(&own, &format!("array-{number}.log"))),
            "#SBATCH --open-mode=append".to_owned(),
            "#SBATCH --ntasks=1".to_owned(),
            format!("#SBATCH --cpus-per-task={}", resources.cpus),
            "#SBATCH --requeue".to_owned(),
            "# Slurm signals the script some time before the time limit; the script signals the run, which saves a \
             checkpoint."
                .to_owned(),
            format!("#SBATCH --signal=B:USR1@{}", resources.signal_lead),
        ];
        let requested = [("partition", &resources.partition), ("mem", &resources.memory), ("time", &resources.time)];
        for (word, value) in requested {
            lines.extend(value.as_ref().map(|value| format!("#SBATCH --{word}={value}")));
        }
        lines.extend(resources.lines.iter().cloned());
        let runs = array.runs.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
        lines.push(format!("\n# The number of each task's run, in the order of the tasks.\nruns=({runs})"));
        lines.push(format!(
            r#"run_index=${{runs[$SLURM_ARRAY_TASK_ID]}}
exec >>{0}/"$run_index.log" 2>&1
failed={0}/"$run_index.failed"
rm -f "$failed"
asked= again= run=
# Signals the run until it has ended: a single signal could arrive before the run handles signals, and be lost.
forward() {{
    asked=1 again=1
    if [ -n "$run" ]; then
        while kill -USR1 "$run" 2>/dev/null; do sleep 1; done &
    fi
}}
trap forward USR1 TERM
work() {{ exec {1} study run-one {2} --dir {3} --threads {4}{device}{share} --index "$run_index"; }}
work &
run=$!
[ -z "$asked" ] || forward
# A signal ends `wait`, not the run, so the script waits again. The shell remembers the exit code of a run that has ended.
again=1
while [ -n "$again" ]; do again=; wait "$run"; code=$?; done
# A run that is signalled before it handles signals is killed (USR1, TERM). Nothing is lost then either.
case "$asked $code" in '1 138' | '1 143') code={6} ;; esac
# If the run ends while the signal arrives, bash may lose its exit code (-1). The run is then started again, and reports.
if [ "$code" = {6} ] || [ "$code" = -1 ]; then
    code={6}
    # Stopped with a checkpoint saved: this task goes to the end of the queue and resumes later, unless it is being
    # ended for another reason than its time limit (scancel), which requeueing would undo.
    case "$(squeue --noheader --jobs="$SLURM_JOB_ID" --format='%T %r')" in
        RUNNING* | *TimeLimit) scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID" ;;
    esac
elif [ "$code" != 0 ]; then
    echo "exit code $code" > "$failed"
fi
{5}exit "$code"
"#,
            quoted(&logs),
            quoted(program),
            quoted(study_file),
            quoted(folder),
            resources.cpus,
            // Of a run that is finished, the command only copies it into the store.
            if share.is_empty() { "" } else { "[ \"$code\" != 0 ] || (work)\n" },
            STOPPED
        ));
        lines.join("\n")
    }
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
    use crate::manifest::Role;
    use crate::slurm::Profile;
    use rustix::process::{Pid, Signal, kill_process};
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

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
        std::fs::create_dir_all(folder.join(layout::LOGS)).unwrap();
        executable("scontrol", &format!("echo \"$@\" >> {}", quoted(&folder.join("asked"))));
        executable("squeue", &format!("echo '{state}'"));
        let program = executable("program", program);
        let paths = Paths { program: &program, study_file: folder, folder, study: "mine", share: None, device: None };
        let array = Array { role: Role::Target, after: vec![1, 2], runs: vec![0, 3, 5, 6] };
        let resources = Profile::default().resources(Role::Target, |_| 0, 0);
        let path = std::env::join_paths(
            std::iter::once(folder.to_owned()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
        );
        let mut command = Command::new("bash");
        command.arg(folder.join("script")).env("PATH", path.unwrap());
        command.envs([("SLURM_JOB_ID", "14"), ("SLURM_ARRAY_JOB_ID", "12"), ("SLURM_ARRAY_TASK_ID", "1")]);
        (paths.script(7, &array, &resources), command)
    }

    #[test]
    fn a_task_ends_as_its_run_does_however_soon() {
        for (code, asked, failed) in [(0, None, false), (75, Some("requeue 12_1\n"), false), (7, None, true)] {
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
        let log = folder.join("logs/3.log");
        let (text, mut command) = task(&folder, program, state);
        std::fs::write(folder.join("script"), text).unwrap();
        let mut child = command.spawn().unwrap();
        let run: i32 = loop {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            match text.strip_prefix("ready ").and_then(|rest| rest.strip_suffix('\n')) {
                Some(number) => break number.parse().unwrap(),
                None => std::thread::yield_now(),
            }
        };
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
        assert_eq!(stopped("RUNNING None", false), (Some(75), "requeue 12_1\n".to_owned()));
        assert_eq!(stopped("COMPLETING TimeLimit", false), (Some(75), "requeue 12_1\n".to_owned()));
        // Bash loses the run's exit code in about every second of these.
        for _ in 0..10 {
            assert_eq!(stopped("RUNNING None", true), (Some(75), "requeue 12_1\n".to_owned()));
        }
    }

    #[test]
    fn a_task_signalled_before_its_run_is_ready_repeats_the_signal() {
        // Before there is a run; before its number is known; before the shell waits for it.
        for line in ["trap forward USR1 TERM\n", "\nwork &\n", "\nrun=$!\n", "\nagain=1\n"] {
            let folder = tempfile::tempdir().unwrap();
            // It ends with its script, too, so that a script that forgets it is found.
            let program = "trap 'exit 75' USR1; while kill -0 $PPID; do read -t 1 < <(:); done";
            let (text, mut command) = task(folder.path(), program, "RUNNING None");
            assert!(text.contains(line), "{text}");
            let text = text.replacen(line, &format!("{line}kill -USR1 $$\n"), 1);
            std::fs::write(folder.path().join("script"), text).unwrap();
            let output = command.output().unwrap();
            assert_eq!(output.status.code(), Some(75), "{line}: {output:?}");
            assert_eq!(std::fs::read_to_string(folder.path().join("asked")).unwrap(), "requeue 12_1\n", "{line}");
        }
    }

    #[test]
    fn a_task_that_is_cancelled_stays_so() {
        assert_eq!(stopped("COMPLETING None", true), (Some(75), String::new()));
    }
}
