//! One promise over state as an automaton: what it has seen, and what came of it.
//!
//! `Watch` is told of changes of the cells it reads (only of those), of rests, of the heal and of the end; it never looks
//! ahead and needs no clock of its own: a bound that has passed is noticed at the next thing that happens. What came of
//! it, in words, stands in `conclusion`.

use kernel::{Span, Time};
use systems::expression::{Environment, Fault, Value, VariableId};

use super::each::{Each, Turned};
use super::predicate::{Predicate, grouped};
use super::state::State;
use crate::outcome::Tilt;

/// Where the run is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) time: Time,
    pub(super) event: u64,
}

/// The forms, each with what it remembers.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// `always` and, with `wanted` false, `never`.
    Always {
        predicate: Predicate,
        wanted: bool,
    },
    AtRest {
        predicate: Predicate,
        of: Option<Open>,
    },
    Finally {
        predicate: Predicate,
        after: Span,
    },
    Eventually {
        predicate: Predicate,
        within: Option<Span>,
        healed: Option<Time>,
        true_since: Option<Time>,
    },
    Sometimes {
        predicate: Predicate,
        at_least: Option<f64>,
        reached: Option<Moment>,
    },
    /// `blurred`: the values before the next change are not all known.
    Transition {
        predicate: Predicate,
        blurred: bool,
    },
    LeadsTo {
        when: Predicate,
        then: Predicate,
        within: Option<Span>,
        was: bool,
        pending: Option<Pending>,
    },
    /// `leads_to` with `for_each`.
    Each(Each),
}

/// Whose rest `at_rest` is about, with `of`.
#[derive(Clone, Debug)]
pub(super) struct Open {
    /// `sagas.checkout`
    pub(super) subject: String,
    /// How many instances of it are open.
    pub(super) count: VariableId,
    /// How many were, when it was looked at last.
    pub(super) left: i64,
}

impl Open {
    /// How many are open now.
    pub(super) fn now(&self, state: &State) -> i64 {
        match state.variable(self.count) {
            Value::Int(count) => count,
            Value::Null | Value::Bool(_) | Value::Text(_) => 0,
        }
    }
}

/// Triggers that wait for what they lead to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    /// The earliest of them.
    pub(super) since: Moment,
    /// How many.
    pub(super) count: u64,
}

/// The first violation.
#[derive(Clone, Debug)]
pub(super) struct Violation {
    pub(super) at: Moment,
    pub(super) witness: Vec<String>,
    /// Of an equation: which side was greater.
    pub(super) tilt: Tilt,
}

/// A promise.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    pub(super) name: String,
    /// For the report, if the scenario has one.
    pub(super) text: Option<String>,
    pub(super) form: Form,
    /// The run stops at its first violation.
    pub(super) aborts: bool,
    pub(super) evaluations: u64,
    pub(super) violation: Option<Violation>,
    /// Evaluations that came out wrong.
    pub(super) broken: u64,
    /// The last rest.
    rested: Option<Time>,
    /// The first evaluation that had no result.
    pub(super) fault: Option<(Moment, Fault)>,
    /// For `leads_to`, if anybody asked: since when, and how long it took.
    pub(super) times: Option<Vec<(Time, Span)>>,
}

/// How the run ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending<'a> {
    pub(super) at: Moment,
    /// When load ended, if it did.
    pub(super) load_ended: Option<Time>,
    /// Nothing was in flight; else what was.
    pub(super) rest: Result<(), &'a str>,
}

impl Watch {
    pub(super) fn new(name: String, text: Option<String>, form: Form, aborts: bool) -> Self {
        Self {
            name,
            text,
            form,
            aborts,
            evaluations: 0,
            violation: None,
            broken: 0,
            rested: None,
            fault: None,
            times: None,
        }
    }

    /// A violation has been seen.
    pub(super) const fn violated(&self) -> bool {
        self.violation.is_some()
    }

