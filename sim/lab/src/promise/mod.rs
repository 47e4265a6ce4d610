//! Promises: invariants judged while a run goes on, and what their outcome means against `[expect]`.
//!
//! `Promises::compile` turns the invariants of a model into automata over a mirror of the state they name. The run tells
//! it of every change, rest, fact and phase; a change of cells that no promise names costs at most a look, any other one the
//! update of its aggregates and one evaluation of each promise that reads it. Promises know only cells, facts, times.
//! Read `watch` (the forms) and `state` (the mirror); `expect` is the verdict.

mod aggregate;
mod conclusion;
pub(crate) mod culprits;
mod each;
mod expect;
mod forms;
mod judge;
mod judges;
mod own;
mod predicate;
mod reading;
mod row_scope;
mod scope;
mod state;
pub mod stores;
mod subject;
mod sweep;
mod table;
mod tally;
mod watch;
mod witness;

use std::collections::BTreeMap;

use kernel::{Delta, Fact, Span, Time};

use crate::code::Code;
use crate::expression::Problem;
use crate::model::{self, At, Invariant, Model};
use crate::names::Names;
use crate::nearest::nearest;
use crate::outcome::InvariantResult;
use each::Each;
pub use expect::{NameSet, SeedFindings, judge, mark_expected};
use forms::{compile_form, predicate_place};
use judge::JudgeWatch;
pub use judges::{About, Modifier, about};
pub use own::Kept;
use own::Owned;
use state::{Reader, State};
use stores::{Seen, StoreCheck};
pub use sweep::{SweepVerdict, judge_sweep};
use watch::{Ending, Form, Moment, Watch};

/// The invariants of a scenario during one run. Compiled once; each run takes a clone.
#[derive(Clone, Debug)]
pub struct Promises {
    state: State,
    watches: Vec<Watch>,
    judges: Vec<JudgeWatch>,
    /// Those about stores that look at the whole run when it has ended.
    checks: Vec<StoreCheck>,
    /// By store, what was seen of it; only of those that are checked.
    seen: BTreeMap<u32, Seen>,
    /// In the order of the file: watch or judge.
    order: Vec<Slot>,
    /// Watches that read what changed, in order of their first mention; empty between calls.
    touched: Vec<u32>,
    /// By watch: it stands in `touched`.
    marked: Vec<bool>,
    /// Watches whose times were asked for.
    timed: Vec<usize>,
    /// No bound passes before this.
    deadline: Time,
    load_ended: Option<Time>,
    last_event: u64,
    stop: bool,
    evaluations: u64,
    /// Those that are written in Rust, if any are.
    own: Option<Box<Owned>>,
}

/// Where a promise stands.
#[derive(Clone, Copy, Debug)]
enum Slot {
    Watch(usize),
    Judge(usize),
    Check(usize),
}

impl Promises {
    /// Compiles the invariants of `model` over the cells and protocols of `names`. Finds all mistakes at once, and says
    /// which promises the initial state already breaks.
    pub fn compile(model: &Model, names: &Names) -> Result<Self, Vec<Problem>> {
        let mut new = Self {
            state: State::new(names),
            watches: Vec::new(),
            judges: Vec::new(),
            checks: Vec::new(),
            seen: BTreeMap::new(),
            order: Vec::new(),
            touched: Vec::new(),
            marked: Vec::new(),
            timed: Vec::new(),
            deadline: Time::END,
            load_ended: None,
            last_event: 0,
            stop: false,
            evaluations: 0,
            own: None,
        };
        let mut problems = unknown_names(model);
        for (name, invariant) in &model.invariants {
            let aborts = model.run.abort_on_fail.iter().any(|n| n.value == name.value);
            if let Err(more) = new.add(name, invariant, aborts, (model, names)) {
                problems.extend(more);
            }
        }
        for watch in &mut new.watches {
            watch.begin(&new.state);
        }
        new.deadline = new.next_deadline();
        new.marked = vec![false; new.watches.len()];
        let Self { state, watches, .. } = &mut new;
        state.find_plain(|watch| matches!(watches[watch as usize].form, Form::Always { .. }));
        problems.extend(new.initial_check(model, names));
        if problems.is_empty() { Ok(new) } else { Err(problems) }
    }

