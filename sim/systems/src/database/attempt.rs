//! A script being carried out: it sees the newest rows and what it has written itself; nothing of it is anywhere else
//! until it has come to its end.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::RefCell;

use kernel::Time;

use super::Database;
use super::journal::{Outgoing, Write};
use super::script::{Action, Assignment, Into, Letter, Otherwise, Part, Script, Sets, Source, Step, TableKind};
use super::table::Row;
use crate::app::message::system_errors;
use crate::expression::{Environment, ItemId, Program, Value, VariableId};
use crate::variables::Variables;

/// Why a script was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The error's number.
    pub error: u16,
    /// A business error: final.
    pub business: bool,
}

impl Refusal {
    pub(super) const INVALID: Self = Self { error: system_errors::INVALID, business: false };
}

/// A script being carried out.
#[derive(Debug)]
pub struct Attempt<'a> {
    database: &'a Database,
    steps: &'a [Step],
    /// It may write, and so looks at the newest rows; else at those that are visible.
    pub(super) newest: bool,
    pub(super) variables: Variables,
    pub(super) writes: Vec<Write>,
    pub(super) letters: Vec<Outgoing>,
    /// Guarded rows that it has looked at or changed.
    pub(super) touched: RefCell<Vec<(u16, i64)>>,
}

impl<'a> Attempt<'a> {
    pub(super) fn new(database: &'a Database, script: &'a Script, variables: Variables) -> Self {
        let Script { steps, writes, .. } = script;
        let (touched, newest) = (RefCell::default(), *writes);
        Self { database, steps, newest, variables, writes: Vec::new(), letters: Vec::new(), touched }
    }

    pub(super) fn run(&mut self) -> Result<(), Refusal> {
        self.steps(self.steps)
    }

    fn steps(&mut self, steps: &'a [Step]) -> Result<(), Refusal> {
        steps.iter().try_for_each(|step| self.step(step))
    }

    fn step(&mut self, step: &'a Step) -> Result<(), Refusal> {
        match step {
            Step::Change { table, key, action, guard, otherwise, into } => {
                let key = self.key(key)?;
                let allowed = guard.as_ref().map_or(Ok(true), |guard| self.truth(guard))?;
                let changed = if allowed { self.change(*table, key, action)? } else { false };
                if changed {
                    self.keep(into, *table, key);
                    return Ok(());
                }
                match otherwise {
                    Otherwise::Fail(error) => Err(Refusal { error: *error, business: true }),
                    Otherwise::Skip => Ok(()),
                    Otherwise::Steps(steps) => self.steps(steps),
                }
            }
            Step::Read { table, key, into } => {
                let key = self.key(key)?;
                self.keep(into, *table, key);
                Ok(())
            }
            Step::Scan { table, most, into } => {
                let found = self.database.tables[usize::from(*table)].len().min(*most as usize);
                if let Some(variable) = into {
                    self.variables.set(*variable, Value::Int(found as i64));
                }
                Ok(())
            }
            Step::Test { condition, into } => {
                let holds = self.holds(condition);
                self.variables.set(*into, Value::Bool(holds));
                Ok(())
            }
            Step::When { condition, then, otherwise } => {
                self.steps(if self.holds(condition) { then } else { otherwise })
            }
            Step::Outbox(letter) => {
                let letter = self.letter(letter)?;
                self.letters.push(letter);
                Ok(())
            }
            Step::Fail(error) => Err(Refusal { error: *error, business: true }),
        }
    }

    /// Does it; false if it cannot be done.
    fn change(&mut self, table: u16, key: i64, action: &Action) -> Result<bool, Refusal> {
        let before = self.row(table, key).cloned();
        let version = before.as_ref().map_or(0, |row| row.version) + 1;
        let row = match (action, before) {
            (Action::Insert(_), Some(_)) | (Action::Update(_) | Action::Delete, None) => return Ok(false),
            (Action::Insert(sets) | Action::Upsert(sets), None) => Some(self.filled(table, None, sets)?),
            (Action::Update(sets) | Action::Upsert(sets), Some(row)) => Some(self.filled(table, Some(row), sets)?),
            (Action::Delete, Some(_)) => None,
            (Action::Add(_) | Action::Set(_), None) => return Err(Refusal::INVALID),
            (Action::Add(program), Some(row)) => {
                let by = self.number(program)?;
                let Value::Int(value) = row.values[0] else { return Err(Refusal::INVALID) };
                let sum = value.checked_add(by).ok_or(Refusal::INVALID)?;
                Some(Row { values: Arc::new([Value::Int(sum)]), version })
            }
            (Action::Set(program), Some(_)) => {
                Some(Row { values: Arc::new([Value::Int(self.number(program)?)]), version })
            }
            (Action::Append, row) => Some(Row { values: Arc::new([Value::Int(often(row.as_ref()) + 1)]), version }),
            (Action::Remove, row) => match often(row.as_ref()) {
                0 => return Ok(false),
                1 => None,
                times => Some(Row { values: Arc::new([Value::Int(times - 1)]), version }),
            },
        };
        match self.writes.iter_mut().find(|w| w.table == table && w.key == key) {
            Some(write) => write.row = row,
            None => self.writes.push(Write { table, key, row }),
        }
        Ok(true)
    }

