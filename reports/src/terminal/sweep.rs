//! The text of a sweep.

use super::paint::Paint;
use super::{INDENT, WIDTH, clean, columns, wrapped};
use crate::number::percent;
use crate::number::{quantity, thousands};
use crate::sweep::{Cluster, Mean, Median, Point, Reached, Share, SweepSummary, Tried};
use lab::outcome::Quantity;

const SEEDS_SHOWN: usize = 4;
const GROUPS_SHOWN: usize = 12;
const CLUSTERS_SHOWN: usize = 5;
const AGAIN_SHOWN: usize = 5;

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
    lines.extend(sometimes(summary, paint));
    lines.extend(summary.earlier.iter().flat_map(|tried| earlier(tried, paint)));
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
    let shares: Vec<String> = summary.points.iter().map(|point| share(point.violation)).collect();
    let told = "P(fail) [95% CI]";
    let share_width = shares.iter().map(|text| columns(text)).chain([columns(told)]).max().unwrap_or(0);
    let head = format!(
        "  {:name_width$}  {:>7}{:>7}{:>9}   {told:share_width$}   {:term_width$}{gap}first failing seeds",
        clean(axis),
        "pass",
        "fail",
        "unknown",
        term.as_deref().unwrap_or(""),
    );
    let mut lines = vec![paint.faint(&head)];
    for ((point, median), share) in summary.points.iter().zip(&medians).zip(&shares) {
        let expectation = match (point.as_expected, point.unjudged) {
            (Some(_), Some(not)) if not.seeds == point.fail => {
                format!("   only thresholds, judged on seed {}", not.judged_on)
            }
            (Some(true), Some(not)) => {
                format!("   as expected; {} by thresholds, judged on seed {}", thousands(not.seeds), not.judged_on)
            }
            (Some(true), None) if point.fail > 0 => "   as expected".to_owned(),
            (Some(false), _) if point.fail == 0 && point.sometimes.iter().all(|one| one.enough) => {
                "   was expected to fail".to_owned()
            }
            (Some(_) | None, _) => String::new(),
        };
        lines.push(format!(
            "  {:name_width$}  {:>7}{:>7}{:>9}   {share:share_width$}   {median:term_width$}{gap}{}{expectation}",
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

/// `0.9%  [0.47%–1.7%]`.
fn share(share: Share) -> String {
    let Some(p) = share.p() else { return "no runs".to_owned() };
    let (low, high) = share.interval();
    format!("{}  [{}–{}]", percent(p), percent(low), percent(high))
}

fn failing(point: &Point) -> String {
    let shown: Vec<String> = point.failing.iter().take(SEEDS_SHOWN).map(u64::to_string).collect();
    let more = if point.fail as usize > shown.len() && !shown.is_empty() { " …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

fn failures(summary: &SweepSummary) -> Vec<String> {
    let count_width = summary.failures.iter().map(|group| columns(&thousands(group.runs))).max().unwrap_or(0);
    let mut lines = Vec::new();
    for group in summary.failures.iter().take(GROUPS_SHOWN) {
        let point = if group.point.is_empty() { String::new() } else { format!(" of {}", clean(&group.point)) };
        let expected = match (group.expected, group.allowed) {
            (true, _) => Some("expected"),
            (false, true) => Some("allowed"),
            (false, false) => group.judged_on.map(|_| "a threshold"),
        };
        let judged = group.judged_on.map(|seed| format!(", judged on seed {seed} only")).unwrap_or_default();
        let expected = expected.map(|told| format!("   {told}{judged}")).unwrap_or_default();
        let ways = match group.clusters.len() {
            _ if group.vacuous => " had nothing to judge".to_owned(),
            0 | 1 => String::new(),
            many => format!(", in {many} clusters"),
        };
        let (runs, name) = (thousands(group.runs), clean(&group.promise));
        lines.push(format!("    {runs:>count_width$} × {name}{ways} (smallest: seed {}{point}){expected}", group.seed));
        if !group.vacuous {
            lines.extend(clusters(&group.clusters, group.runs, count_width));
        }
    }
    if summary.failures.len() > GROUPS_SHOWN {
        lines.push(format!("    … {} more promises in sweep.json", summary.failures.len() - GROUPS_SHOWN));
    }
    lines
}

/// `117 × always after cut, dies   93%, smallest: seed 4`, a line per cluster.
fn clusters(clusters: &[Cluster], runs: u64, width: usize) -> Vec<String> {
    let told: Vec<String> = clusters.iter().take(CLUSTERS_SHOWN).map(way).collect();
    let told_width = told.iter().map(|text| columns(text)).max().unwrap_or(0);
    // One way only needs no numbers: they stand above it.
    if let [told] = &told[..] {
        return vec![format!("    {:width$}   {told}", "")];
    }
    let line = |(cluster, told): (&Cluster, &String)| {
        let (count, share, width) =
            (thousands(cluster.runs), percent(cluster.runs as f64 / runs.max(1) as f64), width + 4);
        format!("    {count:>width$} × {told:told_width$}   {share}, smallest: seed {}", cluster.seed)
    };
    let mut lines: Vec<String> = clusters.iter().zip(&told).map(line).collect();
    if clusters.len() > told.len() {
        let more = clusters.len() - told.len();
        lines.push(format!("    {:width$}       … {more} more in sweep.json", ""));
    }
    lines
}

/// `always after cut, dies`, `crossed without a fault`.
pub(crate) fn way(cluster: &Cluster) -> String {
    let kind = cluster.class.rsplit_once('/').map_or(cluster.class.as_str(), |(_, kind)| kind);
    if cluster.signature.is_empty() {
        format!("{} without a fault", clean(kind))
    } else {
        format!("{} after {}", clean(kind), clean(&cluster.signature.join(" + ")))
    }
}

/// On how many seeds each `sometimes` was reached.
fn sometimes(summary: &SweepSummary, paint: Paint) -> Vec<String> {
    let each = || summary.points.iter().flat_map(|point| point.sometimes.iter().map(move |one| (point, one)));
    if each().next().is_none() {
        return Vec::new();
    }
    let name = |(point, one): (&Point, &Reached)| {
        let whose = if summary.points.len() > 1 { format!(" of {}", clean(&point.name)) } else { String::new() };
        clean(&one.name) + &whose
    };
    let width = each().map(|one| columns(&name(one))).max().unwrap_or(0);
    let line = |(point, one): (&Point, &Reached)| {
        let Share { runs, of } = one.reached;
        let told = format!("reached on {} of {} seeds", thousands(runs), thousands(of));
        let least = one.at_least.map(|least| format!(", of {} at least", percent(least))).unwrap_or_default();
        let (mark, why) = match (one.enough, runs, of) {
            (_, _, 0) => ("?".to_owned(), String::new()),
            (true, _, _) => (paint.good("✓"), least),
            (false, 0, _) => (paint.bad("✗"), paint.bad("   never: nothing here tests it")),
            (false, _, _) => (paint.bad("✗"), paint.bad(&format!("{least}: too few"))),
        };
        format!("    {mark} {:width$}  {told}{why}", name((point, one)))
    };
    [paint.faint("  sometimes")].into_iter().chain(each().map(line)).collect()
}

/// What failed earlier, and how it went now.
fn earlier(tried: &Tried, paint: Paint) -> Vec<String> {
    let seeds = if tried.seeds == 1 { "1 seed".to_owned() } else { format!("{} seeds", thousands(tried.seeds)) };
    let outside = match tried.outside {
        0 => String::new(),
        n if n == tried.seeds => ", none of them among these".to_owned(),
        n => format!(", {} of them not among these", thousands(n)),
    };
    let fine = if tried.outside > 0 && tried.failing.is_empty() { ": as expected now" } else { "" };
    let mut lines = vec![format!("  earlier failures: {seeds} tried first{outside}{fine}")];
    let shown = tried.failing.iter().take(AGAIN_SHOWN);
    lines.extend(shown.map(|again| {
        let told = format!("    seed {} of {} fails again: {}", again.seed, clean(&again.point), clean(&again.why));
        paint.bad(&told)
    }));
    if tried.failing.len() > AGAIN_SHOWN {
        lines.push(format!("    … {} more in sweep.json", tried.failing.len() - AGAIN_SHOWN));
    }
    lines
}

/// The verdict, and why: behind it if there is room, else a line or more below it for each point.
fn verdict(summary: &SweepSummary, paint: Paint) -> Vec<String> {
    let broke = summary.points.iter().any(|point| point.fail > 0);
    let mark = match (summary.exit, summary.as_expected) {
        _ if summary.interrupted.is_some() => paint.doubtful("? INCONCLUSIVE"),
        (0, _) if summary.only_measured() => paint.good("✓ MEASURED"),
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
