//! Expressions of steps, compiled: `-$amount`, `accounts[$from] >= $amount`, `$a - 1`.
//!
//! A `Program` is a flat list of small instructions for a machine with one accumulator and a few registers. Names were
//! resolved and types checked by whoever compiled it (crate `lab`), so evaluation knows neither text nor paths; what it
//! reads comes through `Environment`. Nothing here panics on a scenario's numbers: overflow, a division by zero and a
//! missing value are a `Fault`. Null is a row or variable that is not there: every comparison with it is false,
//! arithmetic on it is a fault. Jumps only go forward, so every program ends.

use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

/// What an expression yields. Text is a symbol given out when the scenario was loaded; durations are nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Value {
    /// Nothing there.
    Null,
    /// A number, or a duration in nanoseconds.
    Int(i64),
    /// True or false.
    Bool(bool),
    /// An interned text.
    Text(u32),
}

/// A request variable such as `$amount`, or whatever else the compiler numbered; dense from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct VariableId(pub u32);

/// An item of state such as `bank_a.accounts`, as the compiler numbered it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ItemId(pub u32);

/// Why an expression has no value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fault {
    /// A number beyond 64 bits.
    Overflow,
    /// Divided by zero, or the remainder of it.
    DivisionByZero,
    /// Arithmetic or logic on a value that is not there.
    Missing,
    /// A value of another type than the compiler was told.
    WrongType,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Overflow => "a number beyond 64 bits",
            Self::DivisionByZero => "a division by zero",
            Self::Missing => "a value that is not there",
            Self::WrongType => "a value of the wrong type",
        })
    }
}

/// Where a program reads from.
pub trait Environment {
    /// The value of a variable; null if it is not set.
    fn variable(&self, variable: VariableId) -> Value;
    /// The committed value of row `key` of `item`; null if there is no such row.
    fn row(&self, item: ItemId, key: i64) -> Value;
}

/// Operators of two values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`, towards zero.
    Divide,
    /// `%`, with the sign of the left side.
    Remainder,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
}

/// What an instruction works on besides the accumulator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operand {
    /// A variable.
    Variable(VariableId),
    /// The constant of this number.
    Constant(u32),
    /// A register.
    Register(u8),
}

/// One instruction; the accumulator is null at first and the result at the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Instruction {
    /// Accumulator := operand.
    Load(Operand),
    /// Accumulator := accumulator operator operand.
    Apply(Operator, Operand),
    /// Accumulator := operand operator accumulator.
    ApplyAfter(Operator, Operand),
    /// Accumulator := −accumulator.
    Negate,
    /// Accumulator := not accumulator.
    Not,
    /// Accumulator := the row of this item whose key is the accumulator.
    Row(ItemId),
    /// Accumulator := whether it is something.
    Exists,
    /// Register := accumulator.
    Save(u8),
    /// Skips so many instructions if the accumulator is this truth value.
    SkipIf(bool, u32),
    /// Skips so many instructions.
    Skip(u32),
    /// A fault unless the accumulator is a truth value.
    Truth,
}

/// Registers that a program may use.
pub const REGISTERS: usize = 32;

/// A compiled expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Program {
    code: Vec<Instruction>,
    constants: Vec<Value>,
    registers: usize,
}

impl Program {
    /// A program of these instructions and constants. Panics if one names a constant, a register or a place that is not
    /// there: that is a mistake of the compiler, never of a scenario.
    pub fn new(code: Vec<Instruction>, constants: Vec<Value>) -> Self {
        let mut registers = 0;
        for (at, &instruction) in code.iter().enumerate() {
            match instruction {
                Instruction::Load(operand) | Instruction::Apply(_, operand) | Instruction::ApplyAfter(_, operand) => {
                    match operand {
                        Operand::Constant(n) => assert!((n as usize) < constants.len(), "constant {n} does not exist"),
                        Operand::Register(n) => assert!(usize::from(n) < registers, "register {n} was never saved"),
                        Operand::Variable(_) => {}
                    }
                }
                Instruction::Save(n) => registers = registers.max(usize::from(n) + 1),
                Instruction::SkipIf(_, n) | Instruction::Skip(n) => {
                    assert!(at + (n as usize) < code.len(), "a skip leads out of the program");
                }
                Instruction::Negate
                | Instruction::Not
                | Instruction::Row(_)
                | Instruction::Exists
                | Instruction::Truth => {}
            }
        }
        assert!(registers <= REGISTERS, "more than {REGISTERS} registers");
        Self { code, constants, registers }
    }

