//! Call sites: who is called, with what, how often, and what a failure does.

use kernel::SeriesId;
use systems::app::plan::{self, BreakerUse, Instruction};
use systems::app::spent::{SpentSeries, Waiting};
use systems::resilience::{self, ErrorClass, ErrorClasses, Factor, Share};

use super::Compiler;
use super::scripts::Site;
use crate::model::{self, Backoff, Breaker, BreakerScope, BreakerWindow, Call, Jitter, Otherwise, Retry};
use crate::names::{Cell, CellSort};
use crate::scenario::Diagnostic;

/// What is measured of the calls of one op from one place.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallSeries {
    latency: SeriesId,
    spent: SpentSeries,
    rejected: SeriesId,
}

impl Compiler<'_> {
    /// Appends a call and gives its number; a workload's own calls are measured as operations, so it says `None`.
    pub(super) fn call(&mut self, from: Option<Site<'_>>, call: &Call) -> Option<u16> {
        let target = self.target_name(&call.target.value);
        let Some(&op) = self.ops.get(&target) else {
            let message = format!("nothing is called `{}`", call.target.value);
            let error = Diagnostic::error(call.target.place, message, "called here");
            self.errors.push(error.about(crate::names::path_of_op(&target)));
            return None;
        };
        if from.is_some() && target.starts_with("transactions.") {
            let message = "a call of a transaction from a service's op is not supported yet";
            self.errors.push(Diagnostic::error(call.target.place, message, "let a workload call it"));
        }
        let service = from.map_or("", |site| site.service);
        let series = from.map(|site| self.call_series(site.service, &target));
        let otherwise = match &call.otherwise {
            Otherwise::Fail => plan::Otherwise::Fail,
            Otherwise::Skip => plan::Otherwise::Skip,
            Otherwise::Word(word) => plan::Otherwise::Word(self.error(&word.value)),
            // The steps come behind the call.
            Otherwise::Steps(_) => plan::Otherwise::Fail,
        };
        let retry = call.retry.as_ref().map(|retry| {
            let labels = vec![("op", target.clone()), ("from", service.to_owned())];
            (self.retry(retry), self.names.series("retries", labels))
        });
        let breaker = call.breaker.as_ref().map(|breaker| self.breaker(breaker, service, &target));
        let with = self.with(service, &call.with);
        let into = match &call.into {
            None => Vec::new(),
            Some(into) => self.where_answers_go(&target, &into.value),
        };
        let site = plan::Call {
            op,
            timeout: call.timeout,
            otherwise,
            latency: series.map(|series| (series.latency, series.spent)),
            rejected: series.map(|series| series.rejected),
            retry,
            breaker,
            with,
            into,
            deadline: true,
            local: false,
            stubborn: false,
            step: 0,
        };
        self.plan.calls.push(site);
        let number = (self.plan.calls.len() - 1) as u16;
        self.plan.program.push(Instruction::Call(number));
        Some(number)
    }

    /// Where the parts of the callee's answer go.
    fn where_answers_go(&self, target: &str, into: &str) -> Vec<systems::expression::VariableId> {
        let answer = self.sorts.answers.get(target).map_or(&[][..], Vec::as_slice);
        let name = |field: &str| if field.is_empty() { into.to_owned() } else { format!("{into}.{field}") };
        answer.iter().filter_map(|(field, _)| self.variables.id(&name(field))).collect()
    }

    /// How long calls take, where that time goes, and why they are rejected.
    fn call_series(&mut self, from: &str, op: &str) -> CallSeries {
        let key = (from.to_owned(), op.to_owned());
        if let Some(&series) = self.call_series.get(&key) {
            return series;
        }
        let labels = vec![("op", op.to_owned()), ("from", from.to_owned())];
        let series = CallSeries {
            latency: self.names.series("latency", labels.clone()),
            spent: self.spent_series(&labels),
            rejected: self.names.series("rejected", labels),
        };
        self.call_series.insert(key, series);
        series
    }

    /// Where the time of calls with these labels goes.
    pub(super) fn spent_series(&mut self, labels: &[(&'static str, String)]) -> SpentSeries {
        Waiting::ALL.map(|(_, name)| {
            let labels = labels.iter().cloned().chain([("waiting_for", name.to_owned())]);
            self.names.series("spent", labels.collect())
        })
    }

    /// The number of a retry policy.
    pub(super) fn retry(&mut self, retry: &Retry) -> u16 {
        let mut retry_on = ErrorClasses::NONE;
        for word in &retry.retry_on {
            retry_on = match word.value.as_str() {
                "timeout" => retry_on.with(ErrorClass::Timeout),
                "unavailable" => retry_on.with(ErrorClass::Unavailable),
                // A breaker that is open is the callee's overload, as its caller sees it.
                "overload" => retry_on.with(ErrorClass::Overload).with(ErrorClass::BreakerOpen),
                "breaker_open" => retry_on.with(ErrorClass::BreakerOpen),
                _ => retry_on,
            };
        }
        let policy = resilience::Retry {
            attempts: retry.attempts,
            backoff: match retry.backoff {
                Backoff::None => resilience::Backoff::None,
                Backoff::Constant(span) => resilience::Backoff::Constant(span),
                Backoff::Exponential { base, factor, max } => {
                    let factor = Factor::of(factor).unwrap_or(Factor::whole(2));
                    resilience::Backoff::Exponential { base, factor, max }
                }
                Backoff::Decorrelated { base, max } => resilience::Backoff::Decorrelated { base, max },
            },
            jitter: match retry.jitter {
                Jitter::None => resilience::Jitter::None,
                Jitter::Full => resilience::Jitter::Full,
                Jitter::Equal => resilience::Jitter::Equal,
            },
            retry_on,
            budget: match retry.budget {
                model::Budget::None => None,
                model::Budget::Share(share) => Some(resilience::Budget::Share(share_of(share))),
                model::Budget::Tokens { tokens, refill } => {
                    Some(resilience::Budget::Tokens { tokens, refill_millionths: (refill * 1e6).round() as u64 })
                }
            },
            avoid_tried_node: false,
        };
        let found = self.plan.retries.iter().position(|known| *known == policy);
        found.unwrap_or_else(|| {
            self.plan.retries.push(policy);
            self.plan.retries.len() - 1
        }) as u16
    }

    fn breaker(&mut self, breaker: &Breaker, from: &str, target: &str) -> BreakerUse {
        let policy = resilience::BreakerPlan {
            failure_rate: share_of(breaker.failure_rate),
            slow: breaker.slow.map(|slow| resilience::Slow { rate: share_of(slow.rate), after: slow.after }),
            window: match breaker.window {
                BreakerWindow::Calls(calls) => resilience::Window::Calls(calls),
                BreakerWindow::Time(span) => resilience::Window::Time(span),
            },
            min_calls: breaker.min_calls,
            open_for: breaker.open_for,
            trials: breaker.trials,
            mutant: None,
        };
        // Calls from one service to one other with one policy share their breakers.
        let callee = target.split_once('.').map_or(target, |(service, _)| service).to_owned();
        let name = breaker.name.clone().unwrap_or_else(|| "inline".to_owned());
        let path = format!("breakers.{from}.{callee}.{name}");
        if let Some((_, used)) = self.breakers.iter().find(|(known, _)| *known == path) {
            return *used;
        }
        self.plan.breakers.push(policy);
        let nodes = |name: &str| self.first.get(name).map_or(1, |(_, count)| *count);
        let whole_service = breaker.scope == BreakerScope::Service;
        let scope = if whole_service { "service" } else { "node" }.to_owned();
        let state = self.names.cell(Cell {
            path: path.clone(),
            keys: nodes(from) * nodes(&callee),
            initial: 0,
            sort: CellSort::View,
            metric: Some("breaker_state"),
            labels: vec![("from", from.to_owned()), ("to", callee), ("scope", scope)],
        });
        let used = BreakerUse { policy: (self.plan.breakers.len() - 1) as u16, whole_service, state };
        self.breakers.push((path, used));
        used
    }
}

fn share_of(share: f64) -> Share {
    Share::millionths((share * 1e6).round() as u32)
}
