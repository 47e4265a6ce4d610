//! A log-linear histogram of unsigned 64-bit values: exact count, sum, extremes and second moment; approximate quantiles.
//!
//! Every octave [2^e, 2^(e+1)) is cut into 2^k buckets of equal width, and everything below 2^k is exact, so a bucket's
//! midpoint is off by at most 2^-(k+1) of the value: 1/256 with 128 steps per octave (k = 7, one per op), 1/64 with 32
//! (k = 5, one per time window). The layout is that of HdrHistogram and of DDSketch's log-linear index, kept in integers
//! so that it is the same on every machine. An octave costs memory only once a value has fallen into it. Everything kept
//! is an integer and independent of the order of recording: merging is exactly the same as recording everything in one.

use alloc::vec::Vec;

/// Counts of values by magnitude, with what a chart and a threshold need.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Histogram {
    steps_log2: u32,
    /// Per octave 0 if nothing fell into it, else 1 + its row of buckets in `counts`; rows are in ascending order.
    rows: [u8; 64],
    counts: Vec<u64>,
    count: u64,
    sum: u128,
    squares: u128,
    min: u64,
    max: u64,
}

/// One non-empty bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bucket {
    /// The least value that falls into it.
    pub low: u64,
    /// The greatest value that falls into it (inclusive).
    pub high: u64,
    /// How many did.
    pub count: u64,
}

impl Histogram {
    /// Steps per octave (log2) for a whole run's histogram of one op: 128, relative error ≤ 1/256.
    pub const PER_OP: u32 = 7;
    /// Steps per octave (log2) for one time window: 32, relative error ≤ 1/64.
    pub const PER_WINDOW: u32 = 5;

    /// An empty histogram with 2^`steps_per_octave_log2` buckets per octave (1 ≤ log2 ≤ 16).
    pub const fn new(steps_per_octave_log2: u32) -> Self {
        assert!(1 <= steps_per_octave_log2 && steps_per_octave_log2 <= 16, "2 to 65536 steps per octave");
        Self {
            steps_log2: steps_per_octave_log2,
            rows: [0; 64],
            counts: Vec::new(),
            count: 0,
            sum: 0,
            squares: 0,
            min: u64::MAX,
            max: 0,
        }
    }

