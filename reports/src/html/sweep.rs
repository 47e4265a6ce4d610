//! `report.html` of a sweep: verdict, points with their intervals, heat maps, in which ways promises were broken and how to
//! see each of them again, and what was measured seed by seed.

use super::markup::Markup;
use super::promises::class;
use super::table::{NONE, Table, numbers, words};
use super::{Section, page};
use crate::charts::axis::Axis;
use crate::charts::{Measure, colour};
use crate::mood::Mood;
use crate::number::{percent, quantity, thousands};
use crate::sweep::heat::{Cell, Heat, HeatMap, SIDE_MAX, maps};
use crate::sweep::{Cluster, FailureGroup, Point, Share, SweepSummary, value};
use crate::terminal;
use lab::outcome::{Found, Quantity};
use lab::sweep::{SeedResult, Swept};

/// Groups of failures that are told one by one.
const GROUPS_MAX: usize = 30;
/// Ways of failing that are told of each.
const CLUSTERS_MAX: usize = 12;
/// Dots of the picture of seeds.
const DOTS_MAX: usize = 4_000;
/// Points that have a colour of their own there.
const COLOURS: usize = colour::SUBJECTS.len();
/// How high that picture is, in pixels.
const HIGH: f64 = 260.0;

/// The page. The same sweep gives the same bytes; nothing in it leads outside.
pub fn sweep(summary: &SweepSummary, swept: &Swept) -> String {
    let sections = [
        Some(points(summary)),
        heat(summary),
        failures(summary),
        sometimes(summary),
        earlier(summary),
        seeds(summary, swept),
    ];
    let sections: Vec<Section> = sections.into_iter().flatten().collect();
    let (_, word, _) = mark(summary);
    page(&format!("{word}: sweep of {}", summary.scenario), |body| header(body, summary, swept), &sections)
}

/// Sign, words and mood of the verdict.
fn mark(summary: &SweepSummary) -> (&'static str, &'static str, Mood) {
    let broke = summary.points.iter().any(|point| point.fail > 0);
    match (summary.exit, summary.interrupted) {
        (_, Some(_)) => ("?", "INCONCLUSIVE", Mood::Doubtful),
        (0, None) if summary.only_measured() => ("✓", "MEASURED", Mood::Good),
        (0, None) if broke => ("✓", "AS EXPECTED", Mood::Good),
        (0, None) => ("✓", "PASS", Mood::Good),
        (3, None) => ("?", "INCONCLUSIVE", Mood::Doubtful),
        (4, None) => ("✗", "NOT DETERMINISTIC", Mood::Bad),
        (_, None) => ("✗", "FAIL", Mood::Bad),
    }
}

fn header(page: &mut Markup, summary: &SweepSummary, swept: &Swept) {
    let (mark, word, mood) = mark(summary);
    let runs: u64 = summary.points.iter().map(|point| point.violation.of).sum();
    let failing: u64 = summary.points.iter().map(|point| point.fail).sum();
    page.node("header", &[("class", class(mood))], |head| {
        head.node("p", &[("class", "verdict")], |line| {
            line.leaf("span", &[("class", "mark"), ("aria-hidden", "true")], mark).say(" ").leaf("strong", &[], word);
            let told = format!("{} runs · {} failed", thousands(runs), thousands(failing));
            line.leaf("span", &[("class", "counts")], &told);
        });
        head.leaf("h1", &[], &format!("Sweep of {}", summary.scenario));
        if let Some(runs) = summary.interrupted {
            let told = format!("Interrupted after {} runs: everything here is about those.", thousands(runs));
            head.leaf("p", &[("class", "summary")], &told);
        }
        summary.summary.split(" · ").filter(|told| !told.is_empty()).for_each(|told| {
            head.leaf("p", &[("class", "summary")], told);
        });
        let question = swept.points.first().map_or("", |point| point.scenario.model.question.as_str());
        if !question.is_empty() {
            head.leaf("p", &[("class", "question")], question);
        }
        head.node("dl", &[("class", "facts")], |list| {
            let mut fact = |name: &str, value: &str| {
                list.node("div", &[], |pair| {
                    pair.leaf("dt", &[], name).leaf("dd", &[], value);
                });
            };
            fact("points", &thousands(summary.points.len() as u64));
            fact("seeds", &format!("{}..{}", summary.seeds.0, summary.seeds.1));
            if let Some(reruns) = summary.reruns {
                fact("run twice", &format!("{} of {} identical", reruns.identical, reruns.seeds));
            }
            fact("engine", crate::ENGINE);
        });
        if let Some(next) = &summary.next {
            head.node("p", &[("class", "replay")], |line| {
                line.leaf("span", &[], "First run that is not as expected").leaf("code", &[], next);
            });
        }
    });
}

