//! The circuit breaker: calls that would probably fail are not made (docs/semantics.md, rule 23).
//!
//! States and rules are those of resilience4j (<https://resilience4j.readme.io/docs/circuitbreaker>):
//! * **Closed**: every call is admitted, every result goes into the window: the last so-many calls, or those that ended in
//!   the last so-much time. After each result, once `min_calls` are in the window (at most as many as a window of calls can
//!   hold), the share of failed calls and the share of slow calls are judged; at the limit *or above* it opens.
//! * **Open**: no call is admitted for `open_for`. The clock alone changes nothing that anybody sees: the breaker becomes half
//!   open at the next [`Breaker::admit`] after that, or when whoever owns it says [`Breaker::tick`]. Both return the transition.
//! * **Half open**: `trials` calls are admitted, no more until all of them have ended. Then their results are judged by the
//!   same limits: open again, or closed with an empty window.
//!
//! A call belongs to the state it was admitted in. What it brings after the state has changed does not count: results of
//! calls begun before the breaker opened are no trials (resilience4j counts them). A call that ends in a business error, or
//! whose end nobody waits for, is [`Ending::Ignored`]: it counts neither way and gives its trial back.

use alloc::collections::VecDeque;

use kernel::{Span, Time};

use super::Share;
use super::window::Sliding;

/// How a breaker judges.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BreakerPlan {
    /// Opens when this share of calls failed.
    pub failure_rate: Share,
    /// Opens when this share of calls was slow, if that matters.
    pub slow: Option<Slow>,
    /// Which calls are looked at.
    pub window: Window,
    /// How many there must be.
    pub min_calls: u32,
    /// How long nothing is let through.
    pub open_for: Span,
    /// How many calls decide whether it closes again; at least 1.
    pub trials: u32,
    /// A deliberate mistake, to show that a check catches it.
    pub mutant: Option<Mutant>,
}

/// When a call is slow, and how many may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slow {
    /// Opens when this share of calls took
    pub rate: Share,
    /// longer than this.
    pub after: Span,
}

/// Which calls are looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Window {
    /// The last so many; at least 1.
    Calls(u32),
    /// Those that ended in the last so-much time, counted in twenty parts of it.
    Time(Span),
}

/// A mistake; all are caught by `a_breaker_does_what_its_rules_say`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mutant {
    /// A window of calls never forgets.
    ForgetsToEvict,
    /// Judged with fewer calls than `min_calls`.
    JudgesTooSoon,
    /// At the limit is not yet above it.
    AboveTheLimitOnly,
    /// Results of calls from before count in half open.
    CountsLateResults,
    /// Everything is admitted in half open.
    AdmitsAllTrials,
    /// Closes with the window of the time before.
    KeepsTheWindow,
    /// Closes when the trials have ended, however they went.
    ClosesAfterAnyTrial,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::ForgetsToEvict,
        Self::JudgesTooSoon,
        Self::AboveTheLimitOnly,
        Self::CountsLateResults,
        Self::AdmitsAllTrials,
        Self::KeepsTheWindow,
        Self::ClosesAfterAnyTrial,
    ];
}

/// What a breaker is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Everything passes.
    Closed,
    /// Some calls pass, to see how it goes.
    HalfOpen,
    /// Nothing passes.
    Open,
}

impl State {
    /// The value of its cell: 0 closed, 1 half open, 2 open.
    pub const fn number(self) -> i64 {
        match self {
            Self::Closed => 0,
            Self::HalfOpen => 1,
            Self::Open => 2,
        }
    }
}

/// A state was left for another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transition {
    /// What it was,
    pub from: State,
    /// and is.
    pub to: State,
}

/// Of a call that was admitted: to be handed back with its result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token {
    /// The how-many-th state it was admitted in.
    period: u32,
    began: Time,
}

/// Whether a call may be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// It may.
    Yes(Token),
    /// It is a failed try, without waiting.
    No,
}

/// How a call went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It was answered.
    Ok,
    /// A system error.
    Failed,
    /// A business error, or given up before it said anything of the callee.
    Ignored,
}

/// One breaker: of one caller node, for one callee (or one node of it).
#[derive(Clone, Debug)]
pub struct Breaker {
    phase: Phase,
    period: u32,
    record: Record,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Closed,
    Open { until: Time },
    HalfOpen { admitted: u32, ended: Tally },
}

/// Calls by how they went.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Tally {
    all: u64,
    failed: u64,
    slow: u64,
}

#[derive(Clone, Debug)]
enum Record {
    Calls { ring: VecDeque<Tally>, sum: Tally },
    Time(Sliding),
}

const ALL: usize = 0;
const FAILED: usize = 1;
const SLOW: usize = 2;

impl Breaker {
    /// Closed, with an empty window.
    pub fn new(plan: &BreakerPlan) -> Self {
        assert!(plan.trials > 0, "without trials a breaker never closes again");
        Self { phase: Phase::Closed, period: 0, record: Record::new(plan.window) }
    }

    /// What it is, as far as anybody has seen.
    pub fn state(&self) -> State {
        match self.phase {
            Phase::Closed => State::Closed,
            Phase::Open { .. } => State::Open,
            Phase::HalfOpen { .. } => State::HalfOpen,
        }
    }

