//! Plots as SVG: bars for who costs what, lines for what grows.

use std::fmt::Write;

const WIDTH: f64 = 760.0;
const NAMES: f64 = 200.0;
const BAR: f64 = 20.0;

/// One bar.
pub(crate) struct Bar<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: f64,
    pub(crate) color: &'static str,
}

pub(crate) const GREY: &str = "#8b949e";
pub(crate) const BLUE: &str = "#1f6feb";
pub(crate) const ORANGE: &str = "#d9822b";

/// Bars from zero, each with its value.
pub(crate) fn bars(title: &str, bars: &[Bar<'_>]) -> String {
    let height = 40.0 + BAR * bars.len() as f64 + 8.0;
    let most = bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
    let mut svg = start(title, height);
    for (index, bar) in bars.iter().enumerate() {
        let top = 40.0 + BAR * index as f64;
        let length = (WIDTH - NAMES - 80.0) * bar.value / most;
        let Bar { name, value, color } = bar;
        write_to(
            &mut svg,
            format_args!(r#"<text x="{}" y="{}" text-anchor="end">{name}</text>"#, NAMES - 8.0, top + 13.0),
        );
        write_to(
            &mut svg,
            format_args!(
                r#"<rect x="{NAMES}" y="{}" width="{length:.1}" height="{}" fill="{color}"/>"#,
                top + 2.0,
                BAR - 5.0
            ),
        );
        write_to(
            &mut svg,
            format_args!(r#"<text x="{:.1}" y="{}">{value:.1}</text>"#, NAMES + length + 6.0, top + 13.0),
        );
    }
    svg + "</svg>\n"
}

/// A name, and points: a label on the axis and a value.
pub(crate) type Line<'a> = (&'a str, Vec<(String, f64)>);

/// Lines over a logarithmic axis from the left to the right; upwards from zero.
pub(crate) fn lines(title: &str, lines: &[Line<'_>]) -> String {
    const COLORS: [&str; 4] = [BLUE, ORANGE, GREY, "#2da44e"];
    const HEIGHT: f64 = 260.0;
    const LEFT: f64 = 50.0;
    const BOTTOM: f64 = 220.0;
    let most = lines.iter().flat_map(|(_, points)| points).map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max);
    let top = most * 1.2;
    let mut svg = start(title, HEIGHT);
    for part in 0..=4 {
        let value = top * f64::from(part) / 4.0;
        let y = BOTTOM - 170.0 * value / top;
        write_to(
            &mut svg,
            format_args!(r##"<line x1="{LEFT}" y1="{y:.1}" x2="{}" y2="{y:.1}" stroke="#d0d7de"/>"##, WIDTH - 180.0),
        );
        write_to(
            &mut svg,
            format_args!(r#"<text x="{}" y="{:.1}" text-anchor="end">{value:.0}</text>"#, LEFT - 6.0, y + 4.0),
        );
    }
    for (index, (name, points)) in lines.iter().enumerate() {
        let color = COLORS[index % COLORS.len()];
        let step = (WIDTH - 200.0 - LEFT) / points.len().saturating_sub(1).max(1) as f64;
        let mut path = String::new();
        for (number, (label, value)) in points.iter().enumerate() {
            let (x, y) = (LEFT + step * number as f64, BOTTOM - 170.0 * value / top);
            write_to(&mut path, format_args!("{x:.1},{y:.1} "));
            if index == 0 {
                write_to(
                    &mut svg,
                    format_args!(r#"<text x="{x:.1}" y="{}" text-anchor="middle">{label}</text>"#, BOTTOM + 20.0),
                );
            }
        }
        write_to(
            &mut svg,
            format_args!(r#"<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>"#),
        );
        let y = 60.0 + 20.0 * index as f64;
        write_to(&mut svg, format_args!(r#"<text x="{}" y="{y}" fill="{color}">{name}</text>"#, WIDTH - 170.0));
    }
    svg + "</svg>\n"
}

fn start(title: &str, height: f64) -> String {
    format!(
        concat!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" "#,
            r##"font-size="12" fill="#24292f"><title>{title}</title><rect width="{width}" height="{height}" fill="#fff"/>"##,
            "<text x=\"10\" y=\"22\" font-size=\"15\">{title}</text>\n"
        ),
        width = WIDTH,
        height = height,
        title = title
    )
}

fn write_to(svg: &mut String, what: std::fmt::Arguments<'_>) {
    writeln!(svg, "{what}").expect("a string takes whatever is written");
}
