//! Calls that multiply, and calls that are given up before they can be answered.

use std::collections::BTreeMap;

use super::super::diagnostic::Diagnostic;
use super::super::values::write_duration;
use super::flow::{DEPTH_MAX, VISITS_MAX, steps_of};
use crate::model::{Call, Model, Retry, Step, Verb, all_steps};

/// Tries of tries that are worth a word.
const TRIES_MAX: u64 = 10;

/// Medians that are computed; that of a sum takes a while.
const LAWS_MAX: usize = 500;

/// A share of calls that is worth waiting for.
const HALF: f64 = 0.5;

/// Looks at every call of a model in which no call waits for itself.
pub(super) fn check(model: &Model, warnings: &mut Vec<Diagnostic>) {
    let mut look = Look { model, visits: 0, medians: BTreeMap::new(), laws: 0 };
    for call in calls(model) {
        if let Some(timeout) = call.timeout {
            let needed = look.median(&call.target.value, 0);
            if (timeout.0 as f64) < needed {
                let (timeout, needed) = (write_duration(timeout.0), write_duration(needed.round() as u64));
                let label = format!("`timeout` is {timeout}; half of its answers take at least {needed}, with no wait");
                let message = format!("most calls of `{}` time out", call.target.value);
                warnings.push(Diagnostic::warning(call.target.place, message, label));
            }
        }
    }
    for call in
        model.workloads.iter().filter_map(|(_, w)| w.call()).chain(model.sagas.iter().flat_map(|(_, s)| s.calls()))
    {
        look.tries(call, &mut Vec::new(), warnings);
    }
    for steps in model.services.iter().flat_map(|(_, s)| s.consumers.iter().map(|(_, consumer)| &consumer.steps)) {
        look.tries_of_steps(steps, &mut Vec::new(), warnings);
    }
}

fn calls(model: &Model) -> Vec<&Call> {
    let mut found: Vec<&Call> = model.workloads.iter().filter_map(|(_, workload)| workload.call()).collect();
    for (_, service) in &model.services {
        let ops = service.ops.iter().map(|(_, op)| &op.steps);
        let all = ops.chain(service.consumers.iter().map(|(_, consumer)| &consumer.steps));
        found.extend(all.flat_map(|steps| all_steps(steps)).filter_map(|step| match_call(step)));
    }
    found.extend(model.sagas.iter().flat_map(|(_, saga)| saga.calls()));
    found
}

const fn match_call(step: &Step) -> Option<&Call> {
    if let Verb::Call(call) = &step.verb { Some(call) } else { None }
}

struct Look<'a> {
    model: &'a Model,
    visits: usize,
    /// What was found of each op.
    medians: BTreeMap<String, f64>,
    laws: usize,
}

impl<'a> Look<'a> {
    fn target(&self, written: &str) -> String {
        let service = self.model.services.iter().find(|(name, _)| name.value == written);
        match service.and_then(|(_, service)| service.ops.first()) {
            Some((op, _)) => format!("{written}.{}", op.value),
            None => written.to_owned(),
        }
    }

    /// The sum of the medians of what an op does until it answers: no bound, but a good guess.
    fn median(&mut self, target: &str, depth: usize) -> f64 {
        let target = self.target(target);
        if let Some(known) = self.medians.get(&target) {
            return *known;
        }
        let mut sum = 0.0;
        for step in steps_of(self.model, &target).iter().filter(|step| step.chance >= HALF) {
            if matches!(step.verb, Verb::Reply(_)) || depth > DEPTH_MAX || self.laws > LAWS_MAX {
                break;
            }
            if let Verb::Work(law) | Verb::Sleep(law) = &step.verb {
                self.laws += 1;
                sum += law.law.quantile(HALF);
            }
            if let Verb::Call(call) = &step.verb {
                sum += self.median(&call.target.value, depth + 1);
            }
        }
        self.medians.insert(target, sum);
        sum
    }

    /// Tries of tries on one path. Without an end they are on purpose, and not counted.
    fn tries(&mut self, call: &'a Call, above: &mut Vec<&'a Retry>, warnings: &mut Vec<Diagnostic>) {
        self.visits += 1;
        if above.len() > DEPTH_MAX || self.visits > VISITS_MAX {
            return;
        }
        let own = call.retry.as_ref().filter(|retry| retry.attempts.is_some_and(|attempts| attempts > 1));
        above.extend(own);
        let each: Vec<u64> = above.iter().filter_map(|retry| retry.attempts).map(u64::from).collect();
        let product = each.iter().fold(1u64, |product, tries| product.saturating_mul(*tries));
        if let (Some(own), true, true) = (own, each.len() > 1, product > TRIES_MAX) {
            let factors: Vec<String> = each.iter().map(u64::to_string).collect();
            let message = format!("one request can become {product} calls of `{}`", call.target.value);
            let label = format!("retries of retries: {}", factors.join(" × "));
            let warning = Diagnostic::warning(own.place, message, label).also(above[0].place, "retried here too");
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
        self.tries_of_steps(steps_of(self.model, &self.target(&call.target.value)), above, warnings);
        if own.is_some() {
            above.pop();
        }
    }

    fn tries_of_steps(&mut self, steps: &'a [Step], above: &mut Vec<&'a Retry>, warnings: &mut Vec<Diagnostic>) {
        let mut answered = false;
        for step in steps {
            answered |= matches!(step.verb, Verb::Reply(_));
            // Who has its answer does not try again.
            let (mut nobody, mut own) = (Vec::new(), core::mem::take(above));
            let path = if answered { &mut nobody } else { &mut own };
            if let Verb::Call(call) = &step.verb {
                self.tries(call, path, warnings);
            }
            for steps in step.verb.within() {
                self.tries_of_steps(steps, path, warnings);
            }
            *above = own;
        }
    }
}
