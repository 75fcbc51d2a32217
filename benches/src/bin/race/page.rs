//! The page: what is between its two marks is written anew, with tables, plots and what was promised.

use std::{fmt::Write, fs, path::Path};

use crate::{
    Failure,
    entrant::{ENTRANTS, Entrant, GROWN, JOINED},
    figures::{Grown, Race, Row, Typed},
    goals::{figure_of, goals, ratio_in},
    plot::{self, BLUE, Bar, GREY, ORANGE},
};

const BEGIN: &str = "<!-- The race writes from here … -->\n";
const END: &str = "<!-- … to here. -->\n";

/// What each scenario is, in words.
const TYPING: [(&str, &str); 6] = [
    ("M1", "One room, one who types and one who reads; the next letter when both have the last one."),
    ("M2", "One room, one who types 50 letters a second, 100 who read. CPU is per delivered message."),
    ("M3", "50 rooms, two in each who type, each with one edit outstanding."),
    ("M4", "One room, 20 who type, each with one edit outstanding."),
    ("M7 2 KB", "As M1, in a text of 2,000 characters."),
    ("M7 200 KB", "As M1, in a text of 200,000 characters."),
];

/// Writes the page and its plots.
pub(crate) fn write(race: &Race, docs: &Path) -> Result<(), Failure> {
    let plots = docs.join("performance");
    fs::create_dir_all(&plots)?;
    let mut body = String::new();
    for line in &race.setting {
        writeln!(body, "- {line}")?;
    }
    promises(race, &mut body)?;
    for (name, what) in TYPING {
        let Some((_, rows)) = race.typed.iter().find(|(other, _)| other == name) else { continue };
        let file = format!("{}.svg", name.to_lowercase().replace(' ', "-"));
        let (title, figure) = figure_for(name);
        fs::write(plots.join(&file), bars(&format!("{name}: {title}"), rows, figure))?;
        writeln!(body, "\n### {name}\n\n{what}\n\n![{name}: {title}](performance/{file})\n")?;
        typed(name, rows, &mut body)?;
    }
    replayed(race, &mut body)?;
    standing(race, &mut body)?;
    grown(race, &plots, &mut body)?;
    let path = docs.join("performance.md");
    let page = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let (before, rest) = page.split_once(BEGIN).ok_or("the page has no mark to write behind")?;
    let (_, behind) = rest.split_once(END).ok_or("the page has no mark to write up to")?;
    Ok(fs::write(path, format!("{before}{BEGIN}\n{body}\n{END}{behind}"))?)
}

fn promises(race: &Race, body: &mut String) -> Result<(), Failure> {
    let goals = goals(race);
    let kept = goals.iter().filter(|goal| goal.is_kept()).count();
    writeln!(body, "\n### What was promised\n\n{kept} of {} are kept in this race.\n", goals.len())?;
    writeln!(body, "| promise | measured | at most | |\n|---|---|---|---|")?;
    for goal in goals {
        let (unit, measured, most) = (goal.unit, goal.measured, goal.most);
        let verdict =
            if goal.is_kept() { "kept".to_owned() } else { format!("missed, {:.2} times that", measured / most) };
        writeln!(body, "| {} | {measured:.2} {unit} | {most:.2} {unit} | {verdict} |", goal.what)?;
    }
    Ok(())
}

type Figure = fn(&Typed) -> f64;

/// What is compared in a scenario, and how it is called.
fn figure_for(name: &str) -> (&'static str, Figure) {
    match name {
        "M2" => ("µs of CPU per delivered message", |run| run.cpu_us_per_delivery),
        _ => ("µs of CPU per edit", |run| run.cpu_us_per_edit),
    }
}

fn typed(name: &str, rows: &[Row<Typed>], body: &mut String) -> Result<(), Failure> {
    let (title, figure) = figure_for(name);
    writeln!(
        body,
        "| server | survives | {title} | to the relay's | edits/s | edit to last other screen, p50 / p99 µs | bytes up / \
         down per edit | memory MB |\n|---|---|---|---|---|---|---|---|"
    )?;
    for row in rows {
        let entrant = entrant(&row.entrant)?;
        let of = |figure: Figure| figure_of(rows, &row.entrant, figure).unwrap_or(f64::NAN);
        writeln!(
            body,
            "| {} | {} | {:.1} | {:.2} | {:.0} | {:.0} / {:.0} | {:.0} / {:.0} | {:.0} |",
            entrant.name,
            entrant.durability,
            of(figure),
            ratio_in(rows, &row.entrant, entrant.limit(), figure).unwrap_or(f64::NAN),
            of(|run| run.edits_per_s),
            of(|run| run.p50_us),
            of(|run| run.p99_us),
            of(|run| run.bytes_up),
            of(|run| run.bytes_down),
            of(|run| run.memory_mb),
        )?;
    }
    Ok(())
}

fn bars(title: &str, rows: &[Row<Typed>], figure: Figure) -> String {
    let bar = |row: &Row<Typed>| -> Option<Bar<'static>> {
        let entrant = entrant(&row.entrant).ok()?;
        let color = match entrant {
            _ if entrant.is_relay() => GREY,
            _ if entrant.is_motet() => BLUE,
            _ => ORANGE,
        };
        Some(Bar { name: entrant.name, value: figure_of(rows, entrant.name, figure)?, color })
    };
    plot::bars(title, &rows.iter().filter_map(bar).collect::<Vec<_>>())
}

