//! `--config`: options from a file, each by its long name. What the command line gives wins over the file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use serde_json::Value;
use smoothtopk::{Error, Result};

use crate::number::number;
use crate::run_dir::{Manifest, Options};

const CONFIG: &str = "config";
/// Options for the seed or key, by the generator.
const SECRETS: [&str; 2] = ["seed", "key"];

/// What a command was given, for the manifest of what it makes.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The options, by the command line or by a file.
    pub options: Options,
    /// The manifest of which they are, where they are of one.
    pub manifest: Option<PathBuf>,
}

/// Commands that take `--config`.
const TAKE_IT: [&str; 4] = ["certify", "predict", "verify", "plan"];

/// Adds the option to the commands that take it.
pub fn with_config(command: Command) -> Command {
    command.mut_subcommands(|command| {
        if !TAKE_IT.contains(&command.get_name()) {
            return command;
        }
        let of_run = if command.get_name() == "certify" {
            ". A RUN's manifest.json is one too: with another --out it makes the same RUN again"
        } else {
            ""
        };
        let help = format!(
            "Options from a TOML file, by their long names: sigma = 0.25. Options of the command line win over the file's, and \
             paths are as on the command line{of_run}"
        );
        let arg = Arg::new(CONFIG).long(CONFIG).short('c').value_name("FILE").help(help).help_heading(None);
        command.arg(arg.value_parser(clap::value_parser!(PathBuf)))
    })
}

/// The arguments with those of the file that `--config` names, where there is one, after them.
///
/// # Errors
/// `InvalidArgument` for an option that the command has not, or a value of another kind; those of reading the file.
pub fn expand(command: &Command, mut arguments: Vec<OsString>) -> Result<Vec<OsString>> {
    // What is wrong with the arguments themselves is told when they are parsed for good.
    let lenient = command.clone().ignore_errors(true).try_get_matches_from(&arguments);
    let Some((name, matches)) = lenient.as_ref().ok().and_then(ArgMatches::subcommand) else { return Ok(arguments) };
    let Some(command) = command.find_subcommand(name) else { return Ok(arguments) };
    let Ok(Some(file)) = matches.try_get_one::<PathBuf>(CONFIG) else { return Ok(arguments) };
    let wins = |arg: &Arg| {
        let conflict = |one: &Arg, other: &Arg| {
            command.get_arg_conflicts_with(one).iter().any(|found| found.get_id() == other.get_id())
        };
        let given = command.get_arguments().filter(|arg| is_given(matches, arg));
        given.into_iter().any(|given| given.get_id() == arg.get_id() || conflict(given, arg) || conflict(arg, given))
    };
    let has_secret =
        command.get_arguments().any(|arg| is_given(matches, arg) && SECRETS.contains(&arg.get_id().as_str()));
    for (key, value) in read(file, !has_secret)? {
        let wrong = |message: String| Error::argument(CONFIG, format!("{}: {message}", file.display()));
        let arg = option(command, &key).ok_or_else(|| wrong(unknown(command, &key)))?;
        if !wins(arg) {
            arguments.extend(typed(arg, &value).map_err(wrong)?.into_iter().map(OsString::from));
        }
    }
    Ok(arguments)
}

/// What `matches` of a command hold, but for what makes no other result, and secrets.
pub fn given(command: &Command, matches: &ArgMatches) -> Given {
    let makes_no_other = ["out", "seed", "key", "shard", "sample-shard", "dry-run", CONFIG];
    let long = |arg: &Arg| arg.get_long().map(str::to_owned);
    let kept = command.get_arguments().filter(|arg| {
        let running = arg.get_help_heading().is_some_and(|heading| heading == "Running options");
        is_given(matches, arg) && !running && !arg.get_long().is_some_and(|long| makes_no_other.contains(&long))
    });
    let options = kept.filter_map(|arg| Some((long(arg)?, value_of(arg, matches)?))).collect();
    let file = matches.try_get_one::<PathBuf>(CONFIG).ok().flatten();
    Given { options, manifest: file.filter(|file| is_manifest(file)).cloned() }
}

