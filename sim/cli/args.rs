//! Arguments. Every command says by example what it does.

use std::path::PathBuf;

use checkers::catalogue::{Consistency, Model};
use checkers::history::Value;
use checkers::linearizable::Budget;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// A deterministic simulator of distributed systems: is it right, and how does it behave?
#[derive(Parser, Debug)]
#[command(name = "stormglass", version, propagate_version = true, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 as expected · 1 not as expected · 2 bad scenario, history or usage · 3 inconclusive · \
4 nondeterminism · 130 interrupted"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Commands.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Runs one scenario with one seed: verdict, tables, charts.
    #[command(
        after_help = "Example: stormglass run scenarios/bank/two-phase-commit.toml --seed 3 --set workloads.transfers.rate=100/s"
    )]
    Run(RunArgs),
    /// Runs a scenario over many seeds, variants and values.
    #[command(
        after_help = "Example: stormglass sweep scenarios/bank/two-phase-commit.toml --seeds 0..200 --variants all"
    )]
    Sweep(SweepArgs),
    /// Puts the shards of a sweep together: the same files as the whole sweep would leave.
    #[command(after_help = "Example: stormglass merge out/two-phase-commit/sweep-0-200-shard-*-of-8")]
    Merge(MergeArgs),
    /// Runs every variant of many scenarios: is all as the files expect, and does every run do what it did before?
    #[command(after_help = "Example: stormglass test scenarios --junit tests.xml\n\n\
Fingerprints are pinned in `fingerprints.lock` beside the scenarios: `stormglass test scenarios --bless 'queues are served last in first out'`")]
    Test(TestArgs),
    /// Makes a failing run small: the same violation with as few faults and operations as will do.
    #[command(
        after_help = "Example: stormglass shrink scenarios/checkout/saga.toml --variant dual_write --seed 3 --save\n\n\
Exit codes: 0 nothing that is left can go · 2 nothing to make small · 3 the budget was spent before that was known · 130 interrupted"
    )]
    Shrink(ShrinkArgs),
    /// Tells why: how a promise came to be broken, or what became of one operation, saga or transaction.
    #[command(
        after_help = "Instead of a scenario file, the folder of a run will do: it is done again with its variant, seed and values.\n\n\
Example: stormglass explain scenarios/checkout/saga.toml --variant dual_write --seed 3\n\n\
Exit codes: 0 told · 2 there is no such thing · 130 interrupted"
    )]
    Explain(ExplainArgs),
    /// Judges histories: what clients asked and were told, recorded here or with other tools.
    #[command(after_help = "Example: stormglass check history.edn --model cas-register --consistency linearizable\n\n\
Reads JSON lines, JSON arrays, EDN (Jepsen), Jepsen logs and r(key,value,session,transaction) texts.\n\
Exit codes: 0 valid · 1 violated · 2 bad history or usage · 3 unknown")]
    Check(CheckArgs),
    /// Lists the scenarios below a folder, with their questions.
    #[command(after_help = "Example: stormglass list scenarios")]
    List {
        /// Files or folders.
        #[arg(default_value = "scenarios")]
        paths: Vec<PathBuf>,
        /// How to print.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Prints the JSON Schema of scenario files, for editors.
    #[command(after_help = "Example: stormglass schema > scenarios/scenario.schema.json")]
    Schema,
    /// Draws who calls whom: SVG, PNG and DOT.
    #[command(after_help = "Example: stormglass graph scenarios/theory/four-stations.toml")]
    Graph {
        /// The scenario.
        scenario: PathBuf,
        /// Which variant.
        #[arg(long)]
        variant: Option<String>,
        /// Where to put the files.
        #[arg(long, default_value = "out")]
        out: PathBuf,
    },
}

/// What every command on one scenario takes.
#[derive(Args, Debug, Clone)]
pub(crate) struct Choice {
    /// The scenario file.
    pub(crate) scenario: PathBuf,
    /// Changes one value: `--set network.loss=1%`. May be given several times.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = assignment)]
    pub(crate) sets: Vec<(String, String)>,
    /// Where results go.
    #[arg(long, default_value = "out", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

/// Which run of a scenario.
#[derive(Args, Debug, Clone)]
pub(crate) struct Which {
    #[command(flatten)]
    pub(crate) choice: Choice,
    /// Which variant; the base without it.
    #[arg(long, value_name = "NAME")]
    pub(crate) variant: Option<String>,
    /// The seed; else the file's, else 0.
    #[arg(long, value_name = "N", value_parser = seed, allow_hyphen_values = true)]
    pub(crate) seed: Option<u64>,
}

impl Which {
    /// As the lab is asked.
    pub(crate) fn choice(&self) -> lab::scenario::Choice {
        lab::scenario::Choice { variant: self.variant.clone(), sets: self.choice.sets.clone(), seed: self.seed }
    }
}

/// `run`.
#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Runs twice side by side and compares every event.
    #[arg(long)]
    pub(crate) twice: bool,
}

