//! The simulation follows mechanics, and the interface reads and drives it.

use bullet::{BodyState, Camera, JointKind, LoadError, LoadFlags, Material, PositionMotor, Settings, World};

const STEP: f64 = 0.01;

fn settings() -> Settings {
    Settings {
        gravity: [0.0, 0.0, -10.0],
        time_step: STEP,
        substeps: 1,
        solver_iterations: 50,
        contact_erp: 0.2,
        deterministic_pairs: true,
    }
}

/// A sphere in space, a sled that slides along x, and one that turns about y.
const MODEL: &str = r#"
<mujoco>
  <worldbody>
    <body name="ball" pos="0 0 5"><geom type="sphere" size="0.5"/></body>
    <body name="sled"><joint name="slide" type="slide" axis="1 0 0" limited="true" range="-1 1"/><geom type="box" size="0.1 0.1 0.1"/></body>
    <body name="wheel" pos="0 9 0"><joint name="turn" type="hinge" axis="0 1 0"/><geom type="sphere" size="0.5"/></body>
  </worldbody>
</mujoco>"#;

/// The sled's mass: a box of 0.2 m a side, 1000 kg/m^3.
const SLED_MASS: f64 = 8.0;

fn world() -> (World, [bullet::Body; 3]) {
    let mut world = World::new(&settings());
    let bodies = world.load_mjcf(MODEL, LoadFlags::default()).unwrap().try_into().unwrap();
    (world, bodies)
}

fn read(world: &mut World, body: &bullet::Body) -> BodyState {
    let mut state = BodyState::default();
    world.read(body, &mut state);
    state
}

#[test]
fn a_model_is_described_as_written() {
    let (mut world, [ball, sled, wheel]) = world();
    assert_eq!((ball.joints.len(), ball.base.as_str()), (0, "ball"));
    assert!((world.mass(&ball, None) - 1000.0 * 4.0 / 3.0 * std::f64::consts::PI * 0.125).abs() < 1e-3);
    let slide = &sled.joints[sled.joint("slide").unwrap()];
    assert_eq!((slide.kind, slide.lower_limit, slide.upper_limit), (JointKind::Slide, -1.0, 1.0));
    assert!((world.mass(&sled, sled.link("sled")) - SLED_MASS).abs() < 1e-6);
    let turn = &wheel.joints[wheel.joint("turn").unwrap()];
    assert!(turn.kind == JointKind::Hinge && turn.lower_limit > turn.upper_limit, "a hinge without limits");
    assert_eq!(wheel.joints[wheel.link("wheel").unwrap()].kind, JointKind::Fixed);
    assert_eq!((wheel.joint("none"), wheel.link("none")), (None, None));
}

