//! Rows and items that steps name: whose they are, and whether the verb fits what they hold.

use super::super::diagnostic::Diagnostic;
use super::super::nearest::{listed, nearest};
use super::super::values::clip;
use super::{Checker, find, names};
use crate::model::{At, Change, ItemPath, Row, State, Update, Verb};

/// What an item holds, by its word.
const fn word(state: &State) -> &'static str {
    match state {
        State::Counter { .. } => "counter",
        State::Map { .. } => "map",
        State::List => "list",
    }
}

impl<'a> Checker<'a> {
    /// `keys` and `initial` of items of state.
    pub(super) fn state(&mut self) {
        for (service, body) in &self.model.services {
            for (name, state) in &body.state {
                let path = format!("services.{}.state.{}", service.value, name.value);
                if self.broken(&[&format!("{path}.kind")]) {
                    continue;
                }
                let is_table = self.written(&path, "initial").map(|node| (node.table().is_some(), node.place));
                let error = match (state, is_table) {
                    (State::Counter { .. }, Some((true, place))) => {
                        let label = "a counter begins with a whole number";
                        Diagnostic::error(place, "fields are of a map's rows", label).help("`kind = \"map\"`")
                    }
                    (State::Map { .. }, Some((false, place))) => {
                        let label = "its rows have fields: `initial = { status = \"new\" }`";
                        Diagnostic::error(place, "a map does not begin with a number", label)
                    }
                    (State::Map { keys: 0, initial }, _) if !initial.is_empty() => {
                        let label = "`keys` is missing: how many rows are there from the beginning?";
                        Diagnostic::error(name.place, format!("`{path}` has no rows that `initial` could fill"), label)
                    }
                    (State::Counter { .. } | State::Map { .. } | State::List, _) => continue,
                };
                if !self.broken(&[&path, &format!("{path}.initial"), &format!("{path}.keys")]) {
                    self.errors.push(error);
                }
            }
        }
    }

    /// The item that is meant. `own` is the service the step runs in; a transaction's steps run in none.
    fn state_of(&mut self, item: &ItemPath, own: Option<&str>) -> Option<(&'a At<String>, &'a State)> {
        let whose = match (item.owner.as_str(), own) {
            ("", Some(own)) => own,
            ("", None) => {
                let message = format!("whose `{}`?", item.item);
                let label = "name the owner: \"bank_a.accounts[$from]\"";
                self.errors.push(Diagnostic::error(item.place, message, label));
                return None;
            }
            (other, Some(own)) if other != own && find(&self.model.services, other).is_some() => {
                let message = format!("`{other}.{}` is another service's state", item.item);
                let error = Diagnostic::error(item.place, message, format!("this step runs in `{own}`"));
                let help = format!("call `{other}`, or change both in a `[transactions.x]`");
                self.errors.push(error.help(help));
                return None;
            }
            (other, _) => other,
        };
        let Some((name, service)) = find(&self.model.services, whose) else {
            let known = self.model.services.iter().map(|(n, _)| (n.value.as_str(), Some(n.place)));
            self.unknown(item.place, whose, "service", &known);
            return None;
        };
        if self.broken(&[&format!("services.{whose}.state")]) {
            return None;
        }
        let found = find(&service.state, &item.item);
        if found.is_none() {
            let label = if service.state.is_empty() {
                format!("`{whose}` has no state")
            } else {
                format!("`{whose}` has {}", listed(names(&service.state), 12))
            };
            let near = nearest(&item.item, names(&service.state)).map(|near| format!("did you mean `{whose}.{near}`?"));
            let message = format!("there is no item `{}` in the state of `{whose}`", clip(&item.item));
            let error = Diagnostic::error(item.place, message, label).also(name.place, "this service");
            self.errors.push(error.maybe_help(near));
        }
        found.filter(|_| !self.broken(&[&format!("services.{whose}.state.{}.kind", item.item)]))
    }

    /// A map, of which all rows are meant.
    pub(super) fn map(&mut self, item: &ItemPath, own: Option<&str>) {
        if item.item.is_empty() {
            return;
        }
        if let Some((name, state @ (State::Counter { .. } | State::List))) = self.state_of(item, own) {
            let message = format!("`{}` is a {}, and this needs a map", item.item, word(state));
            let error = Diagnostic::error(item.place, message, "its rows have no fields");
            self.errors.push(error.also(name.place, "declared here"));
        }
    }

    /// The row of a step, or one that a saga marks (which has no verb).
    pub(super) fn row(&mut self, row: &'a Row, own: Option<&str>, verb: Option<&'a Verb>) {
        if row.item.is_empty() {
            return;
        }
        let item = ItemPath { owner: row.owner.clone(), item: row.item.clone(), place: row.place };
        let Some((name, state)) = self.state_of(&item, own) else { return };
        // A key that is not written has the place of the whole row.
        let written = row.key.place != row.place;
        match state {
            State::Counter { keys, .. } if *keys > 1 && !written => {
                let label = format!("`{0}` has {keys} rows: write which, `{0}[$key]`", row.item);
                let whose = if row.owner.is_empty() { own.unwrap_or("") } else { &row.owner };
                let error = Diagnostic::error(row.place, format!("which row of `{whose}.{}`?", row.item), label);
                self.errors.push(error.also(name.place, "declared here"));
            }
            State::List if written => {
                let label = "a list is one value after the other; it has no keys";
                let error = Diagnostic::error(row.key.place, format!("`{}` is a list", row.item), label);
                self.errors.push(error.also(name.place, "declared here"));
            }
            State::Counter { .. } | State::Map { .. } | State::List => {}
        }
        if let Some(problem) = verb.and_then(|verb| misfit(verb, state)) {
            let message = format!("`{}` is a {}: {}", row.item, word(state), problem.0);
            let error = Diagnostic::error(row.place, message, problem.1);
            self.errors.push(error.also(name.place, "declared here"));
        }
    }
}

/// What is wrong about this verb on such an item, and what is right.
fn misfit(verb: &Verb, state: &State) -> Option<(String, &'static str)> {
    let verbs = match state {
        State::Counter { .. } => "a counter takes `update` with `add` or a number to `set`, `read` and `write`",
        State::Map { .. } => {
            "a map takes `insert`, `update` with fields to `set`, `upsert`, `delete`, `read` and `scan`"
        }
        State::List => "a list takes `append`, `remove` and `read`",
    };
    let fits = match verb {
        Verb::Read(_) => true,
        Verb::Update(Update { change: Change::Fields(_), .. })
        | Verb::Insert(_)
        | Verb::Upsert(_)
        | Verb::Delete(_)
        | Verb::Scan(_) => matches!(state, State::Map { .. }),
        Verb::Update(Update { change: Change::Add(_) | Change::Set(_), .. }) | Verb::Write { .. } => {
            matches!(state, State::Counter { .. })
        }
        Verb::Append { .. } | Verb::Remove { .. } => matches!(state, State::List),
        Verb::Work(_)
        | Verb::Sleep(_)
        | Verb::Call(_)
        | Verb::Fail(_)
        | Verb::Reply(_)
        | Verb::When { .. }
        | Verb::Repeat { .. }
        | Verb::Transaction { .. }
        | Verb::Consult(_)
        | Verb::Publish(_)
        | Verb::Outbox(_) => true,
    };
    let what = if let Verb::Update(Update { change: Change::Fields(_), .. }) = verb {
        "it has no fields to `set`".to_owned()
    } else if let (Verb::Update(_), State::Map { .. }) = (verb, state) {
        "its rows have fields".to_owned()
    } else {
        format!("there is no `{}`", verb.word())
    };
    (!fits).then_some((what, verbs))
}
