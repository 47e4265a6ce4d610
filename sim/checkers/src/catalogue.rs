//! What can be asked of a history, by name: a model says what the object does, a consistency what clients may see of it.
//!
//! Names are written with `-` or `_`. What stands after a `:` in the name of a consistency is a remark, except with
//! `bounded-staleness`, where it is the bound.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::history::{Event, History, Judgement, Orphans, Refusal, Value};
use crate::ledgers::{self, delivery::Promise, staleness::Bound};
use crate::linearizable::{self, Budget};
use crate::models::kv;
use crate::models::{Append, Cas, Counter, Kv, MultiRegister, Mutex, Queue, Register, Set, Spec};
use crate::sequential;
use crate::sessions::{self, AtFirst, Guarantee};

/// A model.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Model {
    /// `read`, `write`.
    Register,
    /// `read`, `write`, `cas`.
    CasRegister,
    /// Registers under keys.
    Kv,
    /// Texts under keys, that grow.
    KvAppend,
    /// Registers that are read and written together.
    MultiRegister,
    /// First in, first out.
    Queue,
    /// A set.
    Set,
    /// A set that is read all the time.
    SetFull,
    /// A lock.
    Mutex,
    /// A counter.
    Counter,
    /// Accounts.
    Bank,
    /// A queue that is drained at the end.
    TotalQueue,
    /// Numbers given out.
    UniqueIds,
    /// Keys written once, read several at a time.
    LongFork,
    /// Leaders and terms.
    Leader,
}

/// What clients may see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Consistency {
    /// One order that keeps to real time.
    Linearizable,
    /// One order that keeps to that of each process.
    Sequential,
    /// One of the session guarantees.
    Session(Guarantee),
    /// At most so far behind.
    BoundedStaleness(Bound),
    /// What was acknowledged is there at the end.
    DurableAcks,
    /// Replicas are equal at the end.
    Convergence,
    /// Reads between what must and what may have been added.
    Bounds,
    /// The last read has what was added.
    Set,
    /// Reads find what is known to be there.
    SetFull,
    /// The sum of all balances stays.
    Conservation,
    /// A promise of delivery.
    Delivery(Promise),
    /// None twice.
    UniqueIds,
    /// Reads agree on the order of writes.
    LongFork,
    /// One leader per term.
    OneLeaderPerTerm,
}

/// Models: name, model, what is asked of it without a consistency.
const MODELS: [(&str, Model, Consistency); 15] = [
    ("register", Model::Register, Consistency::Linearizable),
    ("cas-register", Model::CasRegister, Consistency::Linearizable),
    ("kv", Model::Kv, Consistency::Linearizable),
    ("kv-append", Model::KvAppend, Consistency::Linearizable),
    ("multi-register", Model::MultiRegister, Consistency::Linearizable),
    ("queue", Model::Queue, Consistency::Linearizable),
    ("set", Model::Set, Consistency::Linearizable),
    ("set-full", Model::SetFull, Consistency::SetFull),
    ("mutex", Model::Mutex, Consistency::Linearizable),
    ("counter", Model::Counter, Consistency::Linearizable),
    ("bank", Model::Bank, Consistency::Conservation),
    ("total-queue", Model::TotalQueue, Consistency::Delivery(Promise::NoLoss)),
    ("unique-ids", Model::UniqueIds, Consistency::UniqueIds),
    ("long-fork", Model::LongFork, Consistency::LongFork),
    ("leader", Model::Leader, Consistency::OneLeaderPerTerm),
];

/// Consistencies that need no bound. Those with several names have the usual one first.
const CONSISTENCIES: [(&str, Consistency); 24] = [
    ("linearizable", Consistency::Linearizable),
    ("sequential", Consistency::Sequential),
    ("read-your-writes", Consistency::Session(Guarantee::ReadYourWrites)),
    ("monotonic-reads", Consistency::Session(Guarantee::MonotonicReads)),
    ("monotonic-writes", Consistency::Session(Guarantee::MonotonicWrites)),
    ("writes-follow-reads", Consistency::Session(Guarantee::WritesFollowReads)),
    ("durable-acks", Consistency::DurableAcks),
    ("convergence", Consistency::Convergence),
    ("bounds", Consistency::Bounds),
    ("set", Consistency::Set),
    ("set-full", Consistency::SetFull),
    ("conservation", Consistency::Conservation),
    ("bank", Consistency::Conservation),
    ("unordered-queue", Consistency::Delivery(Promise::NothingElse)),
    ("total-queue", Consistency::Delivery(Promise::NoLoss)),
    ("no-loss", Consistency::Delivery(Promise::NoLoss)),
    ("at-least-once", Consistency::Delivery(Promise::NoLoss)),
    ("at-most-once", Consistency::Delivery(Promise::AtMostOnce)),
    ("exactly-once", Consistency::Delivery(Promise::ExactlyOnce)),
    ("fifo", Consistency::Delivery(Promise::Fifo)),
    ("unique-ids", Consistency::UniqueIds),
    ("long-fork", Consistency::LongFork),
    ("no-long-fork", Consistency::LongFork),
    ("one-leader-per-term", Consistency::OneLeaderPerTerm),
];

