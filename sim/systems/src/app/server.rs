//! A machine of a service: its workers, its rows, and its roles in commit protocols.
//!
//! A prepare is a request like any other: it waits for a worker and holds it until the vote is durable, lock waits
//! included. Decisions and questions do not wait for a worker; else prepares that wait for locks could hold every worker
//! while the decision that would free the locks waits behind them.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use kernel::{CellId, Effects, NodeId, Sample, SeriesId, Time, Within};

use super::embed::InMachine;
use super::frame::{Caller, Frame};
use super::interpreter::PREPARE;
use super::machine::{Machine, Record, Role};
use super::message::{CallResult, Failure, Mail, system_errors};
use super::plan::{Part, Plan, Service};
use super::reading::Reading;
use super::relay::Relay;
use super::rows::{Rows, Work};
use super::station::{Admission, Station};
use super::store::Store;
use crate::commit::Reason;
use crate::commit::two_phase::{self, Begin, Coordinator, Participant};
use crate::database::Owner;
use crate::expression::Value;
use crate::messaging::Subscriber;
use crate::messaging::topics::Member;
use crate::variables::Variables;

/// A machine of a service.
#[derive(Clone, Debug)]
pub struct Server {
    /// Which service, and which of its machines: `Plan::service` without a search.
    place: (u32, u32),
    pub(super) station: Station,
    /// The database of its service, if it is on this machine.
    pub(super) store: Option<Store>,
    /// This life of the machine, as the database knows it.
    pub(super) life: Owner,
    /// Polls so far: each has draws of its own.
    pub(super) polls: u64,
    /// What it relays from the outbox.
    pub(super) relay: Relay,
    /// Its subscriptions, by consumer.
    pub(super) subscribers: BTreeMap<u32, Subscriber>,
    /// Its memberships of groups that read topics, by group.
    pub(super) members: BTreeMap<u32, Member<Mail>>,
    /// The letters of topics that are worked on, by group and partition.
    pub(super) letters: BTreeMap<(u32, u32), Reading>,
    /// Frames that wait for a broker, by the letter they have published, with their tokens.
    pub(super) posted: BTreeMap<u64, (u32, u64)>,
    rows: Rows,
    coordinator: Coordinator<Rows>,
    participant: Participant<Rows>,
    /// Per transaction the frame that waits for the decision, with its token.
    deciding: BTreeMap<u64, (u32, u64)>,
    /// Prepares that wait for a worker, by frame.
    arrived: BTreeMap<u32, (NodeId, two_phase::Message<Work>)>,
    /// Frames whose worker is held until the participant has voted, with their transaction.
    voting: Vec<(u64, u32)>,
}

impl Server {
    /// A machine with empty memory.
    pub fn new(plan: &Plan, me: NodeId) -> Self {
        let (service, number) = plan.service(me);
        let Part::Service(index) = plan.nodes[me.0 as usize].part else { panic!("it is a machine of a service") };
        let state = service.state.as_ref().filter(|_| service.database == me);
        Self {
            place: (index, number),
            station: Station::default(),
            store: state.map(|state| Store::new(plan, service, state)),
            life: Owner { node: me, since: Time::ZERO },
            polls: 0,
            relay: Relay::default(),
            subscribers: BTreeMap::new(),
            members: BTreeMap::new(),
            letters: BTreeMap::new(),
            posted: BTreeMap::new(),
            rows: Rows::new(&service.rows),
            coordinator: Coordinator::new(&plan.commit, me),
            participant: Participant::new(&plan.commit, me),
            deciding: BTreeMap::new(),
            arrived: BTreeMap::new(),
            voting: Vec::new(),
        }
    }

