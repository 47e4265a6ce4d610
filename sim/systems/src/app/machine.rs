//! One node of the composed application, as a process: what comes in is handed to the part that knows it.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use kernel::{CellId, Delta, Disturbance, Effects, NodeId, Process, SeriesId, Time, Within};

use super::calls::BreakerHere;
use super::clients::Clients;
use super::embed::InMachine;
use super::frame::{Caller, Frame, Frames, Ready};
use super::guest::Guest;
use super::keeper::Keeper;
use super::message::{CallResult, Failure, Mail, Message, Reply, Request, system_errors};
use super::output::Output;
use super::plan::{Load, Part, Plan};
use super::question::Tell;
use super::reading::Topics;
pub use super::record::Record;
use super::server::Server;
use super::spent::Kept;
use super::station::Admission;
use super::store::Store;
pub use super::timer::Timer;
use crate::commit::{Reason, two_phase};
use crate::database::{Asker, Database};
use crate::expression::Value;
use crate::messaging::{self, Broker, Chance, Trouble, topics};
use crate::replication::routing::Routing;
use crate::resilience::Allowance;

/// One node.
#[derive(Clone, Debug)]
pub struct Machine {
    pub(super) me: NodeId,
    pub(super) frames: Frames,
    /// Frames that can go on, in order; empty between two events.
    pub(super) ready: Ready,
    /// Per service: which of its nodes is next in turn.
    pub(super) turns: BTreeMap<u32, u32>,
    /// Breakers, by policy and callee.
    pub(super) breakers: BTreeMap<(u16, NodeId), BreakerHere>,
    /// What retries may still cost, by policy and service.
    pub(super) allowances: BTreeMap<(u16, u32), Allowance>,
    /// By replicated store: whom it asks.
    pub(super) routings: BTreeMap<u32, Routing>,
    /// Where the time of its calls went: those of clients as one, those of a service by call site.
    pub(super) spent: Kept,
    /// Nothing can be unfinished here but frames: it serves without transactions, database or group, or has clients.
    only_frames: bool,
    pub(super) role: Role,
}

/// What the node is for.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of a machine, and nearly every machine is a service's")]
pub enum Role {
    /// A machine of a service.
    Server(Server),
    /// The database of a service of several nodes.
    Store(Store),
    /// A broker.
    Broker(Broker<Mail>),
    /// A broker of topics.
    Topics(Topics),
    /// A machine of a replicated store.
    Keeper(Keeper),
    /// A machine of a service that a process of somebody else's plays.
    Guest(Box<dyn Guest>),
    /// The clients of a workload.
    Clients(Clients),
}

impl Machine {
    /// Of clients: how many operations have been begun or left out.
    pub const fn begun(&self) -> Option<u64> {
        if let Role::Clients(clients) = &self.role { Some(clients.begun()) } else { None }
    }

    /// What is still to come is drawn by another plan, the same but for its seed: generators begin anew.
    pub fn reseed(&mut self, plan: &Plan) {
        let Part::Workload(n) = plan.nodes[self.me.0 as usize].part else { return };
        if let Role::Clients(clients) = &mut self.role {
            clients.reseed(&plan.workloads[n as usize]);
        }
    }

    /// Of clients: the latest operation that was begun or left out, and its user in a closed loop.
    pub const fn latest(&self) -> Option<(u64, Option<u32>)> {
        if let Role::Clients(clients) = &self.role { Some(clients.latest()) } else { None }
    }
}

impl Process for Machine {
    type Plan = Plan;
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Output = Output;

