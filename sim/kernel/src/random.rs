//! Randomness without state: keys, keyed draws, and the streams of generators (docs/semantics.md, rules 1 to 3).
//!
//! A draw made *for an operation* is a pure function of (key, operation, hop, n): deleting one operation, fault or service
//! shifts nobody else's draw. Sequential ChaCha8 streams exist only for generators: the arrivals of a workload, the
//! schedule of a random fault.

use core::convert::Infallible;

use rand::{SeedableRng, TryRng};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use crate::fingerprint::fold;

/// The seed of a run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Seed(pub u64);

/// The sequential stream of a generator.
pub type Stream = ChaCha8Rng;

/// What the draws of one consumer for one purpose are keyed with; drawn once from ChaCha8.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Key(pub u64);

/// The bits of one keyed draw. As many as are asked for; no state outlives the draw.
#[derive(Clone, Debug)]
pub struct Keyed {
    state: u64,
    twist: u64,
}

impl Seed {
    /// The sequential stream of the generator at `path` in the scenario.
    pub fn stream(self, path: &str) -> ChaCha8Rng {
        let mut bytes = [0; 32];
        let mut word = fold(self.0, path.len() as u64);
        for byte in path.bytes() {
            word = fold(word, u64::from(byte));
        }
        for (n, chunk) in bytes.chunks_exact_mut(8).enumerate() {
            chunk.copy_from_slice(&fold(fold(word, n as u64), self.0).to_le_bytes());
        }
        ChaCha8Rng::from_seed(bytes)
    }

    /// The key of the consumer at `path` for one `purpose`.
    pub fn key(self, path: &str, purpose: &str) -> Key {
        let mut stream = self.stream(path);
        let mut word = stream.next_u64();
        for byte in purpose.bytes() {
            word = fold(word, u64::from(byte));
        }
        Key(fold(word, stream.next_u64()))
    }
}

impl Key {
    /// The `n`th draw for one hop of one operation.
    ///
    /// With `Keyed::bits` two 64×64→128 multiplications for a draw of one word. Both factors of both depend on the
    /// input, as in wyhash's `wyhash64` (Wang Yi, 2019): a factor that stays the same while operations count up makes
    /// consecutive draws show their distance, which tests/keyed.rs sees.
    #[inline]
    pub fn draw(self, operation: u64, hop: u64, n: u64) -> Keyed {
        let left = self.0 ^ operation.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let right = hop.wrapping_mul(0xe703_7ed1_a0b4_28db).wrapping_add(n.wrapping_mul(0xd6e8_feb8_6659_fd93));
        let product = u128::from(left ^ 0x2d35_8dcc_aa6c_78a5) * u128::from(right ^ 0xa076_1d64_78bd_642f);
        Keyed { state: product as u64 ^ left.rotate_left(32), twist: (product >> 64) as u64 ^ right }
    }
}

impl Keyed {
    /// The next 64 bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let product = u128::from(self.state) * u128::from(self.state ^ self.twist);
        product as u64 ^ (product >> 64) as u64
    }

    /// A uniform number in [0, 1), from the next 64 bits: it happens with chance p if this is less than p.
    #[inline]
    pub fn share(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

impl TryRng for Keyed {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.bits() >> 32) as u32)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.bits())
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let word = self.bits().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}
