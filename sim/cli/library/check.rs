//! A scenario to be checked: what it is run with, and by what it is judged.

use std::fmt::Display;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use checkers::models::Spec;
use lab::code::{Code, Judged, View};
use lab::outcome::{HistoryLine, Outcome};
use lab::run::{Go, Options};
use lab::scenario::{Choice, Colour, Source, load};
use lab::trials::{Request, trials};
use systems::app::guest::{Serve, Stage};

use super::failure;
use super::remembered;
use super::runs::Runs;
use super::specified;
use crate::files;

/// A nightly job asks for more seeds than the test says: `STORMGLASS_SEEDS=0..20000`.
const SEEDS: &str = "STORMGLASS_SEEDS";

/// How many runs are spent on making a failure small, unless it is said.
const SHRINK_BUDGET: u64 = 400;

/// A scenario file as a test: see [`Check`].
///
/// The path is as for any file: in a test of a crate relative to the crate's folder.
///
/// ```
/// stormglass::scenario("scenarios/bank/two-phase-commit.toml").seeds(0..2).set("run.duration", "5s").run();
/// ```
pub fn scenario(path: impl AsRef<Path>) -> Check {
    Check::new(Origin::File(path.as_ref().to_path_buf()))
}

/// A scenario given as text, as its file would be.
///
/// ```
/// let queue = stormglass::text(
///     "queue",
///     r#"
///     version = 1
///     run.duration = "20s"
///     services.server.work = "exp(5ms)"
///     workloads.load = { rate = "100/s", target = "server" }
///     thresholds.fast = "p99(latency) < 1s"
///     "#,
/// );
/// queue.seeds(0..3).assert_passes();
/// ```
pub fn text(name: impl Into<String>, text: impl Into<String>) -> Check {
    Check::new(Origin::Source(Source::new(name, text)))
}

/// A scenario that is built ([`crate::builder`]), or read by whoever asks.
///
/// ```
/// use stormglass::builder::{Builder, Run, Service, Workload};
///
/// let mut queue = Builder::new("queue");
/// queue.run(Run::new().duration("20s"));
/// queue.service("server", Service::new().work("exp(5ms)"));
/// queue.workload("load", Workload::new().rate("100/s").target("server")).threshold("fast", "p99(latency) < 1s");
/// stormglass::source(queue.source()).seeds(0..3).assert_passes();
/// ```
pub fn source(source: Source) -> Check {
    Check::new(Origin::Source(source))
}

/// A scenario and how it is to be checked.
///
/// Nothing happens before [`Check::run`], [`Check::outcome`] or one of the assertions.
///
/// ```
/// let broken = stormglass::scenario("scenarios/checkout/saga.toml")
///     .variant("dual_write")
///     .seeds(3..4)
///     .run();
/// assert!(broken.any_broke("no_order_forgotten"));
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is run before `run`, `outcome` or an assertion"]
pub struct Check {
    origin: Origin,
    variant: Option<String>,
    sets: Vec<(String, String)>,
    seeds: Option<(u64, u64)>,
    jobs: usize,
    code: Code,
    shrink_budget: u64,
    out: PathBuf,
}

/// Where the scenario comes from.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    File(PathBuf),
    Source(Source),
}

impl Check {
    pub(super) fn new(origin: Origin) -> Self {
        Self {
            origin,
            variant: None,
            sets: Vec::new(),
            seeds: None,
            jobs: 0,
            code: Code::default(),
            shrink_budget: SHRINK_BUDGET,
            out: PathBuf::from("out"),
        }
    }

    /// The seeds from, to; else those of the file's `[sweep]`, else the file's one. The environment variable
    /// `STORMGLASS_SEEDS=0..20000` says others: for nightly jobs.
    ///
    /// ```
    /// let bank = stormglass::scenario("scenarios/bank/two-phase-commit.toml").set("run.duration", "2s");
    /// assert_eq!(bank.seeds(10..13).run().len(), 4); // and the file's own seed, for its thresholds
    /// ```
    pub fn seeds(self, seeds: Range<u64>) -> Self {
        Self { seeds: Some((seeds.start, seeds.end)), ..self }
    }

    /// This seed only.
    ///
    /// ```
    /// let bank = stormglass::scenario("scenarios/bank/two-phase-commit.toml").set("run.duration", "2s");
    /// assert_eq!(bank.seed(7).outcome().seed, 7);
    /// ```
    pub fn seed(self, seed: u64) -> Self {
        self.seeds(seed..seed.saturating_add(1))
    }

