//! The data files: headers with units, escaping, the same bytes, and what JSON holds.

use crate::fixture::{WINDOWS, sample};
use kernel::Time;
use lab::outcome::Outcome;
use serde_json::Value;

fn file(outcome: &Outcome, name: &str) -> String {
    let files = reports::files(outcome);
    let (_, bytes) = files.into_iter().find(|(path, _)| path == name).expect("the file exists");
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn every_table_has_one_header_and_a_row_per_window() {
    let outcome = sample();
    for (name, header, rows) in [
        (
            "operations.csv",
            "operation,from,external,window_start_s,window_end_s,offered,ok,failed,rejected,latency_p50_s,latency_p90_s,latency_p99_s",
            3 * WINDOWS,
        ),
        (
            "queues.csv",
            "queue,service,window_start_s,window_end_s,depth_mean,depth_max,busy_mean,busy_max",
            3 * WINDOWS,
        ),
        (
            "timeseries.csv",
            "metric,subject,window_start_s,window_end_s,value",
            (2 * 4 + 3 + 4 + 2 + 2 + 2 + 2 * 2 + 4 + 2 * 3) * WINDOWS,
        ),
        ("spent.csv", "operation,from,waiting_for,time_s", 15),
        (
            "messages.csv",
            "queue,window_start_s,window_end_s,accepted_per_s,acknowledged_per_s,redelivered_per_s,accepted_total,acknowledged_total,depth_mean,depth_max,in_flight_mean,in_flight_max",
            2 * WINDOWS,
        ),
        ("sagas.csv", "saga,stage,step,sagas", 13),
        ("breakers.csv", "from,to,state,from_s,to_s", 4),
        ("faults.csv", "fault,instance,kind,target,from_s,to_s,state,effective,effects", 3),
    ] {
        let text = file(&outcome, name);
        assert_eq!(text.lines().next(), Some(header), "{name}");
        assert_eq!(text.lines().count(), rows + 1, "{name}");
    }
    let last = file(&outcome, "queues.csv").lines().nth(WINDOWS).map(str::to_owned);
    assert!(
        last.is_some_and(|row| row.starts_with("coordinator,coordinator,63.000000000,63.200000000,")),
        "it ends with the run"
    );
    assert!(
        file(&outcome, "faults.csv").contains("\nnap,0,pause,ledger[1],45.000000000,,skipped: already down,false,\n")
    );
}

#[test]
fn a_last_window_has_a_rate_over_its_own_length_and_none_if_it_is_a_stub() {
    let mut outcome = sample();
    outcome.operations[0].windows[WINDOWS - 1].offered = 1;
    let offered = |outcome: &Outcome, row: &str| {
        file(outcome, "timeseries.csv").contains(&format!("offered_per_s,clients,63.000000000,{row}\n"))
    };
    assert!(offered(&outcome, "63.200000000,"), "0.2 s of windows of 0.5 s: 5/s would be a spike");
    outcome.end = Time(63_400_000_000);
    assert!(offered(&outcome, "63.400000000,2.500000000"), "1 in 0.4 s");
}

#[test]
fn the_summary_holds_everything_with_units_and_a_version() {
    let outcome = sample();
    let text = reports::json::run(&outcome);
    assert!(
        text.starts_with("{\n  \"schema_version\": 1,\n  \"scenario\": \"bank-2pc\",\n"),
        "the order is the layout's"
    );
    assert!(text.ends_with("}\n"));
    let summary: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(summary["fingerprint"], "0123456789abcdef");
    assert_eq!(summary["end_s"], 63.2);
    assert_eq!(summary["invariants"][1]["first_event"], 90_118);
    assert_eq!(summary["thresholds"][1]["value"], 5.03);
    assert_eq!(summary["thresholds"][1]["unit"], "s");
    assert_eq!(summary["thresholds"][4]["value"], Value::Null);
    assert_eq!(summary["transactions"][0]["in_doubt"]["max_s"], 5.03);
    assert_eq!(summary["littles_law"][0]["integral_request_ns"], "1208925819614629174706176");
    let queue = &summary["message_queues"][0];
    assert_eq!((&queue["redelivered"], &queue["identity"]["violations"]), (&59.into(), &0.into()));
    assert_eq!(summary["sagas"][0]["steps"][1]["compensated"], 40);
    assert_eq!(summary["retries"][0]["amplification"], 1.06);
    assert_eq!(summary["breakers"][1]["opened"], 2);
    assert_eq!(summary["groups"][1]["group"], "flight");
    assert_eq!(summary["groups"][1]["age"]["count"], 2000);
    assert_eq!(summary["outboxes"][0]["lag"]["count"], 2000);
    assert_eq!(summary["services"][3]["utilisation"], Value::Null, "no workers, no utilisation");
    assert_eq!(file(&outcome, "summary.json"), text);
    assert_eq!(file(&outcome, "scenario.toml"), outcome.resolved);
}

#[test]
fn history_lines_are_jepsen_operations() {
    let outcome = sample();
    let expected = concat!(
        r#"{"index":0,"time":1250000,"process":3,"type":"invoke","f":"transactions.transfer","#,
        r#""value":{"amount":5,"from":17},"operation":0}"#,
        "\n",
        r#"{"index":1,"time":9800000,"process":3,"type":"info","f":"transactions.transfer","#,
        r#""value":{"amount":5,"from":17},"error":"timeout","operation":0}"#,
        "\n"
    );
    assert_eq!(file(&outcome, "history.jsonl"), expected);
    let without = Outcome { history: Vec::new(), ..outcome };
    assert!(reports::files(&without).iter().all(|(name, _)| name != "history.jsonl"));
}

#[test]
fn a_share_of_a_window_in_which_a_breaker_was_open_is_exact() {
    let text = file(&sample(), "timeseries.csv");
    let wanted = ["20.500000000,21.000000000,0.800000000", "23.500000000,24.000000000,0.600000000"];
    for row in wanted {
        assert!(text.contains(&format!("breaker_open,orders[0] → payment[1],{row}\n")), "{row}");
    }
    assert!(!text.contains("payment[0]"), "one that never opened has no series");
}

#[test]
fn without_brokers_and_sagas_there_are_no_files_about_them() {
    let mut outcome = sample();
    crate::fixture::without_parts(&mut outcome);
    let names: Vec<String> = reports::files(&outcome).into_iter().map(|(name, _)| name).collect();
    assert!(["messages.csv", "sagas.csv", "breakers.csv"].iter().all(|name| !names.iter().any(|known| known == name)));
}

#[test]
fn hostile_names_come_back_unchanged() {
    let mut outcome = sample();
    let name = "a,b\"c\"\nd<e>&'\u{1}";
    outcome.operations[0].name = name.to_owned();
    outcome.faults[0].effects = vec![name.to_owned()];
    let text = file(&outcome, "operations.csv");
    let mut table = csv::Reader::from_reader(text.as_bytes());
    let first = table.records().next().expect("a row").expect("well-formed");
    assert_eq!(&first[0], name);
    let summary: Value = serde_json::from_str(&reports::json::run(&outcome)).expect("JSON");
    assert_eq!(summary["operations"][0]["name"], name);
    assert_eq!(summary["faults"][0]["effects"][0], name);
}

#[test]
fn without_operations_the_tables_are_headers() {
    let mut outcome = sample();
    outcome.operations.clear();
    assert_eq!(file(&outcome, "operations.csv").lines().count(), 1);
    assert_eq!(file(&outcome, "percentiles.csv"), "operation,from,share,latency_s\n");
}

#[test]
fn percentiles_go_as_far_as_the_samples_tell() {
    let outcome = sample();
    let text = file(&outcome, "percentiles.csv");
    let shares: Vec<f64> = text
        .lines()
        .filter(|row| row.starts_with("ledger.balance,"))
        .filter_map(|row| row.split(',').nth(2).and_then(|share| share.parse().ok()))
        .collect();
    assert!(shares[0].abs() < 1e-12, "it begins with the fastest");
    assert!(shares.contains(&0.9) && shares.contains(&0.99));
    let samples = outcome.operations[1].latency.count() as f64;
    assert!(shares.iter().all(|share| (1.0 - share) * samples >= 0.99), "the last is at least one sample's share");
}
