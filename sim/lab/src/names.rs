//! What the numbers of the engine are called: cells, series, points, nodes.
//!
//! `compile` fills this while it gives out ids; promises, thresholds and reports look names up here. Nothing at run time
//! does.

use kernel::{CellId, NodeId, PointId, SeriesId};
use systems::expression::Value;

use crate::expression::Type;
use crate::outcome::Word;

/// Every name of one compiled scenario.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// By `CellId`.
    pub cells: Vec<Cell>,
    /// By `SeriesId`.
    pub series: Vec<Series>,
    /// By `PointId`: `2pc.coordinator.after_last_vote`.
    pub points: Vec<String>,
    /// By `NodeId`: `payment[0]`, `payment` if it is the only one, `workloads.shoppers`.
    pub nodes: Vec<Node>,
    /// By message kind.
    pub kinds: Vec<String>,
    /// The protocols of facts: `transactions.transfer`.
    pub protocols: Vec<String>,
    /// By protocol: what its steps are called, if it has any; shorter where none has.
    pub steps: Vec<Vec<String>>,
    /// Error words by number: first the system errors, then the scenario's business errors.
    pub errors: Vec<String>,
    /// Texts of variables and expressions, by symbol.
    pub texts: Vec<String>,
    /// By op: `gateway.checkout`.
    pub ops: Vec<String>,
    /// The items of services' state, which promises read: which cells tell of each.
    pub items: Vec<Item>,
    /// The faults of `[chaos]`, which come behind those of the file: each with the word of its kind.
    pub chaos: Vec<(String, String)>,
}

/// An item of a service's state, as promises read it.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its path in expressions: `orders.orders`.
    pub path: String,
    /// What it is, and its cells.
    pub kind: ItemKind,
}

/// Kinds of items, each with the cells that tell of it. The cells of maps and lists have `keys` 0: their rows come and
/// go under any key, and there is none before the run but those `initial` says.
#[derive(Clone, Debug)]
pub enum ItemKind {
    /// A number per key; one without keys has key 0 only.
    Counter {
        /// Its rows.
        cell: CellId,
    },
    /// Rows with fields.
    Map {
        /// 1 where there is a row, else 0.
        present: CellId,
        /// Rows 0 … initial − 1 exist before the run, each with the fields' initial values.
        initial: u32,
        /// The fields in their order.
        fields: Vec<Field>,
    },
    /// Values in an order.
    List {
        /// Key 0: how many there are.
        size: CellId,
    },
}

/// A field of a map's rows.
///
/// Its cell's values are coded: a whole number or a duration is itself, a truth value 0 or 1, a text its symbol, and
/// what is missing `kernel::NULL`.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name in predicates over rows: `status`.
    pub name: String,
    /// Its values by row.
    pub cell: CellId,
    /// Its type.
    pub sort: Type,
    /// Its coded value in the rows that exist before the run.
    pub initial: i64,
}

/// A piece of observable state.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Its path in expressions: `bank_a.accounts`, `coordinator.up`, `transactions.transfer.in_doubt`.
    pub path: String,
    /// Rows 0 … keys − 1. A view of a part with several nodes has a row per node. 0: rows come and go under any key.
    pub keys: u32,
    /// The value of every row before the run.
    pub initial: i64,
    /// What sort of thing it is.
    pub sort: CellSort,
    /// The name of its metric as a level, if thresholds may ask for it: `queue_depth`, `in_flight`, `busy`.
    pub metric: Option<&'static str>,
    /// Its labels in thresholds: (`service`, `bank_a`).
    pub labels: Vec<(&'static str, String)>,
}

/// Sorts of cells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CellSort {
    /// Rows the scenario declares under `state`; without a key only if there is one row.
    State,
    /// A view: without a key its rows are summed.
    View,
}

/// A stream of samples.
#[derive(Clone, Debug)]
pub struct Series {
    /// `latency`, `wait`, `in_doubt`, `lock_wait`, `hold_time`, `service_time`, `sojourn`.
    pub metric: &'static str,
    /// Its labels in thresholds: (`op`, `gateway.checkout`), (`workload`, `shoppers`), (`from`, `gateway`).
    pub labels: Vec<(&'static str, String)>,
}

/// A machine or a client population.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its lane's name.
    pub name: String,
    /// The service or workload it belongs to.
    pub part: String,
    /// Which of that part's nodes.
    pub number: u32,
}

impl Names {
    /// The symbol of a text.
    pub fn symbol(&mut self, text: &str) -> u32 {
        let found = self.texts.iter().position(|known| known == text);
        found.unwrap_or_else(|| {
            self.texts.push(text.to_owned());
            self.texts.len() - 1
        }) as u32
    }

    /// What a variable holds, for people; `None` if it is not set.
    pub fn word(&self, value: Value) -> Option<Word> {
        match value {
            Value::Null => None,
            Value::Int(number) => Some(Word::Number(number)),
            Value::Bool(truth) => Some(Word::Truth(truth)),
            Value::Text(symbol) => Some(Word::Text(self.texts[symbol as usize].clone())),
        }
    }

    /// Adds a cell.
    pub fn cell(&mut self, cell: Cell) -> CellId {
        self.cells.push(cell);
        CellId(self.cells.len() as u32 - 1)
    }

    /// Adds a series.
    pub fn series(&mut self, metric: &'static str, labels: Vec<(&'static str, String)>) -> SeriesId {
        self.series.push(Series { metric, labels });
        SeriesId(self.series.len() as u32 - 1)
    }

    /// Finds or adds a point.
    pub fn point(&mut self, name: &str) -> PointId {
        let found = self.points.iter().position(|p| p == name);
        PointId(found.unwrap_or_else(|| {
            self.points.push(name.to_owned());
            self.points.len() - 1
        }) as u32)
    }

    /// The cell at `path`.
    pub fn find_cell(&self, path: &str) -> Option<CellId> {
        self.cells.iter().position(|c| c.path == path).map(|n| CellId(n as u32))
    }

    /// Where in the file the values of a cell come from.
    pub fn place_of(&self, id: CellId) -> String {
        let cell = &self.cells[id.0 as usize];
        match cell.sort {
            CellSort::State => path_of(&cell.path),
            CellSort::View => match cell.path.split_once('.') {
                Some((owner, _)) if !SECTIONS.contains(&owner) => format!("services.{owner}.nodes"),
                Some(_) | None => path_of(&cell.path),
            },
        }
    }

    /// The name of a node.
    pub fn node(&self, id: NodeId) -> &str {
        &self.nodes[id.0 as usize].name
    }
}

/// Sections whose parts go by their paths.
const SECTIONS: [&str; 7] = ["transactions", "workloads", "sagas", "brokers", "queues", "exchanges", "topics"];

/// Where in the file that is declared, or would be, what an expression calls `name`: `bank.accounts` is
/// `services.bank.state.accounts`, `transactions.t.open` is the transaction's.
pub(crate) fn path_of(name: &str) -> String {
    match name.split_once('.') {
        Some((section, rest)) if SECTIONS.contains(&section) => {
            format!("{section}.{}", rest.split('.').next().unwrap_or(rest))
        }
        Some((owner, item)) => format!("services.{owner}.state.{}", item.split('.').next().unwrap_or(item)),
        None => format!("services.{name}"),
    }
}

/// The same for whatever can be called: `bank.transfer`, `transactions.t`, `bank`.
pub(crate) fn path_of_op(name: &str) -> String {
    match name.split_once('.') {
        Some((section, _)) if SECTIONS.contains(&section) => path_of(name),
        Some((service, op)) => format!("services.{service}.ops.{op}"),
        None => format!("services.{name}"),
    }
}
