//! tokio with a paused clock: tasks that sleep, on one thread. Its timers count milliseconds, so a microsecond of the model is
//! one of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use peers::{
    ARRIVAL, CALLERS, Done, JOBS, LATENCY, LOOKAHEAD, MILLISECOND, PAIRS, PROCESSES, REPLY, Random, SECOND, SERVICE,
    STATIONS, TIMEOUT,
};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::time::{Instant, sleep, timeout};

/// How much longer everything takes, so that a microsecond is a millisecond.
const SCALE: u64 = 1_000;

fn scaled(nanoseconds: u64) -> Duration {
    Duration::from_millis(nanoseconds * SCALE / MILLISECOND)
}

/// What tasks share; there is one thread, and no lock is ever waited for.
struct World {
    random: std::sync::Mutex<Random>,
    begun: Instant,
    wanted: u64,
    events: AtomicU64,
    counted: AtomicU64,
    clock: AtomicU64,
    done: Notify,
}

impl World {
    fn exponential(&self, mean: u64) -> Duration {
        scaled(self.random.lock().expect("nobody panics").exponential(mean))
    }

    fn now(&self) -> u64 {
        self.begun.elapsed().as_nanos() as u64 / SCALE
    }

    /// One more; false if that was the last.
    fn count(&self, counted: u64) -> bool {
        self.counted.fetch_add(counted, Ordering::Relaxed);
        let events = self.events.fetch_add(1, Ordering::Relaxed) + 1;
        if events == self.wanted {
            self.clock.store(self.now(), Ordering::Relaxed);
            self.done.notify_one();
        }
        events < self.wanted
    }
}

/// Runs until everything that was wanted is done.
fn run<F: Future<Output = ()>>(wanted: u64, begin: impl FnOnce(Arc<World>) -> F) -> Done {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let done = runtime.expect("a runtime of one thread").block_on(async {
        let world = Arc::new(World {
            random: Default::default(),
            begun: Instant::now(),
            wanted,
            events: AtomicU64::new(0),
            counted: AtomicU64::new(0),
            clock: AtomicU64::new(0),
            done: Notify::new(),
        });
        begin(Arc::clone(&world)).await;
        world.done.notified().await;
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        Done { events: wanted, clock: read(&world.clock), counted: read(&world.counted) }
    });
    done
}

fn mm1(customers: u64) -> Done {
    run(2 * customers, |world| async move {
        let (sender, mut line) = mpsc::unbounded_channel();
        let present = Arc::new(AtomicU64::new(0));
        let (served, there) = (Arc::clone(&world), Arc::clone(&present));
        tokio::spawn(async move {
            while let Some(()) = line.recv().await {
                sleep(served.exponential(SERVICE)).await;
                served.count(there.fetch_sub(1, Ordering::Relaxed) - 1);
            }
        });
        tokio::spawn(async move {
            for _ in 0..customers {
                sleep(world.exponential(ARRIVAL)).await;
                world.count(present.fetch_add(1, Ordering::Relaxed) + 1);
                sender.send(()).expect("the server waits");
            }
        });
    })
}

fn phold(jobs: u64) -> Done {
    run(jobs, |world| async move {
        for job in 0..PROCESSES * JOBS {
            let world = Arc::clone(&world);
            let mut next = world.exponential(SECOND);
            tokio::spawn(async move {
                let mut process = job / JOBS;
                loop {
                    sleep(scaled(LOOKAHEAD) + next).await;
                    if !world.count(u64::from(process == 0)) {
                        return;
                    }
                    process = world.random.lock().expect("nobody panics").below(PROCESSES);
                    next = world.exponential(SECOND);
                }
            });
        }
    })
}

fn ping_pong(messages: u64) -> Done {
    run(messages, |world| async move {
        for _ in 0..PAIRS {
            let (to_one, one) = mpsc::unbounded_channel();
            let (to_other, other) = mpsc::unbounded_channel();
            to_one.send(()).expect("its receiver is there");
            for (mut mine, theirs) in [(one, to_other), (other, to_one)] {
                let world = Arc::clone(&world);
                tokio::spawn(async move {
                    while let Some(()) = mine.recv().await {
                        sleep(scaled(LATENCY)).await;
                        if !world.count(1) || theirs.send(()).is_err() {
                            return;
                        }
                    }
                });
            }
        }
    })
}

fn rpc(replies: u64) -> Done {
    run(replies, |world| async move {
        for _ in 0..CALLERS {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                loop {
                    let reply = world.exponential(REPLY);
                    if timeout(scaled(TIMEOUT), sleep(reply)).await.is_err() {
                        world.counted.fetch_add(1, Ordering::Relaxed);
                    } else if !world.count(0) {
                        return;
                    }
                }
            });
        }
    })
}

fn four_stations(requests: u64) -> Done {
    run(requests, |world| async move {
        let stations = Arc::new(STATIONS.map(|(workers, _)| Semaphore::new(workers as usize)));
        tokio::spawn(async move {
            for _ in 0..requests {
                sleep(world.exponential(MILLISECOND)).await;
                let (world, stations) = (Arc::clone(&world), Arc::clone(&stations));
                tokio::spawn(async move {
                    let since = world.now();
                    for (station, (_, mean)) in stations.iter().zip(STATIONS) {
                        let _worker = station.acquire().await.expect("a station is never closed");
                        sleep(world.exponential(mean)).await;
                    }
                    world.count(world.now() - since);
                });
            }
        });
    })
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
