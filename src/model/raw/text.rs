//! Text of ONNX Runtime.

/// ONNX Runtime's messages may span lines; errors are shown on one.
pub(in crate::model) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
