//! The search for an order of one object's operations that explains every answer.
//!
//! Lowe's just-in-time search (*Testing for linearizability*, 2017): operations are linearized only when one of them is
//! about to return. A configuration is a level, a state, which open operations are linearized, and how many of each class
//! of operations that may never have happened were spent. Between quiescent points nothing is open and only the state
//! remains, so the set of states is carried over them by itself. Three prunings:
//!
//! * what is open, legal and changes no state, neither this nor another, is linearized at once: moved there from later
//!   in any order that works, it still answers the same, and nobody sees that it is gone from there. (To write what is
//!   there already is no such call: later it may change something.)
//! * what was dominated is not tried again (`memo`);
//! * a state from which the next answered read is out of reach, whatever is appended, is given up ([`Spec::reachable`]).
//!
//! Depth first finds an order fast if there are many; breadth first, level by level and those that spent least first,
//! shows fast that there is none.

use alloc::vec;
use alloc::vec::Vec;

use super::Budget;
use super::memo::{COUNT_MAX, Memo, total};
use super::part::Part;
use super::pending::Pending;
use super::planted::{Mistake, Planted};
use super::states::{REFUSED, States};
use super::timeline::{NONE, Timeline};
use crate::hashing::print_of;
use crate::models::Spec;

/// Room for configurations that is asked for beforehand, at most.
const ROOM_MAX: usize = 1024;

/// How a search ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// This order, as items, leads to the goal.
    Found(Vec<u32>),
    /// None does.
    Exhausted,
    /// The budget is spent.
    Spent,
}

/// In which order configurations are tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum First {
    /// The newest.
    Depth,
    /// Those of the lowest level, and of these those that spent least.
    Breadth,
}

pub(super) struct Search<'a, S: Spec> {
    spec: &'a S,
    part: &'a Part<S::Call>,
    pub(super) line: Timeline,
    pub(super) states: States<'a, S>,
    memo: Memo,
    /// Per slot what it adds to the print of a set of slots.
    prints: Vec<u128>,
    /// Words of a set of slots, and of the counts of classes.
    words: (usize, usize),
    /// How each configuration was reached: from where, and by which item.
    links: Vec<(u32, u32)>,
    /// The highest level that was reached.
    pub(super) deepest: u32,
    /// The configuration that reached the goal, or is being tried: level and state, slots, counts, print.
    pub(super) row: Vec<u64>,
    /// Per call whether it changes no state.
    reading: Vec<bool>,
    /// Answered reads by return, if the model foresees.
    reads: Vec<u32>,
    /// Per level the first of `reads` that returns at its end or later.
    next_read: Vec<u32>,
    candidates: Vec<u32>,
    planted: Planted,
}

impl<'a, S: Spec> Search<'a, S> {
    pub(super) fn new(spec: &'a S, part: &'a Part<S::Call>, planted: Planted) -> Self {
        let line = Timeline::new(part, planted);
        let words = (line.bits.len(), line.classes.len().div_ceil(4));
        let mut search = Self {
            spec,
            part,
            states: States::new(spec, &part.calls, spec.initial(&part.key)),
            memo: Memo::new(1 + words.0, words.1, (2 * part.items.len()).min(ROOM_MAX), planted),
            prints: (0..line.slots as u64).map(print_of).collect(),
            words,
            links: Vec::new(),
            deepest: 0,
            row: vec![0; 1 + words.0 + words.1 + 2],
            reading: part.calls.iter().map(|call| spec.reads_only(call)).collect(),
            reads: Vec::new(),
            next_read: Vec::new(),
            candidates: Vec::new(),
            line,
            planted,
        };
        if S::FORESEES {
            search.foresee();
        }
        search
    }

    /// Whether counts of classes have room: with more equal operations that may never have happened, nothing is decided.
    pub(super) fn fits(&self) -> bool {
        self.line.classes.iter().all(|class| class.len() <= COUNT_MAX)
    }

    /// Looks for an order that brings every operation before the level `goal` to its end.
    pub(super) fn run(&mut self, first: First, goal: u32, budget: Budget) -> End {
        self.deepest = 0;
        self.memo.clear();
        self.links.clear();
        self.links.push((NONE, NONE));
        let mut pending = Pending::new(first, self.row.len());
        self.row.fill(0);
        pending.push(0, (0, NONE), &self.row);
        match first {
            First::Depth => self.depth(&mut pending, goal, budget),
            First::Breadth => self.breadth(pending, goal, budget),
        }
    }