    /// The service of this machine, and its number there.
    #[inline]
    pub fn service<'a>(&self, plan: &'a Plan) -> (&'a Service, u32) {
        (&plan.services[self.place.0 as usize], self.place.1)
    }

    /// Reads the log. After a crash it may be empty, and then the rows are what they were at first.
    pub fn start(&mut self, plan: &Plan, now: Time, log: &[Record], out: &mut impl Effects<Machine>) {
        self.life.since = now;
        if let Some(store) = &mut self.store {
            store.start(plan, now, log.iter().filter_map(Record::database), out);
        }
        if now == Time::ZERO && log.is_empty() {
            return;
        }
        let records: Vec<_> = log.iter().filter_map(Record::commit).cloned().collect();
        let out = &mut Within::new(out, InMachine);
        self.participant.start(&plan.commit, now, &records, &mut self.rows, out);
        self.coordinator.start(&plan.commit, &records, out);
    }

    /// Nothing can be unfinished here but requests.
    pub fn only_serves(&self, plan: &Plan) -> bool {
        let me = self.life.node;
        let reads = plan.topics.groups.iter().any(|rules| rules.nodes.contains(&me));
        plan.transactions.is_empty() && self.store.is_none() && !reads
    }

    /// What is not over here but requests.
    pub fn unfinished(&self) -> u64 {
        let stored = self.store.as_ref().map_or(0, Store::unfinished);
        // Most services read no topics.
        let read = if self.members.is_empty() { 0 } else { self.members.values().map(Member::unfinished).sum::<u64>() };
        self.coordinator.unfinished() + self.participant.unfinished() + stored + read
    }

    /// Levels that a crash sets to zero.
    pub fn volatile_cells(&self, plan: &Plan, me: NodeId, each: &mut impl FnMut(CellId, u64, i64)) {
        let (service, _) = plan.service(me);
        if service.commits {
            self.coordinator.volatile_cells(&plan.commit, each);
            self.participant.volatile_cells(&plan.commit, each);
        }
    }

    /// Transactions in doubt here, and since when.
    pub fn open_samples(&self, plan: &Plan, each: &mut impl FnMut(SeriesId, Time)) {
        for (kind, since) in self.participant.in_doubt() {
            if let Some(series) = plan.commit.kinds[usize::from(kind)].series.in_doubt {
                each(series, since);
            }
        }
    }

    /// The rows, for whoever looks at them from outside.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }
}

impl Machine {
    #[inline]
    pub(super) fn server(&mut self) -> &mut Server {
        match &mut self.role {
            Role::Server(server) => server,
            Role::Store(_)
            | Role::Broker(_)
            | Role::Topics(_)
            | Role::Keeper(_)
            | Role::Guest(_)
            | Role::Clients(_) => {
                panic!("only a service's machine takes part in transactions")
            }
        }
    }

    /// A frame of the coordinator's service runs a transaction: it waits for the decision.
    pub(super) fn begin_transaction(
        &mut self,
        plan: &Plan,
        now: Time,
        number: u32,
        kind: u32,
        out: &mut impl Effects<Self>,
    ) {
        let transaction = self.frames.get(number).operation;
        if self.server().coordinator.knows(transaction) {
            // The network handed the request over twice: the answer is the first one's, and nobody waits for this.
            self.frames.get(number).caller = Caller::Coordinator;
            return self.finish(plan, now, number, CallResult::Ok, out);
        }
        let token = self.wait(number);
        let mut variables = self.frames.get(number).variables.clone();
        if let Some(clock) = plan.transactions[kind as usize].clock {
            variables.set(clock, Value::Int(out.clock(now)));
        }
        let participants = plan.transactions[kind as usize]
            .participants
            .iter()
            .map(|&node| (node, Work { kind: kind as u16, variables: variables.clone() }));
        let participants = participants.collect();
        let server = self.server();
        server.deciding.insert(transaction, (number, token));
        let begin = Begin { transaction, kind: kind as u16, began: now, participants };
        server.coordinator.begin(&plan.commit, now, begin, &mut Within::new(out, InMachine));
    }

    /// The decision is binding: whoever asked for the transaction is answered.
    pub(super) fn decided(
        &mut self,
        plan: &Plan,
        now: Time,
        (transaction, kind): (u64, u16),
        reason: Option<Reason>,
        out: &mut impl Effects<Self>,
    ) {
        let waiting = self.server().deciding.remove(&transaction);
        let frame = waiting.and_then(|(number, token)| self.frames.current(number, token));
        // After a crash nobody waits, and when it began is forgotten; it was aborted all the same.
        let since = frame.map_or(now, |frame| frame.entered);
        let error = reason.map(system_errors::of_abort);
        if let Some(tag) = error {
            let series = plan.transactions[usize::from(kind)].aborted;
            out.measure(Sample { series, tag, since, value: now.since(since) });
        }
        let Some((number, token)) = waiting else { return };
        if self.frames.current(number, token).is_none() {
            return;
        }
        match error {
            Some(error) => self.finish(plan, now, number, CallResult::Failed(Failure::business(error)), out),
            None => self.ready.push(number),
        }
    }

