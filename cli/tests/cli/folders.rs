//! Folders of images, end to end: damaged files, files that change, labels, names.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use image::{Rgb, RgbImage};

use crate::common::{root, shared, smoothtopk};
use crate::{manifest, ok, records, rows, text};

/// Images for `image_nchw.onnx`, whose labels 0 to 2 answer to the brightness of a channel.
struct Images {
    dir: tempfile::TempDir,
}

impl Images {
    /// As many in each of the folders c0 to c2.
    fn new(each: u8) -> Self {
        let images = Self { dir: tempfile::tempdir().unwrap() };
        for channel in 0..3 {
            fs::create_dir_all(images.data().join(format!("c{channel}"))).unwrap();
            (0..each).for_each(|i| images.save(&images.file(channel, i), channel, i));
        }
        images
    }

    fn save(&self, path: &Path, channel: usize, i: u8) {
        let pixel = |x: u32, y: u32| {
            let mut pixel = [40 + i + (3 * x + 5 * y) as u8; 3];
            pixel[channel] += 100;
            Rgb(pixel)
        };
        RgbImage::from_fn(8, 8, pixel).save(path).unwrap();
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("images")
    }

    fn file(&self, channel: usize, i: u8) -> PathBuf {
        self.data().join(format!("c{channel}/{i:02}.png"))
    }

    fn run(&self) -> PathBuf {
        self.dir.path().join("run")
    }

    fn command(&self, command: &str, more: &[&str]) -> Vec<String> {
        let (model, data) = (root("tests/models/image_nchw.onnx"), self.data());
        let base = [command, "--model", &model, "--data", data.to_str().unwrap(), "--input-scale", "255"];
        let sampling = ["--sigma", "0.1", "--seed", "3", "--batch", "16"];
        [&base[..], &sampling, more].concat().into_iter().map(str::to_owned).collect()
    }

    fn certify(&self, more: &[&str]) -> Vec<String> {
        let run = self.run();
        self.command("certify", &[&["--out", run.to_str().unwrap()], more].concat())
    }
}

#[test]
fn the_other_examples_are_certified_where_one_is_cut_off() {
    let images = Images::new(10);
    let bad = images.file(1, 9);
    let whole = fs::read(&bad).unwrap();
    fs::write(&bad, &whole[..whole.len() / 2]).unwrap();
    let certify = || smoothtopk(images.certify(&["--n", "200", "--k", "1,2"]));
    let output = certify();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in [
        "30 images in 3 class folders, in the order of their names; labels: c0 0, c1 1, c2 2",
        "warning: there are 3 class folders, and the model has 4 labels",
        "warning: 1 of 30 examples cannot be used:",
        "c1/09.png: damaged or cut short",
        "30/30 examples",
        "1 failed",
        "certified ",
        "/29 at k = 1, ",
        "1 example failed, named above; 29 of 30 examples are kept",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(said.find("cannot be used") < said.find("certifying"), "before the night begins: {said}");
    let before = records(&images.run());
    assert_eq!(before.len(), 29);
    assert!(before.iter().all(|record| record["index"] != 19));
    assert_eq!(before[0]["file"], "c0/00.png");
    assert!(text(images.run().join("failed.tsv")).starts_with("idx\tname\terror\n19\tc1/09.png\t"));
    let report = images.dir.path().join("report");
    let (run, out) = (images.run(), report.to_str().unwrap());
    let shown = ok(&smoothtopk(["report", run.to_str().unwrap(), "--out", out]));
    for part in ["is not finished**: 29 of 30", "1 examples of run could not be certified**", "- c1/09.png: "] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(text(report.join("examples.csv")).contains("\nrun,2,c0/02.png,0,1,0,"));

    // Another file that is not certified yet: mended, it is the only one that is drawn.
    fs::write(&bad, &whole).unwrap();
    let hash = manifest(&images.run())["data_sha256"].clone();
    ok(&certify());
    let after = records(&images.run());
    assert_eq!((&after[..29], &after[29]["index"]), (&before[..], &19.into()));
    assert!(!images.run().join("failed.tsv").exists());
    assert_ne!(manifest(&images.run())["data_sha256"], hash);
    assert_eq!(rows(images.run().join("k1.tsv"))[19][0], "19");
    // What is certified must stay what it was.
    images.save(&images.file(0, 3), 2, 7);
    let output = certify();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("data_sha256: c0/03.png was certified as SHA-256"), "{error}");
    let verify = |more: &[&str]| {
        let (run, model, data) = (images.run(), root("tests/models/image_nchw.onnx"), images.data());
        let base = ["verify", "--run", run.to_str().unwrap(), "--model", &model, "--data", data.to_str().unwrap()];
        smoothtopk(
            [&base[..], &["--attacks", "4", "--n", "100", "--batch", "16", "--quiet", "--out", out], more].concat(),
        )
    };
    let error = String::from_utf8_lossy(&verify(&[]).stderr).into_owned();
    assert!(error.contains("c0/03.png: it is not what was hashed"), "{error}");
    images.save(&images.file(0, 3), 0, 3);
    ok(&verify(&[]));
}

