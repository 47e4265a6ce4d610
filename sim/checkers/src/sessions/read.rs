//! Operations as the axioms see them: what each read, from whom, and what it wrote.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::arrows::Arrows;
use super::{AtFirst, Guarantee};
use crate::history::{Clock, History, NEVER, NilRead, Operation, Outcome, Refusal, Value};

/// An operation or transaction.
pub(super) struct Node {
    pub(super) operation: u32,
    session: usize,
    /// Its place in its session.
    place: usize,
    /// Keys, and who wrote what was found there; `None` if it was there at first.
    pub(super) reads: Vec<(usize, Option<usize>)>,
    writes: Vec<usize>,
    /// A transaction: it observes by itself.
    transaction: bool,
}

#[derive(Default)]
pub(super) struct Sessions {
    pub(super) nodes: Vec<Node>,
    pub(super) keys: Vec<Value>,
    /// Per session its nodes.
    lines: Vec<Vec<usize>>,
    /// Operations that may happen at any time after these.
    loose: Vec<(usize, usize)>,
    /// Per session and key the nodes that wrote it, in order.
    writers: BTreeMap<(usize, usize), Vec<usize>>,
    /// Reads that found nothing where something was deleted: whose work that is cannot be said.
    pub(super) blurred: u64,
    /// Per session and key, who wrote it and was read from: place of the read, writer; in order, each writer once.
    seen: BTreeMap<(usize, usize), Vec<(usize, usize)>>,
}

/// Per session, up to which place in which others it has seen what was written there.
pub(super) type Known = BTreeMap<usize, BTreeMap<usize, usize>>;

/// A read that no order explains.
pub(super) struct Wrong {
    pub(super) sentence: String,
    pub(super) operation: u32,
}

/// One access: whether it writes, the key, the value.
type Access = (bool, Value, Value);

impl Sessions {
    pub(super) fn read(history: &History, at_first: &AtFirst) -> Result<Result<Self, Wrong>, Refusal> {
        let mut all: Vec<(u32, &Operation, Vec<Access>)> = Vec::new();
        for (index, operation) in history.operations.iter().enumerate() {
            all.push((index as u32, operation, accesses(operation, history.dialect.nil_read)?));
        }
        let mut written: BTreeMap<(&Value, &Value), usize> = BTreeMap::new();
        let mut deleted: BTreeMap<&Value, u32> = BTreeMap::new();
        for (node, (_, operation, accesses)) in all.iter().enumerate() {
            for (key, value) in last_writes(accesses) {
                if value.is_nil() {
                    if operation.outcome != Outcome::Fail {
                        deleted.entry(key).or_insert(operation.invoked);
                    }
                    continue;
                }
                if written.insert((key, value), node).is_some() || at_first.taken(key, value) {
                    return Err(operation.refuse(format!("{value} is written twice; the values of a key must differ")));
                }
            }
        }
        let mut numbers: BTreeMap<&Value, usize> = BTreeMap::new();
        let mut new = Self::default();
        let mut processes: BTreeMap<i64, usize> = BTreeMap::new();
        for (index, operation, accesses) in &all {
            let session = *processes.entry(operation.process).or_insert_with(|| {
                new.lines.push(Vec::new());
                new.lines.len() - 1
            });
            let (node, place) = (new.nodes.len(), new.lines[session].len());
            let transaction = &*operation.f == "txn";
            let mut made =
                Node { operation: *index, session, place, reads: Vec::new(), writes: Vec::new(), transaction };
            let mut own: BTreeMap<&Value, &Value> = BTreeMap::new();
            for (writes, key, value) in accesses {
                let number = *numbers.entry(key).or_insert_with(|| {
                    new.keys.push(key.clone());
                    new.keys.len() - 1
                });
                if *writes {
                    own.insert(key, value);
                    made.writes.push(number);
                    continue;
                }
                if operation.outcome != Outcome::Ok {
                    continue;
                }
                let from = written.get(&(key, value)).copied();
                let wrong = |why: &str| Ok(Err(Wrong { sentence: format!("{operation}: {why}"), operation: *index }));
                match (own.get(key), from) {
                    (Some(mine), _) if *mine == value => {}
                    (None, None)
                        if value.is_nil() && deleted.get(key).is_some_and(|from| *from < operation.returned) =>
                    {
                        new.blurred += 1;
                    }
                    (Some(mine), _) => return wrong(&format!("it had written {mine} to key {key} and found {value}")),
                    (None, None) if at_first.is(key, value) => made.reads.push((number, None)),
                    (None, None) => return wrong(&format!("nobody wrote {value} to key {key}")),
                    (None, Some(from)) if all[from].1.outcome == Outcome::Fail => {
                        return wrong(&format!("it found {value} in key {key}, whose write had failed"));
                    }
                    (None, Some(from))
                        if history.dialect.clock == Clock::Shared && all[from].1.invoked > operation.returned =>
                    {
                        return wrong(&format!("it found {value} in key {key} before anybody wrote it"));
                    }
                    (None, Some(from)) if from == node => {
                        return wrong(&format!("it found {value} in key {key} before it wrote it"));
                    }
                    (None, Some(from)) => made.reads.push((number, Some(from))),
                }
            }
            made.writes.sort_unstable();
            made.writes.dedup();
            if operation.outcome == Outcome::Fail {
                made.writes.clear();
            }
            if operation.outcome == Outcome::Info {
                // It may happen after whatever its session does next.
                new.loose.extend(new.lines[session].last().map(|&before| (before, node)));
            } else {
                new.lines[session].push(node);
            }
            new.nodes.push(made);
        }
        new.index();
        Ok(Ok(new))
    }

