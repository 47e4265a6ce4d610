use super::*;
use crate::measure::tests::{IN_DOUBT, PLACE, QUEUE, at, change, names, recorder, sample, services};
use crate::measure::{Metric, Phase, Stat};
use crate::outcome::{Quantity, Status};
use kernel::Time;
use systems::app::ending::Ending;

fn parsed(text: &str, wanted: &mut Vec<Wanted>) -> Result<Threshold, Vec<Finding>> {
    let (names, services) = (names(), services());
    let phases = [("before".to_owned(), Window { from: Time::ZERO, to: at(5) })];
    let faults = ["crash".to_owned(), "cut_off".to_owned()];
    parse(text, &Vocabulary { names: &names, services: &services, phases: &phases, faults: &faults }, wanted)
}

/// Each finding as `underlined text: message (help)`.
fn findings(text: &str) -> Vec<String> {
    let mut wanted = Vec::new();
    let Err(findings) = parsed(text, &mut wanted) else { return Vec::new() };
    assert!(wanted.is_empty(), "nothing is wanted by what is wrong");
    let line = |finding: &Finding| {
        let under = &text[finding.from as usize..finding.to as usize];
        let help = finding.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
        format!("{under}: {}{help}", finding.message)
    };
    findings.iter().map(line).collect()
}

#[test]
fn a_term_says_statistic_metric_labels_and_phase() {
    let mut wanted = Vec::new();
    let text = "p99.9(latency{ op = shop.place , outcome=ok, phase=cut_off }) <= 1m30s";
    let threshold = parsed(text, &mut wanted).expect("it is right");
    assert_eq!((threshold.comparison, threshold.right), (Comparison::LessOrEqual, Expression::Literal(90.0)));
    assert_eq!(
        wanted,
        [Wanted {
            stat: Stat::Percentile(0.999),
            metric: Metric::Latency,
            labels: vec![("op".to_owned(), "shop.place".to_owned())],
            tag: Some(Ending::Ok.tag()),
            phase: Phase::Fault(1),
            above: None,
        }]
    );
}

#[test]
fn comparisons_of_every_sort_are_understood() {
    for text in [
        "mean(latency) within 1% of 5s",
        "mean(utilisation{service=bank}) within 1% of 80%",
        "max(queue_depth{service=bank}) < 20_000",
        "end(queue_depth{node=bank[1]}) == 0",
        "mean(goodput{op=shop.place}) >= 0.95 * mean(goodput{op=shop.place, phase=before})",
        "goodput{workload=near} > 6/m",
        "rate(messages{from=shop, to=bank}) + rate(messages{from=bank, to=shop}) < 100/s",
        "count(messages) / count(committed{tx=transfer}) < 40",
        "count(messages{kind=reply}) / count(messages{kind=request}) > 99%",
        "errors{op=shop.place, phase=steady} < 0.1%",
        "100% - errors{workload=near} > 99.9%",
        "aborts{tx=transfer, reason=no_money} < 5%",
        "share(latency{outcome=ok}) != 0%",
        "-(1s - p50(latency)) * 2 < max(in_doubt{tx=transfer}) / 0.5",
        "count(messages) / 10s < 100/s",
        "max(in_flight{service=bank}) < 100",
    ] {
        assert_eq!(findings(text), [""; 0], "{text}");
    }
}

