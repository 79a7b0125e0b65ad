//! Certificates of made-up radii, with counts that prove them: a RUN whose counts prove other radii is refused.

use serde_json::{Value, json};
use smoothtopk::certificate::Query;
use smoothtopk::counts::Counts;

/// Counts in a record's form: those of the `stream`-th example of a RUN.
fn form(manifest: &Value, stream: usize, labels: &[u64], purpose: &str) -> Value {
    let n: u64 = labels.iter().sum();
    json!({
        "format": "smoothtopk-counts", "version": "1.0", "labels": labels, "n": n,
        "perturbation": manifest["perturbation"], "ending": {"kind": "fixed"}, "seen": true, "chose": false,
        "draws": [{
            "generator": manifest["generator"], "secret_sha256": manifest["secret_sha256"], "stream": stream,
            "purpose": purpose, "samples": [[0, n]],
        }],
        "subject": {
            "model_sha256": null, "reading": null, "arithmetic": null, "provider": null, "input_sha256": null,
        },
    })
}

fn counts(form: &Value) -> Counts {
    Counts::from_json(&form.to_string()).unwrap()
}

fn classes(manifest: &Value) -> usize {
    manifest["reading"]["classes"].as_u64().unwrap() as usize
}

/// A certificate of `label` at the radius, resting on `n` samples of its own that prove it, as closely as they can.
pub fn certificate(manifest: &Value, stream: usize, label: usize, k: usize, radius: f64, n: u64) -> Value {
    let alpha = manifest["request"]["alpha"].as_f64().unwrap();
    let of = |of_label: u64| {
        let others = classes(manifest) as u64 - 1;
        let mut labels = vec![(n - of_label) / others; classes(manifest)];
        labels[label] = 0;
        labels[label] = n - labels.iter().sum::<u64>();
        form(manifest, stream, &labels, "estimate")
    };
    let certify = |of_label: u64| counts(&of(of_label)).certify(&Query { k, alpha, ..Query::of_label(label) }).unwrap();
    let (mut low, mut high) = (0, if radius > 0.0 { n } else { 0 });
    while high > low + 1 {
        let middle = low + (high - low) / 2;
        if certify(middle).radius < radius { low = middle } else { high = middle }
    }
    let found = certify(high);
    let radius = if (found.radius - radius).abs() < 1e-9 { radius } else { found.radius };
    json!({
        "k": k, "label": label, "decision": "complete", "radius": radius, "certified": radius > 0.0,
        "p_lower": found.p_lower.p, "p_upper": found.p_upper.p, "set_size": found.set_size, "allocation": "ranked",
        "validity": "fixed", "alpha_left": found.basis.alpha_left, "radius_cost": found.basis.radius_cost, "n": n,
        "counts": of(high),
    })
}
