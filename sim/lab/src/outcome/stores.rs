//! What replicated stores came to: who led when, and when nobody was answered.

use kernel::{Span, Time};

use super::LevelResult;

/// One replicated store.
#[derive(Clone, Debug)]
pub struct StoreResult {
    /// Its name.
    pub name: String,
    /// Its machines.
    pub machines: Vec<String>,
    /// Who led when, by when it began; `None` if nobody leads such a store.
    pub leading: Option<Vec<Leading>>,
    /// Of each workload or service that asks it: when it got no answer. Empty in a run of many.
    pub gaps: Vec<GapsResult>,
    /// By machine: entries of the leader's log that it has not executed. Empty without leaders, and in a run of many.
    pub lags: Vec<LevelResult>,
}

/// A stretch in which a machine believed that it leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leading {
    /// Which machine, as its place among `machines`.
    pub machine: usize,
    /// In which term.
    pub term: u64,
    /// Since when.
    pub from: Time,
    /// Until when: it stood down, or crashed, or the run ended.
    pub to: Time,
}

/// When those who ask a store got no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GapsResult {
    /// The workload or service.
    pub who: String,
    /// How often, over the whole run.
    pub count: u64,
    /// The longest.
    pub longest: Span,
    /// From when until when, in order; the first few thousand.
    pub spans: Vec<(Time, Time)>,
}

impl StoreResult {
    /// How often somebody began to lead in the place of another; `None` without leaders.
    pub fn elections(&self) -> Option<usize> {
        self.leading.as_ref().map(|leading| leading.len().saturating_sub(1))
    }

    /// Who leads at the end of the run, and in which term.
    pub fn leads_at(&self, end: Time) -> Option<(&str, u64)> {
        let leads = self.leading.iter().flatten().filter(|leading| leading.to >= end);
        let last = leads.max_by_key(|leading| leading.term)?;
        Some((&self.machines[last.machine], last.term))
    }
}
