//! An invented but plausible outcome: a bank whose coordinator crashes while a link loses messages.
//!
//! Two workloads, one internal operation, three queues, one transaction type, a crash, an overlapping loss, a pause that was
//! skipped, windows without samples, and promises of every status.

use crate::{parts, stores};
use kernel::{Histogram, Span, Time};
use lab::outcome::{
    Expectation, FaultResult, Found, HistoryLine, InvariantResult, LevelResult, Link, LinkKind, LittleResult,
    MessageCount, OperationResult, OperationWindow, Outcome, Part, Quantity, QueueResult, RunVerdict, ServiceResult,
    SpentTime, Status, ThresholdResult, Times, Topology, TransactionResult, WarmupBy, Word,
};

/// Windows of half a second in 63 s; the last one is shorter.
pub(crate) const WINDOWS: usize = 127;
const END: u64 = 63_200_000_000;

/// Linear congruential numbers (Knuth's MMIX constants), upper bits, from 0 to 1.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f64 / (1_u64 << 24) as f64
    }
}

fn seconds(n: usize) -> f64 {
    n as f64 * 0.5
}

/// 1 while the coordinator is down and for a while after, falling.
fn trouble(n: usize) -> f64 {
    match seconds(n) {
        t if (20.0..25.0).contains(&t) => 1.0,
        t if (25.0..31.0).contains(&t) => (31.0 - t) / 6.0,
        _ => 0.0,
    }
}

pub(crate) fn operation(name: &str, from: &str, external: bool, base_ns: f64, rate: f64, seed: u64) -> OperationResult {
    let mut dice = Dice(seed);
    let mut latency = Histogram::new(Histogram::PER_OP);
    let mut windows = Vec::new();
    let (mut ok, mut failed, mut rejected) = (0, 0, 0);
    for n in 0..WINDOWS {
        if seconds(n) >= 60.0 {
            windows.push(OperationWindow::default());
            continue;
        }
        let bad = trouble(n);
        let offered = (rate * 0.5 * (0.9 + 0.2 * dice.roll())) as u64;
        // Nothing at all ends in the middle of the outage: a gap.
        let silent = (21.0..23.0).contains(&seconds(n));
        let lost = if silent { offered } else { (offered as f64 * bad * 0.7) as u64 };
        let no = u64::from(n % 9 == 0 && bad == 0.0);
        let mut own = Histogram::new(Histogram::PER_WINDOW);
        for _ in 0..if silent { 0 } else { offered - lost } {
            let tail = 1.0 / (1.001 - dice.roll());
            let value = base_ns * (1.0 + bad * 22.0) * (0.7 + 0.35 * tail.min(120.0).sqrt());
            own.record(value as u64);
            latency.record(value as u64);
        }
        let percentiles = (!own.is_empty()).then(|| [0.5, 0.9, 0.99].map(|q| own.quantile(q)));
        windows.push(OperationWindow {
            offered,
            ok: offered - lost - no.min(offered - lost),
            failed: if silent { 0 } else { lost },
            rejected: if silent { 0 } else { no },
            percentiles,
        });
        ok += offered - lost;
        failed += lost;
        rejected += no;
    }
    let sum = latency.sum();
    let spent = SpentTime {
        work: sum / 2,
        worker: sum / 8,
        network: sum / 4,
        data: 0,
        retries: sum - sum / 2 - sum / 8 - sum / 4,
    };
    OperationResult {
        name: name.to_owned(),
        from: from.to_owned(),
        external,
        ok,
        failed,
        unknown: failed / 20,
        rejected,
        open: 0,
        seconds: 55.0,
        latency,
        spent,
        windows,
    }
}

