//! Who listens to a run beside its listener, or in its place.
//!
//! The engine is compiled once for each sort of listener, and that takes long: so all but a run's own are one sort.

use cluster::{FaultEvent, Instance, MessageEvent, Watch};
use kernel::{Delta, Fact, NodeId, PointId, Sample, SeriesId, Time};
use systems::app::machine::{Machine, Record};
use systems::app::message::Message;
use systems::app::output::Output;
use systems::app::timer::Timer;

use super::listener::Listener;

/// Tells the run's own listener, if there is one, and then another what it is told.
pub(super) struct Beside<'a>(pub(super) Option<&'a mut Listener>, pub(super) &'a mut dyn Watch<Machine>);

impl Watch<Machine> for Beside<'_> {
    fn output(&mut self, now: Time, node: NodeId, output: &Output) {
        if let Some(own) = &mut self.0 {
            own.output(now, node, output);
        }
        self.1.output(now, node, output);
    }
    fn fact(&mut self, fact: Fact) {
        if let Some(own) = &mut self.0 {
            own.fact(fact);
        }
        self.1.fact(fact);
    }
    fn change(&mut self, now: Time, node: NodeId, change: &[Delta]) {
        if let Some(own) = &mut self.0 {
            own.change(now, node, change);
        }
        self.1.change(now, node, change);
    }
    fn sample(&mut self, now: Time, node: NodeId, sample: Sample) {
        if let Some(own) = &mut self.0 {
            own.sample(now, node, sample);
        }
        self.1.sample(now, node, sample);
    }
    fn cut_short(&mut self, now: Time, node: NodeId, series: SeriesId, since: Time) {
        if let Some(own) = &mut self.0 {
            own.cut_short(now, node, series, since);
        }
        self.1.cut_short(now, node, series, since);
    }
    fn kept_sum(&mut self, now: Time, node: NodeId, series: SeriesId, sum: u128) {
        if let Some(own) = &mut self.0 {
            own.kept_sum(now, node, series, sum);
        }
        self.1.kept_sum(now, node, series, sum);
    }
    fn point(&mut self, now: Time, node: NodeId, point: PointId, of: u32) {
        if let Some(own) = &mut self.0 {
            own.point(now, node, point, of);
        }
        self.1.point(now, node, point, of);
    }
    fn letter(&mut self, now: Time, id: u64, ends: (NodeId, NodeId), message: &Message, waited: Option<u32>) {
        if let Some(own) = &mut self.0 {
            own.letter(now, id, ends, message, waited);
        }
        self.1.letter(now, id, ends, message, waited);
    }
    fn withheld(&mut self, now: Time, node: NodeId, waiting: u32) {
        if let Some(own) = &mut self.0 {
            own.withheld(now, node, waiting);
        }
        self.1.withheld(now, node, waiting);
    }
    fn copied(&mut self, now: Time, copy: u64, of: u64) {
        if let Some(own) = &mut self.0 {
            own.copied(now, copy, of);
        }
        self.1.copied(now, copy, of);
    }
    fn armed(&mut self, now: Time, node: NodeId, timer: &Timer) {
        if let Some(own) = &mut self.0 {
            own.armed(now, node, timer);
        }
        self.1.armed(now, node, timer);
    }
    fn fires(&mut self, now: Time, node: NodeId, timer: &Timer) {
        if let Some(own) = &mut self.0 {
            own.fires(now, node, timer);
        }
        self.1.fires(now, node, timer);
    }
    fn hears_reset(&mut self, now: Time, node: NodeId, id: u64) {
        if let Some(own) = &mut self.0 {
            own.hears_reset(now, node, id);
        }
        self.1.hears_reset(now, node, id);
    }
    fn persists(&mut self, now: Time, node: NodeId, record: &Record) {
        if let Some(own) = &mut self.0 {
            own.persists(now, node, record);
        }
        self.1.persists(now, node, record);
    }
    fn message(&mut self, now: Time, message: MessageEvent) {
        if let Some(own) = &mut self.0 {
            own.message(now, message);
        }
        self.1.message(now, message);
    }
    fn fault(&mut self, now: Time, instance: &Instance, event: FaultEvent) {
        if let Some(own) = &mut self.0 {
            own.fault(now, instance, event);
        }
        self.1.fault(now, instance, event);
    }
    fn fsync(&mut self, now: Time, node: NodeId, records: u32) {
        if let Some(own) = &mut self.0 {
            own.fsync(now, node, records);
        }
        self.1.fsync(now, node, records);
    }
    fn disk_full(&mut self, now: Time, node: NodeId) {
        if let Some(own) = &mut self.0 {
            own.disk_full(now, node);
        }
        self.1.disk_full(now, node);
    }
    fn crashed(&mut self, now: Time, node: NodeId) {
        if let Some(own) = &mut self.0 {
            own.crashed(now, node);
        }
        self.1.crashed(now, node);
    }
    fn restarted(&mut self, now: Time, node: NodeId) {
        if let Some(own) = &mut self.0 {
            own.restarted(now, node);
        }
        self.1.restarted(now, node);
    }
}
