//! Sagas; and orchestrated ones as programs: each action between two records, each compensation too.

use kernel::{SagaFact, Span};
use systems::app::plan::{self, Instruction, Mark, MarkKind, Otherwise};

use super::Compiler;
use super::scripts::Site;
use crate::model::{self, Backoff, Budget, Call, Jitter, Place, Retry, Saga, SagaRecovery, SagaStep, SagaStyle};
use crate::names::{Cell, CellSort};

/// Where the parts of a saga's program begin.
struct Layout {
    /// By step: where it is undone, and everything before it.
    undo: Vec<u32>,
    /// Failures that lead there: call site, step.
    failures: Vec<(u16, usize)>,
}

impl Compiler<'_> {
    /// Sagas and their programs.
    pub(super) fn sagas(&mut self) {
        let model = self.model;
        for (index, (name, saga)) in model.sagas.iter().enumerate() {
            let way = match saga.style {
                SagaStyle::Orchestrated => (0..saga.steps.len()).collect(),
                SagaStyle::Choreographed => self.way(saga),
            };
            let at_home = match saga.style {
                SagaStyle::Orchestrated => saga.coordinator.as_ref().map(|coordinator| coordinator.value.as_str()),
                SagaStyle::Choreographed => self.home_of(saga, &way),
            };
            let Some(home) = at_home else { continue };
            let Some(service) = model.services.iter().position(|(n, _)| n.value == home) else { continue };
            self.names.protocols.push(format!("sagas.{}", name.value));
            let protocol = (self.names.protocols.len() - 1) as u32;
            self.names.steps.resize(protocol as usize, Vec::new());
            let mut steps: Vec<_> = Self::numbers(saga, &way).into_iter().zip(&saga.steps).collect();
            steps.sort_unstable_by_key(|(number, _)| *number);
            self.names.steps.push(steps.into_iter().map(|(_, step)| step.name.value.clone()).collect());
            let label = || vec![("saga", name.value.clone())];
            let open = self.names.cell(Cell {
                path: format!("sagas.{}.open", name.value),
                keys: 1,
                initial: 0,
                sort: CellSort::View,
                metric: Some("sagas_open"),
                labels: label(),
            });
            let time = self.names.series("saga_time", label());
            let kept_at = self.guards(index as u16, &saga.isolation, saga.style == SagaStyle::Choreographed);
            let entry = self.plan.program.len() as u32;
            match saga.style {
                SagaStyle::Orchestrated => {
                    self.saga(index as u16, home, saga, &kept_at);
                    self.plan.services[service].drives = true;
                }
                SagaStyle::Choreographed => self.choreographed(index as u16, name, saga, (&way, &kept_at)),
            }
            self.plan.sagas.push(plan::Saga {
                service: service as u32,
                entry,
                protocol,
                steps: way.len() as u32,
                first_step: self.saga_steps(index as u16),
                open,
                time,
            });
        }
        for service in &mut self.plan.services {
            if let Some(state) = &mut service.state {
                std::sync::Arc::make_mut(state).effects = self.plan.effects.clone();
            }
        }
    }

    fn saga(&mut self, index: u16, coordinator: &str, saga: &Saga, kept_at: &[u32]) {
        let site = Site { service: coordinator, path: "" };
        // From the first step that nothing undoes it goes forward only.
        let pivot = saga.steps.iter().position(|step| step.pivot || step.compensate.is_none());
        let forward = |step: usize| saga.recovery == SagaRecovery::Forward || pivot.is_some_and(|p| step >= p);
        let mut layout = Layout { undo: vec![0; saga.steps.len() + 1], failures: Vec::new() };
        for (n, step) in saga.steps.iter().enumerate() {
            let number = n as u32;
            let points = self.plan.points;
            self.mark(index, MarkKind::At(SagaFact::Intent { step: number }), (points.before_action, None), n);
            let mut action = step.action.clone();
            if forward(n) && action.retry.is_none() {
                action.retry = Some(until_done(step.place));
            }
            let Some(call) = self.call(Some(site), &action) else { continue };
            self.saga_call(call, (index, n), 1);
            if forward(n) {
                // Whatever happens, it is tried again.
                let here = self.plan.program.len() as u32 - 1;
                self.plan.calls[usize::from(call)].otherwise = Otherwise::Jump(here);
            } else {
                layout.failures.push((call, n));
            }
            self.mark(index, MarkKind::At(SagaFact::Done { step: number }), (None, points.after_action), n);
        }
        self.ended(index, true, kept_at);
        let undoable = pivot.map_or(saga.steps.len(), |p| p + 1).min(saga.steps.len());
        self.undo(index, site, saga, (undoable, kept_at), &mut layout);
        for (call, step) in layout.failures {
            // What surely had no effect needs no undoing; what may have had one is undone as if it had.
            let certain = self.failed(index, step, true, layout.undo[step]);
            let unknown = self.failed(index, step, false, layout.undo[step + 1]);
            self.plan.calls[usize::from(call)].otherwise = Otherwise::Undo { certain, unknown };
        }
    }

    /// The record of a failed step, and from there to where it is undone.
    fn failed(&mut self, index: u16, step: usize, certain: bool, undo: u32) -> u32 {
        let here = self.plan.program.len() as u32;
        let fact = SagaFact::Failed { step: step as u32, certain };
        self.mark(index, MarkKind::At(fact), (None, None), step);
        self.plan.program.push(Instruction::Jump(undo));
        here
    }

    /// Compensations, last step first; `layout.undo[n]` is where all steps before `n` are undone.
    fn undo(
        &mut self,
        index: u16,
        site: Site<'_>,
        saga: &Saga,
        (undoable, kept_at): (usize, &[u32]),
        layout: &mut Layout,
    ) {
        for n in (0..undoable).rev() {
            layout.undo[n + 1] = self.plan.program.len() as u32;
            let Some(SagaStep { compensate: Some(compensate), place, .. }) = saga.steps.get(n) else { continue };
            let points = self.plan.points;
            let number = n as u32;
            let compensating = MarkKind::At(SagaFact::Compensating { step: number });
            self.mark(index, compensating, (points.before_compensate, None), n);
            self.until_done(site, compensate, *place, (index, n), 2);
            let compensated = MarkKind::At(SagaFact::Compensated { step: number });
            self.mark(index, compensated, (None, points.after_compensate), n);
        }
        layout.undo[0] = self.plan.program.len() as u32;
        if let Some(call) = &saga.on_abort {
            self.until_done(site, call, saga.place, (index, saga.steps.len()), 1);
        }
        self.ended(index, false, kept_at);
    }

    /// It is over, once the rows are free that it kept to itself.
    fn ended(&mut self, index: u16, completed: bool, kept_at: &[u32]) {
        for &service in kept_at {
            self.mark(index, MarkKind::Free { service }, (None, None), 0);
        }
        self.mark(index, MarkKind::Ended { completed }, (None, None), 0);
    }

    /// A call that is made until it is done, whatever it answers.
    fn until_done(&mut self, site: Site<'_>, call: &Call, place: Place, of: (u16, usize), role: u32) {
        let mut call = call.clone();
        call.retry.get_or_insert_with(|| until_done(place));
        let Some(number) = self.call(Some(site), &call) else { return };
        self.saga_call(number, of, role);
        let limited = call.retry.as_ref().is_some_and(|retry| retry.attempts.is_some());
        let here = self.plan.program.len() as u32 - 1;
        let site = &mut self.plan.calls[usize::from(number)];
        (site.stubborn, site.otherwise) = (true, Otherwise::Jump(here));
        if limited {
            // What is tried a number of times only is given up after them, and the saga with it.
            let over = self.plan.program.len();
            self.plan.program.push(Instruction::Jump(0));
            let given_up = self.plan.program.len() as u32;
            self.mark(of.0, MarkKind::GivenUp, (None, None), of.1);
            self.plan.program[over] = Instruction::Jump(self.plan.program.len() as u32);
            self.plan.calls[usize::from(number)].otherwise = Otherwise::Jump(given_up);
        }
    }

    /// A saga's calls carry its step, so that a second one is known as such; and nobody waits for them.
    fn saga_call(&mut self, call: u16, (saga, step): (u16, usize), role: u32) {
        let step = self.saga_steps(saga) + step as u32;
        let site = &mut self.plan.calls[usize::from(call)];
        site.step = 2 * step + role;
        site.deadline = false;
    }

    fn mark(
        &mut self,
        saga: u16,
        what: MarkKind,
        points: (Option<kernel::PointId>, Option<kernel::PointId>),
        step: usize,
    ) {
        let of = self.saga_steps(saga) + step as u32;
        self.plan.marks.push(Mark { saga, what, points, of });
        let number = (self.plan.marks.len() - 1) as u16;
        self.plan.program.push(Instruction::Mark(number));
    }

    /// The number under which points know the first step of a saga.
    pub(super) fn saga_steps(&self, saga: u16) -> u32 {
        let before = self.model.sagas.iter().take(usize::from(saga));
        before.map(|(_, saga)| saga.steps.len() as u32 + 1).sum()
    }
}

/// How compensations and steps after the pivot are tried if nothing is said: until they are done.
pub(super) fn until_done(place: Place) -> Retry {
    let word = |text: &str| model::At { value: text.to_owned(), place };
    Retry {
        name: None,
        attempts: None,
        backoff: Backoff::Exponential { base: Span::millis(100), factor: 2.0, max: Some(Span::secs(5)) },
        jitter: Jitter::Full,
        retry_on: ["timeout", "unavailable", "overload", "breaker_open"].map(word).to_vec(),
        budget: Budget::None,
        place,
    }
}