pub(crate) fn level(scale: f64, seed: u64) -> LevelResult {
    let mut dice = Dice(seed);
    let load = |n: usize| if seconds(n) < 60.0 { 1.0 } else { 0.0 };
    let window_mean: Vec<f64> =
        (0..WINDOWS).map(|n| load(n) * scale * (0.3 + 0.3 * dice.roll() + 6.0 * trouble(n))).collect();
    let window_max: Vec<i64> =
        window_mean.iter().map(|mean| (mean * 1.6 + 2.0 * load(0) * (mean.min(1.0))).ceil() as i64).collect();
    let max = window_max.iter().copied().max().unwrap_or(0);
    LevelResult {
        mean: window_mean.iter().sum::<f64>() / WINDOWS as f64,
        max,
        max_at: Time(24_300_000_000),
        end: 0,
        percentiles: [1, 4, max],
        window_mean,
        window_max,
    }
}

fn queue(name: &str, scale: f64, seed: u64) -> QueueResult {
    let mut wait = Histogram::new(Histogram::PER_OP);
    let mut dice = Dice(seed);
    for _ in 0..4000 {
        wait.record((dice.roll() * dice.roll() * 3e6 * scale) as u64);
    }
    QueueResult {
        name: name.to_owned(),
        service: name.split('[').next().unwrap_or(name).to_owned(),
        entered: 11_254,
        left: 11_240,
        refused: 0,
        lost: 14,
        waited_share: 0.124,
        wait,
        depth: level(scale, seed),
        busy: level(0.6, seed + 1),
    }
}

fn service(name: &str, workers: Option<u32>, seed: u64) -> ServiceResult {
    let mut dice = Dice(seed);
    let share =
        |n: usize, roll: f64| if seconds(n) < 60.0 { (0.35 + 0.1 * roll + 0.5 * trouble(n)).min(1.0) } else { 0.0 };
    ServiceResult {
        name: name.to_owned(),
        nodes: 1,
        workers,
        utilisation: 0.43,
        window_utilisation: (0..WINDOWS).map(|n| share(n, dice.roll())).collect(),
        fsyncs: 22_000,
    }
}

fn transaction() -> TransactionResult {
    let mut in_doubt_level =
        LevelResult { window_mean: vec![0.0; WINDOWS], window_max: vec![0; WINDOWS], ..LevelResult::default() };
    let mut dice = Dice(9);
    for n in 0..120 {
        in_doubt_level.window_mean[n] = if (40..50).contains(&n) { 6.0 } else { 0.4 + 0.3 * dice.roll() };
        in_doubt_level.window_max[n] = if (40..50).contains(&n) { 6 } else { 2 + (3.0 * dice.roll()) as i64 };
    }
    in_doubt_level.max = 6;
    let mut in_doubt = Histogram::new(Histogram::PER_OP);
    in_doubt.record(5_030_000_000);
    in_doubt.record_n(3_100_000, 3640);
    let mut lock_wait = Histogram::new(Histogram::PER_OP);
    lock_wait.record_n(2_000_000, 3600);
    lock_wait.record_n(74_000_000, 60);
    TransactionResult {
        name: "transfer".to_owned(),
        requests: 4_513,
        begun: 3_741,
        committed: 3_644,
        aborted: 97,
        reasons: vec![("wounded".to_owned(), 14), ("insufficient funds".to_owned(), 83)],
        in_doubt,
        lock_wait: lock_wait.clone(),
        hold_time: lock_wait,
        in_doubt_level,
        locks_held: level(2.0, 77),
        wounded: 14,
    }
}

fn fault(
    name: &str,
    kind: &str,
    target: &str,
    from: f64,
    to: Option<f64>,
    state: &str,
    effects: &[&str],
) -> FaultResult {
    FaultResult {
        name: name.to_owned(),
        instance: 0,
        kind: kind.to_owned(),
        target: target.to_owned(),
        from: Time((from * 1e9) as u64),
        to: to.map(|to| Time((to * 1e9) as u64)),
        state: state.to_owned(),
        effective: state == "effective",
        effects: effects.iter().map(|effect| (*effect).to_owned()).collect(),
    }
}

