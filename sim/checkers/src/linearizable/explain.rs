//! Why there is no order: how far one gets, what stands in the way, and the fewest reads that show it.

use alloc::format;
use alloc::string::ToString as _;
use alloc::vec::Vec;
use core::cell::Cell;

use super::Budget;
use super::part::Part;
use super::planted::Planted;
use super::search::{End, First, Search};
use super::states::REFUSED;
use super::timeline::NONE;
use crate::history::{Counterexample, History, NEVER, Refused};
use crate::models::Spec;

/// Steps spent on leaving out reads, at most: a larger witness is better than a late one.
const SHRINKING_STEPS_MAX: u64 = 1_000_000;
/// Operations in the witness beyond these are not listed.
const LISTED_MAX: usize = 24;

/// Tells why an object has no order, after a search that showed it in this manner and came to `level`.
pub(super) fn explain<S: Spec>(
    spec: &S,
    history: &History,
    part: &Part<S::Call>,
    (first, level): (First, u32),
    budget: Budget,
) -> Counterexample {
    let mut search = Search::new(spec, part, Planted::default());
    let stuck = search.line.returning(level);
    let ended = part.items[stuck as usize].returned;
    let mut told = Counterexample { rule: "linearizable", ..Counterexample::default() };
    told.key = part.key.known().cloned();
    told.left_out = part.left_out;
    let operation = |item: u32| part.items[item as usize].operation;
    let what = &history.operations[operation(stuck) as usize];
    let about = told.key.as_ref().map_or_else(Default::default, |key| format!("key {key}: "));
    told.sentence = match part.left_out {
        0 => format!("{about}no order of the operations explains {what}"),
        others => format!("{about}whatever the other {others} operations did, no order explains {what}"),
    };
    if let End::Found(path) = search.run(first, level, budget) {
        search.line.seek(&part.items, level);
        let state = search.state();
        told.state = Some(spec.shown(search.states.state(state)));
        told.prefix = path.into_iter().map(operation).collect();
        for slot in 0..search.line.slots as u32 {
            let item = search.line.open[slot as usize];
            if item == NONE || search.has(slot) {
                continue;
            }
            let call = part.items[item as usize].call;
            if search.states.after(state, call) == REFUSED {
                let why = spec.refusal(search.states.state(state), &part.calls[call as usize]);
                told.refused.push(Refused { operation: operation(item), why });
            }
        }
        told.refused.sort_by_key(|refused| refused.operation);
        if let Some(refused) = told.refused.iter().find(|refused| refused.operation == operation(stuck)) {
            let alone = if part.left_out > 0 { "without them, " } else { "" };
            told.sentence = format!("{}: {alone}{}", told.sentence, refused.why);
        }
    }
    told.operations = fewest(spec, part, (stuck, ended), budget).into_iter().map(operation).collect();
    told
}

/// The operations that show it. Reads can be left out: what is impossible without a read is impossible with it. Writes
/// cannot, since a read of a value that nobody wrote would be another violation.
fn fewest<S: Spec>(spec: &S, part: &Part<S::Call>, (stuck, ended): (u32, u32), budget: Budget) -> Vec<u32> {
    let mut kept: Vec<u32> =
        (0..part.items.len() as u32).filter(|&item| part.items[item as usize].invoked < ended).collect();
    let removable =
        |&item: &u32| item != stuck && spec.reads_only(&part.calls[part.items[item as usize].call as usize]);
    let steps_left = Cell::new(budget.steps.min(SHRINKING_STEPS_MAX));
    let impossible = |kept: &[u32]| {
        let items = kept.iter().map(|&item| part.items[item as usize]).collect();
        let smaller = Part { key: part.key.clone(), calls: part.calls.clone(), items, left_out: part.left_out };
        let mut search = Search::new(spec, &smaller, Planted::default());
        let goal = search.line.levels();
        let end = search.run(First::Depth, goal, Budget { steps: steps_left.get(), ..budget });
        steps_left.set(steps_left.get().saturating_sub(search.states.spent + 1));
        end == End::Exhausted
    };
    let mut chunk = kept.iter().filter(|item| removable(item)).count().max(1);
    loop {
        let reads: Vec<u32> = kept.iter().copied().filter(removable).collect();
        for without in reads.chunks(chunk).take_while(|_| steps_left.get() > 0) {
            let fewer: Vec<u32> = kept.iter().copied().filter(|item| without.binary_search(item).is_err()).collect();
            if impossible(&fewer) {
                kept = fewer;
            }
        }
        if chunk == 1 {
            break;
        }
        chunk /= 2;
    }
    tail(part, kept, stuck)
}

/// Of these the last ones, back to a moment when nothing was open, and no more than people read.
fn tail<Call>(part: &Part<Call>, kept: Vec<u32>, stuck: u32) -> Vec<u32> {
    let item = |n: u32| part.items[n as usize];
    let mut from = item(stuck).invoked;
    for &n in kept.iter().rev().filter(|&&n| item(n).invoked < item(stuck).returned) {
        if item(n).returned != NEVER && item(n).returned < from {
            break;
        }
        from = from.min(item(n).invoked);
    }
    // What was done last before that moment says where it begins.
    let ended = |n: &u32| item(*n).returned != NEVER && item(*n).returned < from;
    let last = kept.iter().copied().filter(ended).max_by_key(|&n| item(n).returned);
    let shown = |n: &u32| item(*n).invoked >= from || item(*n).returned == NEVER || Some(*n) == last;
    let mut near: Vec<u32> = kept.into_iter().filter(shown).collect();
    if near.len() > LISTED_MAX {
        near.drain(..near.len() - LISTED_MAX);
    }
    if !near.contains(&stuck) {
        near.insert(0, stuck);
    }
    near
}

/// Why nothing was decided.
pub(super) fn undecided<S: Spec>(part: &Part<S::Call>, search: &Search<'_, S>) -> alloc::string::String {
    let which = part.key.known().map_or_else(|| "it".to_string(), |key| format!("key {key}"));
    format!(
        "{which} is too large: {} operations, up to {} open at once, {} that may never have happened; \
         the search came to the end of {} of {}",
        part.items.len(),
        search.line.slots,
        search.line.classes.iter().map(Vec::len).sum::<usize>(),
        search.deepest,
        search.line.levels()
    )
}
