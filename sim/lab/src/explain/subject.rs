//! What a story is about: an operation, a saga or a transaction that somebody names, or what a broken promise names.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{CellId, FactKind, NULL, Time};
use systems::app::clients;
use systems::app::ending::Ending;
use systems::app::output::Asked;

use super::trace::{Change, Trace, What};
use crate::model::{Model, Read, Scan, Verb, all_steps};
use crate::names::{ItemKind, Names};
use crate::nearest::nearest;
use crate::outcome::{Contradiction, InvariantResult, Wish};
use crate::promise::culprits::Culprits;

/// Operations that do not add up: so many are told at most.
const UNBALANCED_MAX: usize = 3;
/// So many of those that changed the same meanwhile are told.
const OVERTAKING_MAX: usize = 2;
/// Changes of who leads: so many are told at most.
const LEADERS_MAX: usize = 12;

/// What is to be explained.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum About {
    /// The nth broken promise, from 1.
    Violation(usize),
    /// A client's operation, as histories number it: `shoppers/2148`, or `2148` where there is one workload.
    Operation(String),
    /// A saga by its number.
    Saga(String),
    /// A transaction by its number.
    Transaction(String),
    /// What happens around a moment.
    At(Time),
}

/// What a story is about, in numbers.
#[derive(Clone, Default, Debug)]
pub(super) struct Subject {
    pub(super) title: String,
    pub(super) operations: BTreeSet<u64>,
    pub(super) rows: Vec<(String, u64)>,
    /// Events that belong to it whatever they work for.
    pub(super) events: BTreeSet<u64>,
    /// Something to be said at an event.
    pub(super) notes: BTreeMap<u64, String>,
}

impl Subject {
    /// What a broken promise is about.
    pub(super) fn broken(
        trace: &Trace,
        (model, names): (&Model, &Names),
        promise: &InvariantResult,
        culprits: &Culprits,
        until: u64,
    ) -> Self {
        let mut subject = Self { title: promise.name.clone(), rows: culprits.rows.clone(), ..Self::default() };
        if let Some((protocol, instances)) = &culprits.instances {
            if names.protocols.get(*protocol as usize).is_some_and(|name| name.starts_with("stores.")) {
                let leads = |what: &What| matches!(what, What::Fact { kind: FactKind::Leads { term }, .. } if instances.contains(term));
                subject.events.extend(trace.notes.iter().filter(|note| leads(&note.what)).map(|note| note.event));
            } else {
                subject.operations.extend(instances);
            }
        }
        let values: Vec<CellId> = culprits.cells.iter().copied().filter(|cell| is_read(*cell, model, names)).collect();
        subject.unbalanced(trace, &values);
        if culprits.at_once {
            subject.events.insert(until);
            subject.operations.extend(trace.event(until).map(|event| event.operation).filter(|of| *of != 0));
        }
        if let Some(shown) = promise.evidence.as_ref().and_then(|evidence| evidence.contradiction.as_ref()) {
            subject.contradicted(trace, shown);
            subject.led(trace, until);
        }
        subject
    }

    /// The operations after which the sides of an equation differ more than before.
    fn unbalanced(&mut self, trace: &Trace, cells: &[CellId]) {
        let mut net: BTreeMap<u64, (i64, u64)> = BTreeMap::new();
        let mut last = None;
        for &(number, value) in &trace.imbalance {
            let step = value - last.replace(value).unwrap_or(value);
            let operation = trace.event(number).map_or(0, |event| event.operation);
            let entry = net.entry(operation).or_default();
            entry.0 += step;
            // Since here it has not added up.
            entry.1 = number;
        }
        let mut left: Vec<(u64, i64, u64)> = net
            .into_iter()
            .filter(|(of, (sum, _))| *of != 0 && *sum != 0)
            .map(|(of, (sum, at))| (at, sum, of))
            .collect();
        left.sort_unstable();
        for (event, sum, operation) in left.into_iter().rev().take(UNBALANCED_MAX) {
            self.operations.insert(operation);
            self.notes.insert(event, format!("from here on it does not add up: {sum:+}"));
            self.overtaken(trace, cells, operation, event);
        }
    }

