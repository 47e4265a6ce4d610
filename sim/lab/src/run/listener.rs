//! Everybody who listens to a run: statistics, promises, history. Listening never changes it.

use cluster::{Cluster, FaultEvent, Instance, MessageEvent, Passage, Watch};
use kernel::{CellId, Delta, Fact, NodeId, Sample, SeriesId, Span, Time};
use systems::app::ending::{CUT_SHORT, Ending as CallEnding};
use systems::app::machine::Machine;
use systems::app::output::Output;

use super::availability::Availability;
use super::leading::Leaders;
use super::stores::Stores;
use super::{History, Options, ledger};
use crate::compile::Compiled;
use crate::measure::{self, Ears, Recorder};
use crate::names::Names;
use crate::outcome::{Found, HistoryLine, Outcome, RunVerdict, Status, Times, WarmupBy};
use crate::promise::{Kept, Promises, judge, mark_expected};
use crate::scenario::{Diagnostic, Scenario};
use crate::threshold::{self, Threshold};

/// A history keeps at most this many lines.
pub const HISTORY_LINES_MAX: usize = 1_000_000;

/// The listeners of one run.
#[derive(Clone)]
pub(super) struct Listener {
    pub(super) names: Names,
    times: Times,
    recorder: Recorder,
    pub(super) promises: Promises,
    thresholds: Vec<(String, Threshold)>,
    /// By number in `Promises::take_times`: the series of that `leads_to`. Empty unless a threshold asks for one.
    leads_to: Vec<(u32, SeriesId)>,
    /// The recorder's terms that no threshold asks for: those of `Options::wanted`.
    asked: std::ops::Range<usize>,
    history: Option<Vec<HistoryLine>>,
    history_cut: bool,
    stores: Stores,
    availability: Availability,
    leaders: Leaders,
    /// By node: the cell and row that says whether it is up.
    up: Vec<Option<(CellId, u64)>>,
    workloads: Vec<(String, String)>,
    variables: Vec<String>,
    /// The number of the event being handled, from 1.
    pub(super) events: u64,
    pub(super) interrupted: bool,
    /// Disks that were full, each when it first was.
    full_disks: Vec<(NodeId, Time)>,
    /// Why the run was ended early, if it was.
    gave_up: Option<String>,
}

/// What only the end of a run knows.
pub(super) struct Ending<'a> {
    pub(super) cluster: &'a Cluster<Machine>,
    pub(super) end: Time,
    pub(super) at_rest: bool,
    pub(super) unfinished: String,
    pub(super) rests: u64,
    pub(super) seed: u64,
    pub(super) variant: Option<&'a str>,
}

impl Listener {
    pub(super) fn new(
        scenario: &Scenario,
        compiled: &Compiled,
        times: Times,
        options: &Options,
    ) -> Result<Self, Vec<Diagnostic>> {
        let (model, code) = (&scenario.model, scenario.code());
        let names = compiled.names.clone();
        let mut wanted = Vec::new();
        let (mut promises, thresholds) =
            match (Promises::compile(model, &names), threshold::compile(model, compiled, &mut wanted)) {
                (Ok(promises), Ok(thresholds)) => (promises, thresholds),
                (promises, thresholds) => {
                    let problems = promises.err().into_iter().chain(thresholds.err()).flatten();
                    return Err(problems.map(Diagnostic::from).collect());
                }
            };
        promises.add_code(code, &names);
        let asked = wanted.len()..wanted.len() + options.wanted.len();
        wanted.extend(options.wanted.iter().cloned());
        let mut recorder = Recorder::new(&measure::Scope {
            names: &names,
            times,
            settle: model.run.settle,
            services: &compiled.services,
            faults: compiled.faults.faults.len(),
            detail: options.detail,
            wanted: &wanted,
        });
        recorder.hear(|cell| promises.names(cell));
        let leads_to = if wanted.iter().any(|term| term.metric == measure::Metric::LeadsToTime) {
            times_of_promises(&names, &mut promises)
        } else {
            Vec::new()
        };
        let asks = |metric| wanted.iter().any(|term| term.metric == metric);
        let shown = options.detail == measure::Detail::Windows;
        let (gaps, elections) = (shown || asks(measure::Metric::Unavailable), asks(measure::Metric::Elections));
        let availability = Availability::new(model, compiled, gaps, elections);
        let keep = options.history == History::IfThereIsState && compiled.plan.history;
        let history = (keep || code.reads_operations()).then(Vec::new);
        let stores = Stores::new(model, compiled, keep, &promises);
        Ok(Self {
            names,
            times,
            recorder,
            promises,
            thresholds,
            leads_to,
            asked,
            history,
            history_cut: false,
            stores,
            availability,
            leaders: Leaders::new(model, compiled),
            up: compiled.up.clone(),
            workloads: compiled.workloads.clone(),
            variables: compiled.variables.clone(),
            events: 0,
            interrupted: false,
            full_disks: Vec::new(),
            gave_up: None,
        })
    }

