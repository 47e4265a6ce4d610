//! Promises judged by a named judge of protocol facts: `check = "atomic_commit"`.
//!
//! The judges stand in crate `checkers` and know numbers only; here they get their subject, and their witnesses names.

use checkers::{AtomicCommit, Verdict, Witness};
use kernel::{Fact, FactKind, NodeId};

use super::predicate::grouped;
use super::watch::{Ending, Moment};
use crate::expression::Problem;
use crate::model::At;
use crate::names::Names;
use crate::nearest::nearest;
use crate::outcome::{InvariantResult, Status};

/// The judges there are.
const JUDGES: [&str; 1] = ["atomic_commit"];

/// At most this many facts of a witness are told.
const FACTS_MAX: usize = 12;

/// A judge at work.
#[derive(Clone, Debug)]
enum Judge {
    AtomicCommit(AtomicCommit),
}

/// A promise judged by a judge.
#[derive(Clone, Debug)]
pub(super) struct JudgeWatch {
    name: String,
    says: String,
    judge: Judge,
    /// The name of what is judged: `transactions.transfer`.
    subject: String,
    /// By `NodeId`.
    nodes: Vec<String>,
    aborts: bool,
    /// When the first violation was found.
    found: Option<Moment>,
}

impl JudgeWatch {
    /// The judge called `judge` of the protocol `of`.
    pub(super) fn new(
        name: &str,
        text: Option<&str>,
        (judge, of): (&At<String>, &At<String>),
        aborts: bool,
        names: &Names,
    ) -> Result<Self, Vec<Problem>> {
        let protocol = names.protocols.iter().position(|p| *p == of.value);
        let known = JUDGES.contains(&judge.value.as_str());
        let Some(protocol) = protocol.filter(|_| known) else {
            let judge = (!known).then(|| unknown_judge(judge));
            let subject = protocol.is_none().then(|| unknown_subject(name, of, names));
            return Err(judge.into_iter().chain(subject).collect());
        };
        let says = format!("{} of {}", judge.value, of.value);
        Ok(Self {
            name: name.to_owned(),
            says: text.map_or_else(|| says.clone(), |text| format!("{text} ({says})")),
            judge: Judge::AtomicCommit(AtomicCommit::new(protocol as u32)),
            subject: of.value.clone(),
            nodes: names.nodes.iter().map(|n| n.name.clone()).collect(),
            aborts,
            found: None,
        })
    }

    /// One more fact; tells whether the run must stop.
    #[inline]
    pub(super) fn fact(&mut self, fact: &Fact, event: u64) -> bool {
        let Judge::AtomicCommit(judge) = &mut self.judge;
        judge.see(fact);
        if self.found.is_none() && judge.violation().is_some() {
            self.found = Some(Moment { time: fact.time, event });
        }
        self.aborts && self.found.is_some()
    }

    /// What came of it.
    pub(super) fn finish(&self, ending: Ending<'_>) -> InvariantResult {
        let Judge::AtomicCommit(judge) = &self.judge;
        let counts = judge.counts();
        let verdict = judge.clone().finish(ending.rest.is_ok());
        let mut class = String::new();
        let mut first = None;
        let (status, witness) = match verdict {
            Verdict::Violated(witness) => {
                class = format!("{}/{}", self.name, witness.rule);
                let at = self.found.unwrap_or(ending.at);
                first = Some((at.time, at.event));
                let mut lines = self.tell(&witness);
                if counts.violations > 1 {
                    lines.push(format!("and {} more like it", grouped(i128::from(counts.violations - 1))));
                }
                (Status::Violated, lines)
            }
            Verdict::Holds { judged: 0 } => (Status::Vacuous, vec![format!("no instance of {} began", self.subject)]),
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
            evaluations: counts.begun,
            class,
            reached: None,
            expected_to_fail: false,
        }
    }

    /// A witness with names: the sentence, then what led to it.
    fn tell(&self, witness: &Witness) -> Vec<String> {
        let name = |node: NodeId| self.node(node);
        let sentence = witness.sentence(&name);
        let instance = grouped(i128::from(witness.instance));
        let mut lines = vec![format!("{}: {} {instance}: {sentence}", witness.rule, self.subject)];
        let skipped = witness.facts.len().saturating_sub(FACTS_MAX);
        for (n, fact) in witness.facts.iter().enumerate() {
            // The first facts and the newest tell the story.
            if n >= FACTS_MAX / 2 && n < FACTS_MAX / 2 + skipped {
                continue;
            }
            lines.push(format!("{}  {}  {}", fact.time, self.node(fact.node), told(fact.kind)));
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
}

/// What a fact says.
fn told(kind: FactKind) -> String {
    match kind {
        FactKind::Begun { participants } => format!("begins with {participants} participants"),
        FactKind::Voted { yes: true } => "votes yes".to_owned(),
        FactKind::Voted { yes: false } => "votes no".to_owned(),
        FactKind::VotedReadOnly => "has only read and is content".to_owned(),
        FactKind::Decided { commit: true } => "decides to commit".to_owned(),
        FactKind::Decided { commit: false } => "decides to abort".to_owned(),
        FactKind::Applied { commit: true } => "applies the commit".to_owned(),
        FactKind::Applied { commit: false } => "applies the abort".to_owned(),
        FactKind::Told { commit: true } => "is told: committed".to_owned(),
        FactKind::Told { commit: false } => "is told: aborted".to_owned(),
        FactKind::Crashed => "crashes".to_owned(),
        FactKind::Recovered => "is back".to_owned(),
    }
}

/// `check` names no judge.
fn unknown_judge(judge: &At<String>) -> Problem {
    Problem {
        place: judge.place,
        message: format!("there is no judge called `{}`", judge.value),
        label: String::new(),
        help: Some(match nearest(&judge.value, JUDGES) {
            Some(near) => format!("`{near}`?"),
            None => format!("there is {}", JUDGES.join(", ")),
        }),
        others: Vec::new(),
        about: Vec::new(),
    }
}

/// `of` names no protocol.
fn unknown_subject(invariant: &str, of: &At<String>, names: &Names) -> Problem {
    Problem {
        place: of.place,
        message: format!("nothing that can be judged is called `{}`", of.value),
        label: String::new(),
        help: nearest(&of.value, names.protocols.iter().map(String::as_str))
            .map(|near| format!("`{near}`?"))
            .or_else(|| (!names.protocols.is_empty()).then(|| format!("there is {}", names.protocols.join(", ")))),
        others: Vec::new(),
        about: vec![of.value.clone(), format!("invariants.{invariant}.check")],
    }
}
