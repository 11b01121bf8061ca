//! The view of a world: the camera, and the renderer that draws its images.
//!
//! Crate `render` draws the images, from meshes that Bullet created when it loaded the models. They are byte for byte
//! identical to those of Bullet's own renderer (`tests/pixels.rs`).

use bullet::{Camera, Visual, Visuals, World};
use environment::IMAGE_SIDE as SIDE;
use render::{Eye, Renderer, Shape, Texture};

/// The camera: 2 m in front of `target` (m), looking along +y.
fn camera(target: [f64; 3]) -> Camera {
    Camera {
        target: target.map(|x| x as f32),
        distance: 2.0,
        yaw: 0.0,
        pitch: 0.0,
        roll: 0.0,
        field_of_view: 60.0,
        near: 1.0,
        far: 25.0,
        light_direction: [0.0, 1.0, 1.0],
        shadow: true,
    }
}

/// A renderer of all that a world holds.
pub struct View {
    visuals: Visuals,
    renderer: Renderer,
}

impl View {
    /// Copies the meshes and colours that `world` has now.
    pub fn new(world: &mut World) -> Self {
        let mut visuals = world.visuals();
        let shapes = visuals.shapes.drain(..).map(shape).collect();
        Self { visuals, renderer: Renderer::new(shapes, SIDE, SIDE) }
    }

    /// Draws `world` as it is now.
    pub fn render(&mut self, world: &mut World, target: [f64; 3], image: &mut [u8]) {
        let camera = camera(target);
        let view = camera.view(SIDE as u16, SIDE as u16);
        let eye = Eye {
            view: view.view,
            projection: view.projection,
            light_direction: camera.light_direction,
            shadow: camera.shadow,
        };
        world.poses(&self.visuals, self.renderer.poses());
        self.renderer.render(&eye, image);
    }
}

/// The same by Bullet's own renderer.
pub fn render_by_bullet(world: &mut World, target: [f64; 3], image: &mut [u8]) {
    world.render(&camera(target), SIDE as u16, SIDE as u16, image);
}

fn shape(visual: Visual) -> Shape {
    let texture =
        visual.texture.map(|texture| Texture { width: texture.width, height: texture.height, texels: texture.texels });
    Shape {
        place: visual.place,
        positions: visual.positions,
        normals: visual.normals,
        coordinates: visual.coordinates,
        faces: visual.faces,
        color: visual.color,
        texture,
        double_sided: visual.double_sided,
    }
}
