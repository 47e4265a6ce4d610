//! Every judge that keeps count, and the session guarantees: an obedient history, and one in which a mistake is planted.
//!
//! Histories are written as `process function value → answer`, one event per line: `1 i write 3` begins, `1 o write 3`
//! ends, `f` fails, `n` is an end that says nothing.

use std::fmt::Write as _;

use checkers::catalogue::{self, Question};
use checkers::history::Judgement;
use checkers::linearizable::Budget;

fn said(model: &str, consistency: &str, told: &str) -> String {
    said_under("{\"history\":1}", model, consistency, told)
}

fn said_under(header: &str, model: &str, consistency: &str, told: &str) -> String {
    let mut text = format!("{header}\n");
    for (n, line) in told.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
        let mut words = line.splitn(4, ' ');
        let mut word = || words.next().unwrap_or("null");
        let (process, phase, f, value) = (word(), word(), word(), word());
        let phase = match phase {
            "i" => "invoke",
            "o" => "ok",
            "f" => "fail",
            _ => "info",
        };
        let (value, more) = value
            .split_once(" @")
            .map_or((value, String::new()), |(value, more)| (value, [",", &more.replace(" @", ",")].concat()));
        let _ = writeln!(
            text,
            "{{\"process\":{process},\"type\":\"{phase}\",\"f\":\"{f}\",\"value\":{value},\"time\":{n}{more}}}"
        );
    }
    let read = histories::read(&text).expect("a test writes what can be read");
    let question = Question {
        model: catalogue::model(model).expect("a model"),
        consistency: catalogue::consistency(consistency).expect("a consistency"),
        initial: None,
        budget: Budget::USUAL,
    };
    match catalogue::judge(&read.events, read.dialect, &question) {
        Ok((_, Judgement::Valid(_))) => "valid".into(),
        Ok((_, Judgement::Violated(shown))) => format!("{}: {:?}", shown.rule, shown.operations),
        Ok((_, Judgement::Unknown { .. })) => "unknown".into(),
        Err(refusal) => format!("refused: {refusal}"),
    }
}

#[test]
fn a_counter_stays_within_bounds() {
    let history = |told: i64| format!("1 i add 2\n2 i read\n1 o add 2\n3 i add 5\n2 o read {told}\n3 n add 5");
    assert_eq!(said("counter", "bounds", &history(0)), "valid");
    assert_eq!(said("counter", "bounds", &history(7)), "valid");
    assert_eq!(said("counter", "bounds", &history(8)), "bounds: [1]");
    assert_eq!(said("counter", "bounds", "1 i add 2\n1 f add 2\n2 i read\n2 o read 2"), "bounds: [1]");
    assert_eq!(
        said("counter", "bounds", "1 i add -2\n2 i read\n2 o read -2\n1 o add -2\n2 i read\n2 o read 0"),
        "bounds: [2]"
    );
}

#[test]
fn the_last_read_of_a_set_has_what_was_added() {
    let history = |read: &str| format!("1 i add 0\n1 o add 0\n1 i add 1\n1 n add 1\n2 i read\n2 o read {read}");
    assert_eq!(said("set", "set", &history("[0]")), "valid");
    assert_eq!(said("set", "set", &history("[0, 1]")), "valid");
    assert_eq!(said("set", "set", &history("[1]")), "lost: [0, 2]");
    assert_eq!(said("set", "set", &history("[0, 2]")), "unexpected: [2]");
    assert_eq!(said("set", "set", "1 i add 0\n1 o add 0"), "unknown");
}

#[test]
fn an_element_that_was_there_stays() {
    let known = "1 i add 0\n1 o add 0\n2 i read\n2 o read [0]\n";
    assert_eq!(said("set-full", "set-full", known), "valid");
    assert_eq!(said("set-full", "set-full", &format!("{known}2 i read\n2 o read []")), "lost: [0, 2]");
    assert_eq!(said("set-full", "set-full", &format!("{known}2 i read\n2 o read []\n2 i read\n2 o read [0]")), "valid");
    assert_eq!(said("set-full", "set-full", &format!("{known}2 i read\n2 o read [0, 0]")), "duplicated: [2]");
    assert_eq!(said("set-full", "set-full", &format!("{known}2 i read\n2 o read [0, 9]")), "unexpected: [2]");
    assert_eq!(said("set-full", "set-full", "1 i add 0\n1 o add 0"), "unknown");
}

