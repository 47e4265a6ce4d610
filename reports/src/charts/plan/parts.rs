//! Charts of brokers' queues, groups of readers, sagas, retries, breakers, outboxes and stores.

use super::{
    BAR_INK, Bar, Chart, Files, Horizontal, Ink, MOST, MOST_CHARTS, Measure, Row, Series, at_ends, mean_and_max, more,
    of_run, over, over_time, width,
};
use crate::charts::colour::{ASKED, BLUE, GREEN, ORANGE, PURPLE, SKY, SUBJECTS, VERMILION};
use crate::names::{breaker_name, group_name, retry_name};
use crate::number::thousands;
use crate::tables::{Stage, message_rates, message_totals, stages};
use lab::outcome::{BreakerResult, BreakerState, LevelResult, MessageQueueResult, Outcome, RetryResult, SagaResult};
use plotters::style::RGBColor;

/// As many rows as one chart shows.
const MOST_ROWS: usize = 16;

/// All of them.
pub(super) fn charts(outcome: &Outcome) -> Vec<Chart> {
    let mut charts = flows(outcome);
    charts.extend(backlog(outcome));
    charts.extend(messages(outcome));
    charts.extend(sagas(outcome));
    charts.extend(funnels(outcome));
    charts.extend(retries(outcome));
    charts.extend(breakers(outcome));
    charts.extend(groups(outcome));
    charts.extend(outboxes(outcome));
    charts.extend(replication(outcome));
    charts
}

fn line(name: &str, colour: RGBColor, points: Vec<Option<(f64, f64)>>) -> Series {
    Series { name: name.to_owned(), listed: true, ink: Ink { colour, width: 2.0, opacity: 1.0 }, points }
}

/// What a colour of bars means.
fn bar_colour(name: &str, colour: RGBColor) -> Series {
    Series { ink: Ink { colour, width: BAR_INK, opacity: 1.0 }, ..line(name, colour, Vec::new()) }
}

/// The broad grey line of what was asked, on which the line of what was done lies.
fn broad(name: &str, points: Vec<Option<(f64, f64)>>) -> Series {
    Series { ink: Ink { colour: ASKED, width: 5.0, opacity: 1.0 }, ..line(name, ASKED, points) }
}

/// P(t) and C(t) of each queue: between them lies what is in it, or was given up.
fn flows(outcome: &Outcome) -> Vec<Chart> {
    let mut files = Files::new("flow", outcome.message_queues.len());
    let charts = busy(outcome).map(|queue| {
        let totals = |count| at_ends(outcome, message_totals(queue, count).into_iter());
        Chart {
            file: files.name(&queue.name),
            title: format!("Messages of {} so far: P(t), C(t)", queue.name),
            subtitle: format!(
                "since the beginning, at the end of each window of {} · {}",
                width(outcome),
                of_run(outcome)
            ),
            quantity: "in all",
            measure: Measure::Count("messages"),
            series: vec![
                broad("accepted, P(t)", totals(|w| w.accepted)),
                line("acknowledged, C(t)", BLUE, totals(|w| w.acknowledged)),
            ],
            ..over(outcome)
        }
    });
    charts.collect()
}

/// Queues that had something to do.
fn busy(outcome: &Outcome) -> impl Iterator<Item = &MessageQueueResult> {
    let any = |queue: &&MessageQueueResult| queue.windows.iter().any(|window| window.accepted > 0);
    outcome.message_queues.iter().filter(any).take(MOST_CHARTS)
}

/// The same per second.
fn messages(outcome: &Outcome) -> Vec<Chart> {
    let mut files = Files::new("messages", outcome.message_queues.len());
    let charts = busy(outcome).map(|queue| {
        let rates = |count| over_time(outcome, message_rates(outcome, queue, count).into_iter());
        let mut series =
            vec![broad("accepted", rates(|w| w.accepted)), line("acknowledged", BLUE, rates(|w| w.acknowledged))];
        if queue.redelivered > 0 {
            series.push(line("redelivered", VERMILION, rates(|w| w.redelivered)));
        }
        Chart {
            file: files.name(&queue.name),
            title: format!("Messages of {} per second", queue.name),
            subtitle: format!("in each window of {} · {}", width(outcome), of_run(outcome)),
            quantity: "messages",
            measure: Measure::PerSecond,
            series,
            ..over(outcome)
        }
    });
    charts.collect()
}

