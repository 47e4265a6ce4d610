//! What a world is made of: time, network, policies, services, stores.

use super::{piece, written};

piece! {
    /// `[scenario]`: what the file is about.
    ///
    /// ```
    /// use stormglass::builder::{Builder, Scenario};
    ///
    /// let mut shop = Builder::new("shop");
    /// shop.scenario(Scenario::new().name("shop-100").question("How wide may it be?").tags(["mesh"]));
    /// assert!(shop.text().contains("question = \"How wide may it be?\""));
    /// ```
    Scenario
}

piece! {
    /// `[run]`: how long it runs, and by which seed.
    ///
    /// ```
    /// use stormglass::builder::Run;
    ///
    /// let run = Run::new().duration("60s").warmup("5s").heal("50s").quiesce("30s").seed(3).abort_on_fail(["money"]);
    /// assert!(run.to_string().starts_with(r#"{ duration = "60s", warmup = "5s""#));
    /// assert_eq!(Run::new().settle("2s").precision("2%").to_string(), r#"{ settle = "2s", precision = "2%" }"#);
    /// ```
    Run
}

piece! {
    /// `[network]`: what messages meet on their way.
    ///
    /// ```
    /// use stormglass::builder::{Link, Loss, Network};
    ///
    /// let bursts = Loss::new().kind("gilbert_elliott").good_to_bad("0.1%").bad_to_good("20%").bad("80%");
    /// let network = Network::new()
    ///     .preset("lan")
    ///     .transport("http2")
    ///     .loss("0.01%")
    ///     .link("shop -> bank", Link::new().latency("exp(20ms)").loss(bursts));
    /// assert!(network.to_string().contains(r#"links = { "shop -> bank" = { latency = "exp(20ms)""#));
    /// ```
    Network
}

piece! {
    /// One of `network.links`: what is different between two ends.
    ///
    /// ```
    /// use stormglass::builder::{Link, Network};
    ///
    /// let far = Link::new().latency("40ms").bandwidth("100Mbit/s").buffer("1MiB").transport("tcp");
    /// let network = Network::new().link("eu <-> us", far.duplicate("0.1%").reorder("0%").corrupt("0%"));
    /// assert!(network.to_string().contains("<->"));
    /// ```
    Link
}

piece! {
    /// Which messages get lost: a share of them, or bursts.
    ///
    /// ```
    /// use stormglass::builder::{Loss, Network};
    ///
    /// let short = Network::new().loss("1%");
    /// let long = Network::new().loss(Loss::new().kind("independent").share("1%"));
    /// assert_eq!(short.to_string(), r#"{ loss = "1%" }"#);
    /// assert_eq!(long.to_string(), r#"{ loss = { kind = "independent", share = "1%" } }"#);
    /// ```
    Loss
}

piece! {
    /// A retry policy: one of `[retry]`, or where it is used.
    ///
    /// ```
    /// use stormglass::builder::{Backoff, Budget, Builder, Retry, Step};
    ///
    /// let gentle = Retry::new().attempts(3).backoff(Backoff::new().kind("exponential").base("50ms")).budget("20%");
    /// let mut shop = Builder::new("shop");
    /// shop.retry("gentle", gentle);
    /// let named = Step::call("bank.pay").retry("gentle");
    /// let inline = Step::call("bank.pay").retry(Retry::new().attempts(2).retry_on(["timeout"]));
    /// let patient = Retry::new().like("gentle").budget(Budget::new().tokens(100).refill("10/s"));
    /// assert!(shop.text().contains("[retry.gentle]") && named != inline);
    /// assert!(patient.to_string().contains(r#"budget = { tokens = 100, refill = "10/s" }"#));
    /// ```
    Retry
}

piece! {
    /// How long before the next try.
    ///
    /// ```
    /// use stormglass::builder::{Backoff, Retry};
    ///
    /// let backoff = Backoff::new().kind("exponential").base("50ms").factor(3).max("1s").jitter("full");
    /// assert_eq!(Retry::new().backoff("50ms").to_string(), r#"{ backoff = "50ms" }"#);
    /// assert!(Retry::new().backoff(backoff).to_string().contains("factor = 3"));
    /// ```
    Backoff
}

piece! {
    /// What limits retries as a whole: a share of the requests, or tokens.
    ///
    /// ```
    /// use stormglass::builder::{Budget, Retry};
    ///
    /// let share = Retry::new().budget(Budget::new().share("20%"));
    /// let tokens = Retry::new().budget(Budget::new().tokens(50).refill("5/s"));
    /// assert_ne!(share, tokens);
    /// ```
    Budget
}

piece! {
    /// A circuit breaker: one of `[breaker]`, or where it is used.
    ///
    /// ```
    /// use stormglass::builder::{Breaker, Builder, Step};
    ///
    /// let mut shop = Builder::new("shop");
    /// shop.breaker("bank", Breaker::new().failure_rate("50%").window(20).min_calls(10).open_for("3s").trials(3));
    /// let slow = Breaker::new().like("bank").slow_rate("80%").slow_after("2s").scope("service");
    /// let calls = [Step::call("bank.pay").breaker("bank"), Step::call("bank.ask").breaker(slow)];
    /// assert!(shop.text().contains("[breaker.bank]") && calls[0] != calls[1]);
    /// ```
    Breaker
}

