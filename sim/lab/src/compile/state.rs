//! The state of services: its tables, the cells that tell of them, and what a step of the service sees.

use std::sync::Arc;

use systems::database::{DatabasePlan, OutboxPlan, Part, Place, TableKind, TablePlan};
use systems::expression::{ItemId, Value as Worth};

use super::Compiler;
use super::choreography::service_of;
use super::sorts::Sorts;
use super::variables::Variables;
use crate::expression::{self, Meaning, StepScope, Type};
use crate::model::{At, SagaStyle, Service, State, Value};
use crate::names::{Cell, CellSort, Field, Item, ItemKind, Names};

impl Compiler<'_> {
    /// The database of a service; none if it has nothing to remember.
    pub(super) fn database(&mut self, name: &str, service: &Service) -> Option<Arc<DatabasePlan>> {
        let coordinates = self
            .model
            .sagas
            .iter()
            .any(|(_, saga)| saga.coordinator.as_ref().is_some_and(|coordinator| coordinator.value == name));
        let remembers = service.ops.iter().any(|(_, op)| op.idempotent.is_some())
            || service.consumers.iter().any(|(_, c)| c.idempotent.is_some() || c.inbox);
        let reacts = self.model.sagas.iter().any(|(_, saga)| {
            saga.style == SagaStyle::Choreographed && saga.calls().iter().any(|call| service_of(call) == name)
        });
        if service.state.is_empty() && service.outbox.is_none() && !coordinates && !remembers && !reacts {
            return None;
        }
        let mut tables = Vec::new();
        let mut places = Vec::new();
        for (item, state) in &service.state {
            let table = tables.len() as u16;
            let (plan, kind) = self.table(name, &item.value, state);
            if plan.kind == TableKind::Map {
                places.push(Place { table, part: Part::Presence });
            }
            places.extend((0..plan.columns.len()).map(|n| Place { table, part: Part::Column(n as u16) }));
            self.names.items.push(Item { path: format!("{name}.{}", item.value), kind });
            tables.push(plan);
        }
        let outbox = service.outbox.as_ref().map(|_| OutboxPlan {
            waiting: self.names.cell(Cell {
                path: format!("{name}.outbox"),
                keys: 1,
                initial: 0,
                sort: CellSort::View,
                metric: Some("outbox_depth"),
                labels: vec![("service", name.to_owned())],
            }),
            lag: self.names.series("outbox_lag", vec![("service", name.to_owned())]),
        });
        let mutant = super::parts::mutant_of(service);
        // Sagas come later.
        let (effects, homes, guards) = (Arc::default(), Vec::new(), Vec::new());
        Some(Arc::new(DatabasePlan { tables, places, outbox, effects, homes, guards, mutant }))
    }

    fn table(&mut self, service: &str, item: &str, state: &State) -> (TablePlan, ItemKind) {
        let path = format!("{service}.{item}");
        let cell = |path: String, keys: u32, initial: i64| Cell {
            path,
            keys,
            initial,
            sort: CellSort::State,
            metric: None,
            labels: Vec::new(),
        };
        match state {
            State::Counter { keys, initial } => {
                let cell = self.names.cell(cell(path, *keys, *initial));
                let columns = vec![(cell, Worth::Int(*initial))];
                let plan = TablePlan { kind: TableKind::Counter, keys: *keys, columns, presence: None };
                (plan, ItemKind::Counter { cell })
            }
            State::Map { keys, initial } => {
                let present = self.names.cell(cell(path.clone(), 0, 0));
                let mut columns = Vec::new();
                let mut fields = Vec::new();
                let known: Vec<(String, Type)> =
                    self.sorts.fields(service, item).into_iter().map(|(name, sort)| (name.to_owned(), sort)).collect();
                for (name, sort) in known {
                    let written = initial.iter().find(|(field, _)| field.value == name);
                    let first = written.map_or(Worth::Null, |(_, value)| self.constant(value));
                    let coded = systems::database::code(first);
                    let cell = self.names.cell(cell(format!("{path}.{name}"), 0, kernel::NULL));
                    columns.push((cell, first));
                    fields.push(Field { name, cell, sort, initial: coded });
                }
                let plan = TablePlan { kind: TableKind::Map, keys: *keys, columns, presence: Some(present) };
                (plan, ItemKind::Map { present, initial: *keys, fields })
            }
            State::List => {
                let size = self.names.cell(cell(path, 1, 0));
                let plan = TablePlan { kind: TableKind::List, keys: 0, columns: Vec::new(), presence: Some(size) };
                (plan, ItemKind::List { size })
            }
        }
    }

    /// A value that is the same for every request; null if it is not.
    fn constant(&mut self, value: &At<Value>) -> Worth {
        match &value.value {
            Value::Integer(number) => Worth::Int(*number),
            Value::Truth(truth) => Worth::Bool(*truth),
            Value::Text(parts) => match self.sorts.template(parts).map(Vec::from_iter).as_deref() {
                Some([text]) => Worth::Text(self.names.symbol(text)),
                Some(_) | None => Worth::Null,
            },
            Value::Variable(_) | Value::Expression(_) => Worth::Null,
        }
    }
}

