//! The parts of a RUN that many machines make, and the RUN that they are merged into.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::common::smoothtopk;
use crate::{change_records, digits, files, manifest, ok, records, refused, text};

fn program(arguments: &[String], variables: &[(&str, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smoothtopk"));
    command.args(arguments).env("SMOOTHTOPK_CACHE", "off").stdin(Stdio::null());
    for name in ["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"] {
        command.env_remove(name);
    }
    command.envs(variables.iter().map(|(name, value)| (*name, value)));
    command
}

fn arguments(out: &Path, more: &[&str]) -> Vec<String> {
    digits("certify", &[more, &["--quiet", "--out", out.to_str().unwrap()]].concat())
}

fn certify(out: &Path, more: &[&str]) -> Output {
    smoothtopk(arguments(out, more))
}

fn merge(shards: &[PathBuf], out: &Path, more: &[&str]) -> Output {
    let shards = shards.iter().map(|shard| shard.to_str().unwrap());
    smoothtopk(["merge"].into_iter().chain(shards).chain(["--out", out.to_str().unwrap()]).chain(more.iter().copied()))
}

/// The paths of three shards in a folder.
fn three(folder: &Path) -> Vec<PathBuf> {
    (1..=3).map(|i| folder.join(format!("shard{i}"))).collect()
}

/// A RUN of one machine, and three shards of it.
fn whole_and_shards(folder: &Path, more: &[&str], kind: &str) -> (PathBuf, Vec<PathBuf>) {
    let (whole, shards) = (folder.join("whole"), three(folder));
    ok(&certify(&whole, more));
    for (i, shard) in shards.iter().enumerate() {
        ok(&certify(shard, &[more, &[kind, &format!("{}/3", i + 1)]].concat()));
    }
    (whole, shards)
}

/// As if a kill had come in the middle of a record of each.
fn cut(shard: &Path) {
    let path = shard.join("records.jsonl");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
}

fn assert_same(whole: &Path, merged: &Path, why: &str) {
    assert!(files(whole) == files(merged), "{why}: {:?} and {:?}", files(whole), files(merged));
    for secret in ["philox.seed", "chacha12.key"] {
        assert_eq!(fs::read(whole.join(secret)).ok(), fs::read(merged.join(secret)).ok(), "{why}");
    }
}

#[test]
fn three_shards_killed_and_merged_are_the_run_of_one_machine() {
    let dir = tempfile::tempdir().unwrap();
    let more = ["--k", "1,3", "--n", "30000", "--max", "30"];
    let whole = dir.path().join("whole");
    ok(&certify(&whole, &more));
    let shards = three(dir.path());
    let mut between = 0;
    for (i, shard) in shards.iter().enumerate() {
        let id = (i + 1).to_string();
        let array = [("ID", &*id), ("COUNT", "3"), ("MIN", "1"), ("MAX", "3")];
        let names = ["SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX"];
        let variables: Vec<_> =
            names.into_iter().zip(array).map(|(name, (_, value))| (name, value.to_owned())).collect();
        let arguments = arguments(shard, &[&more[..], &["--shard", "auto"]].concat());
        let lines = || fs::read_to_string(shard.join("records.jsonl")).map_or(0, |text| text.lines().count());
        let mut child = program(&arguments, &variables).stderr(Stdio::null()).spawn().unwrap();
        while lines() < 2 && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        // SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
        between += usize::from((1..10).contains(&lines()));
        if i == 1 {
            cut(shard);
        }
        if i == 2 {
            // What is unfinished is not merged as if it were whole.
            let error = refused(&merge(&shards[..=i], &dir.path().join("early"), &[]), 2);
            assert!(error.contains("shard3 has no record of") && error.contains("to resume it"), "{error}");
        }
        ok(&program(&arguments, &variables).output().unwrap());
        assert_eq!(manifest(shard)["shard"], format!("{}/3", i + 1));
        let stripes: Vec<usize> = (i..30).step_by(3).collect();
        assert!(records(shard).iter().map(|record| record["index"].as_u64().unwrap() as usize).eq(stripes));
    }
    assert!(between > 0, "no kill came between two records");
    let merged = dir.path().join("merged");
    let backwards: Vec<PathBuf> = shards.iter().rev().cloned().collect();
    ok(&merge(&backwards, &merged, &[]));
    assert_same(&whole, &merged, "Slurm");
    // It is a RUN as any other.
    let merged = merged.to_str().unwrap();
    let whole = whole.to_str().unwrap();
    let radius = |run: &str| ok(&smoothtopk(["radius", "--counts", run]));
    assert_eq!(radius(merged), radius(whole));
    let report = dir.path().join("report");
    ok(&smoothtopk(["report", merged, "--out", report.to_str().unwrap()]));
    let verified = dir.path().join("verify");
    let (model, data) = (crate::model(), crate::data());
    let verify =
        ["verify", "--run", merged, "--model", &model, "--data", &data, "--attacks", "3", "--n", "500", "--quiet"];
    ok(&smoothtopk(verify.into_iter().chain(["--batch", "32", "--out", verified.to_str().unwrap()])));
    // Nothing is left to do for one machine, and without --seed: the RUN has it.
    let without_seed: Vec<String> = {
        let mut all = arguments(Path::new(merged), &more);
        let at = all.iter().position(|argument| argument == "--seed").unwrap();
        all.drain(at..at + 2);
        all
    };
    let before = files(Path::new(merged));
    let resumed = smoothtopk(&without_seed);
    ok(&resumed);
    assert!(String::from_utf8_lossy(&resumed.stderr).contains("all 30 examples are there already"));
    assert_eq!(files(Path::new(merged)), before);
}

#[test]
fn shards_under_rules_keys_guarantees_and_shared_alphas_are_merged_alike() {
    let key = "0123456789abcdef".repeat(4);
    for (name, more) in [
        ("rule", &["--rule", "radius:0.4", "--n", "20000", "--max", "20", "--allocation", "auto"][..]),
        ("guarantee", &["--guarantee", "--k", "1,2", "--n", "1000", "--max", "10"]),
        ("alpha", &["--alpha-total", "0.02", "--n", "1000", "--max", "20", "--skip", "2", "--select"]),
        ("randomized", &["--randomized", "--n", "1000", "--max", "8"]),
        // More shards than examples.
        ("few", &["--n", "500", "--max", "2"]),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (whole, shards) = whole_and_shards(dir.path(), more, "--shard");
        let merged = dir.path().join("merged");
        ok(&merge(&shards, &merged, &[]));
        assert_same(&whole, &merged, name);
    }
    let dir = tempfile::tempdir().unwrap();
    let (whole, shards) = (dir.path().join("whole"), three(dir.path()));
    let chacha = |out: &Path, more: &[&str], index: Option<usize>| {
        let mut all =
            arguments(out, &[&["--n", "1000", "--max", "10", "--generator", "chacha12", "--key", &key], more].concat());
        let at = all.iter().position(|argument| argument == "--seed").unwrap();
        all.drain(at..at + 2);
        let variables = index.map(|index| ("JOB_COMPLETION_INDEX", index.to_string()));
        ok(&program(&all, variables.as_slice()).output().unwrap());
    };
    chacha(&whole, &[], None);
    for (i, shard) in shards.iter().enumerate() {
        chacha(shard, &["--shard", "auto/3"], Some(i));
    }
    // One shard was shown to others without its key.
    fs::remove_file(shards[0].join("chacha12.key")).unwrap();
    let merged = dir.path().join("merged");
    ok(&merge(&shards, &merged, &[]));
    assert_same(&whole, &merged, "ChaCha12");
}

#[test]
fn what_is_missing_is_left_out_and_made_by_one_machine() {
    let dir = tempfile::tempdir().unwrap();
    let more = ["--n", "1000", "--max", "12"];
    let (whole, shards) = whole_and_shards(dir.path(), &more, "--shard");
    let merged = dir.path().join("merged");
    // A shard whose end is missing, one that is written at this moment, and none of the third.
    cut(&shards[0]);
    let lock = fs::File::open(shards[1].join(".lock")).unwrap();
    lock.lock().unwrap();
    let error = refused(&merge(&shards[1..], &merged, &[]), 75);
    assert!(error.contains("another process is writing"), "{error}");
    assert!(!merged.exists());
    ok(&merge(&shards[..2], &merged, &["--partial"]));
    drop(lock);
    assert_eq!(records(&merged).len(), 7);
    // As a RUN that was interrupted.
    ok(&certify(&merged, &more));
    let whole_views: Vec<_> = files(&whole).into_iter().filter(|(name, _)| name != "records.jsonl").collect();
    let merged_views: Vec<_> = files(&merged).into_iter().filter(|(name, _)| name != "records.jsonl").collect();
    assert_eq!(whole_views, merged_views);
    let error = refused(&merge(&shards[1..], &merged, &["--partial"]), 2);
    assert!(error.contains("give a new or empty folder"), "{error}");
    // A merge that was killed is begun again.
    let killed = dir.path().join("killed");
    fs::create_dir_all(killed.join(".merging")).unwrap();
    fs::write(killed.join(".merging/records.jsonl"), "{").unwrap();
    fs::write(killed.join("k1.tsv"), "half").unwrap();
    ok(&certify(&shards[0], &[&more[..], &["--shard", "1/3"]].concat()));
    ok(&merge(&shards, &killed, &[]));
    assert_same(&whole, &killed, "a killed merge");
    assert!(!killed.join(".merging").exists());
}

#[cfg(unix)]
#[test]
fn a_merge_that_a_signal_ends_leaves_no_run_and_is_begun_again() {
    let dir = tempfile::tempdir().unwrap();
    // Guarantees take long to prove again, so that there is a middle.
    let more = ["--guarantee", "--k", "1,2,3,4,5,6,7,8,9", "--n", "200", "--n0", "50"];
    let (whole, shards) = whole_and_shards(dir.path(), &more, "--shard");
    let (before, merged) = (shards.iter().map(|shard| files(shard)).collect::<Vec<_>>(), dir.path().join("merged"));
    let all = shards.iter().map(|shard| shard.to_str().unwrap().to_owned());
    let given: Vec<String> = ["merge".to_owned(), "--out".to_owned(), merged.to_str().unwrap().to_owned()].into();
    let given: Vec<String> = given.into_iter().chain(all).collect();
    let error = (0..50).find_map(|_| {
        let child = program(&given, &[]).stderr(Stdio::piped()).spawn().unwrap();
        while !merged.join(".merging/records.jsonl").exists() && !merged.join("manifest.json").exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success();
        let ended = child.wait_with_output().unwrap();
        let error = String::from_utf8_lossy(&ended.stderr).into_owned();
        if ended.status.success() {
            // The machine was busy, and the signal late.
            fs::remove_dir_all(&merged).unwrap();
            return None;
        }
        assert!(sent && ended.status.code() == Some(143), "{:?}: {error}", ended.status);
        Some(error)
    });
    let error = error.expect("no signal came in the middle of a merge");
    assert!(error.contains("nothing was merged"), "{error}");
    assert!(!merged.join("manifest.json").exists());
    refused(&smoothtopk(["radius", "--counts", merged.to_str().unwrap()]), 1);
    assert!(shards.iter().map(|shard| files(shard)).eq(before), "a shard was changed");
    ok(&merge(&shards, &merged, &[]));
    assert_same(&whole, &merged, "after a signal");
}

#[test]
fn what_is_no_shard_of_one_run_is_refused_by_its_field() {
    let dir = tempfile::tempdir().unwrap();
    let more = ["--n", "500", "--max", "6", "--k", "2"];
    let (whole, shards) = whole_and_shards(dir.path(), &more, "--shard");
    let out = dir.path().join("merged");
    // Of a shard that was really made with something else.
    let other = dir.path().join("other");
    for (change, field) in [
        (&["--seed", "8", "--shard", "3/3"][..], "secret_sha256"),
        (&["--mean", "0.1", "--shard", "3/3"], "mean"),
        (&["--shard", "3/4"], "shard"),
        (&["--sample-shard", "3/3"], "shard"),
    ] {
        let _ = fs::remove_dir_all(&other);
        let mut all = arguments(&other, &more);
        match all.iter().position(|argument| argument == change[0]) {
            Some(at) => all[at + 1] = change[1].to_owned(),
            None => all.extend(change[..2].iter().map(ToString::to_string)),
        }
        all.extend(change[2..].iter().map(ToString::to_string));
        ok(&smoothtopk(all));
        let error = refused(&merge(&[shards[0].clone(), shards[1].clone(), other.clone()], &out, &[]), 2);
        assert!(error.starts_with(&format!("smoothtopk: {field}: ")) && !out.exists(), "{change:?}: {error}");
    }
    // Of everything else by its manifest.
    let path = shards[2].join("manifest.json");
    let of_shard = text(&path);
    for (field, value) in [
        ("data_sha256", json!("aa")),
        ("alpha_total", json!(0.01)),
        ("request/noise", json!("gaussian:0.5")),
        ("request/k", json!([2, 3])),
        ("request/n", json!(501)),
        ("request/alpha", json!(0.01)),
        ("request/rule", json!("radius:0.2")),
        ("request/allocation", json!("binocp")),
        ("request/input_max", json!(2.0)),
        ("generator", json!("chacha12")),
        ("max", json!(7)),
        ("skip", json!(2)),
        ("model/model_sha256", json!("aa")),
        ("model/arithmetic", json!("bfloat16")),
        ("model/provider", json!("cuda:0")),
        ("program_version", json!("0.0.9")),
        ("shard", json!("2/3")),
        ("shard", json!(null)),
    ] {
        let mut changed: serde_json::Value = serde_json::from_str(&of_shard).unwrap();
        *changed.pointer_mut(&format!("/{field}")).unwrap() = value;
        fs::write(&path, changed.to_string()).unwrap();
        let error = refused(&merge(&shards, &out, &[]), 2);
        let field = field.rsplit('/').next().unwrap();
        assert!(error.starts_with(&format!("smoothtopk: {field}: ")) && !out.exists(), "{field}: {error}");
    }
    fs::write(&path, of_shard).unwrap();
    for (list, says) in [
        (&[whole.clone()][..], "is a whole RUN"),
        (&shards[..2], "shard: 3/3 is missing (1 of 3 are)"),
        (&[shards[0].clone(), shards[0].clone()], "has shard 1/3, and so has"),
        (&[dir.path().to_path_buf()], "holds no manifest.json"),
    ] {
        let code = if says.contains("manifest") { 1 } else { 2 };
        let error = refused(&merge(list, &out, &[]), code);
        assert!(error.contains(says) && !out.exists(), "{error}");
    }
    // Records that were altered, or brought from another shard, are told with their file and line.
    let kept = text(shards[1].join("records.jsonl"));
    change_records(&shards[1], |i, record| {
        if i == 1 {
            record["certificates"][0]["radius"] = (record["certificates"][0]["radius"].as_f64().unwrap() + 0.5).into();
            record["certificates"][0]["certified"] = true.into();
        }
    });
    let error = refused(&merge(&shards, &out, &[]), 1);
    assert!(error.contains("shard2/records.jsonl, line 2: radius: ") && error.contains("was altered"), "{error}");
    fs::remove_dir_all(&out).unwrap();
    fs::write(shards[1].join("records.jsonl"), kept.clone() + &text(shards[2].join("records.jsonl"))).unwrap();
    let error = refused(&merge(&shards, &out, &[]), 1);
    assert!(error.contains("shard2/records.jsonl, line 3") && error.contains("shard 2/3"), "{error}");
    // A record that is there twice.
    fs::write(shards[1].join("records.jsonl"), kept.clone() + &kept).unwrap();
    let error = refused(&merge(&shards, &out, &[]), 1);
    assert!(error.contains("of which there is a record already"), "{error}");
    // In another order, as after examples that had failed, they are the same RUN.
    fs::remove_dir_all(&out).unwrap();
    let backwards: String = kept.lines().rev().map(|line| format!("{line}\n")).collect();
    fs::write(shards[1].join("records.jsonl"), backwards).unwrap();
    ok(&merge(&shards, &out, &[]));
    assert_same(&whole, &out, "in another order");
}

#[test]
fn shards_say_what_they_need() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    for (more, says) in [
        (&["--shard", "0/3"][..], "counted from 1"),
        (&["--shard", "4/3"], "counted from 1"),
        (&["--shard", "auto"], "give I/N"),
        (&["--shard", "1/3", "--sample-shard", "1/3"], "cannot be used with"),
        (&["--sample-shard", "1/3", "--rule", "radius:0.2"], "the counts of all samples so far decide"),
        (&["--sample-shard", "1/9", "--n", "8"], "there are 8 samples of an example, and 9 parts"),
    ] {
        let mut command = program(&arguments(&run, more), &[]);
        let error = refused(&command.output().unwrap(), 2);
        assert!(error.contains(says) && !run.exists(), "{more:?}: {error}");
    }
    for (generator, field) in [("philox", "seed"), ("chacha12", "key")] {
        let mut all = arguments(&run, &["--shard", "1/3", "--generator", generator]);
        let at = all.iter().position(|argument| argument == "--seed").unwrap();
        all.drain(at..at + 2);
        let error = refused(&smoothtopk(&all), 2);
        assert!(error.starts_with(&format!("smoothtopk: {field}: ")) && error.contains("the same"), "{error}");
    }
    // A shard is not resumed as another.
    ok(&certify(&run, &["--n", "500", "--max", "6", "--shard", "1/3"]));
    let error = refused(&certify(&run, &["--n", "500", "--max", "6", "--shard", "2/3"]), 2);
    assert!(error.starts_with("smoothtopk: shard: ") && error.contains("\"1/3\""), "{error}");
}

#[test]
fn samples_that_were_split_are_certified_once_they_are_all_there() {
    for (name, more) in [
        ("given", &["--n", "2000", "--max", "4", "--k", "1,3"][..]),
        ("auto", &["--n", "2000", "--max", "4", "--allocation", "auto", "--alpha-total", "0.01"]),
        ("selected", &["--n", "1999", "--max", "3", "--select", "--randomized"]),
        ("guarantee", &["--n", "2000", "--max", "3", "--guarantee"]),
        ("same counts", &["--n", "2000", "--max", "3", "--guarantee", "--n0", "0"]),
        ("exact", &["--n", "2000", "--max", "2", "--noise-mode", "exact", "--alpha", "0.01"]),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (whole, parts) = whole_and_shards(dir.path(), more, "--sample-shard");
        let merged = dir.path().join("merged");
        ok(&merge(&parts, &merged, &[]));
        assert_same(&whole, &merged, name);
        ok(&certify(&merged, more));
    }
}

#[test]
fn a_part_of_the_samples_certifies_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let more = ["--n", "2000", "--max", "3"];
    let (whole, parts) = whole_and_shards(dir.path(), &more, "--sample-shard");
    for record in records(&parts[1]) {
        assert_eq!((&record["status"], &record["counts"]["n"]), (&"PART".into(), &667.into()));
        assert_eq!(record["counts"]["ending"], json!({"kind": "part", "of": 2000}));
        assert_eq!(record["counts"]["draws"][0]["samples"], json!([[666, 1333]]));
        assert!(record["certificates"].is_null());
    }
    let part = parts[1].to_str().unwrap();
    assert!(!parts[1].join("k1.tsv").exists());
    for command in [&["radius", "--counts", part][..], &["report", part, "--out", "nowhere"]] {
        let error = refused(&smoothtopk(command), 2);
        assert!(error.contains("merge all parts first"), "{error}");
    }
    // Nor do its bare records.
    let bare = dir.path().join("bare.json");
    fs::write(&bare, text(parts[1].join("records.jsonl")).lines().next().unwrap()).unwrap();
    let bare = bare.to_str().unwrap();
    let output = smoothtopk(["radius", "--counts", bare]);
    assert!(
        !String::from_utf8_lossy(&output.stdout).lines().any(|line| !line.ends_with("\t0") && line.starts_with('0'))
    );
    // A part killed in its last record is resumed; a hole is told, and left out where that is asked for.
    cut(&parts[0]);
    let merged = dir.path().join("merged");
    let error = refused(&merge(&parts, &merged, &[]), 2);
    assert!(error.contains("shard1 has no record of 1 of its 3 examples"), "{error}");
    ok(&merge(&parts, &merged, &["--partial"]));
    assert_eq!(records(&merged).len(), 2);
    ok(&certify(&merged, &more));
    assert_same(&whole, &merged, "one machine drew what was missing");
    // The same samples twice, and samples of which some are left out.
    ok(&certify(&parts[0], &[&more[..], &["--sample-shard", "1/3"]].concat()));
    let kept = text(parts[1].join("records.jsonl"));
    let out = dir.path().join("out");
    for (samples, n, says) in
        [([600, 1267], 667, "share samples with these"), ([667, 1333], 666, "lack the samples 666..667")]
    {
        fs::write(parts[1].join("records.jsonl"), &kept).unwrap();
        change_records(&parts[1], |_, record| {
            record["counts"]["draws"][0]["samples"] = json!([samples]);
            let labels = record["counts"]["labels"].as_array_mut().unwrap();
            let largest = (0..labels.len()).max_by_key(|&i| labels[i].as_u64()).unwrap();
            labels[largest] = (labels[largest].as_u64().unwrap() - (667 - n)).into();
            record["counts"]["n"] = n.into();
        });
        let error = refused(&merge(&parts, &out, &[]), 1);
        assert!(error.contains(says), "{error}");
        fs::remove_dir_all(&out).unwrap();
    }
    // Someone looked at a part, and chose by it.
    fs::write(parts[1].join("records.jsonl"), &kept).unwrap();
    change_records(&parts[1], |_, record| record["counts"]["seen"] = true.into());
    let error = refused(&merge(&parts, &out, &[]), 1);
    assert!(error.contains("were looked at before all parts were added"), "{error}");
}

