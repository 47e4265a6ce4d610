//! From the runs of a sweep to its summary.

use lab::model::{At, Form, Model};
use lab::outcome::{Found, Quantity, Status};
use lab::promise::SweepVerdict;
use lab::sweep::{Promise, REPLICATIONS_MAX, Request, SeedResult, Swept, Violation, contradiction};

use super::{
    Again, Axis, Broken, Cluster, FailureGroup, Mean, Median, Point, Precise, Reached, Reruns, Share, SweepSummary,
    Tried, Unjudged,
};

/// Failing seeds that are listed per point.
const SEEDS_LISTED: usize = 20;

/// What a sweep came to; `file` is how its scenario is called on the command line.
pub fn of(swept: &Swept, request: &Request, file: &str) -> SweepSummary {
    let measured = measured(swept);
    let at = |index: usize| swept.results.iter().filter(move |r| r.point == index);
    let points = swept.points.iter().enumerate().map(|(index, one)| {
        let mine = || at(index);
        let count = |found: Found| mine().filter(|r| r.found == found).count() as u64;
        let unjudged = mine().filter(|r| only_unjudged(one, r)).count() as u64;
        let values: Vec<Quantity> =
            measured.iter().flat_map(|name| mine().filter_map(|result| value(result, name))).collect();
        Point {
            name: one.name(),
            variant: one.variant.clone(),
            values: one.sets.iter().map(|(_, value)| value.clone()).collect(),
            pass: count(Found::Pass),
            fail: count(Found::Fail),
            unknown: count(Found::Inconclusive),
            violation: Share { runs: count(Found::Fail), of: mine().count() as u64 },
            promises: promises(one, &mine().collect::<Vec<_>>()),
            sometimes: sometimes(&one.scenario.model, &mine().collect::<Vec<_>>()),
            as_expected: swept.verdicts[index].as_ref().map(|verdict| verdict.as_expected),
            median: Median::of(&values),
            precision: swept.precisions[index].as_ref().map(precise),
            unjudged: (unjudged > 0).then_some(Unjudged { seeds: unjudged, judged_on: one.scenario.model.run.seed }),
            failing: mine().filter(|r| r.found == Found::Fail).map(|r| r.seed).take(SEEDS_LISTED).collect(),
        }
    });
    let axes = axes(swept);
    let told = |(point, verdict): (&lab::sweep::Point, &Option<SweepVerdict>)| -> Option<String> {
        Some(format!("{}: {}", point.name(), verdict.as_ref()?.summary))
    };
    let reasons: Vec<String> = swept.points.iter().zip(&swept.verdicts).filter_map(told).chain(vague(swept)).collect();
    SweepSummary {
        scenario: swept.name.clone(),
        seeds: swept.seeds,
        axis: match (axes.is_empty(), swept.points.len()) {
            (false, _) => axes.iter().map(|axis| axis.path.as_str()).collect::<Vec<_>>().join(", "),
            (true, 2..) => "variant".to_owned(),
            (true, 0 | 1) => String::new(),
        },
        axes,
        points: points.collect(),
        measured,
        failures: failures(swept, request, file),
        reruns: request.twice.then(|| Reruns {
            seeds: swept.results.len() as u64,
            identical: swept.results.iter().filter(|r| r.divergence.is_none() && r.panic.is_none()).count() as u64,
        }),
        earlier: earlier(swept, request, file),
        interrupted: swept.interrupted.then_some(swept.results.len() as u64),
        as_expected: swept.exit == 0,
        exit: swept.exit,
        summary: reasons.join(" · "),
        next: first_unexpected(swept).map(|(point, seed)| replay(file, &request.sets, &swept.points[point], seed)),
    }
}

/// What a threshold of this name measured in a run.
pub(crate) fn value(result: &SeedResult, name: &str) -> Option<Quantity> {
    result.promises.iter().find(|promise| promise.name == name)?.threshold?
}

/// The paths of the matrix with their values, in their order.
fn axes(swept: &Swept) -> Vec<Axis> {
    let mut axes: Vec<Axis> = Vec::new();
    for (path, value) in swept.points.iter().flat_map(|point| &point.sets) {
        match axes.iter_mut().find(|axis| axis.path == *path) {
            Some(axis) if axis.values.contains(value) => {}
            Some(axis) => axis.values.push(value.clone()),
            None => axes.push(Axis { path: path.clone(), values: vec![value.clone()] }),
        }
    }
    axes
}

