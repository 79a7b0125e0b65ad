use std::io::Write;
use std::path::{Path, PathBuf};

use image::{GrayImage, Luma, Rgb, RgbImage};
use smoothtopk::{ErrorKind, Result};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::hash::hash;
use super::*;

fn folder() -> TempDir {
    tempfile::tempdir().expect("folder")
}

fn npy(descr: &str, fortran: bool, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let shape: String = shape.iter().map(|length| format!("{length}, ")).collect();
    let fortran = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': ({shape}), }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn npz(members: &[(&str, Vec<u8>)], compression: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = SimpleFileOptions::default().compression_method(compression);
        zip.start_file(format!("{name}.npy"), options).expect("member");
        zip.write_all(bytes).expect("bytes");
    }
    zip.finish().expect("zip").into_inner()
}

fn write(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().expect("parent")).expect("folders");
    std::fs::write(&path, bytes).expect("file");
    path
}

fn open(path: &Path) -> Result<Dataset> {
    Dataset::open(path, &DataOptions::default())
}

fn spec(shape: &[usize], layout: Layout) -> InputSpec {
    InputSpec { shape: shape.to_vec(), layout }
}

fn le<const N: usize, T>(values: impl IntoIterator<Item = T>, bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.into_iter().flat_map(bytes).collect()
}

#[test]
fn every_number_type_reads_the_same_numbers() {
    let folder = folder();
    let half = |v: u8| half::f16::from_f32(f32::from(v)).to_le_bytes();
    let types: Vec<(&str, Vec<u8>)> = vec![
        ("|u1", vec![1, 0, 3, 100]),
        ("|i1", vec![1, 0, 3, 100]),
        ("<u2", le([1, 0, 3, 100], u16::to_le_bytes)),
        (">u2", le([1, 0, 3, 100], u16::to_be_bytes)),
        ("<i2", le([1, 0, 3, 100], i16::to_le_bytes)),
        ("<u4", le([1, 0, 3, 100], u32::to_le_bytes)),
        ("<i4", le([1, 0, 3, 100], i32::to_le_bytes)),
        ("<u8", le([1, 0, 3, 100], u64::to_le_bytes)),
        ("<i8", le([1, 0, 3, 100], i64::to_le_bytes)),
        (">i8", le([1, 0, 3, 100], i64::to_be_bytes)),
        ("<f2", le([1, 0, 3, 100], half)),
        ("<f4", le([1.0, 0.0, 3.0, 100.0], f32::to_le_bytes)),
        ("<f8", le([1.0, 0.0, 3.0, 100.0], f64::to_le_bytes)),
        (">f8", le([1.0, 0.0, 3.0, 100.0], f64::to_be_bytes)),
    ];
    for (descr, data) in types {
        let path = write(&folder, "x.npy", &npy(descr, false, &[2, 2], &data));
        let dataset = open(&path).expect(descr);
        assert_eq!(dataset.len(), 2);
        assert_eq!(dataset.example(0, &spec(&[2], Layout::Flat)).expect(descr), [1.0, 0.0], "{descr}");
        assert_eq!(dataset.example(1, &spec(&[2], Layout::Flat)).expect(descr), [3.0, 100.0], "{descr}");
        assert_eq!(dataset.max_abs().expect(descr), 100.0, "{descr}");
        assert!(!dataset.has_labels());
    }
    let path = write(&folder, "x.npy", &npy("|b1", false, &[1, 2], &[1, 0]));
    assert_eq!(open(&path).expect("bool").example(0, &spec(&[2], Layout::Flat)).expect("bool"), [1.0, 0.0]);
}