    /// If nothing went wrong with an operation that does not add up, somebody else may have overwritten what it had read
    /// before it wrote. The last who overwrote what the promise speaks of, where it was written, are told with it.
    fn overtaken(&mut self, trace: &Trace, cells: &[CellId], operation: u64, wrote: u64) {
        let of = |event: u64| trace.event(event).map(|event| (event.operation, event.node));
        let mine = || trace.notes.iter().filter(|note| of(note.event).is_some_and(|(of, _)| of == operation));
        let number = mine().find_map(|note| {
            let What::Invoked { number, .. } = note.what else { return None };
            Some(number)
        });
        let well = mine().any(|note| matches!(note.what, What::Completed { ending: Ending::Ok, .. }));
        // What is broken by this very event is not over yet.
        let well = well || wrote == trace.last();
        // Who was made to ask again may be the one who did it twice.
        let waited = mine().any(|note| matches!(note.what, What::Alarm(..)));
        let Some((number, (_, place))) = number.filter(|_| well && !waited).zip(of(wrote)) else { return };
        // When it came there for the first time: what it read, it can have read then.
        let came = trace.events().find(|(_, event)| event.operation == operation && event.node == place);
        let Some((came, _)) = came else { return };
        let meanwhile = trace.notes.iter().rev().filter(|note| came < note.event && note.event < wrote);
        let theirs = meanwhile.filter_map(|note| {
            let What::Changed { first, count } = note.what else { return None };
            let (other, node) = of(note.event)?;
            let overwrites = |change: &Change| cells.contains(&change.cell) && change.before != NULL;
            let changes = trace.changed(first, count).iter().any(overwrites);
            (changes && node == place && other != operation && other != 0).then_some((note.event, other))
        });
        for (event, other) in theirs.take(OVERTAKING_MAX) {
            self.operations.insert(other);
            self.notes.entry(event).or_insert_with(|| format!("while operation {number} was under way"));
        }
    }

    /// Operations on a store that cannot all be as they are, and who wrote what they found.
    fn contradicted(&mut self, trace: &Trace, shown: &Contradiction) {
        let refused = shown.refused.iter().map(|refused| refused.operation);
        let mut places: BTreeSet<usize> = shown.against.iter().copied().chain(refused).collect();
        let found: Vec<(u64, i64)> = places
            .iter()
            .filter_map(|&place| match (shown.operations[place].key, shown.operations[place].wish) {
                (key, Wish::Read(Some(Some(value)))) => Some((key, value)),
                (_, Wish::Read(_) | Wish::Write(_) | Wish::Delete | Wish::Cas(..)) => None,
            })
            .collect();
        let wrote = |place: &usize| {
            let operation = &shown.operations[*place];
            match operation.wish {
                Wish::Write(value) | Wish::Cas(_, value) => found.contains(&(operation.key, value)),
                Wish::Read(_) | Wish::Delete => false,
            }
        };
        places.extend((0..shown.operations.len()).filter(wrote));
        let changes = |place: &&usize| !matches!(shown.operations[**place].wish, Wish::Read(_));
        places.extend(shown.order.iter().rfind(changes));
        for place in places {
            let operation = &shown.operations[place];
            let why = shown.refused.iter().find(|refused| refused.operation == place).map(|refused| &refused.why);
            for note in &trace.notes {
                let What::Store(told) = note.what else { continue };
                if told.process as i64 != operation.process || told.operation.key() != operation.key {
                    continue;
                }
                let of = trace.event(note.event).map_or(0, |event| event.operation);
                if told.what == Asked::Begins && note.time == operation.began {
                    self.events.insert(note.event);
                    self.operations.extend((of != 0).then_some(of));
                } else if told.what != Asked::Begins && Some(note.time) == operation.ended {
                    self.events.insert(note.event);
                    self.notes.extend(why.map(|why| (note.event, why.clone())));
                }
            }
        }
    }

    /// Who led when, as far as it is known, from the first of its events on.
    pub(super) fn led(&mut self, trace: &Trace, until: u64) {
        let Some(&from) = self.events.first() else { return };
        let told = trace.notes.iter().filter(|note| (from..=until).contains(&note.event));
        let told = told
            .filter(|note| matches!(note.what, What::Fact { kind: FactKind::Leads { .. } | FactKind::StoodDown, .. }));
        let all: Vec<u64> = told.map(|note| note.event).collect();
        self.events.extend(all.iter().rev().take(LEADERS_MAX));
    }

    /// What somebody names; or what there is instead.
    pub(super) fn named(trace: &Trace, model: &Model, names: &Names, about: &About) -> Result<Self, String> {
        let (title, operation) = match about {
            About::Operation(id) => operation(trace, model, id)?,
            About::Saga(id) => instance(trace, names, "sagas.", "saga", id)?,
            About::Transaction(id) => instance(trace, names, "transactions.", "transaction", id)?,
            About::Violation(_) | About::At(_) => (String::new(), 0),
        };
        Ok(Self { title, operations: BTreeSet::from([operation]), ..Self::default() })
    }
}

/// A number as it is printed: with groups of three, or underscores.
fn number(text: &str) -> Option<u64> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '_' | '\u{a0}')).collect();
    digits.parse().ok()
}

