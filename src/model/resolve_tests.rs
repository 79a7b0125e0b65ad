use super::*;
use crate::ErrorKind;
use crate::model::options::Constant;

fn tensor(name: &str, element: ElementType, shape: &str) -> ValueInfo {
    let dim = |text: &str| match text.parse() {
        Ok(size) => Dim::Fixed(size),
        Err(_) => Dim::Dynamic(text.trim_matches('?').into()),
    };
    let shape = shape.split(' ').filter(|text| !text.is_empty()).map(dim).collect();
    ValueInfo { name: name.into(), kind: ValueKind::Tensor { element, shape } }
}

fn model(inputs: Vec<ValueInfo>, outputs: Vec<ValueInfo>) -> Interface {
    Interface { inputs, outputs }
}

fn image() -> ValueInfo {
    tensor("x", ElementType::Float32, "N 3 8 8")
}

fn scores(name: &str) -> ValueInfo {
    tensor(name, ElementType::Float32, "N 10")
}

fn chosen(outputs: Vec<ValueInfo>) -> Option<String> {
    resolve(&model(vec![image()], outputs), &ModelOptions::default()).ok().map(|mapping| mapping.output)
}

#[test]
fn the_output_is_chosen_by_the_stated_rules() {
    assert_eq!(chosen(vec![scores("anything")]).as_deref(), Some("anything"));
    assert_eq!(chosen(vec![scores("features"), scores("Logits")]).as_deref(), Some("Logits"));
    assert_eq!(chosen(vec![scores("probabilities"), scores("logits")]).as_deref(), Some("logits"));
    let label = tensor("label", ElementType::Int64, "N");
    assert_eq!(chosen(vec![label.clone(), scores("output_probability")]).as_deref(), Some("output_probability"));
    assert_eq!(chosen(vec![scores("a"), scores("b")]), None);
    assert_eq!(chosen(vec![label, scores("a")]), None);
    assert_eq!(chosen(vec![]), None);
}

#[test]
fn types_show_how_an_output_is_read() {
    let read = |output: ValueInfo| {
        resolve(&model(vec![image()], vec![output]), &ModelOptions::default()).map(|mapping| mapping.reading).map_err(
            |error| {
                assert!(error.message().contains("inputs: x float32[N,3,8,8]"), "{error}");
                error.kind()
            },
        )
    };
    // Whatever shape is declared: a run shows it.
    for shape in ["N 10", "N 10 1 1", "N ?", "", "N", "N 1", "1 10"] {
        assert_eq!(read(tensor("y", ElementType::Float32, shape)), Ok(Reading::Scores), "{shape}");
        assert_eq!(read(tensor("y", ElementType::Int64, shape)), Ok(Reading::Label), "{shape}");
    }
    let maps = |key, value| ValueInfo { name: "y".into(), kind: ValueKind::ClassMaps { key, value } };
    assert_eq!(read(maps(ElementType::Int64, ElementType::Float32)), Ok(Reading::ClassMaps));
    assert_eq!(read(maps(ElementType::String, ElementType::Float32)), Ok(Reading::ClassMaps));
    assert_eq!(read(maps(ElementType::Int64, ElementType::Int64)), Err(ErrorKind::Model));
    assert_eq!(read(tensor("y", ElementType::String, "N")), Err(ErrorKind::Model));
}

#[test]
fn inputs_are_settled_or_refused() {
    let mask = tensor("mask", ElementType::Bool, "N 4");
    let flag = tensor("flag", ElementType::Int64, "");
    let outputs = vec![scores("y")];
    let constants = |list: &[(&str, &[f64])]| ModelOptions {
        constants: list
            .iter()
            .map(|(name, values)| Constant { name: (*name).into(), values: values.to_vec() })
            .collect(),
        ..ModelOptions::default()
    };
    let both = model(vec![mask.clone(), image(), flag.clone()], outputs.clone());
    let mapping = resolve(&both, &constants(&[("mask", &[1.0, 0.0, 1.0, 1.0]), ("flag", &[7.0])])).unwrap();
    assert_eq!((mapping.input.as_str(), mapping.elements, mapping.batch), ("x", 192, BatchDim::Dynamic));
    // The mask shares the batch's name, so its value is one row's.
    let (mask, flag) = (&mapping.constants[0], &mapping.constants[1]);
    assert_eq!((mask.batch_axis, flag.batch_axis), (Some(0), None));
    assert_eq!((mask.shape.as_slice(), mask.bytes.as_slice()), (&[1, 4][..], &[1, 0, 1, 1][..]));
    assert_eq!((flag.shape.as_slice(), flag.bytes.as_slice()), (&[][..], &7_i64.to_ne_bytes()[..]));

    // A state of a recurrent network has the batch in the middle: rows lie one after another only behind ones.
    let state = |layers| model(vec![image(), tensor("h", ElementType::Float32, layers)], outputs.clone());
    let axis = |layers, values: &[f64]| {
        let mapping = resolve(&state(layers), &constants(&[("h", values)])).unwrap();
        (mapping.constants[0].batch_axis, mapping.constants[0].shape_for(3))
    };
    assert_eq!(axis("1 N 2", &[0.0]), (Some(1), vec![1, 3, 2]));
    assert_eq!(axis("1 N 2", &[0.0, 1.0]), (Some(1), vec![1, 3, 2]));
    assert_eq!(axis("2 N 2", &[0.5]), (Some(1), vec![2, 3, 2]));
    assert_eq!(axis("2 N 2", &[0.0, 1.0, 2.0, 3.0]), (None, vec![2, 1, 2]));

    let field = |options| resolve(&both, &options).err().map(|error| error.field().map(str::to_owned));
    assert_eq!(field(constants(&[])), Some(None), "three candidates");
    assert_eq!(field(constants(&[("mask", &[2.0]), ("flag", &[7.0])])), Some(Some("constant".into())), "no bool");
    assert_eq!(field(constants(&[("mask", &[1.0]), ("flag", &[0.5])])), Some(Some("constant".into())), "no integer");
    let named = ModelOptions { input: Some("x".into()), ..constants(&[("flag", &[7.0])]) };
    assert_eq!(field(named), Some(Some("constant".into())), "the mask has no value");

    for input in [
        tensor("x", ElementType::Int64, "N 3"),
        tensor("x", ElementType::String, "N 3"),
        tensor("x", ElementType::Float32, ""),
        tensor("x", ElementType::Float32, "16"),
        tensor("x", ElementType::Float32, "0 3"),
        tensor("x", ElementType::Float32, "N 0"),
        tensor("x", ElementType::Float32, "N 3 H W"),
    ] {
        let error = resolve(&model(vec![input.clone()], outputs.clone()), &ModelOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Model, "{input}: {error}");
    }
    let open = model(vec![tensor("x", ElementType::Float32, "N 3 H W")], outputs);
    let given = |shape: &[usize]| ModelOptions { input_shape: Some(shape.to_vec()), ..ModelOptions::default() };
    assert_eq!(resolve(&open, &given(&[3, 5, 6])).unwrap().elements, 90);
    for shape in [&[3, 5][..], &[4, 5, 6], &[3, 5, 6, 1]] {
        assert_eq!(resolve(&open, &given(shape)).unwrap_err().field(), Some("input_shape"), "{shape:?}");
    }
    assert_eq!(resolve(&open, &given(&[3, usize::MAX, 6])).unwrap_err().kind(), ErrorKind::Model);
}