#[test]
fn c_and_fortran_order_and_both_layouts_give_the_same_example() {
    // Element (i, c, h, w) of a [2, 3, 4, 5] array is its row-major index.
    let index = |i: usize, c: usize, h: usize, w: usize| (((i * 3 + c) * 4 + h) * 5 + w) as u8;
    let folder = folder();
    let mut stored = Vec::new();
    let c_order: Vec<u8> = (0..120).collect();
    stored.push(("|u1", false, vec![2, 3, 4, 5], c_order));
    let mut fortran = Vec::new();
    let mut nhwc = Vec::new();
    let mut nhwc_fortran = Vec::new();
    for w in 0..5 {
        for h in 0..4 {
            for c in 0..3 {
                fortran.extend((0..2).map(|i| index(i, c, h, w)));
            }
        }
    }
    for i in 0..2 {
        for h in 0..4 {
            for w in 0..5 {
                nhwc.extend((0..3).map(|c| index(i, c, h, w)));
            }
        }
    }
    for c in 0..3 {
        for w in 0..5 {
            for h in 0..4 {
                nhwc_fortran.extend((0..2).map(|i| index(i, c, h, w)));
            }
        }
    }
    stored.push(("|u1", true, vec![2, 3, 4, 5], fortran));
    stored.push(("|u1", false, vec![2, 4, 5, 3], nhwc.clone()));
    stored.push(("|u1", true, vec![2, 4, 5, 3], nhwc_fortran));
    stored.push(("|u1", false, vec![2, 60], (0..120).collect()));
    let options = DataOptions { input_scale: 255.0, ..DataOptions::default() };
    for (descr, order, shape, bytes) in stored {
        let path = write(&folder, "x.npy", &npy(descr, order, &shape, &bytes));
        let dataset = Dataset::open(&path, &options).expect("opens");
        let expected: Vec<f32> = (60u8..120).map(|v| (f64::from(v) / 255.0) as f32).collect();
        assert_eq!(dataset.example(1, &spec(&[3, 4, 5], Layout::Nchw)).expect("fits"), expected, "{shape:?} {order}");
        if shape.len() == 4 {
            let expected: Vec<f32> = nhwc[60..].iter().map(|&v| (f64::from(v) / 255.0) as f32).collect();
            assert_eq!(dataset.example(1, &spec(&[4, 5, 3], Layout::Nhwc)).expect("fits"), expected);
        }
        let error = dataset.example(0, &spec(&[3, 5, 4], Layout::Nchw)).map(|_| ());
        assert_eq!(error.is_err(), shape.len() == 4, "{shape:?}");
        assert_eq!(dataset.check_shape(&spec(&[3, 5, 4], Layout::Nchw)), error);
        assert_eq!(
            dataset.example(2, &spec(&[60], Layout::Flat)).expect_err("no such").kind(),
            ErrorKind::InvalidArgument
        );
    }
}

#[test]
fn values_that_are_not_finite_are_named() {
    let folder = folder();
    let mut values = [0.5f32; 12];
    values[7] = f32::NAN;
    let path = write(&folder, "x.npy", &npy("<f4", false, &[3, 2, 2], &le(values, f32::to_le_bytes)));
    let dataset = open(&path).expect("opens");
    for error in [dataset.max_abs().expect_err("NaN"), dataset.example(1, &spec(&[4], Layout::Flat)).expect_err("NaN")]
    {
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(error.message().contains("element 3 of example 1 is NaN"), "{error}");
    }
    assert!(dataset.example(0, &spec(&[4], Layout::Flat)).is_ok());
    // Finite as it is stored, but not as the model would see it.
    let path = write(&folder, "y.npy", &npy("<f8", false, &[1, 2], &le([0.0, -1e300], f64::to_le_bytes)));
    assert!(open(&path).expect("opens").max_abs().expect_err("overflow").message().contains("element 1 of example 0"));
}