piece! {
    /// One of `[services]`: machines that serve requests.
    ///
    /// ```
    /// use stormglass::builder::{Op, Outbox, Service, State, Step};
    ///
    /// let orders = Service::new()
    ///     .nodes(2)
    ///     .workers(32)
    ///     .disk("exp(1500us)")
    ///     .state("orders", State::new().kind("map"))
    ///     .outbox(Outbox::new().relay("poll").every("100ms").batch(50))
    ///     .op("place", Op::new().idempotent(true).steps([Step::insert("orders")]));
    /// assert!(orders.to_string().contains(r#"steps = [{ insert = "orders" }]"#));
    /// assert_eq!(Service::new().like("orders").zone("eu").to_string(), r#"{ like = "orders", zone = "eu" }"#);
    /// ```
    Service
}

piece! {
    /// `queue` of a service: the requests that wait for a worker.
    ///
    /// ```
    /// use stormglass::builder::{Service, ServiceQueue};
    ///
    /// let queue = ServiceQueue::new().capacity(512).order("fifo").overflow("reject");
    /// assert_ne!(Service::new().queue(queue), Service::new().queue(512));
    /// ```
    ServiceQueue
}

piece! {
    /// The disk of each node.
    ///
    /// ```
    /// use stormglass::builder::{Disk, Store};
    ///
    /// let disk = Disk::new().fsync("exp(2ms)").throughput("100MiB/s").group_commit("1ms").capacity("1GiB");
    /// assert!(Store::new().disk(disk).to_string().contains("group_commit"));
    /// assert_eq!(Store::new().disk("2ms").to_string(), r#"{ disk = "2ms" }"#);
    /// ```
    Disk
}

piece! {
    /// The clock of each node.
    ///
    /// ```
    /// use stormglass::builder::{Clock, Service};
    ///
    /// let clock = Clock::new().drift("uniform(-50ppm, 50ppm)").offset("normal(0s, 10ms)");
    /// assert!(Service::new().clock(clock).to_string().contains("ppm"));
    /// ```
    Clock
}

piece! {
    /// One of `state` of a service: what it remembers.
    ///
    /// ```
    /// use stormglass::builder::{Service, State, Table};
    ///
    /// let rooms = State::new().kind("map").keys(100).initial(Table::new().with("free", true));
    /// let hotel = Service::new().state("money", State::new().kind("counter").initial(0)).state("rooms", rooms);
    /// assert!(hotel.to_string().contains("initial = { free = true }"));
    /// ```
    State
}

piece! {
    /// One of `ops` of a service: what it can be asked for.
    ///
    /// ```
    /// use stormglass::builder::{Op, Service, Step};
    ///
    /// let steps = [Step::work("exp(1ms)"), Step::call("bank.pay").timeout("1s")];
    /// let pay = Op::new().steps(steps.clone()).size("2KiB").reply_size("64B").idempotent(true).var("fee", "int(1, 5)");
    /// let service = Service::new().op("pay", pay).op("plain", steps).op("quick", "exp(1ms)");
    /// assert!(service.to_string().ends_with(r#"quick = "exp(1ms)" } }"#));
    /// assert_eq!(Op::new().work("1ms").to_string(), r#"{ work = "1ms" }"#);
    /// ```
    Op
}

piece! {
    /// One of `consumers` of a service: what it takes from a queue or a topic, and does then.
    ///
    /// ```
    /// use stormglass::builder::{Consumer, Service, Step};
    ///
    /// let mail = Consumer::new().from("placed").types(["order"]).prefetch(10).ack("after").inbox(true);
    /// let service = Service::new().consumer("mail", mail.group("mailers").steps([Step::work("exp(3ms)")]));
    /// assert!(service.to_string().contains(r#"from = "placed""#));
    /// assert!(Consumer::new().work("1ms").idempotent("$id").to_string().contains("$id"));
    /// ```
    Consumer
}

piece! {
    /// `outbox` of a service: how messages of its transactions leave.
    ///
    /// ```
    /// use stormglass::builder::{Outbox, Service};
    ///
    /// let service = Service::new().outbox(Outbox::new().relay("poll").every("100ms").batch(50));
    /// assert_ne!(service, Service::new().outbox("log_tail"));
    /// ```
    Outbox
}

piece! {
    /// One of `[stores]`: keys and whole numbers, with copies on several machines.
    ///
    /// ```
    /// use stormglass::builder::{Builder, Run, Step, Store, Workload};
    /// use stormglass::lab::scenario::{Choice, load};
    ///
    /// let mut kv = Builder::new("kv");
    /// kv.run(Run::new().duration("1s"))
    ///     .store("kv", Store::new().kind("leader_follower").nodes(5).acks("majority").reads("read_index").disk("1ms"))
    ///     .workload("readers", Workload::new().users(3).steps([Step::read("kv[$key]")]).var("key", "int(0, 9)"));
    /// assert_eq!(load(&kv.source(), &Choice::default()).unwrap().model.stores.len(), 1);
    /// let quorum = Store::new().kind("quorum").replicas(3).read_quorum(2).write_quorum(2).read_repair("async");
    /// assert!(quorum.to_string().contains("replicas = 3"));
    /// ```
    Store
}
