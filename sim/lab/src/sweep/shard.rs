//! A part of a sweep that runs somewhere else. `merge` puts the parts together again.

use std::fmt;

/// Shards of one sweep; more would only be empty.
pub const SHARDS_MAX: u64 = 10_000;

/// Shard `number` of `of`, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Shard {
    /// Which.
    pub number: u64,
    /// Of how many.
    pub of: u64,
}

impl Shard {
    /// `2/8`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parse = |part: &str| part.trim().parse::<u64>().ok();
        match text.split_once('/').and_then(|(number, of)| Some((parse(number)?, parse(of)?))) {
            Some((number, of)) if (1..=of).contains(&number) && of <= SHARDS_MAX => Ok(Self { number, of }),
            Some((_, of)) if of > SHARDS_MAX => Err(format!("a sweep has at most {SHARDS_MAX} shards")),
            Some((_, of)) => Err(format!("shards are counted from 1, so the last of {of} is {of}/{of}")),
            None => Err("a shard is written NUMBER/SHARDS, as in 2/8".to_owned()),
        }
    }

    /// Whether a seed is in it. It says nothing of points: a shard has its seeds at all of them.
    pub const fn has(self, seed: u64) -> bool {
        seed % self.of == self.number - 1
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}
