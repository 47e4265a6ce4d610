//! Written by `tests/builder_keys.rs` from the tables of the grammar.

use super::{keys, verbs};

verbs! { Step {
    /// CPU time; uses a worker.
    work "work" value = r#"Step::work("exp(2ms)")"# r#"{ work = "exp(2ms)" }"#;
    /// Time without CPU.
    sleep "sleep" value = r#"Step::sleep("exp(2ms)")"# r#"{ sleep = "exp(2ms)" }"#;
    /// Asks a service, an op, `transactions.x` or `sagas.x`, and waits.
    call "call" value = r#"Step::call("shop.buy")"# r#"{ call = "shop.buy" }"#;
    /// The request fails with this business error.
    fail "fail" value = r#"Step::fail("sold_out")"# r#"{ fail = "sold_out" }"#;
    /// Answers now; later steps go on without the caller.
    reply "reply" value = r#"Step::reply("$amount")"# r#"{ reply = "$amount" }"#;
    /// One way or the other.
    when "when" value = r#"Step::when("$amount > 100")"# r#"{ when = "$amount > 100" }"#;
    /// The same steps several times; `$i` counts from 0.
    repeat "repeat" list Step = r#"Step::repeat([Step::work("exp(2ms)")])"# r#"{ repeat = [{ work = "exp(2ms)" }] }"#;
    /// Steps on the state of this service: all of them or none.
    transaction "transaction" list Step = r#"Step::transaction([Step::insert("shop.orders[$id]")])"# r#"{ transaction = [{ insert = "shop.orders[$id]" }] }"#;
    /// A new row of a map; fails if it is there.
    insert "insert" value = r#"Step::insert("shop.orders[$id]")"# r#"{ insert = "shop.orders[$id]" }"#;
    /// Changes a row: `accounts[$from]`.
    update "update" value = r#"Step::update("shop.orders[$id]")"# r#"{ update = "shop.orders[$id]" }"#;
    /// A row of a map, whether it is there or not.
    upsert "upsert" value = r#"Step::upsert("shop.orders[$id]")"# r#"{ upsert = "shop.orders[$id]" }"#;
    /// Takes a row out of a map, where it must be, or a key out of a store.
    delete "delete" value = r#"Step::delete("shop.orders[$id]")"# r#"{ delete = "shop.orders[$id]" }"#;
    /// Reads a row, or a key of a store; a missing one is null.
    read "read" value = r#"Step::read("shop.orders[$id]")"# r#"{ read = "shop.orders[$id]" }"#;
    /// A key of a store becomes `value` if it is `expected`; fails if it is not.
    cas "cas" value = r#"Step::cas("shop.orders[$id]")"# r#"{ cas = "shop.orders[$id]" }"#;
    /// Reads the rows of a map.
    scan "scan" value = r#"Step::scan("shop.orders")"# r#"{ scan = "shop.orders" }"#;
    /// A row of a counter, or a key of a store, becomes `value`.
    write "write" value = r#"Step::write("shop.orders[$id]")"# r#"{ write = "shop.orders[$id]" }"#;
    /// Puts `value` at the end of a list.
    append "append" value = r#"Step::append("shop.orders[$id]")"# r#"{ append = "shop.orders[$id]" }"#;
    /// Takes the first `value` out of a list; fails if there is none.
    remove "remove" value = r#"Step::remove("shop.orders[$id]")"# r#"{ remove = "shop.orders[$id]" }"#;
    /// A message to a queue, an exchange or a topic.
    publish "publish" value = r#"Step::publish("shop")"# r#"{ publish = "shop" }"#;
    /// The same, in a transaction: the relay sends it after the commit.
    outbox "outbox" value = r#"Step::outbox("shop")"# r#"{ outbox = "shop" }"#;
} }

