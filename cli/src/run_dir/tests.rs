use std::collections::BTreeMap;

use super::manifest::tests::example as manifest;
use smoothtopk::certificate::stop::Decision;
use smoothtopk::stats::{Allocation, Counts};

use super::*;

/// The examples of the run: every third one.
fn expected(i: usize) -> usize {
    3 * i
}

fn record(i: usize) -> Record {
    let outcome = |radius: f64| Outcome { certified: (!i.is_multiple_of(3)).then_some((i % 4, radius)) };
    Record {
        idx: expected(i),
        label: Some(i % 4),
        counted: Some(i % 4),
        counts: (0..4).map(|label| (label * i) as u64).collect(),
        rows: 6 * i as u64,
        outcomes: vec![outcome(0.1 * i as f64), outcome(0.3 * i as f64)],
        stops: Vec::new(),
        answers: Vec::new(),
        time: Duration::from_micros(i as u64),
    }
}

/// Appends the rest of the ten examples.
fn complete(path: &Path) {
    let mut run = RunDir::open(path, &manifest(), None, expected).expect("opens");
    for i in run.done()..10 {
        run.append(&record(i)).expect("appends");
    }
    run.close().expect("closes");
}

fn files(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(path).expect("folder").map(|entry| entry.expect("entry"));
    entries.map(|e| (e.file_name().display().to_string(), std::fs::read(e.path()).expect("bytes"))).collect()
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("RUN");
    (folder, path)
}

#[test]
fn a_run_holds_what_was_appended() {
    let (_folder, path) = folder();
    complete(&path);
    let files = files(&path);
    assert_eq!(files.keys().collect::<Vec<_>>(), [".lock", "counts.tsv", "k1.tsv", "k3.tsv", "manifest.json"]);
    let counts = String::from_utf8_lossy(&files["counts.tsv"]).into_owned();
    assert_eq!(counts.lines().nth(2), Some("0\t2\t4\t6\t2"));
    let rows = String::from_utf8_lossy(&files["k1.tsv"]).into_owned();
    assert_eq!(rows.lines().next(), Some("idx\tlabel\tpredict\tradius\tcorrect\ttime"));
    assert_eq!(rows.lines().nth(3), Some("6\t2\t2\t0.2\t1\t0:00:00.000002"));
    assert_eq!(rows.lines().nth(4), Some("9\t3\t-1\t0\t0\t0:00:00.000003"));
    let run = RunDir::read(&path).expect("reads");
    assert_eq!(run.manifest, Some(manifest()));
    assert_eq!(run.name, "RUN");
    assert_eq!(
        run.series.iter().map(|series| (series.k, series.rows.len())).collect::<Vec<_>>(),
        [(Some(1), 10), (Some(3), 10)]
    );
    assert_eq!(run.series[1].rows[5].radius.to_bits(), (0.3f64 * 5.0).to_bits());
}

#[test]
fn a_kill_at_any_byte_of_any_file_neither_loses_nor_repeats_an_example() {
    let (_folder, whole) = folder();
    complete(&whole);
    let whole = files(&whole);
    let order = ["counts.tsv", "k1.tsv", "k3.tsv"];
    // The bytes in the order in which a run writes them: headers, then line by line over the files.
    let mut steps: Vec<(&str, &[u8])> = vec![("counts.tsv", b""), ("k1.tsv", HEADER), ("k3.tsv", HEADER)];
    let body = |name: &str| if name == "counts.tsv" { &whole[name][..] } else { &whole[name][HEADER.len()..] };
    let lines: BTreeMap<&str, Vec<&[u8]>> =
        order.map(|name| (name, body(name).split_inclusive(|&byte| byte == b'\n').collect())).into();
    steps.extend((0..10).flat_map(|i| order.map(|name| (name, lines[name][i]))));
    let mut written: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for (name, bytes) in steps {
        for cut in 0..=bytes.len() {
            // Every byte of a middle example; of the rest the ends and every seventh, as each case syncs its files.
            let (_folder, path) = folder();
            let mut now = written.clone();
            now.entry(name).or_default().extend(&bytes[..cut]);
            let done = order.map(|name| now.get(name).map_or(0, |bytes| examples(name, bytes))).into_iter().min();
            if done != Some(5) && cut % 7 != 0 && cut != bytes.len() {
                continue;
            }
            std::fs::create_dir_all(&path).expect("folder");
            std::fs::write(path.join(MANIFEST), &whole[MANIFEST]).expect("manifest");
            for (name, bytes) in &now {
                std::fs::write(path.join(name), bytes).expect("file");
            }
            let run = RunDir::open(&path, &manifest(), None, expected).expect("resumes");
            assert_eq!(Some(run.done()), done);
            drop(run);
            complete(&path);
            assert_eq!(files(&path), whole, "{name} cut at {cut}");
        }
        written.entry(name).or_default().extend(bytes);
    }
}