    /// A message of a commit protocol. Prepares wait for a worker first.
    pub(super) fn commit_message(
        &mut self,
        plan: &Plan,
        now: Time,
        from: NodeId,
        message: two_phase::Message<Work>,
        out: &mut impl Effects<Self>,
    ) {
        if let two_phase::Message::Prepare { head, .. } = &message {
            let transaction = head.transaction;
            self.prepare_arrived(plan, now, from, (transaction, message), out);
            return;
        }
        let server = self.server();
        let out_commit = &mut Within::new(out, InMachine);
        match message.receiver() {
            two_phase::Part::Coordinator => {
                server.coordinator.on_message(&plan.commit, now, from, message, out_commit);
            }
            two_phase::Part::Participant => {
                server.participant.on_message(&plan.commit, now, from, message, &mut server.rows, out_commit);
            }
            two_phase::Part::Client => {}
        }
        self.free_voters(plan, now, out);
    }

    /// A timer of a commit protocol.
    pub(super) fn commit_timer(
        &mut self,
        plan: &Plan,
        now: Time,
        timer: two_phase::Timer,
        out: &mut impl Effects<Self>,
    ) {
        let server = self.server();
        let out_commit = &mut Within::new(out, InMachine);
        match timer.owner() {
            two_phase::Part::Coordinator => server.coordinator.on_timer(&plan.commit, now, timer, out_commit),
            two_phase::Part::Participant => {
                server.participant.on_timer(&plan.commit, now, timer, &mut server.rows, out_commit);
            }
            two_phase::Part::Client => {}
        }
        self.free_voters(plan, now, out);
    }

    /// A message of a commit protocol could not be delivered.
    pub(super) fn commit_reset(
        &mut self,
        plan: &Plan,
        now: Time,
        to: NodeId,
        message: &two_phase::Message<Work>,
        out: &mut impl Effects<Self>,
    ) {
        let server = self.server();
        let out_commit = &mut Within::new(out, InMachine);
        match message.sender() {
            two_phase::Part::Coordinator => server.coordinator.on_reset(&plan.commit, now, to, message, out_commit),
            // What a participant says again and again need not be told that it was lost.
            two_phase::Part::Participant | two_phase::Part::Client => {}
        }
    }

    fn prepare_arrived(
        &mut self,
        plan: &Plan,
        now: Time,
        from: NodeId,
        (transaction, message): (u64, two_phase::Message<Work>),
        out: &mut impl Effects<Self>,
    ) {
        let (service, node) = plan.service(self.me);
        let frame = self.frames.put(Frame::new(Caller::Coordinator, PREPARE, transaction, Variables::default(), now));
        let server = self.server();
        server.arrived.insert(frame, (from, message));
        match server.station.arrive(service, node, frame, now, out) {
            Admission::Served => self.serve(now, frame),
            Admission::Waits => {}
            // The coordinator learns it by its prepare timeout, as it would from a database that takes no connection.
            Admission::Refused => {
                server.arrived.remove(&frame);
                self.frames.end(frame);
            }
            Admission::Replaces(oldest) => {
                server.arrived.remove(&oldest);
                self.overloaded(plan, now, oldest, out);
            }
        }
    }

    /// A prepare has its worker.
    pub(super) fn run_prepare(&mut self, plan: &Plan, now: Time, number: u32, out: &mut impl Effects<Self>) {
        let server = self.server();
        let (from, message) = server.arrived.remove(&number).expect("a prepare waits with its message");
        server.voting.push((message.head().transaction, number));
        let out_commit = &mut Within::new(out, InMachine);
        server.participant.on_message(&plan.commit, now, from, message, &mut server.rows, out_commit);
        self.free_voters(plan, now, out);
    }

    /// Workers whose participant has voted are free again.
    fn free_voters(&mut self, plan: &Plan, now: Time, out: &mut impl Effects<Self>) {
        let mut at = 0;
        loop {
            let server = self.server();
            let Some(&(transaction, number)) = server.voting.get(at) else { return };
            if server.participant.deliberates(transaction) {
                at += 1;
            } else {
                server.voting.remove(at);
                self.finish(plan, now, number, CallResult::Ok, out);
            }
        }
    }
}