    /// The program that yields one constant.
    pub fn constant(value: Value) -> Self {
        Self::new(alloc::vec![Instruction::Load(Operand::Constant(0))], alloc::vec![value])
    }

    /// The program that yields one variable.
    pub fn variable(variable: VariableId) -> Self {
        Self::new(alloc::vec![Instruction::Load(Operand::Variable(variable))], Vec::new())
    }

    /// The value, if the program is one constant.
    pub fn as_constant(&self) -> Option<Value> {
        match self.code[..] {
            [Instruction::Load(Operand::Constant(n))] => Some(self.constants[n as usize]),
            _ => None,
        }
    }

    /// Evaluates it.
    #[inline]
    pub fn evaluate(&self, environment: &impl Environment) -> Result<Value, Fault> {
        // Many an expression is one variable or constant.
        if let [Instruction::Load(operand)] = self.code[..] {
            return Ok(self.fetch(operand, environment, &[]));
        }
        // Most of the others need no register, and clearing them would cost more than the rest.
        if self.registers == 0 {
            self.run(environment, &mut [])
        } else {
            self.run(environment, &mut [Value::Null; REGISTERS])
        }
    }

    /// Evaluates an expression that yields a number or a duration.
    #[inline]
    pub fn integer(&self, environment: &impl Environment) -> Result<i64, Fault> {
        integer(self.evaluate(environment)?)
    }

    /// Evaluates a predicate.
    #[inline]
    pub fn truth(&self, environment: &impl Environment) -> Result<bool, Fault> {
        truth(self.evaluate(environment)?)
    }

    #[inline]
    fn fetch(&self, operand: Operand, environment: &impl Environment, registers: &[Value]) -> Value {
        match operand {
            Operand::Variable(v) => environment.variable(v),
            Operand::Constant(n) => self.constants[n as usize],
            Operand::Register(n) => registers[usize::from(n)],
        }
    }

    #[inline]
    fn run(&self, environment: &impl Environment, registers: &mut [Value]) -> Result<Value, Fault> {
        let fetch = |operand, registers: &[Value]| self.fetch(operand, environment, registers);
        let mut accumulator = Value::Null;
        let mut at = 0;
        while let Some(&instruction) = self.code.get(at) {
            at += 1;
            match instruction {
                Instruction::Load(operand) => accumulator = fetch(operand, registers),
                Instruction::Apply(operator, operand) => {
                    accumulator = apply(operator, accumulator, fetch(operand, registers))?;
                }
                Instruction::ApplyAfter(operator, operand) => {
                    accumulator = apply(operator, fetch(operand, registers), accumulator)?;
                }
                Instruction::Negate => {
                    accumulator = Value::Int(integer(accumulator)?.checked_neg().ok_or(Fault::Overflow)?);
                }
                Instruction::Not => accumulator = Value::Bool(!truth(accumulator)?),
                Instruction::Row(item) => {
                    accumulator = match accumulator {
                        Value::Null => Value::Null,
                        Value::Int(key) => environment.row(item, key),
                        Value::Bool(_) | Value::Text(_) => return Err(Fault::WrongType),
                    };
                }
                Instruction::Exists => accumulator = Value::Bool(accumulator != Value::Null),
                Instruction::Save(n) => registers[usize::from(n)] = accumulator,
                Instruction::SkipIf(wanted, n) => {
                    if truth(accumulator)? == wanted {
                        at += n as usize;
                    }
                }
                Instruction::Skip(n) => at += n as usize,
                Instruction::Truth => accumulator = Value::Bool(truth(accumulator)?),
            }
        }
        Ok(accumulator)
    }
}

