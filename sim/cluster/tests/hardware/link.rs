//! What a link does to messages besides delaying them (docs/semantics.md, rule 12).

use cluster::{Bandwidth, FaultKind, Link, LinkTarget, Loss, Passage, Reason, Target, Transport};
use kernel::{Distribution, Span};

use crate::puppet::*;

fn jitter() -> Distribution {
    Distribution::uniform(0.0, 20e6).expect("0 is less than 20 ms")
}

/// Messages 1 to `count`, sent at once over a link of 1 ms that was changed.
fn sent(count: u64, transport: Transport, change: impl Fn(&mut Link)) -> Stage {
    let stage = stage(2).link(constant(ms(1)), 0.0, transport).links(change);
    stage.on(0, Cue::Start, (1..=count).map(|n| send(1, n)).collect())
}

#[test]
fn a_share_of_messages_is_handed_over_twice_and_the_copy_has_its_own_latency() {
    let twice = |link: &mut Link| (link.duplicate, link.latency) = (0.25, jitter());
    let (world, notebook) = sent(20_000, Transport::Udp, twice).run();
    let copies = messages(&world, 1).len() - 20_000;
    // Binomial: 4 sigma are 4 · sqrt(20 000 · 0.25 · 0.75) = 245.
    assert!((4_755..=5_245).contains(&copies), "{copies}");
    assert_eq!(notebook.times(|line| matches!(line, Line::Message(Passage::Duplicated, _))).len(), copies);
    let apart = |n| {
        let times: Vec<u64> =
            heard(&world, 1).iter().filter(|(_, cue)| *cue == Cue::Hear(n)).map(|(t, _)| *t).collect();
        times.len() == 2 && times[0] != times[1]
    };
    assert!((1..=20_000).filter(|&n| apart(n)).count() > copies - 5, "copies that arrive with their original are rare");
}

#[test]
fn copies_keep_the_order_of_tcp() {
    let (world, _) = sent(500, Transport::Tcp, |link| (link.duplicate, link.latency) = (0.5, jitter())).run();
    let mut first: Vec<u64> = Vec::new();
    for n in messages(&world, 1) {
        assert!(first.len() as u64 >= n - 1, "{n} overtook its predecessor");
        if n == first.len() as u64 + 1 {
            first.push(n);
        }
    }
    assert_eq!(first.len(), 500);
    assert!(messages(&world, 1).len() > 650);
}

#[test]
fn a_duplicate_fault_copies_a_share_of_messages_on_its_links_while_it_lasts() {
    let storm = |transport, links: Vec<LinkTarget>, nodes: &[u32]| {
        let all = || (1..=20_000).map(|n| send(1, n)).collect();
        let stage = sent(0, transport, |link| link.latency = jitter()).on(0, Cue::Start, ready());
        let twice = FaultKind::Duplicate { chance: 0.25, links };
        let stage = stage.on(0, READY, all()).on(0, Cue::Start, vec![timer(98, ms(40))]).on(0, Cue::Timer(98), all());
        stage.fault(fault("twice", twice, nodes, ms(0), ms(30))).run().0
    };
    for transport in [Transport::Udp, Transport::Pool, Transport::Tcp] {
        let world = storm(transport, Vec::new(), &[1]);
        let copies = messages(&world, 1).len() - 40_000;
        // Binomial: 4 sigma are 4 · sqrt(20 000 · 0.25 · 0.75) = 245. After 30 ms there are none.
        assert!((4_755..=5_245).contains(&copies), "{copies}");
        assert_eq!(world.ledger()[0].impact.messages_duplicated, copies as u64);
    }
    let always = FaultKind::Duplicate { chance: 1.0, links: Vec::new() };
    let stage = sent(0, Transport::Tcp, |_| {}).on(0, Cue::Start, ready()).on(0, READY, vec![send(1, 1), send(1, 2)]);
    let (world, _) = stage.fault(fault("always", always, &[0], ms(0), ms(5))).run();
    assert_eq!((messages(&world, 1), world.unfinished()), (vec![1, 1, 2, 2], 0), "also on tcp, in order");
    let mut times: Vec<Vec<u64>> = vec![Vec::new(); 20_001];
    for (time, cue) in heard(&storm(Transport::Udp, Vec::new(), &[0]), 1) {
        if let Cue::Hear(n) = cue
            && time < 40_000
        {
            times[n as usize].push(time);
        }
    }
    let pairs: Vec<f64> = times.iter().filter(|t| t.len() == 2).map(|t| (t[1] - t[0]) as f64).collect();
    // Two uniform latencies of 0 to 20 ms lie a third of that apart on average; sigma is 20 ms / sqrt(18).
    let (mean, sigma) = (pairs.iter().sum::<f64>() / pairs.len() as f64, 20_000.0 / (18.0 * pairs.len() as f64).sqrt());
    assert!((mean - 20_000.0 / 3.0).abs() < 4.0 * sigma, "{mean} ± {sigma}");
    let back = LinkTarget { from: vec![Target::All(ids(&[1]))], to: vec![Target::All(ids(&[0]))] };
    assert!(!storm(Transport::Udp, vec![back], &[]).ledger()[0].impact.effective(), "nothing went the other way");
}

