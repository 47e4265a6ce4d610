//! The grammar of a comparison: sides, arithmetic, sorts of numbers. Terms are read by `term`.

use super::literal;
use super::{Comparison, Expression, Kind, Operator, Threshold, Vocabulary};
use crate::expression::Finding;
use crate::measure::Wanted;

/// An expression, its sort, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) expression: Expression,
    pub(super) kind: Kind,
    pub(super) from: usize,
    pub(super) to: usize,
}

/// Reads one comparison.
pub(super) struct Parser<'a, 'v> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) vocabulary: &'a Vocabulary<'v>,
    pub(super) wanted: &'a mut Vec<Wanted>,
    mistakes: Vec<Finding>,
    depth: u32,
}

/// How deep an expression may be.
const DEPTH: u32 = 64;

/// Reading cannot go on; why has been said.
pub(super) struct Lost;

impl<'a, 'v> Parser<'a, 'v> {
    pub(super) fn new(text: &'a str, vocabulary: &'a Vocabulary<'v>, wanted: &'a mut Vec<Wanted>) -> Self {
        Self { text, at: 0, vocabulary, wanted, mistakes: Vec::new(), depth: 0 }
    }

    pub(super) fn into_mistakes(mut self) -> Vec<Finding> {
        self.mistakes.sort_by_key(|mistake| mistake.from);
        self.mistakes
    }

    pub(super) fn mistake(&mut self, from: usize, to: usize, message: impl Into<String>, help: Option<String>) {
        self.mistake_about(Vec::new(), (from, to), message, help);
    }

    /// A mistake only if what it is about is right.
    pub(super) fn mistake_about(
        &mut self,
        about: Vec<String>,
        (from, to): (usize, usize),
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let finding = Finding::new(from as u32, to as u32, message);
        self.mistakes.push(Finding { help, about, ..finding });
    }

    /// The whole text.
    pub(super) fn comparison(&mut self) -> Option<Threshold> {
        let left = self.sum().ok()?;
        let comparison = self.operator(&left).ok()?;
        let right = self.sum().ok()?;
        self.space();
        if self.at < self.text.len() {
            let rest = self.text.len();
            self.mistake(self.at, rest, "the comparison should end here", None);
        }
        let kind = self.compare(&left, &right, comparison);
        if kind != Kind::Unknown && !left.expression.is_measured() && !right.expression.is_measured() {
            self.mistake(left.from, right.to, "nothing measured is compared here", Some(EXAMPLE.to_owned()));
        }
        let says = self.text.trim().to_owned();
        Some(Threshold { says, left: left.expression, comparison, right: right.expression, kind })
    }

