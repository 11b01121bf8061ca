//! [`World`]: a simulation that owns everything loaded into it.
//!
//! Here: the safe interface. A call that names a body of another world, or a joint that the body does not have, is a
//! mistake of the program and panics before Bullet hears of it.

use crate::body::{Body, Joint, JointKind};
use crate::camera::Camera;
use crate::client::{self, Client, Format, Parameter};
use crate::error::LoadError;
use crate::ffi;
use crate::files::{Asset, Files};
use crate::id::WorldId;
use crate::state::{BodyState, Contact};
use crate::visuals::Visuals;

/// The numbers that a simulation as a whole has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// m/s^2.
    pub gravity: [f64; 3],
    /// Time that one [`World::step`] takes, s.
    pub time_step: f64,
    /// Equal parts that a step is simulated in; 0 lets Bullet take it in one without counting time.
    pub substeps: u16,
    /// Iterations of the constraint solver.
    pub solver_iterations: u16,
    /// Share of a contact's overlap that is removed in each part of a step.
    pub contact_erp: f64,
    /// Whether pairs that may touch are sorted, so that their order never depends on addresses.
    pub deterministic_pairs: bool,
}

/// How a model's text is understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadFlags {
    /// Links of one body collide with each other, but never with any link that they hang from.
    pub self_collision_without_ancestors: bool,
    /// Shapes without a colour of their own get one of four, by the link's index; else they are white. Colours in an
    /// MJCF text do not count as their own.
    pub four_colors: bool,
}

impl LoadFlags {
    /// Bullet's `eURDF_Flags`.
    fn bits(self) -> i32 {
        let collide = if self.self_collision_without_ancestors { 8 | 32 } else { 0 };
        collide | if self.four_colors { 1 << 23 } else { 0 }
    }
}

/// The properties of a link's surface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Material {
    /// Coefficient of friction, to be multiplied with the other body's.
    pub lateral_friction: f64,
    /// Share of the speed that is left after a bounce, to be multiplied with the other body's.
    pub restitution: f64,
}

/// A joint's motor, which pulls it to a position and a velocity.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PositionMotor {
    /// rad or m.
    pub position: f64,
    /// Per second.
    pub velocity: f64,
    /// Share of the position's error that is removed in each part of a step.
    pub position_gain: f64,
    /// Share of the velocity's error, likewise.
    pub velocity_gain: f64,
    /// Largest force, N or N m; 0 switches the motor off.
    pub max_force: f64,
}

/// A state that [`World::restore`] goes back to. It lives as long as its world, or until [`World::forget`].
#[derive(Debug, PartialEq, Eq)]
pub struct Snapshot {
    id: i32,
    world: WorldId,
}

/// A simulation and all that was loaded into it, freed when dropped.
pub struct World {
    client: Client,
    id: WorldId,
}

impl World {
    /// An empty world.
    pub fn new(settings: &Settings) -> Self {
        let mut client = Client::connect();
        for parameter in [
            Parameter::DeterministicPairs(settings.deterministic_pairs),
            Parameter::Gravity(settings.gravity),
            Parameter::ContactErp(settings.contact_erp),
            Parameter::TimeStep(settings.time_step),
            Parameter::SolverIterations(settings.solver_iterations),
            Parameter::Substeps(settings.substeps),
        ] {
            client.set(parameter);
        }
        Self { client, id: WorldId::new() }
    }

    /// Loads a MuJoCo model. Every top-level body, and every shape of the world itself, becomes a [`Body`].
    ///
    /// Bullet's importer takes shapes, joints, axes and limits. It gives every shape a density of 1000 kg/m^3 and passes
    /// over armature, damping, stiffness, gears, gravity and the time step.
    pub fn load_mjcf(&mut self, text: &str, flags: LoadFlags) -> Result<Vec<Body>, LoadError> {
        self.load("MJCF", Files::write("model.xml", text, &[])?, Format::Mjcf, flags)
    }

