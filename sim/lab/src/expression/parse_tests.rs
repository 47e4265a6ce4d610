//! Goldens of the parser: trees written with all brackets, errors with their places.

use super::*;

/// The tree with all brackets.
fn bracketed(e: &Expression) -> String {
    match &e.node {
        Node::Integer(n) => n.to_string(),
        Node::Duration(n) => format!("{n}ns"),
        Node::Bool(b) => b.to_string(),
        Node::Text(t) => format!("'{t}'"),
        Node::Variable(v) => format!("${v}"),
        Node::Path(path) => {
            let key = path.key.as_ref().map_or_else(String::new, |k| format!("[{}]", bracketed(k)));
            let fields: String = path.fields.iter().flat_map(|f| [".", f.text.as_str()]).collect();
            format!("{}{key}{fields}", path.text())
        }
        Node::List(items) => format!("[{}]", items.iter().map(bracketed).collect::<Vec<_>>().join(", ")),
        Node::Unary(UnaryOperator::Negate, inner) => format!("(-{})", bracketed(inner)),
        Node::Unary(UnaryOperator::Not, inner) => format!("(!{})", bracketed(inner)),
        Node::Binary(operator, l, r) => format!("({} {} {})", bracketed(l), operator.text(), bracketed(r)),
        Node::Choice(c, y, n) => format!("({} ? {} : {})", bracketed(c), bracketed(y), bracketed(n)),
        Node::Call(name, arguments) => {
            format!("{}({})", name.text, arguments.iter().map(bracketed).collect::<Vec<_>>().join(", "))
        }
    }
}

fn check(text: &str, expected: &str) {
    let tree = parse(text).unwrap_or_else(|e| panic!("{text}: {}", e.message));
    assert_eq!(bracketed(&tree), expected, "{text}");
    assert_eq!(&text[tree.from as usize..tree.to as usize], text.trim(), "the bytes of the whole");
}

fn refuse(text: &str, underlined: &str, message: &str) {
    let error = parse(text).expect_err(text);
    assert_eq!(error.message, message, "{text}");
    assert_eq!(&text[error.from as usize..error.to as usize], underlined, "{text}");
}

#[test]
fn operators_bind_as_in_cel() {
    check("1 + 2 * 3 - 4", "((1 + (2 * 3)) - 4)");
    check("a.b >= 1 && !c.d || e", "(((a.b >= 1) && (!c.d)) || e)");
    check("-$amount", "(-$amount)");
    check("- -7", "7");
    check("$a - 1", "($a - 1)");
    check(" x ? 1 : y ? 2 : 3 ", "(x ? 1 : (y ? 2 : 3))");
    check(
        "(status == 'held') == (holds[key].status == 'held')",
        "((status == 'held') == (holds[key].status == 'held'))",
    );
    check("a - b - c", "((a - b) - c)");
    check("a % 3 == 0", "((a % 3) == 0)");
}

#[test]
fn the_expressions_of_the_examples_parse() {
    check("bank_a.accounts[$from] >= $amount", "(bank_a.accounts[$from] >= $amount)");
    check(
        "sum(bank_a.accounts) + sum(bank_b.accounts) == 6_000_000",
        "((sum(bank_a.accounts) + sum(bank_b.accounts)) == 6000000)",
    );
    check(
        "count(q.messages, poison && from_queue == 'billing') == 0",
        "(count(q.messages, (poison && (from_queue == 'billing'))) == 0)",
    );
    check("status in ['paid', 'failed']", "(status in ['paid', 'failed'])");
    check("$message.key == 'payment.succeeded'", "($message.key == 'payment.succeeded')");
    check(
        "all(o.orders, status != 'paid' || p.trades[key].result == 'ok')",
        "all(o.orders, ((status != 'paid') || (p.trades[key].result == 'ok')))",
    );
    check("before(kv.term) <= after(kv.term)", "(before(kv.term) <= after(kv.term))");
    check("1m30s + 5ms", "(90000000000ns + 5000000ns)");
    check("queues.order_events.depth == 0", "(queues.order_events.depth == 0)");
}

#[test]
fn every_mistake_has_its_place() {
    refuse("a == 1 == b", "==", "`==` is found where `&&`, `||` or the end is expected");
    refuse("a = 1", "=", "`=` is no operator here");
    refuse("a and b", "and", "`and` is found where the end or an operator is expected");
    refuse("sum(a.b", "", "the end is found where `,` or `)` is expected");
    refuse("a +", "", "the end is found where a value is expected");
    refuse("a + * b", "*", "`*` is found where a value is expected");
    refuse("1.5 < x", "1.5", "state has no fractions");
    refuse("5d < x", "5d", "`d` is no unit of time");
    refuse("x == \"y\"", "\"", "text is written in single quotes");
    refuse("x == 'y", "'y", "this text does not end");
    refuse("99999999999999999999", "99999999999999999999", "this number is beyond 64 bits");
    refuse("a.1", "1", "the number 1 is found where a name is expected");
    refuse("x == null", "null", "there is no `null` to compare with");
    refuse("", "", "an expression is missing");
    refuse("a ? 1", "", "the end is found where `:` is expected");
    refuse("$", "$", "a variable's name follows `$`");
    refuse("ä § b", "§", "`§` means nothing in an expression");
}

#[test]
fn no_text_exhausts_the_stack() {
    for open in ["(", "-", "!", "a[", "f(", "[", "1 + (", "a ? ", "x in [", "1 - -"] {
        assert!(parse(&open.repeat(50_000)).is_err(), "{open}");
    }
    assert!(parse(&"(".repeat(40)).is_err());
    assert!(parse(&format!("{}1{}", "(".repeat(40), ")".repeat(40))).is_ok());
    assert!(parse(&format!("{}1", "1 + ".repeat(250))).is_ok());
    assert!(parse(&format!("{}1", "1 + ".repeat(400))).is_err());
}

#[test]
fn no_text_panics() {
    // Every string of four words of the language, and every prefix of a long one cut at character boundaries.
    let words = [
        "a", "$b", "'t'", "7", "5s", "(", ")", "[", "]", ",", ".", "?", ":", "-", "!", "==", "&&", "in", "ü", "1.", "_",
    ];
    for n in 0..words.len().pow(4) {
        let text: String = (0..4).map(|place| words[n / words.len().pow(place) % words.len()]).collect();
        if let Ok(tree) = parse(&text) {
            assert_eq!((tree.from, tree.to as usize), (0, text.len()));
        }
    }
    let long = "all(bank.accounts, value >= -1_000 && key in [1, 2]) ? 5s : $übung.x[3] % 'ß'";
    for (cut, _) in long.char_indices() {
        let _ = parse(&long[..cut]);
    }
}
