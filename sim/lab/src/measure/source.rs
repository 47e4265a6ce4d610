//! Where the number of a wanted term comes from; decided once, before the run.

use kernel::Time;
use systems::messaging::Figure;

use super::mail::Mail;
use super::phase::Phases;
use super::sagas::Sagas;
use super::stream::{Keep, Stream};
use super::tally::{Hit, Tally};
use super::traffic::{Decisions, Through, Traffic};
use super::wanted::{Metric, Phase, Wanted};
use super::{Levels, ServiceInfo, wanted};
use crate::names::{Names, Series};

/// Where the number of a term comes from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// The tallies that these series keep anyway, together.
    Whole(Vec<usize>),
    /// A tally of its own: it has a phase, an outcome or a limit.
    Probe(usize),
    /// A level, divided by so many workers; with the number of its phase.
    Level { level: usize, workers: f64, phase: usize },
    /// A counter.
    Flow(usize),
    /// One counter divided by another.
    Share(usize, usize),
    /// How much of this level there is when the run has ended.
    Left {
        /// How many are open.
        level: usize,
        /// The kinds of sagas whose given-up ones count, too.
        given_up: Vec<usize>,
    },
}

/// A tally of a term's own.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    pub(super) phase: Phase,
    pub(super) tag: Option<u16>,
    pub(super) tally: Tally,
}

/// Something counted, and how much of it fell into a phase.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub(super) phase: usize,
    pub(super) counter: Counter,
    entered: u64,
    counted: u64,
    /// The count when the phase began for the first time.
    first: Option<u64>,
    /// The count at the end of the run.
    last: u64,
}

/// What is counted.
#[derive(Clone, Debug)]
pub(super) enum Counter {
    Messages(Through),
    Bytes(Through),
    /// By part.
    Fsyncs(Vec<usize>),
    /// By protocol.
    Begun(Vec<usize>),
    Committed(Vec<usize>),
    Aborted(Vec<usize>),
    /// By series: occurrences with this tag after the warm-up.
    Tagged(Vec<usize>, u16),
    Ended(Vec<usize>),
    Good(Vec<usize>),
    /// Calls, by series.
    Called(Vec<usize>),
    /// Their tries: calls, and the retries of these series.
    Tried(Vec<usize>, Vec<usize>),
    /// By broker's queue.
    Mail(Vec<usize>, Figure),
    /// By kind of saga: those that ended undone.
    Undone(Vec<usize>),
}

/// Where counters look.
#[derive(Clone, Copy)]
pub(super) struct Counted<'a> {
    pub(super) traffic: &'a Traffic,
    pub(super) streams: &'a [Stream],
    pub(super) mail: &'a Mail,
    pub(super) sagas: &'a Sagas,
}

impl Counter {
    fn count(&self, Counted { traffic, streams, mail, sagas }: Counted<'_>) -> u64 {
        let decided = |protocols: &[usize], which: fn(&Decisions) -> u64| -> u64 {
            protocols.iter().map(|&n| which(&traffic.decisions[n])).sum()
        };
        match self {
            Self::Messages(through) => traffic.through(through).0,
            Self::Bytes(through) => traffic.through(through).1,
            Self::Fsyncs(parts) => parts.iter().map(|&n| traffic.fsyncs[n]).sum(),
            Self::Begun(protocols) => decided(protocols, |d| d.begun),
            Self::Committed(protocols) => decided(protocols, |d| d.committed),
            Self::Aborted(protocols) => decided(protocols, |d| d.aborted),
            Self::Tagged(series, tag) => series.iter().map(|&n| streams[n].tags.get(tag).copied().unwrap_or(0)).sum(),
            Self::Ended(series) => series.iter().map(|&n| streams[n].ended()).sum(),
            Self::Good(series) => series.iter().map(|&n| streams[n].ended_ok()).sum(),
            Self::Called(series) => series.iter().map(|&n| streams[n].called()).sum(),
            Self::Tried(calls, retries) => {
                let calls = calls.iter().map(|&n| streams[n].called());
                calls.chain(retries.iter().map(|&n| streams[n].ended())).sum()
            }
            Self::Mail(queues, figure) => queues.iter().map(|&n| mail.counted(n, *figure)).sum(),
            Self::Undone(kinds) => kinds.iter().map(|&n| sagas.undone(n)).sum(),
        }
    }
}

impl Flow {
    fn new(phase: usize, counter: Counter) -> Self {
        Self { phase, counter, entered: 0, counted: 0, first: None, last: 0 }
    }

