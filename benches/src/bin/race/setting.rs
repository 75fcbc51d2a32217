//! Where and when a race was run, and with what.

use std::{fs, io::Write, path::Path, process::Command, time::Instant};

use motet_benches::disk_directory;

use crate::{
    Failure,
    entrant::ENTRANTS,
    figures::median,
    process::{PEERS, Program},
};

/// What is said where the race was not alone.
const BUSY: &str = ": **the machine was busy with other things**, so that times say little, syncs wait, and batches are smaller \
                    than on a quiet one. Ratios within a round and bytes are what to look at";

/// Lines for the page.
pub(crate) fn tell(rounds: usize, seconds: f64, disk_sync_us: f64) -> Result<Vec<String>, Failure> {
    let cpu = fs::read_to_string("/proc/cpuinfo")?;
    let cpu_name = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split(':').nth(1)).unwrap_or("unknown");
    let memory = fs::read_to_string("/proc/meminfo")?;
    let memory_kb: u64 = memory.split_whitespace().nth(1).ok_or("no memory")?.parse()?;
    let load = fs::read_to_string("/proc/loadavg")?;
    let load: f64 = load.split(' ').next().unwrap_or_default().parse()?;
    let cores = std::thread::available_parallelism()?;
    let mut lines = vec![
        format!("{}, {}", output("date", &["-u", "+%Y-%m-%d %H:%M UTC"])?, output("uname", &["-srm"])?),
        format!("{}, {cores} cores for servers and client together, {} GB", cpu_name.trim(), memory_kb >> 20),
        format!("load average at the start: {load:.1}{}", if load > 1.0 { BUSY } else { "" }),
        format!("an append of 76 bytes with `fdatasync` to the same disk, nothing else: {disk_sync_us:.0} µs (median)"),
        format!("{rounds} rounds in turns, {seconds} s a run after 0.5 s of warming up; medians"),
        format!(
            "Motet {} ({}), {}",
            env!("CARGO_PKG_VERSION"),
            output("git", &["describe", "--always", "--dirty"]).unwrap_or_else(|_| "unknown revision".to_owned()),
            output("rustc", &["--version"])?
        ),
    ];
    let mut packages = vec![format!("Node {}", output("node", &["--version"])?)];
    for entrant in ENTRANTS {
        if let Program::Node { package, .. } = entrant.program {
            packages.push(format!("{package} {}", version(package)?));
        }
    }
    packages.push(format!("ws {}", version("ws")?));
    packages.push(format!("yjs {}", version("yjs")?));
    lines.push(packages.join(", "));
    Ok(lines)
}

/// What an append with a sync takes on the disk that the stores are on, in microseconds: the median of some.
pub(crate) fn disk_sync_us() -> Result<f64, Failure> {
    let directory = disk_directory()?;
    let mut file = tempfile::tempfile_in(&directory)?;
    let mut times = Vec::new();
    for _ in 0..500 {
        let start = Instant::now();
        file.write_all(&[7; 76])?;
        file.sync_data()?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    Ok(median(times))
}

/// What is installed of a package.
fn version(package: &str) -> Result<String, Failure> {
    let manifest = fs::read_to_string(Path::new(PEERS).join("node_modules").join(package).join("package.json"))?;
    let manifest: serde_json::Value = serde_json::from_str(&manifest)?;
    Ok(manifest["version"].as_str().ok_or("no version")?.to_owned())
}

fn output(program: &str, arguments: &[&str]) -> Result<String, Failure> {
    let output = Command::new(program).args(arguments).output()?;
    if !output.status.success() {
        return Err(format!("{program} failed").into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
