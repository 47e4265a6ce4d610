//! Steps of ops, as instructions.

use systems::app::plan::{self, Draw, Instruction};

use super::Compiler;
use crate::model::{Call, Otherwise, Step, Verb};
use crate::scenario::Diagnostic;

impl Compiler<'_> {
    /// Appends the instructions of an op's steps.
    pub(super) fn steps(&mut self, service: &str, steps: &[Step]) {
        for step in steps {
            let skip = (step.chance < 1.0).then(|| {
                let draw = self.chance(step);
                self.plan.program.push(Instruction::Chance { draw, otherwise: 0 });
                self.plan.program.len() - 1
            });
            self.step(service, step);
            if let Some(at) = skip {
                let after = self.plan.program.len() as u32;
                if let Instruction::Chance { otherwise, .. } = &mut self.plan.program[at] {
                    *otherwise = after;
                }
            }
        }
    }

    fn chance(&mut self, step: &Step) -> u16 {
        let law = kernel::Distribution::chance(step.chance).expect("a chance is a share: the scenario was checked");
        let key = self.seed.key(&step.path, "chance");
        self.plan.draws.push(Draw { law, key });
        (self.plan.draws.len() - 1) as u16
    }

    fn step(&mut self, service: &str, step: &Step) {
        match &step.verb {
            Verb::Work(dist) => {
                let draw = self.put_draw(dist);
                self.plan.program.push(Instruction::Work(draw));
            }
            Verb::Sleep(dist) => {
                let draw = self.put_draw(dist);
                self.plan.program.push(Instruction::Sleep(draw));
            }
            Verb::Fail(word) => {
                let error = self.error(&word.value);
                self.plan.program.push(Instruction::Fail(error));
            }
            Verb::Call(call) => self.call(Some(service), call),
            Verb::Update(update) => self.outside(update.row.place, "update"),
            Verb::Read(row) => self.outside(row.place, "read"),
        }
    }

    fn outside(&mut self, place: crate::model::Place, verb: &str) {
        let message = format!("`{verb}` in an op is not supported yet");
        let label = "this release changes state in `[transactions.*]` only";
        self.errors.push(Diagnostic::error(place, message, label));
    }

    /// Appends a call; a workload's own calls are measured as operations, so it says `None`.
    pub(super) fn call(&mut self, from: Option<&str>, call: &Call) {
        let target = self.target_name(&call.target.value);
        let Some(&op) = self.ops.get(&target) else {
            let message = format!("nothing is called `{}`", call.target.value);
            let error = Diagnostic::error(call.target.place, message, "called here");
            self.errors.push(error.about(crate::names::path_of_op(&target)));
            return;
        };
        if from.is_some() && target.starts_with("transactions.") {
            let message = "a call of a transaction from a service's op is not supported yet";
            self.errors.push(Diagnostic::error(call.target.place, message, "let a workload call it"));
        }
        let latency = from.map(|from| self.call_series(from, &target));
        let otherwise = match &call.otherwise {
            Otherwise::Fail => plan::Otherwise::Fail,
            Otherwise::Skip => plan::Otherwise::Skip,
            Otherwise::Word(word) => plan::Otherwise::Word(self.error(&word.value)),
        };
        self.plan.calls.push(plan::Call { op, timeout: call.timeout, otherwise, latency });
        let number = (self.plan.calls.len() - 1) as u16;
        self.plan.program.push(Instruction::Call(number));
    }

    fn call_series(&mut self, from: &str, op: &str) -> kernel::SeriesId {
        let key = (from.to_owned(), op.to_owned());
        if let Some(&series) = self.call_series.get(&key) {
            return series;
        }
        let series = self.names.series("latency", vec![("op", op.to_owned()), ("from", from.to_owned())]);
        self.call_series.insert(key, series);
        series
    }
}
