//! One predicate of a promise: its program, what it reads, and how to tell why it is false.

use kernel::CellId;
use systems::expression::{Environment, Fault, Operator, Program, Value, VariableId};

use super::scope::PromiseScope;
use super::state::{Leaf, State};
use super::witness::{guilty, rows, told};
use crate::expression::{Checked, CheckedNode, Finding, Problem, Type, check, lower, parse};
use crate::model::At;
use crate::names::Names;

/// A compiled predicate.
#[derive(Clone, Debug)]
pub(super) struct Predicate {
    /// As written.
    pub(super) text: String,
    program: Program,
    /// Set if it is one name against one number: `min(bank.accounts) >= 0`, the most frequent predicate by far.
    plain: Option<(VariableId, Operator, i64)>,
    aggregates: Vec<u32>,
    before: Vec<u32>,
    conjuncts: Vec<Conjunct>,
}

/// One of the parts that `&&` holds together.
#[derive(Clone, Debug)]
struct Conjunct {
    text: String,
    program: Program,
    parts: Vec<Part>,
    /// Of an equation: its sides.
    sides: Option<(Program, Program)>,
}

/// A part whose value says something.
#[derive(Clone, Debug)]
struct Part {
    text: String,
    program: Program,
    sort: Type,
    /// The aggregate it is, if it is one, whose rows can be named.
    aggregate: Option<u32>,
}

/// The cells a predicate reads, with the row if it is one.
pub(super) type Reads = Vec<(CellId, Option<u64>)>;

/// At most this many parts and rows are told.
const TOLD_MAX: usize = 8;

impl Predicate {
    /// Compiles a predicate; `transition` allows `before` and `after`.
    pub(super) fn compile(
        at: &At<String>,
        transition: bool,
        names: &Names,
        state: &mut State,
    ) -> Result<(Self, Reads), Vec<Problem>> {
        let located = |findings| located(findings, at);
        let tree = parse(&at.value).map_err(|f| located(vec![f]))?;
        let mut scope = PromiseScope::new(names, state, transition);
        let checked = check(&tree, Type::Bool, &mut scope).map_err(located)?;
        let PromiseScope { cells, aggregates, before, .. } = scope;
        let program = lower(&checked).map_err(|f| located(vec![f]))?;
        if cells.is_empty() {
            let finding = Finding::new(tree.from, tree.to, "this reads nothing that can change");
            return Err(located(vec![finding.help("a promise is about state, such as `sum(bank.accounts) == 100`")]));
        }
        let mut conjuncts = Vec::new();
        split(&checked, &at.value, state, &mut conjuncts);
        let plain = plain(&checked);
        Ok((Self { text: at.value.clone(), program, plain, aggregates, before, conjuncts }, cells))
    }

    /// Whether it holds now.
    #[inline]
    pub(super) fn holds(&self, state: &State) -> Result<bool, Fault> {
        if let Some((leaf, operator, right)) = self.plain
            && let Value::Int(left) = state.variable(leaf)
            && !state.any_fault()
        {
            return Ok(match operator {
                Operator::Equal => left == right,
                Operator::NotEqual => left != right,
                Operator::Less => left < right,
                Operator::LessEqual => left <= right,
                Operator::Greater => left > right,
                Operator::GreaterEqual => left >= right,
                Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Remainder => {
                    unreachable!("only comparisons are plain")
                }
            });
        }
        state.holds(&self.program, &self.aggregates)
    }

    /// What is now is what will have been before the next change.
    #[inline]
    pub(super) fn remember(&self, state: &mut State) {
        state.remember(&self.before);
    }

    /// Why it is not `wanted` now: the values of its main parts.
    pub(super) fn explain(&self, wanted: bool, state: &State) -> Vec<String> {
        let mut lines = Vec::new();
        for conjunct in &self.conjuncts {
            let guilty = !wanted || conjunct.program.truth(state) != Ok(true);
            if !guilty {
                continue;
            }
            if self.conjuncts.len() > 1 {
                lines.push(format!("{} is {}", conjunct.text, if wanted { "false" } else { "true" }));
            }
            for line in conjunct.parts.iter().flat_map(|part| part.explain(state)) {
                if !lines.contains(&line) && lines.len() < TOLD_MAX {
                    lines.push(line);
                }
            }
        }
        lines
    }