#[test]
fn labels_are_one_whole_number_an_example() {
    let folder = folder();
    let images = npy("|u1", false, &[3, 2], &[0, 1, 2, 3, 4, 5]);
    let with = |labels: Vec<u8>, compression| npz(&[("labels", labels), ("images", images.clone())], compression);
    for compression in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        for labels in [
            npy("<i8", false, &[3], &le([2, 0, 1], i64::to_le_bytes)),
            npy("<f4", false, &[3, 1], &le([2.0, 0.0, 1.0], f32::to_le_bytes)),
        ] {
            let dataset = open(&write(&folder, "x.npz", &with(labels, compression))).expect("opens");
            assert_eq!((0..4).map(|i| dataset.label(i)).collect::<Vec<_>>(), [Some(2), Some(0), Some(1), None]);
            assert!(dataset.check_labels(3).is_ok());
            let error = dataset.check_labels(2).expect_err("label 2");
            assert!(error.message().contains("example 0 has label 2"), "{error}");
        }
    }
    for (labels, part) in [
        (npy("<i8", false, &[3], &le([2, -1, 1], i64::to_le_bytes)), "example 1 has label -1"),
        (npy("<f4", false, &[3], &le([2.0, 0.0, 1.5], f32::to_le_bytes)), "example 2 has label 1.5"),
        (npy("<f4", false, &[3], &le([f32::NAN, 0.0, 1.5], f32::to_le_bytes)), "example 0 has label NaN"),
        (npy("<i8", false, &[2], &le([2, 1], i64::to_le_bytes)), "[2] for 3 examples"),
        (npy("|u1", false, &[3, 2, 1], &[0; 6]), "no one-hot rows"),
        (npy("|u1", false, &[3, 2], &[0, 1, 1, 1, 2, 0]), "example 2 have the number 2"),
    ] {
        let error = open(&write(&folder, "x.npz", &with(labels, CompressionMethod::Stored))).expect_err(part);
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn sets_of_labels_are_rows_of_zeros_and_ones_or_two_arrays() {
    let folder = folder();
    let images = npy("|u1", false, &[3, 2], &[0, 1, 2, 3, 4, 5]);
    let with = |arrays: &[(&str, Vec<u8>)]| {
        let members = [&[("images", images.clone())], arrays].concat();
        open(&write(&folder, "x.npz", &npz(&members, CompressionMethod::Stored)))
    };
    let i64s = |values: &[i64]| npy("<i8", false, &[values.len()], &le(values.iter().copied(), i64::to_le_bytes));
    let csr =
        |starts: &[i64], labels: &[i64]| with(&[("labels_indptr", i64s(starts)), ("labels_indices", i64s(labels))]);
    let matrix = |fortran, bytes: &[u8]| with(&[("labels", npy("|u1", fortran, &[3, 4], bytes))]);
    for dataset in [
        matrix(false, &[0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0]),
        matrix(true, &[0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0]),
        csr(&[0, 2, 2, 3], &[3, 1, 0]),
    ] {
        let dataset = dataset.expect("opens");
        assert!(dataset.has_labels() && dataset.has_label_sets() && dataset.label(0).is_none());
        assert_eq!([0, 1, 2, 3].map(|i| dataset.labels(i).to_vec()), [vec![1, 3], vec![], vec![0], vec![]]);
        assert!(dataset.check_labels(4).is_ok());
        assert!(dataset.check_labels(3).expect_err("label 3").message().contains("example 0 has label 3"));
    }
    for (wrong, part) in [
        (csr(&[0, 2, 3], &[3, 1, 0]), "labels_indptr"),
        (csr(&[0, 2, 1, 3], &[3, 1, 0]), "must ascend"),
        (csr(&[0, 2, 2, 2], &[3, 1, 0]), "must ascend from 0 to 3"),
        (csr(&[0, 2, 2, 3], &[1, 1, 0]), "label 1 twice"),
        (csr(&[0, 2, 2, 3], &[-1, 1, 0]), "labels_indices"),
        (with(&[("labels_indptr", i64s(&[0, 0, 0, 0]))]), "go together"),
    ] {
        assert!(wrong.as_ref().is_err_and(|error| error.to_string().contains(part)), "{part}: {wrong:?}");
    }
}

#[test]
fn malformed_files_are_refused_in_one_line() {
    let folder = folder();
    let images = npy("|u1", false, &[4, 2], &[7; 8]);
    let whole = npz(&[("images", images.clone())], CompressionMethod::Deflated);
    for end in 0..whole.len() {
        let error = open(&write(&folder, "cut.npz", &whole[..end])).expect_err("cut");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    // Every byte of a small file, damaged: refused or read, never a panic.
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x5a;
        // What is read is what was written: a byte of the array that changed is found by its checksum.
        if let Ok(data) = open(&write(&folder, "damaged.npz", &damaged)) {
            let examples: Vec<_> =
                (0..data.len()).map(|i| data.example(i, &spec(&[2], Layout::Flat)).unwrap()).collect();
            assert_eq!(examples, vec![vec![7.0; 2]; 4], "byte {at}");
        }
    }
    let stored = npz(&[("images", images.clone())], CompressionMethod::Stored);
    let at = stored.windows(8).position(|bytes| bytes == [7; 8]).expect("stored as it is");
    let refused = |name: &str, bytes: &[u8], says: &[&str]| {
        let error = open(&write(&folder, name, bytes)).expect_err(name).to_string();
        assert!(says.iter().all(|part| error.contains(part)), "{error}");
    };
    refused(
        "flipped.npz",
        &[&stored[..at], &[9], &stored[at + 1..]].concat(),
        &["flipped.npz", "`images`", "checksum"],
    );
    let longer = npz(&[("images", [&images[..], &[7]].concat())], CompressionMethod::Deflated);
    refused("longer.npz", &longer, &["longer.npz", "`images`", "more bytes follow the 8"]);
    refused("longer.npy", &[&images[..], &[7]].concat(), &["longer.npy", "more bytes follow the 8"]);
    // The method stands in the local header and in the central directory.
    for (method, name) in [(12, "bzip2"), (14, "lzma"), (77, "method 77")] {
        let mut other = stored.clone();
        for (signature, offset) in [(b"PK\x03\x04", 8), (b"PK\x01\x02", 10)] {
            let at = other.windows(4).position(|bytes| bytes == signature).expect("a header");
            other[at + offset] = method;
        }
        refused("method.npz", &other, &["method.npz", "`images`", name, "not supported"]);
    }
    let unnamed = npz(&[("x", images)], CompressionMethod::Stored);
    let error = open(&write(&folder, "x.npz", &unnamed)).expect_err("no images");
    assert!(error.message().contains("[\"x\"]"), "{error}");
    // A member that claims an array far larger than what it holds.
    let claims = npz(&[("images", npy("<f8", false, &[1 << 40], &[0; 8]))], CompressionMethod::Deflated);
    let error = open(&write(&folder, "x.npz", &claims)).expect_err("claims");
    assert!(error.message().contains("more than the file holds"), "{error}");
    let none = npy("|u1", false, &[0, 2], &[]);
    assert!(open(&write(&folder, "none.npy", &none)).expect_err("none").message().contains("no example"));
    assert!(open(&write(&folder, "x.txt", b"hello")).expect_err("text").message().contains("neither"));
    assert_eq!(open(&folder.path().join("missing.npz")).expect_err("missing").kind(), ErrorKind::NotFound);
    for scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = Dataset::open(folder.path(), &DataOptions { input_scale: scale, ..DataOptions::default() });
        assert_eq!(error.expect_err("scale").kind(), ErrorKind::InvalidArgument);
    }
}

