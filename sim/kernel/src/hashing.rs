//! A hash map whose hasher has no secret: the same on every machine and in every run. Nothing iterates one where its order
//! could be seen.

use core::hash::{BuildHasher, Hasher};

use crate::fingerprint::fold;

/// A hash map.
pub type Map<K, V> = hashbrown::HashMap<K, V, Fixed>;
/// A hash set.
pub type Set<K> = hashbrown::HashSet<K, Fixed>;

/// The hasher of both.
#[derive(Clone, Copy, Default, Debug)]
pub struct Fixed;

impl BuildHasher for Fixed {
    type Hasher = Folding;
    #[inline]
    fn build_hasher(&self) -> Folding {
        Folding(0)
    }
}

/// One multiplication per word.
#[derive(Clone, Copy, Debug)]
pub struct Folding(u64);

impl Hasher for Folding {
    #[inline]
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
    #[inline]
    fn write_u8(&mut self, word: u8) {
        self.write_u64(u64::from(word));
    }
    #[inline]
    fn write_u16(&mut self, word: u16) {
        self.write_u64(u64::from(word));
    }
    #[inline]
    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }
    #[inline]
    fn write_u64(&mut self, word: u64) {
        self.0 = fold(self.0, word);
    }
    #[inline]
    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
    #[inline]
    fn write_isize(&mut self, word: isize) {
        self.write_u64(word as u64);
    }
}
