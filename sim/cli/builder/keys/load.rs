//! Written by `tests/builder_keys.rs` from the tables of the grammar.

use super::{keys, verbs};

verbs! { Step {
    /// CPU time; uses a worker.
    work "work" value;
    /// Time without CPU.
    sleep "sleep" value;
    /// Asks a service, an op, `transactions.x` or `sagas.x`, and waits.
    call "call" value;
    /// The request fails with this business error.
    fail "fail" value;
    /// Answers now; later steps go on without the caller.
    reply "reply" value;
    /// One way or the other.
    when "when" value;
    /// The same steps several times; `$i` counts from 0.
    repeat "repeat" list Step;
    /// Steps on the state of this service: all of them or none.
    transaction "transaction" list Step;
    /// A new row of a map; fails if it is there.
    insert "insert" value;
    /// Changes a row: `accounts[$from]`.
    update "update" value;
    /// A row of a map, whether it is there or not.
    upsert "upsert" value;
    /// Takes a row out of a map, where it must be, or a key out of a store.
    delete "delete" value;
    /// Reads a row, or a key of a store; a missing one is null.
    read "read" value;
    /// A key of a store becomes `value` if it is `expected`; fails if it is not.
    cas "cas" value;
    /// Reads the rows of a map.
    scan "scan" value;
    /// A row of a counter, or a key of a store, becomes `value`.
    write "write" value;
    /// Puts `value` at the end of a list.
    append "append" value;
    /// Takes the first `value` out of a list; fails if there is none.
    remove "remove" value;
    /// A message to a queue, an exchange or a topic.
    publish "publish" value;
    /// The same, in a transaction: the relay sends it after the commit.
    outbox "outbox" value;
} }

keys! { Step {
    /// For traces and for paths.
    name "name" value;
    /// Else the step is skipped.
    chance "chance" value;
    /// Variables for the callee, besides those of the request.
    with "with" each;
    /// The variable that what was found goes into.
    into "into" value;
    /// Per try.
    timeout "timeout" value;
    /// How it is tried again: a policy or its name.
    retry "retry" part Retry;
    /// When it is not even tried: a policy or its name.
    breaker "breaker" part Breaker;
    /// none: the caller's deadline does not go with it; else it does.
    deadline "deadline" value;
    /// With `call`: Bytes of the request, instead of what the op says. With `publish`, `outbox`: Bytes of the message, instead of what the queue says.
    size "size" value;
    /// Bytes of the reply, instead of what the op says.
    reply_size "reply_size" value;
    /// With `call`, `transaction`, `insert`, `update`, `upsert`, `delete`, `read`, `cas`, `write`, `remove`, `publish`: When it cannot be done: "fail" with the step's error, "skip" it, fail with this business error, or do these steps. With `when`: If it does not.
    else_ "else" list Step;
    /// If it holds.
    then "then" list Step;
    /// How often.
    times "times" value;
    /// With `insert`, `upsert`: Its fields. With `update`: Becomes this: a number, `"$x"`, or `"= $x * 2"`; of a map's row, these fields.
    set "set" value;
    /// Adds this.
    add "add" value;
    /// With `update`, `upsert`, `delete`: Only if this holds; else it fails. With `scan`: Which rows; bare names are their fields.
    if_ "if" value;
    /// What it must be; `none`: not there.
    expected "expected" value;
    /// What is written, appended or taken out.
    value "value" value;
    /// At most so many, in the order of their keys.
    max "max" value;
    /// What exchanges route by, and what orders messages; else the request's id.
    key "key" value;
    /// What consumers and sagas choose by.
    type_ "type" value;
    /// It waits until the broker has it.
    confirm "confirm" value;
    /// How often, compared with the others.
    weight "weight" value;
} }

