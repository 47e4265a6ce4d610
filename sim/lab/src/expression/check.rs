//! Tree → checked tree: names resolved through a scope, types settled, constants folded; all mistakes at once.

use systems::expression::{ItemId, Operator, Value, VariableId, apply};

use super::problem::Finding;
use super::syntax::{BinaryOperator, Expression, Node, Path, UnaryOperator, Word};

/// Types of expressions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Type {
    /// A whole number.
    Int,
    /// A length of time, in nanoseconds.
    Duration,
    /// True or false.
    Bool,
    /// Text.
    Text,
}

impl Type {
    /// As a noun: `a number`.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Int => "a number",
            Self::Duration => "a duration",
            Self::Bool => "true or false",
            Self::Text => "text",
        }
    }
}

/// An expression whose names and types are settled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Checked {
    pub(crate) node: CheckedNode,
    pub(crate) sort: Type,
    pub(crate) from: u32,
    pub(crate) to: u32,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum CheckedNode {
    Constant(Value),
    Variable(VariableId),
    Row(ItemId, Box<Checked>),
    Exists(Box<Checked>),
    Not(Box<Checked>),
    Negate(Box<Checked>),
    And(Box<Checked>, Box<Checked>),
    Or(Box<Checked>, Box<Checked>),
    /// Arithmetic and comparisons.
    Apply(Operator, Box<Checked>, Box<Checked>),
    Choice(Box<Checked>, Box<Checked>, Box<Checked>),
    /// The value and what it may be.
    In(Box<Checked>, Vec<Checked>),
}

/// What names mean. `None` says that the mistake has been told to `findings`.
pub(crate) trait Scope {
    /// `$name`
    fn variable(&mut self, name: &str, word: &Word, findings: &mut Vec<Finding>) -> Option<(CheckedNode, Type)>;
    /// `owner.item[key]`; the scope checks the key itself, by `check_as`.
    fn path(&mut self, path: &Path, at: &Word, findings: &mut Vec<Finding>) -> Option<(CheckedNode, Type)>;
    /// What `exists` asks about: null if it is not there.
    fn row(&mut self, path: &Path, at: &Word, findings: &mut Vec<Finding>) -> Option<(CheckedNode, Type)> {
        self.path(path, at, findings)
    }
    /// A function other than `exists`.
    fn call(
        &mut self,
        name: &Word,
        arguments: &[Expression],
        findings: &mut Vec<Finding>,
    ) -> Option<(CheckedNode, Type)>;
    /// The symbol of a text.
    fn symbol(&mut self, text: &str) -> u32;
}

/// Checks an expression that must be of type `wanted`.
pub(crate) fn check(text: &Expression, wanted: Type, scope: &mut impl Scope) -> Result<Checked, Vec<Finding>> {
    let mut findings = Vec::new();
    let checked = check_as(text, wanted, scope, &mut findings);
    match checked {
        Some(checked) if findings.is_empty() => Ok(checked),
        Some(_) | None => {
            assert!(!findings.is_empty(), "an expression that cannot be checked has a mistake");
            Err(findings)
        }
    }
}

/// Checks a part of an expression that must be of type `wanted`.
pub(crate) fn check_as(
    text: &Expression,
    wanted: Type,
    scope: &mut impl Scope,
    findings: &mut Vec<Finding>,
) -> Option<Checked> {
    let checked = check_any(text, scope, findings)?;
    if checked.sort != wanted {
        findings.push(
            Finding::new(text.from, text.to, format!("{} is needed here, not {}", wanted.noun(), checked.sort.noun()))
                .label(format!("this is {}", checked.sort.noun())),
        );
        return None;
    }
    Some(checked)
}

