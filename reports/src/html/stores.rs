//! The replicated stores: who led when and in which term, when nobody was answered, what became of acknowledged writes.

use super::markup::Markup;
use super::nodes::{Node, Trouble, troubled};
use super::table::{NONE, Table, most, numbers, words};
use super::{Section, plot, strip};
use crate::charts::Lane;
use crate::charts::axis::Axis;
use crate::number::thousands;
use crate::stores::{gaps_told, ledger};
use lab::outcome::{Leading, Outcome, StoreResult};

/// As many machines of a store as have a lane.
const MOST_MACHINES: usize = 12;
/// As many stretches as one lane shows, the longest.
const MOST_STRETCHES: usize = 400;
/// One colour per term, in the order in which they came, and again; red is for what fails.
const TERMS: [&str; 5] = ["blue", "orange", "green", "purple", "sky"];
/// The share of the width that a term's number needs, on a wide page and on any.
const ROOM: f64 = 0.022;
const ROOM_ANYWHERE: f64 = 0.05;
const ROOM_FOR_WORD: f64 = 0.11;

/// A row per store, then the lanes of each.
pub(super) fn section(outcome: &Outcome) -> Option<Section> {
    let (shown, note) = most(&outcome.stores, "those with most elections", "summary.json", StoreResult::elections);
    if shown.is_empty() {
        return None;
    }
    let mut body = Markup::default();
    let led = "A block is a time in which a machine believed that it leads, in the colour of its term. ";
    let led = if shown.iter().any(|store| store.leading.is_some()) { led } else { "" };
    let told = format!("{led}A gap is a time in which clients waited and none of them was answered.");
    body.leaf("p", &[("class", "lead")], &told);
    table(outcome, &shown).write(&mut body, note.as_deref());
    let end = outcome.end.seconds();
    let (x, lanes, troubled) = (Axis::time(end), strip::shown_lanes(outcome), troubled(outcome));
    let page = Lanes { x: &x, bands: &lanes, troubled: &troubled };
    body.node("div", &[("class", "strip story")], |strip| {
        for lane in &lanes {
            strip::lane_row(strip, outcome, lane, &x);
        }
        for store in shown {
            page.store(strip, store);
        }
    });
    body.leaf("p", &[("class", "note")], &format!("All over {}. Shaded: the windows of faults.", x.title));
    Some(Section { id: "stores", title: "Stores", body })
}

fn table(outcome: &Outcome, stores: &[&StoreResult]) -> Table {
    let mut table = Table::new(&[
        words("store"),
        numbers("elections", ""),
        numbers("last term", ""),
        words("leader at the end"),
        numbers("acknowledged writes", ""),
        numbers("lost", ""),
    ]);
    for store in stores {
        let or_none = |told: Option<String>| told.unwrap_or_else(|| NONE.to_owned());
        let last = store.leading.iter().flatten().map(|leading| leading.term).max();
        let ledger = ledger(outcome, &store.name);
        let gaps: Vec<String> = store.gaps.iter().map(|gaps| format!("{}: {}", gaps.who, gaps_told(gaps))).collect();
        table.row(vec![
            store.name.clone(),
            or_none(store.elections().map(|count| thousands(count as u64))),
            or_none(last.map(thousands)),
            or_none(store.leads_at(outcome.end).map(|(machine, _)| machine.to_owned())),
            or_none(ledger.map(|(acknowledged, _)| thousands(acknowledged))),
            or_none(ledger.map(|(_, lost)| thousands(lost))),
        ]);
        if !gaps.is_empty() {
            table.below(format!("No answer: {}", gaps.join("; ")));
        }
    }
    table.without_empty(&["elections", "last term", "leader at the end", "acknowledged writes", "lost"], &[NONE])
}

/// What all lanes have in common.
struct Lanes<'a> {
    x: &'a Axis,
    bands: &'a [Lane],
    troubled: &'a [Node<'a>],
}

