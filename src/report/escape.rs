//! Text inside XML and JSON.

/// Replaces the characters that XML gives a meaning, as BLAST+ does, and those it forbids.
pub(super) fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\t' | '\n' | '\r' => escaped.push(character),
            '\0'..='\u{1f}' => escaped.push('#'),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// A JSON string with its quotes.
pub(super) fn json(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 2);
    escaped.push('"');
    for character in text.chars() {
        match character {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            control @ '\0'..='\u{1f}' => escaped.push_str(&format!("\\u{:04x}", control as u32)),
            _ => escaped.push(character),
        }
    }
    escaped.push('"');
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_is_escaped() {
        let text = "a & <b> \"c\" 'd' é \\ / \u{1}";
        assert_eq!(xml(text), "a &amp; &lt;b&gt; &quot;c&quot; &apos;d&apos; é \\ / #");
        assert_eq!(json(text), "\"a & <b> \\\"c\\\" 'd' é \\\\ / \\u0001\"");
    }
}
