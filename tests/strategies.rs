//! Random plans: they can be loaded, they find what is wrong, and they shrink to what is needed.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use stormglass::builder::{Builder, Fault, Run, Service, Workload};
use stormglass::lab::repro::violated;
use stormglass::lab::run::{Go, Options, run};
use stormglass::lab::scenario::{Choice, Source, load};
use stormglass::strategies::{self, Kind, Plan, PlanTree, Plans};

fn scenario(path: &str) -> Source {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("scenarios").join(path)).expect("the scenario is there");
    Source::new(path.rsplit('/').next().expect("a name"), text)
}

/// The shop with few customers, so that a run is short.
fn quiet_shop() -> Plans {
    let plans = strategies::faults(&scenario("checkout/saga.toml"));
    plans.set("workloads.shoppers.rate", "2/s").set("workloads.shoppers.stages", "none")
}

/// The same plans each time.
fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 100_000, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

fn trees(plans: &Plans, count: usize) -> Vec<PlanTree> {
    let mut runner = runner(1);
    (0..count).map(|_| plans.new_tree(&mut runner).expect("a plan")).collect()
}

/// Shrinks as proptest does, with a test that is a function of the plan; how many plans were tried.
fn shrunk(mut tree: PlanTree, fails: impl Fn(&Plan) -> bool) -> (Plan, usize) {
    assert!(fails(&tree.current()), "it fails to begin with");
    let mut tried = 0;
    let mut more = tree.simplify();
    while more {
        tried += 1;
        assert!(tried < 100_000, "it goes on and on");
        more = if fails(&tree.current()) { tree.simplify() } else { tree.complicate() };
    }
    let least = tree.current();
    assert!(fails(&least), "what is left fails");
    (least, tried)
}

fn toml(plan: &Plan) -> String {
    plan.to_string()
}

#[test]
fn every_kind_of_fault_is_planned_and_loaded() {
    let stores = strategies::faults(&scenario("kv/failover.toml"));
    for (theme, plans) in [("shop", quiet_shop().alone()), ("stores", stores.alone())] {
        for kind in Kind::ALL {
            let of_kind = plans.clone().kinds([kind]).timed();
            let possible = kind != Kind::Redeliver || theme == "shop";
            for tree in trees(&of_kind, 6) {
                let plan = tree.current();
                assert_eq!(plan.faults() > 0, possible, "{theme}: {}\n{plan}", kind.word());
                let words = plan.sets().iter().filter(|(_, value)| value.contains(kind.word())).count();
                assert_eq!(words > 0, possible, "{plan}");
            }
        }
        let at_points = plans.kinds([Kind::Crash, Kind::Pause]);
        let all: String = trees(&at_points, 30).iter().map(|tree| toml(&tree.current())).collect();
        assert!(all.contains("[same]"), "{all}");
        for point in if theme == "shop" { ["service.", "saga.step.", "outbox."] } else { ["raft."; 3] } {
            assert!(all.contains(&format!("= \"{point}")), "{theme}, {point}: {all}");
        }
    }
}

#[test]
fn what_a_plan_prints_is_a_variant_that_is_the_same_scenario() {
    let source = scenario("checkout/saga.toml");
    let plans = quiet_shop().variant("dual_write").set("run.quiesce", "20s").workload("shoppers");
    for tree in trees(&plans, 12) {
        let plan = tree.current();
        let pasted = Source::new(source.name.clone(), format!("{}\n{plan:?}", source.text));
        let found = Choice { variant: Some("found".to_owned()), ..Choice::default() };
        let again = load(&pasted, &found).unwrap_or_else(|_| panic!("{plan}"));
        assert_eq!(again.scenario_hash(), plan.scenario().scenario_hash(), "{plan}");
    }
}

/// The variant writes to the database and to the queue, one after the other: a crash in between forgets an order.
#[test]
fn a_forgotten_order_is_found_and_shrinks_to_one_crash_and_one_operation() {
    let plans = quiet_shop()
        .variant("dual_write")
        .kinds([Kind::Crash])
        .points(["service.after_write"])
        .alone()
        .workload("shoppers");
    let forgets = |plan: Plan| {
        let outcome = run(&plan.scenario(), 3, None, &Options::lean(), &mut |_| Go::On).expect("it can be compiled");
        let broken = violated(&outcome).iter().any(|class| class.starts_with("no_order_forgotten/"));
        if broken { Err(TestCaseError::fail("an order was forgotten")) } else { Ok(()) }
    };
    let Err(TestError::Fail(_, plan)) = runner(30).run(&plans, forgets) else { panic!("no plan forgets an order") };
    assert_eq!((plan.faults(), plan.operations()), (1, 1), "{plan}");
    let least = r#"# stormglass run saga.toml --variant found
[variants.found]
like                     = "dual_write"
workloads.shoppers       = { rate = "2/s", stages = "none", only = [114] }
faults.broker_duplicates = "none"
faults.orders_node_dies  = "none"
faults.payment_node_dies = "none"
faults.slow_inventory    = "none"

[variants.found.faults.random_crash]
kind   = "crash"
target = ["orders[same]"]
point  = "service.after_write"
nth    = 1
for    = "1ms"
"#;
    assert_eq!(toml(&plan), least);
}