/// `0.47%–1.7%`.
fn interval(share: Share) -> String {
    let (low, high) = share.interval();
    format!("{}–{}", percent(low), percent(high))
}

fn p(share: Share) -> String {
    share.p().map_or_else(|| NONE.to_owned(), percent)
}

fn points(summary: &SweepSummary) -> Section {
    let mut table = Table::new(&[
        words("point"),
        numbers("pass", ""),
        numbers("fail", ""),
        numbers("unknown", ""),
        numbers("P(fail)", ""),
        numbers("95 % interval", ""),
        numbers("median", ""),
        numbers("95 % interval of it", ""),
        words("first failing seeds"),
        words("expected"),
    ]);
    for point in &summary.points {
        let median = point.median.map(|median| quantity(median.value));
        let ends = point.median.and_then(|median| median.low.zip(median.high));
        let seeds: Vec<String> = point.failing.iter().take(5).map(u64::to_string).collect();
        let more = if point.fail as usize > seeds.len() { " …" } else { "" };
        table.row(vec![
            if point.name.is_empty() { "base".to_owned() } else { point.name.clone() },
            thousands(point.pass),
            thousands(point.fail),
            thousands(point.unknown),
            p(point.violation),
            if point.violation.of > 0 { interval(point.violation) } else { "not run".to_owned() },
            median.unwrap_or_else(|| NONE.to_owned()),
            ends.map_or_else(|| NONE.to_owned(), |(low, high)| format!("{}–{}", quantity(low), quantity(high))),
            format!("{}{more}", seeds.join(", ")),
            expected(point),
        ]);
    }
    let mut body = Markup::default();
    let measured = summary.measured.as_ref().map(|term| format!(" The median is that of {term} over seeds."));
    let note = format!(
        "P(fail) is the share of runs that failed (broke a promise, or had nothing to judge one by), with Wilson's interval.{} Thresholds are \
         judged on the file's own seed only.",
        measured.unwrap_or_default()
    );
    table.without_empty(&["median", "95 % interval of it"], &[NONE]).write(&mut body, Some(&note));
    Section { id: "points", title: "Points", body }
}

fn expected(point: &Point) -> String {
    match (point.as_expected, point.unjudged) {
        (Some(_), Some(not)) if not.seeds == point.fail => format!("only thresholds, judged on seed {}", not.judged_on),
        (Some(true), _) => "yes".to_owned(),
        (Some(false), _) => "no".to_owned(),
        (None, _) => "only measured".to_owned(),
    }
}

fn heat(summary: &SweepSummary) -> Option<Section> {
    let maps = maps(summary);
    if maps.is_empty() {
        return None;
    }
    let mut body = Markup::default();
    for map in &maps {
        one_map(&mut body, map);
    }
    let note = format!("The same as pictures: heat-*.svg, heat-*.png. A map has at most {SIDE_MAX} rows and columns.");
    body.leaf("p", &[("class", "note")], &note);
    Some(Section { id: "heat", title: "Where it fails", body })
}

fn one_map(body: &mut Markup, map: &HeatMap) {
    let class = match map.heat {
        Heat::Failures => "heat vermilion",
        Heat::Measured => "heat blue",
    };
    body.leaf("h3", &[], &map.title);
    body.node("div", &[("class", "scroll"), ("tabindex", "0")], |scroll| {
        scroll.node("table", &[("class", class)], |table| {
            table.node("thead", &[], |head| {
                head.node("tr", &[], |row| {
                    row.leaf("th", &[], "");
                    let wide = map.columns.len().to_string();
                    row.leaf("th", &[("colspan", &wide), ("class", "over")], &map.columns_are);
                });
                head.node("tr", &[], |row| {
                    row.leaf("th", &[("scope", "col")], &map.rows_are);
                    map.columns.iter().for_each(|name| {
                        row.leaf("th", &[("scope", "col"), ("class", "column")], name);
                    });
                });
            });
            table.node("tbody", &[], |rows| {
                for (name, cells) in &map.rows {
                    rows.node("tr", &[], |row| {
                        row.leaf("th", &[("scope", "row")], name);
                        for cell in cells {
                            one_cell(row, cell);
                        }
                    });
                }
            });
        });
    });
}

fn one_cell(row: &mut Markup, cell: &Cell) {
    match cell {
        Cell::Known { text, interval, heat } => {
            let strength = format!("--heat: {:.1}%", heat * 60.0);
            row.node("td", &[("class", "known"), ("style", &strength)], |inside| {
                inside.leaf("b", &[], text).leaf("small", &[], interval);
            });
        }
        Cell::Unknown => drop(row.leaf("td", &[("class", "unknown")], "unknown")),
        Cell::NotRun => drop(row.leaf("td", &[("class", "not-run")], "not run")),
    }
}

