//! The simulator and its process: it prints nothing, leaves nothing behind, and threads do not disturb each other.
//!
//! Tests of the whole process run alone in a child process.

use std::process::Command;

use bullet::{BodyState, Camera, LoadFlags, Settings, World};

const SETTINGS: Settings = Settings {
    gravity: [0.0, 0.0, -10.0],
    time_step: 0.01,
    substeps: 2,
    solver_iterations: 10,
    contact_erp: 0.2,
    deterministic_pairs: true,
};

/// Three links that fall onto a plane. The joint without an axis makes the importer complain.
const MODEL: &str = r#"
<mujoco>
  <worldbody>
    <geom name="ground" type="plane" size="5 5 5"/>
    <body name="a" pos="0 0 1.5">
      <geom type="capsule" size="0.2" fromto="0 0 0 0.5 0 0"/>
      <body name="b" pos="0.5 0 0"><joint name="ab" type="hinge" axis="0 1 0"/><geom type="sphere" size="0.3"/></body>
      <body name="c"><joint name="ac" type="hinge"/><geom type="box" size="0.1 0.1 0.1"/></body>
    </body>
  </worldbody>
</mujoco>"#;

/// Everything that a run of `steps` leaves behind, as bits.
fn run(index: usize, steps: usize) -> (Vec<u64>, Vec<u8>) {
    let mut world = World::new(&SETTINGS);
    let [ground, body] = world.load_mjcf(MODEL, LoadFlags::default()).unwrap().try_into().unwrap();
    world.reset_joint(&body, body.joint("ab").unwrap(), 0.1 * index as f64, 0.0);
    let (mut state, mut contacts, mut bits) = (BodyState::default(), vec![], vec![]);
    for _ in 0..steps {
        world.step();
        world.read(&body, &mut state);
        bits.extend(state.links.iter().flat_map(|link| link.position).map(f64::to_bits));
        bits.extend(state.joints.as_flattened().iter().map(|x| x.to_bits()));
        contacts.clear();
        world.contacts(&body, &ground, &mut contacts);
        bits.push(contacts.len() as u64);
    }
    let mut image = vec![0; 32 * 32 * 3];
    let camera = Camera {
        target: [0.0, 0.0, 0.5],
        distance: 3.0,
        yaw: 30.0,
        pitch: -20.0,
        roll: 0.0,
        field_of_view: 60.0,
        near: 0.1,
        far: 20.0,
        light_direction: [1.0, 1.0, 1.0],
        shadow: true,
    };
    world.render(&camera, 32, 32, &mut image);
    (bits, image)
}

/// Runs an ignored test of this file in a separate process and returns its output.
fn child(test: &str) -> String {
    let temporary = tempfile::tempdir().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .env("TMPDIR", temporary.path())
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads", "1"])
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, errors) = (text(&child.stdout), text(&child.stderr));
    assert!(child.status.success(), "{test} failed:\n{out}{errors}");
    out + &errors
}

#[test]
fn worlds_on_many_threads_give_the_bits_of_worlds_on_one() {
    let alone: Vec<_> = (0..8).map(|index| run(index, 150)).collect();
    assert_ne!(alone[0], alone[1], "the runs differ from each other");
    let together: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|index| scope.spawn(move || run(index, 150))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(alone == together, "a thread's result depends on the others");
}

#[test]
fn a_world_may_move_to_another_thread() {
    let mut world = World::new(&SETTINGS);
    let bodies = world.load_mjcf(MODEL, LoadFlags::default()).unwrap();
    let height = std::thread::spawn(move || {
        let mut state = BodyState::default();
        (0..10).for_each(|_| world.step());
        world.read(&bodies[1], &mut state);
        state.base.position[2]
    });
    assert!(height.join().unwrap() < 1.5);
}

#[test]
fn nothing_is_printed() {
    let printed = child("complain");
    let foreign: Vec<&str> = printed
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("running") && !line.starts_with("test "))
        .collect();
    assert!(foreign.is_empty(), "printed: {foreign:?}");
}

#[test]
#[ignore = "a part of nothing_is_printed"]
fn complain() {
    run(0, 5);
    let mut world = World::new(&SETTINGS);
    for text in ["", "<mujoco><worldbody><thing/><body><geom/></body></worldbody></mujoco>", "<x"] {
        world.load_mjcf(text, LoadFlags::default()).ok();
        world.load_urdf(text, &[], false, LoadFlags::default()).ok();
        world.load_sdf(text, &[]).ok();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_dropped_world_frees_its_memory_and_its_files() {
    child("come_and_go");
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "a part of a_dropped_world_frees_its_memory_and_its_files"]
fn come_and_go() {
    let resident = || -> usize {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
    };
    let round = || {
        run(0, 3);
        let mut world = World::new(&SETTINGS);
        world.load_mjcf("<x", LoadFlags::default()).unwrap_err();
        for _ in 0..20 {
            let snapshot = world.save();
            world.restore(&snapshot);
            world.forget(snapshot);
        }
    };
    // The allocator requests memory from the system in jumps, so look at the measurement with the least growth: a leak
    // is in all.
    let windows = (0..5).map(|_| {
        let before = resident();
        (0..40).for_each(|_| round());
        resident().saturating_sub(before)
    });
    let grown = windows.min().unwrap();
    assert!(grown < 40 * 4096, "80 worlds leave {grown} bytes behind, every time");
    let left = std::fs::read_dir(std::env::temp_dir()).unwrap().count();
    assert_eq!(left, 0, "files left in the temporary folder");
}
