//! What names mean in a promise: rows by constant keys, aggregates, `before` and `after`. Names in predicates over rows
//! are another scope: `row_scope`.

use kernel::CellId;
use systems::expression::{Value, VariableId};

use super::aggregate::Over;
use super::reading::Rows;
use super::row_scope::{About, RowPredicate, RowScope};
use super::state::{Leaf, State};
use super::subject::{Subject, example, field, subject};
use super::tally::Kind;
use crate::expression::{
    CheckedNode, Expression, Finding, Node, Path, Scope, Type, Word, check_any, check_as, key_in_range,
};
use crate::names::{CellSort, Item, ItemKind, Names};
use crate::nearest::nearest;

/// The scope of one predicate.
pub(super) struct PromiseScope<'a> {
    pub(super) names: &'a Names,
    pub(super) state: &'a mut State,
    /// `before` and `after` may be used.
    transition: bool,
    /// Inside `before(…)`.
    past: bool,
    /// The cells it reads, with the row if it is one.
    pub(super) cells: Vec<(CellId, Option<u64>)>,
    /// The aggregates it reads.
    pub(super) aggregates: Vec<u32>,
    /// Its values before a change.
    pub(super) before: Vec<u32>,
}

impl<'a> PromiseScope<'a> {
    pub(super) fn new(names: &'a Names, state: &'a mut State, transition: bool) -> Self {
        Self { names, state, transition, past: false, cells: Vec::new(), aggregates: Vec::new(), before: Vec::new() }
    }

    /// The node that reads `leaf`, now or before.
    fn read(&mut self, leaf: VariableId) -> CheckedNode {
        if let Leaf::Aggregate(number) = self.state.meaning(leaf)
            && !self.aggregates.contains(&number)
        {
            self.aggregates.push(number);
        }
        if !self.past {
            return CheckedNode::Variable(leaf);
        }
        let (leaf, number) = self.state.before(leaf);
        self.before.push(number);
        CheckedNode::Variable(leaf)
    }

    /// `before(x)`, `after(x)`.
    fn side(
        &mut self,
        name: &Word,
        arguments: &[Expression],
        findings: &mut Vec<Finding>,
    ) -> Option<(CheckedNode, Type)> {
        let [inner] = arguments else {
            findings.push(Finding::new(name.from, name.to, format!("`{}` takes one expression", name.text)));
            return None;
        };
        if !self.transition {
            let finding = Finding::new(name.from, name.to, format!("`{}` stands in `transition` only", name.text));
            findings.push(finding.help("other promises see one state, not two"));
            return None;
        }
        let outer = std::mem::replace(&mut self.past, name.text == "before");
        let checked = check_any(inner, self, findings);
        self.past = outer;
        checked.map(|c| (c.node, c.sort))
    }

    /// An aggregate: `sum(bank_a.accounts)`, `all(bank_a.accounts, value >= 0)`, `sum(shop.orders.amount)`.
    fn aggregate(
        &mut self,
        kind: Kind,
        name: &Word,
        arguments: &[Expression],
        findings: &mut Vec<Finding>,
    ) -> Option<(CheckedNode, Type)> {
        let (what, first, predicate) = self.arguments(name, arguments, findings)?;
        if matches!(kind, Kind::All | Kind::Any) && predicate.is_none() {
            let finding = Finding::new(name.from, name.to, format!("`{}` needs a predicate over a row", name.text));
            findings.push(finding.help("`all(bank.accounts, value >= 0)`, `all(shop.orders, status == 'paid')`"));
            return None;
        }
        let (over, sort, mut cells) = self.over(kind, what, name, first, findings)?;
        if let (Kind::Count, None, Over::Counter { rows, .. }) = (kind, predicate, over) {
            return Some((CheckedNode::Constant(Value::Int(i64::from(rows.keys))), Type::Int));
        }
        let (about, item) = match what {
            Subject::Map(item) | Subject::Field(item, _) => (About::Map(item), item.path.clone()),
            Subject::Cell(_) | Subject::List(_) => (About::Counter, first_text(first)),
        };
        let filter = match predicate {
            None => None,
            Some(predicate) => {
                let RowPredicate { program, reads, cells: more } =
                    RowScope::compile(predicate, about, &mut *self, findings)?;
                cells.extend(more);
                Some((program, reads))
            }
        };
        self.cells.extend(cells.iter().map(|&cell| (cell, None)));
        let leaf = self.state.aggregate(kind, over, filter, (&item, &cells));
        let sort = match kind {
            Kind::All | Kind::Any | Kind::AllEqual => Type::Bool,
            Kind::Count | Kind::Distinct => Type::Int,
            Kind::Sum | Kind::Min | Kind::Max => sort,
        };
        Some((self.read(leaf), sort))
    }

