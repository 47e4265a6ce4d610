//! Leaders, as facts come: in every term there is one at most (*election safety* of Raft, Ongaro and Ousterhout, 2014).

use alloc::collections::BTreeMap;
use alloc::vec;

use kernel::{Fact, FactKind};

use crate::verdict::{Phrase, Verdict, Witness};

/// The judge of one store.
#[derive(Clone, Debug)]
pub struct Leaders {
    protocol: u32,
    /// Who led first, by term.
    terms: BTreeMap<u64, Fact>,
    first: Option<Witness>,
    violations: u64,
}

impl Leaders {
    /// A judge of facts that bear this protocol's number.
    pub const fn new(protocol: u32) -> Self {
        Self { protocol, terms: BTreeMap::new(), first: None, violations: 0 }
    }

    /// Takes in the next fact.
    pub fn see(&mut self, fact: &Fact) {
        let FactKind::Leads { term } = fact.kind else { return };
        if fact.protocol != self.protocol {
            return;
        }
        let before = *self.terms.entry(term).or_insert(*fact);
        if before.node != fact.node {
            self.violations += 1;
            let sentence = vec![
                Phrase::Node(before.node),
                Phrase::Text(" and "),
                Phrase::Node(fact.node),
                Phrase::Text(" both lead term "),
                Phrase::Number(term),
            ];
            let facts = vec![before, *fact];
            let witness = Witness { rule: "two leaders", instance: term, sentence, facts, omitted: 0 };
            self.first.get_or_insert(witness);
        }
    }

    /// The first violation so far.
    pub const fn violation(&self) -> Option<&Witness> {
        self.first.as_ref()
    }

    /// How often somebody led a term that another one led.
    pub const fn violations(&self) -> u64 {
        self.violations
    }

    /// In how many terms somebody led.
    pub fn terms(&self) -> u64 {
        self.terms.len() as u64
    }

    /// What came of it.
    pub fn finish(self) -> Verdict {
        let judged = self.terms();
        self.first.map_or(Verdict::Holds { judged }, Verdict::Violated)
    }
}
