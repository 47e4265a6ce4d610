//! Steps of ops and consumers, as instructions.

use systems::app::plan::{self, Draw, Instruction, Query, Setting};
use systems::database::{self, Assignment, Script};
use systems::expression::{Program, Value as Worth, VariableId};

use super::Compiler;
use super::scripts::Site;
use super::sorts::hidden;
use crate::expression::{Node, Type, parse};
use crate::model::{At, Otherwise, Step, Verb, all_steps};

/// A step that is asked of the database, and what its `else` does outside of it.
struct Asked<'a> {
    script: Script,
    otherwise: &'a Otherwise,
    /// The answer of an idempotent op is stored with it.
    stores: bool,
}

impl Compiler<'_> {
    /// Appends the instructions of an op's or consumer's steps. What is remembered of it (the answer of an idempotent op,
    /// the message of an inbox) is stored with the last step that writes.
    pub(super) fn whole(&mut self, site: Site<'_>, steps: &[Step]) {
        self.steps(site, steps, true);
    }

    /// Appends the instructions of steps; `last` if nothing that writes comes after them.
    fn steps(&mut self, site: Site<'_>, steps: &[Step], last: bool) {
        let writing = |step: &Step| all_steps(std::slice::from_ref(step)).iter().any(|s| writes(&s.verb));
        let end = if last { steps.iter().rposition(writing) } else { None };
        for (n, step) in steps.iter().enumerate() {
            self.one(site, step, end == Some(n));
        }
    }

    fn one(&mut self, site: Site<'_>, step: &Step, stores: bool) {
        let skip = (step.chance < 1.0).then(|| {
            let draw = self.chance(step);
            self.hole(Instruction::Chance { draw, otherwise: 0 })
        });
        self.step(site, step, stores);
        if let Some(at) = skip {
            self.land(at);
        }
    }

    /// One of several steps: this with a chance of its own, else those that follow; behind it is the end of them all.
    pub(super) fn one_of(&mut self, site: Site<'_>, step: &Step, chance: f64) {
        let drawn = Step { chance, ..step.clone() };
        let skip = (chance < 1.0).then(|| {
            let draw = self.chance(&drawn);
            self.hole(Instruction::Chance { draw, otherwise: 0 })
        });
        self.step(site, step, false);
        self.plan.program.push(Instruction::Return);
        if let Some(at) = skip {
            self.land(at);
        }
    }

    fn chance(&mut self, step: &Step) -> u16 {
        let law = kernel::Distribution::chance(step.chance).expect("a chance is a share: the scenario was checked");
        let key = self.seed.key(&step.path, "chance");
        self.plan.draws.push(Draw { law, key });
        (self.plan.draws.len() - 1) as u16
    }

    fn step(&mut self, site: Site<'_>, step: &Step, stores: bool) {
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
            Verb::Call(call) => {
                let at = self.call(Some(site), call);
                if let (Some(at), Otherwise::Steps(steps)) = (at, &call.otherwise) {
                    let here = self.otherwise_steps(site, steps);
                    self.plan.calls[usize::from(at)].otherwise = here;
                }
            }
            Verb::Reply(value) => {
                if let Some(value) = self.assignment(site.service, value)
                    && let Some(variable) = self.variables.id(&hidden(site.path, ""))
                {
                    self.set(Setting::Value(variable, value));
                }
                self.plan.program.push(Instruction::Reply);
            }
            Verb::When { condition, then, otherwise } => self.when(site, step, condition, (then, otherwise), stores),
            Verb::Repeat { steps, times } => self.repeat(site, step, steps, times),
            Verb::Publish(publish) => self.publish(site, publish),
            Verb::Consult(consult) => {
                let at = self.consult(site, consult);
                if let (Some(at), Otherwise::Steps(steps)) = (at, &consult.otherwise) {
                    let here = self.otherwise_steps(site, steps);
                    self.plan.accesses[usize::from(at)].otherwise = here;
                }
            }
            Verb::Transaction { steps, otherwise } => {
                let script = self.script(site, steps);
                self.ask(site, &Asked { script, otherwise, stores });
            }
            Verb::Insert(_)
            | Verb::Update(_)
            | Verb::Upsert(_)
            | Verb::Delete(_)
            | Verb::Read(_)
            | Verb::Scan(_)
            | Verb::Write { .. }
            | Verb::Append { .. }
            | Verb::Remove { .. }
            | Verb::Outbox(_) => self.alone(site, step, stores),
        }
    }

    /// A step on the state that is a transaction of its own.
    fn alone(&mut self, site: Site<'_>, step: &Step, stores: bool) {
        const FAIL: &Otherwise = &Otherwise::Fail;
        let script = self.script(site, std::slice::from_ref(step));
        // Words and `skip` are the database's business; steps may be more than it can do.
        let steps = step.verb.otherwise().filter(|otherwise| matches!(otherwise, Otherwise::Steps(_)));
        let script = match steps {
            None => script,
            Some(_) => self.without_else(script),
        };
        self.ask(site, &Asked { script, otherwise: steps.unwrap_or(FAIL), stores });
    }

    /// The script, refused where it would go on with other steps.
    fn without_else(&mut self, mut script: Script) -> Script {
        let refused = self.error("refused");
        for step in &mut script.steps {
            if let database::Step::Change { otherwise, .. } = step {
                *otherwise = database::Otherwise::Fail(refused);
            }
        }
        script
    }

    fn ask(&mut self, site: Site<'_>, asked: &Asked<'_>) {
        let otherwise = match asked.otherwise {
            Otherwise::Fail => plan::Otherwise::Fail,
            Otherwise::Skip => plan::Otherwise::Skip,
            Otherwise::Word(word) => plan::Otherwise::Word(self.error(&word.value)),
            Otherwise::Steps(_) => plan::Otherwise::Fail,
        };
        let at = self.query(asked.script.clone(), asked.stores, otherwise);
        if let Otherwise::Steps(steps) = asked.otherwise {
            let here = self.otherwise_steps(site, steps);
            self.plan.queries[usize::from(at)].otherwise = here;
        }
    }

    pub(super) fn query(&mut self, script: Script, stores: bool, otherwise: plan::Otherwise) -> u16 {
        let number = self.plan.scripts.len() as u32;
        let stores = stores && script.writes;
        self.plan.scripts.push(script);
        self.plan.queries.push(Query { script: number, stores, effect: 0, otherwise });
        let at = (self.plan.queries.len() - 1) as u16;
        self.plan.program.push(Instruction::Query(at));
        at
    }

    /// Steps behind the instruction just appended, which are done only if that jumps to them.
    pub(super) fn otherwise_steps(&mut self, site: Site<'_>, steps: &[Step]) -> plan::Otherwise {
        let over = self.hole(Instruction::Jump(0));
        let here = self.plan.program.len() as u32;
        self.steps(site, steps, false);
        self.land(over);
        plan::Otherwise::Jump(here)
    }

    fn when(
        &mut self,
        site: Site<'_>,
        step: &Step,
        condition: &At<String>,
        (then, otherwise): (&[Step], &[Step]),
        last: bool,
    ) {
        let Some(mut program) = self.expression(site.service, condition, Type::Bool) else { return };
        if reads_state(&condition.value)
            && let Some(into) = self.variables.id(&hidden(&step.path, ""))
        {
            let test = database::Step::Test { condition: program, into };
            let script = Script { steps: vec![test], writes: false, result: Vec::new() };
            self.query(script, false, plan::Otherwise::Fail);
            program = Program::variable(into);
        }
        let branch = self.branch(program);
        self.steps(site, then, last);
        if otherwise.is_empty() {
            self.land(branch);
        } else {
            let over = self.hole(Instruction::Jump(0));
            self.land(branch);
            self.steps(site, otherwise, last);
            self.land(over);
        }
    }

    /// Counts turns in a variable of its own; `$i` counts from 0.
    fn repeat(&mut self, site: Site<'_>, step: &Step, steps: &[Step], times: &crate::model::Dist) {
        let (Some(left), Some(turn)) = (self.variables.id(&hidden(&step.path, "")), self.variables.id("i")) else {
            return;
        };
        let draw = self.draw(times);
        self.set(Setting::Drawn(left, plan::Variable::Number(draw)));
        let number = |n| Assignment::Program(Program::constant(Worth::Int(n)));
        self.set(Setting::Value(turn, number(0)));
        let begin = self.plan.program.len() as u32;
        let branch = self.branch(compare(left, turn));
        self.steps(site, steps, false);
        self.set(Setting::Value(turn, Assignment::Program(one_more(turn))));
        self.plan.program.push(Instruction::Jump(begin));
        self.land(branch);
    }

    fn branch(&mut self, condition: Program) -> usize {
        self.plan.conditions.push(condition);
        let condition = (self.plan.conditions.len() - 1) as u16;
        self.hole(Instruction::Branch { condition, otherwise: 0 })
    }

    pub(super) fn set(&mut self, setting: Setting) {
        self.plan.settings.push(setting);
        let number = (self.plan.settings.len() - 1) as u16;
        self.plan.program.push(Instruction::Set(number));
    }

    /// Appends an instruction whose way is not known yet.
    fn hole(&mut self, instruction: Instruction) -> usize {
        self.plan.program.push(instruction);
        self.plan.program.len() - 1
    }

    /// The instruction at `hole` leads to here.
    fn land(&mut self, hole: usize) {
        let here = self.plan.program.len() as u32;
        match &mut self.plan.program[hole] {
            Instruction::Chance { otherwise, .. } | Instruction::Branch { otherwise, .. } => *otherwise = here,
            Instruction::Jump(to) => *to = here,
            Instruction::Work(_)
            | Instruction::Sleep(_)
            | Instruction::Call(_)
            | Instruction::Fail(_)
            | Instruction::Transaction(_)
            | Instruction::Query(_)
            | Instruction::Publish(_)
            | Instruction::Consult(_)
            | Instruction::Set(_)
            | Instruction::Reply
            | Instruction::Mark(_)
            | Instruction::Point(_)
            | Instruction::Return => panic!("only what leads somewhere has a hole"),
        }
    }
}

