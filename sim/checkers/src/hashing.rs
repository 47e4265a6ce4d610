//! Hashes of states, and numbers that stand for them.

use core::hash::{BuildHasher as _, Hash};

use kernel::fold;
use kernel::hashing::Fixed;

pub(crate) fn hash_of(value: &impl Hash) -> u64 {
    Fixed.hash_one(value)
}

/// 128 bits that stand for a number in sums of exclusive-or (Zobrist's hashing).
pub(crate) const fn print_of(number: u64) -> u128 {
    let high = fold(0x243f_6a88_85a3_08d3, number);
    let low = fold(high ^ 0x1319_8a2e_0370_7344, number);
    ((high as u128) << 64) | low as u128
}
