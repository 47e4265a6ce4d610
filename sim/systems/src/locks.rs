//! Exclusive row locks with waiting lines and four ways of dealing with deadlock.
//!
//! A claim names all the rows it wants, in the order in which it takes them, and holds those it has until it is
//! released: two-phase locking, one machine. The table knows no protocol and sets no timer: who waits too long is
//! released by the owner of the table. Progress is pulled: after `claim` or `release`, call `next` until it says `None`;
//! between two calls the owner may already act on the first event, such as pinning what was granted.
//!
//! Policies (Rosenkrantz, Stearns and Lewis, *System Level Concurrency Control for Distributed Database Systems*, 1978,
//! for the two with ages): priority is (begin time, number), smaller is older.
//! * `WoundWait`: an older claim takes the row from a younger holder, whose claim is refused; a younger one waits.
//!   Lines are in order of age, so everybody waits for older ones only, except for pinned holders.
//! * `WaitDie`: a claim that is younger than the holder or anybody in the line is refused; else it waits at the end.
//! * `Detect`: lines are first come, first served; when a claim begins to wait, cycles through it are looked for, and the
//!   youngest of each is refused. Only this table's waits are seen: a cycle over several machines needs a timeout.
//! * `Timeout`: lines only.
//!
//! **Pinned** claims (prepared transactions) are never refused by the table. So `WoundWait` alone does not exclude a
//! deadlock of pinned claims on two machines that wait for each other's; a lock timeout or prepare timeout ends it.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

use kernel::Time;

/// Age: earlier begin, then smaller number, is older and wins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Priority {
    /// When the transaction began (not when it came here): a retry that keeps its begin time cannot starve.
    pub began: Time,
    /// Its number.
    pub id: u64,
}

/// What is done about deadlock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deadlock {
    /// Older claims take, younger ones wait.
    WoundWait,
    /// Older claims wait, younger ones are refused.
    WaitDie,
    /// Cycles are found and broken.
    Detect,
    /// Nothing: the owner's timeout has to do it.
    Timeout,
}

/// Why a claim was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// An older claim took a row.
    Wounded,
    /// An older claim has a row.
    Died,
    /// The youngest of a cycle.
    Deadlock,
}

/// What became of a claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// It holds all its rows.
    Granted(u64),
    /// It holds none any more and is out of the table.
    Refused(u64, Refusal),
}

/// How long a claim was in the table, told when it leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stay {
    /// When its first row was locked; `None` if it never held one.
    pub held_since: Option<Time>,
}

#[derive(Clone, Debug)]
struct Claim {
    priority: Priority,
    deadlock: Deadlock,
    /// In the order of taking, without repetition. The first `held` are locked; it may wait for the next.
    rows: Vec<u64>,
    held: usize,
    pinned: bool,
    held_since: Option<Time>,
}

#[derive(Clone, Debug)]
struct Row {
    holder: u64,
    line: Vec<u64>,
}

/// The locks of one machine.
#[derive(Clone, Default, Debug)]
pub struct LockTable {
    rows: BTreeMap<u64, Row>,
    claims: BTreeMap<u64, Claim>,
    /// Claims that may take their next row.
    agenda: VecDeque<u64>,
    refused: VecDeque<(u64, Refusal)>,
}

impl LockTable {
    /// Asks for `rows` on behalf of `priority.id`, which must not have a claim here.
    pub fn claim(&mut self, priority: Priority, deadlock: Deadlock, rows: &[u64]) {
        let mut seen = BTreeSet::new();
        let rows = rows.iter().copied().filter(|row| seen.insert(*row)).collect();
        let claim = Claim { priority, deadlock, rows, held: 0, pinned: false, held_since: None };
        assert!(self.claims.insert(priority.id, claim).is_none(), "one claim per transaction");
        self.agenda.push_back(priority.id);
    }