    /// One of the file's variants instead of its base.
    ///
    /// ```
    /// let bank = stormglass::scenario("scenarios/bank/two-phase-commit.toml").set("run.duration", "2s");
    /// let outcome = bank.variant("lost_decisions").outcome();
    /// assert_eq!(outcome.variant.as_deref(), Some("lost_decisions"));
    /// ```
    pub fn variant(self, name: impl Into<String>) -> Self {
        Self { variant: Some(name.into()), ..self }
    }

    /// Sets a value, as `--set path=value` does: `.set("services.payment.nodes", 3).set("run.duration", "20s")`.
    ///
    /// ```
    /// let bank = stormglass::scenario("scenarios/bank/two-phase-commit.toml");
    /// let outcome = bank.set("run.duration", "2s").set("network.loss", "1%").outcome();
    /// assert!(outcome.events > 0);
    /// ```
    pub fn set(mut self, path: impl Into<String>, value: impl Display) -> Self {
        self.sets.push((path.into(), value.to_string()));
        self
    }

    /// How many runs at once; else as many as there are processors. The result does not depend on it.
    ///
    /// ```
    /// let bank = stormglass::scenario("scenarios/bank/two-phase-commit.toml").set("run.duration", "2s").seeds(0..2);
    /// assert_eq!(bank.clone().jobs(1).run().fingerprints(), bank.jobs(2).run().fingerprints());
    /// ```
    pub fn jobs(self, jobs: usize) -> Self {
        Self { jobs, ..self }
    }

