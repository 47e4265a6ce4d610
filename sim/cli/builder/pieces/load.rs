//! What is asked for and what goes wrong: steps, workloads, faults.

use super::{piece, verbed, written};

verbed! {
    /// A step of an op, a transaction or a workload: one verb, and what modifies it. Which verbs may stand where, and which
    /// modifiers a verb has, is that of the file; the loader tells what does not fit.
    ///
    /// ```
    /// use stormglass::builder::{Op, Step, Table};
    ///
    /// let place = Op::new().steps([
    ///     Step::work("exp(2ms)").name("think").chance("50%"),
    ///     Step::transaction([
    ///         Step::insert("orders").set(Table::new().with("status", "pending")).else_("twice"),
    ///         Step::outbox("placed").key("$id").type_("order").with("amount", "$amount"),
    ///     ]),
    ///     Step::when("$amount > 100").then([Step::call("bank.check").timeout("1s").into("risk")]).else_([
    ///         Step::sleep("1ms"),
    ///     ]),
    ///     Step::repeat([Step::call("log.write")]).times(3),
    ///     Step::reply("$risk"),
    /// ]);
    /// assert!(place.to_string().contains(r#"{ outbox = "placed", key = "$id", type = "order", with = { amount"#));
    /// let mixed = [Step::read("kv[$key]").weight(9), Step::cas("kv[$key]").expected("$last_read").value("$unique").weight(1)];
    /// assert_eq!(mixed[0].to_string(), r#"{ read = "kv[$key]", weight = 9 }"#);
    /// ```
    Step
}

piece! {
    /// One of `[workloads]`: clients and what they ask for.
    ///
    /// ```
    /// use stormglass::builder::{Client, Stage, Workload};
    ///
    /// let open = Workload::new()
    ///     .rate("20/s")
    ///     .stages([Stage::new().to("120/s").over("20s"), Stage::new().hold("30s")])
    ///     .target("front.buy")
    ///     .client(Client::new().timeout("2s"))
    ///     .var("item", "zipf(100, 1.1)");
    /// let closed = Workload::new().users(5).think("exp(1s)").target("front.buy");
    /// let listed = Workload::new().trace(["1s", "1500ms"]).target("front.buy").only([1]);
    /// assert!(open.to_string().contains(r#"vars = { item = "zipf(100, 1.1)" }"#) && closed != listed);
    /// ```
    Workload
}

piece! {
    /// How a client calls: of the whole operation.
    ///
    /// ```
    /// use stormglass::builder::{Client, Workload};
    ///
    /// let client = Client::new().timeout("2s").retry("gentle").breaker("bank").deadline("propagate").size("2KiB");
    /// assert!(Workload::new().client(client.reply_size("64B")).to_string().contains("client = { timeout"));
    /// ```
    Client
}

piece! {
    /// One of `stages` of a workload: how the load changes.
    ///
    /// ```
    /// use stormglass::builder::{Stage, Workload};
    ///
    /// let steps = (1..=10).map(|n| Stage::new().to(format!("{}/s", n * 20)).over("5s"));
    /// let workload = Workload::new().rate("1/s").stages(steps.chain([Stage::new().hold("1m")]).collect::<Vec<_>>());
    /// assert!(workload.to_string().contains(r#"{ to = "200/s", over = "5s" }"#));
    /// ```
    Stage
}

piece! {
    /// `[chaos]`: random schedules of faults.
    ///
    /// ```
    /// use stormglass::builder::{Builder, Chaos};
    ///
    /// let mut bank = Builder::new("bank");
    /// bank.chaos(Chaos::new().profile("exhaustive").points(["2pc.*.*"]).nth("int(1, 9)").for_("3s"));
    /// assert!(bank.text().contains("[chaos]\nprofile"));
    /// ```
    Chaos
}

piece! {
    /// One of `[faults]`: what goes wrong, and when.
    ///
    /// ```
    /// use stormglass::builder::{Builder, Fault, Instance};
    ///
    /// let mut shop = Builder::new("shop");
    /// for n in 0..3 {
    ///     let crash = Fault::new().kind("crash").target(format!("s{n}[0]")).at(format!("{n}s")).for_("500ms");
    ///     shop.fault(format!("crash_{n}"), crash.loses(["memory"]));
    /// }
    /// shop.fault("apart", Fault::new().kind("partition").split([["s0", "s1"], ["s2", "s3"]]).rate("1/m").wire("hold"))
    ///     .fault("lossy", Fault::new().kind("loss").target("s0 -> s1").chance("10%").window("1s..2s"))
    ///     .fault("slow", Fault::new().kind("slow_cpu").target("s1").factor(10).after("crash_0"))
    ///     .fault("again", Fault::new().kind("pause").instances([Instance::new().at("2s").for_("1s").target("s0")]));
    /// assert!(shop.text().contains("[faults.crash_2]\nkind   = \"crash\"\ntarget = \"s2[0]\"\n"));
    /// ```
    Fault
}

piece! {
    /// One of `instances` of a fault: it strikes exactly so.
    ///
    /// ```
    /// use stormglass::builder::{Fault, Instance};
    ///
    /// let when = [3, 14, 15].map(|second| Instance::new().at(format!("{second}s")).for_("1s").target("bank[0]"));
    /// assert!(Fault::new().kind("crash").instances(when).to_string().contains(r#"at = "14s""#));
    /// let lost = Instance::new().n(0).at("0s").hits(["17/3/0"]);
    /// assert!(lost.split([["a", "b"]]).to_string().contains("17/3/0"));
    /// ```
    Instance
}

piece! {
    /// `after` of a fault: some time after another fault.
    ///
    /// ```
    /// use stormglass::builder::{After, Fault};
    ///
    /// let later = Fault::new().kind("crash").target("b").after(After::new().fault("first").delay("exp(1s)"));
    /// assert!(later.to_string().contains(r#"after = { fault = "first", delay = "exp(1s)" }"#));
    /// ```
    After
}