const HEADER: &[u8] = b"idx\tlabel\tpredict\tradius\tcorrect\ttime\n";

fn examples(name: &str, bytes: &[u8]) -> usize {
    let lines = bytes.iter().filter(|&&byte| byte == b'\n').count();
    if name == "counts.tsv" { lines } else { lines.saturating_sub(1) }
}

#[test]
fn a_start_that_was_killed_before_its_manifest_starts_again() {
    let (_folder, path) = folder();
    std::fs::create_dir_all(&path).expect("folder");
    std::fs::write(path.join(".lock"), "").expect("lock");
    std::fs::write(path.join(".manifest.json.tmp"), "{ half").expect("half");
    complete(&path);
    assert_eq!(RunDir::open(&path, &manifest(), None, expected).expect("resumes").done(), 10);
}

#[test]
fn another_manifest_is_refused_and_changes_nothing() {
    let (_folder, path) = folder();
    complete(&path);
    let before = files(&path);
    let other = Manifest { sigma: 0.5, ..manifest() };
    let error = RunDir::open(&path, &other, None, expected).expect_err("sigma");
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidArgument, Some("sigma")));
    assert!(error.message().contains("0.30000000000000004") && error.message().contains("0.5"), "{error}");
    assert_eq!(files(&path), before);
}

#[test]
fn a_folder_that_is_no_run_stays_untouched() {
    let (_folder, path) = folder();
    std::fs::create_dir_all(&path).expect("folder");
    std::fs::write(path.join("thesis.tex"), "years of work").expect("file");
    let before = files(&path);
    let error = RunDir::open(&path, &manifest(), None, expected).expect_err("foreign");
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidArgument, Some("out")));
    assert!(error.message().contains("thesis.tex"), "{error}");
    assert_eq!(files(&path), before);
}

#[test]
fn damage_is_refused_and_changes_nothing() {
    let swap = |text: String, from: &str, to: &str| text.replacen(from, to, 1);
    type Damage<'a> = &'a dyn Fn(String) -> String;
    let damages: [(&str, Damage, &str); 9] = [
        (
            "k1.tsv",
            &|text| swap(text, "\n6\t", "\n7\t"),
            "k1.tsv, line 4: holds example 7, where example 6 is to follow",
        ),
        ("k1.tsv", &|text| swap(text, "6\t2\t2\t0.2\t1\t0:00:00.000002\n", ""), "k1.tsv, line 4: holds example 9"),
        ("k1.tsv", &|text| swap(text, "6\t2\t2\t0.2\t1", "6\t2\t1\t0.2\t1"), "k1.tsv, line 4: has 1 for correct"),
        ("k3.tsv", &|text| swap(text, "9\t3\t-1\t0\t0", "9\t3\t-1\t0\t1"), "k3.tsv, line 5: has 1 for correct"),
        ("k3.tsv", &|text| swap(text, "\n3\t", "\n3\tx"), "k3.tsv, line 3"),
        ("k3.tsv", &|text| swap(text, "idx", "id"), "line 1: is not the header"),
        ("k1.tsv", &|text| text.clone() + "30\t0\t-1\t0\t0\t0:00:00.0\n", "past the 10 of the run"),
        ("counts.tsv", &|text| swap(text, "0\t2\t4\t6\t2", "0\t2\t4\t6"), "counts.tsv, line 3"),
        ("counts.tsv", &|text| swap(text, "0\t2\t4\t6\t2", "0\t2\t4\t-6\t2"), "counts.tsv, line 3"),
    ];
    for (file, damage, part) in damages {
        let (_folder, path) = folder();
        complete(&path);
        let text = std::fs::read_to_string(path.join(file)).expect("text");
        std::fs::write(path.join(file), damage(text)).expect("write");
        let before = files(&path);
        let error = RunDir::open(&path, &manifest(), None, expected).expect_err(part);
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(error.message().contains(part), "{error}");
        assert_eq!(files(&path), before);
        // What is not gone on with is not reported either.
        if file != COUNTS {
            let error = RunDir::read(&path).expect_err(part);
            assert!(error.message().contains(part), "{error}");
        }
    }
    let (_folder, path) = folder();
    complete(&path);
    std::fs::remove_file(path.join("counts.tsv")).expect("remove");
    let error = RunDir::open(&path, &manifest(), None, expected).expect_err("missing");
    assert!(error.message().contains("counts.tsv is missing"), "{error}");
    assert_eq!(RunDir::read(&path).expect("rows are whole").series[0].rows.len(), 10);
}