/// A chart of levels, one per subject, those with the highest peaks.
fn levels(outcome: &Outcome, of: &[(&str, &LevelResult)]) -> Vec<Series> {
    let mut shown: Vec<usize> = (0..of.len()).collect();
    shown.sort_by_key(|n| std::cmp::Reverse(of[*n].1.max));
    shown.truncate(MOST);
    shown.sort_unstable();
    let series = shown.iter().zip(SUBJECTS);
    series.flat_map(|(n, colour)| mean_and_max(outcome, of[*n].0, of[*n].1, colour)).collect()
}

fn over_levels(outcome: &Outcome) -> Chart {
    let told = format!("thick: time-weighted mean, thin: maximum of each window of {}", width(outcome));
    Chart { subtitle: format!("{told} · {}", of_run(outcome)), ..over(outcome) }
}

/// Q(t) of all queues.
fn backlog(outcome: &Outcome) -> Option<Chart> {
    let all: Vec<(&str, &LevelResult)> =
        outcome.message_queues.iter().filter(|q| q.depth.max > 0).map(|q| (&q.name[..], &q.depth)).collect();
    (!all.is_empty()).then(|| Chart {
        file: "backlog".to_owned(),
        title: "Messages in brokers’ queues, Q(t)".to_owned(),
        quantity: "ready and in flight",
        measure: Measure::Count("messages"),
        note: more(all.len(), "messages.csv"),
        series: levels(outcome, &all),
        ..over_levels(outcome)
    })
}

fn sagas(outcome: &Outcome) -> Option<Chart> {
    let all: Vec<(&str, &LevelResult)> = outcome.sagas.iter().map(|saga| (&saga.name[..], &saga.open_level)).collect();
    (all.iter().any(|(_, level)| level.max > 0)).then(|| Chart {
        file: "sagas".to_owned(),
        title: "Sagas that are open".to_owned(),
        quantity: "open",
        measure: Measure::Count("sagas"),
        note: more(all.len(), "timeseries.csv"),
        series: levels(outcome, &all),
        ..over_levels(outcome)
    })
}

fn funnels(outcome: &Outcome) -> Vec<Chart> {
    let begun: Vec<&SagaResult> = outcome.sagas.iter().filter(|saga| saga.started > 0).collect();
    let mut files = Files::new("funnel", begun.len());
    begun.iter().take(MOST_CHARTS).map(|saga| funnel(outcome, saga, files.name(&saga.name))).collect()
}

/// How far sagas came: forward from the top, what failed, and back again.
fn funnel(outcome: &Outcome, saga: &SagaResult, file: String) -> Chart {
    let told = |stage: &Stage<'_>| stage.count > 0 || matches!(stage.name, "started" | "done" | "completed" | "undone");
    let row = |Stage { name: stage, step, count }: Stage<'_>| {
        let colour = match stage {
            "started" => ASKED,
            "completed" => GREEN,
            "failed" => VERMILION,
            "compensated" | "undone" => PURPLE,
            "open" => ORANGE,
            _ => BLUE,
        };
        let name = step.map_or(stage.to_owned(), |step| format!("{step} {stage}"));
        let bars = if count > 0 { vec![Bar { from: 0.0, to: count as f64, colour }] } else { Vec::new() };
        Row { name, value: Some(thousands(count)), bars }
    };
    Chart {
        file,
        title: format!("How far sagas came: {}", saga.name),
        subtitle: format!("forward, failed and undone, of those begun after the warm-up · {}", of_run(outcome)),
        horizontal: Horizontal::Count(saga.started.max(1) as f64),
        quantity: "sagas",
        measure: Measure::Count("number"),
        rows: stages(saga).into_iter().filter(told).take(MOST_ROWS + 8).map(row).collect(),
        lanes: Vec::new(),
        ..over(outcome)
    }
}

fn retries(outcome: &Outcome) -> Option<Chart> {
    let all: Vec<&RetryResult> = outcome.retries.iter().filter(|result| result.retries > 0).collect();
    let series = all.iter().zip(SUBJECTS).map(|(result, colour)| {
        let tries = result.windows.iter().map(|window| window.amplification());
        line(&retry_name(result), colour, over_time(outcome, tries))
    });
    (!all.is_empty()).then(|| Chart {
        file: "retries".to_owned(),
        title: "Retry amplification: tries per call".to_owned(),
        subtitle: format!(
            "of the calls begun in each window of {}, whenever they were tried again · {}",
            width(outcome),
            of_run(outcome)
        ),
        quantity: "amplification",
        measure: Measure::Count("tries per call"),
        note: more(all.len(), "timeseries.csv"),
        series: series.collect(),
        ..over(outcome)
    })
}

