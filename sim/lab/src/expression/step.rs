//! Expressions of steps: request variables and rows of state.

use systems::expression::{ItemId, Operator, Program, Value, VariableId};

use super::check::{Checked, CheckedNode, Scope, Type, check, check_as};
use super::parse::parse;
use super::problem::{Finding, Problem};
use super::program::lower;
use super::syntax::{Expression, Path, Word};
use crate::model::At;
use crate::nearest::nearest;

/// An item of state that a step may read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Item {
    /// Its number.
    pub id: ItemId,
    /// Rows 0 … keys − 1.
    pub keys: u32,
}

/// What a variable of a step stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// What the request carries under this number.
    Carried(VariableId),
    /// Always this number.
    Number(i64),
    /// This variable, times a number, plus a number.
    Scaled(VariableId, i64, i64),
}

/// Variables of the grammar that this version does not have, each with the reason.
pub(crate) const LATER: [(&str, &str); 5] = [
    ("i", "it counts the turns of a `times` step, which this version does not have"),
    ("last_read", "it is what a client last read from a store, which this version does not have"),
    ("message.key", "messages come from queues and topics, which this version does not have"),
    ("message.type", "messages come from queues and topics, which this version does not have"),
    ("message.deliveries", "messages come from queues and topics, which this version does not have"),
];

/// What a step sees.
pub trait StepScope {
    /// The variable `$name` (without the dollar sign; with dots for `$message.key`).
    fn variable(&mut self, name: &str) -> Option<(Meaning, Type)>;
    /// The variables there are, for suggestions.
    fn variables(&self) -> Vec<String>;
    /// The item at this path: `stock` of the step's own owner, `bank_a.accounts` of another.
    fn item(&self, path: &str) -> Option<Item>;
    /// The paths of the items there are, for suggestions.
    fn items(&self) -> Vec<String>;
    /// Where an item that exists but may not be read from here belongs to: a reason, such as `another service's state`.
    fn forbidden(&self, _path: &str) -> Option<String> {
        None
    }
    /// Where in the file the item at this path is declared, or would be.
    fn place_of(&self, path: &str) -> String;
    /// The symbol of a text.
    fn symbol(&mut self, text: &str) -> u32;
}

/// Compiles an expression of a step, which must be of type `wanted`.
pub fn compile_step(at: &At<String>, wanted: Type, scope: &mut impl StepScope) -> Result<Program, Vec<Problem>> {
    let located = |findings: Vec<Finding>| findings.into_iter().map(|f| f.at(at)).collect::<Vec<_>>();
    let text = parse(&at.value).map_err(|f| located(vec![f]))?;
    let checked = check(&text, wanted, &mut Steps(scope)).map_err(located)?;
    lower(&checked).map_err(|f| located(vec![f]))
}

struct Steps<'a, S>(&'a mut S);