    /// Until when it is open: when to `tick`, for who wants to see it become half open on time.
    pub fn open_until(&self) -> Option<Time> {
        match self.phase {
            Phase::Open { until } => Some(until),
            Phase::Closed | Phase::HalfOpen { .. } => None,
        }
    }

    /// Time has passed: an open breaker whose time is over becomes half open.
    pub fn tick(&mut self, now: Time) -> Option<Transition> {
        match self.phase {
            Phase::Open { until } if now >= until => {
                Some(self.turn(Phase::HalfOpen { admitted: 0, ended: Tally::default() }))
            }
            Phase::Open { .. } | Phase::Closed | Phase::HalfOpen { .. } => None,
        }
    }

    /// A call is to be made.
    pub fn admit(&mut self, plan: &BreakerPlan, now: Time) -> (Admission, Option<Transition>) {
        let transition = self.tick(now);
        let token = Admission::Yes(Token { period: self.period, began: now });
        let admission = match &mut self.phase {
            Phase::Closed => token,
            Phase::Open { .. } => Admission::No,
            Phase::HalfOpen { admitted, .. } => {
                if *admitted < plan.trials || plan.mutant == Some(Mutant::AdmitsAllTrials) {
                    *admitted += 1;
                    token
                } else {
                    Admission::No
                }
            }
        };
        (admission, transition)
    }

    /// An admitted call has ended.
    pub fn result(&mut self, plan: &BreakerPlan, now: Time, token: Token, ending: Ending) -> Option<Transition> {
        if token.period != self.period && plan.mutant != Some(Mutant::CountsLateResults) {
            return None;
        }
        let slow = plan.slow.is_some_and(|slow| now.since(token.began) > slow.after);
        let call = Tally { all: 1, failed: u64::from(ending == Ending::Failed), slow: u64::from(slow) };
        match (&mut self.phase, ending) {
            (Phase::HalfOpen { admitted, .. }, Ending::Ignored) => {
                *admitted = admitted.saturating_sub(1);
                None
            }
            (Phase::Closed | Phase::Open { .. }, Ending::Ignored) | (Phase::Open { .. }, _) => None,
            (Phase::Closed, Ending::Ok | Ending::Failed) => {
                let sum = self.record.add(plan, now, call);
                let most = match plan.window {
                    Window::Calls(n) => n.max(1),
                    Window::Time(_) => u32::MAX,
                };
                let enough = sum.all >= u64::from(plan.min_calls.min(most).max(1));
                if (enough || plan.mutant == Some(Mutant::JudgesTooSoon)) && sum.ill(plan) {
                    return Some(self.turn(Phase::Open { until: now + plan.open_for }));
                }
                None
            }
            (Phase::HalfOpen { ended, .. }, Ending::Ok | Ending::Failed) => {
                ended.add(call);
                if ended.all < u64::from(plan.trials) {
                    return None;
                }
                if ended.ill(plan) && plan.mutant != Some(Mutant::ClosesAfterAnyTrial) {
                    return Some(self.turn(Phase::Open { until: now + plan.open_for }));
                }
                if plan.mutant != Some(Mutant::KeepsTheWindow) {
                    self.record = Record::new(plan.window);
                }
                Some(self.turn(Phase::Closed))
            }
        }
    }

    fn turn(&mut self, phase: Phase) -> Transition {
        let from = self.state();
        self.phase = phase;
        // Tokens of four thousand million states ago are long gone.
        self.period = self.period.wrapping_add(1);
        Transition { from, to: self.state() }
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.all += other.all;
        self.failed += other.failed;
        self.slow += other.slow;
    }

    fn take(&mut self, other: Self) {
        self.all -= other.all;
        self.failed -= other.failed;
        self.slow -= other.slow;
    }

    fn ill(self, plan: &BreakerPlan) -> bool {
        let at = |limit: Share, part| {
            let at = limit.reached(part, self.all);
            let above = !limit.covers(part, self.all);
            if plan.mutant == Some(Mutant::AboveTheLimitOnly) { above } else { at }
        };
        at(plan.failure_rate, self.failed) || plan.slow.is_some_and(|slow| at(slow.rate, self.slow))
    }
}

impl Record {
    fn new(window: Window) -> Self {
        match window {
            Window::Calls(_) => Self::Calls { ring: VecDeque::new(), sum: Tally::default() },
            Window::Time(length) => Self::Time(Sliding::new(length)),
        }
    }

    fn add(&mut self, plan: &BreakerPlan, now: Time, call: Tally) -> Tally {
        match self {
            Self::Calls { ring, sum } => {
                ring.push_back(call);
                sum.add(call);
                let Window::Calls(most) = plan.window else { unreachable!("made for this window") };
                if ring.len() > most.max(1) as usize && plan.mutant != Some(Mutant::ForgetsToEvict) {
                    sum.take(ring.pop_front().expect("longer than one"));
                }
                *sum
            }
            Self::Time(sliding) => {
                for (kind, n) in [(ALL, call.all), (FAILED, call.failed), (SLOW, call.slow)] {
                    if n > 0 {
                        sliding.add(now, kind);
                    }
                }
                let sum = sliding.sum(now);
                Tally { all: sum[ALL], failed: sum[FAILED], slow: sum[SLOW] }
            }
        }
    }
}
