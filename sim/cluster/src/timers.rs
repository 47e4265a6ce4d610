//! The timers of one machine that are set, by what they say.
//!
//! A timer is set and gone within a few events, and there are few at a time, so this is a table of its own: open
//! addressing with linear probing, at most half full, and what is taken out leaves no mark behind. Many a machine has one
//! at a time, and that is not searched for at all.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hash::{BuildHasher, Hash};

use kernel::Handle;
use kernel::hashing::Fixed;

/// Where a timer that was set is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pending {
    /// In the queue.
    Queued(Handle),
    /// In the inbox of a machine that could not handle it in time.
    Late,
}

/// Places at first.
const PLACES_MIN: usize = 8;

/// All of them; nothing before the first one.
#[derive(Clone, Debug)]
pub(crate) struct Timers<T>(Option<Box<Table<T>>>);

#[derive(Clone, Debug)]
struct Table<T> {
    /// The one that is set, as long as it is the only one: it has no place.
    only: Option<(T, Pending)>,
    /// As many as a power of two, or none yet.
    places: Vec<Option<(T, Pending)>>,
    count: usize,
}

impl<T: Copy + Eq + Hash> Timers<T> {
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |table| table.count)
    }

    pub(crate) fn clear(&mut self) {
        if let Some(table) = &mut self.0 {
            table.clear();
        }
    }

    pub(crate) fn get(&self, timer: &T) -> Option<Pending> {
        self.0.as_ref()?.get(timer)
    }

    /// Sets a timer, or replaces the one that says the same: then gives where that was.
    #[inline]
    pub(crate) fn insert(&mut self, timer: T, pending: Pending) -> Option<Pending> {
        self.0.get_or_insert_with(|| Box::new(Table::new())).insert(timer, pending)
    }

    #[inline]
    pub(crate) fn remove(&mut self, timer: &T) -> Option<Pending> {
        self.0.as_mut()?.remove(timer)
    }
}

impl<T: Copy + Eq + Hash> Table<T> {
    #[cold]
    const fn new() -> Self {
        Self { only: None, places: Vec::new(), count: 0 }
    }

    fn clear(&mut self) {
        self.only = None;
        self.places.fill(None);
        self.count = 0;
    }

    fn get(&self, timer: &T) -> Option<Pending> {
        let (_, pending) = match &self.only {
            Some(only) => Some(only).filter(|(known, _)| known == timer)?,
            None => self.places.get(self.find(timer))?.as_ref()?,
        };
        Some(*pending)
    }

    #[inline]
    fn insert(&mut self, timer: T, pending: Pending) -> Option<Pending> {
        if self.count == 0 {
            self.only = Some((timer, pending));
            self.count = 1;
            return None;
        }
        match &mut self.only {
            Some((known, before)) if *known == timer => Some(core::mem::replace(before, pending)),
            Some(_) | None => self.insert_place(timer, pending),
        }
    }

    #[inline(never)]
    fn insert_place(&mut self, timer: T, pending: Pending) -> Option<Pending> {
        if let Some((only, pending)) = self.only.take() {
            self.put(only, pending);
        }
        let before = self.put(timer, pending);
        self.count += usize::from(before.is_none());
        before
    }

    #[inline]
    fn put(&mut self, timer: T, pending: Pending) -> Option<Pending> {
        let mut at = self.find(&timer);
        if self.count * 2 >= self.places.len() && !matches!(self.places.get(at), Some(Some(_))) {
            self.grow();
            at = self.find(&timer);
        }
        self.places[at].replace((timer, pending)).map(|(_, pending)| pending)
    }

    #[inline]
    fn remove(&mut self, timer: &T) -> Option<Pending> {
        let Some((known, pending)) = &self.only else { return self.remove_place(timer) };
        if known != timer {
            return None;
        }
        let pending = *pending;
        (self.only, self.count) = (None, 0);
        Some(pending)
    }

    #[inline(never)]
    fn remove_place(&mut self, timer: &T) -> Option<Pending> {
        let mut gap = self.find(timer);
        let (_, pending) = self.places.get_mut(gap)?.take()?;
        self.count -= 1;
        // Whoever was pushed beyond the gap moves up, for a search ends at a gap.
        let mask = self.places.len() - 1;
        let mut at = gap;
        loop {
            at = (at + 1) & mask;
            let Some((other, _)) = &self.places[at] else { return Some(pending) };
            let away = at.wrapping_sub(self.home(other)) & mask;
            if away >= (at.wrapping_sub(gap) & mask) {
                self.places.swap(gap, at);
                gap = at;
            }
        }
    }

    /// Where a timer stands, or where it would be put. Anywhere in a table without places.
    #[inline]
    fn find(&self, timer: &T) -> usize {
        let mut at = self.home(timer);
        while let Some(Some((other, _))) = self.places.get(at) {
            if other == timer {
                break;
            }
            at = (at + 1) & (self.places.len() - 1);
        }
        at
    }

    /// The first place that is tried.
    #[inline]
    fn home(&self, timer: &T) -> usize {
        Fixed.hash_one(timer) as usize & self.places.len().wrapping_sub(1)
    }

    #[cold]
    fn grow(&mut self) {
        let places = alloc::vec![None; (self.places.len() * 2).max(PLACES_MIN)];
        let before = core::mem::replace(&mut self.places, places);
        for entry in before.into_iter().flatten() {
            let at = self.find(&entry.0);
            self.places[at] = Some(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;

    /// The same operations here and on an ordered map; a few words hash to few places, so searches are long.
    #[test]
    fn behaves_as_a_map_under_random_operations() {
        for seed in 0..100_u64 {
            let mut state = seed;
            let mut random = move || {
                state = kernel::fold(state, 0x9e37_79b9);
                state
            };
            let (mut timers, mut model) = (Timers::new(), BTreeMap::new());
            let kinds = 1 + seed % 50;
            for step in 0..1_000_u64 {
                let timer = random() % kinds;
                let pending = if step % 3 == 0 { Pending::Late } else { Pending::Queued(Handle::NONE) };
                match random() % 8 {
                    0..4 => assert_eq!(timers.insert(timer, pending), model.insert(timer, pending)),
                    4..7 => assert_eq!(timers.remove(&timer), model.remove(&timer)),
                    _ if step % 100 == 0 => {
                        timers.clear();
                        model.clear();
                    }
                    _ => assert_eq!(timers.get(&timer), model.get(&timer).copied()),
                }
                assert_eq!(timers.len(), model.len());
            }
        }
    }
}
