//! What is measured while a run goes on, in memory that does not grow with the run.
//!
//! The run hands every sample, change, message, disk write, fact and fault to a [`Recorder`]; it adds to counters that were
//! laid out from `Names` beforehand, and looks no name up. When the run is over, [`Recorder::finish`] gives the tables of
//! the outcome and [`Recorder::value`] the number of each term that thresholds asked for.
//!
//! What counts: a sample if what it measures *began* after the warm-up (and in the term's phase); a level, weighted by
//! time, from the warm-up until load ends, its extremes until the end of the run; a count if it happened after the
//! warm-up; a rate of ends while there was load. Time series show all of the run. Only Little's law is kept without any
//! cut: the integral of the number in the system from changes, the sum of the times in the system from samples, by code
//! that shares nothing.
//!
//! It knows no protocol, no network and no text of a threshold. Read `wanted` for what can be asked.

mod breakers;
mod finish;
mod level;
mod levels;
mod mail;
mod parts;
mod phase;
mod replication;
mod sagas;
mod scope;
mod source;
mod stream;
mod tally;
mod traffic;
mod value;
pub(crate) mod wanted;

pub use finish::Measured;
pub use levels::Ears;
pub(crate) use mail::queue_metric;
pub use scope::{Detail, Scope, ServiceInfo};
pub use source::Value;
pub use tally::Estimate;
pub use traffic::Passage;
pub use wanted::{Entry, METRICS, Metric, Phase, Sort, Stat, Wanted, window_width};

use kernel::{Delta, Fact, NodeId, Sample, SeriesId, Span, Time};
use systems::app::ending::CUT_SHORT;

use crate::names::Names;
use crate::outcome::Times;
use breakers::Breakers;
use levels::Levels;
use mail::Mail;
use parts::Group;
use phase::Phases;
use replication::Replication;
use sagas::Sagas;
use source::{Counted, Flow, Probe, Source, Sources};
use stream::{Keep, Stream};
use tally::BATCHES;
use traffic::Traffic;

/// Collects the statistics of one run.
#[derive(Clone, Debug)]
pub struct Recorder {
    times: Times,
    services: Vec<ServiceInfo>,
    /// The next instant at which a phase, batch or window begins; everything before it is plain counting.
    boundary: Time,
    window_end: Time,
    batch: usize,
    batch_end: Time,
    phases: Phases,
    streams: Vec<Stream>,
    levels: Levels,
    traffic: Traffic,
    /// The counters when the warm-up ended.
    traffic_warm: Traffic,
    mail: Mail,
    sagas: Sagas,
    breakers: Breakers,
    /// Of runs for charts.
    replication: Option<Replication>,
    groups: Vec<Group>,
    /// By protocol: participants in doubt, locks held, all nodes together.
    transaction_levels: Vec<[usize; 2]>,
    probes: Vec<Probe>,
    flows: Vec<Flow>,
    wanted: Vec<(Wanted, Source)>,
    end: Option<Time>,
}