#[test]
fn a_reordered_message_takes_a_second_latency_and_tcp_hides_it() {
    let late = |transport| {
        let (world, _) = sent(20_000, transport, |link| link.reorder = 0.1).run();
        let times: Vec<u64> = heard(&world, 1)[1..].iter().map(|(time, _)| *time).collect();
        assert!(times.iter().all(|time| [1_000, 2_000].contains(time)));
        times.into_iter().filter(|time| *time == 2_000).count()
    };
    // Binomial: 4 sigma are 4 · sqrt(20 000 · 0.1 · 0.9) = 170.
    assert!((1_830..=2_170).contains(&late(Transport::Udp)));
    assert!((1_830..=2_170).contains(&late(Transport::Pool)));
    assert_eq!(late(Transport::Tcp), 0);
}

#[test]
fn what_is_corrupt_is_a_loss_with_a_reason_of_its_own() {
    let (world, notebook) = sent(20_000, Transport::Udp, |link| link.corrupt = 0.1).run();
    let corrupt = notebook.dropped(Reason::Corrupt);
    assert!((1_830..=2_170).contains(&corrupt), "{corrupt}");
    assert_eq!(messages(&world, 1).len() + corrupt, 20_000);
    let (world, notebook) = sent(300, Transport::Tcp, |link| link.corrupt = 0.1).run();
    assert_eq!(messages(&world, 1), (1..=300).collect::<Vec<_>>(), "tcp sends it again");
    assert!(!notebook.times(|line| matches!(line, Line::Message(Passage::Lost(Reason::Corrupt), _))).is_empty());
}

/// Which of so many messages got through.
fn through(count: u64, loss: Loss) -> Vec<bool> {
    let (world, _) = sent(count, Transport::Udp, |link| link.loss = loss).run();
    let mut arrived = vec![false; count as usize];
    for n in messages(&world, 1) {
        arrived[n as usize - 1] = true;
    }
    arrived
}

#[test]
fn bursts_of_loss_have_the_rate_and_the_length_of_their_chain() {
    let (good_to_bad, bad_to_good, count) = (0.02, 0.2, 100_000_u32);
    let stationary = good_to_bad / (good_to_bad + bad_to_good);
    // A chain remembers: its mean varies by (1 + r) / (1 - r) more than that of independent losses.
    let memory = 1.0 - good_to_bad - bad_to_good;
    let chain = f64::from(count) * stationary * (1.0 - stationary) * (1.0 + memory) / (1.0 - memory);
    for bad in [1.0, 0.5] {
        let arrived = through(count.into(), Loss::Bursts { good_to_bad, bad_to_good, bad });
        let lost = arrived.iter().filter(|arrived| !**arrived).count() as f64;
        let mean = f64::from(count) * stationary * bad;
        let sigma = (bad * bad * chain + mean * (1.0 - bad)).sqrt();
        assert!((lost - mean).abs() < 4.0 * sigma, "{lost} instead of {mean} ± {sigma}");
        if bad < 1.0 {
            continue;
        }
        let bursts: Vec<usize> = arrived.split(|a| *a).map(<[bool]>::len).filter(|length| *length > 0).collect();
        let length = lost / bursts.len() as f64;
        // Geometric with mean 5.
        let sigma = (1.0 - bad_to_good).sqrt() / bad_to_good / (bursts.len() as f64).sqrt();
        assert!((length - 1.0 / bad_to_good).abs() < 4.0 * sigma, "{length} ± {sigma}");
    }
    let never = Loss::Bursts { good_to_bad: 0.0, bad_to_good: 0.0, bad: 1.0 };
    assert!(through(1_000, never).into_iter().all(|arrived| arrived));
}