#[test]
fn mistakes_say_where_they_are_and_what_would_be_right() {
    let example = "a threshold is `p99(latency{op=x}) < 250ms`";
    for (text, expected) in [
        ("p(99) < 1s", vec!["p(99): a percentile is one word, followed by what it is of (`p99(latency{op=x})`)".to_owned()]),
        ("p99(latency{op='shop.place'}) < 1s", vec!["'shop.place': labels need no quotes (`shop.place`)".to_owned()]),
        ("latency{op=shop.place} < 1s", vec!["latency: samples need a stat (`p99(latency{op=shop.place})`)".to_owned()]),
        ("p99(latncy) < 1s", vec!["latncy: there is no metric `latncy` (`latency`?)".to_owned()]),
        ("maximum(wait) < 1s", vec![
            "maximum: `maximum` is not a statistic (there are mean, min, max, end, last, count, rate, sum, share and p50 … p99.99)".to_owned(),
        ]),
        ("latency(p99) < 1s", vec![
            "latency: `latency` is not a statistic (`latency` is a metric; the statistic stands in front: `p99(latency)`)".to_owned(),
            "p99: there is no metric `p99` (there are latency, service_time, wait, age, saga_time, outbox_lag, leads_to_time, unavailable, in_doubt, lock_wait, hold_time, queue_depth, queue_identity_error, in_flight, locks_held, lag, utilisation, errors, rejects, aborts, retry_amplification, messages, bytes, fsyncs, committed, redelivered, dead_lettered, retries, compensated, stuck, elections, offered, throughput, goodput)".to_owned(),
        ]),
        ("mean(errors) < 1%", vec!["mean: `errors` is a ratio and stands bare (`errors`)".to_owned()]),
        ("rate(queue_depth) < 1/s", vec!["rate: `queue_depth` has no `rate` (it has mean, min, max, end, share and p50 … p99.99)".to_owned()]),
        ("p99(latency{opp=shop.place, op=shop.plaice, phase=befor}) < 1 + 5", vec![
            "opp: `latency` has no label `opp` (`op`?)".to_owned(),
            "shop.plaice: there is no op `shop.plaice` (`shop.place`?)".to_owned(),
            "befor: there is no phase `befor` (`before`?)".to_owned(),
        ]),
        ("p99(latency{op=bank.charge, workload=near}) < 1s", vec![
            "latency{op=bank.charge, workload=near}: nothing that `latency` measures carries all of these labels (`latency` is from the intended start of a call to its end)".to_owned(),
        ]),
        ("p99(latency) < 250", vec!["250: a unit is missing (ns, us, ms, s, m, h) (`250s` or `250ms`?)".to_owned()]),
        ("errors < 0.01", vec!["0.01: a share is written as a percentage (`1%`)".to_owned()]),
        ("goodput > 100", vec!["100: a rate is so many per time (`100/s`)".to_owned()]),
        ("p99(latency) < 5%", vec!["p99(latency) < 5%: a duration cannot be compared with a share".to_owned()]),
        ("max(latency) + errors < 5s", vec!["max(latency) + errors: a duration + a share means nothing".to_owned()]),
        (
            "rate(bytes) < 2KB/s",
            vec![
                "2KB/s: `KB` is not a unit: ns, us, ms, s, m or h (bytes are a number: `2000`, per second `2000/s`)"
                    .to_owned(),
            ],
        ),
        ("p99(latency) < 5sec", vec!["5sec: `sec` is not a unit: ns, us, ms, s, m or h".to_owned()]),
        ("p99(latency) = 5s", vec!["=: `=` compares nothing (equality is `==`)".to_owned()]),
        ("p99(latency) ≤ 5s", vec![format!("≤: here belongs one of < <= > >= == != or `within 1% of` ({example})")]),
        ("p99(latency) within 5ms of 5s", vec!["5ms: the tolerance is a percentage of the right side (within 1% of 5s)".to_owned()]),
        ("p99(latency) <", vec![format!(": a term or a number is missing here ({example})")]),
        ("1s < 2s", vec![format!("1s < 2s: nothing measured is compared here ({example})")]),
        ("p99(latency < 1s", vec!["<: `)` is missing here".to_owned()]),
        ("max(divergence) < 1s", vec!["divergence: `divergence` is not measured by this version (there are latency, service_time, wait, age, saga_time, outbox_lag, leads_to_time, unavailable, in_doubt, lock_wait, hold_time, queue_depth, queue_identity_error, in_flight, locks_held, lag, utilisation, errors, rejects, aborts, retry_amplification, messages, bytes, fsyncs, committed, redelivered, dead_lettered, retries, compensated, stuck, elections, offered, throughput, goodput)".to_owned()]),
        ("count(messages{to=moon}) < 1", vec!["moon: there is no to `moon` (there are bank, near, shop)".to_owned()]),
        ("p100(latency) < 1s or so", vec![
            "p100: a percentile lies between p0 and p100".to_owned(),
            "or so: the comparison should end here".to_owned(),
        ]),
        ("share(latency) > 1%", vec!["share: a share of samples is that of one outcome among all (`share(latency{outcome=ok})`)".to_owned()]),
        (&format!("{}1s{} < 1s", "(".repeat(100), ")".repeat(100)), vec![": no more than 64 signs and parentheses within another".to_owned()]),
    ] {
        assert_eq!(findings(text), expected, "{text}");
    }
}

