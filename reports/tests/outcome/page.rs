//! `report.html`, read back: everything of the outcome is in it, nothing breaks out, nothing leads outside.

use crate::fixture::{invariant, operation, sample, without_parts};
use lab::outcome::{Found, OperationWindow, Outcome, RunVerdict, Status};
use roxmltree::{Document, Node, ParsingOptions};

/// The page as a tree; it is written as XML although it is HTML.
fn read(page: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(page, options).unwrap_or_else(|error| panic!("not well-formed: {error}"))
}

fn text(node: Node<'_, '_>) -> String {
    node.descendants().filter(Node::is_text).filter_map(|text| text.text()).collect()
}

fn body(document: &Document<'_>) -> String {
    text(document.descendants().find(|node| node.has_tag_name("body")).expect("a body"))
}

fn section<'a>(document: &'a Document<'_>, id: &str) -> Option<Node<'a, 'a>> {
    document.descendants().find(|node| node.has_tag_name("section") && node.attribute("id") == Some(id))
}

#[test]
fn everything_of_the_outcome_stands_in_the_page() {
    let outcome = sample();
    let page = reports::html::report(&outcome);
    let document = read(&page);
    let told = body(&document);
    let mut wanted = vec![
        outcome.scenario.clone(),
        outcome.question.clone(),
        outcome.verdict.summary.clone(),
        outcome.run_id.clone(),
        outcome.scenario_hash.clone(),
        format!("{:016x}", outcome.fingerprint),
        "✗ FAIL".to_owned(),
        "1 of 4 invariants broken (1 undecided, 1 never evaluated)".to_owned(),
        format!("stormglass run scenario.toml --seed {} --twice", outcome.seed),
        "duration = \"60s\"".to_owned(),
        "first broken at 00:31.407 (event 90 118)".to_owned(),
    ];
    for promise in &outcome.invariants {
        wanted.extend([promise.name.clone(), promise.says.clone()]);
        wanted.extend(promise.witness.clone());
    }
    wanted.extend(outcome.thresholds.iter().flat_map(|promise| [promise.name.clone(), promise.says.clone()]));
    wanted.extend(["5.03s", "17.1%", "75.2/s", "no samples", "4 812, undecided"].map(str::to_owned));
    wanted.extend(outcome.operations.iter().map(|operation| operation.name.clone()));
    wanted.extend(outcome.queues.iter().map(|queue| queue.name.clone()));
    wanted.extend(outcome.message_queues.iter().map(|queue| queue.name.clone()));
    wanted.extend(
        [
            "balanced after each of 41 188 changes",
            "payment.charge ← orders",
            "orders[0] → payment[1]",
            "on 2 of 2 queues",
        ]
        .map(str::to_owned),
    );
    wanted
        .extend(["reserve done: 5 871", "charge failed: 81", "reserve compensated: 81", "open: 1"].map(str::to_owned));
    wanted.extend(outcome.transactions.iter().flat_map(|result| result.reasons.clone()).map(|reason| reason.0));
    wanted.extend(
        outcome.faults.iter().flat_map(|fault| [fault.name.clone(), fault.target.clone(), fault.state.clone()]),
    );
    wanted.extend(outcome.faults.iter().map(|fault| fault.effects.join(", ")));
    wanted.extend(outcome.topology.parts.iter().flat_map(|part| [part.name.clone(), part.detail.clone()]));
    wanted.extend(outcome.warnings.clone());
    let missing: Vec<&String> = wanted.iter().filter(|text| !told.contains(text.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let charts = reports::charts::plan(&outcome);
    let without: Vec<&str> =
        charts.iter().filter(|chart| !told.contains(&chart.title)).map(|chart| chart.file.as_str()).collect();
    assert_eq!(without, [""; 0], "every chart is in the page");
}

#[test]
fn the_verdict_stands_first_then_what_failed_then_what_holds() {
    let page = reports::html::report(&sample());
    let places =
        ["<h1>", "id=\"failed\"", "✗</span> <span class=\"name\">money_is_conserved", "id=\"held\"", "id=\"timeline\""];
    let found: Vec<usize> = places.map(|text| page.find(text).unwrap_or_else(|| panic!("no {text}"))).to_vec();
    assert!(found.is_sorted(), "{found:?}");
    let document = read(&page);
    let failed = section(&document, "failed").expect("something failed");
    let cards: Vec<(&str, bool)> = failed
        .children()
        .filter(|node| node.has_tag_name("article"))
        .map(|card| (card.attribute("class").unwrap_or(""), text(card).contains('✗')))
        .collect();
    let expected = [("bad", true), ("bad", true), ("bad", false), ("doubt", true)];
    assert_eq!(cards[..4], expected, "broken, crossed, holds though it was expected to fail, crossed as expected");
    assert!(cards[4..].iter().all(|card| *card == ("doubt", false)), "then what is open: {cards:?}");
}

#[test]
fn only_nodes_of_a_service_of_which_one_was_down_are_counted_as_up() {
    let mut outcome = sample();
    let ledger = outcome.services.iter_mut().find(|service| service.name == "ledger").expect("it is in the sample");
    ledger.nodes = 3;
    outcome.faults[2].to = Some(kernel::Time(50_000_000_000));
    let told = body(&read(&reports::html::report(&outcome)));
    assert!(told.contains("always up: 2 other nodes of ledger"), "the coordinator has no other, the banks no trouble");
}

#[test]
fn a_length_of_time_reads_the_same_on_the_terminal_and_in_the_report() {
    let outcome = sample();
    let terminal = reports::terminal::run(&outcome, "out", false);
    let page = reports::html::report(&outcome);
    let document = read(&page);
    let operations = section(&document, "operations").expect("there are operations");
    let rows: Vec<Vec<String>> = operations
        .descendants()
        .filter(|node| node.has_tag_name("tr"))
        .map(|row| row.descendants().filter(|cell| cell.has_tag_name("td")).map(text).collect())
        .collect();
    let mut compared = 0;
    for (line, row) in outcome.operations.iter().filter_map(|operation| {
        let line = terminal.lines().find(|line| line.trim_start().starts_with(&format!("{} ", operation.name)))?;
        let place = outcome.operations.iter().position(|other| other.name == operation.name)?;
        Some((line, &rows[place + 1]))
    }) {
        let there: Vec<&str> = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        // The last five are percentiles in both.
        let here: Vec<&str> = row[row.len() - 5..].iter().map(String::as_str).collect();
        assert_eq!(here, there[there.len() - 5..], "{line}");
        compared += 1;
    }
    assert!(compared > 2, "{compared} operations were compared");
}

#[test]
fn each_verdict_has_its_word_and_colour() {
    let mut outcome = sample();
    for (found, as_expected, class, word) in [
        (Found::Pass, true, "good", "✓ PASS"),
        (Found::Fail, true, "good", "✓ AS EXPECTED"),
        (Found::Fail, false, "bad", "✗ FAIL"),
        (Found::Inconclusive, false, "doubt", "? INCONCLUSIVE"),
    ] {
        outcome.verdict = RunVerdict { found, as_expected, exit: 0, summary: String::new() };
        let page = reports::html::report(&outcome);
        let document = read(&page);
        let header = document.descendants().find(|node| node.has_tag_name("header")).expect("a verdict bar");
        assert_eq!(header.attribute("class"), Some(class));
        assert!(text(header).starts_with(word), "{word}");
    }
}

const HOSTILE: &str = "a\"b'c</title></style><script>alert(1)</script>&amp;]]>\u{1}\u{202e}<!--";

/// The page of a run in which everything that has a name is called `name`.
fn called(name: &str) -> String {
    let mut outcome = sample();
    name.clone_into(&mut outcome.scenario);
    name.clone_into(&mut outcome.question);
    name.clone_into(&mut outcome.verdict.summary);
    name.clone_into(&mut outcome.resolved);
    name.clone_into(&mut outcome.operations[0].name);
    name.clone_into(&mut outcome.queues[0].name);
    name.clone_into(&mut outcome.message_queues[0].name);
    name.clone_into(&mut outcome.sagas[0].name);
    name.clone_into(&mut outcome.sagas[0].steps[1].name);
    name.clone_into(&mut outcome.breakers[1].to);
    name.clone_into(&mut outcome.outboxes[0].service);
    name.clone_into(&mut outcome.topology.parts[6].detail);
    name.clone_into(&mut outcome.invariants[1].witness[0]);
    name.clone_into(&mut outcome.thresholds[2].name);
    name.clone_into(&mut outcome.faults[0].effects[0]);
    name.clone_into(&mut outcome.faults[1].name);
    name.clone_into(&mut outcome.warnings[0]);
    reports::html::report(&outcome)
}

#[test]
fn names_cannot_break_out_of_text_or_attributes() {
    let page = called(HOSTILE);
    let elements = |page: &str| read(page).descendants().filter(Node::is_element).count();
    assert_eq!(elements(&page), elements(&called("harmless")), "names add no element");
    assert!(!page.contains("<script>alert") && !page.contains("</title></style>"));
    let document = read(&page);
    let shown = HOSTILE.replace('\u{1}', "\u{FFFD}");
    assert!(body(&document).matches(&shown).count() >= 10, "they stand there as they are");
}

#[test]
fn nothing_leads_outside() {
    let mut outcome = sample();
    "see https://example.org/ and url(https://example.org/x)".clone_into(&mut outcome.question);
    let page = reports::html::report(&outcome);
    let document = read(&page);
    for node in document.descendants().filter(Node::is_element) {
        assert!(!["link", "img", "iframe", "object", "base", "embed"].contains(&node.tag_name().name()));
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            assert!(!value.contains("://") && !value.contains("//"), "{name}={value}");
            assert!(name != "src" && !name.starts_with("on"), "{name}");
            assert!(name != "href" || value.starts_with('#'), "{name}={value}");
        }
        if node.has_tag_name("style") {
            assert!(!text(node).contains("url(") && !text(node).contains("@import"));
        }
    }
    let policy = document.descendants().find(|node| node.attribute("http-equiv") == Some("Content-Security-Policy"));
    assert!(
        policy.and_then(|node| node.attribute("content")).is_some_and(|text| text.starts_with("default-src 'none'"))
    );
}

#[test]
fn the_same_outcome_gives_the_same_bytes() {
    assert!(reports::html::report(&sample()) == reports::html::report(&sample()));
}

#[test]
fn links_lead_to_sections_and_no_id_is_given_twice() {
    let page = reports::html::report(&sample());
    let document = read(&page);
    let mut ids: Vec<&str> = document.descendants().filter_map(|node| node.attribute("id")).collect();
    for link in document.descendants().filter_map(|node| node.attribute("href")) {
        assert!(ids.contains(&&link[1..]), "{link} leads nowhere");
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

/// An outcome of which nothing is left but its name.
fn bare() -> Outcome {
    let mut outcome = sample();
    outcome.operations.clear();
    outcome.queues.clear();
    outcome.services.clear();
    outcome.transactions.clear();
    without_parts(&mut outcome);
    outcome.faults.clear();
    outcome.invariants.clear();
    outcome.thresholds.clear();
    outcome.warnings.clear();
    outcome.little.clear();
    outcome.topology.parts.clear();
    outcome.topology.calls.clear();
    outcome.resolved.clear();
    outcome
}

#[test]
fn empty_sections_do_not_appear() {
    let page = reports::html::report(&bare());
    let document = read(&page);
    let sections: Vec<&str> = document
        .descendants()
        .filter(|node| node.has_tag_name("section"))
        .filter_map(|node| node.attribute("id"))
        .collect();
    assert_eq!(sections, ["provenance"]);
    assert!(body(&document).contains("no promises"));
    assert!(document.descendants().all(|node| !node.has_tag_name("nav")), "one section needs no list");
}

#[test]
fn an_operation_without_a_single_call_has_a_row_and_no_curve() {
    let mut outcome = bare();
    let mut idle = operation("s.idle", "clients", true, 1e6, 10.0, 1);
    (idle.ok, idle.failed, idle.unknown, idle.rejected, idle.open) = (0, 0, 0, 0, 0);
    idle.latency.clear();
    idle.windows = vec![OperationWindow::default(); 3];
    outcome.operations = vec![idle];
    let page = reports::html::report(&outcome);
    let document = read(&page);
    assert!(text(section(&document, "operations").expect("a table")).contains("s.idle"));
    assert!(section(&document, "latency").is_none());
}

#[test]
fn a_large_run_says_what_is_left_out_and_where_it_stands() {
    let mut outcome = sample();
    let queue = outcome.queues[0].clone();
    outcome.queues = (0..200)
        .map(|n| {
            let mut queue = queue.clone();
            queue.name = format!("queue-{n:03}");
            queue.depth.max = i64::from(n == 150);
            queue
        })
        .collect();
    let fault = outcome.faults[0].clone();
    outcome.faults = (0..50)
        .map(|n| {
            let mut fault = fault.clone();
            fault.name = format!("fault-{n:02}");
            fault.target = format!("node[{n}]");
            fault
        })
        .collect();
    let series = outcome.operations[0].windows.clone();
    outcome.operations[0].windows = series.iter().cycle().take(100_000).cloned().collect();
    outcome.times.window = kernel::Span(outcome.end.0 / 100_000 + 1);
    outcome.invariants.extend((0..300).map(|n| invariant(&format!("promise-{n}"), "always", Status::Holds)));
    let page = reports::html::report(&outcome);
    let document = read(&page);
    let told = body(&document);
    assert!(told.contains("40 of 200, the deepest; all of them are in queues.csv"));
    let queues = text(section(&document, "queues").expect("a table"));
    assert!(queues.contains("queue-150"), "the deepest is among them");
    assert!(!queues.contains("queue-199"));
    assert!(told.contains("40 of 50, those that did something first; all of them are in faults.csv"));
    assert!(told.contains("38 more nodes were down or paused: faults.csv") && told.contains("47 more faults"));
    assert!(told.contains("promise-299"), "no promise is left out");
    assert!(page.len() < 500_000, "100 000 windows make no large page: {}", page.len());
    let points = |d: &str| d.matches(['M', 'L']).count();
    let longest = document.descendants().filter_map(|node| node.attribute("d")).map(points).max();
    assert!(longest.is_some_and(|most| most <= 1_300), "{longest:?}");
}
