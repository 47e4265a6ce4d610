//! What is compared: the rows of the table of published values on quorums, staleness, availability and failover, and which
//! of them are left out.
//!
//! `main` checks these figures against the table where it is at hand. Sources: P. Bailis and others, "Probabilistically
//! Bounded Staleness for Practical Partial Quorums", PVLDB 5(8), 2012 (D-kstale and D-pbs); M. Naor, A. Wool, "The Load,
//! Capacity, and Availability of Quorum Systems", 1998 (D-load); D. Patterson, G. Gibson, R. Katz, "A Case for Redundant
//! Arrays of Inexpensive Disks", 1988 (D-mirror); K. Trivedi, "Probability and Statistics with Reliability, Queuing, and
//! Computer Science Applications" (D-quorumloss); D. Ongaro, J. Ousterhout, 2014 (D-raft); round trips between regions as
//! measured from Virginia in 2017 (D-geo); order statistics, M/G/∞, renewal theory and the binomial law (the others).

use Tolerance::{Absolute, Relative};

/// A number that was published.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) id: &'static str,
    /// In the unit of the row: milliseconds, hours, a share or a number.
    pub(crate) expected: f64,
    pub(crate) tolerance: Tolerance,
    /// If the figure is no closed form but another simulation's, and rounded: what the table's own simulation of the same
    /// model says, and half of its 99 % interval.
    pub(crate) model: Option<(f64, f64)>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Tolerance {
    Relative(f64),
    Absolute(f64),
}

impl Row {
    pub(crate) fn tolerance(&self) -> f64 {
        match self.tolerance {
            Relative(share) => share * self.expected,
            Absolute(tolerance) => tolerance,
        }
    }

    /// The most exact figure there is for what the row describes, and its standard error.
    pub(crate) fn reference(&self) -> (f64, f64) {
        // 2.576 standard errors are half of a 99 % interval.
        self.model.map_or((self.expected, 0.0), |(value, half)| (value, half / 2.576))
    }
}

const fn row(id: &'static str, expected: f64, tolerance: Tolerance, model: Option<(f64, f64)>) -> Row {
    Row { id, expected, tolerance, model }
}

/// The row of this name.
pub(crate) fn find(id: &str) -> &'static Row {
    ROWS.iter().find(|row| row.id == id).unwrap_or_else(|| panic!("{id} is no row"))
}

/// Rows of things that are not here, and why.
pub(crate) const LEFT_OUT: [(&str, &str); 5] = [
    ("D-copyset", "no store places its copies in copysets: a ring has as many as it has machines"),
    ("D-commitwait-fixed", "no clock tells how wrong it may be, so nobody can wait that out"),
    ("D-chain-write", "no store is a chain"),
    ("D-doublespend-q10z2", "there is no proof of work"),
    ("D-nakamoto-q10z5", "there is no proof of work, and the row is about a formula"),
];

