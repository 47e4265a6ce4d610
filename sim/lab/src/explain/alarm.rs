//! Timers that say that something did not come.

use kernel::NodeId;
use systems::app::machine::Timer;
use systems::commit::two_phase;
use systems::messaging;

use super::tale::call;

/// A timer that says that something did not come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Alarm {
    Timeout,
    Retry,
    VotesLate,
    AcksLate,
    LockLate,
    DecisionLate,
    StoreLate,
    StoreSilent,
    Unconfirmed,
    Unsettled,
}

/// What a timer says of something that did not come, and of which operation it says so itself.
pub(super) fn alarm(node: NodeId, timer: &Timer) -> (Option<(Alarm, Option<u64>)>, Option<u64>) {
    match *timer {
        Timer::Timeout { frame, token } => (Some((Alarm::Timeout, Some(call(node, frame, token)))), None),
        Timer::Retry { .. } => (Some((Alarm::Retry, None)), None),
        Timer::StoreLate { .. } => (Some((Alarm::StoreLate, None)), None),
        Timer::StoreSilent { .. } => (Some((Alarm::StoreSilent, None)), None),
        Timer::Unconfirmed { .. } => (Some((Alarm::Unconfirmed, None)), None),
        Timer::Mail(messaging::Timer::Unsettled { .. }) => (Some((Alarm::Unsettled, None)), None),
        Timer::Decided { transaction, .. } => (None, Some(transaction)),
        Timer::Commit(timer) => match timer {
            two_phase::Timer::VotesLate(of) => (Some((Alarm::VotesLate, None)), Some(of)),
            two_phase::Timer::AcksLate(of) => (Some((Alarm::AcksLate, None)), Some(of)),
            two_phase::Timer::LockLate(of) => (Some((Alarm::LockLate, None)), Some(of)),
            two_phase::Timer::DecisionLate(of) => (Some((Alarm::DecisionLate, None)), Some(of)),
            two_phase::Timer::Begun(of)
            | two_phase::Timer::Decided(of)
            | two_phase::Timer::Voted(of)
            | two_phase::Timer::Outcome(of) => (None, Some(of)),
            two_phase::Timer::Order(_) | two_phase::Timer::AnswerLate(_) => (None, None),
        },
        // What comes again and again works for nobody.
        Timer::Arrive
        | Timer::User(_)
        | Timer::Renew
        | Timer::Relay
        | Timer::Mail(messaging::Timer::Beat(_))
        | Timer::Keep(_) => (None, Some(0)),
        Timer::Resume { .. }
        | Timer::AskAgain { .. }
        | Timer::Durable(_)
        | Timer::Mail(
            messaging::Timer::Stored(_)
            | messaging::Timer::Gone { .. }
            | messaging::Timer::Due { .. }
            | messaging::Timer::Expire(_)
            | messaging::Timer::Order(_)
            | messaging::Timer::Done(_),
        )
        | Timer::Guest(_)
        | Timer::Topic(_)
        | Timer::ReadAgain { .. } => (None, None),
    }
}
