//! Declarations of the part of Bullet's C API that this crate calls, written from `PhysicsClientC_API.h`.
//!
//! Here: types and signatures only. The calls, and why each of them is sound, are in `client.rs`. A wrong signature is
//! not caught by the linker: parameters must be counted against the header.

#![allow(unsafe_code)]

use std::ffi::{c_char, c_double, c_float, c_int, c_uchar, c_void};

/// Bullet's `struct b3JointInfo`.
#[repr(C)]
pub struct JointInfo {
    pub link_name: [c_char; 1024],
    pub joint_name: [c_char; 1024],
    pub joint_type: c_int,
    pub position_index: c_int,
    pub velocity_index: c_int,
    pub joint_index: c_int,
    pub flags: c_int,
    pub damping: c_double,
    pub friction: c_double,
    pub lower_limit: c_double,
    pub upper_limit: c_double,
    pub max_force: c_double,
    pub max_velocity: c_double,
    pub parent_frame: [c_double; 7],
    pub child_frame: [c_double; 7],
    pub axis: [c_double; 3],
    pub parent_index: c_int,
    pub position_size: c_int,
    pub velocity_size: c_int,
}

/// Bullet's `struct b3BodyInfo`.
#[repr(C)]
pub struct BodyInfo {
    pub base_name: [c_char; 1024],
    pub body_name: [c_char; 1024],
}

/// Bullet's `struct b3DynamicsInfo`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct DynamicsInfo {
    pub mass: c_double,
    pub local_inertia_diagonal: [c_double; 3],
    pub local_inertial_frame: [c_double; 7],
    pub lateral_friction: c_double,
    pub rolling_friction: c_double,
    pub spinning_friction: c_double,
    pub restitution: c_double,
    pub contact_stiffness: c_double,
    pub contact_damping: c_double,
    pub activation_state: c_int,
    pub body_type: c_int,
    pub angular_damping: c_double,
    pub linear_damping: c_double,
    pub ccd_swept_sphere_radius: c_double,
    pub contact_processing_threshold: c_double,
    pub friction_anchor: c_int,
    pub collision_margin: c_double,
    pub dynamic_type: c_int,
}

/// Bullet's `struct b3LinkState`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct LinkState {
    pub world_position: [c_double; 3],
    pub world_orientation: [c_double; 4],
    pub local_inertial_position: [c_double; 3],
    pub local_inertial_orientation: [c_double; 4],
    pub world_frame_position: [c_double; 3],
    pub world_frame_orientation: [c_double; 4],
    pub world_linear_velocity: [c_double; 3],
    pub world_angular_velocity: [c_double; 3],
    pub world_aabb_min: [c_double; 3],
    pub world_aabb_max: [c_double; 3],
}

/// Bullet's `struct b3ContactPointData`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ContactPoint {
    pub flags: c_int,
    pub body_a: c_int,
    pub body_b: c_int,
    pub link_a: c_int,
    pub link_b: c_int,
    pub position_on_a: [c_double; 3],
    pub position_on_b: [c_double; 3],
    pub normal_on_b: [c_double; 3],
    pub distance: c_double,
    pub normal_force: c_double,
    pub friction_force_1: c_double,
    pub friction_force_2: c_double,
    pub friction_direction_1: [c_double; 3],
    pub friction_direction_2: [c_double; 3],
}

/// Bullet's `struct b3ContactInformation`.
#[repr(C)]
pub struct ContactInformation {
    pub count: c_int,
    pub points: *const ContactPoint,
}

/// Bullet's `struct b3CameraImageData`.
#[repr(C)]
pub struct CameraImage {
    pub width: c_int,
    pub height: c_int,
    /// Four bytes per pixel, although the comment in the header says three.
    pub rgba: *const c_uchar,
    pub depth: *const c_float,
    pub segmentation: *const c_int,
}

/// `struct bullet_visual` of `source/visuals.cpp`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct VisualInfo {
    pub shape: c_int,
    pub double_sided: c_int,
    pub vertices: c_int,
    pub faces: c_int,
    pub texture_width: c_int,
    pub texture_height: c_int,
    pub color: [c_float; 4],
}

/// A connection to a simulation: `b3PhysicsClientHandle`.
pub type Client = *mut c_void;
/// The processor behind a connection (`source/processor.cpp`).
pub type Processor = *mut c_void;
/// The software renderer (`source/visuals.cpp`).
pub type Renderer = *mut c_void;
/// A command being written: `b3SharedMemoryCommandHandle`.
pub type Command = *mut c_void;
/// A server's answer: `b3SharedMemoryStatusHandle`.
pub type Status = *mut c_void;
/// A receiver of log messages: `b3PrintfFunc`.
pub type MessageFunction = unsafe extern "C" fn(*const c_char);