    fn index(&mut self) {
        let mut known = BTreeSet::new();
        for &node in self.lines.iter().flatten() {
            let made = &self.nodes[node];
            for &key in &made.writes {
                self.writers.entry((made.session, key)).or_default().push(node);
            }
            for from in made.reads.iter().filter_map(|(_, from)| *from) {
                for &key in &self.nodes[from].writes {
                    if known.insert((made.session, key, from)) {
                        self.seen.entry((made.session, key)).or_default().push((made.place, from));
                    }
                }
            }
        }
    }

    /// The order of sessions, and reads after what they read.
    pub(super) fn orders(&self, arrows: &mut Arrows) {
        for session in &self.lines {
            session.windows(2).for_each(|pair| arrows.plain(pair[0], pair[1]));
        }
        self.loose.iter().for_each(|&(before, after)| arrows.plain(before, after));
        for (node, made) in self.nodes.iter().enumerate() {
            made.reads.iter().filter_map(|(_, from)| *from).for_each(|from| arrows.plain(from, node));
        }
    }

    /// Of two writes of a key of which one was over before the other began, the first stands first. Only those are joined
    /// between which no third stands.
    pub(super) fn real_time(&self, history: &History, arrows: &mut Arrows) {
        let mut ends: BTreeMap<usize, Vec<(u32, bool, usize)>> = BTreeMap::new();
        for (node, made) in self.nodes.iter().enumerate() {
            let operation = &history.operations[made.operation as usize];
            for &key in &made.writes {
                let ends = ends.entry(key).or_default();
                ends.push((operation.invoked, true, node));
                if operation.returned != NEVER {
                    ends.push((operation.returned, false, node));
                }
            }
        }
        for mut ends in ends.into_values() {
            ends.sort_unstable();
            // Writes that are over, and what was over when those that are open began.
            let mut over: Vec<usize> = Vec::new();
            let mut open: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
            for (_, begins, node) in ends {
                if begins {
                    for &before in &over {
                        arrows.plain(before, node);
                    }
                    open.insert(node, over.clone());
                } else if let Some(before) = open.remove(&node) {
                    over.retain(|other| !before.contains(other));
                    over.push(node);
                }
            }
        }
    }