#[test]
fn money_is_conserved() {
    let history = |read: &str| format!("1 i read\n1 o read {{\"a\":10,\"b\":10}}\n1 i read\n1 o read {read}");
    assert_eq!(said("bank", "conservation", &history("{\"a\":5,\"b\":15}")), "valid");
    assert_eq!(said("bank", "conservation", &history("{\"a\":5,\"b\":10}")), "total: [1]");
    assert_eq!(said("bank", "conservation", &history("{\"a\":-5,\"b\":25}")), "overdraft: [1]");
    assert_eq!(said("bank", "conservation", &history("{\"a\":5,\"b\":10,\"c\":5}")), "account: [1]");
    assert_eq!(said("bank", "conservation", &history("{\"a\":null,\"b\":20}")), "balance: [1]");
}

#[test]
fn what_goes_into_a_queue_comes_out() {
    let put = "1 i enqueue 1\n1 o enqueue 1\n1 i enqueue 2\n1 n enqueue 2\n";
    let took = |values: &[i64]| -> String {
        let take = |value: &i64| format!("2 i dequeue\n2 o dequeue {value}\n");
        format!("{put}{}", values.iter().map(take).collect::<String>())
    };
    for (consistency, nothing, one, both, twice, other) in [
        ("unordered-queue", "valid", "valid", "valid", "duplicated: [0, 2, 3]", "unexpected: [2]"),
        ("total-queue", "lost: [0]", "valid", "valid", "valid", "unexpected: [2]"),
        ("at-most-once", "valid", "valid", "valid", "duplicated: [0, 2, 3]", "unexpected: [2]"),
        ("exactly-once", "lost: [0]", "valid", "valid", "duplicated: [0, 2, 3]", "unexpected: [2]"),
    ] {
        assert_eq!(said("queue", consistency, &took(&[])), nothing, "{consistency}");
        assert_eq!(said("queue", consistency, &took(&[1])), one, "{consistency}");
        assert_eq!(said("queue", consistency, &took(&[2, 1])), both, "{consistency}");
        assert_eq!(said("queue", consistency, &took(&[1, 1])), twice, "{consistency}");
        assert_eq!(said("queue", consistency, &took(&[3])), other, "{consistency}");
    }
    assert_eq!(said("total-queue", "total-queue", &format!("{put}3 i drain\n3 o drain [2, 1]")), "valid");
    assert_eq!(said("total-queue", "total-queue", &format!("{put}3 i drain\n3 n drain")), "unknown");
    // Ends without beginnings, as in Jepsen's own tests.
    assert_eq!(said("queue", "unordered-queue", "1 o enqueue 1\n2 o dequeue 1"), "valid");
    assert_eq!(said("queue", "unordered-queue", "1 o dequeue 1"), "unexpected: [0]");
    assert_eq!(
        said("queue", "linearizable", "1 o dequeue 1"),
        "refused: line 2: `dequeue` ends, but process 1 had not begun it"
    );
}

#[test]
fn what_one_process_puts_in_comes_out_in_order() {
    let put = "1 i enqueue 1\n1 o enqueue 1\n1 i enqueue 2\n1 o enqueue 2\n";
    assert_eq!(said("queue", "fifo", &format!("{put}2 i dequeue\n2 o dequeue 1\n2 i dequeue\n2 o dequeue 2")), "valid");
    assert_eq!(
        said("queue", "fifo", &format!("{put}2 i dequeue\n2 o dequeue 2\n2 i dequeue\n2 o dequeue 1")),
        "order: [0, 2, 3]"
    );
    // Those that overlap have no order.
    assert_eq!(said("queue", "fifo", &format!("{put}2 i dequeue\n3 i dequeue\n2 o dequeue 2\n3 o dequeue 1")), "valid");
}

