//! A quantity over time: exact integral, largest and smallest value, how long it stood at each value.
//!
//! A value that stood for no time at all (a request that found a free worker was in the queue for an instant) is not seen,
//! unless somebody glimpses it.

use kernel::{Histogram, Time};

use crate::outcome::LevelResult;

/// Values below this have a counter each.
const SMALL: usize = 256;

/// How long a level stood at each value, in nanoseconds: exact below 256, then by buckets of a histogram.
#[derive(Clone, Debug)]
pub(super) struct Occupancy {
    small: Vec<u64>,
    large: Histogram,
}

impl Occupancy {
    fn new() -> Self {
        Self { small: Vec::new(), large: Histogram::new(Histogram::PER_OP) }
    }

    #[inline]
    fn record(&mut self, value: i64, length: u64) {
        let value = value.max(0) as u64;
        if let Some(place) = self.small.get_mut(value as usize) {
            *place += length;
        } else {
            self.record_new(value, length);
        }
    }

    #[cold]
    fn record_new(&mut self, value: u64, length: u64) {
        if value >= SMALL as u64 {
            return self.large.record_n(value, length);
        }
        self.small.resize(value as usize + 1, 0);
        self.small[value as usize] += length;
    }

    /// All the time, in nanoseconds.
    pub(super) fn total(&self) -> u64 {
        self.small.iter().sum::<u64>() + self.large.count()
    }

    /// The integral.
    fn area(&self) -> u128 {
        let small: u128 = self.small.iter().zip(0_u128..).map(|(&length, value)| u128::from(length) * value).sum();
        small + self.large.sum()
    }

    /// The time-weighted mean; 0 without any time.
    pub(super) fn mean(&self) -> f64 {
        if self.total() == 0 { 0.0 } else { self.area() as f64 / self.total() as f64 }
    }

    /// The share of the time at a value below 256.
    pub(super) fn share_at(&self, value: usize) -> f64 {
        let length = self.small.get(value).copied().unwrap_or(0);
        if self.total() == 0 { 0.0 } else { length as f64 / self.total() as f64 }
    }

    /// The share of the time above zero.
    pub(super) fn share_above_zero(&self) -> f64 {
        let at_zero = self.small.first().copied().unwrap_or(0);
        if self.total() == 0 { 0.0 } else { (self.total() - at_zero) as f64 / self.total() as f64 }
    }

    /// The least value that is not exceeded during the share `q` of the time.
    pub(super) fn quantile(&self, q: f64) -> i64 {
        let rank = (q * self.total() as f64 * (1.0 - 4.0 * f64::EPSILON)).ceil() as u64;
        let mut below = 0;
        for (value, &length) in self.small.iter().enumerate() {
            below += length;
            if length > 0 && below >= rank {
                return value as i64;
            }
        }
        if self.large.is_empty() {
            return 0;
        }
        self.large.quantile((rank - below) as f64 / self.large.count() as f64) as i64
    }
}

/// The largest value and since when, and the smallest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extremes {
    pub(super) max: i64,
    pub(super) max_at: Time,
    pub(super) min: i64,
}

impl Extremes {
    /// Of no value at all.
    const NONE: Self = Self { max: i64::MIN, max_at: Time::ZERO, min: i64::MAX };

    /// There was a value.
    pub(super) fn seen(&self) -> bool {
        self.min <= self.max
    }

    #[inline]
    fn look(&mut self, value: i64, since: Time) {
        if value > self.max {
            (self.max, self.max_at) = (value, since);
        }
        if value < self.min {
            self.min = value;
        }
    }
}

/// A level. What happens at every change stands first; all that is worked out from it only when a window, batch or phase
/// ends is gathered by [`Level::settle`].
#[derive(Clone, Debug)]
pub(super) struct Level {
    pub(super) value: i64,
    last: Time,
    /// Time is kept until `last`: by small value how long it stood there since it was gathered.
    kept: Vec<u64>,
    /// A value above this one is the largest that was watched.
    ceiling: i64,
    /// By number: the sums that this level is part of.
    pub(super) sums: Vec<u32>,
    /// ∫ value dt from 0 until the time that was gathered last.
    area: i128,
    /// Its time is counted now.
    counting: bool,
    /// Its extremes are looked at now.
    watching: bool,
    pub(super) occupancy: Occupancy,
    pub(super) extremes: Extremes,
    /// The area at the beginning of each batch of the measured time, and at the end of the last.
    marks: Vec<i128>,
    window: (i128, Time, i64),
    means: Vec<f64>,
    peaks: Vec<i64>,
}

impl Level {
    pub(super) fn new(value: i64) -> Self {
        Self {
            value,
            last: Time::ZERO,
            kept: Vec::new(),
            ceiling: i64::MAX,
            sums: Vec::new(),
            area: 0,
            counting: false,
            watching: false,
            occupancy: Occupancy::new(),
            extremes: Extremes::NONE,
            marks: Vec::new(),
            window: (0, Time::ZERO, i64::MIN),
            means: Vec::new(),
            peaks: Vec::new(),
        }
    }

