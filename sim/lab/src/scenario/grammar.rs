//! The tables of `schema` as a list: for whoever makes code or text from them (the builder of the facade library).
//!
//! A form is known by what it is called; forms of one name (a retry policy, with one set of defaults or another) are one
//! here. What a key's value looks like is told only as far as a writer must know it: a value, a table, a list, names.

use std::collections::BTreeSet;

use super::sample::sample;
use super::schema::{Form, Key, ROOT, Shape, Short, Verb, Verbs};

/// A table of the grammar.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// `a service`, `` `[run]` ``.
    pub what: &'static str,
    /// Of which one must be there; empty if it is a table without a verb.
    pub verbs: Vec<Entry>,
    /// All other keys, in the order of the file.
    pub keys: Vec<Entry>,
}

/// A key of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// As it is written.
    pub name: &'static str,
    /// One line. What a key says with one verb and with another is told of both.
    pub doc: String,
    /// What stands there.
    pub takes: Takes,
    /// A value that may stand there, as TOML and Rust have it; none of tables.
    pub sample: Option<String>,
    /// A verb that it goes with, if it goes with some only.
    pub with: Option<&'static str>,
}

/// What stands behind a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Takes {
    /// A number, text, truth, or a list of those.
    Value,
    /// The table of this name, or what is short for it.
    Part(&'static str),
    /// An array of them; for some keys a word does as well.
    List(&'static str),
    /// Names, each with a value.
    EachValue,
    /// Names, each with a table.
    EachPart(&'static str),
}

/// Every table, from the whole file down, each once.
///
/// ```
/// let parts = lab::scenario::grammar();
/// assert_eq!(parts[0].what, "a scenario");
/// let service = parts.iter().find(|part| part.what == "a service").unwrap();
/// assert!(service.keys.iter().any(|key| key.name == "nodes" && key.doc == "Machines."));
/// ```
pub fn grammar() -> Vec<Part> {
    let mut walk = Walk { parts: Vec::new(), seen: BTreeSet::new() };
    walk.form(&ROOT);
    walk.parts
}

/// The key that a value which is no table stands for at this path, if it stands for one there: `work` for a text at
/// `services.a.ops.get`, `steps` for an array. Names and numbers of elements are given as they come in the path.
pub fn short_for(path: &[String], is_array: bool) -> Option<&'static str> {
    let mut shape = Shape::Table(&ROOT);
    for step in path {
        shape = match shape.item() {
            Some(item) => item,
            None => shape.child(step)?.0,
        };
    }
    let (Shape::Table(form) | Shape::Policy(form)) = shape else { return None };
    match form.short {
        Short::Key(name) => Some(name),
        Short::Op => Some(if is_array { "steps" } else { "work" }),
        Short::None | Short::Body => None,
    }
}

struct Walk {
    parts: Vec<Part>,
    /// Forms that were gone through, by their address: one may be met in many places.
    seen: BTreeSet<usize>,
}

impl Walk {
    fn form(&mut self, form: &'static Form) {
        if self.seen.insert(core::ptr::from_ref(form).addr()) {
            let entries = form.keys.iter().map(|key| entry(key, key.doc.to_owned(), None)).collect();
            self.add(form.what, Vec::new(), entries);
            form.keys.iter().for_each(|key| self.inside(&key.shape));
        }
    }

    fn verbs(&mut self, verbs: &'static Verbs) {
        if self.seen.insert(core::ptr::from_ref(verbs).addr()) {
            let each = verbs.each.iter().map(|verb| entry(&verb.key, verb.key.doc.to_owned(), None)).collect();
            let modifiers = || verbs.each.iter().flat_map(|verb| verb.modifiers);
            let keys = || verbs.common.iter().chain(modifiers());
            let goes_with = |key: &Key| {
                let has = |verb: &&Verb| verb.modifiers.iter().any(|modifier| modifier.name == key.name);
                verbs.each.iter().find(has).map(|verb| verb.key.name)
            };
            let entries = keys().map(|key| entry(key, doc_with_verbs(key, verbs), goes_with(key))).collect();
            self.add(verbs.what, each, entries);
            let all = verbs.each.iter().map(|verb| &verb.key).chain(keys());
            all.for_each(|key| self.inside(&key.shape));
        }
    }

    /// Puts a table into the list, or its keys to those of the table of this name.
    fn add(&mut self, what: &'static str, verbs: Vec<Entry>, keys: Vec<Entry>) {
        let place = self.parts.iter().position(|part| part.what == what).unwrap_or_else(|| {
            self.parts.push(Part { what, verbs: Vec::new(), keys: Vec::new() });
            self.parts.len() - 1
        });
        let part = &mut self.parts[place];
        for (known, more) in [(&mut part.verbs, verbs), (&mut part.keys, keys)] {
            for entry in more {
                if known.iter().all(|one| one.name != entry.name) {
                    known.push(entry);
                }
            }
        }
    }

    /// What stands in a value of this shape. A variant is a part of the root, which the walk began with.
    fn inside(&mut self, shape: &Shape) {
        if let Shape::Table(form) | Shape::Policy(form) | Shape::List(form) | Shape::Links(form) = shape {
            self.form(form);
        } else if let Shape::Verbed(verbs) = shape {
            self.verbs(verbs);
        } else if let Shape::Steps(of) | Shape::Else(of) = shape {
            self.verbs(of.verbs());
        } else if let Shape::Keyed(inner) = shape {
            self.inside(inner);
        }
    }
}

fn entry(key: &Key, doc: String, with: Option<&'static str>) -> Entry {
    Entry { name: key.name, doc, takes: takes(&key.shape), sample: sample(key.name, &key.shape), with }
}

/// The line of a modifier; if it says different things with different verbs, all of them.
fn doc_with_verbs(key: &Key, verbs: &Verbs) -> String {
    let mut docs: Vec<(&str, Vec<&str>)> = Vec::new();
    for verb in verbs.each {
        for modifier in verb.modifiers.iter().filter(|modifier| modifier.name == key.name) {
            match docs.iter_mut().find(|(doc, _)| *doc == modifier.doc) {
                Some((_, with)) => with.push(verb.key.name),
                None => docs.push((modifier.doc, vec![verb.key.name])),
            }
        }
    }
    if docs.len() < 2 {
        return key.doc.to_owned();
    }
    let named = |with: &[&str]| with.iter().map(|verb| format!("`{verb}`")).collect::<Vec<_>>().join(", ");
    docs.iter().map(|(doc, with)| format!("With {}: {doc}", named(with))).collect::<Vec<_>>().join(" ")
}

fn takes(shape: &Shape) -> Takes {
    match shape {
        Shape::Table(form) | Shape::Policy(form) => Takes::Part(form.what),
        Shape::Verbed(verbs) => Takes::Part(verbs.what),
        Shape::List(form) => Takes::List(form.what),
        Shape::Steps(of) | Shape::Else(of) => Takes::List(of.verbs().what),
        Shape::Links(form) => Takes::EachPart(form.what),
        Shape::Variants => Takes::EachPart(ROOT.what),
        Shape::Matrix => Takes::EachValue,
        Shape::Keyed(inner) => match takes(inner) {
            Takes::Part(what) => Takes::EachPart(what),
            // `zones`: names with names, a value of its own.
            Takes::Value | Takes::List(_) | Takes::EachValue | Takes::EachPart(_) => Takes::EachValue,
        },
        Shape::Version
        | Shape::Integer(..)
        | Shape::Boolean
        | Shape::Percentage
        | Shape::Count(_)
        | Shape::Duration
        | Shape::Warmup
        | Shape::Rate
        | Shape::Size
        | Shape::Bandwidth
        | Shape::Capacity
        | Shape::Distribution(_)
        | Shape::Variable
        | Shape::Word(..)
        | Shape::Words(..)
        | Shape::Name
        | Shape::Names
        | Shape::FileName
        | Shape::Text
        | Shape::Texts
        | Shape::Expression
        | Shape::Assigned
        | Shape::Threshold
        | Shape::Window
        | Shape::WindowOrPhase
        | Shape::Seeds
        | Shape::Targets
        | Shape::Sides
        | Shape::Hits
        // Numbers, ranges, or tables, in one list.
        | Shape::Operations(_)
        | Shape::CallTarget
        | Shape::Row
        | Shape::Value
        | Shape::Initial
        | Shape::Factor(_)
        | Shape::CallsOrDuration
        | Shape::Acks
        | Shape::Effort
        | Shape::Staleness
        | Shape::RateOrUsers
        | Shape::Destination(_)
        | Shape::Item
        | Shape::Rows
        | Shape::Events
        | Shape::Pattern
        | Shape::Points
        | Shape::Point
        | Shape::Path
        | Shape::Trace
        | Shape::SweepVariants => Takes::Value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_short_form_stands_for_is_found_by_its_path() {
        let short = |path: &str, is_array| {
            let path: Vec<String> = path.split('.').map(str::to_owned).collect();
            short_for(&path, is_array)
        };
        assert_eq!(short("services.a.ops.get", false), Some("work"));
        assert_eq!(short("services.a.ops.get", true), Some("steps"));
        assert_eq!(short("services.a.queue", false), Some("capacity"));
        assert_eq!(short("retry.gentle.backoff", false), Some("base"));
        assert_eq!(short("services.a.ops.get.steps.0.retry.budget", false), Some("share"));
        assert_eq!(short("services.a.nodes", false), None);
        assert_eq!(short("nowhere.a", false), None);
    }

    #[test]
    fn every_table_is_listed_once_and_every_table_named_is_listed() {
        let parts = grammar();
        let names: BTreeSet<&str> = parts.iter().map(|part| part.what).collect();
        assert_eq!(names.len(), parts.len());
        for entry in parts.iter().flat_map(|part| part.verbs.iter().chain(&part.keys)) {
            match entry.takes {
                Takes::Part(what) | Takes::List(what) | Takes::EachPart(what) => {
                    assert!(names.contains(what), "{what}");
                }
                Takes::Value | Takes::EachValue => {}
            }
        }
        let step = parts.iter().find(|part| part.what == "a step").expect("there are steps");
        assert!(step.verbs.iter().any(|verb| verb.name == "call") && step.keys.iter().any(|key| key.name == "timeout"));
    }
}
