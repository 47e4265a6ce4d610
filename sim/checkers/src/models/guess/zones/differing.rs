//! Calls that found something else than a value: each stands at the first moment at which that value is not there.
//!
//! Nothing says where chains stand that need no time for themselves; so where such a call finds its value in the way, a
//! chain that can stand behind that value is put there, or a write that may have happened although nobody saw it, a few
//! times. What remains is left to a search.

use alloc::vec;
use alloc::vec::Vec;

use super::{Chain, Cluster, Place, Stretch, Values, free_from};
use crate::history::NEVER;
use crate::models::Asked;
use crate::models::guess::{Guess, NONE};

/// How often chains are moved.
const ROUNDS: u32 = 16;
/// How many of those that stand before a value are tried.
const TRIED: usize = 64;

/// A call that found something else than a value which is there all the time.
type InTheWay = (u32, u32);

/// A path of all chains with these calls in it.
pub(super) fn woven(
    values: &mut Values<'_>,
    mut chains: Vec<Chain>,
    stretches: &[Stretch],
    mut order: Vec<Place>,
) -> Result<Vec<u32>, Guess> {
    let mut whose = vec![NONE; values.clusters.len()];
    for (n, chain) in (0..).zip(&chains) {
        values.chain(chain.first).for_each(|place| whose[place as usize] = n);
    }
    let mut places = vec![0; chains.len()];
    let mut unseen = unseen(values);
    for _ in 0..ROUNDS {
        let (path, held) = values.path(&chains, &order);
        let failed = match placed(values, path, &held) {
            Ok(woven) => return Ok(woven),
            Err(failed) => failed,
        };
        if let Some(few) = failed.iter().find_map(|&failed| always_there(values, failed, || false)) {
            return Err(Guess::Conflict(few));
        }
        (0..).zip(&order).for_each(|(at, &(.., n))| places[n as usize] = at);
        let mut moved = false;
        for &(n, value) in &failed {
            let at = places[whose[value as usize] as usize];
            if moved_behind(values, &chains, stretches, &mut order, (n, at)) {
                moved = true;
            } else if let Some((moment, place)) = written_behind(values, stretches, &mut unseen, (n, order[at].0)) {
                let chain = Chain::of(place, values.cluster(place));
                values.clusters[place as usize].happened = true;
                whose[place as usize] = chains.len() as u32;
                order.push((moment, chain.last_begin, chains.len() as u32));
                places.push(0);
                chains.push(chain);
                moved = true;
            }
        }
        if !moved {
            let forever = |&(n, value): &InTheWay| {
                always_there(values, (n, value), || forever_there(values, &chains, whose[value as usize], n))
            };
            return Err(failed.iter().take(TRIED).find_map(forever).map_or(Guess::Nothing, Guess::Conflict));
        }
        order[1..].sort_unstable();
    }
    Err(Guess::Nothing)
}

/// Lets a chain stand behind this one before the call is over, or this one behind its beginning, if one can.
fn moved_behind(
    values: &Values<'_>,
    chains: &[Chain],
    stretches: &[Stretch],
    order: &mut [Place],
    (call, at): (u32, usize),
) -> bool {
    let &Asked { invoked, returned, .. } = &values.asked[call as usize];
    let (from, _) = free_from(stretches, order[at].0.max(invoked));
    let movable = |&n: &usize| {
        let chain = &chains[order[n].2 as usize];
        n != 0 && !chain.stretches() && order[n].0 < from && from < chain.first_end && from < returned
    };
    let Some(n) = (at.saturating_sub(TRIED)..=at).rev().find(movable) else { return false };
    order[n].0 = from;
    true
}

/// What was written although nobody saw it, if it was: when that began, and the value; the last first.
fn unseen(values: &Values<'_>) -> Vec<(u32, u32)> {
    let written = |&(_, cluster): &(u32, &Cluster)| !cluster.happened && cluster.found == NONE && cluster.write != NONE;
    let each = (0..).zip(&values.clusters).filter(written);
    let mut unseen: Vec<(u32, u32)> = each.map(|(place, cluster)| (cluster.last_begin, place)).collect();
    unseen.sort_unstable();
    unseen.reverse();
    unseen
}

/// The first of these, if it can stand behind this moment before a call is over: where, and which.
fn written_behind(
    values: &Values<'_>,
    stretches: &[Stretch],
    unseen: &mut Vec<(u32, u32)>,
    (call, behind): (u32, u32),
) -> Option<(u32, u32)> {
    let &Asked { invoked, returned, .. } = &values.asked[call as usize];
    let &(begun, place) = unseen.last()?;
    let (moment, _) = free_from(stretches, behind.max(invoked).max(begun));
    (moment < returned).then(|| {
        unseen.pop();
        (moment, place)
    })
}