impl Recorder {
    /// Lays out the counters.
    pub fn new(scope: &Scope<'_>) -> Self {
        let Scope { names, times, settle, services, faults, detail, wanted } = *scope;
        assert!(times.window > Span::ZERO, "a time window has a width");
        let mut streams: Vec<Stream> = names.series.iter().map(|series| Stream::new(series.metric)).collect();
        for stream in streams.iter_mut().filter(|s| detail == Detail::Windows && s.has_windows) {
            stream.keep_windows(&times);
        }
        let (mut levels, mut phases) = (Levels::new(names), Phases::new(times, settle, faults));
        let traffic = Traffic::new(names);
        let (mail, sagas) = (Mail::new(names, &mut levels), Sagas::new(names, times.warmup));
        let groups = Group::all(names, &mut levels);
        let replication = (detail == Detail::Windows).then(|| Replication::new(names, &mut levels));
        let transaction_levels = names.protocols.iter().map(|protocol| {
            let labels = [("tx".to_owned(), protocol.clone())];
            let rows = ["in_doubt_level", "locks_held"].map(|metric| wanted::rows_called(names, metric, &labels));
            rows.map(|rows| levels.together(&rows, 0))
        });
        let transaction_levels = transaction_levels.collect();
        let (probes, flows) = (Vec::new(), Vec::new());
        let (mut sources, mut found) = (
            Sources {
                names,
                services,
                phases: &mut phases,
                streams: &mut streams,
                levels: &mut levels,
                traffic: &traffic,
                mail: &mail,
                sagas: &sagas,
                probes,
                flows,
            },
            Vec::new(),
        );
        for term in wanted {
            found.push((term.clone(), sources.find(term)));
        }
        let Sources { probes, flows, .. } = sources;
        let breakers = Breakers::new(names);
        levels.hear(Ears::STATISTICS, |cell| {
            mail.knows(cell) || breakers.knows(cell) || replication.as_ref().is_some_and(|stores| stores.knows(cell))
        });
        Self {
            times,
            services: services.to_vec(),
            boundary: Time::ZERO,
            window_end: match detail {
                Detail::Totals => Time::END,
                Detail::Windows => Time::ZERO + times.window,
            },
            batch: 0,
            batch_end: times.warmup,
            phases,
            streams,
            levels,
            traffic_warm: traffic.clone(),
            traffic,
            mail,
            sagas,
            breakers,
            replication,
            groups,
            transaction_levels,
            probes,
            flows,
            wanted: found,
            end: None,
        }
    }

    /// Something was measured. `now` is when it ended; samples come in the order of time.
    #[expect(clippy::inline_always, reason = "of many series nothing is kept")]
    #[inline(always)]
    pub fn sample(&mut self, now: Time, _node: NodeId, sample: Sample) {
        let Sample { series, tag, since, value } = sample;
        match self.streams[series.0 as usize].keep {
            Keep::All => self.record(now, series, tag, (since, value)),
            Keep::Sum => self.add(now, series, tag, (since, value)),
            Keep::Nothing => {}
        }
    }

    /// A sample of a series of which only the sum is kept.
    #[inline(never)]
    fn add(&mut self, now: Time, series: SeriesId, tag: u16, (since, value): (Time, Span)) {
        if now >= self.boundary {
            return self.add_later(now, series, tag, (since, value));
        }
        self.streams[series.0 as usize].add(tag, value, since >= self.times.warmup);
    }

    #[inline(never)]
    fn add_later(&mut self, now: Time, series: SeriesId, tag: u16, (since, value): (Time, Span)) {
        self.pass(now);
        self.streams[series.0 as usize].add(tag, value, since >= self.times.warmup);
    }

    /// The sample comes in parts, for so it needs no place in memory on its way. Nearly every one adds to what is there;
    /// that needs no other function, and so this one has nothing to save.
    #[inline(never)]
    fn record(&mut self, now: Time, series: SeriesId, tag: u16, (since, value): (Time, Span)) {
        let counts = now < self.boundary && since >= self.times.warmup;
        let sample = Sample { series, tag, since, value };
        if counts
            && let Some(stream) = self.streams.get_mut(series.0 as usize)
            && stream.record_known(now, &sample)
        {
            return;
        }
        self.record_rest(now, series, tag, (since, value));
    }

    /// Whatever a sample is.
    #[inline(never)]
    fn record_rest(&mut self, now: Time, series: SeriesId, tag: u16, (since, value): (Time, Span)) {
        let sample = Sample { series, tag, since, value };
        if now >= self.boundary {
            self.pass(now);
        }
        let stream = &mut self.streams[sample.series.0 as usize];
        stream.record(now, &sample, since >= self.times.warmup);
        if !stream.probes.is_empty() {
            self.probe(now, &sample);
        }
    }

    /// A sum that a process has kept of what began after the warm-up.
    pub fn kept(&mut self, series: SeriesId, sum: u128) {
        self.streams[series.0 as usize].kept += sum;
    }

    /// The terms with a phase or an outcome count a sample.
    #[inline(never)]
    fn probe(&mut self, now: Time, sample: &Sample) {
        let stream = &self.streams[sample.series.0 as usize];
        for &number in &stream.probes {
            let probe = &mut self.probes[number as usize];
            let tagged = probe.tag.is_none_or(|tag| tag == sample.tag);
            if tagged && self.phases.counts(probe.phase, sample.since) {
                stream.meaning.record(&mut probe.tally, now, sample);
            }
        }
    }

