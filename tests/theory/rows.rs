//! What is compared: per scenario its rows of the table of published values, with formula and source.
//!
//! `expected` and `tolerance` (relative) are those of the row; `main` checks them against the table where it is at hand,
//! and `closed_form` against both. The four stations are not in the table: their figure is the product form (Jackson
//! 1957) of M/M/c stations, whose number in the system follows by Little's law.

use lab::measure::Metric;

use crate::formulas::{
    bounded, erlang_b, erlang_c, hypoexponential, hypoexponential_above, many_servers_stay, one_server_wait,
};

/// A scenario of `scenarios/theory/`, how long its short form lasts, and what it is compared with.
pub(crate) struct Case {
    /// The file's stem.
    pub(crate) name: &'static str,
    /// `run.duration` of the short form: one to four million events.
    pub(crate) short: &'static str,
    /// Its rows.
    pub(crate) rows: &'static [Row],
}

/// A number that theory knows.
pub(crate) struct Row {
    /// Of the published table; others begin with the scenario's name.
    pub(crate) id: &'static str,
    /// How the simulator measures it.
    pub(crate) measure: Measure,
    /// Seconds, a share, or a number.
    pub(crate) expected: f64,
    /// Relative, of the long form.
    pub(crate) tolerance: f64,
    /// The formula in words.
    pub(crate) formula: &'static str,
    /// Where it comes from.
    pub(crate) source: &'static str,
    /// The formula in numbers.
    pub(crate) closed_form: fn() -> f64,
}

/// How a row is measured.
#[derive(Clone, Copy)]
pub(crate) enum Measure {
    /// The mean of samples or of a level.
    Mean(Metric, Labels),
    /// The mean of samples that ended ok.
    MeanOfGood(Metric, Labels),
    /// The share of calls that failed.
    Errors,
    /// The share of samples longer than nothing.
    ShareAboveZero(Metric, Labels),
    /// The 99th percentile of latency; with the theoretical density there, per second, which turns the error of a share
    /// into that of a percentile.
    Percentile99(fn() -> f64),
}

/// Label and value.
pub(crate) type Labels = &'static [(&'static str, &'static str)];

const SERVER: Labels = &[("service", "server")];
const POOL: Labels = &[("service", "pool")];
const CHECKOUT: Labels = &[("op", "gateway.checkout")];
/// What is left of each server's rate over the arrivals of 1/s: its stay is exponential with this rate.
const TANDEM: [f64; 3] = [1.0, 0.5, 0.25];

/// Every scenario.
pub(crate) const CASES: [Case; 8] = [MM1, MMC10, MM1K, MD1, MLOGNORMAL1, ERLANG_B, TANDEM3, FOUR_STATIONS];

/// The scenario of the negative control.
pub(crate) const MM1: Case = Case {
    name: "mm1",
    short: "300h",
    rows: &[
        Row {
            id: "A-mm1-mean",
            measure: Measure::Mean(Metric::Latency, &[]),
            expected: 5.0,
            tolerance: 0.01,
            formula: "1/(mu-lambda)",
            source: "Kleinrock, Queueing Systems I/II",
            closed_form: || 1.0 / (1.0 - 0.8),
        },
        Row {
            id: "A-mm1-p99",
            // The stay is exponential: a hundredth is left at its 99th percentile, and falls with the rate 0.2/s.
            measure: Measure::Percentile99(|| 0.01 * 0.2),
            expected: 23.025_851,
            tolerance: 0.02,
            formula: "ln(100)/(mu-lambda)",
            source: "Kleinrock, Queueing Systems I/II",
            closed_form: || hypoexponential_above(&[0.2], 0.01),
        },
        Row {
            id: "A-mm1-qlen",
            measure: Measure::Mean(Metric::InFlight, SERVER),
            expected: 4.0,
            tolerance: 0.015,
            formula: "rho/(1-rho) = lambda*T",
            source: "Little 1961; Kleinrock, Queueing Systems I/II",
            closed_form: || 0.8 / (1.0 - 0.8),
        },
    ],
};

const MMC10: Case = Case {
    name: "mmc10",
    short: "12h",
    rows: &[
        Row {
            id: "A-mmc10-pwait",
            measure: Measure::ShareAboveZero(Metric::Wait, POOL),
            expected: 0.409_180_15,
            tolerance: 0.015,
            formula: "Erlang C(10,8)",
            source: "Gross & Harris, Fundamentals of Queueing Theory",
            closed_form: || erlang_c(10, 8.0),
        },
        Row {
            id: "A-mmc10-wq",
            measure: Measure::Mean(Metric::Wait, POOL),
            expected: 0.204_590_08,
            tolerance: 0.02,
            formula: "C/(c mu-lambda)",
            source: "Gross & Harris, Fundamentals of Queueing Theory",
            closed_form: || erlang_c(10, 8.0) / (10.0 - 8.0),
        },
    ],
};

