//! scratch
use std::time::Instant;
use tape::kernels::matmul::*;
fn bench(name: &str, m: usize, n: usize, k: usize, ta: bool, tb: bool) {
    let a = vec![1.0f32; m * k];
    let b = vec![1.0f32; k * n];
    let mut c = vec![0.0f32; m * n];
    let mut p = Panels::default();
    let left = || if ta { Matrix::new(&a, k, m).transposed() } else { Matrix::new(&a, m, k) };
    let right = || if tb { Matrix::new(&b, n, k).transposed() } else { Matrix::new(&b, k, n) };
    let reps = (1e9 / (2.0 * (m * n * k) as f64)) as usize + 1;
    let mut best = f64::MAX;
    for _ in 0..3 {
        let t = Instant::now();
        for _ in 0..reps {
            matmul(&mut c, left(), right(), false, &mut p);
        }
        best = best.min(t.elapsed().as_secs_f64());
    }
    println!("{name:20} {m:5} {n:5} {k:5}: {:.1} GFLOP/s", 2.0 * (m * n * k * reps) as f64 / best / 1e9);
}
fn main() {
    for d in [8, 16, 32] {
        println!("depth {d}");
        for (l, count, size, out) in
            [("h1", 961, 48, d), ("h2", 196, 16 * d, 2 * d), ("h3", 36, 32 * d, 4 * d), ("h4", 4, 64 * d, 8 * d)]
        {
            let images = (96 * 1024 / (count * size)).max(1);
            let rows = images * count;
            bench(&format!("enc {l} forward"), rows, out, size, false, false);
            bench(&format!("enc {l} kernel"), size, out, rows, true, false);
            bench(&format!("enc {l} input"), rows, size, out, false, true);
        }
        for (l, count, size, inp) in [
            ("h2", 1, 25 * 4 * d, 32 * d),
            ("h3", 25, 25 * 2 * d, 4 * d),
            ("h4", 169, 36 * d, 2 * d),
            ("h5", 900, 108, d),
        ] {
            let images = (96 * 1024 / (count * size)).max(1).min(32);
            let rows = images * count;
            bench(&format!("dec {l} forward"), rows, size, inp, false, true);
            bench(&format!("dec {l} kernel"), size, inp, rows, true, false);
            bench(&format!("dec {l} input"), rows, inp, size, false, false);
        }
        bench("mlp fwd", 128, 8 * d, 8 * d, false, false);
        bench("mlp kernel", 8 * d, 8 * d, 128, true, false);
        bench("mlp input", 128, 8 * d, 8 * d, false, true);
        bench("scan fwd", 4, 24 * d, 8 * d, false, false);
        bench("scan kernel", 8 * d, 24 * d, 4, true, false);
        bench("scan input", 4, 8 * d, 24 * d, false, true);
    }
}