/// Checks a part of an expression of any type.
pub(crate) fn check_any(text: &Expression, scope: &mut impl Scope, findings: &mut Vec<Finding>) -> Option<Checked> {
    let whole = |text: &str, e: &Expression| Word { text: text.to_owned(), from: e.from, to: e.to };
    let (node, sort) = match &text.node {
        Node::Integer(n) => (CheckedNode::Constant(Value::Int(*n)), Type::Int),
        Node::Duration(n) => (CheckedNode::Constant(Value::Int(*n)), Type::Duration),
        Node::Bool(b) => (CheckedNode::Constant(Value::Bool(*b)), Type::Bool),
        Node::Text(t) => (CheckedNode::Constant(Value::Text(scope.symbol(t))), Type::Text),
        Node::Variable(name) => scope.variable(name, &whole(name, text), findings)?,
        Node::Path(path) => scope.path(path, &whole(&path.text(), text), findings)?,
        Node::List(_) => {
            let finding = Finding::new(text.from, text.to, "a list is found where one value is expected");
            findings.push(finding.help("lists stand on the right of `in`: `status in ['held', 'sold']`"));
            return None;
        }
        Node::Unary(operator, inner) => unary(*operator, inner, scope, findings)?,
        Node::Binary(BinaryOperator::In, left, right) => (within(left, right, scope, findings)?, Type::Bool),
        Node::Binary(operator @ (BinaryOperator::And | BinaryOperator::Or), left, right) => {
            let left = check_as(left, Type::Bool, scope, findings).map(Box::new);
            let right = check_as(right, Type::Bool, scope, findings).map(Box::new);
            let both = if *operator == BinaryOperator::And { CheckedNode::And } else { CheckedNode::Or };
            (both(left?, right?), Type::Bool)
        }
        Node::Binary(operator, left, right) => binary(*operator, text, (left, right), scope, findings)?,
        Node::Choice(condition, yes, no) => {
            let condition = check_as(condition, Type::Bool, scope, findings);
            let yes = check_any(yes, scope, findings);
            let no_text = no;
            let no = check_any(no, scope, findings);
            let (yes, no) = (yes?, no?);
            let sort = yes.sort;
            if no.sort != sort {
                let message = format!("one branch is {}, the other {}", sort.noun(), no.sort.noun());
                findings.push(Finding::new(no_text.from, no_text.to, message));
                return None;
            }
            (CheckedNode::Choice(Box::new(condition?), Box::new(yes), Box::new(no)), sort)
        }
        Node::Call(name, arguments) if name.text == "exists" => (exists(name, arguments, scope, findings)?, Type::Bool),
        Node::Call(name, arguments) => scope.call(name, arguments, findings)?,
    };
    Some(Checked { node, sort, from: text.from, to: text.to })
}

/// `exists(row)`.
fn exists(
    name: &Word,
    arguments: &[Expression],
    scope: &mut impl Scope,
    findings: &mut Vec<Finding>,
) -> Option<CheckedNode> {
    match arguments {
        [Expression { node: Node::Path(path), from, to }] => {
            let at = Word { text: path.text(), from: *from, to: *to };
            let (node, sort) = scope.row(path, &at, findings)?;
            Some(CheckedNode::Exists(Box::new(Checked { node, sort, from: *from, to: *to })))
        }
        [variable @ Expression { node: Node::Variable(_), .. }] => {
            Some(CheckedNode::Exists(Box::new(check_any(variable, scope, findings)?)))
        }
        _ => {
            let finding = Finding::new(name.from, name.to, "`exists` asks for one row");
            findings.push(finding.help("`exists(payments[$id])`"));
            None
        }
    }
}

fn unary(
    operator: UnaryOperator,
    inner: &Expression,
    scope: &mut impl Scope,
    findings: &mut Vec<Finding>,
) -> Option<(CheckedNode, Type)> {
    match operator {
        UnaryOperator::Not => {
            let inner = check_as(inner, Type::Bool, scope, findings)?;
            Some((CheckedNode::Not(Box::new(inner)), Type::Bool))
        }
        UnaryOperator::Negate => {
            let checked = check_any(inner, scope, findings)?;
            if !matches!(checked.sort, Type::Int | Type::Duration) {
                let message = format!("`-` needs a number, not {}", checked.sort.noun());
                findings.push(Finding::new(inner.from, inner.to, message));
                return None;
            }
            let sort = checked.sort;
            let folded = match checked.node {
                CheckedNode::Constant(value) => apply(Operator::Subtract, Value::Int(0), value).ok(),
                CheckedNode::Variable(_)
                | CheckedNode::Row(..)
                | CheckedNode::Exists(_)
                | CheckedNode::Not(_)
                | CheckedNode::Negate(_)
                | CheckedNode::And(..)
                | CheckedNode::Or(..)
                | CheckedNode::Apply(..)
                | CheckedNode::Choice(..)
                | CheckedNode::In(..) => None,
            };
            Some((folded.map_or_else(|| CheckedNode::Negate(Box::new(checked)), CheckedNode::Constant), sort))
        }
    }
}

