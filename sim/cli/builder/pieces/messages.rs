//! What passes messages and what ties services together: brokers, queues, transactions, sagas.

use super::{piece, written};

piece! {
    /// One of `[brokers]`: machines that keep messages.
    ///
    /// ```
    /// use stormglass::builder::{Broker, Builder, Queue, Topic};
    ///
    /// let mut mail = Builder::new("mail");
    /// mail.broker("rabbit", Broker::new().kind("amqp").nodes(3).disk("1ms").latency("exp(1ms)").message_time("20us"))
    ///     .broker("log", Broker::new().kind("log").nodes(3))
    ///     .queue("placed", Queue::new().broker("rabbit"))
    ///     .topic("events", Topic::new().broker("log"));
    /// assert!(mail.text().contains("[brokers.rabbit]"));
    /// ```
    Broker
}

piece! {
    /// One of `[queues]`: each message to one consumer.
    ///
    /// ```
    /// use stormglass::builder::{Binding, Builder, DeadLetter, Exchange, Queue};
    ///
    /// let placed = Queue::new()
    ///     .ordering("per_key")
    ///     .capacity(100_000)
    ///     .visibility_timeout("5s")
    ///     .max_deliveries(8)
    ///     .dead_letter(DeadLetter::new().exchange("parked").key("late"))
    ///     .bindings([Binding::new().exchange("orders").key("order.*")]);
    /// let mut mail = Builder::new("mail");
    /// mail.exchange("orders", Exchange::new().kind("topic")).queue("placed", placed).queue("dead", Queue::new());
    /// assert!(mail.text().contains("capacity           = 100_000") && mail.text().contains("\n[queues.dead]\n"));
    /// ```
    Queue
}

piece! {
    /// What a queue or an exchange takes from an exchange.
    ///
    /// ```
    /// use stormglass::builder::{Binding, Queue};
    ///
    /// let queue = Queue::new().bindings([Binding::new().exchange("orders").key("order.#")]);
    /// assert_eq!(queue.to_string(), r#"{ bindings = [{ exchange = "orders", key = "order.#" }] }"#);
    /// ```
    Binding
}

piece! {
    /// Where messages go that nobody can have.
    ///
    /// ```
    /// use stormglass::builder::{DeadLetter, Queue};
    ///
    /// assert_ne!(Queue::new().dead_letter("parked"), Queue::new().dead_letter(DeadLetter::new().queue("parked")));
    /// assert!(DeadLetter::new().exchange("x").key("late").to_string().contains("late"));
    /// ```
    DeadLetter
}

piece! {
    /// One of `[exchanges]`: it hands messages on to queues.
    ///
    /// ```
    /// use stormglass::builder::{Binding, Builder, Exchange};
    ///
    /// let mut mail = Builder::new("mail");
    /// mail.exchange("all", Exchange::new().kind("fanout").bindings([Binding::new().exchange("orders")]))
    ///     .exchange("orders", Exchange::new().kind("topic").broker("rabbit"));
    /// assert!(mail.text().contains("[exchanges.all]"));
    /// ```
    Exchange
}

piece! {
    /// One of `[topics]`: a log, each message to every group.
    ///
    /// ```
    /// use stormglass::builder::{Builder, Topic};
    ///
    /// let mut log = Builder::new("log");
    /// log.topic("events", Topic::new().partitions(12).replicas(3).min_isr(2).replica_lag("10s"));
    /// assert!(log.text().contains("partitions  = 12"));
    /// ```
    Topic
}

piece! {
    /// One of `[transactions]`: a distributed transaction by a commit protocol.
    ///
    /// ```
    /// use stormglass::builder::{Builder, Locks, Step, Transaction};
    ///
    /// let transfer = Transaction::new()
    ///     .protocol("2pc")
    ///     .coordinator("desk")
    ///     .prepare_timeout("200ms")
    ///     .locks(Locks::new().deadlock("wound_wait").timeout("150ms"))
    ///     .work([
    ///         Step::update("bank_a.accounts[$from]").add("-$amount").if_("bank_a.accounts[$from] >= $amount"),
    ///         Step::update("bank_b.accounts[$to]").add("$amount"),
    ///     ]);
    /// let mut bank = Builder::new("bank");
    /// bank.transaction("transfer", transfer);
    /// assert!(bank.text().contains("[transactions.transfer]"));
    /// ```
    Transaction
}