const MM1K: Case = Case {
    name: "mm1k",
    short: "100h",
    rows: &[
        Row {
            id: "A-mm1k-loss",
            measure: Measure::Errors,
            expected: 0.050_813_731,
            tolerance: 0.01,
            formula: "p_K",
            source: "Gross & Harris, Fundamentals of Queueing Theory",
            closed_form: || bounded(10, 0.9).0,
        },
        Row {
            id: "A-mm1k-T",
            measure: Measure::MeanOfGood(Metric::Latency, &[]),
            expected: 4.646_600_7,
            tolerance: 0.01,
            formula: "L/(lambda(1-p_K))",
            source: "Gross & Harris, Fundamentals of Queueing Theory",
            closed_form: || bounded(10, 0.9).1,
        },
    ],
};

const MD1: Case = Case {
    name: "md1",
    short: "100h",
    rows: &[Row {
        id: "A-md1-wq",
        measure: Measure::Mean(Metric::Wait, SERVER),
        expected: 2.0,
        tolerance: 0.01,
        formula: "rho/(2 mu (1-rho))",
        source: "Pollaczek 1930, Khinchine 1932; Kleinrock, Queueing Systems I/II",
        closed_form: || one_server_wait(0.8, 0.0),
    }],
};

const MLOGNORMAL1: Case = Case {
    name: "mlognormal1",
    short: "200h",
    rows: &[Row {
        id: "A-mlognormal1-wq",
        measure: Measure::Mean(Metric::Wait, SERVER),
        expected: 5.833_333_3,
        tolerance: 0.02,
        formula: "lambda E[S^2]/(2(1-rho))",
        source: "Kleinrock, Queueing Systems I/II",
        closed_form: || one_server_wait(0.7, 4.0),
    }],
};

const ERLANG_B: Case = Case {
    name: "erlang-b",
    short: "12h",
    rows: &[Row {
        id: "A-erlangb-exp",
        measure: Measure::Errors,
        expected: 0.121_661_06,
        tolerance: 0.01,
        formula: "Erlang B(10,8)",
        source: "Gross & Harris, Fundamentals of Queueing Theory",
        closed_form: || erlang_b(10, 8.0),
    }],
};

const TANDEM3: Case = Case {
    name: "tandem3",
    short: "60h",
    rows: &[
        Row {
            id: "A-tandem3-mean",
            measure: Measure::Mean(Metric::Latency, &[]),
            expected: 7.0,
            tolerance: 0.015,
            formula: "sum 1/(mu_i-lambda)",
            source: "Jackson 1957; Reich 1957",
            closed_form: || TANDEM.iter().map(|left| 1.0 / left).sum(),
        },
        Row {
            id: "A-tandem3-p99",
            measure: Measure::Percentile99(|| hypoexponential(&TANDEM, hypoexponential_above(&TANDEM, 0.01)).1),
            expected: 22.3327,
            tolerance: 0.02,
            formula: "sojourns are independent: hypoexponential(1,0.5,0.25)",
            source: "Reich 1963",
            closed_form: || hypoexponential_above(&TANDEM, 0.01),
        },
    ],
};

/// Mean time through the gateway and the three stations behind it, in seconds.
fn through_four_stations() -> f64 {
    many_servers_stay(4, 1000.0, 500.0) + 3.0 * many_servers_stay(10, 1000.0, 1000.0 / 6.0)
}

const FOUR_STATIONS: Case = Case {
    name: "four-stations",
    short: "2m",
    rows: &[
        Row {
            id: "four-stations-mean",
            measure: Measure::Mean(Metric::Latency, CHECKOUT),
            expected: 0.020_629_760,
            tolerance: 0.01,
            formula: "sum 1/mu_i + C(c_i,a_i)/(c_i mu_i-lambda)",
            source: "Jackson 1957; Erlang C",
            closed_form: through_four_stations,
        },
        Row {
            id: "four-stations-in-flight",
            measure: Measure::Mean(Metric::InFlight, CHECKOUT),
            expected: 20.629_760,
            tolerance: 0.01,
            formula: "lambda*T",
            source: "Little 1961; Jackson 1957; Erlang C",
            closed_form: || 1000.0 * through_four_stations(),
        },
    ],
};