#[test]
fn the_hash_of_a_file_is_that_of_its_bytes() {
    let folder = folder();
    let path = write(&folder, "x.npy", &npy("|u1", false, &[1, 1], &[7]));
    let dataset = open(&path).expect("opens");
    assert_eq!(dataset.sha256(), hash(&std::fs::read(&path).expect("bytes")));
    // What was read is what was hashed, whatever becomes of the file.
    std::fs::write(&path, b"other").expect("write");
    assert_eq!(dataset.example(0, &spec(&[1], Layout::Flat)).expect("kept"), [7.0]);
    write(&folder, "x.npy", &npy("|u1", false, &[1, 1], &[7]));
    assert_eq!(open(&path).expect("opens").file_name(), "x.npy");
}

fn save_rgb(path: PathBuf, width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) {
    std::fs::create_dir_all(path.parent().expect("parent")).expect("folders");
    RgbImage::from_fn(width, height, |x, y| Rgb(pixel(x, y))).save(path).expect("image");
}

#[test]
fn class_folders_give_labels_in_sorted_order_or_by_a_classes_file() {
    let folder = folder();
    let root = folder.path().join("images");
    for (class, file, value) in [("dog", "b.png", 2), ("dog", "a.PNG", 1), ("cat", "z.png", 3)] {
        save_rgb(root.join(class).join(file), 2, 2, |_, _| [value, 10, 20]);
    }
    write(&folder, "images/dog/.hidden.png", b"not an image");
    write(&folder, "images/dog/notes.txt", b"not an image");
    write(&folder, "images/.cache/x.png", b"not an image");
    let options = DataOptions { input_scale: 255.0, ..DataOptions::default() };
    let dataset = Dataset::open(&root, &options).expect("opens");
    assert_eq!((0..3).map(|i| dataset.name(i)).collect::<Vec<_>>(), ["cat/z.png", "dog/a.PNG", "dog/b.png"]);
    assert_eq!((0..3).map(|i| dataset.label(i)).collect::<Vec<_>>(), [Some(0), Some(1), Some(1)]);
    assert_eq!(dataset.max_abs().expect("max"), 1.0);
    let nchw = dataset.example(1, &spec(&[3, 2, 2], Layout::Nchw)).expect("decodes");
    let scaled = |value: u8| (f64::from(value) / 255.0) as f32;
    let planes: Vec<f32> = [1, 1, 1, 1, 10, 10, 10, 10, 20, 20, 20, 20].map(scaled).into();
    assert_eq!(nchw, planes);
    let nhwc = dataset.example(2, &spec(&[2, 2, 3], Layout::Nhwc)).expect("decodes");
    assert_eq!(nhwc[..4], [2, 10, 20, 2].map(scaled));

    let classes = write(&folder, "classes.txt", b"bird\r\ndog\r\ncat\r\n\n");
    let named = DataOptions { classes_file: Some(classes.clone()), ..options.clone() };
    let dataset_named = Dataset::open(&root, &named).expect("opens");
    assert_eq!((0..3).map(|i| dataset_named.label(i)).collect::<Vec<_>>(), [Some(2), Some(1), Some(1)]);
    assert!(dataset_named.check_labels(2).expect_err("label 2").message().contains("cat/z.png has label 2"));

    // The hash is that of the listing, and sees content, names and the classes.
    let listing: String = (0..3)
        .map(|i| {
            let bytes = std::fs::read(root.join(dataset.name(i))).expect("bytes");
            format!("{}  {}\n", hash(&bytes), dataset.name(i))
        })
        .collect();
    assert_eq!(dataset.sha256(), hash(listing.as_bytes()));
    assert_ne!(dataset.sha256(), dataset_named.sha256());

    std::fs::write(&classes, "dog\nbird\n").expect("classes");
    let error = Dataset::open(&root, &named).expect_err("cat is not named");
    assert!(error.message().contains("class folder cat"), "{error}");
    std::fs::write(&classes, "dog\ncat\ndog\n").expect("classes");
    assert!(Dataset::open(&root, &named).expect_err("twice").message().contains("line 3"));
    write(&folder, "images/loose.png", b"");
    assert!(open(&root).expect_err("both").message().contains("both beside and in class folders"));
}

