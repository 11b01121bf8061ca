//! Drawing allocates nothing once the normals do not change any more.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use render::{Eye, Renderer, Shape, Texture};

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: everything is the system's own allocator's work; counting touches a number of this thread only.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// An octahedron above a board with a texture.
fn shapes() -> Vec<Shape> {
    let tips =
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, -1.0]];
    let octahedron = Shape {
        place: 0,
        positions: tips.map(|tip: [f32; 3]| tip.map(|x| 0.3 * x)).to_vec(),
        normals: tips.to_vec(),
        coordinates: vec![[0.0; 2]; 6],
        faces: (0..4).flat_map(|i| [[i, (i + 1) % 4, 4], [(i + 1) % 4, i, 5]]).collect(),
        color: [1.0, 0.5, 0.0, 1.0],
        texture: None,
        double_sided: false,
    };
    let corners = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]];
    let board = Shape {
        place: 1,
        positions: corners.map(|[x, y]: [f32; 2]| [50.0 * x, 50.0 * y, -0.5]).to_vec(),
        normals: vec![[0.0, 0.0, 1.0]; 4],
        coordinates: corners.map(|corner| corner.map(|x| 20.0 * x)).to_vec(),
        faces: vec![[0, 1, 2], [0, 2, 3]],
        color: [1.0; 4],
        texture: Some(Texture { width: 2, height: 1, texels: vec![0, 0, 0, 255, 255, 255] }),
        double_sided: false,
    };
    vec![octahedron, board]
}

#[test]
fn drawing_allocates_nothing() {
    let mut renderer = Renderer::new(shapes(), 64, 48);
    let mut image = vec![0; 64 * 48 * 3];
    // Looks along +y from 2 m; near 0.1 m, far 50 m.
    let view = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, -2.0, 1.0];
    let projection = [1.3, 0.0, 0.0, 0.0, 0.0, 1.7, 0.0, 0.0, 0.0, 0.0, -1.004, -1.0, 0.0, 0.0, -0.2004, 0.0];
    let eye = Eye { view, projection, light_direction: [0.0, -1.0, 1.0], shadow: true };
    let mut counts = vec![];
    for step in 0..50 {
        let angle = step as f32 * 0.1;
        renderer.poses()[0][3] = angle.sin();
        renderer.poses()[0][7] = 1.0 + angle.cos();
        let before = COUNT.with(Cell::get);
        renderer.render(&eye, &mut image);
        counts.push(COUNT.with(Cell::get) - before);
        let colors = image.chunks_exact(3).filter(|pixel| pixel[2] == 0 && pixel[0] > 0).count();
        assert!(colors > 0, "the octahedron is seen in step {step}: {colors} pixels");
    }
    assert!(counts[0] > 0, "preparing normals allocates, so this test can count");
    assert_eq!(counts[2..].iter().sum::<usize>(), 0, "{counts:?}");
}