/// The number in a value.
#[inline]
fn integer(value: Value) -> Result<i64, Fault> {
    match value {
        Value::Int(n) => Ok(n),
        Value::Null => Err(Fault::Missing),
        Value::Bool(_) | Value::Text(_) => Err(Fault::WrongType),
    }
}

/// The truth in a value.
#[inline]
fn truth(value: Value) -> Result<bool, Fault> {
    match value {
        Value::Bool(b) => Ok(b),
        Value::Null => Err(Fault::Missing),
        Value::Int(_) | Value::Text(_) => Err(Fault::WrongType),
    }
}

/// `left operator right`.
#[inline]
pub fn apply(operator: Operator, left: Value, right: Value) -> Result<Value, Fault> {
    // Nearly everything is numbers.
    if let (Value::Int(left), Value::Int(right)) = (left, right) {
        return numbers(operator, left, right);
    }
    match operator {
        Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Remainder => {
            integer(left)?;
            integer(right)?;
            Err(Fault::WrongType)
        }
        Operator::Equal => compare(left, right, Ordering::is_eq),
        Operator::NotEqual => compare(left, right, Ordering::is_ne),
        Operator::Less => compare(left, right, Ordering::is_lt),
        Operator::LessEqual => compare(left, right, Ordering::is_le),
        Operator::Greater => compare(left, right, Ordering::is_gt),
        Operator::GreaterEqual => compare(left, right, Ordering::is_ge),
    }
}

#[inline]
fn numbers(operator: Operator, left: i64, right: i64) -> Result<Value, Fault> {
    let number = match operator {
        Operator::Equal => return Ok(Value::Bool(left == right)),
        Operator::NotEqual => return Ok(Value::Bool(left != right)),
        Operator::Less => return Ok(Value::Bool(left < right)),
        Operator::LessEqual => return Ok(Value::Bool(left <= right)),
        Operator::Greater => return Ok(Value::Bool(left > right)),
        Operator::GreaterEqual => return Ok(Value::Bool(left >= right)),
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        Operator::Divide | Operator::Remainder if right == 0 => return Err(Fault::DivisionByZero),
        Operator::Divide => left.checked_div(right),
        Operator::Remainder => left.checked_rem(right),
    };
    number.map(Value::Int).ok_or(Fault::Overflow)
}