    /// Locks `rows` for a claim that had them before a crash, and pins it. Rows that somebody holds already are left to
    /// them: that happens only where a design does not keep locks properly.
    pub fn restore(&mut self, now: Time, priority: Priority, rows: &[u64]) {
        let mut free = Vec::new();
        for &row in rows {
            if self.rows.contains_key(&row) {
                continue;
            }
            self.rows.insert(row, Row { holder: priority.id, line: Vec::new() });
            free.push(row);
        }
        let held = free.len();
        let deadlock = Deadlock::Timeout;
        let claim = Claim { priority, deadlock, rows: free, held, pinned: true, held_since: Some(now) };
        assert!(self.claims.insert(priority.id, claim).is_none(), "one claim per transaction");
    }

    /// The claim is prepared: nobody takes its rows any more.
    pub fn pin(&mut self, id: u64) {
        self.claims.get_mut(&id).expect("a granted claim is in the table until it is released").pinned = true;
    }

    /// Takes the claim out, whatever its state, and hands its rows on. `None` if there is none.
    pub fn release(&mut self, now: Time, id: u64) -> Option<Stay> {
        let claim = self.claims.remove(&id)?;
        if let Some(row) = claim.rows.get(claim.held).and_then(|row| self.rows.get_mut(row)) {
            row.line.retain(|waiting| *waiting != id);
        }
        for row in &claim.rows[..claim.held] {
            self.hand_on(now, *row);
        }
        Some(Stay { held_since: claim.held_since })
    }

    /// The next thing that became of a claim; `None` when everybody holds or waits.
    pub fn next(&mut self, now: Time) -> Option<Event> {
        loop {
            if let Some((id, why)) = self.refused.pop_front() {
                return Some(Event::Refused(id, why));
            }
            let id = self.agenda.pop_front()?;
            if self.proceed(now, id) {
                return Some(Event::Granted(id));
            }
        }
    }

