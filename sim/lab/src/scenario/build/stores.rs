//! Replicated stores, and steps on them.

use super::super::distributions::Sort;
use super::super::hardware;
use super::super::tree::Value as Written;
use super::{COMPLETE, Reader, steps};
use crate::model::{Acks, At, Consult, LogStore, QuorumStore, Reads, Store, StoreKind, Wants};

pub(super) fn store(r: &Reader<'_>) -> Store {
    let single = r.text("kind") == "single";
    let whole = |name: &str| r.node(name).map(|node| At { value: r.integer(name) as u32, place: node.place });
    let kind = if r.text("kind") == "quorum" {
        StoreKind::Quorum(QuorumStore {
            replicas: whole("replicas"),
            read_quorum: whole("read_quorum"),
            write_quorum: whole("write_quorum"),
            read_repair: r.text("read_repair") == "async",
            reads: At { value: reads(r.text("reads")), place: r.at("reads").place },
        })
    } else {
        StoreKind::Log(LogStore {
            leader: whole("leader").filter(|_| !single),
            acks: At { value: acks(r), place: r.at("acks").place },
            reads: At { value: reads(r.text("reads")), place: r.at("reads").place },
            heartbeat: r.maybe_span("heartbeat").unwrap_or(kernel::Span::millis(50)),
            election_timeout: r.maybe_dist("election_timeout", Sort::Durations).unwrap_or_else(|| {
                // A single machine waits for nobody.
                let node = super::Node::text("150ms", r.key);
                super::dist(&node, Sort::Durations, super::join(&r.path, "election_timeout"))
            }),
            fencing: r.node("fencing").is_none() || r.truth("fencing"),
            snapshot_every: r.integer("snapshot_every").max(1) as u64,
            lease: r.span("lease"),
            lease_by_wall: r.text("lease_clock") == "wall",
        })
    };
    Store {
        kind,
        nodes: r.integer("nodes") as u32,
        ask_again: r.maybe_span("ask_again"),
        disk: hardware::disk(&r.below("disk")),
        drift: r.below("clock").maybe_dist("drift", Sort::Drifts).expect(COMPLETE),
        offset: r.below("clock").maybe_dist("offset", Sort::Offsets).expect(COMPLETE),
        zones: hardware::zones(r),
        mutant: r.maybe_at("mutant"),
        external: r.truth("external"),
    }
}

fn acks(r: &Reader<'_>) -> Acks {
    match r.node("acks").map(|node| &node.value) {
        Some(Written::Integer(copies)) => Acks::Count(*copies as u32),
        _ => match r.text("acks") {
            "leader" => Acks::Leader,
            "all" => Acks::All,
            _ => Acks::Majority,
        },
    }
}

fn reads(word: &str) -> Reads {
    match word {
        "leader" => Reads::Leader,
        "lease" => Reads::Lease,
        "log" => Reads::Log,
        "quorum" => Reads::Quorum,
        "any" => Reads::Any,
        "nearest" => Reads::Nearest,
        "sticky" => Reads::Sticky,
        _ => Reads::ReadIndex,
    }
}

/// The step as one on a replicated store, if its row is in one.
pub(super) fn consult(r: &Reader<'_>, verb: &str) -> Option<Consult> {
    let at = r.at(verb);
    let row = r.row(&at);
    let stores = r.root.get("stores").and_then(super::Node::table)?;
    let is_store = |name: &str| stores.get(name).is_some();
    let name = if row.owner.is_empty() { &row.item } else { &row.owner };
    if !is_store(name) && verb != "cas" {
        return None;
    }
    let value = |name: &str| r.value(name).expect(COMPLETE);
    let wants = match verb {
        "read" => Wants::Read { into: r.maybe_at("into") },
        "write" => Wants::Write { value: value("value") },
        "delete" => Wants::Delete,
        _ => Wants::Cas { expected: value("expected"), value: value("value") },
    };
    let store = At { value: name.clone(), place: row.place };
    Some(Consult { store, row, wants, timeout: r.maybe_span("timeout"), otherwise: steps::otherwise(r) })
}
