//! Shapes: what they are called, and what is in them.

use super::{Key, ROOT, Shape, Short};
use crate::scenario::distributions::Sort;

impl Shape {
    /// `run.duration` is not …
    pub(in crate::scenario) fn noun(&self) -> &'static str {
        match self {
            Self::Version => "1",
            Self::Integer(..) => "a whole number in its range",
            Self::Boolean => "true or false",
            Self::Percentage => "a percentage",
            Self::Count(_) => "a count",
            Self::Duration => "a duration",
            Self::Warmup => "a duration or `auto`",
            Self::Rate => "a rate",
            Self::Size => "a size",
            Self::Bandwidth => "a bandwidth",
            Self::Capacity => "a capacity",
            Self::Distribution(Sort::Durations) => "a duration or a distribution of durations",
            Self::Distribution(Sort::Drifts) => "a drift or a distribution of drifts",
            Self::Distribution(Sort::Numbers) => "a number or a distribution of numbers",
            Self::Distribution(Sort::Offsets) => "the offset of a clock or a distribution of offsets",
            Self::Variable => "a variable",
            Self::Distribution(Sort::Counts) => "a count or a distribution of whole numbers",
            Self::Word(..) => "a known word",
            Self::Words(..) => "a list of known words",
            Self::Name => "a name",
            Self::Names => "a list of names",
            Self::FileName => "a name for a directory",
            Self::Text => "text",
            Self::Texts => "a list of texts",
            Self::Expression => "an expression",
            Self::Assigned => "a value",
            Self::Threshold => "a comparison",
            Self::Window => "a window of time",
            Self::WindowOrPhase => "a window of time or a phase",
            Self::Seeds => "a range of seeds",
            Self::Targets => "a target",
            Self::Sides => "a list of sides",
            Self::Hits => "a list of messages",
            Self::Operations(_) => "a list of operations",
            Self::CallTarget => "something that can be called",
            Self::Row => "a row of state",
            Self::Value => "a value",
            Self::Initial => "a first value",
            Self::Factor(_) => "a factor",
            Self::CallsOrDuration => "a number of calls or a duration",
            Self::Effort => "a number of steps",
            Self::Staleness => "a duration or a number of versions",
            Self::Acks => "leader, majority, all or a number of copies",
            Self::RateOrUsers => "a rate or a number of users",
            Self::Destination(_) => "a place for messages",
            Self::Item => "an item of state",
            Self::Rows => "a list of rows",
            Self::Events => "an event, or a list of events",
            Self::Pattern => "a pattern of keys",
            Self::Points => "a list of protocol points",
            Self::Policy(form) => form.what,
            Self::List(_) => "a list of tables",
            Self::Else(_) => "what `else` can say",
            Self::Point => "a protocol point",
            Self::Path => "a path in this file",
            Self::Trace => "a list of arrival times",
            Self::SweepVariants => "a choice of variants",
            Self::Matrix => "a table of paths and lists of values",
            Self::Table(form) => form.what,
            Self::Keyed(_) => "a table of named things",
            Self::Links(_) => "a table of links",
            Self::Verbed(verbs) => verbs.what,
            Self::Steps(_) => "a list of steps",
            Self::Variants => "a table of named variants",
        }
    }

    /// The word `none` means something of its own here.
    pub(in crate::scenario) fn has_none_word(&self) -> bool {
        match self {
            Self::Word(words, _) => words.contains(&"none"),
            // Text that says `none`, and the event of this name, are meant.
            Self::SweepVariants | Self::Value | Self::Initial => true,
            Self::Table(form) => match form.short {
                Short::Key(name) => form.key(name).is_some_and(|k| k.shape.has_none_word()),
                Short::None | Short::Op | Short::Body => false,
            },
            Self::Version
            | Self::Integer(..)
            | Self::Boolean
            | Self::Percentage
            | Self::Count(_)
            | Self::Duration
            | Self::Warmup
            | Self::Rate
            | Self::Size
            | Self::Bandwidth
            | Self::Capacity
            | Self::Distribution(_)
            | Self::Variable
            | Self::Words(..)
            | Self::Name
            | Self::Names
            | Self::FileName
            | Self::Text
            | Self::Texts
            | Self::Expression
            | Self::Assigned
            | Self::Threshold
            | Self::Window
            | Self::WindowOrPhase
            | Self::Seeds
            | Self::Targets
            | Self::Sides
            | Self::Hits
            | Self::Operations(_)
            | Self::CallTarget
            | Self::Row
            | Self::Factor(_)
            | Self::CallsOrDuration
            | Self::Acks
            | Self::Effort
            | Self::Staleness
            | Self::RateOrUsers
            | Self::Destination(_)
            | Self::Item
            | Self::Rows
            | Self::Events
            | Self::Pattern
            | Self::Points
            | Self::Else(_)
            | Self::Policy(_)
            | Self::List(_)
            | Self::Point
            | Self::Path
            | Self::Trace
            | Self::Matrix
            | Self::Keyed(_)
            | Self::Links(_)
            | Self::Verbed(_)
            | Self::Steps(_)
            | Self::Variants => false,
        }
    }

    /// The shape of what stands under `name` in a table of this shape, and its key if it is a fixed one.
    pub(in crate::scenario) fn child(&self, name: &str) -> Option<(Shape, Option<&'static Key>)> {
        match self {
            Self::Table(form) | Self::Policy(form) => form.key(name).map(|k| (k.shape, Some(k))),
            Self::Keyed(shape) => Some((**shape, None)),
            Self::Links(form) => Some((Self::Table(form), None)),
            Self::Verbed(verbs) => verbs.key(name).map(|k| (k.shape, Some(k))),
            Self::Variants => Some((Self::Table(&ROOT), None)),
            Self::Steps(of) | Self::Else(of) => Some((Self::Verbed(of.verbs()), None)),
            Self::List(form) | Self::Operations(form) => Some((Self::Table(form), None)),
            Self::Version
            | Self::Integer(..)
            | Self::Boolean
            | Self::Percentage
            | Self::Count(_)
            | Self::Duration
            | Self::Warmup
            | Self::Rate
            | Self::Size
            | Self::Bandwidth
            | Self::Capacity
            | Self::Distribution(_)
            | Self::Variable
            | Self::Word(..)
            | Self::Words(..)
            | Self::Name
            | Self::Names
            | Self::FileName
            | Self::Text
            | Self::Texts
            | Self::Expression
            | Self::Assigned
            | Self::Threshold
            | Self::Window
            | Self::WindowOrPhase
            | Self::Seeds
            | Self::Targets
            | Self::Sides
            | Self::Hits
            | Self::CallTarget
            | Self::Row
            | Self::Value
            | Self::Initial
            | Self::Factor(_)
            | Self::CallsOrDuration
            | Self::Acks
            | Self::Effort
            | Self::Staleness
            | Self::RateOrUsers
            | Self::Destination(_)
            | Self::Item
            | Self::Rows
            | Self::Events
            | Self::Pattern
            | Self::Points
            | Self::Point
            | Self::Path
            | Self::Trace
            | Self::SweepVariants
            | Self::Matrix => None,
        }
    }

    /// The shape of the elements of an array of this shape.
    pub(in crate::scenario) fn item(&self) -> Option<Shape> {
        if let Self::Steps(of) | Self::Else(of) = self {
            return Some(Self::Verbed(of.verbs()));
        }
        let Self::List(form) = self else { return None };
        Some(Self::Table(form))
    }
}