    /// Number of locked rows.
    pub fn held(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Number of rows that this claim has locked.
    pub fn held_by(&self, id: u64) -> u64 {
        self.claims.get(&id).map_or(0, |claim| claim.held as u64)
    }

    /// Whose the row is.
    pub fn holder(&self, row: u64) -> Option<u64> {
        self.rows.get(&row).map(|row| row.holder)
    }

    /// Takes rows until all are held (true) or one is somebody else's (false; by then it waits or is refused).
    fn proceed(&mut self, now: Time, id: u64) -> bool {
        while let Some(claim) = self.claims.get_mut(&id) {
            let Some(&wanted) = claim.rows.get(claim.held) else { return true };
            if self.rows.contains_key(&wanted) {
                self.conflict(now, id, wanted);
                return false;
            }
            self.rows.insert(wanted, Row { holder: id, line: Vec::new() });
            claim.held += 1;
            claim.held_since.get_or_insert(now);
        }
        // Refused while it stood on the agenda.
        false
    }

    fn conflict(&mut self, now: Time, id: u64, wanted: u64) {
        let claim = &self.claims[&id];
        let priority = claim.priority;
        let row = self.rows.get_mut(&wanted).expect("a conflict is about a locked row");
        match claim.deadlock {
            Deadlock::WoundWait => {
                let claims = &self.claims;
                let place = row.line.partition_point(|other| claims[other].priority < priority);
                row.line.insert(place, id);
                let holder = &self.claims[&row.holder];
                if priority < holder.priority && !holder.pinned {
                    self.refuse(now, holder.priority.id, Refusal::Wounded);
                }
            }
            Deadlock::WaitDie => {
                let mut ahead = row.line.iter().chain(core::iter::once(&row.holder));
                if ahead.any(|other| self.claims[other].priority < priority) {
                    self.refuse(now, id, Refusal::Died);
                } else {
                    row.line.push(id);
                }
            }
            Deadlock::Detect => {
                row.line.push(id);
                while let Some(victim) = self.youngest_of_a_cycle(id) {
                    self.refuse(now, victim, Refusal::Deadlock);
                }
            }
            Deadlock::Timeout => row.line.push(id),
        }
    }

    fn refuse(&mut self, now: Time, id: u64, why: Refusal) {
        self.release(now, id);
        self.refused.push_back((id, why));
    }

    /// Gives a row to the first in its line, or frees it.
    fn hand_on(&mut self, now: Time, row: u64) {
        let entry = self.rows.get_mut(&row).expect("a held row is in the table");
        if entry.line.is_empty() {
            self.rows.remove(&row);
        } else {
            entry.holder = entry.line.remove(0);
            let claim = self.claims.get_mut(&entry.holder).expect("who stands in a line has a claim");
            claim.held += 1;
            claim.held_since.get_or_insert(now);
            self.agenda.push_back(entry.holder);
        }
    }

    /// Whom `id` waits for: the holder of the row it wants and those ahead of it in the line.
    fn waits_for(&self, id: u64) -> Vec<u64> {
        let Some(claim) = self.claims.get(&id) else { return Vec::new() };
        let Some(row) = claim.rows.get(claim.held).and_then(|row| self.rows.get(row)) else { return Vec::new() };
        let Some(place) = row.line.iter().position(|waiting| *waiting == id) else { return Vec::new() };
        core::iter::once(row.holder).chain(row.line[..place].iter().copied()).collect()
    }

    /// Every cycle goes through a claim that has just begun to wait: depth first from it, back to it.
    fn youngest_of_a_cycle(&self, id: u64) -> Option<u64> {
        let mut seen = BTreeSet::new();
        let mut path = Vec::from([(id, self.waits_for(id))]);
        while let Some((_, ahead)) = path.last_mut() {
            match ahead.pop() {
                Some(next) if next == id => {
                    let youngest = path.iter().map(|(id, _)| *id).max_by_key(|id| self.claims[id].priority);
                    return youngest;
                }
                Some(next) if seen.insert(next) => {
                    let ahead = self.waits_for(next);
                    path.push((next, ahead));
                }
                Some(_) => {}
                None => {
                    path.pop();
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn at(id: u64) -> Priority {
        Priority { began: Time(id), id }
    }

    fn events(table: &mut LockTable) -> Vec<Event> {
        core::iter::from_fn(|| table.next(Time(9))).collect()
    }

    /// Claims in order (id, rows), all with one policy; the events of each.
    fn claims(deadlock: Deadlock, list: &[(u64, &[u64])]) -> (LockTable, Vec<Vec<Event>>) {
        let mut table = LockTable::default();
        let mut all = Vec::new();
        for (id, rows) in list {
            table.claim(at(*id), deadlock, rows);
            all.push(events(&mut table));
        }
        (table, all)
    }

    #[test]
    fn an_older_claim_wounds_a_younger_holder_but_never_a_pinned_one() {
        // 5 holds row 1 and waits for row 2 (held by 3); 4 is older than 5 and takes row 1.
        let (table, all) = claims(Deadlock::WoundWait, &[(3, &[2]), (5, &[1, 2]), (4, &[1])]);
        assert_eq!(all[2], vec![Event::Refused(5, Refusal::Wounded), Event::Granted(4)]);
        assert_eq!(table.held(), 2);
        let mut table = LockTable::default();
        table.claim(at(5), Deadlock::WoundWait, &[1]);
        assert_eq!(events(&mut table), vec![Event::Granted(5)]);
        table.pin(5);
        for (id, row) in [(4, 1), (2, 1), (3, 1)] {
            table.claim(at(id), Deadlock::WoundWait, &[row]);
            assert_eq!(events(&mut table), vec![], "a prepared holder keeps its row");
        }
        for next in [2, 3, 4] {
            let before = if next == 2 { 5 } else { next - 1 };
            table.release(Time(9), before);
            assert_eq!(events(&mut table), vec![Event::Granted(next)], "the line is in order of age");
            table.pin(next);
        }
    }

    #[test]
    fn a_younger_claim_dies_and_an_older_one_waits() {
        let (mut table, all) = claims(Deadlock::WaitDie, &[(5, &[1]), (6, &[1]), (3, &[1]), (4, &[1]), (2, &[1])]);
        assert_eq!(all[1], vec![Event::Refused(6, Refusal::Died)]);
        assert_eq!(all[2], vec![]);
        assert_eq!(all[3], vec![Event::Refused(4, Refusal::Died)], "3, which is older, stands ahead of it");
        assert_eq!(all[4], vec![]);
        table.release(Time(9), 5);
        assert_eq!(events(&mut table), vec![Event::Granted(3)]);
    }

    #[test]
    fn the_youngest_of_a_cycle_is_refused() {
        // 9 holds row 2; 8 stands for row 2, then wants 1; 4 holds row 1, wants 2: when 9 leaves, 8 and 4 wait in a ring.
        let (mut table, all) = claims(Deadlock::Detect, &[(9, &[2]), (8, &[2, 1]), (4, &[1, 2])]);
        assert_eq!(all[2], vec![]);
        table.release(Time(9), 9);
        assert_eq!(events(&mut table), vec![Event::Refused(8, Refusal::Deadlock), Event::Granted(4)]);
        let (mut table, _) = claims(Deadlock::Timeout, &[(9, &[2]), (8, &[2, 1]), (4, &[1, 2])]);
        table.release(Time(9), 9);
        assert_eq!(events(&mut table), vec![], "without detection both wait for ever");
        assert_eq!(table.release(Time(9), 4), Some(Stay { held_since: Some(Time(9)) }));
        assert_eq!(events(&mut table), vec![Event::Granted(8)]);
    }

    /// Random claims and releases: no row has two owners, nobody is forgotten, and under the policies that exclude
    /// deadlock everything ends.
    #[test]
    fn every_claim_ends_and_no_row_is_held_twice() {
        for deadlock in [Deadlock::WoundWait, Deadlock::WaitDie, Deadlock::Detect] {
            for seed in 0..200 {
                let mut random = kernel::random::Key(seed).draw(0, 0, 0);
                let mut table = LockTable::default();
                let (mut holding, mut open) = (BTreeMap::<u64, Vec<u64>>::new(), BTreeMap::new());
                let step = |table: &mut LockTable,
                            open: &mut BTreeMap<u64, Vec<u64>>,
                            holding: &mut BTreeMap<u64, Vec<u64>>| {
                    while let Some(event) = table.next(Time(1)) {
                        match event {
                            Event::Granted(id) => {
                                let rows = open.remove(&id).expect("granted once, and was open");
                                assert!(rows.iter().all(|row| table.holder(*row) == Some(id)));
                                assert!(holding.values().flatten().all(|row| !rows.contains(row)));
                                table.pin(id);
                                holding.insert(id, rows);
                            }
                            Event::Refused(id, _) => {
                                assert!(open.remove(&id).is_some(), "a pinned claim is never refused");
                            }
                        }
                    }
                };
                for n in 0..60 {
                    let id = n * 7 % 61;
                    let rows: Vec<u64> = (0..=random.bits() % 3).map(|_| random.bits() % 5).collect();
                    open.insert(id, rows.clone());
                    table.claim(at(id), deadlock, &rows);
                    step(&mut table, &mut open, &mut holding);
                    if random.bits().is_multiple_of(2)
                        && let Some((id, _)) = holding.pop_first()
                    {
                        table.release(Time(9), id);
                        step(&mut table, &mut open, &mut holding);
                    }
                }
                while let Some((id, _)) = holding.pop_first() {
                    table.release(Time(9), id);
                    step(&mut table, &mut open, &mut holding);
                }
                assert!(open.is_empty() && table.held() == 0, "{deadlock:?} seed {seed}: {table:?}");
            }
        }
    }
}