fn replayed(race: &Race, body: &mut String) -> Result<(), Failure> {
    for (name, rows) in &race.replayed {
        if name == "sveltecomponent" {
            writeln!(
                body,
                "\n### M5\n\nThe trace `{name}`, 18,335 edits by one client, one by one; then a newcomer.\n\n\
                 | server | survives | µs of CPU per edit | newcomer: bytes | ms until it has the text |\n|---|---|---|---|---|"
            )?;
        } else {
            writeln!(
                body,
                "\n### M6: joining after a long history\n\nThe trace `{name}`, 259,778 edits, which make a text of 104,852 characters; \
                 then a newcomer. Motet gets each edit by itself. The others get 200 in a message, which takes less \
                 time and leaves them the same text.\n\n| server | newcomer: bytes | ms until it has the text | memory that the \
                 history took, MB |\n|---|---|---|---|"
            )?;
        }
        for row in rows {
            let entrant = entrant(&row.entrant)?;
            let Some(run) = row.runs.first() else { continue };
            let (who, bytes, ms) = (entrant.name, run.join_bytes, run.join_ms);
            match name == "sveltecomponent" {
                true if entrant.is_relay() => {
                    writeln!(body, "| {who} | {} | {:.1} | – | – |", entrant.durability, run.cpu_us_per_edit)?;
                }
                true => writeln!(
                    body,
                    "| {who} | {} | {:.1} | {bytes} | {ms:.1} |",
                    entrant.durability, run.cpu_us_per_edit
                )?,
                false => writeln!(body, "| {who} | {bytes} | {ms:.1} | {:.1} |", run.memory_kb / 1_024.0)?,
            }
        }
    }
    Ok(())
}

fn standing(race: &Race, body: &mut String) -> Result<(), Failure> {
    if race.standing.is_empty() {
        return Ok(());
    }
    writeln!(
        body,
        "\n### M6: memory of what stands\n\n2,000 connections, 20 in each of 100 empty rooms; 1,000 rooms of 1 KB with a connection \
         to each; and 8,000 such rooms on eight connections, where the protocol can. Rooms are counted after 1,000 others, so that \
         what has a limit, a store's buffers above all, is there, and when nothing has happened for four seconds.\n\n| server | kB per idle connection | kB \
         per room and its connection | kB per room alone |\n|---|---|---|---|"
    )?;
    for row in &race.standing {
        let Some(run) = row.runs.first() else { continue };
        let alone = run.kb_per_room_alone.map_or("–".to_owned(), |kb| format!("{kb:.1}"));
        writeln!(body, "| {} | {:.1} | {:.1} | {alone} |", row.entrant, run.kb_per_connection, run.kb_per_room)?;
    }
    Ok(())
}

fn grown(race: &Race, plots: &Path, body: &mut String) -> Result<(), Failure> {
    if race.grown.is_empty() {
        return Ok(());
    }
    writeln!(
        body,
        "\n### M6: what grows\n\nAn edit of M1 in texts of 1 KB to 10 MB, and after up to a million revisions, each length of history on a server of \
         its own. All points are measured in turns, three short runs for each round, after one that is not counted; \
         a point is the median of what it is to the middle one of its turn. Memory per revision is by how much the most that the server takes on the way from 700,000 to 1,000,000 \
         revisions is above the most on the way from 400,000 to 700,000: the store's buffers go up and down, and have a \
         limit, which they have reached by then. The newcomer joins the room with a million.\n"
    )?;
    let charts = [
        ("text", "bytes of text", race.grown.iter().map(|row| line(row, |run| &run.by_text)).collect::<Vec<_>>()),
        ("revisions", "revisions", race.grown.iter().map(|row| line(row, |run| &run.by_revisions)).collect()),
    ];
    for (file, what, lines) in charts {
        let title = format!("µs of CPU per edit by {what}");
        fs::write(plots.join(format!("{file}.svg")), plot::lines(&title, &lines))?;
        writeln!(body, "![{title}](performance/{file}.svg)\n")?;
    }
    writeln!(
        body,
        "| server | by text | by revisions | memory per revision, B | newcomer, ms |\n|---|---|---|---|---|"
    )?;
    for row in &race.grown {
        let Some(run) = row.runs.first() else { continue };
        let list = |points: &[(u64, f64)]| {
            let points: Vec<_> = points.iter().map(|(count, cost)| format!("{}: {cost:.1}", short(*count))).collect();
            points.join(", ")
        };
        let (by_text, by_revisions) = (list(&run.by_text), list(&run.by_revisions));
        let (bytes, ms) = (run.bytes_per_revision, run.join_ms);
        writeln!(body, "| {} | {by_text} | {by_revisions} | {bytes:.1} | {ms:.1} |", row.entrant)?;
    }
    Ok(())
}

fn line(row: &Row<Grown>, points: fn(&Grown) -> &[(u64, f64)]) -> plot::Line<'_> {
    let points = row.runs.iter().take(1).flat_map(points);
    (&row.entrant, points.map(|(count, cost)| (short(*count), *cost)).collect())
}

/// A count as people write it on an axis.
fn short(count: u64) -> String {
    match count {
        0 => "0".to_owned(),
        count if count % (1 << 20) == 0 => format!("{} Mi", count >> 20),
        count if count % (1 << 10) == 0 => format!("{} Ki", count >> 10),
        count if count % 1_000_000 == 0 => format!("{} M", count / 1_000_000),
        count if count % 1_000 == 0 => format!("{} k", count / 1_000),
        count => count.to_string(),
    }
}

fn entrant(name: &str) -> Result<&'static Entrant, Failure> {
    let mut all = ENTRANTS.iter().chain(&GROWN).chain(&JOINED);
    all.find(|entrant| entrant.name == name).ok_or_else(|| format!("nobody is called {name}").into())
}