    /// Takes in one value.
    #[expect(clippy::inline_always, reason = "it is the innermost loop of what is measured")]
    #[inline(always)]
    pub fn record(&mut self, value: u64) {
        // Many a wait is for nothing, and adds to no sum. The first row of all is that of octave 0.
        if value == 0 && self.rows[0] > 0 {
            self.counts[0] = self.counts[0].wrapping_add(1);
            self.count = self.count.wrapping_add(1);
            self.min = 0;
            return;
        }
        let bucket = self.bucket(value);
        // Fewer than 2^64 values are ever recorded, so neither counts nor the sum can be full.
        self.counts[bucket] = self.counts[bucket].wrapping_add(1);
        self.count = self.count.wrapping_add(1);
        self.sum = self.sum.wrapping_add(u128::from(value));
        self.squares = self.squares.saturating_add(u128::from(value).wrapping_mul(u128::from(value)));
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Takes in one value if its octave has memory, and the histogram is one of an op; otherwise nothing happens, and it
    /// gives false. It calls nothing, so that whoever records in a small function needs to save no registers.
    #[expect(clippy::inline_always, reason = "it is the innermost loop of what is measured")]
    #[inline(always)]
    pub fn record_known(&mut self, value: u64) -> bool {
        let octave = (64 - value.leading_zeros()).saturating_sub(Self::PER_OP);
        let step = (value >> octave.saturating_sub(1)) & ((1 << Self::PER_OP) - 1);
        let row = u64::from(self.rows[octave as usize % 64]);
        if row == 0 || self.steps_log2 != Self::PER_OP {
            return false;
        }
        let Some(place) = self.counts.get_mut(((row - 1) << Self::PER_OP | step) as usize) else { return false };
        *place = place.wrapping_add(1);
        self.count = self.count.wrapping_add(1);
        self.min = self.min.min(value);
        if value > 0 {
            self.sum = self.sum.wrapping_add(u128::from(value));
            self.squares = self.squares.saturating_add(u128::from(value).wrapping_mul(u128::from(value)));
            self.max = self.max.max(value);
        }
        true
    }

    /// Takes in the same value `n` times.
    pub fn record_n(&mut self, value: u64, n: u64) {
        if n == 0 {
            return;
        }
        let bucket = self.bucket(value);
        self.counts[bucket] += n;
        self.count += n;
        self.sum += u128::from(value) * u128::from(n);
        let square = u128::from(value) * u128::from(value);
        self.squares = self.squares.saturating_add(square.saturating_mul(u128::from(n)));
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Takes in everything `other` holds, which must have as many steps per octave.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.steps_log2, other.steps_log2, "only histograms of the same steps merge");
        let width = 1_usize << self.steps_log2;
        for (from, octave) in other.octaves().enumerate() {
            let to = self.row(octave);
            let theirs = &other.counts[from * width..][..width];
            // No bucket has more than all have, and their sum is looked at below: four at a time may be added here.
            for (mine, theirs) in self.counts[to * width..][..width].iter_mut().zip(theirs) {
                *mine = mine.wrapping_add(*theirs);
            }
        }
        self.count += other.count;
        self.sum += other.sum;
        self.squares = self.squares.saturating_add(other.squares);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Forgets every value; keeps the memory.
    pub fn clear(&mut self) {
        self.counts.clear();
        self.rows = [0; 64];
        (self.count, self.sum, self.squares, self.min, self.max) = (0, 0, 0, u64::MAX, 0);
    }

    /// How many values were recorded.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether nothing was recorded: then every statistic below is 0 and means nothing.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The exact sum.
    pub fn sum(&self) -> u128 {
        self.sum
    }

    /// The exact least value; 0 if there is none.
    pub fn min(&self) -> u64 {
        if self.count == 0 { 0 } else { self.min }
    }

    /// The exact greatest value; 0 if there is none.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// The mean, exact but for one rounding; 0 if there is none.
    pub fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum as f64 / self.count as f64 }
    }

    /// The variance of the values (divided by n − 1; 0 below two values), exact but for the last roundings.
    ///
    /// The sum of squares is kept in 128 bits: 10^8 values of 10^12 ns (17 minutes) fill a millionth of it. Should it ever
    /// be full, the answer is infinite.
    pub fn variance(&self) -> f64 {
        if self.count < 2 {
            return 0.0;
        }
        if self.squares == u128::MAX {
            return f64::INFINITY;
        }
        // About the whole part w of the mean, with sum = w·n + r, all in integers:
        // Σ(x − w)² = Σx² − w·(sum + r), and Σ(x − mean)² is that less r²/n.
        let n = u128::from(self.count);
        let (whole, rest) = (self.sum / n, self.sum % n);
        let about_whole = self.squares - whole * (self.sum + rest);
        let about_mean = about_whole as f64 - rest as f64 * rest as f64 / self.count as f64;
        about_mean.max(0.0) / (self.count - 1) as f64
    }

    /// The standard deviation of the values; see [`Histogram::variance`].
    pub fn deviation(&self) -> f64 {
        libm::sqrt(self.variance())
    }

    /// The least value that at least the share `q` (0 to 1) of all values do not exceed; 0 if there is none.
    ///
    /// It is the midpoint of that value's bucket, kept within the exact extremes: off by at most 1/256 of the value with
    /// 128 steps per octave, 1/64 with 32; exact below 2^k, and at q = 0 and q = 1.
    pub fn quantile(&self, q: f64) -> u64 {
        if self.count == 0 {
            return 0;
        }
        // The factor takes back what q·n may have gained in rounding: 0.07 · 100 is 7, not 8.
        let rank = libm::ceil(q.clamp(0.0, 1.0) * self.count as f64 * (1.0 - 4.0 * f64::EPSILON)) as u64;
        let rank = rank.clamp(1, self.count);
        if rank == 1 {
            return self.min;
        }
        if rank == self.count {
            return self.max;
        }
        let mut below = 0;
        let width = 1_usize << self.steps_log2;
        for (octave, row) in self.octaves().zip(self.counts.chunks_exact(width)) {
            // Together they are at most `count`: four at a time may be added.
            let here = row.iter().fold(0_u64, |sum, count| sum.wrapping_add(*count));
            if below + here < rank {
                below += here;
                continue;
            }
            let step = row.iter().position(|&count| {
                below = below.wrapping_add(count);
                below >= rank
            });
            let low = self.low(octave, step.unwrap_or(0) as u64);
            return (low + Self::width(octave) / 2).clamp(self.min, self.max);
        }
        self.max
    }

    /// The share of values that do not exceed `value`, as far as buckets tell: the bucket `value` lies in counts whole.
    pub fn share_at_most(&self, value: u64) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        let within: u64 = self.buckets().take_while(|bucket| bucket.low <= value).map(|bucket| bucket.count).sum();
        within as f64 / self.count as f64
    }

    /// The non-empty buckets in ascending order.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> + '_ {
        let width = 1_usize << self.steps_log2;
        self.octaves().zip(self.counts.chunks_exact(width)).flat_map(move |(octave, row)| {
            row.iter().enumerate().filter(|(_, count)| **count > 0).map(move |(step, &count)| {
                let low = self.low(octave, step as u64);
                Bucket { low, high: low + Self::width(octave), count }
            })
        })
    }

    /// The bytes its buckets occupy.
    pub fn memory(&self) -> usize {
        self.counts.capacity() * size_of::<u64>()
    }

    /// The octave and the step in it where `value` is counted. Octave 0 holds 0 to 2^k − 1, one value each; octave i
    /// holds [2^(k+i−1), 2^(k+i)), 2^(i−1) values each.
    #[inline]
    fn place(&self, value: u64) -> (usize, usize) {
        let k = self.steps_log2;
        let octave = (64 - value.leading_zeros()).saturating_sub(k);
        let step = value >> octave.saturating_sub(1);
        (octave as usize, step as usize & ((1 << k) - 1))
    }

    /// The least value of a bucket.
    fn low(&self, octave: usize, step: u64) -> u64 {
        if octave == 0 { step } else { (step | 1 << self.steps_log2) << (octave - 1) }
    }

    /// How much greater the greatest value of a bucket is than its least.
    const fn width(octave: usize) -> u64 {
        (1 << octave.saturating_sub(1)) - 1
    }

    /// The index in `counts` where `value` is counted.
    #[expect(clippy::inline_always, reason = "it is the innermost loop of what is measured")]
    #[inline(always)]
    fn bucket(&mut self, value: u64) -> usize {
        let (octave, step) = self.place(value);
        (self.row(octave) << self.steps_log2) + step
    }

    fn octaves(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.rows.len()).filter(|octave| self.rows[*octave] > 0)
    }

    /// The row of an octave, made if need be.
    #[inline]
    fn row(&mut self, octave: usize) -> usize {
        if self.rows[octave] == 0 {
            self.open(octave);
        }
        usize::from(self.rows[octave]) - 1
    }

    #[cold]
    fn open(&mut self, octave: usize) {
        let row = self.rows[..octave].iter().filter(|row| **row > 0).count();
        let (at, width, before) = (row << self.steps_log2, 1_usize << self.steps_log2, self.counts.len());
        self.counts.resize(before + width, 0);
        self.counts.copy_within(at..before, at + width);
        self.counts[at..at + width].fill(0);
        self.rows[octave] = row as u8 + 1;
        for later in self.rows[octave + 1..].iter_mut().filter(|later| **later > 0) {
            *later += 1;
        }
    }
}
