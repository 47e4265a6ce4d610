//! The SVGs, read back: axes with units, ticks in place, a point per table row, a band per fault.

use crate::fixture::{Dice, WINDOWS, sample, without_parts};
use kernel::{Histogram, Span, Time};
use lab::outcome::{Link, LinkKind, OperationWindow, Outcome, Part, Topology};
use reports::charts::{Chart, Measure, Series, lanes, plan};
use roxmltree::{Document, Node};

/// Left and right edge of every plot, in the SVG's tenths of a pixel.
const LEFT: f64 = 880.0;
const RIGHT: f64 = 7900.0;
const PLOT_HIGH: f64 = 2600.0;

fn pictures(outcome: &Outcome) -> Vec<(String, Vec<u8>)> {
    reports::charts::files(outcome)
}

fn svg(outcome: &Outcome, name: &str) -> String {
    reports::charts::svg(&chart(outcome, name))
}

fn is_svg(file: &str) -> bool {
    file.strip_suffix(".svg").is_some()
}

fn number(node: &Node<'_, '_>, attribute: &str) -> f64 {
    node.attribute(attribute).and_then(|text| text.parse().ok()).expect("a number")
}

fn texts<'a>(document: &'a Document<'_>) -> Vec<(String, Node<'a, 'a>)> {
    let all = document.descendants().filter(|node| node.has_tag_name("text"));
    all.map(|node| (node.text().unwrap_or("").trim().to_owned(), node)).collect()
}