    fn boot(plan: &Plan, me: NodeId) -> Self {
        let role = match plan.nodes[me.0 as usize].part {
            Part::Service(n) => match &plan.services[n as usize].guest {
                Some(host) => Role::Guest(host.boot(me)),
                None => Role::Server(Server::new(plan, me)),
            },
            Part::Database(n) => {
                let service = &plan.services[n as usize];
                let state = service.state.as_ref().expect("a database is there for the state of its service");
                Role::Store(Store::new(plan, service, state))
            }
            Part::Broker(_) => Role::Broker(Broker::new(&plan.mail, me)),
            Part::Topics(_) => Role::Topics(Topics::new(&plan.topics, me)),
            Part::Replica(n) => Role::Keeper(Keeper::new(&plan.stores[n as usize], me)),
            Part::Workload(n) => Role::Clients(Clients::new(&plan.workloads[n as usize])),
        };
        let only_frames = match &role {
            Role::Server(server) => server.only_serves(plan),
            Role::Clients(_) => true,
            Role::Store(_) | Role::Broker(_) | Role::Topics(_) | Role::Keeper(_) | Role::Guest(_) => false,
        };
        Self {
            me,
            only_frames,
            frames: Frames::new(plan.spent_since.is_some()),
            ready: Ready::default(),
            turns: BTreeMap::new(),
            breakers: BTreeMap::new(),
            allowances: BTreeMap::new(),
            routings: BTreeMap::new(),
            spent: Kept::default(),
            role,
        }
    }

    fn on_start(&mut self, plan: &Plan, now: Time, log: &[Record], out: &mut impl Effects<Self>) {
        self.frames.begin(now);
        match &mut self.role {
            Role::Server(server) => {
                server.start(plan, now, log, out);
                self.start_protocols(plan, now, out);
            }
            Role::Broker(broker) => {
                let log = log.iter().filter_map(Record::mail);
                broker.start(&plan.mail, now, log, &mut Within::new(out, InMachine));
            }
            Role::Topics(topics) => {
                topics.start(&plan.topics, now, log.iter().filter_map(Record::topic), out);
            }
            Role::Keeper(keeper) => {
                keeper.start(plan.store(self.me), now, log.iter().filter_map(Record::kept), out);
            }
            Role::Store(store) => store.start(plan, now, log.iter().filter_map(Record::database), out),
            Role::Guest(guest) => guest.on_start(plan, now, log, out),
            Role::Clients(_) => self.start_load(plan, now, out),
        }
    }

    fn on_message(&mut self, plan: &Plan, now: Time, from: NodeId, message: Message, out: &mut impl Effects<Self>) {
        match message {
            Message::Request(request) => self.request(plan, now, from, request, out),
            Message::Guest(sealed) => {
                if let Role::Guest(guest) = &mut self.role {
                    guest.on_message(plan, now, from, sealed, out);
                }
            }
            Message::Reply(Reply { frame, token, result, values, clock, .. }) => {
                self.answered(plan, now, (frame, token), (result, values, clock), out);
            }
            Message::Question(question) => {
                if let Some(store) = self.store() {
                    store.question(plan, now, (from, *question), out);
                }
            }
            Message::Told(told) => self.told(plan, now, told, out),
            Message::Mail(mail) => self.mail(plan, now, from, *mail, out),
            Message::Topic(message) => self.topic_message(plan, now, from, *message, out),
            Message::Store(message) => self.store_message(plan, now, from, *message, out),
            Message::Commit(message) => self.commit_message(plan, now, from, message, out),
        }
        self.go_on(plan, now, out);
    }

