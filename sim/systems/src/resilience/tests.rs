//! Pauses against their formulas, budgets and breakers against their rules written down in the plainest way.

use alloc::vec;
use alloc::vec::Vec;

use kernel::random::Key;
use kernel::{Span, Time};

use super::breaker::Mutant;
use super::window::PARTS;
use super::{
    Admission, Allowance, Backoff, Breaker, BreakerPlan, Budget, Ending, ErrorClass, ErrorClasses, Factor, Jitter,
    Retry, Share, Slow, State, Token, Window,
};

const BASE: Span = Span::millis(50);

fn retry(backoff: Backoff, jitter: Jitter) -> Retry {
    Retry { attempts: Some(3), backoff, jitter, retry_on: ErrorClasses::USUAL, budget: None, avoid_tried_node: false }
}

fn exponential(factor: Factor, max: Option<Span>) -> Backoff {
    Backoff::Exponential { base: BASE, factor, max }
}

#[test]
fn pauses_follow_their_formulas_to_the_nanosecond() {
    let no_draw = || unreachable!("nothing is random about it");
    let pauses =
        |backoff| (1..=6).map(|n| retry(backoff, Jitter::None).pause(n, Span::ZERO, no_draw).0).collect::<Vec<_>>();
    assert_eq!(pauses(Backoff::None), [0; 6]);
    assert_eq!(pauses(Backoff::Constant(Span(7))), [7; 6]);
    let ms = |list: [u64; 6]| list.map(|n| n * 1_000_000).to_vec();
    assert_eq!(pauses(exponential(Factor::whole(2), None)), ms([50, 100, 200, 400, 800, 1600]));
    assert_eq!(pauses(exponential(Factor::whole(2), Some(Span::millis(300)))), ms([50, 100, 200, 300, 300, 300]));
    let half = Factor::of(1.5).expect("a factor");
    assert_eq!(
        pauses(exponential(half, None)),
        [50_000_000, 75_000_000, 112_500_000, 168_750_000, 253_125_000, 379_687_500]
    );
    let tenth = Factor::of(1.1).expect("a factor");
    assert_eq!(
        pauses(exponential(tenth, None)),
        [50_000_000, 55_000_000, 60_500_000, 66_550_000, 73_205_000, 80_525_500]
    );
    assert_eq!((Factor::of(-1.0), Factor::of(f64::NAN), Factor::of(5000.0)), (None, None, None));
}

#[test]
fn no_try_is_too_late_to_have_a_pause() {
    for factor in [Factor::whole(1), Factor::millionths(1_001_000), Factor::whole(2), Factor::whole(4294)] {
        for backoff in [exponential(factor, None), exponential(factor, Some(Span::secs(5)))] {
            for jitter in [Jitter::None, Jitter::Full, Jitter::Equal] {
                retry(backoff, jitter).pause(u32::MAX, Span::MAX, || u64::MAX);
            }
        }
    }
    let endless = retry(exponential(Factor::whole(2), None), Jitter::None);
    assert_eq!(endless.pause(1000, Span::ZERO, || 0), Span::MAX);
    let decorrelated = retry(Backoff::Decorrelated { base: BASE, max: None }, Jitter::None);
    assert_eq!(decorrelated.pause(1000, Span::MAX, || u64::MAX), Span::MAX);
    assert_eq!(retry(Backoff::Constant(Span::MAX), Jitter::Full).pause(1, Span::ZERO, || u64::MAX), Span::MAX);
}

/// Least, mean and greatest of many draws, in nanoseconds.
fn drawn(retry: &Retry, previous: Span) -> (u64, f64, u64) {
    const N: u64 = 100_000;
    let draws: Vec<u64> = (0..N).map(|n| retry.pause(2, previous, || Key(7).draw(n, 0, 0).bits()).0).collect();
    let sum: u128 = draws.iter().map(|draw| u128::from(*draw)).sum();
    (draws.iter().copied().min().unwrap_or(0), sum as f64 / N as f64, draws.into_iter().max().unwrap_or(0))
}

/// The mean of n even draws over a width w has the standard error w / √(12 n): 5 of them are one in two million.
fn is_even(found: (u64, f64, u64), low: u64, high: u64) {
    let width = (high - low) as f64;
    let middle = (low + high) as f64 / 2.0;
    assert!((found.1 - middle).abs() < 5.0 * width / libm_sqrt(12.0 * 100_000.0), "{found:?} for {low} to {high}");
    assert!(found.0 >= low && found.2 <= high, "{found:?} for {low} to {high}");
    // The least of n even draws is above w · 20 / n once in e²⁰ times.
    let edge = width * 20.0 / 100_000.0;
    assert!((found.0 - low) as f64 <= edge && (high - found.2) as f64 <= edge, "{found:?} for {low} to {high}");
}

