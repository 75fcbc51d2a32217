//! Plots as SVG, for a page that needs nothing from the network.

use std::fmt::Write;

/// The inside of a plot, in pixels.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 220.0;

/// Up to so many points a curve has a mark at each, so that one alone can be seen. More would hide a curve that lies below.
const MARKS_MAX: usize = 12;

/// How many steps an axis has, about.
const STEPS: f64 = 4.0;

/// What the classes of curves look like; up to three look different, also where they overlap.
pub(super) const STYLE: &str = "svg{width:100%;height:auto}text{font:12px system-ui,sans-serif;fill:#555}\
polyline{fill:none;stroke-width:2}polyline.a{stroke:#2563a8}polyline.b{stroke:#c2571a;stroke-dasharray:7 4}\
polyline.c{stroke:#4a8a3a;stroke-dasharray:2 3}\
circle.a,rect.a{fill:#2563a8}circle.b,rect.b{fill:#c2571a}circle.c,rect.c{fill:#4a8a3a}line{stroke:#ddd}\
@media(prefers-color-scheme:dark){text{fill:#aaa}line{stroke:#333}}";

/// A line of a plot: its name and its points.
pub(super) type Curve = (&'static str, Vec<(f64, f64)>);

/// What a plot says: one axis to the right, one upwards.
pub(super) struct Plot {
    pub(super) title: &'static str,
    pub(super) curves: Vec<Curve>,
    pub(super) x: Axis,
    pub(super) y: Axis,
}

/// One way of a plot.
#[derive(Clone, Copy)]
pub(super) enum Axis {
    /// From 0 in even steps.
    Even(fn(f64) -> String),
    /// Of positive values, each step ten times the one before: short and long times can both be read.
    Tenfold(fn(f64) -> String),
}

impl Axis {
    /// The least and the greatest value that are shown, and those that have a line.
    fn range(self, values: impl Iterator<Item = f64> + Clone) -> (f64, f64, Vec<f64>) {
        let most = values.clone().fold(0.0, f64::max);
        match self {
            Self::Even(_) if most <= 0.0 => (0.0, 1.0, vec![0.0, 1.0]),
            Self::Even(_) => {
                let step = even_step(most / STEPS);
                (0.0, most, (0..).map(|n| f64::from(n) * step).take_while(|at| *at <= most * 1.000_001).collect())
            }
            Self::Tenfold(_) => {
                let least = values.filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min).min(most.max(1.0));
                let from = least.max(1.0).log10().floor() as i32;
                let to = (most.max(1.0).log10().ceil() as i32).max(from + 1);
                (f64::from(from), f64::from(to), (from..=to).map(|power| 10_f64.powi(power)).collect())
            }
        }
    }

    /// Where a value lies between these, from 0 to 1.
    fn part(self, value: f64, from: f64, to: f64) -> f64 {
        let value = match self {
            Self::Even(_) => value,
            Self::Tenfold(_) => value.max(1.0).log10(),
        };
        ((value - from) / (to - from)).clamp(0.0, 1.0)
    }

    fn words(self, value: f64) -> String {
        match self {
            Self::Even(words) | Self::Tenfold(words) => words(value),
        }
    }
}

/// The next round number from this one on: 1, 2 or 5 with zeros.
fn even_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|round| round * power)
        .find(|step| *step >= least * 0.999_999)
        .unwrap_or(least)
}

impl Plot {
    /// Writes it, with its title.
    pub(super) fn write(&self, page: &mut String) {
        let Self { title, curves, x: across, y: up } = self;
        let points = || curves.iter().flat_map(|(_, points)| points);
        let (x_from, x_to, x_ticks) = across.range(points().map(|point| point.0));
        let (y_from, y_to, y_ticks) = up.range(points().map(|point| point.1));
        let x = |value| across.part(value, x_from, x_to) * WIDTH;
        let y = |value| HEIGHT - up.part(value, y_from, y_to) * HEIGHT;
        let title = escaped(title);
        // Writing to a String does not fail.
        let _ = write!(
            page,
            "<h2>{title}</h2><svg viewBox=\"-70 -12 {} {}\" role=img aria-label=\"{title}\">",
            WIDTH + 110.0,
            HEIGHT + 64.0
        );
        for tick in y_ticks {
            let at = y(tick);
            let _ = write!(
                page,
                "<line x1=0 x2={WIDTH} y1={at:.1} y2={at:.1} /><text x=-8 y={:.1} text-anchor=end>{}</text>",
                at + 4.0,
                up.words(tick)
            );
        }
        for tick in x_ticks {
            let _ = write!(
                page,
                "<text x={:.1} y={} text-anchor=middle>{}</text>",
                x(tick),
                HEIGHT + 22.0,
                across.words(tick)
            );
        }
        for (index, (name, points)) in curves.iter().enumerate() {
            let class = ["a", "b", "c"][index % 3];
            let places: Vec<_> = points.iter().map(|(across, up)| (x(*across), y(*up))).collect();
            let _ = write!(page, "<polyline class={class} points=\"");
            for (x, y) in &places {
                let _ = write!(page, "{x:.1},{y:.1} ");
            }
            page.push_str("\" />");
            if places.len() <= MARKS_MAX {
                for (x, y) in &places {
                    let _ = write!(page, "<circle class={class} cx={x:.1} cy={y:.1} r=2.5 />");
                }
            }
            let (x, y) = (index as f64 * 120.0, HEIGHT + 36.0);
            let _ = write!(page, "<rect class={class} x={x} y={y} width=10 height=10 />");
            let _ = write!(page, "<text x={} y={}>{}</text>", x + 16.0, y + 10.0, escaped(name));
        }
        page.push_str("</svg>");
    }
}

/// Text as it stands in HTML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_numbers() {
        let words = |_| String::new();
        let ticks = |axis: Axis, values: &[f64]| axis.range(values.iter().copied()).2;
        assert_eq!(ticks(Axis::Even(words), &[3.0, 5.0]), [0.0, 2.0, 4.0]);
        assert_eq!(ticks(Axis::Even(words), &[101.0]), [0.0, 50.0, 100.0]);
        assert_eq!(ticks(Axis::Even(words), &[0.0]), [0.0, 1.0]);
        assert_eq!(ticks(Axis::Even(words), &[]), [0.0, 1.0]);
        assert_eq!(ticks(Axis::Tenfold(words), &[0.0, 55.0, 172_159.0]), [10.0, 100.0, 1e3, 1e4, 1e5, 1e6]);
        assert_eq!(ticks(Axis::Tenfold(words), &[100.0]), [100.0, 1e3]);
        assert_eq!(ticks(Axis::Tenfold(words), &[]), [1.0, 10.0]);
    }

    #[test]
    fn a_single_point_can_be_seen() {
        let mut page = String::new();
        let axis = Axis::Even(|value| value.to_string());
        Plot { title: "<one>", curves: vec![("a", vec![(1.0, 1.0)])], x: axis, y: axis }.write(&mut page);
        assert!(page.contains("<circle") && page.contains("&lt;one&gt;") && !page.contains("NaN"), "{page}");
    }

    #[test]
    fn what_a_server_says_of_itself_stays_text() {
        assert_eq!(escaped("<b a=\"&\">"), "&lt;b a=&quot;&amp;&quot;&gt;");
    }
}
