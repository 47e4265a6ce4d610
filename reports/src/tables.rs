//! The CSV files: the series behind every chart, one header line each, SI units in the names, an empty cell for no sample.
//!
//! Times have nine decimals and come from integer nanoseconds; everything else is rounded to nine decimals once.

mod parts;

use crate::number::{decimal, number_and_unit, seconds};
use crate::sweep::SweepSummary;
use crate::windows::{Window, per_second, window};
use csv::Writer;
use kernel::Histogram;
use lab::outcome::{LevelResult, OperationResult, Outcome};

pub(crate) use parts::{Stage, message_rates, message_totals, stages};
pub use parts::{breakers, messages, sagas};

/// `operations.csv`: a row per operation and window.
pub fn operations(outcome: &Outcome) -> Vec<u8> {
    let mut table = Table::new(&[
        "operation",
        "from",
        "external",
        "window_start_s",
        "window_end_s",
        "offered",
        "ok",
        "failed",
        "rejected",
        "latency_p50_s",
        "latency_p90_s",
        "latency_p99_s",
    ]);
    for operation in &outcome.operations {
        for (number, counts) in operation.windows.iter().enumerate() {
            let mut row = vec![operation.name.clone(), operation.from.clone(), operation.external.to_string()];
            row.extend(ends(window(outcome, number)));
            row.extend([counts.offered, counts.ok, counts.failed, counts.rejected].map(|n| n.to_string()));
            row.extend((0..3).map(|p| counts.percentiles.map(|p3| seconds(p3[p])).unwrap_or_default()));
            table.row(&row);
        }
    }
    table.end()
}

/// `percentiles.csv`: the latency of the whole run at [`shares`], a row per operation and share.
pub fn percentiles(outcome: &Outcome) -> Vec<u8> {
    let mut table = Table::new(&["operation", "from", "share", "latency_s"]);
    for operation in &outcome.operations {
        for share in shares(&operation.latency) {
            let latency = seconds(operation.latency.quantile(share));
            table.row(&[operation.name.clone(), operation.from.clone(), decimal(share), latency]);
        }
    }
    table.end()
}

/// `spent.csv`: where the time of an operation's calls went, a row per operation and part.
pub fn spent(outcome: &Outcome) -> Vec<u8> {
    let mut table = Table::new(&["operation", "from", "waiting_for", "time_s"]);
    for operation in &outcome.operations {
        for (part, ns) in operation.spent.parts() {
            let time = seconds(u64::try_from(ns).unwrap_or(u64::MAX));
            table.row(&[operation.name.clone(), operation.from.clone(), part.to_owned(), time]);
        }
    }
    table.end()
}

/// `queues.csv`: a row per queue and window.
pub fn queues(outcome: &Outcome) -> Vec<u8> {
    let mut table = Table::new(&[
        "queue",
        "service",
        "window_start_s",
        "window_end_s",
        "depth_mean",
        "depth_max",
        "busy_mean",
        "busy_max",
    ]);
    for queue in &outcome.queues {
        let levels = [&queue.depth, &queue.busy];
        let windows = levels.iter().map(|level| level.window_mean.len().max(level.window_max.len())).max();
        for number in 0..windows.unwrap_or(0) {
            let mut row = vec![queue.name.clone(), queue.service.clone()];
            row.extend(ends(window(outcome, number)));
            for level in levels {
                row.push(level.window_mean.get(number).map(|mean| decimal(*mean)).unwrap_or_default());
                row.push(level.window_max.get(number).map(i64::to_string).unwrap_or_default());
            }
            table.row(&row);
        }
    }
    table.end()
}