    fn evaluate(&mut self, result: Result<bool, Fault>, at: Moment) -> Option<bool> {
        self.evaluations += 1;
        match result {
            Ok(holds) => Some(holds),
            Err(fault) => {
                self.fault.get_or_insert((at, fault));
                None
            }
        }
    }

    fn violate(&mut self, at: Moment, witness: Vec<String>) {
        self.broken += 1;
        if self.violation.is_none() {
            self.violation = Some(Violation { at, witness, tilt: Tilt::Neither });
        }
    }

    /// The same, of a state that may show which side of an equation is greater.
    fn violate_in(&mut self, at: Moment, witness: Vec<String>, state: &State) {
        let first = self.violation.is_none();
        self.violate(at, witness);
        if first {
            let tilt = self.tilt(state);
            self.violation.iter_mut().for_each(|violation| violation.tilt = tilt);
        }
    }

    /// Time 0: what is true already counts for `sometimes` and triggers `leads_to`.
    pub(super) fn begin(&mut self, state: &State) {
        let at = Moment { time: Time::ZERO, event: 0 };
        if let Form::Each(each) = &self.form {
            for key in each.keys(state) {
                self.row_changed(at, key, state);
            }
        }
        match &mut self.form {
            Form::AtRest { of: Some(open), .. } => open.left = open.now(state),
            Form::Sometimes { predicate, reached, .. } => {
                if predicate.holds(state) == Ok(true) {
                    *reached = Some(at);
                }
            }
            Form::LeadsTo { when, then, was, pending, .. } => {
                *was = when.holds(state) == Ok(true);
                if *was {
                    self.evaluations += 1;
                    if then.holds(state) != Ok(true) {
                        *pending = Some(Pending { since: at, count: 1 });
                    }
                }
            }
            Form::Always { .. }
            | Form::AtRest { of: None, .. }
            | Form::Finally { .. }
            | Form::Eventually { .. }
            | Form::Transition { .. }
            | Form::Each(_) => {}
        }
    }

    /// A promise that must hold from the start and does not: what the initial state gives.
    pub(super) fn broken_at_start(&self, state: &State) -> Option<(&str, bool, String)> {
        let (predicate, wanted) = match &self.form {
            Form::Always { predicate, wanted } => (predicate, *wanted),
            Form::AtRest { predicate, .. } => (predicate, true),
            Form::Finally { .. }
            | Form::Eventually { .. }
            | Form::Sometimes { .. }
            | Form::Transition { .. }
            | Form::LeadsTo { .. }
            | Form::Each(_) => return None,
        };
        (predicate.holds(state) != Ok(wanted)).then(|| (predicate.text.as_str(), wanted, predicate.values(state)))
    }

    /// A cell that an `always` reads has changed, and it holds as before. Otherwise nothing has happened.
    #[inline]
    pub(super) fn still_holds(&mut self, state: &State) -> bool {
        let Form::Always { predicate, wanted } = &self.form else { return false };
        let holds = predicate.holds(state) == Ok(*wanted);
        self.evaluations += u64::from(holds);
        holds
    }

    /// A cell it reads has changed.
    #[inline]
    pub(super) fn changed(&mut self, at: Moment, state: &mut State) {
        match &mut self.form {
            Form::Always { predicate, wanted } => {
                let wanted = *wanted;
                let result = predicate.holds(state);
                if result == Ok(wanted) {
                    self.evaluations += 1;
                    return;
                }
                let witness = if self.violation.is_none() { predicate.explain(wanted, state) } else { Vec::new() };
                if self.evaluate(result, at).is_some() {
                    self.violate_in(at, witness, state);
                }
            }
            Form::AtRest { of: Some(open), .. } => {
                let now = open.now(state);
                if std::mem::replace(&mut open.left, now) != 0 && now == 0 {
                    self.rest(at, state);
                }
            }
            Form::AtRest { of: None, .. } | Form::Finally { .. } | Form::Each(_) => {}
            Form::Eventually { healed, .. } => {
                if healed.is_some() {
                    self.look(at, state);
                }
            }
            Form::Sometimes { predicate, reached, .. } => {
                if reached.is_none() {
                    let result = predicate.holds(state);
                    if result == Ok(true) {
                        *reached = Some(at);
                    }
                    self.evaluate(result, at);
                }
            }
            Form::Transition { .. } => self.step(at, state),
            Form::LeadsTo { .. } => self.trigger(at, state),
        }
    }

