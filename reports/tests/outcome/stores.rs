//! The replicated store of the invented outcome, and how it is shown.

use crate::fixture::{level, sample};
use kernel::{Span, Time};
use lab::outcome::{Contradiction, Ended, Evidence, GapsResult, Leading, Outcome, StoreOperation, StoreResult, Wish};
use roxmltree::{Document, Node, ParsingOptions};

fn at(millis: u64) -> Time {
    Time(millis * 1_000_000)
}

/// Three machines: the first leader is cut off and believes for a while that it still leads.
pub(crate) fn stores() -> Vec<StoreResult> {
    let leading = |machine, term, from, to| Leading { machine, term, from: at(from), to: at(to) };
    let gaps = |who: &str, spans: &[(u64, u64)]| GapsResult {
        who: who.to_owned(),
        count: spans.len() as u64,
        longest: Span::millis(spans.iter().map(|(from, to)| to - from).max().unwrap_or(0)),
        spans: spans.iter().map(|(from, to)| (at(*from), at(*to))).collect(),
    };
    vec![StoreResult {
        name: "kv".to_owned(),
        machines: ["kv[0]", "kv[1]", "kv[2]"].map(str::to_owned).to_vec(),
        leading: Some(vec![leading(0, 1, 200, 24_000), leading(1, 2, 20_300, 45_000), leading(2, 4, 45_400, 63_200)]),
        gaps: vec![gaps("clients", &[(20_000, 20_412), (45_000, 45_450)]), gaps("auditors", &[])],
        lags: vec![level(8.0, 41), level(2.0, 42), level(3.0, 43)],
    }]
}

fn read(page: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(page, options).unwrap_or_else(|error| panic!("not well-formed: {error}"))
}

fn section<'a>(document: &'a Document<'_>, id: &str) -> Node<'a, 'a> {
    let wanted = |node: &Node<'_, '_>| node.has_tag_name("section") && node.attribute("id") == Some(id);
    document.descendants().find(wanted).unwrap_or_else(|| panic!("no section {id}"))
}

/// The blocks of a class, each with its title.
fn blocks(section: Node<'_, '_>, class: &str) -> Vec<String> {
    let of_class = |node: &Node<'_, '_>| node.attribute("class").and_then(|all| all.split(' ').next()) == Some(class);
    let title = |node: Node<'_, '_>| node.children().find_map(|child| child.text()).unwrap_or_default().to_owned();
    section.descendants().filter(of_class).map(title).collect()
}

#[test]
fn a_store_has_a_lane_for_each_machine_and_each_who_asks_it() {
    let outcome = sample();
    let page = reports::html::report(&outcome);
    let document = read(&page);
    let stores = section(&document, "stores");
    let lanes = stores.descendants().filter(|node| node.attribute("class") == Some("roles")).count();
    assert_eq!(lanes, outcome.stores[0].machines.len() + outcome.stores[0].gaps.len());
    let leads = ["kv[0] leads in term 1: 00:00.200 to 00:24.000", "kv[1] leads in term 2: 00:20.300 to 00:45.000"];
    assert_eq!(blocks(stores, "leads")[..2], leads);
    let gaps = blocks(stores, "gap");
    assert_eq!(gaps[1], "clients was not answered for 450ms: 00:45.000 to 00:45.450", "{gaps:?}");
    assert_eq!((blocks(stores, "leads").len(), gaps.len()), (3, 2));
    assert_eq!(outcome.stores[0].elections(), Some(2));
}