/// `sweep`.
#[derive(Args, Debug)]
pub(crate) struct SweepArgs {
    #[command(flatten)]
    pub(crate) choice: Choice,
    /// Seeds A..B, half open; else the file's `sweep.seeds`.
    #[arg(long, value_name = "A..B", value_parser = seeds, allow_hyphen_values = true)]
    pub(crate) seeds: Option<(u64, u64)>,
    /// `all`, `none`, or names with commas between; else the file's `sweep.variants`.
    #[arg(long, value_name = "NAMES")]
    pub(crate) variants: Option<String>,
    /// Several values of one key: `--matrix network.loss=0%,1%`. Several keys give every combination.
    #[arg(long, value_name = "PATH=V1,V2", value_parser = assignment)]
    pub(crate) matrix: Vec<(String, String)>,
    /// How many seeds run at once; else as many as there are processors.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// Stops at the smallest failing seed.
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// Runs every seed twice and compares every event.
    #[arg(long)]
    pub(crate) twice: bool,
    /// Faults that nobody wrote down, drawn by the seed: none, gentle, realistic, harsh or swarm. As `--set chaos.profile=…`.
    #[arg(long, value_name = "PROFILE")]
    pub(crate) chaos: Option<String>,
    /// Only the seeds of this part of the sweep, which may run elsewhere: `--shard 2/8`. `merge` puts the parts together.
    #[arg(long, value_name = "K/N", value_parser = lab::sweep::Shard::parse)]
    pub(crate) shard: Option<lab::sweep::Shard>,
    /// Adds seeds that failed and should not have to `regressions/SCENARIO.seeds` in the folder `scenarios`, else beside the
    /// file: the next sweeps try them first.
    #[arg(long)]
    pub(crate) save: bool,
}

/// `merge`.
#[derive(Args, Debug)]
pub(crate) struct MergeArgs {
    /// The folders that the shards left behind, in any order.
    #[arg(required = true, value_name = "SHARD_DIR")]
    pub(crate) shards: Vec<PathBuf>,
    /// Where results go.
    #[arg(long, default_value = "out", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

/// `shrink`.
#[derive(Args, Debug)]
pub(crate) struct ShrinkArgs {
    #[command(flatten)]
    pub(crate) which: Which,
    /// The promise that is broken; else the first that is.
    #[arg(long, value_name = "NAME")]
    pub(crate) promise: Option<String>,
    /// How many runs may be spent.
    #[arg(long, value_name = "RUNS", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) budget: u64,
    /// How many at once; else as many as there are processors.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// Puts the file among the regressions: `regressions` in the folder `scenarios`, else beside the file.
    #[arg(long)]
    pub(crate) save: bool,
}

/// `explain`.
#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) choice: Choice,
    /// Which variant; the base without it.
    #[arg(long, value_name = "NAME")]
    pub(crate) variant: Option<String>,
    /// The seed; else the file's, else 0.
    #[arg(long, value_name = "N", value_parser = seed, allow_hyphen_values = true)]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) about: AboutArgs,
    /// How many futures of each moment are looked at to tell from when on it was to be expected; 0: none.
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u64).range(0..=10_000))]
    pub(crate) futures: u64,
    /// How many events they may have in all.
    #[arg(long, value_name = "EVENTS", default_value_t = 20_000_000)]
    pub(crate) budget: u64,
    /// How many at once; else as many as there are processors.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
}

/// What is explained; else the first broken promise.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub(crate) struct AboutArgs {
    /// A client's operation, as `history.jsonl` numbers it: `2148`, or `shoppers/2148` if there are several workloads.
    #[arg(long, value_name = "ID")]
    pub(crate) op: Option<String>,
    /// A saga by its number.
    #[arg(long, value_name = "ID")]
    pub(crate) saga: Option<String>,
    /// A transaction by its number.
    #[arg(long, value_name = "ID")]
    pub(crate) transaction: Option<String>,
    /// How everything stands at a moment, and what is on its way: `14.2s`, `00:14.2`.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) at: Option<kernel::Time>,
    /// The nth broken promise, counted from 1.
    #[arg(long, value_name = "K")]
    pub(crate) violation: Option<usize>,
}