impl Lanes<'_> {
    fn store(&self, strip: &mut Markup, store: &StoreResult) {
        for (place, machine) in store.machines.iter().enumerate().take(MOST_MACHINES) {
            let led: Vec<&Leading> =
                store.leading.iter().flatten().filter(|leading| leading.machine == place).collect();
            let times = match led.len() {
                0 => "never led".to_owned(),
                1 => format!("led in term {}", led[0].term),
                many => format!("led {} times", thousands(many as u64)),
            };
            let sort = if store.leading.is_some() { times } else { String::new() };
            self.row(strip, machine, &sort, |svg| {
                self.follows(svg, &led);
                for leading in longest(&led, |leading| leading.to.since(leading.from).0) {
                    self.leads(svg, (machine, colour(store, leading.term)), leading);
                }
                let trouble = self.troubled.iter().filter(|node| node.name == machine.as_str());
                for (from, to, trouble) in trouble.flat_map(|node| &node.spans) {
                    let class = if *trouble == Trouble::Down { "down" } else { "paused" };
                    self.block(svg, class, (*from, *to), (6, 8), &format!("{machine} {}", trouble.word()));
                }
            });
        }
        if let Some(more) = store.machines.len().checked_sub(MOST_MACHINES).filter(|more| *more > 0) {
            strip.node("div", &[("class", "row lane")], |row| {
                row.leaf("div", &[("class", "about")], "");
                row.leaf("div", &[("class", "figure note")], &format!("{more} more machines: summary.json"));
            });
        }
        for gaps in &store.gaps {
            self.row(strip, &gaps.who, &gaps_told(gaps), |svg| {
                self.follows(svg, &[]);
                for (from, to) in longest(&gaps.spans, |(from, to)| to.since(*from).0) {
                    let told = format!("{} was not answered for {}", gaps.who, to.since(*from));
                    self.block(svg, "gap", (from.seconds(), to.seconds()), (4, 12), &told);
                }
            });
        }
        strip.node("div", &[("class", "row lane")], |row| {
            row.leaf("div", &[("class", "about")], "");
            row.node("div", &[("class", "figure")], |figure| plot::time_floor(figure, self.x));
        });
    }

    /// A lane with its name, the windows of faults behind it.
    fn row(&self, strip: &mut Markup, name: &str, sort: &str, inside: impl FnOnce(&mut Markup)) {
        strip.node("div", &[("class", "row lane")], |row| {
            row.node("div", &[("class", "about")], |about| {
                about.say(name).say(" ").leaf("span", &[("class", "sort")], sort);
            });
            row.node("div", &[("class", "figure")], |figure| {
                figure.node("svg", &[("class", "roles"), ("role", "img")], |svg| {
                    svg.leaf("title", &[], &format!("{name}: {sort}"));
                    let whole = [
                        ("viewBox", "0 0 10000 1000"),
                        ("preserveAspectRatio", "none"),
                        ("width", "100%"),
                        ("height", "20"),
                    ];
                    svg.node("svg", &whole, |inner| {
                        for lane in self.bands.iter().filter(|lane| lane.shade > 0.0) {
                            plot::bands(inner, lane, self.x);
                        }
                    });
                    inside(svg);
                });
            });
        });
    }

    /// A thin line where there is no block.
    fn follows(&self, svg: &mut Markup, led: &[&Leading]) {
        let ends = [(self.x.high, self.x.high)];
        let mut from = 0.0;
        for (to, next) in led.iter().map(|leading| (leading.from.seconds(), leading.to.seconds())).chain(ends) {
            let (left, right) = (plot::share(self.x, self.x.place(from)), plot::share(self.x, self.x.place(to)));
            if left < right {
                let (across, wide) = (plot::percent(left), plot::percent(right - left));
                svg.void(
                    "rect",
                    &[("class", "follows"), ("x", &across), ("y", "9"), ("width", &wide), ("height", "2")],
                );
            }
            from = next;
        }
    }

    fn leads(&self, svg: &mut Markup, (machine, colour): (&str, &str), leading: &Leading) {
        let (from, to) = (leading.from.seconds(), leading.to.seconds());
        let told = format!("{machine} leads in term {}", leading.term);
        let wide = self.block(svg, &format!("leads {colour}"), (from, to), (1, 18), &told);
        let digits = leading.term.to_string();
        let room = ROOM + 0.008 * (digits.len() as f64 - 1.0);
        if wide < room {
            return;
        }
        let middle = plot::percent(plot::share(self.x, self.x.place(from)) + wide / 2.0);
        let class = if wide < ROOM_ANYWHERE { "term tight" } else { "term" };
        let told = if wide < ROOM_FOR_WORD { digits } else { format!("term {digits}") };
        svg.leaf("text", &[("class", class), ("x", &middle), ("y", "14")], &told);
    }

    /// A block from when until when, at least a hair wide; gives its share of the width.
    fn block(&self, svg: &mut Markup, class: &str, (from, to): (f64, f64), (top, high): (u32, u32), told: &str) -> f64 {
        let (left, right) = (plot::share(self.x, self.x.place(from)), plot::share(self.x, self.x.place(to)));
        let wide = (right - left).max(0.002);
        let (across, width) = (plot::percent(left), plot::percent(wide));
        let (top, high) = (top.to_string(), high.to_string());
        svg.node(
            "rect",
            &[("class", class), ("x", &across), ("y", &top), ("width", &width), ("height", &high)],
            |rect| {
                rect.leaf("title", &[], &format!("{told}: {} to {}", plot::moment(from), plot::moment(to)));
            },
        );
        wide
    }
}

fn colour(store: &StoreResult, term: u64) -> &'static str {
    let mut earlier: Vec<u64> =
        store.leading.iter().flatten().map(|leading| leading.term).filter(|t| *t < term).collect();
    earlier.dedup();
    TERMS[earlier.len() % TERMS.len()]
}

/// The longest stretches, in their order.
fn longest<T>(all: &[T], length: impl Fn(&T) -> u64) -> Vec<&T> {
    let mut places: Vec<usize> = (0..all.len()).collect();
    places.sort_by_key(|place| std::cmp::Reverse(length(&all[*place])));
    places.truncate(MOST_STRETCHES);
    places.sort_unstable();
    places.into_iter().map(|place| &all[place]).collect()
}