/// The sample in which a read was stale: twenty operations, of which three contradict each other.
fn contradicted(client: &str) -> Outcome {
    let operation = |client: &str, wish, began, ended: Option<u64>, end| StoreOperation {
        client: client.to_owned(),
        process: 1,
        key: 7,
        wish,
        began: at(began),
        ended: ended.map(at),
        end,
    };
    let mut operations: Vec<StoreOperation> = (0..16)
        .map(|n| {
            let client = format!("near/{}", n % 2);
            operation(&client, Wish::Read(Some(Some(38))), 10_000 + 50 * n, Some(10_020 + 50 * n), Ended::Ok)
        })
        .collect();
    operations.extend([
        operation("near/3", Wish::Cas(Some(5), 6), 10_830, Some(10_850), Ended::Mismatch),
        operation("near/4", Wish::Write(40), 10_900, None, Ended::Unknown),
        operation("far/2", Wish::Write(41), 10_904, Some(10_912), Ended::Ok),
        operation(client, Wish::Read(Some(Some(38))), 11_200, Some(11_240), Ended::Ok),
    ]);
    let contradiction =
        Contradiction { operations, against: vec![17, 18, 19], key: Some(7), ..Contradiction::default() };
    let counts = vec![("acknowledged".to_owned(), 1_904), ("lost".to_owned(), 3)];
    let evidence = Evidence { store: "kv".to_owned(), counts, contradiction: Some(contradiction) };
    let mut outcome = sample();
    outcome.invariants[1].evidence = Some(Box::new(evidence));
    outcome
}

fn number(node: Node<'_, '_>, attribute: &str) -> f64 {
    node.attribute(attribute).and_then(|text| text.trim_end_matches('%').parse().ok()).expect("a number")
}

#[test]
fn each_operation_of_a_contradiction_is_a_bar_from_question_to_answer() {
    let page = reports::html::report(&contradicted("near/1"));
    let document = read(&page);
    let failed = section(&document, "failed");
    let bars = blocks(failed, "operation");
    assert_eq!(bars.len(), 12, "those that contradict each other and the nearest: {bars:?}");
    for told in [
        "near/4: write 7 := 40, began 00:10.900, outcome unknown",
        "far/2: write 7 := 41, began 00:10.904, ok 00:10.912",
        "near/1: read 7 → 38, began 00:11.200, ok 00:11.240",
        "near/3: cas 7: 5 → 6, began 00:10.830, refused 00:10.850",
    ] {
        assert!(bars.iter().any(|bar| bar == told), "{told} is not among {bars:?}");
    }
    let group = |class: &'static str, told: &'static str| {
        let its = move |node: &Node<'_, '_>| {
            node.attribute("class") == Some(class)
                && node.children().any(|c| c.text().is_some_and(|t| t.starts_with(told)))
        };
        failed.descendants().find(its).unwrap_or_else(|| panic!("no {class} {told}"))
    };
    let pieces = |node: Node<'_, '_>| -> Vec<(f64, f64)> {
        let rects = node.children().filter(|child| child.has_tag_name("rect"));
        rects.map(|rect| (number(rect, "x"), number(rect, "x") + number(rect, "width"))).collect()
    };
    let (write, read) = (pieces(group("operation against", "far/2")), pieces(group("operation against", "near/1")));
    assert!(write.len() == 1 && read.len() == 1 && write[0].1 < read[0].0, "{write:?} is over before {read:?} begins");
    let open = pieces(group("operation against", "near/4"));
    assert!(open.len() > 1 && (open[open.len() - 1].1 - 100.0).abs() < 0.1, "it fades out to the right: {open:?}");
    assert_eq!(pieces(group("operation without", "near/3")).len(), 1);
    let text: String = failed.descendants().filter_map(|node| node.text()).collect();
    assert!(text.contains("8 more are in summary.json"));
    let stores: String = section(&document, "stores").descendants().filter_map(|node| node.text()).collect();
    assert!(stores.contains("1 904"), "acknowledged writes stand in the table");
}

#[test]
fn names_of_stores_and_clients_stay_text() {
    let page = |name: &str| {
        let mut outcome = contradicted(name);
        name.clone_into(&mut outcome.stores[0].name);
        name.clone_into(&mut outcome.stores[0].machines[1]);
        name.clone_into(&mut outcome.stores[0].gaps[0].who);
        reports::html::report(&outcome)
    };
    let elements = |page: &str| read(page).descendants().filter(Node::is_element).count();
    let hostile = page("a\"b</title></svg><script>alert(1)</script><!--");
    assert_eq!(elements(&hostile), elements(&page("harmless")));
    assert!(!hostile.contains("<script>"));
}
