//! What steps name: callees, error words, places for messages; and which verbs stand where.

use super::super::diagnostic::Diagnostic;
use super::super::nearest::{listed, nearest};
use super::super::values::clip;
use super::{Checker, find, names};
use crate::model::{At, Call, Otherwise, Step, Verb};

/// Where a step stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing<'a> {
    /// The service it runs in; the steps of `[transactions.*]` run in none.
    pub(super) service: Option<&'a str>,
    /// Within a local `transaction`.
    pub(super) in_transaction: bool,
}

impl<'a> Checker<'a> {
    pub(super) fn steps(&mut self, steps: &'a [Step], standing: Standing<'a>) {
        for step in steps {
            self.step(step, standing);
        }
    }

    fn step(&mut self, step: &'a Step, standing: Standing<'a>) {
        let verb = &step.verb;
        if let Verb::Fail(word) = verb {
            self.error_word(word);
        }
        if let Verb::Call(call) = verb {
            self.callee(call);
        }
        if let Verb::Consult(asked) = verb {
            self.consult(asked);
        }
        if let Some(row) = verb.row() {
            let told = self.broken(&[&format!("{}.set", step.path)]);
            self.row(row, standing.service, (!told).then_some(verb));
        }
        if let Verb::Scan(scan) = verb {
            self.map(&scan.item, standing.service);
        }
        if let Some(message) = verb.message() {
            self.destination(&message.to, "publish to");
        }
        if let Some(Otherwise::Word(word)) = verb.otherwise() {
            self.error_word(word);
        }
        let sent = if let Verb::Call(call) = verb { Some(&call.with) } else { verb.message().map(|m| &m.with) };
        let set = verb.into_variable().into_iter().chain(sent.into_iter().flatten().map(|(name, _)| name));
        for variable in set {
            self.not_built_in(variable);
        }
        self.standing(step, standing);
        let inner = Standing {
            in_transaction: standing.in_transaction || matches!(verb, Verb::Transaction { .. }),
            ..standing
        };
        // The `else` of a transaction comes when nothing of it remains: it stands outside.
        let after =
            if let Verb::Transaction { otherwise: Otherwise::Steps(steps), .. } = verb { steps.len() } else { 0 };
        for (n, steps) in verb.within().into_iter().enumerate() {
            self.steps(steps, if n == 1 && after > 0 { standing } else { inner });
        }
    }

    /// A local transaction is one instant: nothing in it waits. And an outbox is written in one.
    fn standing(&mut self, step: &'a Step, standing: Standing<'a>) {
        let instant = match &step.verb {
            Verb::Work(_)
            | Verb::Sleep(_)
            | Verb::Call(_)
            | Verb::Reply(_)
            | Verb::Transaction { .. }
            | Verb::Consult(_)
            | Verb::Publish(_) => false,
            Verb::Fail(_)
            | Verb::When { .. }
            | Verb::Repeat { .. }
            | Verb::Insert(_)
            | Verb::Update(_)
            | Verb::Upsert(_)
            | Verb::Delete(_)
            | Verb::Read(_)
            | Verb::Scan(_)
            | Verb::Write { .. }
            | Verb::Append { .. }
            | Verb::Remove { .. }
            | Verb::Outbox(_) => true,
        };
        let word = step.verb.word();
        if standing.in_transaction && !instant {
            let label = match word {
                "transaction" => "its steps are in one already",
                "reply" => "nobody is answered before it is committed",
                _ => "a local transaction is one instant, and this takes time",
            };
            let help = match word {
                "publish" => "what must happen with the transaction is `outbox = …`",
                _ => "write it before or after the transaction",
            };
            let error = Diagnostic::error(step.place, format!("`{word}` cannot stand in a transaction"), label);
            self.errors.push(error.help(help));
        }
        let Some(message) = step.verb.message().filter(|_| word == "outbox") else { return };
        if !standing.in_transaction {
            let label = "`outbox` writes a message with what a transaction changes";
            let error = Diagnostic::error(step.place, "`outbox` stands outside of a transaction", label);
            self.errors.push(error.help("`{ transaction = [ … ] }`, or `publish` to send it at once"));
        }
        let owner = standing.service.and_then(|name| find(&self.model.services, name));
        if let Some((name, service)) = owner
            && service.outbox.is_none()
            && !self.broken(&[&format!("services.{}.outbox", name.value)])
        {
            let message_text = format!("`{}` has no `outbox`", name.value);
            let label = "how do its messages leave?";
            let error = Diagnostic::error(message.to.place, message_text, label).also(name.place, "this service");
            self.errors.push(error.help("for example `outbox = { relay = \"poll\" }`"));
        }
    }

