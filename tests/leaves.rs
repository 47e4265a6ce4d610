//! Every value of a file does something: changed with `--set`, it changes the fingerprint of the run, or it stands on the
//! printed list of those that only judge or present, with the reason (docs/semantics.md, rules 47 to 49).
//!
//! A key that is read and never used would show here as a value without effect. The tables below say for each value of a
//! file what else it could be; a value that is missing in its table fails the test, so a new key needs a new line.
//! `cargo test --test leaves -- --nocapture` prints the list.

#![allow(clippy::print_stdout, reason = "what was found is told to whoever runs it with --nocapture")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lab::run::{Go, Options, run};
use lab::scenario::{Choice, Colour, Leaf, Source, load};

/// What a value is changed to.
#[derive(Clone, Copy)]
enum Change {
    /// This.
    To(&'static str),
    /// This, in a world that has this `--set` as well, before and after.
    With((&'static str, &'static str), &'static str),
    /// This, and it changes nothing, because …
    InVain(&'static str, &'static str),
    /// There is nothing else it could be, because …
    Nothing(&'static str),
}

use Change::{InVain, Nothing, To, With};

/// Something else to call.
const OTHER: (&str, &str) = ("services.other.work", "1ms");

/// Another bank to be like.
const SLOW: (&str, &str) = ("services.slow", "{ like = \"bank_a\", workers = 1 }");

/// A file, the `--set`s that make it short, and its changes.
struct File {
    name: &'static str,
    short: &'static [(&'static str, &'static str)],
    changes: &'static [(&'static str, Change)],
}

const MM1: File = File {
    name: "theory/mm1",
    short: &[("run.duration", "800s"), ("run.warmup", "10s")],
    changes: &[
        ("run.duration", To("900s")),
        ("services.server.work", To("exp(500ms)")),
        ("workloads.load.rate", To("0.4/s")),
        ("workloads.load.target", With(OTHER, "other")),
    ],
};

const FOUR_STATIONS: File = File {
    name: "theory/four-stations",
    short: &[("run.duration", "1s"), ("run.warmup", "100ms")],
    changes: &[
        ("run.duration", To("1500ms")),
        ("services.gateway.workers", To("1")),
        ("services.gateway.mode", To("blocking")),
        ("services.gateway.ops.checkout[0].work", To("exp(4ms)")),
        ("services.gateway.ops.checkout[1].call", To("inventory")),
        ("services.gateway.ops.checkout[2].call", To("auth")),
        ("services.gateway.ops.checkout[3].call", To("auth")),
        ("services.auth.workers", To("1")),
        ("services.auth.work", To("exp(12ms)")),
        ("services.inventory.like", With(OTHER, "other")),
        ("services.payment.like", With(OTHER, "other")),
        ("workloads.shoppers.rate", To("100/s")),
        ("workloads.shoppers.target", To("auth")),
    ],
};

const BANK: File = File {
    name: "bank/two-phase-commit",
    short: &[
        ("run.duration", "3s"),
        ("faults.coordinator_dies_in_doubt.nth", "100"),
        ("faults.coordinator_dies_in_doubt.for", "1s"),
    ],
    changes: &[
        ("run.duration", To("4s")),
        ("run.quiesce", To("0s")),
        ("run.seed", To("8")),
        ("network.latency", To("5ms")),
        ("network.loss", To("10%")),
        ("services.coordinator.workers", To("1")),
        ("services.coordinator.disk.fsync", To("20ms")),
        ("services.bank_a.workers", To("1")),
        ("services.bank_a.disk.fsync", To("20ms")),
        ("services.bank_a.state.accounts.kind", Nothing("this version has one kind of state")),
        ("services.bank_a.state.accounts.keys", To("50")),
        ("services.bank_a.state.accounts.initial", To("10")),
        ("services.bank_b.like", With(SLOW, "slow")),
        ("services.bank_c.like", With(SLOW, "slow")),
        ("services.bank_c.state.accounts.initial", To("5")),
        ("transactions.transfer.protocol", To("2pc_presumed_abort")),
        ("transactions.transfer.coordinator", With(("services.coordinator.work", "1ms"), "bank_a")),
        ("transactions.transfer.prepare_timeout", To("20ms")),
        ("transactions.transfer.decision_log", To("memory")),
        ("transactions.transfer.locks.mode", To("none")),
        ("transactions.transfer.locks.deadlock", To("wait_die")),
        ("transactions.transfer.locks.timeout", To("5ms")),
        ("transactions.transfer.recovery", To("cooperative")),
        ("transactions.transfer.work[0].update", To("bank_a.accounts[$to]")),
        ("transactions.transfer.work[0].add", To("-$amount - 1")),
        ("transactions.transfer.work[0].if", To("bank_a.accounts[$from] >= $amount + 29_990")),
        (
            "transactions.transfer.work[0].else",
            InVain("too_poor", "the word is shown to people; no rule looks at which word it is"),
        ),
        ("transactions.transfer.work[1].update", To("bank_b.accounts[$from]")),
        ("transactions.transfer.work[1].add", To("$amount - 2")),
        ("transactions.transfer.work[2].update", To("bank_c.accounts[$from]")),
        ("transactions.transfer.work[2].add", To("2")),
        ("workloads.transfers.rate", To("100/s")),
        ("workloads.transfers.target", With(OTHER, "other")),
        ("workloads.transfers.client.timeout", To("50ms")),
        ("workloads.transfers.vars.from", To("3")),
        ("workloads.transfers.vars.to", To("3")),
        ("workloads.transfers.vars.amount", To("3")),
        ("faults.coordinator_dies_in_doubt.kind", To("pause")),
        ("faults.coordinator_dies_in_doubt.target", To("bank_a")),
        ("faults.coordinator_dies_in_doubt.point", To("2pc.coordinator.before_prepare_sent")),
        ("faults.coordinator_dies_in_doubt.nth", To("150")),
        ("faults.coordinator_dies_in_doubt.for", To("2s")),
    ],
};

/// A replicated store with every sort of fault that it can meet.
const KV: File = File {
    name: "kv/swarm",
    short: &[
        ("run.duration", "2s"),
        ("run.heal", "1500ms"),
        ("faults.power.rate", "2/s"),
        ("faults.cut.rate", "4/s"),
        ("faults.pause.rate", "5/s"),
        ("faults.crash.rate", "1/s"),
    ],
    changes: &[
        ("run.duration", To("2500ms")),
        ("run.heal", To("1900ms")),
        ("run.quiesce", With(("run.heal", "none"), "0s")),
        ("network.latency", To("exp(3ms)")),
        ("network.loss", To("0%")),
        ("network.duplicate", To("0%")),
        ("network.transport", To("tcp")),
        ("stores.kv.kind", Nothing("the other kinds have no leader to hit; `every_other_key_of_a_store…` has one")),
        ("stores.kv.nodes", To("5")),
        ("stores.kv.snapshot_every", To("4")),
        ("stores.kv.disk.fsync", To("exp(2ms)")),
        ("stores.kv.clock.drift", To("uniform(-200ppm, 100ppm)")),
        ("workloads.people.users", To("5")),
        ("workloads.people.think", To("exp(11ms)")),
        ("workloads.people.vars.key", To("int(0, 3)")),
        ("workloads.people.client.timeout", To("100ms")),
        ("workloads.people.mix[0].weight", To("3")),
        ("workloads.people.mix[0].read", To("kv[0]")),
        ("workloads.people.mix[1].weight", To("3")),
        ("workloads.people.mix[1].write", To("kv[0]")),
        ("workloads.people.mix[1].value", To("7")),
        ("workloads.people.mix[2].weight", To("2")),
        ("workloads.people.mix[2].cas", To("kv[0]")),
        ("workloads.people.mix[2].expected", To("7")),
        ("workloads.people.mix[2].value", To("7")),
        ("faults.crash.kind", To("pause")),
        ("faults.crash.target", To("kv[0]")),
        ("faults.crash.rate", To("3/s")),
        ("faults.crash.for", To("900ms")),
        ("faults.power.kind", To("pause")),
        ("faults.power.target", To("kv[1]")),
        ("faults.power.rate", To("4/s")),
        ("faults.power.for", To("30ms")),
        ("faults.voter.kind", To("pause")),
        ("faults.voter.target", To("kv")),
        ("faults.voter.point", To("raft.after_elected")),
        ("faults.voter.nth", To("1")),
        ("faults.voter.for", To("50ms")),
        ("faults.cut.kind", With(("faults.cut.target", "kv[any]"), "crash")),
        ("faults.cut.split", To("[[\"kv[0]\"]]")),
        ("faults.cut.rate", To("3/s")),
        ("faults.cut.for", To("800ms")),
        ("faults.pause.kind", To("crash")),
        ("faults.pause.target", To("kv[followers]")),
        ("faults.pause.rate", To("3/s")),
        ("faults.pause.for", To("700ms")),
        ("faults.noise.kind", To("duplicate")),
        ("faults.noise.chance", To("90%")),
        ("faults.noise.rate", To("3/s")),
        ("faults.noise.for", To("600ms")),
        ("faults.clock.kind", To("pause")),
        ("faults.clock.target", To("kv[leader]")),
        ("faults.clock.rate", To("1/s")),
        ("faults.clock.offset", To("uniform(-400ms, 500ms)")),
    ],
};

/// What a store of any kind can be asked.
const MIX: &str = "[{ weight = 1, read = \"kv[$key]\" }, { weight = 1, write = \"kv[$key]\", value = \"$unique\" }]";

/// Promises would only stand in the way: a changed world may break them before it begins.
const UNJUDGED: [(&str, &str); 3] = [("invariants", "none"), ("thresholds", "none"), ("expect", "none")];

impl File {
    fn source(&self) -> Source {
        let path = format!("{}/scenarios/{}.toml", env!("CARGO_MANIFEST_DIR"), self.name);
        Source::new(self.name, std::fs::read_to_string(path).expect("the scenario is in the repository"))
    }