#[test]
fn flat_folders_have_no_labels_and_bad_images_are_named() {
    let folder = folder();
    save_rgb(folder.path().join("b.png"), 2, 2, |_, _| [1, 2, 3]);
    write(&folder, "a.jpg", b"\xff\xd8\xffgarbage");
    let dataset = open(folder.path()).expect("opens");
    assert_eq!((dataset.len(), dataset.has_labels(), dataset.resize()), (2, false, Some(Resize::Crop)));
    let error = dataset.example(0, &spec(&[3, 2, 2], Layout::Nchw)).expect_err("garbage");
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert!(error.message().contains("a.jpg"), "{error}");
    for bad in [spec(&[12], Layout::Flat), spec(&[2, 2, 2], Layout::Nchw), spec(&[4, 2, 2], Layout::Nchw)] {
        assert!(dataset.check_shape(&bad).expect_err("no image").message().contains("folder of images"));
        assert!(dataset.example(1, &bad).is_err());
    }
    let empty = tempfile::tempdir().expect("folder");
    write(&empty, "c.webp", b"RIFF");
    let error = open(empty.path()).expect_err("empty");
    assert!(error.message().contains("no example; left out: 1 neither PNG nor JPEG (c.webp)"), "{error}");
}

#[test]
fn images_are_known_by_their_content_and_what_is_left_out_is_said() {
    let folder = folder();
    save_rgb(folder.path().join("x.jpg"), 8, 8, |_, _| [1, 2, 3]);
    let bytes = std::fs::read(folder.path().join("x.jpg")).expect("bytes");
    for name in ["a/W.JPEG", "a/noext", "a/x.jfif", "a/y.jpe", "a/z.heic"] {
        write(&folder, name, &bytes);
    }
    std::fs::remove_file(folder.path().join("x.jpg")).expect("removed");
    for name in ["a/notes.txt", "a/.hidden.png", "a/@eaDir/thumb.db"] {
        write(&folder, name, b"no image");
    }
    let dataset = open(folder.path()).expect("opens");
    let names: Vec<_> = (0..dataset.len()).map(|i| dataset.name(i)).collect();
    assert_eq!(names, ["a/W.JPEG", "a/noext", "a/x.jfif", "a/y.jpe", "a/z.heic"]);
    let found = dataset.found(1).join("\n");
    for part in [
        "5 images in 1 class folders",
        "labels: a 0",
        "1 hidden (a/.hidden.png)",
        "1 neither PNG nor JPEG (a/notes.txt)",
        "1 a folder in a class folder, without an image (a/@eaDir)",
    ] {
        assert!(found.contains(part), "{part}: {found}");
    }
    for i in 0..5 {
        dataset.example(i, &spec(&[3, 8, 8], Layout::Nchw)).expect("decodes");
    }
}