#[test]
fn numbers_are_given_out_once_and_terms_have_one_leader() {
    assert_eq!(said("unique-ids", "unique-ids", "1 i generate\n1 o generate 1\n2 i generate\n2 o generate 2"), "valid");
    assert_eq!(
        said("unique-ids", "unique-ids", "1 i generate\n1 o generate 1\n2 i generate\n2 o generate 1"),
        "duplicate: [0, 1]"
    );
    let led = |node: &str| format!("1 i lead [1,\"a\"]\n1 o lead [1,\"a\"]\n2 i lead [1,{node}]\n2 n lead [1,{node}]");
    assert_eq!(said("leader", "one-leader-per-term", &led("\"a\"")), "valid");
    assert_eq!(said("leader", "one-leader-per-term", &led("\"b\"")), "two leaders: [0, 1]");
}

#[test]
fn reads_agree_on_the_order_of_writes() {
    let history = |second: &str| {
        format!(
            "1 i txn [[\"w\",1,1]]\n1 o txn [[\"w\",1,1]]\n2 i txn [[\"w\",2,1]]\n2 o txn [[\"w\",2,1]]\n\
             3 i txn [[\"r\",1,null],[\"r\",2,null]]\n3 o txn [[\"r\",1,1],[\"r\",2,null]]\n\
             4 i txn [[\"r\",2,null],[\"r\",1,null]]\n4 o txn {second}"
        )
    };
    assert_eq!(said("long-fork", "long-fork", &history("[[\"r\",2,1],[\"r\",1,1]]")), "valid");
    assert_eq!(said("long-fork", "long-fork", &history("[[\"r\",2,1],[\"r\",1,null]]")), "long fork: [2, 3]");
    assert_eq!(said("long-fork", "long-fork", &history("[[\"r\",2,1],[\"r\",1,7]]")), "unknown");
}

#[test]
fn replicas_agree_once_nothing_changes() {
    let history = |other: i64| {
        format!(
            "1 i write 3\n1 o write 3\n2 i read null @\"node\":\"a\"\n2 o read 3\n3 i read null @\"node\":\"b\"\n3 o read {other}"
        )
    };
    assert_eq!(said("register", "convergence", &history(3)), "valid");
    assert_eq!(said("register", "convergence", &history(2)), "diverged: [1, 2]");
    assert_eq!(
        said("register", "convergence", "1 i read null @\"node\":\"a\"\n1 o read 3\n2 i write 3\n2 o write 3"),
        "unknown"
    );
}

#[test]
fn acknowledged_writes_are_there_at_the_end() {
    let wrote = "1 i write 1\n1 o write 1\n1 i write 2\n1 o write 2\n2 i write 3\n2 n write 3\n";
    assert_eq!(said("register", "durable-acks", &format!("{wrote}3 i read\n3 o read 2")), "valid");
    assert_eq!(said("register", "durable-acks", &format!("{wrote}3 i read\n3 o read 3")), "valid");
    assert_eq!(said("register", "durable-acks", &format!("{wrote}3 i read\n3 o read 1")), "lost: [1, 3]");
    assert_eq!(said("register", "durable-acks", &format!("{wrote}3 i read\n3 o read null")), "lost: [0, 3]");
    assert_eq!(said("register", "durable-acks", wrote), "unknown");
}

/// What is deleted holds nothing, as at first; a cas says what it took the place of.
#[test]
fn what_is_deleted_and_what_is_swapped_is_judged_too() {
    let gone = "1 i write 1\n1 o write 1\n1 i delete\n1 o delete\n";
    let read = |value: &str| format!("{gone}2 i read\n2 o read {value}");
    for model in ["register", "cas-register"] {
        assert_eq!(said(model, "linearizable", &read("null")), "valid");
        assert_eq!(said(model, "linearizable", &read("1")), "linearizable: [1, 2]");
        assert_eq!(said(model, "durable-acks", &read("null")), "valid");
        assert_eq!(said(model, "durable-acks", &read("1")), "lost: [1, 2]");
        assert_eq!(said(model, "bounded-staleness:0", &read("null")), "valid");
        assert_eq!(said(model, "bounded-staleness:0", &read("1")), "stale: [2]");
    }
    // A session that finds nothing may have found one of several deletions, or none.
    assert_eq!(said("kv", "monotonic-reads", &read("1")), "valid");
    assert_eq!(said("kv", "monotonic-reads", &read("null")), "unknown");
    let swapped = "1 i write 1\n1 n write 1\n2 i cas [1,2]\n2 o cas [1,2]\n3 i read\n3 o read ";
    assert_eq!(said("kv", "durable-acks", &format!("{swapped}2")), "valid");
    assert_eq!(said("kv", "durable-acks", &format!("{swapped}1")), "lost: [1, 2]");
    let own = "1 i write 1\n1 o write 1\n2 i cas [1,2]\n2 o cas [1,2]\n2 i read\n2 o read ";
    assert_eq!(said("kv", "read-your-writes", &format!("{own}2")), "valid");
    assert_eq!(said("kv", "read-your-writes", &format!("{own}1")), "read-your-writes: [0, 1, 2]");
    let failed = "1 i write 1\n1 o write 1\n2 i cas [1,2]\n2 f cas [1,2]\n2 i read\n2 o read 2";
    assert_eq!(said("kv", "read-your-writes", failed), "read-your-writes: [2]");
}