fn hex(series: &Series) -> String {
    let colour = series.ink.colour;
    format!("#{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2)
}

/// The points drawn for a series inside the plot: corners of its polylines and its lone dots.
fn drawn(document: &Document<'_>, series: &Series) -> Vec<(f64, f64)> {
    let (colour, opacity) = (hex(series), series.ink.opacity.to_string());
    let mut points = Vec::new();
    for node in document.descendants().filter(|node| node.attribute("opacity") == Some(&opacity)) {
        if node.has_tag_name("polyline") && node.attribute("stroke") == Some(&colour) {
            for pair in node.attribute("points").unwrap_or("").split_whitespace() {
                let (x, y) = pair.split_once(',').expect("x,y");
                points.push((x.parse().expect("x"), y.parse().expect("y")));
            }
        }
        if node.has_tag_name("circle") && node.attribute("fill") == Some(&colour) {
            points.push((number(&node, "cx"), number(&node, "cy")));
        }
    }
    // The sample in the legend stands right of the plot.
    points.retain(|(x, _)| *x <= RIGHT);
    points
}

fn chart(outcome: &Outcome, file: &str) -> Chart {
    plan(outcome).into_iter().find(|chart| chart.file == file).expect("the chart is planned")
}

/// Non-empty cells of a column, in rows that hold all of `like`.
fn cells(outcome: &Outcome, file: &str, like: &[&str], column: &str) -> usize {
    let files = reports::files(outcome);
    let (_, bytes) = files.iter().find(|(name, _)| name == file).expect("the table exists");
    let mut table = csv::Reader::from_reader(&bytes[..]);
    let at = table.headers().expect("a header").iter().position(|name| name == column).expect("the column exists");
    let rows: Vec<csv::StringRecord> = table.records().map(|row| row.expect("a row")).collect();
    let matching = rows.iter().filter(|row| like.iter().all(|wanted| row.iter().any(|cell| cell == *wanted)));
    matching.filter(|row| !row[at].is_empty()).count()
}

#[test]
fn every_line_has_a_point_per_row_of_its_table() {
    let outcome = sample();
    let check = |file: &str, table: &str, like: &[&str], lines: &[(&str, &str, &[&str])]| {
        let text = svg(&outcome, file);
        let document = Document::parse(&text).expect("well-formed SVG");
        let chart = chart(&outcome, file);
        for (line, column, also) in lines {
            let series = chart.series.iter().find(|series| series.name == *line).expect("the line exists");
            let rows = cells(&outcome, table, &[like, also].concat(), column);
            assert!(rows > 20, "{file} {line}: a test on no data would prove nothing");
            assert_eq!(drawn(&document, series).len(), rows, "{file} {line}");
        }
    };
    let latency: &[(&str, &str, &[&str])] =
        &[("p50", "latency_p50_s", &[]), ("p90", "latency_p90_s", &[]), ("p99", "latency_p99_s", &[])];
    check("latency-transactions.transfer-clients", "operations.csv", &["transactions.transfer", "clients"], latency);
    check("percentiles", "percentiles.csv", &[], &[("ledger.balance", "latency_s", &["ledger.balance"])]);
    let queue: &[(&str, &str, &[&str])] = &[("bank_a", "depth_mean", &[]), ("bank_a, max", "depth_max", &[])];
    check("queues", "queues.csv", &["bank_a"], queue);
    let load: &[(&str, &str, &[&str])] = &[
        ("offered", "value", &["offered_per_s"]),
        ("served", "value", &["served_per_s"]),
        ("failed", "value", &["failed_per_s"]),
    ];
    check("load-clients", "timeseries.csv", &["clients"], load);
    check("utilisation", "timeseries.csv", &["utilisation"], &[("ledger", "value", &["ledger"])]);
    let doubt: &[(&str, &str, &[&str])] = &[
        ("in doubt", "value", &["in_doubt_mean"]),
        ("in doubt, max", "value", &["in_doubt_max"]),
        ("locks held, max", "value", &["locks_held_max"]),
    ];
    check("in-doubt", "timeseries.csv", &["transfer"], doubt);
    let messages: &[(&str, &str, &[&str])] = &[
        ("accepted", "accepted_per_s", &[]),
        ("acknowledged", "acknowledged_per_s", &[]),
        ("redelivered", "redelivered_per_s", &[]),
    ];
    check("messages-order_events", "messages.csv", &["order_events"], messages);
    let flow: &[(&str, &str, &[&str])] =
        &[("accepted, P(t)", "accepted_total", &[]), ("acknowledged, C(t)", "acknowledged_total", &[])];
    check("flow-order_events", "messages.csv", &["order_events"], flow);
    let depth: &[(&str, &str, &[&str])] =
        &[("order_events", "depth_mean", &[]), ("order_events, max", "depth_max", &[])];
    check("backlog", "messages.csv", &["order_events"], depth);
    let open: &[(&str, &str, &[&str])] = &[("checkout, max", "value", &["sagas_open_max"])];
    check("sagas", "timeseries.csv", &["checkout"], open);
    let retries: &[(&str, &str, &[&str])] = &[("payment.charge ← orders", "value", &["retry_amplification"])];
    check("retries", "timeseries.csv", &[], retries);
    check("lag", "timeseries.csv", &["hotel ← trips"], &[("hotel ← trips", "value", &["lag_mean"])]);
    check("outbox", "timeseries.csv", &["orders"], &[("orders", "value", &["outbox_depth_mean"])]);
    check("outbox-lag", "timeseries.csv", &["orders"], &[("p99", "value", &["outbox_lag_p99_s"])]);
}

/// Fill, left and right of the bars of a picture, which are as high as no band.
fn bars(text: &str) -> Vec<(String, f64, f64)> {
    let document = Document::parse(text).expect("well-formed SVG");
    let rects = document.descendants().filter(|node| node.has_tag_name("rect"));
    let bars = rects.filter(|node| (number(node, "height") - 120.0).abs() <= 1.0);
    let bar = |node: Node<'_, '_>| {
        let (x, wide) = (number(&node, "x"), number(&node, "width"));
        (node.attribute("fill").unwrap_or("").to_owned(), x, x + wide)
    };
    bars.map(bar).collect()
}

#[test]
fn a_breaker_has_a_bar_where_it_was_not_closed() {
    let outcome = sample();
    let text = svg(&outcome, "breakers");
    let found = bars(&text);
    let x = |second: f64| LEFT + (RIGHT - LEFT) * second / 63.2;
    let wanted = [("#D55E00", 20.6, 23.6), ("#56B4E9", 23.6, 23.8), ("#D55E00", 23.8, 26.8), ("#56B4E9", 26.8, 26.9)];
    assert_eq!(found.len(), wanted.len(), "{found:?}");
    for ((fill, left, right), (colour, from, to)) in found.iter().zip(wanted) {
        assert_eq!(fill, colour);
        // What is shorter than two pixels is drawn two pixels wide.
        let end = x(to).max(x(from) + 20.0);
        assert!((left - x(from)).abs() <= 10.0 && (right - end).abs() <= 10.0, "{from}–{to}: {left} {right}");
    }
    let document = Document::parse(&text).expect("well-formed SVG");
    let texts: Vec<String> = texts(&document).into_iter().map(|(text, _)| text).collect();
    for wanted in ["orders[0] → payment[1]", "open", "half open", "virtual time (s)"] {
        assert!(texts.iter().any(|text| text == wanted), "{wanted}: {texts:?}");
    }
    assert!(!text.contains("payment[0]"), "one that never opened has no row");
}

#[test]
fn the_bars_of_where_the_time_went_are_as_long_as_their_shares() {
    let outcome = sample();
    let found = bars(&svg(&outcome, "spent"));
    // Three operations, each half work, an eighth waiting, a quarter network, the rest failed tries.
    assert_eq!(found.len(), 3 * 4, "{found:?}");
    let wanted = [("#0072B2", 0.0, 0.5), ("#E69F00", 0.5, 0.625), ("#56B4E9", 0.625, 0.875), ("#D55E00", 0.875, 1.0)];
    for ((fill, left, right), (colour, from, to)) in found.iter().zip(wanted) {
        let x = |share: f64| LEFT + (RIGHT - LEFT) * share;
        assert_eq!(fill, colour);
        assert!((left - x(from)).abs() <= 10.0 && (right - x(to)).abs() <= 10.0, "{from}–{to}: {left} {right}");
    }
}

#[test]
fn a_funnel_has_a_bar_as_long_as_each_count() {
    let outcome = sample();
    let text = svg(&outcome, "funnel");
    let document = Document::parse(&text).expect("well-formed SVG");
    let texts: Vec<String> = texts(&document).into_iter().map(|(text, _)| text).collect();
    let lengths: Vec<f64> = bars(&text).into_iter().map(|(_, left, right)| right - left).collect();
    let counts = [5_884, 5_871, 5_790, 5_790, 5_790, 12, 81, 40, 81, 93, 1];
    assert_eq!(lengths.len(), counts.len());
    for (length, count) in lengths.iter().zip(counts) {
        let wanted = (RIGHT - LEFT) * f64::from(count) / 6_000.0;
        assert!((length - wanted.max(20.0)).abs() <= 20.0, "{count}: {length} {wanted}");
    }
    for wanted in ["sagas (number)", "6 000", "charge done: 5 790", "charge compensated: 40", "undone: 93"] {
        assert!(texts.iter().any(|text| text == wanted), "{wanted}: {texts:?}");
    }
}

#[test]
fn a_window_without_samples_is_a_gap_and_a_lone_sample_a_dot() {
    let mut outcome = sample();
    let name = "latency-transactions.transfer-clients";
    let gaps = outcome.operations[0].windows.iter().filter(|window| window.percentiles.is_none()).count();
    assert!(gaps >= 4);
    let lines = |outcome: &Outcome| {
        let text = svg(outcome, name);
        let document = Document::parse(&text).expect("well-formed SVG");
        let of = |tag: &str, attribute: &str| {
            let all = document.descendants().filter(|node| node.has_tag_name(tag));
            all.filter(|node| node.attribute(attribute) == Some("#D55E00")).count()
        };
        (of("polyline", "stroke"), of("circle", "fill"))
    };
    // Two stretches beside the gap, and the legend's sample.
    assert_eq!(lines(&outcome), (3, 0));
    for silent in [10, 12] {
        outcome.operations[0].windows[silent] = OperationWindow::default();
    }
    assert_eq!(lines(&outcome), (4, 1), "window 11 stands alone");
}

#[test]
fn axes_have_titles_with_units_and_ticks_in_place() {
    let outcome = sample();
    for (file, vertical, unit_ticks) in [
        ("latency-transactions.transfer-clients", "latency (ms, log scale)", vec!["20", "50", "1 000"]),
        ("load-clients", "operations (1/s)", vec!["0", "20", "80"]),
        ("queues", "waiting (requests)", vec!["0", "20", "100"]),
        ("utilisation", "utilisation (%)", vec!["0", "20", "100"]),
        ("in-doubt", "in doubt, locks held (number)", vec!["0", "5", "25"]),
        ("flow-order_events", "in all (messages)", vec!["0", "2 000", "6 000"]),
        ("messages-order_events", "messages (1/s)", vec!["0", "50", "100"]),
        ("backlog", "ready and in flight (messages)", vec!["0", "50", "100"]),
        ("sagas", "open (sagas)", vec!["0", "50", "200"]),
        ("retries", "amplification (tries per call)", vec!["0", "1", "2"]),
        ("lag", "still to read (messages)", vec!["0", "10"]),
        ("outbox", "waiting (messages)", vec!["0", "10", "40"]),
        ("outbox-lag", "lag (ms)", vec!["0", "50", "200"]),
    ] {
        let text = svg(&outcome, file);
        let document = Document::parse(&text).expect("well-formed SVG");
        let texts = texts(&document);
        let has = |wanted: &str| texts.iter().any(|(text, _)| text == wanted);
        assert!(has("virtual time (s)") && has(vertical), "{file}: {texts:?}");
        assert!(unit_ticks.iter().all(|tick| has(tick)), "{file}: {texts:?}");
        for (second, label) in [(10.0, "10"), (60.0, "60")] {
            let x = LEFT + (RIGHT - LEFT) * second / outcome.end.seconds();
            let found = texts.iter().filter(|(text, node)| text == label && (number(node, "x") - x).abs() <= 1.0);
            assert_eq!(found.count(), 1, "{file}: tick {label}");
        }
    }
    let text = svg(&outcome, "percentiles");
    let document = Document::parse(&text).expect("well-formed SVG");
    let at = |label: &str| texts(&document).iter().find(|(text, _)| text == label).map(|(_, node)| number(node, "x"));
    let nine = at("99").zip(at("90")).map(|(right, left)| right - left).expect("both ticks");
    let next = at("99.9").zip(at("99")).map(|(right, left)| right - left).expect("both ticks");
    assert!((nine - next).abs() <= 2.0, "every nine is as wide: {nine} {next}");
}

#[test]
fn a_band_stands_at_each_faults_window() {
    let mut outcome = sample();
    let bands = |outcome: &Outcome| -> Vec<(f64, f64, String)> {
        let text = svg(outcome, "queues");
        let document = Document::parse(&text).expect("well-formed SVG");
        let rects = document.descendants().filter(|node| node.has_tag_name("rect"));
        let high = rects.filter(|node| (number(node, "height") - PLOT_HIGH).abs() <= 10.0);
        let band = |node: Node<'_, '_>| {
            let (x, wide) = (number(&node, "x"), number(&node, "width"));
            (x, x + wide, node.attribute("fill").unwrap_or("").to_owned())
        };
        high.map(band).collect()
    };
    let x = |second: f64| LEFT + (RIGHT - LEFT) * second / 63.2;
    let near = |found: &(f64, f64, String), from: f64, to: f64| {
        (found.0 - x(from)).abs() <= 10.0 && (found.1 - x(to)).abs() <= 10.0
    };
    let found = bands(&outcome);
    assert_eq!(found.len(), 4, "warm-up, after load, crash, loss; the pause never began: {found:?}");
    for (from, to) in [(0.0, 5.0), (60.0, 63.2), (20.0, 25.0), (23.0, 40.0)] {
        assert!(found.iter().any(|band| near(band, from, to)), "{from}–{to}: {found:?}");
    }
    assert_ne!(found[2].2, found[3].2, "two faults have two colours");
    let document = svg(&outcome, "queues");
    assert_eq!(document.matches("coordinator_down").count(), 1, "named once");
    outcome.faults[0].from = Time(30_000_000_000);
    outcome.faults[0].to = Some(Time(31_000_000_000));
    assert!(bands(&outcome).iter().any(|band| near(band, 30.0, 31.0)), "the band moves with the fault");
    (outcome.faults[0].from, outcome.faults[0].to) = (Time(5_000_000_000), Some(Time(60_000_000_000)));
    assert_eq!(bands(&outcome).len(), 3, "what lasts nearly throughout is no band");
    assert!(svg(&outcome, "queues").contains("coordinator_down"), "but has its lane");
}

#[test]
fn many_faults_share_the_last_lane() {
    let mut outcome = sample();
    let crash = outcome.faults[0].clone();
    for n in 0..7 {
        let mut fault = crash.clone();
        fault.name = format!("crash_{n}");
        fault.effective = n != 1;
        outcome.faults.push(fault);
    }
    let names: Vec<String> = lanes(&outcome).into_iter().map(|lane| lane.name).collect();
    assert_eq!(names, ["warm-up, after load", "coordinator_down", "lossy_link", "crash_0", "6 more faults"]);
    outcome.faults.retain(|fault| fault.name == "crash_1");
    assert_eq!(lanes(&outcome)[1].name, "crash_1 (no effect)");
}

#[test]
fn pictures_are_the_same_bytes_each_time_and_every_svg_has_its_png() {
    let outcome = sample();
    let (once, again) = (pictures(&outcome), pictures(&outcome));
    assert!(once == again, "same bytes");
    let names: Vec<&str> = once.iter().map(|(name, _)| name.as_str()).collect();
    for name in names.iter().filter_map(|name| name.strip_suffix(".svg")) {
        assert!(names.contains(&format!("{name}.png").as_str()), "{name}");
    }
    let (_, png) = once.iter().find(|(name, _)| name == "charts/queues.png").expect("the chart exists");
    let mut reader = png::Decoder::new(std::io::Cursor::new(&png[..])).read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("it fits")];
    let info = reader.next_frame(&mut pixels).expect("one frame");
    assert_eq!((info.width, info.color_type), (2000, png::ColorType::Rgb));
    let blue = pixels.chunks(3).filter(|pixel| pixel == &[0x00, 0x72, 0xB2]).count();
    assert!(blue > 500, "the first queue is seen: {blue}");
}

