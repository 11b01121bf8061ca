//! Runs every example.

#[allow(dead_code)]
#[path = "../own_environment.rs"]
mod own_environment;
#[allow(dead_code)]
#[path = "../own_plan.rs"]
mod own_plan;
#[allow(dead_code)]
#[path = "../read_run.rs"]
mod read_run;

#[test]
fn an_own_environment_is_learned_and_its_run_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    own_environment::run(&run).unwrap();
    let (evaluations, episodes) = read_run::run(&run).unwrap();
    assert!(evaluations >= 2, "{evaluations}");
    assert_eq!(episodes, 6);
}

#[test]
fn an_own_plan_is_previewed() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    let preview = own_plan::run(&source).unwrap();
    assert!(preview.contains("world_model.encoder.h1.kernel") && preview.contains("fraction 0.3"), "{preview}");
    // Again, from the finished run.
    assert_eq!(own_plan::run(&source).unwrap(), preview);
}
