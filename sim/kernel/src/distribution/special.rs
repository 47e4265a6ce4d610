//! The functions of analysis that the formulas need, on `libm`.

/// Φ: the share of a standard Gaussian that does not exceed `z`.
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * core::f64::consts::FRAC_1_SQRT_2)
}

/// Φ⁻¹: the value that the share `p` of a standard Gaussian does not exceed; relative error about 10^-16.
///
/// Wichura, "Algorithm AS 241: the percentage points of the normal distribution" (1988), routine PPND16.
#[expect(clippy::unreadable_literal, clippy::excessive_precision, reason = "as printed in the paper")]
#[inline]
pub fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        let above = [
            2.5090809287301226727e+3,
            3.3430575583588128105e+4,
            6.7265770927008700853e+4,
            4.5921953931549871457e+4,
            1.3731693765509461125e+4,
            1.9715909503065514427e+3,
            1.3314166789178437745e+2,
            3.3871328727963666080e+0,
        ];
        let beneath = [
            5.2264952788528545610e+3,
            2.8729085735721942674e+4,
            3.9307895800092710610e+4,
            2.1213794301586595867e+4,
            5.3941960214247511077e+3,
            6.8718700749205790830e+2,
            4.2313330701600911252e+1,
            1.0,
        ];
        return q * polynomial(above, r) / polynomial(beneath, r);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail <= 0.0 {
        return if q < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let r = libm::sqrt(-libm::log(tail));
    let size = if r <= 5.0 {
        let above = [
            7.74545014278341407640e-4,
            2.27238449892691845833e-2,
            2.41780725177450611770e-1,
            1.27045825245236838258e+0,
            3.64784832476320460504e+0,
            5.76949722146069140550e+0,
            4.63033784615654529590e+0,
            1.42343711074968357734e+0,
        ];
        let beneath = [
            1.05075007164441684324e-9,
            5.47593808499534494600e-4,
            1.51986665636164571966e-2,
            1.48103976427480074590e-1,
            6.89767334985100004550e-1,
            1.67638483018380384940e+0,
            2.05319162663775882187e+0,
            1.0,
        ];
        polynomial(above, r - 1.6) / polynomial(beneath, r - 1.6)
    } else {
        let above = [
            2.01033439929228813265e-7,
            2.71155556874348757815e-5,
            1.24266094738807843860e-3,
            2.65321895265761230930e-2,
            2.96560571828504891230e-1,
            1.78482653991729133580e+0,
            5.46378491116411436990e+0,
            6.65790464350110377720e+0,
        ];
        let beneath = [
            2.04426310338993978564e-15,
            1.42151175831644588870e-7,
            1.84631831751005468180e-5,
            7.86869131145613259100e-4,
            1.48753612908506148525e-2,
            1.36929880922735805310e-1,
            5.99832206555887937690e-1,
            1.0,
        ];
        polynomial(above, r - 5.0) / polynomial(beneath, r - 5.0)
    };
    if q < 0.0 { -size } else { size }
}