/// Where an item's columns begin in the places of its service.
pub(super) fn first_place(state: &[(At<String>, State)], item: &str, service: &str, sorts: &Sorts) -> Option<u32> {
    let mut at = 0;
    for (name, state) in state {
        if name.value == item {
            return Some(at);
        }
        at += match state {
            State::Counter { .. } => 1,
            State::Map { .. } => 1 + sorts.fields(service, &name.value).len() as u32,
            State::List => 0,
        };
    }
    None
}

/// What the steps of a service see: the request's variables, and the service's own state.
pub(super) struct ServiceScope<'a> {
    pub(super) owner: &'a str,
    /// Empty where state cannot be seen: on the way to another service, say.
    pub(super) state: &'a [(At<String>, State)],
    pub(super) sorts: &'a Sorts,
    pub(super) variables: &'a mut Variables,
    pub(super) names: &'a mut Names,
    /// Every service, for what belongs to another.
    pub(super) others: &'a [(At<String>, Service)],
}

impl ServiceScope<'_> {
    fn own<'p>(&self, path: &'p str) -> &'p str {
        path.strip_prefix(self.owner).and_then(|rest| rest.strip_prefix('.')).unwrap_or(path)
    }
}

impl StepScope for ServiceScope<'_> {
    fn variable(&mut self, name: &str) -> Option<(Meaning, Type)> {
        self.variables.meaning(name)
    }

    fn variables(&self) -> Vec<String> {
        self.variables.declared()
    }

    fn item(&self, path: &str) -> Option<expression::Item> {
        let name = self.own(path);
        let (_, State::Counter { keys, .. }) = self.state.iter().find(|(item, _)| item.value == name)? else {
            return None;
        };
        let id = ItemId(first_place(self.state, name, self.owner, self.sorts)?);
        Some(expression::Item { id, keys: *keys })
    }

    fn map(&self, path: &str) -> Option<expression::Map> {
        let name = self.own(path);
        let (_, State::Map { .. }) = self.state.iter().find(|(item, _)| item.value == name)? else { return None };
        let presence = first_place(self.state, name, self.owner, self.sorts)?;
        let fields = self.sorts.fields(self.owner, name);
        let field = |(n, (name, sort)): (usize, (&str, Type))| (name.to_owned(), ItemId(presence + 1 + n as u32), sort);
        Some(expression::Map {
            presence: ItemId(presence),
            fields: fields.into_iter().enumerate().map(field).collect(),
        })
    }

    fn items(&self) -> Vec<String> {
        self.state.iter().map(|(name, _)| name.value.clone()).collect()
    }

    fn forbidden(&self, path: &str) -> Option<String> {
        let (owner, _) = path.split_once('.')?;
        let other = self.others.iter().any(|(name, _)| name.value == owner && name.value != self.owner);
        other.then(|| format!("it is the state of `{owner}`: call it"))
    }

    fn place_of(&self, path: &str) -> String {
        format!("services.{}.state.{}", self.owner, self.own(path))
    }

    fn symbol(&mut self, text: &str) -> u32 {
        self.names.symbol(text)
    }
}
