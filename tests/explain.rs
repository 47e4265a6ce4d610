//! Why a promise was broken: what is told, drawn and claimed about it.

use std::sync::atomic::AtomicBool;

use kernel::Time;
use lab::explain::{
    About, BandSort, Change, Effort, Explained, Fate, MarkSort, Nearest, Refused, Request, Story, explain,
};
use lab::outcome::Status;
use lab::run::{Go, Options, run};
use lab::scenario::{Choice, Colour, Source, load};

fn source(text: &str) -> Source {
    Source::new("test.toml", text.to_owned())
}

fn shipped(name: &str) -> Source {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
    Source::new(name, std::fs::read_to_string(path).expect("the repository has its scenarios"))
}

/// A request for the story alone.
fn asks(variant: Option<&str>, seed: u64, sets: &[(&str, &str)], about: Option<About>) -> Request {
    let sets = sets.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    let choice = Choice { variant: variant.map(str::to_owned), sets, seed: Some(seed) };
    Request { choice, about, effort: None, passing: Nearest::Not }
}

fn explained(source: &Source, request: &Request) -> Result<Explained, Refused> {
    explain(source, request, &AtomicBool::new(false), &mut |_| {})
}

fn told(source: &Source, request: &Request) -> Story {
    match explained(source, request) {
        Ok(made) => made.story,
        Err(Refused::Wrong(errors)) => panic!("{}", errors.render(Colour::Plain)),
        Err(Refused::Unknown(what)) => panic!("{what}"),
        Err(Refused::Interrupted) => panic!("nobody stopped it"),
    }
}

/// The story as text.
fn text(story: &Story) -> String {
    reports::terminal::story(story, "test", false)
}

/// A saga whose order and message are written one after the other; its machine dies between the two.
const DUAL_WRITE: [(&str, &str); 5] = [
    ("run.duration", "4s"),
    ("run.warmup", "1s"),
    ("workloads.shoppers.stages", "none"),
    ("faults.orders_node_dies.nth", "9"),
    ("faults.payment_node_dies", "none"),
];

#[test]
fn the_story_of_a_dual_write_names_the_row_the_point_and_the_crash() {
    let story = told(&shipped("checkout/saga.toml"), &asks(Some("dual_write"), 3, &DUAL_WRITE, None));
    assert_eq!(story.title, "no_order_forgotten");
    let text = text(&story);
    assert!(text.contains("is new: status = 'pending'"), "{text}");
    assert!(text.contains("reaches service.after_write") && text.contains("← here orders_node_dies strikes"), "{text}");
    assert!(text.contains("what it was doing for this is lost"), "{text}");
    assert!(!text.contains("publish to order_events"), "{text}");
    assert!(text.contains("nothing more is done for it"), "{text}");
    let lanes: Vec<&str> = story.lanes.iter().map(|lane| lane.name.as_str()).collect();
    assert_eq!(lanes[0], "shoppers", "clients stand first: {lanes:?}");
}

/// A call that takes longer than anybody waits, and is made twice.
const TWICE: &str = r#"
version = 1
run = { duration = "6s", quiesce = "6s", seed = 1 }
network.latency = "exp(1ms)"

[services.shop]
state.orders = { kind = "map" }
ops.buy.steps = [
  { insert = "orders", set = { status = "pending" } },
  { call = "payment.pay", timeout = "60ms", retry = { attempts = 3, backoff = "20ms" } },
  { update = "orders", set = { status = "paid" } },
]

[services.payment]
state.charges = { kind = "list" }
ops.pay.steps = [{ work = "exp(8ms)" }, { append = "charges", value = "$id" }]

[workloads.people]
rate = "5/s"
target = "shop.buy"

[faults.slow]
kind = "slow_cpu"
target = "payment"
at = "2s"
for = "300ms"
factor = 30

[invariants]
paid_once = { at_rest = "size(payment.charges) == count(shop.orders, status == 'paid')" }
"#;