/// 100 bytes take 100 ms.
fn narrow(link: &mut Link) {
    link.bandwidth = Bandwidth::bits_per_second(8_000);
}

#[test]
fn limited_bandwidth_is_a_queue_for_each_pair_and_direction() {
    let (world, _) = stage(3)
        .links(narrow)
        .on(0, Cue::Start, vec![send(1, 1), send(1, 2), send(1, 3), send(2, 4), timer(1, ms(250))])
        .on(0, Cue::Timer(1), vec![send(1, 5)])
        .on(1, Cue::Start, vec![send(0, 6)])
        .run();
    let arrivals = [(101_000, 1), (201_000, 2), (301_000, 3), (401_000, 5)];
    assert_eq!(heard(&world, 1)[1..], arrivals.map(|(time, n)| (time, Cue::Hear(n))));
    assert_eq!((heard(&world, 2)[1], heard(&world, 0)[1]), ((101_000, Cue::Hear(4)), (101_000, Cue::Hear(6))));
}

#[test]
fn what_finds_the_buffer_full_is_lost() {
    let full = |link: &mut Link| {
        narrow(link);
        link.buffer = Some(250);
    };
    let script = |transport| {
        let stage = sent(3, transport, full).on(0, Cue::Start, vec![timer(1, ms(60))]);
        stage.on(0, Cue::Timer(1), vec![send(1, 4)]).run()
    };
    let (world, notebook) = script(Transport::Udp);
    // After 60 ms 140 bytes wait, and 100 more fit.
    assert_eq!(messages(&world, 1), [1, 2, 4]);
    assert_eq!(notebook.dropped(Reason::BufferFull), 1);
    let (world, _) = script(Transport::Tcp);
    assert_eq!(messages(&world, 1), [1, 2, 3, 4]);
    assert_eq!(heard(&world, 1)[3..], [(301_000, Cue::Hear(3)), (401_000, Cue::Hear(4))], "sent again at 200 ms");
    let (world, _) = sent(1, Transport::Udp, |link| {
        narrow(link);
        link.buffer = Some(1);
    })
    .run();
    assert_eq!(messages(&world, 1), [1], "an idle line takes any message");
}

#[test]
fn deleting_one_operation_leaves_what_the_link_does_to_all_others() {
    let run = |numbers: Vec<u64>| {
        let messy = |link: &mut Link| {
            (link.duplicate, link.reorder, link.corrupt) = (0.1, 0.1, 0.1);
            link.latency = jitter();
        };
        let say = numbers.into_iter().map(|n| send(1, n)).collect();
        let stage = stage(2).link(jitter(), 0.1, Transport::Udp).links(messy).on(0, Cue::Start, say);
        let mut heard = heard(&stage.run().0, 1)[1..].to_vec();
        heard.sort_unstable_by_key(|(time, cue)| (*cue, *time));
        heard
    };
    let mut all = run((1..=200).collect());
    all.retain(|(_, cue)| *cue != Cue::Hear(77));
    assert_eq!(run((1..=200).filter(|&n| n != 77).collect()), all);
}

#[test]
fn bandwidth_is_exact_to_the_nanosecond() {
    let span = |bits, bytes| Bandwidth::bits_per_second(bits).expect("more than nothing").span(bytes);
    assert_eq!(span(1_000_000_000, 1_500), Span::micros(12));
    assert_eq!(span(3, 1), Span(2_666_666_667), "rounded up");
    assert_eq!(Bandwidth::bits_per_second(0), None);
}
