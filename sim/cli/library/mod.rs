//! The library: scenarios as property-style tests.

pub(crate) mod check;
pub(crate) mod failure;
mod remembered;
pub(crate) mod runs;
mod specified;
