//! The floor that walkers walk on: an endless plane to the feet, a blue and white checkerboard to the eye.
//!
//! Its visible part is two triangles, 200 m on a side, with a texture that repeats 100 times in each direction. All of
//! it is created here.

use bullet::{Asset, Body, LoadError, Material, World};

/// Half of the side of the visible part, in m.
const HALF_SIDE: f64 = 100.0;
/// Times that the texture is repeated along a side.
const REPEATS: f64 = 100.0;
/// Pixels on each side of the texture.
const TEXTURE_SIDE: u32 = 512;
/// The checkerboard's colours, RGB.
const COLORS: [[u8; 3]; 2] = [[173, 199, 239], [255, 255, 255]];

const SDF: &str = r#"
<sdf version="1.6">
  <world name="default">
    <model name="ground">
      <static>1</static>
      <link name="floor">
        <inertial>
          <mass>0</mass>
          <inertia><ixx>0</ixx><ixy>0</ixy><ixz>0</ixz><iyy>0</iyy><iyz>0</iyz><izz>0</izz></inertia>
        </inertial>
        <collision name="plane">
          <geometry><plane><normal>0 0 1</normal><size>200 200</size></plane></geometry>
        </collision>
        <visual name="board">
          <geometry><mesh><uri>board.obj</uri></mesh></geometry>
        </visual>
      </link>
    </model>
  </world>
</sdf>"#;

const MATERIAL: &str = "newmtl board\nmap_Kd board.bmp\n";

/// Puts the floor into `world`.
pub fn load(world: &mut World) -> Result<Body, LoadError> {
    let (mesh, texture) = (mesh(), texture());
    let assets = [
        Asset { name: "board.obj", bytes: mesh.as_bytes() },
        Asset { name: "board.mtl", bytes: MATERIAL.as_bytes() },
        Asset { name: "board.bmp", bytes: &texture },
    ];
    let floor = world.load_sdf(SDF, &assets)?.swap_remove(0);
    world.set_material(&floor, None, Material { lateral_friction: 0.8, restitution: 0.5 });
    world.set_color(&floor, None, [1.0, 1.0, 1.0, 0.8]);
    Ok(floor)
}

/// The board as a Wavefront mesh: four corners, counter-clockwise from the right at the front.
fn mesh() -> String {
    let mut text = "mtllib board.mtl\n".to_owned();
    let corners = [(1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)];
    for (x, y) in corners {
        text += &format!("v {} {} 0\n", HALF_SIDE * (2.0 * x - 1.0), HALF_SIDE * (2.0 * y - 1.0));
    }
    for (x, y) in corners {
        text += &format!("vt {} {}\n", REPEATS * x, REPEATS * y);
    }
    text + "usemtl board\nf 1/1 2/2 3/3\nf 1/1 3/3 4/4\n"
}

/// One repeat of the checkerboard, two tiles by two, as an uncompressed bitmap with rows from the top.
fn texture() -> Vec<u8> {
    let side = TEXTURE_SIDE;
    let (header, pixels) = (54, side * side * 3);
    let mut bytes = b"BM".to_vec();
    for field in [header + pixels, 0, header, 40, side, side.wrapping_neg()] {
        bytes.extend(field.to_le_bytes());
    }
    bytes.extend([1, 0, 24, 0]); // one plane, 24 bits a pixel
    bytes.extend([0; 24]); // no compression, no palette
    for row in 0..side {
        for column in 0..side {
            let tile = (row * 2 / side + column * 2 / side) % 2;
            bytes.extend(COLORS[tile as usize].iter().rev());
        }
    }
    bytes
}