    fn depth(&mut self, pending: &mut Pending, goal: u32, budget: Budget) -> End {
        while let Some((from, item)) = pending.pop(0, &mut self.row) {
            // What is pending was reached from this path or from an earlier point of it: the rest of the path is over.
            self.links.truncate(from as usize + 1);
            let mut link = self.link(from, item);
            loop {
                let level = self.level();
                self.deepest = self.deepest.max(level);
                if level == goal {
                    return End::Found(self.path(link));
                }
                if !self.settle(level, &mut link) {
                    break;
                }
            }
            if self.over(budget, pending.bytes()) {
                return End::Spent;
            }
            if self.enter() && self.hopeful() {
                self.expand(link, pending);
            }
        }
        End::Exhausted
    }

    fn breadth(&mut self, mut pending: Pending, goal: u32, budget: Budget) -> End {
        for level in 0..goal {
            self.deepest = level;
            self.memo.clear();
            let mut next = Pending::new(First::Breadth, self.row.len());
            let mut spent = 0;
            while spent < pending.depth() {
                while let Some((from, item)) = pending.pop(spent, &mut self.row) {
                    if self.over(budget, pending.bytes() + next.bytes()) {
                        return End::Spent;
                    }
                    let mut link = self.link(from, item);
                    if self.settle(level, &mut link) {
                        next.push(spent, (link, NONE), &self.row);
                    } else if self.enter() && self.hopeful() {
                        self.expand(link, &mut pending);
                    }
                }
                spent += 1;
            }
            pending = next;
        }
        for spent in 0..pending.depth() {
            if let Some((link, _)) = pending.pop(spent, &mut self.row) {
                self.deepest = goal;
                return End::Found(self.path(link));
            }
        }
        End::Exhausted
    }

    fn level(&self) -> u32 {
        (self.row[0] >> 32) as u32
    }

    /// The state of the configuration at hand.
    pub(super) fn state(&self) -> u32 {
        self.row[0] as u32
    }

    /// Whether an open item of the configuration at hand is linearized.
    pub(super) fn has(&self, slot: u32) -> bool {
        self.row[1 + slot as usize / 64] >> (slot % 64) & 1 == 1
    }

    fn flip(&mut self, slot: u32) {
        self.row[1 + slot as usize / 64] ^= 1 << (slot % 64);
        let at = self.row.len() - 2;
        let print = self.prints[slot as usize];
        self.row[at] ^= print as u64;
        self.row[at + 1] ^= (print >> 64) as u64;
    }

    fn link(&mut self, from: u32, item: u32) -> u32 {
        if item == NONE {
            return from;
        }
        self.links.push((from, item));
        self.links.len() as u32 - 1
    }

    fn path(&self, mut link: u32) -> Vec<u32> {
        let mut path = Vec::new();
        while link != 0 {
            let (from, item) = self.links[link as usize];
            path.push(item);
            link = from;
        }
        path.reverse();
        path
    }

    /// Takes a step; whether that was too much, with so many bytes of what waits.
    fn over(&mut self, budget: Budget, waiting: usize) -> bool {
        self.states.spent += 1;
        let bytes = self.memo.bytes() + self.states.bytes + 8 * self.links.len() + waiting;
        self.states.spent > budget.steps || bytes > budget.bytes
    }

    /// Linearizes what changes nothing, and goes to the next level if what returns at the end of this one is linearized.
    fn settle(&mut self, level: u32, link: &mut u32) -> bool {
        self.line.seek(&self.part.items, level);
        for word in 0..self.words.0 {
            let mut bits = self.line.bits[word] & !self.row[1 + word];
            while bits != 0 {
                let slot = word as u32 * 64 + bits.trailing_zeros();
                bits &= bits - 1;
                let item = self.line.open[slot as usize];
                let state = self.state();
                let call = self.part.items[item as usize].call;
                let reads = self.reading[call as usize] || self.planted.has(Mistake::HurriesWrites);
                if reads && self.states.after(state, call) == state {
                    self.flip(slot);
                    *link = self.link(*link, item);
                }
            }
        }
        let slot = self.line.slot(self.line.returning(level));
        let done = self.has(slot);
        if done {
            self.flip(slot);
            self.row[0] += 1 << 32;
        }
        done
    }

