//! Which events a story is made of: the operations it is about, who wrote the rows it names, and what caused that.

use std::collections::BTreeSet;

use super::subject::Subject;
use super::trace::{Cause, Trace, What};
use crate::names::{ItemKind, Names};

/// Of a row that is written often, the last writers are told.
const WRITERS_MAX: usize = 6;
/// Operations of one story.
const OPERATIONS_MAX: usize = 12;

/// What leads from one event to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Edge {
    /// Both work for one operation.
    Operation,
    /// The one wrote a row that is named.
    Row,
    /// The one sent the message that the other handles.
    Message,
    /// The one set the timer, or began the work or the write, that the other is.
    Timer,
}

impl Edge {
    /// All of them.
    pub(super) const ALL: [Self; 4] = [Self::Operation, Self::Row, Self::Message, Self::Timer];
}

/// What a story is made of.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Cone {
    /// The operations it is about.
    pub(super) operations: BTreeSet<u64>,
    /// Events that work for them, or write the rows.
    pub(super) events: BTreeSet<u64>,
    /// Messages about them.
    pub(super) letters: BTreeSet<u64>,
    /// Every event from which a chain of causes leads to one of these, and these.
    pub(super) caused: BTreeSet<u64>,
}

impl Cone {
    /// The cone of a subject, up to an event.
    pub(super) fn new(trace: &Trace, subject: &Subject, names: &Names, until: u64, edges: &[Edge]) -> Self {
        let mut cone = Self { operations: subject.operations.clone(), ..Self::default() };
        if edges.contains(&Edge::Row) {
            cone.writers(trace, subject, names, until);
        }
        cone.events.extend(subject.events.iter().filter(|event| **event <= until));
        if edges.contains(&Edge::Operation) {
            cone.own(trace, until);
        }
        cone.back(trace, edges);
        cone
    }

    /// Who wrote the rows that are named.
    fn writers(&mut self, trace: &Trace, subject: &Subject, names: &Names, until: u64) {
        for (path, key) in &subject.rows {
            let Some(item) = names.items.iter().find(|item| item.path == *path) else { continue };
            let cells: Vec<_> = match &item.kind {
                ItemKind::Counter { cell } | ItemKind::List { size: cell } => vec![*cell],
                ItemKind::Map { present, fields, .. } => {
                    std::iter::once(*present).chain(fields.iter().map(|field| field.cell)).collect()
                }
            };
            let writes = trace.notes.iter().rev().filter(|note| note.event <= until).filter(|note| match note.what {
                What::Changed { first, count } => {
                    trace.changed(first, count).iter().any(|change| change.key == *key && cells.contains(&change.cell))
                }
                What::Point(..)
                | What::Fact { .. }
                | What::Durable
                | What::Crashed
                | What::Restarted
                | What::Fault { .. }
                | What::Invoked { .. }
                | What::Completed { .. }
                | What::Store(_)
                | What::Alarm(..) => false,
            });
            for note in writes.take(WRITERS_MAX) {
                self.events.insert(note.event);
                let operation = trace.event(note.event).map_or(0, |event| event.operation);
                if operation != 0 && self.operations.len() < OPERATIONS_MAX {
                    self.operations.insert(operation);
                }
            }
        }
    }

    /// What works for the operations.
    fn own(&mut self, trace: &Trace, until: u64) {
        for letter in trace.letters() {
            if self.operations.contains(&letter.operation) && letter.sent_in <= until {
                self.letters.insert(letter.id);
                self.events.extend([letter.sent_in, letter.said_in]);
                self.events.extend(letter.delivered.map(|(_, event)| event).filter(|event| *event <= until));
            }
        }
        let works = |operation: u64| self.operations.contains(&operation);
        let more = trace.events().take_while(|(number, _)| *number <= until);
        let more: Vec<u64> = more.filter(|(_, event)| works(event.operation)).map(|(number, _)| number).collect();
        self.events.extend(more);
        let told = trace.notes.iter().filter(|note| note.event <= until).filter(|note| match note.what {
            What::Fact { instance, .. } => works(instance),
            What::Changed { .. }
            | What::Point(..)
            | What::Durable
            | What::Crashed
            | What::Restarted
            | What::Fault { .. }
            | What::Invoked { .. }
            | What::Completed { .. }
            | What::Store(_)
            | What::Alarm(..) => false,
        });
        self.events.extend(told.map(|note| note.event));
    }