    /// State changed. Cells that are no metric are ignored. Gives who else wants to know of one of them.
    #[inline]
    pub fn change(&mut self, now: Time, change: &[Delta]) -> Ears {
        match self.change_known(now, change) {
            Ok(ears) => {
                self.change_heard(now, change, ears);
                ears
            }
            Err(at) => self.change_rest(now, change, at),
        }
    }

    /// The same, as far as nothing is new but that a level has another value: that needs no other function, and so a small
    /// one that asks for no more has nothing to save. Otherwise it gives the number of the first that is more, and what was
    /// heard before. Whoever hears is still to be told (`change_heard`).
    #[expect(clippy::inline_always, reason = "there are two callers, one in the innermost loop")]
    #[inline(always)]
    pub fn change_known(&mut self, now: Time, change: &[Delta]) -> Result<Ears, (usize, Ears)> {
        let mut ears = Ears::NOBODY;
        if now >= self.boundary {
            return Err((0, ears));
        }
        // One by one: what a loop keeps in registers would have to be saved first.
        let [first, rest @ ..] = change else { return Ok(ears) };
        let Some(more) = self.levels.change_known(now, first) else { return Err((0, ears)) };
        ears = more;
        let second = match rest {
            [] => return Ok(ears),
            [second] => second,
            [..] => return Err((1, ears)),
        };
        match self.levels.change_known(now, second) {
            Some(more) => Ok(ears.and(more)),
            None => Err((1, ears)),
        }
    }

    /// The rest of a change, whatever it is.
    #[inline(never)]
    pub fn change_rest(&mut self, now: Time, change: &[Delta], (at, mut ears): (usize, Ears)) -> Ears {
        if now >= self.boundary {
            self.pass(now);
        }
        for delta in &change[at..] {
            ears = ears.and(self.levels.change(now, delta));
        }
        self.change_heard(now, change, ears);
        ears
    }

    /// Promises must be told of changes of these cells.
    pub fn hear(&mut self, wanted: impl Fn(usize) -> bool) {
        self.levels.hear(Ears::PROMISES, wanted);
    }

    /// More than a level changed, if so.
    #[inline]
    pub fn change_heard(&mut self, now: Time, change: &[Delta], ears: Ears) {
        if ears.has(Ears::STATISTICS) {
            self.change_counted(now, change);
        }
    }

    #[inline(never)]
    fn change_counted(&mut self, now: Time, change: &[Delta]) {
        self.mail.change(now, change, &mut self.levels);
        self.breakers.change(now, change);
        if let Some(replication) = &mut self.replication {
            replication.change(now, change, &mut self.levels);
        }
    }

    /// A message was sent, delivered, lost or sent again.
    #[expect(clippy::inline_always, reason = "at each call `what` is known, and all but one counter falls away")]
    #[inline(always)]
    pub fn message(&mut self, now: Time, what: Passage, from: NodeId, to: NodeId, kind: u8, bytes: u32) {
        if now >= self.boundary {
            self.pass(now);
        }
        self.traffic.message(what, from, to, kind, bytes);
    }

    /// A disk write became durable.
    #[inline]
    pub fn fsync(&mut self, now: Time, node: NodeId) {
        if now >= self.boundary {
            self.pass(now);
        }
        self.traffic.fsync(node);
    }

    /// A protocol stated a fact.
    pub fn fact(&mut self, fact: &Fact) {
        if fact.time >= self.boundary {
            self.pass(fact.time);
        }
        self.traffic.fact(fact);
        self.sagas.fact(fact);
    }

    /// An instance of a fault began to act. `fault` is its number among `[faults.*]`.
    pub fn fault_began(&mut self, now: Time, fault: u32) {
        if now >= self.boundary {
            self.pass(now);
        }
        self.phases.fault_began(now, fault);
        self.turn(now);
    }

    /// An instance that began was revoked.
    pub fn fault_ended(&mut self, now: Time, fault: u32) {
        if now >= self.boundary {
            self.pass(now);
        }
        self.phases.fault_ended(now, fault);
        self.turn(now);
    }

