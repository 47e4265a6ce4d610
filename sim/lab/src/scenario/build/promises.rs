//! What is judged, expected and swept over.

use super::super::resolved::write_value;
use super::super::tree::Entry;
use super::super::values;
use super::{COMPLETE, Reader};
use crate::model::{At, Check, Expect, Expected, Form, Invariant, Staleness, Sweep, SweepVariants};

pub(super) fn invariant(r: &Reader<'_>) -> Option<Invariant> {
    let has = |name: &str| r.node(name).is_some();
    let form = if has("always") {
        Form::Always(r.at("always"))
    } else if has("never") {
        Form::Never(r.at("never"))
    } else if has("at_rest") {
        Form::AtRest { predicate: r.at("at_rest"), of: r.maybe_at("of") }
    } else if has("finally") {
        Form::Finally { predicate: r.at("finally"), after: r.span("after") }
    } else if has("eventually_after_heal") {
        Form::EventuallyAfterHeal { predicate: r.at("eventually_after_heal"), within: r.maybe_span("within") }
    } else if has("sometimes") {
        Form::Sometimes { predicate: r.at("sometimes"), at_least: r.maybe_share("at_least") }
    } else if has("transition") {
        Form::Transition(r.at("transition"))
    } else if has("leads_to") {
        Form::LeadsTo {
            when: r.at("when"),
            then: r.at("leads_to"),
            within: r.maybe_span("within"),
            for_each: r.item("for_each"),
        }
    } else if has("check") {
        Form::Check(Check {
            judge: r.at("check"),
            of: r.at("of"),
            within: r.maybe_span("within"),
            model: r.maybe_at("model"),
            limit: r.node("limit").map(|node| At { value: r.integer("limit") as u64, place: node.place }),
            max: r.node("max").map(|node| At { value: staleness(r), place: node.place }),
        })
    } else {
        return None;
    };
    let text = r.node("text").map(|_| r.text("text").to_owned());
    Some(Invariant { form, text, place: r.key })
}

fn staleness(r: &Reader<'_>) -> Staleness {
    match r.maybe_span("max") {
        Some(span) => Staleness::Time(span),
        None => Staleness::Versions(r.integer("max") as u64),
    }
}

pub(super) fn expect(r: &Reader<'_>) -> Expect {
    Expect {
        verdict: match r.text("verdict") {
            "fail" => Expected::Fail,
            "inconclusive" => Expected::Inconclusive,
            _ => Expected::Pass,
        },
        fails: r.texts("fails"),
        may_fail: r.texts("may_fail"),
        vacuous: r.texts("vacuous"),
        some_seed: r.text("seeds") == "some",
    }
}

pub(super) fn sweep(r: &Reader<'_>) -> Sweep {
    let variants = match r.text("variants") {
        "all" => SweepVariants::All,
        "none" => SweepVariants::Base,
        _ => SweepVariants::Named(r.texts("variants")),
    };
    let matrix = r.below("matrix");
    let axis = |(path, e): (&String, &Entry)| {
        let values = e.node.array().unwrap_or(&[]).iter().map(write_value).collect();
        (At { value: path.clone(), place: e.key }, values)
    };
    Sweep {
        seeds: r.node("seeds").map(|_| values::seeds(r.text("seeds")).expect(COMPLETE)),
        variants,
        matrix: matrix.table.entries.iter().map(axis).collect(),
    }
}
