//! `include/smoothtopk.h` is what cbindgen makes of `src/capi`, and it compiles alone as C11 and C++17.

use std::path::{Path, PathBuf};
use std::process::Command;

/// In the order in which the header has them.
const SOURCES: [&str; 31] = [
    "status",
    "error",
    "library",
    "log",
    "runtime",
    "model_options",
    "model_options_device",
    "model_options_limits",
    "request",
    "request_rule",
    "request_noise",
    "cancel",
    "counts",
    "counts_json",
    "validity",
    "query",
    "counts_certify",
    "decision",
    "summary",
    "guarantee",
    "result",
    "result_counts",
    "result_guarantee",
    "job",
    "stats",
    "job_item",
    "model",
    "classifier",
    "model_run",
    "call",
    "budget",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn generate() -> String {
    let config = cbindgen::Config::from_file(root().join("cbindgen.toml")).unwrap();
    let mut builder = cbindgen::Builder::new().with_config(config);
    for name in SOURCES {
        builder = builder.with_src(root().join(format!("src/capi/{name}.rs")));
    }
    let mut header = Vec::new();
    builder.generate().unwrap().write(&mut header);
    // What an ignored status hides is a failure; cbindgen knows no attribute of some functions alone.
    String::from_utf8(header).unwrap().replace("\nstk_status stk_", "\nSTK_MUST_CHECK\nstk_status stk_")
}

#[test]
fn the_committed_header_is_the_generated_one() {
    let (path, generated) = (root().join("include/smoothtopk.h"), generate());
    if std::env::var_os("UPDATE_HEADER").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "include/smoothtopk.h is not up to date: run UPDATE_HEADER=1 cargo test --test library header"
    );
}

#[test]
fn every_source_file_and_every_export_is_in_the_header() {
    let header = generate();
    let modules = std::fs::read_to_string(root().join("src/capi/mod.rs")).unwrap();
    assert!(modules.contains("#[cfg(feature = \"test-hooks\")]\nmod test_hooks;"), "every library has the test hooks");
    let mut exports = 0;
    let files = root().join("src/capi").read_dir().unwrap().map(|entry| entry.unwrap().path());
    for file in files.filter(|file| file.is_file()) {
        let source = std::fs::read_to_string(&file).unwrap();
        let is_hook = file.file_stem().is_some_and(|stem| stem == "test_hooks");
        for line in
            source.lines().filter(|line| line.starts_with("pub unsafe extern") || line.starts_with("pub extern"))
        {
            let name = line.split_once("fn ").unwrap().1.split_once('(').unwrap().0;
            assert_eq!(header.contains(&format!("{name}(")), !is_hook, "{name}: the header has all but the test hooks");
            exports += 1;
        }
    }
    assert!(exports > 90, "{exports} exports were found: the search is broken");
}

/// Compiles the header alone, twice included.
fn compiles(compiler: &str, arguments: &[&str], extension: &str) {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join(format!("unit.{extension}"));
    std::fs::write(&source, "#include <smoothtopk.h>\n#include <smoothtopk.h>\nint stk_unit;\n").unwrap();
    let output = Command::new(compiler)
        .args(arguments)
        .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-I"])
        .arg(Path::new("include"))
        .arg(&source)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{compiler}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn it_compiles_alone_as_c11_and_cpp17() {
    let compiler = |variable: &str, default: &str| std::env::var(variable).unwrap_or_else(|_| default.into());
    compiles(&compiler("CC", "cc"), &["-std=c11"], "c");
    let cpp = compiler("CXX", "c++");
    match Command::new(&cpp).arg("--version").output() {
        Ok(_) => compiles(&cpp, &["-std=c++17"], "cpp"),
        Err(_) => eprintln!("SKIPPED: there is no C++ compiler ({cpp}); the C++ suite needs one"),
    }
}