fn failures(summary: &SweepSummary) -> Option<Section> {
    if summary.failures.is_empty() {
        return None;
    }
    let mut body = Markup::default();
    body.leaf(
        "p",
        &[("class", "lead")],
        "Runs that broke a promise in the same way, with the same faults in effect by then, most likely fail for the same reason. At the end \
         stand promises that some runs had nothing to judge by, which counts as a failure, too.",
    );
    summary.failures.iter().take(GROUPS_MAX).for_each(|group| one_group(&mut body, group));
    if summary.failures.len() > GROUPS_MAX {
        let more = format!("{} more stand in sweep.json.", summary.failures.len() - GROUPS_MAX);
        body.leaf("p", &[("class", "note")], &more);
    }
    Some(Section { id: "failures", title: "In which ways", body })
}

fn one_group(body: &mut Markup, group: &FailureGroup) {
    let (mood, tag) = match (group.expected, group.allowed, group.judged_on) {
        (true, _, _) => (Mood::Doubtful, "expected".to_owned()),
        (false, true, _) => (Mood::Doubtful, "allowed".to_owned()),
        (false, false, Some(seed)) => (Mood::Doubtful, format!("a threshold, judged on seed {seed} only")),
        (false, false, None) => (Mood::Bad, String::new()),
    };
    body.node("article", &[("class", class(mood))], |article| {
        article.node("h3", &[], |title| {
            title.say(&group.promise);
            if !group.point.is_empty() {
                title.leaf("span", &[("class", "sort")], &format!("of {}", group.point));
            }
            if !tag.is_empty() {
                title.leaf("span", &[("class", "tag")], &tag);
            }
        });
        let (runs, all) = (thousands(group.runs), thousands(group.share.of));
        let told = format!("{runs} of {all} runs: P = {}, {}", p(group.share), interval(group.share));
        article.leaf("p", &[("class", "says")], &told);
        group.clusters.iter().take(CLUSTERS_MAX).for_each(|one| one_cluster(article, one, group.runs, group.vacuous));
        if group.clusters.len() > CLUSTERS_MAX {
            let more = format!("{} more ways stand in sweep.json.", group.clusters.len() - CLUSTERS_MAX);
            article.leaf("p", &[("class", "note")], &more);
        }
    });
}

fn one_cluster(article: &mut Markup, cluster: &Cluster, runs: u64, vacuous: bool) {
    article.node("div", &[("class", "witness")], |inside| {
        inside.node("p", &[], |line| {
            if !vacuous {
                line.leaf("b", &[], &terminal::way(cluster));
            }
            let share = percent(cluster.runs as f64 / runs.max(1) as f64);
            let noun = if cluster.runs == 1 { "run" } else { "runs" };
            let told = format!("{} {noun}, {share} of these; smallest seed {}", thousands(cluster.runs), cluster.seed);
            line.leaf("span", &[("class", "sort")], &told);
        });
        cluster.witness.iter().for_each(|line| {
            inside.leaf("p", &[], line);
        });
        inside.node("p", &[("class", "replay")], |line| {
            line.leaf("code", &[], &cluster.replay);
        });
    });
}

fn sometimes(summary: &SweepSummary) -> Option<Section> {
    let mut table = Table::new(&[
        words("promise"),
        words("point"),
        numbers("reached on", ""),
        numbers("of", "seeds"),
        numbers("share", ""),
        numbers("95 % interval", ""),
        words("verdict"),
    ]);
    let mut any = false;
    for (point, one) in summary.points.iter().flat_map(|point| point.sometimes.iter().map(move |one| (point, one))) {
        any = true;
        let verdict = match (one.enough, one.reached.runs, one.reached.of) {
            (_, _, 0) => "not run".to_owned(),
            (true, _, _) => "✓".to_owned(),
            (false, 0, _) => "✗ never: nothing here tests it".to_owned(),
            (false, _, _) => format!("✗ too few: {} at least", one.at_least.map_or_else(|| NONE.to_owned(), percent)),
        };
        table.row(vec![
            one.name.clone(),
            point.name.clone(),
            thousands(one.reached.runs),
            thousands(one.reached.of),
            p(one.reached),
            interval(one.reached),
            verdict,
        ]);
    }
    let mut body = Markup::default();
    table.write(&mut body, None);
    any.then_some(Section { id: "sometimes", title: "What should happen sometimes", body })
}

