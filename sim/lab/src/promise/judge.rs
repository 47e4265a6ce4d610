//! Promises judged by a named judge of facts, as they come: `check = "atomic_commit"`.
//!
//! The judges stand in crate `checkers` and know numbers only; here they get their subject, and their witnesses names.

use checkers::{AtomicCommit, Demand, Leaders, SagaIsolation, Sagas, Verdict, Witness};
use kernel::{Fact, NodeId, Span, Time};

use super::judges::{self, About, about};
use super::predicate::grouped;
use super::watch::{Ending, Moment};
use crate::expression::Problem;
use crate::facts::told;
use crate::model::{At, Check};
use crate::names::Names;
use crate::nearest::nearest;
use crate::outcome::{Expectation, InvariantResult, Status};

/// At most this many facts of a witness are told.
const FACTS_MAX: usize = 12;

/// A judge at work.
#[derive(Clone, Debug)]
enum Judge {
    AtomicCommit(AtomicCommit),
    Sagas(Sagas),
    SagaIsolation(SagaIsolation),
    Leaders(Leaders),
}

impl Judge {
    /// The judge of this name, if it takes what it was given.
    fn new(judge: &At<String>, within: Option<Span>, protocol: u32) -> Result<Self, Vec<Problem>> {
        let demand = match (judge.value.as_str(), within) {
            ("saga_ends", Some(within)) => Demand::Ends(within),
            ("saga_ends", None) => {
                let help = "for example `within = \"30s\"`";
                return Err(vec![problem(judge, "`saga_ends` needs a bound".to_owned(), Some(help.to_owned()))]);
            }
            (other, Some(_)) => {
                let message = format!("`{other}` has no bound: `within` says nothing here");
                return Err(vec![problem(judge, message, None)]);
            }
            ("saga_atomic", None) => Demand::Atomic,
            ("saga_order", None) => Demand::Order,
            ("one_leader_per_term", None) => return Ok(Self::Leaders(Leaders::new(protocol))),
            ("saga_isolation", None) => return Ok(Self::SagaIsolation(SagaIsolation::new(protocol))),
            (_, None) => return Ok(Self::AtomicCommit(AtomicCommit::new(protocol))),
        };
        Ok(Self::Sagas(Sagas::new(protocol, demand)))
    }

    #[inline]
    fn see(&mut self, fact: &Fact) {
        match self {
            Self::AtomicCommit(judge) => judge.see(fact),
            Self::Sagas(judge) => judge.see(fact),
            Self::SagaIsolation(judge) => judge.see(fact),
            Self::Leaders(judge) => judge.see(fact),
        }
    }

    #[inline]
    const fn violated(&self) -> bool {
        match self {
            Self::AtomicCommit(judge) => judge.violation().is_some(),
            Self::Sagas(judge) => judge.violation().is_some(),
            Self::SagaIsolation(judge) => judge.violation().is_some(),
            Self::Leaders(judge) => judge.violation().is_some(),
        }
    }

    /// How much it has judged, and how often it found a violation.
    fn counts(&self) -> (u64, u64) {
        match self {
            Self::AtomicCommit(judge) => (judge.counts().begun, judge.counts().violations),
            Self::Sagas(judge) => (judge.begun(), judge.violations()),
            Self::SagaIsolation(judge) => (judge.accesses(), judge.violations()),
            Self::Leaders(judge) => (judge.terms(), judge.violations()),
        }
    }

    fn finish(&self, at_rest: bool, now: Time) -> Verdict {
        match self {
            Self::AtomicCommit(judge) => judge.clone().finish(at_rest),
            Self::Sagas(judge) => judge.clone().finish(at_rest, now),
            Self::SagaIsolation(judge) => judge.clone().finish(),
            Self::Leaders(judge) => judge.clone().finish(),
        }
    }

    /// Why it had nothing to judge.
    fn idle(&self, subject: &str) -> String {
        match self {
            Self::AtomicCommit(_) | Self::Sagas(_) => format!("no instance of {subject} began"),
            Self::Leaders(_) => format!("nobody ever led {subject}"),
            Self::SagaIsolation(_) => format!("nobody came to a row that {subject} keeps to itself"),
        }
    }
}

/// A promise judged by a judge.
#[derive(Clone, Debug)]
pub(super) struct JudgeWatch {
    name: String,
    says: String,
    judge: Judge,
    protocol: u32,
    /// The name of what is judged: `transactions.transfer`.
    subject: String,
    /// By `NodeId`.
    nodes: Vec<String>,
    /// What the subject's steps are called, if it has any.
    steps: Vec<String>,
    aborts: bool,
    /// When the first violation was found.
    found: Option<Moment>,
}

impl JudgeWatch {
    /// The judge called `judge` of the protocol `of`.
    pub(super) fn new(
        name: &str,
        text: Option<&str>,
        check: &Check,
        aborts: bool,
        names: &Names,
    ) -> Result<Self, Vec<Problem>> {
        let Check { judge, of, within, .. } = check;
        let known = about(&judge.value);
        // A store goes by its bare name.
        let path = if known == Some(About::Store) { format!("stores.{}", of.value) } else { of.value.clone() };
        let protocol = names.protocols.iter().position(|p| *p == path);
        let (Some(protocol), Some(about)) = (protocol, known) else {
            let judge = known.is_none().then(|| unknown_judge(judge));
            let subject = protocol.is_none().then(|| unknown_subject(name, of, names));
            return Err(judge.into_iter().chain(subject).collect());
        };
        let section = about.section();
        if path.split('.').next() != Some(section) {
            let message = format!("`{}` judges {section}, not `{}`", judge.value, of.value);
            let about = vec![format!("invariants.{name}.check")];
            return Err(vec![Problem { about, ..problem(of, message, None) }]);
        }
        let says = format!("{} of {}", judge.value, of.value);
        Ok(Self {
            name: name.to_owned(),
            says: text.map_or_else(|| says.clone(), |text| format!("{text} ({says})")),
            judge: Judge::new(judge, *within, protocol as u32)?,
            protocol: protocol as u32,
            subject: of.value.clone(),
            nodes: names.nodes.iter().map(|n| n.name.clone()).collect(),
            steps: names.steps.get(protocol).cloned().unwrap_or_default(),
            aborts,
            found: None,
        })
    }