/// The options as they are typed for a command; those that it has not are left out.
pub fn typed_for(command: &Command, options: &Options) -> Vec<String> {
    let of_one = |(key, value): (&String, &Value)| typed(option(command, key)?, value).ok();
    options.iter().filter_map(of_one).flatten().collect()
}

fn option<'a>(command: &'a Command, key: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|arg| arg.get_long() == Some(key) && ![CONFIG, "help"].contains(&key))
}

fn is_given(matches: &ArgMatches, arg: &Arg) -> bool {
    let id = arg.get_id().as_str();
    matches.try_contains_id(id).unwrap_or(false) && matches.value_source(id) == Some(ValueSource::CommandLine)
}

fn value_of(arg: &Arg, matches: &ArgMatches) -> Option<Value> {
    if !arg.get_action().takes_values() {
        return Some(true.into());
    }
    let values = matches.get_raw(arg.get_id().as_str())?;
    let values: Vec<String> = values.map(|value| value.to_string_lossy().into_owned()).collect();
    Some(if let [one] = &values[..] { one.as_str().into() } else { values.into() })
}

fn unknown(command: &Command, key: &str) -> String {
    let options = command.get_arguments().filter_map(Arg::get_long).filter(|long| option(command, long).is_some());
    let near = options.map(|long| (strsim::jaro_winkler(long, key), long)).max_by(|a, b| a.0.total_cmp(&b.0));
    let meant = near.filter(|(near, _)| *near > 0.7).map(|(_, long)| format!("; did you mean \"{long}\"?"));
    format!("{} has no option \"{key}\"{}", command.get_name(), meant.unwrap_or_default())
}

/// As it is typed: `--sigma=0.25`, `--k=1,3`, `--select`.
fn typed(arg: &Arg, value: &Value) -> Result<Vec<String>, String> {
    let long = arg.get_long().unwrap_or_default();
    let wrong = |what: &str| format!("{long} = {value}: {what}");
    if !arg.get_action().takes_values() {
        let on = value.as_bool().ok_or_else(|| wrong("must be true or false"))?;
        return Ok(if on { vec![format!("--{long}")] } else { Vec::new() });
    }
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(value) if value.is_f64() => Ok(number(value.as_f64().unwrap_or_default())),
        Value::Number(value) => Ok(value.to_string()),
        _ => Err(wrong("must be text or a number")),
    };
    let Value::Array(values) = value else { return Ok(vec![format!("--{long}={}", text(value)?)]) };
    let values = values.iter().map(text).collect::<Result<Vec<_>, _>>()?;
    match (arg.get_action(), arg.get_value_delimiter()) {
        (clap::ArgAction::Append, Some(between)) => {
            Ok(vec![format!("--{long}={}", values.join(between.to_string().as_str()))])
        }
        (clap::ArgAction::Append, None) => Ok(values.iter().map(|value| format!("--{long}={value}")).collect()),
        _ => Err(wrong("must be one value, not a list")),
    }
}

fn is_manifest(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "json")
}

fn read(file: &Path, with_secret: bool) -> Result<BTreeMap<String, Value>> {
    if is_manifest(file) {
        return of_manifest(file, with_secret);
    }
    let text = std::fs::read_to_string(file).map_err(|error| Error::io(file, &error))?;
    let one_line = |error: toml::de::Error| {
        let at = error.span().map(|span| format!(", line {}", text[..span.start].lines().count().max(1)));
        let (path, at, message) = (file.display(), at.unwrap_or_default(), error.message());
        Error::argument(CONFIG, format!("{path}{at}: {message}; a TOML file has lines such as: sigma = 0.25"))
    };
    toml::from_str(&text).map_err(one_line)
}

/// The options that a RUN was made with, and its seed or key unless another is given.
fn of_manifest(file: &Path, with_secret: bool) -> Result<BTreeMap<String, Value>> {
    let manifest = Manifest::load(file)?;
    let mut options = manifest.options.clone();
    if with_secret && !manifest.perturbation.noise.is_enumerated() {
        let secret = manifest.source(file.parent().unwrap_or(Path::new("")))?;
        let name = SECRETS[usize::from(!manifest.generator.starts_with("philox"))];
        options.insert(name.to_owned(), secret.secret().into());
    }
    Ok(options)
}
