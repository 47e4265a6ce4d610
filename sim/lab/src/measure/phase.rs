//! Which phases an instant belongs to, while the run goes on: named windows, the windows of faults, and what is left.

use kernel::{Span, Time};

use super::wanted::Phase;
use crate::outcome::Times;

/// When something was active: a union of half-open intervals, built in the order of time.
#[derive(Clone, Default, Debug)]
struct Activity {
    /// Disjoint and ascending.
    past: Vec<(Time, Time)>,
    /// How many instances are active now, and since when at least one is.
    active: u32,
    since: Time,
}

impl Activity {
    fn begin(&mut self, now: Time) {
        if self.active == 0 {
            self.since = now;
        }
        self.active += 1;
    }

    fn end(&mut self, now: Time) {
        assert!(self.active > 0, "only what began can end");
        self.active -= 1;
        if self.active > 0 {
            return;
        }
        match self.past.last_mut() {
            Some(last) if last.1 >= self.since => last.1 = now,
            Some(_) | None => self.past.push((self.since, now)),
        }
    }

    /// Whether `at`, which is not later than now, lies in an interval or less than `after` behind one.
    fn covers(&self, at: Time, after: Span) -> bool {
        if self.active > 0 && at >= self.since {
            return true;
        }
        let begun = self.past.partition_point(|(from, _)| *from <= at);
        begun > 0 && at < self.past[begun - 1].1 + after
    }
}

/// A phase that some term asks for, and whether the present belongs to it.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    pub(super) phase: Phase,
    pub(super) active: bool,
    entered: Time,
    spent: u64,
}

/// The phases of one run.
#[derive(Clone, Debug)]
pub(super) struct Phases {
    times: Times,
    settle: Span,
    faults: Vec<Activity>,
    any_fault: Activity,
    /// The first is `Phase::Measured`.
    pub(super) watched: Vec<Watch>,
    /// Instants, ascending, at which a watched phase may begin or end; faults apart.
    turns: Vec<Time>,
    next_turn: usize,
    /// When `steady` begins again.
    calm_at: Option<Time>,
}

impl Phases {
    pub(super) fn new(times: Times, settle: Span, faults: usize) -> Self {
        let mut new = Self {
            times,
            settle,
            faults: vec![Activity::default(); faults],
            any_fault: Activity::default(),
            watched: Vec::new(),
            turns: vec![Time::ZERO, times.warmup, times.heal, times.duration],
            next_turn: 0,
            calm_at: None,
        };
        new.watch(Phase::Measured);
        new
    }

    /// The number of a phase that will be asked for.
    pub(super) fn watch(&mut self, phase: Phase) -> usize {
        if let Some(found) = self.watched.iter().position(|watch| watch.phase == phase) {
            return found;
        }
        if let Phase::Named(window) = phase {
            self.turns.extend([window.from, window.to]);
        }
        self.turns.sort_unstable();
        self.turns.dedup();
        self.watched.push(Watch { phase, active: false, entered: Time::ZERO, spent: 0 });
        self.watched.len() - 1
    }

    /// Whether what began at `at` (not later than now) is counted in the phase.
    #[inline]
    pub(super) fn counts(&self, phase: Phase, at: Time) -> bool {
        let Times { warmup, heal, duration, .. } = self.times;
        match phase {
            Phase::Measured => at >= warmup,
            Phase::Warmup => at < warmup,
            Phase::Chaos => at >= warmup && at < heal,
            Phase::Recovery => at >= warmup && at >= heal && at < duration,
            Phase::Quiesce => at >= warmup && at >= duration,
            Phase::Named(window) => at >= warmup && window.from <= at && at < window.to,
            Phase::Fault(n) => at >= warmup && self.faults[n as usize].covers(at, Span::ZERO),
            Phase::Steady => at >= warmup && at < duration && !self.any_fault.covers(at, self.settle),
        }
    }

    pub(super) fn fault_began(&mut self, now: Time, fault: u32) {
        self.faults[fault as usize].begin(now);
        self.any_fault.begin(now);
        self.calm_at = None;
    }

    pub(super) fn fault_ended(&mut self, now: Time, fault: u32) {
        self.faults[fault as usize].end(now);
        self.any_fault.end(now);
        if self.any_fault.active == 0 {
            self.calm_at = Some(now + self.settle);
        }
    }

    /// The next instant at which a phase begins or ends by itself.
    pub(super) fn next(&self) -> Time {
        let turn = self.turns.get(self.next_turn).copied().unwrap_or(Time::END);
        turn.min(self.calm_at.unwrap_or(Time::END))
    }

    /// Time has come to `now`: tells which watched phases begin (true) or end (false) here.
    pub(super) fn turn(&mut self, now: Time) -> Vec<(usize, bool)> {
        while self.turns.get(self.next_turn).is_some_and(|turn| *turn <= now) {
            self.next_turn += 1;
        }
        if self.calm_at.is_some_and(|calm| calm <= now) {
            self.calm_at = None;
        }
        let mut turned = Vec::new();
        for n in 0..self.watched.len() {
            let phase = self.watched[n].phase;
            let active = self.counts(phase, now) && (phase != Phase::Measured || now < self.times.duration);
            if active != self.watched[n].active {
                self.set(n, active, now);
                turned.push((n, active));
            }
        }
        turned
    }

    /// Ends every phase, with the run.
    pub(super) fn stop(&mut self, now: Time) -> Vec<usize> {
        let active: Vec<usize> = (0..self.watched.len()).filter(|&n| self.watched[n].active).collect();
        for &n in &active {
            self.set(n, false, now);
        }
        active
    }

    fn set(&mut self, n: usize, active: bool, now: Time) {
        let watch = &mut self.watched[n];
        if active {
            watch.entered = now;
        } else {
            watch.spent += now.since(watch.entered).0;
        }
        watch.active = active;
    }

    /// The phase's length so far in seconds, once it has ended.
    pub(super) fn seconds(&self, n: usize) -> f64 {
        Span(self.watched[n].spent).seconds()
    }
}