#[test]
fn hostile_names_stay_text() {
    let mut outcome = sample();
    let name = "a<b> & \"c\" 'd'\u{1b}[31m\u{0}";
    outcome.scenario = name.to_owned();
    outcome.operations[0].name = name.to_owned();
    outcome.queues[0].name = name.to_owned();
    outcome.faults[0].name = name.to_owned();
    outcome.topology.parts[0].name = name.to_owned();
    for (file, bytes) in pictures(&outcome) {
        if is_svg(&file) {
            let text = String::from_utf8(bytes).expect("UTF-8");
            let document = Document::parse(&text).expect("well-formed whatever the names");
            let shown = "a<b> & \"c\" 'd'\u{FFFD}[31m\u{FFFD}";
            let whole = texts(&document).iter().any(|(text, _)| text.starts_with(&shown[..8]) || text.contains(shown));
            assert!(whole, "{file} shows the name");
        }
    }
}

#[test]
fn a_run_without_data_has_no_charts() {
    let mut outcome = sample();
    outcome.operations.clear();
    outcome.queues.clear();
    outcome.services.clear();
    outcome.transactions.clear();
    without_parts(&mut outcome);
    outcome.topology = Topology::default();
    assert!(pictures(&outcome).is_empty());
}

#[test]
fn huge_and_odd_values_are_drawn_without_complaint() {
    let mut outcome = sample();
    outcome.end = Time(u64::MAX);
    outcome.times.window = Span(u64::MAX / WINDOWS as u64);
    let mut latency = Histogram::new(Histogram::PER_OP);
    latency.record(0);
    latency.record(u64::MAX);
    outcome.operations[0].latency = latency;
    outcome.operations[0].windows[3].percentiles = Some([1, u64::MAX / 2, u64::MAX]);
    outcome.queues[0].depth.window_mean[5] = 1e300;
    outcome.queues[0].depth.window_max[6] = i64::MAX;
    outcome.queues[1].depth.window_mean[5] = f64::NAN;
    outcome.services[0].window_utilisation[0] = f64::INFINITY;
    for (file, bytes) in pictures(&outcome) {
        if is_svg(&file) {
            let text = String::from_utf8(bytes).expect("UTF-8");
            assert!(!text.contains("NaN") && !text.contains("inf"), "{file}");
            Document::parse(&text).expect("well-formed");
        }
    }
    outcome.times.window = Span(0);
    outcome.end = Time(0);
    assert!(!pictures(&outcome).is_empty());
}

