//! What many machines, many messages and many events cost: 100 000 machines that ask each other, as many events of theirs
//! as one has the patience for in the same memory, and the queue with a thousand to a million events pending.
//!
//! Memory is what Linux says of a process, so each measurement has a process of its own, and what one machine or one
//! message takes is the difference of two, over the difference of what there was. `--test` does a thousandth of the work,
//! `STORMGLASS_LONG` takes 10^9 events, and `machines`, `events` and `pending` do one part each. Each run says its
//! fingerprint: what was computed can be compared.

use std::io::Write as _;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cluster::{Cluster, Disk, FaultPlan, Hardware, Link, Transport};
use kernel::{
    CellId, Digest, Distribution, Effects, Fingerprint, Key, Message, NodeId, Process, Queue, Record, Route, Seed,
    Span, Time,
};

const MACHINES: u64 = 100_000;
const EVENTS: u64 = 20_000_000;
const EVENTS_LONG: u64 = 1_000_000_000;
/// Steps of the hold model, for each number of pending events, and in how many rounds.
const STEPS: u64 = 10_000_000;
const ROUNDS: u64 = 10;
/// Delays drawn beforehand; a power of two.
const DELAYS: usize = 1 << 16;
/// The peak grows at most by so much between a tenth of the events and all of them.
const PEAK_GROWTH_MAX_KB: u64 = 2_000;
/// From 10^3 to 10^6 pending, an event becomes at most so many times as long.
const HOLD_RATIO_MAX: f64 = 2.2;

/// A machine that answers whatever it is asked, and asks another one when it is answered.
#[derive(Clone, Debug)]
struct Machine {
    me: NodeId,
}

/// How many machines there are, how many questions each has open, and whom they are for.
struct Acquaintances {
    machines: u64,
    letters: u64,
    key: Key,
}

/// Questions have even hops, answers odd ones.
#[derive(Clone, Copy, Debug)]
struct Letter {
    operation: u64,
    hop: u64,
}

/// Machines set no timers and write nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Nothing {}

impl Digest for Nothing {
    fn digest(&self) -> u64 {
        match *self {}
    }
}

impl Record for Nothing {
    fn bytes(&self) -> u32 {
        match *self {}
    }
}

impl Digest for Letter {
    fn digest(&self) -> u64 {
        kernel::fold(self.operation, self.hop)
    }
}

impl Message for Letter {
    fn route(&self) -> Route {
        Route { operation: self.operation, hop: self.hop }
    }
    fn bytes(&self) -> u32 {
        64
    }
    fn kind(&self) -> u8 {
        (self.hop % 2) as u8
    }
}

impl Machine {
    /// Asks one of the others, each as likely as any other.
    fn ask(&self, plan: &Acquaintances, letter: Letter, out: &mut impl Effects<Self>) {
        let bits = plan.key.draw(letter.operation, letter.hop, 0).bits();
        let other = (u128::from(bits) * u128::from(plan.machines - 1)) >> 64;
        let other = other as u32;
        out.send(NodeId(other + u32::from(other >= self.me.0)), letter);
    }
}

impl Process for Machine {
    type Plan = Acquaintances;
    type Message = Letter;
    type Timer = Nothing;
    type Record = Nothing;
    type Output = ();

    fn boot(_plan: &Acquaintances, me: NodeId) -> Self {
        Self { me }
    }
    fn on_start(&mut self, plan: &Acquaintances, _now: Time, _log: &[Nothing], out: &mut impl Effects<Self>) {
        for n in 0..plan.letters {
            self.ask(plan, Letter { operation: u64::from(self.me.0) * plan.letters + n, hop: 0 }, out);
        }
    }
    fn on_message(
        &mut self,
        plan: &Acquaintances,
        _now: Time,
        from: NodeId,
        letter: Letter,
        out: &mut impl Effects<Self>,
    ) {
        let next = Letter { hop: letter.hop + 1, ..letter };
        if next.hop % 2 == 1 { out.send(from, next) } else { self.ask(plan, next, out) }
    }
    fn on_timer(&mut self, _plan: &Acquaintances, _now: Time, timer: Nothing, _out: &mut impl Effects<Self>) {
        match timer {}
    }
    fn on_reset(
        &mut self,
        _plan: &Acquaintances,
        _now: Time,
        _to: NodeId,
        _letter: Letter,
        _out: &mut impl Effects<Self>,
    ) {
    }
    fn unfinished(&self) -> u64 {
        0
    }
    fn owed(_plan: &Acquaintances, _me: NodeId, _log: &[Nothing]) -> u64 {
        0
    }
    fn volatile_cells(&self, _plan: &Acquaintances, _each: &mut impl FnMut(CellId, u64, i64)) {}
}

