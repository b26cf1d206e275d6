//! Forms encoded as the query of an address is (`application/x-www-form-urlencoded`), read piece by piece.
//!
//! As browsers do, takes a `%` that no number follows for itself.

/// Longest name of a field, bytes.
const LONGEST_NAME: usize = 1 << 10;

/// A field's name is longer than any that is known.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a field has a name of more than {LONGEST_NAME} bytes")]
pub(super) struct LongName;

/// What comes next in a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// A field begins.
    Field(String),
    /// Some more of its value.
    Value(Vec<u8>),
}

/// What is known of a byte that a `%` begins.
#[derive(Clone, Copy, Debug, Default)]
enum Escape {
    #[default]
    None,
    Begun,
    Half(u8),
}

/// A form of which some has been read.
#[derive(Debug)]
pub(super) struct Decoder {
    /// The name that is being read, unless it is a value.
    name: Option<Vec<u8>>,
    value: Vec<u8>,
    escape: Escape,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { name: Some(Vec::new()), value: Vec::new(), escape: Escape::None }
    }
}

impl Decoder {
    /// Reads on.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<Vec<Item>, LongName> {
        let mut items = Vec::new();
        for &byte in piece {
            match (self.escape, byte) {
                (Escape::Begun, digit) if digit.is_ascii_hexdigit() => {
                    self.escape = Escape::Half(digit);
                    continue;
                }
                (Escape::Half(first), second) if second.is_ascii_hexdigit() => {
                    self.escape = Escape::None;
                    self.push(digit(first) << 4 | digit(second))?;
                    continue;
                }
                _ => self.end_escape()?,
            }
            match byte {
                b'%' => self.escape = Escape::Begun,
                b'&' => self.end_field(&mut items),
                b'=' if self.name.is_some() => self.end_name(&mut items),
                b'+' => self.push(b' ')?,
                _ => self.push(byte)?,
            }
        }
        self.end_value(&mut items);
        Ok(items)
    }

    /// What is left when the form has ended.
    pub(super) fn finish(mut self) -> Result<Vec<Item>, LongName> {
        let mut items = Vec::new();
        self.end_escape()?;
        self.end_field(&mut items);
        Ok(items)
    }

    fn push(&mut self, byte: u8) -> Result<(), LongName> {
        match &mut self.name {
            Some(name) if name.len() >= LONGEST_NAME => return Err(LongName),
            Some(name) => name.push(byte),
            None => self.value.push(byte),
        }
        Ok(())
    }

    /// Takes what looked like an escape for itself.
    fn end_escape(&mut self) -> Result<(), LongName> {
        match std::mem::take(&mut self.escape) {
            Escape::None => Ok(()),
            Escape::Begun => self.push(b'%'),
            Escape::Half(first) => self.push(b'%').and_then(|()| self.push(first)),
        }
    }

    fn end_name(&mut self, items: &mut Vec<Item>) {
        if let Some(name) = self.name.take() {
            items.push(Item::Field(String::from_utf8_lossy(&name).into_owned()));
        }
    }

    fn end_value(&mut self, items: &mut Vec<Item>) {
        if !self.value.is_empty() {
            items.push(Item::Value(std::mem::take(&mut self.value)));
        }
    }

    fn end_field(&mut self, items: &mut Vec<Item>) {
        if self.name.as_ref().is_some_and(|name| !name.is_empty()) {
            self.end_name(items);
        }
        self.end_value(items);
        self.name = Some(Vec::new());
    }
}

fn digit(letter: u8) -> u8 {
    char::from(letter).to_digit(16).map_or(0, |digit| digit as u8)
}

/// Names and values of a whole form.
pub(super) fn pairs(form: &[u8]) -> Result<Vec<(String, Vec<u8>)>, LongName> {
    let mut decoder = Decoder::default();
    let mut items = decoder.feed(form)?;
    items.extend(decoder.finish()?);
    let mut pairs: Vec<(String, Vec<u8>)> = Vec::new();
    for item in items {
        match (item, pairs.last_mut()) {
            (Item::Field(name), _) => pairs.push((name, Vec::new())),
            (Item::Value(value), Some((_, before))) => before.extend(value),
            (Item::Value(_), None) => {}
        }
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "CMD=Put&QUERY=%3Ea+b%0d%0AMK%4cV&&EMPTY=&flag&x=1=2&odd=100%&half=%4&no=%zz+%";

    fn expected() -> Vec<(String, Vec<u8>)> {
        let pairs = [
            ("CMD", "Put"),
            ("QUERY", ">a b\r\nMKLV"),
            ("EMPTY", ""),
            ("flag", ""),
            ("x", "1=2"),
            ("odd", "100%"),
            ("half", "%4"),
            ("no", "%zz %"),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).to_vec()
    }

    #[test]
    fn a_form_is_read() {
        assert_eq!(pairs(FORM.as_bytes()).expect("short names"), expected());
        assert_eq!(pairs(b"").expect("nothing"), Vec::new());
    }

    #[test]
    fn a_form_is_the_same_in_whatever_pieces_it_comes() {
        for length in 1..FORM.len() {
            let mut decoder = Decoder::default();
            let mut found: Vec<(String, Vec<u8>)> = Vec::new();
            let mut items = Vec::new();
            for piece in FORM.as_bytes().chunks(length) {
                items.extend(decoder.feed(piece).expect("short names"));
            }
            items.extend(decoder.finish().expect("short names"));
            for item in items {
                match item {
                    Item::Field(name) => found.push((name, Vec::new())),
                    Item::Value(value) => found.last_mut().expect("a field").1.extend(value),
                }
            }
            assert_eq!(found, expected(), "pieces of {length}");
        }
    }

    #[test]
    fn a_name_that_does_not_end_is_refused() {
        assert!(pairs(&[b'a'; LONGEST_NAME + 1]).is_err());
    }
}
