//! What waits in a queue, and what of it may be delivered next (docs/semantics.md, rule 35).
//!
//! A message waits in a *line*: one for the whole queue (`Fifo`), one per key (`PerKey`), or one for itself. Only the head of
//! a line can be delivered, and only once it is due; a line of a key is closed from the delivery of its head until that
//! one is gone for good or waits again. Among the heads the highest priority goes first, then the lowest place.

use alloc::collections::{BTreeMap, BTreeSet};

use super::plan::Ordering;

/// Order of delivery: rank (0 is the highest priority), place, number.
type Place = (u8, u64, u64);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Line {
    All,
    Key(u64),
}

/// Whether a message may be delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Due {
    Now,
    Later,
}

/// A message, as far as its place is concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Waiting {
    pub(super) key: Option<u64>,
    /// 0 is the highest priority.
    pub(super) rank: u8,
    pub(super) place: u64,
    pub(super) due: Due,
}

#[derive(Clone, Debug)]
pub(super) struct Lines {
    ordering: Ordering,
    /// All that wait, by number: the order in which they were accepted.
    waiting: BTreeMap<u64, Waiting>,
    standing: BTreeMap<Line, BTreeSet<Place>>,
    /// Keys of which one is out.
    closed: BTreeSet<u64>,
    /// Heads that may be delivered.
    open: BTreeSet<Place>,
}

impl Lines {
    pub(super) fn new(ordering: Ordering) -> Self {
        Self {
            ordering,
            waiting: BTreeMap::new(),
            standing: BTreeMap::new(),
            closed: BTreeSet::new(),
            open: BTreeSet::new(),
        }
    }

    pub(super) fn len(&self) -> u32 {
        self.waiting.len() as u32
    }

    /// The one accepted first, of those that wait.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.waiting.first_key_value().map(|(number, _)| *number)
    }

    /// The one to be delivered next.
    pub(super) fn next(&self) -> Option<u64> {
        self.open.first().map(|place| place.2)
    }

    /// It was out and waits again.
    pub(super) fn give_back(&mut self, number: u64, waiting: Waiting) {
        if let Some(Line::Key(key)) = self.line(waiting.key) {
            self.closed.remove(&key);
        }
        self.add(number, waiting);
    }

    /// Waits from here on.
    pub(super) fn add(&mut self, number: u64, waiting: Waiting) {
        self.waiting.insert(number, waiting);
        if let Some(line) = self.line(waiting.key) {
            self.shut(line);
            let place = self.place(number, &waiting);
            self.standing.entry(line).or_default().insert(place);
            self.look(line);
        } else if waiting.due == Due::Now {
            self.open.insert((waiting.rank, waiting.place, number));
        }
    }

    /// It may be delivered from here on, as far as it is concerned.
    pub(super) fn due(&mut self, number: u64) {
        let Some(waiting) = self.waiting.get_mut(&number) else { return };
        waiting.due = Due::Now;
        let waiting = *waiting;
        match self.line(waiting.key) {
            Some(line) => self.look(line),
            None => drop(self.open.insert((waiting.rank, waiting.place, number))),
        }
    }

    /// Waits no longer. `closes`: it is out, and its key with it, until [`Self::release`] or [`Self::add`].
    pub(super) fn take(&mut self, number: u64, closes: Closes) {
        let Some(waiting) = self.waiting.remove(&number) else { return };
        self.open.remove(&(waiting.rank, waiting.place, number));
        let Some(line) = self.line(waiting.key) else { return };
        let place = self.place(number, &waiting);
        let others = self.standing.get_mut(&line).expect("who waits stands in its line");
        others.remove(&place);
        if others.is_empty() {
            self.standing.remove(&line);
        }
        match (closes, line) {
            (Closes::Key, Line::Key(key)) => {
                self.closed.insert(key);
            }
            (Closes::Key, Line::All) | (Closes::Nothing, _) => {}
        }
        self.look(line);
    }

    /// The message of this key that was out is gone.
    pub(super) fn release(&mut self, key: Option<u64>) {
        if let Some(Line::Key(key)) = self.line(key) {
            self.closed.remove(&key);
            self.look(Line::Key(key));
        }
    }

    fn line(&self, key: Option<u64>) -> Option<Line> {
        match self.ordering {
            Ordering::PerKey => key.map(Line::Key),
            Ordering::Fifo => Some(Line::All),
            Ordering::None => None,
        }
    }

    /// The order inside a line: priorities overtake in a queue, but not within a key.
    fn place(&self, number: u64, waiting: &Waiting) -> Place {
        match self.ordering {
            Ordering::PerKey => (0, waiting.place, number),
            Ordering::Fifo | Ordering::None => (waiting.rank, waiting.place, number),
        }
    }

    fn head(&self, line: Line) -> Option<(Place, Waiting)> {
        let number = self.standing.get(&line)?.first()?.2;
        let waiting = self.waiting[&number];
        Some(((waiting.rank, waiting.place, number), waiting))
    }

    /// The head of a line may change: it is no longer offered.
    fn shut(&mut self, line: Line) {
        if let Some((place, _)) = self.head(line) {
            self.open.remove(&place);
        }
    }

    /// Offers the head of a line if it may be delivered.
    fn look(&mut self, line: Line) {
        let closed = match line {
            Line::Key(key) => self.closed.contains(&key),
            Line::All => false,
        };
        if let Some((place, waiting)) = self.head(line)
            && waiting.due == Due::Now
            && !closed
        {
            self.open.insert(place);
        }
    }
}