fn earlier(summary: &SweepSummary) -> Option<Section> {
    let tried = summary.earlier.as_ref()?;
    let mut body = Markup::default();
    let told = format!(
        "{} seeds that failed earlier were tried first; {} of them are none of this sweep's, of which {} are not as expected now.",
        thousands(tried.seeds),
        thousands(tried.outside),
        thousands(tried.failing.len() as u64)
    );
    body.leaf("p", &[], &told);
    for again in tried.failing.iter().take(GROUPS_MAX) {
        body.node("article", &[("class", class(Mood::Bad))], |article| {
            article.leaf("h3", &[], &format!("seed {} of {}", again.seed, again.point));
            article.leaf("p", &[("class", "says")], &again.why);
            article.node("p", &[("class", "replay")], |line| {
                line.leaf("code", &[], &again.replay);
            });
        });
    }
    Some(Section { id: "earlier", title: "What failed earlier", body })
}

/// A dot for each run: its seed, and what the measured threshold came to.
fn seeds(summary: &SweepSummary, swept: &Swept) -> Option<Section> {
    let name = summary.measured.as_ref()?;
    let found = |result: &SeedResult| Some((result.point, result.seed, value(result, name)?, result.found));
    let dots: Vec<(usize, u64, Quantity, Found)> = swept.results.iter().filter_map(found).collect();
    let (_, _, like, _) = *dots.first()?;
    let measure = match like {
        Quantity::Seconds(_) => Measure::Seconds,
        Quantity::Ratio(_) => Measure::Share,
        Quantity::PerSecond(_) => Measure::PerSecond,
        Quantity::Number(_) => Measure::Count("1"),
    };
    let values: Vec<f64> = dots.iter().map(|dot| crate::number::number_and_unit(dot.2).0).collect();
    let y = Axis::values(name, measure, &values);
    let (from, to) = (summary.seeds.0, summary.seeds.1.max(summary.seeds.0 + 1));
    let across = |seed: u64| {
        let share = (seed.saturating_sub(from)) as f64 / ((to - from).max(2) - 1) as f64;
        format!("{:.2}%", share.clamp(0.0, 1.0) * 100.0)
    };
    let up = |place: f64| format!("{:.1}", HIGH * (1.0 - (place - y.low) / (y.high - y.low)));
    let mut body = Markup::default();
    body.leaf("p", &[("class", "lead")], &format!("{} by seed; a ring is a run that failed.", y.title));
    legend(&mut body, summary);
    let high = (HIGH + 26.0).to_string();
    let shape = [("class", "plot seeds"), ("height", high.as_str()), ("role", "img"), ("aria-label", "seeds")];
    body.node("div", &[("class", "figure")], |figure| {
        figure.node("svg", &shape, |svg| {
            for (place, label) in &y.ticks {
                let at = up(*place);
                svg.void("line", &[("class", "grid"), ("x1", "0"), ("x2", "100%"), ("y1", &at), ("y2", &at)]);
                svg.leaf("text", &[("class", "y"), ("x", "-8"), ("y", &at), ("dy", "4")], label);
            }
            let quarters = (0..=4).map(|n| from + (to - 1 - from) * n / 4);
            let mut labelled = None;
            for seed in quarters {
                if labelled.replace(seed) != Some(seed) {
                    let low = (HIGH + 18.0).to_string();
                    svg.leaf("text", &[("class", "x"), ("x", &across(seed)), ("y", &low)], &seed.to_string());
                }
            }
            for ((point, seed, _, found), value) in dots.iter().zip(&values).take(DOTS_MAX) {
                let ink = super::plot::ink(colour::SUBJECTS[point % COLOURS]);
                let class = if *found == Found::Fail { format!("ring {ink}") } else { format!("dot {ink}") };
                let (x, y) = (across(*seed), up(y.place(*value)));
                svg.void("circle", &[("class", &class), ("cx", &x), ("cy", &y), ("r", "3.2")]);
            }
        });
    });
    if dots.len() > DOTS_MAX {
        let left = dots.len() - DOTS_MAX;
        body.leaf("p", &[("class", "note")], &format!("{} more runs are not drawn.", thousands(left as u64)));
    }
    Some(Section { id: "seeds", title: "Seed by seed", body })
}

fn legend(body: &mut Markup, summary: &SweepSummary) {
    if summary.points.len() < 2 {
        return;
    }
    body.node("ul", &[("class", "legend")], |list| {
        for (n, point) in summary.points.iter().enumerate().take(COLOURS) {
            list.node("li", &[], |item| {
                let ink = super::plot::ink(colour::SUBJECTS[n]);
                item.leaf("span", &[("class", &format!("swatch {ink}")), ("style", "height: 3px")], "");
                item.leaf("span", &[], &point.name);
            });
        }
        if summary.points.len() > COLOURS {
            list.leaf("li", &[], "then the same colours again");
        }
    });
}
