//! The calls into Bullet: each command of its C API that we use, and the functions of `source/processor.cpp`, as safe
//! functions.
//!
//! Here: commands, answers, lifetimes. Not here: worlds (`world.rs`), the matrices of the camera (`camera.rs`), visible
//! shapes (`visuals.rs`).
//!
//! Every call below relies on these facts:
//! - the handle comes from `bullet_connect` and lives until `Drop`;
//! - `&mut self` keeps the one command and the one answer that a connection has from being used twice at a time;
//! - Bullet's asserts are compiled out, so an index is checked here or comes from a `Body` that `world.rs` has checked;
//! - a pointer that an answer gives is read before the next command.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use crate::camera::{Camera, View};
use crate::ffi;
use crate::log;
use crate::state::{BodyState, Contact, LinkPose};

/// Coordinates of one body that Bullet's interface can address (`MAX_DEGREE_OF_FREEDOM`).
pub const MOST_COORDINATES: usize = 128;

/// The importers and their caches are global variables: one model is loaded at a time.
static IMPORTERS: Mutex<()> = Mutex::new(());

/// A separate simulation inside this process.
pub struct Client {
    handle: ffi::Client,
    /// The processor behind the connection, which the connection owns.
    pub(crate) processor: ffi::Processor,
}

// SAFETY: a connection shares nothing with another but importer state, which `IMPORTERS` guards, and statistics counters
// that nothing reads. It has no thread and no thread-local state, so it may move to another thread.
unsafe impl Send for Client {}

/// An answer's type did not match: Bullet refused.
#[derive(Debug)]
pub struct Refused;

/// Formats that Bullet's importers read.
#[derive(Clone, Copy)]
pub enum Format {
    Mjcf,
    Urdf { fixed_base: bool },
    Sdf,
}

/// A number that the simulation as a whole has.
#[derive(Clone, Copy)]
pub enum Parameter {
    Gravity([f64; 3]),
    TimeStep(f64),
    Substeps(u16),
    SolverIterations(u16),
    ContactErp(f64),
    DeterministicPairs(bool),
}

impl Client {
    pub fn connect() -> Self {
        static HOOKS: Once = Once::new();
        let _guard = importers();
        // SAFETY: the functions live as long as the program and never unwind; no other thread calls Bullet before the
        // first connection is made, and later ones wait in `call_once`.
        HOOKS.call_once(|| unsafe {
            ffi::b3SetCustomPrintfFunc(receive_message);
            ffi::b3SetCustomWarningMessageFunc(receive_message);
            ffi::b3SetCustomErrorMessageFunc(receive_message);
        });
        let mut processor = std::ptr::null_mut();
        // SAFETY: the pointer to fill in is valid. Allocation failure throws, which aborts the process.
        let handle = unsafe { ffi::bullet_connect(&mut processor) };
        assert!(!handle.is_null(), "a direct connection to Bullet cannot fail");
        let mut client = Self { handle, processor };
        // The caches are keyed by path, and each of our models has a new path, so they would only grow. SAFETY: see the
        // documentation of this module.
        client.run(ffi::status::CLIENT_COMMAND_COMPLETED, |handle| unsafe {
            let command = ffi::b3InitPhysicsParamCommand(handle);
            ffi::b3PhysicsParamSetEnableFileCaching(command, 0);
            command
        });
        client
    }

    /// Sends the command that `write` makes and waits for its answer, which must be of type `expected`.
    fn submit(
        &mut self,
        expected: c_int,
        write: impl FnOnce(ffi::Client) -> ffi::Command,
    ) -> Result<ffi::Status, Refused> {
        // SAFETY: the handle is alive; `write` makes a command of this connection, and it is submitted once. A direct
        // connection works inside `bullet_guarded_submit`, so the answer is there when it returns; an
        // exception in it was caught.
        unsafe {
            if ffi::b3CanSubmitCommand(self.handle) == 0 {
                return Err(Refused);
            }
            if ffi::bullet_guarded_submit(self.handle, write(self.handle)) == 0 {
                return Err(Refused);
            }
            let status = ffi::b3ProcessServerStatus(self.handle);
            if status.is_null() || ffi::b3GetStatusType(status) != expected { Err(Refused) } else { Ok(status) }
        }
    }