keys! { Step {
    /// For traces and for paths.
    name "name" value = r#"Step::work("exp(2ms)").name("shop")"# r#"{ work = "exp(2ms)", name = "shop" }"#;
    /// Else the step is skipped.
    chance "chance" value = r#"Step::work("exp(2ms)").chance("5%")"# r#"{ work = "exp(2ms)", chance = "5%" }"#;
    /// Variables for the callee, besides those of the request.
    with "with" each = r#"Step::call("shop.buy").with("x", "$amount")"# r#"{ call = "shop.buy", with = { x = "$amount" } }"#;
    /// The variable that what was found goes into.
    into "into" value = r#"Step::call("shop.buy").into("seen")"# r#"{ call = "shop.buy", into = "seen" }"#;
    /// Per try.
    timeout "timeout" value = r#"Step::call("shop.buy").timeout("2s")"# r#"{ call = "shop.buy", timeout = "2s" }"#;
    /// How it is tried again: a policy or its name.
    retry "retry" part Retry = r#"Step::call("shop.buy").retry(Retry::new().attempts(3))"# r#"{ call = "shop.buy", retry = { attempts = 3 } }"#;
    /// When it is not even tried: a policy or its name.
    breaker "breaker" part Breaker = r#"Step::call("shop.buy").breaker(Breaker::new().failure_rate("5%"))"# r#"{ call = "shop.buy", breaker = { failure_rate = "5%" } }"#;
    /// none: the caller's deadline does not go with it; else it does.
    deadline "deadline" value = r#"Step::call("shop.buy").deadline("propagate")"# r#"{ call = "shop.buy", deadline = "propagate" }"#;
    /// With `call`: Bytes of the request, instead of what the op says. With `publish`, `outbox`: Bytes of the message, instead of what the queue says.
    size "size" value = r#"Step::call("shop.buy").size("2KiB")"# r#"{ call = "shop.buy", size = "2KiB" }"#;
    /// Bytes of the reply, instead of what the op says.
    reply_size "reply_size" value = r#"Step::call("shop.buy").reply_size("2KiB")"# r#"{ call = "shop.buy", reply_size = "2KiB" }"#;
    /// With `call`, `transaction`, `insert`, `update`, `upsert`, `delete`, `read`, `cas`, `write`, `remove`, `publish`: When it cannot be done: "fail" with the step's error, "skip" it, fail with this business error, or do these steps. With `when`: If it does not.
    else_ "else" list Step = r#"Step::call("shop.buy").else_([Step::work("exp(2ms)")])"# r#"{ call = "shop.buy", else = [{ work = "exp(2ms)" }] }"#;
    /// If it holds.
    then "then" list Step = r#"Step::when("$amount > 100").then([Step::work("exp(2ms)")])"# r#"{ when = "$amount > 100", then = [{ work = "exp(2ms)" }] }"#;
    /// How often.
    times "times" value = r#"Step::repeat([Step::work("exp(2ms)")]).times("int(0, 9)")"# r#"{ repeat = [{ work = "exp(2ms)" }], times = "int(0, 9)" }"#;
    /// With `insert`, `upsert`: Its fields. With `update`: Becomes this: a number, `"$x"`, or `"= $x * 2"`; of a map's row, these fields.
    set "set" value = r#"Step::insert("shop.orders[$id]").set("$amount")"# r#"{ insert = "shop.orders[$id]", set = "$amount" }"#;
    /// Adds this.
    add "add" value = r#"Step::update("shop.orders[$id]").add("$amount > 100")"# r#"{ update = "shop.orders[$id]", add = "$amount > 100" }"#;
    /// With `update`, `upsert`, `delete`: Only if this holds; else it fails. With `scan`: Which rows; bare names are their fields.
    if_ "if" value = r#"Step::update("shop.orders[$id]").if_("$amount > 100")"# r#"{ update = "shop.orders[$id]", if = "$amount > 100" }"#;
    /// What it must be; `none`: not there.
    expected "expected" value = r#"Step::cas("shop.orders[$id]").expected("$amount")"# r#"{ cas = "shop.orders[$id]", expected = "$amount" }"#;
    /// What is written, appended or taken out.
    value "value" value = r#"Step::cas("shop.orders[$id]").value("$amount")"# r#"{ cas = "shop.orders[$id]", value = "$amount" }"#;
    /// At most so many, in the order of their keys.
    max "max" value = r#"Step::scan("shop.orders").max(3)"# r#"{ scan = "shop.orders", max = 3 }"#;
    /// What exchanges route by, and what orders messages; else the request's id.
    key "key" value = r#"Step::publish("shop").key("$amount")"# r#"{ publish = "shop", key = "$amount" }"#;
    /// What consumers and sagas choose by.
    type_ "type" value = r#"Step::publish("shop").type_("$amount")"# r#"{ publish = "shop", type = "$amount" }"#;
    /// It waits until the broker has it.
    confirm "confirm" value = r#"Step::publish("shop").confirm(true)"# r#"{ publish = "shop", confirm = true }"#;
    /// How often, compared with the others.
    weight "weight" value = r#"Step::work("exp(2ms)").weight(2.5)"# r#"{ work = "exp(2ms)", weight = 2.5 }"#;
} }

