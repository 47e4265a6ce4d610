//! `report.html`: one file that tells a run to a person, offline, without JavaScript, in light, dark and on paper.
//!
//! The page is a list of sections in the order shown. A section is a function from the outcome to what it says, or `None`
//! if it has nothing to say: a new one is a file beside this one and a line in `SECTIONS`. `markup` writes elements and
//! escapes all text, `page.css` has every colour, `plot` draws the charts of `crate::charts` as SVG that takes the page's
//! colours and keeps its text legible at every width.

mod contradiction;
mod facts;
mod faults;
pub(crate) mod lanes;
mod latency;
pub(crate) mod markup;
mod messages;
mod nodes;
mod operations;
mod plot;
pub(crate) mod promises;
mod queues;
mod resilience;
mod sagas;
mod scenario;
mod spark;
mod spent;
mod stores;
mod story;
mod strip;
mod sweep;
pub(crate) mod table;
mod topology;
mod transactions;
mod verdict;
mod warnings;

use lab::outcome::Outcome;
use markup::Markup;

pub use sweep::sweep;

/// A part of the page with a heading.
pub(crate) struct Section {
    /// Where links lead: `#timeline`.
    pub(crate) id: &'static str,
    /// Its heading.
    pub(crate) title: &'static str,
    /// What stands below the heading.
    pub(crate) body: Markup,
}

/// Makes a section, unless the outcome has nothing for it.
type Make = fn(&Outcome) -> Option<Section>;

/// Everything below the verdict, in the order shown: what failed, how it went over time, what it is made of, the numbers,
/// where it comes from.
const SECTIONS: [Make; 18] = [
    promises::failed,
    story::section,
    promises::held,
    warnings::section,
    strip::section,
    topology::section,
    operations::section,
    latency::section,
    spent::section,
    queues::section,
    messages::section,
    sagas::section,
    transactions::section,
    stores::section,
    resilience::section,
    faults::section,
    scenario::section,
    facts::section,
];

/// The page. The same outcome gives the same bytes; nothing in it leads outside.
pub fn report(outcome: &Outcome) -> String {
    let sections: Vec<Section> = SECTIONS.iter().filter_map(|make| make(outcome)).collect();
    let (mark, _) = crate::terminal::verdict_mark(outcome);
    let title = format!("{mark}: {}, seed {}", outcome.scenario, outcome.seed);
    page(&title, |body| verdict::header(body, outcome), &sections)
}

/// A page of sections below a verdict: everything in it, in one file.
pub(crate) fn page(title: &str, header: impl FnOnce(&mut Markup), sections: &[Section]) -> String {
    // Nothing may be fetched and no script may run: the browser is told so, and the tests see that nothing tries.
    const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";
    let mut page = Markup::ours("<!DOCTYPE html>\n");
    page.node("html", &[("lang", "en")], |html| {
        html.node("head", &[], |head| {
            head.void("meta", &[("charset", "utf-8")]);
            head.void("meta", &[("http-equiv", "Content-Security-Policy"), ("content", POLICY)]);
            head.void("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
            head.void("meta", &[("name", "color-scheme"), ("content", "light dark")]);
            head.leaf("title", &[], title);
            head.node("style", &[], |style| {
                style
                    .part(&Markup::ours(include_str!("page.css")))
                    .part(&Markup::ours(include_str!("../spacetime.css")));
            });
        });
        html.node("body", &[], |body| {
            header(body);
            if sections.len() > 1 {
                body.node("nav", &[("aria-label", "Sections")], |nav| {
                    for section in sections {
                        nav.leaf("a", &[("href", &format!("#{}", section.id))], section.title);
                    }
                });
            }
            body.node("main", &[], |main| {
                for section in sections {
                    main.node("section", &[("id", section.id)], |inside| {
                        inside.leaf("h2", &[], section.title).part(&section.body);
                    });
                }
            });
        });
    });
    page.into_text()
}
