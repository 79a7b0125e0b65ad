//! Every example of the runs, with its file where it has one.

use smoothtopk::perturbation::Norm;

use super::curve::Run;
use super::tables::field;

/// A line for each example of a RUN and each of its k.
pub fn csv(runs: &[Run]) -> String {
    let mut out = String::from(
        "run,idx,file,label,k,predict,radius,correct,decision,samples,norm,radius_l1,radius_l2,radius_linf\n",
    );
    for run in runs {
        for (example, (i, k)) in
            run.examples.iter().flat_map(|example| run.ks().iter().enumerate().map(move |k| (example, k)))
        {
            let row = run.row(example, i);
            let or_none = |label: Option<usize>| label.map(|label| label.to_string()).unwrap_or_default();
            let fields = [
                field(&run.name),
                row.idx.to_string(),
                field(example.file.as_deref().unwrap_or_default()),
                or_none(row.label),
                k.to_string(),
                or_none(row.predict),
                row.radius.to_string(),
                u8::from(row.correct).to_string(),
                example.decision(i).to_owned(),
                example.samples.to_string(),
                run.norm_name(),
            ];
            // Empty where no ball of the norm lies inside the certified one.
            let told = |norm| run.within(row.radius, norm).map(|radius| radius.to_string()).unwrap_or_default();
            let fields = fields.into_iter().chain(Norm::TOLD.map(told)).collect::<Vec<_>>();
            out += &(fields.join(",") + "\n");
        }
    }
    out
}