/// Compares two values of one type that are not both numbers; false if either is missing.
#[inline]
fn compare(left: Value, right: Value, fits: fn(Ordering) -> bool) -> Result<Value, Fault> {
    match (left, right) {
        (Value::Null, _) | (_, Value::Null) => Ok(Value::Bool(false)),
        (Value::Bool(a), Value::Bool(b)) => Ok(Value::Bool(fits(a.cmp(&b)))),
        (Value::Text(a), Value::Text(b)) => Ok(Value::Bool(fits(a.cmp(&b)))),
        (Value::Int(_) | Value::Bool(_) | Value::Text(_), _) => Err(Fault::WrongType),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    /// Variable n is worth 10 n, variable 9 is missing; row k of any item is 100 + k for 0 ≤ k < 5.
    struct Bench;
    impl Environment for Bench {
        fn variable(&self, variable: VariableId) -> Value {
            if variable.0 == 9 { Value::Null } else { Value::Int(i64::from(variable.0) * 10) }
        }
        fn row(&self, _: ItemId, key: i64) -> Value {
            if (0..5).contains(&key) { Value::Int(100 + key) } else { Value::Null }
        }
    }

    fn check(code: Vec<Instruction>, constants: Vec<Value>, expected: Result<Value, Fault>) {
        assert_eq!(Program::new(code, constants).evaluate(&Bench), expected);
    }

    const fn variable(n: u32) -> Operand {
        Operand::Variable(VariableId(n))
    }

    #[test]
    fn the_common_forms_come_out() {
        use Instruction::{Apply, Load, Negate, Row};
        check(vec![Load(variable(3))], vec![], Ok(Value::Int(30)));
        check(vec![Load(variable(3)), Negate], vec![], Ok(Value::Int(-30)));
        check(
            vec![Load(variable(3)), Apply(Operator::Subtract, Operand::Constant(0))],
            vec![Value::Int(1)],
            Ok(Value::Int(29)),
        );
        let guard = vec![Load(Operand::Constant(0)), Row(ItemId(0)), Apply(Operator::GreaterEqual, variable(10))];
        check(guard.clone(), vec![Value::Int(4)], Ok(Value::Bool(true)));
        check(guard, vec![Value::Int(5)], Ok(Value::Bool(false)));
        assert!(size_of::<Value>() <= 16 && size_of::<Instruction>() <= 12);
    }

    #[test]
    fn null_compares_false_and_does_not_add() {
        use Instruction::{Apply, Exists, Load};
        for operator in [Operator::Equal, Operator::NotEqual, Operator::Less, Operator::GreaterEqual] {
            check(vec![Load(variable(9)), Apply(operator, variable(9))], vec![], Ok(Value::Bool(false)));
        }
        check(vec![Load(variable(9)), Apply(Operator::Add, variable(1))], vec![], Err(Fault::Missing));
        check(vec![Load(variable(9)), Exists], vec![], Ok(Value::Bool(false)));
    }

    #[test]
    fn arithmetic_beyond_64_bits_and_division_by_zero_are_named() {
        for (operator, left, right, expected) in [
            (Operator::Add, i64::MAX, 1, Err(Fault::Overflow)),
            (Operator::Multiply, i64::MIN, -1, Err(Fault::Overflow)),
            (Operator::Divide, i64::MIN, -1, Err(Fault::Overflow)),
            (Operator::Remainder, i64::MIN, -1, Err(Fault::Overflow)),
            (Operator::Divide, 7, 0, Err(Fault::DivisionByZero)),
            (Operator::Remainder, 7, 0, Err(Fault::DivisionByZero)),
            (Operator::Divide, -7, 2, Ok(Value::Int(-3))),
            (Operator::Remainder, -7, 2, Ok(Value::Int(-1))),
        ] {
            assert_eq!(apply(operator, Value::Int(left), Value::Int(right)), expected);
        }
        assert_eq!(apply(Operator::Less, Value::Int(1), Value::Bool(true)), Err(Fault::WrongType));
        check(
            vec![Instruction::Load(Operand::Constant(0)), Instruction::Negate],
            vec![Value::Int(i64::MIN)],
            Err(Fault::Overflow),
        );
    }

    #[test]
    fn the_second_side_of_an_or_is_skipped_when_the_first_decides() {
        use Instruction::{Apply, Load, Save, SkipIf, Truth};
        // $1 == 10 || 1 / 0 == 1
        let code = vec![
            Load(variable(1)),
            Apply(Operator::Equal, Operand::Constant(0)),
            SkipIf(true, 4),
            Load(Operand::Constant(1)),
            Save(0),
            Apply(Operator::Divide, Operand::Constant(2)),
            Truth,
        ];
        check(code.clone(), vec![Value::Int(10), Value::Int(1), Value::Int(0)], Ok(Value::Bool(true)));
        check(code, vec![Value::Int(11), Value::Int(1), Value::Int(0)], Err(Fault::DivisionByZero));
    }

    #[test]
    #[should_panic(expected = "leads out")]
    fn a_skip_beyond_the_end_is_refused() {
        Program::new(vec![Instruction::Skip(1)], vec![]);
    }
}
