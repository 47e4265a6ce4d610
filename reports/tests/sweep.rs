//! What a sweep leaves behind: heat maps and a page, of real sweeps of a small scenario.

use std::sync::atomic::AtomicBool;

use lab::scenario::{Colour, Source};
use lab::sweep::{Request, Swept, sweep};
use reports::SweepSummary;
use reports::sweep::heat::{Cell, files, maps};

const SERVER: &str = r#"
version = 1
run = { duration = "3s", quiesce = "1s", seed = 2 }
[services.server]
work = "exp(10ms)"
[workloads.load]
rate = "60/s"
target = "server"
[thresholds]
mean = "mean(latency) < 20ms"
deep = "max(queue_depth) < 1000"
never = "p50(latency{phase=never}) < 1s"
[phases]
never = "100s..200s"
[expect]
vacuous = ["never"]
may_fail = ["mean"]
"#;

fn swept(request: &Request) -> (Swept, SweepSummary) {
    let swept = sweep(&Source::new("server.toml", SERVER), request, &AtomicBool::new(false), &|_| ())
        .unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)));
    let summary = reports::sweep::of(&swept, request, "server.toml");
    (swept, summary)
}

fn axis(path: &str, values: &[&str]) -> (String, Vec<String>) {
    (path.to_owned(), values.iter().map(|value| (*value).to_owned()).collect())
}

fn two_axes() -> Request {
    let load = axis("workloads.load.rate", &["20/s", "60/s", "95/s"]);
    let work = axis("services.server.work", &["exp(10ms)", "0.1ms"]);
    Request {
        matrix: vec![load, work],
        seeds: Some((0, 8)),
        sets: vec![("run.settle".into(), "1s".into())],
        ..Request::default()
    }
}

#[test]
fn over_two_paths_a_map_shows_how_likely_failures_are_and_what_was_measured() {
    let (_, summary) = swept(&two_axes());
    let [failures, measured] = &maps(&summary)[..] else { panic!("two maps: {:?}", maps(&summary)) };
    let sides = |map: &reports::sweep::heat::HeatMap| {
        (map.rows_are.clone(), map.columns_are.clone(), map.rows.len(), map.columns.len())
    };
    let expected = ("workloads.load.rate".to_owned(), "services.server.work".to_owned(), 3, 2);
    assert_eq!((sides(failures), sides(measured)), (expected.clone(), expected));
    // 95 of 100 requests per second wait long, and with a work of nearly nothing nobody waits.
    let shade = |cell: &Cell| match cell {
        Cell::Known { heat, .. } => *heat,
        Cell::Unknown | Cell::NotRun => panic!("{cell:?} is known"),
    };
    assert!(shade(&failures.rows[2].1[0]) > 0.8 && shade(&failures.rows[2].1[1]) < 0.001, "{failures:?}");
    assert!(shade(&measured.rows[2].1[0]) > 0.999 && shade(&measured.rows[0].1[0]) < 0.5, "{measured:?}");
    let Cell::Known { text, interval, .. } = &failures.rows[2].1[1] else { panic!("it is known") };
    assert_eq!((text.as_str(), interval.as_str()), ("0%", "0%–32.4%"), "none of eight");
}

#[test]
fn what_was_not_run_and_what_nobody_knows_look_different() {
    // With --fail-fast the first failing seed is the last: later points are not run.
    let strict = ("expect.may_fail".to_owned(), "[]".to_owned());
    let variants = Request { fail_fast: true, seeds: Some((2, 4)), ..Request::default() };
    let (_, calm) = swept(&Request { fail_fast: false, ..variants.clone() });
    let promises = &maps(&calm)[0];
    let row = |name: &str| promises.rows.iter().find(|row| row.0 == name).map(|row| &row.1[0]);
    assert_eq!(row("never"), Some(&Cell::Unknown), "nothing was measured in a phase after the end: {promises:?}");
    assert!(matches!(row("deep"), Some(Cell::Known { .. })));
    let load = axis("workloads.load.rate", &["20/s", "60/s"]);
    let broken = Request { matrix: vec![load], sets: vec![strict], ..variants };
    let (mut swept, _) = swept(&Request { fail_fast: false, ..broken.clone() });
    swept.results.retain(|result| result.point == 0);
    let cut = reports::sweep::of(&swept, &broken, "server.toml");
    let map = &maps(&cut)[0];
    assert!(map.rows.iter().all(|row| row.1[1] == Cell::NotRun), "{map:?}");
    let page = reports::html::sweep(&cut, &swept);
    assert!(
        page.contains("class=\"not-run\"") && page.contains("class=\"unknown\"") && page.contains("class=\"known\"")
    );
}

#[test]
fn pictures_and_page_are_whole_offline_and_the_same_twice() {
    let (swept_once, summary) = swept(&two_axes());
    let page = reports::html::sweep(&summary, &swept_once);
    let (swept_again, again) = swept(&Request { jobs: 2, ..two_axes() });
    assert_eq!(page, reports::html::sweep(&again, &swept_again));
    assert_eq!(files(&summary), files(&again));
    let names: Vec<String> = files(&summary).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["heat-failures.svg", "heat-failures.png", "heat-measured.svg", "heat-measured.png"]);
    for (name, bytes) in files(&summary) {
        if bytes.first() == Some(&b'<') {
            let text = String::from_utf8(bytes).expect("an SVG is text");
            let tree = roxmltree::Document::parse(&text).expect("it is well formed");
            let said: Vec<&str> = tree.descendants().filter_map(|node| node.text()).map(str::trim).collect();
            for wanted in ["workloads.load.rate", "services.server.work", "95/s", "0.1ms"] {
                assert!(said.contains(&wanted), "{name}: `{wanted}` is missing in {said:?}");
            }
        } else {
            assert!(bytes.starts_with(b"\x89PNG"), "{name}");
        }
    }
    let tree = page.strip_prefix("<!DOCTYPE html>\n").expect("it is HTML");
    let tree = roxmltree::Document::parse(tree).expect("it is well formed");
    let ids: Vec<&str> =
        tree.descendants().filter(|n| n.has_tag_name("section")).filter_map(|n| n.attribute("id")).collect();
    assert_eq!(ids, ["points", "heat", "failures", "seeds"]);
    for node in tree.descendants() {
        assert!(!["script", "img", "link", "iframe"].contains(&node.tag_name().name()), "{node:?}");
        assert!(node.attribute("href").is_none_or(|link| link.starts_with('#')), "{node:?}");
    }
    let dots = tree.descendants().filter(|node| node.has_tag_name("circle")).count();
    assert_eq!(dots, 48, "a dot for each run");
    let replay = "stormglass run server.toml --seed 0 --set run.settle=1s --set workloads.load.rate=95/s --set &#39;services.server.work=exp(10ms)&#39;";
    assert!(page.contains(replay), "{page}");
}
