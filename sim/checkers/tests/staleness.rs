//! Bounded staleness against every order of the writes, on small random histories.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test says what it counted and may stop")]

use std::collections::BTreeMap;

use checkers::history::{
    Clock, Dialect, Event, FailedCas, History, Judgement, NEVER, NilRead, Operation, Orphans, Outcome, Phase, Value,
    WriteOrder,
};
use checkers::ledgers::{each, staleness};
use staleness::Bound;

struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Three processes that write values that differ, delete (if they may) and read whatever was asked for by then.
fn history(dice: &mut Dice, deletes: bool) -> History {
    let mut events: Vec<Event> = Vec::new();
    let mut open: [Option<(&str, Value)>; 3] = [const { None }; 3];
    let mut asked = vec![Value::Nil];
    let (mut begun, mut time) = (0, 0);
    while begun < 8 || open.iter().any(Option::is_some) {
        let process = dice.below(3) as usize;
        let (phase, (f, value)) = match open[process].take() {
            None if begun == 8 => continue,
            None => {
                begun += 1;
                let call = match dice.below(8) {
                    0..4 => ("read", Value::Nil),
                    4 if deletes => ("delete", Value::Nil),
                    _ => ("write", Value::Int(begun)),
                };
                if call.0 != "read" {
                    asked.push(call.1.clone());
                }
                open[process] = Some(call.clone());
                (Phase::Invoke, call)
            }
            Some(("read", _)) => {
                let newest = asked.len() as u64;
                let value = asked[(newest - 1 - dice.below(newest).min(dice.below(newest))) as usize].clone();
                (Phase::Ok, ("read", value))
            }
            Some(call) => ([Phase::Ok, Phase::Ok, Phase::Ok, Phase::Info][dice.below(4) as usize], call),
        };
        time += dice.below(3) as i64;
        let line = events.len() as u32 + 1;
        let (process, f) = (Some(process as i64), f.into());
        events.push(Event { line, process, phase, f, value, key: None, time: Some(time), node: None });
    }
    let dialect = Dialect {
        failed_cas: FailedCas::Dropped,
        nil_read: NilRead::Nothing,
        clock: Clock::Shared,
        write_order: WriteOrder::Unknown,
    };
    History::new(&events, dialect, Orphans::Refused).unwrap()
}

/// Whether there are sources of all reads, and an order of what happened, in which every read is within the bound.
fn within(history: &History, bound: Bound) -> bool {
    let operations = &history.operations;
    let reads: Vec<&Operation> = operations.iter().filter(|operation| &*operation.f == "read").collect();
    choose(operations, bound, &reads, &mut Vec::new())
}

fn choose(all: &[Operation], bound: Bound, reads: &[&Operation], chosen: &mut Vec<Option<usize>>) -> bool {
    let Some(read) = reads.get(chosen.len()) else { return ordered(all, bound, reads, chosen) };
    let may = |write: &Operation| {
        let leaves = if &*write.f == "delete" { &Value::Nil } else { &write.argument };
        &*write.f != "read" && *leaves == read.result && write.invoked < read.returned
    };
    let at_first = read.result.is_nil().then_some(None);
    let sources = at_first.into_iter().chain((0..all.len()).filter(|&n| may(&all[n])).map(Some));
    for source in sources.collect::<Vec<_>>() {
        chosen.push(source);
        let found = choose(all, bound, reads, chosen);
        chosen.pop();
        if found {
            return true;
        }
    }
    false
}

fn ordered(all: &[Operation], bound: Bound, reads: &[&Operation], chosen: &[Option<usize>]) -> bool {
    // Position by which each had taken effect.
    let mut effects: BTreeMap<usize, u32> = (0..all.len())
        .filter(|&n| &*all[n].f != "read" && (all[n].outcome == Outcome::Ok || chosen.contains(&Some(n))))
        .map(|n| (n, all[n].returned))
        .collect();
    for (read, found) in reads.iter().zip(chosen) {
        if let Some(effect) = found.and_then(|found| effects.get_mut(&found)) {
            *effect = (*effect).min(read.returned);
        }
    }
    let after_all = |order: &[usize]| {
        reads.iter().zip(chosen).all(|(read, found)| {
            let from = found.map_or(0, |found| order.iter().position(|&n| n == found).unwrap() + 1);
            let over = |n: &&usize| all[**n].outcome == Outcome::Ok && all[**n].returned < read.invoked;
            let newer = order[from..].iter().filter(over);
            match bound {
                Bound::Versions(most) => newer.count() as u64 <= most,
                Bound::Nanoseconds(most) => {
                    newer.into_iter().all(|&n| (read.times.0.unwrap() - all[n].times.1.unwrap()) as u64 <= most)
                }
            }
        })
    };
    let mut order = Vec::new();
    extend(all, &effects, &mut order, &after_all)
}

/// Tries every order that keeps to real time.
fn extend(
    all: &[Operation],
    effects: &BTreeMap<usize, u32>,
    order: &mut Vec<usize>,
    holds: &dyn Fn(&[usize]) -> bool,
) -> bool {
    if order.len() == effects.len() {
        return holds(order);
    }
    let left: Vec<usize> = effects.keys().copied().filter(|n| !order.contains(n)).collect();
    for &next in &left {
        if left.iter().all(|other| effects[other] == NEVER || effects[other] >= all[next].invoked) {
            order.push(next);
            let found = extend(all, effects, order, holds);
            order.pop();
            if found {
                return true;
            }
        }
    }
    false
}

#[test]
fn staleness_agrees_with_every_order_of_the_writes() {
    let mut dice = Dice(7);
    let mut counts: BTreeMap<(bool, &str), [u32; 2]> = BTreeMap::new();
    for round in 0..40_000 {
        let deletes = round % 4 == 0;
        let history = history(&mut dice, deletes);
        let bound = match dice.below(2) {
            0 => Bound::Versions(dice.below(3)),
            _ => Bound::Nanoseconds(dice.below(6)),
        };
        let exact = !deletes && !matches!(bound, Bound::Versions(1..));
        let truth = within(&history, bound);
        let said = each(&history, |listed| staleness::bounded(listed, &Value::Nil, NilRead::Nothing, bound)).unwrap();
        let word = match &said {
            Judgement::Valid(_) => "valid",
            Judgement::Violated(told) if told.sentence.contains("whatever order") => "violated together",
            Judgement::Violated(_) => "violated",
            Judgement::Unknown { .. } => "unknown",
        };
        counts.entry((exact, word)).or_default()[usize::from(truth)] += 1;
        assert!(word != "valid" || truth, "{bound:?} wrongly valid: {history:#?}");
        assert!(!word.starts_with("violated") || !truth, "{bound:?} wrongly {said:?}: {history:#?}");
        assert!(word != "unknown" || !exact, "{bound:?} left open: {said:?} {history:#?}");
    }
    println!("(exact, said): [broken, kept] {counts:?}");
    let unknown: u32 = counts.get(&(false, "unknown")).map_or(0, |[broken, kept]| broken + kept);
    assert!(unknown < 400, "{unknown} left open");
    assert!(counts[&(true, "violated together")][0] > 100, "reads that are within the bound only one by one");
}