#[test]
fn of_what_does_not_add_up_the_operation_is_found_that_was_done_twice() {
    let story = told(&source(TWICE), &asks(None, 1, &[], None));
    let text = text(&story);
    assert!(text.contains("← late: shop stopped waiting at"), "{text}");
    assert!(text.contains("payment.pay → payment, try 2"), "{text}");
    assert!(text.contains("from here on it does not add up: +"), "{text}");
    assert!(text.contains("is slow (slow)"), "{text}");
    let writes = story.marks.iter().filter(|mark| mark.sort == MarkSort::Row && mark.label.contains("charges"));
    assert!(writes.count() >= 2, "{text}");
}

/// Read, then written back: two at once count as one.
const LOST: &str = r#"
version = 1
run = { duration = "2s", quiesce = "2s", seed = 1 }
network.latency = "uniform(1ms, 5ms)"

[services.counter]
workers = 2
state = { hits = { kind = "counter" }, acked = { kind = "map" } }
ops.hit.steps = [
  { read = "hits", into = "seen" },
  { work = "exp(2ms)" },
  { transaction = [{ update = "hits", set = "= $seen + 1" }, { insert = "acked" }] },
]

[workloads.clicks]
users = 4
think = "exp(50ms)"
target = "counter.hit"

[invariants]
counted = { at_rest = "counter.hits == size(counter.acked)" }
"#;

#[test]
fn of_a_lost_update_whoever_wrote_in_between_is_told_too() {
    let story = told(&source(LOST), &asks(None, 1, &[], None));
    let text = text(&story);
    let lost = text.lines().position(|line| line.contains("from here on it does not add up: -1")).expect("it is told");
    let between = text.lines().position(|line| line.contains("while operation") && line.contains("was under way"));
    let between = between.unwrap_or_else(|| panic!("nobody wrote in between:\n{text}"));
    assert!(between < lost && text.lines().nth(between).is_some_and(|line| line.contains("counter.hits: ")), "{text}");
}

#[test]
fn a_lost_write_is_told_with_the_crash_that_came_after_its_acknowledgement() {
    let sets = [("run.duration", "5s"), ("run.quiesce", "4s")];
    let file = shipped("kv/async-lost-tail.toml");
    let story = told(&file, &asks(None, 29, &sets, None));
    let text = text(&story);
    let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("`{what}` is missing in\n{text}"));
    let (written, crashed) = (place("write 439 := 44000"), place("goes down (leader_dies)"));
    let (leads, broken) = (place("leads in term"), place("no_acked_write_lost is broken"));
    assert!(written < crashed && crashed < leads && leads < broken, "{text}");
}

#[test]
fn a_lost_decision_is_told_with_its_votes_its_crash_and_who_applied_what() {
    let sets = [("run.duration", "5s"), ("faults.coordinator_dies_in_doubt.nth", "40")];
    let file = shipped("bank/two-phase-commit.toml");
    let seeds = 0..200;
    let broken = seeds.into_iter().find(|seed| {
        let request = asks(Some("lost_decisions"), *seed, &sets, None);
        let scenario = load(&file, &request.choice).expect("it is a scenario");
        let outcome = run(&scenario, *seed, None, &Options::lean(), &mut |_| Go::On).expect("it runs");
        outcome.invariants.iter().any(|promise| promise.name == "all_or_none" && promise.status == Status::Violated)
    });
    let seed = broken.expect("some seed loses a decision that one participant knows already");
    let story = told(&file, &asks(Some("lost_decisions"), seed, &sets, None));
    let text = text(&story);
    assert_eq!(story.title, "all_or_none", "{text}");
    assert!(text.contains("coordinator") && text.contains("goes down (coordinator_dies_in_doubt)"), "{text}");
    assert!(text.contains("decides to commit") && text.contains("how did it end?"), "{text}");
    assert!(text.contains("applies the commit") && text.contains("applies the abort"), "{text}");
}

