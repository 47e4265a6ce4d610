//! A bank for tests: accounts that must not be overdrawn, and effects as lines of text.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use kernel::{CellId, Delta, Digest, Effect, FactKind, NodeId, PointId, SeriesId, Span, Time, fold};

use crate::commit::two_phase::{
    Ballot, Cells, DecisionLog, Head, Kind, Locks, Message, Participant, Plan, Points, Presumption, ReadOnly, Record,
    Recovery, Role, Series, Timer,
};
use crate::commit::{Access, Reason, Resource};
use crate::locks::Deadlock;

pub(super) const INSUFFICIENT: Reason = Reason(1);
pub(super) const COORDINATOR: NodeId = NodeId(1);

/// Balances by account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Bank {
    pub(super) cell: u32,
    pub(super) accounts: Vec<i64>,
}

/// Amounts to add to accounts; an amount of zero is a look.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Transfer(pub(super) Vec<(u64, i64)>);

impl Digest for Transfer {
    fn digest(&self) -> u64 {
        self.0.iter().fold(0, |state, (row, amount)| fold(fold(state, *row), *amount as u64))
    }
}

impl crate::commit::Work for Transfer {
    fn bytes(&self) -> u32 {
        16 * self.0.len() as u32
    }
}

impl Resource for Bank {
    type Work = Transfer;

    fn rows(&self, work: &Transfer) -> Vec<(u64, Access)> {
        work.0.iter().map(|(row, amount)| (*row, if *amount == 0 { Access::Read } else { Access::Write })).collect()
    }

    fn restate(&self, changes: &mut Vec<Delta>) {
        let row = |(key, &value): (usize, &i64)| Delta {
            cell: CellId(self.cell),
            key: key as u64,
            before: value,
            after: value,
        };
        changes.extend(self.accounts.iter().enumerate().map(row));
    }

    fn vote(&mut self, work: &Transfer) -> Result<(), Reason> {
        let enough = work.0.iter().all(|(row, amount)| self.accounts[*row as usize] + amount >= 0);
        if enough { Ok(()) } else { Err(INSUFFICIENT) }
    }

    fn apply(&mut self, work: &Transfer, changes: &mut Vec<Delta>) {
        for &(key, amount) in &work.0 {
            let before = self.accounts[key as usize];
            let after = before + amount;
            self.accounts[key as usize] = after;
            changes.push(Delta { cell: CellId(self.cell), key, before, after });
        }
    }
}

/// Presumed nothing, wound-wait, everything durable, all points and series named by small numbers.
pub(super) fn kind() -> Kind {
    Kind {
        protocol: 0,
        presumption: Presumption::Nothing,
        prepare_timeout: Span::millis(200),
        decision_timeout: Span::millis(100),
        decision_log: DecisionLog::Durable,
        recovery: Recovery::AskCoordinator,
        locks: Locks::Exclusive { deadlock: Deadlock::WoundWait, timeout: Some(Span::millis(150)) },
        read_only: ReadOnly::LeavesEarly,
        points: points(),
        series: Series { lock_wait: Some(SeriesId(0)), hold_time: Some(SeriesId(1)), in_doubt: Some(SeriesId(2)) },
        cells: Cells { open: Some(CellId(100)), in_doubt: Some(CellId(101)) },
        mutant: None,
    }
}

fn points() -> Points {
    let point = |n| Some(PointId(n));
    Points {
        before_prepare_sent: point(0),
        after_last_vote: point(1),
        before_decision_logged: point(2),
        after_decision_logged: point(3),
        after_first_decision_sent: point(4),
        after_end: point(5),
        before_vote_logged: point(6),
        after_vote_logged: point(7),
        after_vote_sent: point(8),
        after_participant_decision_logged: point(9),
    }
}

const MOMENTS: [&str; 10] = [
    "before_prepare_sent",
    "after_last_vote",
    "before_decision_logged",
    "after_decision_logged",
    "after_first_decision_sent",
    "after_end",
    "before_vote_logged",
    "after_vote_logged",
    "after_vote_sent",
    "participant.after_decision_logged",
];

pub(super) fn plan(kind: Kind) -> Plan {
    Plan { kinds: vec![kind], remembered: 4, locks_held: Some(CellId(102)) }
}

pub(super) fn head(transaction: u64, part: u16) -> Head {
    Head { transaction, began: Time(transaction), kind: 0, part, attempt: 0 }
}

/// A participant with two accounts of 100 and 50, and what it says.
pub(super) struct Branch {
    pub(super) plan: Plan,
    pub(super) participant: Participant<Bank>,
    pub(super) bank: Bank,
    pub(super) now: Time,
}

