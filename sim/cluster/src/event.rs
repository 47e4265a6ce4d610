//! The events of the simulated hardware, small and `Copy`, and what is told of each one that was handled.

use kernel::{NodeId, Time};

/// A pending event. `incarnation` tells those of an earlier life of the machine: they are stale.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event<T> {
    /// The process begins.
    Start { node: u32, incarnation: u16 },
    /// A message arrives; the event is the only owner of the parcel.
    Deliver { parcel: u32 },
    /// A timer that was set is due.
    Timer { node: u32, incarnation: u16, timer: T },
    /// Work of a processor is finished.
    Done { node: u32, incarnation: u16, timer: T },
    /// The first work of a machine that shares its processors or may be slowed is finished.
    Finished { node: u32 },
    /// The process is woken.
    Wake { node: u32, incarnation: u16, timer: T },
    /// The write in flight is durable.
    Written { node: u32, incarnation: u16 },
    /// The next write has waited for more records.
    Gathered { node: u32, incarnation: u16 },
    /// The retransmission timer of a stream.
    Retransmit { from: u32, to: u32, stream: u32 },
    /// A sender is told that its connection was reset.
    Reset { parcel: u32 },
    /// A resumed node handles the next of what waited.
    Drain { node: u32, incarnation: u16 },
    /// An instance of a fault is due.
    Strike { instance: u32 },
    /// An instance of a fault is over.
    End { instance: u32 },
    /// All faults are revoked.
    Heal,
}

/// What sort of event was handled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// A process began.
    Start,
    /// A message was delivered.
    Message,
    /// A message reached its receiver's machine in vain, or was lost or held at the end of its way.
    Undelivered,
    /// A timer fired.
    Timer,
    /// A processor finished.
    Done,
    /// A process was woken.
    Wake,
    /// A log write became durable.
    Written,
    /// A connection sent again what had been lost, or gave up.
    Retransmit,
    /// A sender was told of a reset.
    Reset,
    /// An event, or an effect, waits for a paused machine, or came out of its waiting line in vain.
    Late,
    /// A message, output, fact or point of a paused machine that had waited for the disk.
    Released,
    /// A fault began or was skipped.
    Strike,
    /// A fault ended.
    End,
    /// All faults were revoked.
    Heal,
    /// An event of an earlier incarnation, without consequence.
    Stale,
    /// A write that had waited for more records began, unless the disk was busy.
    Gathered,
    /// A machine that was paused heard of a disturbance.
    Disturbed,
}

/// One handled event: what two runs are compared by (docs/semantics.md, rule 48).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Handled {
    /// When.
    pub time: Time,
    /// Its number in the order of scheduling.
    pub sequence: u64,
    /// Where; for a fault, node 0.
    pub node: NodeId,
    /// What sort.
    pub kind: Kind,
    /// A digest of its content.
    pub digest: u64,
}

impl Kind {
    /// All, by number.
    const ALL: [Self; 17] = [
        Self::Start,
        Self::Message,
        Self::Undelivered,
        Self::Timer,
        Self::Done,
        Self::Wake,
        Self::Written,
        Self::Retransmit,
        Self::Reset,
        Self::Late,
        Self::Released,
        Self::Strike,
        Self::End,
        Self::Heal,
        Self::Stale,
        Self::Gathered,
        Self::Disturbed,
    ];
}

/// An event without the numbers the queue gave it: two words, which a function gives back in registers.
#[derive(Clone, Copy)]
pub(crate) struct Trace {
    /// The machine's number, and eight bits that are the kind's.
    word: u64,
    pub(crate) digest: u64,
}

impl Trace {
    #[inline]
    pub(crate) const fn of(node: u32, kind: Kind) -> Self {
        Self { word: (node as u64) << 8 | kind as u64, digest: 0 }
    }

    #[inline]
    pub(crate) const fn with(self, digest: u64) -> Self {
        Self { digest, ..self }
    }

    /// What the fingerprint eats beside the digest. Sixteen bits are the machine's own; of a higher number the rest is laid
    /// over the sequence.
    #[inline]
    pub(crate) const fn word(self, sequence: u64) -> u64 {
        sequence << 24 ^ self.word
    }

    #[inline]
    pub(crate) const fn node(self) -> NodeId {
        NodeId((self.word >> 8) as u32)
    }

    #[inline]
    pub(crate) const fn kind(self) -> Kind {
        Kind::ALL[(self.word & 0xff) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_eight_bytes_and_a_timer() {
        assert_eq!(size_of::<Event<u64>>(), 16);
        assert_eq!(size_of::<Event<[u64; 2]>>(), 24);
        assert_eq!(size_of::<Event<[u64; 3]>>(), 32);
    }

    #[test]
    fn a_trace_says_whose_and_what_it_is() {
        for (number, kind) in Kind::ALL.into_iter().enumerate() {
            let trace = Trace::of(3_000_000_000, kind);
            assert_eq!((trace.node(), trace.kind(), kind as usize), (NodeId(3_000_000_000), kind, number));
        }
    }
}
