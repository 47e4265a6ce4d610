//! Written by `tests/builder_keys.rs` from the tables of the grammar.

use super::keys;

keys! { Scenario {
    /// Its name; a directory of results. Default: the file's stem.
    name "name" value = r#"Scenario::new().name("shop")"# r#"{ name = "shop" }"#;
    /// The one question this file answers.
    question "question" value = r#"Scenario::new().question("in words")"# r#"{ question = "in words" }"#;
    /// For `list`.
    tags "tags" value = r#"Scenario::new().tags(["shop"])"# r#"{ tags = ["shop"] }"#;
} }

keys! { Run {
    /// Load arrives from 0 to here.
    duration "duration" value = r#"Run::new().duration("2s")"# r#"{ duration = "2s" }"#;
    /// Left out of every metric, never out of invariants. auto: chosen by MSER-5 from a pilot run.
    warmup "warmup" value = r#"Run::new().warmup("2s")"# r#"{ warmup = "2s" }"#;
    /// Every fault is revoked here. Default: `duration`.
    heal "heal" value = r#"Run::new().heal("2s")"# r#"{ heal = "2s" }"#;
    /// At most this long after `duration` work may come to rest.
    quiesce "quiesce" value = r#"Run::new().quiesce("2s")"# r#"{ quiesce = "2s" }"#;
    /// How long after a fault `phase=steady` begins again.
    settle "settle" value = r#"Run::new().settle("2s")"# r#"{ settle = "2s" }"#;
    /// The seed, if no flag gives one.
    seed "seed" value = r#"Run::new().seed(3)"# r#"{ seed = 3 }"#;
    /// Stop at the first violation of these.
    abort_on_fail "abort_on_fail" value = r#"Run::new().abort_on_fail(["shop"])"# r#"{ abort_on_fail = ["shop"] }"#;
    /// `sweep` goes on until every threshold's mean is known this well: half its 95% interval, of the mean.
    precision "precision" value = r#"Run::new().precision("5%")"# r#"{ precision = "5%" }"#;
} }

keys! { Network {
    /// What `latency` and `loss` are if they are not written.
    preset "preset" value = r#"Network::new().preset("ideal")"# r#"{ preset = "ideal" }"#;
    /// One way.
    latency "latency" value = r#"Network::new().latency("exp(2ms)")"# r#"{ latency = "exp(2ms)" }"#;
    /// Which messages get lost.
    loss "loss" part Loss = r#"Network::new().loss(Loss::new().kind("independent"))"# r#"{ loss = { kind = "independent" } }"#;
    /// Share of messages handed over twice; the copy has a latency of its own.
    duplicate "duplicate" value = r#"Network::new().duplicate("5%")"# r#"{ duplicate = "5%" }"#;
    /// Share of messages that take a second latency; without effect on an ordered connection.
    reorder "reorder" value = r#"Network::new().reorder("5%")"# r#"{ reorder = "5%" }"#;
    /// Share of messages whose checksum fails: lost.
    corrupt "corrupt" value = r#"Network::new().corrupt("5%")"# r#"{ corrupt = "5%" }"#;
    /// Per pair of nodes and direction: messages queue for it.
    bandwidth "bandwidth" value = r#"Network::new().bandwidth("100Mbit/s")"# r#"{ bandwidth = "100Mbit/s" }"#;
    /// Bytes that may wait for `bandwidth`, per pair of nodes and direction; a message beyond is lost.
    buffer "buffer" value = r#"Network::new().buffer("64KiB")"# r#"{ buffer = "64KiB" }"#;
    /// tcp, http2, grpc: one ordered connection per pair of nodes, a loss becomes a delay; http1: a pool of connections, a loss delays one message; udp: lost is lost.
    transport "transport" value = r#"Network::new().transport("tcp")"# r#"{ transport = "tcp" }"#;
    /// The same keys for `"a -> b"` or `"a <-> b"`.
    link "links" each Link = r#"Network::new().link("a -> b", Link::new().latency("exp(2ms)"))"# r#"{ links = { "a -> b" = { latency = "exp(2ms)" } } }"#;
} }

