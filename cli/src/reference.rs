//! docs/cli.md ends with what `--help` says, so that it cannot go stale.

use crate::command;

const START: &str = "<!-- From here on made by UPDATE_DOCS=1 cargo test -p smoothtopk-cli reference -->\n";

/// Every `--help` at 80 columns.
fn helps() -> Vec<(String, String)> {
    let mut program = command();
    program.build();
    let names = program.get_subcommands().map(|command| command.get_name().to_owned());
    let names: Vec<String> = names.filter(|name| !["help", "terms"].contains(&&**name)).collect();
    let mut helps = vec![("smoothtopk".to_owned(), program.clone().term_width(80).render_long_help().to_string())];
    for name in names {
        let Some(command) = program.find_subcommand_mut(&name) else { continue };
        helps.push((format!("smoothtopk {name}"), command.clone().term_width(80).render_long_help().to_string()));
    }
    helps
}

#[test]
fn the_reference_is_what_help_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (head, _) = text.split_once(START).expect("the line that says where the made part starts");
    let trimmed = |help: &str| help.lines().map(|line| line.trim_end().to_owned() + "\n").collect::<String>();
    let sections: String =
        helps().iter().map(|(name, help)| format!("\n## {name}\n\n```text\n{}```\n", trimmed(help))).collect();
    let wanted = format!("{head}{START}{sections}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        return std::fs::write(path, &wanted).unwrap();
    }
    assert!(text == wanted, "docs/cli.md is stale: UPDATE_DOCS=1 cargo test -p smoothtopk-cli reference");
}

#[test]
fn every_help_fits_in_80_columns_and_has_an_example() {
    for (name, help) in helps() {
        let wide = help.lines().find(|line| line.chars().count() > 80);
        assert_eq!(wide, None, "{name}");
        let files = ["smoothtopk completions", "smoothtopk man", "smoothtopk"].contains(&&*name);
        for part in ["Example:", "Exit codes:", "Environment:", "help terms"] {
            assert!(files || help.contains(part), "{name} has no {part}");
        }
    }
}