    /// Somebody hears of a change.
    #[inline(never)]
    fn change_heard(&mut self, now: Time, change: &[Delta], ears: Ears) {
        self.recorder.change_heard(now, change, ears);
        if self.promises.change(now, self.events, ears.has(Ears::PROMISES), change) {
            self.take_times(now);
        }
    }

    /// A change that is not only that of levels, from one of its parts on.
    #[inline(never)]
    fn change_rest(&mut self, now: Time, change: &[Delta], at: (usize, Ears)) {
        let ears = self.recorder.change_rest(now, change, at);
        if self.promises.change(now, self.events, ears.has(Ears::PROMISES), change) {
            self.take_times(now);
        }
    }

    pub(super) fn rest(&mut self, now: Time) {
        self.promises.rest(now, self.events);
        self.take_times(now);
    }

    /// How long promises took to come true becomes samples.
    #[inline]
    fn take_times(&mut self, now: Time) {
        if self.leads_to.is_empty() {
            return;
        }
        let Self { promises, recorder, leads_to, .. } = self;
        promises.take_times(|number, since, value| {
            let found = leads_to.iter().find(|(known, _)| *known == number);
            let (_, series) = found.expect("only what was asked for is told");
            recorder.sample(now, NodeId(0), Sample { series: *series, tag: 0, since, value });
        });
    }

    pub(super) fn healed(&mut self, now: Time) {
        self.promises.event(self.events);
        self.promises.heal(now);
    }

    pub(super) fn load_ended(&mut self, now: Time) {
        self.promises.load_ended(now);
        self.gaps_end(now);
    }

    fn gaps_end(&mut self, now: Time) {
        for gap in self.availability.load_ended(now) {
            self.recorder.sample(now, NodeId(0), gap);
        }
    }

    /// The run may not end before here, though it be at rest.
    pub(super) fn not_before(&self, duration: Time, limit: Time) -> Time {
        // What must follow within a bound is decided when that has passed, if the run may last so long.
        let bound = Some(self.promises.next_bound()).filter(|bound| *bound < limit);
        if self.promises.waits_for_copies() {
            return limit;
        }
        (duration + self.promises.not_before()).max(bound.map_or(Time::ZERO, |bound| bound + Span(1)))
    }

    /// Somebody wants to know what clients ask and are told.
    pub(super) const fn wants_outputs(&self) -> bool {
        self.history.is_some() || self.stores.wanted() || self.availability.wanted()
    }

    pub(super) fn stops(&self) -> bool {
        self.promises.stop()
    }

    pub(super) fn gives_up(&mut self, why: String) {
        self.gave_up = Some(why);
    }

    pub(super) fn still_open(&mut self, end: Time, node: NodeId, series: SeriesId, since: Time) {
        self.recorder.still_open(end, node, series, since);
    }

    pub(super) fn kept(&mut self, series: SeriesId, sum: u128) {
        self.recorder.kept(series, sum);
    }

    fn up(&mut self, now: Time, node: NodeId, up: bool) {
        let Some((cell, key)) = self.up[node.0 as usize] else { return };
        let (before, after) = (i64::from(!up), i64::from(up));
        Watch::<Machine>::change(self, now, node, &[Delta { cell, key, before, after }]);
    }

    fn write(&mut self, line: HistoryLine) {
        let Some(history) = &mut self.history else { return };
        if history.len() < HISTORY_LINES_MAX {
            history.push(line);
        } else {
            self.history_cut = true;
        }
    }

    /// The run ended before its time, and not because of a promise.
    pub(super) const fn ended_early(&self) -> bool {
        self.interrupted || self.gave_up.is_some()
    }

    /// Why the run ended before its time, if it did.
    fn cut_short(&self, end: Time) -> Option<String> {
        let interrupted = || format!("interrupted at {end}: everything here is about the time before");
        self.gave_up.clone().or_else(|| self.interrupted.then(interrupted))
    }

