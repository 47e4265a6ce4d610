//! Scenarios from Rust: they are the files that people write, and their mistakes are told as those of files.

use snapbox::assert::Action;
use snapbox::{Assert, Data};
use stormglass::builder::{
    Backoff, Breaker, Builder, Client, Expect, Fault, Invariant, Link, List, Locks, Network, OnAbort, Op, Outbox,
    Queue, Retry, Run, Saga, SagaStep, Scenario, Service, ServiceQueue, Stage, State, Step, Sweep, Table, Transaction,
    Trigger, Variant, Workload,
};
use stormglass::lab::run::{Go, Options, run};
use stormglass::lab::scenario::{Choice, Colour, load};

/// What is wrong with it, as a user reads it.
fn wrong(builder: &Builder) -> String {
    load(&builder.source(), &Choice::default()).map_or_else(|errors| errors.render(Colour::Plain), |_| String::new())
}

fn same_as_file(builder: &Builder, path: &str, variants: &[&str]) {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("scenarios").join(path)).expect("the scenario is there");
    let name = path.rsplit('/').next().expect("a name");
    let file = stormglass::lab::scenario::Source::new(name, text);
    for variant in [None].into_iter().chain(variants.iter().map(|name| Some((*name).to_owned()))) {
        let choice = Choice { variant: variant.clone(), ..Choice::default() };
        let hash =
            |source| load(source, &choice).unwrap_or_else(|e| panic!("{}", e.render(Colour::Plain))).scenario_hash();
        assert_eq!(hash(&builder.source()), hash(&file), "{path}, {variant:?}:\n{}", builder.text());
    }
}

/// scenarios/bank/two-phase-commit.toml.
fn bank() -> Builder {
    let mut bank = Builder::new("two-phase-commit");
    bank.scenario(Scenario::new().question("How long do rows stay locked?").tags(["2pc", "locks"]));
    bank.run(Run::new().duration("30s").quiesce("30s").seed(7));
    bank.network(Network::new().latency("lognormal(p50=500us, p99=5ms)").loss("0.1%"));
    bank.service("coordinator", Service::new().workers(64).disk("exp(2ms)"));
    let accounts = |initial| State::new().kind("counter").keys(100).initial(initial);
    for (name, initial) in [("bank_a", 30_000), ("bank_b", 30_000), ("bank_c", 0)] {
        bank.service(name, Service::new().workers(32).disk("exp(2ms)").state("accounts", accounts(initial)));
    }
    let transfer = Transaction::new()
        .protocol("2pc")
        .coordinator("coordinator")
        .prepare_timeout("200ms")
        .decision_log("durable")
        .locks(Locks::new().mode("exclusive").deadlock("wound_wait").timeout("150ms"))
        .recovery("ask_coordinator")
        .work([
            Step::update("bank_a.accounts[$from]")
                .add("-$amount")
                .if_("bank_a.accounts[$from] >= $amount")
                .else_("insufficient"),
            Step::update("bank_b.accounts[$to]").add("$amount - 1"),
            Step::update("bank_c.accounts[$to]").add(1),
        ]);
    bank.transaction("transfer", transfer);
    let transfers = Workload::new().rate("150/s").target("transactions.transfer").client(Client::new().timeout("3s"));
    bank.workload(
        "transfers",
        transfers.var("from", "zipf(100, 1.1)").var("to", "int(0, 99)").var("amount", "int(2, 50)"),
    );
    let crash = Fault::new().kind("crash").target("coordinator").point("2pc.coordinator.after_last_vote");
    bank.fault("coordinator_dies_in_doubt", crash.nth("int(500, 1500)").for_("5s").require_effect(true));
    let total: Vec<String> = ["a", "b", "c"].iter().map(|bank| format!("sum(bank_{bank}.accounts)")).collect();
    bank.invariant("all_or_none", Invariant::check("atomic_commit").of("transactions.transfer"))
        .invariant("money_is_conserved", Invariant::at_rest(format!("{} == 6_000_000", total.join(" + "))))
        .invariant("no_overdraft", Invariant::always("min(bank_a.accounts) >= 0"))
        .threshold("typical", "p50(latency{tx=transfer}) < 50ms")
        .threshold("blocking", "max(in_doubt{tx=transfer}) < 1s")
        .threshold("decided_again", "max(in_doubt{tx=transfer}) < 6s")
        .threshold("aborted", "aborts{tx=transfer} < 12%")
        .threshold("refused", "errors{tx=transfer} < 25%")
        .expect(Expect::new().verdict("fail").fails(["blocking"]))
        .sweep(Sweep::new().seeds("0..2000"));
    let fails = ["all_or_none", "money_is_conserved", "blocking"];
    let forgetful = Variant::new().set("transactions.transfer.decision_log", "memory");
    bank.variant("lost_decisions", forgetful.expect(Expect::new().verdict("fail").fails(fails).seeds("some")));
    bank
}