/// `turn < left`.
fn compare(left: VariableId, turn: VariableId) -> Program {
    use systems::expression::{Instruction as I, Operand, Operator};
    Program::new(vec![I::Load(Operand::Variable(turn)), I::Apply(Operator::Less, Operand::Variable(left))], Vec::new())
}

/// `turn + 1`.
fn one_more(turn: VariableId) -> Program {
    use systems::expression::{Instruction as I, Operand, Operator};
    let code = vec![I::Load(Operand::Variable(turn)), I::Apply(Operator::Add, Operand::Constant(0))];
    Program::new(code, vec![Worth::Int(1)])
}

/// Whether steps always end with a commit, if they do not fail.
pub(super) fn surely_writes(steps: &[Step]) -> bool {
    let writing = |step: &Step| all_steps(std::slice::from_ref(step)).iter().any(|s| writes(&s.verb));
    let Some(step) = steps.iter().rfind(|step| writing(step)) else { return false };
    let goes_on = match (&step.verb, step.verb.otherwise()) {
        (Verb::Transaction { .. }, Some(Otherwise::Skip)) | (_, Some(Otherwise::Steps(_))) => true,
        (_, Some(Otherwise::Fail | Otherwise::Word(_) | Otherwise::Skip) | None) => false,
    };
    writes(&step.verb) && step.chance >= 1.0 && !goes_on
}

