//! What each sort of message is to a story.

use super::story::Mood;
use super::tale::{Says, Went};

/// What a message is to a story.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nature {
    /// Whoever says it waits for an answer.
    pub(super) waits: bool,
    /// Whether it is what the other one hoped for.
    pub(super) mood: Mood,
    /// How much it says; the more the likelier it is told.
    pub(super) weight: u8,
}

/// What a message is.
pub(super) const fn nature(says: Says) -> Nature {
    let (waits, mood, weight) = match says {
        Says::Request { .. } | Says::StoreAsk(_) | Says::Decision { .. } | Says::Begin => (true, Mood::Plain, 6),
        Says::Deliver { .. } | Says::Prepare | Says::InDoubt => (true, Mood::Plain, 5),
        Says::Script | Says::BeginSaga(_) => (true, Mood::Plain, 3),
        Says::Remember | Says::MarkSaga(_) => (true, Mood::Plain, 2),
        Says::Reply(Went::Well) => (false, Mood::Good, 4),
        Says::Reply(Went::Failed(_)) => (false, Mood::Bad, 4),
        Says::Data(Went::Well)
        | Says::Vote(Some(true))
        | Says::Published(_)
        | Says::StoreAnswer(_)
        | Says::Acknowledge => (false, Mood::Good, 2),
        Says::Data(Went::Failed(_))
        | Says::Vote(Some(false))
        | Says::ElectVote { granted: false, .. }
        | Says::Copied { refused: true, .. } => (false, Mood::Bad, 2),
        Says::Publish(_) | Says::PublishTopic(_) => (false, Mood::Plain, 5),
        Says::Elect { .. } | Says::Put { .. } | Says::PeerKnows { .. } => (false, Mood::Plain, 4),
        Says::Append { .. } | Says::Get { .. } => (false, Mood::Plain, 3),
        Says::FreeRows
        | Says::Outbox
        | Says::Renew
        | Says::Known
        | Says::Locked
        | Says::DataNews(_)
        | Says::Vote(None)
        | Says::Settle { .. }
        | Says::Fetched { .. }
        | Says::Elsewhere(_)
        | Says::ElectVote { granted: true, .. }
        | Says::Copied { refused: false, .. }
        | Says::QuorumRow(_)
        | Says::Own(_)
        | Says::Other => (false, Mood::Plain, 2),
    };
    Nature { waits, mood, weight }
}
