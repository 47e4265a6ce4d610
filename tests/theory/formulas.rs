//! The closed forms, computed here from rates alone: nothing of the simulator is used. Rates are per second, results in
//! seconds, shares of 1, or plain numbers.

/// Erlang's B formula by its recursion: the share of arrivals that find all of `workers` busy, offered `load` erlangs.
pub(crate) fn erlang_b(workers: u32, load: f64) -> f64 {
    (1..=workers).fold(1.0, |blocked, worker| load * blocked / (f64::from(worker) + load * blocked))
}

/// Erlang's C formula: the share of arrivals that wait when there is a queue before them.
pub(crate) fn erlang_c(workers: u32, load: f64) -> f64 {
    let blocked = erlang_b(workers, load);
    blocked / (1.0 - load / f64::from(workers) * (1.0 - blocked))
}

/// Mean time in an M/M/c station.
pub(crate) fn many_servers_stay(workers: u32, arrivals: f64, served: f64) -> f64 {
    1.0 / served + erlang_c(workers, arrivals / served) / (f64::from(workers) * served - arrivals)
}

/// Pollaczek and Khinchine: mean wait before one server whose work has mean 1 s and this squared coefficient of variation.
pub(crate) fn one_server_wait(arrivals: f64, squared_variation: f64) -> f64 {
    arrivals * (1.0 + squared_variation) / (2.0 * (1.0 - arrivals))
}

/// M/M/1/K with served = 1/s: the share dropped, and the mean stay of what is not.
pub(crate) fn bounded(room: i32, arrivals: f64) -> (f64, f64) {
    let weights: f64 = (0..=room).map(|n| arrivals.powi(n)).sum();
    let inside: f64 = (0..=room).map(|n| f64::from(n) * arrivals.powi(n)).sum::<f64>() / weights;
    let dropped = arrivals.powi(room) / weights;
    (dropped, inside / (arrivals * (1.0 - dropped)))
}

/// The sum of independent exponential times of different rates: the share above `time`, and the density there (Ross,
/// *Introduction to Probability Models*, §5.2.4).
pub(crate) fn hypoexponential(rates: &[f64], time: f64) -> (f64, f64) {
    let (mut above, mut density) = (0.0, 0.0);
    for (place, &rate) in rates.iter().enumerate() {
        let others = rates.iter().enumerate().filter(|(other, _)| *other != place);
        let weight: f64 = others.map(|(_, other)| other / (other - rate)).product();
        above += weight * exp(-rate * time);
        density += rate * weight * exp(-rate * time);
    }
    (above, density)
}

/// Where this share is left above, by bisection.
pub(crate) fn hypoexponential_above(rates: &[f64], share: f64) -> f64 {
    let (mut below, mut above) = (0.0, 1000.0);
    for _ in 0..100 {
        let middle = f64::midpoint(below, above);
        if hypoexponential(rates, middle).0 > share {
            below = middle;
        } else {
            above = middle;
        }
    }
    below
}

#[expect(clippy::disallowed_methods, reason = "compared within eight digits, where platforms agree")]
fn exp(exponent: f64) -> f64 {
    exponent.exp()
}
