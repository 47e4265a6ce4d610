//! `--format json`: the same documents that stand in the files.

use crate::suite::SuiteSummary;
use crate::summary;
use crate::sweep::SweepSummary;
use lab::explain::{Change, Doom, Passing, Story};
use lab::outcome::Outcome;
use lab::shrink::{Shrunk, Size};
use serde::Serialize;

/// The text of `summary.json`: pretty, keys in a fixed order, a line feed at the end.
pub fn run(outcome: &Outcome) -> String {
    pretty(&summary::of(outcome))
}

/// The text of `sweep.json`.
pub fn sweep(summary: &SweepSummary) -> String {
    pretty(summary)
}

/// What came of making a failing run small; `file` is where it is now.
pub fn shrink(shrunk: &Shrunk, file: &str) -> String {
    let size = |size: Size| {
        serde_json::json!({
            "faults": size.faults,
            "operations": size.operations,
            "machines": size.machines,
            "load_s": kernel::Time(size.duration).seconds(),
        })
    };
    pretty(&serde_json::json!({
        "file": file,
        "promise": shrunk.promise,
        "class": shrunk.class,
        "from": size(shrunk.from),
        "to": size(shrunk.to),
        "runs": shrunk.runs,
        "necessary": shrunk.necessary,
        "comments_kept": shrunk.edited,
        "fingerprint": format!("{:016x}", shrunk.outcome.fingerprint),
    }))
}

/// A story: its lines, and how much of the run they are.
pub fn story(story: &Story, outcome: &Outcome) -> String {
    let lines = story.lines.iter().map(|line| {
        serde_json::json!({
            "time_s": line.time.seconds(),
            "event": line.event,
            "lane": line.lane,
            "what": line.what,
            "outcome": line.outcome,
            "note": line.note,
        })
    });
    let promise = story.promise.as_ref();
    pretty(&serde_json::json!({
        "scenario": outcome.scenario,
        "seed": outcome.seed,
        "variant": outcome.variant,
        "run_id": outcome.run_id,
        "about": story.title,
        "says": story.says,
        "promise": promise.map(|(name, _)| name),
        "class": promise.map(|(_, class)| class),
        "broken": story.broken.map(|(time, event)| serde_json::json!({ "time_s": time.seconds(), "event": event })),
        "doom": story.doom.as_ref().map(doom),
        "nearest": story.passing.as_ref().map(nearest),
        "runs_tried": story.tried,
        "lanes": story.lanes.iter().map(|lane| &lane.name).collect::<Vec<_>>(),
        "lines": lines.collect::<Vec<_>>(),
        "events": story.counts.events,
        "events_about_it": story.counts.own,
        "events_that_led_to_it": story.counts.caused,
        "lines_left_out": story.counts.left_out,
    }))
}

fn doom(doom: &Doom) -> serde_json::Value {
    let chances = doom.chances.iter().map(|chance| {
        serde_json::json!({
            "event": chance.event,
            "time_s": chance.time.seconds(),
            "broken": chance.broken,
            "futures": chance.futures,
            "low": chance.low,
            "high": chance.high,
        })
    });
    let step = doom.step.as_ref().map(|step| {
        let (before, after) = (&doom.chances[step.before], &doom.chances[step.before + 1]);
        serde_json::json!({
            "event": step.event,
            "time_s": after.time.seconds(),
            "before": before.share(),
            "after": after.share(),
            "what": step.what,
        })
    });
    serde_json::json!({
        "chances": chances.collect::<Vec<_>>(),
        "step": step,
        "cut_short": doom.cut_short,
        "events_spent": doom.spent,
    })
}

fn nearest(passing: &Passing) -> serde_json::Value {
    let change = match &passing.change {
        Change::WithoutFault(name) => serde_json::json!({ "without_fault": name }),
        Change::WithoutOperation(workload, number) => {
            serde_json::json!({ "without_operation": format!("{workload}/{number}") })
        }
        Change::Seed(seed) => serde_json::json!({ "seed": seed }),
    };
    let differs = passing.differs.as_ref().map(|differs| {
        let instead = differs.passing.as_ref();
        serde_json::json!({
            "event": differs.event,
            "time_s": differs.time.seconds(),
            "failing": differs.failing,
            "passing_time_s": instead.map(|(time, _)| time.seconds()),
            "passing": instead.map(|(_, what)| what),
        })
    });
    serde_json::json!({ "change": change, "first_difference": differs })
}

/// The document of a suite.
pub fn suite(summary: &SuiteSummary) -> String {
    pretty(summary)
}

pub(crate) fn pretty(document: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(document)
        .expect("our documents have string keys and write into memory, so serialising them cannot fail");
    text.push('\n');
    text
}
