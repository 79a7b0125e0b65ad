//! `smoothtopk help terms`: the words of docs/glossary.md, for a terminal.

const GLOSSARY: &str = include_str!("../../docs/glossary.md");
const WIDTH: usize = 78;

/// Its headings and tables of Markdown as plain text.
pub fn text() -> String {
    let mut out = String::new();
    for line in GLOSSARY.lines() {
        let line = line.replace(['`', '*'], "");
        let cells: Vec<&str> = line.trim_matches(['|', ' ']).split(" | ").map(str::trim).collect();
        match (line.trim_start_matches('#'), &cells[..]) {
            (heading, _) if heading.len() < line.len() => out += &format!("\n{}\n\n", heading.trim().to_uppercase()),
            (_, ["word", ..] | ["---", ..] | [""]) => {}
            (_, [word, meaning]) => out += &format!("  {word}\n{}", wrapped(meaning, "      ")),
            _ => out += &wrapped(&line, ""),
        }
    }
    out.trim_start().to_owned()
}

fn wrapped(text: &str, indent: &str) -> String {
    let (mut out, mut line) = (String::new(), indent.to_owned());
    for word in text.split_whitespace() {
        if line.len() > indent.len() && line.len() + 1 + word.len() > WIDTH {
            out += &format!("{line}\n");
            line = indent.to_owned();
        }
        if line.len() > indent.len() {
            line.push(' ');
        }
        line += word;
    }
    out + &line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_glossary_is_explained() {
        let shown = text();
        let words = GLOSSARY.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| word"));
        let words: Vec<String> = words.map(|line| line.split(" | ").next().unwrap()[2..].replace('`', "")).collect();
        assert!(words.len() > 50, "{}", words.len());
        let missing = words.iter().find(|word| word.as_str() != "---" && !shown.contains(&format!("  {word}\n      ")));
        assert_eq!(missing, None);
        assert!(shown.lines().all(|line| line.chars().count() <= WIDTH && !line.contains('|')), "{shown}");
    }
}