    /// One more fact; tells whether the run must stop.
    #[inline]
    pub(super) fn fact(&mut self, fact: &Fact, event: u64) -> bool {
        self.judge.see(fact);
        if self.found.is_none() && self.judge.violated() {
            self.found = Some(Moment { time: fact.time, event });
        }
        self.aborts && self.found.is_some()
    }

    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name == name
    }

    /// A violation has been found.
    pub(super) const fn has_found(&self) -> bool {
        self.judge.violated()
    }

    /// The protocol, the instance whose violation it found, and the others that its witness tells of.
    pub(super) fn instances(&self, now: Time) -> Option<(u32, Vec<u64>)> {
        match self.judge.finish(true, now) {
            Verdict::Violated(witness) => {
                let mut all = vec![witness.instance];
                for fact in &witness.facts {
                    if !all.contains(&fact.instance) {
                        all.push(fact.instance);
                    }
                }
                Some((self.protocol, all))
            }
            Verdict::Holds { .. } | Verdict::Unknown(_) => None,
        }
    }

    /// What came of it.
    pub(super) fn finish(&self, ending: Ending<'_>) -> InvariantResult {
        let verdict = self.judge.finish(ending.rest.is_ok(), ending.at.time);
        let (judged, violations) = self.judge.counts();
        let mut class = String::new();
        let mut first = None;
        let (status, witness) = match verdict {
            Verdict::Violated(witness) => {
                class = format!("{}/{}", self.name, witness.rule);
                let at = self.found.unwrap_or(ending.at);
                first = Some((at.time, at.event));
                let mut lines = self.tell(&witness);
                if violations > 1 {
                    lines.push(format!("and {} more like it", grouped(i128::from(violations - 1))));
                }
                (Status::Violated, lines)
            }
            Verdict::Holds { judged: 0 } => (Status::Vacuous, vec![self.judge.idle(&self.subject)]),
            Verdict::Holds { .. } => (Status::Holds, Vec::new()),
            Verdict::Unknown(why) => {
                let in_flight = ending.rest.err().filter(|what| !what.is_empty());
                (
                    Status::Unknown,
                    [Some(why), in_flight.map(|what| format!("in flight: {what}"))].into_iter().flatten().collect(),
                )
            }
        };
        InvariantResult {
            name: self.name.clone(),
            form: "check".to_owned(),
            says: self.says.clone(),
            status,
            witness,
            first,
            evaluations: judged,
            class,
            reached: None,
            expected: Expectation::Holds,
            evidence: None,
            tilt: crate::outcome::Tilt::Neither,
        }
    }

    /// A witness with names: the sentence, then what led to it.
    fn tell(&self, witness: &Witness) -> Vec<String> {
        let sentence = witness.sentence(&|node| self.node(node), &|step| self.step(step));
        let instance = grouped(i128::from(witness.instance));
        let mut lines = vec![format!("{}: {} {instance}: {sentence}", witness.rule, self.subject)];
        let skipped = witness.facts.len().saturating_sub(FACTS_MAX);
        for (n, fact) in witness.facts.iter().enumerate() {
            // The first facts and the newest tell the story.
            if n >= FACTS_MAX / 2 && n < FACTS_MAX / 2 + skipped {
                continue;
            }
            lines.push(format!(
                "{}  {}  {}",
                fact.time,
                self.node(fact.node),
                told(fact.kind, &|step| self.step(step))
            ));
        }
        let omitted = skipped as u64 + witness.omitted;
        if omitted > 0 {
            lines.push(format!("{omitted} facts in between are left out"));
        }
        lines
    }

    fn node(&self, node: NodeId) -> String {
        self.nodes.get(node.0 as usize).cloned().unwrap_or_else(|| format!("node {}", node.0))
    }

    /// A step by its name; people count from 1.
    fn step(&self, step: u32) -> String {
        self.steps.get(step as usize).cloned().unwrap_or_else(|| format!("step {}", step + 1))
    }
}

/// `check` names no judge.
fn unknown_judge(judge: &At<String>) -> Problem {
    let names = judges::names();
    let help = match nearest(&judge.value, names) {
        Some(near) => format!("`{near}`?"),
        None => format!("there is {}", names.join(", ")),
    };
    problem(judge, format!("there is no judge called `{}`", judge.value), Some(help))
}

/// `of` names no protocol.
fn unknown_subject(invariant: &str, of: &At<String>, names: &Names) -> Problem {
    let help = nearest(&of.value, names.protocols.iter().map(String::as_str))
        .map(|near| format!("`{near}`?"))
        .or_else(|| (!names.protocols.is_empty()).then(|| format!("there is {}", names.protocols.join(", "))));
    let about = vec![of.value.clone(), format!("invariants.{invariant}.check")];
    Problem { about, ..problem(of, format!("nothing that can be judged is called `{}`", of.value), help) }
}

fn problem(at: &At<String>, message: String, help: Option<String>) -> Problem {
    Problem::plain(at.place, message, help)
}
