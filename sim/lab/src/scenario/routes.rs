//! Where messages go: who can be handed what is sent to a queue, an exchange or a topic.

use crate::model::{Binding, Destination, DestinationKind, Model, SagaStyle};

/// Who takes a message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Receiver<'a> {
    /// A consumer: its service, its name.
    Consumer(&'a str, &'a str),
    /// A saga.
    Saga(&'a str),
}

/// Queues, exchanges and topics that a message sent there may come through. Routing keys are not looked at, and it may
/// die and go where dead letters go.
pub(super) fn places<'a>(model: &'a Model, kind: DestinationKind, name: &'a str) -> Vec<(DestinationKind, &'a str)> {
    let mut found = vec![(kind, name)];
    let mut next = 0;
    while let Some(&(kind, name)) = found.get(next) {
        next += 1;
        let bound = |bindings: &[Binding]| bindings.iter().any(|binding| binding.exchange.value == name);
        let mut further: Vec<(DestinationKind, &str)> = Vec::new();
        match kind {
            DestinationKind::Topic => {}
            DestinationKind::Exchange => {
                let queues = model.queues.iter().filter(|(_, queue)| bound(&queue.bindings));
                further.extend(queues.map(|(name, _)| (DestinationKind::Queue, name.value.as_str())));
                let exchanges = model.exchanges.iter().filter(|(_, exchange)| bound(&exchange.bindings));
                further.extend(exchanges.map(|(name, _)| (DestinationKind::Exchange, name.value.as_str())));
            }
            DestinationKind::Queue => {
                let queue = model.queues.iter().find(|(own, _)| own.value == name);
                let dead = queue.and_then(|(_, queue)| queue.dead_letter.as_ref());
                further.extend(dead.map(|dead| (dead.to.kind, dead.to.name.as_str())));
            }
        }
        for place in further {
            if !found.contains(&place) {
                found.push(place);
            }
        }
    }
    found
}

/// Everyone who may be handed a message that is sent there.
pub(super) fn receivers<'a>(model: &'a Model, to: &'a Destination) -> Vec<Receiver<'a>> {
    let places = places(model, to.kind, &to.name);
    let mut found = Vec::new();
    for (service, body) in &model.services {
        for (name, consumer) in &body.consumers {
            if places.contains(&(consumer.from.kind, consumer.from.name.as_str())) {
                found.push(Receiver::Consumer(&service.value, &name.value));
            }
        }
    }
    for (name, saga) in &model.sagas {
        let triggered = saga.trigger.as_ref().is_some_and(|t| places.contains(&(t.from.kind, t.from.name.as_str())));
        let topic = saga.topic.as_ref().filter(|_| saga.style == SagaStyle::Choreographed);
        let told = topic.is_some_and(|topic| places.contains(&(DestinationKind::Topic, topic.value.as_str())));
        if triggered || told {
            found.push(Receiver::Saga(&name.value));
        }
    }
    found
}
