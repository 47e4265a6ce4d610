//! Written by `tests/builder_keys.rs` from the tables of the grammar.

use super::keys;

keys! { Broker {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value = r#"Broker::new().like("other")"# r#"{ like = "other" }"#;
    /// amqp: queues and exchanges live on it; log: topics do.
    kind "kind" value = r#"Broker::new().kind("amqp")"# r#"{ kind = "amqp" }"#;
    /// Machines.
    nodes "nodes" value = r#"Broker::new().nodes(3)"# r#"{ nodes = 3 }"#;
    /// The disk of each node.
    disk "disk" part Disk = r#"Broker::new().disk(Disk::new().fsync("exp(2ms)"))"# r#"{ disk = { fsync = "exp(2ms)" } }"#;
    /// The clock of each node.
    clock "clock" part Clock = r#"Broker::new().clock(Clock::new().drift("20ppm"))"# r#"{ clock = { drift = "20ppm" } }"#;
    /// The zone it is in.
    zone "zone" value = r#"Broker::new().zone("shop")"# r#"{ zone = "shop" }"#;
    /// The zones of its nodes, dealt in turn.
    zones "zones" value = r#"Broker::new().zones(["shop"])"# r#"{ zones = ["shop"] }"#;
    /// On top of the network, for each message that comes in.
    latency "latency" value = r#"Broker::new().latency("exp(2ms)")"# r#"{ latency = "exp(2ms)" }"#;
    /// CPU time of each message.
    message_time "message_time" value = r#"Broker::new().message_time("exp(2ms)")"# r#"{ message_time = "exp(2ms)" }"#;
    /// Not ours: random faults leave it alone.
    external "external" value = r#"Broker::new().external(true)"# r#"{ external = true }"#;
    /// A built-in wrong behaviour, for tests.
    mutant "mutant" value = r#"Broker::new().mutant("shop")"# r#"{ mutant = "shop" }"#;
} }

keys! { Queue {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value = r#"Queue::new().like("other")"# r#"{ like = "other" }"#;
    /// Where it lives; else on the only broker of its kind.
    broker "broker" value = r#"Queue::new().broker("shop")"# r#"{ broker = "shop" }"#;
    /// What it takes from exchanges.
    bindings "bindings" list Binding = r#"Queue::new().bindings([Binding::new().exchange("shop")])"# r#"{ bindings = [{ exchange = "shop" }] }"#;
    /// It survives a crash of its broker.
    durable "durable" value = r#"Queue::new().durable(true)"# r#"{ durable = true }"#;
    /// Copies of it.
    replicas "replicas" value = r#"Queue::new().replicas(3)"# r#"{ replicas = 3 }"#;
    /// per_key: of one key one message at a time; fifo: as they were stored; none: any order.
    ordering "ordering" value = r#"Queue::new().ordering("per_key")"# r#"{ ordering = "per_key" }"#;
    /// Messages it holds; when full, publishers wait.
    capacity "capacity" value = r#"Queue::new().capacity(3)"# r#"{ capacity = 3 }"#;
    /// Messages it holds; when full, `overflow`.
    max_length "max_length" value = r#"Queue::new().max_length(3)"# r#"{ max_length = 3 }"#;
    /// What a queue of `max_length` does when it is full.
    overflow "overflow" value = r#"Queue::new().overflow("reject_publish")"# r#"{ overflow = "reject_publish" }"#;
    /// A message not acknowledged for this long is delivered again; so it is when its consumer's node dies.
    visibility_timeout "visibility_timeout" value = r#"Queue::new().visibility_timeout("2s")"# r#"{ visibility_timeout = "2s" }"#;
    /// Delivered so often and not acknowledged, it goes to `dead_letter`, or is dropped.
    max_deliveries "max_deliveries" value = r#"Queue::new().max_deliveries(3)"# r#"{ max_deliveries = 3 }"#;
    /// Where messages go that nobody can have.
    dead_letter "dead_letter" part DeadLetter = r#"Queue::new().dead_letter(DeadLetter::new().queue("shop"))"# r#"{ dead_letter = { queue = "shop" } }"#;
    /// A message that waits longer is dead-lettered, or dropped.
    message_ttl "message_ttl" value = r#"Queue::new().message_ttl("2s")"# r#"{ message_ttl = "2s" }"#;
    /// How many priorities.
    priorities "priorities" value = r#"Queue::new().priorities(3)"# r#"{ priorities = 3 }"#;
    /// From stored to deliverable.
    latency "latency" value = r#"Queue::new().latency("exp(2ms)")"# r#"{ latency = "exp(2ms)" }"#;
    /// Bytes of a message.
    size "size" value = r#"Queue::new().size("2KiB")"# r#"{ size = "2KiB" }"#;
    /// Before what came back is delivered again.
    redelivery_delay "redelivery_delay" value = r#"Queue::new().redelivery_delay("2s")"# r#"{ redelivery_delay = "2s" }"#;
} }

