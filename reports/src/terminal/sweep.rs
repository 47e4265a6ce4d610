//! The text of a sweep.

use super::paint::Paint;
use super::{INDENT, WIDTH, clean, columns, wrapped};
use crate::number::{quantity, thousands};
use crate::sweep::{Mean, Median, Point, SweepSummary};
use lab::outcome::Quantity;

const SEEDS_SHOWN: usize = 4;
const GROUPS_SHOWN: usize = 12;

/// The text of a sweep, with a line feed at its end; ANSI colours only if asked for.
pub fn sweep(summary: &SweepSummary, colour: bool) -> String {
    let paint = Paint { colour };
    let seeds = summary.seeds.1.saturating_sub(summary.seeds.0);
    let mut lines = vec![format!(
        "sweep  {}   {} point{} × {} seeds ({}..{})",
        paint.bold(&clean(&summary.scenario)),
        thousands(summary.points.len() as u64),
        if summary.points.len() == 1 { "" } else { "s" },
        thousands(seeds),
        summary.seeds.0,
        summary.seeds.1,
    )];
    lines.push(String::new());
    lines.extend(points(summary, paint));
    lines.extend(summary.points.iter().flat_map(|point| precision(point, summary.points.len(), paint)));
    lines.extend(failures(summary));
    if let Some(reruns) = summary.reruns {
        let told = format!(
            "  determinism: {} seeds re-run, {} identical fingerprints",
            thousands(reruns.seeds),
            thousands(reruns.identical)
        );
        lines.push(if reruns.seeds == reruns.identical { told } else { paint.bad(&told) });
    }
    lines.extend(verdict(summary, paint));
    let mut text = String::new();
    for line in lines {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn points(summary: &SweepSummary, paint: Paint) -> Vec<String> {
    let axis = if summary.axis.is_empty() { "point" } else { &summary.axis };
    let term = summary.measured.as_ref().map(|term| format!("{} median [95% CI]", clean(term)));
    let name = |point: &Point| if point.name.is_empty() { "base".to_owned() } else { clean(&point.name) };
    let name_width = summary.points.iter().map(|point| columns(&name(point))).chain([columns(axis)]).max().unwrap_or(0);
    let medians: Vec<String> =
        summary.points.iter().map(|point| point.median.map(median).unwrap_or_default()).collect();
    let term_width = medians.iter().chain(&term).map(|text| columns(text)).max().unwrap_or(0);
    let gap = if term_width > 0 { "   " } else { "" };
    let head = format!(
        "  {:name_width$}  {:>7}{:>7}{:>9}   {:term_width$}{gap}first failing seeds",
        clean(axis),
        "pass",
        "fail",
        "unknown",
        term.as_deref().unwrap_or(""),
    );
    let mut lines = vec![paint.faint(&head)];
    for (point, median) in summary.points.iter().zip(&medians) {
        let expectation = match (point.as_expected, point.unjudged) {
            (Some(_), Some(not)) if not.seeds == point.fail => {
                format!("   only thresholds, judged on seed {}", not.judged_on)
            }
            (Some(true), Some(not)) => {
                format!("   as expected; {} by thresholds, judged on seed {}", thousands(not.seeds), not.judged_on)
            }
            (Some(true), None) if point.fail > 0 => "   as expected".to_owned(),
            (Some(false), _) if point.fail == 0 => "   was expected to fail".to_owned(),
            (Some(_) | None, _) => String::new(),
        };
        lines.push(format!(
            "  {:name_width$}  {:>7}{:>7}{:>9}   {median:term_width$}{gap}{}{expectation}",
            name(point),
            thousands(point.pass),
            thousands(point.fail),
            thousands(point.unknown),
            failing(point),
        ));
    }
    lines
}

/// `precision 2%: reached after 37 seeds`, then each threshold's mean.
fn precision(point: &Point, points: usize, paint: Paint) -> Vec<String> {
    let Some(precise) = &point.precision else { return Vec::new() };
    let wanted = quantity(Quantity::Ratio(precise.wanted));
    let whose = if points > 1 { format!(" of {}", clean(&point.name)) } else { String::new() };
    let seeds = thousands(precise.replications);
    let head = if precise.reached {
        format!("  precision {wanted}{whose}: reached after {seeds} seeds")
    } else {
        paint.doubtful(&format!("  precision {wanted}{whose}: not reached after {seeds} seeds"))
    };
    let name_width = precise.means.iter().map(|mean| columns(&clean(&mean.name))).max().unwrap_or(0);
    let line = |mean: &Mean| {
        let told = match (mean.mean, mean.half_width) {
            (None, _) => "no samples".to_owned(),
            (Some(value), None) => quantity(value),
            (Some(value), Some(half)) => {
                let relative = mean.relative().map(|share| format!("  ({})", quantity(Quantity::Ratio(share))));
                format!("{} ± {}{}", quantity(value), quantity(half), relative.unwrap_or_default())
            }
        };
        let mark = if mean.narrow { "" } else { "  too wide" };
        format!("    {:name_width$}  {told}{mark}", clean(&mean.name))
    };
    [head].into_iter().chain(precise.means.iter().map(line)).collect()
}

/// `86ms  [84ms–89ms]`; without an interval if there were too few seeds for one.
fn median(median: Median) -> String {
    let value = quantity(median.value);
    match median.low.zip(median.high) {
        Some((low, high)) => format!("{value}  [{}–{}]", quantity(low), quantity(high)),
        None => value,
    }
}

fn failing(point: &Point) -> String {
    let shown: Vec<String> = point.failing.iter().take(SEEDS_SHOWN).map(u64::to_string).collect();
    let more = if point.fail as usize > shown.len() && !shown.is_empty() { " …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

fn failures(summary: &SweepSummary) -> Vec<String> {
    let count_width = summary.failures.iter().map(|group| columns(&thousands(group.runs))).max().unwrap_or(0);
    let mut lines: Vec<String> = summary
        .failures
        .iter()
        .take(GROUPS_SHOWN)
        .map(|group| {
            let point = if group.point.is_empty() { String::new() } else { format!(" of {}", clean(&group.point)) };
            let expected = match (group.expected, group.allowed) {
                (true, _) => Some("expected"),
                (false, true) => Some("allowed"),
                (false, false) => group.judged_on.map(|_| "a threshold"),
            };
            let judged = group.judged_on.map(|seed| format!(", judged on seed {seed} only")).unwrap_or_default();
            let expected = expected.map(|told| format!("   {told}{judged}")).unwrap_or_default();
            let runs = thousands(group.runs);
            format!(
                "    {runs:>count_width$} × {} (smallest: seed {}{point}){expected}",
                clean(&group.promise),
                group.seed
            )
        })
        .collect();
    if summary.failures.len() > GROUPS_SHOWN {
        lines.push(format!("    … {} more promises in sweep.json", summary.failures.len() - GROUPS_SHOWN));
    }
    lines
}

/// The verdict, and why: behind it if there is room, else a line or more below it for each point.
fn verdict(summary: &SweepSummary, paint: Paint) -> Vec<String> {
    let broke = summary.points.iter().any(|point| point.fail > 0);
    let mark = match (summary.exit, summary.as_expected) {
        _ if summary.interrupted.is_some() => paint.doubtful("? INCONCLUSIVE"),
        (0, _) if broke => paint.good("✓ AS EXPECTED"),
        (0, _) => paint.good("✓ PASS"),
        (3, _) => paint.doubtful("? INCONCLUSIVE"),
        (4, _) => paint.bad("✗ NOT DETERMINISTIC"),
        _ => paint.bad("✗ FAIL"),
    };
    if let Some(runs) = summary.interrupted {
        let runs = thousands(runs);
        return vec![format!("{mark}   interrupted after {runs} runs: everything here is about those")];
    }
    let why = [Some(&summary.summary).filter(|told| !told.is_empty()), summary.next.as_ref()];
    let told = why.iter().flatten().fold(String::new(), |line, told| line + "   " + &clean(told));
    if columns("? INCONCLUSIVE") + columns(&told) <= WIDTH {
        return vec![format!("{mark}{told}")];
    }
    let parts = why.into_iter().flatten().flat_map(|told| told.split(" · "));
    let below = parts.flat_map(|told| wrapped(told, WIDTH - INDENT)).map(|told| format!("{:INDENT$}{told}", ""));
    [mark].into_iter().chain(below).collect()
}
