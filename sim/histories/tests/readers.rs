//! Formats say the same in different words, and what cannot be is refused with its line.

use checkers::history::{Clock, FailedCas, History, NilRead, Orphans, Value};
use histories::{Format, read};

#[test]
fn one_history_in_three_formats_is_the_same() {
    let lines = "{\"process\":1,\"type\":\"invoke\",\"f\":\"cas\",\"value\":[1,2]}\n\
                 {\"process\":1,\"type\":\"ok\",\"f\":\"cas\",\"value\":[1,2]}\n";
    let array = "[{\"process\":1,\"type\":\"invoke\",\"f\":\"cas\",\"value\":[1,2]},\n\
                 {\"process\":1,\"type\":\"ok\",\"f\":\"cas\",\"value\":[1,2]}]";
    let edn = "; a comment\n#jepsen.history.Op{:process 1, :type :invoke, :f :cas, :value [1 2], :time #inst \"x\"}\n\
               {:process 1 :type :ok :f :cas :value (1 2) #_ {:not there}}";
    let log =
        "INFO  jepsen.core - x\nINFO  jepsen.util - 1\t:invoke\t:cas\t[1 2]\nINFO  jepsen.util - 1\t:ok\t:cas\t[1 2]\n";
    let mut all = Vec::new();
    for (text, format) in
        [(lines, Format::JsonLines), (array, Format::JsonArray), (edn, Format::Edn), (log, Format::JepsenLog)]
    {
        let told = read(text).unwrap();
        assert_eq!(told.format, format);
        let observed = format == Format::JepsenLog;
        assert_eq!(told.dialect.failed_cas, if observed { FailedCas::Observed } else { FailedCas::Dropped });
        let known = matches!(format, Format::JsonLines | Format::JepsenLog);
        assert_eq!(told.dialect.nil_read, if known { NilRead::Nothing } else { NilRead::Unknown });
        let history = History::new(&told.events, told.dialect, Orphans::Refused).unwrap();
        let operation = &history.operations[0];
        all.push((operation.process, operation.f.clone(), operation.argument.clone(), operation.outcome));
    }
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{all:?}");
}

#[test]
fn values_of_both_notations_are_read() {
    let int = Value::Int;
    let text = Value::text;
    assert_eq!(histories::value("{\"a\": [1, -2, null, true, \"\\u00e9\\ud83d\\ude00\\n\"]}").unwrap(), {
        let list = vec![int(1), int(-2), Value::Nil, Value::Bool(true), text("é😀\n")];
        Value::map(vec![(text("a"), Value::list(list))])
    });
    assert_eq!(histories::value("#{3 1 :a/b}").unwrap(), Value::set(vec![int(1), int(3), text("a/b")]));
    assert_eq!(histories::value("(1.5 99999999999999999999 7N \\a sym)").unwrap(), {
        let decimal = |digits: &str| Value::Decimal(digits.into());
        Value::list(vec![decimal("1.5"), decimal("99999999999999999999"), int(7), text("a"), text("sym")])
    });
    assert!(histories::value(&"[".repeat(100_000)).unwrap_err().what.contains("within each other"));
}

#[test]
fn a_header_names_the_model_and_a_nemesis_is_no_client() {
    let told = read("{\"history\":1,\"model\":\"register\",\"init\":5}\n{\"process\":\"nemesis\",\"type\":\"info\",\"f\":\"kill\"}\n").unwrap();
    assert_eq!((told.model.as_deref(), told.initial, told.events.len()), (Some("register"), Some(Value::Int(5)), 0));
}

#[test]
fn sessions_without_a_clock_are_read_as_transactions() {
    let told = read("w(1,0,0,0)\nw(1,5,1,1)\nr(1,5,2,2)\nr(2,0,2,2)\n").unwrap();
    assert_eq!((told.dialect.clock, told.initial, told.events.len()), (Clock::PerProcess, Some(Value::Int(0)), 4));
    assert_eq!(told.events[2].value.members().unwrap().len(), 2);
}

#[test]
fn what_cannot_be_is_refused_with_its_line() {
    let op = |process: u32, phase: &str, f: &str| format!("{{:process {process} :type :{phase} :f :{f} :value 1}}\n");
    for (text, expected) in [
        (op(1, "invoke", "read") + &op(2, "ok", "read"), "line 2: `read` ends, but process 2 had not begun it"),
        (
            op(1, "invoke", "read") + "\n" + &op(1, "invoke", "write"),
            "line 3: process 1 begins `write` before its `read` of line 1 has ended",
        ),
        (op(1, "invoke", "read") + &op(1, "ok", "write"), "line 2: process 1 ends `write`, but began `read` in line 1"),
        ("{:process 1 :type :maybe}".into(), "line 1: `type` is \"maybe\"; it is one of invoke, ok, fail, info"),
        ("\n\n{:process 1 :f :read}".into(), "line 3: the operation has no `type`"),
        ("{:process 1\n:value [1 2}".into(), "line 2: expected a value, found `}`"),
        ("{\"process\":1,\n\"type\":\"ok\",}".into(), "line 2: a comma before the end"),
        ("{\"process\" 1}".into(), "line 1: expected `:`, found `1`"),
        ("[{:process 1 :type :ok :f :a}\n] x".into(), "line 2: there is more after the end of the list"),
        ("r(1,2,3,4)\nr(1,2,3)".into(), "line 2: expected r(key,value,session,transaction) or w(…)"),
        (
            "hello".into(),
            "line 1: this is no history: JSON lines, a JSON array, EDN, a Jepsen log, or r(key,value,session,transaction)",
        ),
        (" ".into(), "the history is empty"),
    ] {
        let refusal = read(&text).and_then(|told| History::new(&told.events, told.dialect, Orphans::Refused));
        assert_eq!(refusal.unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn no_beginning_of_a_history_makes_a_reader_panic() {
    let whole =
        "[#a.B{:process 1, :type :invoke, :f :read, :value #{1 \"é\\n\" \\x -2.5e3 {:k [nil]}}, :x ^m #_ y z} ; c\n]";
    let json = "[{\"process\":1,\"type\":\"info\",\"value\":[\"\\ud83d\\ude00\",1e5,{\"a\":{}}]}]";
    for text in [whole, json, "INFO jepsen.util - 1\t:ok\t:cas\t[1 2]", "w(1,2,3,4)"] {
        for (at, letter) in text.char_indices() {
            let _ = read(&text[..at]);
            let _ = read(&text[at..]);
            let _ = read(&format!("{}{}", &text[..at], &text[at + letter.len_utf8()..]));
        }
    }
}