keys! { Loss {
    /// gilbert_elliott: in bursts, by a chain of two states that takes one step before each transmission.
    kind "kind" value = r#"Loss::new().kind("independent")"# r#"{ kind = "independent" }"#;
    /// Share of messages lost.
    share "share" value = r#"Loss::new().share("5%")"# r#"{ share = "5%" }"#;
    /// The chance to go from the good to the bad state.
    good_to_bad "good_to_bad" value = r#"Loss::new().good_to_bad("5%")"# r#"{ good_to_bad = "5%" }"#;
    /// The chance to go back; a burst lasts its inverse.
    bad_to_good "bad_to_good" value = r#"Loss::new().bad_to_good("5%")"# r#"{ bad_to_good = "5%" }"#;
    /// Share of messages lost in the bad state.
    bad "bad" value = r#"Loss::new().bad("5%")"# r#"{ bad = "5%" }"#;
} }

keys! { Link {
    /// One way.
    latency "latency" value = r#"Link::new().latency("exp(2ms)")"# r#"{ latency = "exp(2ms)" }"#;
    /// Which messages get lost.
    loss "loss" part Loss = r#"Link::new().loss(Loss::new().kind("independent"))"# r#"{ loss = { kind = "independent" } }"#;
    /// Share of messages handed over twice; the copy has a latency of its own.
    duplicate "duplicate" value = r#"Link::new().duplicate("5%")"# r#"{ duplicate = "5%" }"#;
    /// Share of messages that take a second latency; without effect on an ordered connection.
    reorder "reorder" value = r#"Link::new().reorder("5%")"# r#"{ reorder = "5%" }"#;
    /// Share of messages whose checksum fails: lost.
    corrupt "corrupt" value = r#"Link::new().corrupt("5%")"# r#"{ corrupt = "5%" }"#;
    /// Per pair of nodes and direction: messages queue for it.
    bandwidth "bandwidth" value = r#"Link::new().bandwidth("100Mbit/s")"# r#"{ bandwidth = "100Mbit/s" }"#;
    /// Bytes that may wait for `bandwidth`, per pair of nodes and direction; a message beyond is lost.
    buffer "buffer" value = r#"Link::new().buffer("64KiB")"# r#"{ buffer = "64KiB" }"#;
    /// tcp, http2, grpc: one ordered connection per pair of nodes, a loss becomes a delay; http1: a pool of connections, a loss delays one message; udp: lost is lost.
    transport "transport" value = r#"Link::new().transport("tcp")"# r#"{ transport = "tcp" }"#;
} }

keys! { Retry {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value = r#"Retry::new().like("other")"# r#"{ like = "other" }"#;
    /// Tries in all, the first included.
    attempts "attempts" value = r#"Retry::new().attempts(3)"# r#"{ attempts = 3 }"#;
    /// How long before the next try; else none.
    backoff "backoff" part Backoff = r#"Retry::new().backoff(Backoff::new().kind("constant"))"# r#"{ backoff = { kind = "constant" } }"#;
    /// The system errors after which it is tried again; business errors are final.
    retry_on "retry_on" value = r#"Retry::new().retry_on(["timeout"])"# r#"{ retry_on = ["timeout"] }"#;
    /// What limits retries as a whole, per node of the caller.
    budget "budget" part Budget = r#"Retry::new().budget(Budget::new().share("5%"))"# r#"{ budget = { share = "5%" } }"#;
} }

