//! Conversions between f32 and bfloat16, which is f32 without the last 16 bits of its significand: the same range, and a
//! relative rounding error of up to 1/256.

/// The nearest bfloat16, ties to even; NaN stays NaN.
#[inline(always)]
pub(crate) fn nearest(x: f32) -> u16 {
    let bits = x.to_bits();
    if x.is_nan() {
        return (bits >> 16) as u16 | 0x40;
    }
    ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16
}

/// The same number as an f32: every bfloat16 is one.
#[inline(always)]
pub(crate) fn widen(x: u16) -> f32 {
    f32::from_bits(u32::from(x) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_to_the_nearest() {
        let half = 1.0 / 256.0;
        for (x, expected) in [
            (1.0, 1.0),
            (1.0 + half, 1.0),
            (1.0 + 1.01 * half, 1.0 + 2.0 * half),
            (1.0 + 3.0 * half, 1.0 + 4.0 * half),
            (-1.0 - 0.99 * half, -1.0),
            (f32::INFINITY, f32::INFINITY),
            (f32::MAX, f32::INFINITY),
        ] {
            assert_eq!(widen(nearest(x)), expected, "{x}");
        }
        assert!(widen(nearest(f32::NAN)).is_nan());
        assert!(widen(nearest(f32::from_bits(0x7f80_0001))).is_nan());
    }
}