/// The model of this name; else, which there are.
pub fn model(name: &str) -> Result<Model, String> {
    let plain = name.replace(['_', ' '], "-");
    MODELS.iter().find(|(known, ..)| *known == plain).map(|(_, model, _)| *model).ok_or_else(|| {
        let names: Vec<&str> = MODELS.iter().map(|(name, ..)| *name).collect();
        format!("there is no model `{name}`; there are {}", names.join(", "))
    })
}

/// What is asked of a model without a consistency.
pub fn usual(model: Model) -> Consistency {
    MODELS.iter().find(|(_, known, _)| *known == model).map_or(Consistency::Linearizable, |(_, _, usual)| *usual)
}

/// The consistency of this name; else, which there are.
pub fn consistency(name: &str) -> Result<Consistency, String> {
    let (plain, remark) = name.split_once(':').unwrap_or((name, ""));
    let plain = plain.trim().replace(['_', ' '], "-");
    if plain == "bounded-staleness" {
        return bound(remark.trim()).map(Consistency::BoundedStaleness).ok_or_else(|| {
            "the bound is a number of versions or a time: bounded-staleness:3, bounded-staleness:500ms".into()
        });
    }
    CONSISTENCIES.iter().find(|(known, _)| *known == plain).map(|(_, consistency)| *consistency).ok_or_else(|| {
        let names: Vec<&str> = CONSISTENCIES.iter().map(|(name, _)| *name).collect();
        format!("there is no consistency `{plain}`; there are {}, bounded-staleness:BOUND", names.join(", "))
    })
}

fn bound(text: &str) -> Option<Bound> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let unit: u64 = match unit {
        "" | "versions" => return Some(Bound::Versions(number)),
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        _ => return None,
    };
    number.checked_mul(unit).map(Bound::Nanoseconds)
}

/// Whether every end must have a beginning: judges that only count values can do without.
pub const fn orphans(consistency: Consistency) -> Orphans {
    match consistency {
        Consistency::Set | Consistency::Delivery(_) | Consistency::UniqueIds | Consistency::LongFork => {
            Orphans::Counted
        }
        Consistency::Linearizable
        | Consistency::Sequential
        | Consistency::Session(_)
        | Consistency::BoundedStaleness(_)
        | Consistency::DurableAcks
        | Consistency::Convergence
        | Consistency::Bounds
        | Consistency::SetFull
        | Consistency::Conservation
        | Consistency::OneLeaderPerTerm => Orphans::Refused,
    }
}

/// A question to a history.
#[derive(Clone, PartialEq, Debug)]
pub struct Question {
    /// What the object does.
    pub model: Model,
    /// What clients may see.
    pub consistency: Consistency,
    /// What objects hold at first; without it what the model has by itself.
    pub initial: Option<Value>,
    /// What may be spent.
    pub budget: Budget,
}

/// Pairs the events of a history and judges it.
pub fn judge(
    events: &[Event],
    dialect: crate::history::Dialect,
    question: &Question,
) -> Result<(History, Judgement), Refusal> {
    let history = History::new(events, dialect, orphans(question.consistency))?;
    let judgement = ask(&history, question)?;
    Ok((history, judgement))
}

