//! Values of a scenario file, and what can stand where.

use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;

use super::text;

/// A value of a scenario file. Whatever can be one turns into it: numbers, truth, text such as `"50ms"`, lengths of time,
/// lists, tables, and every piece of the builder.
///
/// ```
/// use std::time::Duration;
/// use stormglass::builder::{Disk, Value};
/// use stormglass::kernel::Span;
///
/// assert_eq!(Value::from("exp(2ms)").to_string(), r#""exp(2ms)""#);
/// assert_eq!(Value::from(Duration::from_millis(1_500)).to_string(), r#""1500ms""#);
/// assert_eq!(Value::from(Span::secs(90)).to_string(), r#""90s""#);
/// assert_eq!(Value::from([3, 5]).to_string(), "[3, 5]");
/// assert_eq!(Value::from(Disk::new().fsync("1ms")).to_string(), r#"{ fsync = "1ms" }"#);
/// ```
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Text, in which durations, rates, shares, distributions and expressions are written too.
    Text(String),
    /// A whole number.
    Integer(i128),
    /// Any other number.
    Number(f64),
    /// True or false.
    Truth(bool),
    /// Values, one after the other.
    Array(Vec<Value>),
    /// Names and values.
    Table(Table),
}

/// Names and values, in the order in which they were written.
///
/// ```
/// use stormglass::builder::{Step, Table};
///
/// let row = Table::new().with("status", "pending").with("amount", "$amount");
/// let step = Step::insert("orders").set(row);
/// assert_eq!(step.to_string(), r#"{ insert = "orders", set = { status = "pending", amount = "$amount" } }"#);
/// let same: Table = [("status", "pending"), ("amount", "$amount")].into_iter().collect();
/// assert_eq!(Step::insert("orders").set(same), step);
/// ```
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Table {
    pub(super) entries: Vec<(String, Value)>,
}

impl Table {
    /// Nothing yet.
    ///
    /// ```
    /// use stormglass::builder::{Table, Value};
    ///
    /// assert_eq!(Value::from(Table::new()).to_string(), "{}");
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more entry. A name is given once: of two the file says that there are two.
    ///
    /// ```
    /// use stormglass::builder::{Table, Value};
    ///
    /// let row = Table::new().with("status", "paid").with("times", 2);
    /// assert_eq!(Value::from(row).to_string(), r#"{ status = "paid", times = 2 }"#);
    /// ```
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.add(name, value);
        self
    }

    pub(super) fn add(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.entries.push((name.into(), value.into()));
    }

    /// Writes a key, instead of what stood there.
    pub(crate) fn put(&mut self, name: &str, value: Value) {
        match self.entries.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.entries.push((name.to_owned(), value)),
        }
    }

    /// The table of this name; it is made if there is none, or something else.
    pub(super) fn inner(&mut self, name: &str) -> &mut Self {
        let place = self.entries.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.entries.push((name.to_owned(), Value::Table(Self::new())));
            self.entries.len() - 1
        });
        let value = &mut self.entries[place].1;
        if !matches!(value, Value::Table(_)) {
            *value = Value::Table(Self::new());
        }
        let Value::Table(table) = value else { unreachable!("it was just made one") };
        table
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Table {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self { entries: entries.into_iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }
}

/// On one line, as TOML.
impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&text::line(self))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Truth(truth)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<Duration> for Value {
    fn from(length: Duration) -> Self {
        Self::Text(text::duration(length.as_nanos()))
    }
}

impl From<kernel::Span> for Value {
    fn from(length: kernel::Span) -> Self {
        Self::Text(text::duration(length.0.into()))
    }
}

