//! What names mean in a promise: cells by path, aggregates over their rows, `before` and `after`.

use kernel::CellId;
use systems::expression::{ItemId, Program, Value, VariableId};

use super::aggregate::{KEY, Kind, Rows, VALUE};
use super::state::{Leaf, State};
use crate::expression::{
    Checked, CheckedNode, Expression, Finding, Node, Path, Scope, Type, Word, check_any, check_as, key_in_range, lower,
};
use crate::names::{CellSort, Names, path_of};
use crate::nearest::nearest;

/// The scope of one predicate.
pub(super) struct PromiseScope<'a> {
    names: &'a Names,
    state: &'a mut State,
    /// `before` and `after` may be used.
    transition: bool,
    /// Inside `before(…)`.
    past: bool,
    /// The cells it reads, with the row if it is one.
    pub(super) cells: Vec<(CellId, Option<u32>)>,
    /// The aggregates it reads.
    pub(super) aggregates: Vec<u32>,
    /// Its values before a change.
    pub(super) before: Vec<u32>,
    /// The texts it names; no state holds text, so they only meet each other.
    texts: Vec<String>,
}

impl<'a> PromiseScope<'a> {
    pub(super) fn new(names: &'a Names, state: &'a mut State, transition: bool) -> Self {
        Self {
            names,
            state,
            transition,
            past: false,
            cells: Vec::new(),
            aggregates: Vec::new(),
            before: Vec::new(),
            texts: Vec::new(),
        }
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

    /// An aggregate: `sum(bank_a.accounts)`, `all(bank_a.accounts, value >= 0)`.
    fn aggregate(
        &mut self,
        kind: Kind,
        name: &Word,
        arguments: &[Expression],
        findings: &mut Vec<Finding>,
    ) -> Option<(CheckedNode, Type)> {
        let (cell, predicate) = self.arguments(name, arguments, findings)?;
        let needed = matches!(kind, Kind::All | Kind::Any);
        let forbidden = matches!(kind, Kind::Distinct | Kind::AllEqual);
        if needed && predicate.is_none() || forbidden && predicate.is_some() {
            let wanted = if needed { "needs a predicate over a row" } else { "takes no predicate" };
            let finding = Finding::new(name.from, name.to, format!("`{}` {wanted}", name.text));
            findings.push(finding.help(if needed {
                "`all(bank.accounts, value >= 0)`"
            } else {
                "`distinct(bank.accounts)`"
            }));
            return None;
        }
        let rows = self.state.rows(cell, self.names);
        if kind == Kind::Count && predicate.is_none() {
            return Some((CheckedNode::Constant(Value::Int(i64::from(rows.keys))), Type::Int));
        }
        let filter = match predicate {
            None => None,
            Some(predicate) => Some(self.predicate(predicate, findings)?),
        };
        self.cells.push((cell, None));
        self.cells.extend(filter.iter().flat_map(|(_, others)| others.iter().map(|&other| (other, None))));
        let leaf = self.state.aggregate(kind, cell, filter, self.names);
        let sort = match kind {
            Kind::All | Kind::Any | Kind::AllEqual => Type::Bool,
            Kind::Count | Kind::Sum | Kind::Min | Kind::Max | Kind::Distinct => Type::Int,
        };
        Some((self.read(leaf), sort))
    }

    /// The cell and the predicate of an aggregate.
    fn arguments<'e>(
        &mut self,
        name: &Word,
        arguments: &'e [Expression],
        findings: &mut Vec<Finding>,
    ) -> Option<(CellId, Option<&'e Expression>)> {
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
            return Some((self.cell(&at, findings)?, predicate));
        }
        let message = format!("`{}` is about all rows of an item", name.text);
        findings.push(Finding::new(first.from, first.to, message).help(format!("`{}(bank.accounts)`", name.text)));
        None
    }

    /// Compiles a predicate over rows, and tells which other cells it reads.
    fn predicate(&mut self, text: &Expression, findings: &mut Vec<Finding>) -> Option<(Program, Vec<CellId>)> {
        let mut rows = RowScope { outer: self, others: Vec::new() };
        let checked = check_as(text, Type::Bool, &mut rows, findings)?;
        let others = rows.others;
        match lower(&checked) {
            Ok(program) => Some((program, others)),
            Err(finding) => {
                findings.push(finding);
                None
            }
        }
    }

    /// The cell at a path.
    fn cell(&self, at: &Word, findings: &mut Vec<Finding>) -> Option<CellId> {
        let found = self.names.find_cell(&at.text);
        if found.is_none() {
            findings.push(unknown_cell(self.names, at));
        }
        found
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
        let cell = self.cell(at, findings)?;
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
                let CheckedNode::Constant(Value::Int(key)) = checked.node else {
                    let finding = Finding::new(key.from, key.to, "the key must be a constant here");
                    findings.push(finding.help(format!("over all rows: `all({}, value >= 0)`", at.text)));
                    return None;
                };
                key as u32
            }
            None if rows.keys == 1 => 0,
            None => return self.without_key(cell, rows, at, findings),
        };
        self.cells.push((cell, Some(key)));
        let leaf = self.state.slot(rows, key);
        Some((self.read(leaf), Type::Int))
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
            "size" => self.aggregate(Kind::Count, name, &arguments[..arguments.len().min(1)], findings),
            "before" | "after" => self.side(name, arguments, findings),
            _ => {
                findings.push(unknown_function(name));
                None
            }
        }
    }

    fn symbol(&mut self, text: &str) -> u32 {
        let found = self.texts.iter().position(|t| t == text);
        found.unwrap_or_else(|| {
            self.texts.push(text.to_owned());
            self.texts.len() - 1
        }) as u32
    }
}

