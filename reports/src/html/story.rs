//! How it broke: the story of the first broken promise, as lines and as a space-time diagram.

use super::Section;
use super::markup::Markup;
use lab::explain::{Mood, Story, moment};
use lab::outcome::Outcome;

/// The section, if the run broke a promise and was short enough to be told.
pub(super) fn section(outcome: &Outcome) -> Option<Section> {
    let story = outcome.story.as_deref()?;
    let mut body = Markup::default();
    let (promise, _) = story.promise.as_ref()?;
    let counts = crate::terminal::story_counts(story).join("; ");
    body.leaf("p", &[("class", "lead")], &format!("{promise}: {counts}."));
    body.node("div", &[("class", "scroll")], |scroll| {
        scroll.part(&crate::spacetime::part(story));
    });
    body.leaf("p", &[("class", "note")], LEGEND);
    body.node("div", &[("class", "scroll")], |scroll| table(scroll, story));
    if let Some(doom) = &story.doom {
        body.leaf("h3", &[], "From when on it was to be expected");
        body.leaf("p", &[("class", "note")], &crate::chance::told(doom).join("; "));
        body.node("div", &[("class", "scroll")], |scroll| {
            if let Some(picture) = crate::chance::part(doom) {
                scroll.part(&picture);
            }
        });
    }
    if story.passing.is_some() {
        body.leaf("h3", &[], "The nearest run that keeps it");
        body.leaf("p", &[("class", "note")], &crate::terminal::story_passing(story).join("; "));
    }
    Some(Section { id: "story", title: "How it broke", body })
}

const LEGEND: &str = "Time goes down and is not to scale. Blue: questions; green: answers; dashed: a copy, or sent again or \
held on the way; orange: too late; red: never arrived. Squares are rows that changed; bands are faults, and a thin one is \
the term in which a machine believed to lead.";

fn table(scroll: &mut Markup, story: &Story) {
    scroll.node("table", &[("class", "tale")], |table| {
        table.node("tbody", &[], |body| {
            for line in &story.lines {
                body.node("tr", &[], |row| {
                    row.leaf("td", &[("class", "moment")], &moment(line.time));
                    row.leaf("td", &[], &line.lane);
                    row.leaf("td", &[], &line.what);
                    let mood = match line.mood {
                        Mood::Good => "outcome good",
                        Mood::Bad => "outcome bad",
                        Mood::Plain => "outcome",
                    };
                    row.node("td", &[("class", mood)], |cell| {
                        cell.say(&line.outcome);
                        if !line.note.is_empty() {
                            cell.leaf("span", &[("class", "because")], &format!(" ← {}", line.note));
                        }
                    });
                });
            }
        });
    });
}
