//! `run.precision`: a sweep goes on until every threshold's mean is known well enough, whatever the number of jobs.

use std::sync::atomic::AtomicBool;

use lab::outcome::Quantity;
use lab::scenario::{Colour, Source};
use lab::sweep::{REPLICATIONS_MAX, REPLICATIONS_MIN, Request, Swept, sweep};

const SERVER: &str = r#"
version = 1
run     = { duration = "20s", seed = 40, precision = "4%" }

[services.server]
work = "exp(10ms)"

[workloads.load]
rate   = "50/s"
target = "server"

[thresholds]
mean = "mean(latency) < 1s"
tail = "p99(latency) < 1s"
"#;

fn swept(jobs: usize, seeds: Option<(u64, u64)>, sets: &[(&str, &str)]) -> Swept {
    let sets = sets.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    let request = Request { sets, seeds, jobs, ..Request::default() };
    sweep(&Source::new("server.toml", SERVER), &request, &AtomicBool::new(false), &|_| ())
        .unwrap_or_else(|errors| panic!("{}", errors.render(Colour::Plain)))
}

fn seconds(quantity: Option<Quantity>) -> f64 {
    let Some(Quantity::Seconds(seconds)) = quantity else { panic!("{quantity:?} is no time") };
    seconds
}

#[test]
fn a_sweep_ends_at_the_first_seed_that_makes_it_precise_with_any_number_of_jobs() {
    let one = swept(1, None, &[]);
    let precision = one.precisions[0].as_ref().expect("the file asks for it");
    let runs = precision.replications;
    assert!(precision.reached && one.exit == 0 && one.seeds == (40, 40 + runs), "{precision:?}");
    assert!(runs > REPLICATIONS_MIN as u64 && runs < REPLICATIONS_MAX, "{runs} seeds show little");
    for mean in &precision.means {
        assert!(seconds(mean.half_width) <= 0.04 * seconds(mean.mean), "{mean:?}");
    }
    let fewer = swept(2, Some((40, 40 + runs - 1)), &[]);
    let fewer_precision = fewer.precisions[0].as_ref().expect("it is reported with given seeds, too");
    assert!(!fewer_precision.reached && fewer.exit == 0, "one seed less is not enough, and given seeds need not be");
    for jobs in [2, 5] {
        let other = swept(jobs, None, &[]);
        let seeds = |swept: &Swept| swept.results.iter().map(|r| (r.seed, r.fingerprint)).collect::<Vec<_>>();
        assert_eq!((seeds(&other), &other.precisions), (seeds(&one), &one.precisions), "{jobs} jobs");
    }
}

#[test]
fn what_cannot_be_precise_enough_is_inconclusive_after_the_last_replication() {
    let vague = swept(0, None, &[("run.precision", "0.0001%"), ("run.duration", "1s")]);
    let precision = vague.precisions[0].as_ref().expect("the file asks for it");
    assert_eq!((precision.replications, precision.reached, vague.exit), (REPLICATIONS_MAX, false, 3));
}
