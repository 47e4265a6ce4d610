//! The words of an expression.

use super::problem::Finding;
use super::syntax::BinaryOperator as B;

/// A word with its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) from: u32,
    pub(super) to: u32,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum TokenKind {
    Integer(i64),
    Duration(i64),
    Text(String),
    /// A name; `true`, `false` and `in` are names here.
    Name(String),
    /// `$name` or `$name.name`.
    Variable(String),
    Operator(B),
    Not,
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    Comma,
    Dot,
    Question,
    Colon,
    End,
}

impl TokenKind {
    /// What to call it in a message.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Integer(n) => format!("the number {n}"),
            Self::Duration(_) => "a duration".to_owned(),
            Self::Text(_) => "a text".to_owned(),
            Self::Name(name) => format!("`{name}`"),
            Self::Variable(name) => format!("`${name}`"),
            Self::Operator(operator) => format!("`{}`", operator.text()),
            Self::Not => "`!`".to_owned(),
            Self::Open => "`(`".to_owned(),
            Self::Close => "`)`".to_owned(),
            Self::OpenBracket => "`[`".to_owned(),
            Self::CloseBracket => "`]`".to_owned(),
            Self::Comma => "`,`".to_owned(),
            Self::Dot => "`.`".to_owned(),
            Self::Question => "`?`".to_owned(),
            Self::Colon => "`:`".to_owned(),
            Self::End => "the end".to_owned(),
        }
    }
}

/// The most words of an expression. A chain of operators makes a tree as deep as it is long, and whoever walks the tree
/// recurses: this bounds the stack.
const MOST: usize = 600;

/// Splits a text into its words; the last one is always `End`.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Finding> {
    let mut reader = Reader { text, at: 0 };
    let mut found = Vec::new();
    loop {
        reader.skip(char::is_whitespace);
        let from = reader.at as u32;
        let kind = reader.token()?;
        let end = kind == TokenKind::End;
        found.push(Token { kind, from, to: reader.at as u32 });
        if end {
            return Ok(found);
        }
        if found.len() > MOST {
            return Err(Finding::new(from, reader.at as u32, format!("an expression has at most {MOST} words")));
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// Moves over all characters that fit and returns them.
    fn skip(&mut self, fits: impl Fn(char) -> bool) -> &str {
        let from = self.at;
        self.at += self.rest().find(|c| !fits(c)).unwrap_or(self.rest().len());
        &self.text[from..self.at]
    }

    fn finding(&self, from: usize, message: impl Into<String>) -> Finding {
        Finding::new(from as u32, self.at as u32, message)
    }

    fn token(&mut self) -> Result<TokenKind, Finding> {
        let from = self.at;
        let Some(first) = self.rest().chars().next() else { return Ok(TokenKind::End) };
        if first.is_ascii_digit() {
            return self.number();
        }
        if first.is_alphabetic() || first == '_' {
            return Ok(TokenKind::Name(self.skip(in_name).to_owned()));
        }
        self.at += first.len_utf8();
        let second = self.rest().chars().next();
        let mut pair = |wanted: char| {
            let found = second == Some(wanted);
            self.at += usize::from(found);
            found
        };
        Ok(match first {
            '$' => return self.variable(from),
            '\'' => return self.text_literal(from),
            '(' => TokenKind::Open,
            ')' => TokenKind::Close,
            '[' => TokenKind::OpenBracket,
            ']' => TokenKind::CloseBracket,
            ',' => TokenKind::Comma,
            '.' => TokenKind::Dot,
            '?' => TokenKind::Question,
            ':' => TokenKind::Colon,
            '+' => TokenKind::Operator(B::Add),
            '-' | '−' => TokenKind::Operator(B::Subtract),
            '*' => TokenKind::Operator(B::Multiply),
            '/' => TokenKind::Operator(B::Divide),
            '%' => TokenKind::Operator(B::Remainder),
            '<' => TokenKind::Operator(if pair('=') { B::LessEqual } else { B::Less }),
            '>' => TokenKind::Operator(if pair('=') { B::GreaterEqual } else { B::Greater }),
            '!' if pair('=') => TokenKind::Operator(B::NotEqual),
            '!' => TokenKind::Not,
            '=' if pair('=') => TokenKind::Operator(B::Equal),
            '&' if pair('&') => TokenKind::Operator(B::And),
            '|' if pair('|') => TokenKind::Operator(B::Or),
            '=' => return Err(self.finding(from, "`=` is no operator here").help("equality is `==`")),
            '&' => return Err(self.finding(from, "`&` is no operator here").help("`and` is written `&&`")),
            '|' => return Err(self.finding(from, "`|` is no operator here").help("`or` is written `||`")),
            '"' => return Err(self.finding(from, "text is written in single quotes").help("'text'")),
            other => return Err(self.finding(from, format!("`{other}` means nothing in an expression"))),
        })
    }

    /// `$name` with further dotted names.
    fn variable(&mut self, from: usize) -> Result<TokenKind, Finding> {
        let start = self.at;
        if !self.rest().starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return Err(self.finding(from, "a variable's name follows `$`"));
        }
        self.skip(in_name);
        while self.rest().starts_with('.') && self.rest()[1..].starts_with(|c: char| c.is_alphabetic() || c == '_') {
            self.at += 1;
            self.skip(in_name);
        }
        Ok(TokenKind::Variable(self.text[start..self.at].to_owned()))
    }

    /// `'text'`; there are no escapes.
    fn text_literal(&mut self, from: usize) -> Result<TokenKind, Finding> {
        let text = self.skip(|c| c != '\'').to_owned();
        if self.rest().is_empty() {
            return Err(self.finding(from, "this text does not end").help("it ends with a single quote"));
        }
        self.at += 1;
        Ok(TokenKind::Text(text))
    }

    /// `30_000`, or a duration such as `1m30s`.
    fn number(&mut self) -> Result<TokenKind, Finding> {
        let from = self.at;
        let mut nanoseconds: i64 = 0;
        loop {
            let digits = self.skip(|c| c.is_ascii_digit() || c == '_').replace('_', "");
            let number: Result<i64, _> = digits.parse();
            if self.rest().starts_with('.') && self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) {
                self.at += 1;
                self.skip(in_name);
                return Err(self
                    .finding(from, "state has no fractions")
                    .help("an integer, such as `12`, or a duration in a smaller unit, such as `1500ms`"));
            }
            let Ok(number) = number else { return Err(self.finding(from, "this number is beyond 64 bits")) };
            let unit = self.skip(char::is_alphabetic).to_owned();
            if unit.is_empty() && nanoseconds == 0 {
                return Ok(TokenKind::Integer(number));
            }
            let Some(scale) = unit_nanoseconds(&unit) else {
                return Err(self
                    .finding(from, format!("`{unit}` is no unit of time"))
                    .help("units are ns, us, ms, s, m, h"));
            };
            let sum = number.checked_mul(scale).and_then(|n| n.checked_add(nanoseconds));
            let Some(sum) = sum else { return Err(self.finding(from, "this duration is longer than 292 years")) };
            nanoseconds = sum;
            if !self.rest().starts_with(|c: char| c.is_ascii_digit()) {
                return Ok(TokenKind::Duration(nanoseconds));
            }
        }
    }
}

fn in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Nanoseconds of a unit of time.
fn unit_nanoseconds(unit: &str) -> Option<i64> {
    Some(match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}