#[test]
fn a_bank_that_is_built_is_the_bank_of_the_file() {
    same_as_file(&bank(), "bank/two-phase-commit.toml", &["lost_decisions"]);
}

fn status(status: &str) -> Table {
    Table::new().with("status", status)
}

/// scenarios/checkout/saga.toml.
fn saga() -> Builder {
    let mut shop = Builder::new("saga");
    shop.run(Run::new().duration("60s").quiesce("45s").warmup("5s").seed(42));
    shop.network(
        Network::new()
            .latency("lognormal(p50=400us, p99=3ms)")
            .loss("0.01%")
            .link("orders <-> payment", Link::new().latency("lognormal(p50=8ms, p99=60ms)")),
    );
    let backoff = |base: &str, max: &str| Backoff::new().kind("exponential").base(base).max(max).jitter("full");
    shop.retry("gentle", Retry::new().attempts(3).backoff(backoff("50ms", "1s")).budget("20%"));
    shop.retry("until_done", Retry::new().attempts("unlimited").backoff(backoff("100ms", "5s")));
    shop.breaker("payment", Breaker::new().failure_rate("50%").window(20).open_for("3s").trials(3));
    let once = |steps: List<Step>| Op::new().idempotent(true).steps(steps);
    let checkout = [Step::work("exp(1ms)"), Step::call("orders.place").timeout("500ms").retry("gentle")];
    let queue = ServiceQueue::new().capacity(512).order("fifo").overflow("reject");
    shop.service("gateway", Service::new().nodes(2).workers(64).queue(queue).op("checkout", checkout));
    let place = [
        Step::work("exp(2ms)"),
        Step::transaction([
            Step::insert("orders").set(status("pending")),
            Step::outbox("order_events").type_("placed"),
        ]),
    ];
    let becomes = |word| once([Step::update("orders").set(status(word))].into());
    let orders = Service::new()
        .nodes(2)
        .workers(32)
        .disk("exp(1500us)")
        .state("orders", State::new().kind("map"))
        .outbox(Outbox::new().relay("poll").every("100ms").batch(50))
        .op("place", once(place.into()))
        .op("confirm", becomes("confirmed"))
        .op("cancel", becomes("cancelled"));
    shop.service("orders", orders);
    let reserve = [
        Step::work("exp(3ms)"),
        Step::transaction([
            Step::insert("holds").set(status("held")).else_("already_released"),
            Step::update("stock").add(-1).if_("stock >= 1").else_("sold_out"),
        ]),
    ];
    let release = [Step::transaction([
        Step::when("holds[$id].status == 'held'").then([Step::update("stock").add(1)]),
        Step::upsert("holds").set(status("released")),
    ])];
    let inventory = Service::new()
        .nodes(2)
        .workers(16)
        .state("stock", State::new().kind("counter").initial(5000))
        .state("holds", State::new().kind("map"))
        .op("reserve", once(reserve.into()))
        .op("release", once(release.into()));
    shop.service("inventory", inventory);
    let charge = [
        Step::work("lognormal(p50=25ms, p99=200ms)"),
        Step::fail("declined").chance("0.5%"),
        Step::insert("charges").set(status("captured")).else_("already_refunded"),
    ];
    let payment = Service::new()
        .nodes(2)
        .workers(8)
        .state("charges", State::new().kind("map"))
        .op("charge", once(charge.into()))
        .op("refund", once([Step::work("exp(20ms)"), Step::upsert("charges").set(status("refunded"))].into()));
    shop.service("payment", payment);
    let events = Queue::new().ordering("per_key").capacity(100_000).visibility_timeout("5s").max_deliveries(8);
    shop.queue("order_events", events.dead_letter("order_events_dead").latency("exp(2ms)"));
    shop.queue("order_events_dead", Queue::new());
    let step = |name, action| SagaStep::new().name(name).action(action);
    let checkout = Saga::new()
        .coordinator("orders")
        .trigger(Trigger::new().queue("order_events").type_("placed"))
        .steps([
            step("reserve", "inventory.reserve").compensate("inventory.release").timeout("300ms").retry("gentle"),
            step("charge", "payment.charge")
                .compensate("payment.refund")
                .timeout("1s")
                .retry("gentle")
                .breaker("payment"),
            step("confirm", "orders.confirm").pivot(true).timeout("300ms").retry("until_done"),
        ])
        .on_abort(OnAbort::new().call("orders.cancel").timeout("300ms").retry("until_done"));
    shop.saga("checkout", checkout);
    let stages = [Stage::new().to("120/s").over("20s"), Stage::new().hold("30s"), Stage::new().to("20/s").over("10s")];
    let shoppers = Workload::new().rate("20/s").stages(stages).target("gateway.checkout");
    shop.workload("shoppers", shoppers.client(Client::new().timeout("2s")));
    let dies = Fault::new().kind("crash").target("payment[any]").at("20s").for_("8s").loses(["memory", "unsynced"]);
    shop.fault("payment_node_dies", dies)
        .fault("broker_duplicates", Fault::new().kind("redeliver").target("queues.order_events").chance("1%"));
    let slow = Fault::new().kind("slow_cpu").target("inventory").at("uniform(30s, 40s)").for_("5s").factor(10);
    shop.fault("slow_inventory", slow);
    let all = |other: &str| format!("all(orders.orders, (status == 'confirmed') == ({other}))");
    shop.invariant("never_oversold", Invariant::always("inventory.stock >= 0"))
        .invariant(
            "stock_is_conserved",
            Invariant::always("inventory.stock + count(inventory.holds, status == 'held') == 5000"),
        )
        .invariant("held_iff_confirmed", Invariant::at_rest(all("inventory.holds[key].status == 'held'")))
        .invariant("paid_iff_confirmed", Invariant::at_rest(all("payment.charges[key].status == 'captured'")))
        .invariant("every_saga_ends", Invariant::check("saga_ends").of("sagas.checkout").within("30s"))
        .invariant("no_order_forgotten", Invariant::at_rest("count(orders.orders, status == 'pending') == 0"));
    for (name, comparison) in [
        ("checkout_p50", "p50(latency{op=gateway.checkout}) < 20ms"),
        ("checkout_p99", "p99(latency{op=gateway.checkout}) < 250ms"),
        ("checkout_works", "errors{op=gateway.checkout} < 1%"),
        ("events_bounded", "max(queue_depth{queue=order_events}) < 500"),
        ("events_drained", "end(queue_depth{queue=order_events}) == 0"),
        ("saga_p95", "p95(saga_time{saga=checkout}) < 5s"),
    ] {
        shop.threshold(name, comparison);
    }
    let twice = [
        Step::work("exp(2ms)"),
        Step::insert("orders").set(status("pending")),
        Step::publish("order_events").type_("placed"),
    ];
    let dies = Fault::new().kind("crash").target("orders[same]").point("service.after_write").of("orders.place");
    let slips = ["checkout_p99", "checkout_works", "saga_p95"];
    let expect = Expect::new().verdict("fail").fails(["no_order_forgotten"]).may_fail(slips).seeds("some");
    let dual_write = Variant::new()
        .service("orders", Service::new().op("place", Op::new().steps(twice)))
        .fault("orders_node_dies", dies.nth("int(200, 2000)").for_("3s"))
        .expect(expect);
    shop.variant("dual_write", dual_write);
    shop
}

