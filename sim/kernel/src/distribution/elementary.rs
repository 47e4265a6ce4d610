//! Logarithm and exponential for draws: short and inlined, faster than `libm`'s, and like them the same bits on every
//! machine, since they are additions, multiplications and tables that the compiler computes in exact IEEE arithmetic.
//!
//! Both reduce their argument by a table of 128 entries and finish with a short Taylor polynomial (Tang, "Table-driven
//! implementation of the exponential / logarithm function in IEEE floating-point arithmetic", 1989 and 1990). Errors are
//! a few units in the last place, far below what the 2^-53 grain of a draw's uniform word does.

/// ln 2 in two parts; the first ends in 21 zero bits, so that its product with a small whole number is exact.
const LN2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN2_LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);

/// Where the range of the reduced argument of `ln` begins: 0.6875, so that 1 lies between two of the 128 intervals.
const START: u64 = 0x3fe6_0000_0000_0000;
const INTERVALS: usize = 128;
/// The two intervals that touch 1. Their centre is taken to be 1, where the logarithm is 0 and must stay exact.
const BELOW_ONE: usize = 79;
const ABOVE_ONE: usize = 80;

/// Per interval 1 / c for a c near its middle, and ln c.
static CENTRES: [(f64, f64); INTERVALS] = centres();
/// 2^(i/128).
static POWERS: [f64; INTERVALS] = powers();

/// The natural logarithm of a positive normal number. Its error is below 2^-51 of max(1, |ln x|), and below 2^-50 of
/// |ln x| itself within 1/256 of 1, where small exponentials come from.
#[inline]
pub(super) fn ln(x: f64) -> f64 {
    let offset = x.to_bits().wrapping_sub(START);
    let interval = (offset >> 45) as usize % INTERVALS;
    let exponent = (offset as i64 >> 52) as f64;
    let reduced = f64::from_bits(x.to_bits().wrapping_sub(offset & 0xfff << 52));
    let (inverse, log) = CENTRES[interval];
    let r = reduced * inverse - 1.0;
    let square = r * r;
    // ln(1 + r) − r, with |r| ≤ 2^-7, in pairs so that the multiplications overlap.
    let high = (1.0 / 7.0 - r * 0.125) * square + (0.2 - r * (1.0 / 6.0));
    let rest = (high * square + (1.0 / 3.0 - r * 0.25)) * r - 0.5;
    exponent * LN2_HIGH + log + (r + (rest * square + exponent * LN2_LOW))
}

/// e^x. Relative error below 2^-50.
#[inline]
pub(super) fn exp(x: f64) -> f64 {
    const PER_LN2: f64 = 128.0 / core::f64::consts::LN_2;
    /// Adding and subtracting it rounds to a whole number, which then stands in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    if x.abs() > 700.0 {
        return libm::exp(x);
    }
    let shifted = x * PER_LN2 + ROUND;
    let steps = shifted.to_bits().wrapping_sub(ROUND.to_bits());
    let whole = shifted - ROUND;
    let r = (x - whole * (LN2_HIGH / 128.0)) - whole * (LN2_LOW / 128.0);
    let power = POWERS[steps as usize % INTERVALS].to_bits();
    let scale = f64::from_bits(power.wrapping_add((steps as i64 >> 7 << 52) as u64));
    let square = r * r;
    let rest = (0.5 + r * (1.0 / 6.0)) + square * (1.0 / 24.0 + r * (1.0 / 120.0));
    scale + scale * (r + square * rest)
}

const fn centres() -> [(f64, f64); INTERVALS] {
    let mut table = [(1.0, 0.0); INTERVALS];
    let mut interval = 0;
    while interval < INTERVALS {
        if interval != BELOW_ONE && interval != ABOVE_ONE {
            let middle = f64::from_bits(START + ((interval as u64) << 45) + (1 << 44));
            let inverse = 1.0 / middle;
            // ln c = −ln(1/c) = 2 atanh((1 − 1/c) / (1 + 1/c)), by its series, from the small terms up.
            let z = (1.0 - inverse) / (1.0 + inverse);
            let (mut sum, mut order) = (0.0, 41);
            while order > 0 {
                sum = sum * z * z + 1.0 / order as f64;
                order -= 2;
            }
            table[interval] = (inverse, 2.0 * z * sum);
        }
        interval += 1;
    }
    table
}

const fn powers() -> [f64; INTERVALS] {
    let mut table = [1.0; INTERVALS];
    let mut step = 0;
    while step < INTERVALS {
        let x = step as f64 / 128.0 * core::f64::consts::LN_2;
        let (mut sum, mut order) = (1.0, 24);
        while order > 0 {
            sum = 1.0 + sum * x / order as f64;
            order -= 1;
        }
        table[step] = sum;
        step += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    #[test]
    fn logarithm_and_exponential_agree_with_libm() {
        let (mut worst_ln, mut worst_near_one, mut worst_exp) = (0.0_f64, 0.0_f64, 0.0_f64);
        for n in 0..300_000 {
            let word = Key(1).draw(n, 0, 0).bits();
            // Every exponent that a draw can meet, 2^-60 to 2^60.
            let x = f64::from_bits(((963 + n % 120) << 52) | word >> 12);
            worst_ln = worst_ln.max((ln(x) - libm::log(x)).abs() / libm::log(x).abs().max(1.0));
            let near = 1.0 + (word as f64 / 2e19 - 0.45) / (1_u64 << (n % 40)) as f64 / 128.0;
            let wanted = libm::log(near);
            worst_near_one = worst_near_one.max((ln(near) - wanted).abs() / wanted.abs().max(f64::MIN_POSITIVE));
            let power = (word as f64 / 2e19 - 0.45) * (n % 1500) as f64;
            worst_exp = worst_exp.max((exp(power) / libm::exp(power) - 1.0).abs());
        }
        assert!(worst_ln < 4.5e-16, "{worst_ln}");
        assert!(worst_near_one < 9e-16, "{worst_near_one}");
        assert!(worst_exp < 9e-16, "{worst_exp}");
        assert_eq!((ln(1.0).to_bits(), exp(0.0).to_bits()), (0, 1.0_f64.to_bits()));
    }

    #[test]
    fn logarithm_does_not_decrease_across_the_intervals() {
        for interval in 0..INTERVALS as u64 {
            let edge = f64::from_bits(START + (interval << 45));
            for exponent in [-50, -3, 0, 4] {
                let edge = edge * libm::pow(2.0, f64::from(exponent));
                assert!(ln(edge.next_down()) <= ln(edge) + 2.3e-16 * libm::log(edge).abs().max(1.0), "{edge}");
            }
        }
    }
}