pub(crate) fn invariant(name: &str, form: &str, status: Status) -> InvariantResult {
    InvariantResult {
        tilt: lab::outcome::Tilt::Neither,
        name: name.to_owned(),
        form: form.to_owned(),
        says: "sum(bank_a.accounts) + sum(bank_b.accounts) == 20000".to_owned(),
        status,
        witness: Vec::new(),
        first: None,
        evaluations: 4_513,
        class: String::new(),
        reached: None,
        expected: Expectation::Holds,
        evidence: None,
    }
}

pub(crate) fn threshold(says: &str, status: Status, value: Option<Quantity>, expected: bool) -> ThresholdResult {
    ThresholdResult {
        name: says.split('(').next().unwrap_or("").to_owned(),
        says: says.to_owned(),
        status,
        value,
        limit: Some(Quantity::Seconds(1.0)),
        at: None,
        expected: if expected { Expectation::Fails } else { Expectation::Holds },
    }
}

fn promises() -> (Vec<InvariantResult>, Vec<ThresholdResult>) {
    let mut broken = invariant("money_is_conserved", "at rest", Status::Violated);
    broken.witness = vec![
        "20 000 before, 19 940 at this moment: transfer 2 207 left bank_a at 00:20.198 and never reached bank_b, \
                           whose vote had been yes"
            .to_owned(),
    ];
    "money_is_conserved/at_rest".clone_into(&mut broken.class);
    broken.first = Some((Time(31_407_000_000), 90_118));
    let mut unknown = invariant("reads_are_linearizable", "check", Status::Unknown);
    unknown.witness = vec!["key 7: 31 operations open at once, more than the budget of 24".to_owned()];
    let invariants = vec![
        invariant("no_overdraft", "always", Status::Holds),
        broken,
        unknown,
        invariant("retries_happen", "sometimes", Status::Vacuous),
    ];
    let mut worst = threshold("max(in_doubt{tx=transfer}) < 1s", Status::Violated, Some(Quantity::Seconds(5.03)), true);
    worst.at = Some(Time(25_121_000_000));
    let thresholds = vec![
        threshold(
            "p50(latency{op=transactions.transfer}) < 50ms",
            Status::Holds,
            Some(Quantity::Seconds(0.0098)),
            false,
        ),
        worst,
        threshold("errors{tx=transfer} < 10%", Status::Violated, Some(Quantity::Ratio(0.171)), false),
        threshold("offered{workload=clients} > 70", Status::Holds, Some(Quantity::PerSecond(75.2)), true),
        threshold("p99(staleness) < 1s", Status::Vacuous, None, false),
        threshold("max(queue_depth{service=bank_a}) < 5000", Status::Unknown, Some(Quantity::Number(4812.0)), false),
    ];
    (invariants, thresholds)
}

fn topology() -> Topology {
    let part = |name: &str, kind: &str, detail: &str| Part {
        name: name.to_owned(),
        kind: kind.to_owned(),
        detail: detail.to_owned(),
    };
    let call = |from, to, label: &str| Link { from, to, label: label.to_owned(), kind: LinkKind::Forward };
    Topology {
        parts: vec![
            part("clients", "workload", "75/s, poisson"),
            part("auditors", "workload", "4 users"),
            part("transfer", "transaction", "2pc, wound-wait"),
            part("coordinator", "service", "1 node × 16 workers"),
            part("bank_a", "service", "1 node × 8 workers"),
            part("bank_b", "service", "1 node × 8 workers"),
            part("ledger", "service", "3 nodes × 4 workers"),
        ],
        calls: vec![
            call(0, 2, "transfer"),
            call(1, 6, "balance"),
            call(2, 3, "begin"),
            call(3, 4, "prepare"),
            call(3, 4, "commit"),
            call(3, 5, "prepare"),
            call(3, 5, "commit"),
            call(4, 6, "append"),
            call(5, 6, "append"),
            call(6, 3, "status"),
        ],
    }
}

fn history() -> Vec<HistoryLine> {
    let line = |time, kind, error: Option<&str>| HistoryLine {
        time: Time(time),
        process: 3,
        kind,
        function: "transactions.transfer".to_owned(),
        value: vec![("amount".to_owned(), Word::Number(5)), ("from".to_owned(), Word::Number(17))],
        error: error.map(str::to_owned),
        operation: 0,
    };
    vec![line(1_250_000, "invoke", None), line(9_800_000, "info", Some("timeout"))]
}

