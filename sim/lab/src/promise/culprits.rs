//! What a violation is about, for whoever wants to know how it came to it: rows, an instance, what does not add up.

use kernel::{CellId, Time};
use systems::expression::Value;

use super::Promises;
use super::predicate::Predicate;
use super::state::State;
use super::watch::{Form, Watch};
use crate::outcome::Tilt;

/// What a broken promise names.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Culprits {
    /// Rows, by item and key: `orders.orders`, 2149.
    pub rows: Vec<(String, u64)>,
    /// A protocol by its number among the protocols, and instances of it: sagas, transactions, a term.
    pub instances: Option<(u32, Vec<u64>)>,
    /// It is broken by the very change after which it was judged.
    pub at_once: bool,
    /// The state that it speaks of.
    pub cells: Vec<CellId>,
}

impl Promises {
    /// What this promise names as it is now; nothing if it is of a sort that names nothing.
    pub fn culprits(&self, name: &str, now: Time) -> Culprits {
        if let Some((number, watch)) = (0..).zip(&self.watches).find(|(_, watch)| watch.name == name) {
            let cells = self.state.read_by(number).collect();
            let mut found = Culprits { at_once: watch.is_judged_at_once(), cells, ..Culprits::default() };
            if let Form::Each(each) = &watch.form {
                found.rows.extend(each.late().map(|key| (each.item().to_owned(), key)));
            }
            if let Some((predicate, wanted)) = watch.predicate() {
                found.rows.extend(predicate.guilty_rows(wanted, &self.state));
            }
            return found;
        }
        let judge = self.judges.iter().find(|judge| judge.is_called(name));
        Culprits { instances: judge.and_then(|judge| judge.instances(now)), ..Culprits::default() }
    }

    /// By how much the two sides of an equation differ that must be equal: of the first such part of this promise.
    pub fn imbalance(&self, name: &str) -> Option<i64> {
        let watch = self.watches.iter().find(|watch| watch.name == name)?;
        let (predicate, wanted) = watch.predicate()?;
        let (left, right) = predicate.sides().filter(|_| wanted)?;
        match (left.evaluate(&self.state), right.evaluate(&self.state)) {
            (Ok(Value::Int(left)), Ok(Value::Int(right))) => left.checked_sub(right),
            (Ok(_) | Err(_), _) => None,
        }
    }

    /// Whether a violation of this promise has been seen already.
    pub fn seen_broken(&self, name: &str) -> bool {
        self.watches.iter().any(|watch| watch.name == name && watch.violated())
            || self.judges.iter().any(|judge| judge.is_called(name) && judge.has_found())
    }
}

impl Watch {
    /// Which side of its first equation is greater now, if it has one that must hold.
    pub(super) fn tilt(&self, state: &State) -> Tilt {
        let sides = self.predicate().filter(|(_, wanted)| *wanted).and_then(|(predicate, _)| predicate.sides());
        let Some((left, right)) = sides else { return Tilt::Neither };
        match (left.evaluate(state), right.evaluate(state)) {
            (Ok(Value::Int(left)), Ok(Value::Int(right))) if left < right => Tilt::Right,
            (Ok(Value::Int(left)), Ok(Value::Int(right))) if left > right => Tilt::Left,
            (Ok(_) | Err(_), _) => Tilt::Neither,
        }
    }

    /// The predicate that must hold, or with `false` must not; none for what is judged row by row.
    fn predicate(&self) -> Option<(&Predicate, bool)> {
        match &self.form {
            Form::Always { predicate, wanted } => Some((predicate, *wanted)),
            Form::AtRest { predicate, .. }
            | Form::Finally { predicate, .. }
            | Form::Eventually { predicate, .. }
            | Form::Transition { predicate, .. }
            | Form::LeadsTo { then: predicate, .. } => Some((predicate, true)),
            Form::Sometimes { .. } | Form::Each(_) => None,
        }
    }

    /// Whether each change is judged when it is made.
    fn is_judged_at_once(&self) -> bool {
        match &self.form {
            Form::Always { .. } | Form::Transition { .. } => true,
            Form::AtRest { .. }
            | Form::Finally { .. }
            | Form::Eventually { .. }
            | Form::Sometimes { .. }
            | Form::LeadsTo { .. }
            | Form::Each(_) => false,
        }
    }
}
