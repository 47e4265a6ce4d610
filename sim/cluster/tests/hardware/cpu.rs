//! Processors that are shared, and such as are slowed (docs/semantics.md, rule 13).

use cluster::{Cluster, Fault, FaultKind, Target, Trigger, Window};
use kernel::statistics::batch_means;
use kernel::{Distribution, Effect, Seed, Span, Time};

use crate::puppet::*;

fn work(n: u64, demand: Span) -> Say {
    Effect::Work(N(n), demand)
}

fn cores(mut stage: Stage, cores: u32) -> Stage {
    stage.hardware.nodes.iter_mut().for_each(|node| node.cores = Some(cores));
    stage
}

fn slow(name: &str, factor: f64, at: Span, length: Span) -> Fault {
    fault(name, FaultKind::SlowCpu { factor }, &[0], at, length)
}

/// When each work of node 0 ended, in microseconds.
fn ends(world: &Cluster<Puppet>) -> Vec<(u64, u64)> {
    let end = |(time, cue)| if let Cue::Timer(n) = cue { Some((n, time)) } else { None };
    heard(world, 0).into_iter().filter_map(end).collect()
}

#[test]
fn more_work_than_processors_shares_them_evenly() {
    let three = |n| {
        let stage = cores(stage(1), n).on(0, Cue::Start, vec![work(1, ms(10)), work(2, ms(20)), work(3, ms(20))]);
        ends(&stage.run().0)
    };
    assert_eq!(three(1), [(1, 30_000), (2, 50_000), (3, 50_000)], "each a third, then each a half");
    assert_eq!(three(2), [(1, 15_000), (2, 25_000), (3, 25_000)], "each two thirds, then each its own");
    assert_eq!(three(3), [(1, 10_000), (2, 20_000), (3, 20_000)]);
    let late = cores(stage(1), 1).on(0, Cue::Start, vec![work(1, ms(10)), timer(2, ms(4))]);
    let (world, _) = late.on(0, Cue::Timer(2), vec![work(3, ms(3)), work(4, ms(0))]).run();
    assert_eq!(ends(&world), [(2, 4_000), (4, 4_000), (3, 10_000), (1, 13_000)]);
}

/// Mean time in the system and its standard error, in means of the law: Poisson arrivals at a load of 0.6.
fn mean_sojourn(processors: u32, law: &Distribution) -> (f64, f64) {
    const WORKS: u64 = 40_000;
    let mut stream = Seed(9).stream("works");
    let gap = Distribution::exponential(1e6 / 0.6 / f64::from(processors)).expect("a positive mean is valid");
    let (mut at, mut begins, mut say) = (Span::ZERO, Vec::new(), Vec::new());
    let mut stage = cores(stage(1), processors);
    for n in 0..WORKS {
        at = at + gap.span(&mut stream);
        begins.push(at.0 as f64);
        say.push(timer(n, at));
        stage = stage.on(0, Cue::Timer(n), vec![work(WORKS + n, law.span(&mut stream))]);
    }
    let mut world = stage.on(0, Cue::Start, say).world();
    until(&mut world, Span::secs(3_600), &mut ());
    let mut sojourns = vec![0.0; WORKS as usize];
    for (time, cue) in &world.process(kernel::NodeId(0)).heard {
        if let Cue::Timer(n) = cue
            && let Some(n) = n.checked_sub(WORKS)
        {
            sojourns[n as usize] = (time.0 as f64 - begins[n as usize]) / 1e6;
        }
    }
    assert!(sojourns.iter().all(|sojourn| *sojourn > 0.0));
    let estimate = batch_means(&sojourns, 40);
    (estimate.mean, estimate.error)
}

#[test]
fn sharing_takes_as_long_as_theory_says_whatever_the_law() {
    let mixed = Distribution::hyperexponential(1e6, 2.0).expect("more varied than one exponential");
    let laws = [constant(ms(1)), Distribution::exponential(1e6).expect("a positive mean is valid"), mixed];
    // L. Kleinrock, "Queueing Systems" II, 4.4: E[T] = E[S] / (1 - ρ); with two processors, as Erlang's C has it for
    // exponential work, E[S] / (1 - ρ²): both insensitive to the law.
    for (processors, expected) in [(1, 1.0 / 0.4), (2, 1.0 / (1.0 - 0.36))] {
        for law in &laws {
            let (mean, error) = mean_sojourn(processors, law);
            assert!((mean - expected).abs() < 4.0 * error, "{mean} ± {error} instead of {expected}: {law:?}");
            assert!(error < 0.05 * expected, "{error} is sharp enough to tell");
        }
    }
}

