//! One node of the composed application, as a process: what comes in is handed to the part that knows it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use kernel::{CellId, Digest, Effects, NodeId, Process, SeriesId, Time, fold};

use super::clients::Clients;
use super::frame::{Caller, Frame, Frames};
use super::interpreter::Asked;
use super::message::{CallResult, Failure, Message, Reply, Request, system_errors};
use super::output::Output;
use super::plan::{Load, Part, Plan};
use super::rows::Work;
use super::server::Server;
use super::station::Admission;
use crate::commit::{Reason, two_phase};

/// One node.
#[derive(Clone, Debug)]
pub struct Machine {
    pub(super) me: NodeId,
    pub(super) frames: Frames,
    /// Frames that can go on, in order; empty between two events.
    pub(super) ready: Vec<u32>,
    /// Per service: which of its nodes is next in turn.
    pub(super) turns: BTreeMap<u32, u32>,
    pub(super) role: Role,
}

/// What the node is for.
#[derive(Clone, Debug)]
pub enum Role {
    /// A machine of a service.
    Server(Server),
    /// The clients of a workload.
    Clients(Clients),
}

/// What a timer says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Timer {
    /// The next operation of an open loop.
    Arrive,
    /// A user of a closed loop has thought.
    User(u32),
    /// A frame goes on.
    Resume {
        /// Which,
        frame: u32,
        /// if it still is the same.
        token: u64,
    },
    /// A call took too long.
    Timeout {
        /// Whose,
        frame: u32,
        /// if it still waits for it.
        token: u64,
    },
    /// A commit protocol's own timer.
    Commit(two_phase::Timer),
    /// A coordinator has decided.
    Decided {
        /// The transaction,
        transaction: u64,
        /// of this type.
        kind: u16,
        /// Why it aborted; none if it committed.
        reason: Option<u16>,
    },
}

/// What the log holds.
#[derive(Clone, PartialEq, Debug)]
pub enum Record {
    /// A commit protocol's record.
    Commit(two_phase::Record<Work>),
}

impl Process for Machine {
    type Plan = Plan;
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Output = Output;

    fn boot(plan: &Plan, me: NodeId) -> Self {
        let role = match plan.nodes[me.0 as usize].part {
            Part::Service(_) => Role::Server(Server::new(plan, me)),
            Part::Workload(n) => Role::Clients(Clients::new(&plan.workloads[n as usize])),
        };
        Self { me, frames: Frames::default(), ready: Vec::new(), turns: BTreeMap::new(), role }
    }

    fn on_start(&mut self, plan: &Plan, now: Time, log: &[Record], out: &mut impl Effects<Self>) {
        self.frames.begin(now);
        match &mut self.role {
            Role::Server(server) => server.start(plan, now, log, out),
            Role::Clients(_) => self.start_load(plan, now, out),
        }
    }

    fn on_message(&mut self, plan: &Plan, now: Time, from: NodeId, message: Message, out: &mut impl Effects<Self>) {
        match message {
            Message::Request(request) => self.request(plan, now, from, request, out),
            Message::Reply(Reply { frame, token, result, .. }) => self.answered(plan, now, (frame, token), result, out),
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
                self.answered(plan, now, (frame, token), CallResult::Failed(failure), out);
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
                self.answered(plan, now, (frame, token), CallResult::Failed(failure), out);
            }
            // The caller's own timeout tells it; the protocol repeats what matters.
            Message::Reply(_) => {}
            Message::Commit(message) => self.commit_reset(plan, now, to, &message, out),
        }
        self.go_on(plan, now, out);
    }

    fn unfinished(&self) -> u64 {
        let protocols = match &self.role {
            Role::Server(server) => server.unfinished(),
            Role::Clients(_) => 0,
        };
        u64::from(self.frames.len()) + protocols
    }

    fn owed(_plan: &Plan, _me: NodeId, log: &[Record]) -> u64 {
        two_phase::owed(log.iter().map(|Record::Commit(record)| record))
    }

    fn volatile_cells(&self, plan: &Plan, each: &mut impl FnMut(CellId, u64, i64)) {
        let Role::Server(server) = &self.role else { return };
        let (service, number) = plan.service(self.me);
        let (station, key) = (&server.station, u64::from(number));
        each(service.cells.queue_depth, key, i64::from(station.waiting()));
        each(service.cells.busy, key, i64::from(station.busy()));
        each(service.cells.in_system, key, i64::from(station.in_system()));
        server.volatile_cells(plan, self.me, each);
    }

    fn open_samples(&self, plan: &Plan, each: &mut impl FnMut(SeriesId, Time)) {
        match &self.role {
            Role::Server(server) => {
                let (service, number) = plan.service(self.me);
                let series = service.series[number as usize].sojourn;
                for frame in self.frames.iter() {
                    each(series, frame.entered);
                }
                server.open_samples(plan, each);
            }
            Role::Clients(_) => {
                let Part::Workload(n) = plan.nodes[self.me.0 as usize].part else { return };
                for frame in self.frames.iter() {
                    each(plan.workloads[n as usize].latency, frame.entered);
                }
            }
        }
    }
}