#[test]
fn a_plan_shrinks_to_what_a_test_needs_of_it() {
    let plans = quiet_shop().kinds([Kind::Crash, Kind::Loss]).at_most(6).workload("shoppers");
    let crashes = |plan: &Plan| toml(plan).contains("random_crash");
    let mut seen = 0;
    for tree in trees(&plans, 40) {
        let plan = tree.current();
        if crashes(&plan) && plan.operations() >= 3 {
            seen += 1;
            let (least, _) = shrunk(tree, |plan| crashes(plan) && plan.operations() >= 3);
            assert_eq!((least.faults(), least.operations()), (1, 3), "{least}");
            // Neither the pace nor a length is more than it must be.
            assert!(toml(&least).contains("rate = \"2/s\"") && toml(&least).contains("\"1ms\""), "{least}");
        }
    }
    assert!(seen > 5, "{seen} plans had a crash and three operations");
}

#[test]
fn faults_of_the_file_go_too_but_for_those_that_others_refer_to() {
    let mut shop = Builder::new("shop");
    let pause = || Fault::new().kind("pause").target("front[0]");
    shop.run(Run::new().duration("5s"))
        .service("front", Service::new().nodes(2).op("buy", "2ms"))
        .workload("load", Workload::new().rate("20/s").target("front.buy"))
        .fault("first", pause().at("1s").for_("100ms"))
        .fault("second", pause().after("first").for_("100ms"))
        .fault("third", pause().at("2s").for_("100ms"));
    let plans = strategies::faults(&shop.source()).kinds([Kind::Pause]).timed();
    let tree = trees(&plans, 1).remove(0);
    assert!(tree.current().faults() > 3);
    // The second stands only while the first does.
    let (least, _) =
        shrunk(tree.clone(), |plan| plan.scenario().model.faults.iter().any(|(name, _)| name.value == "second"));
    let left: Vec<String> = least.scenario().model.faults.iter().map(|(name, _)| name.value.clone()).collect();
    assert_eq!(left, ["first", "second"]);
    assert_eq!(shrunk(tree, |_| true).0.faults(), 0);
}

#[test]
fn giving_up_comes_back_to_the_last_plan_that_failed() {
    for mut tree in trees(&quiet_shop().workload("shoppers"), 5) {
        let first = tree.current();
        let begun = tree.simplify();
        while begun && tree.complicate() {}
        assert_eq!(tree.current(), first);
    }
}

#[test]
fn a_closed_loop_has_users_to_choose_and_a_wrong_scenario_is_told() {
    let mut shop = Builder::new("shop");
    shop.run(Run::new().duration("2s"))
        .service("front", Service::new().op("buy", "2ms"))
        .workload("load", Workload::new().users(4).think("10ms").target("front.buy"));
    let plans = strategies::workload(&shop.source(), "load");
    let all: String = trees(&plans, 20).iter().map(|tree| toml(&tree.current())).collect();
    assert!(all.contains("users = 8") || all.contains("users = 16"), "{all}");
    assert!(all.contains("only"), "{all}");
    shop.set("services.front.nodes", "many");
    let wrong = strategies::faults(&shop.source()).new_tree(&mut runner(1)).expect_err("it is no scenario");
    assert!(wrong.message().contains("nodes"), "{wrong:?}");
}

/// The same plans for the same generator: a failure that somebody reports can be made again.
#[test]
fn the_same_generator_makes_the_same_plans() {
    let plans = || strategies::faults(&scenario("bank/two-phase-commit.toml")).workload("transfers");
    let texts = |plans: &Plans| trees(plans, 5).iter().map(|tree| toml(&tree.current())).collect::<Vec<_>>();
    let first = texts(&plans());
    assert_eq!(first, texts(&plans()));
    assert!(first.iter().any(|text| *text != first[0]), "they differ from each other");
}