#[test]
fn a_file_that_changes_while_it_is_certified_is_an_error_of_its_example() {
    let images = Images::new(10);
    let certify = images.certify(&["--n", "20000"]);
    let child = Command::new(env!("CARGO_BIN_EXE_smoothtopk"))
        .args(&certify)
        .env("SMOOTHTOPK_CACHE", "off")
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while fs::read(images.run().join("records.jsonl")).map_or(0, |records| records.len()) == 0 {
        std::thread::sleep(Duration::from_millis(2));
    }
    images.save(&images.file(2, 9), 0, 0);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("failed: data: ") && said.contains("c2/09.png: it is not what was hashed"), "{said}");
    assert_eq!(records(&images.run()).len(), 29);
}

#[test]
fn predictions_name_their_files_and_go_on_after_a_bad_one() {
    let images = Images::new(2);
    fs::write(images.file(0, 1), b"\xff\xd8\xff nothing").unwrap();
    let output = smoothtopk(images.command("predict", &["--n", "100", "--quiet"]));
    assert_eq!(output.status.code(), Some(1));
    let table = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].ends_with("\tdecision\tfile") && lines.len() == 6, "{table}");
    assert!(lines[2].starts_with("2\t1\t1\t") && lines[2].ends_with("\tc1/00.png"), "{table}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("failed: data: "));
    let output = smoothtopk(images.command("predict", &["--n", "100", "--quiet", "--format", "json"]));
    let first = String::from_utf8(output.stdout).unwrap();
    let first: serde_json::Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    assert_eq!(first["file"], "c0/00.png");
}