#[test]
fn folders_without_an_image_get_no_label_and_the_labels_are_said() {
    let folder = folder();
    for class in ["2", "10", "1"] {
        save_rgb(folder.path().join(class).join("x.png"), 2, 2, |_, _| [0; 3]);
    }
    for empty in ["@eaDir", "__MACOSX"] {
        std::fs::create_dir(folder.path().join(empty)).expect("folder");
    }
    let label = |options: &DataOptions, name: &str| {
        let dataset = Dataset::open(folder.path(), options).expect("opens");
        (0..dataset.len()).find(|&i| dataset.name(i).starts_with(name)).and_then(|i| dataset.label(i))
    };
    let plain = DataOptions::default();
    // As torchvision's ImageFolder sorts.
    assert_eq!(["1/", "10/", "2/"].map(|name| label(&plain, name)), [Some(0), Some(1), Some(2)]);
    let found = open(folder.path()).expect("opens").found(11).join("\n");
    for part in [
        "labels: 1 0, 10 1, 2 2",
        "3 class folders, and the model has 11 labels",
        "the folder 1 has the label 0",
        "get no label: @eaDir, __MACOSX",
    ] {
        assert!(found.contains(part), "{part}: {found}");
    }
    let file = write(&folder, ".map", b"{\"1\": 1, \"2\": 2, \"10\": 10}");
    let mapped = DataOptions { classes_file: Some(file.clone()), ..DataOptions::default() };
    assert_eq!(["1/", "10/", "2/"].map(|name| label(&mapped, name)), [Some(1), Some(10), Some(2)]);
    for (text, says) in
        [("{\"1\": -1}", "whole number"), ("{\"1\": 1", "no JSON object"), ("{\"1\": 1}", "10 is not named")]
    {
        std::fs::write(&file, text).expect("write");
        let error = Dataset::open(folder.path(), &mapped).expect_err(says);
        assert!(error.field() == Some("classes-file") && error.message().contains(says), "{error}");
    }
}