/// Whether a step changes the state of its service by itself.
fn writes(verb: &Verb) -> bool {
    match verb {
        Verb::Transaction { .. }
        | Verb::Insert(_)
        | Verb::Update(_)
        | Verb::Upsert(_)
        | Verb::Delete(_)
        | Verb::Write { .. }
        | Verb::Append { .. }
        | Verb::Remove { .. }
        | Verb::Outbox(_) => true,
        Verb::Work(_)
        | Verb::Sleep(_)
        | Verb::Call(_)
        | Verb::Fail(_)
        | Verb::Reply(_)
        | Verb::When { .. }
        | Verb::Repeat { .. }
        | Verb::Read(_)
        | Verb::Scan(_)
        | Verb::Consult(_)
        | Verb::Publish(_) => false,
    }
}

/// Whether an expression names state.
fn reads_state(text: &str) -> bool {
    parse(text).is_ok_and(|expression| names_state(&expression))
}

fn names_state(expression: &crate::expression::Expression) -> bool {
    match &expression.node {
        Node::Path(_) => true,
        Node::Integer(_) | Node::Duration(_) | Node::Bool(_) | Node::Text(_) | Node::Variable(_) => false,
        Node::List(items) | Node::Call(_, items) => items.iter().any(names_state),
        Node::Unary(_, inner) => names_state(inner),
        Node::Binary(_, left, right) => names_state(left) || names_state(right),
        Node::Choice(condition, yes, no) => [condition, yes, no].into_iter().any(|part| names_state(part)),
    }
}
