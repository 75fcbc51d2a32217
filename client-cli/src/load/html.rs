//! The report as one HTML file with plots, which needs nothing from the network.

use super::{
    figures::{Outcome, Sample, Times},
    plot::{self, Axis, Plot, escaped},
    report::Report,
};

/// A line of the report that is too long goes on below what it says, not below its name.
const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#222}\
pre{background:#f4f4f2;padding:1rem;font-size:13px}pre div{white-space:pre-wrap;padding-left:10ch;text-indent:-10ch}\
h2{font-size:1.1rem;margin:2rem 0 .5rem}.bad{color:#a00;font-weight:bold}\
@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}pre{background:#242424}.bad{color:#f66}}";

/// The whole page.
pub(super) fn page(report: &Report, outcome: &Outcome) -> String {
    let over_time = |value: &dyn Fn(&Sample) -> f64| -> Vec<(f64, f64)> {
        outcome.samples.iter().map(|sample| (sample.at, value(sample))).collect()
    };
    let quantile = |quantile| over_time(&move |sample| sample.to_ack_us.0.value_at_quantile(quantile) as f64);
    let figures = &outcome.figures;
    let mut spread =
        vec![("to ack", by_quantile(&figures.to_ack_us)), ("to screen", by_quantile(&figures.to_screen_us))];
    if !figures.chat_to_ack_us.0.is_empty() {
        spread.push(("chat to ack", by_quantile(&figures.chat_to_ack_us)));
    }
    let (seconds, times) = (Axis::Even(seconds), Axis::Tenfold(time));
    let plots = [
        Plot {
            title: "Edits a second",
            curves: vec![("edits/s", over_time(&Sample::rate))],
            x: seconds,
            y: Axis::Even(count),
        },
        Plot {
            title: "Edit to acknowledgement, over time",
            curves: vec![("p50", quantile(0.5)), ("p99", quantile(0.99))],
            x: seconds,
            y: times,
        },
        Plot { title: "Times by percentile", curves: spread, x: Axis::Even(percent), y: times },
    ];
    let mut page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>motet load</title><style>{STYLE}{}</style><h1>motet load</h1>",
        plot::STYLE
    );
    if !report.is_equal() {
        page.push_str("<p class=bad>Replicas and the server hold different texts.</p>");
    }
    page.push_str("<pre>");
    for line in report.lines() {
        page.push_str(&format!("<div>{}</div>", escaped(&line)));
    }
    page.push_str("</pre>");
    plots.iter().for_each(|plot| plot.write(&mut page));
    page.push_str("</html>\n");
    page
}

/// Times at 0 %, 90 %, 99 % and on, as far as there are enough of them to tell: x counts the nines.
fn by_quantile(times: &Times) -> Vec<(f64, f64)> {
    if times.0.is_empty() {
        return Vec::new();
    }
    let nines_max = (times.0.len() as f64).log10().clamp(1.0, 4.0);
    (0..=(nines_max * 10.0) as u32)
        .map(|tenth| f64::from(tenth) / 10.0)
        .map(|nines| (nines, times.0.value_at_quantile(1.0 - 10_f64.powf(-nines)) as f64))
        .collect()
}

fn seconds(at: f64) -> String {
    format!("{at} s")
}

/// A whole number with its thousands apart.
fn count(number: f64) -> String {
    if number.fract() != 0.0 {
        return number.to_string();
    }
    let digits = format!("{number:.0}");
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// A time in microseconds, in the unit that makes it short.
fn time(us: f64) -> String {
    match us {
        1e6.. => format!("{} s", us / 1e6),
        1e3.. => format!("{} ms", us / 1e3),
        _ => format!("{us} µs"),
    }
}

fn percent(nines: f64) -> String {
    match nines {
        // Where there are few times, there is room for half a nine more: 68.4 %.
        nines if nines.fract() != 0.0 => format!("{:.1} %", 100.0 - 100.0 / 10_f64.powf(nines)),
        nines => format!("{} %", 100.0 - 100.0 / 10_f64.powf(nines)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_round() {
        assert_eq!([0.0, 500.0, 20_000.0, 1_500_000.0].map(count), ["0", "500", "20,000", "1,500,000"]);
        assert_eq!([1.0, 100.0, 1e3, 1e5, 1e6].map(time), ["1 µs", "100 µs", "1 ms", "100 ms", "1 s"]);
        assert_eq!([0.0, 1.0, 2.0, 0.5].map(percent), ["0 %", "90 %", "99 %", "68.4 %"]);
    }

    #[test]
    fn no_percentile_is_shown_that_the_times_cannot_tell() {
        let mut times = Times::default();
        (1..=100).for_each(|us| times.record(us));
        assert_eq!(by_quantile(&times).last(), Some(&(2.0, 99.0)));
        assert!(by_quantile(&Times::default()).is_empty());
    }
}
