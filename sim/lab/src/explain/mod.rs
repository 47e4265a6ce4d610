//! Why: the story of a violation, or of one operation, saga or transaction.
//!
//! A run is deterministic, so it is simply done again. The first run says what is broken and when; the second is listened to
//! (`trace`) until there; then the events are found that it is about (`subject`, `cone`) and told (`tell`, `scene`), each as
//! values that `reports` writes and draws. `doom` asks from when on the violation was to be expected, `passing` what the
//! nearest run that keeps the promise does differently.

mod alarm;
mod around;
mod cone;
mod describe;
mod doom;
mod exchange;
mod nature;
mod passing;
mod scene;
mod story;
mod subject;
mod tale;
mod tell;
mod trace;
mod words;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use kernel::Time;

pub use doom::{Chance, Doom, Effort, Step};
pub use passing::{Change, Differs, Passing};
pub use story::{Arrow, Band, BandSort, Counts, Fate, Lane, Line, Mark, MarkSort, Mood, Story, moment};
pub use subject::About;

use crate::outcome::{InvariantResult, Outcome, Status};
use crate::run::{Go, History, Options, Progress, Recorded, World, recorded, settled};
use crate::scenario::{Choice, Diagnostics, Scenario, Source, load};
use cone::{Cone, Edge};
use doom::Doomed;
use exchange::Exchanges;
use passing::Failing;
use subject::Subject;
use tell::Teller;
use trace::{Trace, Tracer};
use words::Words;

/// What to explain.
#[derive(Clone, Debug)]
pub struct Request {
    /// Variant, seed and `--set`s of the run.
    pub choice: Choice,
    /// What of it; else the first broken promise.
    pub about: Option<About>,
    /// What may be spent on the futures of its moments, if they shall be looked at.
    pub effort: Option<Effort>,
    /// Whether the nearest run is looked for that keeps the promise.
    pub passing: Nearest,
}

/// Whether the nearest run that keeps the promise is looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nearest {
    /// It is.
    LookedFor,
    /// It is not.
    Not,
}

/// Why nothing was explained.
#[derive(Clone, Debug)]
pub enum Refused {
    /// The scenario is wrong.
    Wrong(Diagnostics),
    /// There is no such thing; what there is.
    Unknown(String),
    /// It was stopped from outside.
    Interrupted,
}

/// A story and the run that it is of.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The story.
    pub story: Story,
    /// The run.
    pub outcome: Outcome,
}

/// Explains a run.
pub fn explain(
    source: &Source,
    request: &Request,
    stop: &AtomicBool,
    told: &mut dyn FnMut(Progress),
) -> Result<Explained, Refused> {
    let scenario = load(source, &request.choice).map_err(Refused::Wrong)?;
    let mut go = |progress: Progress| {
        told(progress);
        if stop.load(Ordering::Relaxed) { Go::Stop } else { Go::On }
    };
    let wrong = |list| Refused::Wrong(scenario.diagnostics(list));
    let (seed, variant) = (scenario.model.run.seed, request.choice.variant.as_deref());
    let run = recorded(&scenario, seed, variant, &options(), &mut go).map_err(wrong)?;
    let settled = settled(&scenario, seed, &mut go).map_err(wrong)?;
    let scenario = settled.as_ref().unwrap_or(&scenario);
    let about = request.about.clone().unwrap_or(About::Violation(1));
    let task = Task { source, request, scenario, seed, stop };
    let story = of_run(&task, &run, &about, &mut go)?;
    if stop.load(Ordering::Relaxed) {
        return Err(Refused::Interrupted);
    }
    Ok(Explained { story, outcome: run.outcome })
}

/// Runs of so many events are explained without being asked; what is small also gets its futures and its neighbours.
const UNASKED_MAX: u64 = 5_000_000;
/// What is small.
const SMALL: u64 = 50_000;

/// The story of a run of so many events that broke a promise, for its report. `None` if it is too long, was stopped, or the
/// engine failed: whoever asks has a finished run, which this must not cost them.
pub fn unasked(source: &Source, choice: &Choice, events: u64, stop: &AtomicBool) -> Option<Story> {
    if events > UNASKED_MAX {
        return None;
    }
    let small = events <= SMALL;
    let request = Request {
        choice: choice.clone(),
        about: None,
        effort: small.then_some(Effort { futures: 16, budget: 1_000_000, jobs: 0 }),
        passing: if small { Nearest::LookedFor } else { Nearest::Not },
    };
    catch_unwind(AssertUnwindSafe(|| explain(source, &request, stop, &mut |_| {}).ok())).ok()?.map(|made| made.story)
}