/// Whether a message that is taken closes the line of its key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Closes {
    Key,
    Nothing,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn waiting(key: u64, rank: u8, place: u64, due: Due) -> Waiting {
        Waiting { key: Some(key), rank, place, due }
    }

    /// Takes out everything that may be delivered, in order.
    fn drain(lines: &mut Lines) -> Vec<u64> {
        let mut order = Vec::new();
        while let Some(number) = lines.next() {
            order.push(number);
            lines.take(number, Closes::Key);
        }
        order
    }

    fn filled(ordering: Ordering) -> Lines {
        let mut lines = Lines::new(ordering);
        for (number, key, rank, due) in
            [(1, 7, 0, Due::Now), (2, 7, 0, Due::Now), (3, 8, 0, Due::Later), (4, 8, 0, Due::Now), (5, 9, 0, Due::Now)]
        {
            lines.add(number, waiting(key, rank, number, due));
        }
        lines
    }

    #[test]
    fn a_line_offers_its_head_once_it_is_due() {
        let mut lines = filled(Ordering::Fifo);
        assert_eq!(drain(&mut lines), [1, 2], "3 is not due, and those behind it wait");
        lines.give_back(1, waiting(7, 0, 1, Due::Now));
        assert_eq!(drain(&mut lines), [1], "at its old place");
        lines.due(3);
        assert_eq!(drain(&mut lines), [3, 4, 5]);
        let mut lines = filled(Ordering::None);
        assert_eq!(drain(&mut lines), [1, 2, 4, 5]);
        let mut lines = filled(Ordering::PerKey);
        assert_eq!(drain(&mut lines), [1, 5], "the second of key 7 waits for the first, 4 waits for 3");
        lines.release(Some(7));
        lines.due(3);
        assert_eq!(drain(&mut lines), [2, 3]);
        lines.add(6, waiting(8, 0, 6, Due::Now));
        assert_eq!(drain(&mut lines), [0; 0], "a newcomer opens nothing");
        lines.give_back(3, waiting(8, 0, 3, Due::Now));
        assert_eq!(drain(&mut lines), [3], "a message that came back goes before the next of its key");
        lines.release(Some(8));
        assert_eq!((drain(&mut lines), lines.len()), (alloc::vec![4], 1));
        assert!(lines.standing.len() == 1 && lines.closed.len() == 3, "{lines:?}");
    }

    #[test]
    fn a_higher_priority_overtakes_but_not_within_a_key() {
        for (ordering, order) in [(Ordering::Fifo, [2, 3, 1]), (Ordering::None, [2, 3, 1])] {
            let mut lines = Lines::new(ordering);
            for (number, rank) in [(1, 2), (2, 0), (3, 1)] {
                lines.add(number, waiting(7, rank, number, Due::Now));
            }
            assert_eq!(drain(&mut lines), order);
        }
        let mut lines = Lines::new(Ordering::PerKey);
        for (number, key, rank) in [(1, 7, 2), (2, 7, 0), (3, 8, 1)] {
            lines.add(number, waiting(key, rank, number, Due::Now));
        }
        assert_eq!(drain(&mut lines), [3, 1]);
    }

    #[test]
    fn what_leaves_from_the_middle_closes_nothing() {
        let mut lines = filled(Ordering::PerKey);
        lines.take(1, Closes::Nothing);
        lines.take(4, Closes::Nothing);
        assert_eq!(lines.oldest(), Some(2));
        assert_eq!(drain(&mut lines), [2, 5]);
    }
}
