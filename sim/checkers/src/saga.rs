//! Sagas (Garcia-Molina and Salem, *Sagas*, SIGMOD 1987): that they end, that they are all or nothing, and that they go
//! their way in order. Three promises with one eye; a [`Demand`] says which of them is judged.
//!
//! * **Ends** (`saga_ends`): what was begun ends within a bound of its beginning (`bound`), and nobody gives up half way
//!   (`stuck`). When a run ends, what is open and still within its bound is unknown, unless the run is at rest: then
//!   nobody is left who could end it.
//! * **Atomic** (`saga_atomic`): who ends complete has done all of its steps (`all`); who ends undone, or is stuck, has
//!   compensated every step with an intent whose outcome is not *known failed without effect* (`nothing`); and nobody
//!   ends both ways (`both`).
//! * **Order** (`saga_order`): an action begins when the one before it is done, and never after its own compensation
//!   (`forward`); a compensation begins only after a failure (`cause`), when what came after its step is undone
//!   (`backward`), and never behind the pivot (`pivot`); nothing begins after the end (`end`).
//!
//! **Memory.** Steps and facts are kept for open instances only; of a closed one remains how it ended, about 20 bytes, so
//! that what comes late is still caught. Facts that are stated again after a crash are no offence.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use kernel::{Fact, FactKind, SagaFact, Span, Time};

use crate::story::Story;
use crate::verdict::{Phrase, Verdict, Witness};
use kernel::hashing::Map;

/// What is demanded of sagas.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Demand {
    /// Each ends within this of its beginning.
    Ends(Span),
    /// All is done, or what may have had an effect is undone.
    Atomic,
    /// Forward in order, then backward in order.
    Order,
}

/// The judge of one saga of the scenario.
#[derive(Clone, Debug)]
pub struct Sagas {
    protocol: u32,
    demand: Demand,
    open: BTreeMap<u64, Instance>,
    /// Whether they ended complete.
    closed: Map<u64, bool>,
    /// When the bounds of open instances pass, if there is a bound.
    bounds: BTreeSet<(Time, u64)>,
    begun: u64,
    found: Found,
}

/// The violations.
#[derive(Clone, Default, Debug)]
struct Found {
    first: Option<Witness>,
    violations: u64,
}

impl Found {
    fn condemn(&mut self, rule: &'static str, id: u64, story: &Story, sentence: Vec<Phrase>) {
        self.violations += 1;
        self.first.get_or_insert_with(|| story.witness(rule, id, sentence));
    }
}

#[derive(Clone, Default, Debug)]
struct Instance {
    begun: Option<Fact>,
    steps: Vec<Step>,
    /// Some action failed.
    failed: bool,
    pivot: Option<Fact>,
    /// Condemned already: one violation per instance is enough.
    condemned: bool,
    story: Story,
}