    pub(super) fn turn(&mut self, begins: bool, counted: Counted<'_>) {
        let count = self.counter.count(counted);
        if begins {
            self.entered = count;
            self.first.get_or_insert(count);
        } else {
            self.counted += count - self.entered;
        }
    }

    pub(super) fn stop(&mut self, counted: Counted<'_>) {
        self.last = self.counter.count(counted);
    }

    /// How many while the phase was active; of the measured phase, while there was load.
    pub(super) fn during(&self) -> u64 {
        self.counted
    }

    /// How many in the phase; of the measured phase until the end of the run.
    pub(super) fn total(&self) -> u64 {
        if self.phase == 0 { self.first.map_or(0, |first| self.last - first) } else { self.counted }
    }
}

/// What is needed to find sources, and what they are.
pub(super) struct Sources<'a> {
    pub(super) names: &'a Names,
    pub(super) services: &'a [ServiceInfo],
    pub(super) phases: &'a mut Phases,
    pub(super) streams: &'a mut [Stream],
    pub(super) levels: &'a mut Levels,
    pub(super) traffic: &'a Traffic,
    pub(super) mail: &'a Mail,
    pub(super) sagas: &'a Sagas,
    pub(super) probes: Vec<Probe>,
    pub(super) flows: Vec<Flow>,
}

