//! What came of a promise over state: its status at the end of a run, and why.

use kernel::Span;

use super::predicate::grouped;
use super::watch::{Ending, Form, Watch};
use crate::outcome::{Expectation, InvariantResult, Status, Tilt};

impl Watch {
    /// What came of it.
    pub(super) fn result(&self, ending: Ending<'_>) -> InvariantResult {
        let (status, mut witness) = self.status(ending);
        if let Some(violation) = &self.violation {
            witness.clone_from(&violation.witness);
            if self.broken > 1 {
                let (broken, all) = (grouped(i128::from(self.broken)), grouped(i128::from(self.evaluations)));
                witness.push(format!("broken in {broken} of {all} evaluations"));
            }
        }
        let says = self.says();
        InvariantResult {
            name: self.name.clone(),
            form: self.words(),
            says: self.text.as_ref().map_or_else(|| says.clone(), |text| format!("{text} ({says})")),
            status,
            witness,
            first: self.violation.as_ref().map(|v| (v.at.time, v.at.event)),
            evaluations: self.evaluations,
            class: if self.violated() { format!("{}/{}", self.name, self.verb()) } else { String::new() },
            reached: match &self.form {
                Form::Sometimes { reached, .. } => Some(reached.is_some()),
                Form::Always { .. }
                | Form::AtRest { .. }
                | Form::Finally { .. }
                | Form::Eventually { .. }
                | Form::Transition { .. }
                | Form::LeadsTo { .. }
                | Form::Each(_) => None,
            },
            tilt: self.violation.as_ref().map_or(Tilt::Neither, |violation| violation.tilt),
            expected: Expectation::Holds,
            evidence: None,
        }
    }

    /// Its status and the reason of an unknown or vacuous one.
    fn status(&self, ending: Ending<'_>) -> (Status, Vec<String>) {
        if self.violated() {
            return (Status::Violated, Vec::new());
        }
        if let Some((at, fault)) = self.fault {
            let why =
                format!("could not be evaluated at {} (event {}): {fault}", at.time, grouped(i128::from(at.event)));
            return (Status::Unknown, vec![why]);
        }
        let unknown = |why: String| (Status::Unknown, vec![why]);
        let vacuous = |why: &str| (Status::Vacuous, vec![why.to_owned()]);
        let holds = (Status::Holds, Vec::new());
        let not_at_rest = ending.rest.err().map(|why| format!("not at rest: {why}"));
        match &self.form {
            Form::Always { .. } | Form::Transition { .. } if self.evaluations == 0 => {
                vacuous("never evaluated: nothing it reads has changed")
            }
            Form::LeadsTo { pending: None, .. } if self.evaluations == 0 => vacuous("its `when` was never true"),
            Form::Always { .. } | Form::Transition { .. } | Form::LeadsTo { pending: None, .. } => holds,
            Form::Each(each) => match each.waits() {
                None if self.evaluations == 0 => vacuous("its `when` was true for no row"),
                None => holds,
                Some(waits) if each.within().is_some() => {
                    unknown(format!("{waits}; the run ended before the bound had passed"))
                }
                Some(waits) => unknown(format!("{waits}; {}", not_at_rest.unwrap_or_default())),
            },
            Form::AtRest { of: Some(open), .. } => match open.left {
                0 if self.evaluations > 0 => holds,
                0 => vacuous(&format!("no instance of {} was ever open", open.subject)),
                n if self.evaluations > 0 => {
                    unknown(format!("{} of {} open at the end", grouped(i128::from(n)), open.subject))
                }
                n => vacuous(&format!(
                    "{} was never without an open instance, {} at the end",
                    open.subject,
                    grouped(i128::from(n))
                )),
            },
            Form::AtRest { of: None, .. } => match not_at_rest {
                Some(why) if self.evaluations == 0 => vacuous(&format!("the run was never at rest ({why})")),
                Some(why) => unknown(why),
                None if self.evaluations == 0 => vacuous("the run was never at rest"),
                None => holds,
            },
            Form::Finally { after, .. } => match not_at_rest {
                Some(why) => unknown(why),
                None if self.evaluations > 0 => holds,
                None => unknown(format!("the run ended sooner than {after} after load ended")),
            },
            Form::Eventually { healed: None, .. } => vacuous("the run ended before the heal"),
            Form::Eventually { within, healed: Some(healed), true_since, .. } => {
                let passed = within.is_none_or(|within| ending.at.time >= *healed + within);
                match (true_since, not_at_rest) {
                    (Some(_), None) => holds,
                    (Some(_), Some(_)) if passed => holds,
                    (_, _) if !passed => unknown("the run ended before its bound had passed".to_owned()),
                    (_, why) => unknown(why.unwrap_or_else(|| "it was not true when the run ended".to_owned())),
                }
            }
            Form::Sometimes { reached: Some(at), .. } => {
                (Status::Holds, vec![format!("reached at {}, event {}", at.time, grouped(i128::from(at.event)))])
            }
            Form::Sometimes { reached: None, .. } => unknown("not reached in this run; a sweep judges".to_owned()),
            Form::LeadsTo { pending: Some(pending), within, .. } => {
                let waits = pending.told();
                match within {
                    Some(_) => unknown(format!("{waits}; the run ended before the bound had passed")),
                    None => unknown(format!("{waits}; {}", not_at_rest.unwrap_or_default())),
                }
            }
        }
    }

    /// How it is judged, for people.
    fn words(&self) -> String {
        match &self.form {
            Form::Always { wanted: true, .. } => "always".to_owned(),
            Form::Always { wanted: false, .. } => "never".to_owned(),
            Form::AtRest { of: None, .. } => "at rest".to_owned(),
            Form::AtRest { of: Some(open), .. } => format!("at rest of {}", open.subject),
            Form::Finally { after: Span::ZERO, .. } => "at the end".to_owned(),
            Form::Finally { after, .. } => format!("at the end, {after} after load"),
            Form::Eventually { within: Some(within), .. } => format!("within {within} after heal"),
            Form::Eventually { within: None, .. } => "after heal".to_owned(),
            Form::Sometimes { .. } => "sometimes".to_owned(),
            Form::Transition { .. } => "each change".to_owned(),
            Form::LeadsTo { within, .. } => leads_to(*within),
            Form::Each(each) => leads_to(each.within()),
        }
    }

    /// The verb of the scenario, which names the class of its violations.
    fn verb(&self) -> &'static str {
        match &self.form {
            Form::Always { wanted: true, .. } => "always",
            Form::Always { wanted: false, .. } => "never",
            Form::AtRest { .. } => "at_rest",
            Form::Finally { .. } => "finally",
            Form::Eventually { .. } => "eventually_after_heal",
            Form::Sometimes { .. } => "sometimes",
            Form::Transition { .. } => "transition",
            Form::LeadsTo { .. } | Form::Each(_) => "leads_to",
        }
    }

    fn says(&self) -> String {
        match &self.form {
            Form::Always { predicate, .. }
            | Form::AtRest { predicate, .. }
            | Form::Finally { predicate, .. }
            | Form::Eventually { predicate, .. }
            | Form::Sometimes { predicate, .. }
            | Form::Transition { predicate, .. } => predicate.text.clone(),
            Form::LeadsTo { when, then, .. } => format!("{} leads to {}", when.text, then.text),
            Form::Each(each) => each.says(),
        }
    }
}

fn leads_to(within: Option<Span>) -> String {
    within.map_or_else(|| "leads to".to_owned(), |within| format!("within {within}"))
}
