//! Choreographed sagas: each step becomes a consumer of the saga's topic with a little program. What it does, and why a crash
//! leaves nothing half done, stands in `systems::database`, file `choreography`.

use std::collections::BTreeSet;
use std::sync::Arc;

use kernel::{PointId, SagaFact};
use systems::app::plan;
use systems::app::plan::{Does, Instruction, Otherwise};
use systems::database::{Assignment, Effect, Home, Letter, Means, Script};
use systems::expression::{Program, Value as Worth};

use super::Compiler;
use super::sagas::until_done;
use super::scripts::Site;
use super::steps::surely_writes;
use crate::model::{
    At, Call, DestinationKind, Message, Place, Saga, SagaRecovery, SagaStep, TextPart, Value, Verb, all_steps,
};
use crate::scenario::Diagnostic;

/// Numbers of steps in inboxes, which are not those of consumers.
const INBOX: u32 = 1 << 16;
/// What a request says of the step that asks for it: the step below, which of its events above.
const EVENTS: u32 = 1 << 20;
/// Steps have a bit each.
const STEPS_MAX: usize = 64;

/// A saga that is being compiled.
struct Dance<'a> {
    index: u16,
    name: &'a str,
    saga: &'a Saga,
    /// Its topic, as messages are sent to it, and as it is read.
    to: (u16, u32),
    /// The service where it begins, and knows that it is over.
    home: &'a str,
    /// By step: the number that judges know it by. Those that complete the saga come first.
    numbers: Vec<u32>,
    /// How many these are.
    complete: u32,
}

impl<'a> Compiler<'a> {
    /// The steps that complete a saga, in their order: from the event that begins it on.
    pub(super) fn way(&mut self, saga: &Saga) -> Vec<usize> {
        let mut way: Vec<usize> = Vec::new();
        let mut event = saga.trigger.as_ref().and_then(|trigger| trigger.kind.as_ref()).map(|kind| &kind.value);
        while let Some(now) = event {
            let next: Vec<usize> =
                (0..saga.steps.len()).filter(|n| saga.steps[*n].on.iter().any(|on| on.value == *now)).collect();
            let Some(&first) = next.first() else { break };
            if let Some(second) = next.get(1) {
                self.not_yet(saga.steps[*second].place, "a saga with two steps on one event");
            }
            if way.contains(&first) {
                let message = "the events of a saga go in a circle";
                self.errors.push(Diagnostic::error(saga.steps[first].place, message, "it begins again here"));
                break;
            }
            way.push(first);
            event = saga.steps[first].emits.as_ref().map(|emits| &emits.value);
        }
        way
    }