    /// [`Client::submit`] for commands that cannot be refused, given a body that exists.
    fn run(&mut self, expected: c_int, write: impl FnOnce(ffi::Client) -> ffi::Command) -> ffi::Status {
        self.submit(expected, write).expect("Bullet accepts a well-formed command about a body that exists")
    }

    pub fn set(&mut self, parameter: Parameter) {
        self.run(ffi::status::CLIENT_COMMAND_COMPLETED, |handle| {
            // SAFETY: see the documentation of this module.
            unsafe {
                let command = ffi::b3InitPhysicsParamCommand(handle);
                match parameter {
                    Parameter::Gravity([x, y, z]) => ffi::b3PhysicsParamSetGravity(command, x, y, z),
                    Parameter::TimeStep(seconds) => ffi::b3PhysicsParamSetTimeStep(command, seconds),
                    Parameter::Substeps(count) => ffi::b3PhysicsParamSetNumSubSteps(command, count.into()),
                    Parameter::SolverIterations(count) => {
                        ffi::b3PhysicsParamSetNumSolverIterations(command, count.into())
                    }
                    Parameter::ContactErp(erp) => ffi::b3PhysicsParamSetDefaultContactERP(command, erp),
                    Parameter::DeterministicPairs(enable) => {
                        ffi::b3PhysicsParameterSetDeterministicOverlappingPairs(command, enable.into())
                    }
                };
                command
            }
        });
    }

    pub fn step(&mut self) {
        // SAFETY: the processor lives as long as the connection, and no command is under way.
        unsafe { ffi::bullet_step(self.processor) }
    }

    /// Loads the file at `path`. Returns the numbers of the bodies, or the message of the importer.
    pub fn load(&mut self, path: &CStr, format: Format, flags: c_int) -> Result<Vec<i32>, String> {
        let _guard = importers();
        let expected = match format {
            Format::Mjcf => ffi::status::MJCF_LOADING_COMPLETED,
            Format::Urdf { .. } => ffi::status::URDF_LOADING_COMPLETED,
            Format::Sdf => ffi::status::SDF_LOADING_COMPLETED,
        };
        let (status, messages) = log::collect(|| {
            self.submit(expected, |handle| {
                // SAFETY: the path is a C string that outlives the call, which copies it.
                unsafe {
                    match format {
                        Format::Mjcf => {
                            let command = ffi::b3LoadMJCFCommandInit(handle, path.as_ptr());
                            ffi::b3LoadMJCFCommandSetFlags(command, flags);
                            command
                        }
                        Format::Urdf { fixed_base } => {
                            let command = ffi::b3LoadUrdfCommandInit(handle, path.as_ptr());
                            ffi::b3LoadUrdfCommandSetFlags(command, flags);
                            ffi::b3LoadUrdfCommandSetUseFixedBase(command, fixed_base.into());
                            command
                        }
                        Format::Sdf => ffi::b3LoadSdfCommandInit(handle, path.as_ptr()),
                    }
                }
            })
        });
        let refused = || {
            if messages.is_empty() {
                "it does not contain a body, or an element lacks an attribute".to_owned()
            } else {
                messages.clone()
            }
        };
        let status = status.map_err(|Refused| refused())?;
        let mut bodies = [0; 512];
        // SAFETY: the answer is the load's; the array's length is given.
        let bodies = unsafe {
            match format {
                Format::Urdf { .. } => vec![ffi::b3GetStatusBodyIndex(status)],
                _ => {
                    let count = ffi::b3GetStatusBodyIndices(status, bodies.as_mut_ptr(), bodies.len() as c_int);
                    bodies[..usize::try_from(count).unwrap_or(0).min(bodies.len())].to_vec()
                }
            }
        };
        if bodies.is_empty() { Err(refused()) } else { Ok(bodies) }
    }

    pub fn joint_count(&mut self, body: i32) -> usize {
        // SAFETY: an unknown body does not have joints.
        usize::try_from(unsafe { ffi::b3GetNumJoints(self.handle, body) }).unwrap_or(0)
    }

    /// The description of a joint below [`Client::joint_count`] in the model.
    pub fn joint(&mut self, body: i32, joint: usize) -> Box<ffi::JointInfo> {
        // SAFETY: the structure holds numbers and characters only, for which zeros are valid; the call fills it in.
        unsafe {
            let mut info: Box<ffi::JointInfo> = Box::new(std::mem::zeroed());
            let found = ffi::b3GetJointInfo(self.handle, body, joint as c_int, &mut *info);
            assert!(found != 0, "joint {joint} of body {body} does not exist");
            info
        }
    }

