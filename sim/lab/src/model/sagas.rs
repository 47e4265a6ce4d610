//! Sagas: steps over several services, each with what undoes it.

use super::{At, Call, DecisionLog, Destination, ItemPath, Place, Row};

/// `[sagas.*]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Saga {
    /// Who knows what comes next.
    pub style: SagaStyle,
    /// A service; always there for an orchestrated saga.
    pub coordinator: Option<At<String>>,
    /// What a crash of the coordinator leaves of its log.
    pub log: DecisionLog,
    /// Which messages begin one; `None`: `call = "sagas.x"` does.
    pub trigger: Option<SagaTrigger>,
    /// Its steps.
    pub steps: Vec<SagaStep>,
    /// After the compensations.
    pub on_abort: Option<Call>,
    /// What is done about a step that fails before the pivot.
    pub recovery: SagaRecovery,
    /// Where a choreographed saga's events go; always there for one.
    pub topic: Option<At<String>>,
    /// The map whose row `$id` says what became of it.
    pub subject: Option<ItemPath>,
    /// Participants remember (saga, step): a second event of the same step has no effect.
    pub inbox: bool,
    /// What keeps others from seeing it half done.
    pub isolation: SagaIsolation,
    /// The table's place.
    pub place: Place,
}

impl Saga {
    /// Everything it calls: actions, compensations, and what comes after an abort.
    pub fn calls(&self) -> Vec<&Call> {
        let steps = self.steps.iter().flat_map(|step| core::iter::once(&step.action).chain(&step.compensate));
        steps.chain(&self.on_abort).collect()
    }
}

/// Who knows what comes next in a saga.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SagaStyle {
    /// The coordinator.
    Orchestrated,
    /// Nobody: each step waits for the event of another.
    Choreographed,
}

/// Which messages begin a saga.
#[derive(Clone, PartialEq, Debug)]
pub struct SagaTrigger {
    /// A queue or a topic.
    pub from: Destination,
    /// Of this type; `None`: every message.
    pub kind: Option<At<String>>,
}

/// One step of a saga.
#[derive(Clone, PartialEq, Debug)]
pub struct SagaStep {
    /// Its name: `sagas.checkout.charge` in points and faults.
    pub name: At<String>,
    /// What it does.
    pub action: Call,
    /// What undoes it, with `compensation_retry` as its retry. Every failure of it is tried again, business errors too.
    pub compensate: Option<Call>,
    /// When it is done, the saga goes on to its end, whatever happens.
    pub pivot: bool,
    /// Choreographed: the events that begin it. Empty in an orchestrated saga.
    pub on: Vec<At<String>>,
    /// Choreographed: the event when its action is done.
    pub emits: Option<At<String>>,
    /// Choreographed: the event when its action failed.
    pub emits_on_failure: Option<At<String>>,
    /// Choreographed: the events that make it undo what it did.
    pub compensate_on: Vec<At<String>>,
    /// Its path in the file.
    pub path: String,
    /// The table's place.
    pub place: Place,
}

/// What is done about a step that fails before the pivot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SagaRecovery {
    /// What was done is undone, last first.
    Backward,
    /// It is tried again until it is done.
    Forward,
}

/// What keeps others from seeing a saga half done.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SagaIsolation {
    /// The rows that nobody should see half done.
    pub keys: Vec<Row>,
    /// These are marked while it is open, and this happens to others who come there; `None`: nothing keeps them out, and
    /// judges see who comes.
    pub others: Option<LockedOut>,
}

/// What happens to who comes to a marked row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LockedOut {
    /// Fails with the business error `locked`.
    Reject,
    /// Waits.
    Wait,
}