keys! { Backoff {
    /// How it grows.
    kind "kind" value = r#"Backoff::new().kind("constant")"# r#"{ kind = "constant" }"#;
    /// Before the second try.
    base "base" value = r#"Backoff::new().base("2s")"# r#"{ base = "2s" }"#;
    /// How many times as long each time.
    factor "factor" value = r#"Backoff::new().factor(3.5)"# r#"{ factor = 3.5 }"#;
    /// It is never longer than this.
    max "max" value = r#"Backoff::new().max("2s")"# r#"{ max = "2s" }"#;
    /// What is left to chance: nothing, all of it, half of it.
    jitter "jitter" value = r#"Backoff::new().jitter("none")"# r#"{ jitter = "none" }"#;
} }

keys! { Budget {
    /// Retries are at most this share of the caller's requests.
    share "share" value = r#"Budget::new().share("5%")"# r#"{ share = "5%" }"#;
    /// Each retry takes one of so many tokens.
    tokens "tokens" value = r#"Budget::new().tokens(3)"# r#"{ tokens = 3 }"#;
    /// New tokens.
    refill "refill" value = r#"Budget::new().refill("20/s")"# r#"{ refill = "20/s" }"#;
} }

keys! { Breaker {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value = r#"Breaker::new().like("other")"# r#"{ like = "other" }"#;
    /// It opens at this share of failures.
    failure_rate "failure_rate" value = r#"Breaker::new().failure_rate("5%")"# r#"{ failure_rate = "5%" }"#;
    /// It opens at this share of slow calls.
    slow_rate "slow_rate" value = r#"Breaker::new().slow_rate("5%")"# r#"{ slow_rate = "5%" }"#;
    /// A call this long is slow.
    slow_after "slow_after" value = r#"Breaker::new().slow_after("2s")"# r#"{ slow_after = "2s" }"#;
    /// It looks at so many calls, or at those of this last time.
    window "window" value = r#"Breaker::new().window("2s")"# r#"{ window = "2s" }"#;
    /// Fewer calls open nothing. Default: the window if it counts calls, else 20.
    min_calls "min_calls" value = r#"Breaker::new().min_calls(3)"# r#"{ min_calls = 3 }"#;
    /// How long it stays open.
    open_for "open_for" value = r#"Breaker::new().open_for("2s")"# r#"{ open_for = "2s" }"#;
    /// Calls let through when it is half open.
    trials "trials" value = r#"Breaker::new().trials(3)"# r#"{ trials = 3 }"#;
    /// At each node of the caller: one for each node of the callee, or one for all of it.
    scope "scope" value = r#"Breaker::new().scope("node")"# r#"{ scope = "node" }"#;
} }

