//! A process of somebody else's that plays the machines of a service.
//!
//! Whoever has written a protocol as a [`Process`] lets a scenario's callers ask it by [`Serve`]: requests come in, answers
//! are its outputs, behind the persist barrier like any. Its messages, timers and records travel within those of the
//! application with their types forgotten ([`Letter`], [`Noted`]), so network, disks, faults, statistics and judges treat
//! it as they treat what is built in. It costs a box per message; services that are not played this way pay nothing.

mod playing;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::fmt::Debug;

use kernel::{CellId, Delta, Digest, Disturbance, Effects, NodeId, Process, Route, SeriesId, Time};

use super::machine::Machine;
use super::message::{Reply, Request as Call};
use super::plan::Plan;
use crate::expression::{Value, VariableId};
use crate::variables::Variables;

/// A protocol that can be asked.
pub trait Serve:
    Process<
        Output = Answer,
        Plan: Send + Sync + 'static,
        Message: Send + Sync + 'static,
        Timer: Send + Sync + 'static,
        Record: Send + Sync + 'static,
    > + Send
    + Sync
    + 'static
{
    /// Names of the kinds of its messages, by [`kernel::Message::kind`].
    const KINDS: &'static [&'static str];

    /// Somebody asks. What is said here belongs to the frame of that operation unless another is named.
    fn on_request(&mut self, plan: &Self::Plan, now: Time, request: Request, out: &mut impl Effects<Self>);
}

/// What a request asks.
#[derive(Clone, Debug)]
pub struct Request {
    /// What an [`Answer`] to it must name; never the same twice on one machine while it lives.
    pub id: u64,
    /// The operation it is asked for: what its draws are keyed by.
    pub operation: u64,
    /// Which attempt, at which place of the call tree: differs between all requests of an operation.
    pub hop: u64,
    op: u32,
    variables: Variables,
    stage: Arc<Stage>,
}

impl Request {
    /// The op that is asked for: `acquire`.
    pub fn op(&self) -> &str {
        self.stage.ops.get(&self.op).map_or("", String::as_str)
    }

    /// A variable of the request; null if it is not set.
    ///
    /// # Panics
    /// If the scenario has no variable of this name.
    pub fn value(&self, name: &str) -> Value {
        let variable = self.stage.variables.iter().find(|(known, _)| known == name);
        let (_, variable) = variable.unwrap_or_else(|| panic!("no request of this scenario has a variable `{name}`"));
        self.variables.get(*variable)
    }

    /// A variable that holds a number; 0 if it is not set.
    ///
    /// # Panics
    /// If the scenario has no variable of this name, or it holds something else.
    pub fn number(&self, name: &str) -> i64 {
        match self.value(name) {
            Value::Int(number) => number,
            Value::Null => 0,
            value @ (Value::Bool(_) | Value::Text(_)) => panic!("`{name}` is {value:?}, no number"),
        }
    }
}

/// An answer: the output of a [`Serve`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The request's id.
    pub to: u64,
    /// What the op's `reply` says, if it says anything; or the word of the op's `fail`.
    pub result: Result<Option<Value>, &'static str>,
}

impl Answer {
    /// Done.
    pub const fn done(request: u64) -> Self {
        Self { to: request, result: Ok(None) }
    }

    /// Done, with a number: what the op's `reply` says.
    pub const fn number(request: u64, number: i64) -> Self {
        Self { to: request, result: Ok(Some(Value::Int(number))) }
    }

    /// Refused for a reason: a word that a `fail` of the op has. It is final, and had no effect.
    pub const fn refused(request: u64, word: &'static str) -> Self {
        Self { to: request, result: Err(word) }
    }
}

/// Where a process plays, as the scenario says.
#[derive(Clone, Debug, Default)]
pub struct Stage {
    /// The service.
    pub service: String,
    /// Its machines.
    pub nodes: Vec<NodeId>,
    /// The counters of its `state`, by name: what it notes there, promises of the file read.
    pub cells: BTreeMap<String, CellId>,
    /// Its ops, by number.
    pub ops: BTreeMap<u32, String>,
    /// The variables of requests.
    pub variables: Vec<(String, VariableId)>,
    /// Error words, by number.
    pub errors: Vec<String>,
    /// The number of the first kind of its messages.
    pub kinds_from: u8,
}

/// A message whose type is forgotten.
pub trait Letter: Debug + Send + Sync {
    /// Another one.
    fn copy(&self) -> Box<dyn Letter>;
    /// As [`kernel::Message`] says.
    fn route(&self) -> Route;
    /// As [`kernel::Message`] says.
    fn bytes(&self) -> u32;
    /// Its kind, among those of its protocol.
    fn kind(&self) -> u8;
    /// As [`kernel::Message`] says.
    fn background(&self) -> bool;
    /// As [`Digest`] says.
    fn digest(&self) -> u64;
    /// With its type again.
    fn open(self: Box<Self>) -> Box<dyn Any>;
}

