//! Text → tree, by precedence climbing. The depth is limited, so no text can exhaust the stack.

use super::problem::Finding;
use super::syntax::{BinaryOperator, Expression, Node, Path, UnaryOperator, Word};
use super::token::{Token, TokenKind, tokens};

/// A text that is no expression: bytes, what is wrong, what would be right.
pub type SyntaxError = Finding;

/// How deep expressions may nest.
const DEPTH: u32 = 64;

/// Parses a whole text.
pub fn parse(text: &str) -> Result<Expression, SyntaxError> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    if parser.peek() == &TokenKind::End {
        return Err(Finding::new(0, text.len() as u32, "an expression is missing"));
    }
    let expression = parser.choice()?;
    if parser.peek() != &TokenKind::End {
        return Err(parser.unexpected("the end or an operator"));
    }
    Ok(expression)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: u32,
}

impl Parser {
    fn peek(&self) -> &TokenKind {
        &self.tokens[self.at].kind
    }

    /// Takes the next word; the end stays where it is.
    fn next(&mut self) -> Token {
        let token = self.tokens[self.at].clone();
        if token.kind != TokenKind::End {
            self.at += 1;
        }
        token
    }

    /// Takes the next word if it is this one.
    fn accept(&mut self, kind: &TokenKind) -> bool {
        let found = self.peek() == kind;
        self.at += usize::from(found);
        found
    }

    /// The last byte that was taken.
    fn end(&self) -> u32 {
        self.tokens[self.at.saturating_sub(1)].to
    }

    fn unexpected(&self, wanted: &str) -> Finding {
        let token = &self.tokens[self.at];
        let to = token.to.max(token.from);
        let finding =
            Finding::new(token.from, to, format!("{} is found where {wanted} is expected", token.kind.describe()));
        let help = match &token.kind {
            TokenKind::Name(name) => foreign(name),
            TokenKind::Operator(o) if o.compares() => Some("comparisons do not chain: write `a < b && b < c`"),
            TokenKind::Integer(_)
            | TokenKind::Duration(_)
            | TokenKind::Text(_)
            | TokenKind::Variable(_)
            | TokenKind::Operator(_)
            | TokenKind::Not
            | TokenKind::Open
            | TokenKind::Close
            | TokenKind::OpenBracket
            | TokenKind::CloseBracket
            | TokenKind::Comma
            | TokenKind::Dot
            | TokenKind::Question
            | TokenKind::Colon
            | TokenKind::End => None,
        };
        match help {
            Some(help) => finding.help(help),
            None => finding,
        }
    }

    fn expect(&mut self, kind: &TokenKind, wanted: &str) -> Result<(), Finding> {
        if self.accept(kind) { Ok(()) } else { Err(self.unexpected(wanted)) }
    }

