//! Written by `tests/builder_keys.rs` from the tables of the grammar.

use super::keys;

keys! { Scenario {
    /// Its name; a directory of results. Default: the file's stem.
    name "name" value;
    /// The one question this file answers.
    question "question" value;
    /// For `list`.
    tags "tags" value;
} }

keys! { Run {
    /// Load arrives from 0 to here.
    duration "duration" value;
    /// Left out of every metric, never out of invariants. auto: chosen by MSER-5 from a pilot run.
    warmup "warmup" value;
    /// Every fault is revoked here. Default: `duration`.
    heal "heal" value;
    /// At most this long after `duration` work may come to rest.
    quiesce "quiesce" value;
    /// How long after a fault `phase=steady` begins again.
    settle "settle" value;
    /// The seed, if no flag gives one.
    seed "seed" value;
    /// Stop at the first violation of these.
    abort_on_fail "abort_on_fail" value;
    /// `sweep` goes on until every threshold's mean is known this well: half its 95% interval, of the mean.
    precision "precision" value;
} }

keys! { Network {
    /// What `latency` and `loss` are if they are not written.
    preset "preset" value;
    /// One way.
    latency "latency" value;
    /// Which messages get lost.
    loss "loss" part Loss;
    /// Share of messages handed over twice; the copy has a latency of its own.
    duplicate "duplicate" value;
    /// Share of messages that take a second latency; without effect on an ordered connection.
    reorder "reorder" value;
    /// Share of messages whose checksum fails: lost.
    corrupt "corrupt" value;
    /// Per pair of nodes and direction: messages queue for it.
    bandwidth "bandwidth" value;
    /// Bytes that may wait for `bandwidth`, per pair of nodes and direction; a message beyond is lost.
    buffer "buffer" value;
    /// tcp, http2, grpc: one ordered connection per pair of nodes, a loss becomes a delay; http1: a pool of connections, a loss delays one message; udp: lost is lost.
    transport "transport" value;
    /// The same keys for `"a -> b"` or `"a <-> b"`.
    link "links" each Link;
} }

keys! { Loss {
    /// gilbert_elliott: in bursts, by a chain of two states that takes one step before each transmission.
    kind "kind" value;
    /// Share of messages lost.
    share "share" value;
    /// The chance to go from the good to the bad state.
    good_to_bad "good_to_bad" value;
    /// The chance to go back; a burst lasts its inverse.
    bad_to_good "bad_to_good" value;
    /// Share of messages lost in the bad state.
    bad "bad" value;
} }

keys! { Link {
    /// One way.
    latency "latency" value;
    /// Which messages get lost.
    loss "loss" part Loss;
    /// Share of messages handed over twice; the copy has a latency of its own.
    duplicate "duplicate" value;
    /// Share of messages that take a second latency; without effect on an ordered connection.
    reorder "reorder" value;
    /// Share of messages whose checksum fails: lost.
    corrupt "corrupt" value;
    /// Per pair of nodes and direction: messages queue for it.
    bandwidth "bandwidth" value;
    /// Bytes that may wait for `bandwidth`, per pair of nodes and direction; a message beyond is lost.
    buffer "buffer" value;
    /// tcp, http2, grpc: one ordered connection per pair of nodes, a loss becomes a delay; http1: a pool of connections, a loss delays one message; udp: lost is lost.
    transport "transport" value;
} }

keys! { Retry {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value;
    /// Tries in all, the first included.
    attempts "attempts" value;
    /// How long before the next try; else none.
    backoff "backoff" part Backoff;
    /// The system errors after which it is tried again; business errors are final.
    retry_on "retry_on" value;
    /// What limits retries as a whole, per node of the caller.
    budget "budget" part Budget;
} }

keys! { Backoff {
    /// How it grows.
    kind "kind" value;
    /// Before the second try.
    base "base" value;
    /// How many times as long each time.
    factor "factor" value;
    /// It is never longer than this.
    max "max" value;
    /// What is left to chance: nothing, all of it, half of it.
    jitter "jitter" value;
} }

keys! { Budget {
    /// Retries are at most this share of the caller's requests.
    share "share" value;
    /// Each retry takes one of so many tokens.
    tokens "tokens" value;
    /// New tokens.
    refill "refill" value;
} }

keys! { Breaker {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value;
    /// It opens at this share of failures.
    failure_rate "failure_rate" value;
    /// It opens at this share of slow calls.
    slow_rate "slow_rate" value;
    /// A call this long is slow.
    slow_after "slow_after" value;
    /// It looks at so many calls, or at those of this last time.
    window "window" value;
    /// Fewer calls open nothing. Default: the window if it counts calls, else 20.
    min_calls "min_calls" value;
    /// How long it stays open.
    open_for "open_for" value;
    /// Calls let through when it is half open.
    trials "trials" value;
    /// At each node of the caller: one for each node of the callee, or one for all of it.
    scope "scope" value;
} }

