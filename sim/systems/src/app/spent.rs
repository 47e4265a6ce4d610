//! Where the time of a request went: every nanosecond between its beginning and its end, by what it waited for.
//!
//! A frame has a clock that is turned whenever it goes on, and an answer carries what the callee's clock has counted: the
//! parts of a caller are those of all who worked for it, and add up to its latency exactly.

use alloc::vec::Vec;

use kernel::{NodeId, SeriesId, Span, Time};

use super::plan::{Part, Plan};

/// What a request waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waiting {
    /// `work` and `sleep`.
    Work,
    /// For a worker who is free.
    Worker,
    /// Messages on their way, and what has to be durable before they are sent.
    Network,
    /// For a database, a replicated store, a broker's confirmation, the decision of a commit protocol.
    Data,
    /// For tries without an answer, and in the pauses after them.
    Retries,
}

impl Waiting {
    /// All of them, with their names, by number.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Work, "work"),
        (Self::Worker, "worker"),
        (Self::Network, "network"),
        (Self::Data, "data"),
        (Self::Retries, "retries"),
    ];
}

/// A series for each.
pub type SpentSeries = [SeriesId; Waiting::ALL.len()];

/// A sum of nanoseconds for each.
pub type SpentSums = [u128; Waiting::ALL.len()];

/// Time by what was waited for.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Spent([Span; Waiting::ALL.len()]);

impl Spent {
    /// In order of their numbers.
    pub fn parts(&self) -> [Span; Waiting::ALL.len()] {
        self.0
    }

    /// Of all.
    pub fn total(&self) -> Span {
        Span(self.0.iter().map(|span| span.0).sum())
    }

    fn add(&mut self, waiting: Waiting, span: Span) {
        self.0[waiting as usize].0 += span.0;
    }

    /// Part by part.
    pub fn add_all(&mut self, other: &Self) {
        for (mine, its) in self.0.iter_mut().zip(other.0) {
            mine.0 += its.0;
        }
    }
}

/// What a machine keeps of it, by sort of call: the operations of clients are one sort, each call site of a service is one.
/// Only sums, for samples would cost as much as all else that is measured.
#[derive(Clone, Default, Debug)]
pub struct Kept(Vec<SpentSums>);

impl Kept {
    /// Where the time of a call of this sort went that began at `since`.
    #[inline]
    pub fn add(&mut self, plan: &Plan, sort: usize, since: Time, spent: &Spent) {
        if plan.spent_since.is_none_or(|first| since < first) {
            return;
        }
        if self.0.len() <= sort {
            self.0.resize(sort + 1, SpentSums::default());
        }
        for (sum, part) in self.0[sort].iter_mut().zip(spent.0) {
            *sum += u128::from(part.0);
        }
    }

    /// Tells the sums that this machine has kept.
    pub fn tell(&self, plan: &Plan, me: NodeId, each: &mut impl FnMut(SeriesId, u128)) {
        for (sort, sums) in self.0.iter().enumerate() {
            let series = match plan.nodes[me.0 as usize].part {
                Part::Workload(n) => plan.workloads[n as usize].measured.map(|measured| measured.spent),
                Part::Service(_) | Part::Database(_) | Part::Broker(_) | Part::Topics(_) | Part::Replica(_) => {
                    plan.calls[sort].latency.map(|both| both.1)
                }
            };
            for (series, sum) in series.into_iter().flatten().zip(*sums) {
                each(series, sum);
            }
        }
    }
}

/// The clock of a frame.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Clock {
    spent: Spent,
    /// Until when it has counted,
    turned: Time,
    /// and what it counts.
    waiting: Waiting,
}

impl Clock {
    /// A request came in, and waits for a worker first.
    #[inline]
    pub fn new(now: Time) -> Self {
        Self { spent: Spent::default(), turned: now, waiting: Waiting::Worker }
    }

    /// What it has counted.
    #[inline]
    pub fn spent(&self) -> Spent {
        self.spent
    }

    /// The wait is over; the next is for data, unless something else is said.
    #[inline]
    pub fn turn(&mut self, now: Time) {
        self.spent.add(self.waiting, now.since(self.turned));
        (self.turned, self.waiting) = (now, Waiting::Data);
    }

    /// What it counts from now on.
    #[inline]
    pub fn wait_for(&mut self, waiting: Waiting) {
        self.waiting = waiting;
    }

    /// A call is over whose last try began at `tried`; `heard` is what the answer told. Gives the call's own parts.
    #[inline]
    pub fn called(&mut self, now: Time, tried: Time, heard: Option<Spent>) -> Spent {
        let mut call = heard.unwrap_or_default();
        call.add(Waiting::Retries, tried.since(self.turned));
        let last = Span(now.since(tried).0 - call_of(heard).0);
        call.add(if heard.is_some() { Waiting::Network } else { Waiting::Retries }, last);
        self.spent.add_all(&call);
        self.turned = now;
        call
    }
}

fn call_of(heard: Option<Spent>) -> Span {
    heard.map_or(Span::ZERO, |spent| spent.total())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_split_into_failed_tries_the_callees_parts_and_the_way() {
        let callee = {
            let mut clock = Clock::new(Time(250));
            clock.turn(Time(270));
            clock.wait_for(Waiting::Work);
            clock.turn(Time(300));
            clock.spent()
        };
        let mut caller = Clock::new(Time(100));
        caller.turn(Time(110));
        let call = caller.called(Time(330), Time(200), Some(callee));
        assert_eq!(call.parts(), [30, 20, 80, 0, 90].map(Span));
        assert_eq!(caller.spent().parts(), [30, 30, 80, 0, 90].map(Span));
        assert_eq!(caller.spent().total(), Span(230));
        let unheard = caller.called(Time(400), Time(380), None);
        assert_eq!(unheard.parts(), [0, 0, 0, 0, 70].map(Span));
    }
}