fn breakers(outcome: &Outcome) -> Option<Chart> {
    let all: Vec<&BreakerResult> = outcome.breakers.iter().filter(|result| result.opened > 0).collect();
    let row = |result: &&BreakerResult| {
        let bars = result.spans.iter().map(|span| {
            let colour = match span.state {
                BreakerState::Open => VERMILION,
                BreakerState::HalfOpen => SKY,
            };
            Bar { from: span.from.seconds(), to: span.to.seconds(), colour }
        });
        Row { name: breaker_name(result), value: None, bars: bars.collect() }
    };
    let more = all.len().saturating_sub(MOST_ROWS);
    (!all.is_empty()).then(|| Chart {
        file: "breakers".to_owned(),
        title: "Circuit breakers that opened".to_owned(),
        subtitle: format!(
            "a row for each caller and what it calls; closed where there is no bar · {}",
            of_run(outcome)
        ),
        measure: Measure::Count("breakers"),
        series: vec![bar_colour("open", VERMILION), bar_colour("half open", SKY)],
        note: (more > 0).then(|| format!("{more} more in breakers.csv")),
        rows: all.iter().take(MOST_ROWS).map(row).collect(),
        ..over(outcome)
    })
}

fn groups(outcome: &Outcome) -> Option<Chart> {
    let names: Vec<String> = outcome.groups.iter().map(group_name).collect();
    let all: Vec<(&str, &LevelResult)> =
        names.iter().zip(&outcome.groups).map(|(name, group)| (&name[..], &group.lag)).collect();
    all.iter().any(|(_, level)| level.max > 0).then(|| Chart {
        file: "lag".to_owned(),
        title: "Lag of groups that read topics".to_owned(),
        quantity: "still to read",
        measure: Measure::Count("messages"),
        note: more(all.len(), "timeseries.csv"),
        series: levels(outcome, &all),
        ..over_levels(outcome)
    })
}

/// How far followers are behind, a chart per store.
fn replication(outcome: &Outcome) -> Vec<Chart> {
    let behind: Vec<_> = outcome.stores.iter().filter(|store| store.lags.iter().any(|lag| lag.max > 0)).collect();
    let mut files = Files::new("replication-lag", behind.len());
    let charts = behind.into_iter().take(MOST_CHARTS).map(|store| {
        let all: Vec<(&str, &LevelResult)> = store.machines.iter().map(|name| &name[..]).zip(&store.lags).collect();
        Chart {
            file: files.name(&store.name),
            title: format!("Replication lag of {}: entries of the leader’s log not yet executed", store.name),
            quantity: "behind",
            measure: Measure::Count("entries"),
            note: more(all.len(), "timeseries.csv"),
            series: levels(outcome, &all),
            ..over_levels(outcome)
        }
    });
    charts.collect()
}

fn outboxes(outcome: &Outcome) -> Vec<Chart> {
    let all: Vec<(&str, &LevelResult)> = outcome.outboxes.iter().map(|o| (&o.service[..], &o.depth)).collect();
    let seen = all.iter().any(|(_, level)| level.max > 0);
    let depth = seen.then(|| Chart {
        file: "outbox".to_owned(),
        title: "Messages in outboxes".to_owned(),
        quantity: "waiting",
        measure: Measure::Count("messages"),
        note: more(all.len(), "timeseries.csv"),
        series: levels(outcome, &all),
        ..over_levels(outcome)
    });
    let mut files = Files::new("outbox-lag", outcome.outboxes.len());
    let lag = outcome.outboxes.iter().take(MOST_CHARTS).map(|outbox| {
        let percentile = |name: &str, n: usize, colour| {
            let values = outbox.lag_windows.iter().map(|three| three.map(|three| three[n] as f64 / 1e9));
            line(name, colour, over_time(outcome, values))
        };
        Chart {
            file: files.name(&outbox.service),
            title: format!("Outbox lag of {}: from commit to the broker’s confirm", outbox.service),
            subtitle: format!(
                "percentiles of what was confirmed in each window of {} · {}",
                width(outcome),
                of_run(outcome)
            ),
            quantity: "lag",
            measure: Measure::Seconds,
            series: vec![percentile("p99", 2, VERMILION), percentile("p50", 0, SKY)],
            ..over(outcome)
        }
    });
    depth.into_iter().chain(lag).collect()
}