    /// The service at whose database a choreographed saga begins and ends.
    pub(super) fn home_of(&self, saga: &Saga, way: &[usize]) -> Option<&'a str> {
        let last = || way.last().map(|n| service_of(&saga.steps[*n].action).to_owned());
        let home = saga.subject.as_ref().map(|subject| subject.owner.clone()).or_else(last)?;
        self.model.services.iter().find(|(name, _)| name.value == home).map(|(name, _)| name.value.as_str())
    }

    /// The numbers of steps for judges: those of the way first.
    pub(super) fn numbers(saga: &Saga, way: &[usize]) -> Vec<u32> {
        let mut next = way.len() as u32;
        let number = |n| {
            way.iter().position(|step| *step == n).map_or_else(
                || {
                    next += 1;
                    next - 1
                },
                |at| at as u32,
            )
        };
        (0..saga.steps.len()).map(number).collect()
    }

    /// Everything of a choreographed saga but what all sagas have.
    pub(super) fn choreographed(
        &mut self,
        index: u16,
        name: &'a At<String>,
        saga: &'a Saga,
        (way, kept_at): (&[usize], &[u32]),
    ) {
        let (Some(topic), Some(home)) = (&saga.topic, self.home_of(saga, way)) else { return };
        let Some(number) = self.model.topics.iter().position(|(known, _)| known.value == topic.value) else { return };
        let Some(kind) = self.beginning(name, saga, &topic.value, home) else { return };
        if saga.steps.len() > STEPS_MAX {
            self.not_yet(saga.steps[STEPS_MAX].place, "a choreographed saga of more than 64 steps");
            return;
        }
        let to = (self.model.queues.len() + self.model.exchanges.len() + number) as u16;
        let numbers = Self::numbers(saga, way);
        let complete = way.len() as u32;
        let dance = Dance { index, name: &name.value, saga, to: (to, number as u32), home, numbers, complete };
        if saga.subject.is_none() && saga.steps.iter().any(|s| s.emits.is_none() && service_of(&s.action) != home) {
            self.not_yet(name.place, "a choreographed saga without `subject` that ends in several services");
        }
        for n in 0..saga.steps.len() {
            for event in 0..saga.steps[n].on.len() {
                self.action(&dance, n, event);
            }
            if let Some(compensate) = &saga.steps[n].compensate {
                self.compensation(&dance, n, compensate);
            }
        }
        let over = self.freed(&dance, kept_at);
        let subject = saga.subject.as_ref().and_then(|subject| self.subject(home, &subject.item, subject.place));
        let service =
            self.model.services.iter().position(|(known, _)| known.value == home).expect("it was found above");
        if let Some(state) = &mut self.plan.services[service].state {
            Arc::make_mut(state).homes.push(Home { saga: index, to, kind, subject, over });
        }
    }

    /// The rows that a saga keeps are free when its home says that it is over: what it says.
    fn freed(&mut self, dance: &Dance<'_>, kept_at: &[u32]) -> Option<Letter> {
        if kept_at.is_empty() {
            return None;
        }
        let said = format!("sagas.{}#over", dance.name);
        for &service in kept_at {
            let name = self.model.services[service as usize].0.value.as_str();
            self.hears(dance, name, &said, Means::Frees);
        }
        Some(self.event(dance, &said))
    }

    /// A service commits what it hears of a saga.
    fn hears(&mut self, dance: &Dance<'_>, service: &str, said: &str, means: Means) {
        let effect = Effect { saga: dance.index, inbox: None, letters: Vec::new(), says: Vec::new(), means };
        let effect = self.effect(effect);
        let entry = self.plan.program.len() as u32;
        self.note(effect);
        self.plan.program.push(Instruction::Return);
        let kind = self.names.symbol(said);
        self.plan.hidden.insert(kind);
        self.reacts(dance, service, vec![kind], entry);
    }

    /// The type of the event that begins a saga, which only the outbox of its home sends.
    fn beginning(&mut self, name: &At<String>, saga: &Saga, topic: &str, home: &str) -> Option<u32> {
        let trigger = saga.trigger.as_ref();
        let Some((from, kind)) = trigger.and_then(|trigger| Some((&trigger.from, trigger.kind.as_ref()?))) else {
            let message = format!("`{}` never begins", name.value);
            let error = Diagnostic::error(name.place, message, "which event begins it?");
            self.errors.push(error.help("for example `trigger = { topic = \"trips\", type = \"requested\" }`"));
            return None;
        };
        if from.kind != DestinationKind::Topic || from.name != topic {
            self.not_yet(from.place, "a choreographed saga that does not begin in its own topic");
            return None;
        }
        let mut begins = false;
        for (service, s) in &self.model.services {
            let consumers = s.consumers.iter().map(|(_, consumer)| &consumer.steps);
            for step in s.ops.iter().map(|(_, op)| &op.steps).chain(consumers).flat_map(|steps| all_steps(steps)) {
                let Some(message) = step.verb.message().filter(|message| is_sent(message, topic, &kind.value)) else {
                    continue;
                };
                if !matches!(step.verb, Verb::Outbox(_)) || service.value != home {
                    let label = format!("only an `outbox` step of `{home}` can begin a `{}`", name.value);
                    let what = "the event that begins a saga, sent in another way,";
                    self.errors.push(Diagnostic::error(
                        message.to.place,
                        format!("{what} is not supported yet"),
                        label,
                    ));
                }
                begins = true;
            }
        }
        if !begins {
            let message = format!("nobody sends `{}`", kind.value);
            let label = format!("an `outbox` step of `{home}` begins a saga of this kind");
            self.errors.push(Diagnostic::error(kind.place, message, label));
        }
        Some(self.names.symbol(&kind.value))
    }

    /// The table of the subject, and the column of its status.
    fn subject(&mut self, home: &str, item: &str, place: Place) -> Option<(u16, u16)> {
        let table = self.table_of(home, home, item, place)?;
        let column = self.sorts.fields(home, item).iter().position(|(field, _)| *field == "status");
        if column.is_none() {
            let message = format!("rows of `{home}.{item}` have no `status`");
            let label = "a saga is over when that of its row is no longer what it was first";
            self.errors.push(Diagnostic::error(place, message, label));
        }
        Some((table, column? as u16))
    }

    /// What a step does about one of its events.
    fn action(&mut self, dance: &Dance<'_>, n: usize, event: usize) {
        let step = &dance.saga.steps[n];
        let (number, on) = (dance.numbers[n], &step.on[event]);
        let tag = 2 * (self.saga_steps(dance.index) + n as u32) + 1;
        let effect = |letters, says, means| Effect {
            saga: dance.index,
            inbox: dance.saga.inbox.then_some(INBOX + tag),
            letters,
            says,
            means,
        };
        let due = due(dance, &on.value);
        let emits = step.emits.iter().map(|emits| self.event(dance, &emits.value)).collect();
        let refusal = step.emits_on_failure.iter().map(|emits| self.event(dance, &emits.value)).collect();
        let mut done = vec![SagaFact::Done { step: number }];
        done.extend(step.pivot.then_some(SagaFact::Pivot));
        let means = Means::Step { completes: number < dance.complete, last: step.emits.is_none(), due };
        let nothing = Means::Step { completes: false, last: false, due: 0 };
        let asks = self.effect(effect(Vec::new(), vec![SagaFact::Intent { step: number }], Means::Asks));
        let done = self.effect(effect(emits, done, means));
        let failed = SagaFact::Failed { step: number, certain: true };
        let failed = self.effect(effect(refusal, vec![failed], nothing));
        let points = (self.plan.points.before_action, self.plan.points.after_action);
        let entry = self.plan.program.len() as u32;
        let mut action = step.action.clone();
        action.retry.get_or_insert_with(|| until_done(step.place));
        let Some(call) = self.reaction(dance, n, &action, (asks, done), (tag + EVENTS * event as u32, points)) else {
            return;
        };
        let certain = self.plan.program.len() as u32;
        self.note(failed);
        self.plan.program.push(Instruction::Return);
        // Nobody knows what it did: it is asked again, and its inbox tells.
        let unknown = self.plan.program.len() as u32;
        let unavailable = self.error("unavailable");
        self.plan.program.push(Instruction::Fail(unavailable));
        let site = &mut self.plan.calls[usize::from(call)];
        site.otherwise = Otherwise::Undo { certain, unknown };
        site.stubborn = dance.saga.recovery == SagaRecovery::Forward;
        let kind = self.names.symbol(&on.value);
        self.reacts(dance, service_of(&step.action), vec![kind], entry);
    }

    /// How a step is undone, and how the saga's home hears of it.
    fn compensation(&mut self, dance: &Dance<'_>, n: usize, compensate: &Call) {
        let step = &dance.saga.steps[n];
        let number = dance.numbers[n];
        let service = service_of(compensate);
        let found = self.model.services.iter().find(|(name, _)| name.value == service);
        if found.is_some_and(|(_, s)| s.outbox.is_none()) {
            let message = format!("`{service}` has no `outbox`");
            let label = "how is the saga told that this step is undone?";
            self.errors.push(Diagnostic::error(compensate.target.place, message, label));
        }
        let tag = 2 * (self.saga_steps(dance.index) + n as u32) + 2;
        let inbox = dance.saga.inbox.then_some(INBOX + tag);
        let effect = |letters, says, means| Effect { saga: dance.index, inbox, letters, says, means };
        let said = |what| format!("sagas.{}.{}#{what}", dance.name, step.name.value);
        let nothing = Means::Step { completes: false, last: false, due: 0 };
        let asks = self.effect(effect(Vec::new(), vec![SagaFact::Compensating { step: number }], Means::Asks));
        let undone = vec![self.event(dance, &said("undone"))];
        let undone = self.effect(effect(undone, vec![SagaFact::Compensated { step: number }], nothing));
        let stuck = vec![self.event(dance, &said("stuck"))];
        let stuck = self.effect(effect(stuck, Vec::new(), nothing));
        let points = (self.plan.points.before_compensate, self.plan.points.after_compensate);
        let entry = self.plan.program.len() as u32;
        let mut call = compensate.clone();
        let limited = call.retry.get_or_insert_with(|| until_done(step.place)).attempts.is_some();
        let Some(site) = self.reaction(dance, n, &call, (asks, undone), (tag, points)) else { return };
        let given_up = self.plan.program.len() as u32;
        self.note(stuck);
        self.plan.program.push(Instruction::Return);
        let unknown = self.plan.program.len() as u32;
        let unavailable = self.error("unavailable");
        self.plan.program.push(Instruction::Fail(unavailable));
        let site = &mut self.plan.calls[usize::from(site)];
        site.otherwise = Otherwise::Jump(if limited { given_up } else { unknown });
        site.stubborn = true;
        let kinds = step.compensate_on.iter().map(|on| self.names.symbol(&on.value)).collect();
        self.reacts(dance, service, kinds, entry);
        for (what, means) in [("undone", Means::Undone(number)), ("stuck", Means::GivenUp)] {
            self.hears(dance, dance.home, &said(what), means);
        }
    }

    /// The program of a step up to the end of the good way; gives its call.
    fn reaction(
        &mut self,
        dance: &Dance<'_>,
        n: usize,
        call: &Call,
        (asks, done): (u32, u32),
        (tag, points): (u32, (Option<PointId>, Option<PointId>)),
    ) -> Option<u16> {
        let service = service_of(call);
        let of = self.saga_steps(dance.index) + n as u32;
        self.asks(asks);
        self.moment(points.0, of);
        let number = self.call(Some(Site { service, path: "" }), call)?;
        let stored = self.stores(&call.target.value);
        let site = &mut self.plan.calls[usize::from(number)];
        (site.step, site.deadline, site.local) = (tag, false, true);
        self.moment(points.1, of);
        if stored {
            // It is committed with the last thing that the op does.
            self.plan.steps.insert(tag, done);
        } else {
            self.note(done);
        }
        self.plan.program.push(Instruction::Return);
        Some(number)
    }

    /// Whether an op always ends with a commit.
    fn stores(&self, target: &str) -> bool {
        let target = self.target_name(target);
        let Some((service, op)) = target.split_once('.') else { return false };
        let found = self.model.services.iter().find(|(name, _)| name.value == service);
        let found = found.and_then(|(_, s)| s.ops.iter().find(|(name, _)| name.value == op));
        found.is_some_and(|(_, op)| surely_writes(&op.steps))
    }

    fn asks(&mut self, effect: u32) {
        let script = Script { steps: Vec::new(), writes: false, result: Vec::new() };
        let at = self.query(script, false, Otherwise::Fail);
        self.plan.queries[usize::from(at)].effect = effect;
    }

    /// Commits an effect by itself.
    fn note(&mut self, effect: u32) {
        let script = Script { steps: Vec::new(), writes: true, result: Vec::new() };
        let at = self.query(script, true, Otherwise::Fail);
        self.plan.queries[usize::from(at)].effect = effect;
    }

    fn moment(&mut self, point: Option<PointId>, of: u32) {
        if let Some(point) = point {
            self.plan.moments.push((point, of));
            let at = (self.plan.moments.len() - 1) as u16;
            self.plan.program.push(Instruction::Point(at));
        }
    }

    /// The number of an effect.
    fn effect(&mut self, effect: Effect) -> u32 {
        let effects = Arc::make_mut(&mut self.plan.effects);
        effects.push(effect);
        effects.len() as u32
    }

    /// An event of the saga.
    fn event(&mut self, dance: &Dance<'_>, kind: &str) -> Letter {
        let kind = Program::constant(Worth::Text(self.names.symbol(kind)));
        Letter { to: dance.to.0, key: None, kind: Some(Assignment::Program(kind)), with: Vec::new() }
    }

    /// A service reads these events in its group of the saga.
    fn reacts(&mut self, dance: &Dance<'_>, service: &str, kinds: Vec<u32>, entry: u32) {
        let Some(number) = self.model.services.iter().position(|(name, _)| name.value == service) else { return };
        let (service, does) = (number as u32, Does::React(entry));
        let consumer = plan::Consumer { service, does, kinds, ack_first: false, inbox: false };
        let owner = &self.model.services[number].0.value;
        let group = format!("sagas.{}.{owner}", dance.name);
        self.reads_for_saga(dance.to.1, (owner, &group), dance.saga.place, consumer);
    }
}

