//! What lies behind the series of every chart over time: the windows of faults and the parts of the run that are not
//! measured. Each has a lane above the plot, named once, and a shade in it.

use super::colour::{FAULT_SHADE, FAULTS, OUTSIDE, OUTSIDE_SHADE};
use lab::outcome::{FaultResult, Outcome};
use plotters::style::RGBColor;

/// What lasts longer than this share of the run is not shaded.
const THROUGHOUT: f64 = 0.75;

/// One lane: everything that happened under one name.
#[derive(Clone, PartialEq, Debug)]
pub struct Lane {
    /// What it was: `crash`, `crash (no effect)`, `warm-up`.
    pub name: String,
    /// From, to, in seconds.
    pub spans: Vec<(f64, f64)>,
    /// Its colour.
    pub colour: RGBColor,
    /// How strongly it is shaded behind the series, 0 to 1; 0 if it lasts nearly throughout and would tell nothing there.
    pub shade: f64,
}

/// The lanes of a run: first what is not measured, then one per fault of the file that began, the last of at most four for
/// all the rest.
pub fn lanes(outcome: &Outcome) -> Vec<Lane> {
    let mut lanes: Vec<Lane> = unmeasured(outcome).into_iter().collect();
    let mut names: Vec<&str> = Vec::new();
    for fault in outcome.faults.iter().filter(|fault| fault.to.is_some()) {
        if !names.contains(&fault.name.as_str()) {
            names.push(&fault.name);
        }
    }
    let alone = if names.len() > FAULTS.len() { FAULTS.len() - 1 } else { names.len() };
    for (name, colour) in names[..alone].iter().zip(FAULTS) {
        let of_name: Vec<&FaultResult> = outcome.faults.iter().filter(|fault| fault.name == **name).collect();
        let without = of_name.iter().all(|fault| !fault.effective);
        let name = if without { format!("{name} (no effect)") } else { (*name).to_owned() };
        lanes.push(fault_lane(outcome, name, &of_name, colour));
    }
    if names.len() > alone {
        let rest: Vec<&FaultResult> =
            outcome.faults.iter().filter(|fault| names[alone..].contains(&fault.name.as_str())).collect();
        let name = format!("{} more faults", names.len() - alone);
        lanes.push(fault_lane(outcome, name, &rest, FAULTS[FAULTS.len() - 1]));
    }
    lanes
}

fn fault_lane(outcome: &Outcome, name: String, faults: &[&FaultResult], colour: RGBColor) -> Lane {
    let spans = spans(outcome, faults);
    let longest = spans.iter().map(|(from, to)| to - from).fold(0.0, f64::max);
    let throughout = longest > THROUGHOUT * outcome.end.seconds();
    Lane { name, spans, colour, shade: if throughout { 0.0 } else { FAULT_SHADE } }
}

/// Before warm-up ends and after load ends.
fn unmeasured(outcome: &Outcome) -> Option<Lane> {
    let (end, warmup, load_end) =
        (outcome.end.seconds(), outcome.times.warmup.seconds(), outcome.times.duration.seconds());
    let before = (warmup > 0.0).then_some((0.0, warmup.min(end)));
    let after = (load_end < end).then_some((load_end, end));
    let name = match (before, after) {
        (None, None) => return None,
        (Some(_), None) => "warm-up",
        (None, Some(_)) => "after load",
        (Some(_), Some(_)) => "warm-up, after load",
    };
    let spans = before.into_iter().chain(after).collect();
    Some(Lane { name: name.to_owned(), spans, colour: OUTSIDE, shade: OUTSIDE_SHADE })
}

fn spans(outcome: &Outcome, faults: &[&FaultResult]) -> Vec<(f64, f64)> {
    let end = outcome.end.seconds();
    let began = faults.iter().filter_map(|fault| fault.to.map(|to| (fault.from.seconds(), to.seconds())));
    began.filter(|(from, _)| *from <= end).map(|(from, to)| (from, to.clamp(from, end.max(from)))).collect()
}