    /// Names of the base link and of the model.
    pub fn body_names(&mut self, body: i32) -> (String, String) {
        // SAFETY: as in `joint`; both arrays hold C strings afterwards.
        unsafe {
            let mut info: Box<ffi::BodyInfo> = Box::new(std::mem::zeroed());
            ffi::b3GetBodyInfo(self.handle, body, &mut *info);
            (text(&info.base_name), text(&info.body_name))
        }
    }

    /// Mass of a link (-1: the base), kg.
    pub fn mass(&mut self, body: i32, link: i32) -> f64 {
        // SAFETY: see the documentation of this module.
        let status = self.run(ffi::status::DYNAMICS_INFO_COMPLETED, |handle| unsafe {
            ffi::b3GetDynamicsInfoCommandInit(handle, body, link)
        });
        // SAFETY: the structure holds numbers only; the answer is of the right type.
        unsafe {
            let mut info: ffi::DynamicsInfo = std::mem::zeroed();
            ffi::b3GetDynamicsInfo(status, &mut info);
            info.mass
        }
    }

    pub fn set_material(&mut self, body: i32, link: i32, lateral_friction: f64, restitution: f64) {
        // SAFETY: see the documentation of this module.
        self.run(ffi::status::CLIENT_COMMAND_COMPLETED, |handle| unsafe {
            let command = ffi::b3InitChangeDynamicsInfo(handle);
            ffi::b3ChangeDynamicsInfoSetLateralFriction(command, body, link, lateral_friction);
            ffi::b3ChangeDynamicsInfoSetRestitution(command, body, link, restitution);
            command
        });
    }

    pub fn set_color(&mut self, body: i32, link: i32, rgba: [f64; 4]) {
        // SAFETY: the colour is read during the call. Shape -1: all of the link's.
        self.run(ffi::status::VISUAL_SHAPE_UPDATE_COMPLETED, |handle| unsafe {
            let command = ffi::b3InitUpdateVisualShape2(handle, body, link, -1);
            ffi::b3UpdateVisualShapeRGBAColor(command, rgba.as_ptr());
            command
        });
    }

    pub fn reset_joint(&mut self, body: i32, joint: usize, position: f64, velocity: f64) {
        // SAFETY: `joint` is below the body's number of joints.
        self.run(ffi::status::CLIENT_COMMAND_COMPLETED, |handle| unsafe {
            let command = ffi::b3CreatePoseCommandInit(handle, body);
            ffi::b3CreatePoseCommandSetJointPosition(handle, command, joint as c_int, position);
            ffi::b3CreatePoseCommandSetJointVelocity(handle, command, joint as c_int, velocity);
            command
        });
    }

    /// Adds torques until the next step, given as (velocity index, N m or N).
    pub fn add_torques(&mut self, body: i32, torques: impl Iterator<Item = (i32, f64)>) {
        // SAFETY: an index out of range is ignored by Bullet.
        self.run(ffi::status::DESIRED_STATE_RECEIVED, |handle| unsafe {
            let command = ffi::b3JointControlCommandInit2(handle, body, ffi::CONTROL_TORQUE);
            for (index, torque) in torques {
                ffi::b3JointControlSetDesiredForceTorque(command, index, torque);
            }
            command
        });
    }

    /// Sets a joint's motor; `target` and `gain` are those of position and velocity.
    pub fn set_motor(
        &mut self,
        body: i32,
        position_index: i32,
        velocity_index: i32,
        target: [f64; 2],
        gain: [f64; 2],
        force: f64,
    ) {
        // SAFETY: an index out of range is ignored by Bullet.
        self.run(ffi::status::DESIRED_STATE_RECEIVED, |handle| unsafe {
            let command = ffi::b3JointControlCommandInit2(handle, body, ffi::CONTROL_POSITION_VELOCITY);
            ffi::b3JointControlSetDesiredPosition(command, position_index, target[0]);
            ffi::b3JointControlSetKp(command, velocity_index, gain[0]);
            ffi::b3JointControlSetDesiredVelocity(command, velocity_index, target[1]);
            ffi::b3JointControlSetKd(command, velocity_index, gain[1]);
            ffi::b3JointControlSetMaximumForce(command, velocity_index, force);
            command
        });
    }