piece! {
    /// Row locks at the participants of a transaction.
    ///
    /// ```
    /// use stormglass::builder::{Locks, Transaction};
    ///
    /// let locks = Locks::new().mode("exclusive").deadlock("detect").timeout("150ms");
    /// assert_ne!(Transaction::new().locks(locks), Transaction::new().locks("none"));
    /// ```
    Locks
}

piece! {
    /// One of `[sagas]`: steps over services, each with what undoes it.
    ///
    /// ```
    /// use stormglass::builder::{Builder, Isolation, OnAbort, Retry, Saga, SagaStep, Trigger};
    ///
    /// let checkout = Saga::new()
    ///     .coordinator("orders")
    ///     .trigger(Trigger::new().queue("placed").type_("order"))
    ///     .steps([
    ///         SagaStep::new().name("reserve").action("stock.reserve").compensate("stock.release").timeout("300ms"),
    ///         SagaStep::new().name("confirm").action("orders.confirm").pivot(true).retry("until_done"),
    ///     ])
    ///     .on_abort(OnAbort::new().call("orders.cancel").timeout("300ms"))
    ///     .compensation_retry(Retry::new().attempts("unlimited"))
    ///     .isolation(Isolation::new().kind("semantic_lock").keys(["stock.holds"]).others("wait"));
    /// let mut shop = Builder::new("shop");
    /// shop.saga("checkout", checkout);
    /// assert!(shop.text().contains(r#"{ name = "confirm", action = "orders.confirm", pivot = true"#));
    /// ```
    Saga
}

piece! {
    /// The messages that begin a saga.
    ///
    /// ```
    /// use stormglass::builder::{Saga, Trigger};
    ///
    /// let saga = Saga::new().trigger(Trigger::new().queue("placed").type_("order"));
    /// assert_eq!(saga.to_string(), r#"{ trigger = { queue = "placed", type = "order" } }"#);
    /// assert!(Trigger::new().topic("events").to_string().contains("topic"));
    /// ```
    Trigger
}

piece! {
    /// One of the steps of a saga.
    ///
    /// ```
    /// use stormglass::builder::{Saga, SagaStep};
    ///
    /// let names = ["flight", "hotel", "car"];
    /// let book = |name: &&str| {
    ///     SagaStep::new().name(*name).action(format!("{name}.book")).compensate(format!("{name}.cancel")).timeout("1s")
    /// };
    /// let trip = Saga::new().coordinator("desk").steps(names.iter().map(book).collect::<Vec<_>>());
    /// assert!(trip.to_string().contains(r#"compensate = "hotel.cancel""#));
    /// let told = SagaStep::new().name("pay").on("booked").emits("paid").emits_on_failure("refused");
    /// assert!(told.compensate_on(["cancelled"]).with("amount", "$amount").to_string().contains("emits"));
    /// ```
    SagaStep
}

piece! {
    /// What is called after the compensations of a saga.
    ///
    /// ```
    /// use stormglass::builder::{OnAbort, Saga};
    ///
    /// let patient = OnAbort::new().call("orders.cancel").timeout("300ms").retry("until_done").with("why", "$result");
    /// assert_ne!(Saga::new().on_abort(patient), Saga::new().on_abort("orders.cancel"));
    /// ```
    OnAbort
}

piece! {
    /// What keeps others from seeing a saga half done.
    ///
    /// ```
    /// use stormglass::builder::{Isolation, Saga};
    ///
    /// let locked = Isolation::new().kind("semantic_lock").keys(["stock.holds[$id]"]).others("reject");
    /// assert!(Saga::new().isolation(locked).to_string().contains("semantic_lock"));
    /// ```
    Isolation
}