/// How often each promise of a point was broken, in the order of the file.
fn promises(point: &lab::sweep::Point, results: &[&SeedResult]) -> Vec<Broken> {
    let model = &point.scenario.model;
    let names = model.invariants.iter().map(|(name, _)| name).chain(model.thresholds.iter().map(|(name, _)| name));
    let one = |name: &At<String>| {
        let of = |result: &&&SeedResult| result.promises.iter().find(|p| p.name == name.value).map(|p| p.status);
        let count = |wanted: &[Status]| {
            results.iter().filter(|result| of(result).is_some_and(|status| wanted.contains(&status))).count() as u64
        };
        Broken {
            name: name.value.clone(),
            violation: Share { runs: count(&[Status::Violated]), of: results.len() as u64 },
            unknown: count(&[Status::Unknown, Status::Vacuous]),
        }
    };
    names.map(one).collect()
}

/// On how many seeds each `sometimes` promise was reached.
fn sometimes(model: &Model, results: &[&SeedResult]) -> Vec<Reached> {
    let wanted = model.invariants.iter().filter_map(|(name, invariant)| match &invariant.form {
        Form::Sometimes { at_least, .. } => Some((name, *at_least)),
        Form::Always(_)
        | Form::Never(_)
        | Form::AtRest { .. }
        | Form::Finally { .. }
        | Form::EventuallyAfterHeal { .. }
        | Form::Transition(_)
        | Form::LeadsTo { .. }
        | Form::Check(_) => None,
    });
    let one = |(name, at_least): (&At<String>, Option<f64>)| {
        let there = |r: &&&SeedResult| r.findings.reached.iter().any(|(n, reached)| *n == name.value && *reached);
        let share = Share { runs: results.iter().filter(there).count() as u64, of: results.len() as u64 };
        let enough = share.runs > 0 && at_least.is_none_or(|least| share.runs as f64 >= least * share.of as f64);
        Reached { name: name.value.clone(), reached: share, at_least, enough }
    };
    wanted.map(one).collect()
}

/// Whether a failing run crossed nothing but thresholds that are not judged on its seed.
fn only_unjudged(point: &lab::sweep::Point, result: &SeedResult) -> bool {
    let (model, findings) = (&point.scenario.model, &result.findings);
    let fails = |name: &String| model.expect.some_seed && model.expect.fails.iter().any(|f| f.value == *name);
    result.found == Found::Fail
        && result.panic.is_none()
        && result.seed != model.run.seed
        && findings.failing.is_empty()
        && findings.vacuous.is_empty()
        && !findings.failing_thresholds.iter().any(fails)
}

/// Points that used up their replications and are not as precise as the file asks.
fn vague(swept: &Swept) -> impl Iterator<Item = String> {
    let points = swept.points.iter().zip(&swept.precisions);
    points.filter_map(|(point, precision)| {
        let precision = precision.as_ref().filter(|p| !p.reached && p.replications >= REPLICATIONS_MAX)?;
        Some(format!("{}: not precise enough after {} seeds", point.name(), precision.replications))
    })
}

fn precise(precision: &lab::sweep::Precision) -> Precise {
    let mean =
        |m: &lab::sweep::Mean| Mean { name: m.name.clone(), mean: m.mean, half_width: m.half_width, narrow: m.narrow };
    Precise {
        wanted: precision.wanted,
        replications: precision.replications,
        reached: precision.reached,
        means: precision.means.iter().map(mean).collect(),
    }
}

/// The first threshold about a time, else the first threshold.
fn measured(swept: &Swept) -> Option<String> {
    let names = || swept.results.iter().flat_map(|r| r.promises.iter()).filter(|p| p.threshold.is_some());
    names()
        .find(|p| matches!(p.threshold, Some(Some(Quantity::Seconds(_)))))
        .or_else(|| names().next())
        .map(|p| p.name.clone())
}

/// What the engine's own failure is called among the promises.
const ENGINE_BUG: &str = "engine bug";