    fn on_timer(&mut self, plan: &Plan, now: Time, timer: Timer, out: &mut impl Effects<Self>) {
        match timer {
            Timer::Arrive => self.arrive(plan, now, out),
            Timer::User(user) => self.begin_operation(plan, now, Some(user), out),
            Timer::Resume { frame, token } => self.resume(plan, now, (frame, token), out),
            Timer::Timeout { frame, token } => {
                let failure = Failure::system(system_errors::TIMEOUT, false);
                self.unanswered(plan, now, (frame, token), failure, out);
            }
            Timer::Retry { frame, token } => self.try_again(plan, now, (frame, token), out),
            Timer::AskAgain { frame, token } => self.ask_again(plan, now, (frame, token), out),
            Timer::Durable(number) => {
                if let Some(store) = self.store() {
                    store.durable(plan, now, number, out);
                }
            }
            Timer::Renew => self.renew(plan, out),
            Timer::Relay => self.relay_due(plan, now, out),
            Timer::Unconfirmed { frame, token } => self.unconfirmed(plan, now, (frame, token), out),
            Timer::Mail(timer) => self.mail_timer(plan, now, timer, out),
            Timer::Topic(timer) => self.topic_timer(plan, now, timer, out),
            Timer::ReadAgain { group, partition } => self.hand_on(plan, now, (group, partition), out),
            Timer::Keep(timer) => {
                if let Role::Keeper(keeper) = &mut self.role {
                    keeper.on_timer(plan.store(self.me), now, timer, out);
                }
            }
            Timer::StoreLate { frame, token } => self.store_late(plan, (frame, token), out),
            Timer::StoreSilent { frame, request } => self.store_silent(plan, now, (frame, request), out),
            Timer::Guest(alarm) => {
                if let Role::Guest(guest) = &mut self.role {
                    guest.on_timer(plan, now, alarm, out);
                }
            }
            Timer::Commit(timer) => self.commit_timer(plan, now, timer, out),
            Timer::Decided { transaction, kind, reason } => {
                self.decided(plan, now, (transaction, kind), reason.map(Reason), out);
            }
        }
        self.go_on(plan, now, out);
    }

    fn on_reset(&mut self, plan: &Plan, now: Time, to: NodeId, message: Message, out: &mut impl Effects<Self>) {
        match message {
            Message::Request(Request { frame, token, .. }) => {
                let failure = Failure::system(system_errors::UNAVAILABLE, true);
                self.unanswered(plan, now, (frame, token), failure, out);
            }
            // A frame that asked a database which is gone for good is told so; protocols ask again by themselves.
            Message::Question(question) => {
                let Asker { frame, token, .. } = question.asker;
                self.database_lost(plan, now, (frame, token), out);
            }
            // A request waits for this, and asks no second time; who is gone meanwhile ignores it. Protocols ask again.
            Message::Told(told) if matches!(told.tell, Tell::Outcome(_)) => {
                out.frame(kernel::Frame(told.asker.operation));
                out.send(to, Message::Told(told));
            }
            Message::Told(_) => {}
            Message::Mail(mail) => self.mail_reset(plan, now, to, &mail, out),
            Message::Topic(message) => self.topic_reset(plan, now, &message, out),
            Message::Store(message) => self.store_reset(plan, &message, out),
            Message::Guest(sealed) => {
                if let Role::Guest(guest) = &mut self.role {
                    guest.on_reset(plan, now, to, sealed, out);
                }
            }
            // The caller's own timeout tells it; the protocol repeats what matters.
            Message::Reply(_) => {}
            Message::Commit(message) => self.commit_reset(plan, now, to, &message, out),
        }
        self.go_on(plan, now, out);
    }

    fn on_disturbance(
        &mut self,
        plan: &Plan,
        now: Time,
        disturbance: Disturbance,
        active: bool,
        out: &mut impl Effects<Self>,
    ) {
        if let Role::Guest(guest) = &mut self.role {
            guest.on_disturbance(plan, now, (disturbance, active), out);
            return;
        }
        let (queue, trouble) = Trouble::of(disturbance.what);
        // A share of 2⁶⁴ draws.
        let threshold = if disturbance.chance >= 1.0 {
            u64::MAX
        } else {
            (disturbance.chance * 18_446_744_073_709_551_616.0) as u64
        };
        let chance = Chance { key: disturbance.key, threshold, instance: disturbance.instance };
        let chance = active.then_some(chance);
        match &mut self.role {
            Role::Broker(broker) => broker.trouble(queue, trouble, chance),
            Role::Topics(topics) => topics.trouble(queue - plan.mail.queues.len() as u32, chance),
            Role::Server(_) | Role::Store(_) | Role::Keeper(_) | Role::Guest(_) | Role::Clients(_) => {}
        }
    }

    #[expect(clippy::inline_always, reason = "it is asked after every event")]
    #[inline(always)]
    fn unfinished(&self) -> u64 {
        let requests = u64::from(self.frames.len());
        if self.only_frames { requests } else { requests + self.unfinished_protocols() }
    }