    fn operator(&mut self, left: &Part) -> Result<Comparison, Lost> {
        self.space();
        let signs = [
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        for (sign, comparison) in signs {
            if self.take(sign) {
                return Ok(comparison);
            }
        }
        let from = self.at;
        if self.rest().starts_with('=') {
            self.mistake(from, from + 1, "`=` compares nothing", Some("equality is `==`".to_owned()));
            return Err(Lost);
        }
        if self.word() != "within" {
            let wanted = "here belongs one of < <= > >= == != or `within 1% of`";
            let help = (left.kind != Kind::Unknown).then(|| EXAMPLE.to_owned());
            let to = from + self.text[from..].chars().next().map_or(0, char::len_utf8);
            self.mistake(from, to.max(self.at), wanted, help);
            return Err(Lost);
        }
        let tolerance = self.factor()?;
        let within = match tolerance.expression {
            Expression::Literal(share) if tolerance.kind == Kind::Share => share,
            Expression::Literal(_) | Expression::Term(_) | Expression::Negative(_) | Expression::Binary(..) => {
                let help = Some("within 1% of 5s".to_owned());
                self.mistake(tolerance.from, tolerance.to, "the tolerance is a percentage of the right side", help);
                0.0
            }
        };
        self.space();
        let from = self.at;
        if self.word() != "of" {
            self.mistake(from, self.at, "`of` is missing", Some("within 1% of 5s".to_owned()));
            return Err(Lost);
        }
        Ok(Comparison::Within(within))
    }

    /// The sort of a comparison of two sides.
    fn compare(&mut self, left: &Part, right: &Part, comparison: Comparison) -> Kind {
        let number = |part: &Part| match part.expression {
            Expression::Literal(number) => Some(number),
            Expression::Term(_) | Expression::Negative(_) | Expression::Binary(..) => None,
        };
        match (left.kind, right.kind) {
            (Kind::Unknown, _) | (_, Kind::Unknown) => Kind::Unknown,
            (a, b) if a == b => a,
            (Kind::Quotient, kind @ (Kind::Number | Kind::Share))
            | (kind @ (Kind::Number | Kind::Share), Kind::Quotient) => kind,
            (Kind::Seconds, Kind::Number) if number(right).is_some() => {
                let example = number(right).map(|n| format!("`{n}s` or `{n}ms`?"));
                self.mistake(right.from, right.to, "a unit is missing (ns, us, ms, s, m, h)", example);
                Kind::Unknown
            }
            (Kind::Share, Kind::Number) if number(right).is_some() => {
                let example = number(right).map(|n| format!("`{}%`", (n * 1e6).round() / 1e4));
                self.mistake(right.from, right.to, "a share is written as a percentage", example);
                Kind::Unknown
            }
            (Kind::PerSecond, Kind::Number) if number(right).is_some() => {
                let example = number(right).map(|n| format!("`{n}/s`"));
                self.mistake(right.from, right.to, "a rate is so many per time", example);
                Kind::Unknown
            }
            (a, b) => {
                let verb = if matches!(comparison, Comparison::Within(_)) { "be near" } else { "be compared with" };
                let message = format!("{} cannot {verb} {}", a.noun(), b.noun());
                self.mistake(left.from, right.to, message, None);
                Kind::Unknown
            }
        }
    }

    fn sum(&mut self) -> Result<Part, Lost> {
        let mut left = self.product()?;
        loop {
            self.space();
            let operator = match self.rest().chars().next() {
                Some('+') => Operator::Add,
                Some('-') => Operator::Subtract,
                _ => return Ok(left),
            };
            self.at += 1;
            let right = self.product()?;
            left = self.binary(operator, left, right);
        }
    }

    fn product(&mut self) -> Result<Part, Lost> {
        let mut left = self.factor()?;
        loop {
            self.space();
            let operator = match self.rest().chars().next() {
                Some('*') => Operator::Multiply,
                Some('/') => Operator::Divide,
                _ => return Ok(left),
            };
            self.at += 1;
            let right = self.factor()?;
            left = self.binary(operator, left, right);
        }
    }

    fn binary(&mut self, operator: Operator, left: Part, right: Part) -> Part {
        use Kind::{Number, PerSecond, Quotient, Seconds, Share, Unknown};
        let (from, to) = (left.from, right.to);
        let kind = match (operator, left.kind, right.kind) {
            (_, Unknown, _) | (_, _, Unknown) => Unknown,
            (Operator::Divide, a, b) if a == b => Quotient,
            (Operator::Add | Operator::Subtract, a, b) if a == b => a,
            (Operator::Add | Operator::Subtract, Quotient, kind @ (Number | Share))
            | (Operator::Add | Operator::Subtract, kind @ (Number | Share), Quotient)
            | (Operator::Multiply | Operator::Divide, kind, Share | Number | Quotient)
            | (Operator::Multiply, Share | Number | Quotient, kind) => kind,
            (Operator::Multiply, Seconds, PerSecond) | (Operator::Multiply, PerSecond, Seconds) => Number,
            (Operator::Divide, Number | Quotient, Seconds) => PerSecond,
            (Operator::Divide, Number | Quotient, PerSecond) => Seconds,
            (Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide, a, b) => {
                let (sign, a, b) = (operator.sign(), a.noun(), b.noun());
                self.mistake(from, to, format!("{a} {sign} {b} means nothing"), None);
                Unknown
            }
        };
        let expression = Expression::Binary(operator, Box::new(left.expression), Box::new(right.expression));
        Part { expression, kind, from, to }
    }

    fn factor(&mut self) -> Result<Part, Lost> {
        self.space();
        let from = self.at;
        if self.depth == DEPTH {
            self.mistake(from, from, format!("no more than {DEPTH} signs and parentheses within another"), None);
            return Err(Lost);
        }
        self.depth += 1;
        let part = self.atom(from);
        self.depth -= 1;
        part
    }

    fn atom(&mut self, from: usize) -> Result<Part, Lost> {
        match self.rest().chars().next() {
            Some('-') => {
                self.at += 1;
                let part = self.factor()?;
                Ok(Part { expression: Expression::Negative(Box::new(part.expression)), from, ..part })
            }
            Some('(') => {
                self.at += 1;
                let part = self.sum()?;
                self.expect(')')?;
                Ok(Part { from, to: self.at, ..part })
            }
            Some('0'..='9') => Ok(self.literal()),
            Some('a'..='z' | 'A'..='Z' | '_') => self.term(),
            Some('\'' | '"') => {
                self.mistake(from, from + 1, "no quotes are needed here", Some(EXAMPLE.to_owned()));
                Err(Lost)
            }
            Some(other) => {
                let message = format!("`{other}` does not begin a term or a number");
                self.mistake(from, from + other.len_utf8(), message, Some(EXAMPLE.to_owned()));
                Err(Lost)
            }
            None => {
                self.mistake(from, from, "a term or a number is missing here", Some(EXAMPLE.to_owned()));
                Err(Lost)
            }
        }
    }

    fn literal(&mut self) -> Part {
        let from = self.at;
        let (number, kind, length) = match literal::read(self.rest()) {
            Ok(found) => (found.number, found.kind, found.length),
            Err(bad) => {
                self.mistake(from, from + bad.length, bad.message, bad.help);
                (0.0, Kind::Unknown, bad.length)
            }
        };
        self.at += length;
        Part { expression: Expression::Literal(number), kind, from, to: self.at }
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    pub(super) fn take(&mut self, sign: &str) -> bool {
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
        }
        found
    }

    pub(super) fn expect(&mut self, sign: char) -> Result<(), Lost> {
        self.space();
        if self.rest().starts_with(sign) {
            self.at += sign.len_utf8();
            return Ok(());
        }
        let to = self.at + self.rest().chars().next().map_or(0, char::len_utf8);
        self.mistake(self.at, to, format!("`{sign}` is missing here"), None);
        Err(Lost)
    }

    /// The word that begins here; `p99.9` is one.
    pub(super) fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let mut length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let number = rest[..length].strip_prefix('p').is_some_and(|n| n.parse::<u32>().is_ok());
        if let Some(decimals) = rest[length..].strip_prefix('.').filter(|_| number) {
            let more = decimals.find(|c: char| !c.is_ascii_digit()).unwrap_or(decimals.len());
            length += if more > 0 { more + 1 } else { 0 };
        }
        self.at += length;
        &rest[..length]
    }
}

impl Expression {
    /// Whether a term stands in it.
    fn is_measured(&self) -> bool {
        match self {
            Self::Term(_) => true,
            Self::Literal(_) => false,
            Self::Negative(inner) => inner.is_measured(),
            Self::Binary(_, left, right) => left.is_measured() || right.is_measured(),
        }
    }
}

impl Operator {
    fn sign(self) -> char {
        match self {
            Self::Add => '+',
            Self::Subtract => '-',
            Self::Multiply => '*',
            Self::Divide => '/',
        }
    }
}

const EXAMPLE: &str = "a threshold is `p99(latency{op=x}) < 250ms`";
