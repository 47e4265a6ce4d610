//! The state of a run as code sees it: every item and view that promises of a file could name.

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::{CellId, Delta, NULL, Time};
use systems::expression::Value;

use crate::expression::Type;
use crate::names::{ItemKind, Names};
use crate::nearest::nearest;
use crate::outcome::Word;

/// The state, mirrored whole.
#[derive(Clone, Debug)]
pub(crate) struct Mirror {
    names: Arc<Names>,
    /// By `CellId`: what is there, by row; a row of a map only while there is one.
    cells: Vec<BTreeMap<u64, i64>>,
    /// By `CellId`: what says that there is nothing under a key, where rows come and go.
    nothing: Vec<Option<i64>>,
}

impl Mirror {
    pub(crate) fn new(names: &Names) -> Self {
        let mut cells: Vec<BTreeMap<u64, i64>> = vec![BTreeMap::new(); names.cells.len()];
        for (number, cell) in names.cells.iter().enumerate() {
            cells[number].extend((0..u64::from(cell.keys)).map(|key| (key, cell.initial)));
        }
        let mut nothing = vec![None; names.cells.len()];
        for item in &names.items {
            let ItemKind::Map { present, initial, fields } = &item.kind else { continue };
            nothing[present.0 as usize] = Some(0);
            for field in fields {
                nothing[field.cell.0 as usize] = Some(NULL);
            }
            for key in 0..u64::from(*initial) {
                cells[present.0 as usize].insert(key, 1);
                for field in fields {
                    cells[field.cell.0 as usize].insert(key, field.initial);
                }
            }
        }
        Self { names: Arc::new(names.clone()), cells, nothing }
    }

    pub(crate) fn apply(&mut self, delta: &Delta) {
        let cell = delta.cell.0 as usize;
        if self.nothing[cell] == Some(delta.after) {
            self.cells[cell].remove(&delta.key);
        } else {
            self.cells[cell].insert(delta.key, delta.after);
        }
    }

    pub(crate) fn at(&self, now: Time) -> View<'_> {
        View { mirror: self, now }
    }

    fn of(&self, cell: CellId) -> &BTreeMap<u64, i64> {
        &self.cells[cell.0 as usize]
    }
}

/// The state at a moment.
///
/// Names are those of the file's promises: `inventory.stock`, `orders.orders`, `coordinator.up`. A name that the scenario
/// does not have is a mistake of the code that asks: every method panics at it and says what there is.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    mirror: &'a Mirror,
    now: Time,
}

impl<'a> View<'a> {
    /// The virtual time.
    pub const fn now(&self) -> Time {
        self.now
    }

    /// What a counter or a view has under a key (0 if it has none): `state.number("inventory.stock", 3)`.
    ///
    /// # Panics
    /// If there is no such counter or view, or no such key.
    pub fn number(&self, path: &str, key: u64) -> i64 {
        let of = self.mirror.of(self.numbers(path));
        let found = of.get(&key).copied();
        found.unwrap_or_else(|| panic!("`{path}` has no row {key}; it has {}", rows(of)))
    }

    /// The sum over all keys of a counter or view: `state.sum("bank_a.accounts")`.
    ///
    /// # Panics
    /// If there is no such counter or view.
    pub fn sum(&self, path: &str) -> i64 {
        self.mirror.of(self.numbers(path)).values().sum()
    }

