//! The variables of a request, by number. All that a request causes carries them on.

use alloc::sync::Arc;
use alloc::vec::Vec;

use kernel::fold;

use crate::expression::{Environment, ItemId, Value, VariableId};

/// The variables of a request, by number. All that a request causes shares them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Variables(Option<Arc<Vec<Value>>>);

impl Variables {
    /// Adds the next variable.
    pub fn push(&mut self, value: Value) {
        Arc::make_mut(self.0.get_or_insert_default()).push(value);
    }

    /// All of them, by number.
    #[inline]
    fn all(&self) -> &[Value] {
        self.0.as_ref().map_or(&[], |all| all)
    }

    /// The value of one; null if it is not set.
    #[inline]
    pub fn get(&self, variable: VariableId) -> Value {
        self.all().get(variable.0 as usize).copied().unwrap_or(Value::Null)
    }

    /// Takes all of them into a digest.
    #[inline]
    pub fn fold(&self, state: u64) -> u64 {
        if self.0.is_none() {
            return state;
        }
        self.fold_all(state)
    }

    fn fold_all(&self, state: u64) -> u64 {
        self.all().iter().fold(state, |state, value| fold(state, word(*value)))
    }

    /// How many there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.all().len()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.all().is_empty()
    }

    /// Sets one, for whoever holds these.
    pub fn set(&mut self, variable: VariableId, value: Value) {
        if self.get(variable) == value {
            return;
        }
        let all = Arc::make_mut(self.0.get_or_insert_default());
        let at = variable.0 as usize;
        if all.len() <= at {
            all.resize(at + 1, Value::Null);
        }
        all[at] = value;
    }

    /// In order.
    #[inline]
    pub fn values(&self) -> impl Iterator<Item = Value> {
        self.all().iter().copied()
    }
}

impl FromIterator<Value> for Variables {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        let all: Vec<Value> = values.into_iter().collect();
        Self((!all.is_empty()).then(|| Arc::new(all)))
    }
}

/// Expressions that read a request's variables and nothing else.
impl Environment for Variables {
    fn variable(&self, variable: VariableId) -> Value {
        self.get(variable)
    }

    fn row(&self, _: ItemId, _: i64) -> Value {
        Value::Null
    }
}

fn word(value: Value) -> u64 {
    match value {
        Value::Null => 1,
        Value::Int(n) => fold(2, n as u64),
        Value::Bool(b) => fold(3, u64::from(b)),
        Value::Text(t) => fold(4, u64::from(t)),
    }
}
