//! A sweep written down while it goes on: what is read is what was written, what is torn is not there, and nothing that is
//! known is run again (docs/semantics.md, rule 66).

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use lab::outcome::Quantity;
use lab::run::{Divergence, EventRecord};
use lab::scenario::{Colour, Source};
use lab::sweep::journal::{Header, line, read};
use lab::sweep::{Earlier, Known, Prepared, Request, SeedResult, Shard, Swept, prepare};

/// A machine that dies on most seeds, with promises of every sort: broken, unknown, vacuous, reached or not.
const SHOP: &str = r#"
version = 1
run = { duration = "2s", quiesce = "100ms", seed = 3 }
[services.shop]
state = { sold = { kind = "map" } }
ops.sell = [{ insert = "sold", set = { paid = 1 } }, { work = "exp(9ms)" }]
[workloads.people]
rate = "60/s"
target = "shop.sell"
[faults.dies]
kind = "crash"
target = "shop"
at = "uniform(0s, 4s)"
for = "200ms"
[invariants]
no_more_than_115 = { always = "count(shop.sold, paid == 1) <= 115" }
hundred_sold = { sometimes = "count(shop.sold, paid == 1) >= 105" }
all_sold = { sometimes = "count(shop.sold, paid == 1) >= 100000" }
[thresholds]
tail = "p99(latency) < 60ms"
nothing = "p99(latency{phase=later}) < 1s"
[phases]
later = "50s..60s"
"#;

fn prepared(request: &Request) -> Prepared {
    prepare(&Source::new("shop.toml", SHOP), request)
        .unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)))
}

fn request(seeds: (u64, u64)) -> Request {
    let set = |path: &str, value: &str| (path.to_owned(), value.to_owned());
    let sets = vec![set("expect.vacuous", "[\"nothing\"]"), set("expect.may_fail", "[\"tail\"]")];
    Request { seeds: Some(seeds), sets, ..Request::default() }
}

fn run(request: &Request, known: Known<'_>) -> Swept {
    prepared(request).run(known, &AtomicBool::new(false), &|_| ())
}

#[test]
fn a_result_that_was_written_down_is_read_as_it_was() {
    let asked = request((0, 30));
    let mut results = run(&asked, Known::nothing()).results;
    let broken = results.iter().filter(|result| result.promises.iter().any(|p| p.violation.is_some())).count();
    assert!((1..30).contains(&broken), "{broken} of 30 show little");
    let record = EventRecord {
        time: kernel::Time(17),
        sequence: u64::MAX,
        node: "shop \"0\"\n".to_owned(),
        kind: "timer".to_owned(),
        digest: 1,
        fingerprint: 2,
    };
    results[0].divergence = Some(Divergence { event: 9, first: Some(record), second: None });
    let awkward = [0.1 + 0.2, -0.0, f64::MIN_POSITIVE, f64::MAX, f64::INFINITY];
    for (result, number) in results.iter_mut().zip(awkward) {
        for promise in result.promises.iter_mut().filter(|p| p.threshold.is_some()) {
            promise.threshold = Some(Some(Quantity::PerSecond(number)));
        }
    }
    let earlier =
        vec![Earlier { seed: 7, variant: None, sets: vec![("a".into(), "1 # ' \n".into())], why: "b/c".into() }];
    let source = Source::new("shop.toml", SHOP);
    let header = Header::of(&prepared(&asked), &source, &earlier);
    let text: String =
        std::iter::once(header.line()).chain(results.iter().map(|result| line(&header.identity, result))).collect();
    let journal = read(&text).expect("it is a journal");
    assert_eq!((&journal.header, journal.torn), (&header, 0));
    assert_eq!(journal.results, results);
    // Every beginning of it is a journal of what was whole by then; a changed letter costs its line.
    for cut in (0..text.len()).step_by(997).filter(|cut| text.is_char_boundary(*cut)) {
        match read(&text[..cut]) {
            None => assert!(cut < header.line().len(), "the header is whole after {cut} bytes"),
            Some(part) => assert!(results.starts_with(&part.results) && part.torn <= 1, "{cut}"),
        }
    }
    let mut bytes = text.clone().into_bytes();
    let place = header.line().len() + 40;
    bytes[place] ^= 1;
    let damaged = read(&String::from_utf8_lossy(&bytes)).expect("its header is whole");
    assert_eq!((damaged.torn, &damaged.results[..]), (1, &results[1..]));
    let bug = SeedResult { panic: Some("index out of\nrange".to_owned()), promises: Vec::new(), ..results[1].clone() };
    let told = read(&(header.line() + &line(&header.identity, &bug))).expect("it is a journal").results.remove(0);
    assert_eq!((&told.panic, &told.findings.engine_bug), (&bug.panic, &bug.panic));
}