/// Values of `EnumSharedMemoryServerStatus` (Bullet 3.08).
pub mod status {
    use super::c_int;
    pub const CLIENT_COMMAND_COMPLETED: c_int = 2;
    pub const SDF_LOADING_COMPLETED: c_int = 4;
    pub const URDF_LOADING_COMPLETED: c_int = 6;
    pub const MJCF_LOADING_COMPLETED: c_int = 12;
    pub const ACTUAL_STATE_COMPLETED: c_int = 21;
    pub const DESIRED_STATE_RECEIVED: c_int = 25;
    pub const CAMERA_IMAGE_COMPLETED: c_int = 28;
    pub const CONTACT_POINTS_COMPLETED: c_int = 39;
    pub const VISUAL_SHAPE_UPDATE_COMPLETED: c_int = 49;
    pub const DYNAMICS_INFO_COMPLETED: c_int = 77;
    pub const SAVE_STATE_COMPLETED: c_int = 93;
    pub const RESTORE_STATE_COMPLETED: c_int = 95;
    pub const REMOVE_STATE_COMPLETED: c_int = 108;
}

/// `CONTROL_MODE_TORQUE`.
pub const CONTROL_TORQUE: c_int = 1;
/// `CONTROL_MODE_POSITION_VELOCITY_PD`.
pub const CONTROL_POSITION_VELOCITY: c_int = 2;
/// `ER_TINY_RENDERER`.
pub const TINY_RENDERER: c_int = 1 << 16;
/// `JOINT_HAS_MOTORIZED_POWER`.
pub const HAS_MOTOR: c_int = 1;

