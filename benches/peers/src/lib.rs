//! What all of them have in common: the workloads with their numbers, one generator of random numbers, and how a run is told.
//!
//! A binary takes a workload and how much of it there is to do, and prints one line: workload, events, seconds, check value.
//! The check value says that the same work was done: the clock at the end in milliseconds, and what was counted on the way.
//! Draws are made in the order of events, so wherever ties are broken by the order of scheduling both are equal.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp1};

/// Nanoseconds of a millisecond and of a second.
pub const MILLISECOND: u64 = 1_000_000;
/// Nanoseconds of a second.
pub const SECOND: u64 = 1_000_000_000;

/// Means of M/M/1: between arrivals, and of a service.
pub const ARRIVAL: u64 = SECOND * 5 / 4;
/// See above.
pub const SERVICE: u64 = SECOND;

/// Processes of PHOLD, the jobs each has at first, and the least delay; the mean of the rest is a second.
pub const PROCESSES: u32 = 1_024;
/// See above.
pub const JOBS: u32 = 16;
/// See above.
pub const LOOKAHEAD: u64 = SECOND / 10;

/// Pairs that play ping-pong, and how long a message is on its way.
pub const PAIRS: u32 = 1_000;
/// See above.
pub const LATENCY: u64 = MILLISECOND;

/// Callers, their timeout, and the mean time to a reply.
pub const CALLERS: u32 = 100_000;
/// See above.
pub const TIMEOUT: u64 = SECOND;
/// See above.
pub const REPLY: u64 = 10 * MILLISECOND;

/// Of each of the four stations, how many workers it has and its mean service; requests arrive with a mean of a millisecond
/// between them. The exact mean of a request is 20.63 ms.
pub const STATIONS: [(u32, u64); 4] =
    [(4, 2 * MILLISECOND), (10, 6 * MILLISECOND), (10, 6 * MILLISECOND), (10, 6 * MILLISECOND)];

/// Numbers for a workload; the same for all.
#[derive(Debug)]
pub struct Random(SmallRng);

impl Default for Random {
    fn default() -> Self {
        Self(SmallRng::seed_from_u64(1))
    }
}

impl Random {
    /// Exponential, in whole nanoseconds, at least one.
    #[inline]
    pub fn exponential(&mut self, mean: u64) -> u64 {
        let one: f64 = Exp1.sample(&mut self.0);
        (one * mean as f64) as u64 + 1
    }

    /// One of the first `n` numbers.
    #[inline]
    pub fn below(&mut self, n: u32) -> u32 {
        self.0.random_range(0..n)
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    /// What was done: arrivals and departures, jobs, messages, replies or requests.
    pub events: u64,
    /// In nanoseconds.
    pub clock: u64,
    /// Depends on the workload: customers seen at events, jobs at process 0, messages, timeouts, or the nanoseconds
    /// that all requests took.
    pub counted: u64,
}

/// Runs the workload that the arguments name, and tells what it took.
pub fn main(works: &[(&str, fn(u64) -> Done)]) {
    let mut arguments = std::env::args().skip(1);
    let (name, many) = (arguments.next().unwrap_or_default(), arguments.next().and_then(|text| text.parse().ok()));
    let work = works.iter().find(|(known, _)| *known == name);
    let (Some((_, work)), Some(many)) = (work, many) else {
        let known: Vec<&str> = works.iter().map(|(known, _)| *known).collect();
        eprintln!("which workload, and how much of it? {}", known.join(", "));
        std::process::exit(2);
    };
    let start = std::time::Instant::now();
    let Done { events, clock, counted } = work(many);
    let seconds = start.elapsed().as_secs_f64();
    println!("{name} {events} {seconds:.6} {:.3}/{:.4}", clock as f64 / 1e6, counted as f64 / events as f64);
}