/// `x in [a, b]`.
fn within(
    left: &Expression,
    right: &Expression,
    scope: &mut impl Scope,
    findings: &mut Vec<Finding>,
) -> Option<CheckedNode> {
    let value = check_any(left, scope, findings);
    let Node::List(items) = &right.node else {
        let finding = Finding::new(right.from, right.to, "`in` needs a list on its right");
        findings.push(finding.help("`status in ['held', 'sold']`"));
        return None;
    };
    let value = value?;
    let items: Vec<_> = items.iter().map(|item| check_as(item, value.sort, scope, findings)).collect();
    Some(CheckedNode::In(Box::new(value), items.into_iter().collect::<Option<_>>()?))
}

/// Arithmetic and comparisons.
fn binary(
    operator: BinaryOperator,
    whole: &Expression,
    (left, right): (&Expression, &Expression),
    scope: &mut impl Scope,
    findings: &mut Vec<Finding>,
) -> Option<(CheckedNode, Type)> {
    let checked = check_any(left, scope, findings);
    let (left, right) = (checked, check_any(right, scope, findings));
    let (left, right) = (left?, right?);
    let Some((operation, sort)) = operation(operator, left.sort, right.sort) else {
        let message =
            format!("`{}` cannot be applied to {} and {}", operator.text(), left.sort.noun(), right.sort.noun());
        let finding = Finding::new(whole.from, whole.to, message);
        findings.push(match (left.sort, right.sort) {
            (Type::Duration, Type::Int) | (Type::Int, Type::Duration) => finding.help("a duration has a unit: `5s`"),
            (Type::Text, Type::Text) if operator.compares() => finding.help("texts are compared with `==` and `!=`"),
            _ => finding,
        });
        return None;
    };
    if let (CheckedNode::Constant(a), CheckedNode::Constant(b)) = (&left.node, &right.node) {
        return match apply(operation, *a, *b) {
            Ok(value) => Some((CheckedNode::Constant(value), sort)),
            Err(fault) => {
                findings.push(Finding::new(whole.from, whole.to, format!("this is always {fault}")));
                None
            }
        };
    }
    Some((CheckedNode::Apply(operation, Box::new(left), Box::new(right)), sort))
}

/// The machine's operator and the type of its result, if the operator takes these types.
fn operation(operator: BinaryOperator, left: Type, right: Type) -> Option<(Operator, Type)> {
    use BinaryOperator as B;
    use Type::{Bool, Duration, Int, Text};
    let same = left == right;
    let ordered = same && matches!(left, Int | Duration);
    let compared = |operator, fits: bool| fits.then_some((operator, Bool));
    match operator {
        B::Or | B::And | B::In => None,
        B::Equal => compared(Operator::Equal, same),
        B::NotEqual => compared(Operator::NotEqual, same),
        B::Less => compared(Operator::Less, ordered),
        B::LessEqual => compared(Operator::LessEqual, ordered),
        B::Greater => compared(Operator::Greater, ordered),
        B::GreaterEqual => compared(Operator::GreaterEqual, ordered),
        B::Add => ordered.then_some((Operator::Add, left)),
        B::Subtract => ordered.then_some((Operator::Subtract, left)),
        B::Remainder => ordered.then_some((Operator::Remainder, left)),
        B::Multiply => match (left, right) {
            (Int, Int) => Some((Operator::Multiply, Int)),
            (Int, Duration) | (Duration, Int) => Some((Operator::Multiply, Duration)),
            (Int | Duration | Bool | Text, _) => None,
        },
        B::Divide => match (left, right) {
            (Int, Int) | (Duration, Duration) => Some((Operator::Divide, Int)),
            (Duration, Int) => Some((Operator::Divide, Duration)),
            (Int | Duration | Bool | Text, _) => None,
        },
    }
}