/// A header says what a failed cas means where it was written.
#[test]
fn a_header_says_what_a_failed_cas_means() {
    let history = "{\"process\":1,\"type\":\"invoke\",\"f\":\"cas\",\"value\":[null,1]}\n\
                   {\"process\":1,\"type\":\"fail\",\"f\":\"cas\",\"value\":[null,1]}\n";
    let says = |header: &str| {
        let read = histories::read(&format!("{{\"history\":1{header}}}\n{history}"))?;
        Ok::<_, checkers::history::Refusal>(read.dialect.failed_cas)
    };
    assert_eq!(says(""), Ok(checkers::history::FailedCas::Dropped));
    assert_eq!(says(",\"failed_cas\":\"observed\""), Ok(checkers::history::FailedCas::Observed));
    assert!(says(",\"failed_cas\":\"perhaps\"").is_err());
}

#[test]
fn reads_are_behind_by_at_most_the_bound() {
    let wrote = "1 i write 1\n1 o write 1\n1 i write 2\n1 o write 2\n1 i write 3\n1 o write 3\n3 i read\n3 o read 1";
    assert_eq!(said("register", "bounded-staleness:2", wrote), "valid");
    assert_eq!(said("register", "bounded-staleness:1", wrote), "stale: [3]");
    assert_eq!(said("register", "bounded-staleness:3ns", wrote), "valid");
    assert_eq!(said("register", "bounded-staleness:2ns", wrote), "stale: [3]");
    let overlapping = "1 i write 1\n2 i write 2\n1 o write 1\n2 o write 2\n3 i read\n3 o read 1";
    assert_eq!(said("register", "bounded-staleness:0", overlapping), "valid");
    // Each of two reads could be fresh; not both, in whatever order the writes came. How two versions may be apart is not searched.
    let both = format!("{overlapping}\n3 i read\n3 o read 2\n3 i read\n3 o read 1");
    assert_eq!(said("register", "bounded-staleness:0", &both), "stale: [0, 1, 3, 4]");
    assert_eq!(said("register", "bounded-staleness:1", &both), "valid");
    assert_eq!(said("register", "bounded-staleness:1us", &both), "valid");
    let after = format!("{overlapping}\n1 i write 3\n1 o write 3\n3 i read\n3 o read 2");
    assert_eq!(said("register", "bounded-staleness:0", &after), "stale: [4]");
}