#[test]
fn what_undoes_a_saga_is_dashed_and_explained() {
    let part = |name: &str, kind: &str| Part { name: name.to_owned(), kind: kind.to_owned(), detail: String::new() };
    let link = |label: &str, kind| Link { from: 0, to: 1, label: label.to_owned(), kind };
    let parts = vec![part("checkout", "saga"), part("inventory", "service")];
    let mut topology = Topology { parts, calls: vec![link("reserve", LinkKind::Forward)] };
    let drawn = |topology: &Topology| {
        let (svg, _, dot) = reports::graph(topology);
        [svg, dot].map(|bytes| String::from_utf8(bytes).expect("UTF-8"))
    };
    let lines = |svg: &str| svg.matches("<polyline").count();
    let [plain, dot] = drawn(&topology);
    assert!(!plain.contains("dashed") && !dot.contains("dashed"));
    topology.calls.push(link("release", LinkKind::Undo));
    let [svg, dot] = drawn(&topology);
    assert!(svg.contains("release") && svg.contains("dashed: only to undo"));
    assert!(lines(&svg) > lines(&plain) + 10, "a dashed line is many: {} after {}", lines(&svg), lines(&plain));
    assert!(dot.contains("n0 -> n1 [label=\"release\", style=dashed"), "{dot}");
}

