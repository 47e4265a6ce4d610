//! Our kernel through its public interface: every event enters a fingerprint.

use std::collections::VecDeque;

use kernel::{Fingerprint, Handle, Queue, Span, Time};
use peers::{
    ARRIVAL, CALLERS, Done, JOBS, LATENCY, LOOKAHEAD, PAIRS, PROCESSES, REPLY, Random, SECOND, SERVICE, STATIONS,
    TIMEOUT,
};

fn done(queue: &Queue<impl Copy>, fingerprint: &Fingerprint, events: u64, counted: u64) -> Done {
    std::hint::black_box(fingerprint.value());
    Done { events, clock: queue.now().0, counted }
}

fn mm1(customers: u64) -> Done {
    let (mut queue, mut random, mut fingerprint) = (Queue::new(), Random::default(), Fingerprint::new());
    let (mut arrived, mut present, mut events, mut seen) = (0, 0_u64, 0, 0);
    queue.after(Span(random.exponential(ARRIVAL)), true);
    while let Some((time, sequence, arrival)) = queue.pop() {
        fingerprint.eat(time.0, sequence << 1 | u64::from(arrival));
        events += 1;
        let starts = if arrival {
            arrived += 1;
            if arrived < customers {
                queue.after(Span(random.exponential(ARRIVAL)), true);
            }
            present += 1;
            present == 1
        } else {
            present -= 1;
            present > 0
        };
        if starts {
            queue.after(Span(random.exponential(SERVICE)), false);
        }
        seen += present;
    }
    done(&queue, &fingerprint, events, seen)
}

fn phold(jobs: u64) -> Done {
    let (mut queue, mut random, mut fingerprint) = (Queue::new(), Random::default(), Fingerprint::new());
    for job in 0..PROCESSES * JOBS {
        queue.after(Span(LOOKAHEAD + random.exponential(SECOND)), job / JOBS);
    }
    let mut at_zero = 0;
    for _ in 0..jobs {
        let (time, sequence, process) = queue.pop().expect("every job goes on");
        fingerprint.eat(time.0, sequence << 10 | u64::from(process));
        at_zero += u64::from(process == 0);
        let next = random.below(PROCESSES);
        queue.after(Span(LOOKAHEAD + random.exponential(SECOND)), next);
    }
    done(&queue, &fingerprint, jobs, at_zero)
}

fn ping_pong(messages: u64) -> Done {
    let (mut queue, mut fingerprint) = (Queue::new(), Fingerprint::new());
    let lane = queue.lane(Span(LATENCY));
    for pair in 0..PAIRS {
        queue.arm(lane, (pair, 0_u32));
    }
    let mut delivered = vec![0_u64; 2 * PAIRS as usize];
    for _ in 0..messages {
        let (time, sequence, (pair, to)) = queue.pop().expect("every ball is in the air");
        fingerprint.eat(time.0, sequence ^ u64::from(pair));
        delivered[(2 * pair + to) as usize] += 1;
        queue.arm(lane, (pair, 1 - to));
    }
    done(&queue, &fingerprint, messages, delivered.iter().sum())
}

fn rpc(replies: u64) -> Done {
    let (mut queue, mut random, mut fingerprint) = (Queue::new(), Random::default(), Fingerprint::new());
    let lane = queue.lane(Span(TIMEOUT));
    let mut timers = vec![Handle::NONE; CALLERS as usize];
    for caller in 0..CALLERS {
        timers[caller as usize] = queue.arm(lane, (caller, true));
        queue.after(Span(random.exponential(REPLY)), (caller, false));
    }
    let (mut answered, mut timeouts) = (0, 0);
    while answered < replies {
        let (time, sequence, (caller, timeout)) = queue.pop().expect("every caller calls");
        fingerprint.eat(time.0, sequence << 1 | u64::from(timeout));
        if timeout {
            timeouts += 1;
            continue;
        }
        answered += 1;
        queue.cancel(timers[caller as usize]);
        timers[caller as usize] = queue.arm(lane, (caller, true));
        queue.after(Span(random.exponential(REPLY)), (caller, false));
    }
    done(&queue, &fingerprint, answered, timeouts)
}

/// The line of a station, and its workers that are idle.
struct Station {
    line: VecDeque<Time>,
    idle: u32,
}

#[derive(Clone, Copy)]
enum Event {
    Arrives,
    Served { station: u8, since: Time },
}

fn four_stations(requests: u64) -> Done {
    let (mut queue, mut random, mut fingerprint) = (Queue::new(), Random::default(), Fingerprint::new());
    let mut stations = STATIONS.map(|(idle, _)| Station { line: VecDeque::new(), idle });
    let (mut arrived, mut finished, mut took) = (0, 0, 0);
    queue.after(Span(random.exponential(peers::MILLISECOND)), Event::Arrives);
    while let Some((time, sequence, event)) = queue.pop() {
        let (to, since) = match event {
            Event::Arrives => {
                fingerprint.eat(time.0, sequence << 3);
                arrived += 1;
                if arrived < requests {
                    queue.after(Span(random.exponential(peers::MILLISECOND)), Event::Arrives);
                }
                (0, time)
            }
            Event::Served { station, since } => {
                fingerprint.eat(time.0, sequence << 3 | u64::from(station) + 1);
                let at = &mut stations[usize::from(station)];
                if let Some(next) = at.line.pop_front() {
                    let span = Span(random.exponential(STATIONS[usize::from(station)].1));
                    queue.after(span, Event::Served { station, since: next });
                } else {
                    at.idle += 1;
                }
                (station + 1, since)
            }
        };
        match stations.get_mut(usize::from(to)) {
            None => {
                finished += 1;
                took += time.since(since).0;
            }
            Some(at) if at.idle == 0 => at.line.push_back(since),
            Some(at) => {
                at.idle -= 1;
                let span = Span(random.exponential(STATIONS[usize::from(to)].1));
                queue.after(span, Event::Served { station: to, since });
            }
        }
    }
    done(&queue, &fingerprint, finished, took)
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
