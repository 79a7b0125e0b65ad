//! What all rows of a file of counts have in common, from the options and, for a RUN, its manifest.

use std::path::{Path, PathBuf};

use smoothtopk::certificate::stop::Rule;
use smoothtopk::perturbation::Gaussian;
use smoothtopk::smoothed::Bounding;
use smoothtopk::stats::{Allocation, Validity, check_alpha};
use smoothtopk::{Error, ErrorKind, Result};

use super::Args;
use crate::number::number;
use crate::run_dir::{self, COUNTS, Columns, MANIFEST, Stop};

pub struct Settings {
    pub sigma: f64,
    /// What the bounds may spend: the noise's own share is off it.
    pub alpha: f64,
    /// None: as `stops` says for each example.
    pub allocation: Option<Allocation>,
    pub validity: Validity,
    /// Whether the RUN's own uniforms, in its stops, stand in the place of `validity`.
    pub randomized: bool,
    pub n: Option<u64>,
    pub slack: f64,
    /// For counts of a RUN's own.
    pub run: Option<Run>,
}

/// What a RUN says of its counts.
pub struct Run {
    /// Its k, in the order of `stops`.
    pub ks: Vec<usize>,
    /// One per example, where the RUN keeps that.
    pub stops: Option<Vec<Stop>>,
    /// Every skip-th example of the data is in the RUN.
    skip: usize,
    /// The examples of the whole RUN, where its manifest says.
    examples: Option<usize>,
}

impl Run {
    /// The index in the data of the RUN's i-th example.
    pub fn index(&self, i: usize) -> Result<usize, String> {
        match self.examples {
            Some(examples) if i >= examples => Err(format!("an example past the {examples} of the RUN")),
            _ => Ok(i.saturating_mul(self.skip)),
        }
    }
}

impl Settings {
    pub fn new(args: &Args) -> Result<Self> {
        let settings = match Manifest::beside(&args.counts)? {
            Some(manifest) => Self::of_run(args, &manifest)?,
            None => Self {
                sigma: required(args.sigma, "sigma")?,
                alpha: required(args.alpha, "alpha")?,
                allocation: Some(args.bound.clone().unwrap_or_default()),
                validity: args.validity.unwrap_or_default(),
                randomized: false,
                n: args.n,
                slack: slack(args.radius_slack)?,
                run: None,
            },
        };
        Gaussian::new(settings.sigma)?;
        check_alpha(settings.alpha)?;
        Ok(settings)
    }

    fn of_run(args: &Args, manifest: &Manifest) -> Result<Self> {
        manifest.check_kind()?;
        let (sigma, n) = (manifest.float("sigma")?, manifest.integer("n")?);
        let slack = manifest.float("radius_slack")?;
        if slack.is_nan() || slack < 0.0 {
            return Err(manifest.wrong("radius_slack", "a number from 0 up"));
        }
        if let Some(other) = args.sigma.filter(|&other| other != sigma) {
            return Err(Error::argument(
                "sigma",
                format!("{} given, but the RUN's noise had sigma {sigma}: leave it out", number(other)),
            ));
        }
        if let Some(other) = args.n.filter(|&other| other != n) {
            return Err(Error::argument("n", format!("{other} given, but the RUN drew n = {n} rows: leave it out")));
        }
        if let Some(other) = args.radius_slack.filter(|&other| other != slack) {
            let message =
                format!("{} given, but the RUN's noise takes {} off: leave it out", number(other), number(slack));
            return Err(Error::argument("radius-slack", message));
        }
        let validity = manifest.validity(args.validity, n)?;
        let randomized = args.validity.is_none() && manifest.is_randomized();
        let own_alpha = manifest.float("alpha")?;
        let alpha = args.alpha.unwrap_or(own_alpha);
        let own: Bounding =
            manifest.text("bound")?.parse().map_err(|_| manifest.wrong("bound", "a way to spend alpha"))?;
        let stops = manifest.stops(&own)?;
        let run = Run { ks: manifest.ks()?, stops, skip: manifest.skip()?, examples: manifest.examples()? };
        let allocation = match (&args.bound, own) {
            (Some(allocation), _) => Some(allocation.clone()),
            (None, Bounding::As(allocation)) if run.stops.is_none() => Some(allocation),
            (None, Bounding::As(allocation)) if args.k.iter().any(|k| !run.ks.contains(k)) => Some(allocation),
            (None, Bounding::As(_)) => None,
            (None, Bounding::Auto) => {
                if let Some(k) = args.k.iter().find(|k| !run.ks.contains(k)) {
                    let message = format!(
                        "the pilot rows of the RUN chose how alpha is spent for k = {:?} alone, not for {k}: give --bound",
                        run.ks
                    );
                    return Err(Error::argument("k", message));
                }
                None
            }
        };
        manifest.say_if_beyond_budget(args, own_alpha, &run.ks);
        let alpha = manifest.alpha_left(alpha)?;
        Ok(Self { sigma, alpha, allocation, validity, randomized, n: Some(n), slack, run: Some(run) })
    }

