//! desque: events are boxed trait objects in a binary heap. It cannot cancel, so a timeout that is not needed any more fires
//! in vain, and finds that its call is over by its number.

use std::collections::VecDeque;

use desque::SimState;
use desque::serial::{OkEvent, Simulation};
use peers::{
    ARRIVAL, CALLERS, Done, JOBS, LATENCY, LOOKAHEAD, MILLISECOND, PAIRS, PROCESSES, REPLY, Random, SECOND, SERVICE,
    STATIONS, TIMEOUT,
};

type World<S> = Simulation<S, u64>;

fn later<S: SimState<u64>>(world: &mut World<S>, delay: u64, event: impl OkEvent<S, u64> + 'static) {
    world.schedule_with_delay(event, delay).expect("a delay is not negative");
}

fn run<S: SimState<u64>>(mut world: World<S>, result: impl FnOnce(&S) -> (u64, u64)) -> Done {
    world.run().expect("no event fails");
    let (events, counted) = result(world.state());
    Done { events, clock: *world.current_time(), counted }
}

#[derive(Debug, Default)]
struct Customers {
    random: Random,
    wanted: u64,
    arrived: u64,
    present: u64,
    events: u64,
    seen: u64,
}

impl SimState<u64> for Customers {}

#[derive(Debug)]
struct Arrival;
#[derive(Debug)]
struct Departure;

impl OkEvent<Customers, u64> for Arrival {
    fn execute(&mut self, world: &mut World<Customers>) {
        let state = world.state_mut();
        state.events += 1;
        state.arrived += 1;
        if state.arrived < state.wanted {
            let gap = state.random.exponential(ARRIVAL);
            later(world, gap, Arrival);
        }
        let state = world.state_mut();
        state.present += 1;
        state.seen += state.present;
        if state.present == 1 {
            let span = state.random.exponential(SERVICE);
            later(world, span, Departure);
        }
    }
}

impl OkEvent<Customers, u64> for Departure {
    fn execute(&mut self, world: &mut World<Customers>) {
        let state = world.state_mut();
        state.events += 1;
        state.present -= 1;
        state.seen += state.present;
        if state.present > 0 {
            let span = state.random.exponential(SERVICE);
            later(world, span, Departure);
        }
    }
}

fn mm1(wanted: u64) -> Done {
    let mut world = World::new(Customers { wanted, ..Customers::default() }, 0);
    let gap = world.state_mut().random.exponential(ARRIVAL);
    later(&mut world, gap, Arrival);
    run(world, |state| (state.events, state.seen))
}

#[derive(Debug, Default)]
struct Jobs {
    random: Random,
    wanted: u64,
    handled: u64,
    at_zero: u64,
}

impl SimState<u64> for Jobs {
    fn is_complete(&self, _: &u64) -> bool {
        self.handled == self.wanted
    }
}

#[derive(Debug)]
struct Job {
    process: u32,
}

impl OkEvent<Jobs, u64> for Job {
    fn execute(&mut self, world: &mut World<Jobs>) {
        let state = world.state_mut();
        state.handled += 1;
        state.at_zero += u64::from(self.process == 0);
        let process = state.random.below(PROCESSES);
        let delay = LOOKAHEAD + state.random.exponential(SECOND);
        later(world, delay, Job { process });
    }
}

fn phold(wanted: u64) -> Done {
    let mut world = World::new(Jobs { wanted, ..Jobs::default() }, 0);
    for job in 0..PROCESSES * JOBS {
        let delay = LOOKAHEAD + world.state_mut().random.exponential(SECOND);
        later(&mut world, delay, Job { process: job / JOBS });
    }
    run(world, |state| (state.handled, state.at_zero))
}

#[derive(Debug, Default)]
struct Players {
    wanted: u64,
    handled: u64,
    delivered: Vec<u64>,
}

impl SimState<u64> for Players {
    fn is_complete(&self, _: &u64) -> bool {
        self.handled == self.wanted
    }
}

#[derive(Debug)]
struct Ball {
    pair: u32,
    to: u32,
}

impl OkEvent<Players, u64> for Ball {
    fn execute(&mut self, world: &mut World<Players>) {
        let state = world.state_mut();
        state.handled += 1;
        state.delivered[(2 * self.pair + self.to) as usize] += 1;
        later(world, LATENCY, Ball { pair: self.pair, to: 1 - self.to });
    }
}