/// Judges a history.
pub fn ask(history: &History, question: &Question) -> Result<Judgement, Refusal> {
    let (consistency, budget) = (question.consistency, question.budget);
    let refuse = |what: String| Err(Refusal { line: 0, what });
    // Of a map the key may stand in the value: for judges of registers it stands apart.
    let by_key = |history| {
        if matches!(question.model, Model::Kv | Model::KvAppend) { kv::by_key(history) } else { Cow::Borrowed(history) }
    };
    let initial = || question.initial.clone().unwrap_or_default();
    let number = || match &question.initial {
        None => Ok(0),
        Some(value) => {
            value.int().ok_or_else(|| Refusal { line: 0, what: format!("`--init {value}` is no whole number") })
        }
    };
    match (question.model, consistency) {
        (_, Consistency::Linearizable | Consistency::Sequential) => ordered(history, question),
        (Model::Register | Model::CasRegister | Model::Kv | Model::MultiRegister, Consistency::Session(guarantee)) => {
            let at_first = match (question.model, &question.initial) {
                (Model::MultiRegister, None) => AtFirst::NothingOrZero,
                (Model::MultiRegister, Some(Value::Map(each))) => AtFirst::Each(each.to_vec()),
                (_, _) => AtFirst::Everywhere(initial()),
            };
            sessions::check(&by_key(history), &at_first, guarantee, budget)
        }
        (Model::Register | Model::CasRegister | Model::Kv, Consistency::BoundedStaleness(bound)) => {
            ledgers::each(&by_key(history), |operations| {
                ledgers::staleness::bounded(operations, &initial(), history.dialect.nil_read, bound)
            })
        }
        (Model::Register | Model::CasRegister | Model::Kv, Consistency::DurableAcks) => {
            ledgers::each(&by_key(history), |operations| {
                ledgers::durability::acknowledged(operations, &initial(), history.dialect.nil_read)
            })
        }
        (Model::Set | Model::SetFull, Consistency::DurableAcks | Consistency::Set) => {
            ledgers::each(history, ledgers::set::last_read)
        }
        (Model::Set | Model::SetFull, Consistency::SetFull) => ledgers::each(history, ledgers::set_full::every_read),
        (
            Model::Register
            | Model::CasRegister
            | Model::Kv
            | Model::KvAppend
            | Model::MultiRegister
            | Model::Set
            | Model::SetFull
            | Model::Counter
            | Model::Queue,
            Consistency::Convergence,
        ) => ledgers::each(&by_key(history), |operations| {
            ledgers::convergence::at_the_end(operations, history.dialect.nil_read)
        }),
        (Model::Counter, Consistency::Bounds) => {
            let initial = number()?;
            ledgers::each(history, |operations| ledgers::counter::bounds(operations, initial))
        }
        (Model::Bank, Consistency::Conservation) => {
            let total = question.initial.is_some().then(number).transpose()?;
            ledgers::whole(history, |operations| ledgers::bank::conservation(operations, total))
        }
        (Model::Queue | Model::TotalQueue, Consistency::Delivery(promise)) => {
            ledgers::each(history, |operations| ledgers::delivery::judge(operations, promise))
        }
        (Model::UniqueIds, Consistency::UniqueIds) => ledgers::whole(history, ledgers::unique_ids::once_each),
        (Model::LongFork, Consistency::LongFork) => ledgers::whole(history, ledgers::long_fork::none),
        (Model::Leader, Consistency::OneLeaderPerTerm) => ledgers::whole(history, ledgers::leaders::one_per_term),
        (model, consistency) => refuse(format!("{} cannot be asked of model {}", told(consistency), name(model))),
    }
}

fn ordered(history: &History, question: &Question) -> Result<Judgement, Refusal> {
    let initial = question.initial.clone();
    let refuse = |what: String| Err(Refusal { line: 0, what });
    match question.model {
        Model::Register => by(&Register { initial: initial.unwrap_or_default(), cas: Cas::Unknown }, history, question),
        Model::CasRegister => {
            by(&Register { initial: initial.unwrap_or_default(), cas: Cas::Allowed }, history, question)
        }
        Model::Kv => by(&Kv { initial: initial.unwrap_or_default() }, history, question),
        Model::KvAppend => {
            let initial = initial.unwrap_or_else(|| Value::text(""));
            match initial.as_text() {
                Some(text) => by(&Append { initial: text.into() }, history, question),
                None => refuse(format!("`--init {initial}` is no text")),
            }
        }
        Model::MultiRegister => {
            let otherwise = initial.unwrap_or(Value::Int(0));
            let initial = otherwise.entries().map(|entries| entries.iter().cloned().collect::<BTreeMap<_, _>>());
            match initial {
                Some(initial) => by(&MultiRegister { initial, otherwise: Value::Nil }, history, question),
                None => by(&MultiRegister { initial: BTreeMap::new(), otherwise }, history, question),
            }
        }
        Model::Queue => by(&Queue, history, question),
        Model::Set | Model::SetFull => by(&Set::of(history), history, question),
        Model::Mutex => by(&Mutex, history, question),
        Model::Counter => {
            let initial = initial.unwrap_or(Value::Int(0));
            match initial.int() {
                Some(initial) => by(&Counter { initial }, history, question),
                None => refuse(format!("`--init {initial}` is no whole number")),
            }
        }
        model @ (Model::Bank | Model::TotalQueue | Model::UniqueIds | Model::LongFork | Model::Leader) => {
            refuse(format!("{} cannot be asked of model {}", told(question.consistency), name(model)))
        }
    }
}

fn by<S: Spec>(spec: &S, history: &History, question: &Question) -> Result<Judgement, Refusal> {
    if question.consistency == Consistency::Sequential {
        sequential::check(spec, history, question.budget)
    } else {
        linearizable::check(spec, history, question.budget)
    }
}

/// The name of a model.
pub fn name(model: Model) -> &'static str {
    MODELS.iter().find(|(_, known, _)| *known == model).map_or("", |(name, ..)| name)
}

/// The usual name of a consistency.
pub fn told(consistency: Consistency) -> String {
    match (CONSISTENCIES.iter().find(|(_, known)| *known == consistency), consistency) {
        (Some((name, _)), _) => (*name).into(),
        (None, Consistency::BoundedStaleness(Bound::Versions(most))) => format!("bounded-staleness:{most}"),
        (None, Consistency::BoundedStaleness(Bound::Nanoseconds(most))) => format!("bounded-staleness:{most}ns"),
        (None, other) => format!("{other:?}"),
    }
}
