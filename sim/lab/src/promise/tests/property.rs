//! Incremental evaluation is what a naive evaluation of the whole tree over the whole state gives, for random
//! expressions and random changes.

use super::*;
use crate::expression::{BinaryOperator, Expression, Node as Tree, UnaryOperator, parse};
use crate::outcome::Status;
use crate::promise::predicate::Predicate;
use kernel::Seed;

/// A value of the naive evaluation; `None` in a result is a fault.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Naive {
    Null,
    Int(i64),
    Bool(bool),
}

/// The whole state, and the row a predicate is about.
struct World<'a> {
    names: &'a Names,
    cells: &'a [Vec<i64>],
    row: Option<(i64, i64)>,
}

impl World<'_> {
    fn cell(&self, path: &str) -> usize {
        self.names.find_cell(path).expect("it compiled").0 as usize
    }

    fn truth(&self, e: &Expression) -> Option<bool> {
        match self.value(e)? {
            Naive::Bool(b) => Some(b),
            Naive::Null | Naive::Int(_) => None,
        }
    }

    fn number(&self, e: &Expression) -> Option<i64> {
        match self.value(e)? {
            Naive::Int(n) => Some(n),
            Naive::Null | Naive::Bool(_) => None,
        }
    }

    fn value(&self, e: &Expression) -> Option<Naive> {
        Some(match &e.node {
            Tree::Integer(n) => Naive::Int(*n),
            Tree::Bool(b) => Naive::Bool(*b),
            Tree::Path(path) => match (path.text().as_str(), self.row) {
                ("value", Some((_, value))) => Naive::Int(value),
                ("key", Some((key, _))) => Naive::Int(key),
                (path_text, _) => {
                    let rows = &self.cells[self.cell(path_text)];
                    match &path.key {
                        Some(key) => {
                            rows.get(usize::try_from(self.number(key)?).ok()?).map_or(Naive::Null, |v| Naive::Int(*v))
                        }
                        None => Naive::Int(total(rows)?),
                    }
                }
            },
            Tree::Unary(UnaryOperator::Not, inner) => Naive::Bool(!self.truth(inner)?),
            Tree::Unary(UnaryOperator::Negate, inner) => Naive::Int(self.number(inner)?.checked_neg()?),
            Tree::Binary(BinaryOperator::And, l, r) => Naive::Bool(self.truth(l)? && self.truth(r)?),
            Tree::Binary(BinaryOperator::Or, l, r) => Naive::Bool(self.truth(l)? || self.truth(r)?),
            Tree::Binary(operator, l, r) => self.binary(*operator, l, r)?,
            Tree::Choice(c, y, n) => self.value(if self.truth(c)? { y } else { n })?,
            Tree::Call(name, arguments) => self.call(&name.text, arguments)?,
            Tree::Duration(_) | Tree::Text(_) | Tree::Variable(_) | Tree::List(_) => unreachable!("not generated"),
        })
    }

    /// Some aggregate over state has no value.
    fn hides_fault(&self, e: &Expression) -> bool {
        match &e.node {
            Tree::Call(name, arguments) => self.call(&name.text, arguments).is_none(),
            Tree::Path(path) => path.key.is_none() && self.value(e).is_none(),
            Tree::Unary(_, inner) => self.hides_fault(inner),
            Tree::Binary(_, l, r) => self.hides_fault(l) || self.hides_fault(r),
            Tree::Choice(c, y, n) => [c, y, n].iter().any(|e| self.hides_fault(e)),
            Tree::Integer(_)
            | Tree::Duration(_)
            | Tree::Bool(_)
            | Tree::Text(_)
            | Tree::Variable(_)
            | Tree::List(_) => false,
        }
    }

    fn binary(&self, operator: BinaryOperator, l: &Expression, r: &Expression) -> Option<Naive> {
        if operator.compares() {
            return Some(Naive::Bool(match (self.value(l)?, self.value(r)?) {
                (Naive::Int(a), Naive::Int(b)) => match operator.text() {
                    "==" => a == b,
                    "!=" => a != b,
                    "<" => a < b,
                    "<=" => a <= b,
                    ">" => a > b,
                    _ => a >= b,
                },
                _ => false,
            }));
        }
        let (a, b) = (self.number(l)?, self.number(r)?);
        Some(Naive::Int(match operator.text() {
            "+" => a.checked_add(b)?,
            "-" => a.checked_sub(b)?,
            "*" => a.checked_mul(b)?,
            "/" => a.checked_div(b)?,
            _ => a.checked_rem(b)?,
        }))
    }

    fn call(&self, name: &str, arguments: &[Expression]) -> Option<Naive> {
        let Tree::Path(path) = &arguments[0].node else { unreachable!("rows come first") };
        let rows = &self.cells[self.cell(&path.text())];
        let mut counted = Vec::new();
        for (key, &value) in rows.iter().enumerate() {
            let here = World { row: Some((key as i64, value)), ..*self };
            let holds = match arguments.get(1) {
                Some(predicate) => here.truth(predicate)?,
                None => true,
            };
            if holds {
                counted.push(value);
            }
        }
        counted.sort_unstable();
        Some(match name {
            "count" => Naive::Int(counted.len() as i64),
            "sum" => Naive::Int(total(&counted)?),
            "min" => counted.first().map_or(Naive::Null, |v| Naive::Int(*v)),
            "max" => counted.last().map_or(Naive::Null, |v| Naive::Int(*v)),
            "all" => Naive::Bool(counted.len() == rows.len()),
            "any" => Naive::Bool(!counted.is_empty()),
            _ => {
                counted.dedup();
                if name == "distinct" { Naive::Int(counted.len() as i64) } else { Naive::Bool(counted.len() <= 1) }
            }
        })
    }
}