/// One measurement: so many machines with so many open questions each, for so many events. What may not overtake each
/// other goes over TCP, everything else over UDP.
#[derive(Clone, Copy)]
struct Exchange {
    machines: u64,
    letters: u64,
    events: u64,
    in_order: bool,
}

/// What came of it: nanoseconds per event, and kilobytes as far as they are known.
struct Measured {
    nanoseconds: f64,
    now: Option<u64>,
    peak_at_a_tenth: Option<u64>,
    peak: Option<u64>,
    fingerprint: u64,
}

#[expect(clippy::disallowed_methods, reason = "what it measures is wall time")]
fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// A line of what the system says of this process, in kilobytes.
fn memory(of: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(of))?;
    line.split_whitespace().find_map(|word| word.parse().ok())
}

fn say(kilobytes: Option<u64>) -> String {
    kilobytes.map_or_else(|| "unknown".to_owned(), |kilobytes| format!("{:.1} MB", kilobytes as f64 / 1e3))
}

impl Exchange {
    /// Does it here.
    fn run(self) -> Measured {
        let milliseconds = |mean: f64| Distribution::exponential(mean * 1e6).expect("a positive mean is valid");
        let link = Link::plain(milliseconds(10.0), 0.0, if self.in_order { Transport::Tcp } else { Transport::Udp });
        let instant = Disk::plain(Distribution::constant(0.0).expect("nothing is a duration"));
        let hardware = Hardware::uniform(self.machines as usize, &instant, link);
        let key = Seed(1).key("benches.growth", "whom");
        let plan = Acquaintances { machines: self.machines, letters: self.letters, key };
        let mut cluster: Cluster<Machine> = Cluster::new(Arc::new(plan), hardware, FaultPlan::none(), Seed(1));
        let mut run = |events| while cluster.events() < events && cluster.step(&mut ()).is_some() {};
        run(self.machines);
        let mut took = time(|| run(self.events / 10));
        let peak_at_a_tenth = memory("VmHWM:");
        took += time(|| run(self.events));
        let (now, peak) = (memory("VmRSS:"), memory("VmHWM:"));
        let events = cluster.events().saturating_sub(self.machines).max(1);
        let nanoseconds = took.as_nanos() as f64 / events as f64;
        Measured { nanoseconds, now, peak_at_a_tenth, peak, fingerprint: cluster.fingerprint() }
    }

    /// Does it in a process of its own.
    fn apart(self) -> Measured {
        let Self { machines, letters, events, in_order } = self;
        let words = [machines, letters, events, u64::from(in_order)].map(|word| word.to_string());
        let program = std::env::current_exe().expect("a program knows where it is");
        let answer = Command::new(program).arg(APART).args(words).output().expect("it can be started again");
        assert!(answer.status.success(), "a measurement failed: {}", String::from_utf8_lossy(&answer.stderr));
        let text = String::from_utf8(answer.stdout).expect("numbers are text");
        let words: Vec<&str> = text.split_whitespace().collect();
        let [nanoseconds, now, peak_at_a_tenth, peak, fingerprint] = words[..] else {
            panic!("five words, not {text}")
        };
        Measured {
            nanoseconds: nanoseconds.parse().expect("a measurement prints its time"),
            now: now.parse().ok(),
            peak_at_a_tenth: peak_at_a_tenth.parse().ok(),
            peak: peak.parse().ok(),
            fingerprint: fingerprint.parse().expect("a measurement prints its fingerprint"),
        }
    }
}

/// Says that a process is one of those.
const APART: &str = "--apart";

impl Measured {
    fn write(&self) {
        let word = |kilobytes: Option<u64>| kilobytes.map_or_else(|| "unknown".to_owned(), |k| k.to_string());
        let memory = [self.now, self.peak_at_a_tenth, self.peak].map(word).join(" ");
        writeln!(std::io::stdout(), "{} {memory} {}", self.nanoseconds, self.fingerprint)
            .expect("somebody reads what it prints");
    }
}

/// Bytes for each of so many things, from what there is with them and without.
fn each(with: &Measured, without: &Measured, things: u64) -> String {
    let difference = with.now.zip(without.now).map(|(with, without)| with.saturating_sub(without));
    difference.map_or_else(|| "unknown".to_owned(), |k| format!("{:.0}", k as f64 * 1024.0 / things as f64))
}

