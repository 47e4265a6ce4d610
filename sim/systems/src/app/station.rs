//! A node's workers and the requests that wait for one.
//!
//! It decides who is served and tells about it; it knows neither steps nor messages. Every change of a length is noted
//! and every stay is measured by its own clock reading: the two sides of Little's law come from different places.

use alloc::collections::VecDeque;

use kernel::{Delta, Effects, Process, Sample, Time};

use super::plan::Service;

/// The workers of one node.
#[derive(Clone, Debug, Default)]
pub struct Station {
    busy: u32,
    in_system: u32,
    /// Frames that want a worker, oldest first, and since when.
    line: VecDeque<(u32, Time)>,
}

/// What became of a request that wants a worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// It has one.
    Served,
    /// It waits.
    Waits,
    /// The queue is full and it is refused.
    Refused,
    /// It waits in the place of this one, which is refused.
    Replaces(u32),
}

/// Whether a request that leaves has a worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Worker {
    /// It has one, which is free now.
    Held,
    /// It has none.
    None,
}

impl Station {
    /// Requests here.
    pub fn in_system(&self) -> u32 {
        self.in_system
    }

    /// Workers busy.
    pub fn busy(&self) -> u32 {
        self.busy
    }

    /// Requests waiting.
    pub fn waiting(&self) -> u32 {
        self.line.len() as u32
    }

    /// A request came in that wants no worker yet.
    #[inline]
    pub fn enter<P: Process>(&mut self, plan: &Service, number: u32, out: &mut impl Effects<P>) {
        let in_system = self.enters(plan, number);
        out.note(&[in_system]);
    }

    /// A request that came in at the first of these times goes out at the second. Gives the frame that has its worker
    /// next, if one waits.
    #[expect(clippy::inline_always, reason = "one request takes this way once, and a call would cost as much")]
    #[inline(always)]
    pub fn leave<P: Process>(
        &mut self,
        plan: &Service,
        number: u32,
        (entered, now): (Time, Time),
        worker: Worker,
        out: &mut impl Effects<P>,
    ) -> Option<u32> {
        self.in_system -= 1;
        let after = i64::from(self.in_system);
        let in_system = Delta { cell: plan.cells.in_system, key: u64::from(number), before: after + 1, after };
        let series = plan.series[number as usize].sojourn;
        out.measure(Sample { series, tag: 0, since: entered, value: now.since(entered) });
        match worker {
            Worker::None => {
                out.note(&[in_system]);
                None
            }
            Worker::Held => {
                let (freed, next) = self.free(plan, number, now, out);
                out.note(&[in_system, freed]);
                next
            }
        }
    }

    /// A request came in that wants a worker at once; unless it is refused it is in the system from now on.
    #[expect(clippy::inline_always, reason = "one request takes this way once, and a call would cost as much")]
    #[inline(always)]
    pub fn arrive<P: Process>(
        &mut self,
        plan: &Service,
        number: u32,
        frame: u32,
        now: Time,
        out: &mut impl Effects<P>,
    ) -> Admission {
        let admission = self.admit(plan, number, frame, now, out);
        match admission {
            Admission::Served => out.note(&[self.enters(plan, number), self.busy_changed(plan, number, -1)]),
            Admission::Waits => out.note(&[self.enters(plan, number), self.line_changed(plan, number, -1)]),
            Admission::Refused => {}
            Admission::Replaces(_) => out.note(&[self.enters(plan, number)]),
        }
        admission
    }

    /// A frame wants a worker.
    pub fn acquire<P: Process>(
        &mut self,
        plan: &Service,
        number: u32,
        frame: u32,
        now: Time,
        out: &mut impl Effects<P>,
    ) -> Admission {
        let admission = self.admit(plan, number, frame, now, out);
        match admission {
            Admission::Served => out.note(&[self.busy_changed(plan, number, -1)]),
            Admission::Waits => out.note(&[self.line_changed(plan, number, -1)]),
            Admission::Refused | Admission::Replaces(_) => {}
        }
        admission
    }

    /// Decides; the caller notes.
    #[expect(clippy::inline_always, reason = "one request takes this way once, and a call would cost as much")]
    #[inline(always)]
    fn admit<P: Process>(
        &mut self,
        plan: &Service,
        number: u32,
        frame: u32,
        now: Time,
        out: &mut impl Effects<P>,
    ) -> Admission {
        if self.busy < plan.workers {
            self.busy += 1;
            waited(plan, number, (now, now), out);
            return Admission::Served;
        }
        if (self.line.len() as u64) < u64::from(plan.capacity) {
            self.line.push_back((frame, now));
            return Admission::Waits;
        }
        let series = plan.series[number as usize].refused;
        out.measure(Sample { series, tag: 0, since: now, value: kernel::Span::ZERO });
        match self.line.pop_front() {
            Some((oldest, _)) if plan.drop_oldest => {
                self.line.push_back((frame, now));
                Admission::Replaces(oldest)
            }
            Some(kept) => {
                self.line.push_front(kept);
                Admission::Refused
            }
            None => Admission::Refused,
        }
    }

    /// A worker is free: the frame that has it next, if one waits.
    pub fn release<P: Process>(
        &mut self,
        plan: &Service,
        number: u32,
        now: Time,
        out: &mut impl Effects<P>,
    ) -> Option<u32> {
        let (freed, next) = self.free(plan, number, now, out);
        out.note(&[freed]);
        next
    }

    /// What changes when a worker is free, and who has it next.
    #[expect(clippy::inline_always, reason = "one request takes this way once, and a call would cost as much")]
    #[inline(always)]
    fn free<P: Process>(
        &mut self,
        plan: &Service,
        number: u32,
        now: Time,
        out: &mut impl Effects<P>,
    ) -> (Delta, Option<u32>) {
        let next = if plan.newest_first { self.line.pop_back() } else { self.line.pop_front() };
        let Some((frame, since)) = next else {
            self.busy -= 1;
            return (self.busy_changed(plan, number, 1), None);
        };
        waited(plan, number, (since, now), out);
        (self.line_changed(plan, number, 1), Some(frame))
    }

    fn enters(&mut self, plan: &Service, number: u32) -> Delta {
        self.in_system += 1;
        let after = i64::from(self.in_system);
        Delta { cell: plan.cells.in_system, key: u64::from(number), before: after - 1, after }
    }

    /// `before` is what it was, less what it is now.
    fn busy_changed(&self, plan: &Service, number: u32, before: i64) -> Delta {
        let after = i64::from(self.busy);
        Delta { cell: plan.cells.busy, key: u64::from(number), before: after + before, after }
    }

    /// The same of the line.
    fn line_changed(&self, plan: &Service, number: u32, before: i64) -> Delta {
        let after = self.line.len() as i64;
        Delta { cell: plan.cells.queue_depth, key: u64::from(number), before: after + before, after }
    }
}

#[expect(clippy::inline_always, reason = "one request takes this way once, and a call would cost as much")]
#[inline(always)]
fn waited<P: Process>(plan: &Service, number: u32, (since, now): (Time, Time), out: &mut impl Effects<P>) {
    let series = plan.series[number as usize].wait;
    out.measure(Sample { series, tag: 0, since, value: now.since(since) });
}
