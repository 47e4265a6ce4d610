//! Which machine of a store a client asks.

use kernel::NodeId;

/// Which replica a client asks for a read that any of them may answer; the next one if it does not answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Choice {
    /// Each time another one.
    Any,
    /// The one that is its own: that of its number, if they are counted in a ring.
    Nearest,
    /// The one that answered last.
    Sticky,
}

/// What a client knows of the machines of a store: places in their list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Routing {
    /// Whom it takes for the leader.
    leader: usize,
    /// Whom it asks for what any of them may answer.
    reader: usize,
    home: usize,
    machines: usize,
}

/// Whom a request is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// The leader.
    Leader,
    /// Any machine, found so.
    Anyone(Choice),
}

impl Routing {
    /// A client of a store with so many machines, that has asked nobody.
    pub const fn new(client: NodeId, machines: usize) -> Self {
        let home = client.0 as usize % machines;
        Self { leader: home, reader: home, home, machines }
    }

    /// A new request begins.
    pub const fn begin(&mut self, wanted: Wanted) {
        match wanted {
            Wanted::Leader | Wanted::Anyone(Choice::Sticky) => {}
            Wanted::Anyone(Choice::Any) => self.reader = (self.reader + 1) % self.machines,
            Wanted::Anyone(Choice::Nearest) => self.reader = self.home,
        }
    }

    /// The place of the machine to ask.
    pub const fn place(&self, wanted: Wanted) -> usize {
        match wanted {
            Wanted::Leader => self.leader,
            Wanted::Anyone(_) => self.reader,
        }
    }

    /// It did not answer: another one.
    pub const fn next(&mut self, wanted: Wanted) {
        match wanted {
            Wanted::Leader => self.leader = (self.leader + 1) % self.machines,
            Wanted::Anyone(_) => self.reader = (self.reader + 1) % self.machines,
        }
    }

    /// This one answered: it is asked again where that is a reason.
    pub const fn answered(&mut self, wanted: Wanted, place: usize) {
        match wanted {
            Wanted::Leader => self.leader = place,
            Wanted::Anyone(Choice::Sticky) => self.reader = place,
            Wanted::Anyone(Choice::Any | Choice::Nearest) => {}
        }
    }

    /// Somebody said who leads.
    pub const fn heard(&mut self, leader: usize) {
        self.leader = leader;
    }
}