    /// Tells the writers of a key that a node must have seen, as long as it is asked for more. Nodes come in their order;
    /// `known` is how far into each other session the session of each has seen.
    pub(super) fn seen_writers(
        &self,
        (guarantee, known): (Guarantee, &mut Known),
        (node, key): (usize, usize),
        tell: &mut dyn FnMut(usize) -> bool,
    ) {
        let made = &self.nodes[node];
        let mut own = BTreeMap::new();
        let known = match guarantee {
            Guarantee::ReadYourWrites => return self.wrote((made.session, made.place), key, tell),
            Guarantee::MonotonicReads => return self.saw((made.session, made.place), key, tell),
            Guarantee::MonotonicWrites | Guarantee::WritesFollowReads if made.transaction => &mut own,
            Guarantee::MonotonicWrites | Guarantee::WritesFollowReads => known.entry(made.session).or_default(),
        };
        for source in made.reads.iter().filter_map(|(_, from)| *from).map(|from| &self.nodes[from]) {
            let place = known.entry(source.session).or_default();
            *place = (*place).max(source.place);
        }
        for (&session, &place) in &*known {
            if guarantee == Guarantee::MonotonicWrites {
                self.wrote((session, place), key, tell);
            } else {
                self.saw((session, place), key, tell);
            }
        }
    }

    /// The last writer of a key before a place in a session: the others stand before it.
    fn wrote(&self, (session, place): (usize, usize), key: usize, tell: &mut dyn FnMut(usize) -> bool) {
        let Some(writers) = self.writers.get(&(session, key)) else { return };
        let before = writers.partition_point(|&writer| self.nodes[writer].place < place);
        if let Some(&writer) = writers[..before].last() {
            tell(writer);
        }
    }

    /// Writers of a key from whom something before a place in a session read.
    fn saw(&self, (session, before): (usize, usize), key: usize, tell: &mut dyn FnMut(usize) -> bool) {
        for &(place, writer) in self.seen.get(&(session, key)).into_iter().flatten() {
            if place >= before || !tell(writer) {
                break;
            }
        }
    }
}

/// What others can find of what an operation wrote: the last value per key.
fn last_writes(accesses: &[Access]) -> BTreeMap<&Value, &Value> {
    accesses.iter().filter(|(writes, ..)| *writes).map(|(_, key, value)| (key, value)).collect()
}

fn accesses(operation: &Operation, nil_read: NilRead) -> Result<Vec<Access>, Refusal> {
    let mut all = written_down(operation)?;
    all.retain(|(writes, _, value)| *writes || !value.is_nil() || nil_read == NilRead::Nothing);
    Ok(all)
}

fn written_down(operation: &Operation) -> Result<Vec<Access>, Refusal> {
    let key = || operation.key.clone().unwrap_or_default();
    match &*operation.f {
        "read" | "get" => Ok(alloc::vec![(false, key(), operation.result.clone())]),
        "write" | "put" => Ok(alloc::vec![(true, key(), operation.asked().clone())]),
        "delete" => Ok(alloc::vec![(true, key(), Value::Nil)]),
        "cas" => {
            let pair = operation.asked().pair();
            let (from, to) =
                pair.ok_or_else(|| operation.refuse("a `cas` is a pair: what is expected, what is set"))?;
            Ok(alloc::vec![(false, key(), from.clone()), (true, key(), to.clone())])
        }
        "txn" => {
            let value = if operation.answer().is_some() { &operation.result } else { operation.asked() };
            let steps = value.members().ok_or_else(|| operation.refuse("a `txn` is a list of [r k v] and [w k v]"))?;
            let step = |step: &Value| match step.members() {
                Some([f, key, value]) if matches!(f.as_text(), Some("r" | "read")) => {
                    Ok((false, key.clone(), value.clone()))
                }
                Some([f, key, value]) if matches!(f.as_text(), Some("w" | "write")) => {
                    Ok((true, key.clone(), value.clone()))
                }
                Some(_) | None => Err(operation.refuse(format!("{step} is neither [r k v] nor [w k v]"))),
            };
            steps.iter().map(step).collect()
        }
        other => Err(operation.refuse(format!("there is no `{other}`; there are read, write, cas, delete, txn"))),
    }
}