/// The service of an op.
pub(super) fn service_of(call: &Call) -> &str {
    call.target.value.split('.').next().unwrap_or("")
}

/// The steps that are undone because of an event, or of those that follow from it: a bit for each.
fn due(dance: &Dance<'_>, event: &str) -> u64 {
    let mut events = BTreeSet::from([event]);
    loop {
        let heard = |step: &&SagaStep| step.on.iter().any(|on| events.contains(on.value.as_str()));
        let more: Vec<&str> = dance
            .saga
            .steps
            .iter()
            .filter(heard)
            .filter_map(|step| step.emits.as_ref())
            .map(|e| e.value.as_str())
            .collect();
        let before = events.len();
        events.extend(more);
        if events.len() == before {
            break;
        }
    }
    let undone = |step: &SagaStep| step.compensate_on.iter().any(|on| events.contains(on.value.as_str()));
    dance.saga.steps.iter().zip(&dance.numbers).filter(|(step, _)| undone(step)).map(|(_, number)| 1 << number).sum()
}

/// Whether this message goes to that topic with that type.
fn is_sent(message: &Message, topic: &str, kind: &str) -> bool {
    let said = match message.kind.as_ref().map(|kind| &kind.value) {
        Some(Value::Text(parts)) => match parts.as_slice() {
            [TextPart::Literal(word)] => word == kind,
            _ => true,
        },
        Some(Value::Integer(_) | Value::Truth(_) | Value::Variable(_) | Value::Expression(_)) => true,
        None => false,
    };
    message.to.kind == DestinationKind::Topic && message.to.name == topic && said
}