#[test]
fn damaged_images_are_found_when_they_are_hashed() {
    let folder = folder();
    let noisy = |x: u32, y: u32| [(x * 37 + y * 91) as u8, (x * y) as u8, (x * 11) as u8];
    save_rgb(folder.path().join("a.png"), 64, 64, noisy);
    save_rgb(folder.path().join("b.jpg"), 64, 64, noisy);
    let whole = |name: &str| std::fs::read(folder.path().join(name)).expect("bytes");
    let (png, jpg) = (whole("a.png"), whole("b.jpg"));
    let bad = || -> Vec<(usize, String)> {
        let dataset = open(folder.path()).expect("opens");
        let all: Vec<usize> = (0..dataset.len()).collect();
        let bad = dataset.examine(&all, &spec(&[3, 8, 8], Layout::Nchw)).expect("examines");
        let found = dataset.listing().expect("a folder");
        assert_eq!(found.len(), dataset.len());
        for (i, error) in &bad {
            let again = dataset.example(*i, &spec(&[3, 8, 8], Layout::Nchw)).expect_err("bad");
            assert_eq!(again.kind(), error.kind());
        }
        bad.into_iter().map(|(i, error)| (i, error.to_string())).collect()
    };
    assert_eq!(bad(), []);
    for percent in [2, 20, 40, 60, 80, 90, 99] {
        write(&folder, "a.png", &png[..png.len() * percent / 100]);
        write(&folder, "b.jpg", &jpg[..jpg.len() * percent / 100]);
        let bad = bad();
        assert_eq!(bad.len(), 2, "{percent} %: {bad:?}");
        assert!(bad[0].1.contains("a.png") && bad[1].1.contains("b.jpg"), "{bad:?}");
        assert!(bad.iter().all(|(_, error)| error.contains("damaged or cut short")), "{bad:?}");
    }
    write(&folder, "a.png", b"");
    write(&folder, "b.jpg", &jpg);
    let bad = bad();
    assert!(bad.len() == 1 && bad[0].1.contains("a.png: the file is empty"), "{bad:?}");
}

#[test]
fn a_file_that_changes_after_it_was_hashed_is_an_error_of_its_example() {
    let folder = folder();
    for name in ["a.png", "b.png"] {
        save_rgb(folder.path().join(name), 2, 2, |_, _| [7; 3]);
    }
    let (dataset, spec) = (open(folder.path()).expect("opens"), spec(&[3, 2, 2], Layout::Nchw));
    dataset.examine(&[0, 1], &spec).expect("examines");
    save_rgb(folder.path().join("b.png"), 2, 2, |_, _| [9; 3]);
    assert_eq!(dataset.example(0, &spec).expect("as it was"), [7.0; 12]);
    let error = dataset.example(1, &spec).expect_err("changed");
    assert!(
        error.kind() == ErrorKind::InvalidData && error.message().contains("b.png: it is not what was hashed"),
        "{error}"
    );
    // A RUN's list holds against the folder, too.
    let listed = dataset.listing().expect("a folder");
    let options = DataOptions { listed: Some(listed.clone()), ..DataOptions::default() };
    std::fs::remove_file(folder.path().join("a.png")).expect("removed");
    let again = Dataset::open(folder.path(), &options).expect("opens");
    again.expect(&listed);
    assert_eq!((again.len(), again.name(0), again.sha256()), (2, "a.png".into(), dataset.sha256()));
    assert_eq!(again.example(0, &spec).expect_err("removed").kind(), ErrorKind::NotFound);
    assert_eq!(again.example(1, &spec).expect_err("changed").kind(), ErrorKind::InvalidData);
    save_rgb(folder.path().join("c.png"), 2, 2, |_, _| [9; 3]);
    let error = Dataset::open(folder.path(), &options).expect_err("new");
    assert!(error.message().contains("does not know (c.png)"), "{error}");
}

