//! Job arrays on a cluster: the scripts, and their submission.

use super::{TINY, tiny};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

#[test]
fn a_cluster_gets_scripts_that_people_can_read_and_edited_files_are_refused() {
    let program = tiny();
    std::fs::write(
        program.path("profile.toml"),
        "partition = \"long\"\ncpus = 3\nsignal_lead = 90\nlines = [\"# mine\"]\n[target]\ncpus = 2\nmemory = \"7G\"\n",
    )
    .unwrap();
    let run = ["study", "run", "tiny.toml", "--launcher", "slurm", "--dry-run", "--profile", "profile.toml"];
    program.succeed(&run);
    assert_eq!(program.names("studies/tiny/slurm"), [0, 1, 2, 3, 4].map(|array| format!("array-{array}.sh")));
    let array = |number: usize| {
        std::fs::read_to_string(program.path(&format!("studies/tiny/slurm/array-{number}.sh"))).unwrap()
    };
    let runs: Vec<String> = (0..5)
        .map(|number| array(number).lines().find(|line| line.starts_with("runs=(")).unwrap().to_owned())
        .collect();
    assert_eq!(runs, ["runs=(0)", "runs=(3)", "runs=(1 2)", "runs=(4)", "runs=(5)"]);
    assert!(
        array(1).contains("#SBATCH --cpus-per-task=2\n") && array(1).contains("#SBATCH --mem=7G\n"),
        "{}",
        array(1)
    );
    let script = array(2);
    // The memory of a source is an estimate. The smallest runs were killed with 80 MB.
    let memory = script.lines().find_map(|line| line.strip_prefix("#SBATCH --mem=")).unwrap();
    let memory: u64 = memory.strip_suffix('M').unwrap().parse().unwrap();
    assert!((83..600).contains(&memory), "{memory}");
    for part in [
        "--array=0-1\n",
        ", after the runs 0.\n",
        "--partition=long",
        "--cpus-per-task=3",
        "--signal=B:USR1@90",
        "# mine",
        "run-one",
        "--threads 3",
    ] {
        assert!(script.contains(part), "{part}: {script}");
    }
    let syntax = Command::new("bash").arg("-n").arg(program.path("studies/tiny/slurm/array-2.sh")).status().unwrap();
    assert!(syntax.success());
    std::fs::write(program.path("profile.toml"), "cpu = 3\n").unwrap();
    assert!(program.fail(2, &run).contains("unknown key `cpu`"));

    let message = program.fail(2, &["study", "run-one", "tiny.toml", "--index", "6"]);
    assert!(message.contains("run 6 does not exist") && message.contains("6 runs"), "{message}");
    std::fs::write(program.path("tiny.toml"), TINY.replace("steps = 2000", "steps = 2500")).unwrap();
    for arguments in [&["study", "run", "tiny.toml"][..], &["study", "run-one", "tiny.toml", "--index", "0"]] {
        let message = program.fail(4, arguments);
        assert!(message.contains("a different version of") && message.contains("--dir"), "{message}");
    }
    std::fs::write(program.path("tiny.toml"), TINY).unwrap();
    let manifest = program.path("studies/tiny/manifest.jsonl");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replacen("\"seed\":0", "\"seed\":1", 1)).unwrap();
    let message = program.fail(4, &["study", "run-one", "tiny.toml", "--index", "0"]);
    assert!(message.contains("edited") && message.contains("remove it"), "{message}");
    let message = program.fail(4, &["study", "report", "tiny.toml"]);
    assert!(message.contains("edited") && message.contains("remove it"), "{message}");
}

#[test]
fn jobs_that_slurm_still_has_are_not_submitted_again() {
    let program = tiny();
    // A cluster that numbers the submitted jobs, and whose queue is a file.
    std::fs::create_dir(program.path("cluster")).unwrap();
    let executable = |name: &str, text: &str| {
        let path = program.path("cluster").join(name);
        std::fs::write(&path, format!("#!/bin/sh\ncd {:?}\n{text}\n", program.path("cluster"))).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    };
    executable("sbatch", "echo \"$@\" >> asked; grep -c . asked");
    executable("squeue", "cat queue");
    executable("scontrol", "echo 'MaxArraySize            = 1'");
    let path = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths(std::iter::once(program.path("cluster")).chain(std::env::split_paths(&path)));
    let path = path.unwrap();
    let submit = || {
        let arguments = ["study", "run", "tiny.toml", "--launcher", "slurm"];
        let output = program.command(&arguments).env("PATH", &path).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout) + &text(output.stderr))
    };
    let (code, text) = submit();
    // The two sources with the encoder of the first are two arrays, since one may have a single task.
    assert!(code == Some(0) && text.contains("array-5.sh: 1 run, job 6\n") && !text.contains("job 7"), "{text}");
    let asked = std::fs::read_to_string(program.path("cluster/asked")).unwrap();
    let dependencies: Vec<Option<&str>> = asked
        .lines()
        .map(|line| line.split_whitespace().find_map(|word| word.strip_prefix("--dependency=afterok:")))
        .collect();
    assert_eq!(dependencies, [None, None, Some("1_0"), Some("1_0"), Some("1_0"), Some("1_0:3_0:4_0")], "{asked}");
    std::fs::write(program.path("cluster/queue"), "11\n2\n2\n3\n").unwrap();
    let (code, text) = submit();
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("scancel 2 3\n"), "{text}");
    std::fs::write(program.path("cluster/queue"), "11\n").unwrap();
    let (code, text) = submit();
    assert!(code == Some(0) && text.contains("array-0.sh: 1 run, job 7"), "{text}");
}