impl Machine {
    /// Lets every frame that can go on do so.
    #[inline]
    fn go_on(&mut self, plan: &Plan, now: Time, out: &mut impl Effects<Self>) {
        let mut next = 0;
        while let Some(&number) = self.ready.get(next) {
            next += 1;
            self.run(plan, now, number, out);
        }
        self.ready.clear();
    }

    fn start_load(&mut self, plan: &Plan, now: Time, out: &mut impl Effects<Self>) {
        let Part::Workload(n) = plan.nodes[self.me.0 as usize].part else { return };
        let workload = &plan.workloads[n as usize];
        match &workload.load {
            Load::Rate { .. } | Load::Trace(_) => self.schedule_arrival(plan, now, out),
            Load::Users { users, think } => {
                for user in 0..*users {
                    let wait = think.law.span(&mut think.key.draw(u64::from(user), 0, 0));
                    out.set_timer(Timer::User(user), kernel::Delay::Fixed(workload.start.since(now) + wait));
                }
            }
        }
    }

    fn request(&mut self, plan: &Plan, now: Time, from: NodeId, request: Request, out: &mut impl Effects<Self>) {
        let Role::Server(server) = &mut self.role else { return };
        let (service, number) = plan.service(self.me);
        let op = plan.ops[request.op as usize];
        let caller = Caller::Frame { node: from, frame: request.frame, token: request.token, op: request.op };
        let frame = self.frames.put(Frame {
            token: 0,
            pc: op.entry,
            operation: request.operation,
            hop: request.hop,
            draws: 0,
            caller,
            entered: now,
            served: None,
            holds_worker: false,
            calling: None,
            variables: request.variables,
        });
        out.frame(kernel::Frame(request.operation));
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

    /// A frame has got a worker: it can go on.
    pub(super) fn serve(&mut self, now: Time, number: u32) {
        let frame = self.frames.get(number);
        frame.holds_worker = true;
        frame.served = frame.served.or(Some(now));
        self.ready.push(number);
    }

    /// A request that never got in is told so.
    fn refuse(&mut self, plan: &Plan, number: u32, out: &mut impl Effects<Self>) {
        let frame = self.frames.take(number);
        let failure = Failure::system(system_errors::OVERLOAD, true);
        Self::reply(plan, Asked::of(&frame), CallResult::Failed(failure), out);
    }

    /// A request that waited is sent away.
    pub(super) fn overloaded(&mut self, plan: &Plan, now: Time, number: u32, out: &mut impl Effects<Self>) {
        let failure = Failure::system(system_errors::OVERLOAD, true);
        self.finish(plan, now, number, CallResult::Failed(failure), out);
    }
}

impl Digest for Timer {
    #[inline]
    fn digest(&self) -> u64 {
        let two = |tag: u64, a: u32, b: u64| fold(tag << 32 | u64::from(a), b);
        match *self {
            Self::Arrive => 1,
            Self::User(user) => fold(2, u64::from(user)),
            Self::Resume { frame, token } => two(3, frame, token),
            Self::Timeout { frame, token } => two(4, frame, token),
            Self::Commit(ref timer) => fold(5, timer.digest()),
            Self::Decided { transaction, kind, reason } => {
                fold(fold(6, transaction), u64::from(kind) << 32 | reason.map_or(1 << 16, u64::from))
            }
        }
    }
}

impl Digest for Record {
    fn digest(&self) -> u64 {
        match self {
            Self::Commit(record) => record.digest(),
        }
    }
}

impl kernel::Record for Record {
    fn bytes(&self) -> u32 {
        match self {
            Self::Commit(record) => record.bytes(),
        }
    }
}