/// The operations that a violation of this class is about, as the run numbers them: those that its witness names, then those
/// that wrote what it names, the last first.
pub(crate) fn about(scenario: &Scenario, seed: u64, class: &str, stop: &AtomicBool) -> Vec<u64> {
    let mut go = |_| if stop.load(Ordering::Relaxed) { Go::Stop } else { Go::On };
    let Ok(run) = recorded(scenario, seed, None, &options(), &mut go) else { return Vec::new() };
    let Some(promise) = broken(&run.outcome).into_iter().find(|promise| promise.class == class) else {
        return Vec::new();
    };
    let until = promise.first.map(|(_, event)| event);
    let Ok((world, trace)) = listen(scenario, seed, Some(&promise.name), until, &mut go) else { return Vec::new() };
    let (at, until) = promise.first.unwrap_or((world.cluster.now(), trace.last()));
    let culprits = world.promises().culprits(&promise.name, at);
    let subject = Subject::broken(&trace, (&scenario.model, world.names()), promise, &culprits, until);
    let cone = Cone::new(&trace, &subject, world.names(), until, &Edge::ALL);
    let others = cone.operations.iter().rev().filter(|operation| !subject.operations.contains(operation));
    subject.operations.iter().rev().chain(others).copied().collect()
}

/// How a run is done that is listened to.
fn options() -> Options {
    Options { history: History::Told, ..Options::lean() }
}

/// The broken promises of a run that have a story.
fn broken(outcome: &Outcome) -> Vec<&InvariantResult> {
    outcome.invariants.iter().filter(|invariant| invariant.status == Status::Violated).collect()
}

/// What is to be done, of which scenario.
struct Task<'a> {
    source: &'a Source,
    request: &'a Request,
    scenario: &'a Scenario,
    seed: u64,
    stop: &'a AtomicBool,
}

/// The story of a run that has been done once.
fn of_run(
    task: &Task<'_>,
    run: &Recorded,
    about: &About,
    go: &mut dyn FnMut(Progress) -> Go,
) -> Result<Story, Refused> {
    let Task { scenario, seed, .. } = *task;
    if let About::At(at) = about {
        return around(task, run, *at, go);
    }
    let promise = match about {
        About::Violation(number) => Some(violation(&run.outcome, *number)?),
        About::Operation(_) | About::Saga(_) | About::Transaction(_) | About::At(_) => None,
    };
    let wrong = |list| Refused::Wrong(scenario.diagnostics(list));
    let until = promise.and_then(InvariantResult::broken_by);
    let name = promise.map(|promise| promise.name.as_str());
    let (world, trace) = listen(scenario, seed, name, until.map(|(_, event)| event), go).map_err(wrong)?;
    let names = world.names();
    let until = until.unwrap_or((world.cluster.now(), trace.last()));
    let subject = match promise {
        Some(promise) => {
            let culprits = world.promises().culprits(&promise.name, until.0);
            Subject::broken(&trace, (&scenario.model, names), promise, &culprits, until.1)
        }
        None => Subject::named(&trace, &scenario.model, names, about).map_err(Refused::Unknown)?,
    };
    let cone = Cone::new(&trace, &subject, names, until.1, &Edge::ALL);
    let words = Words { names, model: &scenario.model };
    let exchanges = Exchanges::new(&trace, words, &cone, until);
    let (ledger, faults) = (&run.ledger, &run.outcome.faults);
    let broken = promise.map(|promise| promise.name.as_str());
    let teller = Teller {
        trace: &trace,
        words,
        cone: &cone,
        subject: &subject,
        ledger,
        faults,
        until,
        broken,
        exchanges: &exchanges,
    };
    let (lines, left_out) = teller.lines();
    let scene = teller.scene();
    let doom = match (promise, task.request.effort) {
        (Some(promise), Some(effort)) => {
            let events: Vec<u64> = cone.events.iter().copied().chain(teller.fault_events()).collect();
            let doomed = Doomed {
                scenario,
                seed,
                promise: (&promise.name, &promise.class),
                broken: (until.1, until.0),
                events: &events,
                stop: task.stop,
            };
            Some(doomed.doom(effort, &|event| describe::event(&trace, words, event)).map_err(wrong)?)
        }
        (None, _) | (_, None) => None,
    };
    let (passing, tried) = match promise.filter(|_| task.request.passing == Nearest::LookedFor) {
        Some(promise) => {
            let failing = Failing {
                source: task.source,
                choice: &task.request.choice,
                scenario,
                seed,
                class: &promise.class,
                faults: &teller.fault_names(),
                operations: &cone.operations.iter().copied().collect::<Vec<_>>(),
                stop: task.stop,
            };
            failing.nearest()
        }
        None => (None, 0),
    };
    Ok(Story {
        title: subject.title.clone(),
        says: promise.map_or_else(Vec::new, |promise| {
            std::iter::once(promise.says.clone()).chain(promise.witness.iter().cloned()).collect()
        }),
        promise: promise.map(|promise| (promise.name.clone(), promise.class.clone())),
        broken: promise.map(|_| until),
        lanes: scene.lanes,
        arrows: scene.arrows,
        marks: scene.marks,
        lines,
        counts: Counts {
            events: until.1,
            caused: cone.caused.len() as u64,
            own: cone.events.len() as u64,
            left_out,
            forgotten: trace.events().next().is_some_and(|(number, _)| number > 1),
        },
        doom,
        passing,
        tried,
    })
}