#[test]
fn a_stale_read_is_told_with_the_cut_the_new_leader_and_both_writes() {
    let sets = [("run.duration", "14s"), ("run.quiesce", "2s")];
    let story = told(&shipped("kv/failover.toml"), &asks(Some("leader_reads"), 3, &sets, None));
    let text = text(&story);
    assert!(text.contains("are cut off (leader_cut_off)") && text.contains("leads in term 2"), "{text}");
    assert!(text.contains("← it read") && text.contains("but the value is"), "{text}");
    let old = story.lanes.iter().find(|lane| lane.name == "kv[0]").expect("the old leader takes part");
    assert!(old.bands.iter().any(|band| band.sort == BandSort::CutOff), "{old:?}");
    assert!(old.bands.iter().any(|band| band.sort == BandSort::Leads), "{old:?}");
}

#[test]
fn the_picture_has_a_lane_per_node_a_line_per_message_and_the_faults_of_the_ledger_as_bands() {
    let made = explained(&source(TWICE), &asks(None, 1, &[], None)).expect("there is a story");
    let (story, svg) = (&made.story, reports::spacetime::svg(&made.story));
    let picture = roxmltree::Document::parse(&svg).expect("it is XML");
    let count = |wanted: &str| {
        let has = |node: &roxmltree::Node<'_, '_>| {
            node.attribute("class").is_some_and(|class| class.split(' ').any(|word| word == wanted))
        };
        picture.descendants().filter(has).count()
    };
    assert_eq!(count("node"), story.lanes.len());
    assert_eq!(count("message"), story.arrows.len());
    assert_eq!(count("broken"), 1);
    let bands: usize = story.lanes.iter().map(|lane| lane.bands.len()).sum();
    assert_eq!(count("stretch"), bands);
    assert!(!svg.contains("<script") && svg.matches("http").count() == 1, "nothing in it leads outside");
    let slow = made.outcome.faults.iter().find(|fault| fault.name == "slow").expect("it is in the ledger");
    let band = story.lanes.iter().flat_map(|lane| &lane.bands).find(|band| band.name == "slow").expect("it is drawn");
    assert_eq!((band.from, band.to), (slow.from, slow.to));
}