#[test]
fn only_one_process_writes_a_run() {
    let (_folder, path) = folder();
    let run = RunDir::open(&path, &manifest(), None, expected).expect("opens");
    let error = RunDir::open(&path, &manifest(), None, expected).expect_err("locked");
    assert!(error.message().contains("another process"), "{error}");
    drop(run);
    RunDir::open(&path, &manifest(), None, expected).expect("free again");
}

#[test]
fn a_record_that_does_not_fit_is_not_written() {
    let (_folder, path) = folder();
    let mut run = RunDir::open(&path, &manifest(), None, expected).expect("opens");
    let short = Record { counts: vec![1, 2], ..record(0) };
    assert_eq!(run.append(&short).expect_err("short").kind(), ErrorKind::Internal);
    assert_eq!(std::fs::read(path.join(COUNTS)).expect("counts"), b"");
}

#[test]
fn runs_of_other_tools_and_unfinished_ones_are_read() {
    let (folder, path) = folder();
    let other = folder.path().join("cohen.tsv");
    std::fs::write(
        &other,
        "idx\tlabel\tpredict\tradius\tcorrect\ttime\n0\t3\t3\t0.55\t1\t0:00:10\n20\t8\t-1\t0.0\t0\t0:00:09\n40\t1\t2\t0.5\t0\t0:00:09",
    )
    .expect("file");
    let run = RunDir::read(&other).expect("reads");
    assert_eq!((run.name.as_str(), run.manifest, run.series[0].k), ("cohen", None, None));
    // Many a tool ends its last line without a newline.
    assert_eq!(run.series[0].rows.iter().map(|row| row.predict).collect::<Vec<_>>(), [Some(3), None, Some(2)]);
    let text = std::fs::read_to_string(&other).expect("text");
    for (from, to, says) in [
        ("\t2\t0.5\t0\t0:00:09", "", "cohen.tsv, line 4: has no radius"),
        ("\n40", "\n0", "cohen.tsv, line 4: holds example 0 again, as line 2 does"),
        ("0.0\t0", "0.0\t1", "cohen.tsv, line 3: has 1 for correct, and no predicted label"),
    ] {
        std::fs::write(&other, text.replacen(from, to, 1)).expect("file");
        let error = RunDir::read(&other).expect_err(says);
        assert!(error.kind() == ErrorKind::InvalidData && error.message().contains(says), "{error}");
    }
    // A single file of a run that is being written is one as well; another file beside a manifest is not.
    let cut = &text[..text.len() - "\t0.5\t0\t0:00:09".len()];
    std::fs::write(folder.path().join(MANIFEST), "{}").expect("manifest");
    for (name, rows) in [("k1.tsv", Some(2)), ("kept.tsv", None)] {
        let file = folder.path().join(name);
        std::fs::write(&file, cut).expect("file");
        assert_eq!(RunDir::read(&file).ok().map(|run| run.series[0].rows.len()), rows, "{name}");
    }
    std::fs::write(&other, "idx,label\n").expect("file");
    assert!(RunDir::read(&other).expect_err("columns").message().contains("no column `idx`"));
    assert_eq!(RunDir::read(&path).expect_err("nothing").kind(), ErrorKind::NotFound);
    std::fs::create_dir_all(&path).expect("folder");
    assert!(RunDir::read(&path).expect_err("empty").message().contains("no run"));
    std::fs::write(path.join(MANIFEST), manifest().to_json().expect("text")).expect("manifest");
    assert!(RunDir::read(&path).expect("no example yet").series.iter().all(|series| series.rows.is_empty()));
}