#[test]
fn no_text_makes_the_parser_panic() {
    let words = [
        "p99",
        "(",
        "latency",
        "{",
        "op",
        "=",
        "shop.place",
        "}",
        ")",
        "<",
        "1s",
        "%",
        "ä",
        "'",
        "9",
        ".",
        "/",
        "-",
        ",",
        " ",
    ];
    for seed in 0..20_000_u64 {
        let mut state = seed;
        let mut text = String::new();
        for _ in 0..12 {
            state = kernel::fold(state, 0x9e37_79b9_7f4a_7c15);
            text.push_str(words[(state % words.len() as u64) as usize]);
        }
        // Every place lies on a character's boundary, or slicing here panics.
        findings(&text);
    }
}

#[test]
fn utilisation_without_a_limit_of_workers_is_refused() {
    let mut names = names();
    let mut cell = names.cells[1].clone();
    cell.labels = vec![("service", "shop".to_owned())];
    names.cell(cell);
    let services = services();
    let vocabulary = Vocabulary { names: &names, services: &services, phases: &[], faults: &[] };
    let wrong = parse("mean(utilisation{service=shop}) < 50%", &vocabulary, &mut Vec::new()).expect_err("no limit");
    assert_eq!(wrong[0].message, "`shop` has unlimited workers, and so no utilisation");
}

#[test]
fn thresholds_are_judged_by_what_was_measured() {
    let mut wanted = Vec::new();
    let mut thresholds = Vec::new();
    for (name, text) in [
        ("typical", "p50(latency{op=shop.place}) within 1% of 2s"),
        ("blocking", "max(in_doubt{tx=transfer}) < 1s"),
        ("arithmetic", "2 * max(queue_depth{service=bank}) - 1 == 5"),
        ("nothing", "p99(latency{op=bank.charge}) < 1s"),
        ("none", "count(latency{op=bank.charge}) == 0"),
        ("zero", "count(messages) / count(committed) < 5"),
        ("half", "errors <= 50%"),
        ("steady", "errors{phase=steady} < 10%"),
    ] {
        thresholds.push((name.to_owned(), parsed(text, &mut wanted).expect("it is right")));
    }
    let names = names();
    let mut recorder = recorder(&names, &wanted);
    recorder.fault_began(at(2), 0);
    change(&mut recorder, at(3), QUEUE, 1, 0, 3);
    sample(&mut recorder, at(4), PLACE, Ending::Ok, at(2));
    recorder.fault_ended(at(4), 0);
    sample(&mut recorder, at(5), IN_DOUBT, Ending::Ok, at(3));
    sample(&mut recorder, at(8), PLACE, Ending::Fail, at(6));
    recorder.finish(at(10), &names);
    let results = judge(&thresholds, &recorder);
    let found: Vec<_> = results.iter().map(|result| (&result.name[..], result.status, result.value)).collect();
    assert_eq!(
        found,
        [
            ("typical", Status::Holds, Some(Quantity::Seconds(2.0))),
            ("blocking", Status::Violated, Some(Quantity::Seconds(2.0))),
            ("arithmetic", Status::Holds, Some(Quantity::Number(5.0))),
            ("nothing", Status::Vacuous, None),
            ("none", Status::Holds, Some(Quantity::Number(0.0))),
            ("zero", Status::Vacuous, None),
            ("half", Status::Holds, Some(Quantity::Ratio(0.5))),
            ("steady", Status::Violated, Some(Quantity::Ratio(1.0))),
        ]
    );
    assert_eq!((results[1].at, results[2].at, results[0].at), (Some(at(5)), Some(at(3)), None));
    assert_eq!(results[1].limit, Some(Quantity::Seconds(1.0)));
}