    /// A promise written in Rust, judged after each change of the state. It says whether it holds: by a `bool`, by a
    /// `Result` with the reason, or by [`Judged`].
    ///
    /// ```
    /// stormglass::scenario("scenarios/bank/two-phase-commit.toml")
    ///     .set("run.duration", "5s")
    ///     .invariant("nobody is rich", |state| {
    ///         match state.numbers_of("bank_a.accounts").max_by_key(|(_, balance)| *balance) {
    ///             Some((account, balance)) if balance > 100_000 => Err(format!("account {account} has {balance}")),
    ///             _ => Ok(()),
    ///         }
    ///     })
    ///     .seeds(0..2)
    ///     .run();
    /// ```
    pub fn invariant<J: Into<Judged>>(
        mut self,
        name: impl Into<String>,
        promise: impl Fn(&View<'_>) -> J + Send + Sync + 'static,
    ) -> Self {
        self.code.always(name, promise);
        self
    }

    /// The same, judged only when nothing is in flight.
    ///
    /// ```
    /// stormglass::scenario("scenarios/bank/two-phase-commit.toml").set("run.duration", "2s")
    ///     .at_rest("money", |state| {
    ///         let all: i64 = state.numbers_of("bank_a.accounts").map(|(_, balance)| balance).sum();
    ///         if all >= 0 { Ok(()) } else { Err(format!("the bank owes {all}")) }
    ///     })
    ///     .seeds(0..2)
    ///     .run();
    /// ```
    pub fn at_rest<J: Into<Judged>>(
        mut self,
        name: impl Into<String>,
        promise: impl Fn(&View<'_>) -> J + Send + Sync + 'static,
    ) -> Self {
        self.code.at_rest(name, promise);
        self
    }

    /// A promise about what clients asked and were told, judged when the run has ended.
    ///
    /// ```
    /// let check = stormglass::scenario("scenarios/bank/two-phase-commit.toml").set("run.duration", "5s");
    /// let runs = check
    ///     .operations("somebody is served", |history| history.iter().any(|line| line.kind == "ok"))
    ///     .seeds(0..2)
    ///     .run();
    /// assert!(!runs.any_broke("somebody is served"));
    /// ```
    pub fn operations<J: Into<Judged>>(
        mut self,
        name: impl Into<String>,
        judge: impl Fn(&[HistoryLine]) -> J + Send + Sync + 'static,
    ) -> Self {
        self.code.operations(name, judge);
        self
    }

    /// What clients did is linearizable as this specification says. An operation's function is what the workload targets,
    /// its argument and its result are maps of its variables, at its beginning and at its end.
    ///
    /// ```
    /// use stormglass::checkers::history::{Dialect, Operation, Refusal, Value};
    /// use stormglass::checkers::models::{Spec, Step};
    ///
    /// /// Every request has an id that is larger than those of requests that were over before.
    /// struct Rising;
    ///
    /// impl Spec for Rising {
    ///     type State = i64;
    ///     type Call = i64;
    ///     fn call(&self, operation: &Operation, _: Dialect) -> Result<Option<i64>, Refusal> {
    ///         let id = |(name, id): &(Value, Value)| if *name == Value::text("id") { id.int() } else { None };
    ///         Ok(operation.argument.entries().into_iter().flatten().find_map(id))
    ///     }
    ///     fn initial(&self, _: &Value) -> i64 {
    ///         -1
    ///     }
    ///     fn step(&self, last: &i64, id: &i64) -> Step<i64> {
    ///         if id > last { Step::To(*id) } else { Step::Refused }
    ///     }
    ///     fn reads_only(&self, _: &i64) -> bool {
    ///         false
    ///     }
    ///     fn refusal(&self, last: &i64, id: &i64) -> String {
    ///         format!("{id} comes after {last}")
    ///     }
    ///     fn shown(&self, last: &i64) -> String {
    ///         last.to_string()
    ///     }
    /// }
    ///
    /// let check = stormglass::scenario("scenarios/bank/two-phase-commit.toml").set("run.duration", "2s");
    /// assert!(!check.linearizable("ids rise", Rising).seed(0).run().any_broke("ids rise"));
    /// ```
    pub fn linearizable(self, name: impl Into<String>, spec: impl Spec + Send + Sync + 'static) -> Self {
        self.operations(name, move |history| specified::linearizable(&spec, history))
    }

    /// A process written in Rust, which plays the services that have `process = "name"`. `plan` says what it is configured
    /// with: which machines it has, which counters of the file's `state` it may note. `examples/lock_service.rs` shows more.
    #[doc = include_str!("door.md")]
    pub fn process<P: Serve>(
        mut self,
        name: impl Into<String>,
        plan: impl Fn(&Stage) -> P::Plan + Send + Sync + 'static,
    ) -> Self {
        self.code.process::<P>(name, plan);
        self
    }

    /// How many runs may be spent to make a failure small before it is told; 0: none.
    ///
    /// ```
    /// let bank = stormglass::scenario("scenarios/bank/two-phase-commit.toml").set("run.duration", "2s").seeds(0..2).shrink_budget(0); // should it fail, it is told as it was
    /// bank.assert_passes();
    /// ```
    pub fn shrink_budget(self, runs: u64) -> Self {
        Self { shrink_budget: runs, ..self }
    }

    /// The folder in which failures are left; else `out`.
    ///
    /// ```
    /// let bank = stormglass::scenario("scenarios/bank/two-phase-commit.toml").set("run.duration", "2s").seeds(0..2).out("target/failures");
    /// bank.assert_passes(); // nothing is left there: it passes
    /// ```
    pub fn out(self, folder: impl Into<PathBuf>) -> Self {
        Self { out: folder.into(), ..self }
    }

    /// Runs all seeds and judges them.
    ///
    /// ```
    /// let runs = stormglass::scenario("scenarios/bank/two-phase-commit.toml").set("run.duration", "2s").seeds(0..2).run();
    /// println!("{}", runs.summary());
    /// ```
    ///
    /// # Panics
    /// If the scenario is wrong: with every mistake, where it stands and what is allowed. Or if `STORMGLASS_SEEDS` is not
    /// written `A..B`.
    #[track_caller]
    pub fn run(&self) -> Runs {
        self.tried(false)
    }

    /// Runs one seed, the first of [`Check::seeds`], with everything that a report tells.
    ///
    /// ```
    /// let outcome = stormglass::scenario("scenarios/theory/mm1.toml").set("run.duration", "20000s").seed(3).outcome();
    /// assert_eq!(outcome.seed, 3);
    /// println!("{} operations succeeded", outcome.operations[0].ok);
    /// ```
    ///
    /// # Panics
    /// If the scenario is wrong.
    #[track_caller]
    pub fn outcome(&self) -> Outcome {
        let source = self.source();
        let choice = Choice { seed: self.seeds.map(|(from, _)| from), ..self.choice() };
        let scenario = match load(&source, &choice) {
            Ok(scenario) => scenario,
            Err(errors) => wrong(&errors.render(Colour::Plain)),
        };
        let (seed, mut go) = (scenario.model.run.seed, |_| Go::On);
        let ran = lab::run::run(&scenario, seed, choice.variant.as_deref(), &Options::full(), &mut go);
        match ran {
            Ok(outcome) => outcome,
            Err(errors) => wrong(&scenario.diagnostics(errors).render(Colour::Plain)),
        }
    }

    /// The same, and writes everything that `stormglass run` writes into a folder: `report.html`, charts, tables.
    ///
    /// ```
    /// let folder = std::env::temp_dir().join("stormglass-report-example");
    /// let check = stormglass::scenario("scenarios/theory/mm1.toml").set("run.duration", "20000s");
    /// check.report(&folder);
    /// assert!(folder.join("report.html").exists());
    /// # std::fs::remove_dir_all(folder).unwrap();
    /// ```
    ///
    /// # Panics
    /// If the scenario is wrong, or the folder cannot be written.
    #[track_caller]
    pub fn report(&self, folder: impl AsRef<Path>) -> Outcome {
        let outcome = self.outcome();
        let mut all = reports::files(&outcome);
        all.extend(reports::charts::files(&outcome));
        all.push(("report.html".to_owned(), reports::html::report(&outcome).into_bytes()));
        match files::directory(folder.as_ref(), &all) {
            Ok(()) => outcome,
            Err(error) => wrong(&error),
        }
    }

    /// What an assertion says when these runs break a promise: which, on which seed, the smallest story found, how to see
    /// it again. The story is written below [`Check::out`].
    ///
    /// ```
    /// let check = stormglass::scenario("scenarios/checkout/saga.toml").variant("dual_write").seed(3);
    /// let check = check.out(std::env::temp_dir().join("stormglass-story-example")).shrink_budget(20);
    /// let story = check.story(&check.run());
    /// assert!(story.contains("broken: no_order_forgotten") && story.contains("stormglass run"));
    /// ```
    pub fn story(&self, runs: &Runs) -> String {
        failure::told(self, runs)
    }

    /// Every seed keeps every promise.
    ///
    /// If not, the seed is added to `regressions/NAME.seeds`, in the folder `scenarios` of the file or beside it: such seeds are
    /// tried first the next time, here and by `stormglass sweep`.
    ///
    /// ```
    /// stormglass::scenario("scenarios/bank/two-phase-commit.toml").set("run.duration", "2s").seeds(0..2).assert_passes();
    /// ```
    ///
    /// # Panics
    /// If not, at the first seed that breaks one: with the promise, the seed, the smallest story found, where it was
    /// written, and how to replay it. Also if something could not be decided, or the scenario is wrong.
    #[track_caller]
    pub fn assert_passes(&self) {
        let runs = self.tried(true);
        if !runs.passed() {
            self.fails(&runs);
        }
    }

    /// What happens is what the file's `[expect]` says: all seeds pass, or break what is to break and nothing else.
    ///
    /// ```
    /// stormglass::scenario("scenarios/kv/async-lost-tail.toml").set("run.duration", "20s").seed(0).run();
    /// ```
    ///
    /// # Panics
    /// If not; or if the scenario is wrong.
    #[track_caller]
    pub fn assert_as_expected(&self) {
        let runs = self.tried(false);
        if !runs.as_expected() {
            self.fails(&runs);
        }
    }

    #[track_caller]
    fn fails(&self, runs: &Runs) -> ! {
        remembered::add(self, runs);
        panic!("{}", failure::told(self, runs))
    }

    #[track_caller]
    fn tried(&self, until_broken: bool) -> Runs {
        let seeds = match std::env::var(SEEDS) {
            Ok(text) => match range(&text) {
                Some(seeds) => Some(seeds),
                None => wrong(&format!("{SEEDS}={text}: seeds are written 0..200")),
            },
            Err(_) => self.seeds,
        };
        let earlier = match remembered::seeds(self) {
            Ok(earlier) => earlier,
            Err(error) => wrong(&error),
        };
        let request = Request { seeds, earlier, jobs: self.jobs, until_broken };
        let tried = trials(&self.source(), &self.choice(), &request, &AtomicBool::new(false));
        match tried {
            Ok(tried) => Runs::new(tried),
            Err(errors) => wrong(&errors.render(Colour::Plain)),
        }
    }

    #[track_caller]
    pub(super) fn source(&self) -> Source {
        let source = match &self.origin {
            Origin::File(path) => match files::scenario_with_data(path, &self.sets) {
                Ok(source) => source,
                Err(error) => wrong(&error),
            },
            Origin::Source(source) => source.clone(),
        };
        source.with_code(self.code.clone())
    }

    pub(super) fn choice(&self) -> Choice {
        Choice { variant: self.variant.clone(), sets: self.sets.clone(), seed: None }
    }

    pub(super) const fn budget(&self) -> u64 {
        self.shrink_budget
    }

    pub(super) const fn threads(&self) -> usize {
        self.jobs
    }

    pub(super) fn folder(&self) -> &Path {
        &self.out
    }

    /// The file, if there is one that says everything.
    pub(super) fn file(&self) -> Option<&Path> {
        match &self.origin {
            Origin::File(path) => Some(path),
            Origin::Source(_) => None,
        }
    }

    /// A file alone does not show how this promise breaks: it is written in Rust, or something that plays is.
    pub(super) fn in_code(&self, promise: &str) -> bool {
        self.code.names().any(|name| name == promise) || self.code.processes().next().is_some()
    }
}

#[track_caller]
fn wrong(why: &str) -> ! {
    panic!("{}", why.trim_end())
}

fn range(text: &str) -> Option<(u64, u64)> {
    let (from, to) = text.split_once("..")?;
    let (from, to) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
    (from < to).then_some((from, to))
}
