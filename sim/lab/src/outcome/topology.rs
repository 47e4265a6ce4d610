//! The parts of a scenario and who calls whom.

/// The parts of the scenario and who calls whom.
#[derive(Clone, Debug, Default)]
pub struct Topology {
    /// Parts.
    pub parts: Vec<Part>,
    /// Who calls whom.
    pub calls: Vec<Link>,
}

/// A part calls another, or hands something on to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// Who calls, an index of `parts`.
    pub from: usize,
    /// Who is called.
    pub to: usize,
    /// What: the op, or a word.
    pub label: String,
    /// When.
    pub kind: LinkKind,
}

/// When a link is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkKind {
    /// On the way forward.
    Forward,
    /// Only if a saga is undone: a compensation, or what comes after them.
    Undo,
}

/// One part.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// `workload`, `service`, `transaction`.
    pub kind: String,
    /// `10 workers`, `3 nodes × 8 workers`.
    pub detail: String,
}
