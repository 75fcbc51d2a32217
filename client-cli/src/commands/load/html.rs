//! The report as one HTML file with plots, which needs nothing from the network.

use std::fmt::Write;

use super::{
    figures::{Outcome, Times},
    report::Report,
};

/// The inside of a plot, in pixels.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 220.0;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#222}\
pre{background:#f4f4f2;padding:1rem;overflow-x:auto}svg{width:100%;height:auto}text{font:12px system-ui,sans-serif;fill:#555}\
polyline{fill:none;stroke-width:2}.a{stroke:#2563a8;fill:#2563a8}.b{stroke:#c2571a;fill:#c2571a}polyline.a,polyline.b{fill:none}\
line{stroke:#ddd}.bad{color:#a00;font-weight:bold}\
@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}pre{background:#242424}text{fill:#aaa}line{stroke:#333}}";

/// A line of a plot: its name and its points.
type Curve = (&'static str, Vec<(f64, f64)>);

/// The whole page.
pub(super) fn page(report: &Report, outcome: &Outcome) -> String {
    let samples = &outcome.samples;
    let over_time = |value: &dyn Fn(&super::figures::Sample) -> f64| -> Vec<(f64, f64)> {
        samples.iter().map(|sample| (sample.at, value(sample))).collect()
    };
    let quantile = |quantile| over_time(&move |sample| sample.to_ack_us.0.value_at_quantile(quantile) as f64);
    let rates = vec![("edits/s", over_time(&|sample| sample.rate()))];
    let times = vec![("p50", quantile(0.5)), ("p99", quantile(0.99))];
    let spread = vec![
        ("to ack", by_quantile(&outcome.figures.to_ack_us)),
        ("to screen", by_quantile(&outcome.figures.to_screen_us)),
    ];
    let mut page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>motet load</title><style>{STYLE}</style><h1>motet load</h1>"
    );
    if !report.is_equal() {
        page.push_str("<p class=bad>Replicas and the server hold different texts.</p>");
    }
    page.push_str("<pre>");
    for line in report.lines() {
        page.push_str(&escaped(&line));
        page.push('\n');
    }
    page.push_str("</pre>");
    let seconds = |x: f64| format!("{x:.0} s");
    plot(&mut page, "Edits a second", &rates, seconds);
    plot(&mut page, "Edit to acknowledgement, µs, over time", &times, seconds);
    let percent = |nines: f64| format!("{} %", 100.0 - 100.0 / 10_f64.powf(nines));
    plot(&mut page, "Times by percentile, µs", &spread, percent);
    page.push_str("</html>\n");
    page
}

/// Times at 0 %, 90 %, 99 % and on: x counts the nines.
fn by_quantile(times: &Times) -> Vec<(f64, f64)> {
    if times.0.is_empty() {
        return Vec::new();
    }
    (0..=40)
        .map(|tenth| f64::from(tenth) / 10.0)
        .map(|nines| (nines, times.0.value_at_quantile(1.0 - 10_f64.powf(-nines)) as f64))
        .collect()
}

fn plot(page: &mut String, title: &str, curves: &[Curve], x_words: impl Fn(f64) -> String) {
    let points = || curves.iter().flat_map(|(_, points)| points);
    let x_max = points().map(|point| point.0).fold(1e-9, f64::max);
    let y_max = points().map(|point| point.1).fold(1e-9, f64::max);
    // Writing to a String does not fail.
    let _ = write!(
        page,
        "<h2>{}</h2><svg viewBox=\"-70 -12 {} {}\" role=img aria-label=\"{}\">",
        escaped(title),
        WIDTH + 90.0,
        HEIGHT + 60.0,
        escaped(title)
    );
    for quarter in 0..=4 {
        let part = f64::from(quarter) / 4.0;
        let (x, y) = (part * WIDTH, HEIGHT - part * HEIGHT);
        let _ = write!(
            page,
            "<line x1=0 x2={WIDTH} y1={y} y2={y} /><text x=-8 y={} text-anchor=end>{:.0}</text>\
             <text x={x} y={} text-anchor=middle>{}</text>",
            y + 4.0,
            part * y_max,
            HEIGHT + 18.0,
            x_words(part * x_max)
        );
    }
    for (index, (name, points)) in curves.iter().enumerate() {
        let class = if index == 0 { "a" } else { "b" };
        let _ = write!(page, "<polyline class={class} points=\"");
        for (x, y) in points {
            let _ = write!(page, "{:.1},{:.1} ", x / x_max * WIDTH, HEIGHT - y / y_max * HEIGHT);
        }
        let x = index as f64 * 120.0;
        let y = HEIGHT + 32.0;
        let _ = write!(page, "\" /><rect class={class} x={x} y={y} width=10 height=10 />");
        let _ = write!(page, "<text x={} y={}>{}</text>", x + 16.0, y + 10.0, escaped(name));
    }
    page.push_str("</svg>");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_of_itself_stays_text() {
        assert_eq!(escaped("<b a=\"&\">"), "&lt;b a=&quot;&amp;&quot;&gt;");
    }
}