/// A run, its i-th record, and the last file that a record is written to.
type Kind = (Manifest, fn(usize) -> Record, &'static str);

/// Runs that keep more than certificates: how rows ended, and guarantees.
fn other_kinds() -> [Kind; 2] {
    let stopped = |i: usize| {
        let earlier = (i == 4).then(|| Counts::new(vec![3, 0, 1, 0], 5).expect("counts"));
        let stop =
            StopOfK { decision: Decision::Certified, allocation: Some(Allocation::BinoCp), earlier, uniform: None };
        let late = StopOfK { decision: Decision::Undecided, allocation: None, earlier: None, uniform: None };
        Record { stops: vec![stop, late], ..record(i) }
    };
    let answered = |i: usize| {
        let answer = |k: usize| Answer {
            labels: (0..k).collect(),
            set: 0.1 * i as f64,
            kept: vec![f64::INFINITY; k],
            each: vec![0.25; k],
            first: 0.5,
            ranking: 0.0,
        };
        Record { counted: None, outcomes: Vec::new(), answers: vec![answer(1), answer(3)], ..record(i) }
    };
    [
        (Manifest { rule: "radius:0.5".into(), ..manifest() }, stopped, "stops.tsv"),
        (Manifest { guarantee: true, bound: "guarantee".into(), ..manifest() }, answered, "answer_k3.tsv"),
    ]
}

#[test]
fn a_kill_at_any_byte_of_the_last_file_neither_loses_nor_repeats_an_example() {
    for (manifest, record, last) in other_kinds() {
        let complete = |path: &Path| {
            let mut run = RunDir::open(path, &manifest, None, expected).expect("opens");
            for i in run.done()..6 {
                run.append(&record(i)).expect("appends");
            }
            run.close().expect("closes");
        };
        let (_folder, path) = folder();
        complete(&path);
        let whole = files(&path);
        for cut in (0..whole[last].len()).filter(|cut| cut % 5 == 0) {
            std::fs::write(path.join(last), &whole[last][..cut]).expect("cut");
            complete(&path);
            assert_eq!(files(&path), whole, "{last} cut at {cut}");
        }
        let read = RunDir::read(&path).expect("reads");
        assert_eq!(
            (read.series.is_empty(), read.answers.len()),
            (manifest.guarantee, if manifest.guarantee { 2 } else { 0 })
        );
        let stops: Vec<Stop> = if manifest.guarantee { Vec::new() } else { (0..6).map(|i| record(i).stop()).collect() };
        assert_eq!(read.stops, stops);
        // What the run does not keep is not taken.
        let mut run = RunDir::open(&path, &manifest, None, expected).expect("opens");
        assert_eq!(run.append(&super::tests::record(6)).expect_err("other statements").kind(), ErrorKind::Internal);
    }
}

#[test]
fn a_start_that_was_killed_before_its_manifest_takes_a_new_key() {
    let (_folder, path) = folder();
    let of = |key: &[u8; 32]| Manifest {
        generator: "chacha12".into(),
        seed: None,
        key_sha256: Some(crate::noise_args::fingerprint(key)),
        ..manifest()
    };
    let (first, second) = ([1; 32], [2; 32]);
    drop(RunDir::open(&path, &of(&first), Some(&first), expected).expect("opens"));
    std::fs::remove_file(path.join(MANIFEST)).expect("as if it had not been written");
    for file in ["counts.tsv", "k1.tsv", "k3.tsv"] {
        std::fs::remove_file(path.join(file)).expect("no example");
    }
    drop(RunDir::open(&path, &of(&second), Some(&second), expected).expect("opens"));
    let stored = Manifest::load(&path.join(MANIFEST)).expect("manifest");
    assert_eq!(stored.key(&path).expect("key"), Some(smoothtopk::noise::Source::ChaCha12 { key: second }));
    let error = of(&first).key(&path).expect_err("another key");
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidData, Some("key")));
}