impl Branch {
    pub(super) fn new(kind: Kind) -> Self {
        let plan = plan(kind);
        let participant = Participant::new(&plan, NodeId(2));
        Self { plan, participant, bank: Bank { cell: 0, accounts: vec![100, 50] }, now: Time::ZERO }
    }

    pub(super) fn hear(&mut self, from: NodeId, message: Message<Transfer>) -> Vec<String> {
        let mut out = Vec::new();
        self.participant.on_message(&self.plan, self.now, from, message, &mut self.bank, &mut out);
        lines(&out)
    }

    pub(super) fn due(&mut self, timer: Timer) -> Vec<String> {
        let mut out = Vec::new();
        self.participant.on_timer(&self.plan, self.now, timer, &mut self.bank, &mut out);
        lines(&out)
    }

    pub(super) fn prepare(&mut self, transaction: u64, work: &[(u64, i64)]) -> Vec<String> {
        let prepare = Message::Prepare { head: head(transaction, 0), work: Transfer(work.to_vec()), peers: Vec::new() };
        self.hear(COORDINATOR, prepare)
    }

    pub(super) fn decide(&mut self, transaction: u64, commit: bool) -> Vec<String> {
        self.hear(COORDINATOR, Message::Decision { head: head(transaction, 0), commit })
    }
}

/// Effects as lines, without measurements and levels (which have their own tests).
pub(super) fn lines(effects: &[Effect<Role<Bank>>]) -> Vec<String> {
    effects.iter().filter_map(line).collect()
}

fn line(effect: &Effect<Role<Bank>>) -> Option<String> {
    Some(match effect {
        Effect::Frame(_) | Effect::Measure(_) | Effect::Disturbed(_) => return None,
        Effect::Note(changes) => {
            let rows: Vec<_> = changes.iter().filter(|change| change.cell.0 < 100).collect();
            let first = rows.first()?;
            format!("row {} is {}", first.key, first.after)
        }
        Effect::Send(to, message) => format!("send {} {}", to.0, said(message)),
        Effect::SetTimer(timer, _) => format!("set {timer:?}"),
        Effect::CancelTimer(timer) => format!("cancel {timer:?}"),
        Effect::Work(..) => unreachable!("commit uses no processor"),
        Effect::Persist(record) => format!("persist {}", written(record)),
        Effect::Wake(timer) => format!("wake {timer:?}"),
        Effect::Output(output) => format!("tell {output:?}"),
        Effect::Fact(_, _, kind) => match kind {
            FactKind::Begun { participants } => format!("fact begun {participants}"),
            FactKind::Voted { yes } => format!("fact voted {}", word(*yes, "yes", "no")),
            FactKind::VotedReadOnly => String::from("fact voted read-only"),
            FactKind::Decided { commit } => format!("fact decided {}", word(*commit, "commit", "abort")),
            FactKind::Applied { commit } => format!("fact applied {}", word(*commit, "commit", "abort")),
            FactKind::Told { commit } => format!("fact told {}", word(*commit, "commit", "abort")),
            FactKind::Crashed | FactKind::Recovered => unreachable!("facts of the host"),
            FactKind::Saga(_) | FactKind::Leads { .. } | FactKind::StoodDown => unreachable!("facts of others"),
        },
        Effect::Point(point, _) => format!("point {}", MOMENTS[point.0 as usize]),
    })
}

fn word(value: bool, yes: &'static str, no: &'static str) -> &'static str {
    if value { yes } else { no }
}

fn said(message: &Message<Transfer>) -> String {
    match message {
        Message::Begin(..) => String::from("begin"),
        Message::Answer(_, outcome) => format!("answer {outcome:?}"),
        Message::Prepare { peers, .. } => format!("prepare, {} peers", peers.len()),
        Message::Vote(_, Ballot::Yes) => String::from("yes"),
        Message::Vote(_, Ballot::ReadOnly) => String::from("read-only"),
        Message::Vote(_, Ballot::No(reason)) => format!("no: {}", reason.name().unwrap_or("business")),
        Message::Decision { commit, .. } => String::from(word(*commit, "commit", "abort")),
        Message::Ack(_) => String::from("ack"),
        Message::Ask(_) => String::from("ask"),
        Message::AskPeer(..) => String::from("ask peer"),
        Message::PeerKnows { commit, .. } => format!("knows {}", word(*commit, "commit", "abort")),
    }
}

fn written(record: &Record<Transfer>) -> String {
    match record {
        Record::Begun { parties, .. } => format!("begun {}", parties.len()),
        Record::Decided { commit, tell, .. } => format!("decided {}, {}", word(*commit, "commit", "abort"), tell.len()),
        Record::Voted { .. } => String::from("voted"),
        Record::Outcome { commit, .. } => format!("outcome {}", word(*commit, "commit", "abort")),
        Record::Ended(_) => String::from("ended"),
    }
}