fn messages() -> Vec<MessageCount> {
    vec![MessageCount {
        from: "coordinator".to_owned(),
        to: "bank_a".to_owned(),
        kind: "2pc.prepare".to_owned(),
        sent: 3_741,
        delivered: 3_700,
        lost: 41,
        retransmitted: 0,
        bytes: 478_848,
    }]
}

fn faults() -> Vec<FaultResult> {
    vec![
        fault(
            "coordinator_down",
            "crash",
            "coordinator[0]",
            20.0,
            Some(25.0),
            "effective",
            &["772 requests found nobody", "2 transactions in doubt, 6 row locks held 5.03s"],
        ),
        fault(
            "lossy_link",
            "loss",
            "bank_a <-> coordinator",
            23.0,
            Some(40.0),
            "effective",
            &["412 messages lost, 412 sent again"],
        ),
        fault("nap", "pause", "ledger[1]", 45.0, None, "skipped: already down", &[]),
    ]
}

/// Takes out everything about brokers' queues, groups, sagas, retries, breakers, outboxes and stores.
pub(crate) fn without_parts(outcome: &mut Outcome) {
    outcome.message_queues.clear();
    outcome.sagas.clear();
    outcome.retries.clear();
    outcome.breakers.clear();
    outcome.groups.clear();
    outcome.outboxes.clear();
    outcome.stores.clear();
}

pub(crate) fn sample() -> Outcome {
    let (invariants, thresholds) = promises();
    Outcome {
        scenario: "bank-2pc".to_owned(),
        question: "What does a crash of the coordinator cost while a link loses messages?".to_owned(),
        variant: None,
        seed: 7,
        run_id: "91b0d4e2".to_owned(),
        scenario_hash: "00112233445566778899aabbccddeeff".to_owned(),
        resolved: "[run]\nduration = \"60s\"\n".to_owned(),
        fingerprint: 0x0123_4567_89ab_cdef,
        events: 231_940,
        end: Time(END),
        warmup_by: WarmupBy::Scenario,
        times: Times {
            warmup: Time(5_000_000_000),
            heal: Time(55_000_000_000),
            duration: Time(60_000_000_000),
            limit: Time(90_000_000_000),
            window: Span::millis(500),
        },
        rests: 812,
        invariants,
        thresholds,
        verdict: RunVerdict {
            found: Found::Fail,
            as_expected: false,
            exit: 1,
            summary: "money_is_conserved and errors failed, only blocking was expected to".to_owned(),
        },
        operations: vec![
            operation("transactions.transfer", "clients", true, 9.8e6, 75.0, 1),
            operation("ledger.balance", "auditors", true, 2.1e6, 30.0, 2),
            operation("bank_a.append", "coordinator", false, 0.7e6, 60.0, 3),
        ],
        queues: vec![queue("coordinator", 9.0, 4), queue("bank_a", 3.0, 5), queue("ledger[0]", 0.8, 6)],
        services: vec![
            service("coordinator", Some(16), 1),
            service("bank_a", Some(8), 2),
            service("ledger", Some(4), 3),
            service("mail", None, 4),
        ],
        transactions: vec![transaction()],
        message_queues: parts::message_queues(),
        sagas: parts::sagas(),
        retries: parts::retries(),
        breakers: parts::breakers(),
        groups: parts::groups(),
        outboxes: parts::outboxes(),
        stores: stores::stores(),
        messages: messages(),
        faults: faults(),
        little: vec![LittleResult { queue: "bank_a".to_owned(), integral: 1 << 80, sojourns: 1 << 80 }],
        topology: topology(),
        history: history(),
        store_histories: Vec::new(),
        estimates: Vec::new(),
        story: None,
        warnings: vec!["fault nap never had an effect".to_owned()],
    }
}