fn libm_sqrt(square: f64) -> f64 {
    let mut root = square;
    for _ in 0..60 {
        root = f64::midpoint(root, square / root);
    }
    root
}

#[test]
fn jitter_is_even_between_its_bounds() {
    let b = 2 * BASE.0;
    let twice = exponential(Factor::whole(2), None);
    is_even(drawn(&retry(twice, Jitter::Full), Span::ZERO), 0, b);
    is_even(drawn(&retry(twice, Jitter::Equal), Span::ZERO), b / 2, b);
    let decorrelated = |max| retry(Backoff::Decorrelated { base: BASE, max }, Jitter::Full);
    is_even(drawn(&decorrelated(None), Span::ZERO), BASE.0, 3 * BASE.0);
    is_even(drawn(&decorrelated(None), Span::secs(1)), BASE.0, 3_000_000_000);
    // Capped: of U(50 ms, 3 s) a third and more lies above 2 s.
    let (least, _, most) = drawn(&decorrelated(Some(Span::secs(2))), Span::secs(1));
    assert!(least < 60_000_000 && most == 2_000_000_000);
}

#[test]
fn attempts_count_the_first_try_and_only_named_errors_are_tried_again() {
    let three = retry(Backoff::None, Jitter::None);
    assert!(three.again(1, ErrorClass::Timeout) && three.again(2, ErrorClass::Overload));
    assert!(!three.again(3, ErrorClass::Timeout), "three tries in all");
    assert!(!three.again(1, ErrorClass::BreakerOpen), "unless the file names it");
    let endless = Retry { attempts: None, retry_on: ErrorClasses::NONE.with(ErrorClass::BreakerOpen), ..three };
    assert!(endless.again(u32::MAX, ErrorClass::BreakerOpen) && !endless.again(1, ErrorClass::Timeout));
}

#[test]
fn a_budget_is_a_share_of_the_requests_of_ten_seconds() {
    let ms = |n: u64| Time(n * 1_000_000);
    let mut allowance = Allowance::new(Budget::Share(Share::percent(20)));
    assert!(!allowance.retry(ms(0)), "of nothing");
    (0..4).for_each(|n| allowance.request(ms(n)));
    assert!(!allowance.retry(ms(5)), "one of four is more than a fifth");
    allowance.request(ms(6));
    assert!(allowance.retry(ms(7)) && !allowance.retry(ms(7)));
    (0..10).for_each(|_| allowance.request(ms(6_000)));
    assert!(
        allowance.retry(ms(6_001)) && allowance.retry(ms(6_001)) && !allowance.retry(ms(6_001)),
        "three of fifteen"
    );
    // What fell into the first half second is forgotten at 10 s: five requests and one retry. Left are ten, and two.
    assert!(!allowance.retry(ms(9_999)) && !allowance.retry(ms(10_000)));
    (0..5).for_each(|_| allowance.request(ms(10_001)));
    assert!(allowance.retry(ms(10_002)) && !allowance.retry(ms(10_002)));
    assert!(!allowance.retry(ms(1_000_000)), "all is forgotten");
}

#[test]
fn over_any_load_a_budget_keeps_retries_below_its_share() {
    let mut allowance = Allowance::new(Budget::Share(Share::percent(20)));
    let (mut now, mut retries) = (0, 0_u64);
    for n in 0..100_000_u64 {
        now += Key(3).draw(n, 0, 0).bits() % 2_000_000;
        allowance.request(Time(now));
        retries += u64::from(allowance.retry(Time(now)));
    }
    assert!((19_000..=20_000).contains(&retries), "{retries}: everything fails, and a fifth is tried again");
}

#[test]
fn a_bucket_of_tokens_is_full_at_first_and_refilled_evenly() {
    let mut allowance = Allowance::new(Budget::Tokens { tokens: 3, refill_millionths: 500_000 });
    let taken = |allowance: &mut Allowance, ms: u64| (0..10).filter(|_| allowance.retry(Time(ms * 1_000_000))).count();
    assert_eq!(taken(&mut allowance, 0), 3);
    assert_eq!(taken(&mut allowance, 1_999), 0, "half a token a second");
    assert_eq!(taken(&mut allowance, 2_000), 1);
    assert_eq!(taken(&mut allowance, 1_000_000), 3, "no more than it holds");
    assert!(Allowance::new(Budget::Tokens { tokens: u32::MAX, refill_millionths: u64::MAX }).retry(Time::END));
}

