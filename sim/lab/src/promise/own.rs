//! Promises that are written in Rust: they see the whole state, or all that clients did.

use kernel::Delta;

use super::watch::Moment;
use crate::code::{Code, Form, Judged, Mirror, Own};
use crate::names::Names;
use crate::outcome::{Expectation, HistoryLine, InvariantResult, Status};

/// What clients did, as far as it was kept.
#[derive(Clone, Copy)]
pub struct Kept<'a> {
    /// In the order of its events.
    pub lines: &'a [HistoryLine],
    /// It is all of it.
    pub all: bool,
}

/// All of them, during one run.
#[derive(Clone, Debug)]
pub(super) struct Owned {
    /// The state, if one of them reads it.
    mirror: Option<Mirror>,
    watches: Vec<Watch>,
}

/// One of them.
#[derive(Clone, Debug)]
struct Watch {
    own: Own,
    evaluations: u64,
    /// When it was first broken, and why.
    broken: Option<(Moment, Vec<String>)>,
    /// Why it could not be decided, the first time.
    unknown: Option<String>,
}

impl Watch {
    fn take(&mut self, at: Moment, judged: Judged) {
        self.evaluations += 1;
        match judged {
            Judged::Holds => {}
            Judged::Broken(why) => _ = self.broken.get_or_insert((at, why)),
            Judged::Unknown(why) => _ = self.unknown.get_or_insert(why),
        }
    }

    fn result(&self, in_flight: Option<&str>) -> InvariantResult {
        let (form, verb) = match self.own.form {
            Form::Always(_) => ("always", "always"),
            Form::AtRest(_) => ("at rest", "at_rest"),
            Form::Operations(_) => ("of all operations", "operations"),
        };
        let (status, witness) = match (&self.broken, &self.unknown) {
            (Some((_, why)), _) => (Status::Violated, why.clone()),
            (None, Some(why)) => (Status::Unknown, vec![why.clone()]),
            (None, None) => match (&self.own.form, in_flight) {
                (Form::AtRest(_), Some(what)) if self.evaluations > 0 => {
                    (Status::Unknown, vec![format!("not at rest: {what}")])
                }
                (Form::AtRest(_), Some(what)) => (Status::Vacuous, vec![format!("the run was never at rest ({what})")]),
                (Form::Always(_) | Form::AtRest(_) | Form::Operations(_), _) => (Status::Holds, Vec::new()),
            },
        };
        let violated = status == Status::Violated;
        InvariantResult {
            name: self.own.name.clone(),
            form: form.to_owned(),
            says: "written in Rust".to_owned(),
            status,
            witness,
            first: self.broken.as_ref().map(|(at, _)| (at.time, at.event)),
            evaluations: self.evaluations,
            class: if violated { format!("{}/{verb}", self.own.name) } else { String::new() },
            reached: None,
            expected: Expectation::Holds,
            evidence: None,
            tilt: crate::outcome::Tilt::Neither,
        }
    }
}

impl Owned {
    /// `None` if there is none.
    pub(super) fn new(code: &Code, names: &Names) -> Option<Self> {
        let watch = |own: &Own| Watch { own: own.clone(), evaluations: 0, broken: None, unknown: None };
        let watches: Vec<Watch> = code.promises().iter().map(watch).collect();
        if watches.is_empty() {
            return None;
        }
        let reads_state = watches.iter().any(|watch| !matches!(watch.own.form, Form::Operations(_)));
        let mut new = Self { mirror: reads_state.then(|| Mirror::new(names)), watches };
        new.look(Moment { time: kernel::Time::ZERO, event: 0 }, Looks::AfterChange);
        Some(new)
    }

    /// The state is mirrored: every change of it must be told.
    pub(super) const fn mirrors(&self) -> bool {
        self.mirror.is_some()
    }

    pub(super) fn changed(&mut self, at: Moment, change: &[Delta]) {
        let Some(mirror) = &mut self.mirror else { return };
        for delta in change {
            mirror.apply(delta);
        }
        self.look(at, Looks::AfterChange);
    }

    pub(super) fn rest(&mut self, at: Moment) {
        self.look(at, Looks::AtRest);
    }

    fn look(&mut self, at: Moment, looks: Looks) {
        let Some(mirror) = &self.mirror else { return };
        for watch in self.watches.iter_mut().filter(|watch| watch.broken.is_none()) {
            let promise = match (&watch.own.form, looks) {
                (Form::Always(promise), Looks::AfterChange) | (Form::AtRest(promise), Looks::AtRest) => promise.clone(),
                (Form::Always(_) | Form::AtRest(_) | Form::Operations(_), _) => continue,
            };
            watch.take(at, promise(&mirror.at(at.time)));
        }
    }

    pub(super) fn operations(&mut self, at: Moment, history: Kept<'_>) {
        for watch in &mut self.watches {
            let Form::Operations(judge) = &watch.own.form else { continue };
            let judged = if history.all {
                judge(history.lines)
            } else {
                Judged::Unknown(format!("the history was cut after {} lines", history.lines.len()))
            };
            watch.take(at, judged);
        }
    }

    pub(super) fn finish(&mut self, at: Moment, rest: Result<(), &str>) -> impl Iterator<Item = InvariantResult> {
        if rest.is_ok() {
            self.look(at, Looks::AtRest);
        }
        self.watches.iter().map(move |watch| watch.result(rest.err()))
    }
}

/// Why one looks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Looks {
    AfterChange,
    AtRest,
}