/// A sum, if it fits.
fn total(values: &[i64]) -> Option<i64> {
    i64::try_from(values.iter().map(|&v| i128::from(v)).sum::<i128>()).ok()
}

/// Random texts.
struct Generator(kernel::Keyed);

impl Generator {
    fn below(&mut self, n: u64) -> u64 {
        self.0.bits() % n
    }

    fn pick(&mut self, from: &[&str]) -> String {
        from[self.below(from.len() as u64) as usize].to_owned()
    }

    /// A predicate over state, or over a row.
    fn truth(&mut self, depth: u32, row: bool) -> String {
        match self.below(if depth == 0 { 3 } else { 7 }) {
            0 if !row => {
                let rows = self.pick(&["bank_a.accounts", "bank_b.accounts", "shop.up"]);
                let function = self.pick(&["all", "any"]);
                format!("{function}({rows}, {})", self.truth(1, true))
            }
            1 if !row => format!("all_equal({})", self.pick(&["bank_a.accounts", "shop.up"])),
            3 => format!("({} && {})", self.truth(depth - 1, row), self.truth(depth - 1, row)),
            4 => format!("({} || {})", self.truth(depth - 1, row), self.truth(depth - 1, row)),
            5 => format!("!({})", self.truth(depth - 1, row)),
            6 => format!(
                "({} ? {} : {})",
                self.truth(depth - 1, row),
                self.truth(depth - 1, row),
                self.truth(depth - 1, row)
            ),
            _ => {
                let operator = self.pick(&["==", "!=", "<", "<=", ">", ">="]);
                format!("{} {operator} {}", self.number(depth, row), self.number(depth, row))
            }
        }
    }

    fn number(&mut self, depth: u32, row: bool) -> String {
        if depth > 0 && self.below(2) == 0 {
            let operator = self.pick(&["+", "-", "*", "/", "%"]);
            return format!("({} {operator} {})", self.number(depth - 1, row), self.number(depth - 1, row));
        }
        if row {
            return match self.below(4) {
                0 => "key".to_owned(),
                1 => format!("{}[key]", self.pick(&["bank_a.accounts", "bank_b.accounts", "shop.up", "shop.stock"])),
                2 => self.below(9).to_string(),
                _ => "value".to_owned(),
            };
        }
        let rows = self.pick(&["bank_a.accounts", "bank_b.accounts", "shop.up", "queues.q.depth"]);
        match self.below(8) {
            0 => self.below(12).to_string(),
            1 => "shop.stock".to_owned(),
            2 => "shop.up".to_owned(),
            3 => format!("bank_a.accounts[{}]", self.below(4)),
            4 => format!("-{}", self.number(0, false)),
            5 => format!("distinct({rows})"),
            6 => format!("{}({rows})", self.pick(&["sum", "min", "max"])),
            _ => {
                let function = self.pick(&["count", "sum", "min", "max"]);
                format!("{function}({rows}, {})", self.truth(1, true))
            }
        }
    }
}

