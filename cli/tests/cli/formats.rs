//! `--format json` of every command that prints a table.

use std::process::Output;

use serde_json::Value;

use crate::common::{root, smoothtopk};
use crate::{digits, ok};

fn json(output: &Output) -> Value {
    serde_json::from_str(&ok(output)).unwrap()
}

/// The names of an object's fields, sorted.
fn fields(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// docs/cli.md names every field in the row of its command.
fn documented(command: &str, found: &[&Value]) {
    let docs = std::fs::read_to_string(root("docs/cli.md")).unwrap();
    let row = docs.lines().find(|line| line.starts_with(&format!("| `{command}` |"))).expect(command);
    for name in found.iter().flat_map(|value| fields(value)) {
        assert!(row.contains(&format!("`{name}`")), "{command} has {name}, which docs/cli.md does not name");
    }
}

#[test]
fn tables_are_json_for_programs() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run").to_str().unwrap().to_owned();
    ok(&smoothtopk(digits("certify", &["-n", "200", "--max", "3", "-k", "1,2", "-q", "-o", &run])));

    let table = ok(&smoothtopk(["radius", "--counts", &run]));
    let radius = json(&smoothtopk(["radius", "--counts", &run, "-f", "json", "--norms"]));
    let rows = radius["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 6);
    for (row, line) in rows.iter().zip(table.lines().skip(1)) {
        let cells: Vec<&str> = line.split('\t').collect();
        assert_eq!(row["radius"].as_f64().unwrap(), cells[2].parse::<f64>().unwrap());
        assert_eq!(row["certified"], (cells[3] == "1"));
        assert_eq!(fields(&row["norms"]), ["l1", "l2", "linf"]);
    }
    documented("radius", &[&radius, &rows[0]]);

    let report_to = dir.path().join("report").to_str().unwrap().to_owned();
    let report = json(&smoothtopk(["report", &run, "-o", &report_to, "--radii", "0,0.5", "-f", "json"]));
    let curve = &report["runs"][0]["curves"][1];
    assert_eq!(
        (&curve["k"], &curve["examples"], &curve["accuracies"][1]["radius"]),
        (&2.into(), &3.into(), &0.5.into())
    );
    assert_eq!(report["runs"][0]["options"]["sigma"], "0.25");
    documented("report", &[&report, &report["runs"][0], curve, &curve["accuracies"][0]]);

    let asked = ["plan", "-s", "0.25", "--classes", "10", "-n", "1000", "--radius", "0.5", "--elements", "64"];
    let plan = json(&smoothtopk(asked.into_iter().chain(["-f", "json"])));
    let line = ok(&smoothtopk(asked)).lines().nth(1).unwrap().to_owned();
    let limit = &plan["limits"][0];
    let shown = ["k", "allocation", "smallest_n", "largest_radius", "smallest_n_for_radius"];
    let shown = shown.map(|name| limit[name].as_str().map_or_else(|| limit[name].to_string(), str::to_owned));
    assert_eq!(shown.join("\t"), line);
    let timed = ["plan", "-s", "0.25", "-m", &crate::model(), "-d", &crate::data(), "-n", "10", "-f", "json"];
    let timed = json(&smoothtopk(timed));
    assert_eq!(timed["speed"]["examples"], 200);
    documented("plan", &[&plan, limit, &plan["predict"][0], &timed["speed"]]);
    let rows = json(&smoothtopk(["plan", "--noise", "block:2:height=8:width=8", "-k", "1", "-f", "json"]));
    assert_eq!((&rows["alpha"], &rows["limits"][0]["rows"]), (&Value::Null, &64.into()));

    let doctor = json(&smoothtopk(["doctor", "-f", "json"]));
    assert_eq!(doctor["providers"][0]["works"], true);
    documented("doctor", &[&doctor, &doctor["search"][0], &doctor["onnxruntime"], &doctor["providers"][0]]);

    let accepted = json(&smoothtopk(["inspect", &crate::model(), "-f", "json"]));
    let refused = smoothtopk(["inspect", &root("tests/models/two_outputs.onnx"), "-f", "json"]);
    let refused: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!((&accepted["accepted"], &refused["accepted"]), (&true.into(), &false.into()));
    documented("inspect", &[&accepted, &refused]);
}
