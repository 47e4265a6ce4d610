//! Promises over maps are what a naive evaluation of the whole tree over the whole state gives, for random expressions
//! and random changes; and a change costs the same with few rows and with many.

use std::collections::{BTreeMap, BTreeSet};

use super::shop::*;
use super::*;
use crate::expression::{BinaryOperator, Expression, Node as Tree, Path, UnaryOperator, parse};
use crate::model::ItemPath;
use crate::names::ItemKind;
use crate::promise::predicate::Predicate;
use kernel::{NULL, Seed};

/// A value of the naive evaluation; `None` in a result is a fault.
#[derive(Clone, PartialEq, Debug)]
enum Naive {
    Null,
    Int(i64),
    Bool(bool),
    Text(String),
}

/// The whole state, and the row a predicate is about: its item and its key.
#[derive(Clone, Copy)]
struct World<'a> {
    names: &'a Names,
    cells: &'a BTreeMap<(u32, u64), i64>,
    row: Option<(&'a str, u64)>,
}

impl World<'_> {
    fn at(&self, cell: CellId, key: u64) -> i64 {
        self.cells.get(&(cell.0, key)).copied().unwrap_or_else(|| nothing(cell.0))
    }

    /// A field of a row, or without one the counter's value or whether the row is there.
    fn read(&self, path: &str, key: u64, field: Option<&str>) -> Naive {
        let item = self.names.items.iter().find(|item| item.path == path).expect("it compiled");
        match (&item.kind, field) {
            (ItemKind::Counter { cell }, _) => self.cells.get(&(cell.0, key)).map_or(Naive::Null, |v| Naive::Int(*v)),
            (ItemKind::Map { present, .. }, None) => {
                if self.at(*present, key) == 0 {
                    Naive::Null
                } else {
                    Naive::Bool(true)
                }
            }
            (ItemKind::Map { fields, .. }, Some(name)) => {
                let field = fields.iter().find(|field| field.name == name).expect("it compiled");
                match (self.at(field.cell, key), field.sort) {
                    (NULL, _) => Naive::Null,
                    (coded, crate::expression::Type::Text) => Naive::Text(self.names.texts[coded as usize].clone()),
                    (coded, crate::expression::Type::Bool) => Naive::Bool(coded != 0),
                    (coded, _) => Naive::Int(coded),
                }
            }
            (ItemKind::List { size }, _) => Naive::Int(self.at(*size, 0)),
        }
    }

    fn path(&self, path: &Path) -> Option<Naive> {
        let text = path.text();
        let field = path.fields.first().map(|word| word.text.as_str());
        Some(match (&path.key, self.row) {
            (Some(key), _) => match self.value(key)? {
                Naive::Int(key) => self.read(&text, key as u64, field),
                Naive::Null | Naive::Bool(_) | Naive::Text(_) => panic!("a key is a number"),
            },
            (None, Some((_, key))) if text == "key" => Naive::Int(key as i64),
            (None, Some((item, key))) if text == "value" => self.read(item, key, None),
            (None, Some((item, key))) => self.read(item, key, Some(&text)),
            (None, None) => self.read(&text, 0, None),
        })
    }

    fn truth(&self, e: &Expression) -> Option<bool> {
        if let Naive::Bool(b) = self.value(e)? { Some(b) } else { None }
    }

    fn value(&self, whole: &Expression) -> Option<Naive> {
        Some(match &whole.node {
            Tree::Integer(n) => Naive::Int(*n),
            Tree::Text(text) => Naive::Text(text.clone()),
            Tree::Path(path) => self.path(path)?,
            Tree::Unary(UnaryOperator::Not, inner) => Naive::Bool(!self.truth(inner)?),
            Tree::Binary(BinaryOperator::And, l, r) => Naive::Bool(self.truth(l)? && self.truth(r)?),
            Tree::Binary(BinaryOperator::Or, l, r) => Naive::Bool(self.truth(l)? || self.truth(r)?),
            Tree::Binary(BinaryOperator::In, l, r) => {
                let Tree::List(items) = &r.node else { unreachable!("it compiled") };
                let found = self.value(l)?;
                Naive::Bool(found != Naive::Null && items.iter().any(|item| self.value(item).as_ref() == Some(&found)))
            }
            Tree::Binary(BinaryOperator::Add, l, r) => match (self.value(l)?, self.value(r)?) {
                (Naive::Int(left), Naive::Int(right)) => Naive::Int(left + right),
                _ => return None,
            },
            Tree::Binary(operator, l, r) => Naive::Bool(compared(operator.text(), &self.value(l)?, &self.value(r)?)),
            Tree::Call(name, arguments) if name.text == "exists" => {
                Naive::Bool(self.value(&arguments[0])? != Naive::Null)
            }
            Tree::Call(name, arguments) => self.call(&name.text, arguments)?,
            Tree::Duration(_)
            | Tree::Bool(_)
            | Tree::Variable(_)
            | Tree::List(_)
            | Tree::Choice(..)
            | Tree::Unary(UnaryOperator::Negate, _) => unreachable!("not generated"),
        })
    }

    fn keys(&self, item: &str) -> Vec<u64> {
        let all: BTreeSet<u64> = self.cells.keys().map(|(_, key)| *key).collect();
        all.into_iter().filter(|&key| self.read(item, key, None) != Naive::Null).collect()
    }

    fn call(&self, name: &str, arguments: &[Expression]) -> Option<Naive> {
        let Tree::Path(path) = &arguments[0].node else { unreachable!("rows come first") };
        let mut item = path.text();
        if item == "payment.charges" {
            return Some(self.read(&item, 0, None));
        }
        let mut field = None;
        if self.names.items.iter().all(|known| known.path != item) {
            let (owner, name) = item.rsplit_once('.').expect("it compiled");
            (field, item) = (Some(name.to_owned()), owner.to_owned());
        }
        let keys = self.keys(&item);
        let mut counted = Vec::new();
        for &key in &keys {
            let here = World { row: Some((&item, key)), ..*self };
            let holds = arguments.get(1).map_or(Some(true), |predicate| here.truth(predicate))?;
            if holds {
                counted.push(field.as_ref().map_or(Naive::Bool(true), |field| self.read(&item, key, Some(field))));
            }
        }
        let values: Vec<Naive> = counted.iter().filter(|&v| *v != Naive::Null).cloned().collect();
        let numbers = values.iter().filter_map(|v| if let Naive::Int(n) = v { Some(*n) } else { None });
        let distinct = values.iter().enumerate().filter(|(n, v)| !values[..*n].contains(v)).count();
        Some(match name {
            "count" | "size" => Naive::Int(counted.len() as i64),
            "sum" => Naive::Int(numbers.sum()),
            "min" => numbers.min().map_or(Naive::Null, Naive::Int),
            "max" => numbers.max().map_or(Naive::Null, Naive::Int),
            "all" => Naive::Bool(counted.len() == keys.len()),
            "any" => Naive::Bool(!counted.is_empty()),
            "distinct" => Naive::Int(distinct as i64),
            _ => Naive::Bool(distinct <= 1),
        })
    }

    /// Some aggregate has no value.
    fn hides_fault(&self, e: &Expression) -> bool {
        match &e.node {
            Tree::Call(name, _) if name.text == "exists" => false,
            Tree::Call(name, arguments) => self.call(&name.text, arguments).is_none(),
            Tree::Unary(_, inner) => self.hides_fault(inner),
            Tree::Binary(_, l, r) => self.hides_fault(l) || self.hides_fault(r),
            Tree::Integer(_)
            | Tree::Duration(_)
            | Tree::Bool(_)
            | Tree::Text(_)
            | Tree::Variable(_)
            | Tree::Path(_)
            | Tree::List(_)
            | Tree::Choice(..) => false,
        }
    }
}

