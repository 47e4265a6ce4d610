//! Written by `tests/builder_keys.rs` from the tables of the grammar.

use super::keys;

keys! { Broker {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value;
    /// amqp: queues and exchanges live on it; log: topics do.
    kind "kind" value;
    /// Machines.
    nodes "nodes" value;
    /// The disk of each node.
    disk "disk" part Disk;
    /// The clock of each node.
    clock "clock" part Clock;
    /// The zone it is in.
    zone "zone" value;
    /// The zones of its nodes, dealt in turn.
    zones "zones" value;
    /// On top of the network, for each message that comes in.
    latency "latency" value;
    /// CPU time of each message.
    message_time "message_time" value;
    /// Not ours: random faults leave it alone.
    external "external" value;
    /// A built-in wrong behaviour, for tests.
    mutant "mutant" value;
} }

keys! { Queue {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value;
    /// Where it lives; else on the only broker of its kind.
    broker "broker" value;
    /// What it takes from exchanges.
    bindings "bindings" list Binding;
    /// It survives a crash of its broker.
    durable "durable" value;
    /// Copies of it.
    replicas "replicas" value;
    /// per_key: of one key one message at a time; fifo: as they were stored; none: any order.
    ordering "ordering" value;
    /// Messages it holds; when full, publishers wait.
    capacity "capacity" value;
    /// Messages it holds; when full, `overflow`.
    max_length "max_length" value;
    /// What a queue of `max_length` does when it is full.
    overflow "overflow" value;
    /// A message not acknowledged for this long is delivered again; so it is when its consumer's node dies.
    visibility_timeout "visibility_timeout" value;
    /// Delivered so often and not acknowledged, it goes to `dead_letter`, or is dropped.
    max_deliveries "max_deliveries" value;
    /// Where messages go that nobody can have.
    dead_letter "dead_letter" part DeadLetter;
    /// A message that waits longer is dead-lettered, or dropped.
    message_ttl "message_ttl" value;
    /// How many priorities.
    priorities "priorities" value;
    /// From stored to deliverable.
    latency "latency" value;
    /// Bytes of a message.
    size "size" value;
    /// Before what came back is delivered again.
    redelivery_delay "redelivery_delay" value;
} }

keys! { Binding {
    /// The exchange it takes from.
    exchange "exchange" value;
    /// Messages with this key; of a topic exchange `*` is one word and `#` any words.
    key "key" value;
} }

keys! { DeadLetter {
    /// This queue.
    queue "queue" value;
    /// This exchange.
    exchange "exchange" value;
    /// With this key; else with its own.
    key "key" value;
} }

keys! { Exchange {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value;
    /// To bindings with this very key; whose pattern fits it; to all of them.
    kind "kind" value;
    /// What it takes from exchanges.
    bindings "bindings" list Binding;
    /// Where it lives; else on the only broker of its kind.
    broker "broker" value;
} }

keys! { Topic {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value;
    /// Where it lives; else on the only broker of its kind.
    broker "broker" value;
    /// Logs; a key is always in the same one.
    partitions "partitions" value;
    /// Copies of each.
    replicas "replicas" value;
    /// Copies that must have a message before it counts.
    min_isr "min_isr" value;
    /// A copy further behind is not in sync.
    replica_lag "replica_lag" value;
} }

keys! { Transaction {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value;
    /// The commit protocol.
    protocol "protocol" value;
    /// The service that coordinates.
    coordinator "coordinator" value;
    /// From prepare sent to abort.
    prepare_timeout "prepare_timeout" value;
    /// How long a prepared participant waits before it acts as `recovery` says, and between two tries.
    decision_timeout "decision_timeout" value;
    /// memory: a crash of the coordinator forgets its decisions.
    decision_log "decision_log" value;
    /// Whom a participant in doubt asks.
    recovery "recovery" value;
    /// Row locks at the participants.
    locks "locks" part Locks;
    /// Its steps on rows of services; the owners are the participants.
    work "work" list Step;
} }

keys! { Locks {
    /// none: no locks at all, a bad design to be shown.
    mode "mode" value;
    /// What is done about deadlocks.
    deadlock "deadlock" value;
    /// A longer wait is a vote no.
    timeout "timeout" value;
} }

keys! { Saga {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value;
    /// Its coordinator knows what comes next, or each step waits for the event of another.
    style "style" value;
    /// The service that coordinates.
    coordinator "coordinator" value;
    /// memory: a crash of the coordinator forgets its sagas.
    log "log" value;
    /// Messages that begin one; else `call = "sagas.x"` does.
    trigger "trigger" part Trigger;
    /// The topic of its events.
    topic "topic" value;
    /// Its steps.
    steps "steps" list SagaStep;
    /// What is called after the compensations.
    on_abort "on_abort" part OnAbort;
    /// How compensations are tried again, after business errors too. Default: until done.
    compensation_retry "compensation_retry" part Retry;
    /// When a step fails before the pivot: undo what was done, or try again.
    recovery "recovery" value;
    /// The map whose row `$id` says what became of it.
    subject "subject" value;
    /// Participants remember (saga, step): a second event of one step has no effect.
    inbox "inbox" value;
    /// What keeps others from seeing it half done.
    isolation "isolation" part Isolation;
} }

keys! { Trigger {
    /// Messages of this queue.
    queue "queue" value;
    /// Messages of this topic.
    topic "topic" value;
    /// Of this type; else all of them.
    type_ "type" value;
} }

keys! { SagaStep {
    /// Its name.
    name "name" value;
    /// What it does: an op.
    action "action" value;
    /// What undoes it: an op.
    compensate "compensate" value;
    /// Once it is begun there is no way back. Default: the first step without `compensate`.
    pivot "pivot" value;
    /// Choreographed: the events that begin it.
    on "on" value;
    /// Choreographed: the event when its action is done.
    emits "emits" value;
    /// Choreographed: the event when its action failed.
    emits_on_failure "emits_on_failure" value;
    /// Choreographed: the events that make it undo what it did.
    compensate_on "compensate_on" value;
    /// Variables for the callee, besides those of the request.
    with "with" each;
    /// Per try.
    timeout "timeout" value;
    /// How it is tried again: a policy or its name.
    retry "retry" part Retry;
    /// When it is not even tried: a policy or its name.
    breaker "breaker" part Breaker;
    /// none: the caller's deadline does not go with it; else it does.
    deadline "deadline" value;
    /// Bytes of the request, instead of what the op says.
    size "size" value;
    /// Bytes of the reply, instead of what the op says.
    reply_size "reply_size" value;
} }

keys! { OnAbort {
    /// This op.
    call "call" value;
    /// Variables for the callee, besides those of the request.
    with "with" each;
    /// Per try.
    timeout "timeout" value;
    /// How it is tried again: a policy or its name.
    retry "retry" part Retry;
    /// When it is not even tried: a policy or its name.
    breaker "breaker" part Breaker;
    /// none: the caller's deadline does not go with it; else it does.
    deadline "deadline" value;
    /// Bytes of the request, instead of what the op says.
    size "size" value;
    /// Bytes of the reply, instead of what the op says.
    reply_size "reply_size" value;
} }

keys! { Isolation {
    /// semantic_lock: the rows are marked while it is open.
    kind "kind" value;
    /// Which rows; without a lock judges see who comes there.
    keys "keys" value;
    /// Who comes there meanwhile fails with `locked`, or waits.
    others "others" value;
} }