    /// The keys and values of a counter or view.
    ///
    /// # Panics
    /// If there is no such counter or view.
    pub fn numbers_of(&self, path: &str) -> impl Iterator<Item = (u64, i64)> + 'a {
        self.mirror.of(self.numbers(path)).iter().map(|(key, value)| (*key, *value))
    }

    /// The rows of a map, by key: `state.rows("orders.orders").filter(|row| row.text("status") == "confirmed")`.
    ///
    /// # Panics
    /// If there is no such map.
    pub fn rows(&self, path: &str) -> impl Iterator<Item = Row<'a>> + 'a {
        let (mirror, present, item) = self.map(path);
        mirror.of(present).keys().map(move |key| Row { mirror, item, key: *key })
    }

    /// One row of a map, if it is there.
    ///
    /// # Panics
    /// If there is no such map.
    pub fn row(&self, path: &str, key: u64) -> Option<Row<'a>> {
        let (mirror, present, item) = self.map(path);
        mirror.of(present).contains_key(&key).then_some(Row { mirror, item, key })
    }

    fn map(&self, path: &str) -> (&'a Mirror, CellId, usize) {
        let names = &self.mirror.names;
        let found = names.items.iter().position(|item| item.path == path).and_then(|at| match &names.items[at].kind {
            ItemKind::Map { present, .. } => Some((self.mirror, *present, at)),
            ItemKind::Counter { .. } | ItemKind::List { .. } => None,
        });
        let maps = names.items.iter().filter(|item| matches!(item.kind, ItemKind::Map { .. }));
        found.unwrap_or_else(|| missing("map", path, maps.map(|item| item.path.as_str())))
    }

    fn numbers(&self, path: &str) -> CellId {
        let names = &self.mirror.names;
        let item = names.items.iter().find(|item| item.path == path).map(|item| &item.kind);
        let cell = match item {
            Some(ItemKind::Counter { cell } | ItemKind::List { size: cell }) => Some(*cell),
            Some(ItemKind::Map { .. }) => None,
            None => names.find_cell(path),
        };
        let columns = |path: &str| names.items.iter().any(|item| path.starts_with(&format!("{}.", item.path)));
        let all = names.cells.iter().map(|cell| cell.path.as_str()).filter(|path| !columns(path));
        cell.unwrap_or_else(|| missing("counter or view", path, all))
    }
}

fn rows(of: &BTreeMap<u64, i64>) -> String {
    match (of.first_key_value(), of.last_key_value()) {
        (Some((first, _)), Some((last, _))) => format!("{} of them, {first} to {last}", of.len()),
        (_, _) => "none".to_owned(),
    }
}

fn missing<'n>(what: &str, path: &str, all: impl Iterator<Item = &'n str> + Clone) -> ! {
    let near = nearest(path, all.clone()).map(|near| format!("; `{near}`?")).unwrap_or_default();
    let all: Vec<&str> = all.take(12).collect();
    panic!("the scenario has no {what} `{path}`{near} There is {}", all.join(", "))
}

/// A row of a map.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    mirror: &'a Mirror,
    /// Its map, among the items.
    item: usize,
    /// Its key.
    pub key: u64,
}

impl<'a> Row<'a> {
    /// What a field holds; `None` if it is not set.
    ///
    /// # Panics
    /// If rows of this map have no such field.
    pub fn field(&self, name: &str) -> Option<Word> {
        self.mirror.names.word(self.value(name))
    }

    /// What a field that holds a number holds; 0 if it is not set.
    ///
    /// # Panics
    /// If rows of this map have no such field, or it holds something else.
    pub fn number(&self, name: &str) -> i64 {
        match self.value(name) {
            Value::Null => 0,
            Value::Int(number) => number,
            value @ (Value::Text(_) | Value::Bool(_)) => panic!("`{name}` holds {value:?}, no number"),
        }
    }

    /// What a field that holds a text holds; empty if it is not set.
    ///
    /// # Panics
    /// If rows of this map have no such field, or it holds something else.
    pub fn text(&self, name: &str) -> &'a str {
        match self.value(name) {
            Value::Null => "",
            Value::Text(symbol) => &self.mirror.names.texts[symbol as usize],
            value @ (Value::Int(_) | Value::Bool(_)) => panic!("`{name}` holds {value:?}, no text"),
        }
    }

    fn value(&self, name: &str) -> Value {
        let item = &self.mirror.names.items[self.item];
        let ItemKind::Map { fields, .. } = &item.kind else { unreachable!("rows are of maps") };
        let found = fields.iter().find(|field| field.name == name);
        let field = found.unwrap_or_else(|| {
            let what = format!("field of `{}`", item.path);
            missing(&what, name, fields.iter().map(|field| field.name.as_str()))
        });
        match (self.mirror.of(field.cell).get(&self.key).copied().unwrap_or(NULL), field.sort) {
            (NULL, _) => Value::Null,
            (coded, Type::Text) => Value::Text(coded as u32),
            (coded, Type::Bool) => Value::Bool(coded != 0),
            (coded, Type::Int | Type::Duration) => Value::Int(coded),
        }
    }
}