impl PromiseScope<'_> {
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
                let leaf = self.state.aggregate(Kind::Sum, cell, None, self.names);
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
}

/// Names in a predicate over rows: `value` and `key` are the row's, a dotted path is global and takes `[key]` only.
struct RowScope<'a, 'b> {
    outer: &'a mut PromiseScope<'b>,
    others: Vec<CellId>,
}

impl Scope for RowScope<'_, '_> {
    fn variable(&mut self, name: &str, word: &Word, findings: &mut Vec<Finding>) -> Option<(CheckedNode, Type)> {
        self.outer.variable(name, word, findings)
    }

    fn path(&mut self, path: &Path, at: &Word, findings: &mut Vec<Finding>) -> Option<(CheckedNode, Type)> {
        if let ([name], None) = (&path.names[..], &path.key) {
            match name.text.as_str() {
                "value" => return Some((CheckedNode::Variable(VALUE), Type::Int)),
                "key" => return Some((CheckedNode::Variable(KEY), Type::Int)),
                other => {
                    let finding = Finding::new(at.from, at.to, format!("a row of a counter has no field `{other}`"));
                    findings.push(finding.help("its value is `value`, its key `key`"));
                    return None;
                }
            }
        }
        let cell = self.outer.cell(at, findings)?;
        // Naming it mirrors it.
        self.outer.state.rows(cell, self.outer.names);
        let by_key = path
            .key
            .as_ref()
            .is_some_and(|key| matches!(&key.node, Node::Path(key) if key.text() == "key" && key.key.is_none()));
        if !by_key || !path.fields.is_empty() {
            let finding = Finding::new(
                at.from,
                at.to,
                "inside a predicate over rows, another item is read at the row's key only",
            );
            findings.push(finding.help(format!("`{}[key]`", at.text)));
            return None;
        }
        if !self.others.contains(&cell) {
            self.others.push(cell);
        }
        let key = Checked { node: CheckedNode::Variable(KEY), sort: Type::Int, from: at.from, to: at.to };
        Some((CheckedNode::Row(ItemId(cell.0), Box::new(key)), Type::Int))
    }

    fn call(&mut self, name: &Word, _: &[Expression], findings: &mut Vec<Finding>) -> Option<(CheckedNode, Type)> {
        let known = Kind::of(&name.text).is_some() || matches!(name.text.as_str(), "size" | "before" | "after");
        findings.push(if known {
            Finding::new(name.from, name.to, format!("`{}` cannot stand inside a predicate over rows", name.text))
        } else {
            unknown_function(name)
        });
        None
    }

    fn symbol(&mut self, text: &str) -> u32 {
        self.outer.symbol(text)
    }
}

/// The functions of promises.
const FUNCTIONS: [&str; 12] =
    ["count", "sum", "min", "max", "all", "any", "size", "distinct", "all_equal", "exists", "before", "after"];

fn unknown_function(name: &Word) -> Finding {
    let finding = Finding::new(name.from, name.to, format!("there is no function `{}`", name.text));
    match nearest(&name.text, FUNCTIONS) {
        Some(near) => finding.help(format!("`{near}`?")),
        None => finding.help(format!("there are {}", FUNCTIONS.join(", "))),
    }
}

/// Nothing is called so: the nearest path, or what there is of that part.
fn unknown_cell(names: &Names, at: &Word) -> Finding {
    let finding = Finding::new(at.from, at.to, format!("nothing is called `{}`", at.text)).about(path_of(&at.text));
    let paths = || names.cells.iter().map(|c| c.path.as_str());
    if let Some(near) = nearest(&at.text, paths()) {
        return finding.help(format!("`{near}`?"));
    }
    let part = at.text.split('.').next().unwrap_or_default();
    let mut of_part: Vec<_> = paths().filter(|p| p.split('.').next() == Some(part)).collect();
    if of_part.is_empty() {
        of_part = paths().filter(|p| p.split_once('.').is_some_and(|(_, item)| item == at.text)).collect();
    }
    of_part.truncate(6);
    if of_part.is_empty() { finding } else { finding.help(format!("there is {}", of_part.join(", "))) }
}
