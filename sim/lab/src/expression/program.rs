//! Checked tree → program for the machine of `systems::expression`.

use systems::expression::{Instruction, Operand, Operator, Program, REGISTERS, Value};

use super::check::{Checked, CheckedNode};
use super::problem::Finding;

/// Compiles a checked expression. The only mistake left is one that needs too many registers.
pub(crate) fn lower(checked: &Checked) -> Result<Program, Finding> {
    let mut assembler = Assembler { code: Vec::new(), constants: Vec::new(), used: 0 };
    assembler.emit(checked)?;
    Ok(Program::new(assembler.code, assembler.constants))
}

struct Assembler {
    code: Vec<Instruction>,
    constants: Vec<Value>,
    /// Registers in use at this point.
    used: u8,
}

impl Assembler {
    /// Code that leaves the value in the accumulator.
    fn emit(&mut self, checked: &Checked) -> Result<(), Finding> {
        if let Some(operand) = self.operand(checked) {
            self.code.push(Instruction::Load(operand));
            return Ok(());
        }
        match &checked.node {
            CheckedNode::Constant(_) | CheckedNode::Variable(_) => unreachable!("constants and variables are operands"),
            CheckedNode::Row(item, key) => self.then(key, Instruction::Row(*item)),
            CheckedNode::Exists(inner) => self.then(inner, Instruction::Exists),
            CheckedNode::Not(inner) => self.then(inner, Instruction::Not),
            CheckedNode::Negate(inner) => self.then(inner, Instruction::Negate),
            CheckedNode::And(left, right) => self.both(left, right, false),
            CheckedNode::Or(left, right) => self.both(left, right, true),
            CheckedNode::Apply(operator, left, right) => self.apply(*operator, left, right),
            CheckedNode::Choice(condition, yes, no) => self.choice(condition, yes, no),
            CheckedNode::In(value, items) => self.within(value, items),
        }
    }

    fn then(&mut self, inner: &Checked, instruction: Instruction) -> Result<(), Finding> {
        self.emit(inner)?;
        self.code.push(instruction);
        Ok(())
    }

    /// The expression as an operand, if it is that simple.
    fn operand(&mut self, checked: &Checked) -> Option<Operand> {
        if let CheckedNode::Variable(variable) = checked.node {
            return Some(Operand::Variable(variable));
        }
        let CheckedNode::Constant(value) = checked.node else { return None };
        let found = self.constants.iter().position(|&c| c == value);
        Some(Operand::Constant(found.unwrap_or_else(|| {
            self.constants.push(value);
            self.constants.len() - 1
        }) as u32))
    }

    /// A free register, holding the accumulator.
    fn save(&mut self, for_whom: &Checked) -> Result<u8, Finding> {
        let register = self.used;
        if usize::from(register) == REGISTERS {
            let message = format!("this needs more than {REGISTERS} intermediate values");
            return Err(Finding::new(for_whom.from, for_whom.to, message).help("nest it less deeply"));
        }
        self.used += 1;
        self.code.push(Instruction::Save(register));
        Ok(register)
    }

    fn apply(&mut self, operator: Operator, left: &Checked, right: &Checked) -> Result<(), Finding> {
        if let Some(operand) = self.operand(right) {
            return self.then(left, Instruction::Apply(operator, operand));
        }
        if let Some(operand) = self.operand(left) {
            return self.then(right, Instruction::ApplyAfter(operator, operand));
        }
        self.emit(left)?;
        let register = self.save(left)?;
        self.then(right, Instruction::ApplyAfter(operator, Operand::Register(register)))?;
        self.used -= 1;
        Ok(())
    }

    /// `left && right` or `left || right`: the right side only if the left one does not decide.
    fn both(&mut self, left: &Checked, right: &Checked, decides: bool) -> Result<(), Finding> {
        self.emit(left)?;
        let skip = self.hole();
        self.emit(right)?;
        self.code.push(Instruction::Truth);
        self.fill(skip, |n| Instruction::SkipIf(decides, n));
        Ok(())
    }

    fn choice(&mut self, condition: &Checked, yes: &Checked, no: &Checked) -> Result<(), Finding> {
        self.emit(condition)?;
        let to_no = self.hole();
        self.emit(yes)?;
        let to_end = self.hole();
        self.fill(to_no, |n| Instruction::SkipIf(false, n));
        self.emit(no)?;
        self.fill(to_end, Instruction::Skip);
        Ok(())
    }

    fn within(&mut self, value: &Checked, items: &[Checked]) -> Result<(), Finding> {
        self.emit(value)?;
        let register = self.save(value)?;
        let mut ends = Vec::new();
        for item in items {
            self.emit(item)?;
            self.code.push(Instruction::ApplyAfter(Operator::Equal, Operand::Register(register)));
            ends.push(self.hole());
        }
        self.used -= 1;
        let no = Checked { node: CheckedNode::Constant(Value::Bool(false)), ..value.clone() };
        self.emit(&no)?;
        for end in ends {
            self.fill(end, |n| Instruction::SkipIf(true, n));
        }
        Ok(())
    }

    /// A place for a skip whose length is not known yet.
    fn hole(&mut self) -> usize {
        self.code.push(Instruction::Skip(0));
        self.code.len() - 1
    }

    /// The skip at `hole` leads to here.
    fn fill(&mut self, hole: usize, skip: impl Fn(u32) -> Instruction) {
        self.code[hole] = skip((self.code.len() - hole - 1) as u32);
    }
}