    /// The value changes by `by`.
    pub(super) fn change(&mut self, now: Time, by: i64) {
        self.keep(now);
        self.value += by;
    }

    /// The same, if the time at the last value has its place; otherwise nothing happens, and it gives false.
    #[expect(clippy::inline_always, reason = "it is the innermost loop of what is measured")]
    #[inline(always)]
    pub(super) fn change_known(&mut self, now: Time, by: i64) -> bool {
        if !self.sums.is_empty() {
            return false;
        }
        if now > self.last {
            // What is negative is too large a place.
            let Some(place) = self.kept.get_mut(self.value as usize).filter(|_| self.value <= self.ceiling) else {
                return false;
            };
            *place += now.0 - self.last.0;
            self.last = now;
        }
        self.value += by;
        true
    }

    /// Sees the value though it may not last.
    pub(super) fn glimpse(&mut self, now: Time) {
        if self.watching {
            self.extremes.look(self.value, now);
            self.ceiling = self.extremes.max;
        }
    }

    /// Its time is counted from here on, or no more; the same of its extremes. It has been settled.
    pub(super) fn turn(&mut self, counting: bool, watching: bool) {
        (self.counting, self.watching) = (counting, watching);
        self.ceiling = if watching { self.extremes.max } else { i64::MAX };
    }

    /// Keeps the time until now.
    #[inline]
    fn keep(&mut self, now: Time) {
        if now <= self.last {
            return;
        }
        let length = now.0 - self.last.0;
        if self.value > self.ceiling {
            (self.extremes.max, self.extremes.max_at) = (self.value, self.last);
            self.ceiling = self.value;
        }
        self.last = now;
        // What is negative is too large a place.
        match self.kept.get_mut(self.value as usize) {
            Some(place) => *place += length,
            None => self.keep_rest(length),
        }
    }

    /// Keeps the time at a value that has no place.
    #[inline(never)]
    fn keep_rest(&mut self, length: u64) {
        if (0..SMALL as i64).contains(&self.value) {
            self.kept.resize(self.value as usize + 1, 0);
            self.kept[self.value as usize] = length;
        } else {
            self.gather(self.value, length);
        }
    }

    /// It stood at a value for so long.
    fn gather(&mut self, value: i64, length: u64) {
        // A length of time fits a signed number, and the product of two of those fits this one.
        self.area += i128::from(value) * i128::from(length as i64);
        self.window.2 = self.window.2.max(value);
        if self.counting {
            self.occupancy.record(value, length);
        }
        if self.watching {
            self.extremes.min = self.extremes.min.min(value);
        }
    }

    /// Gathers what was kept until now: something ends here.
    pub(super) fn settle(&mut self, now: Time) {
        self.keep(now);
        let mut kept = std::mem::take(&mut self.kept);
        for (length, value) in kept.iter_mut().zip(0_i64..).filter(|(length, _)| **length > 0) {
            self.gather(value, std::mem::take(length));
        }
        self.kept = kept;
    }

    /// A batch of the measured time begins here.
    pub(super) fn mark(&mut self) {
        self.marks.push(self.area);
    }

    /// A time window ends at `now`.
    pub(super) fn close_window(&mut self, now: Time) {
        let (area, from, peak) = self.window;
        let length = now.since(from).0;
        if length > 0 {
            self.means.push((self.area - area) as f64 / length as f64);
            self.peaks.push(peak);
        }
        self.window = (self.area, now, i64::MIN);
    }

    /// ∫ value dt over the whole run. A negative one, which a number of requests cannot have, is told as the largest
    /// number: it equals no sum of times, so that Little's law reports it.
    pub(super) fn integral(&self) -> u128 {
        u128::try_from(self.area).unwrap_or(u128::MAX)
    }

    /// (integral, weight 1) per batch of equal length `nanoseconds`.
    pub(super) fn batches(&self, nanoseconds: f64) -> Vec<(f64, f64)> {
        self.marks.windows(2).map(|pair| ((pair[1] - pair[0]) as f64 / nanoseconds, 1.0)).collect()
    }

    /// For the outcome.
    pub(super) fn result(&self) -> LevelResult {
        let Extremes { max, max_at, .. } = if self.extremes.seen() {
            self.extremes
        } else {
            Extremes { max: self.value, max_at: self.last, min: self.value }
        };
        LevelResult {
            mean: self.occupancy.mean(),
            max,
            max_at,
            end: self.value,
            percentiles: [0.5, 0.9, 0.99].map(|q| self.occupancy.quantile(q)),
            window_mean: self.means.clone(),
            window_max: self.peaks.clone(),
        }
    }
}
