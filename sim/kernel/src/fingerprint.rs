//! The fingerprint of a run: a 64-bit rolling mix over every handled event (docs/semantics.md, rule 48).
//!
//! One 64×64→128 multiplication per event. It is an identity check against accidents, not a cryptographic hash.

/// Something that enters the fingerprint by content.
pub trait Digest {
    /// A number that differs, with overwhelming likelihood, when the content differs.
    fn digest(&self) -> u64;
}

impl Digest for u64 {
    fn digest(&self) -> u64 {
        fold(0x9e37_79b9_7f4a_7c15, *self)
    }
}

impl Digest for () {
    fn digest(&self) -> u64 {
        0
    }
}

/// Mixes `word` into `state`; the building block of digests.
#[inline]
pub const fn fold(state: u64, word: u64) -> u64 {
    let product = (state ^ 0x2d35_8dcc_aa6c_78a5) as u128 * (word ^ 0xa076_1d64_78bd_642f) as u128;
    ((product as u64) ^ ((product >> 64) as u64)).wrapping_add(state.rotate_left(23))
}

/// The rolling fingerprint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Before the first event.
    pub const fn new() -> Self {
        Self(0x51a7_65d1_3c5e_92b7)
    }

    /// Takes in one event: when it happened and a word that tells what it was.
    #[inline]
    pub fn eat(&mut self, time: u64, word: u64) {
        let product = u128::from(time ^ self.0) * u128::from(word ^ 0xa076_1d64_78bd_642f);
        self.0 = (product as u64 ^ (product >> 64) as u64).wrapping_add(self.0.rotate_left(23));
    }

    /// The value so far.
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl Default for Fingerprint {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(events: &[(u64, u64)]) -> u64 {
        let mut f = Fingerprint::new();
        for &(time, word) in events {
            f.eat(time, word);
        }
        f.value()
    }

    #[test]
    fn order_time_and_content_each_change_it() {
        let base = of(&[(5, 1), (5, 2), (9, 3)]);
        assert_ne!(base, of(&[(5, 2), (5, 1), (9, 3)]), "two events of equal time swapped");
        assert_ne!(base, of(&[(5, 1), (6, 2), (9, 3)]), "one event a nanosecond later");
        assert_ne!(base, of(&[(5, 1), (5, 2 ^ 256), (9, 3)]), "one bit flipped");
        assert_ne!(base, of(&[(5, 1), (5, 2)]), "one event missing");
        assert_eq!(base, of(&[(5, 1), (5, 2), (9, 3)]));
    }
}
