//! What shall go wrong, when and to whom: faults as a scenario declares them (grammar, §5 and §14).
//!
//! A declared fault is a generator: it emits *instances*, which the ledger lists. Every random choice of a fault is keyed
//! by its name and the instance's number, so that deleting another fault changes nothing here.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use kernel::{Distribution, Hit, NodeId, PointId, Time};

use crate::ledger::FaultBudget;

/// All faults of a run.
#[derive(Clone, Debug)]
pub struct FaultPlan {
    /// The declared faults; other faults refer to them by index.
    pub faults: Vec<Fault>,
    /// Every fault is revoked here, and none begins at or after it.
    pub heal: Time,
    /// Whether the ledger shall name the messages that losses and copies hit.
    pub named_hits: bool,
}

/// One declared fault.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Its name in the scenario; the path its draws are keyed with.
    pub name: String,
    /// What happens.
    pub kind: FaultKind,
    /// To whom; the union of these. Partitions, losses and copies may say it in their own way and leave this empty.
    pub targets: Vec<Target>,
    /// When.
    pub trigger: Trigger,
    /// Bounds the trigger: no instance begins outside of it, and no occurrence of a point outside of it counts.
    /// `At` names its own time and does not read it.
    pub window: Window,
    /// How long an instance lasts, in nanoseconds; `None`: until heal.
    pub length: Option<Distribution>,
    /// The chance that an instance happens at all, 0 to 1.
    pub chance: f64,
    /// Whether having had no effect is an error. The ledger does not read this; whoever judges it does.
    pub require_effect: bool,
}

/// A half-open window of virtual time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// From here,
    pub from: Time,
    /// until before here.
    pub to: Time,
}

/// What a fault does.
#[derive(Clone, Debug)]
pub enum FaultKind {
    /// The machine dies and comes back empty when the instance ends.
    Crash(Loses),
    /// The machine handles nothing; its hardware goes on.
    Pause,
    /// The machine's processors take longer for the same work, also for the rest of what is in progress.
    SlowCpu {
        /// So many times as long; at least 1, to the nearest millionth. Several at once multiply.
        factor: f64,
    },
    /// The clock of the machine is set, and stays so.
    ClockJump {
        /// By how many nanoseconds, ahead or back: drawn for each machine.
        by: Distribution,
    },
    /// Something goes wrong inside the processes of these machines; they alone know what.
    Disturb {
        /// Which of the things that can go wrong there.
        what: u32,
        /// How often it does, 0 to 1; the process draws it.
        chance: f64,
    },
    /// Links are cut.
    Partition {
        /// The sides: messages between two different sides are cut, nodes on no side talk to everyone. Empty: the
        /// fault's targets against everybody else.
        sides: Vec<Vec<Target>>,
        /// Seen from the first side.
        direction: Direction,
        /// What becomes of a message that meets the cut.
        wire: Wire,
    },
    /// Messages get lost.
    Loss {
        /// With this chance each, 0 to 1, on top of the link's own loss.
        chance: f64,
        /// On these links; empty: to and from the fault's targets, and if there are none either, everywhere.
        links: Vec<LinkTarget>,
    },
    /// Messages arrive twice, as over a link with `duplicate`: on every transport. The copy has a latency of its own.
    Duplicate {
        /// With this chance each, 0 to 1, on top of the link's own.
        chance: f64,
        /// As those of a loss.
        links: Vec<LinkTarget>,
    },
}

/// What a crash takes away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Loses {
    /// The process. Inbox, timers and everything not yet sent are gone in any case.
    pub memory: bool,
    /// What no finished fsync covers; a write in flight may survive whole, as a prefix, or not at all.
    pub unsynced: bool,
    /// Everything on the disk.
    pub disk: bool,
}

impl Loses {
    /// What a power failure takes: memory and what is not yet on the disk.
    pub const USUAL: Self = Self { memory: true, unsynced: true, disk: false };
}

/// Which way a partition cuts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Both ways.
    Both,
    /// Only messages to the first side.
    In,
    /// Only messages from the first side.
    Out,
}

/// What becomes of a message that meets a cut link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wire {
    /// It is lost (and TCP sends it again).
    Drop,
    /// It waits and arrives, in order, one fresh latency after the cut has ended.
    Hold,
}

/// The links between two sets of nodes, in one direction.
#[derive(Clone, Debug)]
pub struct LinkTarget {
    /// The senders; empty: every node.
    pub from: Vec<Target>,
    /// The receivers; empty: every node.
    pub to: Vec<Target>,
}

