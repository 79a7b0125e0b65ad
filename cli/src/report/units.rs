//! What radii are measured in, for people.

use smoothtopk::perturbation::Norm;

use super::curve::Run;

/// The radius of a norm, as an axis is called.
pub fn axis(norm: Norm) -> &'static str {
    match norm {
        Norm::L0 => "changed pixels (l0 radius)",
        Norm::L1 => "l1 radius",
        Norm::L2 => "l2 radius",
        Norm::Linf => "linf radius",
        Norm::Patch => "side of a patch, in pixels",
    }
}

/// The unit of a number in that norm.
pub fn short(norm: Norm) -> String {
    match norm {
        Norm::L0 | Norm::Patch => "px".to_owned(),
        norm => norm.to_string(),
    }
}

/// What r is, for all runs or for each.
pub fn measured(runs: &[Run]) -> String {
    let unit = |norm| match norm {
        Norm::L0 => "in changed pixels, l0".to_owned(),
        Norm::Patch => "the side of a patch, in pixels".to_owned(),
        norm => format!("in {norm}"),
    };
    let units: Vec<String> = runs.iter().map(|run| unit(run.norm())).collect();
    match units.iter().all(|unit| *unit == units[0]) {
        true => units.first().cloned().unwrap_or_default(),
        false => {
            let of_run = |(run, unit): (&Run, &String)| format!("{unit} for {}", run.name);
            runs.iter().zip(&units).map(of_run).collect::<Vec<_>>().join("; ")
        }
    }
}