#[test]
fn a_shop_that_is_built_is_the_shop_of_the_file() {
    same_as_file(&saga(), "checkout/saga.toml", &["dual_write"]);
}

/// An application of many services, each of which asks the next two.
fn mesh(services: usize) -> Builder {
    let mut mesh = Builder::new("mesh");
    mesh.run(Run::new().duration("3s").quiesce("2s").seed(3)).network(Network::new().preset("lan"));
    for n in 0..services {
        let mut steps = vec![Step::work("exp(200us)")];
        // A binary tree over the numbers.
        for next in [2 * n + 1, 2 * n + 2].into_iter().filter(|next| *next < services) {
            steps.push(Step::call(format!("s{next}.get")).timeout("500ms"));
        }
        mesh.service(format!("s{n}"), Service::new().nodes(2).workers(8).op("get", steps));
    }
    mesh.workload("load", Workload::new().rate("20/s").target("s0.get"));
    mesh.fault("crash", Fault::new().kind("crash").target(format!("s{}[any]", services - 1)).at("1s").for_("500ms"));
    mesh.threshold("answers", "errors < 50%");
    mesh
}

#[test]
fn an_application_of_a_hundred_services_is_built_and_runs() {
    let scenario =
        load(&mesh(100).source(), &Choice::default()).unwrap_or_else(|e| panic!("{}", e.render(Colour::Plain)));
    assert_eq!(scenario.model.services.len(), 100);
    let outcome = run(&scenario, 3, None, &Options::lean(), &mut |_| Go::On).expect("it can be compiled");
    assert!(outcome.verdict.as_expected, "{:?}", outcome.verdict);
    let last =
        outcome.operations.iter().find(|operation| operation.name == "s99.get").expect("the last one was called");
    assert_eq!(last.from, "s49");
}

