//! odem-rs: processes as futures, whose continuations stand in its calendar. A process for every customer line, job, ball and
//! caller; a call races against its timeout.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::task::Waker;

use odem_rs::core::ops::waker;
use odem_rs::prelude::*;
use peers::{
    ARRIVAL, CALLERS, Done, JOBS, LATENCY, LOOKAHEAD, PAIRS, PROCESSES, REPLY, Random, SECOND, SERVICE, TIMEOUT,
};

#[derive(Config, Default)]
#[time(u64)]
struct World {
    random: RefCell<Random>,
    events: Cell<u64>,
    counted: Cell<u64>,
    clock: Cell<u64>,
    present: Cell<u64>,
    arrived: Cell<u64>,
    sleeping: Cell<Option<Waker>>,
}

impl World {
    fn exponential(&self, mean: u64) -> u64 {
        self.random.borrow_mut().exponential(mean)
    }

    fn count(&self, now: u64, counted: u64) -> u64 {
        self.clock.set(now);
        self.events.set(self.events.get() + 1);
        self.counted.set(self.counted.get() + counted);
        self.events.get()
    }

    fn done(&self) -> Done {
        Done { events: self.events.get(), clock: self.clock.get(), counted: self.counted.get() }
    }
}

/// Until everything is done: no run is longer.
const EVER: u64 = u64::MAX / 4;

#[odem_rs::main]
async fn mm1(sim: &Sim<World>, wanted: u64) -> Done {
    let world = sim.global();
    let server = pin!(Job::new(async {
        loop {
            while world.present.get() > 0 {
                sim.advance(world.exponential(SERVICE)).await;
                world.present.set(world.present.get() - 1);
                world.count(sim.now(), world.present.get());
            }
            if world.arrived.get() == wanted {
                return;
            }
            world.sleeping.set(Some(waker().await));
            sleep().await;
        }
    }));
    let arrivals = pin!(Job::new(async {
        while world.arrived.get() < wanted {
            sim.advance(world.exponential(ARRIVAL)).await;
            world.arrived.set(world.arrived.get() + 1);
            world.present.set(world.present.get() + 1);
            world.count(sim.now(), world.present.get());
            if let Some(server) = world.sleeping.take() {
                server.wake();
            }
        }
    }));
    sim.activate(server);
    sim.activate(arrivals);
    sim.advance(EVER).await;
    world.done()
}

#[odem_rs::main]
async fn phold(sim: &Sim<World>, wanted: u64) -> Done {
    let world = sim.global();
    let count = (PROCESSES * JOBS) as usize;
    let pool = pin!(Pool::with_capacity(count).with(Job::new));
    for job in 0..PROCESSES * JOBS {
        let first = LOOKAHEAD + world.exponential(SECOND);
        let job = pool.alloc(async move {
            let mut process = job / JOBS;
            while world.events.get() < wanted {
                world.count(sim.now(), u64::from(process == 0));
                process = world.random.borrow_mut().below(PROCESSES);
                sim.advance(LOOKAHEAD + world.exponential(SECOND)).await;
            }
        });
        sim.schedule(job, first);
    }
    sim.advance(EVER).await;
    world.done()
}

#[odem_rs::main]
async fn ping_pong(sim: &Sim<World>, wanted: u64) -> Done {
    let world = sim.global();
    let pool = pin!(Pool::with_capacity(PAIRS as usize).with(Job::new));
    for _ in 0..PAIRS {
        let ball = pool.alloc(async move {
            let (mut delivered, mut to) = ([0_u64; 2], 0);
            while world.events.get() < wanted {
                world.count(sim.now(), 1);
                delivered[to] += 1;
                to = 1 - to;
                sim.advance(LATENCY).await;
            }
            std::hint::black_box(delivered);
        });
        sim.schedule(ball, LATENCY);
    }
    sim.advance(EVER).await;
    world.done()
}

#[odem_rs::main]
async fn rpc(sim: &Sim<World>, wanted: u64) -> Done {
    let world = sim.global();
    let pool = pin!(Pool::with_capacity(CALLERS as usize).with(Job::new));
    for _ in 0..CALLERS {
        let caller = pool.alloc(async move {
            while world.events.get() < wanted {
                let reply = world.exponential(REPLY);
                let answered = async {
                    sim.advance(reply).await;
                    true
                };
                let late = async {
                    sim.advance(TIMEOUT).await;
                    false
                };
                if sim.fork(answered).or(late).await {
                    if world.events.get() < wanted {
                        world.count(sim.now(), 0);
                    }
                } else {
                    world.counted.set(world.counted.get() + 1);
                }
            }
        });
        sim.activate(caller);
    }
    sim.advance(EVER).await;
    world.done()
}

fn main() {
    peers::main(&[("mm1", mm1), ("phold", phold), ("ping_pong", ping_pong), ("rpc", rpc)]);
}