    fn owed(plan: &Plan, me: NodeId, log: &[Record]) -> u64 {
        if let Part::Service(n) = plan.nodes[me.0 as usize].part
            && let Some(host) = &plan.services[n as usize].guest
        {
            return host.owed(me, log);
        }
        two_phase::owed(log.iter().filter_map(Record::commit))
            + Database::owed(log.iter().filter_map(Record::database))
            + messaging::owed(&plan.mail, log.iter().filter_map(Record::mail))
            + topics::owed(&plan.topics, log.iter().filter_map(Record::topic))
    }

    fn volatile_cells(&self, plan: &Plan, each: &mut impl FnMut(CellId, u64, i64)) {
        self.breaker_cells(each);
        if let Role::Broker(broker) = &self.role {
            broker.volatile_cells(&plan.mail, each);
        }
        if let Role::Keeper(keeper) = &self.role {
            keeper.volatile_cells(plan.store(self.me), each);
        }
        if let Role::Guest(guest) = &self.role {
            guest.volatile_cells(each);
        }
        let Role::Server(server) = &self.role else { return };
        let (service, number) = plan.service(self.me);
        let (station, key) = (&server.station, u64::from(number));
        each(service.cells.queue_depth, key, i64::from(station.waiting()));
        each(service.cells.busy, key, i64::from(station.busy()));
        each(service.cells.in_system, key, i64::from(station.in_system()));
        server.volatile_cells(plan, self.me, each);
    }

    fn kept_sums(&self, plan: &Plan, each: &mut impl FnMut(SeriesId, u128)) {
        self.spent.tell(plan, self.me, each);
    }

    fn rows_on_disk(&self, _: &Plan, each: &mut impl FnMut(Delta)) {
        if let Role::Guest(guest) = &self.role {
            guest.rows_on_disk(each);
        }
        if let Role::Store(store) | Role::Server(Server { store: Some(store), .. }) = &self.role {
            store.rows_on_disk(each);
        }
    }

    fn open_samples(&self, plan: &Plan, each: &mut impl FnMut(SeriesId, Time)) {
        self.open_consultations(plan, each);
        match &self.role {
            Role::Server(server) => {
                let (service, number) = plan.service(self.me);
                let series = service.series[number as usize].sojourn;
                let outside = |frame: &&Frame| match frame.caller {
                    Caller::Saga(..) | Caller::Trigger(_) => false,
                    Caller::Read { .. } => frame.op.is_some(),
                    Caller::Frame { .. }
                    | Caller::Arrival(_)
                    | Caller::User(..)
                    | Caller::Coordinator
                    | Caller::Answered
                    | Caller::Delivery { .. } => true,
                };
                for frame in self.frames.iter().filter(outside) {
                    each(series, frame.entered);
                }
                server.open_samples(plan, each);
            }
            Role::Guest(guest) => guest.open_samples(each),
            Role::Store(_) | Role::Keeper(_) => {}
            Role::Broker(broker) => broker.open_samples(&plan.mail, each),
            Role::Topics(topics) => topics.open_samples(&plan.topics, each),
            Role::Clients(_) => {
                let Part::Workload(n) = plan.nodes[self.me.0 as usize].part else { return };
                if let Some(measured) = &plan.workloads[n as usize].measured {
                    for frame in self.frames.iter() {
                        each(measured.latency, frame.entered);
                    }
                }
            }
        }
    }
}

impl Machine {
    /// Lets every frame that can go on do so.
    #[inline]
    fn go_on(&mut self, plan: &Plan, now: Time, out: &mut impl Effects<Self>) {
        while let Some(number) = self.ready.pop() {
            self.run(plan, now, number, out);
        }
    }

    /// The machine's database, if it has one.
    fn store(&mut self) -> Option<&mut Store> {
        match &mut self.role {
            Role::Store(store) => Some(store),
            Role::Server(server) => server.store.as_mut(),
            Role::Broker(_) | Role::Topics(_) | Role::Keeper(_) | Role::Guest(_) | Role::Clients(_) => None,
        }
    }