    /// The rows that make it not `wanted` now, each with its item.
    pub(super) fn guilty_rows(&self, wanted: bool, state: &State) -> Vec<(String, u64)> {
        let mut found = Vec::new();
        let blamed = |conjunct: &&Conjunct| !wanted || conjunct.program.truth(state) != Ok(true);
        for part in self.conjuncts.iter().filter(blamed).flat_map(|conjunct| &conjunct.parts) {
            let Some(number) = part.aggregate else { continue };
            let rows = guilty(&state.aggregates[number as usize], state);
            found.extend(rows.into_iter().map(|(key, _)| (state.items[number as usize].clone(), key)));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The two sides of its first equation.
    pub(super) fn sides(&self) -> Option<(&Program, &Program)> {
        self.conjuncts.iter().find_map(|conjunct| conjunct.sides.as_ref()).map(|(left, right)| (left, right))
    }

    /// The values of its main parts, in one line.
    pub(super) fn values(&self, state: &State) -> String {
        let parts = self.conjuncts.iter().flat_map(|c| &c.parts);
        let mut lines: Vec<String> = Vec::new();
        for line in parts.filter_map(|part| part.explain(state).into_iter().next()) {
            if !lines.contains(&line) && lines.len() < TOLD_MAX {
                lines.push(line);
            }
        }
        lines.join(", ")
    }
}

/// Mistakes at their places in the scenario.
pub(super) fn located(findings: Vec<Finding>, at: &At<String>) -> Vec<Problem> {
    findings.into_iter().map(|finding| finding.at(at)).collect()
}

impl Part {
    /// Its value, then the rows that make it so.
    fn explain(&self, state: &State) -> Vec<String> {
        let value = match self.program.evaluate(state) {
            Ok(value) => told(value, self.sort, state),
            Err(fault) => fault.to_string(),
        };
        let (place, mut lines) = self.aggregate.map_or_else(Default::default, |number| rows(number, state));
        lines.insert(0, format!("{} = {value}{place}", self.text));
        lines
    }
}

/// The expression as one name compared with one number, if it is that.
fn plain(checked: &Checked) -> Option<(VariableId, Operator, i64)> {
    let CheckedNode::Apply(operator, left, right) = &checked.node else { return None };
    match (&left.node, &right.node) {
        (CheckedNode::Variable(leaf), CheckedNode::Constant(Value::Int(n))) if checked.sort == Type::Bool => {
            Some((*leaf, *operator, *n))
        }
        _ => None,
    }
}

/// Splits at `&&` and finds the telling parts of each piece.
fn split(checked: &Checked, text: &str, state: &State, into: &mut Vec<Conjunct>) {
    if let CheckedNode::And(left, right) = &checked.node {
        split(left, text, state, into);
        split(right, text, state, into);
        return;
    }
    // The whole was compiled, so each piece, which needs no more registers, can be.
    let Ok(program) = lower(checked) else { return };
    let mut parts = Vec::new();
    collect(checked, text, state, &mut parts);
    let sides = if let CheckedNode::Apply(Operator::Equal, left, right) = &checked.node {
        lower(left).ok().zip(lower(right).ok())
    } else {
        None
    };
    into.push(Conjunct { text: slice(checked, text).to_owned(), program, parts, sides });
}

/// The telling parts of an expression: both sides of a comparison, then everything that is read.
fn collect(checked: &Checked, text: &str, state: &State, parts: &mut Vec<Part>) {
    match &checked.node {
        CheckedNode::Constant(_) => {}
        CheckedNode::Variable(leaf) => {
            let slice = slice(checked, text);
            let (aggregate, text) = match state.meaning(*leaf) {
                Leaf::Aggregate(number) => (Some(number), slice.to_owned()),
                Leaf::Slot(_) | Leaf::Field { .. } | Leaf::Present { .. } => (None, slice.to_owned()),
                Leaf::Before(_) if slice.starts_with("before") => (None, slice.to_owned()),
                Leaf::Before(_) => (None, format!("before({slice})")),
            };
            push(parts, Part { text, program: Program::variable(*leaf), sort: checked.sort, aggregate });
        }
        CheckedNode::Apply(operator, left, right) => {
            if !matches!(
                operator,
                Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Remainder
            ) {
                side(left, text, parts);
                side(right, text, parts);
            }
            collect(left, text, state, parts);
            collect(right, text, state, parts);
        }
        CheckedNode::And(left, right) | CheckedNode::Or(left, right) => {
            collect(left, text, state, parts);
            collect(right, text, state, parts);
        }
        CheckedNode::Row(_, inner)
        | CheckedNode::Exists(inner)
        | CheckedNode::Not(inner)
        | CheckedNode::Negate(inner) => {
            collect(inner, text, state, parts);
        }
        CheckedNode::Choice(condition, yes, no) => {
            for part in [condition, yes, no] {
                collect(part, text, state, parts);
            }
        }
        CheckedNode::In(value, items) => {
            side(value, text, parts);
            for part in std::iter::once(&**value).chain(items) {
                collect(part, text, state, parts);
            }
        }
    }
}

/// One side of a comparison, if it is more than a name or a constant.
fn side(checked: &Checked, text: &str, parts: &mut Vec<Part>) {
    if matches!(checked.node, CheckedNode::Constant(_) | CheckedNode::Variable(_)) {
        return;
    }
    if let Ok(program) = lower(checked) {
        push(parts, Part { text: slice(checked, text).to_owned(), program, sort: checked.sort, aggregate: None });
    }
}

fn push(parts: &mut Vec<Part>, part: Part) {
    if parts.iter().all(|p| p.text != part.text) {
        parts.push(part);
    }
}

fn slice<'a>(checked: &Checked, text: &'a str) -> &'a str {
    &text[checked.from as usize..checked.to as usize]
}

/// A number in groups of three digits: `6 000 000`.
pub(super) fn grouped(number: i128) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}
