//! Steps: what compiles, what it yields, and what is said about what does not.

use systems::expression::Environment;

use super::*;
use crate::model::Place;

/// Variables `amount` = 7, `from` = 2, `wait` = 5 ms, `vip` = true; items `stock` (1 row), `bank.accounts` (10 rows,
/// row k is 10 k).
struct Desk(Vec<String>);

impl StepScope for Desk {
    fn variable(&mut self, name: &str) -> Option<(Meaning, Type)> {
        if name == "unique" {
            return Some((Meaning::Scaled(VariableId(0), 128, 3), Type::Int));
        }
        let n = ["amount", "from", "wait", "vip"].iter().position(|v| *v == name)?;
        Some((Meaning::Carried(VariableId(n as u32)), [Type::Int, Type::Int, Type::Duration, Type::Bool][n]))
    }
    fn variables(&self) -> Vec<String> {
        ["amount", "from", "wait", "vip"].map(str::to_owned).to_vec()
    }
    fn item(&self, path: &str) -> Option<Item> {
        match path {
            "stock" => Some(Item { id: ItemId(0), keys: 1 }),
            "bank.accounts" => Some(Item { id: ItemId(1), keys: 10 }),
            _ => None,
        }
    }
    fn items(&self) -> Vec<String> {
        vec!["stock".to_owned(), "bank.accounts".to_owned()]
    }
    fn forbidden(&self, path: &str) -> Option<String> {
        (path == "users.users").then(|| "another service's state: call it".to_owned())
    }
    fn place_of(&self, path: &str) -> String {
        path.to_owned()
    }
    fn symbol(&mut self, text: &str) -> u32 {
        self.0.push(text.to_owned());
        self.0.len() as u32
    }
}

impl Environment for Desk {
    fn variable(&self, variable: VariableId) -> Value {
        [Value::Int(7), Value::Int(2), Value::Int(5_000_000), Value::Bool(true)][variable.0 as usize]
    }
    fn row(&self, item: ItemId, key: i64) -> Value {
        match (item.0, key) {
            (0, 0) => Value::Int(100),
            (1, 0..10) => Value::Int(10 * key),
            _ => Value::Null,
        }
    }
}

fn at(text: &str) -> At<String> {
    At { value: text.to_owned(), place: Place { source: 0, start: 100, end: 102 + text.len() as u32 } }
}

fn check(text: &str, wanted: Type, expected: Value) {
    let mut desk = Desk(Vec::new());
    let program = compile_step(&at(text), wanted, &mut desk).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    assert_eq!(program.evaluate(&desk), Ok(expected), "{text}");
}