    /// What a machine of a service does by itself.
    fn start_protocols(&mut self, plan: &Plan, now: Time, out: &mut impl Effects<Self>) {
        if self.drives(plan) {
            self.renew(plan, out);
        }
        if plan.service(self.me).0.relay.is_some() {
            self.relay_due(plan, now, out);
        }
        self.subscribe_all(plan, now, out);
        self.join_all(plan, now, out);
    }

    fn start_load(&mut self, plan: &Plan, now: Time, out: &mut impl Effects<Self>) {
        let Part::Workload(n) = plan.nodes[self.me.0 as usize].part else { return };
        let workload = &plan.workloads[n as usize];
        match &workload.load {
            Load::Rate { .. } | Load::Stages { .. } | Load::Trace(_) => self.schedule_arrival(plan, now, out),
            Load::Users { .. } => {
                let Role::Clients(clients) = &self.role else { return };
                clients.think_first(workload, now, out);
            }
        }
    }

    fn request(&mut self, plan: &Plan, now: Time, from: NodeId, request: Request, out: &mut impl Effects<Self>) {
        if let Role::Guest(guest) = &mut self.role {
            guest.on_request(plan, now, from, request, out);
            return;
        }
        let Role::Server(server) = &mut self.role else { return };
        let (service, number) = server.service(plan);
        let op = &plan.ops[request.op as usize];
        let caller = Caller::Frame { node: from, frame: request.frame, token: request.token, op: request.op };
        let operation = request.operation;
        let (frame, new) = self.frames.open(caller, op.entry, operation, request.variables, now);
        (new.hop, new.deadline, new.op, new.step) = (request.hop, request.deadline, Some(request.op), request.step);
        new.late_check = service.deadline_check;
        if let Some(clock) = plan.clock {
            new.variables.set(clock, Value::Int(out.clock(now)));
        }
        out.frame(kernel::Frame(operation));
        if service.blocking {
            match server.station.arrive(service, number, frame, now, out) {
                Admission::Served => self.serve(now, frame),
                Admission::Waits => {}
                Admission::Refused => self.refuse(plan, frame, out),
                Admission::Replaces(oldest) => self.overloaded(plan, now, oldest, out),
            }
        } else {
            server.station.enter(service, number, out);
            self.ready.push(frame);
        }
    }

    /// What is not over here but frames.
    #[inline(never)]
    fn unfinished_protocols(&self) -> u64 {
        match &self.role {
            Role::Server(server) => server.unfinished(),
            Role::Store(store) => store.unfinished(),
            Role::Broker(broker) => broker.unfinished(),
            Role::Topics(topics) => topics.unfinished(),
            Role::Keeper(keeper) => keeper.unfinished(),
            Role::Guest(guest) => guest.unfinished(),
            Role::Clients(_) => 0,
        }
    }

    /// A frame has got a worker: it can go on.
    #[expect(clippy::inline_always, reason = "one request takes this way once, and a call would cost as much")]
    #[inline(always)]
    pub(super) fn serve(&mut self, now: Time, number: u32) {
        let frame = self.frames.get(number);
        frame.holds_worker = true;
        frame.served = frame.served.or(Some(now));
        self.ready.push(number);
    }

    /// A request that never got in is told so.
    fn refuse(&mut self, plan: &Plan, number: u32, out: &mut impl Effects<Self>) {
        let failure = Failure::system(system_errors::OVERLOAD, true);
        Self::reply(plan, self.frames.get(number), CallResult::Failed(failure), out);
        self.frames.end(number);
    }

    /// A request that waited is sent away.
    pub(super) fn overloaded(&mut self, plan: &Plan, now: Time, number: u32, out: &mut impl Effects<Self>) {
        let failure = Failure::system(system_errors::OVERLOAD, true);
        self.finish(plan, now, number, CallResult::Failed(failure), out);
    }
}