/// In the order of the table.
pub(crate) static ROWS: [Row; 53] = [
    row("D-kstale-k3", 0.703_703_7, Relative(0.005), None),
    row("D-pbs-ssd-R1W1-t999", 1.85, Relative(0.15), Some((1.973_542_2, 0.020_060_381))),
    row("D-pbs-ssd-R1W1-t999x", 1.97354, Relative(0.03), Some((1.973_542_2, 0.020_060_381))),
    row("D-pbs-ssd-R1W1-Lr999", 0.66, Relative(0.04), Some((0.653_830_76, 0.002_052_314_1))),
    row("D-pbs-ssd-R1W1-Lw999", 0.66, Relative(0.06), Some((0.654_350_49, 0.003_037_422_8))),
    row("D-pbs-ssd-R1W2-t999", 1.79, Relative(0.15), Some((1.856_809, 0.013_299_932))),
    row("D-pbs-ssd-R1W2-t999x", 1.85681, Relative(0.03), Some((1.856_809, 0.013_299_932))),
    row("D-pbs-ssd-R1W2-Lr999", 0.66, Relative(0.04), Some((0.653_830_76, 0.002_052_314_1))),
    row("D-pbs-ssd-R1W2-Lw999", 1.63, Relative(0.06), Some((1.632_395_2, 0.008_343_417_4))),
    row("D-pbs-ssd-R2W1-Lr999", 1.63, Relative(0.04), Some((1.627_622_7, 0.006_748_798_2))),
    row("D-pbs-ssd-R2W1-Lw999", 0.65, Relative(0.06), Some((0.654_350_49, 0.003_037_422_8))),
    row("D-pbs-ssd-R2W2-Lr999", 1.62, Relative(0.04), Some((1.627_622_7, 0.006_748_798_2))),
    row("D-pbs-ssd-R2W2-Lw999", 1.64, Relative(0.06), Some((1.632_395_2, 0.008_343_417_4))),
    row("D-pbs-ssd-R3W1-Lr999", 4.14, Relative(0.04), Some((4.115_306_2, 0.017_814_3))),
    row("D-pbs-ssd-R3W1-Lw999", 0.65, Relative(0.06), Some((0.654_350_49, 0.003_037_422_8))),
    row("D-pbs-ssd-R1W3-Lr999", 0.65, Relative(0.04), Some((0.653_830_76, 0.002_052_314_1))),
    row("D-pbs-ssd-R1W3-Lw999", 4.09, Relative(0.06), Some((4.108_607_7, 0.020_759_86))),
    row("D-pbs-disk-R1W1-t999", 45.5, Relative(0.2), Some((52.04322, 1.22083))),
    row("D-pbs-disk-R1W1-t999x", 52.0432, Relative(0.03), Some((52.04322, 1.22083))),
    row("D-pbs-disk-R1W1-Lr999", 0.66, Relative(0.04), Some((0.653_830_76, 0.002_052_314_1))),
    row("D-pbs-disk-R1W1-Lw999", 10.99, Relative(0.06), Some((10.94193, 0.056_265_34))),
    row("D-pbs-disk-R1W2-t999", 43.3, Relative(0.2), Some((48.126_517, 1.247_652_1))),
    row("D-pbs-disk-R1W2-t999x", 48.1265, Relative(0.03), Some((48.126_517, 1.247_652_1))),
    row("D-pbs-disk-R1W2-Lr999", 0.65, Relative(0.04), Some((0.653_830_76, 0.002_052_314_1))),
    row("D-pbs-disk-R1W2-Lw999", 20.97, Relative(0.06), Some((20.959_221, 0.116_392_11))),
    row("D-pbs-disk-R2W1-t999", 13.6, Relative(0.2), Some((14.141_089, 0.100_711_07))),
    row("D-pbs-disk-R2W1-t999x", 14.1411, Relative(0.03), Some((14.141_089, 0.100_711_07))),
    row("D-pbs-disk-R2W1-Lr999", 1.63, Relative(0.04), Some((1.627_622_7, 0.006_748_798_2))),
    row("D-pbs-disk-R2W1-Lw999", 10.9, Relative(0.06), Some((10.94193, 0.056_265_34))),
    row("D-pbs-disk-R2W2-Lr999", 1.64, Relative(0.04), Some((1.627_622_7, 0.006_748_798_2))),
    row("D-pbs-disk-R2W2-Lw999", 20.96, Relative(0.06), Some((20.959_221, 0.116_392_11))),
    row("D-pbs-disk-R3W1-Lr999", 4.12, Relative(0.04), Some((4.115_306_2, 0.017_814_3))),
    row("D-pbs-disk-R3W1-Lw999", 10.89, Relative(0.06), Some((10.94193, 0.056_265_34))),
    row("D-pbs-disk-R1W3-Lr999", 0.65, Relative(0.04), Some((0.653_830_76, 0.002_052_314_1))),
    row("D-pbs-disk-R1W3-Lw999", 112.65, Relative(0.06), Some((110.97059, 2.363_769_9))),
    row("D-pbs-ssd-R1W1-pc0", 0.974, Absolute(0.01), Some((0.973_642_7, 0.000_219_700_55))),
    row("D-pbs-disk-R1W1-pc0", 0.439, Absolute(0.01), Some((0.436_897_4, 0.000_326_140_67))),
    row("D-pbs-strict", 0.0, Absolute(0.0), None),
    row("D-pbs-disk-pc10ms", 0.925, Absolute(0.005), Some((0.926_377_9, 0.000_351_499_24))),
    row("D-pbs-exp-W4-pc0", 0.94, Absolute(0.01), Some((0.942_961_5, 0.000_161_045_48))),
    row("D-pbs-exp-W01-pc0", 0.41, Absolute(0.01), Some((0.419_353_9, 0.000_529_813_89))),
    row("D-pbs-exp-W01-t999", 65.0, Relative(0.08), Some((63.570_381, 0.327_987_46))),
    row("D-majority5", 0.998_841_87, Absolute(0.0005), None),
    row("D-load-majority", 0.6, Absolute(0.005), None),
    row("D-mirror-mttdl", 51500.0, Relative(0.03), None),
    row("D-quorumloss-5", 94950.0, Relative(0.03), None),
    row("D-steady-avail", 0.990_099_01, Absolute(0.0003), None),
    row("D-raft-first-timeout", 180.0, Relative(0.005), None),
    row("D-majority-commit-exp", 0.583_333_33, Relative(0.005), None),
    row("D-geo-majority-va", 80.55, Absolute(1e-6), None),
    row("D-async-loss-mean", 2.0, Relative(0.02), None),
    row("D-async-loss-p0", 0.135_335_28, Absolute(0.01), None),
    row("D-ryw-lag", 0.864_664_72, Absolute(0.005), None),
];