    fn add(
        &mut self,
        name: &At<String>,
        invariant: &Invariant,
        aborts: bool,
        (model, names): (&Model, &Names),
    ) -> Result<(), Vec<Problem>> {
        if let model::Form::Check(check) = &invariant.form {
            let text = invariant.text.as_deref();
            if about(&check.judge.value) == Some(About::Store) && check.judge.value != "one_leader_per_term" {
                let check = StoreCheck::new(&name.value, text, check, (model, names))?;
                self.order.push(Slot::Check(self.checks.len()));
                self.checks.push(check);
                return Ok(());
            }
            let watch = JudgeWatch::new(&name.value, text, check, aborts, names)?;
            self.order.push(Slot::Judge(self.judges.len()));
            self.judges.push(watch);
            return Ok(());
        }
        let watch = self.watches.len();
        let form = if let model::Form::LeadsTo { when, then, within, for_each: Some(item) } = &invariant.form {
            let (each, cells) = Each::compile((when, then, *within), item, names, &mut self.state)?;
            for cell in cells {
                self.state.depend_each(cell, watch as u32);
            }
            Form::Each(each)
        } else {
            let (form, reads) = compile_form(&invariant.form, names, &mut self.state)?;
            for (cell, key) in reads {
                self.state.depend(cell, Reader { key, watch: watch as u32 });
            }
            form
        };
        self.order.push(Slot::Watch(watch));
        self.watches.push(Watch::new(name.value.clone(), invariant.text.clone(), form, aborts));
        Ok(())
    }

