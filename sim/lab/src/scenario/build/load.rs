//! Workloads and variables.

use std::ops::Range;

use kernel::Time;

use super::super::data::Files;
use super::super::distributions::Sort;
use super::super::resolve::join;
use super::super::tree::{Node, Value};
use super::super::values;
use super::super::variables::{self, Holds};
use super::{COMPLETE, Reader, dist, steps};
use crate::model::{Activity, At, Begin, Dist, Load, Named, Only, Stage, Variable, Workload};

pub(super) fn workload(r: &Reader<'_>) -> Workload {
    let load = if let Some(per_second) = r.rate("rate") {
        Load::Rate { per_second, poisson: r.text("arrivals") != "even" }
    } else if r.node("trace").is_some() {
        let time = |t: At<String>| Time(values::duration(&t.value).expect(COMPLETE));
        Load::Trace(r.texts("trace").into_iter().map(time).collect())
    } else {
        Load::Users { users: r.integer("users") as u32, think: think(r) }
    };
    Workload {
        load,
        stages: r.list("stages", stage),
        clients: r.count("clients"),
        start: r.time("start"),
        stop: r.time("stop"),
        only: only(r),
        activity: activity(r),
        vars: vars(r),
        zone: r.maybe_at("zone"),
    }
}

/// Ranges in order, without overlaps; or times in order.
fn only(r: &Reader<'_>) -> Option<Only> {
    let items = r.node("only")?.array()?;
    if items.iter().any(|node| node.table().is_some()) {
        let mut listed = r.list("only", begin);
        listed.sort_by_key(|begin| (begin.at, begin.number));
        return Some(Only::Listed(listed));
    }

    let range = |node: &Node| match &node.value {
        Value::Integer(number) => *number as u64..*number as u64 + 1,
        Value::Text(range) => {
            let (from, to) = values::seeds(range).expect(COMPLETE);
            from..to
        }
        Value::Float(_) | Value::Boolean(_) | Value::Date(_) | Value::Array(_) | Value::Table(_) => 0..0,
    };
    let mut ranges: Vec<Range<u64>> = items.iter().map(range).collect();
    ranges.sort_by_key(|range| (range.start, range.end));
    ranges.dedup_by(|later, first| {
        let joined = later.start <= first.end;
        first.end = if joined { first.end.max(later.end) } else { first.end };
        joined
    });
    Some(Only::Numbers(ranges))
}

fn begin(r: &Reader<'_>) -> Begin {
    let user = r.node("user").map(|_| r.integer("user") as u32);
    Begin { number: r.integer("n") as u64, at: r.time("at"), user, place: r.key }
}

fn activity(r: &Reader<'_>) -> Activity {
    let client = r.below("client");
    if r.node("steps").is_some() {
        return Activity::Steps(steps::steps(r, "steps", &join(&r.path, "steps")), client.maybe_span("timeout"));
    }
    if r.node("mix").is_some() {
        let weights = r.list("mix", |step| step.number("weight"));
        let steps = steps::steps(r, "mix", &join(&r.path, "mix"));
        return Activity::Mix(weights.into_iter().zip(steps).collect(), client.maybe_span("timeout"));
    }
    Activity::Call(Box::new(steps::call(&client, r.at("target"))))
}

fn stage(r: &Reader<'_>) -> Stage {
    let to = r.node("to").map(|node| match &node.value {
        Value::Integer(users) => *users as f64,
        Value::Text(rate) => values::rate(rate).expect(COMPLETE).0,
        Value::Float(_) | Value::Boolean(_) | Value::Date(_) | Value::Array(_) | Value::Table(_) => 0.0,
    });
    let over = if to.is_some() { r.span("over") } else { r.span("hold") };
    Stage { to, over, place: r.key }
}

fn think(r: &Reader<'_>) -> Dist {
    // A workload whose kind of load is wrong has no `think` either; nobody will see this value.
    let none = || Node::text("0s", r.key);
    r.maybe_dist("think", Sort::Durations).unwrap_or_else(|| dist(&none(), Sort::Durations, join(&r.path, "think")))
}

/// `vars` of a workload or an op.
pub(super) fn vars(r: &Reader<'_>) -> Named<Variable> {
    let vars = r.below("vars");
    let var = |(name, e): (&String, &super::super::tree::Entry)| {
        (At { value: name.clone(), place: e.key }, variable(&e.node, join(&vars.path, name)))
    };
    vars.table.entries.iter().map(var).collect()
}

fn variable(node: &Node, path: String) -> Variable {
    let parsed = match &node.value {
        Value::Boolean(value) => variables::truth(*value),
        Value::Text(text) => variables::parse(text, &Files::default()).expect(COMPLETE),
        Value::Integer(_) | Value::Float(_) | Value::Date(_) | Value::Array(_) | Value::Table(_) => {
            panic!("{COMPLETE}: a variable is text or a truth value")
        }
    };
    let dist = Dist { law: parsed.law, text: parsed.text, path, place: node.place };
    match parsed.sort {
        Holds::Number => Variable::Number(dist),
        Holds::Truth => Variable::Truth(dist),
        Holds::Texts(texts) => Variable::Text(dist, texts),
        Holds::Sequence(first) => Variable::Sequence(first),
    }
}
