//! The judges that look at what is there when the run has ended.

use std::sync::Arc;

use checkers::history::{Counterexample, NEVER, NilRead, Operation, Outcome, Value};
use checkers::ledgers::{durability, objects};

use super::copies::There;
use super::story::Final;
use super::{Said, Seen, StoreCheck};
use crate::outcome::{Contradiction, Status};
use crate::promise::predicate::grouped;
use crate::promise::watch::Ending;

impl StoreCheck {
    /// What was acknowledged is there, unless something newer is.
    pub(super) fn durable(&self, ending: Ending<'_>, seen: &Seen) -> Said {
        let there = match seen.copies.there() {
            Ok(there) => there,
            Err(why) => return Said::unknown(why),
        };
        let history = &seen.book.history;
        let objects = objects(history);
        let finals: Vec<(u64, Operation)> = objects
            .keys()
            .zip(history.operations.len() as u32..)
            .filter_map(|(key, index)| Some((key.int()? as u64, last_read(key, &there, index, seen.book.end()))))
            .collect();
        let mut acknowledged = 0;
        let (mut lost, mut phantoms) = (Vec::new(), Vec::new());
        for ((_, operations), ((_, read), index)) in
            objects.iter().zip(finals.iter().zip(history.operations.len() as u32..))
        {
            // What clients read may be old, and says nothing of what is there.
            let mut listed: Vec<_> =
                operations.iter().filter(|(_, operation)| &*operation.f != "read").copied().collect();
            listed.push((index, read));
            match durability::audit(&listed, &Value::Nil, NilRead::Nothing) {
                Err(refusal) => return Said::unknown(format!("it cannot be judged: {}", refusal.what)),
                Ok(audit) => {
                    acknowledged += audit.acknowledged;
                    lost.extend(audit.lost);
                    phantoms.extend(audit.phantoms);
                }
            }
        }
        let counts = vec![("acknowledged".to_owned(), acknowledged), ("lost".to_owned(), lost.len() as u64)];
        let told = |number: u64| grouped(i128::from(number));
        let (many, all) = (told(lost.len() as u64), told(acknowledged));
        let (rule, sentence, operations) = match (lost.first(), phantoms.first(), &there.missing) {
            (None, None, _) if acknowledged == 0 => return Said::vacuous("nothing was acknowledged".to_owned()),
            (None, None, _) => return Said::holds(counts),
            (_, _, Some(missing)) => {
                let why = format!(
                    "{many} of {all} acknowledged writes are not on the machines that are up; {missing} is down"
                );
                return Said { counts, ..Said::unknown(why) };
            }
            (_, Some(&read), None) => ("phantom", "nobody wrote what is there".to_owned(), vec![read]),
            (Some(&(write, read)), None, None) => {
                let what = format!("{many} of {all} acknowledged writes are lost, the first of them is");
                ("lost", format!("{what} {}", history.operations[write as usize]), vec![write, read])
            }
        };
        let shown = Counterexample { rule, sentence, operations, ..Counterexample::default() };
        let finals = Final { who: &there.who, reads: &finals, time: ending.at.time };
        Said { counts, ..self.told(&shown, seen, Some(finals)) }
    }

    /// All machines that are up hold the same.
    pub(super) fn converged(&self, ending: Ending<'_>, seen: &Seen) -> Said {
        if let Err(why) = ending.rest {
            return Said::unknown(format!("not at rest: {why}"));
        }
        if seen.copies.shares < 2 {
            return Said::vacuous(format!("{} has one copy of each key", self.subject));
        }
        let (up, found) = seen.copies.divergence();
        if up < 2 {
            return Said::unknown("fewer than two machines are up when the run has ended".to_owned());
        }
        let mut counts = vec![("machines".to_owned(), up)];
        let Some(found) = found else { return Said::holds(counts) };
        counts.push(("keys that differ".to_owned(), found.keys));
        let holds = |(who, value): &(String, Option<u64>)| match value {
            Some(value) => format!("{who} holds {}", *value as i64),
            None => format!("{who} holds nothing"),
        };
        let [one, other] = found.holds.each_ref().map(holds);
        let sentence = format!("key {}: {one}, {other}, and nothing changes any more", found.key);
        let more = (found.keys > 1).then(|| format!("{} keys differ", grouped(i128::from(found.keys))));
        Said {
            status: Some(Status::Violated),
            lines: core::iter::once(sentence.clone()).chain(more).collect(),
            rule: "diverged".to_owned(),
            first: Some(ending.at),
            counts,
            contradiction: Some(Contradiction {
                rule: "diverged".to_owned(),
                sentence,
                key: Some(found.key),
                ..Contradiction::default()
            }),
        }
    }
}

/// What is there, as an answer that somebody would get now.
fn last_read(key: &Value, there: &There, index: u32, after: u32) -> Operation {
    let found = key.int().and_then(|key| there.values.get(&(key as u64)));
    Operation {
        process: -1 - i64::from(index),
        f: Arc::from("read"),
        key: Some(key.clone()),
        argument: Value::Nil,
        result: found.map_or(Value::Nil, |value| Value::Int(*value as i64)),
        outcome: Outcome::Ok,
        invoked: after,
        returned: NEVER - 1,
        lines: (0, 0),
        times: (None, None),
        node: None,
    }
}
