//! What operations carry: the values that JSON and EDN have in common.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

/// A value. Keywords, symbols and strings of EDN are all `Text`: what a tool calls `:read` another calls `"read"`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Value {
    /// Nothing, or not known.
    #[default]
    Nil,
    /// Truth.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number that is not whole, as it was written: no judge calculates with it.
    Decimal(Arc<str>),
    /// Text.
    Text(Arc<str>),
    /// A list or vector, in order.
    List(Arc<[Value]>),
    /// A set: sorted, each value once.
    Set(Arc<[Value]>),
    /// A map: sorted by key, each key once.
    Map(Arc<[(Value, Value)]>),
}

impl Value {
    /// A text.
    pub fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// A list.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(items.into())
    }

    /// A set of these values.
    pub fn set(mut items: Vec<Self>) -> Self {
        items.sort();
        items.dedup();
        Self::Set(items.into())
    }

    /// A map; of several values of one key the last stays.
    pub fn map(mut entries: Vec<(Self, Self)>) -> Self {
        entries.reverse();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        entries.dedup_by(|later, first| later.0 == first.0);
        Self::Map(entries.into())
    }

    /// The members of a list or set.
    pub fn members(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) | Self::Set(items) => Some(items),
            Self::Nil | Self::Bool(_) | Self::Int(_) | Self::Decimal(_) | Self::Text(_) | Self::Map(_) => None,
        }
    }

    /// The two members of a pair.
    pub fn pair(&self) -> Option<(&Self, &Self)> {
        match self.members()? {
            [first, second] => Some((first, second)),
            _ => None,
        }
    }

    /// The entries of a map.
    pub fn entries(&self) -> Option<&[(Self, Self)]> {
        if let Self::Map(entries) = self { Some(entries) } else { None }
    }

    /// A whole number.
    pub fn int(&self) -> Option<i64> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }

    /// A text.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Nothing, or not known.
    pub const fn is_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }

    /// A value, unless it is nothing.
    pub fn known(&self) -> Option<&Self> {
        (!self.is_nil()).then_some(self)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => out.write_str("nil"),
            Self::Bool(truth) => write!(out, "{truth}"),
            Self::Int(number) => write!(out, "{number}"),
            Self::Decimal(text) => out.write_str(text),
            Self::Text(text) => write!(out, "{text:?}"),
            Self::List(items) => listed(out, ("[", "]"), items),
            Self::Set(items) => listed(out, ("#{", "}"), items),
            Self::Map(entries) => {
                out.write_str("{")?;
                for (n, (key, value)) in entries.iter().enumerate() {
                    write!(out, "{}{key} {value}", if n > 0 { ", " } else { "" })?;
                }
                out.write_str("}")
            }
        }
    }
}

fn listed(out: &mut fmt::Formatter<'_>, (open, close): (&str, &str), items: &[Value]) -> fmt::Result {
    out.write_str(open)?;
    for (n, item) in items.iter().enumerate() {
        write!(out, "{}{item}", if n > 0 { " " } else { "" })?;
    }
    out.write_str(close)
}

/// The text of a value, not longer than people read.
pub fn brief(value: &Value) -> String {
    const SHOWN: usize = 60;
    let text = alloc::format!("{value}");
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => alloc::format!("{}…", &text[..at]),
        None => text,
    }
}