/// Which nodes: chosen when an instance begins.
#[derive(Clone, PartialEq, Debug)]
pub enum Target {
    /// All of these.
    All(Vec<NodeId>),
    /// Some of these, as the seed picks; all if there are fewer.
    Any {
        /// To pick from.
        of: Vec<NodeId>,
        /// How many.
        count: u32,
    },
    /// The largest number that is less than half, as the seed picks.
    Minority(Vec<NodeId>),
    /// The smallest number that is more than half, as the seed picks.
    Majority(Vec<NodeId>),
    /// This share of them, rounded to the nearest but at least one, as the seed picks.
    Fraction {
        /// To pick from.
        of: Vec<NodeId>,
        /// 0 to 1.
        share: f64,
    },
    /// The node at which the fault's point was reached, if it is one of these.
    Same(Vec<NodeId>),
    /// The one of these that leads; of several that believe to, the one with the newest term.
    Leader(Vec<NodeId>),
    /// The others of these, if one leads.
    Followers(Vec<NodeId>),
    /// The nodes that the latest instance of another fault hit.
    NodesOf(usize),
    /// Every node that no other target of this fault picked.
    Others,
}

/// What makes an instance begin.
#[derive(Clone, Debug)]
pub enum Trigger {
    /// Once, at this time since the start of the run, in nanoseconds.
    At(Distribution),
    /// Again and again: this many nanoseconds after the window opens, and after each time before. At least 1.
    Every(kernel::Span),
    /// At random, this many times a second on average (Poisson) within the window.
    Rate(f64),
    /// Once, when a point of a protocol is reached.
    Point {
        /// Any of these.
        points: Vec<PointId>,
        /// Reached for this; `None`: for whichever comes first.
        of: Option<u32>,
        /// Its how manieth occurrence, counted for each `of` by itself; 1 is the first.
        nth: Distribution,
    },
    /// Each time another fault has begun.
    After {
        /// Its index in the plan.
        fault: usize,
        /// This many nanoseconds later.
        delay: Distribution,
    },
    /// All of the window.
    Always,
    /// These and no others, whatever the window and the chance: what random ones came to, written down. Sorted by number.
    Listed(Vec<Listed>),
}

/// An instance that is written down.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its number: what its draws are keyed with.
    pub number: u32,
    /// When it begins.
    pub at: Time,
    /// Whom it is aimed at; `None`: the fault's targets.
    pub targets: Option<Vec<Target>>,
    /// Of a partition: its sides, instead of targets.
    pub sides: Vec<Vec<Target>>,
    /// How long it lasts; `None`: until heal.
    pub length: Option<kernel::Span>,
    /// Of losses, copies and disturbances: what it hits, whatever the chance and the links. Sorted.
    pub hits: Option<Vec<Hit>>,
    /// It would break this budget: it is skipped.
    pub over: Option<FaultBudget>,
    /// Of a clock that is set: by how much, else as the fault says.
    pub offset: Option<Distribution>,
}

impl Fault {
    /// Its targets, and those of instances that are written down.
    pub(crate) fn every_target(&self) -> impl Iterator<Item = &Target> {
        let listed = if let Trigger::Listed(all) = &self.trigger { &all[..] } else { &[] };
        self.targets.iter().chain(listed.iter().flat_map(|one| one.targets.iter().flatten()))
    }

    /// The fault as its instance of this number has it.
    pub(crate) fn instance(&self, number: u32) -> Cow<'_, Self> {
        let Some(listed) = self.listed(number) else { return Cow::Borrowed(self) };
        let mut own = self.clone();
        if let Some(targets) = &listed.targets {
            own.targets.clone_from(targets);
        }
        match &mut own.kind {
            FaultKind::Partition { sides, .. } if listed.targets.is_some() || !listed.sides.is_empty() => {
                sides.clone_from(&listed.sides);
            }
            FaultKind::Loss { chance, links } | FaultKind::Duplicate { chance, links } if listed.hits.is_some() => {
                *chance = 0.0;
                links.clear();
                own.targets.clear();
            }
            FaultKind::ClockJump { by } => {
                if let Some(offset) = &listed.offset {
                    by.clone_from(offset);
                }
            }
            FaultKind::Partition { .. }
            | FaultKind::Loss { .. }
            | FaultKind::Duplicate { .. }
            | FaultKind::Crash(_)
            | FaultKind::Pause
            | FaultKind::SlowCpu { .. }
            | FaultKind::Disturb { .. } => {}
        }
        own.chance = 1.0;
        own.length = listed.length.map(|length| Distribution::constant(length.0 as f64).expect("a length is a number"));
        Cow::Owned(own)
    }

    /// What its instance of this number hits, sorted, if that is written down.
    pub(crate) fn hits(&self, number: u32) -> Option<&[Hit]> {
        self.listed(number)?.hits.as_deref()
    }

    /// The budget that its instance of this number would break.
    pub(crate) fn over(&self, number: u32) -> Option<FaultBudget> {
        self.listed(number)?.over
    }

    fn listed(&self, number: u32) -> Option<&Listed> {
        let Trigger::Listed(all) = &self.trigger else { return None };
        all.binary_search_by_key(&number, |listed| listed.number).ok().map(|at| &all[at])
    }
}

impl FaultPlan {
    /// Nothing goes wrong by itself.
    pub const fn none() -> Self {
        Self { faults: Vec::new(), heal: Time::END, named_hits: false }
    }
}