fn many_machines(machines: u64, events: u64) {
    let idle = |machines| Exchange { machines, letters: 0, events: 0, in_order: true }.apart();
    let process = size_of::<Machine>();
    let bytes = each(&idle(machines), &idle(2), machines);
    eprintln!("growth/idle: {machines} machines, {bytes} bytes each, {process} of them its process");
    for (name, in_order) in [("in_order", true), ("unordered", false)] {
        let with = |letters| Exchange { machines, letters, events, in_order }.apart();
        let (one, five) = (with(1), with(5));
        let letter = size_of::<Letter>();
        eprintln!(
            "growth/{name}: {machines} machines, {events} events, {:.0} ns each, peak {}, fingerprint {:016x}",
            one.nanoseconds,
            say(one.peak),
            one.fingerprint
        );
        eprintln!(
            "growth/{name}: with 5 messages of each in flight {:.0} ns, peak {}; {} bytes a message, {letter} of them its own",
            five.nanoseconds,
            say(five.peak),
            each(&five, &one, 4 * machines)
        );
    }
}

fn many_events(machines: u64, events: u64) {
    let all = Exchange { machines, letters: 1, events, in_order: true }.apart();
    eprintln!(
        "growth/events: {events} events, {:.0} ns each, peak {} after a tenth of them and {} after all, fingerprint {:016x}",
        all.nanoseconds,
        say(all.peak_at_a_tenth),
        say(all.peak),
        all.fingerprint
    );
    if let (Some(before), Some(after)) = (all.peak_at_a_tenth, all.peak) {
        assert!(after - before < PEAK_GROWTH_MAX_KB, "{} kB more after all events than after a tenth", after - before);
    }
}

/// The hold model (take the next, schedule another) in its steady state.
struct Hold<'a> {
    queue: Queue<u64>,
    delays: &'a [Span],
    used: usize,
    /// Nanoseconds per event, the least of all rounds.
    least: f64,
}

impl<'a> Hold<'a> {
    fn new(pending: usize, delays: &'a [Span]) -> Self {
        let mut queue = Queue::new();
        for n in 0..pending {
            queue.after(delays[n % DELAYS], n as u64);
        }
        let mut hold = Self { queue, delays, used: pending, least: f64::INFINITY };
        hold.steps(pending as u64);
        hold
    }

    fn steps(&mut self, steps: u64) {
        for _ in 0..steps {
            let (_, _, event) = self.queue.pop().expect("as many events as ever are pending");
            self.queue.after(self.delays[self.used % DELAYS], event);
            self.used += 1;
        }
    }

    fn round(&mut self, steps: u64) {
        let took = time(|| self.steps(steps));
        self.least = self.least.min(took.as_nanos() as f64 / steps as f64);
    }
}

fn many_pending(steps: u64, most: usize) {
    let key = Seed(1).key("benches.growth", "delay");
    let law = Distribution::exponential(1e9).expect("a mean of one second is valid");
    let delays: Vec<Span> = (0..DELAYS as u64).map(|n| law.span(&mut key.draw(n, 0, 0))).collect();
    let sizes = [1_000, 10_000, 100_000, 1_000_000].into_iter().filter(|pending| *pending <= most);
    let mut all: Vec<Hold<'_>> = sizes.map(|pending| Hold::new(pending, &delays)).collect();
    // They take turns, so that whatever else the machine does weighs on all of them.
    for _ in 0..ROUNDS {
        for hold in &mut all {
            hold.round(steps / ROUNDS);
        }
    }
    let mut hash = Fingerprint::new();
    for hold in &all {
        hash.eat(hold.queue.now().0, hold.used as u64);
    }
    let listed: Vec<String> = all.iter().map(|hold| format!("{:.0}", hold.least)).collect();
    eprintln!(
        "growth/pending: {} ns an event with 1 000 to {most} pending, {:.2} times as long (the bar is {HOLD_RATIO_MAX}), hash {:016x}",
        listed.join(", "),
        all[all.len() - 1].least / all[0].least,
        hash.value()
    );
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == APART) {
        let numbers: Vec<u64> = words[1..].iter().filter_map(|word| word.parse().ok()).collect();
        let [machines, letters, events, in_order] = numbers[..] else { panic!("four numbers say what to measure") };
        return Exchange { machines, letters, events, in_order: in_order == 1 }.run().write();
    }
    let part = if words.iter().any(|word| word == "--test") { 1_000 } else { 1 };
    let named: Vec<&String> = words.iter().filter(|word| !word.starts_with("--")).collect();
    let wanted = |name: &str| named.is_empty() || named.iter().any(|word| *word == name);
    let long = std::env::var_os("STORMGLASS_LONG").is_some();
    if wanted("machines") {
        many_machines(MACHINES / part, EVENTS / part);
    }
    if wanted("events") {
        many_events(MACHINES / part, if long { EVENTS_LONG } else { EVENTS } / part);
    }
    if wanted("pending") {
        many_pending(STEPS / part, if part == 1 { 1_000_000 } else { 1_000 });
    }
}