keys! { Service {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value = r#"Service::new().like("other")"# r#"{ like = "other" }"#;
    /// Machines.
    nodes "nodes" value = r#"Service::new().nodes(3)"# r#"{ nodes = 3 }"#;
    /// Requests served at once, per node.
    workers "workers" value = r#"Service::new().workers(3)"# r#"{ workers = 3 }"#;
    /// `work` of more requests than these shares the CPU; else as workers.
    cores "cores" value = r#"Service::new().cores(3)"# r#"{ cores = 3 }"#;
    /// blocking: a request holds its worker until the reply; async: only during `work` and local state.
    mode "mode" value = r#"Service::new().mode("blocking")"# r#"{ mode = "blocking" }"#;
    /// The requests that wait for a worker.
    queue "queue" part ServiceQueue = r#"Service::new().queue(ServiceQueue::new().capacity(3))"# r#"{ queue = { capacity = 3 } }"#;
    /// The disk of each node.
    disk "disk" part Disk = r#"Service::new().disk(Disk::new().fsync("exp(2ms)"))"# r#"{ disk = { fsync = "exp(2ms)" } }"#;
    /// The clock of each node.
    clock "clock" part Clock = r#"Service::new().clock(Clock::new().drift("20ppm"))"# r#"{ clock = { drift = "20ppm" } }"#;
    /// The zone it is in.
    zone "zone" value = r#"Service::new().zone("shop")"# r#"{ zone = "shop" }"#;
    /// The zones of its nodes, dealt in turn.
    zones "zones" value = r#"Service::new().zones(["shop"])"# r#"{ zones = ["shop"] }"#;
    /// Not ours: random faults leave it alone.
    external "external" value = r#"Service::new().external(true)"# r#"{ external = true }"#;
    /// A built-in wrong behaviour, for tests.
    mutant "mutant" value = r#"Service::new().mutant("shop")"# r#"{ mutant = "shop" }"#;
    /// A process written in Rust plays its machines; `reply` and `fail` of its ops say what it can answer.
    process "process" value = r#"Service::new().process("shop")"# r#"{ process = "shop" }"#;
    /// Short form of one op, called `run`, that works this long.
    work "work" value = r#"Service::new().work("exp(2ms)")"# r#"{ work = "exp(2ms)" }"#;
    /// Short form of one op, called `run`, with these steps.
    steps "steps" list Step = r#"Service::new().steps([Step::work("exp(2ms)")])"# r#"{ steps = [{ work = "exp(2ms)" }] }"#;
    /// What it remembers, behind all its nodes.
    state "state" each State = r#"Service::new().state("x", State::new().kind("counter"))"# r#"{ state = { x = { kind = "counter" } } }"#;
    /// What it can be asked for.
    op "ops" each Op = r#"Service::new().op("x", Op::new().size("2KiB"))"# r#"{ ops = { x = { size = "2KiB" } } }"#;
    /// What it takes from queues and topics.
    consumer "consumers" each Consumer = r#"Service::new().consumer("x", Consumer::new().from("shop"))"# r#"{ consumers = { x = { from = "shop" } } }"#;
    /// How messages of its transactions leave.
    outbox "outbox" part Outbox = r#"Service::new().outbox(Outbox::new().relay("poll"))"# r#"{ outbox = { relay = "poll" } }"#;
    /// Work whose caller's deadline has passed is not begun; else it is.
    deadline_check "deadline_check" value = r#"Service::new().deadline_check(true)"# r#"{ deadline_check = true }"#;
} }

keys! { ServiceQueue {
    /// How many may wait, per node; those served do not count.
    capacity "capacity" value = r#"ServiceQueue::new().capacity(3)"# r#"{ capacity = 3 }"#;
    /// Who is served next.
    order "order" value = r#"ServiceQueue::new().order("fifo")"# r#"{ order = "fifo" }"#;
    /// What a full queue does: the newcomer or the oldest fails with `overload`.
    overflow "overflow" value = r#"ServiceQueue::new().overflow("reject")"# r#"{ overflow = "reject" }"#;
} }

keys! { Disk {
    /// How long a write takes to be durable.
    fsync "fsync" value = r#"Disk::new().fsync("exp(2ms)")"# r#"{ fsync = "exp(2ms)" }"#;
    /// What a write takes for its bytes, on top.
    throughput "throughput" value = r#"Disk::new().throughput("100Mbit/s")"# r#"{ throughput = "100Mbit/s" }"#;
    /// How long a write waits to gather more records.
    group_commit "group_commit" value = r#"Disk::new().group_commit("2s")"# r#"{ group_commit = "2s" }"#;
    /// A write that does not fit never ends.
    capacity "capacity" value = r#"Disk::new().capacity("64KiB")"# r#"{ capacity = "64KiB" }"#;
} }

keys! { Clock {
    /// How much faster it runs than true time, drawn for each node; its timers take 1 / (1 + drift) of their length.
    drift "drift" value = r#"Clock::new().drift("20ppm")"# r#"{ drift = "20ppm" }"#;
    /// What it shows at time 0, drawn for each node; `$now` reads it, timers do not.
    offset "offset" value = r#"Clock::new().offset("uniform(-5ms, 5ms)")"# r#"{ offset = "uniform(-5ms, 5ms)" }"#;
} }