#[derive(Clone, Copy, Default, Debug)]
struct Step {
    action: Action,
    undoing: Undoing,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Action {
    #[default]
    NotBegun,
    UnderWay,
    Done,
    /// Perhaps with an effect, now or later.
    Failed,
    /// Known to have had no effect.
    WithoutEffect,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Undoing {
    #[default]
    NotBegun,
    UnderWay,
    Done,
}

/// A broken rule, and how it was broken.
type Breach = (&'static str, Vec<Phrase>);

impl Sagas {
    /// A judge of facts that bear this protocol's number.
    pub fn new(protocol: u32, demand: Demand) -> Self {
        Self {
            protocol,
            demand,
            open: BTreeMap::new(),
            closed: Map::default(),
            bounds: BTreeSet::new(),
            begun: 0,
            found: Found { first: None, violations: 0 },
        }
    }

    /// Takes in the next fact. One about another protocol only tells the time.
    pub fn see(&mut self, fact: &Fact) {
        self.pass(fact.time);
        if let FactKind::Saga(said) = fact.kind
            && fact.protocol == self.protocol
        {
            self.hear(fact, said);
        }
    }

    /// The first violation so far.
    pub const fn violation(&self) -> Option<&Witness> {
        self.found.first.as_ref()
    }

    /// How many instances began.
    pub const fn begun(&self) -> u64 {
        self.begun
    }

    /// How many instances were condemned.
    pub const fn violations(&self) -> u64 {
        self.found.violations
    }

    /// The run is over.
    pub fn finish(mut self, at_rest: bool, now: Time) -> Verdict {
        // A bound that passes in this very instant has passed.
        self.pass(now + Span(1));
        let open = core::mem::take(&mut self.open);
        let waiting: Vec<_> = open.iter().filter(|(_, saga)| saga.begun.is_some() && !saga.condemned).collect();
        let owes = !matches!(self.demand, Demand::Order);
        if at_rest {
            for &(id, saga) in &waiting {
                let breach = match self.demand {
                    Demand::Ends(_) => Some(("bound", saga.since(" and never ended, though nothing is in flight"))),
                    Demand::Atomic => saga.left_half("is left as it is"),
                    Demand::Order => None,
                };
                if let Some((rule, sentence)) = breach {
                    self.found.condemn(rule, *id, &saga.story, sentence);
                }
            }
        } else if let (Some((id, _)), true, None) = (waiting.first(), owes, &self.found.first) {
            return Verdict::Unknown(format!("{} open when the run ended, the first is {id}", waiting.len()));
        }
        match self.found.first {
            Some(witness) => Verdict::Violated(witness),
            None => Verdict::Holds { judged: self.begun },
        }
    }

    /// Condemns whose bound lies before `now`.
    fn pass(&mut self, now: Time) {
        let Demand::Ends(within) = self.demand else { return };
        while let Some(&(bound, id)) = self.bounds.first()
            && bound < now
        {
            self.bounds.pop_first();
            let Some(saga) = self.open.get_mut(&id).filter(|saga| !saga.condemned) else { continue };
            saga.condemned = true;
            let mut sentence = saga.since(" and had not ended ");
            sentence.extend([Phrase::Span(within), Phrase::Text(" later")]);
            self.found.condemn("bound", id, &saga.story, sentence);
        }
    }

    fn hear(&mut self, fact: &Fact, said: SagaFact) {
        let id = fact.instance;
        if let Some(&completed) = self.closed.get(&id) {
            if let Some((rule, sentence)) = self.demand.late(fact, said, completed) {
                self.found.condemn(rule, id, &Story::of(fact), sentence);
            }
            return;
        }
        if let SagaFact::Touched { .. } = said {
            return;
        }
        let saga = self.open.entry(id).or_default();
        saga.story.keep(fact);
        if let (SagaFact::Begun { .. }, None) = (said, saga.begun) {
            self.begun += 1;
            if let Demand::Ends(within) = self.demand {
                self.bounds.insert((fact.time + within, id));
            }
        }
        // What it breaks, it breaks as it was before.
        if !saga.condemned
            && let Some((rule, sentence)) = self.demand.broken(saga, fact, said)
        {
            saga.condemned = true;
            self.found.condemn(rule, id, &saga.story, sentence);
        }
        saga.take(fact, said);
        let SagaFact::Ended { completed } = said else { return };
        if let (Demand::Ends(within), Some(begun)) = (self.demand, saga.begun) {
            self.bounds.remove(&(begun.time + within, id));
        }
        self.open.remove(&id);
        self.closed.insert(id, completed);
    }
}

impl Demand {
    /// What a fact about an open instance breaks.
    fn broken(self, saga: &Instance, fact: &Fact, said: SagaFact) -> Option<Breach> {
        match self {
            Self::Ends(_) => (said == SagaFact::Stuck).then(|| ("stuck", saga.since(" and was given up half way"))),
            Self::Atomic => match said {
                SagaFact::Ended { completed: true } => saga.half_done(),
                SagaFact::Ended { completed: false } => saga.half_undone("is undone"),
                SagaFact::Stuck => saga.left_half("is given up"),
                SagaFact::Begun { .. }
                | SagaFact::Owner { .. }
                | SagaFact::Intent { .. }
                | SagaFact::Done { .. }
                | SagaFact::Failed { .. }
                | SagaFact::Pivot
                | SagaFact::Compensating { .. }
                | SagaFact::Compensated { .. }
                | SagaFact::Touched { .. } => None,
            },
            Self::Order => match said {
                SagaFact::Intent { step } => saga.out_of_turn(fact, step),
                SagaFact::Compensating { step } => saga.wrongly_undone(fact, step),
                SagaFact::Begun { .. }
                | SagaFact::Owner { .. }
                | SagaFact::Done { .. }
                | SagaFact::Failed { .. }
                | SagaFact::Pivot
                | SagaFact::Compensated { .. }
                | SagaFact::Ended { .. }
                | SagaFact::Stuck
                | SagaFact::Touched { .. } => None,
            },
        }
    }

    /// What a fact about a closed instance breaks. An outcome may be heard late; a beginning may not be late.
    fn late(self, fact: &Fact, said: SagaFact, completed: bool) -> Option<Breach> {
        let (rule, what) = match (self, said) {
            (Self::Order, SagaFact::Intent { step }) => {
                ("end", [Phrase::Text(" was about to do "), Phrase::Step(step)])
            }
            (Self::Order, SagaFact::Compensating { step }) => {
                ("end", [Phrase::Text(" was about to undo "), Phrase::Step(step)])
            }
            (Self::Atomic, SagaFact::Ended { completed: now }) if now != completed => {
                ("both", [Phrase::Text(" ended it "), Phrase::Text(word(now))])
            }
            (Self::Ends(_) | Self::Atomic | Self::Order, _) => return None,
        };
        let mut sentence = vec![Phrase::Node(fact.node)];
        sentence.extend(what);
        sentence.extend([Phrase::Text(" at "), Phrase::Moment(fact.time), Phrase::Text(", but it had ended ")]);
        sentence.push(Phrase::Text(word(completed)));
        Some((rule, sentence))
    }
}

impl Instance {
    /// Takes a fact in.
    fn take(&mut self, fact: &Fact, said: SagaFact) {
        match said {
            SagaFact::Begun { steps } => {
                if self.begun.is_none() {
                    self.begun = Some(*fact);
                    self.steps.resize(steps as usize, Step::default());
                }
            }
            SagaFact::Intent { step } => {
                // What is done stays done, also if it is asked for again.
                self.act(step, |action| if action == Action::Done { action } else { Action::UnderWay });
            }
            SagaFact::Done { step } => self.act(step, |_| Action::Done),
            SagaFact::Failed { step, certain } => {
                self.failed |= (step as usize) < self.steps.len();
                let failed = if certain { Action::WithoutEffect } else { Action::Failed };
                self.act(step, |action| if action == Action::Done { action } else { failed });
            }
            SagaFact::Pivot => drop(self.pivot.get_or_insert(*fact)),
            SagaFact::Compensating { step } => {
                self.undo(step, |undoing| if undoing == Undoing::Done { undoing } else { Undoing::UnderWay });
            }
            SagaFact::Compensated { step } => self.undo(step, |_| Undoing::Done),
            SagaFact::Owner { .. } | SagaFact::Ended { .. } | SagaFact::Stuck | SagaFact::Touched { .. } => {}
        }
    }

    fn act(&mut self, step: u32, to: impl FnOnce(Action) -> Action) {
        if let Some(step) = self.steps.get_mut(step as usize) {
            step.action = to(step.action);
        }
    }

    fn undo(&mut self, step: u32, to: impl FnOnce(Undoing) -> Undoing) {
        if let Some(step) = self.steps.get_mut(step as usize) {
            step.undoing = to(step.undoing);
        }
    }

    /// It ends complete: what it has not done.
    fn half_done(&self) -> Option<Breach> {
        let missing = self.steps.iter().position(|s| s.action != Action::Done || s.undoing != Undoing::NotBegun)?;
        let why = if self.steps[missing].undoing == Undoing::NotBegun { " is not done" } else { " was undone" };
        Some(("all", vec![Phrase::Text("it ended complete, but "), Phrase::Step(missing as u32), Phrase::Text(why)]))
    }

    /// It will not be complete: what it has not undone.
    fn half_undone(&self, end: &'static str) -> Option<Breach> {
        let left = self.steps.iter().rposition(|step| step.binds() && step.undoing != Undoing::Done)?;
        let why = match self.steps[left].action {
            Action::Done => " is done and not compensated",
            Action::UnderWay | Action::Failed => " may have had an effect and is not compensated",
            Action::NotBegun | Action::WithoutEffect => unreachable!("these bind to nothing"),
        };
        Some((
            "nothing",
            vec![
                Phrase::Text("it "),
                Phrase::Text(end),
                Phrase::Text(", but "),
                Phrase::Step(left as u32),
                Phrase::Text(why),
            ],
        ))
    }

    /// It goes no further: what it has neither done nor undone.
    fn left_half(&self, end: &'static str) -> Option<Breach> {
        self.half_done().and_then(|_| self.half_undone(end))
    }

    /// The action of this step begins: not now?
    fn out_of_turn(&self, fact: &Fact, step: u32) -> Option<Breach> {
        let this = self.steps.get(step as usize)?;
        let mut sentence =
            vec![Phrase::Node(fact.node), Phrase::Text(" was about to do "), Phrase::Step(step), Phrase::Text(" at ")];
        sentence.extend([Phrase::Moment(fact.time), Phrase::Text(", but ")]);
        if this.undoing != Undoing::NotBegun {
            sentence.push(Phrase::Text("it was being undone already"));
            return Some(("forward", sentence));
        }
        let before = step.checked_sub(1).filter(|&before| self.steps[before as usize].action != Action::Done)?;
        // What began before is only said again, or tried again.
        if this.action != Action::NotBegun {
            return None;
        }
        sentence.extend([Phrase::Step(before), Phrase::Text(" was not done")]);
        Some(("forward", sentence))
    }

    /// The compensation of this step begins: not now, or not at all?
    fn wrongly_undone(&self, fact: &Fact, step: u32) -> Option<Breach> {
        let this = self.steps.get(step as usize)?;
        if this.undoing != Undoing::NotBegun {
            return None;
        }
        let mut sentence = vec![
            Phrase::Node(fact.node),
            Phrase::Text(" was about to undo "),
            Phrase::Step(step),
            Phrase::Text(" at "),
        ];
        sentence.extend([Phrase::Moment(fact.time), Phrase::Text(", but ")]);
        if let Some(pivot) = self.pivot {
            sentence.extend([Phrase::Text("it only went forward since "), Phrase::Moment(pivot.time)]);
            return Some(("pivot", sentence));
        }
        if this.action == Action::NotBegun {
            sentence.push(Phrase::Text("its action never began"));
            return Some(("backward", sentence));
        }
        if !self.failed {
            sentence.push(Phrase::Text("nothing had failed"));
            return Some(("cause", sentence));
        }
        let later = self.steps.iter().rposition(|s| s.binds() && s.undoing != Undoing::Done)?;
        (later > step as usize).then(|| {
            sentence.extend([Phrase::Step(later as u32), Phrase::Text(" was not undone yet")]);
            ("backward", sentence)
        })
    }

    /// Who began it when, and this.
    fn since(&self, what: &'static str) -> Vec<Phrase> {
        match self.begun {
            Some(begun) => vec![
                Phrase::Node(begun.node),
                Phrase::Text(" began at "),
                Phrase::Moment(begun.time),
                Phrase::Text(what),
            ],
            None => vec![Phrase::Text("nobody saw it begin"), Phrase::Text(what)],
        }
    }
}

impl Step {
    /// It may have an effect that must be undone.
    const fn binds(self) -> bool {
        matches!(self.action, Action::UnderWay | Action::Done | Action::Failed)
    }
}

const fn word(completed: bool) -> &'static str {
    if completed { "complete" } else { "undone" }
}