    /// The rows and the predicate of an aggregate.
    fn arguments<'e>(
        &mut self,
        name: &Word,
        arguments: &'e [Expression],
        findings: &mut Vec<Finding>,
    ) -> Option<(Subject<'a>, &'e Expression, Option<&'e Expression>)> {
        let (first, predicate) = match arguments {
            [first] => (first, None),
            [first, predicate] => (first, Some(predicate)),
            _ => {
                let finding =
                    Finding::new(name.from, name.to, format!("`{}` takes rows and perhaps a predicate", name.text));
                findings.push(
                    finding.help(format!("`{}(bank.accounts)`, `{}(bank.accounts, value >= 0)`", name.text, name.text)),
                );
                return None;
            }
        };
        if let Node::Path(path) = &first.node
            && path.key.is_none()
        {
            let at = Word { text: path.text(), from: first.from, to: first.to };
            return Some((subject(self.names, path, &at, findings)?, first, predicate));
        }
        let message = format!("`{}` is about all rows of an item", name.text);
        findings.push(Finding::new(first.from, first.to, message).help(format!("`{}(bank.accounts)`", name.text)));
        None
    }

    /// The rows an aggregate is about, the type of their values, and their cells.
    fn over(
        &mut self,
        kind: Kind,
        what: Subject<'a>,
        name: &Word,
        first: &Expression,
        findings: &mut Vec<Finding>,
    ) -> Option<(Over, Type, Vec<CellId>)> {
        let function = &name.text;
        let mut wrong = |message: String, help: String| {
            findings.push(Finding::new(first.from, first.to, message).help(help));
            None
        };
        match what {
            Subject::Cell(cell) => {
                let rows = self.state.rows(cell, self.names);
                Some((Over::Counter { cell: cell.0, rows }, Type::Int, vec![cell]))
            }
            Subject::Map(item) if kind.of_values() => wrong(
                format!("`{function}` needs a field of the rows of `{}`", item.path),
                format!("`{function}({}.{})`", item.path, example(item)),
            ),
            Subject::Field(item, field) if !kind.of_values() => wrong(
                format!("`{function}` is about rows, not about one of their fields"),
                format!("`{function}({}, {} …)`", item.path, field.name),
            ),
            Subject::Field(_, field) if kind.of_numbers() && !matches!(field.sort, Type::Int | Type::Duration) => {
                let message = format!("`{function}` needs numbers, and `{}` is {}", field.name, field.sort.noun());
                wrong(message, "`count(…)` and `distinct(…)` take every field".to_owned())
            }
            Subject::Map(item) => {
                let (present, cell) = self.presence(item);
                Some((Over::Map { present, value: None }, Type::Int, vec![cell]))
            }
            Subject::Field(item, field) => {
                let (present, cell) = self.presence(item);
                let value = Some(self.state.column(field.cell, &item.kind));
                Some((Over::Map { present, value }, field.sort, vec![cell, field.cell]))
            }
            Subject::List(_) => wrong(
                "a list has no rows that a promise could look at".to_owned(),
                format!("`size({})` is how many values are in it", first_text(first)),
            ),
        }
    }

    /// The column that says which rows a map has, and its cell.
    pub(super) fn presence(&mut self, item: &Item) -> (u32, CellId) {
        let ItemKind::Map { present, .. } = &item.kind else { unreachable!("only maps have rows that come and go") };
        (self.state.column(*present, &item.kind), *present)
    }

    /// `size(x)`: the rows of a map or counter, the values of a list.
    fn size(
        &mut self,
        name: &Word,
        arguments: &[Expression],
        findings: &mut Vec<Finding>,
    ) -> Option<(CheckedNode, Type)> {
        let arguments = &arguments[..arguments.len().min(1)];
        if let (Subject::List(cell), ..) = self.arguments(name, arguments, findings)? {
            let rows = self.state.rows(cell, self.names);
            self.cells.push((cell, Some(0)));
            let leaf = self.state.slot(rows, 0);
            return Some((self.read(leaf), Type::Int));
        }
        self.aggregate(Kind::Count, name, arguments, findings)
    }

    /// One row of a counter or view.
    fn counter(
        &mut self,
        cell: CellId,
        path: &Path,
        at: &Word,
        findings: &mut Vec<Finding>,
    ) -> Option<(CheckedNode, Type)> {
        if let Some(field) = path.fields.first() {
            let message = format!("a row of `{}` is a number and has no field `{}`", at.text, field.text);
            findings.push(Finding::new(field.from, field.to, message));
            return None;
        }
        let rows = self.state.rows(cell, self.names);
        let key = match &path.key {
            Some(key) => {
                let checked = check_as(key, Type::Int, self, findings)?;
                if let Err(finding) = key_in_range(&at.text, rows.keys, &checked) {
                    findings.push(finding.about(self.names.place_of(cell)));
                    return None;
                }
                let help = || format!("over all rows: `all({}, value >= 0)`", at.text);
                constant(key, &checked.node, help, findings)? as u32
            }
            None if rows.keys == 1 => 0,
            None => return self.without_key(cell, rows, at, findings),
        };
        self.cells.push((cell, Some(u64::from(key))));
        let leaf = self.state.slot(rows, key);
        Some((self.read(leaf), Type::Int))
    }

    /// A path without a key that has several rows: a view is summed, state must say which row.
    fn without_key(
        &mut self,
        cell: CellId,
        rows: Rows,
        at: &Word,
        findings: &mut Vec<Finding>,
    ) -> Option<(CheckedNode, Type)> {
        match self.names.cells[cell.0 as usize].sort {
            CellSort::View => {
                self.cells.push((cell, None));
                let over = Over::Counter { cell: cell.0, rows };
                let leaf = self.state.aggregate(Kind::Sum, over, None, (&at.text, &[cell]));
                Some((self.read(leaf), Type::Int))
            }
            CellSort::State => {
                let finding = Finding::new(at.from, at.to, format!("`{}` has {} rows: which one?", at.text, rows.keys));
                let finding = finding.about(self.names.place_of(cell));
                findings.push(finding.help(format!("`{0}[0]`, `sum({0})`, `all({0}, value >= 0)`", at.text)));
                None
            }
        }
    }

    /// One row of a map: a field of it, or without one whether it is there.
    fn map_row(
        &mut self,
        item: &'a Item,
        path: &Path,
        at: &Word,
        findings: &mut Vec<Finding>,
    ) -> Option<(CheckedNode, Type)> {
        let ItemKind::Map { fields, present, .. } = &item.kind else { unreachable!("a map has fields") };
        let Some(key) = &path.key else {
            let finding = Finding::new(at.from, at.to, format!("`{}` is a map: which row?", at.text));
            let field = example(item);
            findings.push(finding.help(format!("`{0}[0].{field}`, `count({0})`, `all({0}, {field} …)`", at.text)));
            return None;
        };
        let checked = check_as(key, Type::Int, self, findings)?;
        let help = || format!("over all rows: `all({}, {} …)`", at.text, example(item));
        let number = constant(key, &checked.node, help, findings)?;
        let (cell, sort) = match &path.fields[..] {
            [] => (*present, None),
            [word] => field(item, fields, word, findings).map(|field| (field.cell, Some(field.sort)))?,
            [_, more, ..] => {
                findings.push(Finding::new(more.from, more.to, "a field has no fields of its own"));
                return None;
            }
        };
        let column = self.state.column(cell, &item.kind);
        self.cells.push((cell, Some(number)));
        let leaf = self.state.field(column, number, sort);
        Some((self.read(leaf), sort.unwrap_or(Type::Bool)))
    }
}

