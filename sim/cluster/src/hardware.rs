//! What the simulated world is made of: machines with disks, and the links between groups of machines.
//!
//! Configuration only. There are no defaults here: the scenario's stand in its schema. Durations are in nanoseconds.

use alloc::vec;
use alloc::vec::Vec;

use kernel::Distribution;

/// All machines and links.
#[derive(Clone, Debug)]
pub struct Hardware {
    /// The machines; the index is the [`kernel::NodeId`]. At most 65 535.
    pub nodes: Vec<NodeHardware>,
    /// How many link groups there are.
    pub groups: u16,
    /// `groups × groups` links; the row is the sender's group, the column the receiver's.
    pub links: Vec<Link>,
}

/// One machine.
#[derive(Clone, Debug)]
pub struct NodeHardware {
    /// Its disk.
    pub disk: Disk,
    /// Which row and column of the links are its own: machines of one group have the same links.
    pub group: u16,
}

/// The disk of a machine: a log and the time it takes to make it durable.
#[derive(Clone, Debug)]
pub struct Disk {
    /// How long one fsync takes, in nanoseconds, whatever it writes. A constant 0 makes a record durable in the instant
    /// it is appended: since a crash falls between two instants, nothing can come between.
    pub fsync: Distribution,
}

/// A link, in one direction.
#[derive(Clone, Debug)]
pub struct Link {
    /// One way, in nanoseconds.
    pub latency: Distribution,
    /// Share of messages that get lost, 0 to 1.
    pub loss: f64,
    /// What a loss means.
    pub transport: Transport,
}

/// How a link treats order and loss.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// Ordered per sender and receiver; what is lost is sent again, and after 15 s the connection is reset.
    Tcp,
    /// Unordered; lost is lost.
    Udp,
}

impl Hardware {
    /// `count` equal machines, all with one kind of link between them.
    pub fn uniform(count: usize, disk: &Disk, link: Link) -> Self {
        Self { nodes: vec![NodeHardware { disk: disk.clone(), group: 0 }; count], groups: 1, links: vec![link] }
    }
}