    /// The fingerprint of a short run with these changes, which need not be judged.
    fn fingerprint(&self, judged: bool, changes: &[(&str, &str)]) -> u64 {
        let unjudged: &[(&str, &str)] = if judged { &[] } else { &UNJUDGED };
        let sets = [self.short, unjudged, changes].concat();
        let choice = Choice {
            sets: sets.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect(),
            ..Choice::default()
        };
        let scenario = load(&self.source(), &choice)
            .unwrap_or_else(|errors| panic!("{changes:?}: {}", errors.render(Colour::Plain)));
        let outcome = run(&scenario, scenario.model.run.seed, None, &Options::lean(), &mut |_| Go::On)
            .unwrap_or_else(|errors| panic!("{changes:?}: {}", scenario.diagnostics(errors).render(Colour::Plain)));
        assert!(outcome.events > 500, "{changes:?}: {} events show little", outcome.events);
        outcome.fingerprint
    }

    /// Why a leaf changes nothing, if it does not; an error if that is not as it should be.
    fn judge(&self, leaf: &Leaf, changes: &BTreeMap<&str, Change>) -> Result<Option<&'static str>, String> {
        let path = leaf.path.as_str();
        let same = |also: &[(&str, &str)], value: &str| {
            self.fingerprint(false, also) == self.fingerprint(false, &[also, &[(path, value)]].concat())
        };
        match (leaf.judging, changes.get(path)) {
            (Some(why), None) => Ok(Some(why)),
            (Some(_), Some(_)) => Err(format!("{path} only judges and is in the table")),
            (None, None) => Err(format!("{path} = {} is not in the table", leaf.value)),
            (None, Some(Nothing(why))) => Ok(Some(*why)),
            (None, Some(InVain(value, why))) if same(&[], value) => Ok(Some(*why)),
            (None, Some(InVain(value, _))) => Err(format!("{path} = {value} does change the run")),
            (None, Some(To(value))) if same(&[], value) => Err(format!("{path} = {value} changes nothing")),
            (None, Some(With(also, value))) if same(&[*also], value) => {
                Err(format!("{path} = {value} changes nothing"))
            }
            (None, Some(To(_) | With(..))) => Ok(None),
        }
    }

