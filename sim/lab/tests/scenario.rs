//! Claims about reading scenarios: merging, `--set`, short forms, defaults, hashes, places.

use lab::model::{LockMode, Model, SweepVariants, Trigger, Verb};
use lab::scenario::{Choice, Colour, Diagnostic, Scenario, Source, json_schema, judging_only, load};

const BASE: &str = r#"version = 1
run = { duration = "1m", quiesce = "10s" }

[network.links]
"gateway -> auth" = { latency = "5ms" }

[services.gateway]
ops.checkout = [{ work = "exp(2ms)" }, { call = "auth", name = "login", timeout = "300ms" }]

[services.auth]
work = "exp(6ms)"
workers = 10

[services.spare]
like = "auth"
nodes = 3

[services.bank]
state.money = { kind = "counter", keys = 5 }

[transactions.t]
protocol = "2pc"
coordinator = "bank"
work = [{ update = "bank.money[$who]", add = "-$amount" }]
locks = "none"

[workloads.w]
rate = "10/s"
target = "gateway.checkout"

[workloads.v]
users = 3
target = "transactions.t"
vars = { who = "int(0, 4)", amount = 5 }

[faults.f]
kind = "crash"
target = "auth"
at = "uniform(10s, 20s)"
for = "5s"

[invariants]
steady = { at_rest = "sum(bank.money) <= 0" }

[thresholds]
fast = "p99(latency) < 1s"

[expect]
verdict = "fail"
fails = ["steady"]
may_fail = ["fast"]

[variants.slow]
services.auth.work = "exp(60ms)"
workloads.w = { rate = "none", users = 7 }
expect = { verdict = "pass" }

[variants.slower]
like = "slow"
services.auth.nodes = 2
faults.f = "none"
"#;

fn try_read(text: &str, variant: Option<&str>, sets: &[(&str, &str)]) -> Result<Scenario, String> {
    let sets = sets.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    let choice = Choice { variant: variant.map(str::to_owned), sets, seed: None };
    load(&Source::new("dir/base.toml", text), &choice).map_err(|errors| errors.render(Colour::Plain))
}

fn read(variant: Option<&str>, sets: &[(&str, &str)]) -> Scenario {
    try_read(BASE, variant, sets).unwrap_or_else(|errors| panic!("{errors}"))
}

fn work_of(model: &Model, service: &str) -> (String, String) {
    let (_, service) = model.services.iter().find(|(name, _)| name.value == service).expect("the service");
    let Verb::Work(work) = &service.ops[0].1.steps[0].verb else { panic!("the first step is no work") };
    (work.text.clone(), work.path.clone())
}

fn service<'a>(model: &'a lab::model::Model, name: &str) -> &'a lab::model::Service {
    &model.services.iter().find(|(n, _)| n.value == name).expect("the service is there").1
}

#[test]
fn a_short_form_is_an_op_called_run_and_copies_have_paths_of_their_own() {
    let model = read(None, &[]).model;
    assert_eq!(model.name, "base");
    assert_eq!(work_of(&model, "auth"), ("exp(6ms)".into(), "services.auth.ops.run[0].work".into()));
    assert_eq!(work_of(&model, "spare"), ("exp(6ms)".into(), "services.spare.ops.run[0].work".into()));
    assert_eq!(work_of(&model, "gateway").1, "services.gateway.ops.checkout[0].work");
    assert_eq!(service(&model, "gateway").ops[0].1.steps[1].path, "services.gateway.ops.checkout.login");
    assert_eq!(service(&model, "spare").nodes, 3);
    assert_eq!(service(&model, "spare").workers, Some(10));
    assert_eq!(model.transactions[0].1.locks.mode, LockMode::None, "`none` is a word of `locks.mode`");
    assert!(matches!(model.faults[0].1.trigger, Trigger::At(_)));
    assert_eq!(model.run.heal, model.run.duration);
    assert_eq!(model.sweep.variants, SweepVariants::Base);
}

#[test]
fn a_variant_merges_deletes_and_is_copied_after_it() {
    let slow = read(Some("slow"), &[]).model;
    assert_eq!(work_of(&slow, "auth").0, "exp(60ms)");
    assert_eq!(work_of(&slow, "spare").0, "exp(60ms)", "changing a sibling changes its copies");
    let seven = |load: &lab::model::Load| matches!(load, lab::model::Load::Users { users: 7, .. });
    assert!(slow.workloads.iter().any(|(_, workload)| seven(&workload.load)));
    assert!(slow.expect.fails.is_empty() && slow.expect.may_fail.is_empty(), "its `expect` replaces the whole");
    let slower = read(Some("slower"), &[]).model;
    assert_eq!((work_of(&slower, "auth").0.as_str(), service(&slower, "auth").nodes), ("exp(60ms)", 2));
    assert!(slower.faults.is_empty());
    assert!(try_read(BASE, Some("slo"), &[]).expect_err("unknown").contains("did you mean `slow`?"));
}

