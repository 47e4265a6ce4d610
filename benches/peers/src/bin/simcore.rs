//! SimCore: components that get boxed events out of a heap, in seconds as floats; constant delays through its ordered
//! events, which its documentation recommends for speed.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use peers::{
    ARRIVAL, CALLERS, Done, JOBS, LATENCY, LOOKAHEAD, MILLISECOND, PAIRS, PROCESSES, REPLY, Random, SECOND, SERVICE,
    STATIONS, TIMEOUT,
};
use serde::Serialize;
use simcore::event::EventId;
use simcore::{Event, EventHandler, Id, Simulation, SimulationContext, cast};

fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

fn done(simulation: &Simulation, events: u64, counted: u64) -> Done {
    Done { events, clock: (simulation.time() * 1e9) as u64, counted }
}

/// A simulation with one component.
fn alone<C: EventHandler + 'static>(component: impl FnOnce(SimulationContext) -> C) -> (Simulation, Rc<RefCell<C>>) {
    let mut simulation = Simulation::new(1);
    let component = Rc::new(RefCell::new(component(simulation.create_context("all"))));
    simulation.add_handler("all", component.clone());
    (simulation, component)
}

struct Customers {
    context: SimulationContext,
    random: Random,
    wanted: u64,
    arrived: u64,
    present: u64,
    events: u64,
    seen: u64,
}

#[derive(Clone, Serialize)]
struct Arrival {}
#[derive(Clone, Serialize)]
struct Departure {}

impl Customers {
    fn serve(&mut self) {
        let span = self.random.exponential(SERVICE);
        self.context.emit_self(Departure {}, seconds(span));
    }

    fn expect(&mut self) {
        let gap = self.random.exponential(ARRIVAL);
        self.context.emit_self(Arrival {}, seconds(gap));
    }
}

impl EventHandler for Customers {
    fn on(&mut self, event: Event) {
        self.events += 1;
        cast!(match event.data {
            Arrival {} => {
                self.arrived += 1;
                if self.arrived < self.wanted {
                    self.expect();
                }
                self.present += 1;
                if self.present == 1 {
                    self.serve();
                }
            }
            Departure {} => {
                self.present -= 1;
                if self.present > 0 {
                    self.serve();
                }
            }
        });
        self.seen += self.present;
    }
}

fn mm1(wanted: u64) -> Done {
    let (mut simulation, customers) = alone(|context| Customers {
        context,
        random: Random::default(),
        wanted,
        arrived: 0,
        present: 0,
        events: 0,
        seen: 0,
    });
    customers.borrow_mut().expect();
    simulation.step_until_no_events();
    let customers = customers.borrow();
    done(&simulation, customers.events, customers.seen)
}

#[derive(Clone, Serialize)]
struct Job {}

struct Process {
    context: SimulationContext,
    random: Rc<RefCell<Random>>,
    processes: Rc<RefCell<Vec<Id>>>,
    handled: u64,
}

impl EventHandler for Process {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Job {} => {
                self.handled += 1;
                let random = &mut *self.random.borrow_mut();
                let to = self.processes.borrow()[random.below(PROCESSES) as usize];
                self.context.emit(Job {}, to, seconds(LOOKAHEAD + random.exponential(SECOND)));
            }
        })
    }
}

fn phold(wanted: u64) -> Done {
    let mut simulation = Simulation::new(1);
    let (random, ids) = (Rc::new(RefCell::new(Random::default())), Rc::new(RefCell::new(Vec::new())));
    let mut processes = Vec::new();
    for number in 0..PROCESSES {
        let name = number.to_string();
        let context = simulation.create_context(&name);
        let process = Process { context, random: Rc::clone(&random), processes: Rc::clone(&ids), handled: 0 };
        let process = Rc::new(RefCell::new(process));
        let id = simulation.add_handler(&name, process.clone());
        ids.borrow_mut().push(id);
        processes.push(process);
    }
    for job in 0..PROCESSES * JOBS {
        let process = (job / JOBS) as usize;
        let delay = LOOKAHEAD + random.borrow_mut().exponential(SECOND);
        processes[process].borrow().context.emit_self(Job {}, seconds(delay));
    }
    simulation.steps(wanted);
    let at_zero = processes[0].borrow().handled;
    done(&simulation, wanted, at_zero)
}

#[derive(Clone, Serialize)]
struct Ball {}