    /// What caused all this.
    fn back(&mut self, trace: &Trace, edges: &[Edge]) {
        let mut open: Vec<u64> = self.events.iter().copied().collect();
        self.caused.clone_from(&self.events);
        while let Some(number) = open.pop() {
            let Some(event) = trace.event(number) else { continue };
            let before = match event.cause {
                Cause::Letter(id) if edges.contains(&Edge::Message) => trace.letter(id).map(|letter| {
                    // What is said between the machines of a store is said for many at once.
                    let shared = letter.tale.says.is_shared() && !letter.tale.background;
                    self.letters.extend(shared.then_some(id));
                    letter.said_in
                }),
                Cause::Event(number) if edges.contains(&Edge::Timer) => Some(number),
                Cause::Letter(_) | Cause::Event(_) | Cause::Nothing => None,
            };
            if let Some(before) = before
                && self.caused.insert(before)
            {
                open.push(before);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::listen;
    use crate::run::Go;
    use crate::scenario::{Choice, Source, load};

    /// An order and a message that waits for a slow disk, and a call that is made again.
    const SHOP: &str = r#"
version = 1
run = { duration = "2s", quiesce = "2s", seed = 1 }
network.latency = "exp(1ms)"

[services.shop]
nodes = 2
disk = { fsync = "exp(3ms)" }
state.orders = { kind = "map" }
ops.buy.steps = [
  { insert = "orders", set = { status = "new" } },
  { call = "payment.pay", timeout = "1s" },
  { update = "orders", set = { status = "paid" } },
]

[services.payment]
ops.pay.steps = [{ work = "exp(2ms)" }]

[workloads.people]
rate = "10/s"
target = "shop.buy"
"#;

    #[test]
    fn each_kind_of_edge_brings_something_into_the_cone() {
        let scenario = load(&Source::new("shop.toml", SHOP), &Choice::default()).expect("it is a scenario");
        let (world, trace) = listen(&scenario, 1, None, None, &mut |_| Go::On).expect("it runs");
        let subject = Subject { rows: vec![("shop.orders".to_owned(), 3)], ..Subject::default() };
        let cone = |edges: &[Edge]| Cone::new(&trace, &subject, world.names(), trace.last(), edges);
        let whole = cone(&Edge::ALL);
        assert_eq!(whole.operations, BTreeSet::from([3]), "the row is the third operation's");
        let without = |of: &[Edge], gone: Edge| {
            let left: Vec<Edge> = of.iter().copied().filter(|edge| *edge != gone).collect();
            cone(&left)
        };
        for gone in [Edge::Row, Edge::Operation] {
            assert!(without(&Edge::ALL, gone).events.len() < whole.events.len(), "without {gone:?} nothing is missing");
        }
        // What works for an operation is mostly caused by it, too: what causes add is seen without it.
        let causes = [Edge::Row, Edge::Message, Edge::Timer];
        for gone in [Edge::Message, Edge::Timer] {
            let (all, part) = (cone(&causes).caused, without(&causes, gone).caused);
            assert!(part.is_subset(&all) && part.len() < all.len(), "without {gone:?} nothing is missing");
        }
        // What the clients asked, the machine said, the database wrote and the payment answered is all there.
        let nodes: BTreeSet<&str> = whole
            .letters
            .iter()
            .filter_map(|id| trace.letter(*id))
            .map(|letter| world.names().node(letter.to))
            .collect();
        for part in ["workloads.people", "shop.db", "payment"] {
            assert!(nodes.contains(part), "{part} is missing among {nodes:?}");
        }
    }
}