    /// Says on stderr what only a manifest knows, where there is none and no option says it.
    pub fn say_what_is_assumed(&self, args: &Args) {
        let n = args.validity.is_none().then_some("n was fixed before the rows were drawn (else give --validity)");
        let slack = args
            .radius_slack
            .is_none()
            .then_some("no radius is less for a rounding of the noise (else give --radius-slack)");
        let assumed: Vec<&str> = n.into_iter().chain(slack).collect();
        if self.run.is_none() && !assumed.is_empty() {
            let (counts, assumed) = (args.counts.display(), assumed.join(" and that "));
            eprintln!("note: no {MANIFEST} beside {counts}: it is assumed that {assumed}");
        }
    }
}

fn slack(given: Option<f64>) -> Result<f64> {
    match given {
        Some(slack) if !(slack >= 0.0 && slack.is_finite()) => {
            Err(Error::argument("radius-slack", format!("must be a finite number from 0 up, got {}", number(slack))))
        }
        given => Ok(given.unwrap_or(0.0)),
    }
}

fn required(value: Option<f64>, name: &str) -> Result<f64> {
    value.ok_or_else(|| Error::argument(name, format!("--{name} is required for counts that are not in a RUN folder")))
}

/// A RUN's manifest.json, of which only what counts need must be there.
struct Manifest {
    path: PathBuf,
    json: serde_json::Value,
}