/// `shared/cases`: what a folder of images says, and the label of each image by a model that reads it off a pixel.
#[test]
fn folders_as_users_have_them() {
    let predict = |model: &str, data: &str, more: &[&str]| {
        let base = ["predict", "--model", model, "--data", data, "--sigma", "0.001"];
        let few =
            if model.contains("efficientnet") { ["--n", "4", "--batch", "4"] } else { ["--n", "100", "--batch", "10"] };
        let output = smoothtopk([&base[..], &few, more].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let fields = |line: &str| line.split('\t').map(str::to_owned).collect::<Vec<_>>();
        let lines: Vec<Vec<String>> = String::from_utf8_lossy(&output.stdout).lines().skip(1).map(fields).collect();
        (output.status.code(), said, lines)
    };
    let Some(cases) = shared("cases/pix0.onnx").map(|file| file.replace("pix0.onnx", "")) else { return };
    let case = |name: &str| format!("{cases}{name}");
    let dir = tempfile::tempdir().unwrap();
    let eadir = dir.path().join("eadir");
    for class in ["cat", "dog", "@eaDir"] {
        fs::create_dir_all(eadir.join(class)).unwrap();
    }
    for class in ["cat", "dog"] {
        fs::copy(case(&format!("img_eadir/{class}/x.png")), eadir.join(class).join("x.png")).unwrap();
    }
    let (_, said, lines) = predict(&case("pix0.onnx"), eadir.to_str().unwrap(), &[]);
    assert!(said.contains("labels: cat 0, dog 1") && said.contains("get no label: @eaDir"), "{said}");
    assert_eq!(lines.iter().map(|line| &*line[1]).collect::<Vec<_>>(), ["0", "1"]);
    let (_, said, lines) = predict(&case("pix0.onnx"), &case("dig12"), &[]);
    assert!(said.contains("10 2, 11 3, 2 4") && said.contains("the folder 10 has the label 2"), "{said}");
    assert_eq!(lines.len(), 12);
    let map = dir.path().join("map.json");
    let pairs: Vec<String> = (0..12).map(|label| format!("\"{label}\": {label}")).collect();
    fs::write(&map, format!("{{{}}}", pairs.join(", "))).unwrap();
    let (code, said, lines) = predict(&case("pix0.onnx"), &case("dig12"), &["--classes-file", map.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{said}");
    assert!(lines.iter().all(|line| line[1] == line[3] && line[8] == format!("{}/x.png", line[1])), "{lines:?}");
    let (code, said, _) = predict(&case("pixg.onnx"), &case("img_green"), &[]);
    assert_eq!(code, Some(0), "{said}");
    let (_, _, grey) = predict(&case("pixg.onnx"), &case("img_green"), &["--quiet"]);
    assert_eq!(grey.iter().map(|line| &*line[3]).collect::<Vec<_>>(), ["150", "76", "29"]);
    let (_, said, lines) = predict(&case("pix0.onnx"), &case("img_jfif"), &[]);
    assert!(lines.len() == 5 && said.contains("5 images in 1 class folders"), "{said}");
    let Some(model) = shared("models/efficientnet_lite0.onnx") else { return };
    let scale = ["--input-scale", "255"];
    let (code, said, lines) = predict(&model, &case("cutphoto/cut"), &scale);
    assert!(code == Some(1) && lines.is_empty(), "{said}");
    for file in ["0.jpg: damaged or cut short", "1.jpg: damaged or cut short", "2.jpg: damaged or cut short"] {
        assert!(said.contains(file), "{said}");
    }
    let (code, said, lines) = predict(&model, &case("cutphoto/full"), &scale);
    assert!(code == Some(0) && lines.len() == 3, "{said}");
}

#[test]
fn images_that_failed_in_a_shard_are_told_by_the_merge_and_tried_again_in_its_run() {
    let images = Images::new(3);
    fs::write(images.file(1, 1), "no image").unwrap();
    let folder = images.dir.path();
    let certify = |out: &Path, more: &[&str]| {
        let out = out.to_str().unwrap();
        smoothtopk(images.command("certify", &[&["--n", "200", "--quiet", "--out", out], more].concat()))
    };
    let (whole, merged) = (folder.join("whole"), folder.join("merged"));
    assert_eq!(certify(&whole, &[]).status.code(), Some(1));
    let shards = [1, 2].map(|i| folder.join(format!("shard{i}")));
    let codes = [0, 1].map(|i| certify(&shards[i], &["--shard", &format!("{}/2", i + 1)]).status.code());
    assert_eq!(codes, [Some(1), Some(0)], "example 4 is of the first");
    let merge = |out: &Path| {
        let paths = [&shards[0], &shards[1], &out.to_path_buf()].map(|path| path.to_str().unwrap().to_owned());
        smoothtopk(["merge", &paths[0], &paths[1], "--out", &paths[2]])
    };
    let output = merge(&merged);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && told.contains("failed: ") && told.contains("c1/01.png"), "{told}");
    assert!(crate::files(&whole) == crate::files(&merged));
    // Mended in between: the shards then list other data, until each is resumed.
    images.save(&images.file(1, 1), 1, 1);
    ok(&certify(&shards[0], &["--shard", "1/2"]));
    let error = crate::refused(&merge(&folder.join("mixed")), 2);
    assert!(
        error.starts_with("smoothtopk: data_sha256: ") && error.contains("give each shard's command again"),
        "{error}"
    );
    ok(&certify(&shards[1], &["--shard", "2/2"]));
    let mended = folder.join("mended");
    ok(&merge(&mended));
    for run in [&merged, &whole] {
        ok(&certify(run, &[]));
        assert!(!run.join("failed.tsv").exists() && records(run).len() == 9);
        assert_eq!(rows(run.join("k1.tsv")).len(), rows(mended.join("k1.tsv")).len());
    }
}
