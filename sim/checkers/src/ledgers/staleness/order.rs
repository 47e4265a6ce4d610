//! One order of the writes of a register, if there is one.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

use super::{Read, Write};
use crate::history::Operation;

/// Nobody is in the way who had taken effect before it began.
const BEGUN: u8 = 1;

/// Nobody is in the way who was over before the horizon of those that found it.
const BEYOND: u8 = 2;

/// An order in which those that had taken effect before another began come first and, if `horizons` counts, those that were
/// over before a horizon come before what was found behind it. Or writes of which each has the next one in its way, round.
///
/// Of those that may come next, the one goes first that was last found first: it is missed least.
pub(super) fn by(writes: &[Write<'_>], horizons: bool) -> Result<Vec<usize>, Vec<usize>> {
    let horizon = |place: usize| writes[place].horizon.filter(|_| horizons).map_or(i64::MIN, |(horizon, _)| horizon);
    let mut overs: BTreeSet<(i64, usize)> = (0..writes.len()).map(|place| (writes[place].over, place)).collect();
    let mut effects: BTreeSet<(u32, usize)> = (0..writes.len()).map(|place| (writes[place].effect, place)).collect();
    let mut by_horizon: Vec<usize> = (0..writes.len()).collect();
    by_horizon.sort_by_key(|&place| horizon(place));
    let (mut begun, mut beyond) = (0, 0);
    let mut clear = vec![0; writes.len()];
    let mut ready = BTreeSet::new();
    let mut order = Vec::with_capacity(writes.len());
    while let (Some(&(over, oldest)), Some(&(effect, _))) = (overs.first(), effects.first()) {
        let mut mark = |place: usize, what: u8| {
            let before = clear[place];
            clear[place] |= what;
            if before != clear[place] && clear[place] == BEGUN | BEYOND {
                ready.insert((writes[place].last, place));
            }
        };
        while begun < writes.len() && writes[begun].operation.invoked <= effect {
            mark(begun, BEGUN);
            begun += 1;
        }
        while beyond < writes.len() && horizon(by_horizon[beyond]) <= over {
            mark(by_horizon[beyond], BEYOND);
            beyond += 1;
        }
        // The oldest is not in its own way.
        if overs.iter().nth(1).is_none_or(|&(over, _)| horizon(oldest) <= over) {
            mark(oldest, BEYOND);
        }
        let Some((_, next)) = ready.pop_first() else { return Err(circle(writes, &overs, effects.first())) };
        overs.remove(&(writes[next].over, next));
        effects.remove(&(writes[next].effect, next));
        order.push(next);
    }
    Ok(order)
}

/// Follows who is in whose way until somebody comes again.
fn circle(writes: &[Write<'_>], overs: &BTreeSet<(i64, usize)>, first: Option<&(u32, usize)>) -> Vec<usize> {
    let blocker = |place: usize| match first {
        Some(&(effect, first)) if effect < writes[place].operation.invoked => Some(first),
        _ => overs.iter().map(|&(_, other)| other).find(|&other| other != place),
    };
    let mut way: Vec<usize> = Vec::new();
    let mut next = first.map(|&(_, place)| place);
    while let Some(place) = next {
        if let Some(seen) = way.iter().position(|&earlier| earlier == place) {
            return way.split_off(seen);
        }
        way.push(place);
        next = blocker(place);
    }
    way
}

/// A read that is more than so many versions behind in this order.
pub(super) fn too_old<'a>(
    writes: &[Write<'_>],
    order: &[usize],
    reads: &[Read<'a>],
    allowed: u64,
) -> Option<&'a Operation> {
    let places: BTreeMap<usize, usize> = order.iter().enumerate().map(|(at, &write)| (write, at)).collect();
    let old = |read: &&Read<'a>| {
        let began = read.operation.invoked;
        let from = read.found.map_or(0, |found| places[&found] + 1);
        // The order keeps to that of real time: behind one that began later nothing was over.
        let newer = order[from..].iter().take_while(|&&write| writes[write].operation.invoked < began);
        newer.filter(|&&write| writes[write].over < i64::from(began)).count() as u64 > allowed
    };
    reads.iter().find(old).map(|read| read.operation)
}
