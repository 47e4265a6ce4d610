//! Things kept under small numbers that are used again: messages, on the wire or waiting.

use alloc::vec::Vec;

/// A slab. The number of a thing belongs to one owner; whoever holds it takes the thing out exactly once.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }

    /// A number for the next thing, whose slot has to be filled.
    #[expect(clippy::inline_always, reason = "every message takes a number")]
    #[inline(always)]
    pub(crate) fn vacant(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() as u32 - 1
        })
    }

    /// Puts a thing into a vacant slot.
    #[expect(clippy::inline_always, reason = "what is put is built near its place, not handed on from call to call")]
    #[inline(always)]
    pub(crate) fn fill(&mut self, at: u32, thing: impl FnOnce() -> T) {
        let slot = &mut self.slots[at as usize];
        debug_assert!(slot.is_none(), "a number is given to one thing at a time");
        // Nothing is left to drop, and so what is put is built in its place.
        core::mem::forget(slot.replace(thing()));
    }

    pub(crate) fn put(&mut self, thing: T) -> u32 {
        let at = self.vacant();
        self.fill(at, || thing);
        at
    }

    #[inline]
    pub(crate) fn take(&mut self, at: u32) -> T {
        self.free.push(at);
        self.slots[at as usize].take().expect("a number is given up once, by its only owner")
    }

    #[inline]
    pub(crate) fn at(&self, at: u32) -> &T {
        self.slots[at as usize].as_ref().expect("only the owner of a number looks it up")
    }

    #[inline]
    pub(crate) fn at_mut(&mut self, at: u32) -> &mut T {
        self.slots[at as usize].as_mut().expect("only the owner of a number looks it up")
    }

    /// All things with their numbers, by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.slots.iter().enumerate().filter_map(|(at, slot)| Some((at as u32, slot.as_ref()?)))
    }
}