    fn filled(&self, table: u16, row: Option<Row>, sets: &Sets) -> Result<Row, Refusal> {
        let columns = &self.database.plan.tables[usize::from(table)].columns;
        let version = row.as_ref().map_or(0, |row| row.version) + 1;
        let nothing = || core::iter::repeat_n(Value::Null, columns.len()).collect();
        let mut values: Arc<[Value]> = row.map_or_else(nothing, |row| row.values);
        for (column, assignment) in sets {
            let value = self.assigned(assignment)?;
            Arc::make_mut(&mut values)[usize::from(*column)] = value;
        }
        Ok(Row { values, version })
    }

    fn assigned(&self, assignment: &Assignment) -> Result<Value, Refusal> {
        assignment.value(self).ok_or(Refusal::INVALID)
    }

    fn letter(&self, plan: &Letter) -> Result<Outgoing, Refusal> {
        plan.written(self, &self.variables).ok_or(Refusal::INVALID)
    }

    /// The newest value of a row, as this script sees it.
    fn row(&self, table: u16, key: i64) -> Option<&Row> {
        self.touch(table, key);
        match self.writes.iter().find(|w| w.table == table && w.key == key) {
            Some(write) => write.row.as_ref(),
            None if self.newest => self.database.newest(table, key),
            None => self.database.visible(table, key),
        }
    }

    fn touch(&self, table: u16, key: i64) {
        if self.database.plan.guards.iter().any(|guard| guard.table == table) {
            let mut touched = self.touched.borrow_mut();
            if !touched.contains(&(table, key)) {
                touched.push((table, key));
            }
        }
    }

    /// Parts of a row go into variables.
    fn keep(&mut self, into: &Into, table: u16, key: i64) {
        for (source, variable) in into {
            let value = match (self.row(table, key), source) {
                (None, _) => Value::Null,
                (Some(row), Source::Column(n)) => row.values[usize::from(*n)],
                (Some(_), Source::Key) => Value::Int(key),
                (Some(row), Source::Version) => Value::Int(row.version as i64),
            };
            self.variables.set(*variable, value);
        }
    }

    fn key(&self, program: &Program) -> Result<i64, Refusal> {
        match program.evaluate(self) {
            Ok(Value::Int(key)) => Ok(key),
            Ok(Value::Text(symbol)) => Ok(i64::from(symbol)),
            Ok(Value::Null | Value::Bool(_)) | Err(_) => Err(Refusal::INVALID),
        }
    }

    fn number(&self, program: &Program) -> Result<i64, Refusal> {
        program.integer(self).map_err(|_| Refusal::INVALID)
    }

    /// A condition about what is not there does not hold.
    fn holds(&self, condition: &Program) -> bool {
        condition.truth(self) == Ok(true)
    }

    fn truth(&self, program: &Program) -> Result<bool, Refusal> {
        program.truth(self).map_err(|_| Refusal::INVALID)
    }
}

fn often(row: Option<&Row>) -> i64 {
    match row.and_then(|row| row.values.first()) {
        Some(Value::Int(times)) => *times,
        Some(Value::Null | Value::Bool(_) | Value::Text(_)) | None => 0,
    }
}

impl Environment for Attempt<'_> {
    fn variable(&self, variable: VariableId) -> Value {
        self.variables.get(variable)
    }

    fn row(&self, item: ItemId, key: i64) -> Value {
        let place = self.database.plan.places[item.0 as usize];
        let dense = self.database.plan.tables[usize::from(place.table)].kind == TableKind::Counter;
        match (self.row(place.table, key), place.part) {
            (None, _) => Value::Null,
            (Some(row), Part::Column(n)) => row.values[usize::from(n)],
            (Some(_), Part::Presence) => {
                debug_assert!(!dense, "rows of a counter are always there");
                Value::Bool(true)
            }
        }
    }
}

impl Assignment {
    /// The value; none if it cannot be told.
    pub fn value(&self, environment: &impl Environment) -> Option<Value> {
        match self {
            Self::Program(program) => program.evaluate(environment).ok(),
            Self::Text(variable, texts) => {
                let Value::Text(symbol) = environment.variable(*variable) else { return None };
                texts.iter().find(|(from, _)| *from == symbol).map(|(_, to)| Value::Text(*to))
            }
        }
    }
}

impl Letter {
    /// The message, for a request with these variables; `operation` and `since` are for the caller to fill in.
    pub fn written(&self, environment: &impl Environment, variables: &Variables) -> Option<Outgoing> {
        let value = |assignment: &Option<Assignment>| match assignment {
            None => Some(None),
            Some(assignment) => assignment.value(environment).map(Some),
        };
        let mut carried = variables.clone();
        for (variable, assignment) in &self.with {
            carried.set(*variable, assignment.value(environment)?);
        }
        let kind = match value(&self.kind)? {
            None => None,
            Some(Value::Text(symbol)) => Some(symbol),
            Some(Value::Null | Value::Int(_) | Value::Bool(_)) => return None,
        };
        let key = value(&self.key)?.unwrap_or(Value::Null);
        Some(Outgoing { to: self.to, key, kind, operation: 0, variables: carried, since: Time::ZERO })
    }
}
