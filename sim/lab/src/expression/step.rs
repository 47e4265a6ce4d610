//! Expressions of steps: request variables and rows of state.

use systems::expression::{ItemId, Operator, Program, Value, VariableId};

use super::check::{Checked, CheckedNode, Scope, Type, check, check_any, check_as};
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

/// A map that a step may read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Map {
    /// Whether there is a row.
    pub presence: ItemId,
    /// Its fields.
    pub fields: Vec<(String, ItemId, Type)>,
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
pub(crate) const LATER: [(&str, &str); 4] = [
    ("i", "it counts the turns of a `times` step, which this version does not have"),
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
    /// The map at this path.
    fn map(&self, _path: &str) -> Option<Map> {
        None
    }
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
        if let Some(map) = self.0.map(&name) {
            return self.row_of_map(&name, &map, (path, at), findings);
        }
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
    /// `orders[$id].status`, or `orders.status`'s row: without a key it is that of the root request.
    fn row_of_map(
        &mut self,
        name: &str,
        map: &Map,
        (path, at): (&Path, &Word),
        findings: &mut Vec<Finding>,
    ) -> Option<(CheckedNode, Type)> {
        let key = if let Some(key) = &path.key {
            let key = check_any(key, self, findings)?;
            if !matches!(key.sort, Type::Int | Type::Text) {
                let message = format!("rows of `{name}` go by a number or a text, not {}", key.sort.noun());
                findings.push(Finding::new(key.from, key.to, message));
                return None;
            }
            key
        } else {
            let (meaning, sort) = self.0.variable("id").expect("every request has an id");
            Checked { node: node_of(meaning, at, sort), sort, from: at.from, to: at.to }
        };
        match path.fields.as_slice() {
            [] => Some((CheckedNode::Row(map.presence, Box::new(key)), Type::Bool)),
            [field, rest @ ..] => {
                if let Some(more) = rest.first() {
                    findings.push(Finding::new(more.from, more.to, "a field has no fields of its own"));
                    return None;
                }
                let Some((_, id, sort)) = map.fields.iter().find(|(known, ..)| *known == field.text) else {
                    let known: Vec<&str> = map.fields.iter().map(|(name, ..)| name.as_str()).collect();
                    let message = format!("a row of `{name}` has no field `{}`", field.text);
                    let finding = Finding::new(field.from, field.to, message).about(self.0.place_of(name));
                    findings.push(match nearest(&field.text, known.iter().copied()) {
                        Some(near) => finding.help(format!("`{near}`?")),
                        None => finding.help(format!("its fields: {}", known.join(", "))),
                    });
                    return None;
                };
                Some((CheckedNode::Row(*id, Box::new(key)), *sort))
            }
        }
    }

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