keys! { Workload {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value = r#"Workload::new().like("other")"# r#"{ like = "other" }"#;
    /// Open loop: operations begin at this rate.
    rate "rate" value = r#"Workload::new().rate("20/s")"# r#"{ rate = "20/s" }"#;
    /// Closed loop: each has one operation at a time.
    users "users" value = r#"Workload::new().users(3)"# r#"{ users = 3 }"#;
    /// Operations begin at these times.
    trace "trace" value = r#"Workload::new().trace(["1s", "1500ms"])"# r#"{ trace = ["1s", "1500ms"] }"#;
    /// How an open loop spreads its arrivals.
    arrivals "arrivals" value = r#"Workload::new().arrivals("poisson")"# r#"{ arrivals = "poisson" }"#;
    /// Between an answer and the user's next operation.
    think "think" value = r#"Workload::new().think("exp(2ms)")"# r#"{ think = "exp(2ms)" }"#;
    /// It begins here.
    start "start" value = r#"Workload::new().start("2s")"# r#"{ start = "2s" }"#;
    /// It ends here. Default: `run.duration`.
    stop "stop" value = r#"Workload::new().stop("2s")"# r#"{ stop = "2s" }"#;
    /// What each operation calls.
    target "target" value = r#"Workload::new().target("shop.buy")"# r#"{ target = "shop.buy" }"#;
    /// What each operation does at stores, one after the other.
    steps "steps" list Step = r#"Workload::new().steps([Step::read("shop.orders[$id]")])"# r#"{ steps = [{ read = "shop.orders[$id]" }] }"#;
    /// Each operation is one of these, by their weights.
    mix "mix" list Step = r#"Workload::new().mix([Step::read("shop.orders[$id]")])"# r#"{ mix = [{ read = "shop.orders[$id]" }] }"#;
    /// How the whole operation is called.
    client "client" part Client = r#"Workload::new().client(Client::new().timeout("2s"))"# r#"{ client = { timeout = "2s" } }"#;
    /// How the load changes, one after the other; the last holds.
    stages "stages" list Stage = r#"Workload::new().stages([Stage::new().to("20/s")])"# r#"{ stages = [{ to = "20/s" }] }"#;
    /// Only these operations, by number from 0, or with the times at which they begin; nobody else's draws change.
    only "only" value = r#"Workload::new().only([3])"# r#"{ only = [3] }"#;
    /// Identities of an open loop; else each operation its own.
    clients "clients" value = r#"Workload::new().clients(3)"# r#"{ clients = 3 }"#;
    /// Variables, drawn once per operation.
    var "vars" each = r#"Workload::new().var("x", "int(0, 9)")"# r#"{ vars = { x = "int(0, 9)" } }"#;
    /// The zone it is in.
    zone "zone" value = r#"Workload::new().zone("shop")"# r#"{ zone = "shop" }"#;
} }

