//! The clients' side of a machine: operations begin, are answered or time out, and are told to the history.

use kernel::{Delay, Delta, Effects, FactKind, Frame as Barrier, Sample, Time};

use super::calls::measure_reject;
use super::clients;
use super::ending::Ending;
use super::frame::Caller;
use super::interpreter::ending;
use super::machine::{Machine, Role, Timer};
use super::message::CallResult;
use super::output::Output;
use super::plan::{Part, Plan, Workload};

impl Machine {
    #[inline]
    pub(super) fn workload<'a>(&self, plan: &'a Plan) -> (u32, &'a Workload) {
        match plan.nodes[self.me.0 as usize].part {
            Part::Workload(n) => (n, &plan.workloads[n as usize]),
            Part::Service(_) | Part::Database(_) | Part::Broker(_) | Part::Topics(_) | Part::Replica(_) => {
                panic!("only clients begin operations")
            }
        }
    }

    /// Sets the timer of the next open-loop arrival, if there is one.
    pub(super) fn schedule_arrival(&mut self, plan: &Plan, now: Time, out: &mut impl Effects<Self>) {
        let (_, workload) = self.workload(plan);
        let Role::Clients(clients) = &mut self.role else { return };
        if workload.is_over(clients.begun()) {
            return;
        }
        if let Some(at) = clients.next_arrival(workload) {
            out.set_timer(Timer::Arrive, Delay::Fixed(at.since(now)));
        }
    }

    /// An open-loop operation is due.
    pub(super) fn arrive(&mut self, plan: &Plan, now: Time, out: &mut impl Effects<Self>) {
        self.begin_operation(plan, now, None, out);
        self.schedule_arrival(plan, now, out);
    }

    /// Begins the next operation, for a user of a closed loop or by itself.
    pub(super) fn begin_operation(&mut self, plan: &Plan, now: Time, user: Option<u32>, out: &mut impl Effects<Self>) {
        let (index, workload) = self.workload(plan);
        let Role::Clients(clients) = &mut self.role else { return };
        if now >= workload.stop || workload.is_over(clients.begun()) {
            return;
        }
        let Some(number) = clients.number(workload, user) else { return };
        if !workload.begins(number) {
            if let Some(user) = user {
                clients.think(workload, user, (number, now), out);
            }
            return;
        }
        let operation = clients::operation(index, number);
        let variables = clients::variables(workload, operation, user);
        let caller = user.map_or(Caller::Arrival(number), |user| Caller::User(user, number));
        self.note_in_flight(workload, 1, out);
        if plan.history {
            let process = self.process(index, user, number);
            out.output(Output::Invoked { workload: index, number, process, variables: variables.clone() });
        }
        let (frame, new) = self.frames.open(caller, workload.entry, operation, variables, now);
        new.deadline = workload.timeout.map_or(Time::END, |timeout| now + timeout);
        self.ready.push(frame);
    }

    /// An operation is over.
    pub(super) fn end_operation(
        &mut self,
        plan: &Plan,
        now: Time,
        frame: u32,
        result: CallResult,
        out: &mut impl Effects<Self>,
    ) {
        let (index, workload) = self.workload(plan);
        let ending = ending(result);
        let ended = self.frames.get(frame);
        let (caller, operation, since, clock) = (ended.caller, ended.operation, ended.entered, ended.clock.take());
        let variables = plan.history.then(|| ended.variables.clone());
        self.frames.end(frame);
        let value = now.since(since);
        if let Some(measured) = &workload.measured {
            out.measure(Sample { series: measured.latency, tag: ending.tag(), since, value });
            measure_reject(Some(measured.rejected), result, (since, now), out);
        }
        if let Some(spent) = clock.map(|clock| clock.spent()) {
            debug_assert_eq!(spent.total(), value, "each part of an operation has its name");
            self.spent.add(plan, 0, since, &spent);
        }
        self.note_in_flight(workload, -1, out);
        Self::tell_outcome(plan, workload, operation, result, out);
        let (user, number) = match caller {
            Caller::User(user, number) => (Some(user), number),
            Caller::Arrival(number) => (None, number),
            Caller::Frame { .. }
            | Caller::Coordinator
            | Caller::Answered
            | Caller::Saga(..)
            | Caller::Delivery { .. }
            | Caller::Read { .. }
            | Caller::Trigger(_) => {
                panic!("a client's frame is an operation")
            }
        };
        if let Some(variables) = variables {
            let error = match result {
                CallResult::Ok => None,
                CallResult::Failed(failure) => Some(failure.error),
            };
            let process = self.process(index, user, number);
            out.output(Output::Completed { workload: index, number, process, ending, error, variables });
        }
        if let Some(user) = user {
            let Role::Clients(clients) = &mut self.role else { panic!("only clients have users") };
            if ending == Ending::Info {
                clients.outcome_unknown(user);
            }
            clients.think(workload, user, (number, now), out);
        }
    }

    /// A process id that is unique over all workloads.
    pub(super) fn process(&self, workload: u32, user: Option<u32>, number: u64) -> u64 {
        let Role::Clients(clients) = &self.role else { panic!("only clients have processes") };
        u64::from(workload) << 40 | clients.process(user, number)
    }

    /// What a client was told about a transaction it asked for is a fact, too.
    fn tell_outcome(
        plan: &Plan,
        workload: &Workload,
        operation: u64,
        result: CallResult,
        out: &mut impl Effects<Self>,
    ) {
        let Some(transaction) = workload.transaction else { return };
        let protocol = plan.commit.kinds[transaction as usize].protocol;
        let kind = match result {
            CallResult::Ok => FactKind::Told { commit: true },
            CallResult::Failed(failure) if failure.business => FactKind::Told { commit: false },
            CallResult::Failed(_) => return,
        };
        out.frame(Barrier(operation));
        out.fact(protocol, operation, kind);
    }

    fn note_in_flight(&self, workload: &Workload, change: i64, out: &mut impl Effects<Self>) {
        // A frame is put after the count goes up and taken before it goes down.
        let before = i64::from(self.frames.len()) + i64::from(change < 0);
        out.note(&[Delta { cell: workload.in_flight, key: 0, before, after: before + change }]);
    }
}