fn plan(window: Window) -> BreakerPlan {
    BreakerPlan {
        failure_rate: Share::percent(50),
        slow: Some(Slow { rate: Share::percent(80), after: Span::secs(1) }),
        window,
        min_calls: 4,
        open_for: Span::secs(10),
        trials: 3,
        mutant: None,
    }
}

/// The rules, written down in the plainest way: everything is kept, everything is counted again.
struct Plain {
    plan: BreakerPlan,
    state: State,
    until: u64,
    period: u32,
    admitted: u32,
    /// Since the state began: when it ended, failed, slow.
    calls: Vec<(u64, bool, bool)>,
}

impl Plain {
    fn enter(&mut self, state: State) {
        self.state = state;
        self.period += 1;
        self.admitted = 0;
        self.calls.clear();
    }

    fn admit(&mut self, now: u64) -> Option<(u32, u64)> {
        if self.state == State::Open && now >= self.until {
            self.enter(State::HalfOpen);
        }
        let yes = match self.state {
            State::Closed => true,
            State::Open => false,
            State::HalfOpen => self.admitted < self.plan.trials,
        };
        self.admitted += u32::from(yes);
        yes.then_some((self.period, now))
    }

    fn result(&mut self, now: u64, (period, began): (u32, u64), ending: Ending) {
        if period != self.period {
            return;
        }
        if ending == Ending::Ignored {
            self.admitted -= 1;
            return;
        }
        let slow = self.plan.slow.expect("set").after.0;
        self.calls.push((now, ending == Ending::Failed, now - began > slow));
        let seen: Vec<_> = match (self.state, self.plan.window) {
            (State::HalfOpen, _) => self.calls.clone(),
            (_, Window::Calls(n)) => self.calls.iter().rev().take(n as usize).copied().collect(),
            (_, Window::Time(length)) => {
                let part = length.0 / PARTS as u64;
                self.calls.iter().filter(|call| call.0 / part + PARTS as u64 > now / part).copied().collect()
            }
        };
        let (all, failed, slow) =
            (seen.len(), seen.iter().filter(|call| call.1).count(), seen.iter().filter(|call| call.2).count());
        let ill = 2 * failed >= all || 10 * slow >= 8 * all;
        let enough = match self.plan.window {
            Window::Calls(n) => n.min(self.plan.min_calls),
            Window::Time(_) => self.plan.min_calls,
        };
        match self.state {
            State::Closed if all >= enough as usize && ill => {
                self.until = now + self.plan.open_for.0;
                self.enter(State::Open);
            }
            State::HalfOpen if all == self.plan.trials as usize => {
                self.until = now + self.plan.open_for.0;
                self.enter(if ill { State::Open } else { State::Closed });
            }
            State::Closed | State::HalfOpen | State::Open => {}
        }
    }
}

/// Random calls against both; the first step at which they differ.
fn differs(plan: BreakerPlan, seed: u64) -> Option<u64> {
    let mut chance = Key(seed).draw(0, 0, 0);
    let mut breaker = Breaker::new(&plan);
    let honest = BreakerPlan { mutant: None, ..plan };
    let mut plain = Plain { plan: honest, state: State::Closed, until: 0, period: 0, admitted: 0, calls: vec![] };
    let mut open: Vec<(Token, (u32, u64))> = vec![];
    let (mut now, mut state) = (0, State::Closed);
    for step in 0..400 {
        now += chance.bits() % 800_000_000;
        // Good and bad times take turns.
        let failing = if step / 40 % 2 == 0 { 20 } else { 55 };
        let transition = if chance.bits() % 100 < 55 {
            let (admission, transition) = breaker.admit(&plan, Time(now));
            match (admission, plain.admit(now)) {
                (Admission::Yes(token), Some(call)) => open.push((token, call)),
                (Admission::No, None) => {}
                (Admission::Yes(_), None) | (Admission::No, Some(_)) => return Some(step),
            }
            transition
        } else if open.is_empty() {
            None
        } else {
            let (token, call) = open.remove((chance.bits() % open.len() as u64) as usize);
            let ending = match chance.bits() % 100 {
                n if n < 10 => Ending::Ignored,
                n if n < 10 + failing => Ending::Failed,
                _ => Ending::Ok,
            };
            plain.result(now, call, ending);
            breaker.result(&plan, Time(now), token, ending)
        };
        assert_eq!(
            transition.map_or(state, |change| change.from),
            state,
            "a transition begins where the last one ended"
        );
        state = transition.map_or(state, |change| change.to);
        assert_eq!(state, breaker.state(), "every transition is told");
        if state != plain.state {
            return Some(step);
        }
    }
    None
}

