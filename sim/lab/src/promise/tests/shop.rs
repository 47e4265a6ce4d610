//! A shop with maps, a list and texts, and a way to change it.

use std::collections::BTreeMap;

use super::*;
use crate::expression::Type;
use crate::names::{Field, Item, ItemKind};
use kernel::NULL;

pub(super) const STOCK: u32 = 0;
pub(super) const ORDERS: u32 = 1;
pub(super) const STATUS: u32 = 2;
pub(super) const AMOUNT: u32 = 3;
pub(super) const GIFT: u32 = 4;
pub(super) const HOLDS: u32 = 5;
pub(super) const HELD: u32 = 6;
pub(super) const CHARGES: u32 = 7;
pub(super) const OPEN: u32 = 8;
pub(super) const UNITS: u32 = 9;

/// The symbols of the shop's texts.
pub(super) const PENDING: i64 = 0;
pub(super) const CONFIRMED: i64 = 1;
pub(super) const CANCELLED: i64 = 2;
pub(super) const ON_HOLD: i64 = 3;
pub(super) const RELEASED: i64 = 4;

/// `inventory.stock` of 10, the maps `orders.orders` (status, amount, gift) and `inventory.holds` (status; rows 0 and 1
/// are there from the beginning, held), the list `payment.charges`, `sagas.checkout.open`, three `inventory.units` of 0.
pub(super) fn shop_names() -> Names {
    let mut names = Names::default();
    let mut cell = |path: &str, keys, initial, sort| {
        names.cell(Cell { path: path.to_owned(), keys, initial, sort, metric: None, labels: Vec::new() })
    };
    let field = |name: &str, cell, sort, initial| Field { name: name.to_owned(), cell: CellId(cell), sort, initial };
    let orders = [
        field("status", STATUS, Type::Text, NULL),
        field("amount", AMOUNT, Type::Int, NULL),
        field("gift", GIFT, Type::Bool, NULL),
    ];
    let stock = cell("inventory.stock", 1, 10, CellSort::State);
    for path in ["orders.orders", "orders.orders.status", "orders.orders.amount", "orders.orders.gift"] {
        cell(path, 0, 0, CellSort::State);
    }
    cell("inventory.holds", 0, 0, CellSort::State);
    cell("inventory.holds.status", 0, 0, CellSort::State);
    cell("payment.charges", 0, 0, CellSort::State);
    cell("sagas.checkout.open", 1, 0, CellSort::View);
    let units = cell("inventory.units", 3, 0, CellSort::State);
    let mut item = |path: &str, kind| names.items.push(Item { path: path.to_owned(), kind });
    item("inventory.stock", ItemKind::Counter { cell: stock });
    item("inventory.units", ItemKind::Counter { cell: units });
    item("orders.orders", ItemKind::Map { present: CellId(ORDERS), initial: 0, fields: orders.to_vec() });
    let holds = vec![field("status", HELD, Type::Text, ON_HOLD)];
    item("inventory.holds", ItemKind::Map { present: CellId(HOLDS), initial: 2, fields: holds });
    item("payment.charges", ItemKind::List { size: CellId(CHARGES) });
    for text in ["pending", "confirmed", "cancelled", "held", "released"] {
        names.symbol(text);
    }
    names.protocols = vec!["transactions.transfer".to_owned(), "sagas.checkout".to_owned()];
    names.steps = vec![Vec::new(), vec!["reserve".to_owned(), "charge".to_owned()]];
    names
}

/// What every cell has before the run.
pub(super) fn initial(names: &Names) -> BTreeMap<(u32, u64), i64> {
    let mut cells = BTreeMap::new();
    for item in &names.items {
        match &item.kind {
            ItemKind::Counter { cell } => {
                let known = &names.cells[cell.0 as usize];
                cells.extend((0..u64::from(known.keys)).map(|key| ((cell.0, key), known.initial)));
            }
            ItemKind::Map { present, initial, fields } => {
                for key in 0..u64::from(*initial) {
                    cells.insert((present.0, key), 1);
                    cells.extend(fields.iter().map(|field| ((field.cell.0, key), field.initial)));
                }
            }
            ItemKind::List { .. } => {}
        }
    }
    cells
}

/// What a cell holds where nothing was said: a missing field is null, anything else 0.
pub(super) fn nothing(cell: u32) -> i64 {
    if [STATUS, AMOUNT, GIFT, HELD].contains(&cell) { NULL } else { 0 }
}

/// The promise `p` over the shop, a change per event, an event per nanosecond.
#[derive(Clone)]
pub(super) struct Shop {
    pub(super) promises: Promises,
    cells: BTreeMap<(u32, u64), i64>,
    pub(super) now: u64,
}

impl Shop {
    pub(super) fn new(form: model::Form) -> Self {
        let names = shop_names();
        let promises = Promises::compile(&model(vec![("p", form)]), &names).expect("it compiles");
        Self { promises, cells: initial(&names), now: 0 }
    }

    /// One change: (cell, key, value).
    pub(super) fn write(&mut self, rows: &[(u32, u64, i64)]) -> &mut Self {
        self.now += 1;
        let mut delta = |&(cell, key, after): &(u32, u64, i64)| {
            let before = self.cells.insert((cell, key), after).unwrap_or_else(|| nothing(cell));
            delta(cell, key, before, after)
        };
        let change: Vec<Delta> = rows.iter().map(&mut delta).collect();
        self.promises.change(Time(self.now), self.now, true, &change);
        self
    }

    /// An order with this status.
    pub(super) fn order(&mut self, key: u64, status: i64) -> &mut Self {
        self.write(&[(ORDERS, key, 1), (STATUS, key, status)])
    }

    pub(super) fn rest(&mut self) -> &mut Self {
        self.promises.rest(Time(self.now), self.now);
        self
    }

    /// Some time later.
    pub(super) fn at(&mut self, now: u64) -> &mut Self {
        self.now = now - 1;
        self
    }

    pub(super) fn end(&mut self, now: u64, rest: bool) -> InvariantResult {
        self.promises.finish(Time(now), rest, "3 sagas, 1 message").remove(0)
    }
}