#[test]
fn a_ball_falls_by_the_laws_of_motion() {
    let (mut world, [ball, ..]) = world();
    let (mut height, mut speed) = (5.0, 0.0);
    for _ in 0..50 {
        world.step();
        // Bullet's damping: 4 % of the speed each second, and 4 % more for each m/s.
        speed += STEP * (-10.0 - speed * (0.04 + 0.04 * f64::abs(speed)));
        height += speed * STEP;
    }
    let state = read(&mut world, &ball);
    assert!((state.base.position[2] - height).abs() < 1e-3, "{} instead of {height}", state.base.position[2]);
    assert_eq!(state.base.orientation, [0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn a_force_moves_a_free_slide_and_motors_can_be_switched_off() {
    let (mut world, [_, sled, _]) = world();
    let slide = sled.joint("slide").unwrap();
    world.set_motor(&sled, slide, &PositionMotor::default());
    let force = 16.0;
    for _ in 0..10 {
        world.add_torques(&sled, &[(slide, 0.5 * force)]);
        world.add_torques(&sled, &[(slide, 0.5 * force)]);
        world.step();
    }
    let [position, velocity] = read(&mut world, &sled).joints[slide];
    let expected = force / SLED_MASS * 10.0 * STEP;
    assert!((velocity - expected).abs() < 0.01 * expected, "{velocity} m/s instead of {expected}");
    assert!(position > 0.0 && position < velocity * 10.0 * STEP);
    world.step();
    let after = read(&mut world, &sled).joints[slide][1];
    assert!((after - velocity).abs() < 0.01 * velocity, "a force lasts for one step: {after} after {velocity}");
}

#[test]
fn a_motor_holds_its_position_and_a_limit_its_joint() {
    let (mut world, [_, sled, wheel]) = world();
    let turn = wheel.joint("turn").unwrap();
    let motor =
        PositionMotor { position: 0.5, position_gain: 0.1, velocity_gain: 1.0, max_force: 1e6, ..Default::default() };
    world.set_motor(&wheel, turn, &motor);
    let slide = sled.joint("slide").unwrap();
    world.set_motor(&sled, slide, &PositionMotor::default());
    world.reset_joint(&sled, slide, 0.9, 3.0);
    assert_eq!(read(&mut world, &sled).joints[slide], [0.9, 3.0]);
    for _ in 0..300 {
        world.step();
    }
    let [angle, _] = read(&mut world, &wheel).joints[turn];
    assert!((angle - 0.5).abs() < 1e-3, "{angle} rad");
    let [position, _] = read(&mut world, &sled).joints[slide];
    assert!(position < 1.01, "{position} m is beyond the limit");
}

#[test]
fn bodies_touch_where_they_meet() {
    let mut world = World::new(&settings());
    let text = r#"<mujoco><worldbody>
        <geom name="ground" type="plane" size="5 5 5"/>
        <body name="ball" pos="0 0 0.6"><geom type="sphere" size="0.5"/></body>
    </worldbody></mujoco>"#;
    let [ground, ball] = world.load_mjcf(text, LoadFlags::default()).unwrap().try_into().unwrap();
    let rough = Material { lateral_friction: 0.7, restitution: 0.0 };
    world.set_material(&ground, None, rough);
    let mut contacts = vec![];
    world.step();
    world.contacts(&ball, &ground, &mut contacts);
    assert!(contacts.is_empty(), "the ball is still in the air");
    for _ in 0..200 {
        world.step();
    }
    world.contacts(&ball, &ground, &mut contacts);
    assert_eq!(contacts.len(), 1);
    let weight = world.mass(&ball, None) * 10.0;
    assert!((contacts[0].normal_force - weight).abs() < 0.01 * weight, "{contacts:?} under {weight} N");
    assert_eq!((contacts[0].link, contacts[0].other_link), (None, None));
    let mut reversed = vec![];
    world.contacts(&ground, &ball, &mut reversed);
    assert_eq!(reversed.len(), 1);
}

#[test]
fn a_restored_world_continues_bitwise_identically() {
    let (mut world, [ball, sled, _]) = world();
    world.reset_joint(&sled, 0, 0.2, 1.0);
    (0..20).for_each(|_| world.step());
    let snapshot = world.save();
    let mut runs = vec![];
    for _ in 0..2 {
        world.restore(&snapshot);
        (0..50).for_each(|_| world.step());
        runs.push((read(&mut world, &ball), read(&mut world, &sled)));
    }
    assert_eq!(runs[0], runs[1]);
    world.forget(snapshot);
}

const CAMERA: Camera = Camera {
    target: [0.0, 0.0, 5.0],
    distance: 4.0,
    yaw: 0.0,
    pitch: 0.0,
    roll: 0.0,
    field_of_view: 60.0,
    near: 0.1,
    far: 50.0,
    light_direction: [0.0, -1.0, 1.0],
    shadow: false,
};

#[test]
fn an_image_shows_the_ball_in_its_colour_where_it_is() {
    let (mut world, [ball, ..]) = world();
    world.set_color(&ball, None, [1.0, 0.0, 0.0, 1.0]);
    let mut image = vec![0; 40 * 30 * 3];
    world.render(&CAMERA, 40, 30, &mut image);
    let pixel = |x: usize, y: usize| -> [u8; 3] { image[(y * 40 + x) * 3..][..3].try_into().unwrap() };
    let [red, green, blue] = pixel(20, 15);
    assert!(red > 50 && green == 0 && blue == 0, "the middle is {:?}", pixel(20, 15));
    assert_eq!(pixel(1, 1), [255; 3], "the background is white");
    // A ball of 0.5 m at 4 m under 60 degrees on 30 rows: about 3 pixels from middle to rim.
    assert_ne!(pixel(20, 15 - 2), [255; 3]);
    assert_eq!(pixel(20, 15 - 5), [255; 3]);
}

#[test]
fn visuals_contain_visible_shapes_and_their_poses() {
    let (mut world, [ball, sled, _]) = world();
    world.set_color(&ball, None, [1.0, 0.5, 0.0, 1.0]);
    let visuals = world.visuals();
    assert_eq!((visuals.shapes.len(), visuals.places()), (3, 3));
    let mesh = &visuals.shapes[0];
    assert_eq!((mesh.color, &mesh.texture, mesh.double_sided), ([1.0, 0.5, 0.0, 1.0], &None, false));
    assert_eq!((mesh.normals.len(), mesh.coordinates.len()), (mesh.positions.len(), mesh.positions.len()));
    for position in &mesh.positions {
        let radius = position.iter().map(|x| x * x).sum::<f32>().sqrt();
        assert!((radius - 0.5).abs() < 2e-3, "{radius} m");
    }
    // Seen from outside, corners run counter-clockwise.
    for face in &mesh.faces {
        let [a, b, c] = face.map(|vertex| mesh.positions[vertex as usize]);
        let [u, v] = [b, c].map(|end| [0, 1, 2].map(|i| end[i] - a[i]));
        let normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
        assert!(normal.iter().zip(&a).map(|(n, x)| n * x).sum::<f32>() > 0.0, "face {face:?}");
    }
    world.reset_joint(&sled, 0, 0.25, 0.0);
    (0..20).for_each(|_| world.step());
    let mut poses = [[0.0; 16]; 3];
    world.poses(&visuals, &mut poses);
    for (place, body) in [(0, &ball), (1, &sled)] {
        let state = read(&mut world, body);
        let position = state.links.last().unwrap_or(&state.base).position.map(|x| x as f32);
        let pose = poses[visuals.shapes[place].place];
        assert_eq!([pose[3], pose[7], pose[11]], position, "body {place}");
        assert_eq!(pose[12..], [0.0, 0.0, 0.0, 1.0]);
    }
}

#[test]
#[should_panic(expected = "visuals belong to another world")]
fn visuals_of_another_world_are_refused() {
    let (mut one, _bodies) = world();
    let (mut other, _others) = world();
    let visuals = one.visuals();
    other.poses(&visuals, &mut [[0.0; 16]; 3]);
}

#[test]
fn a_refused_model_gives_the_reason_and_leaves_the_world_usable() {
    let (mut world, [ball, ..]) = world();
    let flags = LoadFlags::default();
    for text in [
        "",
        "no model at all",
        "<mujoco/>",
        "<mujoco><worldbody><body><geom type=\"capsule\"/></body></worldbody></mujoco>",
    ] {
        match world.load_mjcf(text, flags) {
            Err(LoadError::Refused { format: "MJCF", reason }) => assert!(!reason.is_empty(), "a reason for {text:?}"),
            other => panic!("{text:?} gave {other:?}"),
        }
    }
    let error =
        world.load_urdf("<robot name='r'><link name='a'/><link name='b'/></robot>", &[], true, flags).unwrap_err();
    assert!(error.to_string().contains("its 2 links form 2 trees instead of one"), "{error}");
    world.step();
    assert!(read(&mut world, &ball).base.position[2] < 5.0);
}

#[test]
#[should_panic(expected = "belongs to another world")]
fn a_body_of_another_world_is_refused() {
    let (_one, [ball, ..]) = world();
    let (mut other, _bodies) = world();
    read(&mut other, &ball);
}

#[test]
#[should_panic(expected = "has 2 joints, not joint 2")]
fn a_joint_that_does_not_exist_is_refused() {
    let (mut world, [_, sled, _]) = world();
    world.reset_joint(&sled, 2, 0.0, 0.0);
}
