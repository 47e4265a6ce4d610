//! How many retries a caller may make of one callee: without a limit, retries multiply the load just when the callee can
//! bear least (docs/semantics.md, rule 22).
//!
//! * `Share`: one more retry is allowed if it and the retries of the last 10 s are together at most that share of the
//!   requests (first tries) of the last 10 s. So 20 % allows no retry to who made fewer than five requests.
//! * `Tokens`: a retry takes a token; the bucket is full at the start and refilled evenly over time.

use kernel::{Span, Time};

use super::Share;
use super::window::Sliding;

/// What is looked at: the last so-much time.
const WINDOW: Span = Span::secs(10);
const REQUESTS: usize = 0;
const RETRIES: usize = 1;
/// How fine a level of tokens is reckoned: millionths per second, times nanoseconds.
const TOKEN: u128 = 1_000_000 * 1_000_000_000;

/// The limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Budget {
    /// Retries in relation to requests, over the last 10 s.
    Share(Share),
    /// A token bucket.
    Tokens {
        /// How many it holds.
        tokens: u32,
        /// How many come back per second, in millionths of a token.
        refill_millionths: u64,
    },
}

/// What of the budget is used: one per caller node and callee.
#[derive(Clone, Debug)]
pub struct Allowance(Used);

#[derive(Clone, Debug)]
enum Used {
    Share { share: Share, counts: Sliding },
    Tokens { full: u128, refill: u64, level: u128, at: Time },
}

impl Allowance {
    /// Nothing is used.
    pub fn new(budget: Budget) -> Self {
        Self(match budget {
            Budget::Share(share) => Used::Share { share, counts: Sliding::new(WINDOW) },
            Budget::Tokens { tokens, refill_millionths } => {
                let full = u128::from(tokens) * TOKEN;
                Used::Tokens { full, refill: refill_millionths, level: full, at: Time::ZERO }
            }
        })
    }

    /// A request is made: its first try.
    pub fn request(&mut self, now: Time) {
        match &mut self.0 {
            Used::Share { counts, .. } => counts.add(now, REQUESTS),
            Used::Tokens { .. } => {}
        }
    }

    /// Whether one more retry may be made; if so, it is counted as made.
    #[must_use = "a retry that was granted is counted"]
    pub fn retry(&mut self, now: Time) -> bool {
        match &mut self.0 {
            Used::Share { share, counts } => {
                let sum = counts.sum(now);
                let granted = share.covers(sum[RETRIES] + 1, sum[REQUESTS]);
                if granted {
                    counts.add(now, RETRIES);
                }
                granted
            }
            Used::Tokens { full, refill, level, at } => {
                let back = u128::from(now.since(*at).0) * u128::from(*refill);
                *level = level.saturating_add(back).min(*full);
                *at = now;
                let granted = *level >= TOKEN;
                if granted {
                    *level -= TOKEN;
                }
                granted
            }
        }
    }
}