impl From<Table> for Value {
    fn from(table: Table) -> Self {
        Self::Table(table)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::Array(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>, const N: usize> From<[T; N]> for Value {
    fn from(items: [T; N]) -> Self {
        Self::Array(items.into_iter().map(Into::into).collect())
    }
}

macro_rules! whole_numbers {
    ($($number:ty)*) => { $(
        impl From<$number> for Value {
            fn from(number: $number) -> Self {
                Self::Integer(number.into())
            }
        }
        impl<T> From<$number> for Of<T> {
            fn from(number: $number) -> Self {
                Self::short(number)
            }
        }
    )* };
}

whole_numbers! { i8 i16 i32 i64 u8 u16 u32 u64 }

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        // As many bits as any machine has; what a file cannot hold is told when it is loaded.
        Self::Integer(number as i128)
    }
}

impl<T> From<usize> for Of<T> {
    fn from(number: usize) -> Self {
        Self::short(number)
    }
}

/// A piece such as [`Op`](super::Op), or what is short for it in a file: `"exp(2ms)"` for an op that works so long,
/// `10` for a queue with this capacity, an array for the steps of an op, the name of a policy.
///
/// ```
/// use stormglass::builder::{Op, Service, ServiceQueue, Step};
///
/// let service = Service::new()
///     .queue(10)
///     .op("get", "exp(2ms)")
///     .op("put", [Step::work("exp(1ms)"), Step::sleep("5ms")])
///     .op("list", Op::new().work("exp(9ms)").reply_size("1MiB"));
/// assert_eq!(Service::new().queue(ServiceQueue::new().order("lifo")).to_string(), r#"{ queue = { order = "lifo" } }"#);
/// assert!(service.to_string().contains(r#"get = "exp(2ms)""#));
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Of<T> {
    value: Value,
    of: PhantomData<T>,
}

impl<T> Of<T> {
    fn short(value: impl Into<Value>) -> Self {
        Self { value: value.into(), of: PhantomData }
    }
}

impl<T> From<Of<T>> for Value {
    fn from(of: Of<T>) -> Self {
        of.value
    }
}

/// What the builder has a type for.
pub(super) trait Piece: Into<Value> {}

impl<T: Piece> From<T> for Of<T> {
    fn from(piece: T) -> Self {
        Self::short(piece)
    }
}

macro_rules! short_forms {
    ($($short:ty)*) => { $(
        impl<T> From<$short> for Of<T> {
            fn from(short: $short) -> Self {
                Self::short(short)
            }
        }
    )* };
}

short_forms! { &str String &String bool Duration kernel::Span }

impl<T, U: Into<Value>> From<Vec<U>> for Of<T> {
    fn from(items: Vec<U>) -> Self {
        Self::short(items)
    }
}

impl<T, U: Into<Value>, const N: usize> From<[U; N]> for Of<T> {
    fn from(items: [U; N]) -> Self {
        Self::short(items)
    }
}

/// Pieces one after the other, such as the steps of an op; or a word that stands for them, such as `"skip"` for what is
/// done when a step fails.
///
/// ```
/// use stormglass::builder::{Step, Workload, Stage};
///
/// let step = Step::read("kv[$key]").else_([Step::fail("gone")]);
/// assert_eq!(step.to_string(), r#"{ read = "kv[$key]", else = [{ fail = "gone" }] }"#);
/// assert_eq!(Step::read("kv[$key]").else_("skip").to_string(), r#"{ read = "kv[$key]", else = "skip" }"#);
/// let ramp: Vec<Stage> = (1..=3).map(|n| Stage::new().to(format!("{n}00/s")).over("10s")).collect();
/// assert!(Workload::new().stages(ramp).to_string().contains(r#"{ to = "300/s", over = "10s" }"#));
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct List<T> {
    value: Value,
    of: PhantomData<T>,
}

impl<T> From<List<T>> for Value {
    fn from(list: List<T>) -> Self {
        list.value
    }
}

impl<T: Piece> From<Vec<T>> for List<T> {
    fn from(items: Vec<T>) -> Self {
        Self { value: items.into(), of: PhantomData }
    }
}

impl<T: Piece, const N: usize> From<[T; N]> for List<T> {
    fn from(items: [T; N]) -> Self {
        Self { value: items.into(), of: PhantomData }
    }
}

impl<T: Piece> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self { value: items.into_iter().collect::<Vec<T>>().into(), of: PhantomData }
    }
}

impl<T> From<&str> for List<T> {
    fn from(word: &str) -> Self {
        Self { value: word.into(), of: PhantomData }
    }
}