    /// Reads the state of a body; `movable` contains for each joint whether it has a position and a velocity.
    pub fn read(&mut self, body: i32, movable: impl ExactSizeIterator<Item = bool>, state: &mut BodyState) {
        let links = movable.len();
        state.joints.resize(links, [0.0; 2]);
        state.links.resize(links, LinkPose::default());
        // SAFETY: both arrays have an element a link: two numbers and a pose, which is seven.
        let found = unsafe {
            ffi::bullet_state(
                self.processor,
                body,
                links as c_int,
                (&raw mut state.base).cast(),
                state.joints.as_mut_ptr().cast(),
                state.links.as_mut_ptr().cast(),
            )
        };
        assert!(found != 0, "body {body} with {links} joints does not exist");
        for (joint, movable) in state.joints.iter_mut().zip(movable) {
            if !movable {
                *joint = [0.0; 2];
            }
        }
    }

    /// Position of a link's own frame (not of its centre of mass) in the world, from the joints' current positions.
    pub fn link_frame(&mut self, body: i32, link: usize) -> [f64; 3] {
        // SAFETY: see the documentation of this module.
        let status = self.run(ffi::status::ACTUAL_STATE_COMPLETED, |handle| unsafe {
            let command = ffi::b3RequestActualStateCommandInit(handle, body);
            ffi::b3RequestActualStateCommandComputeForwardKinematics(command, 1);
            command
        });
        // SAFETY: the structure holds numbers only; the answer is an actual state and `link` is one of the body's.
        unsafe {
            let mut state: ffi::LinkState = std::mem::zeroed();
            let found = ffi::b3GetLinkState(self.handle, status, link as c_int, &mut state);
            assert!(found != 0, "link {link} of body {body} does not exist");
            state.world_frame_position
        }
    }

    /// Linear and angular velocity of a link's centre of mass, or of the base for `None`, in the world.
    pub fn velocity(&mut self, body: i32, link: Option<usize>) -> [[f64; 3]; 2] {
        // SAFETY: see the documentation of this module.
        let status = self.run(ffi::status::ACTUAL_STATE_COMPLETED, |handle| unsafe {
            let command = ffi::b3RequestActualStateCommandInit(handle, body);
            ffi::b3RequestActualStateCommandComputeLinkVelocity(command, 1);
            command
        });
        let Some(link) = link else {
            let mut velocities = std::ptr::null();
            let (count, array) = (std::ptr::null_mut::<c_int>, std::ptr::null_mut::<*const f64>);
            // SAFETY: the answer is an actual state; results that nobody asks for may be null. The array begins with the six
            // velocities of the base, which every body has, and lives until the next command.
            return unsafe {
                let (body, sizes) = (count(), [count(), count()]);
                ffi::b3GetStatusActualState(
                    status,
                    body,
                    sizes[0],
                    sizes[1],
                    array(),
                    array(),
                    &mut velocities,
                    array(),
                );
                let base = slice(velocities, 6);
                [[base[0], base[1], base[2]], [base[3], base[4], base[5]]]
            };
        };
        // SAFETY: the structure holds numbers only; the answer is an actual state and `link` is one of the body's.
        unsafe {
            let mut state: ffi::LinkState = std::mem::zeroed();
            let found = ffi::b3GetLinkState(self.handle, status, link as c_int, &mut state);
            assert!(found != 0, "link {link} of body {body} does not exist");
            [state.world_linear_velocity, state.world_angular_velocity]
        }
    }

    /// Appends the points where bodies `a` and `b` touch to `contacts`.
    pub fn contacts(&mut self, a: i32, b: i32, contacts: &mut Vec<Contact>) {
        // SAFETY: see the documentation of this module.
        self.run(ffi::status::CONTACT_POINTS_COMPLETED, |handle| unsafe {
            let command = ffi::b3InitRequestContactPointInformation(handle);
            ffi::b3SetContactFilterBodyA(command, a);
            ffi::b3SetContactFilterBodyB(command, b);
            command
        });
        let mut information = ffi::ContactInformation { count: 0, points: std::ptr::null() };
        // SAFETY: the structure is ours to fill in; its array has `count` elements and lives until the next command.
        let points = unsafe {
            ffi::b3GetContactPointInformation(self.handle, &mut information);
            slice(information.points, information.count)
        };
        contacts.extend(points.iter().map(|point| Contact {
            link: usize::try_from(point.link_a).ok(),
            other_link: usize::try_from(point.link_b).ok(),
            distance: point.distance,
            normal_force: point.normal_force,
        }));
    }