#[test]
fn each_session_guarantee_is_broken_by_its_own_history_only() {
    let kv = |events: &[(i64, &str, i64, i64)]| -> String {
        let one = |&(process, f, key, value): &(i64, &str, i64, i64)| {
            let value = if value == 0 { "null".to_owned() } else { value.to_string() };
            format!("{process} i {f} {value} @\"key\":{key}\n{process} o {f} {value} @\"key\":{key}\n")
        };
        events.iter().map(one).collect()
    };
    let own = kv(&[(1, "write", 1, 1), (1, "read", 1, 0)]);
    let back = kv(&[(1, "write", 1, 1), (2, "read", 1, 1), (2, "read", 1, 0)]);
    let txn = |process: i64, steps: &str| format!("{process} i txn {steps}\n{process} o txn {steps}\n");
    // 1 writes x, then y; 2 sees y and not x.
    let out_of_order = txn(1, "[[\"w\",1,1]]") + &txn(1, "[[\"w\",2,2]]") + &txn(2, "[[\"r\",2,2],[\"r\",1,null]]");
    // 1 writes x, 2 reads it and writes y; 3 sees y and not x.
    let without_cause = txn(1, "[[\"w\",1,1]]")
        + &txn(2, "[[\"r\",1,1]]")
        + &txn(2, "[[\"w\",2,2]]")
        + &txn(3, "[[\"r\",2,2],[\"r\",1,null]]");
    let guarantees = ["read-your-writes", "monotonic-reads", "monotonic-writes", "writes-follow-reads"];
    for (broken, model, history) in
        [(0, "kv", own), (1, "kv", back), (2, "multi-register", out_of_order), (3, "multi-register", without_cause)]
    {
        for (n, guarantee) in guarantees.into_iter().enumerate() {
            let said = said(model, guarantee, &history);
            assert_eq!(said == "valid", n != broken, "{guarantee} of\n{history}{said}");
            assert_eq!(said.starts_with(guarantee), n == broken, "{said}");
        }
    }
}

/// Where the last writer wins by clocks, a later write may lose: only whoever knows better may say that it did not.
#[test]
fn writes_are_in_the_order_of_real_time_only_where_somebody_says_so() {
    let lost = "1 i write 1\n1 o write 1\n2 i write 2\n2 o write 2\n2 i read\n2 o read 1\n";
    let back = "1 i write 1\n1 o write 1\n2 i write 2\n2 o write 2\n3 i read\n3 o read 2\n3 i read\n3 o read 1\n";
    let ordered = "{\"history\":1,\"write_order\":\"real_time\"}";
    for (guarantee, history) in [("read-your-writes", lost), ("monotonic-reads", back)] {
        assert_eq!(said("kv", guarantee, history), "valid", "the first may have been the newer version");
        assert!(said_under(ordered, "kv", guarantee, history).starts_with(guarantee), "{guarantee}");
    }
    assert!(histories::read("{\"history\":1,\"write_order\":\"mine\"}\n").is_err());
}

/// A transaction observes what it read itself; single reads what their process has read so far.
#[test]
fn what_a_session_observes_is_a_transactions_own_affair() {
    let txn = |process: i64, steps: &str| format!("{process} i txn {steps}\n{process} o txn {steps}\n");
    let wrote = txn(1, "[[\"w\",1,1]]") + &txn(1, "[[\"w\",2,2]]");
    let apart = wrote.clone() + &txn(2, "[[\"r\",2,2]]") + &txn(2, "[[\"r\",1,null]]");
    assert_eq!(said("multi-register", "monotonic-writes", &apart), "valid");
    let at_once = wrote + &txn(2, "[[\"r\",2,2],[\"r\",1,null]]");
    assert!(said("multi-register", "monotonic-writes", &at_once).starts_with("monotonic-writes"));
    let single = "1 i write 1 @\"key\":1\n1 o write 1 @\"key\":1\n1 i write 2 @\"key\":2\n1 o write 2 @\"key\":2\n\
                  2 i read null @\"key\":2\n2 o read 2 @\"key\":2\n2 i read null @\"key\":1\n2 o read null @\"key\":1\n";
    assert!(said("kv", "monotonic-writes", single).starts_with("monotonic-writes"));
}

#[test]
fn two_reads_back_and_forth_have_no_order_of_versions() {
    let read = |process: i64, value: i64| format!("{process} i read\n{process} o read {value}\n");
    let wrote = "1 i write 1\n2 i write 2\n1 o write 1\n2 o write 2\n";
    let history = format!("{wrote}{}{}{}{}", read(3, 1), read(3, 2), read(4, 2), read(4, 1));
    assert!(said("register", "monotonic-reads", &history).starts_with("monotonic-reads"));
    assert_eq!(said("register", "read-your-writes", &history), "valid");
    assert_eq!(said("register", "read-your-writes", &format!("{wrote}{}", read(3, 9))), "read-your-writes: [2]");
}