    /// `transition`: judges before and after, then makes after the new before.
    fn step(&mut self, at: Moment, state: &mut State) {
        let Form::Transition { predicate, blurred } = &mut self.form else { return };
        let result = predicate.holds(state);
        let was_blurred = std::mem::replace(blurred, result.is_err());
        let first = result == Ok(false) && self.violation.is_none();
        let witness = if first { predicate.explain(true, state) } else { Vec::new() };
        predicate.remember(state);
        if was_blurred {
            self.evaluations += 1;
        } else if self.evaluate(result, at) == Some(false) {
            self.violate(at, witness);
        }
    }

    /// `leads_to`: new triggers, and whether what they lead to is here.
    fn trigger(&mut self, at: Moment, state: &State) {
        let Form::LeadsTo { when, then, was, pending, .. } = &mut self.form else { return };
        let (now, followed) = (when.holds(state), then.holds(state));
        let rises = now == Ok(true) && !*was;
        *was = now == Ok(true);
        if followed == Ok(true) {
            if let Some(since) = pending.take().map(|p| p.since.time).or(rises.then_some(at.time))
                && let Some(times) = &mut self.times
            {
                times.push((since, at.time.since(since)));
            }
        } else if rises {
            pending.get_or_insert(Pending { since: at, count: 0 }).count += 1;
        }
        self.evaluations += u64::from(rises);
        if let Some(fault) = now.err().or(followed.err()) {
            self.fault.get_or_insert((at, fault));
        }
    }

    /// `leads_to` for each row: something changed that the row of this key reads.
    pub(super) fn row_changed(&mut self, at: Moment, key: u64, state: &State) {
        let Form::Each(each) = &mut self.form else { return };
        let Turned { triggered, led, fault } = each.look(key, at, state);
        self.evaluations += u64::from(triggered);
        if let (Some(since), Some(times)) = (led, &mut self.times) {
            times.push((since, at.time.since(since)));
        }
        if let Some(fault) = fault {
            self.fault.get_or_insert((at, fault));
        }
    }

    /// `eventually_after_heal`, after the heal: whether it is true now.
    fn look(&mut self, at: Moment, state: &State) {
        let Form::Eventually { predicate, within, healed, true_since } = &mut self.form else { return };
        let result = predicate.holds(state);
        let late = within.zip(*healed).is_some_and(|(within, healed)| at.time > healed + within);
        match result {
            Ok(true) => {
                true_since.get_or_insert(at.time);
            }
            Ok(false) | Err(_) => *true_since = None,
        }
        let witness = if late && result == Ok(false) { predicate.explain(true, state) } else { Vec::new() };
        if self.evaluate(result, at) == Some(false) && late {
            self.violate(at, witness);
        }
    }

    /// All faults are revoked.
    pub(super) fn heal(&mut self, at: Moment, state: &State) {
        if let Form::Eventually { healed, .. } = &mut self.form {
            *healed = Some(at.time);
            self.look(at, state);
        }
    }

    /// Nothing is in flight.
    pub(super) fn rest(&mut self, at: Moment, state: &State) {
        let Form::AtRest { predicate, .. } = &self.form else { return };
        self.rested = Some(at.time);
        let result = predicate.holds(state);
        let witness = if result == Ok(false) && !self.violated() { predicate.explain(true, state) } else { Vec::new() };
        if self.evaluate(result, at) == Some(false) {
            self.violate_in(at, witness, state);
        }
    }

    /// The end, at rest: judged unless the last rest was this very moment.
    pub(super) fn last_rest(&mut self, at: Moment, state: &State) {
        if self.rested != Some(at.time) {
            self.rest(at, state);
        }
    }