/// Coefficients from the highest power down.
#[inline]
fn polynomial(coefficients: [f64; 8], x: f64) -> f64 {
    coefficients.into_iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

/// (e^x − 1) / x, and its limit 1 at 0.
pub(super) fn growth(x: f64) -> f64 {
    if x.abs() > 1e-8 { libm::expm1(x) / x } else { 1.0 + x * 0.5 }
}

/// The share of a gamma of scale 1 that does not exceed `x`: the regularised lower incomplete gamma function, by its
/// series below shape + 1 and by Lentz's continued fraction above (Press et al., "Numerical Recipes", section 6.2).
#[expect(clippy::many_single_char_names, reason = "the names of Lentz's algorithm")]
pub(super) fn gamma_cdf(shape: f64, x: f64) -> f64 {
    // Convergence takes a few times sqrt(shape) steps; the limit is never met by the shapes the constructors allow.
    const STEPS: u32 = 20_000_000;
    if x <= 0.0 {
        return 0.0;
    }
    if x == f64::INFINITY {
        return 1.0;
    }
    let front = libm::exp(shape * libm::log(x) - x - libm::lgamma(shape));
    if x < shape + 1.0 {
        let (mut term, mut sum) = (1.0 / shape, 1.0 / shape);
        for step in 1..STEPS {
            term *= x / (shape + f64::from(step));
            sum += term;
            if term < sum * f64::EPSILON {
                break;
            }
        }
        return (sum * front).min(1.0);
    }
    let mut b = x + 1.0 - shape;
    let mut c = 1.0 / f64::MIN_POSITIVE;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for step in 1..STEPS {
        let step = f64::from(step);
        let a = -step * (step - shape);
        b += 2.0;
        d = 1.0 / away_from_zero(a * d + b);
        c = away_from_zero(b + a / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    (1.0 - front * fraction).max(0.0)
}

fn away_from_zero(x: f64) -> f64 {
    if x.abs() < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { x }
}

/// The least number between `low` and `high` at which `reached`, which stays true once it is; `high` if nowhere before.
pub(super) fn least(mut low: f64, mut high: f64, reached: impl Fn(f64) -> bool) -> f64 {
    // An answer within 2^-200 of the range is as good as the lower bound; neighbouring floats are met long before.
    const HALVINGS: u32 = 200;
    if reached(low) {
        return low;
    }
    for _ in 0..HALVINGS {
        let middle = low + (high - low) / 2.0;
        if !(low < middle && middle < high) {
            break;
        }
        if reached(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

/// The same over the whole numbers from 0, without an upper bound.
pub(super) fn least_whole(reached: impl Fn(u64) -> bool) -> u64 {
    if reached(0) {
        return 0;
    }
    let (mut low, mut high) = (0, 1);
    while !reached(high) && high < 1 << 60 {
        (low, high) = (high, high * 2);
    }
    while high - low > 1 {
        let middle = u64::midpoint(low, high);
        if reached(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_quantile_inverts_the_cdf_and_meets_the_tables() {
        for (p, z) in
            [(0.975, 1.959_963_984_540_054), (0.99, 2.326_347_874_040_841), (0.5, 0.0), (1e-9, -5.997_807_015)]
        {
            assert!((normal_quantile(p) - z).abs() < 1e-9, "{p}: {}", normal_quantile(p));
        }
        for n in 1..1000 {
            let p = f64::from(n) / 1000.0;
            assert!((normal_cdf(normal_quantile(p)) - p).abs() < 1e-15 * 4.0, "{p}");
        }
        for power in 4..16 {
            let p = libm::pow(10.0, -f64::from(power));
            assert!((normal_cdf(normal_quantile(p)) / p - 1.0).abs() < 1e-12, "{p}");
            assert!((normal_quantile(1.0 - p) + normal_quantile(p)).abs() < 1e-15 / p, "{p}");
        }
        assert!(normal_quantile(1.0) == f64::INFINITY && normal_quantile(0.0) == f64::NEG_INFINITY);
    }

    #[test]
    fn gamma_cdf_meets_its_closed_forms() {
        for n in 1..200 {
            let x = f64::from(n) * 0.25;
            let e = libm::exp(-x);
            assert!((gamma_cdf(1.0, x) - (1.0 - e)).abs() < 1e-14, "shape 1, {x}");
            assert!((gamma_cdf(3.0, x) - (1.0 - e * (1.0 + x + x * x / 2.0))).abs() < 1e-13, "shape 3, {x}");
            // χ² of one degree of freedom is the square of a Gaussian.
            let square = 2.0 * normal_cdf(libm::sqrt(2.0 * x)) - 1.0;
            assert!((gamma_cdf(0.5, x) - square).abs() < 1e-13, "shape 1/2, {x}");
        }
    }
}
