//! What is there of a store when a run has ended.

use std::collections::BTreeMap;

use systems::app::keeper::Holding;

/// The machines of a store, in their order.
#[derive(Clone, PartialEq, Debug)]
pub struct Copies {
    /// What each is called, and what it holds; nothing if it is down.
    pub machines: Vec<(String, Option<Holding>)>,
    /// On how many neighbours in the ring each key is kept.
    pub shares: usize,
}

/// What a store has of each key, and on whose word.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct There {
    pub(super) who: String,
    pub(super) values: BTreeMap<u64, u64>,
    /// A machine that is down and may hold something newer.
    pub(super) missing: Option<String>,
}

/// Two machines that do not hold the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Divergence {
    pub(super) key: u64,
    pub(super) holds: [(String, Option<u64>); 2],
    /// How many keys differ somewhere.
    pub(super) keys: u64,
}

/// A machine that is up: its place, its name, and what it has under its keys.
type Held<'a> = (usize, &'a String, BTreeMap<u64, Option<u64>>);

impl Copies {
    /// What is really there: what the newest leader's log says, or of each key the newest version that any machine has.
    pub(super) fn there(&self) -> Result<There, String> {
        let up = || self.machines.iter().filter_map(|(name, holds)| Some((name, holds.as_ref()?)));
        let down = self.machines.iter().find(|(_, holds)| holds.is_none()).map(|(name, _)| name.clone());
        let leader = up().filter_map(|(name, holds)| match holds {
            Holding::Ordered { leads: Some(term), logged, .. } => Some((*term, name, logged)),
            Holding::Ordered { leads: None, .. } | Holding::Versions(_) => None,
        });
        if let Some((_, name, logged)) = leader.max_by_key(|(term, ..)| *term) {
            return Ok(There { who: name.clone(), values: logged.clone(), missing: None });
        }
        let mut newest = BTreeMap::new();
        for (_, holds) in up() {
            let Holding::Versions(rows) = holds else {
                return Err("nobody leads when the run has ended, so nobody says what is there".to_owned());
            };
            for (key, row) in rows {
                let known = newest.entry(*key).or_insert(*row);
                *known = (*known).max(*row);
            }
        }
        if up().next().is_none() {
            return Err("no machine is up when the run has ended".to_owned());
        }
        let values = newest.into_iter().filter_map(|(key, row)| Some((key, row.value?))).collect();
        Ok(There { who: "the newest copy".to_owned(), values, missing: down })
    }

    /// How many machines are up, and the first key that two of them which should both have it hold differently.
    pub(super) fn divergence(&self) -> (u64, Option<Divergence>) {
        let values: Vec<Held<'_>> = self
            .machines
            .iter()
            .enumerate()
            .filter_map(|(place, (name, holds))| Some((place, name, values(holds.as_ref()?))))
            .collect();
        let mut keys: Vec<u64> = values.iter().flat_map(|(.., values)| values.keys().copied()).collect();
        keys.sort_unstable();
        keys.dedup();
        let mut found: Option<Divergence> = None;
        for key in keys {
            let mut holders = values.iter().filter(|(place, ..)| self.keeps(*place, key)).map(|(_, name, values)| {
                // What was deleted and what never was are the same to whoever reads.
                ((*name).clone(), values.get(&key).copied().flatten())
            });
            let Some(first) = holders.next() else { continue };
            let Some(other) = holders.find(|(_, value)| *value != first.1) else { continue };
            match &mut found {
                Some(divergence) => divergence.keys += 1,
                None => found = Some(Divergence { key, holds: [first, other], keys: 1 }),
            }
        }
        (values.len() as u64, found)
    }

    fn keeps(&self, place: usize, key: u64) -> bool {
        let machines = self.machines.len();
        (place + machines - (key % machines as u64) as usize) % machines < self.shares
    }
}

fn values(holding: &Holding) -> BTreeMap<u64, Option<u64>> {
    match holding {
        Holding::Ordered { executed, .. } => executed.iter().map(|(key, value)| (*key, Some(*value))).collect(),
        Holding::Versions(rows) => rows.iter().map(|(key, row)| (*key, row.value)).collect(),
    }
}