impl Manifest {
    /// The manifest of the RUN whose counts.tsv this is, if it is one.
    fn beside(counts: &Path) -> Result<Option<Self>> {
        // Another name for the file must not lose what the RUN says of it; a pipe has no other name.
        let counts = counts.canonicalize().unwrap_or_else(|_| counts.to_path_buf());
        let path = counts.with_file_name(MANIFEST);
        if counts.file_name() != Some(COUNTS.as_ref()) || !path.exists() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&path).map_err(|error| Error::io(&path, &error))?;
        let json = serde_json::from_str(&text)
            .map_err(|error| Error::new(ErrorKind::InvalidData, format!("{}: {error}", path.display())))?;
        Ok(Some(Self { path, json }))
    }

    fn wrong(&self, key: &str, expected: &str) -> Error {
        Error::new(ErrorKind::InvalidData, format!("{}: \"{key}\" must be {expected}", self.path.display()))
    }

    fn float(&self, key: &str) -> Result<f64> {
        self.json[key].as_f64().ok_or_else(|| self.wrong(key, "a number"))
    }

    fn integer(&self, key: &str) -> Result<u64> {
        self.json[key].as_u64().ok_or_else(|| self.wrong(key, "a whole number from 0 up"))
    }

    fn text(&self, key: &str) -> Result<&str> {
        self.json[key].as_str().ok_or_else(|| self.wrong(key, "a string"))
    }

    /// The RUN's k; none in a manifest that does not say.
    fn ks(&self) -> Result<Vec<usize>> {
        match self.json.get("k") {
            None => Ok(Vec::new()),
            Some(ks) => serde_json::from_value(ks.clone()).map_err(|_| self.wrong("k", "a list of whole numbers")),
        }
    }

    /// 1 in a manifest that does not say.
    fn skip(&self) -> Result<usize> {
        let skip = if self.json.get("skip").is_none() { 1 } else { self.integer("skip")? };
        usize::try_from(skip)
            .ok()
            .filter(|&skip| skip > 0)
            .ok_or_else(|| self.wrong("skip", "a whole number from 1 up"))
    }

    /// None in a manifest that does not say.
    fn examples(&self) -> Result<Option<usize>> {
        if self.json.get("examples").is_none() {
            return Ok(None);
        }
        Ok(Some(usize::try_from(self.integer("examples")?).unwrap_or(usize::MAX)))
    }

    /// Refuses a RUN whose counts are not those of one label each, and one of a later program.
    fn check_kind(&self) -> Result<()> {
        if self.json["format"].as_u64().is_some_and(|format| format > u64::from(run_dir::FORMAT)) {
            let expected = format!("at most {}: use the program that wrote the RUN", run_dir::FORMAT);
            return Err(self.wrong("format", &expected));
        }
        if self.json["guarantee"] == true {
            let message = "the RUN holds guarantees for answers: its labels were not fixed before these counts, so no label can \
                           be certified by them; the radii are in its answer_k files";
            return Err(Error::argument("counts", message));
        }
        Ok(())
    }

    fn rule(&self) -> Result<&str> {
        if self.json.get("rule").is_none() { Ok("fixed") } else { self.text("rule") }
    }

    /// The kind of bounds: those of the RUN's rule for n rows at most, unless others are asked for that hold too.
    fn validity(&self, asked: Option<Validity>, n: u64) -> Result<Validity> {
        let rule: Rule = self.rule()?.parse().map_err(|_| self.wrong("rule", "a rule"))?;
        let own = rule.validity(n);
        match asked {
            None => Ok(own),
            Some(asked) if rule == Rule::Fixed || asked == Validity::Anytime => Ok(asked),
            // A later last row is as good as none.
            Some(Validity::AnytimeTo(last)) if last >= n => Ok(Validity::AnytimeTo(last)),
            Some(asked) => {
                let message = format!(
                    "{asked} bounds are void for counts whose number of rows a rule chose ({rule}, at most {n}): leave --validity out"
                );
                Err(Error::argument("validity", message))
            }
        }
    }

    fn is_randomized(&self) -> bool {
        self.json["randomized"] == true
    }

    /// How the rows of each example ended, where the RUN keeps that.
    fn stops(&self, bound: &Bounding) -> Result<Option<Vec<Stop>>> {
        if self.rule()? == "fixed" && *bound != Bounding::Auto && !self.is_randomized() {
            return Ok(None);
        }
        let classes = usize::try_from(self.integer("classes")?).unwrap_or(usize::MAX);
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let columns = Columns { ks: &self.ks()?, classes, randomized: self.is_randomized() };
        run_dir::read_stops(folder, &columns).map(Some)
    }

    /// What is left of alpha when the noise's distance from an exact Gaussian is paid for.
    fn alpha_left(&self, alpha: f64) -> Result<f64> {
        let paid = if self.json.get("alpha_noise").is_none() { 0.0 } else { self.float("alpha_noise")? };
        if paid == 0.0 {
            return Ok(alpha);
        }
        let left = (alpha - paid).next_down();
        if !(paid > 0.0 && left >= 0.5 * alpha) {
            let message = format!(
                "{alpha:e} is too small for this RUN: the noise's distance from an exact Gaussian comes to {paid:e}"
            );
            return Err(Error::argument("alpha", message));
        }
        Ok(left)
    }

    /// Says so on stderr when what is asked for is more than the statements that share the RUN's alpha.
    fn say_if_beyond_budget(&self, args: &Args, own_alpha: f64, ks: &[usize]) {
        let Some(total) = self.json["alpha_total"].as_f64() else { return };
        let other = args.alpha.is_some_and(|alpha| alpha != own_alpha) || args.bound.is_some();
        if other || args.validity.is_some() || args.k.iter().any(|k| !ks.contains(k)) {
            eprintln!("note: these statements are not among those that share the RUN's alpha of {}", number(total));
        }
    }
}