    /// The run is over and something that is being measured has not ended: from `Process::open_samples`.
    pub fn still_open(&mut self, now: Time, node: NodeId, series: SeriesId, since: Time) {
        self.sample(now, node, Sample { series, tag: CUT_SHORT, since, value: now.since(since) });
        self.streams[series.0 as usize].open += u64::from(since >= self.times.warmup);
    }

    /// Whether this term is about anything at all in the compiled scenario: if not, it is a mistake, not vacuous.
    pub fn is_about_something(names: &Names, wanted: &Wanted) -> bool {
        match wanted.metric.entry().sort {
            Sort::Level => !wanted::rows_of(names, wanted).is_empty(),
            Sort::Samples | Sort::Ratio | Sort::Rate if wanted.metric != Metric::Aborts => {
                !wanted::series_of(names, wanted).is_empty()
            }
            Sort::Samples | Sort::Ratio | Sort::Rate | Sort::Count => true,
        }
    }

    /// Goes over every boundary up to `now`: windows, batches and phases end and begin exactly there.
    #[cold]
    fn pass(&mut self, now: Time) {
        while self.boundary <= now {
            let at = self.boundary;
            self.levels.settle(at);
            if at == self.window_end {
                self.close_window(at);
                self.window_end = at + self.times.window;
            }
            if at == self.batch_end {
                self.begin_batch(at);
            }
            if at == self.times.warmup {
                self.traffic_warm = self.traffic.clone();
                self.mail.warmed_up();
            }
            self.turn(at);
        }
    }

    fn close_window(&mut self, at: Time) {
        self.levels.close_window(at);
        self.mail.close_window();
        for stream in &mut self.streams {
            stream.close_window();
        }
    }

    /// The measured time is cut into equal batches; the last also takes what ends after load has ended.
    fn begin_batch(&mut self, at: Time) {
        self.levels.mark();
        let Times { warmup, duration, .. } = self.times;
        if at > warmup && self.batch < BATCHES - 1 {
            self.close_batch();
            self.batch += 1;
        }
        let length = u128::from(duration.since(warmup).0);
        let begun = |batch: u128| warmup + Span((length * batch / BATCHES as u128) as u64);
        let next = if at == warmup { 1 } else { self.batch as u128 + 1 };
        self.batch_end = if begun(next) > at { begun(next) } else { Time::END };
    }

    fn close_batch(&mut self) {
        let streams = self.streams.iter_mut().map(|stream| &mut stream.tally);
        for tally in streams.chain(self.probes.iter_mut().map(|probe| &mut probe.tally)) {
            tally.close_batch(self.batch);
        }
    }

    /// Phases begin or end at `at`, up to which every level has been settled or is about to be.
    fn turn(&mut self, at: Time) {
        let turned = self.phases.turn(at);
        if !turned.is_empty() {
            self.levels.settle(at);
        }
        for (phase, begins) in turned {
            self.turn_phase(phase, begins);
        }
        self.boundary = self.window_end.min(self.batch_end).min(self.phases.next());
    }

    fn turn_phase(&mut self, phase: usize, begins: bool) {
        self.levels.turn(phase, begins);
        let Self { flows, traffic, streams, mail, sagas, .. } = self;
        for flow in flows.iter_mut().filter(|flow| flow.phase == phase) {
            flow.turn(begins, Counted { traffic, streams, mail, sagas });
        }
    }

    /// Ends the run: nothing may be recorded after it.
    fn stop(&mut self, end: Time) {
        if end >= self.boundary {
            self.pass(end);
        }
        self.levels.settle(end);
        if self.window_end < Time::END {
            self.close_window(end);
        }
        for phase in self.phases.stop(end) {
            self.turn_phase(phase, false);
        }
        let Self { flows, traffic, streams, mail, sagas, .. } = self;
        for flow in flows {
            flow.stop(Counted { traffic, streams, mail, sagas });
        }
        self.close_batch();
        let streams = self.streams.iter_mut().map(|stream| &mut stream.tally);
        for tally in streams.chain(self.probes.iter_mut().map(|probe| &mut probe.tally)) {
            tally.settle();
        }
        self.boundary = Time::END;
        self.end = Some(end);
    }
}

#[cfg(test)]
mod parts_tests;
#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
mod theory;