keys! { Service {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value;
    /// Machines.
    nodes "nodes" value;
    /// Requests served at once, per node.
    workers "workers" value;
    /// `work` of more requests than these shares the CPU; else as workers.
    cores "cores" value;
    /// blocking: a request holds its worker until the reply; async: only during `work` and local state.
    mode "mode" value;
    /// The requests that wait for a worker.
    queue "queue" part ServiceQueue;
    /// The disk of each node.
    disk "disk" part Disk;
    /// The clock of each node.
    clock "clock" part Clock;
    /// The zone it is in.
    zone "zone" value;
    /// The zones of its nodes, dealt in turn.
    zones "zones" value;
    /// Not ours: random faults leave it alone.
    external "external" value;
    /// A built-in wrong behaviour, for tests.
    mutant "mutant" value;
    /// A process written in Rust plays its machines; `reply` and `fail` of its ops say what it can answer.
    process "process" value;
    /// Short form of one op, called `run`, that works this long.
    work "work" value;
    /// Short form of one op, called `run`, with these steps.
    steps "steps" list Step;
    /// What it remembers, behind all its nodes.
    state "state" each State;
    /// What it can be asked for.
    op "ops" each Op;
    /// What it takes from queues and topics.
    consumer "consumers" each Consumer;
    /// How messages of its transactions leave.
    outbox "outbox" part Outbox;
    /// Work whose caller's deadline has passed is not begun; else it is.
    deadline_check "deadline_check" value;
} }

keys! { ServiceQueue {
    /// How many may wait, per node; those served do not count.
    capacity "capacity" value;
    /// Who is served next.
    order "order" value;
    /// What a full queue does: the newcomer or the oldest fails with `overload`.
    overflow "overflow" value;
} }

keys! { Disk {
    /// How long a write takes to be durable.
    fsync "fsync" value;
    /// What a write takes for its bytes, on top.
    throughput "throughput" value;
    /// How long a write waits to gather more records.
    group_commit "group_commit" value;
    /// A write that does not fit never ends.
    capacity "capacity" value;
} }

keys! { Clock {
    /// How much faster it runs than true time, drawn for each node; its timers take 1 / (1 + drift) of their length.
    drift "drift" value;
    /// What it shows at time 0, drawn for each node; `$now` reads it, timers do not.
    offset "offset" value;
} }

keys! { State {
    /// counter: one integer per key; map: rows of named fields; list: values in their order.
    kind "kind" value;
    /// Rows 0 … keys − 1 are there from the beginning; of a map none, if it is not written.
    keys "keys" value;
    /// The first value of every row: a number, or the fields of a map's rows.
    initial "initial" value;
} }

keys! { Op {
    /// Bytes of a request.
    size "size" value;
    /// Bytes of a reply.
    reply_size "reply_size" value;
    /// Its only step works this long.
    work "work" value;
    /// Its steps, one after the other.
    steps "steps" list Step;
    /// A second one with this value (`true`: with this `$id`) has no effect, and gets the first's answer.
    idempotent "idempotent" value;
    /// Variables, drawn once per execution.
    var "vars" each;
} }

keys! { Consumer {
    /// A queue or a topic.
    from "from" value;
    /// Types of message it wants, others are acknowledged; else all.
    types "types" value;
    /// Unacknowledged at once, per node.
    prefetch "prefetch" value;
    /// after its steps, or before them: then a crash loses the message.
    ack "ack" value;
    /// It remembers the ids of messages in the transaction that has the effect.
    inbox "inbox" value;
    /// A second one with this value (`true`: with this `$id`) has no effect, and gets the first's answer.
    idempotent "idempotent" value;
    /// Who shares the messages of a topic; else the service.
    group "group" value;
    /// Its only step works this long.
    work "work" value;
    /// Its steps, one after the other.
    steps "steps" list Step;
} }

keys! { Outbox {
    /// poll: the relay looks every so often; log_tail: it follows the log.
    relay "relay" value;
    /// Between two looks.
    every "every" value;
    /// Messages that the relay takes at once.
    batch "batch" value;
} }

keys! { Store {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value;
    /// single: one machine; leader_follower: a leader whose log the others copy; quorum: copies that vote.
    kind "kind" value;
    /// Machines.
    nodes "nodes" value;
    /// Which of them stands for election first.
    leader "leader" value;
    /// When a client is told that its change is done: leader, majority, all, or how many have it.
    acks "acks" value;
    /// Who answers a read; of a quorum: whom a client asks to coordinate.
    reads "reads" value;
    /// How often a leader is heard of.
    heartbeat "heartbeat" value;
    /// After what silence a machine stands for election.
    election_timeout "election_timeout" value;
    /// An older term is refused.
    fencing "fencing" value;
    /// After so many entries the log is cut.
    snapshot_every "snapshot_every" value;
    /// How long followers elect nobody else.
    lease "lease" value;
    /// Which clock times a lease: the one that only drifts, or the one that can be set.
    lease_clock "lease_clock" value;
    /// Copies of each key; else as many as nodes.
    replicas "replicas" value;
    /// Copies a read waits for; else more than half.
    read_quorum "read_quorum" value;
    /// Copies a write waits for; else more than half.
    write_quorum "write_quorum" value;
    /// async: copies that answer a read with something old are sent the newest.
    read_repair "read_repair" value;
    /// Which of two writes stays: that of the later clock.
    conflicts "conflicts" value;
    /// After this without an answer a client asks another machine; of a single store it waits.
    ask_again "ask_again" value;
    /// The disk of each node.
    disk "disk" part Disk;
    /// The clock of each node.
    clock "clock" part Clock;
    /// The zone it is in.
    zone "zone" value;
    /// The zones of its nodes, dealt in turn.
    zones "zones" value;
    /// Not ours: random faults leave it alone.
    external "external" value;
    /// A built-in wrong behaviour, for tests.
    mutant "mutant" value;
} }