    pub(super) fn finish(mut self, scenario: &Scenario, ending: &Ending<'_>) -> Outcome {
        let model = &scenario.model;
        self.gaps_end(ending.end);
        self.stores.tell(ending.cluster, &self.names, &mut self.promises);
        let history = Kept { lines: self.history.as_deref().unwrap_or_default(), all: !self.history_cut };
        self.promises.operations(ending.end, history);
        let mut invariants = self.promises.finish(ending.end, ending.at_rest, &ending.unfinished);
        self.take_times(ending.end);
        let measured = self.recorder.finish(ending.end, &self.names);
        let mut thresholds = threshold::judge(&self.thresholds, &self.recorder);
        let cut_short = self.cut_short(ending.end);
        if cut_short.is_some() {
            // A part of a run says nothing about the whole, for which the limits were written.
            for threshold in &mut thresholds {
                threshold.status = Status::Unknown;
            }
        }
        mark_expected(&mut invariants, &mut thresholds, &model.expect);
        let faults = ledger::results(ending.cluster.ledger(), model, &self.names);
        let mut warnings = ledger::warnings(&faults, model);
        let missing = ledger::without_required_effect(&faults, model);
        for (node, since) in &self.full_disks {
            let name = self.names.node(*node);
            warnings.push(format!(
                "the disk of {name} was full at {since}: what it wrote from then on never became durable"
            ));
        }
        for operation in measured.operations.iter().filter(|operation| operation.external) {
            let all = operation.ok + operation.failed + operation.unknown + operation.rejected + operation.open;
            // A few are always on their way when a run ends.
            if operation.open * 100 > all {
                let (open, name, from) = (operation.open, &operation.name, &operation.from);
                warnings.push(format!(
                    "{open} of {all} operations {name} of {from} never ended, and no latency has them; a client that \
                     gives up has a `client.timeout`"
                ));
            }
        }
        for queue in measured.message_queues.iter().filter(|queue| queue.identity.violations > 0) {
            let (name, violations, worst) = (&queue.name, queue.identity.violations, queue.identity.worst);
            warnings.push(format!(
                "the books of queue {name} did not balance after {violations} changes (by up to {worst}): a mistake of \
                 stormglass, and nothing here about this queue can be relied on"
            ));
        }
        if self.history_cut {
            warnings.push(format!("the history was cut after {HISTORY_LINES_MAX} lines"));
        }
        let mut stores = self.leaders.results(ending.end, &self.names);
        for (store, number) in stores.iter_mut().zip(0..) {
            store.gaps = self.availability.results(number);
            store.lags = self.recorder.lags(&store.name);
        }
        let mut verdict = judge(&invariants, &thresholds, &model.expect);
        let broken = invariants.iter().any(|invariant| invariant.status == Status::Violated);
        if let Some(why) = cut_short.filter(|_| !broken) {
            verdict = RunVerdict { found: Found::Inconclusive, as_expected: false, exit: 3, summary: why };
        } else if !missing.is_empty() {
            verdict.as_expected = false;
            verdict.exit = 1;
            verdict.summary = missing.join("; ");
        }
        Outcome {
            scenario: model.name.clone(),
            question: model.question.clone(),
            variant: ending.variant.map(str::to_owned),
            seed: ending.seed,
            run_id: scenario.run_id(super::EPOCH, ending.seed),
            scenario_hash: scenario.scenario_hash(),
            resolved: scenario.resolved.clone(),
            fingerprint: ending.cluster.fingerprint(),
            events: ending.cluster.events(),
            end: ending.end,
            times: self.times,
            warmup_by: WarmupBy::Scenario,
            rests: ending.rests,
            invariants,
            thresholds,
            verdict,
            operations: measured.operations,
            queues: measured.queues,
            services: measured.services,
            transactions: measured.transactions,
            message_queues: measured.message_queues,
            sagas: measured.sagas,
            retries: measured.retries,
            breakers: measured.breakers,
            groups: measured.groups,
            outboxes: measured.outboxes,
            stores,
            messages: measured.messages,
            faults,
            little: measured.little,
            estimates: self.asked.map(|term| self.recorder.value(term)).collect(),
            topology: super::topology(model),
            history: self.history.unwrap_or_default(),
            store_histories: self.stores.histories(),
            story: None,
            warnings,
        }
    }
}

/// Asks for the times of every `leads_to` that is a series.
fn times_of_promises(names: &Names, promises: &mut Promises) -> Vec<(u32, SeriesId)> {
    let mut found = Vec::new();
    for (number, series) in names.series.iter().enumerate().filter(|(_, s)| s.metric == "leads_to_time") {
        let invariant = measure::wanted::label(&series.labels, "invariant").unwrap_or_default();
        let series = SeriesId(number as u32);
        found.extend(promises.keep_times(invariant).map(|number| (number, series)));
    }
    found
}