keys! { State {
    /// counter: one integer per key; map: rows of named fields; list: values in their order.
    kind "kind" value = r#"State::new().kind("counter")"# r#"{ kind = "counter" }"#;
    /// Rows 0 … keys − 1 are there from the beginning; of a map none, if it is not written.
    keys "keys" value = r#"State::new().keys(3)"# r#"{ keys = 3 }"#;
    /// The first value of every row: a number, or the fields of a map's rows.
    initial "initial" value = r#"State::new().initial(10)"# r#"{ initial = 10 }"#;
} }

keys! { Op {
    /// Bytes of a request.
    size "size" value = r#"Op::new().size("2KiB")"# r#"{ size = "2KiB" }"#;
    /// Bytes of a reply.
    reply_size "reply_size" value = r#"Op::new().reply_size("2KiB")"# r#"{ reply_size = "2KiB" }"#;
    /// Its only step works this long.
    work "work" value = r#"Op::new().work("exp(2ms)")"# r#"{ work = "exp(2ms)" }"#;
    /// Its steps, one after the other.
    steps "steps" list Step = r#"Op::new().steps([Step::work("exp(2ms)")])"# r#"{ steps = [{ work = "exp(2ms)" }] }"#;
    /// A second one with this value (`true`: with this `$id`) has no effect, and gets the first's answer.
    idempotent "idempotent" value = r#"Op::new().idempotent("$amount")"# r#"{ idempotent = "$amount" }"#;
    /// Variables, drawn once per execution.
    var "vars" each = r#"Op::new().var("x", "int(0, 9)")"# r#"{ vars = { x = "int(0, 9)" } }"#;
} }

keys! { Consumer {
    /// A queue or a topic.
    from "from" value = r#"Consumer::new().from("shop")"# r#"{ from = "shop" }"#;
    /// Types of message it wants, others are acknowledged; else all.
    types "types" value = r#"Consumer::new().types(["shop"])"# r#"{ types = ["shop"] }"#;
    /// Unacknowledged at once, per node.
    prefetch "prefetch" value = r#"Consumer::new().prefetch(3)"# r#"{ prefetch = 3 }"#;
    /// after its steps, or before them: then a crash loses the message.
    ack "ack" value = r#"Consumer::new().ack("after")"# r#"{ ack = "after" }"#;
    /// It remembers the ids of messages in the transaction that has the effect.
    inbox "inbox" value = r#"Consumer::new().inbox(true)"# r#"{ inbox = true }"#;
    /// A second one with this value (`true`: with this `$id`) has no effect, and gets the first's answer.
    idempotent "idempotent" value = r#"Consumer::new().idempotent("$amount")"# r#"{ idempotent = "$amount" }"#;
    /// Who shares the messages of a topic; else the service.
    group "group" value = r#"Consumer::new().group("shop")"# r#"{ group = "shop" }"#;
    /// Its only step works this long.
    work "work" value = r#"Consumer::new().work("exp(2ms)")"# r#"{ work = "exp(2ms)" }"#;
    /// Its steps, one after the other.
    steps "steps" list Step = r#"Consumer::new().steps([Step::work("exp(2ms)")])"# r#"{ steps = [{ work = "exp(2ms)" }] }"#;
} }

keys! { Outbox {
    /// poll: the relay looks every so often; log_tail: it follows the log.
    relay "relay" value = r#"Outbox::new().relay("poll")"# r#"{ relay = "poll" }"#;
    /// Between two looks.
    every "every" value = r#"Outbox::new().every("2s")"# r#"{ every = "2s" }"#;
    /// Messages that the relay takes at once.
    batch "batch" value = r#"Outbox::new().batch(3)"# r#"{ batch = 3 }"#;
} }