    fn check(&self) {
        let scenario = load(&self.source(), &Choice::default()).expect("the file is right");
        let changes: BTreeMap<&str, Change> = self.changes.iter().copied().collect();
        let mut wrong = Vec::new();
        let mut list = format!("{}: judging or presentation only\n", self.name);
        for leaf in scenario.leaves() {
            match self.judge(leaf, &changes) {
                Ok(None) => {}
                Ok(Some(why)) => writeln!(list, "  {:<56} {why}", leaf.path).expect("text takes everything"),
                Err(what) => wrong.push(what),
            }
        }
        println!("{list}");
        let known = |path: &str| scenario.leaves().iter().any(|leaf| leaf.path == path);
        wrong.extend(changes.keys().filter(|path| !known(path)).map(|path| format!("{path} is not in the file")));
        assert!(wrong.is_empty(), "{}:\n  {}", self.name, wrong.join("\n  "));
    }
}

#[test]
fn every_leaf_of_one_server_changes_the_run_or_only_judges_it() {
    MM1.check();
}

#[test]
fn every_leaf_of_four_stations_changes_the_run_or_only_judges_it() {
    FOUR_STATIONS.check();
}

#[test]
fn every_leaf_of_the_bank_changes_the_run_or_only_judges_it() {
    BANK.check();
}

