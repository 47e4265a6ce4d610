//! What the runs of a sweep come to, taken together.

use super::{Done, Point, Precision, SeedResult, Seeds, contradiction, replications};
use crate::promise::{SeedFindings, SweepVerdict, judge_sweep};

/// A whole sweep.
#[derive(Clone, Debug)]
pub struct Swept {
    /// The scenario's name.
    pub name: String,
    /// Seeds from, to; with `run.precision` those of the point that needed most.
    pub seeds: (u64, u64),
    /// The points.
    pub points: Vec<Point>,
    /// By point, then by seed.
    pub results: Vec<SeedResult>,
    /// What failed earlier and is none of the sweep's seeds: by point, then by seed.
    pub extra: Vec<SeedResult>,
    /// How many of its runs had failed earlier and were tried first.
    pub earlier: u64,
    /// Per point its verdict; none for a matrix point, which is only measured, and if no seed of it was run.
    pub verdicts: Vec<Option<SweepVerdict>>,
    /// Per point, if the file asks for precision.
    pub precisions: Vec<Option<Precision>>,
    /// It was stopped from outside.
    pub interrupted: bool,
    /// 0, 1, 3, 4 or 130.
    pub exit: u8,
}

impl Swept {
    /// The results that contradict their expectation by themselves, each with why: those of the sweep, then those of its
    /// extra seeds. What is only undecided is not among them.
    pub fn unexpected(&self) -> impl Iterator<Item = (&SeedResult, String)> {
        self.results.iter().chain(&self.extra).filter_map(|result| {
            let (exit, why) = contradiction(&self.points[result.point], result)?;
            (exit != 3).then_some((result, why))
        })
    }
}

pub(super) fn conclude(name: String, plan: &[Seeds], points: Vec<Point>, done: Done) -> Swept {
    let Done { results, extra, earlier, interrupted } = done;
    let verdict = |(index, point): (usize, &Point)| {
        let mine: Vec<SeedFindings> = results.iter().filter(|r| r.point == index).map(|r| r.findings.clone()).collect();
        (point.judged && !mine.is_empty()).then(|| judge_sweep(&point.scenario.model, &mine))
    };
    let verdicts: Vec<Option<SweepVerdict>> = points.iter().enumerate().map(verdict).collect();
    let precision = |(index, point): (usize, &Point)| {
        point.scenario.model.run.precision?;
        let mut replications = replications(point);
        results.iter().filter(|r| r.point == index).for_each(|result| _ = replications.push(result));
        Some(replications.finish())
    };
    let precisions: Vec<Option<Precision>> = points.iter().enumerate().map(precision).collect();
    let vague = |(seeds, precision): (&Seeds, &Option<Precision>)| {
        seeds.until_precise && precision.as_ref().is_some_and(|precision| !precision.reached)
    };
    let vague = plan.iter().zip(&precisions).any(vague);
    // A seed that is none of the sweep's counts by itself.
    let alone = extra.iter().filter_map(|result| Some(contradiction(&points[result.point], result)?.0));
    let exits: Vec<u8> = verdicts.iter().flatten().map(|v| v.exit).chain(alone).collect();
    let all = || results.iter().chain(&extra);
    let exit = if interrupted {
        130
    } else if all().any(|r| r.divergence.is_some()) {
        4
    } else if all().any(|r| r.panic.is_some()) || exits.contains(&1) {
        1
    } else {
        exits.into_iter().max().unwrap_or(0).max(if vague { 3 } else { 0 })
    };
    // A point that was stopped by its precision has fewer seeds than it might have had.
    let last = results.iter().map(|r| r.seed + 1).max();
    let from = plan.iter().map(|seeds| seeds.from).min().unwrap_or(0);
    let until_precise = plan.iter().any(|seeds| seeds.until_precise);
    let to = plan.iter().map(|seeds| seeds.to).max().unwrap_or(0);
    let seeds = (from, if until_precise { last.unwrap_or(from) } else { to });
    Swept { name, seeds, points, results, extra, earlier, verdicts, precisions, interrupted, exit }
}
