//! Promises about replicated stores that a judge of histories keeps: `check = "linearizable"`, `of = "kv"`.
//!
//! While the run goes on there is a [`Log`] per store, of numbers, which all of its checks share; nothing is judged before
//! the end. A store is registers under keys and linearizability is local (Herlihy and Wing, 1990, theorem 1), so judging
//! each key by itself loses nothing. Two judges also look at what is there when the run has ended ([`Copies`]).

mod copies;
mod ending;
mod log;
mod story;
#[cfg(test)]
mod tests;

pub use copies::Copies;
pub use log::{Book, LINES_MAX, Log, outcome};

use checkers::catalogue::{self, Consistency, Model as Object, Question};
use checkers::history::{Certificate, Judgement, Outcome};
use checkers::ledgers::staleness::Bound;
use checkers::linearizable::Budget;

use super::predicate::grouped;
use super::watch::{Ending, Moment};
use crate::expression::Problem;
use crate::model::{Check, Model, Staleness};
use crate::names::Names;
use crate::nearest::nearest;
use crate::outcome::{Contradiction, Evidence, Expectation, InvariantResult, Status};
use story::Clients;

/// What was seen of a store.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What its clients asked and were told.
    pub book: Book,
    /// That lacks its end.
    pub cut: bool,
    /// What is there.
    pub copies: Copies,
}

/// A promise about a store.
#[derive(Clone, Debug)]
pub(super) struct StoreCheck {
    name: String,
    says: String,
    /// Its number.
    pub(super) store: u32,
    subject: String,
    asks: Asks,
    clients: Clients,
}

/// What is asked.
#[derive(Clone, Debug)]
enum Asks {
    /// Of what clients saw.
    History(Question),
    /// Whether what was acknowledged is there.
    DurableAcks,
    /// Whether all copies are equal.
    Convergence,
}

/// What a judge says.
#[derive(Debug, Default)]
struct Said {
    status: Option<Status>,
    lines: Vec<String>,
    rule: String,
    first: Option<Moment>,
    counts: Vec<(String, u64)>,
    contradiction: Option<Contradiction>,
}

impl StoreCheck {
    /// The check called `name`.
    pub(super) fn new(
        name: &str,
        text: Option<&str>,
        check: &Check,
        (model, names): (&Model, &Names),
    ) -> Result<Self, Vec<Problem>> {
        let store = model.stores.iter().position(|(store, _)| store.value == check.of.value);
        let Some(store) = store else {
            let known = || model.stores.iter().map(|(name, _)| name.value.as_str());
            let help = nearest(&check.of.value, known()).map(|near| format!("`{near}`?"));
            let message = format!("no store is called `{}`", check.of.value);
            let about = vec![format!("stores.{}", check.of.value), format!("invariants.{name}.check")];
            return Err(vec![Problem { about, ..Problem::plain(check.of.place, message, help) }]);
        };
        let says = format!("{} of {}", check.judge.value, check.of.value);
        Ok(Self {
            name: name.to_owned(),
            says: text.map_or_else(|| says.clone(), |text| format!("{text} ({says})")),
            store: store as u32,
            subject: check.of.value.clone(),
            asks: asks(check)?,
            clients: Clients::of(model, names),
        })
    }

    /// Whether it looks at what is there at the end, and so waits for what copies still have to tell each other.
    pub(super) const fn waits(&self) -> bool {
        matches!(self.asks, Asks::DurableAcks | Asks::Convergence)
    }

    /// What came of it.
    pub(super) fn finish(&self, ending: Ending<'_>, seen: Option<&Seen>) -> InvariantResult {
        let said = match seen {
            Some(seen) if !seen.book.shown.is_empty() => self.judge(ending, seen),
            Some(_) | None => Said::vacuous(format!("nobody asked {} for anything", self.subject)),
        };
        let status = said.status.unwrap_or(Status::Unknown);
        let broken = status == Status::Violated;
        let first = said.first.unwrap_or(ending.at);
        InvariantResult {
            tilt: crate::outcome::Tilt::Neither,
            name: self.name.clone(),
            form: "check".to_owned(),
            says: self.says.clone(),
            status,
            witness: said.lines,
            first: broken.then_some((first.time, first.event)),
            evaluations: seen.map_or(0, |seen| seen.book.shown.len() as u64),
            class: if broken { format!("{}/{}", self.name, said.rule) } else { String::new() },
            reached: None,
            expected: Expectation::Holds,
            evidence: Some(Box::new(Evidence {
                store: self.subject.clone(),
                counts: said.counts,
                contradiction: said.contradiction,
            })),
        }
    }

