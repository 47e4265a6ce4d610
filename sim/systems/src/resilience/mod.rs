//! What a caller does about calls that fail: try again, but not too often ([`Retry`], [`Allowance`]), and not at all
//! while the callee is known to be ill ([`Breaker`]).
//!
//! Each is a plain state machine that is told the time and draws nothing by itself; none of them sends, waits or sets a
//! timer. Policies are state of the *caller's node*, one per callee (docs/semantics.md, rules 20 to 23): whoever embeds
//! them keeps one `Allowance` and one `Breaker` per key, and forgets them in a crash. Shares are whole millionths, lengths
//! whole nanoseconds; every comparison is exact.

pub mod breaker;
pub mod budget;
pub mod retry;
mod window;

#[cfg(test)]
mod tests;

pub use breaker::{Admission, Breaker, BreakerPlan, Ending, Slow, State, Token, Transition, Window};
pub use budget::{Allowance, Budget};
pub use retry::{Backoff, ErrorClass, ErrorClasses, Factor, Jitter, Retry};

/// A share of a whole, in millionths.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Share(u32);

impl Share {
    const WHOLE: u128 = 1_000_000;

    /// So many hundredths.
    pub const fn percent(n: u32) -> Self {
        Self::millionths(n * 10_000)
    }

    /// So many millionths. May be more than the whole: a budget of 200 % allows two retries per request.
    pub const fn millionths(n: u32) -> Self {
        Self(n)
    }

    /// Whether `part` of `whole` is this share or more. A part of nothing is no share.
    pub fn reached(self, part: u64, whole: u64) -> bool {
        whole > 0 && u128::from(part) * Self::WHOLE >= u128::from(self.0) * u128::from(whole)
    }

    /// Whether `part` is within this share of `whole`.
    pub fn covers(self, part: u64, whole: u64) -> bool {
        u128::from(part) * Self::WHOLE <= u128::from(self.0) * u128::from(whole)
    }
}
