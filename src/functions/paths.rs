//! Where things lie on the server is for its log, not for who asks it.

/// The text with only the last part of each path of a file that it holds.
pub(super) fn without_paths(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = next_path(rest, kept.chars().next_back()) {
        let (before, path) = rest.split_at(start);
        let end = path.find(ends_a_path).unwrap_or(path.len());
        let (path, after) = path.split_at(end);
        let stop = path.trim_end_matches([':', '.']);
        kept.push_str(before);
        kept.push('…');
        kept.push_str(stop.rfind('/').map_or("", |slash| &stop[slash..]));
        kept.push_str(&path[stop.len()..]);
        rest = after;
    }
    kept + rest
}

/// Where the first path begins; `before` is what the text follows.
fn next_path(text: &str, mut before: Option<char>) -> Option<usize> {
    for (place, letter) in text.char_indices() {
        let begins = before.is_none_or(|before| before.is_whitespace() || "\"'`([=<".contains(before));
        let rest = &text[place..];
        let is_ours = rest.starts_with("/api/");
        let has_name = rest[letter.len_utf8()..].starts_with(|next: char| !ends_a_path(next) && next != '/');
        if letter == '/' && begins && has_name && !is_ours {
            return Some(place);
        }
        before = Some(letter);
    }
    None
}

fn ends_a_path(letter: char) -> bool {
    letter.is_whitespace() || "\"'`)]>,;".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::without_paths;

    #[test]
    fn only_the_names_of_files_stay() {
        for (text, shown) in [
            ("volume /srv/lab/volumes/ab: too short", "volume …/ab: too short"),
            ("could not open /srv/data/x.sqlite: no such file", "could not open …/x.sqlite: no such file"),
            (
                "no space (os error 28) at path \"/srv/jobs/~partial/Xy\"",
                "no space (os error 28) at path \"…/Xy\"",
            ),
            ("/a/b/c.", "…/c."),
            ("GET /api/searches/{id} says more", "GET /api/searches/{id} says more"),
            ("https://example.org/a/b and 1 / 2 and/or", "https://example.org/a/b and 1 / 2 and/or"),
        ] {
            assert_eq!(without_paths(text), shown);
        }
    }
}