unsafe extern "C" {
    /// `b3ConnectPhysicsDirect`, which also returns the processor behind the connection.
    pub fn bullet_connect(processor: *mut Processor) -> Client;
    /// Simulates a time step (`source/processor.cpp`).
    pub fn bullet_step(processor: Processor);
    /// Seven numbers for the base, two and seven for each of `links` links; 0 if the body does not exist
    /// (`source/processor.cpp`).
    pub fn bullet_state(
        processor: Processor,
        body: c_int,
        links: c_int,
        base: *mut c_double,
        joints: *mut c_double,
        poses: *mut c_double,
    ) -> c_int;
    /// Single-precision matrices, by rows, of the shapes that have a place below `count` entries (`source/processor.cpp`).
    pub fn bullet_poses(processor: Processor, places: *const c_int, count: c_int, matrices: *mut c_float);
    pub fn bullet_renderer(processor: Processor) -> Renderer;
    /// 0 if no object has this number.
    pub fn bullet_visual_describe(renderer: Renderer, number: c_int, visual: *mut VisualInfo) -> c_int;
    pub fn bullet_visual_read(
        renderer: Renderer,
        number: c_int,
        positions: *mut c_float,
        normals: *mut c_float,
        coordinates: *mut c_float,
        faces: *mut c_int,
        texels: *mut c_uchar,
    );
    pub fn b3DisconnectSharedMemory(client: Client);
    pub fn b3CanSubmitCommand(client: Client) -> c_int;
    /// `b3SubmitClientCommand` behind a guard against exceptions (`source/guard.cpp`): 0 if there was one.
    pub fn bullet_guarded_submit(client: Client, command: Command) -> c_int;
    pub fn b3ProcessServerStatus(client: Client) -> Status;
    pub fn b3GetStatusType(status: Status) -> c_int;

    pub fn b3SetCustomPrintfFunc(function: MessageFunction);
    pub fn b3SetCustomWarningMessageFunc(function: MessageFunction);
    pub fn b3SetCustomErrorMessageFunc(function: MessageFunction);

    pub fn b3InitPhysicsParamCommand(client: Client) -> Command;
    pub fn b3PhysicsParamSetGravity(command: Command, x: c_double, y: c_double, z: c_double) -> c_int;
    pub fn b3PhysicsParamSetTimeStep(command: Command, seconds: c_double) -> c_int;
    pub fn b3PhysicsParamSetNumSubSteps(command: Command, count: c_int) -> c_int;
    pub fn b3PhysicsParamSetNumSolverIterations(command: Command, count: c_int) -> c_int;
    pub fn b3PhysicsParamSetDefaultContactERP(command: Command, erp: c_double) -> c_int;
    pub fn b3PhysicsParameterSetDeterministicOverlappingPairs(command: Command, enable: c_int) -> c_int;
    pub fn b3PhysicsParamSetEnableFileCaching(command: Command, enable: c_int) -> c_int;

    pub fn b3LoadMJCFCommandInit(client: Client, file: *const c_char) -> Command;
    pub fn b3LoadMJCFCommandSetFlags(command: Command, flags: c_int);
    pub fn b3LoadSdfCommandInit(client: Client, file: *const c_char) -> Command;
    pub fn b3LoadUrdfCommandInit(client: Client, file: *const c_char) -> Command;
    pub fn b3LoadUrdfCommandSetFlags(command: Command, flags: c_int) -> c_int;
    pub fn b3LoadUrdfCommandSetUseFixedBase(command: Command, fixed: c_int) -> c_int;
    pub fn b3GetStatusBodyIndices(status: Status, indices: *mut c_int, capacity: c_int) -> c_int;
    pub fn b3GetStatusBodyIndex(status: Status) -> c_int;

    pub fn b3GetNumJoints(client: Client, body: c_int) -> c_int;
    pub fn b3GetJointInfo(client: Client, body: c_int, joint: c_int, info: *mut JointInfo) -> c_int;
    pub fn b3GetBodyInfo(client: Client, body: c_int, info: *mut BodyInfo) -> c_int;
    pub fn b3GetDynamicsInfoCommandInit(client: Client, body: c_int, link: c_int) -> Command;
    pub fn b3GetDynamicsInfo(status: Status, info: *mut DynamicsInfo) -> c_int;

    pub fn b3InitChangeDynamicsInfo(client: Client) -> Command;
    pub fn b3ChangeDynamicsInfoSetLateralFriction(
        command: Command,
        body: c_int,
        link: c_int,
        friction: c_double,
    ) -> c_int;
    pub fn b3ChangeDynamicsInfoSetRestitution(
        command: Command,
        body: c_int,
        link: c_int,
        restitution: c_double,
    ) -> c_int;
    pub fn b3InitUpdateVisualShape2(client: Client, body: c_int, link: c_int, shape: c_int) -> Command;
    pub fn b3UpdateVisualShapeRGBAColor(command: Command, rgba: *const c_double);

    pub fn b3CreatePoseCommandInit(client: Client, body: c_int) -> Command;
    pub fn b3CreatePoseCommandSetJointPosition(
        client: Client,
        command: Command,
        joint: c_int,
        position: c_double,
    ) -> c_int;
    pub fn b3CreatePoseCommandSetJointVelocity(
        client: Client,
        command: Command,
        joint: c_int,
        velocity: c_double,
    ) -> c_int;

    pub fn b3JointControlCommandInit2(client: Client, body: c_int, mode: c_int) -> Command;
    pub fn b3JointControlSetDesiredPosition(command: Command, position_index: c_int, value: c_double) -> c_int;
    pub fn b3JointControlSetDesiredVelocity(command: Command, velocity_index: c_int, value: c_double) -> c_int;
    pub fn b3JointControlSetKp(command: Command, velocity_index: c_int, value: c_double) -> c_int;
    pub fn b3JointControlSetKd(command: Command, velocity_index: c_int, value: c_double) -> c_int;
    pub fn b3JointControlSetMaximumForce(command: Command, velocity_index: c_int, value: c_double) -> c_int;
    pub fn b3JointControlSetDesiredForceTorque(command: Command, velocity_index: c_int, value: c_double) -> c_int;

    pub fn b3RequestActualStateCommandInit(client: Client, body: c_int) -> Command;
    pub fn b3RequestActualStateCommandComputeForwardKinematics(command: Command, enable: c_int) -> c_int;
    pub fn b3RequestActualStateCommandComputeLinkVelocity(command: Command, enable: c_int) -> c_int;
    pub fn b3GetStatusActualState(
        status: Status,
        body: *mut c_int,
        positions: *mut c_int,
        velocities: *mut c_int,
        root_inertial_frame: *mut *const c_double,
        actual_positions: *mut *const c_double,
        actual_velocities: *mut *const c_double,
        reaction_forces: *mut *const c_double,
    ) -> c_int;
    pub fn b3GetLinkState(client: Client, status: Status, link: c_int, state: *mut LinkState) -> c_int;

    pub fn b3InitRequestContactPointInformation(client: Client) -> Command;
    pub fn b3SetContactFilterBodyA(command: Command, body: c_int);
    pub fn b3SetContactFilterBodyB(command: Command, body: c_int);
    pub fn b3GetContactPointInformation(client: Client, contacts: *mut ContactInformation);

    pub fn b3SaveStateCommandInit(client: Client) -> Command;
    pub fn b3GetStatusGetStateId(status: Status) -> c_int;
    pub fn b3LoadStateCommandInit(client: Client) -> Command;
    pub fn b3LoadStateSetStateId(command: Command, state: c_int) -> c_int;
    pub fn b3InitRemoveStateCommand(client: Client, state: c_int) -> Command;

    pub fn b3InitRequestCameraImage(client: Client) -> Command;
    pub fn b3RequestCameraImageSetCameraMatrices(command: Command, view: *mut c_float, projection: *mut c_float);
    pub fn b3RequestCameraImageSetPixelResolution(command: Command, width: c_int, height: c_int);
    pub fn b3RequestCameraImageSetLightDirection(command: Command, direction: *const c_float);
    pub fn b3RequestCameraImageSetShadow(command: Command, enable: c_int);
    pub fn b3RequestCameraImageSelectRenderer(command: Command, renderer: c_int);
    pub fn b3GetCameraImageData(client: Client, image: *mut CameraImage);
    pub fn b3ComputeViewMatrixFromYawPitchRoll(
        target: *const c_float,
        distance: c_float,
        yaw: c_float,
        pitch: c_float,
        roll: c_float,
        up_axis: c_int,
        view: *mut c_float,
    );
    pub fn b3ComputeProjectionMatrixFOV(
        fov: c_float,
        aspect: c_float,
        near: c_float,
        far: c_float,
        projection: *mut c_float,
    );
}
