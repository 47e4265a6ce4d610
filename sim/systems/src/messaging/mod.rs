//! Messaging in the way of AMQP: queues, exchanges, consumers that compete, acknowledgements, dead letters.
//!
//! A [`Broker`] is a plain state machine whose handlers say their effects as a [`Role`] process: alone on a cluster, or
//! inside a bigger node through `kernel::Within`. The enclosing node hands it the messages and timers of `Part::Broker`,
//! its own records at the start, and names its own frame again afterwards: every handler leaves the frame at a message's.
//!
//! **What is written, and when.** Of a transient queue, nothing. Of a durable one:
//!
//! | what happens | record | what waits for it |
//! |---|---|---|
//! | a letter is published | `Stored`, one for all its queues | it is accepted, and confirmed |
//! | it is delivered, where `max_deliveries` counts | `Delivered` | the delivery |
//! | it is acknowledged, expires, is dropped | `Gone` | it leaves: until then it counts and holds its key |
//! | it is dead-lettered | `Stored`, with where it comes from | it leaves here and is accepted there, at once |
//!
//! So what a queue holds, and its figures, are at every instant what the log says, and a crash changes nothing of it: the
//! messages lie on the disk of a machine that is down. After a restart everything that was in flight is ready again, and
//! settlements of deliveries of the life before are stale.
//!
//! **The identity** ready + in flight = accepted − acknowledged − expired − dead-lettered − dropped holds after every change
//! that is told. The left are lengths (`queue`), the right counts (`Figure`). What a crash of its broker takes from a
//! transient queue is lost uncounted by the broker, which no longer knows it: all figures of that queue go to zero in one
//! change, and each message it held is an open sample of `age` that is cut short; a recorder counts these as dropped.
//!
//! **Delivery** is at least once. Publishers publish again until they are answered; the broker does not know a letter again;
//! consumers recognise it by its id.
//!
//! Logs that many read are in [`topics`].

mod alone;
mod broker;
mod consumer;
mod delivery;
mod lines;
mod mutant;
mod plan;
mod queue;
mod recovery;
mod removal;
mod routing;
mod storing;
pub mod topics;
mod wire;

#[cfg(test)]
mod tests;

pub use alone::{Cast, Job, Order, Play, Publisher, Role, Worker};
pub use broker::{Broker, Chance, Held, Trouble};
pub use consumer::Subscriber;
pub use mutant::Mutant;
pub use plan::{
    AtRest, Cells, ConsumerPlan, DeadLetter, Destination, Durability, End, ExchangePlan, Figure, Latency, Ordering,
    Overflow, Plan, Points, QueuePlan, Series,
};
pub use routing::{Binding, Exchange, ExchangeKind, resolve};
pub use wire::{
    Confirm, KINDS, Letter, Message, Output, Part, Payload, Place, Record, Settlement, Tag, Timer, Verdict, owed,
};
