//! NeXosim: one model with its own scheduled events, on one thread, which is its fastest form for such small handlers.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use nexosim::model::{Context, Model, schedulable};
use nexosim::simulation::{EventKey, Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use peers::{
    ARRIVAL, CALLERS, Done, JOBS, LATENCY, LOOKAHEAD, MILLISECOND, PAIRS, PROCESSES, REPLY, Random, SECOND, SERVICE,
    STATIONS, TIMEOUT,
};
use serde::{Deserialize, Serialize};

// A model belongs to its simulation, and no one else sees it: what it did is told here.
static STOPS: AtomicBool = AtomicBool::new(false);
static EVENTS: AtomicU64 = AtomicU64::new(0);
static COUNTED: AtomicU64 = AtomicU64::new(0);

fn stop(events: u64, counted: u64) {
    EVENTS.store(events, Ordering::Relaxed);
    COUNTED.store(counted, Ordering::Relaxed);
    STOPS.store(true, Ordering::Relaxed);
}

fn run<M: Model<Env = ()>>(model: M) -> Done {
    let begin = SimInit::with_num_threads(1).add_model(model, Mailbox::new(), "all");
    let mut simulation = begin.init(MonotonicTime::EPOCH).expect("the model begins");
    while !STOPS.load(Ordering::Relaxed) {
        simulation.step().expect("no event fails");
    }
    let time = simulation.time();
    let clock = time.as_secs() as u64 * SECOND + u64::from(time.subsec_nanos());
    Done { events: EVENTS.load(Ordering::Relaxed), clock, counted: COUNTED.load(Ordering::Relaxed) }
}

/// Schedules one of the model's own methods.
macro_rules! later {
    ($context:expr, $delay:expr, $method:path, $argument:expr) => {
        $context
            .schedule_event(Duration::from_nanos($delay), schedulable!($method), $argument)
            .expect("a delay is not zero")
    };
}

#[derive(Default, Serialize, Deserialize)]
struct Customers {
    #[serde(skip)]
    random: Random,
    wanted: u64,
    arrived: u64,
    present: u64,
    events: u64,
    seen: u64,
}

#[Model]
impl Customers {
    #[nexosim(init)]
    async fn begin(&mut self, context: &Context<Self>) {
        later!(context, self.random.exponential(ARRIVAL), Self::arrival, ());
    }

    #[nexosim(schedulable)]
    async fn arrival(&mut self, _: (), context: &Context<Self>) {
        self.events += 1;
        self.arrived += 1;
        if self.arrived < self.wanted {
            later!(context, self.random.exponential(ARRIVAL), Self::arrival, ());
        }
        self.present += 1;
        self.seen += self.present;
        if self.present == 1 {
            later!(context, self.random.exponential(SERVICE), Self::departure, ());
        }
    }

    #[nexosim(schedulable)]
    async fn departure(&mut self, _: (), context: &Context<Self>) {
        self.events += 1;
        self.present -= 1;
        self.seen += self.present;
        if self.present > 0 {
            later!(context, self.random.exponential(SERVICE), Self::departure, ());
        } else if self.arrived == self.wanted {
            stop(self.events, self.seen);
        }
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Jobs {
    #[serde(skip)]
    random: Random,
    wanted: u64,
    handled: u64,
    at_zero: u64,
}

#[Model]
impl Jobs {
    #[nexosim(init)]
    async fn begin(&mut self, context: &Context<Self>) {
        for job in 0..PROCESSES * JOBS {
            later!(context, LOOKAHEAD + self.random.exponential(SECOND), Self::job, job / JOBS);
        }
    }

    #[nexosim(schedulable)]
    async fn job(&mut self, process: u32, context: &Context<Self>) {
        self.handled += 1;
        self.at_zero += u64::from(process == 0);
        if self.handled == self.wanted {
            return stop(self.handled, self.at_zero);
        }
        let next = self.random.below(PROCESSES);
        later!(context, LOOKAHEAD + self.random.exponential(SECOND), Self::job, next);
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Players {
    wanted: u64,
    handled: u64,
    delivered: Vec<u64>,
}

#[Model]
impl Players {
    #[nexosim(init)]
    async fn begin(&mut self, context: &Context<Self>) {
        for pair in 0..PAIRS {
            later!(context, LATENCY, Self::ball, (pair, 0));
        }
    }

    #[nexosim(schedulable)]
    async fn ball(&mut self, (pair, to): (u32, u32), context: &Context<Self>) {
        self.handled += 1;
        self.delivered[(2 * pair + to) as usize] += 1;
        if self.handled == self.wanted {
            stop(self.handled, self.delivered.iter().sum());
        }
        later!(context, LATENCY, Self::ball, (pair, 1 - to));
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Callers {
    #[serde(skip)]
    random: Random,
    #[serde(skip)]
    timers: Vec<Option<EventKey>>,
    wanted: u64,
    answered: u64,
    timeouts: u64,
}

#[Model]
impl Callers {
    #[nexosim(init)]
    async fn begin(&mut self, context: &Context<Self>) {
        for caller in 0..CALLERS {
            self.call(caller, context);
        }
    }

    fn call(&mut self, caller: u32, context: &Context<Self>) {
        let timeout = Duration::from_nanos(TIMEOUT);
        let timer = context.schedule_keyed_event(timeout, schedulable!(Self::timeout), caller);
        self.timers[caller as usize] = Some(timer.expect("a timeout is not zero"));
        later!(context, self.random.exponential(REPLY), Self::reply, caller);
    }

    #[nexosim(schedulable)]
    async fn timeout(&mut self, _caller: u32) {
        self.timeouts += 1;
    }

    #[nexosim(schedulable)]
    async fn reply(&mut self, caller: u32, context: &Context<Self>) {
        self.answered += 1;
        if let Some(timer) = self.timers[caller as usize].take() {
            timer.cancel();
        }
        if self.answered == self.wanted {
            stop(self.answered, self.timeouts);
        }
        self.call(caller, context);
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Stations {
    #[serde(skip)]
    random: Random,
    wanted: u64,
    arrived: u64,
    finished: u64,
    took: u64,
    lines: [VecDeque<u64>; 4],
    idle: [u32; 4],
}

#[Model]
impl Stations {
    #[nexosim(init)]
    async fn begin(&mut self, context: &Context<Self>) {
        later!(context, self.random.exponential(MILLISECOND), Self::request, ());
    }

    fn now(context: &Context<Self>) -> u64 {
        let time = context.time();
        time.as_secs() as u64 * SECOND + u64::from(time.subsec_nanos())
    }

    fn enter(&mut self, station: usize, since: u64, context: &Context<Self>) {
        if station == STATIONS.len() {
            self.finished += 1;
            self.took += Self::now(context) - since;
            if self.finished == self.wanted {
                stop(self.finished, self.took);
            }
        } else if self.idle[station] == 0 {
            self.lines[station].push_back(since);
        } else {
            self.idle[station] -= 1;
            let span = self.random.exponential(STATIONS[station].1);
            later!(context, span, Self::served, (station, since));
        }
    }

    #[nexosim(schedulable)]
    async fn request(&mut self, _: (), context: &Context<Self>) {
        self.arrived += 1;
        if self.arrived < self.wanted {
            later!(context, self.random.exponential(MILLISECOND), Self::request, ());
        }
        self.enter(0, Self::now(context), context);
    }

    #[nexosim(schedulable)]
    async fn served(&mut self, (station, since): (usize, u64), context: &Context<Self>) {
        if let Some(next) = self.lines[station].pop_front() {
            let span = self.random.exponential(STATIONS[station].1);
            later!(context, span, Self::served, (station, next));
        } else {
            self.idle[station] += 1;
        }
        self.enter(station + 1, since, context);
    }
}

fn main() {
    peers::main(&[
        ("mm1", |wanted| run(Customers { wanted, ..Customers::default() })),
        ("phold", |wanted| run(Jobs { wanted, ..Jobs::default() })),
        ("ping_pong", |wanted| run(Players { wanted, handled: 0, delivered: vec![0; 2 * PAIRS as usize] })),
        ("rpc", |wanted| {
            let timers = (0..CALLERS).map(|_| None).collect();
            run(Callers { wanted, timers, ..Callers::default() })
        }),
        ("four_stations", |wanted| {
            let idle = STATIONS.map(|(workers, _)| workers);
            run(Stations { wanted, idle, ..Stations::default() })
        }),
    ]);
}
