//! What names mean in a predicate over rows: bare names are the row's, a dotted path is another item at the row's key.
//!
//! At the row's key only: then a change of row k anywhere concerns row k alone. A name that means the same for all rows
//! (`shop.stock`, `bank.accounts[3]`), or a key that stands in a field, would mean judging all rows again at each of its
//! changes; both are errors.

use kernel::CellId;
use systems::expression::{Program, VariableId};

use super::reading::{KEY, Named, Reading, VALUE};
use super::scope::{PromiseScope, unknown_function};
use super::subject::{Subject, example, field, subject};
use super::tally::Kind;
use crate::expression::{CheckedNode, Expression, Finding, Node, Path, Scope, Type, Word, check_as, lower};
use crate::names::{Item, ItemKind};

/// What the rows are.
#[derive(Clone, Copy, Debug)]
pub(super) enum About<'a> {
    /// Numbers under keys.
    Counter,
    /// Rows of this map.
    Map(&'a Item),
}

/// A compiled predicate over rows.
#[derive(Clone, Debug)]
pub(super) struct RowPredicate {
    pub(super) program: Program,
    /// What it reads, in the order of the first mention.
    pub(super) reads: Vec<VariableId>,
    /// The cells of what it reads.
    pub(super) cells: Vec<CellId>,
}

/// The scope of a predicate over rows.
pub(super) struct RowScope<'s, 'a> {
    outer: &'s mut PromiseScope<'a>,
    about: About<'a>,
    reads: Vec<VariableId>,
    cells: Vec<CellId>,
}

impl<'s, 'a> RowScope<'s, 'a> {
    /// Compiles a predicate over rows.
    pub(super) fn compile(
        text: &Expression,
        about: About<'a>,
        outer: &'s mut PromiseScope<'a>,
        findings: &mut Vec<Finding>,
    ) -> Option<RowPredicate> {
        let mut scope = Self { outer, about, reads: Vec::new(), cells: Vec::new() };
        let checked = check_as(text, Type::Bool, &mut scope, findings)?;
        let Self { reads, cells, .. } = scope;
        match lower(&checked) {
            Ok(program) => Some(RowPredicate { program, reads, cells }),
            Err(finding) => {
                findings.push(finding);
                None
            }
        }
    }

    /// A bare name: of the row.
    fn own(&mut self, name: &Word, findings: &mut Vec<Finding>) -> Option<(CheckedNode, Type)> {
        match (self.about, name.text.as_str()) {
            (_, "key") => Some((CheckedNode::Variable(KEY), Type::Int)),
            (About::Counter, "value") => Some((CheckedNode::Variable(VALUE), Type::Int)),
            (About::Counter, other) => {
                let message = format!("a row of a counter has no field `{other}`");
                let finding = Finding::new(name.from, name.to, message);
                findings.push(finding.help("its value is `value`, its key `key`"));
                None
            }
            (About::Map(item), _) => self.field(item, name, findings),
        }
    }

    /// A field of the row of a map with this key.
    fn field(&mut self, item: &'a Item, word: &Word, findings: &mut Vec<Finding>) -> Option<(CheckedNode, Type)> {
        let ItemKind::Map { fields, .. } = &item.kind else { unreachable!("only maps have fields") };
        let field = field(item, fields, word, findings)?;
        let column = self.outer.state.column(field.cell, &item.kind);
        let reading = Reading::Field { column, sort: field.sort };
        let name = Named { reading, item: item.path.clone(), field: field.name.clone() };
        Some((self.read(name, field.cell), field.sort))
    }

    fn read(&mut self, name: Named, cell: CellId) -> CheckedNode {
        let variable = self.outer.state.reading(name);
        if !self.reads.contains(&variable) {
            self.reads.push(variable);
        }
        if !self.cells.contains(&cell) {
            self.cells.push(cell);
        }
        CheckedNode::Variable(variable)
    }