/// Small values make equal, zero and negative ones frequent; a rare huge one makes sums overflow.
fn value(generator: &mut Generator) -> i64 {
    match generator.below(40) {
        0 => i64::MAX,
        1 => i64::MIN,
        n => n as i64 % 9 - 2,
    }
}

#[test]
fn incremental_is_naive_for_random_expressions_and_changes() {
    let names = names();
    let (mut truths, mut faults) = ([0_u32; 2], 0);
    for seed in 0..3_000 {
        let mut generator = Generator(Seed(seed).key("property", "expression").draw(0, 0, 0));
        let text = generator.truth(2, false);
        let tree = parse(&text).unwrap_or_else(|e| panic!("{text}: {}", e.message));
        let mut state = State::new(&names);
        // What reads nothing, or can never be right (`7 / 0`), is refused.
        let Ok((predicate, reads)) = Predicate::compile(&at(&text), false, &names, &mut state) else { continue };
        for (cell, key) in &reads {
            state.depend(*cell, Reader { key: *key, watch: 0 });
        }
        let mut cells: Vec<Vec<i64>> = names.cells.iter().map(|c| vec![c.initial; c.keys as usize]).collect();
        let mut last = predicate.holds(&state);
        for _ in 0..60 {
            let cell = generator.below(cells.len() as u64) as usize;
            let key = generator.below(cells[cell].len() as u64);
            let after = value(&mut generator);
            let before = std::mem::replace(&mut cells[cell][key as usize], after);
            let mut read = false;
            state.apply(&delta(cell as u32, key, before, after), |_| read = true);
            let found = predicate.holds(&state);
            // An aggregate without a value makes the whole predicate a fault, also where `&&` would not look at it.
            let expected = World { names: &names, cells: &cells, row: None }.truth(&tree);
            match (found, expected) {
                (Ok(found), expected) => {
                    assert_eq!(Some(found), expected, "seed {seed}: {text} over {cells:?}");
                    truths[usize::from(found)] += 1;
                }
                (Err(_), None) => faults += 1,
                (Err(fault), Some(_)) => {
                    let hidden = World { names: &names, cells: &cells, row: None }.hides_fault(&tree);
                    assert!(hidden, "seed {seed}: {text} over {cells:?} gives {fault}");
                }
            }
            assert!(read || found == last, "seed {seed}: {text} changed without being told");
            last = found;
        }
    }
    assert!(
        truths[0] > 10_000 && truths[1] > 10_000 && faults > 1_000,
        "the generator is poor: {truths:?}, {faults} faults"
    );
}

#[test]
fn an_always_over_a_stream_breaks_when_and_only_when_the_naive_one_does() {
    let names = names();
    let mut broken = 0;
    for seed in 0..300 {
        let mut generator = Generator(Seed(seed).key("property", "stream").draw(0, 0, 0));
        let text = "sum(bank_a.accounts) + sum(bank_b.accounts) >= 760 && min(bank_a.accounts) >= 60";
        let tree = parse(text).expect("it parses");
        let mut promises =
            Promises::compile(&model(vec![("p", model::Form::Always(at(text)))]), &names).expect("it compiles");
        let mut cells: Vec<Vec<i64>> = names.cells.iter().map(|c| vec![c.initial; c.keys as usize]).collect();
        let (mut first, mut changes) = (None, 0);
        for event in 1..40 {
            let mut change: Vec<Delta> = Vec::new();
            for _ in 0..=generator.below(3) {
                let (cell, key) = (generator.below(2) as usize, generator.below(4) as usize);
                let after = cells[cell][key] + generator.below(21) as i64 - 11;
                change.push(delta(cell as u32, key as u64, cells[cell][key], after));
                cells[cell][key] = after;
            }
            let heard = change.iter().any(|delta| promises.names(delta.cell.0 as usize));
            promises.change(Time(event), event, heard, &change);
            changes += u64::from(change.iter().any(|delta| delta.before != delta.after));
            if (World { names: &names, cells: &cells, row: None }).truth(&tree) != Some(true) {
                first = first.or(Some((Time(event), event)));
            }
        }
        let result = &promises.finish(Time(99), true, "")[0];
        assert_eq!(result.first, first, "seed {seed}");
        assert_eq!(result.evaluations, changes, "what only states again what was is not judged");
        broken += u32::from(result.status == Status::Violated);
    }
    assert!((30..270).contains(&broken), "{broken} of 300 broke: the stream tests one side only");
}