impl Sources<'_> {
    /// Prepares for a term.
    pub(super) fn find(&mut self, wanted: &Wanted) -> Source {
        let phase = self.phases.watch(wanted.phase);
        match wanted.metric {
            Metric::Latency
            | Metric::ServiceTime
            | Metric::Wait
            | Metric::Age
            | Metric::SagaTime
            | Metric::OutboxLag
            | Metric::LeadsToTime
            | Metric::Unavailable
            | Metric::InDoubt
            | Metric::LockWait
            | Metric::HoldTime
            | Metric::Errors
            | Metric::Offered => self.samples(wanted),
            Metric::Rejects => match wanted.tag {
                Some(reason) => self.rejects(wanted, reason, phase),
                None => self.samples(wanted),
            },
            Metric::QueueDepth | Metric::InFlight | Metric::LocksHeld | Metric::Lag | Metric::Utilisation => {
                self.level(wanted, phase)
            }
            Metric::Throughput => self.flow(phase, Counter::Ended(wanted::series_of(self.names, wanted))),
            Metric::Goodput => self.flow(phase, Counter::Good(wanted::series_of(self.names, wanted))),
            Metric::Messages => self.flow(phase, Counter::Messages(self.through(wanted))),
            Metric::Bytes => self.flow(phase, Counter::Bytes(self.through(wanted))),
            Metric::Fsyncs => self.flow(phase, Counter::Fsyncs(self.parts(wanted))),
            Metric::Committed => self.flow(phase, Counter::Committed(self.protocols(wanted))),
            Metric::Aborts => self.aborts(wanted, phase),
            Metric::QueueIdentityError => {
                let errors = self.mail.called(&wanted.labels).into_iter().map(|queue| self.mail.error(queue) as u32);
                Source::Level { level: self.levels.sum(errors.collect(), phase), workers: 1.0, phase }
            }
            Metric::Redelivered => self.mail(wanted, phase, Figure::Redelivered),
            Metric::DeadLettered => self.mail(wanted, phase, Figure::DeadLettered),
            Metric::Retries => self.flow(phase, Counter::Ended(wanted::retries_of(self.names, wanted))),
            Metric::Elections => self.flow(phase, Counter::Ended(wanted::series_of(self.names, wanted))),
            Metric::Compensated => self.flow(phase, Counter::Undone(self.sagas.called(&wanted.labels))),
            Metric::Stuck => {
                let level = self.levels.together(&wanted::rows_of(self.names, wanted), 0);
                Source::Left { level, given_up: self.sagas.called(&wanted.labels) }
            }
            Metric::RetryAmplification => {
                let calls = wanted::series_of(self.names, wanted);
                let mut retries = wanted::retries_of(self.names, wanted);
                let callers: Vec<_> = calls.iter().map(|&n| caller(&self.names.series[n])).collect();
                retries.retain(|&n| callers.contains(&caller(&self.names.series[n])));
                let tries = self.add(phase, Counter::Tried(calls.clone(), retries));
                Source::Share(tries, self.add(phase, Counter::Called(calls)))
            }
        }
    }

    fn samples(&mut self, wanted: &Wanted) -> Source {
        let series = wanted::series_of(self.names, wanted);
        for &number in &series {
            self.streams[number].keep = Keep::All;
        }
        // A share is that of an ending among all, so the ending selects nothing.
        let tag = if wanted.stat == super::Stat::Share { None } else { wanted.tag };
        if wanted.phase == Phase::Measured && tag.is_none() && wanted.above.is_none() {
            return Source::Whole(series);
        }
        let hit = wanted.above.map_or(Hit::Error, |limit| Hit::Above(limit.0));
        for number in series {
            self.streams[number].probes.push(self.probes.len() as u32);
        }
        self.probes.push(Probe { phase: wanted.phase, tag, tally: Tally::new(hit) });
        Source::Probe(self.probes.len() - 1)
    }

    fn level(&mut self, wanted: &Wanted, phase: usize) -> Source {
        let rows = wanted::rows_of(self.names, wanted);
        let workers =
            if wanted.metric == Metric::Utilisation { workers_behind(&rows, self.names, self.services) } else { 1.0 };
        let level = self.levels.together(&rows, phase);
        Source::Level { level, workers, phase }
    }

    fn flow(&mut self, phase: usize, counter: Counter) -> Source {
        Source::Flow(self.add(phase, counter))
    }

    fn mail(&mut self, wanted: &Wanted, phase: usize, figure: Figure) -> Source {
        self.flow(phase, Counter::Mail(self.mail.called(&wanted.labels), figure))
    }

    fn add(&mut self, phase: usize, counter: Counter) -> usize {
        self.flows.push(Flow::new(phase, counter));
        self.flows.len() - 1
    }

    fn aborts(&mut self, wanted: &Wanted, phase: usize) -> Source {
        let protocols = self.protocols(wanted);
        let aborted = if let Some(reason) = wanted.tag {
            let named = &self.names.series;
            let fits = |n: usize| named[n].metric == "aborted" && wanted::carries(&named[n].labels, &wanted.labels);
            Counter::Tagged((0..named.len()).filter(|&n| fits(n)).collect(), reason)
        } else {
            Counter::Aborted(protocols.clone())
        };
        let aborted = self.add(phase, aborted);
        Source::Share(aborted, self.add(phase, Counter::Begun(protocols)))
    }

    fn rejects(&mut self, wanted: &Wanted, reason: u16, phase: usize) -> Source {
        let calls = wanted::series_of(self.names, wanted);
        let rejected = Counter::Tagged(wanted::rejected_of(self.names, &calls), reason);
        let rejected = self.add(phase, rejected);
        Source::Share(rejected, self.add(phase, Counter::Ended(calls)))
    }

    fn protocols(&self, wanted: &Wanted) -> Vec<usize> {
        let protocols = &self.names.protocols;
        let fits = |n: usize| wanted::carries(&[("tx", protocols[n].clone())], &wanted.labels);
        (0..protocols.len()).filter(|&n| fits(n)).collect()
    }

    fn parts(&self, wanted: &Wanted) -> Vec<usize> {
        let parts = &self.traffic.parts;
        let fits = |n: usize| wanted::carries(&[("service", parts[n].clone())], &wanted.labels);
        (0..parts.len()).filter(|&n| fits(n)).collect()
    }

    fn through(&self, wanted: &Wanted) -> Through {
        let find = |label: &'static str, among: &[String]| -> Option<usize> {
            let asked: Vec<_> = wanted.labels.iter().filter(|(name, _)| name == label).cloned().collect();
            let fits = |found: &String| wanted::carries(&[(label, found.clone())], &asked);
            // What is not found is counted nowhere.
            (!asked.is_empty()).then(|| among.iter().position(fits).unwrap_or(usize::MAX))
        };
        let (parts, kinds) = (&self.traffic.parts, &self.names.kinds);
        Through { from: find("from", parts), to: find("to", parts), kind: find("kind", kinds) }
    }
}

/// What is called, and who calls.
fn caller(series: &Series) -> (Option<&str>, Option<&str>) {
    (wanted::label(&series.labels, "op"), wanted::label(&series.labels, "from"))
}

/// The workers behind rows of busy workers; those of unlimited services are not counted.
pub(super) fn workers_behind(rows: &[(usize, u64)], names: &Names, services: &[ServiceInfo]) -> f64 {
    let of = |cell: usize| -> u32 {
        let service = wanted::label(&names.cells[cell].labels, "service");
        let found = services.iter().find(|info| Some(info.name.as_str()) == service);
        found.and_then(|info| info.workers).unwrap_or(0)
    };
    rows.iter().map(|(cell, _)| f64::from(of(*cell))).sum()
}

/// The number of a term.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Value {
    /// The number: seconds for samples, else as it is.
    pub number: f64,
    /// Its standard error, where batches tell one.
    pub error: Option<f64>,
    /// When it was seen, for `max`, `last` and `end`.
    pub at: Option<Time>,
}