keys! { Workload {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value;
    /// Open loop: operations begin at this rate.
    rate "rate" value;
    /// Closed loop: each has one operation at a time.
    users "users" value;
    /// Operations begin at these times.
    trace "trace" value;
    /// How an open loop spreads its arrivals.
    arrivals "arrivals" value;
    /// Between an answer and the user's next operation.
    think "think" value;
    /// It begins here.
    start "start" value;
    /// It ends here. Default: `run.duration`.
    stop "stop" value;
    /// What each operation calls.
    target "target" value;
    /// What each operation does at stores, one after the other.
    steps "steps" list Step;
    /// Each operation is one of these, by their weights.
    mix "mix" list Step;
    /// How the whole operation is called.
    client "client" part Client;
    /// How the load changes, one after the other; the last holds.
    stages "stages" list Stage;
    /// Only these operations, by number from 0, or with the times at which they begin; nobody else's draws change.
    only "only" value;
    /// Identities of an open loop; else each operation its own.
    clients "clients" value;
    /// Variables, drawn once per operation.
    var "vars" each;
    /// The zone it is in.
    zone "zone" value;
} }

keys! { Client {
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

keys! { Stage {
    /// The rate, or the number of users, that it leads to, evenly.
    to "to" value;
    /// How long that takes.
    over "over" value;
    /// Nothing changes for this long.
    hold "hold" value;
} }

keys! { Chaos {
    /// How hard; swarm takes each family of faults in or out by the seed; exhaustive: a crash at one (point, nth) per run, one after the other over the seeds of a sweep; else none.
    profile "profile" value;
    /// Only these sorts of faults; else all that the profile has.
    families "families" value;
    /// Only these services, stores and brokers; else all that are ours.
    targets "targets" value;
    /// So many at once; what is more is skipped.
    max_concurrent "max_concurrent" value;
    /// Stores of which more than half of the machines are always left alone; else all of several machines.
    keep_quorum "keep_quorum" value;
    /// At these points; else at all.
    points "points" value;
    /// Which occurrences of a point; else the first.
    nth "nth" value;
    /// How long each fault lasts; else until heal.
    for_ "for" value;
} }

keys! { Fault {
    /// Copies a sibling; this table is merged on top of it.
    like "like" value;
    /// What goes wrong.
    kind "kind" value;
    /// What it acts on: nodes; links or nodes for a loss and for duplicates; queues and topics for redelivery.
    target "target" value;
    /// It strikes once, at this time.
    at "at" value;
    /// It strikes again and again within its window.
    every "every" value;
    /// It strikes at random times at this rate within its window.
    rate "rate" value;
    /// It strikes when a protocol reaches this point.
    point "point" value;
    /// It strikes some time after another fault did.
    after "after" part After;
    /// It strikes exactly so and not otherwise: what random ones came to, written down.
    instances "instances" list Instance;
    /// Where it may strike. Default: from warm-up to heal.
    window "window" value;
    /// Whose point: `transactions.transfer`, `orders.place`, `sagas.checkout.charge`.
    of "of" value;
    /// Which occurrence of the point; else the first.
    nth "nth" value;
    /// Whether it strikes; for a loss, duplicates and redelivery, the share of messages.
    chance "chance" value;
    /// How long each instance lasts; else until heal.
    for_ "for" value;
    /// What a crash loses.
    loses "loses" value;
    /// How many times as long its CPUs need.
    factor "factor" value;
    /// Sides that cannot reach each other; one side: it against all others.
    split "split" value;
    /// Which way is cut, seen from the first side.
    direction "direction" value;
    /// What happens to messages on the wire.
    wire "wire" value;
    /// By how much a clock is set, ahead or back (`"-500ms"`); drawn for each machine.
    offset "offset" value;
    /// No effect is an error, not a warning.
    require_effect "require_effect" value;
} }

keys! { After {
    /// That fault.
    fault "fault" value;
    /// How long after it began.
    delay "delay" value;
} }

keys! { Instance {
    /// Its number, which its draws are keyed with; else its place.
    n "n" value;
    /// When it begins.
    at "at" value;
    /// How long it lasts; else until heal.
    for_ "for" value;
    /// Whom it hits; else those of the fault.
    target "target" value;
    /// The sides of a partition; else those of the fault.
    split "split" value;
    /// The messages that are lost, copied or delivered again; else by `chance`.
    hits "hits" value;
    /// By how much a clock is set; else as the fault says.
    offset "offset" value;
} }