    fn judge(&self, ending: Ending<'_>, seen: &Seen) -> Said {
        let said = match &self.asks {
            Asks::History(question) => self.by_history(question, seen),
            Asks::DurableAcks => self.durable(ending, seen),
            Asks::Convergence => self.converged(ending, seen),
        };
        match said.status {
            // What is missing could break it.
            Some(Status::Holds) if seen.cut && !matches!(self.asks, Asks::Convergence) => {
                let lines = grouped(LINES_MAX as i128);
                Said::unknown(format!("only the first {lines} lines of what clients saw were kept"))
            }
            _ => said,
        }
    }

    fn by_history(&self, question: &Question, seen: &Seen) -> Said {
        if let Some(why) = idle(question.consistency, &seen.book) {
            return Said::vacuous(why.to_owned());
        }
        match catalogue::ask(&seen.book.history, question) {
            Err(refusal) => Said::unknown(format!("it cannot be judged: {}", refusal.what)),
            Ok(Judgement::Valid(certificate)) => Said::holds(counts(&certificate)),
            Ok(Judgement::Unknown { why, spent }) => {
                let spent = grouped(i128::from(spent));
                Said::unknown(format!("{why}; {spent} steps were spent, and `limit` may give it more"))
            }
            Ok(Judgement::Violated(shown)) => self.contradicted(&shown, seen),
        }
    }
}

/// What there must be for the question to say anything.
fn idle(consistency: Consistency, book: &Book) -> Option<&'static str> {
    let operations = &book.history.operations;
    let answered = || operations.iter().filter(|operation| operation.outcome == Outcome::Ok);
    match consistency {
        Consistency::Session(_) => {
            let mut processes: Vec<i64> = answered().map(|operation| operation.process).collect();
            processes.sort_unstable();
            processes.windows(2).all(|two| two[0] != two[1]).then_some("no client was answered twice")
        }
        Consistency::BoundedStaleness(_) => {
            answered().all(|operation| &*operation.f != "read").then_some("no read was answered")
        }
        Consistency::Linearizable
        | Consistency::Sequential
        | Consistency::DurableAcks
        | Consistency::Convergence
        | Consistency::Bounds
        | Consistency::Set
        | Consistency::SetFull
        | Consistency::Conservation
        | Consistency::Delivery(_)
        | Consistency::UniqueIds
        | Consistency::LongFork
        | Consistency::OneLeaderPerTerm => answered().next().is_none().then_some("nobody was answered"),
    }
}

fn counts(certificate: &Certificate) -> Vec<(String, u64)> {
    match certificate {
        Certificate::Orders(orders) => vec![("keys".to_owned(), orders.len() as u64)],
        Certificate::Counts(counts) => counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
    }
}

/// The question that a check asks.
fn asks(check: &Check) -> Result<Asks, Vec<Problem>> {
    let judge = check.judge.value.as_str();
    let bound = match (check.max.map(|max| max.value), judge) {
        (Some(Staleness::Versions(most)), "bounded_staleness") => Some(Bound::Versions(most)),
        (Some(Staleness::Time(span)), "bounded_staleness") => Some(Bound::Nanoseconds(span.0)),
        (None, "bounded_staleness") => {
            let message = "`bounded_staleness` needs a bound".to_owned();
            return Err(vec![Problem::plain(check.judge.place, message, Some("`max = \"500ms\"`".to_owned()))]);
        }
        _ => None,
    };
    let consistency = match judge {
        "durable_acks" => return Ok(Asks::DurableAcks),
        "convergence" => return Ok(Asks::Convergence),
        other => bound.map_or_else(
            || catalogue::consistency(other).map_err(|why| vec![Problem::plain(check.judge.place, why, None)]),
            |bound| Ok(Consistency::BoundedStaleness(bound)),
        )?,
    };
    let usual = Budget::USUAL;
    let budget = Budget { steps: check.limit.map_or(usual.steps, |limit| limit.value), ..usual };
    Ok(Asks::History(Question { model: Object::Kv, consistency, initial: None, budget }))
}

impl Said {
    fn holds(counts: Vec<(String, u64)>) -> Self {
        Self { status: Some(Status::Holds), counts, ..Self::default() }
    }

    fn unknown(why: String) -> Self {
        Self { status: Some(Status::Unknown), lines: vec![why], ..Self::default() }
    }

    fn vacuous(why: String) -> Self {
        Self { status: Some(Status::Vacuous), lines: vec![why], ..Self::default() }
    }
}