/// The underlined texts, messages and helps of a wrong expression.
fn refuse(text: &str, wanted: Type, expected: &[(&str, &str, &str)]) {
    let problems = compile_step(&at(text), wanted, &mut Desk(Vec::new())).expect_err(text);
    let found: Vec<_> = problems
        .iter()
        .map(|p| {
            let (from, to) = (p.place.start as usize - 101, p.place.end as usize - 101);
            (&text[from..to], p.message.as_str(), p.help.as_deref().unwrap_or(""))
        })
        .collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn steps_compute_what_is_written() {
    check("-$amount", Type::Int, Value::Int(-7));
    check("$amount - 1", Type::Int, Value::Int(6));
    check("10 - $amount * 2", Type::Int, Value::Int(-4));
    check("bank.accounts[$from] >= $amount", Type::Bool, Value::Bool(true));
    check("bank.accounts[$from + 90] >= $amount", Type::Bool, Value::Bool(false));
    check("exists(bank.accounts[$from + 90])", Type::Bool, Value::Bool(false));
    check("stock >= 1 && bank.accounts[3] == 30", Type::Bool, Value::Bool(true));
    check("$vip ? stock : 1 / ($amount - 7)", Type::Int, Value::Int(100));
    check("$amount in [1, 3 + 4, $from]", Type::Bool, Value::Bool(true));
    check("!($amount in [1, $from]) || $amount / 0 == 1", Type::Bool, Value::Bool(true));
    check("$wait * 2 + 1ms", Type::Duration, Value::Int(11_000_000));
    check("'a' == 'b' || (stock - $amount) * ($from + 1) == 279", Type::Bool, Value::Bool(true));
    check("30_000 * 2", Type::Int, Value::Int(60_000));
}

#[test]
fn mistakes_are_told_all_at_once_with_the_nearest_name() {
    refuse(
        "$amout + stok >= 1",
        Type::Bool,
        &[
            ("$amout", "nothing on any path to this step sets `$amout`", "`$amount`?"),
            ("stok", "no state is called `stok`", "`stock`?"),
        ],
    );
    refuse(
        "amount >= 1",
        Type::Bool,
        &[("amount", "no state is called `amount`", "the request's variable is `$amount`")],
    );
    refuse(
        "users.users[3]",
        Type::Int,
        &[("users.users[3]", "a step cannot read `users.users`: another service's state: call it", "")],
    );
    refuse(
        "bank.accounts >= 1",
        Type::Bool,
        &[("bank.accounts", "`bank.accounts` has 10 rows: which one?", "`bank.accounts[$key]`")],
    );
    refuse("bank.accounts[10]", Type::Int, &[("10", "`bank.accounts` has no row 10", "its rows are 0 to 9")]);
    refuse(
        "bank.accounts[1].status",
        Type::Int,
        &[("status", "a row of `bank.accounts` is a number and has no field `status`", "")],
    );
    refuse(
        "sum(bank.accounts)",
        Type::Int,
        &[(
            "sum",
            "there is no function `sum` in a step",
            "a step looks at single rows, `stock[$item] >= 1`, and asks `exists(row)`; sums are for invariants",
        )],
    );
}

#[test]
fn types_must_fit() {
    refuse("$amount", Type::Bool, &[("$amount", "true or false is needed here, not a number", "")]);
    refuse(
        "$wait > 5",
        Type::Bool,
        &[("$wait > 5", "`>` cannot be applied to a duration and a number", "a duration has a unit: `5s`")],
    );
    refuse(
        "'a' < 'b'",
        Type::Bool,
        &[("'a' < 'b'", "`<` cannot be applied to text and text", "texts are compared with `==` and `!=`")],
    );
    refuse("$vip && $amount", Type::Bool, &[("$amount", "true or false is needed here, not a number", "")]);
    refuse("$vip ? 1 : true", Type::Int, &[("true", "one branch is a number, the other true or false", "")]);
    refuse("$amount in 3", Type::Bool, &[("3", "`in` needs a list on its right", "`status in ['held', 'sold']`")]);
    refuse("7 / (3 - 3)", Type::Int, &[("7 / (3 - 3)", "this is always a division by zero", "")]);
    refuse("-'a'", Type::Int, &[("'a'", "`-` needs a number, not text", "")]);
}

#[test]
fn nesting_that_needs_too_many_registers_is_an_error() {
    let deep = format!("{}$amount{}", "-$amount + -$amount * (".repeat(18), ")".repeat(18));
    let problems = compile_step(&at(&deep), Type::Int, &mut Desk(Vec::new())).expect_err("too deep");
    assert_eq!(problems[0].message, "this needs more than 32 intermediate values");
}

#[test]
fn places_follow_the_quotes_of_the_file() {
    use super::super::problem::within;
    let text = |length: u32| At { value: "abc".to_owned(), place: Place { source: 1, start: 10, end: 10 + length } };
    assert_eq!(within(&text(3), 1, 2), Place { source: 1, start: 11, end: 12 });
    assert_eq!(within(&text(5), 1, 2), Place { source: 1, start: 12, end: 13 });
    assert_eq!(within(&text(9), 1, 2), Place { source: 1, start: 14, end: 15 });
    assert_eq!(within(&text(8), 1, 2), Place { source: 1, start: 10, end: 18 }, "escapes: the whole text");
}
