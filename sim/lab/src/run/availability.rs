//! How long a store that was asked gave nobody an answer, and how often its leader changed.
//!
//! A gap is a stretch in which clients of one workload (or nodes of one service) wait for a store and none of them is
//! answered. It begins when the oldest question was asked that is still open or has failed since the last answer, though
//! not before that answer; it ends with the next answer, or when load ends. It counts if a question failed in it, or if it
//! is longer than a client waits before it asks another machine: any other answer takes its time, too.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Fact, FactKind, Sample, SeriesId, Span, Time};
use systems::app::output::{Asked, Told};

use crate::compile::Compiled;
use crate::measure::wanted::label;
use crate::model::Model;
use crate::outcome::GapsResult;

/// From here on processes are requests of machines, not clients (`systems::app::consulting`).
const MACHINES: u64 = 1 << 60;

/// Of each workload so many gaps are kept with their times.
const SPANS_MAX: usize = 2_000;

/// All gaps and elections of a run.
#[derive(Clone, Default, Debug)]
pub(super) struct Availability {
    /// By store and workload.
    workloads: BTreeMap<(u32, u64), usize>,
    /// By store and node.
    machines: BTreeMap<(u32, u64), usize>,
    gaps: Vec<Gap>,
    /// By protocol: the series, and whether somebody has led.
    elections: BTreeMap<u32, (SeriesId, bool)>,
    /// Load has ended.
    over: bool,
}

/// Those of one workload at one store.
#[derive(Clone, Debug)]
struct Gap {
    series: SeriesId,
    store: u32,
    /// What they came to.
    told: GapsResult,
    /// What is longer counts though nothing fails.
    patience: Span,
    open: BTreeMap<u64, Time>,
    /// The same by time.
    oldest: BTreeSet<(Time, u64)>,
    answered: Time,
    /// Since then: when the oldest question was asked that failed.
    failed: Option<Time>,
}

impl Availability {
    /// Nothing is kept unless somebody asks for it.
    pub(super) fn new(model: &Model, compiled: &Compiled, gaps: bool, elections: bool) -> Self {
        let mut new = Self::default();
        let series = compiled.names.series.iter().zip(0..).map(|(series, number)| (series, SeriesId(number)));
        for (series, id) in series {
            let Some(store) = label(&series.labels, "store") else { continue };
            let store = model.stores.iter().position(|(name, _)| name.value == store);
            let Some(store) = store else { continue };
            if series.metric == "elections" && elections {
                let path = format!("stores.{}", model.stores[store].0.value);
                let protocol = compiled.names.protocols.iter().position(|protocol| *protocol == path);
                new.elections.extend(protocol.map(|protocol| (protocol as u32, (id, false))));
            }
            if series.metric == "unavailable" && gaps {
                let plan = &compiled.plan.stores[store];
                let patience = plan.ask_again.unwrap_or(plan.pause);
                new.add((model, compiled), &series.labels, Gap::new((id, store as u32), patience));
            }
        }
        new
    }