keys! { Client {
    /// Per try.
    timeout "timeout" value = r#"Client::new().timeout("2s")"# r#"{ timeout = "2s" }"#;
    /// How it is tried again: a policy or its name.
    retry "retry" part Retry = r#"Client::new().retry(Retry::new().attempts(3))"# r#"{ retry = { attempts = 3 } }"#;
    /// When it is not even tried: a policy or its name.
    breaker "breaker" part Breaker = r#"Client::new().breaker(Breaker::new().failure_rate("5%"))"# r#"{ breaker = { failure_rate = "5%" } }"#;
    /// none: the caller's deadline does not go with it; else it does.
    deadline "deadline" value = r#"Client::new().deadline("propagate")"# r#"{ deadline = "propagate" }"#;
    /// Bytes of the request, instead of what the op says.
    size "size" value = r#"Client::new().size("2KiB")"# r#"{ size = "2KiB" }"#;
    /// Bytes of the reply, instead of what the op says.
    reply_size "reply_size" value = r#"Client::new().reply_size("2KiB")"# r#"{ reply_size = "2KiB" }"#;
} }

keys! { Stage {
    /// The rate, or the number of users, that it leads to, evenly.
    to "to" value = r#"Stage::new().to("20/s")"# r#"{ to = "20/s" }"#;
    /// How long that takes.
    over "over" value = r#"Stage::new().over("2s")"# r#"{ over = "2s" }"#;
    /// Nothing changes for this long.
    hold "hold" value = r#"Stage::new().hold("2s")"# r#"{ hold = "2s" }"#;
} }

keys! { Chaos {
    /// How hard; swarm takes each family of faults in or out by the seed; exhaustive: a crash at one (point, nth) per run, one after the other over the seeds of a sweep; else none.
    profile "profile" value = r#"Chaos::new().profile("none")"# r#"{ profile = "none" }"#;
    /// Only these sorts of faults; else all that the profile has.
    families "families" value = r#"Chaos::new().families(["crash"])"# r#"{ families = ["crash"] }"#;
    /// Only these services, stores and brokers; else all that are ours.
    targets "targets" value = r#"Chaos::new().targets(["shop"])"# r#"{ targets = ["shop"] }"#;
    /// So many at once; what is more is skipped.
    max_concurrent "max_concurrent" value = r#"Chaos::new().max_concurrent(3)"# r#"{ max_concurrent = 3 }"#;
    /// Stores of which more than half of the machines are always left alone; else all of several machines.
    keep_quorum "keep_quorum" value = r#"Chaos::new().keep_quorum(["shop"])"# r#"{ keep_quorum = ["shop"] }"#;
    /// At these points; else at all.
    points "points" value = r#"Chaos::new().points(["2pc.coordinator.before_prepare_sent"])"# r#"{ points = ["2pc.coordinator.before_prepare_sent"] }"#;
    /// Which occurrences of a point; else the first.
    nth "nth" value = r#"Chaos::new().nth("int(0, 9)")"# r#"{ nth = "int(0, 9)" }"#;
    /// How long each fault lasts; else until heal.
    for_ "for" value = r#"Chaos::new().for_("exp(2ms)")"# r#"{ for = "exp(2ms)" }"#;
} }

