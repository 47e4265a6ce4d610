//! What of a scenario is written in Rust and not in its file: promises over its state, judges of its operations, processes
//! that play its services.
//!
//! It is handed in with the text (`Source::with_code`), so whatever runs the scenario judges by it too: runs, sweeps, the
//! minimiser. It sees what promises of the file see, and cannot change a run.

mod stage;
mod view;

use std::fmt;
use std::sync::Arc;

pub(crate) use stage::attach;
pub(crate) use view::Mirror;
pub use view::{Row, View};

use systems::app::guest::{Host, Serve, Stage};

use crate::outcome::HistoryLine;

/// What is written in Rust.
#[derive(Clone, Default)]
pub struct Code {
    promises: Vec<Own>,
    /// By the name of `process` in the file.
    processes: Vec<(String, Made)>,
}

/// Makes what plays a service on this stage.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) host: Arc<dyn Fn(Stage) -> Arc<dyn Host> + Send + Sync>,
    pub(crate) kinds: &'static [&'static str],
}

/// What a promise came to, the last time that it was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Judged {
    /// It holds.
    Holds,
    /// It is broken; why, in one or more lines.
    Broken(Vec<String>),
    /// It cannot be decided; why.
    Unknown(String),
}

impl From<bool> for Judged {
    fn from(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::Broken(Vec::new()) }
    }
}

impl<E: fmt::Display> From<Result<(), E>> for Judged {
    fn from(result: Result<(), E>) -> Self {
        match result {
            Ok(()) => Self::Holds,
            Err(why) => Self::Broken(why.to_string().lines().map(str::to_owned).collect()),
        }
    }
}

/// A promise written in Rust.
#[derive(Clone)]
pub(crate) struct Own {
    pub(crate) name: String,
    pub(crate) form: Form,
}

/// When it is judged.
#[derive(Clone)]
pub(crate) enum Form {
    /// After each change of the state, and before the first.
    Always(OfState),
    /// Whenever nothing is in flight.
    AtRest(OfState),
    /// When the run has ended, by what the clients did and were told.
    Operations(OfOperations),
}

type OfState = Arc<dyn Fn(&View<'_>) -> Judged + Send + Sync>;
type OfOperations = Arc<dyn Fn(&[HistoryLine]) -> Judged + Send + Sync>;

impl Code {
    /// A promise that is judged after each change of the state.
    pub fn always<J: Into<Judged>>(
        &mut self,
        name: impl Into<String>,
        promise: impl Fn(&View<'_>) -> J + Send + Sync + 'static,
    ) {
        self.add(name.into(), Form::Always(Arc::new(move |state| promise(state).into())));
    }

    /// A promise that is judged whenever nothing is in flight.
    pub fn at_rest<J: Into<Judged>>(
        &mut self,
        name: impl Into<String>,
        promise: impl Fn(&View<'_>) -> J + Send + Sync + 'static,
    ) {
        self.add(name.into(), Form::AtRest(Arc::new(move |state| promise(state).into())));
    }

    /// A promise about what the clients asked and were told, judged when the run has ended.
    pub fn operations<J: Into<Judged>>(
        &mut self,
        name: impl Into<String>,
        judge: impl Fn(&[HistoryLine]) -> J + Send + Sync + 'static,
    ) {
        self.add(name.into(), Form::Operations(Arc::new(move |history| judge(history).into())));
    }

    /// A process that plays services: those with `process = "name"` in the file. `plan` says what it is configured with,
    /// wherever it plays.
    pub fn process<P: Serve>(
        &mut self,
        name: impl Into<String>,
        plan: impl Fn(&Stage) -> P::Plan + Send + Sync + 'static,
    ) {
        let host = Arc::new(move |stage: Stage| systems::app::guest::host::<P>(plan(&stage), stage));
        let name = name.into();
        self.processes.retain(|(known, _)| *known != name);
        self.processes.push((name, Made { host, kinds: P::KINDS }));
    }

    /// What the processes are called.
    pub fn processes(&self) -> impl Iterator<Item = &str> {
        self.processes.iter().map(|(name, _)| name.as_str())
    }

    pub(crate) fn made(&self, process: &str) -> Option<&Made> {
        self.processes.iter().find(|(name, _)| name == process).map(|(_, made)| made)
    }

    /// One of the same name is replaced.
    fn add(&mut self, name: String, form: Form) {
        self.promises.retain(|own| own.name != name);
        self.promises.push(Own { name, form });
    }

    /// What the promises are called.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.promises.iter().map(|own| own.name.as_str())
    }

    /// All promises, in the order in which they were added.
    pub(crate) fn promises(&self) -> &[Own] {
        &self.promises
    }

    /// Some promise is about what clients do.
    pub(crate) fn reads_operations(&self) -> bool {
        self.promises.iter().any(|own| matches!(own.form, Form::Operations(_)))
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names().chain(self.processes())).finish()
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Own({})", self.name)
    }
}

/// Code is what it was made as: two are one if they share their promises.
impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        let same = |(a, b): (&Own, &Own)| {
            a.name == b.name
                && match (&a.form, &b.form) {
                    (Form::Always(a), Form::Always(b)) | (Form::AtRest(a), Form::AtRest(b)) => Arc::ptr_eq(a, b),
                    (Form::Operations(a), Form::Operations(b)) => Arc::ptr_eq(a, b),
                    (Form::Always(_) | Form::AtRest(_) | Form::Operations(_), _) => false,
                }
        };
        let played =
            |((a, one), (b, other)): (&(String, Made), &(String, Made))| a == b && Arc::ptr_eq(&one.host, &other.host);
        self.promises.len() == other.promises.len()
            && self.processes.len() == other.processes.len()
            && self.promises.iter().zip(&other.promises).all(same)
            && self.processes.iter().zip(&other.processes).all(played)
    }
}

impl Eq for Code {}
