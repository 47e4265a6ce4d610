//! Policies: written in place, or found by their name.

use super::super::tree::{Node, Value};
use super::super::values;
use super::{COMPLETE, Reader};
use crate::model::{Backoff, Breaker, BreakerScope, BreakerWindow, Budget, Jitter, Retry, Slow};

impl<'a> Reader<'a> {
    /// The table of a policy and its name, if it has one. A name that means nothing was told already, or will be.
    fn policy(&self, key: &str, section: &str) -> Option<(Option<String>, Reader<'a>)> {
        let node = self.node(key)?;
        let Some(name) = node.as_text() else { return Some((None, self.below(key))) };
        let policies = self.top(section);
        let known = policies.table.get(name)?.table().is_some();
        known.then(|| (Some(name.to_owned()), Reader { key: node.place, ..policies.below(name) }))
    }
}

/// A retry policy.
pub(super) fn retry(r: &Reader<'_>, key: &str) -> Option<Retry> {
    let (name, policy) = r.policy(key, "retry")?;
    let (backoff, jitter) = match policy.node("backoff") {
        None => (Backoff::None, Jitter::None),
        Some(_) => backoff(&policy.below("backoff")),
    };
    Some(Retry {
        name,
        attempts: policy.count("attempts"),
        backoff,
        jitter,
        retry_on: policy.texts("retry_on"),
        budget: policy.node("budget").map_or(Budget::None, |_| budget(&policy.below("budget"))),
        place: policy.key,
    })
}

fn backoff(r: &Reader<'_>) -> (Backoff, Jitter) {
    let (base, max) = (r.span("base"), r.maybe_span("max"));
    let backoff = match r.text("kind") {
        "exponential" => Backoff::Exponential { base, factor: r.number("factor"), max },
        "decorrelated" => Backoff::Decorrelated { base, max },
        _ => Backoff::Constant(base),
    };
    let jitter = match r.text("jitter") {
        "full" => Jitter::Full,
        "equal" => Jitter::Equal,
        _ => Jitter::None,
    };
    (backoff, jitter)
}

fn budget(r: &Reader<'_>) -> Budget {
    match r.maybe_share("share") {
        Some(share) => Budget::Share(share),
        None => Budget::Tokens { tokens: r.integer("tokens") as u32, refill: r.rate("refill").unwrap_or(0.0) },
    }
}

/// A circuit breaker.
pub(super) fn breaker(r: &Reader<'_>, key: &str) -> Option<Breaker> {
    let (name, policy) = r.policy(key, "breaker")?;
    let slow = policy.maybe_share("slow_rate").map(|rate| Slow { rate, after: policy.span("slow_after") });
    Some(Breaker {
        name,
        failure_rate: policy.share("failure_rate"),
        slow,
        window: window(policy.node("window")),
        min_calls: policy.integer("min_calls") as u32,
        open_for: policy.span("open_for"),
        trials: policy.integer("trials") as u32,
        scope: if policy.text("scope") == "service" { BreakerScope::Service } else { BreakerScope::Node },
        place: policy.key,
    })
}

fn window(node: Option<&Node>) -> BreakerWindow {
    match node.map(|node| &node.value) {
        Some(Value::Integer(calls)) => BreakerWindow::Calls(*calls as u32),
        Some(Value::Text(text)) => BreakerWindow::Time(kernel::Span(values::duration(text).expect(COMPLETE))),
        Some(Value::Float(_) | Value::Boolean(_) | Value::Date(_) | Value::Array(_) | Value::Table(_)) | None => {
            BreakerWindow::Calls(1)
        }
    }
}