#[test]
fn what_is_known_is_not_run_again_and_changes_nothing() {
    let asked = Request { twice: true, ..request((0, 24)) };
    let whole = run(&asked, Known::nothing());
    let kept = Mutex::new(Vec::new());
    let keep = |result: &SeedResult| kept.lock().expect("nobody panics").push((result.point, result.seed));
    let results: Vec<SeedResult> = whole.results.iter().filter(|result| result.seed % 3 != 1).cloned().collect();
    let rest = run(&asked, Known { earlier: Vec::new(), results, keep: &keep });
    assert_eq!((&rest.results, &rest.verdicts, rest.exit), (&whole.results, &whole.verdicts, whole.exit));
    let ran: BTreeSet<(usize, u64)> = kept.into_inner().expect("nobody panics").into_iter().collect();
    assert_eq!(ran, (0..24).filter(|seed| seed % 3 == 1).map(|seed| (0, seed)).collect());
}

#[test]
fn what_failed_earlier_is_first_whatever_the_number_of_jobs() {
    // `no_more_than_115` fails where the machine does not die.
    let failing = |swept: &Swept| swept.unexpected().map(|(result, _)| result.seed).collect::<Vec<_>>();
    let all = failing(&run(&request((0, 40)), Known::nothing()));
    assert!(all.len() > 3, "{all:?}");
    let (late, outside) = (all[all.len() - 1], 40 + all[0]);
    let earlier = |seed| Earlier { seed, variant: None, sets: request((0, 1)).sets, why: String::new() };
    let elsewhere = Earlier { variant: Some("other".to_owned()), ..earlier(1) };
    for jobs in [1, 4] {
        let asked = Request { jobs, fail_fast: true, ..request((0, 40)) };
        let count = AtomicUsize::new(0);
        let keep = |_: &SeedResult| _ = count.fetch_add(1, Ordering::Relaxed);
        let known = Known { earlier: vec![earlier(late), elsewhere.clone()], results: Vec::new(), keep: &keep };
        let swept = run(&asked, known);
        assert_eq!((failing(&swept), swept.results.len(), swept.earlier), (vec![late], 1, 1), "{jobs} jobs");
        assert_eq!(count.into_inner(), 1, "{jobs} jobs");
        let known = Known { earlier: vec![earlier(outside), earlier(late)], ..Known::nothing() };
        let swept = run(&Request { jobs, ..request((0, 40)) }, known);
        assert_eq!((swept.results.len(), swept.extra.len(), swept.earlier), (40, 1, 2), "{jobs} jobs");
        assert_eq!(swept.extra[0].seed, outside);
    }
}

#[test]
fn every_run_is_in_one_shard_and_a_shard_knows_how_many_it_has() {
    for (of, seeds) in [(1, (0, 10)), (3, (7, 31)), (64, (5, 20))] {
        let whole = prepared(&request(seeds));
        let mut all: Vec<(usize, u64)> = Vec::new();
        for number in 1..=of {
            let shard = Shard { number, of };
            let part = prepared(&Request { shard: Some(shard), ..request(seeds) });
            let mine: Vec<(usize, u64)> = part.runs(Some(shard)).collect();
            assert_eq!(part.count(), mine.len() as u64, "{shard} of {seeds:?}");
            assert_eq!(part.identity(), whole.identity(), "{shard} is of the same sweep");
            all.extend(mine);
        }
        all.sort_unstable();
        assert_eq!(all, whole.runs(None).collect::<Vec<_>>());
    }
    for wrong in ["0/4", "5/4", "1", "a/b", "1/0", "1/1000000"] {
        assert!(Shard::parse(wrong).is_err(), "{wrong}");
    }
    assert_eq!(Shard::parse("2/8"), Ok(Shard { number: 2, of: 8 }));
}