/// An operation of a client.
fn operation(trace: &Trace, model: &Model, id: &str) -> Result<(String, u64), String> {
    let workloads: Vec<&str> = model.workloads.iter().map(|(name, _)| name.value.as_str()).collect();
    let (workload, digits) = match id.rsplit_once('/') {
        Some((workload, digits)) => (workload.trim_start_matches("workloads."), digits),
        None if workloads.len() == 1 => (workloads[0], id),
        None => {
            let example = workloads.first().map_or_else(String::new, |name| format!(", as in {name}/{id}"));
            return Err(format!(
                "there are the workloads {}: say whose operation it is{example}",
                workloads.join(", ")
            ));
        }
    };
    let Some(place) = workloads.iter().position(|name| *name == workload) else {
        let near = nearest(workload, workloads.iter().copied()).map(|near| format!(", did you mean {near}?"));
        let all = workloads.join(", ");
        return Err(format!("there is no workload {workload}{}; there is {all}", near.unwrap_or_default()));
    };
    let mut begun = trace.notes.iter().filter_map(|note| {
        let What::Invoked { workload, number } = note.what else { return None };
        (workload as usize == place).then_some(number)
    });
    let wanted =
        number(digits).ok_or_else(|| format!("an operation is a number, as in {workload}/12, not {digits}"))?;
    if begun.clone().any(|number| number == wanted) {
        return Ok((format!("operation {workload}/{wanted}"), clients::operation(place as u32, wanted)));
    }
    let (first, last) = (begun.clone().min(), begun.by_ref().max());
    Err(match first.zip(last) {
        Some((first, last)) => {
            format!("there is no operation {workload}/{wanted}; {workload} began {first} to {last}")
        }
        None => format!("there is no operation {workload}/{wanted}; {workload} began none"),
    })
}

/// An instance of a protocol.
fn instance(trace: &Trace, names: &Names, section: &str, word: &str, id: &str) -> Result<(String, u64), String> {
    let all: Vec<(&str, &BTreeSet<u64>)> = trace
        .instances
        .iter()
        .filter_map(|(protocol, numbers)| {
            let name = names.protocols.get(*protocol as usize)?.strip_prefix(section)?;
            Some((name, numbers))
        })
        .collect();
    if all.is_empty() {
        return Err(format!("no {word} began in this run"));
    }
    let wanted = number(id.rsplit('/').next().unwrap_or(id))
        .ok_or_else(|| format!("a {word} is a number, as in --{word} 12, not {id}"))?;
    if let Some((name, _)) = all.iter().find(|(_, numbers)| numbers.contains(&wanted)) {
        return Ok((format!("{word} {wanted} ({name})"), wanted));
    }
    let near = all.iter().flat_map(|(_, numbers)| {
        [numbers.range(..wanted).next_back(), numbers.range(wanted..).next()].into_iter().flatten().copied()
    });
    let mut near: Vec<u64> = near.collect();
    near.sort_unstable_by_key(|number| (number.abs_diff(wanted), *number));
    let near: Vec<String> = near.iter().take(2).map(u64::to_string).collect();
    let count: usize = all.iter().map(|(_, numbers)| numbers.len()).sum();
    Err(format!("there is no {word} {wanted} among the {count} that began; nearest: {}", near.join(", ")))
}

/// Whether a cell is a counter or a field of a row (not whether a row is there, nor how long a list is) that some step reads
/// into a variable: who only adds to it overtakes nobody.
fn is_read(cell: CellId, model: &Model, names: &Names) -> bool {
    let mine = names.items.iter().find(|item| match &item.kind {
        ItemKind::Counter { cell: own } => *own == cell,
        ItemKind::List { .. } => false,
        ItemKind::Map { fields, .. } => fields.iter().any(|field| field.cell == cell),
    });
    let Some(mine) = mine else { return false };
    model.services.iter().any(|(service, declared)| {
        let ops = declared.ops.iter().map(|(_, op)| &op.steps);
        let steps = ops.chain(declared.consumers.iter().map(|(_, consumer)| &consumer.steps));
        let path =
            |owner: &str, item: &str| format!("{}.{item}", if owner.is_empty() { &service.value } else { owner });
        steps.flat_map(|steps| all_steps(steps)).any(|step| {
            if let Verb::Read(Read { row, into: Some(_) }) = &step.verb {
                path(&row.owner, &row.item) == mine.path
            } else if let Verb::Scan(Scan { item, into: Some(_), .. }) = &step.verb {
                path(&item.owner, &item.item) == mine.path
            } else {
                false
            }
        })
    })
}
