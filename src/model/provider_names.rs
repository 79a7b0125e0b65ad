//! The names of execution providers: ONNX Runtime's, this library's short ones, and the nearest to an unknown one.

/// Ends every name of ONNX Runtime's; without it, and in small letters, the name is a short one.
const ENDING: &str = "executionprovider";

/// The providers with a short name here, then all others that a build of ONNX Runtime may have.
const KNOWN: [&str; 24] = [
    "CPUExecutionProvider",
    "CUDAExecutionProvider",
    "TensorrtExecutionProvider",
    "OpenVINOExecutionProvider",
    "ACLExecutionProvider",
    "ArmNNExecutionProvider",
    "AzureExecutionProvider",
    "CANNExecutionProvider",
    "CoreMLExecutionProvider",
    "DmlExecutionProvider",
    "DnnlExecutionProvider",
    "MIGraphXExecutionProvider",
    "NnapiExecutionProvider",
    "NvTensorRTRTXExecutionProvider",
    "QNNExecutionProvider",
    "ROCMExecutionProvider",
    "RknpuExecutionProvider",
    "TvmExecutionProvider",
    "VSINPUExecutionProvider",
    "VitisAIExecutionProvider",
    "WASMExecutionProvider",
    "WebGpuExecutionProvider",
    "WebNNExecutionProvider",
    "XnnpackExecutionProvider",
];
const SHORT: usize = 4;

/// What else people call one.
const ALSO: [(&str, &str); 4] = [("gpu", "cuda"), ("nvidia", "cuda"), ("trt", "tensorrt"), ("intel", "openvino")];

/// A name as it is compared: "CUDAExecutionProvider", "CUDA" and "cuda" are one.
pub(super) fn short(name: &str) -> String {
    let mut name = name.to_ascii_lowercase();
    if let Some(short) = name.strip_suffix(ENDING).map(str::len) {
        name.truncate(short);
    }
    name
}

/// The provider that was meant by an unknown name, as it is to be written; none where the name is known, or no
/// known one is like it.
pub(super) fn nearest(name: &str) -> Option<String> {
    let asked = name.to_ascii_lowercase();
    if let Some((_, meant)) = ALSO.iter().find(|(other, _)| *other == short(name)) {
        return Some((*meant).to_owned());
    }
    let (distance, written_short, place) = KNOWN
        .iter()
        .enumerate()
        .map(|(place, known)| {
            let full = strsim::osa_distance(&asked, &known.to_ascii_lowercase());
            let brief = strsim::osa_distance(&asked, &short(known));
            (full.min(brief), brief < full, place)
        })
        .min()?;
    // Two letters of a word of six, one of a word of three.
    let like = 1..=(asked.len() / 3).min(2);
    like.contains(&distance).then(|| match KNOWN[place] {
        known if written_short && place < SHORT => short(known),
        known => known.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_to_what_was_mistyped() {
        for (asked, meant) in [
            ("cudda", Some("cuda")),
            ("tensort", Some("tensorrt")),
            ("OpenVino_", Some("openvino")),
            ("gpu", Some("cuda")),
            ("CUDAExecutionProvidr", Some("CUDAExecutionProvider")),
            ("TensorRTExecutionProvider", None),
            ("xnnpac", Some("XnnpackExecutionProvider")),
            ("XNNPACK", None),
            ("cuda", None),
            ("NoSuchExecutionProvider", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(nearest(asked).as_deref(), meant, "{asked:?}");
        }
    }
}