keys! { Fault {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value = r#"Fault::new().like("other")"# r#"{ like = "other" }"#;
    /// What goes wrong.
    kind "kind" value = r#"Fault::new().kind("crash")"# r#"{ kind = "crash" }"#;
    /// What it acts on: nodes; links or nodes for a loss and for duplicates; queues and topics for redelivery.
    target "target" value = r#"Fault::new().target("shop[0]")"# r#"{ target = "shop[0]" }"#;
    /// It strikes once, at this time.
    at "at" value = r#"Fault::new().at("exp(2ms)")"# r#"{ at = "exp(2ms)" }"#;
    /// It strikes again and again within its window.
    every "every" value = r#"Fault::new().every("2s")"# r#"{ every = "2s" }"#;
    /// It strikes at random times at this rate within its window.
    rate "rate" value = r#"Fault::new().rate("20/s")"# r#"{ rate = "20/s" }"#;
    /// It strikes when a protocol reaches this point.
    point "point" value = r#"Fault::new().point("2pc.coordinator.before_prepare_sent")"# r#"{ point = "2pc.coordinator.before_prepare_sent" }"#;
    /// It strikes some time after another fault did.
    after "after" part After = r#"Fault::new().after(After::new().fault("shop"))"# r#"{ after = { fault = "shop" } }"#;
    /// It strikes exactly so and not otherwise: what random ones came to, written down.
    instances "instances" list Instance = r#"Fault::new().instances([Instance::new().n(3)])"# r#"{ instances = [{ n = 3 }] }"#;
    /// Where it may strike. Default: from warm-up to heal.
    window "window" value = r#"Fault::new().window("3s..5s")"# r#"{ window = "3s..5s" }"#;
    /// Whose point: `transactions.transfer`, `orders.place`, `sagas.checkout.charge`.
    of "of" value = r#"Fault::new().of("transactions.transfer")"# r#"{ of = "transactions.transfer" }"#;
    /// Which occurrence of the point; else the first.
    nth "nth" value = r#"Fault::new().nth("int(0, 9)")"# r#"{ nth = "int(0, 9)" }"#;
    /// Whether it strikes; for a loss, duplicates and redelivery, the share of messages.
    chance "chance" value = r#"Fault::new().chance("5%")"# r#"{ chance = "5%" }"#;
    /// How long each instance lasts; else until heal.
    for_ "for" value = r#"Fault::new().for_("exp(2ms)")"# r#"{ for = "exp(2ms)" }"#;
    /// What a crash loses.
    loses "loses" value = r#"Fault::new().loses(["memory"])"# r#"{ loses = ["memory"] }"#;
    /// How many times as long its CPUs need.
    factor "factor" value = r#"Fault::new().factor(2.5)"# r#"{ factor = 2.5 }"#;
    /// Sides that cannot reach each other; one side: it against all others.
    split "split" value = r#"Fault::new().split([["shop[0]"], ["shop[1]"]])"# r#"{ split = [["shop[0]"], ["shop[1]"]] }"#;
    /// Which way is cut, seen from the first side.
    direction "direction" value = r#"Fault::new().direction("both")"# r#"{ direction = "both" }"#;
    /// What happens to messages on the wire.
    wire "wire" value = r#"Fault::new().wire("drop")"# r#"{ wire = "drop" }"#;
    /// By how much a clock is set, ahead or back (`"-500ms"`); drawn for each machine.
    offset "offset" value = r#"Fault::new().offset("uniform(-5ms, 5ms)")"# r#"{ offset = "uniform(-5ms, 5ms)" }"#;
    /// No effect is an error, not a warning.
    require_effect "require_effect" value = r#"Fault::new().require_effect(true)"# r#"{ require_effect = true }"#;
} }

keys! { After {
    /// That fault.
    fault "fault" value = r#"After::new().fault("shop")"# r#"{ fault = "shop" }"#;
    /// How long after it began.
    delay "delay" value = r#"After::new().delay("exp(2ms)")"# r#"{ delay = "exp(2ms)" }"#;
} }

keys! { Instance {
    /// Its number, which its draws are keyed with; else its place.
    n "n" value = r#"Instance::new().n(3)"# r#"{ n = 3 }"#;
    /// When it begins.
    at "at" value = r#"Instance::new().at("2s")"# r#"{ at = "2s" }"#;
    /// How long it lasts; else until heal.
    for_ "for" value = r#"Instance::new().for_("2s")"# r#"{ for = "2s" }"#;
    /// Whom it hits; else those of the fault.
    target "target" value = r#"Instance::new().target("shop[0]")"# r#"{ target = "shop[0]" }"#;
    /// The sides of a partition; else those of the fault.
    split "split" value = r#"Instance::new().split([["shop[0]"], ["shop[1]"]])"# r#"{ split = [["shop[0]"], ["shop[1]"]] }"#;
    /// The messages that are lost, copied or delivered again; else by `chance`.
    hits "hits" value = r#"Instance::new().hits(["7/2/0"])"# r#"{ hits = ["7/2/0"] }"#;
    /// By how much a clock is set; else as the fault says.
    offset "offset" value = r#"Instance::new().offset("uniform(-5ms, 5ms)")"# r#"{ offset = "uniform(-5ms, 5ms)" }"#;
} }