/// `timeseries.csv`: everything else over time, in long form: a row per metric, subject and window.
///
/// Metrics: `offered_per_s`, `served_per_s`, `failed_per_s`, `rejected_per_s` (subject: a workload; operations of several
/// targets are added), `utilisation` (a service), `in_doubt_mean`, `in_doubt_max`, `locks_held_mean`, `locks_held_max` (a
/// transaction type), `sagas_open_mean`, `sagas_open_max` (a saga), `retries_per_s`, `retry_amplification` (an operation ←
/// its caller), `breaker_open`, `breaker_half_open` (share of the window; caller → callee, only those that ever opened),
/// `lag_mean`, `lag_max` (a group ← its topic), `outbox_depth_mean`, `outbox_depth_max`, `outbox_lag_p50_s`, `outbox_lag_p99_s` (a service).
pub fn timeseries(outcome: &Outcome) -> Vec<u8> {
    let mut table = Table::new(&["metric", "subject", "window_start_s", "window_end_s", "value"]);
    for (metric, subject, values) in every_series(outcome) {
        for (number, value) in values.iter().enumerate() {
            let [start, end] = ends(window(outcome, number));
            table.row(&[metric.to_owned(), subject.clone(), start, end, value.map(decimal).unwrap_or_default()]);
        }
    }
    table.end()
}

/// `faults.csv`: a row per instance.
pub fn faults(outcome: &Outcome) -> Vec<u8> {
    let mut table =
        Table::new(&["fault", "instance", "kind", "target", "from_s", "to_s", "state", "effective", "effects"]);
    for fault in &outcome.faults {
        table.row(&[
            fault.name.clone(),
            fault.instance.to_string(),
            fault.kind.clone(),
            fault.target.clone(),
            seconds(fault.from.0),
            fault.to.map(|to| seconds(to.0)).unwrap_or_default(),
            fault.state.clone(),
            fault.effective.to_string(),
            fault.effects.join("; "),
        ]);
    }
    table.end()
}

/// `sweep.csv`: a row per point.
pub(crate) fn sweep(summary: &SweepSummary) -> Vec<u8> {
    let mut table = Table::new(&[
        "point",
        "pass",
        "fail",
        "unknown",
        "median",
        "median_low95",
        "median_high95",
        "unit",
        "failing_seeds",
    ]);
    for point in &summary.points {
        let mut row = vec![point.name.clone()];
        row.extend([point.pass, point.fail, point.unknown].map(|n| n.to_string()));
        let ends = [point.median.map(|m| m.value), point.median.and_then(|m| m.low), point.median.and_then(|m| m.high)];
        row.extend(ends.map(|end| end.map(|q| decimal(number_and_unit(q).0)).unwrap_or_default()));
        row.push(point.median.map(|m| number_and_unit(m.value).1.to_owned()).unwrap_or_default());
        row.push(point.failing.iter().map(u64::to_string).collect::<Vec<_>>().join(" "));
        table.row(&row);
    }
    table.end()
}

/// Where a percentile curve is drawn: 20 steps per nine (1 − share falls by a tenth in 20 steps) from 0 to 99.99 %, no
/// further than one sample in that many can tell.
pub fn shares(latency: &Histogram) -> Vec<f64> {
    let resolved = |rest: f64| rest * latency.count() as f64 >= 0.999;
    let steps = (0..=80).map(|step| 10_f64.powi(-(step / 20)) * TWENTIETHS[(step % 20) as usize]);
    steps.take_while(|rest| resolved(*rest)).map(|rest| 1.0 - rest).collect()
}

/// 10^(−n/20) for n = 0 … 19, written out: the platform's `powf` may differ in the last digit.
const TWENTIETHS: [f64; 20] = [
    1.0,
    0.891_250_938_133_745_5,
    0.794_328_234_724_281_5,
    0.707_945_784_384_137_9,
    0.630_957_344_480_193_2,
    0.562_341_325_190_349_1,
    0.501_187_233_627_272_3,
    0.446_683_592_150_963_1,
    0.398_107_170_553_497_25,
    0.354_813_389_233_575_5,
    0.316_227_766_016_837_94,
    0.281_838_293_126_445_4,
    0.251_188_643_150_958,
    0.223_872_113_856_834,
    0.199_526_231_496_888,
    0.177_827_941_003_892_3,
    0.158_489_319_246_111_35,
    0.141_253_754_462_275_43,
    0.125_892_541_179_416_73,
    0.112_201_845_430_196_34,
];