keys! { Binding {
    /// The exchange it takes from.
    exchange "exchange" value = r#"Binding::new().exchange("shop")"# r#"{ exchange = "shop" }"#;
    /// Messages with this key; of a topic exchange `*` is one word and `#` any words.
    key "key" value = r#"Binding::new().key("order.*")"# r#"{ key = "order.*" }"#;
} }

keys! { DeadLetter {
    /// This queue.
    queue "queue" value = r#"DeadLetter::new().queue("shop")"# r#"{ queue = "shop" }"#;
    /// This exchange.
    exchange "exchange" value = r#"DeadLetter::new().exchange("shop")"# r#"{ exchange = "shop" }"#;
    /// With this key; else with its own.
    key "key" value = r#"DeadLetter::new().key("$amount")"# r#"{ key = "$amount" }"#;
} }

keys! { Exchange {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value = r#"Exchange::new().like("other")"# r#"{ like = "other" }"#;
    /// To bindings with this very key; whose pattern fits it; to all of them.
    kind "kind" value = r#"Exchange::new().kind("direct")"# r#"{ kind = "direct" }"#;
    /// What it takes from exchanges.
    bindings "bindings" list Binding = r#"Exchange::new().bindings([Binding::new().exchange("shop")])"# r#"{ bindings = [{ exchange = "shop" }] }"#;
    /// Where it lives; else on the only broker of its kind.
    broker "broker" value = r#"Exchange::new().broker("shop")"# r#"{ broker = "shop" }"#;
} }

keys! { Topic {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value = r#"Topic::new().like("other")"# r#"{ like = "other" }"#;
    /// Where it lives; else on the only broker of its kind.
    broker "broker" value = r#"Topic::new().broker("shop")"# r#"{ broker = "shop" }"#;
    /// Logs; a key is always in the same one.
    partitions "partitions" value = r#"Topic::new().partitions(3)"# r#"{ partitions = 3 }"#;
    /// Copies of each.
    replicas "replicas" value = r#"Topic::new().replicas(3)"# r#"{ replicas = 3 }"#;
    /// Copies that must have a message before it counts.
    min_isr "min_isr" value = r#"Topic::new().min_isr(3)"# r#"{ min_isr = 3 }"#;
    /// A copy further behind is not in sync.
    replica_lag "replica_lag" value = r#"Topic::new().replica_lag("2s")"# r#"{ replica_lag = "2s" }"#;
} }

keys! { Transaction {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value = r#"Transaction::new().like("other")"# r#"{ like = "other" }"#;
    /// The commit protocol.
    protocol "protocol" value = r#"Transaction::new().protocol("2pc")"# r#"{ protocol = "2pc" }"#;
    /// The service that coordinates.
    coordinator "coordinator" value = r#"Transaction::new().coordinator("shop")"# r#"{ coordinator = "shop" }"#;
    /// From prepare sent to abort.
    prepare_timeout "prepare_timeout" value = r#"Transaction::new().prepare_timeout("2s")"# r#"{ prepare_timeout = "2s" }"#;
    /// How long a prepared participant waits before it acts as `recovery` says, and between two tries.
    decision_timeout "decision_timeout" value = r#"Transaction::new().decision_timeout("2s")"# r#"{ decision_timeout = "2s" }"#;
    /// memory: a crash of the coordinator forgets its decisions.
    decision_log "decision_log" value = r#"Transaction::new().decision_log("durable")"# r#"{ decision_log = "durable" }"#;
    /// Whom a participant in doubt asks.
    recovery "recovery" value = r#"Transaction::new().recovery("ask_coordinator")"# r#"{ recovery = "ask_coordinator" }"#;
    /// Row locks at the participants.
    locks "locks" part Locks = r#"Transaction::new().locks(Locks::new().mode("exclusive"))"# r#"{ locks = { mode = "exclusive" } }"#;
    /// Its steps on rows of services; the owners are the participants.
    work "work" list Step = r#"Transaction::new().work([Step::update("shop.orders[$id]")])"# r#"{ work = [{ update = "shop.orders[$id]" }] }"#;
} }