#[test]
fn set_merges_one_leaf_last_through_names_indices_and_short_forms() {
    let check = |path: &str, value: &str, service: &str, expected: &str| {
        assert_eq!(work_of(&read(Some("slow"), &[(path, value)]).model, service).0, expected, "{path}");
    };
    check("services.auth.work", "1ms", "auth", "1ms");
    check("services.auth.ops.run.work", "\"exp(1ms)\"", "auth", "exp(1ms)");
    check("services.gateway.ops.checkout[0].work", "uniform(1ms, 2ms)", "gateway", "uniform(1ms, 2ms)");
    check("services.gateway.ops.checkout.steps.0.work", "3ms", "gateway", "3ms");
    let timeout = |path: &str| {
        let model = read(None, &[(path, "1s")]).model;
        let Verb::Call(call) = &service(&model, "gateway").ops[0].1.steps[1].verb else {
            panic!("the second step is no call")
        };
        call.timeout
    };
    for path in ["services.gateway.ops.checkout.login.timeout", "services.gateway.ops.checkout.steps.login.timeout"] {
        assert_eq!(timeout(path), Some(kernel::Span::secs(1)));
    }
    assert_eq!(read(None, &[("run.seed", "9")]).model.run.seed, 9);
    assert_eq!(read(None, &[("faults.f", "none")]).model.faults.len(), 0);
    let link = read(None, &[("network.links.\"gateway -> auth\".loss", "1%")]).model.links;
    assert_eq!(link[0].1.loss, Some(lab::model::Loss::Independent(0.01)));
    for (path, value, part) in [
        ("run.duration", "5", "a unit is missing"),
        ("run.durations", "5s", "did you mean `duration`?"),
        ("services.gateway.ops.checkout[7].work", "1ms", "there are 2"),
        ("services.gateway.ops.checkout.logout.timeout", "1s", "there is no key"),
        ("run.duration.x", "1", "leads nowhere"),
        ("run..x", "1", "a name is missing"),
        ("variants.slow.run.seed", "1", "does not reach into variants"),
    ] {
        let errors = try_read(BASE, None, &[(path, value)]).expect_err(path);
        assert!(errors.contains(part) && errors.contains(&format!("--set {path}")), "{errors}");
    }
}

#[test]
fn the_resolved_file_means_the_same_and_spelling_does_not_change_the_hash() {
    for variant in [None, Some("slow"), Some("slower")] {
        let scenario = read(variant, &[]);
        let again = try_read(&scenario.resolved, None, &[]).unwrap_or_else(|e| panic!("{e}\n{}", scenario.resolved));
        assert_eq!((&again.canonical, &again.resolved), (&scenario.canonical, &scenario.resolved));
        assert_eq!(again.scenario_hash(), scenario.scenario_hash());
    }
    let base = read(None, &[]);
    assert!(base.resolved.contains("# mean 6ms, p99 27.6ms"), "{}", base.resolved);
    for (path, value) in [("run.duration", "60s"), ("scenario.question", "why?"), ("expect.verdict", "inconclusive")] {
        assert_eq!(read(None, &[(path, value)]).scenario_hash(), base.scenario_hash(), "{path}");
    }
    assert_ne!(read(None, &[("run.duration", "61s")]).scenario_hash(), base.scenario_hash());
    assert_ne!(base.run_id(1, 0), base.run_id(1, 1));
    assert_eq!(base.run_id(1, 0).len(), 8);
}

#[test]
fn every_leaf_of_a_file_can_be_set_to_its_own_value() {
    let base = read(None, &[]);
    assert!(base.leaves().len() > 30);
    for leaf in base.leaves() {
        let same = read(None, &[(&leaf.path, &leaf.value)]);
        assert_eq!(same.canonical, base.canonical, "{} = {}", leaf.path, leaf.value);
    }
    let judging = |path: &str| base.leaves().iter().find(|l| l.path == path).expect("a leaf").judging.is_some();
    assert!(judging("thresholds.fast") && judging("expect.fails") && !judging("services.auth.work"));
    assert!(judging_only(&["run".into(), "settle".into()]).is_some());
}

#[test]
fn places_within_texts_are_exact_and_later_errors_look_like_early_ones() {
    let scenario = read(None, &[]);
    let text = &scenario.model.thresholds[0].1;
    let place = scenario.inside(text, 4, 11);
    let error = Diagnostic::error(place, "no such metric", "here");
    let shown = scenario.diagnostics(vec![error]).render(Colour::Plain);
    assert!(shown.contains("fast = \"p99(latency) < 1s\"\n   |             ^^^^^^^ here"), "{shown}");
}

#[test]
fn lints_have_their_numbers_and_correct_files_have_none() {
    let lints = |sets: &[(&str, &str)]| read(None, sets).warnings.render(Colour::Plain);
    assert!(lints(&[("services.spare", "none")]).is_empty(), "{}", lints(&[("services.spare", "none")]));
    for (path, value, part) in [
        ("workloads.w.rate", "2000/s", "12.000 s of work arrive per second for 10 workers: 120%"),
        ("run.quiesce", "0s", "`steady` may never be evaluated"),
        ("faults.f.at", "58s", "it would end at 63s"),
        ("faults.f.wire", "hold", "only `partition` reads this"),
        ("services.bank.ops.audit", "1ms", "nobody calls `bank.audit`"),
        (
            "services.auth.ops.run",
            "[{ call = \"gateway\" }]",
            "a cycle of calls: gateway.checkout → auth.run → gateway",
        ),
        ("services.auth.disk", "5ms", "`auth` has no state, and takes part in no transaction"),
        ("transactions.t.locks", "{ mode = \"exclusive\", timeout = \"2s\" }", "gives up before a lock does"),
    ] {
        let found = lints(&[(path, value)]);
        assert!(found.contains(part), "{path}: {found}");
    }
}

#[test]
fn a_loss_of_everything_is_legal_if_it_is_written() {
    let loss = |sets: &[(&str, &str)]| {
        let base = [("faults.f.kind", "loss"), ("faults.f.target", "gateway -> auth")];
        try_read(BASE, None, &[&base, sets].concat())
    };
    assert!(loss(&[]).expect_err("no share").contains("`chance` is missing"));
    loss(&[("faults.f.chance", "100%")]).expect("a loss of everything is legal");
}

#[test]
fn the_json_schema_knows_the_units() {
    let schema = json_schema();
    let pattern = schema["properties"]["run"]["properties"]["duration"]["pattern"].as_str().expect("a pattern");
    assert!(pattern.contains("ns|us|ms|s|m|h"));
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
}