/// One series of `timeseries.csv`: metric, subject, a value per window.
pub(crate) type Values = (&'static str, String, Vec<Option<f64>>);

/// Every series of `timeseries.csv`, in its order.
pub(crate) fn every_series(outcome: &Outcome) -> Vec<Values> {
    let mut all = Vec::new();
    for workload in workloads(outcome) {
        for (metric, count) in RATES {
            all.push((metric, workload.to_owned(), rates(outcome, workload, count)));
        }
    }
    for service in outcome.services.iter().filter(|service| service.workers.is_some()) {
        let values = service.window_utilisation.iter().map(|share| Some(*share)).collect();
        all.push(("utilisation", service.name.clone(), values));
    }
    for transaction in &outcome.transactions {
        let levels = [
            ("in_doubt_mean", "in_doubt_max", &transaction.in_doubt_level),
            ("locks_held_mean", "locks_held_max", &transaction.locks_held),
        ];
        for (mean, max, level) in levels {
            all.push((mean, transaction.name.clone(), means(level)));
            all.push((max, transaction.name.clone(), maxima(level)));
        }
    }
    all.extend(parts::series(outcome));
    all
}

/// The workloads in order of their first operation.
pub(crate) fn workloads(outcome: &Outcome) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for operation in outcome.operations.iter().filter(|operation| operation.external) {
        if !names.contains(&operation.from.as_str()) {
            names.push(&operation.from);
        }
    }
    names
}

/// A metric and how it is counted in one window of one operation.
type Rate = (&'static str, fn(&OperationResult, usize) -> u64);

const RATES: [Rate; 4] = [
    ("offered_per_s", |operation, n| operation.windows[n].offered),
    ("served_per_s", |operation, n| operation.windows[n].ok),
    ("failed_per_s", |operation, n| operation.windows[n].failed),
    ("rejected_per_s", |operation, n| operation.windows[n].rejected),
];

fn rates(outcome: &Outcome, workload: &str, count: fn(&OperationResult, usize) -> u64) -> Vec<Option<f64>> {
    let operations: Vec<&OperationResult> =
        outcome.operations.iter().filter(|operation| operation.external && operation.from == workload).collect();
    let windows = operations.iter().map(|operation| operation.windows.len()).max().unwrap_or(0);
    let total = |n: usize| -> u64 {
        operations.iter().filter(|operation| n < operation.windows.len()).map(|operation| count(operation, n)).sum()
    };
    (0..windows).map(|n| per_second(outcome, n, total(n))).collect()
}

pub(crate) fn means(level: &LevelResult) -> Vec<Option<f64>> {
    level.window_mean.iter().map(|mean| mean.is_finite().then_some(*mean)).collect()
}

pub(crate) fn maxima(level: &LevelResult) -> Vec<Option<f64>> {
    level.window_max.iter().map(|max| Some(*max as f64)).collect()
}

fn ends(window: Window) -> [String; 2] {
    [seconds(window.from_ns), seconds(window.to_ns)]
}

struct Table(Writer<Vec<u8>>);

impl Table {
    fn new(header: &[&str]) -> Self {
        let mut writer = Writer::from_writer(Vec::new());
        writer.write_record(header).expect(INTO_MEMORY);
        Self(writer)
    }

    fn row(&mut self, cells: &[String]) {
        self.0.write_record(cells).expect(INTO_MEMORY);
    }

    fn end(self) -> Vec<u8> {
        self.0.into_inner().expect(INTO_MEMORY)
    }
}

const INTO_MEMORY: &str = "rows of the header's length written into memory cannot fail";