impl<M: kernel::Message + Send + Sync + 'static> Letter for M {
    fn copy(&self) -> Box<dyn Letter> {
        Box::new(self.clone())
    }
    fn route(&self) -> Route {
        kernel::Message::route(self)
    }
    fn bytes(&self) -> u32 {
        kernel::Message::bytes(self)
    }
    fn kind(&self) -> u8 {
        kernel::Message::kind(self)
    }
    fn background(&self) -> bool {
        kernel::Message::background(self)
    }
    fn digest(&self) -> u64 {
        Digest::digest(self)
    }
    fn open(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// A letter on its way, with its kind among all of the application's.
#[derive(Debug)]
pub struct Sealed {
    /// The number of the first kind of its protocol.
    pub(super) kinds_from: u8,
    /// What it says.
    pub(super) letter: Box<dyn Letter>,
}

impl Clone for Sealed {
    fn clone(&self) -> Self {
        Self { kinds_from: self.kinds_from, letter: self.letter.copy() }
    }
}

/// Two are one if they say the same, as far as a digest tells.
impl PartialEq for Sealed {
    fn eq(&self, other: &Self) -> bool {
        self.letter.digest() == other.letter.digest() && self.letter.kind() == other.letter.kind()
    }
}

/// A record whose type is forgotten.
pub trait Noted: Debug + Send + Sync {
    /// As [`kernel::Record`] says.
    fn bytes(&self) -> u32;
    /// As [`Digest`] says.
    fn digest(&self) -> u64;
    /// With its type again.
    fn seen(&self) -> &dyn Any;
}

impl<R: kernel::Record + Send + Sync + 'static> Noted for R {
    fn bytes(&self) -> u32 {
        kernel::Record::bytes(self)
    }
    fn digest(&self) -> u64 {
        Digest::digest(self)
    }
    fn seen(&self) -> &dyn Any {
        self
    }
}

/// A record in a log.
#[derive(Clone, Debug)]
pub struct Entry(pub(super) Arc<dyn Noted>);

/// Two are one if they say the same, as far as a digest tells.
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.0.digest() == other.0.digest() && self.0.bytes() == other.0.bytes()
    }
}

/// What a guest's timer says, as a machine's timer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Alarm {
    /// The digest of what it says.
    pub(super) says: u64,
    /// It is finished work or a wake, of which there may be several; else a timer, of which an equal one replaces it.
    pub(super) each: bool,
}

/// One machine that is played.
pub trait Guest: Debug + Send + Sync {
    /// Another one in the same state.
    fn copy(&self) -> Box<dyn Guest>;
    /// As [`Process`] says.
    fn on_start(&mut self, plan: &Plan, now: Time, log: &[super::record::Record], out: &mut dyn Effects<Machine>);
    /// As [`Serve`] says.
    fn on_request(&mut self, plan: &Plan, now: Time, from: NodeId, call: Call, out: &mut dyn Effects<Machine>);
    /// As [`Process`] says.
    fn on_message(&mut self, plan: &Plan, now: Time, from: NodeId, letter: Sealed, out: &mut dyn Effects<Machine>);
    /// As [`Process`] says.
    fn on_timer(&mut self, plan: &Plan, now: Time, alarm: Alarm, out: &mut dyn Effects<Machine>);
    /// As [`Process`] says.
    fn on_reset(&mut self, plan: &Plan, now: Time, to: NodeId, letter: Sealed, out: &mut dyn Effects<Machine>);
    /// As [`Process`] says.
    fn on_disturbance(
        &mut self,
        plan: &Plan,
        now: Time,
        disturbance: (Disturbance, bool),
        out: &mut dyn Effects<Machine>,
    );
    /// As [`Process`] says.
    fn unfinished(&self) -> u64;
    /// As [`Process`] says.
    fn volatile_cells(&self, each: &mut dyn FnMut(CellId, u64, i64));
    /// As [`Process`] says.
    fn rows_on_disk(&self, each: &mut dyn FnMut(Delta));
    /// As [`Process`] says.
    fn open_samples(&self, each: &mut dyn FnMut(SeriesId, Time));
}

impl Clone for Box<dyn Guest> {
    fn clone(&self) -> Self {
        self.copy()
    }
}

/// Who makes the machines of a service that is played.
pub trait Host: Debug + Send + Sync {
    /// A machine with empty memory.
    fn boot(&self, me: NodeId) -> Box<dyn Guest>;
    /// As [`Process`] says.
    fn owed(&self, me: NodeId, log: &[super::record::Record]) -> u64;
}

/// Who makes machines of a protocol on this stage.
pub fn host<P: Serve>(plan: P::Plan, stage: Stage) -> Arc<dyn Host> {
    Arc::new(playing::Part::<P>::new(plan, stage))
}

/// Who asked, and what it takes to answer.
#[derive(Clone, Debug)]
struct Caller {
    node: NodeId,
    frame: u32,
    token: u64,
    op: u32,
    operation: u64,
    hop: u64,
}

impl Caller {
    fn reply(&self, plan: &Plan, stage: &Stage, answer: &Answer) -> Reply {
        use super::message::{CallResult, Failure};
        let (result, values) = match answer.result {
            Ok(value) => {
                let op = &plan.ops[self.op as usize];
                let values = if op.result.is_empty() { None } else { value };
                (CallResult::Ok, values.into_iter().collect())
            }
            Err(word) => {
                let error = stage.errors.iter().position(|known| known == word);
                let error = error.unwrap_or_else(|| {
                    panic!("`{}` refuses with `{word}`, which no `fail` of its ops says", stage.service)
                });
                (CallResult::Failed(Failure::business(error as u16)), Variables::default())
            }
        };
        let (operation, hop, frame, token) = (self.operation, self.hop, self.frame, self.token);
        Reply {
            operation,
            hop,
            frame,
            token,
            bytes: plan.ops[self.op as usize].reply_size,
            result,
            values,
            clock: None,
        }
    }
}