    fn add(&mut self, (model, compiled): (&Model, &Compiled), labels: &[(&'static str, String)], mut gap: Gap) {
        let (number, store) = (self.gaps.len(), gap.store);
        if let Some(workload) = label(labels, "workload") {
            workload.clone_into(&mut gap.told.who);
            let workload = model.workloads.iter().position(|(name, _)| name.value == workload);
            self.workloads.extend(workload.map(|workload| ((store, workload as u64), number)));
        }
        if let Some(service) = label(labels, "service") {
            service.clone_into(&mut gap.told.who);
            let nodes = compiled.names.nodes.iter().enumerate().filter(|(_, node)| node.part == service);
            self.machines.extend(nodes.map(|(node, _)| ((store, node as u64), number)));
        }
        self.gaps.push(gap);
    }

    /// Somebody asks for gaps.
    pub(super) const fn wanted(&self) -> bool {
        !self.gaps.is_empty()
    }

    /// A client asks a store, or is told something: perhaps a gap is over.
    #[inline]
    pub(super) fn told(&mut self, now: Time, told: &Told) -> Option<Sample> {
        if self.gaps.is_empty() || self.over {
            return None;
        }
        let who = if told.process < MACHINES {
            self.workloads.get(&(told.store, told.process >> 40))
        } else {
            self.machines.get(&(told.store, (told.process - MACHINES) >> 44))
        };
        let gap = &mut self.gaps[*who?];
        match told.what {
            Asked::Begins => {
                gap.open.insert(told.process, now);
                gap.oldest.insert((now, told.process));
                None
            }
            Asked::Hears(_) => gap.answered(told.process, now),
            Asked::Fails | Asked::KnowsNothing => {
                let began = gap.close(told.process);
                gap.failed = gap.failed.into_iter().chain(began).min();
                None
            }
        }
    }

    /// Load has ended: so have all gaps.
    pub(super) fn load_ended(&mut self, now: Time) -> Vec<Sample> {
        if core::mem::replace(&mut self.over, true) {
            return Vec::new();
        }
        self.gaps.iter_mut().filter_map(|gap| gap.ends(now, None)).collect()
    }

    /// The gaps of each who asks a store.
    pub(super) fn results(&self, store: u32) -> Vec<GapsResult> {
        self.gaps.iter().filter(|gap| gap.store == store).map(|gap| gap.told.clone()).collect()
    }

    /// Somebody leads; the first of a store was not elected in the place of another.
    #[inline]
    pub(super) fn fact(&mut self, fact: &Fact) -> Option<Sample> {
        let FactKind::Leads { .. } = fact.kind else { return None };
        let (series, led) = self.elections.get_mut(&fact.protocol)?;
        let sample = Sample { series: *series, tag: 0, since: fact.time, value: Span::ZERO };
        core::mem::replace(led, true).then_some(sample)
    }
}

impl Gap {
    fn new((series, store): (SeriesId, u32), patience: Span) -> Self {
        let told = GapsResult { who: String::new(), count: 0, longest: Span::ZERO, spans: Vec::new() };
        let (open, oldest) = (BTreeMap::new(), BTreeSet::new());
        Self { series, store, told, patience, open, oldest, answered: Time::ZERO, failed: None }
    }

    fn close(&mut self, process: u64) -> Option<Time> {
        let began = self.open.remove(&process)?;
        self.oldest.remove(&(began, process));
        Some(began)
    }

    fn answered(&mut self, process: u64, now: Time) -> Option<Sample> {
        let began = self.close(process);
        let sample = self.ends(now, began);
        (self.answered, self.failed) = (now, None);
        sample
    }

    /// As [`Gap::until`]; what counts is kept.
    fn ends(&mut self, now: Time, began: Option<Time>) -> Option<Sample> {
        let sample = self.until(now, began)?;
        let told = &mut self.told;
        told.count += 1;
        told.longest = told.longest.max(sample.value);
        if told.spans.len() < SPANS_MAX {
            told.spans.push((sample.since, now));
        }
        Some(sample)
    }

    /// The gap that ends now, if it counts. `began`: when the question was asked that is answered.
    fn until(&self, now: Time, began: Option<Time>) -> Option<Sample> {
        let open = self.oldest.first().map(|(since, _)| *since);
        let asked = began.into_iter().chain(open).chain(self.failed).min()?;
        let since = asked.max(self.answered);
        let value = now.since(since);
        let counts = self.failed.is_some() || value > self.patience;
        counts.then_some(Sample { series: self.series, tag: 0, since, value })
    }
}

#[cfg(test)]
mod tests {
    use systems::replication::keys::{Answer, Operation};

    use super::*;

    fn told(process: u64, what: Asked) -> Told {
        Told { store: 0, process, operation: Operation::Read { key: 1 }, what }
    }

    /// Milliseconds, who, what; then what was measured: from when, how long.
    fn gaps(lines: &[(u64, u64, Asked)], end: u64) -> Vec<(u64, u64)> {
        let mut all =
            Availability { gaps: vec![Gap::new((SeriesId(0), 0), Span::millis(150))], ..Availability::default() };
        all.workloads.insert((0, 0), 0);
        let at = |time: u64| Time::ZERO + Span::millis(time);
        let mut found: Vec<Sample> =
            lines.iter().filter_map(|(time, process, what)| all.told(at(*time), &told(*process, *what))).collect();
        found.extend(all.load_ended(at(end)));
        let millis = |span: Span| span.0 / 1_000_000;
        found.iter().map(|sample| (millis(sample.since.since(Time::ZERO)), millis(sample.value))).collect()
    }

    const OK: Asked = Asked::Hears(Answer::Value(None));

    #[test]
    fn a_gap_lasts_from_the_first_question_without_an_answer_to_the_next_answer() {
        let (asks, lost) = (Asked::Begins, Asked::KnowsNothing);
        // Answers that take their time are no gap, however many wait.
        assert_eq!(gaps(&[(0, 1, asks), (5, 2, asks), (20, 1, OK), (100, 2, OK)], 1_000), []);
        // Two questions fail, the third is answered: from the first of them.
        let failing =
            [(100, 1, asks), (600, 1, lost), (620, 2, asks), (1_120, 2, lost), (1_130, 3, asks), (1_140, 3, OK)];
        assert_eq!(gaps(&failing, 2_000), [(100, 1_040)]);
        // Nobody fails, and nobody is answered for longer than a client waits.
        assert_eq!(gaps(&[(0, 1, asks), (10, 1, OK), (50, 1, asks), (450, 1, OK)], 2_000), [(50, 400)]);
        // One waits all the time, but the others are answered.
        let one_hangs = [(0, 9, asks), (10, 1, asks), (20, 1, OK), (90, 1, asks), (100, 1, OK), (190, 9, OK)];
        assert_eq!(gaps(&one_hangs, 2_000), []);
        // Between two answers that somebody else got, one question failed: those bound the gap.
        let between = [(0, 9, asks), (10, 1, asks), (20, 1, OK), (25, 1, asks), (30, 9, lost), (40, 1, OK)];
        assert_eq!(gaps(&between, 2_000), [(20, 20)]);
        // The end of load ends what is open; what comes later is nobody's gap.
        assert_eq!(gaps(&[(0, 1, asks)], 1_000), [(0, 1_000)]);
    }
}
