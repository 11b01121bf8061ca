//! Images are byte for byte identical to TinyRenderer's, also for scenes that no task has: any shapes, any camera, any
//! light.
//!
//! The long version is run with `cargo test --release -p dreamgraft-render -- --ignored --nocapture`.

use bullet::{Camera, LoadFlags, Settings, World};
use render::{Eye, Renderer, Shape, Texture};

/// Numbers at random (xorshift).
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    fn vector(&mut self, bound: f64) -> [f64; 3] {
        std::array::from_fn(|_| self.within(-bound, bound))
    }
}

/// A MuJoCo model of some shapes within `extent` m of the origin, one per body, maybe with a textured plane.
fn model(random: &mut Random, extent: f64) -> String {
    let mut text = "<mujoco><worldbody>".to_owned();
    if random.chance(0.6) {
        let height = random.within(-2.0, 0.5);
        text += &format!("<geom type='plane' size='9 9 9' pos='0 0 {height}'/>");
    }
    for body in 0..1 + (random.unit() * 8.0) as usize {
        let [x, y, z] = random.vector(extent);
        let turn: Vec<String> = random.vector(180.0).iter().map(f64::to_string).collect();
        let size = random.within(0.02, 0.5);
        let geom = match (random.unit() * 4.0) as u32 {
            0 => format!("type='sphere' size='{size}'"),
            1 => format!("type='box' size='{size} {} {}'", random.within(0.01, 2.0), random.within(0.01, 0.5)),
            2 => format!("type='capsule' size='{size} {}'", random.within(0.01, 1.0)),
            _ => {
                let ends: Vec<String> =
                    [random.vector(0.7), random.vector(0.7)].as_flattened().iter().map(f64::to_string).collect();
                format!("type='capsule' size='{}' fromto='{}'", 0.3 * size, ends.join(" "))
            }
        };
        text += &format!("<body name='b{body}' pos='{x} {y} {z}' euler='{}'><geom {geom}/></body>", turn.join(" "));
    }
    text + "</worldbody></mujoco>"
}

fn camera(random: &mut Random, extent: f64) -> Camera {
    let near = if random.chance(0.5) { 1.0 } else { random.within(0.01, 2.0) as f32 };
    // Straight up gives a light matrix of NaN values.
    let light = if random.chance(0.1) { [0.0, 0.0, 1.0] } else { random.vector(1.0).map(|x| x as f32) };
    let upright = random.chance(0.3);
    let mut angle = |bound: f64| if upright { 0.0 } else { random.within(-bound, bound) as f32 };
    let [yaw, pitch, roll] = [angle(180.0), angle(90.0), angle(180.0)];
    Camera {
        target: random.vector(extent).map(|x| x as f32),
        distance: random.within(0.05, 4.0) as f32,
        yaw,
        pitch,
        roll,
        field_of_view: random.within(15.0, 130.0) as f32,
        near,
        far: near + random.within(0.5, 40.0) as f32,
        light_direction: light,
        shadow: random.chance(0.8),
    }
}

fn shapes(visuals: &bullet::Visuals) -> Vec<Shape> {
    let shape = |visual: &bullet::Visual| Shape {
        place: visual.place,
        positions: visual.positions.clone(),
        normals: visual.normals.clone(),
        coordinates: visual.coordinates.clone(),
        faces: visual.faces.clone(),
        color: visual.color,
        texture: visual.texture.as_ref().map(|texture| Texture {
            width: texture.width,
            height: texture.height,
            texels: texture.texels.clone(),
        }),
        double_sided: visual.double_sided,
    };
    visuals.shapes.iter().map(shape).collect()
}

/// Draws `count` scenes with ten images each, and returns how many images show an object.
fn compare(seed: u64, count: usize) -> usize {
    let mut shown = 0;
    for scene in 0..count {
        let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ seed << 32 ^ scene as u64);
        (0..8).for_each(|_| _ = random.unit());
        let settings = Settings {
            gravity: [0.0; 3],
            time_step: 0.01,
            substeps: 1,
            solver_iterations: 5,
            contact_erp: 0.2,
            deterministic_pairs: true,
        };
        let mut world = World::new(&settings);
        // Far from the origin single precision is coarse and nothing lies in the light's map.
        let extent = if random.chance(0.2) { 300.0 } else { 1.5 };
        let text = model(&mut random, extent);
        let bodies = world.load_mjcf(&text, LoadFlags { four_colors: true, ..LoadFlags::default() }).unwrap();
        for body in &bodies {
            if random.chance(0.3) {
                let [r, g, b] = [0; 3].map(|_| random.within(-0.2, 1.3));
                let opacity = if random.chance(0.3) { 0.0 } else { random.within(0.1, 1.0) };
                world.set_color(body, None, [r, g, b, opacity]);
            }
        }
        let (width, height) = match scene % 3 {
            0 => (64, 64),
            1 => (1 + (random.unit() * 90.0) as u16, 1 + (random.unit() * 90.0) as u16),
            _ => (96, 40),
        };
        let visuals = world.visuals();
        let mut renderer = Renderer::new(shapes(&visuals), width.into(), height.into());
        let size = usize::from(width) * usize::from(height) * 3;
        let (mut image, mut expected) = (vec![0; size], vec![0; size]);
        for view_number in 0..10 {
            let mut camera = camera(&mut random, 1.5);
            if extent > 100.0 {
                let near = visuals.shapes.len() - 1;
                let mut poses = vec![[0.0; 16]; visuals.places()];
                world.poses(&visuals, &mut poses);
                let pose = poses[visuals.shapes[near].place];
                camera.target = [pose[3], pose[7], pose[11]];
            }
            world.render(&camera, width, height, &mut expected);
            let view = camera.view(width, height);
            let eye = Eye {
                view: view.view,
                projection: view.projection,
                light_direction: camera.light_direction,
                shadow: camera.shadow,
            };
            world.poses(&visuals, renderer.poses());
            renderer.render(&eye, &mut image);
            let wrong = image.iter().zip(&expected).filter(|(a, b)| a != b).count();
            assert_eq!(
                wrong, 0,
                "seed {seed}, scene {scene}, camera {view_number}: bytes of {size} that differ\n{camera:?}\n{text}"
            );
            shown += usize::from(expected.iter().any(|&byte| byte != 255));
        }
    }
    shown
}

#[test]
fn any_scene_looks_as_bullet_draws_it() {
    let shown = compare(1, 120);
    assert!(shown > 600, "only {shown} images of 1200 show anything");
}

#[test]
#[ignore = "30,000 images: takes minutes"]
fn any_scene_looks_as_bullet_draws_it_in_many_images() {
    let shown = compare(2, 3000);
    assert!(shown > 15_000, "only {shown} images of 30,000 show anything");
}
