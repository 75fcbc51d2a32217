//! A power cut, simulated: the store lives on an ext4 image mounted by loop, a process of its own writes to it, is frozen under
//! load, and the image is copied. What was only in the page cache is not in the copy, which is what a disk would hold after
//! the cut. Everything that the writer had been told is durable must be in it.
//!
//! That the test can fail is shown by the same procedure with a store that does not sync: it loses what it acknowledged.

use std::{
    env,
    fs::{self, File},
    io::{self, Read},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::store_disk;
use motet_server::store::{Durability, StoreKind, conformance::Random};

use crate::store_writer::{self, Acknowledged, Writer, is_writer};

const IMAGE_MIB: u64 = 160;

/// So many writes at least come before a cut that is not to hit the start.
const WRITES: u64 = 200;

/// When the power is cut: so long after the writer was told of so many writes.
#[derive(Clone, Copy, Debug)]
struct Moment {
    writes: u64,
    after: Duration,
}

/// Runs the writer on an image and freezes it at a moment; the copy of the image is the disk after the cut.
fn cut(image: &Path, copy: &Path, kind: StoreKind, durability: Durability, moment: Moment) -> Acknowledged {
    let at = image.with_extension("mounted");
    let disk = store_disk::mount(image, &at).unwrap();
    let mut writer = Writer::start(&disk.path().join("data"), kind, durability);
    writer.wait_for(moment.writes);
    thread::sleep(moment.after);
    writer.signal("-STOP");
    wait_until_stopped(writer.id);
    // What the system writes back while it is copied would make of the copy what no disk ever was.
    loop {
        fs::copy(image, copy).unwrap();
        if same(image, copy).unwrap() {
            return writer.kill();
        }
    }
}

/// Whether two files hold the same.
fn same(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    let (mut left, mut right) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        let read = one.read(&mut left)?;
        if read == 0 {
            return Ok(other.read(&mut right)? == 0);
        }
        other.read_exact(&mut right[..read])?;
        if left[..read] != right[..read] {
            return Ok(false);
        }
    }
}

/// Waits until each thread of a stopped process stands still, none in the middle of a sync.
fn wait_until_stopped(process: u32) {
    let began = Instant::now();
    let stopped = |task: fs::DirEntry| {
        let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
    };
    while !fs::read_dir(format!("/proc/{process}/task")).unwrap().map(Result::unwrap).all(stopped) {
        assert!(began.elapsed() < Duration::from_secs(120), "the writer does not stop");
        thread::sleep(Duration::from_millis(1));
    }
}

/// What of the acknowledged is not on a disk. That what is there is right, and dense, is asserted.
fn lost(disk: &Path, kind: StoreKind, acknowledged: &Acknowledged) -> Result<u64, String> {
    let mounted = store_disk::mount(disk, &disk.with_extension("mounted")).unwrap();
    let data = mounted.path().join("data");
    if !data.join("FORMAT").exists() {
        return Ok(acknowledged.count());
    }
    store_writer::lost(&data, kind, Durability::Sync, acknowledged).map_err(|error| error.to_string())
}

/// Cuts one after the other, each on the disk that the one before left.
fn loses_nothing(kind: StoreKind) {
    if is_writer() || !store_disk::may_mount(&format!("power cuts with {kind}")) {
        return;
    }
    let seed = env::var("SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    let mut random = Random(seed);
    let directory = tempfile::tempdir().unwrap();
    let mut image = directory.path().join("0.image");
    store_disk::make(&image, IMAGE_MIB).unwrap();
    let mut count = 0;
    for round in 1..=5 {
        // The first is cut while it starts.
        let (writes, micros) = if round == 1 { (0, 60_000) } else { (WRITES, 400_000) };
        let moment = Moment { writes, after: Duration::from_micros(random.below(micros)) };
        let copy = directory.path().join(format!("{round}.image"));
        let acknowledged = cut(&image, &copy, kind, Durability::Sync, moment);
        count = acknowledged.count().max(count);
        let lost = lost(&copy, kind, &acknowledged);
        assert_eq!(lost, Ok(0), "{kind}, cut {round}, {moment:?}, seed {seed}: {acknowledged:?}");
        fs::remove_file(&image).unwrap();
        image = copy;
    }
    eprintln!("{kind}: {count} acknowledged writes, 5 cuts, none lost");
    assert!(count >= WRITES, "the writer made only {count} writes");
}

/// Cuts without syncs until one loses something (nearly all do), or the procedure above proves nothing.
fn loses_something_without_syncs(kind: StoreKind) {
    if is_writer() || !store_disk::may_mount(&format!("power cuts with {kind} that does not sync")) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let moment = Moment { writes: WRITES, after: Duration::from_millis(100) };
    for round in 1..=20 {
        let (image, copy) = (directory.path().join("image"), directory.path().join(format!("{round}.copy")));
        store_disk::make(&image, IMAGE_MIB).unwrap();
        let acknowledged = cut(&image, &copy, kind, Durability::Os, moment);
        let lost = lost(&copy, kind, &acknowledged);
        eprintln!("{kind} without syncs: {} acknowledged writes, lost {lost:?}", acknowledged.count());
        if lost != Ok(0) {
            return;
        }
    }
    panic!("{kind} lost nothing in 20 cuts without syncs");
}

#[test]
fn nothing_acknowledged_is_lost_by_a_power_cut_on_sled() {
    loses_nothing(StoreKind::Sled);
}

#[test]
fn nothing_acknowledged_is_lost_by_a_power_cut_on_fjall() {
    loses_nothing(StoreKind::Fjall);
}

#[test]
fn the_procedure_finds_what_sled_loses_without_syncs() {
    loses_something_without_syncs(StoreKind::Sled);
}

#[test]
fn the_procedure_finds_what_fjall_loses_without_syncs() {
    loses_something_without_syncs(StoreKind::Fjall);
}