#[test]
fn random_topologies_keep_every_part_inside_the_picture() {
    let mut dice = Dice(5);
    for parts in [1, 2, 5, 12, 25] {
        let part = |n: usize| Part { name: format!("p{n}"), kind: "service".to_owned(), detail: "d".to_owned() };
        let mut end = || (dice.roll() * parts as f64) as usize;
        let calls = (0..parts * 2).map(|n| Link {
            from: end(),
            to: end(),
            label: format!("call {n}"),
            kind: if n % 3 == 0 { LinkKind::Undo } else { LinkKind::Forward },
        });
        let calls: Vec<Link> = calls.collect();
        let topology = Topology { parts: (0..parts).map(part).collect(), calls };
        let (svg, png, dot) = reports::graph(&topology);
        let svg = String::from_utf8(svg).expect("UTF-8");
        let document = Document::parse(&svg).expect("well-formed");
        let frame: Vec<f64> = document
            .root_element()
            .attribute("viewBox")
            .unwrap_or("")
            .split(' ')
            .filter_map(|n| n.parse().ok())
            .collect();
        for node in document.descendants().filter(|node| node.has_tag_name("text")) {
            assert!((0.0..frame[2]).contains(&number(&node, "x")) && (0.0..frame[3]).contains(&number(&node, "y")));
        }
        assert!(!png.is_empty());
        let dot = String::from_utf8(dot).expect("UTF-8");
        assert_eq!(dot.matches("\n  n0 [label=").count(), 1);
    }
}

#[test]
fn measures_of_charts_are_what_their_tables_hold() {
    let charts = plan(&sample());
    let measure = |file: &str| charts.iter().find(|chart| chart.file == file).map(|chart| chart.measure);
    assert_eq!(measure("utilisation"), Some(Measure::Share));
    assert_eq!(measure("load-auditors"), Some(Measure::PerSecond));
}