    /// Enters the configuration at hand into the memo; `false` if one as good was there.
    fn enter(&mut self) -> bool {
        let at = self.row.len() - 2;
        let window = u128::from(self.row[at]) | u128::from(self.row[at + 1]) << 64;
        let window = if self.planted.has(Mistake::ForgetsCompleted) { 0 } else { window };
        let print = print_of(self.row[0]) ^ window;
        let (place, spent) = self.row[..at].split_at(1 + self.words.0);
        self.memo.enter(print, place, spent)
    }

    /// Tries every open operation next: what returns first is tried first, what may never have happened last.
    fn expand(&mut self, link: u32, pending: &mut Pending) {
        let (state, counts_at) = (self.state(), 1 + self.words.0);
        let level = self.row[0] & !u64::from(u32::MAX);
        let spent_before = total(&self.row[counts_at..counts_at + self.words.1]) as usize;
        for class in 0..self.line.classes.len() {
            let (word, lane) = (counts_at + class / 4, 16 * (class % 4));
            let used = (self.row[word] >> lane) as u32 & 0xffff;
            if used == self.line.begun[class] {
                continue;
            }
            let item = self.line.classes[class][used as usize];
            let after = self.states.after(state, self.part.items[item as usize].call);
            if after != REFUSED && after != state {
                self.row[word] += 1 << lane;
                self.row[0] = level | u64::from(after);
                pending.push(spent_before + 1, (link, item), &self.row);
                self.row[word] -= 1 << lane;
                self.row[0] = level | u64::from(state);
            }
        }
        self.find_candidates();
        for n in 0..self.candidates.len() {
            let item = self.candidates[n];
            let after = self.states.after(state, self.part.items[item as usize].call);
            if after != REFUSED {
                let slot = self.line.slot(item);
                self.flip(slot);
                self.row[0] = level | u64::from(after);
                pending.push(spent_before, (link, item), &self.row);
                self.flip(slot);
                self.row[0] = level | u64::from(state);
            }
        }
    }

    /// Open items that are not linearized, the last to return first.
    fn find_candidates(&mut self) {
        self.candidates.clear();
        for word in 0..self.words.0 {
            let mut bits = self.line.bits[word] & !self.row[1 + word];
            while bits != 0 {
                let slot = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                self.candidates.push(self.line.open[slot]);
            }
        }
        let items = &self.part.items;
        self.candidates.sort_unstable_by_key(|&item| core::cmp::Reverse(items[item as usize].returned));
    }

    fn foresee(&mut self) {
        for level in 0..self.line.levels() {
            self.next_read.push(self.reads.len() as u32);
            let item = self.line.returning(level);
            if self.reading[self.part.items[item as usize].call as usize] {
                self.reads.push(item);
            }
        }
    }

    /// Whether the next read that is not linearized can still be answered as it was.
    fn hopeful(&self) -> bool {
        if !S::FORESEES {
            return true;
        }
        let next = self.next_read[self.level() as usize] as usize;
        let pending = |&&item: &&u32| {
            let slot = self.line.slot(item);
            self.line.open[slot as usize] != item || !self.has(slot)
        };
        let Some(&read) = self.reads[next..].iter().find(pending) else { return true };
        let read = &self.part.items[read as usize];
        self.spec.reachable(self.states.state(self.state()), &self.part.calls[read.call as usize])
            || (!self.planted.has(Mistake::ForgetsThatPutsForget) && self.may_forget_before(read.returned))
    }

    /// Whether something that forgets the state can still be linearized before this moment.
    fn may_forget_before(&self, moment: u32) -> bool {
        let items = &self.part.items;
        let forgets = |&item: &u32| self.spec.forgets(&self.part.calls[items[item as usize].call as usize]);
        let early = |&item: &u32| items[item as usize].invoked < moment;
        let open = self.line.open.iter().filter(|&&item| item != NONE && !self.has(self.line.slot(item))).any(forgets);
        let later = self.line.begun_by(self.level())..items.len() as u32;
        let count = |class: usize| (self.row[1 + self.words.0 + class / 4] >> (16 * (class % 4))) as usize & 0xffff;
        let mut classes = self.line.classes.iter().enumerate();
        open || later.take_while(early).any(|item| forgets(&item))
            || classes.any(|(class, of)| of[count(class)..].first().is_some_and(|item| early(item) && forgets(item)))
    }
}
