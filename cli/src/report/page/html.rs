//! The page as one file.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::column::base64;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
/// In the order in which each needs those before it.
const PROGRAM: [&str; 9] = [
    include_str!("dom.js"),
    include_str!("data.js"),
    include_str!("numbers.js"),
    include_str!("curves.js"),
    include_str!("table.js"),
    include_str!("list.js"),
    include_str!("examples.js"),
    include_str!("compare.js"),
    include_str!("main.js"),
];

/// The page about what [`super::content::content`] says. Nothing but its own program and style runs in it, and it loads
/// nothing.
pub fn page(content: &Value) -> String {
    let program = format!("(() => {{\n'use strict';\n{}}})();\n", PROGRAM.concat());
    let policy = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; img-src data:; base-uri 'none'; form-action 'none'",
        digest(&program),
        digest(STYLE)
    );
    // No name in the data ends their element: JSON may write each < otherwise.
    let data = content.to_string().replace('<', "\\u003c");
    let parts = [("{{policy}}", policy), ("{{style}}", STYLE.into()), ("{{data}}", data), ("{{program}}", program)];
    let (mut page, mut rest) = (String::new(), TEMPLATE);
    for (mark, part) in parts {
        let (before, after) = rest.split_once(mark).unwrap_or((rest, ""));
        page += before;
        page += &part;
        rest = after;
    }
    page + rest
}

/// As a content security policy names what it allows.
fn digest(text: &str) -> String {
    format!("sha256-{}", base64(&Sha256::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_ends_the_data() {
        let page = page(&serde_json::json!({"name": "</script><script>alert(1)</script><!-- {{program}}"}));
        assert_eq!(page.matches("</script>").count(), 2);
        assert!(page.contains(r"\u003c/script>\u003cscript>") && !page.contains("<!--"));
        assert_eq!(page.matches("{{program}}").count(), 1, "the name's own");
    }

    #[test]
    fn the_policy_allows_what_is_there_alone() {
        let page = page(&Value::Null);
        let between = |from: &str, to: &str| page.split_once(from).unwrap().1.split_once(to).unwrap().0.to_owned();
        for (what, element) in [("script-src", ("<script>", "</script>")), ("style-src", ("<style>", "</style>"))] {
            let allowed = format!("{what} '{}'", digest(&between(element.0, element.1)));
            assert!(page.contains(&allowed), "{allowed}");
        }
        for address in ["http:", "https:", "src=", "@import", "url("] {
            let found = page.replace("http://www.w3.org/2000/svg", "").contains(address);
            assert!(!found, "{address}");
        }
    }
}