fn compared(operator: &str, a: &Naive, b: &Naive) -> bool {
    match (operator, a, b) {
        (_, Naive::Null, _) | (_, _, Naive::Null) => false,
        ("==", a, b) => a == b,
        ("!=", a, b) => a != b,
        ("<", Naive::Int(a), Naive::Int(b)) => a < b,
        (">=", Naive::Int(a), Naive::Int(b)) => a >= b,
        other => unreachable!("{other:?} is not generated"),
    }
}

/// Random texts and changes.
struct Generator(kernel::Keyed);

impl Generator {
    fn of(seed: u64) -> Self {
        Self(Seed(seed).key("property", "rows").draw(0, 0, 0))
    }

    fn below(&mut self, n: u64) -> u64 {
        self.0.bits() % n
    }

    fn pick(&mut self, from: &[&str]) -> String {
        from[self.below(from.len() as u64) as usize].to_owned()
    }

    fn text(&mut self) -> String {
        self.pick(&["'pending'", "'confirmed'", "'held'", "'never said'"])
    }

    /// A predicate over the rows of an item.
    fn row(&mut self, item: &str, depth: u32) -> String {
        if depth > 0 && self.below(2) == 0 {
            let (left, right) = (self.row(item, depth - 1), self.row(item, depth - 1));
            let operator = self.pick(&["&&", "||", "==", "!="]);
            return if self.below(5) == 0 { format!("!({left})") } else { format!("(({left}) {operator} ({right}))") };
        }
        let (other, field) = if item == "inventory.holds" {
            ("orders.orders", self.pick(&["status", "amount", "gift"]))
        } else {
            ("inventory.holds", "status".to_owned())
        };
        let own = match item {
            "orders.orders" => self.pick(&["status", "amount", "gift"]),
            "inventory.holds" => "status".to_owned(),
            _ => "value".to_owned(),
        };
        let read = match self.below(6) {
            0 => return format!("exists({other}[key])"),
            1 => return format!("exists({other}[key].{field})"),
            2 => (format!("{other}[key].{field}"), field),
            3 => ("inventory.units[key]".to_owned(), "amount".to_owned()),
            4 => ("key".to_owned(), "amount".to_owned()),
            _ => (own.clone(), own),
        };
        match (read.1.as_str(), self.below(3)) {
            ("status", 0) => format!("{} in [{}, {}]", read.0, self.text(), self.text()),
            ("status", _) => format!("{} {} {}", read.0, self.pick(&["==", "!="]), self.text()),
            ("gift", _) => read.0,
            (_, 0) if item == "orders.orders" => format!("amount + {} >= {}", self.below(3), read.0),
            _ => format!("{} {} {}", read.0, self.pick(&["==", "<", ">="]), self.below(5)),
        }
    }

