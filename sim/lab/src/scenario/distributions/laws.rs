//! The laws by name: their arguments, and the constructor of the kernel's distribution that each one calls.

use kernel::Distribution;
use kernel::distribution::Invalid;

use super::Sort;

/// How an argument is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Argument {
    /// A duration or a number, as the sort says.
    Value,
    /// A plain number.
    Number,
    /// A whole number.
    Whole,
    /// A percentage.
    Share,
}

/// One law: `name(arguments)`.
pub(super) struct Law {
    pub(super) name: &'static str,
    /// Which sorts it can draw: a law of integers makes no duration.
    pub(super) durations: bool,
    /// (name, how, may be missing).
    pub(super) arguments: &'static [(&'static str, Argument, bool)],
    /// The arguments must be named.
    pub(super) named: bool,
    pub(super) form: &'static str,
    pub(super) make: fn(&[Option<f64>], Sort) -> Result<Distribution, Invalid>,
}

/// An argument that is there, because it may not be missing.
fn given(arguments: &[Option<f64>], n: usize) -> f64 {
    arguments[n].unwrap_or(f64::NAN)
}

/// Every law by name.
pub(super) const LAWS: &[Law] = &[
    Law {
        name: "exp",
        durations: true,
        arguments: &[("mean", Argument::Value, false)],
        named: false,
        form: "exp(mean)",
        make: |a, _| Distribution::exponential(given(a, 0)),
    },
    Law {
        name: "uniform",
        durations: true,
        arguments: &[("a", Argument::Value, false), ("b", Argument::Value, false)],
        named: false,
        form: "uniform(a, b)",
        make: |a, _| Distribution::uniform(given(a, 0), given(a, 1)),
    },
    Law {
        name: "normal",
        durations: true,
        arguments: &[("mean", Argument::Value, false), ("sd", Argument::Value, false)],
        named: false,
        form: "normal(mean, sd)",
        make: |a, sort| match sort {
            Sort::Durations => Distribution::normal_duration(given(a, 0), given(a, 1)),
            Sort::Numbers | Sort::Counts | Sort::Drifts | Sort::Offsets => {
                Distribution::normal(given(a, 0), given(a, 1))
            }
        },
    },
    Law {
        name: "lognormal",
        durations: true,
        arguments: &[
            ("p50", Argument::Value, true),
            ("p99", Argument::Value, true),
            ("mean", Argument::Value, true),
            ("cv", Argument::Number, true),
        ],
        named: true,
        form: "lognormal(p50=, p99=) or lognormal(mean=, cv=)",
        make: |a, _| match (a[0], a[1], a[2], a[3]) {
            (Some(p50), Some(p99), None, None) => Distribution::lognormal_p50_p99(p50, p99),
            (None, None, Some(mean), Some(cv)) => Distribution::lognormal_mean_cv(mean, cv),
            _ => Err(Invalid { parameter: "lognormal", rule: "have p50 and p99, or mean and cv" }),
        },
    },
    Law {
        name: "pareto",
        durations: true,
        arguments: &[
            ("min", Argument::Value, false),
            ("alpha", Argument::Number, false),
            ("max", Argument::Value, true),
        ],
        named: true,
        form: "pareto(min=, alpha=[, max=])",
        make: |a, _| match a[2] {
            Some(max) => Distribution::bounded_pareto(given(a, 0), given(a, 1), max),
            None => Distribution::pareto(given(a, 0), given(a, 1)),
        },
    },
    Law {
        name: "weibull",
        durations: true,
        arguments: &[("scale", Argument::Value, false), ("shape", Argument::Number, false)],
        named: true,
        form: "weibull(scale=, shape=)",
        make: |a, _| Distribution::weibull(given(a, 0), given(a, 1)),
    },
    Law {
        name: "gamma",
        durations: true,
        arguments: &[("mean", Argument::Value, false), ("cv", Argument::Number, false)],
        named: true,
        form: "gamma(mean=, cv=)",
        make: |a, _| Distribution::gamma(given(a, 0), given(a, 1)),
    },
    Law {
        name: "erlang",
        durations: true,
        arguments: &[("k", Argument::Whole, false), ("mean", Argument::Value, false)],
        named: true,
        form: "erlang(k=, mean=)",
        make: |a, _| Distribution::erlang(given(a, 0).min(1e6) as u32, given(a, 1)),
    },
    Law {
        name: "hyperexp",
        durations: true,
        arguments: &[("mean", Argument::Value, false), ("cv", Argument::Number, false)],
        named: true,
        form: "hyperexp(mean=, cv=)",
        make: |a, _| Distribution::hyperexponential(given(a, 0), given(a, 1)),
    },
    Law {
        name: "int",
        durations: false,
        arguments: &[("a", Argument::Whole, false), ("b", Argument::Whole, false)],
        named: false,
        form: "int(a, b)",
        make: |a, _| Distribution::int(given(a, 0) as i64, given(a, 1) as i64),
    },
    Law {
        name: "zipf",
        durations: false,
        arguments: &[("n", Argument::Whole, false), ("s", Argument::Number, false)],
        named: false,
        form: "zipf(n, s)",
        make: |a, _| Distribution::zipf(given(a, 0).max(0.0) as u64, given(a, 1)),
    },
    Law {
        name: "hotspot",
        durations: false,
        arguments: &[("n", Argument::Whole, false), ("hot", Argument::Whole, false), ("share", Argument::Share, false)],
        named: false,
        form: "hotspot(n, hot=5, share=90%)",
        make: |a, _| Distribution::hotspot(given(a, 0).max(0.0) as u64, given(a, 1).max(0.0) as u64, given(a, 2)),
    },
    Law {
        name: "geometric",
        durations: false,
        arguments: &[("mean", Argument::Number, false)],
        named: false,
        form: "geometric(mean)",
        make: |a, _| Distribution::geometric(given(a, 0)),
    },
    Law {
        name: "poisson",
        durations: false,
        arguments: &[("mean", Argument::Number, false)],
        named: false,
        form: "poisson(mean)",
        make: |a, _| Distribution::poisson(given(a, 0)),
    },
    Law {
        name: "chance",
        durations: false,
        arguments: &[("share", Argument::Share, false)],
        named: false,
        form: "chance(0.2%)",
        make: |a, _| Distribution::chance(given(a, 0)),
    },
];
