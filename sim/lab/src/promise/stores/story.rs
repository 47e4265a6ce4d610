//! A violation for people: who did what when, and why that cannot be; and the same as data, for pictures.

use checkers::history::{Counterexample, Operation, Value};
use kernel::Time;

use super::{Said, Seen, StoreCheck};
use crate::model::Model;
use crate::names::Names;
use crate::outcome::{Contradiction, Ended, Refused, Status, StoreOperation, Wish};

/// At most so many operations are told as text; the data has more.
const TOLD_MAX: usize = 12;

/// So many operations of the order that can be explained are shown.
const ORDER_SHOWN: usize = 16;

/// From here on processes are requests of machines, not clients (`systems::app::consulting`).
const MACHINES: u64 = 1 << 60;

/// What those who ask are called.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    workloads: Vec<String>,
    /// By node.
    machines: Vec<String>,
}

/// What is there at the end, as reads; their indices follow those of the history.
#[derive(Clone, Copy)]
pub(super) struct Final<'a> {
    pub(super) who: &'a str,
    pub(super) reads: &'a [(u64, Operation)],
    pub(super) time: Time,
}

impl Clients {
    pub(super) fn of(model: &Model, names: &Names) -> Self {
        Self {
            workloads: model.workloads.iter().map(|(name, _)| name.value.clone()).collect(),
            machines: names.nodes.iter().map(|node| node.name.clone()).collect(),
        }
    }

    fn called(&self, process: u64) -> String {
        let name = |names: &[String], number: u64| names.get(number as usize).cloned().unwrap_or_default();
        if process < MACHINES {
            return format!("{}/{}", name(&self.workloads, process >> 40), process & ((1 << 40) - 1));
        }
        let (machine, request) = ((process - MACHINES) >> 44, process & ((1 << 44) - 1));
        format!("{}/{request}", name(&self.machines, machine))
    }
}

impl StoreCheck {
    /// What clients saw contradicts itself.
    pub(super) fn contradicted(&self, shown: &Counterexample, seen: &Seen) -> Said {
        self.told(shown, seen, None)
    }

    /// The same, also with what is there at the end.
    pub(super) fn told(&self, shown: &Counterexample, seen: &Seen, finals: Option<Final<'_>>) -> Said {
        let all = &seen.book.history.operations;
        let refused = shown.refused.iter().map(|refused| refused.operation);
        let near = &shown.prefix[shown.prefix.len().saturating_sub(ORDER_SHOWN)..];
        let mut places: Vec<u32> =
            shown.operations.iter().copied().chain(refused).chain(near.iter().copied()).collect();
        let sources: Vec<u32> = places.iter().filter_map(|&place| self.source(place, seen, finals)).collect();
        places.extend(&sources);
        places.sort_unstable();
        places.dedup();
        let operations: Vec<StoreOperation> = places.iter().map(|&place| self.operation(place, seen, finals)).collect();
        let place = |wanted: u32| places.binary_search(&wanted).ok();
        let sentence = places.iter().zip(&operations).fold(shown.sentence.clone(), |text, (&place, operation)| {
            let Some(told) = all.get(place as usize) else { return text };
            text.replace(&told.to_string(), &format!("{} {}", operation.client, operation.deed()))
        });
        let mut key = shown.key.as_ref().and_then(Value::int).map(|key| key as u64);
        if key.is_none() && operations.iter().all(|operation| operation.key == operations[0].key) {
            key = operations.first().map(|operation| operation.key);
        }
        let contradiction = Contradiction {
            rule: shown.rule.to_owned(),
            sentence,
            key,
            against: shown.operations.iter().filter_map(|&index| place(index)).collect(),
            order: near.iter().filter_map(|&index| place(index)).collect(),
            before: (shown.prefix.len() - near.len()) as u64,
            state: shown.state.clone(),
            refused: shown
                .refused
                .iter()
                .filter_map(|refused| Some(Refused { operation: place(refused.operation)?, why: refused.why.clone() }))
                .collect(),
            operations,
        };
        let told: Vec<usize> = shown
            .operations
            .iter()
            .chain(&sources)
            .copied()
            .chain(shown.refused.iter().map(|refused| refused.operation))
            .filter_map(place)
            .collect();
        let ends = shown.operations.iter().filter_map(|&index| seen.book.shown.get(index as usize)?.end());
        Said {
            status: Some(Status::Violated),
            lines: lines(&contradiction, told),
            rule: shown.rule.to_owned(),
            first: ends.max_by_key(|moment| moment.event),
            counts: Vec::new(),
            contradiction: Some(contradiction),
        }
    }

    /// Who wrote what this operation found.
    fn source(&self, place: u32, seen: &Seen, finals: Option<Final<'_>>) -> Option<u32> {
        let all = &seen.book.history.operations;
        let Wish::Read(Some(Some(found))) = self.operation(place, seen, finals).wish else { return None };
        let key = match all.get(place as usize) {
            Some(operation) => operation.key.as_ref(),
            None => finals?.reads.get(place as usize - all.len())?.1.key.as_ref(),
        };
        let wrote = |operation: &Operation| match &*operation.f {
            "write" => operation.argument == Value::Int(found),
            "cas" => operation.argument.pair().is_some_and(|(_, to)| *to == Value::Int(found)),
            _ => false,
        };
        all.iter().position(|operation| operation.key.as_ref() == key && wrote(operation)).map(|index| index as u32)
    }

    fn operation(&self, place: u32, seen: &Seen, finals: Option<Final<'_>>) -> StoreOperation {
        if let Some(entry) = seen.book.shown.get(place as usize) {
            let process = seen.book.history.operations[place as usize].process;
            return entry.shown(self.clients.called(process as u64));
        }
        let Final { who, reads, time } = finals.expect("indices behind the history are what is there at the end");
        let (key, read) = &reads[place as usize - seen.book.shown.len()];
        StoreOperation {
            client: who.to_owned(),
            process: read.process,
            key: *key,
            wish: Wish::Read(Some(read.result.int())),
            began: time,
            ended: Some(time),
            end: Ended::There,
        }
    }
}

/// The sentence, and who did what when.
fn lines(shown: &Contradiction, mut told: Vec<usize>) -> Vec<String> {
    told.sort_unstable();
    told.dedup();
    let left_out = told.len().saturating_sub(TOLD_MAX);
    // The last ones tell the most.
    let told = &told[left_out..];
    let wide = |text: fn(&StoreOperation) -> String| {
        told.iter().map(|&place| text(&shown.operations[place]).chars().count()).max().unwrap_or(0)
    };
    let (client, deed) = (wide(|operation| operation.client.clone()), wide(StoreOperation::deed));
    let mut lines = vec![shown.sentence.clone()];
    for &place in told {
        let operation = &shown.operations[place];
        let why = shown.refused.iter().find(|refused| refused.operation == place);
        let why = why.map_or_else(String::new, |refused| format!("  ← {}", refused.why));
        let (who, what) = (&operation.client, operation.deed());
        lines.push(format!("{}  {who:client$}  {what:deed$}  {}{why}", operation.began, operation.ending()));
    }
    if left_out > 0 {
        lines.push(format!("{left_out} earlier operations are left out"));
    }
    lines
}