impl Watch<Machine> for Listener {
    fn output(&mut self, now: Time, _node: NodeId, output: &Output) {
        if let Output::Store(told) = output {
            self.stores.told(now, self.events, told);
            if let Some(gap) = self.availability.told(now, told) {
                self.recorder.sample(now, NodeId(0), gap);
            }
            return;
        }
        if self.history.is_none() {
            return;
        }
        let (workload, number, process, kind, variables, error) = match output {
            Output::Invoked { workload, number, process, variables } => {
                (*workload, *number, *process, "invoke", variables, None)
            }
            Output::Store(_) => return,
            Output::Completed { workload, number, process, ending, error, variables } => {
                let kind = match ending {
                    CallEnding::Ok => "ok",
                    CallEnding::Fail | CallEnding::Reject => "fail",
                    CallEnding::Info => "info",
                };
                (*workload, *number, *process, kind, variables, *error)
            }
        };
        let set = self.variables.iter().zip(variables.values());
        let value = set.filter_map(|(name, value)| Some((name.clone(), self.names.word(value)?))).collect();
        let line = HistoryLine {
            time: now,
            process,
            kind,
            function: self.workloads[workload as usize].1.clone(),
            value,
            error: error.map(|n| self.names.errors[usize::from(n)].clone()),
            operation: number,
        };
        self.write(line);
    }

    fn fact(&mut self, fact: Fact) {
        self.recorder.fact(&fact);
        if let Some(election) = self.availability.fact(&fact) {
            self.recorder.sample(fact.time, fact.node, election);
        }
        self.leaders.fact(&fact);
        self.promises.event(self.events);
        self.promises.fact(&fact);
        self.take_times(fact.time);
    }

    #[inline]
    fn change(&mut self, now: Time, _node: NodeId, change: &[Delta]) {
        // What is more than another value of a level is for others, at the end of this: so there is nothing to save here.
        match self.recorder.change_known(now, change) {
            Ok(Ears::NOBODY) if !self.promises.is_due(now) => self.promises.event(self.events),
            Ok(ears) => self.change_heard(now, change, ears),
            Err(at) => self.change_rest(now, change, at),
        }
    }

    #[expect(clippy::inline_always, reason = "of many series only a sum is kept, or nothing")]
    #[inline(always)]
    fn sample(&mut self, now: Time, node: NodeId, sample: Sample) {
        self.recorder.sample(now, node, sample);
    }

    fn kept_sum(&mut self, _: Time, _: NodeId, series: SeriesId, sum: u128) {
        self.kept(series, sum);
    }

    fn cut_short(&mut self, now: Time, node: NodeId, series: SeriesId, since: Time) {
        let sample = Sample { series, tag: CUT_SHORT, since, value: now.since(since) };
        self.recorder.sample(now, node, sample);
    }

    #[expect(clippy::inline_always, reason = "at each call the passage is known, and all but one counter falls away")]
    #[inline(always)]
    fn message(&mut self, now: Time, message: MessageEvent) {
        let what = match message.passage {
            Passage::Sent => measure::Passage::Sent,
            Passage::Delivered => measure::Passage::Delivered,
            Passage::Dropped(_) | Passage::Reset => measure::Passage::Lost,
            Passage::Retransmitted => measure::Passage::Retransmitted,
            Passage::Lost(_) | Passage::Held | Passage::Released | Passage::Duplicated => return,
        };
        self.recorder.message(now, what, message.from, message.to, message.kind, message.bytes);
    }

    fn fault(&mut self, now: Time, instance: &Instance, event: FaultEvent) {
        let Some(fault) = instance.fault else { return };
        match event {
            FaultEvent::Began => self.recorder.fault_began(now, fault),
            FaultEvent::Ended => self.recorder.fault_ended(now, fault),
            FaultEvent::Skipped(_) => {}
        }
    }

    fn disk_full(&mut self, now: Time, node: NodeId) {
        if !self.full_disks.iter().any(|(full, _)| *full == node) {
            self.full_disks.push((node, now));
        }
    }

    fn fsync(&mut self, now: Time, node: NodeId, _records: u32) {
        self.recorder.fsync(now, node);
    }

    fn crashed(&mut self, now: Time, node: NodeId) {
        self.leaders.crashed(now, node);
        self.up(now, node, false);
    }

    fn restarted(&mut self, now: Time, node: NodeId) {
        self.up(now, node, true);
    }
}