keys! { Locks {
    /// none: no locks at all, a bad design to be shown.
    mode "mode" value = r#"Locks::new().mode("exclusive")"# r#"{ mode = "exclusive" }"#;
    /// What is done about deadlocks.
    deadlock "deadlock" value = r#"Locks::new().deadlock("wound_wait")"# r#"{ deadlock = "wound_wait" }"#;
    /// A longer wait is a vote no.
    timeout "timeout" value = r#"Locks::new().timeout("2s")"# r#"{ timeout = "2s" }"#;
} }

keys! { Saga {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value = r#"Saga::new().like("other")"# r#"{ like = "other" }"#;
    /// Its coordinator knows what comes next, or each step waits for the event of another.
    style "style" value = r#"Saga::new().style("orchestrated")"# r#"{ style = "orchestrated" }"#;
    /// The service that coordinates.
    coordinator "coordinator" value = r#"Saga::new().coordinator("shop")"# r#"{ coordinator = "shop" }"#;
    /// memory: a crash of the coordinator forgets its sagas.
    log "log" value = r#"Saga::new().log("durable")"# r#"{ log = "durable" }"#;
    /// Messages that begin one; else `call = "sagas.x"` does.
    trigger "trigger" part Trigger = r#"Saga::new().trigger(Trigger::new().queue("shop"))"# r#"{ trigger = { queue = "shop" } }"#;
    /// The topic of its events.
    topic "topic" value = r#"Saga::new().topic("shop")"# r#"{ topic = "shop" }"#;
    /// Its steps.
    steps "steps" list SagaStep = r#"Saga::new().steps([SagaStep::new().name("shop")])"# r#"{ steps = [{ name = "shop" }] }"#;
    /// What is called after the compensations.
    on_abort "on_abort" part OnAbort = r#"Saga::new().on_abort(OnAbort::new().call("shop.buy"))"# r#"{ on_abort = { call = "shop.buy" } }"#;
    /// How compensations are tried again, after business errors too. Default: until done.
    compensation_retry "compensation_retry" part Retry = r#"Saga::new().compensation_retry(Retry::new().attempts(3))"# r#"{ compensation_retry = { attempts = 3 } }"#;
    /// When a step fails before the pivot: undo what was done, or try again.
    recovery "recovery" value = r#"Saga::new().recovery("backward")"# r#"{ recovery = "backward" }"#;
    /// The map whose row `$id` says what became of it.
    subject "subject" value = r#"Saga::new().subject("shop.orders")"# r#"{ subject = "shop.orders" }"#;
    /// Participants remember (saga, step): a second event of one step has no effect.
    inbox "inbox" value = r#"Saga::new().inbox(true)"# r#"{ inbox = true }"#;
    /// What keeps others from seeing it half done.
    isolation "isolation" part Isolation = r#"Saga::new().isolation(Isolation::new().kind("none"))"# r#"{ isolation = { kind = "none" } }"#;
} }

keys! { Trigger {
    /// Messages of this queue.
    queue "queue" value = r#"Trigger::new().queue("shop")"# r#"{ queue = "shop" }"#;
    /// Messages of this topic.
    topic "topic" value = r#"Trigger::new().topic("shop")"# r#"{ topic = "shop" }"#;
    /// Of this type; else all of them.
    type_ "type" value = r#"Trigger::new().type_("in words")"# r#"{ type = "in words" }"#;
} }

