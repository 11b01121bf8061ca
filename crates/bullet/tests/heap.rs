//! Robots in a heap move as stock PyBullet's do, bit for bit: robots that touch each other and themselves, driven and free
//! joints, joints at their limits, a joint of three coordinates.
//!
//! `heap/states.txt` was written by PyBullet 3.2.7: eight lines for two robots, then eight for three; a line every 50 steps
//! with each robot's base position and its joints' positions and velocities, as the bits of 64-bit numbers.

use bullet::{Body, BodyState, JointKind, LoadFlags, PositionMotor, Settings, World};

const WALKER: &str = include_str!("heap/walker.urdf");
const RIDER: &str = include_str!("heap/rider.urdf");
const LOOSE: &str = include_str!("heap/loose.urdf");
const STATES: &str = include_str!("heap/states.txt");

fn states() -> Vec<Vec<u64>> {
    let bits = |word| u64::from_str_radix(word, 16).unwrap();
    STATES.lines().map(|line| line.split_whitespace().map(bits).collect()).collect()
}

fn motor(position: f64, position_gain: f64, velocity_gain: f64, max_force: f64) -> PositionMotor {
    PositionMotor { position, velocity: 0.0, position_gain, velocity_gain, max_force }
}

/// The states of a heap of the given robots, a line every 50 steps, and how many points of the first two touched in all.
fn pile(models: &[&str]) -> (Vec<Vec<u64>>, usize) {
    let mut world = World::new(&Settings {
        gravity: [0.0, 0.0, -9.8],
        time_step: 0.01,
        substeps: 2,
        solver_iterations: 20,
        contact_erp: 0.5,
        deterministic_pairs: true,
    });
    world.load_urdf(include_str!("heap/floor.urdf"), &[], true, LoadFlags::default()).unwrap();
    let flags = LoadFlags { self_collision_without_ancestors: true, ..LoadFlags::default() };
    let robots: Vec<Body> = models.iter().map(|text| world.load_urdf(text, &[], false, flags).unwrap()).collect();
    let [walker, rider] = [&robots[0], &robots[1]];
    let tail = walker.joint("tail").unwrap();
    world.set_motor(walker, walker.joint("shoulder").unwrap(), &motor(0.3, 0.2, 0.5, 20.0));
    world.set_motor(walker, tail, &motor(0.0, 0.1, 0.1, 0.0));
    world.set_motor(rider, rider.joint("shoulder").unwrap(), &motor(0.0, 0.1, 0.1, 0.0));
    world.set_motor(rider, rider.joint("slide").unwrap(), &motor(0.3, 0.3, 0.4, 100.0));

    let (mut lines, mut contacts, mut touched) = (vec![], vec![], 0);
    for step in 0..400 {
        world.add_torques(walker, &[(tail, if step % 50 < 25 { 0.4 } else { -0.4 })]);
        world.step();
        contacts.clear();
        world.contacts(walker, rider, &mut contacts);
        touched += contacts.len();
        if step % 50 < 49 {
            continue;
        }
        let mut line = vec![];
        for robot in &robots {
            let mut state = BodyState::default();
            world.read(robot, &mut state);
            line.extend(state.base.position);
            let joints = robot.joints.iter().zip(&state.joints);
            line.extend(
                joints
                    .filter(|(joint, _)| matches!(joint.kind, JointKind::Hinge | JointKind::Slide))
                    .flat_map(|(_, &state)| state),
            );
        }
        lines.push(line.into_iter().map(f64::to_bits).collect());
    }
    (lines, touched)
}

#[test]
fn two_robots_in_a_heap() {
    let (lines, touched) = pile(&[WALKER, RIDER]);
    assert!(touched > 100, "they touched at {touched} points only");
    assert_eq!(lines, states()[..8]);
}

#[test]
fn three_robots_in_a_heap() {
    assert_eq!(pile(&[WALKER, RIDER, LOOSE]).0, states()[8..]);
}