    /// The `always`, `never` and `at_rest` promises that the initial state already breaks: errors before the run.
    fn initial_check(&self, model: &Model, names: &Names) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (watch_number, watch) in self.watches.iter().enumerate() {
            let Some((text, wanted, gives)) = watch.broken_at_start(&self.state) else { continue };
            let invariant = model.invariants.iter().find(|(name, _)| name.value == watch.name);
            let place = invariant.map_or_else(Default::default, |(_, invariant)| predicate_place(&invariant.form));
            problems.push(Problem {
                place,
                message: format!("`{}` is broken before the run begins", watch.name),
                label: format!("the initial state gives {gives}"),
                help: Some(format!("`{text}` must be {wanted} at the start")),
                others: Vec::new(),
                about: self.state.read_by(watch_number as u32).map(|cell| names.place_of(cell)).collect(),
            });
        }
        problems
    }

    /// Adds the promises that are written in Rust, which see all of the state.
    pub fn add_code(&mut self, code: &Code, names: &Names) {
        self.own = Owned::new(code, names).map(Box::new);
    }

    /// Whether some promise names this cell and must know of its changes.
    pub fn names(&self, cell: usize) -> bool {
        self.state.names(cell) || self.own.as_ref().is_some_and(|own| own.mirrors())
    }

    /// A bound has passed.
    #[inline]
    pub fn is_due(&self, now: Time) -> bool {
        now > self.deadline
    }

    /// Committed state changed, all of `change` at once, of which some promise `hears`, or none does. Gives whether that was
    /// worth a look: one hears, or a bound has passed.
    #[inline]
    pub fn change(&mut self, now: Time, event: u64, hears: bool, change: &[Delta]) -> bool {
        if !hears && !self.is_due(now) {
            self.last_event = event;
            return false;
        }
        if let [delta] = change
            && self.own.is_none()
            && !self.is_due(now)
            && self.take_in_plainly(now, event, delta)
        {
            return false;
        }
        self.take_in(now, event, change);
        true
    }

    /// One row of a counter has changed, and whoever reads it looks whether something holds. False, and then nothing has
    /// happened, if there may be more to it.
    #[inline]
    fn take_in_plainly(&mut self, now: Time, event: u64, delta: &Delta) -> bool {
        let Some(readers) = self.state.apply_plainly(delta) else { return false };
        self.last_event = event;
        for n in 0..readers {
            let reader = self.state.reader(delta.cell, n);
            if reader.key.is_some_and(|key| key != delta.key) {
                continue;
            }
            self.evaluations += 1;
            let watch = &mut self.watches[reader.watch as usize];
            if !watch.still_holds(&self.state) {
                watch.changed(Moment { time: now, event }, &mut self.state);
                self.stop |= watch.aborts && watch.violated();
            }
        }
        true
    }

    #[inline(never)]
    fn take_in(&mut self, now: Time, event: u64, change: &[Delta]) {
        let at = self.moment(now, event);
        let Self { state, touched, marked, .. } = self;
        for delta in change {
            state.apply(delta, |watch| {
                if !std::mem::replace(&mut marked[watch as usize], true) {
                    touched.push(watch);
                }
            });
        }
        self.state.settle();
        if !self.state.moved.is_empty() {
            self.judge_moved(at);
        }
        if !self.touched.is_empty() {
            self.judge_touched(at);
        }
        if let Some(own) = &mut self.own {
            own.changed(at, change);
        }
        self.state.sweep();
    }

    /// The promises about each row look at those in which something changed, each once.
    fn judge_moved(&mut self, at: Moment) {
        let mut moved = std::mem::take(&mut self.state.moved);
        moved.sort_unstable();
        moved.dedup();
        self.evaluations += moved.len() as u64;
        for (number, key) in moved.drain(..) {
            let watch = &mut self.watches[number as usize];
            watch.row_changed(at, key, &self.state);
            self.deadline = self.deadline.min(watch.deadline());
        }
        self.state.moved = moved;
    }

    fn judge_touched(&mut self, at: Moment) {
        for n in 0..self.touched.len() {
            let number = self.touched[n] as usize;
            self.marked[number] = false;
            let watch = &mut self.watches[number];
            watch.changed(at, &mut self.state);
            self.deadline = self.deadline.min(watch.deadline());
            self.stop |= watch.aborts && watch.violated();
        }
        self.evaluations += self.touched.len() as u64;
        self.touched.clear();
    }

    /// Nothing is in flight.
    pub fn rest(&mut self, now: Time, event: u64) {
        let at = self.moment(now, event);
        for watch in &mut self.watches {
            watch.rest(at, &self.state);
            self.stop |= watch.aborts && watch.violated();
        }
        if let Some(own) = &mut self.own {
            own.rest(at);
        }
    }

    /// The host handles this event now: what is told without an event's number belongs to it.
    #[inline]
    pub const fn event(&mut self, event: u64) {
        self.last_event = event;
    }

    /// A protocol states a fact.
    #[inline]
    pub fn fact(&mut self, fact: &Fact) {
        for judge in &mut self.judges {
            self.stop |= judge.fact(fact, self.last_event);
        }
    }

    /// All faults are revoked.
    pub fn heal(&mut self, now: Time) {
        let at = self.moment(now, self.last_event);
        for watch in &mut self.watches {
            watch.heal(at, &self.state);
            self.deadline = self.deadline.min(watch.deadline());
            self.stop |= watch.aborts && watch.violated();
        }
    }

    /// No more load arrives.
    pub fn load_ended(&mut self, now: Time) {
        self.load_ended = Some(now);
    }

    /// How long after the end of load the run must go on, at rest or not, for every `finally` to be judged.
    pub fn not_before(&self) -> Span {
        let after = self.watches.iter().map(|w| match &w.form {
            Form::Finally { after, .. } => *after,
            Form::Always { .. }
            | Form::AtRest { .. }
            | Form::Eventually { .. }
            | Form::Sometimes { .. }
            | Form::Transition { .. }
            | Form::LeadsTo { .. }
            | Form::Each(_) => Span::ZERO,
        });
        after.max().unwrap_or(Span::ZERO)
    }

    /// The stores of which somebody must tell what their clients saw.
    pub fn checked(&self, store: u32) -> bool {
        self.checks.iter().any(|check| check.store == store)
    }

    /// Something is judged by what copies hold in the end, and they may still have to tell each other.
    pub fn waits_for_copies(&self) -> bool {
        self.checks.iter().any(StoreCheck::waits)
    }

    /// What was seen of a store in the whole run.
    pub fn saw(&mut self, store: u32, seen: Seen) {
        self.seen.insert(store, seen);
    }

    /// Asks for the times of this `leads_to`; returns its number in `take_times`, if there is one of this name.
    pub fn keep_times(&mut self, invariant: &str) -> Option<u32> {
        let number = self.watches.iter().position(|watch| watch.name == invariant)?;
        let watch = &mut self.watches[number];
        if !matches!(watch.form, Form::LeadsTo { .. } | Form::Each(_)) {
            return None;
        }
        watch.times.get_or_insert_default();
        if !self.timed.contains(&number) {
            self.timed.push(number);
        }
        Some(number as u32)
    }

    /// Hands over the times that were asked for, and are new: number, since when, how long until what it leads to came.
    pub fn take_times(&mut self, mut take: impl FnMut(u32, Time, Span)) {
        for &number in &self.timed {
            for (since, time) in self.watches[number].times.iter_mut().flat_map(|times| times.drain(..)) {
                take(number as u32, since, time);
            }
        }
    }

    /// When the next bound passes that somebody waits for; the end of time if nobody does.
    pub const fn next_bound(&self) -> Time {
        self.deadline
    }

    /// A promise of `abort_on_fail` is broken: the run stops.
    #[inline]
    pub const fn stop(&self) -> bool {
        self.stop
    }

    /// Evaluations of promises after changes, for statistics.
    pub const fn evaluations(&self) -> u64 {
        self.evaluations
    }

    /// How often a row was judged for an aggregate, for statistics: it grows with changes, not with rows.
    pub const fn rows_judged(&self) -> u64 {
        self.state.judged()
    }

    /// What clients did in the whole run, for those who judge it.
    pub fn operations(&mut self, now: Time, history: Kept<'_>) {
        let at = self.moment(now, self.last_event);
        if let Some(own) = &mut self.own {
            own.operations(at, history);
        }
    }

    /// The run is over: `at_rest`, or not, and then what was in flight (`3 transactions, 1 message`). If it is at rest
    /// and the last rest was not told, it is one.
    pub fn finish(&mut self, now: Time, at_rest: bool, in_flight: &str) -> Vec<InvariantResult> {
        let at = self.moment(now, self.last_event);
        self.expire(at, Span::ZERO);
        let rest = if at_rest { Ok(()) } else { Err(in_flight) };
        let ending = Ending { at, load_ended: self.load_ended, rest };
        for watch in &mut self.watches {
            if at_rest {
                watch.last_rest(at, &self.state);
            }
            watch.finish(ending, &self.state);
        }
        let Self { watches, judges, checks, seen, .. } = &*self;
        let result = |slot: &Slot| match *slot {
            Slot::Watch(n) => watches[n].result(ending),
            Slot::Judge(n) => judges[n].finish(ending),
            Slot::Check(n) => checks[n].finish(ending, seen.get(&checks[n].store)),
        };
        let mut results: Vec<InvariantResult> = self.order.iter().map(result).collect();
        if let Some(own) = &mut self.own {
            results.extend(own.finish(at, rest));
        }
        results
    }

    /// Where the run is; bounds that have passed by now are noticed.
    #[inline]
    fn moment(&mut self, now: Time, event: u64) -> Moment {
        self.last_event = event;
        let at = Moment { time: now, event };
        if now > self.deadline {
            self.expire(at, Span(1));
        }
        at
    }

    /// Breaks the promises whose bound passed at least `margin` ago.
    #[cold]
    fn expire(&mut self, at: Moment, margin: Span) {
        for watch in &mut self.watches {
            while watch.deadline() < Time::END && watch.deadline() + margin <= at.time {
                watch.expire(at.event, &self.state);
                self.stop |= watch.aborts && watch.violated();
            }
        }
        self.deadline = self.next_deadline();
    }

    fn next_deadline(&self) -> Time {
        self.watches.iter().map(Watch::deadline).min().unwrap_or(Time::END)
    }
}

/// Names of `abort_on_fail` that are no invariants.
fn unknown_names(model: &Model) -> Vec<Problem> {
    let names = || model.invariants.iter().map(|(name, _)| name.value.as_str());
    let unknown = model.run.abort_on_fail.iter().filter(|n| names().all(|name| name != n.value));
    let problem = |name: &At<String>| Problem {
        place: name.place,
        message: format!("no invariant is called `{}`", name.value),
        label: String::new(),
        help: nearest(&name.value, names()).map(|near| format!("`{near}`?")),
        others: Vec::new(),
        about: vec![format!("invariants.{}", name.value)],
    };
    unknown.map(problem).collect()
}

#[cfg(test)]
mod tests;