    /// Loads a URDF model with the files that it names.
    pub fn load_urdf(
        &mut self,
        text: &str,
        assets: &[Asset<'_>],
        fixed_base: bool,
        flags: LoadFlags,
    ) -> Result<Body, LoadError> {
        // Bullet crashes on a model whose links do not hang together.
        let (links, parents) = (elements(text, "link"), elements(text, "parent"));
        if links != parents + 1 {
            let reason = format!("its {links} links form {} trees instead of one", links.saturating_sub(parents));
            return Err(LoadError::Refused { format: "URDF", reason });
        }
        let files = Files::write("model.urdf", text, assets)?;
        let mut bodies = self.load("URDF", files, Format::Urdf { fixed_base }, flags)?;
        Ok(bodies.remove(0))
    }

    /// Loads an SDF world with the files that it names.
    pub fn load_sdf(&mut self, text: &str, assets: &[Asset<'_>]) -> Result<Vec<Body>, LoadError> {
        self.load("SDF", Files::write("model.sdf", text, assets)?, Format::Sdf, LoadFlags::default())
    }

    fn load(
        &mut self,
        name: &'static str,
        files: Files,
        format: Format,
        flags: LoadFlags,
    ) -> Result<Vec<Body>, LoadError> {
        let bodies = self
            .client
            .load(&files.path(), format, flags.bits())
            .map_err(|reason| LoadError::Refused { format: name, reason })?;
        bodies.into_iter().map(|id| self.describe(id)).collect()
    }

    fn describe(&mut self, id: i32) -> Result<Body, LoadError> {
        let (base, model) = self.client.body_names(id);
        let count = self.client.joint_count(id);
        let joints: Vec<Joint> = (0..count).map(|joint| describe_joint(&self.client.joint(id, joint))).collect();
        // Bullet's interface has fixed arrays, with seven places for the base.
        let most = client::MOST_COORDINATES - 7;
        if count >= most {
            return Err(LoadError::TooLarge { name: model, count, most });
        }
        Ok(Body { base, model, joints, id, world: self.id })
    }

    /// Simulates one time step, with the torques given since the last one.
    pub fn step(&mut self) {
        self.client.step();
    }

    /// Reads where everything of `body` is, as the last step or [`World::reset_joint`] left it.
    pub fn read(&mut self, body: &Body, state: &mut BodyState) {
        let id = self.check(body);
        let movable = body.joints.iter().map(|joint| joint.position_index.is_some() && joint.velocity_index.is_some());
        self.client.read(id, movable, state);
    }

    /// The position of the frame of a link, m: the point that its joint turns about, in the model's text.
    pub fn link_frame(&mut self, body: &Body, link: usize) -> [f64; 3] {
        let id = self.check_joint(body, link);
        self.client.link_frame(id, link)
    }

    /// Linear (m/s) and angular (rad/s) velocity of the centre of mass of a link, or of the base for `None`, in the world.
    pub fn velocity(&mut self, body: &Body, link: Option<usize>) -> [[f64; 3]; 2] {
        let id = match link {
            Some(link) => self.check_joint(body, link),
            None => self.check(body),
        };
        self.client.velocity(id, link)
    }

    /// Mass of a link, or of the base for `None`, kg.
    pub fn mass(&mut self, body: &Body, link: Option<usize>) -> f64 {
        let (id, link) = self.check_link(body, link);
        self.client.mass(id, link)
    }

    /// Puts a joint at a position (rad or m) with a velocity (per second).
    pub fn reset_joint(&mut self, body: &Body, joint: usize, position: f64, velocity: f64) {
        let id = self.check_joint(body, joint);
        self.client.reset_joint(id, joint, position, velocity);
    }

    /// Sets a joint's motor. Fixed joints have none.
    pub fn set_motor(&mut self, body: &Body, joint: usize, motor: &PositionMotor) {
        let id = self.check_joint(body, joint);
        let joint = &body.joints[joint];
        if let Some((position, velocity)) = joint.position_index.zip(joint.velocity_index) {
            let (target, gain) = ([motor.position, motor.velocity], [motor.position_gain, motor.velocity_gain]);
            self.client.set_motor(id, position, velocity, target, gain, motor.max_force);
        }
    }

    /// Drives joints in the next step: pairs of joint and torque (N m, or N on a slide). Given again, torques add up.
    pub fn add_torques(&mut self, body: &Body, torques: &[(usize, f64)]) {
        let id = self.check(body);
        let places = torques.iter().filter_map(|&(joint, torque)| Some((body.joints[joint].velocity_index?, torque)));
        self.client.add_torques(id, places);
    }

    /// Changes a link's surface, or the base's for `None`.
    pub fn set_material(&mut self, body: &Body, link: Option<usize>, material: Material) {
        let (id, link) = self.check_link(body, link);
        self.client.set_material(id, link, material.lateral_friction, material.restitution);
    }

    /// Changes the colour of all shapes of a link, or of the base for `None`. Each part is in 0..=1.
    pub fn set_color(&mut self, body: &Body, link: Option<usize>, rgba: [f64; 4]) {
        let (id, link) = self.check_link(body, link);
        self.client.set_color(id, link, rgba);
    }

    /// Appends to `contacts` where `body` and `other` touched in the last step.
    pub fn contacts(&mut self, body: &Body, other: &Body, contacts: &mut Vec<Contact>) {
        let (a, b) = (self.check(body), self.check(other));
        self.client.contacts(a, b, contacts);
    }

    /// Keeps the current state. Each snapshot takes memory until [`World::forget`].
    pub fn save(&mut self) -> Snapshot {
        Snapshot { id: self.client.save(), world: self.id }
    }

    /// Goes back to a kept state: positions, velocities and contacts, not motors and torques.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        assert_eq!(snapshot.world, self.id, "a snapshot can only be restored in its own world");
        self.client.restore(snapshot.id);
    }

    /// Frees a snapshot.
    pub fn forget(&mut self, snapshot: Snapshot) {
        assert_eq!(snapshot.world, self.id, "a snapshot can only be freed in its own world");
        self.client.forget(snapshot.id);
    }

    /// Draws the world into `rgb`, `width * height * 3` bytes, rows from the top. The same bytes on every machine of a
    /// kind: no display and no graphics card take part.
    ///
    /// # Panics
    /// If `rgb` has another length, or a side is 0 or above 512.
    pub fn render(&mut self, camera: &Camera, width: u16, height: u16, rgb: &mut [u8]) {
        assert!((1..=512).contains(&width) && (1..=512).contains(&height), "an image of {width} x {height} pixels");
        assert_eq!(rgb.len(), usize::from(width) * usize::from(height) * 3, "bytes for {width} x {height} pixels");
        self.client.render(camera, width, height, rgb);
    }

    /// The shapes that [`World::render`] would draw now, for another renderer. After loading a model or changing a
    /// colour, a new one is needed.
    pub fn visuals(&mut self) -> Visuals {
        Visuals::read(&mut self.client, self.id)
    }

    /// Writes where the things in `visuals` are: for each place a 4 x 4 matrix, by rows.
    ///
    /// # Panics
    /// If the length of `poses` is not [`Visuals::places`].
    pub fn poses(&mut self, visuals: &Visuals, poses: &mut [[f32; 16]]) {
        visuals.poses(&mut self.client, self.id, poses);
    }

    fn check(&self, body: &Body) -> i32 {
        assert_eq!(body.world, self.id, "body {:?} belongs to another world", body.model);
        body.id
    }

    fn check_joint(&self, body: &Body, joint: usize) -> i32 {
        assert!(joint < body.joints.len(), "body {:?} has {} joints, not joint {joint}", body.model, body.joints.len());
        self.check(body)
    }

    fn check_link(&self, body: &Body, link: Option<usize>) -> (i32, i32) {
        match link {
            Some(link) => (self.check_joint(body, link), link as i32),
            None => (self.check(body), -1),
        }
    }
}

fn describe_joint(info: &ffi::JointInfo) -> Joint {
    let kind = match info.joint_type {
        0 => JointKind::Hinge,
        1 => JointKind::Slide,
        4 => JointKind::Fixed,
        _ => JointKind::Other,
    };
    let movable = matches!(kind, JointKind::Hinge | JointKind::Slide) && info.flags & ffi::HAS_MOTOR != 0;
    let place = |index: i32| (movable && (0..client::MOST_COORDINATES as i32).contains(&index)).then_some(index);
    Joint {
        name: client::text(&info.joint_name),
        link: client::text(&info.link_name),
        kind,
        lower_limit: info.lower_limit,
        upper_limit: info.upper_limit,
        parent: usize::try_from(info.parent_index).ok(),
        position_index: place(info.position_index),
        velocity_index: place(info.velocity_index),
    }
}

/// How often an element begins in an XML text, outside comments.
fn elements(text: &str, name: &str) -> usize {
    let mut pieces = text.split("<!--");
    let first = pieces.next().unwrap_or_default();
    let rest = pieces.map(|piece| piece.split_once("-->").map_or("", |(_, rest)| rest));
    let begins = |piece: &str| {
        let ends_name = |rest: &str| rest.starts_with(|c: char| c.is_whitespace() || c == '>' || c == '/');
        piece.split('<').filter(|part| part.strip_prefix(name).is_some_and(ends_name)).count()
    };
    std::iter::once(first).chain(rest).map(begins).sum()
}

#[cfg(test)]
mod tests {
    use super::elements;

    #[test]
    fn elements_are_counted_outside_comments() {
        let text = "<a><link name='x'/><!-- <link/> <!-- --><link><parent link='x'/></link><linkage/></a>";
        assert_eq!((elements(text, "link"), elements(text, "parent")), (2, 1));
    }
}