#[test]
fn the_same_run_gives_the_same_story_byte_for_byte_whatever_the_threads() {
    let with = |jobs| {
        let effort = Effort { futures: 6, budget: 60_000, jobs };
        let request = Request { effort: Some(effort), passing: Nearest::LookedFor, ..asks(None, 1, &[], None) };
        let made = explained(&source(TWICE), &request).expect("there is a story");
        let chance = made.story.doom.as_ref().and_then(reports::chance::svg);
        (
            text(&made.story),
            reports::spacetime::svg(&made.story),
            reports::json::story(&made.story, &made.outcome),
            chance,
        )
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn operations_sagas_and_transactions_are_found_by_their_numbers_and_unknown_ones_say_what_there_is() {
    let about = |about: About| explained(&source(TWICE), &asks(None, 1, &[], Some(about)));
    let story = about(About::Operation("people/3".to_owned())).expect("it began").story;
    assert_eq!(story.title, "operation people/3");
    assert!(text(&story).contains("operation 3 is over") && story.broken.is_none());
    let unknown = |id: &str| match about(About::Operation(id.to_owned())) {
        Err(Refused::Unknown(what)) => what,
        other => panic!("{id} is not known, and came to {other:?}"),
    };
    assert!(unknown("900").contains("people began 0 to"), "{}", unknown("900"));
    assert!(unknown("poeple/1").contains("did you mean people?"), "{}", unknown("poeple/1"));
    assert!(unknown("x").contains("an operation is a number"), "{}", unknown("x"));
    assert!(
        matches!(about(About::Saga("1".to_owned())), Err(Refused::Unknown(what)) if what == "no saga began in this run")
    );
    assert!(matches!(about(About::Violation(7)), Err(Refused::Unknown(what)) if what.contains("1 paid_once")));
    let bank = shipped("bank/two-phase-commit.toml");
    let sets = [("run.duration", "1s"), ("faults.coordinator_dies_in_doubt", "none")];
    let of = |id: &str| explained(&bank, &asks(None, 7, &sets, Some(About::Transaction(id.to_owned()))));
    let story = of("5").expect("it began").story;
    assert!(text(&story).contains("decides to") && text(&story).contains("prepare → bank_a"), "{}", text(&story));
    assert!(matches!(of("100000"), Err(Refused::Unknown(what)) if what.contains("nearest: ")));
}

/// Somebody always works, and a crash that happens to one run in ten loses it.
const PLANTED: &str = r#"
version = 1
run = { duration = "4s", quiesce = "3s", seed = SEED }
network.latency = "exp(1ms)"

[services.shop]
workers = 64
state.orders = { kind = "map" }
ops.buy.steps = [
  { insert = "orders", set = { status = "open" } },
  { sleep = "900ms" },
  { update = "orders", set = { status = "done" } },
]

[workloads.people]
rate = "10/s"
target = "shop.buy"
client = { timeout = "2s" }

[faults.dies]
kind = "crash"
target = "shop"
at = "2s"
for = "200ms"
chance = "20%"

[invariants]
nothing_stays_open = { at_rest = "count(shop.orders, status == 'open') == 0" }
"#;

#[test]
fn a_promise_that_one_crash_breaks_is_doomed_from_that_crash_on_and_kept_without_it() {
    let files: Vec<(u64, Source)> =
        (0..60).map(|seed| (seed, source(&PLANTED.replace("SEED", &seed.to_string())))).collect();
    let broken = files.iter().find(|(seed, file)| explained(file, &asks(None, *seed, &[], None)).is_ok());
    let (seed, file) = broken.expect("one in five crashes");
    let effort = Effort { futures: 40, budget: 10_000_000, jobs: 0 };
    let request = Request { effort: Some(effort), passing: Nearest::LookedFor, ..asks(None, *seed, &[], None) };
    let story = told(file, &request);
    let doom = story.doom.expect("it was asked for");
    let step = doom.step.expect("the crash makes it certain");
    assert!(step.what.contains("shop goes down"), "{step:?}");
    assert!(step.event.is_some() && !doom.cut_short, "it is found to the event: {step:?}");
    let (before, after) = (&doom.chances[step.before], &doom.chances[step.before + 1]);
    assert_eq!(after.time, Time(2_000_000_000));
    // Of 40 futures with one crash in five each, 8 ± 2.5 break it: all but one in ten million within five deviations.
    assert!((1..=20).contains(&before.broken), "{before:?}");
    assert_eq!(after.broken, after.futures);
    let passing = story.passing.expect("there is one");
    assert_eq!(passing.change, Change::WithoutFault("dies".to_owned()));
    let differs = passing.differs.expect("they differ");
    assert!(differs.time.seconds() >= 2.0, "{differs:?}");
}

#[test]
fn a_moment_shows_every_node_and_what_is_on_its_way() {
    let at = lab::explain::parse_moment("00:01.5").expect("it is a moment");
    let story = told(&source(TWICE), &asks(None, 1, &[], Some(About::At(at))));
    let text = text(&story);
    assert!(text.contains("shop") && text.contains("payment") && text.contains("open"), "{text}");
    let late = lab::explain::parse_moment("900s").expect("it is a moment");
    let beyond = explained(&source(TWICE), &asks(None, 1, &[], Some(About::At(late))));
    assert!(matches!(beyond, Err(Refused::Unknown(what)) if what.contains("the run ended at")));
    assert_eq!(lab::explain::parse_moment("1:x"), None);
}

#[test]
fn lost_messages_are_told_and_end_in_a_cross() {
    let sets = [("faults.slow.kind", "crash"), ("faults.slow.factor", "none"), ("faults.slow.for", "2s")];
    let lost = |story: &Story| story.arrows.iter().filter(|arrow| matches!(arrow.fate, Fate::Lost(_))).count();
    let of = |n: u64| told(&source(TWICE), &asks(None, 1, &sets, Some(About::Operation(format!("people/{n}")))));
    let story = (0..14).map(of).find(|story| lost(story) > 0).expect("one of them meets the crash");
    let lost = lost(&story);
    let svg = reports::spacetime::svg(&story);
    assert_eq!(svg.matches("class=\"message lost\"").count(), lost);
    assert!(text(&story).contains("never arrived: payment was down"), "{}", text(&story));
}