    /// Whether a path has the row's key, and no other.
    fn at_the_key(&self, path: &Path, at: &Word, findings: &mut Vec<Finding>) -> Option<()> {
        let (message, help) = match path.key.as_deref() {
            Some(key) if matches!(&key.node, Node::Path(p) if p.key.is_none() && p.text() == "key") => return Some(()),
            Some(key) if self.is_field(key) => (
                "a field cannot be a key here: its changes would have to be followed",
                format!("the rows with this row's own key are `{}[key]`", at.text),
            ),
            Some(_) | None => (
                "inside a predicate over rows, another item is read at the row's key only",
                format!(
                    "`{}[key]`; a value that is the same for all rows would concern them all when it changes",
                    at.text
                ),
            ),
        };
        findings.push(Finding::new(at.from, at.to, message).help(help));
        None
    }

    fn is_field(&self, key: &Expression) -> bool {
        let Node::Path(path) = &key.node else { return false };
        let fields = match self.about {
            About::Counter => return path.text() == "value",
            About::Map(item) => match &item.kind {
                ItemKind::Map { fields, .. } => &fields[..],
                ItemKind::Counter { .. } | ItemKind::List { .. } => &[],
            },
        };
        path.key.is_none() && fields.iter().any(|field| field.name == path.text())
    }
}

impl Scope for RowScope<'_, '_> {
    fn variable(&mut self, name: &str, word: &Word, findings: &mut Vec<Finding>) -> Option<(CheckedNode, Type)> {
        self.outer.variable(name, word, findings)
    }

    fn path(&mut self, path: &Path, at: &Word, findings: &mut Vec<Finding>) -> Option<(CheckedNode, Type)> {
        let bare = path.names.len() == 1 && path.key.is_none();
        if !bare
            && path.fields.is_empty()
            && let Subject::Map(item) = subject(self.outer.names, path, at, findings)?
        {
            self.at_the_key(path, at, findings)?;
            let message = format!("a row of `{}` is no value: which field?", at.text);
            let help = format!("`{0}[key].{1}`, `exists({0}[key])`", at.text, example(item));
            findings.push(Finding::new(at.from, at.to, message).help(help));
            return None;
        }
        self.row(path, at, findings)
    }

    fn row(&mut self, path: &Path, at: &Word, findings: &mut Vec<Finding>) -> Option<(CheckedNode, Type)> {
        if let ([name], None) = (&path.names[..], &path.key) {
            return self.own(name, findings);
        }
        let what = subject(self.outer.names, path, at, findings)?;
        if let Subject::List(_) = what {
            let finding = Finding::new(at.from, at.to, "a list has no rows that a promise could look at");
            findings.push(finding.help(format!("outside of this predicate: `size({})`", at.text)));
            return None;
        }
        if let Subject::Field(item, field) = what {
            let message = format!("`{}` is a field of every row of `{}`: of which row?", field.name, item.path);
            let help = format!("`{}[key].{}`", item.path, field.name);
            findings.push(Finding::new(at.from, at.to, message).help(help));
            return None;
        }
        self.at_the_key(path, at, findings)?;
        match (what, &path.fields[..]) {
            (Subject::Cell(cell), []) => {
                let rows = self.outer.state.rows(cell, self.outer.names);
                let name = Named { reading: Reading::Counter(rows), item: at.text.clone(), field: String::new() };
                Some((self.read(name, cell), Type::Int))
            }
            (Subject::Map(item), []) => {
                let (column, cell) = self.outer.presence(item);
                let name =
                    Named { reading: Reading::Present { column }, item: item.path.clone(), field: String::new() };
                Some((self.read(name, cell), Type::Bool))
            }
            (Subject::Map(item), [word]) => self.field(item, word, findings),
            (Subject::Cell(_), [field, ..]) => {
                let message = format!("a row of `{}` is a number and has no field `{}`", at.text, field.text);
                findings.push(Finding::new(field.from, field.to, message));
                None
            }
            (Subject::Map(_) | Subject::Field(..) | Subject::List(_), _) => {
                findings.push(Finding::new(at.from, at.to, "a field has no fields of its own"));
                None
            }
        }
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
