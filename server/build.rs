//! Packs the built web editor (`web/app/dist`) for embedding: each file gzipped, and a list of them.

use std::{env, fs, io::Write, path::Path};

use flate2::{Compression, write::GzEncoder};

fn main() {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/app/dist");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR for build scripts");
    let out = Path::new(&out);
    println!("cargo::rerun-if-changed={}", dist.display());
    let mut list = String::from("&[\n");
    for (number, name) in files(&dist).into_iter().enumerate() {
        let content = fs::read(dist.join(&name)).expect("a file that was just listed can be read");
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&content).expect("memory takes what is written");
        let packed = packed.finish().expect("memory takes what is written");
        let target = out.join(format!("asset-{number}.gz"));
        fs::write(&target, packed).expect("OUT_DIR can be written");
        list.push_str(&format!("    ({name:?}, include_bytes!({target:?})),\n"));
    }
    list.push(']');
    fs::write(out.join("assets.rs"), list).expect("OUT_DIR can be written");
}

/// The files of the editor by name, relative to `dist`: those beside `index.html` and those in `assets`. They are
/// sorted, so that builds are alike.
fn files(dist: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for (folder, prefix) in [(dist.to_owned(), ""), (dist.join("assets"), "assets/")] {
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries {
            let entry = entry.expect("a folder can be listed");
            if entry.file_type().is_ok_and(|kind| kind.is_file()) {
                names.push(format!("{prefix}{}", entry.file_name().to_string_lossy()));
            }
        }
    }
    names.sort();
    names
}