/// `test`.
#[derive(Args, Debug)]
pub(crate) struct TestArgs {
    /// Files or folders.
    #[arg(default_value = "scenarios")]
    pub(crate) paths: Vec<PathBuf>,
    /// Seeds A..B, half open, of every variant; else its own seed, once.
    #[arg(long, value_name = "A..B", value_parser = seeds, allow_hyphen_values = true)]
    pub(crate) seeds: Option<(u64, u64)>,
    /// How many at once; else as many as there are processors.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// Runs everything twice and compares every event.
    #[arg(long)]
    pub(crate) twice: bool,
    /// Writes JUnit's XML there, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = TestFormat::Human)]
    pub(crate) format: TestFormat,
    /// Pins the fingerprints of all runs, for a reason that is kept with them.
    #[arg(long, value_name = "REASON", value_parser = crate::test::reason, conflicts_with = "seeds")]
    pub(crate) bless: Option<String>,
}

/// How a suite is printed.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TestFormat {
    /// For people.
    Human,
    /// For programs.
    Json,
    /// For people, after workflow commands that mark the lines of scenarios.
    Github,
}

/// `check`.
#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// Files of histories.
    #[arg(required = true)]
    pub(crate) histories: Vec<PathBuf>,
    /// What the object does, such as `cas-register`; else what the history's header says.
    #[arg(long, value_name = "MODEL", value_parser = checkers::catalogue::model)]
    pub(crate) model: Option<Model>,
    /// What clients may see of it, such as `linearizable`; else what is usually asked of the model.
    #[arg(long, value_name = "NAME", value_parser = checkers::catalogue::consistency)]
    pub(crate) consistency: Option<Consistency>,
    /// What objects hold at first, as JSON or EDN: `0`, `{"x": 0}`. Of a bank, the total.
    #[arg(long, value_name = "VALUE", value_parser = value, allow_hyphen_values = true)]
    pub(crate) init: Option<Value>,
    /// What a failed cas means: the register was seen to hold something else, or nothing happened. Else by the format.
    #[arg(long, value_enum, value_name = "MEANING")]
    pub(crate) failed_cas: Option<FailedCasArg>,
    /// What an answered read of nothing means: nothing was there, or the answer is not known. Else by the format.
    #[arg(long, value_enum, value_name = "MEANING")]
    pub(crate) nil_reads: Option<NilReads>,
    /// In which order writes of one key took effect: one that was over before another began came first, or nobody knows.
    /// Else what the history's header says, or unknown.
    #[arg(long, value_enum, value_name = "ORDER")]
    pub(crate) write_order: Option<WriteOrderArg>,
    /// Steps that may be spent on a history.
    #[arg(long, value_name = "STEPS", default_value_t = Budget::USUAL.steps)]
    pub(crate) budget: u64,
    /// Memory that may be spent on what was tried, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = Budget::USUAL.bytes)]
    pub(crate) memory: usize,
    /// Draws what was found as a page, there.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Draws what was found as a graph for Graphviz, there.
    #[arg(long, value_name = "FILE")]
    pub(crate) dot: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

/// What a failed cas means.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailedCasArg {
    /// The register held something else.
    Observed,
    /// Nothing happened.
    Dropped,
}

/// In which order writes of one key took effect.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteOrderArg {
    /// In that of real time, where they did not overlap.
    RealTime,
    /// In one that nobody knows.
    Unknown,
}

/// What an answered read of nothing means.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NilReads {
    /// Nothing was there.
    Nothing,
    /// The answer is not known.
    Unknown,
}

/// How to print.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Human,
    /// For programs.
    Json,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((path, value)) if !path.trim().is_empty() => Ok((path.trim().to_owned(), value.trim().to_owned())),
        Some(_) | None => Err("this is written PATH=VALUE, as in network.loss=1%".to_owned()),
    }
}

fn value(text: &str) -> Result<Value, String> {
    histories::value(text).map_err(|refusal| refusal.what)
}

fn seed(text: &str) -> Result<u64, String> {
    let parsed = text.trim().replace('_', "").parse::<u64>();
    parsed.map_err(|_| format!("a seed is a whole number from 0 to {}", i64::MAX))
}

fn moment(text: &str) -> Result<kernel::Time, String> {
    lab::explain::parse_moment(text).ok_or_else(|| "a moment is written 14.2s or 00:14.2".to_owned())
}

fn seeds(text: &str) -> Result<(u64, u64), String> {
    let parse = |part: &str| part.trim().replace('_', "").parse::<u64>().ok();
    let range = text.split_once("..").and_then(|(from, to)| Some((parse(from)?, parse(to)?)));
    match range {
        Some((from, to)) if from < to => Ok((from, to)),
        Some(_) => Err("the range is empty: the second number is not part of it, as in 0..100".to_owned()),
        None => Err("seeds are whole numbers from 0, written A..B, as in 0..100".to_owned()),
    }
}