#[test]
fn a_slow_processor_takes_longer_for_the_rest_of_what_is_in_progress() {
    let ten = || {
        stage(1).on(0, Cue::Start, vec![work(1, ms(10)), timer(2, ms(7))]).on(0, Cue::Timer(2), vec![work(3, ms(1))])
    };
    let (world, _) = ten().fault(slow("slow", 10.0, ms(5), Span::secs(1))).run();
    assert_eq!(ends(&world), [(2, 7_000), (3, 17_000), (1, 55_000)], "5 ms and ten times 5 ms");
    assert_eq!(world.ledger()[0].impact.works_slowed, 2);
    let (world, _) = ten().fault(slow("slow", 10.0, ms(5), ms(20))).run();
    assert_eq!(ends(&world), [(2, 7_000), (3, 17_000), (1, 28_000)], "20 ms did 2 ms of it; the rest at full speed");
    let (world, _) = ten().fault(slow("slow", 10.0, ms(5), Span::secs(1))).heal(ms(25)).run();
    assert_eq!(ends(&world).last(), Some(&(1, 28_000)), "heal revokes it");
    let other = slow("other", 2.5, ms(15), ms(25));
    let (world, _) = ten().fault(slow("slow", 4.0, ms(5), Span::secs(1))).fault(other).run();
    // By 15 ms 7.5 of 10 ms are done; the next 25 ms do 2.5.
    assert_eq!(ends(&world), [(2, 7_000), (3, 11_000), (1, 40_000)], "several multiply");
    assert_eq!(world.ledger()[1].impact.works_slowed, 1);
    let (world, _) = stage(1).on(0, Cue::Start, vec![timer(1, ms(50))]).fault(slow("slow", 9.0, ms(5), ms(9))).run();
    assert!(!world.ledger()[0].impact.effective(), "a timer is no work");
}

#[test]
fn processors_go_on_in_a_pause_and_a_crash_ends_their_work() {
    let two = || cores(stage(1), 1).on(0, Cue::Start, vec![work(1, ms(10)), work(2, ms(15))]);
    let (world, _) = two().fault(pause(&[0], ms(1), ms(40))).run();
    assert_eq!(ends(&world), [(1, 41_000), (2, 41_000)], "done at 20 and 25 ms, and heard when it wakes");
    let again = || two().on(0, Cue::Restart(0), vec![work(3, ms(10))]);
    let (world, _) = again().fault(crash(&[0], ms(5), ms(3))).fault(slow("slow", 2.0, ms(1), ms(17))).run();
    assert_eq!(ends(&world), [(3, 23_000)], "alone, and slow until 18 ms");
}

#[test]
fn a_machine_that_may_be_slowed_works_as_any_other_until_it_is() {
    let never = Fault {
        trigger: Trigger::Always,
        window: Window { from: Time(50), to: Time(50) },
        ..slow("never", 2.0, ms(0), ms(0))
    };
    let others = Fault { targets: vec![Target::Others], name: "others".into(), ..never.clone() };
    let jobs = || (0..200).map(|n| work(n, Span::micros(n * 7919 % 1_000)));
    let run = |stage: Stage| ends(&stage.on(0, Cue::Start, jobs().collect()).run().0);
    let plain = run(stage(1));
    assert_eq!(plain.len(), 200);
    assert_eq!(run(stage(1).fault(never)), plain);
    assert_eq!(run(stage(1).fault(others)), plain);
    assert_eq!(run(cores(stage(1), 200)), plain);
}

#[test]
fn no_work_ends_early_and_rounding_costs_nanoseconds() {
    let demand = |n: u64| Span(1 + n * 104_729 % 999_983);
    let jobs: Vec<Say> = (0..500).map(|n| work(1_000 + n, demand(n))).collect();
    let sum: u64 = (0..500).map(|n| demand(n).0).sum();
    let always = Fault { trigger: Trigger::Always, ..slow("slow", 1.1, ms(0), Span::secs(9)) };
    let (world, _) = cores(stage(1), 1).on(0, Cue::Start, ready()).on(0, READY, jobs).fault(always).run();
    let (end, _) = world.process(kernel::NodeId(0)).heard.last().copied().expect("there was work");
    // Each of 500 beginnings and ends may cost 2 ns.
    assert!((sum * 11).div_ceil(10) <= end.0 && end.0 < sum * 11 / 10 + 2_000, "{} for {sum}", end.0);
}