fn failures(swept: &Swept, request: &Request, file: &str) -> Vec<FailureGroup> {
    let mut groups: Vec<FailureGroup> = Vec::new();
    let stands = |list: &[At<String>], promise: &str| list.iter().any(|name| name.value == promise);
    for result in &swept.results {
        let point = &swept.points[result.point];
        let expect = &point.scenario.model.expect;
        let idle = |p: &Promise| Violation {
            class: format!("{}/vacuous", p.name),
            signature: Vec::new(),
            witness: vec!["there was nothing to judge".to_owned()],
        };
        let broken = result.promises.iter().filter_map(|p| match p.status {
            Status::Violated => Some((p.name.as_str(), p.violation.clone()?)),
            Status::Vacuous => Some((p.name.as_str(), idle(p))),
            Status::Holds | Status::Unknown => None,
        });
        let bug = result.panic.as_ref().map(|text| {
            let witness = text.lines().take(3).map(str::to_owned).collect();
            (ENGINE_BUG, Violation { class: ENGINE_BUG.to_owned(), signature: Vec::new(), witness })
        });
        for (promise, violation) in broken.chain(bug) {
            let place = point.name();
            let vacuous = result.promises.iter().any(|p| p.name == promise && p.status == Status::Vacuous);
            let same = |g: &FailureGroup| g.promise == promise && g.point == place && g.vacuous == vacuous;
            let at = groups.iter().position(same).unwrap_or_else(|| {
                groups.push(FailureGroup {
                    vacuous,
                    expected: stands(if vacuous { &expect.vacuous } else { &expect.fails }, promise),
                    allowed: !vacuous && stands(&expect.may_fail, promise),
                    judged_on: result
                        .promises
                        .iter()
                        .any(|p| p.name == promise && p.threshold.is_some())
                        .then_some(point.scenario.model.run.seed)
                        .filter(|_| vacuous || !(expect.some_seed && stands(&expect.fails, promise))),
                    promise: promise.to_owned(),
                    runs: 0,
                    seed: result.seed,
                    point: place,
                    share: Share {
                        runs: 0,
                        of: swept.results.iter().filter(|other| other.point == result.point).count() as u64,
                    },
                    clusters: Vec::new(),
                });
                groups.len() - 1
            });
            let group = &mut groups[at];
            group.runs += 1;
            group.share.runs += 1;
            let Violation { class, signature, witness } = violation;
            match group.clusters.iter_mut().find(|one| one.class == class && one.signature == signature) {
                Some(cluster) => cluster.runs += 1,
                None => group.clusters.push(Cluster {
                    replay: replay(file, &request.sets, point, result.seed),
                    seed: result.seed,
                    runs: 1,
                    class,
                    signature,
                    witness,
                }),
            }
        }
    }
    // What was broken comes first.
    groups.sort_by_key(|group| (group.vacuous, std::cmp::Reverse(group.runs)));
    for group in &mut groups {
        group.clusters.sort_by_key(|cluster| std::cmp::Reverse(cluster.runs));
    }
    groups
}

/// What failed earlier, if anything of it was tried.
fn earlier(swept: &Swept, request: &Request, file: &str) -> Option<Tried> {
    let again = |result: &SeedResult| {
        let point = &swept.points[result.point];
        let (_, why) = contradiction(point, result)?;
        let replay = replay(file, &request.sets, point, result.seed);
        Some(Again { seed: result.seed, point: point.name(), why, replay })
    };
    (swept.earlier > 0).then(|| Tried {
        seeds: swept.earlier,
        outside: swept.extra.len() as u64,
        failing: swept.extra.iter().filter_map(again).collect(),
    })
}

/// The first run that contradicts its expectation.
fn first_unexpected(swept: &Swept) -> Option<(usize, u64)> {
    let verdicts = swept.verdicts.iter().enumerate().filter_map(|(point, verdict)| Some((point, verdict.as_ref()?)));
    let mut found = verdicts.filter_map(|(point, verdict)| Some((point, verdict.unexpected.first()?.0)));
    let extra = || swept.extra.iter().find(|r| contradiction(&swept.points[r.point], r).is_some());
    found.next().or_else(|| extra().map(|result| (result.point, result.seed)))
}

/// The command that does one run of a sweep again.
pub fn replay(file: &str, sets: &[(String, String)], point: &lab::sweep::Point, seed: u64) -> String {
    let mut text = format!("stormglass run {} --seed {seed}", crate::quoted_for_shell(file));
    if let Some(variant) = &point.variant {
        text.push_str(" --variant ");
        text.push_str(variant);
    }
    for (path, value) in sets.iter().chain(&point.sets) {
        text.push_str(" --set ");
        text.push_str(&crate::quoted_for_shell(&format!("{path}={value}")));
    }
    text
}