    /// Business errors must not be called like system errors.
    fn error_word(&mut self, word: &At<String>) {
        let system =
            ["timeout", "unavailable", "overload", "breaker_open", "no_leader", "not_enough_replicas", "corrupt"];
        if system.contains(&word.value.as_str()) {
            let label = "system errors happen, they are not chosen; business errors have words of their own";
            self.errors.push(Diagnostic::error(word.place, format!("`{}` is a system error", word.value), label));
        }
    }

    pub(super) fn callee(&mut self, call: &'a Call) {
        let target = &call.target;
        let Some((first, second)) = target.value.split_once('.') else {
            return self.whole_service(target);
        };
        let rest = first.len() + 1..target.value.len();
        if first == "sagas" {
            if find(&self.model.sagas, second).is_none() {
                let at = At { value: second.to_owned(), place: self.inside(target, &rest) };
                self.unknown_in(&at, "saga", &self.model.sagas);
            }
            return;
        }
        if first == "transactions" {
            if find(&self.model.transactions, second).is_none() {
                let at = At { value: second.to_owned(), place: self.inside(target, &rest) };
                self.unknown_in(&at, "transaction", &self.model.transactions);
            }
            return;
        }
        let Some((name, service)) = find(&self.model.services, first) else {
            let at = At { value: first.to_owned(), place: self.inside(target, &(0..first.len())) };
            return self.unknown_in(&at, "service", &self.model.services);
        };
        if find(&service.ops, second).is_none() && !self.broken(&[&format!("services.{first}.ops")]) {
            let at = self.inside(target, &rest);
            let what = format!("op of `{first}` called");
            let label = format!("`{first}` has {}", listed(names(&service.ops), 12));
            let near = nearest(second, names(&service.ops)).map(|near| format!("did you mean `{first}.{near}`?"));
            let error = Diagnostic::error(at, format!("there is no {what} `{}`", clip(second)), label);
            self.errors.push(error.also(name.place, "this service").maybe_help(near));
        }
    }

    /// A service without an op's name: it must have one op.
    fn whole_service(&mut self, target: &'a At<String>) {
        let Some((name, service)) = find(&self.model.services, &target.value) else {
            if let Some((at, _)) = find(&self.model.transactions, &target.value) {
                let message = format!("there is no service `{}`", target.value);
                let error = Diagnostic::error(target.place, message, "a transaction goes by its path");
                let error = error.also(at.place, "this transaction");
                self.errors.push(error.help(format!("\"transactions.{}\"", target.value)));
                return;
            }
            let sections =
                [names_in(&self.model.queues), names_in(&self.model.topics), names_in(&self.model.exchanges)];
            if sections.iter().any(|names| names.contains(&target.value.as_str())) {
                let message = format!("there is no service `{}`", target.value);
                let error = Diagnostic::error(target.place, message, "messages are published, not called");
                self.errors.push(error.help(format!("`publish = \"{}\"`", target.value)));
                return;
            }
            return self.unknown_in(target, "service", &self.model.services);
        };
        let path = format!("services.{}", target.value);
        if service.ops.len() == 1 || self.broken(&[&path]) || self.broken.iter().any(|b| b.starts_with(&path)) {
            return;
        }
        let error = if service.ops.is_empty() {
            Diagnostic::error(target.place, format!("`{}` has no ops", target.value), "nothing can be asked of it")
        } else {
            let label = format!("it has {}", listed(names(&service.ops), 12));
            let first = &service.ops[0].0.value;
            let message = format!("which op of `{}`?", target.value);
            Diagnostic::error(target.place, message, label).help(format!("for example \"{}.{first}\"", target.value))
        };
        self.errors.push(error.also(name.place, "this service"));
    }
}

fn names_in<T>(named: &crate::model::Named<T>) -> Vec<&str> {
    names(named).collect()
}
