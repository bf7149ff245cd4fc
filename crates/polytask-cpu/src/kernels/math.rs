//! Branch-free elementary functions that the compiler turns into vector instructions.

/// `e^x` with a relative error below 2e-7; saturates where f32 would overflow or vanish.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    const SHIFT: f32 = 12_582_912.0; // 1.5 * 2^23: adding it leaves the rounded integer in the low mantissa bits
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + SHIFT;
    let n = shifted - SHIFT;
    // ln 2 in two parts, so that n * ln 2 is subtracted without loss.
    let r = (x - n * 0.693_359_4) + n * 2.121_944_4e-4;
    // Taylor polynomial of e^r on |r| <= ln(2) / 2.
    let mut p = 1.984_127e-4;
    p = p * r + 1.388_888_9e-3;
    p = p * r + 8.333_334e-3;
    p = p * r + 4.166_666_8e-2;
    p = p * r + 0.166_666_67;
    p = p * r + 0.5;
    p = p * r * r + r + 1.0;
    let scale = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    p * scale
}

/// `1 / (1 + e^-x)`
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// `tanh x`
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    // Near zero 1 - 2 / (e^2x + 1) cancels; there a minimax polynomial stands in.
    let z = x * x;
    let mut p = -5.704_988_7e-3;
    p = p * z + 2.063_909e-2;
    p = p * z - 5.373_971_6e-2;
    p = p * z + 1.333_144_2e-1;
    p = p * z - 3.333_328e-1;
    let small = p * z * x + x;
    let large = (1.0 - 2.0 / (exp(2.0 * x.abs()) + 1.0)).copysign(x);
    if z < 0.390_625 { small } else { large }
}

/// `cos(2 pi t)`, absolute error below 3e-7 and what rounding `t` makes of it.
#[inline(always)]
pub(crate) fn cosine(t: f32) -> f32 {
    const SHIFT: f32 = 12_582_912.0; // as of exp
    // Where far from 0 the fraction of a turn is lost, so is the cosine.
    let t = t.clamp(-4e6, 4e6);
    let fraction = t - ((t + SHIFT) - SHIFT);
    // From the quarter turn on, where it is a sine of at most a quarter.
    let x = (0.25 - fraction.abs()) * std::f32::consts::TAU;
    let z = x * x;
    let mut p = -2.505_210_8e-8;
    p = p * z + 2.755_731_9e-6;
    p = p * z - 1.984_127e-4;
    p = p * z + 8.333_333e-3;
    p = p * z - 0.166_666_67;
    p * z * x + x
}

/// Standard normal distribution function, absolute error below 1.5e-7 (Abramowitz and Stegun 7.1.26), and density.
#[inline(always)]
pub(crate) fn normal(x: f32) -> [f32; 2] {
    let t = 1.0 / (1.0 + 0.327_591_1 * (x.abs() * std::f32::consts::FRAC_1_SQRT_2));
    let mut p = 1.061_405_4;
    p = p * t - 1.453_152_1;
    p = p * t + 1.421_413_8;
    p = p * t - 0.284_496_72;
    p = p * t + 0.254_829_6;
    let e = exp(-0.5 * x * x);
    let tail = 0.5 * p * t * e;
    [if x < 0.0 { tail } else { 1.0 - tail }, e * 0.398_942_3]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agree_with_the_standard_library() {
        for i in -8000..8000 {
            let x = i as f32 * 0.01;
            let wide = f64::from(x);
            assert!((f64::from(exp(x)) / wide.exp() - 1.0).abs() < 2e-7, "exp {x}");
            assert!((f64::from(sigmoid(x)) - 1.0 / (1.0 + (-wide).exp())).abs() < 2e-7, "sigmoid {x}");
            assert!((f64::from(tanh(x)) - wide.tanh()).abs() < 2e-7, "tanh {x}");
            let turns = std::f64::consts::TAU * wide;
            assert!((f64::from(cosine(x)) - turns.cos()).abs() < 3e-7, "cosine {x}");
        }
        // Table values of the normal distribution function.
        for (x, p) in [(-2.0, 0.022_750_13), (-0.5, 0.308_537_54), (0.0, 0.5), (1.0, 0.841_344_8), (3.0, 0.998_650_1)] {
            assert!((normal(x)[0] - p).abs() < 3e-7, "cdf {x}");
        }
        assert!((normal(1.0)[1] - 0.241_970_72).abs() < 1e-7, "density");
        assert_eq!(exp(1e9), exp(88.0));
        assert!(exp(f32::NAN).is_nan(), "a NaN must not be hidden");
    }
}