#[test]
fn every_leaf_of_a_store_changes_the_run_or_only_judges_it() {
    KV.check();
}

/// Keys that the campaign leaves at their defaults, each in a store that reads it.
#[test]
fn every_other_key_of_a_store_changes_the_run() {
    let quorum = [
        ("workloads.people.mix", MIX),
        ("stores.kv.kind", "quorum"),
        ("faults.pause", "none"),
        ("faults.voter", "none"),
    ];
    let lease = [("stores.kv.reads", "lease")];
    for (also, path, value) in [
        (&[][..], "leader", "1"),
        (&[], "acks", "leader"),
        (&[], "acks", "3"),
        (&[], "reads", "log"),
        (&[], "reads", "any"),
        (&[], "heartbeat", "40ms"),
        (&[], "election_timeout", "uniform(150ms, 200ms)"),
        (&[], "fencing", "false"),
        (&[], "ask_again", "100ms"),
        (&[], "mutant", "stale_leader"),
        (&lease, "lease", "50ms"),
        (&lease, "lease_clock", "wall"),
        (&quorum, "replicas", "2"),
        (&quorum, "read_quorum", "1"),
        (&quorum, "write_quorum", "3"),
        (&quorum, "read_repair", "async"),
        (&quorum, "reads", "any"),
    ] {
        let path = format!("stores.kv.{path}");
        let changed = [also, &[(path.as_str(), value)]].concat();
        assert_ne!(KV.fingerprint(false, also), KV.fingerprint(false, &changed), "{path} = {value}");
    }
}

/// The reason that stands on the list is true: promises and texts do not reach into the run.
#[test]
fn what_only_judges_changes_nothing() {
    let base = BANK.fingerprint(true, &[]);
    for (path, value) in [
        ("scenario.question", "Is it?"),
        ("scenario.tags", "[\"other\"]"),
        ("run.settle", "1s"),
        ("run.precision", "2%"),
        ("run.abort_on_fail", "[\"all_or_none\"]"),
        ("faults.coordinator_dies_in_doubt.require_effect", "false"),
        ("invariants.money_is_conserved.at_rest", "sum(bank_a.accounts) >= 0"),
        ("invariants.no_overdraft", "none"),
        ("thresholds.typical", "p99(latency{tx=transfer}) < 1s"),
        ("thresholds.refused", "none"),
        ("expect", "none"),
        ("sweep.seeds", "0..3"),
    ] {
        assert_eq!(BANK.fingerprint(true, &[(path, value)]), base, "{path}");
    }
}
