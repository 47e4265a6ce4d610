//! What happened to one instance, for the witness of a violation.

use alloc::vec::Vec;

use kernel::Fact;

use crate::verdict::{Phrase, Witness};

/// How many facts of one instance a witness keeps.
pub const KEPT: usize = 48;

/// The facts of one instance: the first of them, and the newest.
#[derive(Clone, Default, Debug)]
pub struct Story {
    facts: Vec<Fact>,
    omitted: u64,
}

impl Story {
    /// The story that begins with this fact.
    pub fn of(fact: &Fact) -> Self {
        let mut story = Self::default();
        story.keep(fact);
        story
    }

    /// Goes on with this fact.
    pub fn keep(&mut self, fact: &Fact) {
        if self.facts.len() < KEPT {
            self.facts.push(*fact);
        } else {
            // The newest matter most: the last place is theirs.
            self.facts[KEPT - 1] = *fact;
            self.omitted += 1;
        }
    }

    /// The witness that this instance broke this rule.
    pub fn witness(&self, rule: &'static str, instance: u64, sentence: Vec<Phrase>) -> Witness {
        Witness { rule, instance, sentence, facts: self.facts.clone(), omitted: self.omitted }
    }
}