keys! { SagaStep {
    /// Its name.
    name "name" value = r#"SagaStep::new().name("shop")"# r#"{ name = "shop" }"#;
    /// What it does: an op.
    action "action" value = r#"SagaStep::new().action("shop.buy")"# r#"{ action = "shop.buy" }"#;
    /// What undoes it: an op.
    compensate "compensate" value = r#"SagaStep::new().compensate("shop.buy")"# r#"{ compensate = "shop.buy" }"#;
    /// Once it is begun there is no way back. Default: the first step without `compensate`.
    pivot "pivot" value = r#"SagaStep::new().pivot(true)"# r#"{ pivot = true }"#;
    /// Choreographed: the events that begin it.
    on "on" value = r#"SagaStep::new().on("placed")"# r#"{ on = "placed" }"#;
    /// Choreographed: the event when its action is done.
    emits "emits" value = r#"SagaStep::new().emits("in words")"# r#"{ emits = "in words" }"#;
    /// Choreographed: the event when its action failed.
    emits_on_failure "emits_on_failure" value = r#"SagaStep::new().emits_on_failure("in words")"# r#"{ emits_on_failure = "in words" }"#;
    /// Choreographed: the events that make it undo what it did.
    compensate_on "compensate_on" value = r#"SagaStep::new().compensate_on("placed")"# r#"{ compensate_on = "placed" }"#;
    /// Variables for the callee, besides those of the request.
    with "with" each = r#"SagaStep::new().with("x", "$amount")"# r#"{ with = { x = "$amount" } }"#;
    /// Per try.
    timeout "timeout" value = r#"SagaStep::new().timeout("2s")"# r#"{ timeout = "2s" }"#;
    /// How it is tried again: a policy or its name.
    retry "retry" part Retry = r#"SagaStep::new().retry(Retry::new().attempts(3))"# r#"{ retry = { attempts = 3 } }"#;
    /// When it is not even tried: a policy or its name.
    breaker "breaker" part Breaker = r#"SagaStep::new().breaker(Breaker::new().failure_rate("5%"))"# r#"{ breaker = { failure_rate = "5%" } }"#;
    /// none: the caller's deadline does not go with it; else it does.
    deadline "deadline" value = r#"SagaStep::new().deadline("propagate")"# r#"{ deadline = "propagate" }"#;
    /// Bytes of the request, instead of what the op says.
    size "size" value = r#"SagaStep::new().size("2KiB")"# r#"{ size = "2KiB" }"#;
    /// Bytes of the reply, instead of what the op says.
    reply_size "reply_size" value = r#"SagaStep::new().reply_size("2KiB")"# r#"{ reply_size = "2KiB" }"#;
} }

keys! { OnAbort {
    /// This op.
    call "call" value = r#"OnAbort::new().call("shop.buy")"# r#"{ call = "shop.buy" }"#;
    /// Variables for the callee, besides those of the request.
    with "with" each = r#"OnAbort::new().with("x", "$amount")"# r#"{ with = { x = "$amount" } }"#;
    /// Per try.
    timeout "timeout" value = r#"OnAbort::new().timeout("2s")"# r#"{ timeout = "2s" }"#;
    /// How it is tried again: a policy or its name.
    retry "retry" part Retry = r#"OnAbort::new().retry(Retry::new().attempts(3))"# r#"{ retry = { attempts = 3 } }"#;
    /// When it is not even tried: a policy or its name.
    breaker "breaker" part Breaker = r#"OnAbort::new().breaker(Breaker::new().failure_rate("5%"))"# r#"{ breaker = { failure_rate = "5%" } }"#;
    /// none: the caller's deadline does not go with it; else it does.
    deadline "deadline" value = r#"OnAbort::new().deadline("propagate")"# r#"{ deadline = "propagate" }"#;
    /// Bytes of the request, instead of what the op says.
    size "size" value = r#"OnAbort::new().size("2KiB")"# r#"{ size = "2KiB" }"#;
    /// Bytes of the reply, instead of what the op says.
    reply_size "reply_size" value = r#"OnAbort::new().reply_size("2KiB")"# r#"{ reply_size = "2KiB" }"#;
} }

keys! { Isolation {
    /// semantic_lock: the rows are marked while it is open.
    kind "kind" value = r#"Isolation::new().kind("none")"# r#"{ kind = "none" }"#;
    /// Which rows; without a lock judges see who comes there.
    keys "keys" value = r#"Isolation::new().keys(["shop.orders[$id]"])"# r#"{ keys = ["shop.orders[$id]"] }"#;
    /// Who comes there meanwhile fails with `locked`, or waits.
    others "others" value = r#"Isolation::new().others("reject")"# r#"{ others = "reject" }"#;
} }