#[test]
fn an_order_of_processes_need_not_keep_to_real_time() {
    let stale = "1 i write 1\n1 o write 1\n2 i read\n2 o read null\n";
    assert_eq!(said("register", "sequential", stale), "valid");
    assert!(said("register", "linearizable", stale).starts_with("linearizable"));
    assert!(said("register", "sequential", &format!("{stale}1 i read\n1 o read null")).starts_with("sequential"));
    // Two objects, each in order by itself, and not together.
    let crossed = "1 i write 1 @\"key\":1\n1 o write 1\n2 i write 1 @\"key\":2\n2 o write 1\n\
                   1 i read null @\"key\":2\n1 o read null\n2 i read null @\"key\":1\n2 o read null";
    assert!(said("kv", "sequential", crossed).starts_with("sequential"));
}

/// What a second look at the judges found: each was said wrongly once.
#[test]
fn judges_of_registers_agree_about_keys_nothing_and_time() {
    // Both reads found nothing; only one of them can have found what was there before the deletion, and it came before 2.
    let open = "1 i write 1\n1 o write 1\n2 i delete\n1 i read\n1 o read null\n1 i write 2\n1 o write 2\n3 i read\n3 o read null";
    assert_eq!(said("register", "bounded-staleness:0", open), "unknown");
    assert_eq!(said("register", "bounded-staleness:1", open), "valid");
    // The key may stand in the value.
    let one = "1 i write [1,5]\n1 o write [1,5]\n1 i write [2,7]\n1 o write [2,7]\n1 i read [1,null]\n1 o read [1,5]\n1 i read [2,null]\n1 o read [2,7]";
    let none = "1 i read [1,null]\n1 o read [1,null]\n1 i cas [1,[null,4]]\n1 o cas [1,[null,4]]\n1 i read [1,null]\n1 o read [1,4]";
    for consistency in ["linearizable", "bounded-staleness:0", "durable-acks", "read-your-writes"] {
        assert_eq!(said("kv", consistency, one), "valid", "{consistency}");
        assert_eq!(said("kv", consistency, none), "valid", "{consistency}");
    }
    // Registers that are written together hold 0 at first, or nothing.
    for first in ["0", "null"] {
        let read = format!("1 i txn [[\"r\",1,{first}]]\n1 o txn [[\"r\",1,{first}]]");
        assert_eq!(said("multi-register", "monotonic-reads", &read), "valid");
    }
    // Nobody reads what is written later.
    let early = "1 i read\n1 o read 5\n2 i write 5\n2 o write 5";
    for guarantee in ["read-your-writes", "monotonic-reads", "monotonic-writes", "writes-follow-reads"] {
        assert_eq!(said("register", guarantee, early), format!("{guarantee}: [0]"));
    }
}

/// A bound that is a time rests on times: all must be there, and none may go back.
#[test]
fn a_staleness_by_time_needs_times_that_grow() {
    let line = |process: i64, kind: &str, f: &str, value: &str, time: &str| {
        format!("{{\"process\":{process},\"type\":\"{kind}\",\"f\":\"{f}\",\"value\":{value}{time}}}\n")
    };
    let history = |ended: &str, read: &str| {
        line(1, "invoke", "write", "1", ",\"time\":10")
            + &line(1, "ok", "write", "1", ended)
            + &line(1, "invoke", "read", "null", read)
            + &line(1, "ok", "read", "1", ",\"time\":1000")
    };
    let question = Question {
        model: catalogue::model("register").expect("a model"),
        consistency: catalogue::consistency("bounded-staleness:1ns").expect("a consistency"),
        initial: None,
        budget: Budget::USUAL,
    };
    let ask = |text: &str| {
        let read = histories::read(text)?;
        catalogue::judge(&read.events, read.dialect, &question)
    };
    assert!(ask(&history(",\"time\":20", ",\"time\":30")).is_ok());
    for (ended, read, line) in [("", ",\"time\":30", 2), (",\"time\":20", "", 3), (",\"time\":20", ",\"time\":5", 3)] {
        let refused = ask(&history(ended, read)).expect_err("it cannot be judged");
        assert!(refused.line == line && refused.what.contains("`time`"), "{refused}");
    }
}