keys! { Store {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value = r#"Store::new().like("other")"# r#"{ like = "other" }"#;
    /// single: one machine; leader_follower: a leader whose log the others copy; quorum: copies that vote.
    kind "kind" value = r#"Store::new().kind("single")"# r#"{ kind = "single" }"#;
    /// Machines.
    nodes "nodes" value = r#"Store::new().nodes(3)"# r#"{ nodes = 3 }"#;
    /// Which of them stands for election first.
    leader "leader" value = r#"Store::new().leader(3)"# r#"{ leader = 3 }"#;
    /// When a client is told that its change is done: leader, majority, all, or how many have it.
    acks "acks" value = r#"Store::new().acks("majority")"# r#"{ acks = "majority" }"#;
    /// Who answers a read; of a quorum: whom a client asks to coordinate.
    reads "reads" value = r#"Store::new().reads("leader")"# r#"{ reads = "leader" }"#;
    /// How often a leader is heard of.
    heartbeat "heartbeat" value = r#"Store::new().heartbeat("2s")"# r#"{ heartbeat = "2s" }"#;
    /// After what silence a machine stands for election.
    election_timeout "election_timeout" value = r#"Store::new().election_timeout("exp(2ms)")"# r#"{ election_timeout = "exp(2ms)" }"#;
    /// An older term is refused.
    fencing "fencing" value = r#"Store::new().fencing(true)"# r#"{ fencing = true }"#;
    /// After so many entries the log is cut.
    snapshot_every "snapshot_every" value = r#"Store::new().snapshot_every(3)"# r#"{ snapshot_every = 3 }"#;
    /// How long followers elect nobody else.
    lease "lease" value = r#"Store::new().lease("2s")"# r#"{ lease = "2s" }"#;
    /// Which clock times a lease: the one that only drifts, or the one that can be set.
    lease_clock "lease_clock" value = r#"Store::new().lease_clock("monotonic")"# r#"{ lease_clock = "monotonic" }"#;
    /// Copies of each key; else as many as nodes.
    replicas "replicas" value = r#"Store::new().replicas(3)"# r#"{ replicas = 3 }"#;
    /// Copies a read waits for; else more than half.
    read_quorum "read_quorum" value = r#"Store::new().read_quorum(3)"# r#"{ read_quorum = 3 }"#;
    /// Copies a write waits for; else more than half.
    write_quorum "write_quorum" value = r#"Store::new().write_quorum(3)"# r#"{ write_quorum = 3 }"#;
    /// async: copies that answer a read with something old are sent the newest.
    read_repair "read_repair" value = r#"Store::new().read_repair("none")"# r#"{ read_repair = "none" }"#;
    /// Which of two writes stays: that of the later clock.
    conflicts "conflicts" value = r#"Store::new().conflicts("last_writer_wins")"# r#"{ conflicts = "last_writer_wins" }"#;
    /// After this without an answer a client asks another machine; of a single store it waits.
    ask_again "ask_again" value = r#"Store::new().ask_again("2s")"# r#"{ ask_again = "2s" }"#;
    /// The disk of each node.
    disk "disk" part Disk = r#"Store::new().disk(Disk::new().fsync("exp(2ms)"))"# r#"{ disk = { fsync = "exp(2ms)" } }"#;
    /// The clock of each node.
    clock "clock" part Clock = r#"Store::new().clock(Clock::new().drift("20ppm"))"# r#"{ clock = { drift = "20ppm" } }"#;
    /// The zone it is in.
    zone "zone" value = r#"Store::new().zone("shop")"# r#"{ zone = "shop" }"#;
    /// The zones of its nodes, dealt in turn.
    zones "zones" value = r#"Store::new().zones(["shop"])"# r#"{ zones = ["shop"] }"#;
    /// Not ours: random faults leave it alone.
    external "external" value = r#"Store::new().external(true)"# r#"{ external = true }"#;
    /// A built-in wrong behaviour, for tests.
    mutant "mutant" value = r#"Store::new().mutant("shop")"# r#"{ mutant = "shop" }"#;
} }
