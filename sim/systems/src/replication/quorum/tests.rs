//! What a machine of a quorum store says, order by order. The client is node 9; node 0 speaks; N = 3, R = W = 2.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use kernel::{Effect, NodeId, Seed, Span};

use super::{Asked, Body, Message, Mutant, Node, Plan, Record, Repair, Request, Role, Row, Ticket, Version, Wish};
use crate::replication::keys::Session;
use crate::replication::routing::Choice;

const TICKET: Ticket = Ticket { session: Session::only(NodeId(9)), attempt: 1 };
const NOTHING: [&str; 0] = [];

fn plan(mutant: Option<Mutant>) -> Plan {
    let nodes = (0..3).map(NodeId).collect();
    Plan {
        store: 1,
        nodes,
        copies: 3,
        read: 2,
        write: 2,
        asked: Asked::All,
        repair: Repair::OnRead,
        coordinator: Choice::Any,
        timeout: Span::secs(1),
        mutant,
    }
}

fn version(clock: i64) -> Version {
    Version { clock, session: Session::only(NodeId(9)), number: clock as u64 }
}

fn row(clock: i64, value: Option<u64>) -> Row {
    Row { version: version(clock), value }
}

fn ask(clock: i64, wish: Wish) -> Body {
    Body::Ask(Request { version: version(clock), key: 4, wish })
}

struct Stage(Plan, Node);

impl Stage {
    fn new(mutant: Option<Mutant>, log: &[Record]) -> Self {
        let mut stage = Self(plan(mutant), Node::new(NodeId(0)));
        stage.1.start(&stage.0, log);
        stage
    }

    fn hear(&mut self, from: u32, body: Body) -> Vec<String> {
        let mut out: Vec<Effect<Role>> = Vec::new();
        let message = Message { from: NodeId(from), to: NodeId(0), ticket: TICKET, body };
        self.1.on_message(&self.0, message, &mut out);
        let (mut lines, mut waits) = (Vec::new(), "");
        for effect in &out {
            lines.push(match effect {
                Effect::Frame(frame) => {
                    waits = if *frame == self.0.frame(4) { " (forced)" } else { "" };
                    continue;
                }
                Effect::Send(to, message) => format!("send {} {}{waits}", to.0, said(&message.body)),
                Effect::Persist(Record { row, .. }) => format!("persist {}", short(Some(*row))),
                Effect::SetTimer(..) => "set Forget".into(),
                Effect::CancelTimer(_) => "cancel Forget".into(),
                Effect::Work(..)
                | Effect::Wake(_)
                | Effect::Output(_)
                | Effect::Fact(..)
                | Effect::Point(..)
                | Effect::Note(_)
                | Effect::Measure(_)
                | Effect::Disturbed(_) => unreachable!("a copy does none of this"),
            });
        }
        lines
    }
}

fn short(row: Option<Row>) -> String {
    row.map_or("nothing".into(), |row| format!("{:?}@{}", row.value, row.version.clock))
}

fn said(body: &Body) -> String {
    match body {
        Body::Ask(_) => unreachable!("a client says that"),
        Body::Answered { number, row } => format!("answer {number}: {}", short(*row)),
        Body::Put { row, .. } => format!("put {}", short(Some(*row))),
        Body::Kept => "kept".into(),
        Body::Get { .. } => "get".into(),
        Body::Has(row) => format!("has {}", short(*row)),
        Body::Mend { row, .. } => format!("mend {}", short(Some(*row))),
    }
}

#[test]
fn a_write_goes_to_all_copies_and_is_done_when_enough_have_it() {
    let mut stage = Stage::new(None, &[]);
    let puts = ["set Forget", "send 1 put Some(7)@5", "send 2 put Some(7)@5", "send 0 put Some(7)@5"];
    assert_eq!(stage.hear(9, ask(5, Wish::Write(7))), puts, "the ring of key 4 begins at node 1");
    assert_eq!(stage.hear(9, ask(5, Wish::Write(7))), NOTHING, "a copy of the message");
    assert_eq!(stage.hear(2, Body::Kept), NOTHING);
    assert_eq!(stage.hear(2, Body::Kept), NOTHING, "the same copy again");
    assert_eq!(stage.hear(0, Body::Kept), ["cancel Forget", "send 9 answer 5: Some(7)@5"]);
    assert_eq!((stage.hear(1, Body::Kept).len(), stage.1.unfinished()), (0, 0));
}