fn ping_pong(wanted: u64) -> Done {
    let mut world = World::new(Players { wanted, handled: 0, delivered: vec![0; 2 * PAIRS as usize] }, 0);
    for pair in 0..PAIRS {
        later(&mut world, LATENCY, Ball { pair, to: 0 });
    }
    run(world, |state| (state.handled, state.delivered.iter().sum()))
}

#[derive(Debug, Default)]
struct Callers {
    random: Random,
    wanted: u64,
    answered: u64,
    timeouts: u64,
    calls: Vec<u32>,
}

impl SimState<u64> for Callers {
    fn is_complete(&self, _: &u64) -> bool {
        self.answered == self.wanted
    }
}

#[derive(Debug)]
struct Reply {
    caller: u32,
}
#[derive(Debug)]
struct Timeout {
    caller: u32,
    call: u32,
}

fn call(world: &mut World<Callers>, caller: u32) {
    let state = world.state_mut();
    state.calls[caller as usize] += 1;
    let call = state.calls[caller as usize];
    let reply = state.random.exponential(REPLY);
    later(world, TIMEOUT, Timeout { caller, call });
    later(world, reply, Reply { caller });
}

impl OkEvent<Callers, u64> for Reply {
    fn execute(&mut self, world: &mut World<Callers>) {
        world.state_mut().answered += 1;
        call(world, self.caller);
    }
}

impl OkEvent<Callers, u64> for Timeout {
    fn execute(&mut self, world: &mut World<Callers>) {
        let state = world.state_mut();
        state.timeouts += u64::from(state.calls[self.caller as usize] == self.call);
    }
}

fn rpc(wanted: u64) -> Done {
    let calls = vec![0; CALLERS as usize];
    let mut world = World::new(Callers { wanted, calls, ..Callers::default() }, 0);
    for caller in 0..CALLERS {
        call(&mut world, caller);
    }
    run(world, |state| (state.answered, state.timeouts))
}

#[derive(Debug, Default)]
struct Stations {
    random: Random,
    wanted: u64,
    arrived: u64,
    finished: u64,
    took: u64,
    lines: [VecDeque<u64>; 4],
    idle: [u32; 4],
}

impl SimState<u64> for Stations {}

#[derive(Debug)]
struct Request;
#[derive(Debug)]
struct Served {
    station: usize,
    since: u64,
}

fn enter(world: &mut World<Stations>, station: usize, since: u64) {
    let now = *world.current_time();
    let state = world.state_mut();
    if station == STATIONS.len() {
        state.finished += 1;
        state.took += now - since;
    } else if state.idle[station] == 0 {
        state.lines[station].push_back(since);
    } else {
        state.idle[station] -= 1;
        let span = state.random.exponential(STATIONS[station].1);
        later(world, span, Served { station, since });
    }
}

impl OkEvent<Stations, u64> for Request {
    fn execute(&mut self, world: &mut World<Stations>) {
        let now = *world.current_time();
        let state = world.state_mut();
        state.arrived += 1;
        if state.arrived < state.wanted {
            let gap = state.random.exponential(MILLISECOND);
            later(world, gap, Request);
        }
        enter(world, 0, now);
    }
}

impl OkEvent<Stations, u64> for Served {
    fn execute(&mut self, world: &mut World<Stations>) {
        let state = world.state_mut();
        if let Some(since) = state.lines[self.station].pop_front() {
            let span = state.random.exponential(STATIONS[self.station].1);
            later(world, span, Served { station: self.station, since });
        } else {
            state.idle[self.station] += 1;
        }
        enter(world, self.station + 1, self.since);
    }
}

fn four_stations(wanted: u64) -> Done {
    let idle = STATIONS.map(|(workers, _)| workers);
    let mut world = World::new(Stations { wanted, idle, ..Stations::default() }, 0);
    let gap = world.state_mut().random.exponential(MILLISECOND);
    later(&mut world, gap, Request);
    run(world, |state| (state.finished, state.took))
}

fn main() {
    peers::main(&[
        ("mm1", mm1),
        ("phold", phold),
        ("ping_pong", ping_pong),
        ("rpc", rpc),
        ("four_stations", four_stations),
    ]);
}
