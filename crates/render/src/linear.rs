//! Vectors and matrices in single precision, each sum in the order in which TinyRenderer adds it.
//!
//! Sums run from the last element to the first and start at zero. No product is fused with a sum: Rust never does.

/// Homogeneous coordinates.
pub type Vector4 = [f32; 4];

/// A 4 x 4 matrix, by rows.
pub type Matrix = [Vector4; 4];

#[inline(always)]
pub fn dot4(a: Vector4, b: Vector4) -> f32 {
    (((0.0 + a[3] * b[3]) + a[2] * b[2]) + a[1] * b[1]) + a[0] * b[0]
}

/// A matrix by columns, to multiply many vectors with.
#[inline(always)]
pub fn columns(matrix: &Matrix) -> [Vector4; 4] {
    std::array::from_fn(|j| std::array::from_fn(|i| matrix[i][j]))
}

/// Product of a matrix, given by columns, and a vector.
#[inline(always)]
pub fn transform(columns: &[Vector4; 4], vector: Vector4) -> Vector4 {
    let mut result = [0.0; 4];
    for j in (0..4).rev() {
        for i in 0..4 {
            result[i] += columns[j][i] * vector[j];
        }
    }
    result
}

/// Product of two matrices.
#[inline(always)]
pub fn product(a: &Matrix, b: &Matrix) -> Matrix {
    a.map(|row| {
        let mut result = [0.0; 4];
        for (j, element) in result.iter_mut().enumerate() {
            *element = (((0.0 + row[3] * b[3][j]) + row[2] * b[2][j]) + row[1] * b[1][j]) + row[0] * b[0][j];
        }
        result
    })
}

/// The matrix given by columns, as graphics libraries store it.
pub fn from_columns(columns: &[f32; 16]) -> Matrix {
    std::array::from_fn(|i| std::array::from_fn(|j| columns[i + 4 * j]))
}

/// The matrix given by rows.
pub fn from_rows(rows: &[f32; 16]) -> Matrix {
    std::array::from_fn(|i| std::array::from_fn(|j| rows[4 * i + j]))
}

/// Transposed inverse, by cofactors.
pub fn inverse_transpose(matrix: &Matrix) -> Matrix {
    let adjugate: Matrix = std::array::from_fn(|i| std::array::from_fn(|j| cofactor4(matrix, i, j)));
    let determinant = dot4(adjugate[0], matrix[0]);
    adjugate.map(|row| row.map(|element| element / determinant))
}

/// The rows and columns that are left without `removed`.
const OTHERS: [[usize; 3]; 4] = [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]];

#[inline(always)]
fn cofactor4(matrix: &Matrix, row: usize, column: usize) -> f32 {
    let ([r0, r1, r2], [c0, c1, c2]) = (OTHERS[row], OTHERS[column]);
    let [a, b, c] = [matrix[r0], matrix[r1], matrix[r2]];
    // Determinants of two rows are sums from the last element, too: -m01 m10 comes first.
    let second = |i: usize, j: usize| (0.0 + b[j] * -c[i]) + b[i] * c[j];
    let minor = ((0.0 + a[c2] * second(c0, c1)) + a[c1] * -second(c0, c2)) + a[c0] * second(c1, c2);
    if (row + column).is_multiple_of(2) { minor } else { -minor }
}

pub fn length(v: [f32; 3]) -> f32 {
    (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]).sqrt()
}

/// A vector times the reciprocal of its length: not quite of length 1, so doing it again may change it again.
pub fn normalize(v: [f32; 3]) -> [f32; 3] {
    let scale = 1.0 / length(v);
    v.map(|element| element * scale)
}

pub fn cross(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// Cross product in double precision.
pub fn cross64(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// Dot product in double precision, from the first element to the last.
pub fn dot64(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Difference in double precision.
pub fn minus64(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

/// C's conversion to an integer on the machines of this renderer: numbers out of range give the smallest integer.
#[inline(always)]
pub fn truncate(x: f32) -> i32 {
    if (-2_147_483_648.0..2_147_483_648.0).contains(&x) { x as i32 } else { i32::MIN }
}

/// The whole part of a number from 0 to below 2^22: [`truncate`] in a form that the compiler vectorises.
#[inline(always)]
pub fn whole(x: f32) -> u32 {
    // Numbers of this size have nothing behind the point, so the sum is rounded to a whole number, maybe upwards.
    const LARGE: f32 = 8_388_608.0;
    let rounded = x + LARGE;
    (rounded.to_bits() & 0x7f_ffff).wrapping_sub(u32::from(rounded - LARGE > x))
}

/// The smaller; `b` if they do not compare.
#[inline(always)]
pub fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// The larger; `b` if they do not compare.
#[inline(always)]
pub fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}