#[test]
fn a_breaker_does_what_its_rules_say() {
    let plans = [Window::Calls(6), Window::Calls(2), Window::Time(Span::secs(20))].map(plan);
    for plan in plans {
        for seed in 0..300 {
            assert_eq!(differs(plan, seed), None, "{plan:?}, seed {seed}");
        }
        for mutant in Mutant::ALL {
            let wrong = BreakerPlan { mutant: Some(mutant), ..plan };
            let caught = (0..300).any(|seed| differs(wrong, seed).is_some());
            let excused = mutant == Mutant::ForgetsToEvict && matches!(plan.window, Window::Time(_));
            assert!(caught || excused, "{mutant:?} is not caught with {plan:?}");
        }
    }
}

/// Ends `n` calls at once.
fn calls(breaker: &mut Breaker, plan: &BreakerPlan, now: Time, n: u32, ending: Ending) {
    for _ in 0..n {
        let (Admission::Yes(token), _) = breaker.admit(plan, now) else { panic!("not admitted") };
        breaker.result(plan, now, token, ending);
    }
}

#[test]
fn resilience4j_s_own_examples() {
    let second = |n: u64| Time(n * 1_000_000_000);
    // "If the minimum number of calls is 10, at least 10 calls must be recorded. If only 9 calls have been evaluated, the
    // CircuitBreaker will not transition to open even if all 9 calls have failed."
    let plan = BreakerPlan { min_calls: 10, ..plan(Window::Calls(100)) };
    let mut breaker = Breaker::new(&plan);
    calls(&mut breaker, &plan, second(0), 9, Ending::Failed);
    calls(&mut breaker, &plan, second(0), 5, Ending::Ignored);
    assert_eq!(breaker.state(), State::Closed);
    calls(&mut breaker, &plan, second(0), 1, Ending::Ok);
    assert_eq!((breaker.state(), breaker.open_until()), (State::Open, Some(second(10))), "9 of 10, also on a success");
    // Closed → open → half open → open → half open → closed.
    assert_eq!(breaker.admit(&plan, Time(9_999_999_999)), (Admission::No, None));
    assert_eq!(breaker.tick(Time(9_999_999_999)), None);
    let mut lazy = breaker.clone();
    assert_eq!(breaker.tick(second(10)).map(|t| (t.from.number(), t.to.number())), Some((2, 1)), "on time, if told");
    assert_eq!(lazy.admit(&plan, second(99)).1.map(|t| t.to), Some(State::HalfOpen), "else at the next call");
    let token = |breaker: &mut Breaker, at| match breaker.admit(&plan, second(at)).0 {
        Admission::Yes(token) => token,
        Admission::No => panic!("not admitted"),
    };
    let trials = [token(&mut breaker, 10), token(&mut breaker, 10), token(&mut breaker, 11)];
    assert_eq!(breaker.admit(&plan, second(11)).0, Admission::No, "all trials are under way");
    breaker.result(&plan, second(11), trials[0], Ending::Failed);
    assert_eq!(breaker.admit(&plan, second(11)).0, Admission::No, "until all have ended");
    breaker.result(&plan, second(11), trials[1], Ending::Ignored);
    let again = token(&mut breaker, 11);
    breaker.result(&plan, second(11), again, Ending::Failed);
    let transition = breaker.result(&plan, second(12), trials[2], Ending::Ok);
    assert_eq!((transition.map(|t| t.to), breaker.open_until()), (Some(State::Open), Some(second(22))));
    calls(&mut breaker, &plan, second(22), 3, Ending::Ok);
    assert_eq!(breaker.state(), State::Closed);
    calls(&mut breaker, &plan, second(22), 9, Ending::Failed);
    assert_eq!(breaker.state(), State::Closed, "the window began anew");
    // Slow calls: longer than, not as long as.
    for (took, state) in [(1_000_000_000, State::Closed), (1_000_000_001, State::Open)] {
        let mut breaker = Breaker::new(&plan);
        for _ in 0..10 {
            let (Admission::Yes(token), _) = breaker.admit(&plan, Time::ZERO) else { panic!("not admitted") };
            breaker.result(&plan, Time(took), token, Ending::Ok);
        }
        assert_eq!(breaker.state(), state);
    }
}