    pub fn save(&mut self) -> i32 {
        // SAFETY: see the documentation of this module.
        let status =
            self.run(ffi::status::SAVE_STATE_COMPLETED, |handle| unsafe { ffi::b3SaveStateCommandInit(handle) });
        // SAFETY: the answer is of the right type.
        unsafe { ffi::b3GetStatusGetStateId(status) }
    }

    pub fn restore(&mut self, state: i32) {
        // SAFETY: see the documentation of this module.
        self.run(ffi::status::RESTORE_STATE_COMPLETED, |handle| unsafe {
            let command = ffi::b3LoadStateCommandInit(handle);
            ffi::b3LoadStateSetStateId(command, state);
            command
        });
    }

    pub fn forget(&mut self, state: i32) {
        // SAFETY: see the documentation of this module.
        self.run(ffi::status::REMOVE_STATE_COMPLETED, |handle| unsafe { ffi::b3InitRemoveStateCommand(handle, state) });
    }

    /// Draws the scene: `rgb` has `width * height * 3` bytes, rows from the top.
    pub fn render(&mut self, camera: &Camera, width: u16, height: u16, rgb: &mut [u8]) {
        let View { mut view, mut projection } = camera.view(width, height);
        // SAFETY: the matrices are copied during the call.
        self.run(ffi::status::CAMERA_IMAGE_COMPLETED, |handle| unsafe {
            let command = ffi::b3InitRequestCameraImage(handle);
            ffi::b3RequestCameraImageSetPixelResolution(command, width.into(), height.into());
            ffi::b3RequestCameraImageSetCameraMatrices(command, view.as_mut_ptr(), projection.as_mut_ptr());
            ffi::b3RequestCameraImageSetShadow(command, camera.shadow.into());
            ffi::b3RequestCameraImageSetLightDirection(command, camera.light_direction.as_ptr());
            ffi::b3RequestCameraImageSelectRenderer(command, ffi::TINY_RENDERER);
            command
        });
        let null = std::ptr::null;
        let mut image = ffi::CameraImage {
            width: 0,
            height: 0,
            rgba: null(),
            depth: std::ptr::null(),
            segmentation: std::ptr::null(),
        };
        // SAFETY: the structure is ours to fill in; the pixels, four bytes each, live until the next command.
        let rgba = unsafe {
            ffi::b3GetCameraImageData(self.handle, &mut image);
            slice(image.rgba, image.width * image.height * 4)
        };
        assert_eq!(rgba.len() / 4, rgb.len() / 3, "Bullet draws the image that it was asked for");
        for (to, from) in rgb.chunks_exact_mut(3).zip(rgba.chunks_exact(4)) {
            to.copy_from_slice(&from[..3]);
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // SAFETY: the handle is alive and not used afterwards.
        unsafe { ffi::b3DisconnectSharedMemory(self.handle) }
    }
}

/// The right to use Bullet's importers. A panic of another holder leaves none of our data half changed.
fn importers() -> MutexGuard<'static, ()> {
    IMPORTERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bullet's array of `count` elements; empty if there is none.
///
/// # Safety
/// A pointer that is not null must point to `count` elements that do not change while the slice is in use.
unsafe fn slice<'a, T>(elements: *const T, count: c_int) -> &'a [T] {
    match usize::try_from(count) {
        // SAFETY: by this function's own condition.
        Ok(count) if !elements.is_null() => unsafe { std::slice::from_raw_parts(elements, count) },
        _ => &[],
    }
}

/// The text in a fixed array of Bullet's.
pub fn text(characters: &[c_char]) -> String {
    let bytes: Vec<u8> = characters.iter().map(|&character| character as u8).take_while(|&byte| byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The receiver of Bullet's messages.
unsafe extern "C" fn receive_message(message: *const c_char) {
    if !message.is_null() {
        // SAFETY: Bullet passes a C string that lives during the call.
        log::note(&unsafe { CStr::from_ptr(message) }.to_string_lossy());
    }
}