#[test]
fn a_copy_keeps_the_greatest_version_and_says_so_when_it_is_durable() {
    let put = |clock, value| Body::Put { key: 4, row: row(clock, value) };
    let mut stage = Stage::new(None, &[]);
    assert_eq!(stage.hear(1, put(5, Some(7))), ["persist Some(7)@5", "send 1 kept (forced)"]);
    assert_eq!(stage.hear(2, put(6, None)), ["persist None@6", "send 2 kept (forced)"]);
    assert_eq!(stage.hear(1, put(5, Some(7))), ["send 1 kept (forced)"], "older than the tombstone");
    assert_eq!(stage.hear(1, Body::Get { key: 4 }), ["send 1 has None@6 (forced)"]);
    let log = [6, 5].map(|clock| Record { key: 4, row: row(clock, Some(clock as u64)) });
    assert_eq!(Stage::new(None, &log).1.row(4), Some(row(6, Some(6))), "restarted");

    let mut mutant = Stage::new(Some(Mutant::Resurrect), &[]);
    for body in [put(5, Some(7)), put(6, None), put(5, Some(7))] {
        mutant.hear(1, body);
    }
    assert_eq!(mutant.1.row(4), Some(row(5, Some(7))), "back from the dead");
    assert_eq!(Stage::new(Some(Mutant::AckBeforeFsync), &[]).hear(1, put(5, Some(7)))[1], "send 1 kept");
}

#[test]
fn a_read_believes_the_newest_of_enough_answers_and_mends_the_others() {
    let mut stage = Stage::new(None, &[]);
    let (old, new) = (Some(row(5, Some(7))), Some(row(6, Some(8))));
    assert_eq!(stage.hear(9, ask(9, Wish::Read)), ["set Forget", "send 1 get", "send 2 get", "send 0 get"]);
    assert_eq!(stage.hear(1, Body::Has(old)), NOTHING);
    assert_eq!(stage.hear(2, Body::Has(new)), ["send 9 answer 9: Some(8)@6", "send 1 mend Some(8)@6"]);
    assert_eq!(stage.hear(0, Body::Has(None)), ["send 0 mend Some(8)@6", "cancel Forget"], "it comes late");
    assert_eq!(stage.hear(0, Body::Mend { key: 4, row: row(6, Some(8)) }), ["persist Some(8)@6"]);

    stage.hear(9, ask(10, Wish::Read));
    stage.hear(1, Body::Has(old));
    assert_eq!(stage.hear(0, Body::Has(old)), ["send 9 answer 10: Some(7)@5"]);
    let late = ["send 0 mend Some(8)@6", "send 1 mend Some(8)@6", "cancel Forget"];
    assert_eq!(stage.hear(2, Body::Has(new)), late, "the newest comes last: told is told, but all are mended");
}

#[test]
fn a_machine_that_mends_nothing_only_answers() {
    let mut stage = Stage(Plan { repair: Repair::None, ..plan(None) }, Node::new(NodeId(0)));
    stage.hear(9, ask(9, Wish::Read));
    stage.hear(1, Body::Has(None));
    assert_eq!(stage.hear(2, Body::Has(Some(row(6, None)))), ["send 9 answer 9: None@6"]);
    let said: Vec<String> = vec!["cancel Forget".into()];
    assert_eq!(stage.hear(0, Body::Has(None)), said);
}

#[test]
fn a_machine_that_asks_only_enough_copies_speaks_to_as_many_as_it_waits_for_and_to_each_as_often() {
    let key = Seed(0).key("store", "asked");
    let mut spoken = [0; 3];
    for clock in 0..300 {
        let mut stage = Stage(Plan { asked: Asked::Enough(key), ..plan(None) }, Node::new(NodeId(0)));
        let lines = stage.hear(9, ask(clock, Wish::Read));
        assert_eq!(lines.len(), 1 + 2, "{lines:?}");
        for copy in (0..3).filter(|copy| lines.contains(&format!("send {copy} get"))) {
            spoken[copy] += 1;
        }
    }
    // 200 of 300 each; a standard deviation is 8.
    assert!(spoken.iter().all(|times| (168..=232).contains(times)), "{spoken:?}");

    let mut stage = Stage(Plan { asked: Asked::Enough(key), ..plan(None) }, Node::new(NodeId(0)));
    stage.hear(9, ask(9, Wish::Read));
    stage.hear(1, Body::Has(None));
    assert_eq!(
        stage.hear(2, Body::Has(None)),
        ["send 9 answer 9: nothing", "cancel Forget"],
        "nobody else will answer"
    );
}