impl<S: StepScope> Scope for Steps<'_, S> {
    fn variable(&mut self, name: &str, word: &Word, findings: &mut Vec<Finding>) -> Option<(CheckedNode, Type)> {
        if let Some((meaning, sort)) = self.0.variable(name) {
            return Some((node_of(meaning, word, sort), sort));
        }
        if let Some((_, why)) = LATER.iter().find(|(later, _)| *later == name) {
            let message = format!("`${name}` is not supported by this version yet");
            findings.push(Finding::new(word.from, word.to, message).label(*why));
            return None;
        }
        let finding = Finding::new(word.from, word.to, format!("nothing on any path to this step sets `${name}`"));
        let finding = finding.about("workloads");
        let names = self.0.variables();
        findings.push(match nearest(name, names.iter().map(String::as_str)) {
            Some(name) => finding.help(format!("`${name}`?")),
            None => finding,
        });
        None
    }

    fn path(&mut self, path: &Path, at: &Word, findings: &mut Vec<Finding>) -> Option<(CheckedNode, Type)> {
        let name = path.text();
        let Some(item) = self.0.item(&name) else {
            findings.push(self.unknown(&name, at));
            return None;
        };
        if let Some(field) = path.fields.first() {
            let message = format!("a row of `{name}` is a number and has no field `{}`", field.text);
            findings.push(Finding::new(field.from, field.to, message));
            return None;
        }
        let key = match &path.key {
            Some(key) => check_as(key, Type::Int, self, findings)?,
            None if item.keys == 1 => {
                Checked { node: CheckedNode::Constant(Value::Int(0)), sort: Type::Int, from: at.from, to: at.to }
            }
            None => {
                let finding = Finding::new(at.from, at.to, format!("`{name}` has {} rows: which one?", item.keys));
                findings.push(finding.about(self.0.place_of(&name)).help(format!("`{name}[$key]`")));
                return None;
            }
        };
        if let Err(finding) = key_in_range(&name, item.keys, &key) {
            findings.push(finding.about(self.0.place_of(&name)));
            return None;
        }
        Some((CheckedNode::Row(item.id, Box::new(key)), Type::Int))
    }

    fn call(&mut self, name: &Word, _: &[Expression], findings: &mut Vec<Finding>) -> Option<(CheckedNode, Type)> {
        let finding = Finding::new(name.from, name.to, format!("there is no function `{}` in a step", name.text));
        findings.push(
            finding.help(
                "a step looks at single rows, `stock[$item] >= 1`, and asks `exists(row)`; sums are for invariants",
            ),
        );
        None
    }

    fn symbol(&mut self, text: &str) -> u32 {
        self.0.symbol(text)
    }
}

impl<S: StepScope> Steps<'_, S> {
    fn unknown(&self, name: &str, at: &Word) -> Finding {
        if let Some(reason) = self.0.forbidden(name) {
            return Finding::new(at.from, at.to, format!("a step cannot read `{name}`: {reason}"));
        }
        if self.0.variables().iter().any(|known| known == name) {
            let finding = Finding::new(at.from, at.to, format!("no state is called `{name}`"));
            return finding.help(format!("the request's variable is `${name}`"));
        }
        let finding = Finding::new(at.from, at.to, format!("no state is called `{name}`"));
        let finding = finding.about(self.0.place_of(name));
        let items = self.0.items();
        match nearest(name, items.iter().map(String::as_str)) {
            Some(near) => finding.help(format!("`{near}`?")),
            None if items.is_empty() => finding.label("this step sees no state"),
            None => finding.help(format!("there is {}", items.join(", "))),
        }
    }
}

fn node_of(meaning: Meaning, word: &Word, sort: Type) -> CheckedNode {
    let part = |node| Box::new(Checked { node, sort, from: word.from, to: word.to });
    let number = |n| part(CheckedNode::Constant(Value::Int(n)));
    match meaning {
        Meaning::Carried(id) => CheckedNode::Variable(id),
        Meaning::Number(n) => CheckedNode::Constant(Value::Int(n)),
        Meaning::Scaled(id, times, plus) => {
            let scaled = CheckedNode::Apply(Operator::Multiply, part(CheckedNode::Variable(id)), number(times));
            CheckedNode::Apply(Operator::Add, part(scaled), number(plus))
        }
    }
}

/// A constant key must name a row that there is.
pub(crate) fn key_in_range(name: &str, keys: u32, key: &Checked) -> Result<(), Finding> {
    let CheckedNode::Constant(Value::Int(n)) = key.node else { return Ok(()) };
    if (0..i64::from(keys)).contains(&n) {
        return Ok(());
    }
    let message = format!("`{name}` has no row {n}");
    let rows = if keys == 1 { "its only row is 0".to_owned() } else { format!("its rows are 0 to {}", keys - 1) };
    Err(Finding::new(key.from, key.to, message).help(rows))
}

#[cfg(test)]
#[path = "step_tests.rs"]
mod tests;