/// The Slurm scripts, with the variables that Slurm sets and a `scontrol` that writes down what it was asked.
#[cfg(target_os = "linux")]
#[test]
fn the_slurm_scripts_certify_requeue_and_merge() {
    let dir = tempfile::tempdir().unwrap();
    let (bin, shards, asked) = (dir.path().join("bin"), dir.path().join("shards"), dir.path().join("asked"));
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_smoothtopk"), bin.join("smoothtopk")).unwrap();
    fs::write(bin.join("scontrol"), format!("#!/bin/sh\necho \"$@\" >>{}\n", asked.display())).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(bin.join("scontrol"), executable).unwrap();
    let script = |name: &str, task: &str, more: &[String]| {
        let mut command = Command::new("bash");
        let path = std::env::join_paths(
            std::iter::once(bin.clone()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
        );
        command
            .arg(crate::common::root(&format!("examples/cluster/{name}.sbatch")))
            .args(more)
            .env("PATH", path.unwrap());
        let names = ["SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX"];
        command.envs(names.into_iter().zip([task, "2", "1", "2"])).env("SLURM_ARRAY_JOB_ID", "77");
        command.env("SMOOTHTOPK_CACHE", "off").env("SLURM_CPUS_PER_TASK", "1").stdin(Stdio::null());
        command.env_remove("JOB_COMPLETION_INDEX");
        command
    };
    let certify = |n: &str| -> Vec<String> {
        let folder = vec![shards.to_str().unwrap().to_owned()];
        folder.into_iter().chain(digits("certify", &["--n", n, "--max", "4"]).into_iter().skip(1)).collect()
    };
    // The time is up: the task is put back, and what was finished is kept.
    let busy = script("certify", "1", &certify("100000000")).stderr(Stdio::null()).spawn().unwrap();
    while !shards.join("shard-1/records.jsonl").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(200));
    assert!(Command::new("kill").args(["-TERM", &busy.id().to_string()]).status().unwrap().success());
    assert_eq!(busy.wait_with_output().unwrap().status.code(), Some(143));
    assert_eq!(text(&asked), "requeue 77_1\n");
    fs::remove_dir_all(&shards).unwrap();
    for task in ["1", "2"] {
        ok(&script("certify", task, &certify("1000")).output().unwrap());
    }
    // Called wrongly: not put back.
    assert_eq!(script("certify", "3", &certify("1000")).output().unwrap().status.code(), Some(2));
    assert_eq!(text(&asked), "requeue 77_1\n");
    let (whole, merged) = (dir.path().join("whole"), dir.path().join("merged"));
    let folders = [&shards, &merged].map(|path| path.to_str().unwrap().to_owned());
    ok(&script("merge", "", &folders).output().unwrap());
    ok(&smoothtopk(arguments(&whole, &["--n", "1000", "--max", "4"])));
    assert_same(&whole, &merged, "Slurm's scripts");
}
