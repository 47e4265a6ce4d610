//! States as numbers, and what calls do to them, remembered.

use alloc::vec::Vec;

use hashbrown::HashTable;

use crate::hashing::hash_of;
use crate::models::{Spec, Step};

/// No state: the call is refused.
pub(super) const REFUSED: u32 = u32::MAX;
/// Not asked yet.
const OPEN: u32 = u32::MAX - 1;
/// With more distinct calls than this a table of steps would be larger than what it saves.
const REMEMBERED_CALLS: usize = 256;

pub(super) struct States<'a, S: Spec> {
    spec: &'a S,
    calls: &'a [S::Call],
    known: Vec<S::State>,
    numbers: HashTable<u32>,
    /// Per state a row of what each call does.
    steps: Vec<u32>,
    /// Memory that the states take.
    pub(super) bytes: usize,
    /// Steps asked for.
    pub(super) spent: u64,
}

impl<'a, S: Spec> States<'a, S> {
    pub(super) fn new(spec: &'a S, calls: &'a [S::Call], initial: S::State) -> Self {
        let mut states =
            Self { spec, calls, known: Vec::new(), numbers: HashTable::new(), steps: Vec::new(), bytes: 0, spent: 0 };
        states.number(initial);
        states
    }

    pub(super) fn state(&self, number: u32) -> &S::State {
        &self.known[number as usize]
    }

    /// The state after a call: the same number if it changes nothing.
    pub(super) fn after(&mut self, state: u32, call: u32) -> u32 {
        self.spent += 1;
        if self.calls.len() > REMEMBERED_CALLS {
            return self.step(state, call);
        }
        let place = state as usize * self.calls.len() + call as usize;
        if self.steps[place] == OPEN {
            self.steps[place] = self.step(state, call);
        }
        self.steps[place]
    }

    fn step(&mut self, state: u32, call: u32) -> u32 {
        match self.spec.step(&self.known[state as usize], &self.calls[call as usize]) {
            Step::Refused => REFUSED,
            Step::Same => state,
            Step::To(next) => self.number(next),
        }
    }

    fn number(&mut self, state: S::State) -> u32 {
        let hash = hash_of(&state);
        if let Some(&number) = self.numbers.find(hash, |&number| self.known[number as usize] == state) {
            return number;
        }
        let number = self.known.len() as u32;
        assert!(number < OPEN, "the budget of steps is smaller than the numbers of states");
        self.bytes += self.spec.bytes(&state);
        self.known.push(state);
        let known = &self.known;
        self.numbers.insert_unique(hash, number, |&number| hash_of(&known[number as usize]));
        if self.calls.len() <= REMEMBERED_CALLS {
            self.steps.resize(self.known.len() * self.calls.len(), OPEN);
        }
        number
    }
}