    /// A predicate over the whole state.
    fn whole(&mut self, depth: u32) -> String {
        if depth > 0 {
            let operator = self.pick(&["&&", "||"]);
            return format!("({} {operator} {})", self.whole(depth - 1), self.whole(depth - 1));
        }
        let item = self.pick(&["orders.orders", "orders.orders", "inventory.holds", "inventory.units"]);
        let predicate = self.row(&item, 2);
        let compared = format!("{} {}", self.pick(&["==", "<", ">="]), self.below(4));
        match self.below(9) {
            0 => format!("all({item}, {predicate})"),
            1 => format!("any({item}, {predicate})"),
            2 => format!("count({item}, {predicate}) {compared}"),
            3 => format!("size({}) {compared}", self.pick(&["orders.orders", "inventory.holds", "payment.charges"])),
            4 => format!("orders.orders[{}].status == {}", self.below(4), self.text()),
            5 => format!("exists(inventory.holds[{}])", self.below(4)),
            6 => {
                let function = self.pick(&["sum", "min", "max", "distinct"]);
                format!("{function}(orders.orders.amount, {}) {compared}", self.row("orders.orders", 1))
            }
            7 => format!("distinct(orders.orders.status) + inventory.stock {compared}"),
            _ => format!("all_equal(inventory.holds.status, {})", self.row("inventory.holds", 1)),
        }
    }

    /// A change of one row, all of it at once.
    fn change(&mut self, cells: &mut BTreeMap<(u32, u64), i64>) -> Vec<Delta> {
        let key = [0, 1, 2, 3, (5 << 40) + 7][self.below(5) as usize];
        let mut new: Vec<(u32, u64, i64)> = Vec::new();
        match self.below(8) {
            0 => new.push((STOCK, 0, self.below(3) as i64)),
            1 => new.push((CHARGES, 0, self.below(4) as i64)),
            2 => new.push((UNITS, key % 3, self.below(5) as i64)),
            3 => new.extend([(HOLDS, key, 0), (HELD, key, NULL)]),
            4 => new.extend([(ORDERS, key, 0), (STATUS, key, NULL), (AMOUNT, key, NULL), (GIFT, key, NULL)]),
            5 => new.extend([(HOLDS, key, 1), (HELD, key, self.below(5) as i64)]),
            _ => {
                new.extend([(ORDERS, key, 1), (STATUS, key, self.below(5) as i64)]);
                for (cell, most) in [(AMOUNT, 5), (GIFT, 2)] {
                    let value = self.below(most + 1);
                    new.push((cell, key, if value == most { NULL } else { value as i64 }));
                }
            }
        }
        let told = |(cell, key, after)| {
            let before = cells.insert((cell, key), after).unwrap_or_else(|| nothing(cell));
            delta(cell, key, before, after)
        };
        new.into_iter().map(told).collect()
    }
}

#[test]
fn aggregates_over_rows_are_naive_for_random_expressions_and_changes() {
    let names = shop_names();
    let (mut truths, mut faults) = ([0_u32; 2], 0);
    for seed in 0..2_000 {
        let mut generator = Generator::of(seed);
        let text = generator.whole(1);
        let tree = parse(&text).unwrap_or_else(|e| panic!("{text}: {}", e.message));
        let mut state = State::new(&names);
        let Ok((predicate, reads)) = Predicate::compile(&at(&text), false, &names, &mut state) else { continue };
        for (cell, key) in &reads {
            state.depend(*cell, Reader { key: *key, watch: 0 });
        }
        let mut cells = initial(&names);
        let mut last = predicate.holds(&state);
        for _ in 0..60 {
            let mut read = false;
            for delta in generator.change(&mut cells) {
                state.apply(&delta, |_| read = true);
            }
            state.settle();
            state.sweep();
            let found = predicate.holds(&state);
            let world = World { names: &names, cells: &cells, row: None };
            match (found, world.truth(&tree)) {
                (Ok(found), expected) => {
                    assert_eq!(Some(found), expected, "seed {seed}: {text} over {cells:?}");
                    truths[usize::from(found)] += 1;
                }
                (Err(_), None) => faults += 1,
                (Err(fault), Some(_)) => assert!(world.hides_fault(&tree), "seed {seed}: {text} gives {fault}"),
            }
            assert!(read || found == last, "seed {seed}: {text} changed without being told");
            last = found;
        }
    }
    assert!(
        truths[0] > 10_000 && truths[1] > 10_000 && faults > 1_000,
        "a poor generator: {truths:?}, {faults} faults"
    );
}