/// A path with these calls in it, or those that find no place.
fn placed(values: &Values<'_>, path: Vec<u32>, held: &[(u32, u32)]) -> Result<Vec<u32>, Vec<InTheWay>> {
    let there = there(values, path.len() as u32, held);
    let asked = |n: u32| &values.asked[n as usize];
    // Before a place on the path, the latest beginning; from there on, the earliest end.
    let latest: Vec<u32> = running(path.iter().map(|&n| asked(n).invoked), 0, u32::max);
    let mut earliest = running(path.iter().rev().map(|&n| asked(n).returned), NEVER, u32::min);
    earliest.reverse();
    let mut by_end = values.differing.clone();
    by_end.sort_unstable_by_key(|&(n, _)| asked(n).returned);
    let (mut by_end, mut over) = (by_end.into_iter().peekable(), 0);
    let (mut places, mut failed): (Vec<(u32, u32)>, _) = (Vec::with_capacity(values.differing.len()), Vec::new());
    for &(n, value) in &values.differing {
        let &Asked { invoked, returned, .. } = asked(n);
        while let Some((earlier, _)) = by_end.next_if(|&(earlier, _)| asked(earlier).returned < invoked) {
            let at = places.binary_search_by_key(&earlier, |&(n, _)| n).map_or(0, |at| places[at].1);
            over = over.max(at);
        }
        let mut place = over.max(earliest.partition_point(|&end| end <= invoked) as u32);
        let (from, to) = there.get(value as usize).copied().unwrap_or((1, 0));
        if (from..=to).contains(&place) {
            place = to + 1;
        }
        if latest.get(place as usize).is_some_and(|&begun| begun < returned) {
            places.push((n, place));
        } else {
            failed.push((n, value));
        }
    }
    if !failed.is_empty() {
        return Err(failed);
    }
    places.sort_unstable_by_key(|&(n, place)| (place, n));
    let mut woven = Vec::with_capacity(path.len() + places.len());
    let (mut path, mut done) = (path.into_iter(), 0);
    for (n, place) in places {
        woven.extend(path.by_ref().take((place - done) as usize));
        woven.push(n);
        done = place;
    }
    woven.extend(path);
    Ok(woven)
}

/// Before, between and after so many things, the most or the least of all that come first.
fn running(values: impl ExactSizeIterator<Item = u32>, none: u32, of: impl Fn(u32, u32) -> u32) -> Vec<u32> {
    let mut all = Vec::with_capacity(values.len() + 1);
    let mut so_far = none;
    all.push(so_far);
    all.extend(values.map(|value| {
        so_far = of(so_far, value);
        so_far
    }));
    all
}

/// Between which places on the path each value is there, both included: none for those that never were.
fn there(values: &Values<'_>, end: u32, held: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut there = vec![(1, 0); values.clusters.len()];
    for (n, &(place, from)) in held.iter().enumerate() {
        let written = u32::from(values.cluster(place).write != NONE);
        let to = held.get(n + 1).map_or(end, |&(_, next)| next);
        there[place as usize] = (from + written, to);
    }
    there
}

/// The calls that show that a value was there from before a call until it was over, if it is sure that it was: others found
/// it there later, or it stayed there.
fn always_there(values: &Values<'_>, (n, value): InTheWay, stayed: impl Fn() -> bool) -> Option<Vec<u32>> {
    let &Asked { invoked, returned, .. } = &values.asked[n as usize];
    let Cluster { mut first_end, mut last_begin, next, .. } = *values.cluster(value);
    let replaced = (next != NONE).then(|| values.cluster(next).write);
    if let Some(by) = replaced {
        let by = &values.asked[by as usize];
        (first_end, last_begin) = (first_end.min(by.returned), last_begin.max(by.invoked));
    }
    if first_end > invoked || (returned > last_begin && (replaced.is_some() || !stayed())) {
        return None;
    }
    let mut few = values.writers(value)?;
    few.extend(replaced);
    few.extend(values.bound(value, first_end, last_begin));
    few.push(n);
    Some(few)
}

/// Whether nothing can have been set in the place of the last value of this chain before a call was over.
fn forever_there(values: &Values<'_>, chains: &[Chain], whose: u32, call: u32) -> bool {
    let returned = values.asked[call as usize].returned;
    // What may have happened although nobody saw it can stand anywhere.
    let mut unseen = values.clusters.iter().filter(|cluster| !cluster.happened).map(|cluster| cluster.write);
    if unseen.any(|write| values.asked.get(write as usize).is_some_and(|write| write.invoked < returned)) {
        return false;
    }
    let own = &chains[whose as usize];
    let behind = |chain: &Chain| {
        let write = values.cluster(chain.first).write;
        chain.first_end > own.last_begin && values.asked[write as usize].invoked < returned
    };
    !(1..).zip(&chains[1..]).any(|(n, chain)| n != whose && behind(chain))
}