#[test]
fn what_is_built_reads_as_a_file_of_a_person() {
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/built.toml");
    let action = if std::env::var_os("BLESS").is_some() { Action::Overwrite } else { Action::Verify };
    Assert::new().action(action).eq(Data::text(saga().text()), Data::read_from(&golden, None));
}

#[test]
fn a_mistake_is_told_with_its_place_in_the_text() {
    let mut shop = Builder::new("shop");
    shop.run(Run::new().duration("1s"))
        .service("front", Service::new().op("buy", [Step::call("bank.pay").timeout(5)]))
        .service("bank", Service::new().op("pay", "exp(1ms)").workers("many"))
        .workload("load", Workload::new().rate("20/s").target("front.sell"));
    let told = wrong(&shop);
    for part in ["--> shop.toml:", "a unit is missing", "no op", "workers = \"many\""] {
        assert!(told.contains(part), "{part}:\n{told}");
    }
}

#[test]
fn a_name_that_is_given_twice_and_a_path_that_leads_nowhere_are_told() {
    let mut shop = Builder::new("shop");
    shop.run(Run::new().duration("1s")).workload("load", Workload::new().rate("20/s").target("a"));
    shop.service("a", Service::new().work("1ms"));
    assert_eq!(wrong(&shop), "");
    let mut twice = shop.clone();
    twice.service("a", Service::new().work("2ms"));
    assert!(wrong(&twice).contains("[services.a]"), "{}", wrong(&twice));
    let mut astray = shop.clone();
    astray.set("services.a.ops.run[7].work", "2ms");
    assert!(wrong(&astray).contains("services.a.ops.run[7].work"), "{}", wrong(&astray));
    shop.set("services.a.ops.run.size", "2KiB").set("services.a.work", "none");
    assert!(wrong(&shop).contains("run"), "{}", wrong(&shop));
}

#[test]
fn texts_and_names_of_any_letters_come_back_as_they_were() {
    for odd in ["a\"b", "it's \"so\"", "line\nbreak", "tab\t", "\u{7f}", "\\d", "ümläut", "'''", "a -> b", ""] {
        let mut builder = Builder::new("odd");
        builder.scenario(Scenario::new().question(odd)).run(Run::new().duration("1s"));
        builder.service("a", Service::new().work("1ms")).workload("w", Workload::new().rate("1/s").target("a"));
        let scenario =
            load(&builder.source(), &Choice::default()).unwrap_or_else(|e| panic!("{}", e.render(Colour::Plain)));
        assert_eq!(scenario.model.question, odd);
        builder.threshold(odd, "p99(latency) < 1s").set(odd, odd);
        assert!(!wrong(&builder).is_empty(), "names have letters of their own: {odd:?}");
    }
}
