//! Hash maps with a fixed hasher. They are looked into, never iterated.

use core::hash::{BuildHasher, Hash, Hasher};

pub(crate) type Map<K, V> = hashbrown::HashMap<K, V, Fixed>;

/// The same on every machine and in every run.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Fixed;

impl BuildHasher for Fixed {
    type Hasher = Folding;
    fn build_hasher(&self) -> Folding {
        Folding(0)
    }
}

/// One multiplication per word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Folding(u64);

impl Hasher for Folding {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }
    fn write_u8(&mut self, word: u8) {
        self.write_u64(u64::from(word));
    }
    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }
    fn write_u64(&mut self, word: u64) {
        self.0 = fold(self.0, word);
    }
    fn write_i64(&mut self, word: i64) {
        self.write_u64(word as u64);
    }
    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
    fn write_isize(&mut self, word: isize) {
        self.write_u64(word as u64);
    }
}

pub(crate) fn hash_of(value: &impl Hash) -> u64 {
    Fixed.hash_one(value)
}

/// Spreads a word over 64 bits, together with what came before it.
const fn fold(state: u64, word: u64) -> u64 {
    let product = ((state ^ word ^ 0x9e37_79b9_7f4a_7c15) as u128) * 0xd6e8_feb8_6659_fd93;
    (product as u64 ^ (product >> 64) as u64).rotate_left(23)
}

/// 128 bits that stand for a number in sums of exclusive-or (Zobrist's hashing).
pub(crate) const fn print_of(number: u64) -> u128 {
    let high = fold(0x243f_6a88_85a3_08d3, number);
    let low = fold(high ^ 0x1319_8a2e_0370_7344, number);
    ((high as u128) << 64) | low as u128
}
