//! A model with an operator that ONNX Runtime does not have, and the library that gives it.

use std::path::{Path, PathBuf};

use smoothtopk::ErrorKind;
use smoothtopk::model::{Model, ModelOptions};

/// A field of Protocol Buffers that holds bytes, or a number.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, bytes.len() as u8], bytes].concat()
}

fn number(field: u8, value: u8) -> Vec<u8> {
    vec![field << 3, value]
}

/// scores [N, 2] = test.Negate(x [N, 2]).
fn model() -> Vec<u8> {
    let value = |name: &[u8]| {
        let dims = [field(1, &field(2, b"N")), field(1, &number(1, 2))].concat();
        let tensor = [number(1, 1), field(2, &dims)].concat();
        [field(1, name), field(2, &field(1, &tensor))].concat()
    };
    let node = [field(1, b"x"), field(2, b"scores"), field(4, b"Negate"), field(7, b"test")].concat();
    let graph = [field(1, &node), field(2, b"g"), field(11, &value(b"x")), field(12, &value(b"scores"))].concat();
    let opset = |domain: &[u8], version| field(8, &[field(1, domain), number(2, version)].concat());
    [number(1, 8), field(7, &graph), opset(b"", 13), opset(b"test", 1)].concat()
}

/// The part of onnxruntime_c_api.h that an operator needs; the numbers are places in OrtApi, which never change.
const LIBRARY: &str = r#"
#include <stdint.h>
#include <stddef.h>
typedef void *(*any)(void);
static const any *api;
#define CALL(place, type, ...) ((type)api[place])(__VA_ARGS__)
typedef void *(*f2)(const void *, const void *);
typedef void *(*f3)(const void *, size_t, void *);
typedef void *(*f3p)(const void *, void *, size_t);
typedef void *(*f5)(const void *, size_t, const int64_t *, size_t, void *);
struct op {
  uint32_t version;
  void *(*create)(const void *, const void *, const void *);
  const char *(*name)(const void *), *(*provider)(const void *);
  int (*input_type)(const void *, size_t); size_t (*inputs)(const void *);
  int (*output_type)(const void *, size_t); size_t (*outputs)(const void *);
  void (*compute)(void *, void *), (*destroy)(void *);
  int (*input_kind)(const void *, size_t), (*output_kind)(const void *, size_t), (*memory)(const void *, size_t);
  void *newer[16];
};
static void *create(const void *op, const void *api, const void *info) { return (void *)op; }
static const char *name(const void *op) { return "Negate"; }
static const char *provider(const void *op) { return NULL; }
static int type(const void *op, size_t i) { return 1; }
static int kind(const void *op, size_t i) { return 0; }
static size_t one(const void *op) { return 1; }
static void destroy(void *kernel) {}
static void compute(void *kernel, void *context) {
  const void *in; void *out, *info; int64_t dims[2]; float *x, *y;
  CALL(90, f3, context, 0, &in);
  CALL(65, f2, in, &info);
  CALL(62, f3p, info, dims, 2);
  CALL(99, f2, info, NULL);
  CALL(91, f5, context, 0, dims, 2, &out);
  CALL(51, f2, in, &x);
  CALL(51, f2, out, &y);
  for (int64_t i = 0; i < dims[0] * dims[1]; ++i) y[i] = -x[i];
}
static const struct op negate = {12, create, name, provider, type, one, type, one, compute, destroy, kind, kind, kind};
void *RegisterCustomOps(void *options, const struct { const any *(*get)(uint32_t); } *base) {
  void *domain;
  api = base->get(12);
  CALL(26, f2, "test", &domain);
  CALL(27, f2, domain, &negate);
  return CALL(28, f2, options, domain);
}
"#;

fn library(folder: &Path, name: &str, code: &str) -> PathBuf {
    let (source, library) = (folder.join(format!("{name}.c")), folder.join(format!("lib{name}.so")));
    std::fs::write(&source, code).unwrap();
    // Rust links with the same compiler, so it is there.
    let mut command = std::process::Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".into()));
    assert!(command.args(["-w", "-shared", "-fPIC", "-o"]).args([&library, &source]).status().unwrap().success());
    library
}

#[cfg(target_os = "linux")]
#[test]
fn a_library_of_operators_is_part_of_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let with = |library: &Path| ModelOptions { custom_ops: vec![library.to_owned()], ..ModelOptions::default() };
    let plain = Model::from_bytes(&model(), &ModelOptions::default()).unwrap_err();
    assert_eq!(plain.kind(), ErrorKind::Model);

    let negate = library(folder.path(), "negate", LIBRARY);
    let opened = Model::from_bytes(&model(), &with(&negate)).unwrap();
    let mut runner = opened.runner(2).unwrap();
    runner.rows_mut(2).copy_from_slice(&[3.0, 1.0, -1.0, 2.0]);
    let mut labels = [9; 2];
    runner.run(2, &mut labels).unwrap();
    assert_eq!(labels, [1, 0], "the smaller of both");
    // Another library, another model.
    let other = library(folder.path(), "other", &LIBRARY.replace("= -x[i]", "= x[i]"));
    assert_ne!(Model::from_bytes(&model(), &with(&other)).unwrap().sha256(), opened.sha256());

    let empty = library(folder.path(), "empty", "int nothing;");
    for (library, kind) in [(empty, ErrorKind::Model), (folder.path().join("absent.so"), ErrorKind::NotFound)] {
        let error = Model::from_bytes(&model(), &with(&library)).unwrap_err();
        assert_eq!((error.kind(), error.field()), (kind, Some("custom_ops")), "{error}");
    }
}