struct Player {
    context: SimulationContext,
    delivered: u64,
}

impl EventHandler for Player {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Ball {} => {
                self.delivered += 1;
                self.context.emit_ordered(Ball {}, event.src, seconds(LATENCY));
            }
        })
    }
}

fn ping_pong(wanted: u64) -> Done {
    let mut simulation = Simulation::new(1);
    let mut players = Vec::new();
    for number in 0..2 * PAIRS {
        let name = number.to_string();
        let player = Rc::new(RefCell::new(Player { context: simulation.create_context(&name), delivered: 0 }));
        let id = simulation.add_handler(&name, player.clone());
        players.push((id, player));
    }
    for pair in players.chunks(2) {
        pair[1].1.borrow().context.emit_ordered(Ball {}, pair[0].0, seconds(LATENCY));
    }
    simulation.steps(wanted);
    done(&simulation, wanted, players.iter().map(|(_, player)| player.borrow().delivered).sum())
}

#[derive(Clone, Serialize)]
struct Reply {
    caller: u32,
}
#[derive(Clone, Serialize)]
struct Timeout {
    caller: u32,
}

struct Callers {
    context: SimulationContext,
    random: Random,
    timers: Vec<EventId>,
    timeouts: u64,
    answered: u64,
}

impl Callers {
    fn call(&mut self, caller: u32) {
        let reply = self.random.exponential(REPLY);
        self.timers[caller as usize] = self.context.emit_ordered_self(Timeout { caller }, seconds(TIMEOUT));
        self.context.emit_self(Reply { caller }, seconds(reply));
    }
}

impl EventHandler for Callers {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Reply { caller } => {
                self.answered += 1;
                self.context.cancel_event(self.timers[caller as usize]);
                self.call(caller);
            }
            Timeout { caller: _ } => {
                self.timeouts += 1;
            }
        })
    }
}

fn rpc(wanted: u64) -> Done {
    let (mut simulation, callers) = alone(|context| Callers {
        context,
        random: Random::default(),
        timers: vec![0; CALLERS as usize],
        timeouts: 0,
        answered: 0,
    });
    for caller in 0..CALLERS {
        callers.borrow_mut().call(caller);
    }
    while callers.borrow().answered < wanted {
        simulation.steps(1);
    }
    let callers = callers.borrow();
    done(&simulation, callers.answered, callers.timeouts)
}

#[derive(Clone, Serialize)]
struct Request {}
#[derive(Clone, Serialize)]
struct Served {
    station: usize,
    since: f64,
}

struct Stations {
    context: SimulationContext,
    random: Random,
    wanted: u64,
    arrived: u64,
    finished: u64,
    took: f64,
    lines: [VecDeque<f64>; 4],
    idle: [u32; 4],
}

impl Stations {
    fn expect(&mut self) {
        let gap = self.random.exponential(MILLISECOND);
        self.context.emit_self(Request {}, seconds(gap));
    }

    fn serve(&mut self, station: usize, since: f64) {
        let span = self.random.exponential(STATIONS[station].1);
        self.context.emit_self(Served { station, since }, seconds(span));
    }

    fn enter(&mut self, station: usize, since: f64) {
        if station == STATIONS.len() {
            self.finished += 1;
            self.took += self.context.time() - since;
        } else if self.idle[station] == 0 {
            self.lines[station].push_back(since);
        } else {
            self.idle[station] -= 1;
            self.serve(station, since);
        }
    }
}

impl EventHandler for Stations {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Request {} => {
                self.arrived += 1;
                if self.arrived < self.wanted {
                    self.expect();
                }
                self.enter(0, event.time);
            }
            Served { station, since } => {
                if let Some(next) = self.lines[station].pop_front() {
                    self.serve(station, next);
                } else {
                    self.idle[station] += 1;
                }
                self.enter(station + 1, since);
            }
        })
    }
}

fn four_stations(wanted: u64) -> Done {
    let (mut simulation, stations) = alone(|context| Stations {
        context,
        random: Random::default(),
        wanted,
        arrived: 0,
        finished: 0,
        took: 0.0,
        lines: Default::default(),
        idle: STATIONS.map(|(workers, _)| workers),
    });
    stations.borrow_mut().expect();
    simulation.step_until_no_events();
    let stations = stations.borrow();
    done(&simulation, stations.finished, (stations.took * 1e9) as u64)
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