#[test]
fn luma_is_that_of_itu_r_601() {
    let folder = folder();
    for (name, pixel) in [("a.png", [0, 255, 0]), ("b.png", [255, 0, 0]), ("c.png", [0, 0, 255])] {
        save_rgb(folder.path().join(name), 1, 1, |_, _| pixel);
    }
    let dataset = open(folder.path()).expect("opens");
    let grey = [0, 1, 2].map(|i| dataset.example(i, &spec(&[1, 1, 1], Layout::Nchw)).expect("decodes")[0]);
    assert_eq!(grey, [150.0, 76.0, 29.0]);
}

#[test]
fn images_are_resized_as_stated() {
    let folder = folder();
    // 8x4, black but for its middle square: the centre crop sees only the square, the exact resize all of it.
    save_rgb(folder.path().join("a.png"), 8, 4, |x, _| if (2..6).contains(&x) { [200; 3] } else { [0; 3] });
    let read = |resize, size| {
        let options = DataOptions { resize, ..DataOptions::default() };
        let dataset = Dataset::open(folder.path(), &options).expect("opens");
        dataset.example(0, &spec(&[1, size, size], Layout::Nchw)).expect("decodes")
    };
    assert_eq!(read(Resize::Crop, 4), [200.0; 16]);
    // By hand: at an edge (3/4 0 + 3/4 0 + 1/4 200) / (7/4), inside 7/8 of 200.
    assert_eq!(read(Resize::Exact, 4)[..4], [29.0, 175.0, 175.0, 29.0]);
    // Covers 4 by 256/224, rounded down to 4: the same pixels as crop; for 224, 256 before the crop.
    assert_eq!(read(Resize::Imagenet, 4), [200.0; 16]);
    assert_eq!(read(Resize::Imagenet, 224).len(), 224 * 224);
    GrayImage::from_fn(1, 500, |_, _| Luma([9])).save(folder.path().join("a.png")).expect("image");
    let thin = open(folder.path()).expect("opens").example(0, &spec(&[1, 4, 4], Layout::Nchw));
    assert!(thin.expect_err("thin").message().contains("too long and thin"));
    // Grey pixels are not touched on their way through luma.
    GrayImage::from_fn(4, 4, |x, y| Luma([(x * 50 + y) as u8])).save(folder.path().join("a.png")).expect("image");
    let grey = open(folder.path()).expect("opens").example(0, &spec(&[4, 4, 1], Layout::Nhwc)).expect("decodes");
    assert_eq!(grey[..5], [0.0, 50.0, 100.0, 150.0, 1.0]);
}

#[test]
fn files_that_numpy_wrote_are_read() {
    let shared = std::env::var_os("SMOOTHTOPK_SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"));
    let path = shared.join("data/cifar10_test500.npz");
    if !path.exists() {
        eprintln!("SKIPPED: {} is missing; set SMOOTHTOPK_SHARED to where the shared data lies", path.display());
        return;
    }
    let dataset = Dataset::open(&path, &DataOptions { input_scale: 255.0, ..DataOptions::default() }).expect("opens");
    assert_eq!(dataset.len(), 500);
    let mut classes = [0; 10];
    (0..500).for_each(|i| classes[dataset.label(i).expect("label")] += 1);
    assert_eq!(classes, [50; 10]);
    dataset.check_labels(10).expect("ten classes");
    assert_eq!(dataset.max_abs().expect("finite"), 1.0);
    let cifar = spec(&[3, 32, 32], Layout::Nchw);
    let example = dataset.example(499, &cifar).expect("fits");
    assert!(example.len() == 3072 && example.iter().all(|value| (0.0..=1.0).contains(value)));
    assert!(dataset.check_shape(&spec(&[3, 224, 224], Layout::Nchw)).is_err());
}
