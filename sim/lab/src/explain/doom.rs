//! stub
/// x
#[derive(Clone, Debug)]
pub struct Doom {}
