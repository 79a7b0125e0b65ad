//! `smoothtopk inspect`

use std::path::PathBuf;

use serde::Serialize;
use smoothtopk::model::{Interface, Model, Signature};
use smoothtopk::{Error, ErrorKind, Result};

use crate::format::{Format, print_json};
use crate::model_args::ModelArgs;
use crate::stdout;

/// Show what a model takes and gives, which of its outputs are the scores and why
#[derive(clap::Args)]
pub struct Args {
    /// The ONNX file
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// How it is printed
    #[arg(long, short, value_enum, default_value_t)]
    format: Format,

    #[command(flatten)]
    options: ModelArgs,
}

/// A model that can be used.
#[derive(Serialize)]
struct Accepted<'a> {
    accepted: bool,
    sha256: &'a str,
    provider: String,
    precision: String,
    arithmetic: &'a str,
    fallback: Option<&'a str>,
    signature: &'a Signature,
}

/// A model that opens and cannot be used as it is.
#[derive(Serialize)]
struct Refused<'a> {
    accepted: bool,
    error: &'a str,
    field: Option<&'a str>,
    interface: &'a Interface,
}

pub fn run(args: Args) -> Result<()> {
    let options = args.options.options()?;
    let opened = match args.options.open(&args.model, None) {
        Ok(opened) => opened,
        // The model opens and cannot be used: show what it has, so that the remedy can be followed.
        Err(error) if matches!(error.kind(), ErrorKind::Model | ErrorKind::InvalidArgument) => {
            if let Ok(interface) = Model::interface(&args.model, &options) {
                print_refused(&interface, &error, args.format)?;
            }
            return Err(error);
        }
        Err(error) => return Err(error),
    };
    let model = &opened.model;
    if args.format == Format::Json {
        return print_json(&Accepted {
            accepted: true,
            sha256: model.sha256(),
            provider: opened.provider(),
            precision: model.precision().to_string(),
            arithmetic: model.arithmetic(),
            fallback: model.fallback(),
            signature: model.signature(),
        });
    }
    stdout::print(&report(model))
}

fn report(model: &Model) -> String {
    let signature = model.signature();
    let mut lines = interface_lines(&signature.interface);
    lines.insert(0, format!("sha256    {}", model.sha256()));
    lines.push(format!("batch     {}", signature.batch));
    lines.push(format!(
        "element   {} {:?}, {}, {} values",
        signature.input_type, signature.element_shape, signature.layout, signature.elements
    ));
    if !signature.constants.is_empty() {
        lines.push(format!("constant  {}", signature.constants.join(", ")));
    }
    lines.push(format!("classes   {}", signature.classes));
    if let Some(names) = &signature.class_names {
        lines.push(format!("names     {}", names.join(", ")));
    }
    lines.push(format!("scores    {}: {}", signature.output, signature.reading));
    lines.push(format!("why       {}", signature.why));
    lines.join("\n") + "\n"
}

fn print_refused(interface: &Interface, error: &Error, format: Format) -> Result<()> {
    match format {
        Format::Json => {
            print_json(&Refused { accepted: false, error: error.message(), field: error.field(), interface })
        }
        Format::Text => stdout::print(&(interface_lines(interface).join("\n") + "\n")),
    }
}

fn interface_lines(interface: &Interface) -> Vec<String> {
    let inputs = interface.inputs.iter().map(|input| format!("input     {input}"));
    inputs.chain(interface.outputs.iter().map(|output| format!("output    {output}"))).collect()
}
