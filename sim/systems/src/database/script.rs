//! What a service's state is, and what can be asked of it: names have become numbers.

use alloc::sync::Arc;
use alloc::vec::Vec;

use kernel::{CellId, SeriesId};

use super::choreography::{Effect, Home};
use super::marks::Guard;
use crate::app::mutant::Mutant;
use crate::expression::{Program, Value, VariableId};
use crate::variables::Variables;

/// The state of one service.
#[derive(Clone, PartialEq, Debug)]
pub struct DatabasePlan {
    /// Items of state.
    pub tables: Vec<TablePlan>,
    /// What an `ItemId` of an expression reads, by its number.
    pub places: Vec<Place>,
    /// Messages that wait for the relay, if it has an outbox.
    pub outbox: Option<OutboxPlan>,
    /// A deliberate mistake of its service.
    pub mutant: Option<Mutant>,
    /// What steps of choreographed sagas commit, from number 1: the same list for all services.
    pub effects: Arc<Vec<Effect>>,
    /// Choreographed sagas that begin here.
    pub homes: Vec<Home>,
    /// Rows that sagas keep to themselves.
    pub guards: Vec<Guard>,
}

impl DatabasePlan {
    /// The effect with this number; 0 is none.
    pub fn effect(&self, number: u32) -> Option<&Effect> {
        self.effects.get((number as usize).checked_sub(1)?)
    }
}

/// Where an expression's item lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Which table.
    pub table: u16,
    /// Which column of it.
    pub part: Part,
}

/// A part of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// A column's value.
    Column(u16),
    /// True if there is such a row, else null.
    Presence,
}

/// What is told of an outbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutboxPlan {
    /// Messages that wait for the relay.
    pub waiting: CellId,
    /// From the commit to the broker's confirmation.
    pub lag: SeriesId,
}

/// One item of state.
#[derive(Clone, PartialEq, Debug)]
pub struct TablePlan {
    /// What sort.
    pub kind: TableKind,
    /// Rows 0 … keys − 1 are there before the run.
    pub keys: u32,
    /// Its columns: of a counter one, of a list none.
    pub columns: Vec<(CellId, Value)>,
    /// Whether a row of a map is there; of a list how many values it has.
    pub presence: Option<CellId>,
}

/// Sorts of items.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TableKind {
    /// One integer per key; keys do not come and go.
    Counter,
    /// Rows of fields that come and go.
    Map,
    /// Values, each as often as it was appended.
    List,
}

/// What a request asks for; all of it happens, or nothing.
#[derive(Clone, PartialEq, Debug)]
pub struct Script {
    /// Its steps.
    pub steps: Vec<Step>,
    /// It may change something: it sees the newest rows, and its answer waits for them.
    pub writes: bool,
    /// The variables that are the op's answer, if this is its last word.
    pub result: Vec<VariableId>,
}

impl Script {
    /// The answer that is stored for the op.
    pub fn result(&self, variables: &Variables) -> Variables {
        self.result.iter().map(|&v| variables.get(v)).collect()
    }
}

/// Values for columns.
pub type Sets = Vec<(u16, Assignment)>;

/// Where a value comes from.
#[derive(Clone, PartialEq, Debug)]
pub enum Assignment {
    /// An expression.
    Program(Program),
    /// A text that depends on the text of a variable: by its symbol.
    Text(VariableId, Vec<(u32, u32)>),
}

/// A condition of a step.
pub type Condition = Option<Program>;

/// One step.
#[derive(Clone, PartialEq, Debug)]
pub enum Step {
    /// Changes a row.
    Change {
        /// Which table.
        table: u16,
        /// Which row.
        key: Program,
        /// How.
        action: Action,
        /// Only if this holds.
        guard: Condition,
        /// What else.
        otherwise: Otherwise,
        /// Where the row goes that comes out.
        into: Into,
    },
    /// Looks at a row.
    Read {
        /// Which table.
        table: u16,
        /// Which row.
        key: Program,
        /// Where it goes.
        into: Into,
    },
    /// Looks at many rows: at most so many.
    Scan {
        /// Which table.
        table: u16,
        /// How many at most.
        most: u32,
        /// Where their number goes.
        into: Option<VariableId>,
    },
    /// Keeps whether this holds.
    Test {
        /// The condition.
        condition: Program,
        /// Where.
        into: VariableId,
    },
    /// Does the one or the other.
    When {
        /// What decides.
        condition: Program,
        /// If it holds.
        then: Vec<Step>,
        /// If it does not.
        otherwise: Vec<Step>,
    },
    /// Leaves a message for the relay.
    Outbox(Letter),
    /// Nothing of it remains, and this is why.
    Fail(u16),
}

/// How a row changes.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// A new row; fails if it is there.
    Insert(Sets),
    /// Some columns of a row; fails if it is not there.
    Update(Sets),
    /// The one or the other.
    Upsert(Sets),
    /// The row goes; fails if it is not there.
    Delete,
    /// A counter changes by this.
    Add(Program),
    /// A counter becomes this.
    Set(Program),
    /// One more of this value, which is the key.
    Append,
    /// One less of it; fails if there is none.
    Remove,
}

/// What happens when a step cannot do its thing.
#[derive(Clone, PartialEq, Debug)]
pub enum Otherwise {
    /// It is refused: with this error.
    Fail(u16),
    /// Goes on.
    Skip,
    /// Does this instead.
    Steps(Vec<Step>),
}

/// Where parts of a row go: into variables.
pub type Into = Vec<(Source, VariableId)>;

/// A part of a row that can be kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// A column.
    Column(u16),
    /// The key, if there is a row; else null.
    Key,
    /// How often it was changed.
    Version,
}

/// A message to be sent.
#[derive(Clone, PartialEq, Debug)]
pub struct Letter {
    /// Where to, as the messages' plan numbers it.
    pub to: u16,
    /// What orders it: by default the root request.
    pub key: Option<Assignment>,
    /// Its type or routing key, a symbol.
    pub kind: Option<Assignment>,
    /// Variables it has besides the request's.
    pub with: Vec<(VariableId, Assignment)>,
}