/// What a moment of a run looks like.
fn around(task: &Task<'_>, run: &Recorded, at: Time, go: &mut dyn FnMut(Progress) -> Go) -> Result<Story, Refused> {
    let wrong = |list| Refused::Wrong(task.scenario.diagnostics(list));
    if at > run.outcome.end {
        return Err(Refused::Unknown(format!("the run ended at {}, before {}", run.outcome.end, moment(at))));
    }
    let mut world = World::new(task.scenario, task.seed, &options()).map_err(wrong)?;
    let mut tracer = Tracer::new(world.names());
    let limit = world.limit();
    let mut standing = None;
    loop {
        let next = world.cluster.next_time().unwrap_or(Time::END);
        if standing.is_none() && next > at {
            standing = Some(around::standing(&world));
        }
        if next > at + around::AFTER {
            break;
        }
        let Some(handled) = world.step_told(&mut tracer) else { break };
        tracer.end(&handled);
        let events = world.cluster.events();
        if events % (1 << 16) == 0 && go(Progress { now: world.cluster.now(), limit, events }) == Go::Stop {
            break;
        }
    }
    let standing = standing.unwrap_or_else(|| around::standing(&world));
    let (trace, names) = (tracer.trace, world.names());
    let words = Words { names, model: &task.scenario.model };
    let (lines, left_out) = around::lines(&trace, words, &standing, at);
    let cone = around::cone(&trace, at);
    let last = trace.events().take_while(|(_, event)| event.time <= at + around::AROUND).last();
    let until = last.map_or((at, 0), |(number, event)| (event.time, number));
    let (subject, exchanges) = (Subject::default(), Exchanges::new(&trace, words, &cone, until));
    let (ledger, faults) = (&run.ledger, &run.outcome.faults);
    let teller = Teller {
        trace: &trace,
        words,
        cone: &cone,
        subject: &subject,
        ledger,
        faults,
        until,
        broken: None,
        exchanges: &exchanges,
    };
    let scene = teller.scene();
    let own = cone.events.len() as u64;
    Ok(Story {
        title: format!("around {}", moment(at)),
        says: Vec::new(),
        promise: None,
        broken: None,
        lanes: scene.lanes,
        arrows: scene.arrows,
        marks: scene.marks,
        lines,
        counts: Counts { events: until.1, caused: own, own, left_out, forgotten: false },
        doom: None,
        passing: None,
        tried: 0,
    })
}

/// The nth broken promise.
fn violation(outcome: &Outcome, number: usize) -> Result<&InvariantResult, Refused> {
    let all = broken(outcome);
    if all.is_empty() {
        let crossed = outcome.thresholds.iter().any(|threshold| threshold.status == Status::Violated);
        let but = if crossed { "; a threshold that is crossed has no single story" } else { "" };
        let help = "--op, --saga, --transaction and --at explain runs that keep their promises, too";
        return Err(Refused::Unknown(format!("this run breaks no invariant{but}; {help}")));
    }
    let found = number.checked_sub(1).and_then(|place| all.get(place)).copied();
    found.ok_or_else(|| {
        let names = all.iter().zip(1..).map(|(promise, n)| format!("{n} {}", promise.name)).collect::<Vec<_>>();
        Refused::Unknown(format!("there is no violation {number}; there is {}", names.join(", ")))
    })
}

/// Does the run again and listens, until this event.
fn listen(
    scenario: &Scenario,
    seed: u64,
    promise: Option<&str>,
    until: Option<u64>,
    go: &mut dyn FnMut(Progress) -> Go,
) -> Result<(World, Trace), Vec<crate::scenario::Diagnostic>> {
    let mut world = World::new(scenario, seed, &options())?;
    let mut tracer = Tracer::new(world.names());
    let limit = world.limit();
    tracer.trace.imbalance.extend(promise.and_then(|name| world.promises().imbalance(name)).map(|value| (0, value)));
    while let Some(handled) = world.step_told(&mut tracer) {
        let moved = tracer.moved;
        tracer.end(&handled);
        let events = world.cluster.events();
        if moved && let Some(value) = promise.and_then(|name| world.promises().imbalance(name)) {
            let kept = &mut tracer.trace.imbalance;
            if kept.last().is_none_or(|(_, last)| *last != value) {
                kept.push((events, value));
            }
        }
        if until.is_some_and(|until| events >= until) {
            break;
        }
        if events % (1 << 16) == 0 && go(Progress { now: world.cluster.now(), limit, events }) == Go::Stop {
            break;
        }
    }
    Ok((world, tracer.trace))
}

/// A moment of a run as it is written: `14.2s`, `00:14.2`.
pub fn parse_moment(text: &str) -> Option<Time> {
    let seconds = match text.trim().rsplit_once(':') {
        Some((minutes, seconds)) => {
            minutes.parse::<u64>().ok()?.checked_mul(60)? as f64 + seconds.parse::<f64>().ok()?
        }
        None => text.trim().trim_end_matches('s').parse::<f64>().ok()?,
    };
    (seconds.is_finite() && (0.0..1e9).contains(&seconds)).then_some(Time((seconds * 1e9) as u64))
}