    /// Runs `inner` one level deeper.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, Finding>) -> Result<T, Finding> {
        if self.depth == DEPTH {
            let token = &self.tokens[self.at];
            return Err(Finding::new(token.from, token.to, format!("this is nested more than {DEPTH} deep")));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// `x ? y : z`, or anything that binds more strongly.
    fn choice(&mut self) -> Result<Expression, Finding> {
        self.deeper(|this| {
            let condition = this.binary(1)?;
            if !this.accept(&TokenKind::Question) {
                return Ok(condition);
            }
            let yes = this.choice()?;
            this.expect(&TokenKind::Colon, "`:`")?;
            let no = this.choice()?;
            let (from, to) = (condition.from, no.to);
            Ok(Expression { node: Node::Choice(Box::new(condition), Box::new(yes), Box::new(no)), from, to })
        })
    }

    /// The operator that comes next, if any.
    fn operator(&self) -> Option<BinaryOperator> {
        if let TokenKind::Operator(operator) = self.peek() {
            return Some(*operator);
        }
        (*self.peek() == TokenKind::Name("in".to_owned())).then_some(BinaryOperator::In)
    }

    /// Operators of at least this strength, left to right.
    fn binary(&mut self, least: u8) -> Result<Expression, Finding> {
        let mut left = self.unary()?;
        while let Some(operator) = self.operator().filter(|o| o.strength() >= least) {
            self.next();
            let right = self.deeper(|this| this.binary(operator.strength() + 1))?;
            let (from, to) = (left.from, right.to);
            left = Expression { node: Node::Binary(operator, Box::new(left), Box::new(right)), from, to };
            if operator.strength() == 3 && self.operator().is_some_and(|o| o.strength() == 3) {
                return Err(self.unexpected("`&&`, `||` or the end"));
            }
        }
        Ok(left)
    }

    /// `-x`, `!x`, or a primary.
    fn unary(&mut self) -> Result<Expression, Finding> {
        let operator = if *self.peek() == TokenKind::Operator(BinaryOperator::Subtract) {
            UnaryOperator::Negate
        } else if *self.peek() == TokenKind::Not {
            UnaryOperator::Not
        } else {
            return self.primary();
        };
        let from = self.next().from;
        let inner = self.deeper(Self::unary)?;
        let to = inner.to;
        if let (UnaryOperator::Negate, Node::Integer(n)) = (operator, &inner.node) {
            return Ok(Expression { node: Node::Integer(-n), from, to });
        }
        Ok(Expression { node: Node::Unary(operator, Box::new(inner)), from, to })
    }

    fn primary(&mut self) -> Result<Expression, Finding> {
        let start = self.at;
        let token = self.next();
        let node = match token.kind {
            TokenKind::Integer(n) => Node::Integer(n),
            TokenKind::Duration(n) => Node::Duration(n),
            TokenKind::Text(text) => Node::Text(text),
            TokenKind::Variable(name) => Node::Variable(name),
            TokenKind::Open => {
                let inner = self.choice()?;
                self.expect(&TokenKind::Close, "`)` or an operator")?;
                // The bytes of an expression in brackets include them.
                return Ok(Expression { from: token.from, to: self.end(), ..inner });
            }
            TokenKind::OpenBracket => Node::List(self.list(&TokenKind::CloseBracket, "`,` or `]`")?),
            TokenKind::Name(name) => return self.name(Word { text: name, from: token.from, to: token.to }),
            TokenKind::End
            | TokenKind::Operator(_)
            | TokenKind::Not
            | TokenKind::Close
            | TokenKind::CloseBracket
            | TokenKind::Comma
            | TokenKind::Dot
            | TokenKind::Question
            | TokenKind::Colon => {
                self.at = start;
                return Err(self.unexpected("a value"));
            }
        };
        Ok(Expression { node, from: token.from, to: self.end() })
    }

    /// Expressions up to the closing word.
    fn list(&mut self, close: &TokenKind, wanted: &str) -> Result<Vec<Expression>, Finding> {
        let mut items = Vec::new();
        if self.accept(close) {
            return Ok(items);
        }
        loop {
            items.push(self.choice()?);
            if self.accept(close) {
                return Ok(items);
            }
            self.expect(&TokenKind::Comma, wanted)?;
        }
    }

    /// What begins with a name: a truth value, a call or a path.
    fn name(&mut self, word: Word) -> Result<Expression, Finding> {
        let from = word.from;
        let node = match word.text.as_str() {
            "true" => Node::Bool(true),
            "false" => Node::Bool(false),
            "null" => {
                return Err(Finding::new(word.from, word.to, "there is no `null` to compare with")
                    .help("`exists(row)` tells whether something is there"));
            }
            "in" | "and" | "or" | "not" => {
                self.at -= 1;
                return Err(self.unexpected("a value"));
            }
            _ if self.accept(&TokenKind::Open) => Node::Call(word, self.list(&TokenKind::Close, "`,` or `)`")?),
            _ => Node::Path(self.path(word)?),
        };
        Ok(Expression { node, from, to: self.end() })
    }

    fn path(&mut self, first: Word) -> Result<Path, Finding> {
        let mut path = Path { names: vec![first], key: None, fields: Vec::new() };
        loop {
            if self.accept(&TokenKind::Dot) {
                let token = self.next();
                let TokenKind::Name(text) = token.kind else {
                    self.at -= usize::from(token.kind != TokenKind::End);
                    return Err(self.unexpected("a name"));
                };
                let word = Word { text, from: token.from, to: token.to };
                if path.key.is_none() { path.names.push(word) } else { path.fields.push(word) }
            } else if path.key.is_none() && self.accept(&TokenKind::OpenBracket) {
                path.key = Some(Box::new(self.choice()?));
                self.expect(&TokenKind::CloseBracket, "`]`")?;
            } else {
                return Ok(path);
            }
        }
    }
}

/// How a word of other languages is written here.
fn foreign(name: &str) -> Option<&'static str> {
    match name {
        "and" => Some("`and` is written `&&`"),
        "or" => Some("`or` is written `||`"),
        "not" => Some("`not` is written `!`"),
        _ => None,
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