#[test]
fn leads_to_for_each_row_is_naive_for_random_predicates_and_changes() {
    let names = shop_names();
    let (mut waits, mut ends) = (0, 0);
    for seed in 0..1_000 {
        let mut generator = Generator::of(seed);
        let (when, then) = (generator.row("orders.orders", 1), generator.row("orders.orders", 1));
        let trees = [&when, &then].map(|text| parse(text).expect("it parses"));
        let place = Place::default();
        let item = ItemPath { owner: "orders".to_owned(), item: "orders".to_owned(), place };
        let form = model::Form::LeadsTo { when: at(&when), then: at(&then), within: None, for_each: Some(item) };
        let mut promises = Promises::compile(&model(vec![("p", form)]), &names).expect("it compiles");
        promises.keep_times("p");
        let mut cells = initial(&names);
        let (mut was, mut waiting) = (BTreeSet::new(), BTreeMap::new());
        for event in 1..60 {
            let change = generator.change(&mut cells);
            let heard = change.iter().any(|delta| promises.names(delta.cell.0 as usize));
            promises.change(Time(event), event, heard, &change);
            let mut expected = Vec::new();
            for key in cells.keys().map(|(_, key)| *key).collect::<BTreeSet<_>>() {
                let row = World { names: &names, cells: &cells, row: Some(("orders.orders", key)) };
                let there = row.read("orders.orders", key, None) != Naive::Null;
                let now = there && row.truth(&trees[0]) == Some(true);
                let rises = now && !was.contains(&key);
                if now {
                    was.insert(key)
                } else {
                    was.remove(&key)
                };
                if !rises && !waiting.contains_key(&key) {
                    continue;
                }
                if row.truth(&trees[1]) == Some(true) {
                    expected.push((waiting.remove(&key).unwrap_or(event), event));
                } else {
                    waiting.entry(key).or_insert(event);
                    waits += 1;
                }
            }
            let mut found = Vec::new();
            promises.take_times(|_, since, time| found.push((since.0, since.0 + time.0)));
            assert_eq!(found, expected, "seed {seed}: {when} leads to {then}, event {event}");
            ends += found.len();
        }
    }
    assert!(waits > 5_000 && ends > 2_000, "a poor generator: {waits} waits, {ends} ends");
}

#[test]
fn a_change_costs_no_more_with_many_rows_than_with_few() {
    let cost = |rows: u64| {
        let texts = [
            "inventory.stock + count(inventory.holds, status == 'held') < 1_000_000_000",
            "all(orders.orders, (status == 'confirmed') == (inventory.holds[key].status == 'held'))",
            "any(orders.orders, amount > 1) || sum(orders.orders.amount, status == 'pending') >= 0",
            "min(orders.orders.amount) >= max(orders.orders.amount) || distinct(orders.orders.status) < 9",
        ];
        let forms = texts.map(|text| ("p", model::Form::Always(at(text))));
        let mut promises = Promises::compile(&model(forms.to_vec()), &shop_names()).expect("it compiles");
        let row = |key| [delta(ORDERS, key, 0, 1), delta(STATUS, key, NULL, PENDING), delta(AMOUNT, key, NULL, 5)];
        for key in 0..rows {
            promises.change(Time(key), key, true, &row(key << 20));
        }
        let before = (promises.rows_judged(), promises.evaluations());
        let key = (rows / 2) << 20;
        promises.change(Time(rows), rows, true, &[delta(STATUS, key, PENDING, CONFIRMED), delta(AMOUNT, key, 5, 6)]);
        promises.change(
            Time(rows),
            rows,
            true,
            &[delta(HOLDS, key, i64::from(key < 2), 1), delta(HELD, key, NULL, ON_HOLD)],
        );
        (promises.rows_judged() - before.0, promises.evaluations() - before.1)
    };
    // Six aggregates read the order, two the hold.
    assert_eq!(cost(100), cost(100_000));
    assert_eq!(cost(100).0, 8);
}
