//! The replicated store of the invented outcome, and how it is shown.

use crate::fixture::{level, sample};
use kernel::{Span, Time};
use lab::outcome::{GapsResult, Leading, StoreResult};
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
