//! The tree of an expression as written; every node knows its bytes.

/// An expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expression {
    /// What it is.
    pub node: Node,
    /// First byte in the text.
    pub from: u32,
    /// After its last byte.
    pub to: u32,
}

/// Forms of expressions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Node {
    /// `30_000`
    Integer(i64),
    /// `5s`, `1m30s`, in nanoseconds.
    Duration(i64),
    /// `true`
    Bool(bool),
    /// `'held'`
    Text(String),
    /// `$amount`, `$message.key`; without the dollar sign.
    Variable(String),
    /// `stock`, `bank_a.accounts[$from]`
    Path(Path),
    /// `['held', 'sold']`
    List(Vec<Expression>),
    /// `-x`, `!x`
    Unary(UnaryOperator, Box<Expression>),
    /// `x + y`
    Binary(BinaryOperator, Box<Expression>, Box<Expression>),
    /// `x ? y : z`
    Choice(Box<Expression>, Box<Expression>, Box<Expression>),
    /// `sum(bank_a.accounts)`
    Call(Word, Vec<Expression>),
}

/// A name and its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Word {
    /// The name.
    pub text: String,
    /// First byte.
    pub from: u32,
    /// After its last byte.
    pub to: u32,
}

/// `owner.item[key].field`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Path {
    /// The dotted names before the key: one or more.
    pub names: Vec<Word>,
    /// The key.
    pub key: Option<Box<Expression>>,
    /// The names after the key.
    pub fields: Vec<Word>,
}

impl Path {
    /// The names before the key, dotted.
    pub fn text(&self) -> String {
        self.names.iter().map(|w| w.text.as_str()).collect::<Vec<_>>().join(".")
    }
}

/// Operators of one value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnaryOperator {
    /// `-`
    Negate,
    /// `!`
    Not,
}

/// Operators of two values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BinaryOperator {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `in`
    In,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}

impl BinaryOperator {
    /// As written.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::In => "in",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }

    /// How strongly it binds; comparisons do not chain.
    pub const fn strength(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::In
            | Self::Equal
            | Self::NotEqual
            | Self::Less
            | Self::LessEqual
            | Self::Greater
            | Self::GreaterEqual => 3,
            Self::Add | Self::Subtract => 4,
            Self::Multiply | Self::Divide | Self::Remainder => 5,
        }
    }

    /// Whether it compares two values.
    pub const fn compares(self) -> bool {
        self.strength() == 3 && !matches!(self, Self::In)
    }
}
