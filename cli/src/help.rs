//! What stands below the options of every `--help`: an example, exit codes, and the environment.

use clap::Command;

/// Below the help of the program itself.
pub const OF_PROGRAM: &str = "\
smoothtopk COMMAND --help says what a command does and takes.
smoothtopk help terms explains the words: sample, radius, alpha, RUN, ...

Start with:
  smoothtopk inspect model.onnx
  smoothtopk certify -m model.onnx -d test.npz -s 0.25 -o run
  smoothtopk report run -o report

Exit codes:
  0    done
  1    an error, or examples that failed (named on stderr); what is finished is
       kept
  2    the command was called wrongly: to try it again does not help
  3    verify: more certificates are broken than alpha allows
  75   another process is writing the RUN: try again later
  129, 130, 143   ended by SIGHUP, Ctrl-C, SIGTERM; what is finished is
       kept, and the same command resumes";

/// A command, examples of it, and exit codes that not all commands have.
type Below = (&'static str, &'static str, &'static str);

const BELOW: [Below; 9] = [
    (
        "certify",
        "
  smoothtopk certify -m model.onnx -d test.npz --input-scale 255 \\
      -s 0.25 -k 1,3 -n 1e4 --seed 7 -o run
  smoothtopk certify -c run/manifest.json -o again",
        LONG,
    ),
    ("merge", "\n  smoothtopk merge part-1 part-2 part-3 -o run", LOCKED),
    ("predict", "\n  smoothtopk predict -m model.onnx -d test.npz -s 0.25 --rule predict", SIGNALS),
    ("radius", "\n  smoothtopk radius --counts run --alpha 1e-4", ""),
    ("report", "\n  smoothtopk report run other_run -o report", ""),
    (
        "verify",
        "
  smoothtopk verify -r run -m model.onnx -d test.npz --attacks 100 \\
      -o run-verify",
        BROKEN,
    ),
    ("inspect", "\n  smoothtopk inspect model.onnx --format json", ""),
    ("plan", "\n  smoothtopk plan -s 0.25 -k 1,3 --radius 0.5 --classes 10", ""),
    ("doctor", "\n  smoothtopk doctor --onnxruntime /opt/onnxruntime", ""),
];

const SIGNALS: &str = "
  129, 130, 143   ended by SIGHUP, Ctrl-C, SIGTERM";
const LONG: &str = "
  75   another process is writing the RUN: try again later
  129, 130, 143   ended by SIGHUP, Ctrl-C, SIGTERM; what is
       finished is kept";
const LOCKED: &str = "
  75   another process is writing one of the RUNs: try again later
  129, 130, 143   ended by SIGHUP, Ctrl-C, SIGTERM";
const BROKEN: &str = "
  3    more certificates are broken than alpha allows
  129, 130, 143   ended by SIGHUP, Ctrl-C, SIGTERM";

const ENVIRONMENT: &str = "
  SMOOTHTOPK_ONNXRUNTIME  ONNX Runtime's library, or its folder;
      ORT_DYLIB_PATH is read where this is not set
  SMOOTHTOPK_CACHE  where measured batch sizes are kept; off: nowhere";

/// Puts it there.
pub fn with_below(command: Command) -> Command {
    command.after_help(OF_PROGRAM).mut_subcommands(|command| {
        let below = BELOW.iter().find(|(name, ..)| *name == command.get_name());
        let Some((name, example, codes)) = below else { return command };
        let environment = if ["merge", "radius", "report"].contains(name) { "\n  none" } else { ENVIRONMENT };
        let long = format!(
            "Example:{example}

Exit codes:
  0    done
  1    an error, or examples that failed: named on stderr
  2    the command was called wrongly{codes}

Environment:{environment}

Words: smoothtopk help terms"
        );
        let short = format!("Example:{example}\n\n--help says more; smoothtopk help terms explains the words");
        command.after_help(short).after_long_help(long)
    })
}