impl Scope for PromiseScope<'_> {
    fn variable(&mut self, name: &str, word: &Word, findings: &mut Vec<Finding>) -> Option<(CheckedNode, Type)> {
        let finding =
            Finding::new(word.from, word.to, format!("a promise belongs to no request: there is no `${name}`"));
        findings.push(finding.help("promises are about state, such as `bank.accounts`, and views, such as `bank.up`"));
        None
    }

    fn path(&mut self, path: &Path, at: &Word, findings: &mut Vec<Finding>) -> Option<(CheckedNode, Type)> {
        match subject(self.names, path, at, findings)? {
            Subject::Map(item) if path.key.is_some() && path.fields.is_empty() => {
                let message = format!("a row of `{}` is no value: which field?", at.text);
                let help = format!("add `.{}`, or ask `exists(…)`", example(item));
                findings.push(Finding::new(at.from, at.to, message).help(help));
                None
            }
            Subject::Cell(_) | Subject::Map(_) | Subject::Field(..) | Subject::List(_) => self.row(path, at, findings),
        }
    }

    fn row(&mut self, path: &Path, at: &Word, findings: &mut Vec<Finding>) -> Option<(CheckedNode, Type)> {
        match subject(self.names, path, at, findings)? {
            Subject::Cell(cell) => self.counter(cell, path, at, findings),
            Subject::Map(item) => self.map_row(item, path, at, findings),
            Subject::Field(item, field) => {
                let message = format!("`{}` is a field of every row of `{}`: of which row?", field.name, item.path);
                let help = format!("`{0}[0].{1}`, `distinct({0}.{1})`", item.path, field.name);
                findings.push(Finding::new(at.from, at.to, message).help(help));
                None
            }
            Subject::List(_) => {
                let finding = Finding::new(at.from, at.to, format!("`{}` is a list", at.text));
                findings.push(finding.help(format!("`size({})` is how many values are in it", at.text)));
                None
            }
        }
    }

    fn call(
        &mut self,
        name: &Word,
        arguments: &[Expression],
        findings: &mut Vec<Finding>,
    ) -> Option<(CheckedNode, Type)> {
        if let Some(kind) = Kind::of(&name.text) {
            return self.aggregate(kind, name, arguments, findings);
        }
        match name.text.as_str() {
            "size" => self.size(name, arguments, findings),
            "before" | "after" => self.side(name, arguments, findings),
            _ => {
                findings.push(unknown_function(name));
                None
            }
        }
    }

    fn symbol(&mut self, text: &str) -> u32 {
        self.state.symbol(text)
    }
}

/// The number of a constant key.
fn constant(
    key: &Expression,
    checked: &CheckedNode,
    help: impl FnOnce() -> String,
    findings: &mut Vec<Finding>,
) -> Option<u64> {
    let CheckedNode::Constant(Value::Int(number)) = checked else {
        findings.push(Finding::new(key.from, key.to, "the key must be a constant here").help(help()));
        return None;
    };
    let found = u64::try_from(*number).ok();
    if found.is_none() {
        findings.push(Finding::new(key.from, key.to, "a key is not negative"));
    }
    found
}

fn first_text(first: &Expression) -> String {
    if let Node::Path(path) = &first.node { path.text() } else { String::new() }
}

/// The functions of promises.
const FUNCTIONS: [&str; 12] =
    ["count", "sum", "min", "max", "all", "any", "size", "distinct", "all_equal", "exists", "before", "after"];

/// There is no such function.
pub(super) fn unknown_function(name: &Word) -> Finding {
    let finding = Finding::new(name.from, name.to, format!("there is no function `{}`", name.text));
    match nearest(&name.text, FUNCTIONS) {
        Some(near) => finding.help(format!("`{near}`?")),
        None => finding.help(format!("there are {}", FUNCTIONS.join(", "))),
    }
}
