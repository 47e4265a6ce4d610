//! Where an exchange leads: bindings are followed when a scenario is loaded, so that a broker only looks a key up.
//!
//! Patterns are those of AMQP 0-9-1: words with dots between them, `*` is exactly one word, `#` any number of words.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use kernel::{CellId, NodeId};

use super::plan::{Destination, ExchangePlan};

/// How an exchange routes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExchangeKind {
    /// To bindings with this very key.
    Direct,
    /// To bindings whose pattern fits the key.
    Topic,
    /// To all bindings.
    Fanout,
}

/// An exchange as it is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exchange<'a> {
    /// How it routes.
    pub kind: ExchangeKind,
    /// Where it lives.
    pub broker: NodeId,
    /// Counts messages that no queue wanted.
    pub unroutable: Option<CellId>,
    /// Who takes from it, and what.
    pub bindings: Vec<Binding<'a>>,
}

/// What an exchange hands on, to a queue or to another exchange.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Binding<'a> {
    /// The key or pattern; a fanout does not look at it.
    pub key: &'a str,
    /// Who takes it.
    pub to: Destination,
}

/// The tables of all exchanges. `keys` are all routing keys that can occur: the number that a letter bears, and its text.
/// Any other key, and none at all, is taken for the empty text. Exchanges may feed each other in a ring.
pub fn resolve(exchanges: &[Exchange<'_>], keys: &[(u64, &str)]) -> Vec<ExchangePlan> {
    let reach = |start: usize, key: &str| {
        let (mut queues, mut seen, mut open) = (BTreeSet::new(), BTreeSet::from([start]), alloc::vec![start]);
        while let Some(at) = open.pop() {
            let exchange = &exchanges[at];
            for binding in exchange.bindings.iter().filter(|binding| exchange.kind.takes(binding.key, key)) {
                match binding.to {
                    Destination::Queue(queue) => drop(queues.insert(queue)),
                    Destination::Exchange(next) if seen.insert(next as usize) => open.push(next as usize),
                    Destination::Exchange(_) => {}
                }
            }
        }
        queues.into_iter().collect::<Vec<u32>>()
    };
    let plan = |(start, exchange): (usize, &Exchange<'_>)| ExchangePlan {
        broker: exchange.broker,
        routes: keys.iter().map(|(number, text)| (*number, reach(start, text))).collect::<BTreeMap<_, _>>(),
        otherwise: reach(start, ""),
        unroutable: exchange.unroutable,
    };
    exchanges.iter().enumerate().map(plan).collect()
}

impl ExchangeKind {
    /// Whether a binding with `pattern` takes `key`.
    pub fn takes(self, pattern: &str, key: &str) -> bool {
        match self {
            Self::Direct => pattern == key,
            Self::Topic => {
                let words = |text: &'_ str| text.split('.').filter(|word| !word.is_empty()).count();
                let (mut pattern_words, mut key_words) = (Vec::with_capacity(words(pattern)), Vec::new());
                pattern_words.extend(pattern.split('.').filter(|word| !word.is_empty()));
                key_words.extend(key.split('.').filter(|word| !word.is_empty()));
                fits(&pattern_words, &key_words)
            }
            Self::Fanout => true,
        }
    }
}

/// One row per word of the pattern: which beginnings of the key it fits so far. Takes words of pattern × words of key steps.
fn fits(pattern: &[&str], key: &[&str]) -> bool {
    let mut fits: Vec<bool> = (0..=key.len()).map(|n| n == 0).collect();
    for word in pattern {
        let before = core::mem::take(&mut fits);
        fits.push(*word == "#" && before[0]);
        for n in 1..=key.len() {
            let next = match *word {
                "#" => fits[n - 1] || before[n],
                "*" => before[n - 1],
                word => before[n - 1] && word == key[n - 1],
            };
            fits.push(next);
        }
    }
    fits[key.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_amqp() {
        for (pattern, key, takes) in [
            ("order.created", "order.created", true),
            ("order.created", "order.created.late", false),
            ("payment.*", "payment.succeeded", true),
            ("payment.*", "payment", false),
            ("payment.*", "payment.card.failed", false),
            ("*.card.*", "payment.card.failed", true),
            ("#", "", true),
            ("#", "a.b.c", true),
            ("order.#", "order", true),
            ("order.#", "order.eu.paid", true),
            ("#.paid", "order.eu.paid", true),
            ("#.paid", "order.paid.eu", false),
            ("a.#.b.#.c", "a.x.b.y.b.c", true),
            ("a.#.b.#.c", "a.x.y.c", false),
            ("*", "", false),
        ] {
            assert_eq!(ExchangeKind::Topic.takes(pattern, key), takes, "{pattern} and {key}");
        }
        assert!(ExchangeKind::Direct.takes("a.*", "a.*") && !ExchangeKind::Direct.takes("a.*", "a.b"));
        assert!(ExchangeKind::Fanout.takes("a", "b"));
    }

    #[test]
    fn exchanges_feed_exchanges_and_a_queue_gets_a_message_once() {
        let exchange = |kind, bindings: &[(&'static str, Destination)]| Exchange {
            kind,
            broker: NodeId(0),
            unroutable: None,
            bindings: bindings.iter().map(|(key, to)| Binding { key, to: *to }).collect(),
        };
        let (queue, other) = (Destination::Queue, Destination::Exchange);
        let shop = exchange(
            ExchangeKind::Topic,
            &[("order.*.paid", queue(0)), ("order.eu.*", queue(1)), ("#.paid", queue(1)), ("#", other(1))],
        );
        let audit = exchange(ExchangeKind::Fanout, &[("", queue(2)), ("", other(0))]);
        let dead = exchange(ExchangeKind::Direct, &[("billing", queue(3))]);
        let keys = [(10, "order.eu.paid"), (11, "order.us.sent"), (12, "billing")];
        let plans = resolve(&[shop, audit, dead], &keys);
        let of = |exchange: usize, key: u64| plans[exchange].routes[&key].as_slice();
        assert_eq!((of(0, 10), of(0, 11)), (&[0, 1, 2][..], &[2][..]));
        assert_eq!(of(1, 10), [0, 1, 2], "round the ring");
        assert_eq!((of(2, 10), of(2, 12)), (&[][..], &[3][..]));
        assert_eq!((plans[0].otherwise.as_slice(), plans[2].otherwise.as_slice()), (&[2][..], &[][..]));
    }
}