    /// When a bound of this promise passes, if nothing happens before.
    pub(super) fn deadline(&self) -> Time {
        let bound = match &self.form {
            Form::Eventually { within: Some(within), healed: Some(healed), true_since: None, .. } => *healed + *within,
            Form::LeadsTo { within: Some(within), pending: Some(pending), .. } => pending.since.time + *within,
            // The rows that come too late are counted.
            Form::Each(each) => return each.deadline(),
            Form::Always { .. }
            | Form::AtRest { .. }
            | Form::Finally { .. }
            | Form::Eventually { .. }
            | Form::Sometimes { .. }
            | Form::Transition { .. }
            | Form::LeadsTo { .. } => Time::END,
        };
        if self.violated() { Time::END } else { bound }
    }

    /// The bound has passed.
    pub(super) fn expire(&mut self, event: u64, state: &State) {
        if let Form::Each(each) = &mut self.form {
            if let Some((time, witness)) = each.expire(state) {
                self.violate(Moment { time, event }, witness);
            }
            return;
        }
        let at = Moment { time: self.deadline(), event };
        let witness = match &mut self.form {
            Form::Eventually { predicate, .. } => predicate.explain(true, state),
            Form::LeadsTo { then, pending: Some(pending), .. } => {
                let mut witness = vec![format!("{}, and did not lead to {}", pending.told(), then.text)];
                witness.extend(then.explain(true, state));
                witness
            }
            Form::Always { .. }
            | Form::AtRest { .. }
            | Form::Finally { .. }
            | Form::Sometimes { .. }
            | Form::Transition { .. }
            | Form::LeadsTo { .. }
            | Form::Each(_) => return,
        };
        self.violate(at, witness);
    }

    /// The run is over.
    pub(super) fn finish(&mut self, ending: Ending<'_>, state: &State) {
        let at = ending.at;
        match &self.form {
            Form::Finally { predicate, after } => {
                let soon = ending.load_ended.is_none_or(|ended| at.time < ended + *after);
                if ending.rest.is_ok() && !soon {
                    let result = predicate.holds(state);
                    let witness = predicate.explain(true, state);
                    if self.evaluate(result, at) == Some(false) {
                        self.violate(at, witness);
                    }
                }
            }
            // Nothing is in flight that could still bring what is missing.
            Form::Eventually { predicate, within: None, healed: Some(_), true_since: None } if ending.rest.is_ok() => {
                let witness = predicate.explain(true, state);
                self.violate(at, witness);
            }
            Form::LeadsTo { then, within: None, pending: Some(pending), .. } if ending.rest.is_ok() => {
                let witness = vec![format!("{}, and never led to {}", pending.told(), then.text)];
                self.violate(at, witness);
            }
            // Nothing of it was open when the run was cut short.
            Form::AtRest { of: Some(open), .. } if ending.rest.is_err() && open.left == 0 => {
                self.last_rest(at, state);
            }
            Form::Each(each) if ending.rest.is_ok() => {
                if let Some((count, witness)) = each.forsaken(state) {
                    self.violate(at, witness);
                    self.broken += count - 1;
                }
            }
            Form::Sometimes { predicate, at_least: Some(share), reached: None } if *share >= 1.0 => {
                let witness = vec![format!("{} was never true", predicate.text)];
                self.violate(at, witness);
            }
            Form::Always { .. }
            | Form::AtRest { .. }
            | Form::Eventually { .. }
            | Form::Sometimes { .. }
            | Form::Transition { .. }
            | Form::LeadsTo { .. }
            | Form::Each(_) => {}
        }
    }
}

impl Pending {
    /// For a person: when, and how often.
    pub(super) fn told(&self) -> String {
        let Moment { time, event } = self.since;
        let others = match self.count {
            1 => String::new(),
            2 => " (and once more)".to_owned(),
            n => format!(" (and {} times more)", n - 1),
        };
        format!("turned true at {time}, event {}{others}", grouped(i128::from(event)))
    }
}
