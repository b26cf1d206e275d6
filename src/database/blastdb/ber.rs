//! ASN.1 in its Basic Encoding Rules, as far as the headers of BLAST databases need it.
//!
//! An element is a tag, a length and content. The length is a number or *indefinite*: the content
//! then goes on to an end-of-contents mark, two zero bytes, of its own level. Source: ITU-T X.690.

/// Deepest nesting that is followed; headers use about ten levels.
const DEEPEST: usize = 64;

/// Bit of a tag that says that the content is made of elements.
const CONSTRUCTED: u8 = 0x20;

/// Tag number that says that the real one follows in further bytes.
const LONG_TAG: u8 = 0x1F;

/// Length byte of the indefinite form.
const INDEFINITE: u8 = 0x80;

/// `SEQUENCE` and `SEQUENCE OF`.
pub(super) const SEQUENCE: u8 = 0x30;
/// `INTEGER`.
pub(super) const INTEGER: u8 = 0x02;
/// `UTF8String`.
pub(super) const UTF8_STRING: u8 = 0x0C;
/// `VisibleString`.
pub(super) const VISIBLE_STRING: u8 = 0x1A;
/// NCBI's own string type for texts that occur often.
pub(super) const STRING_STORE: u8 = 0x41;

/// Tag of field or choice `number`, below 31, with an explicit type inside.
pub(super) const fn context(number: u8) -> u8 {
    0xA0 | number
}

/// Why bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BerError {
    #[error("it ends inside an element")]
    Truncated,
    #[error("it has an element of an unknown form")]
    Form,
    #[error("its elements are nested too deeply")]
    Depth,
    #[error("it lacks {0}")]
    Missing(&'static str),
}

/// One element, its content still encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
}

impl<'a> Element<'a> {
    /// The elements inside.
    pub(super) fn children(&self) -> Elements<'a> {
        Elements { rest: self.content }
    }

    /// The only element inside, such as the value of a field.
    pub(super) fn inner(&self) -> Result<Element<'a>, BerError> {
        self.children().next().unwrap_or(Err(BerError::Missing("a value")))
    }

    /// The bytes of a string, of whatever type.
    pub(super) fn text(&self) -> Result<&'a [u8], BerError> {
        match self.tag {
            VISIBLE_STRING | UTF8_STRING | STRING_STORE => Ok(self.content),
            _ => Err(BerError::Missing("a text")),
        }
    }

    /// The value of an integer of at most 64 bits.
    pub(super) fn integer(&self) -> Result<i64, BerError> {
        match self.content {
            [first, rest @ ..] if self.tag == INTEGER && rest.len() < 8 => {
                let start = i64::from(first.cast_signed());
                Ok(rest.iter().fold(start, |value, byte| value << 8 | i64::from(*byte)))
            }
            _ => Err(BerError::Missing("an integer")),
        }
    }
}

/// The elements of some content, one after the other; ends after the first error.
#[derive(Clone, Debug)]
pub(super) struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    /// The elements that `bytes` are made of.
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Element<'a>, BerError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let split = split_element(self.rest, 0);
        self.rest = split.map_or(&[], |(_, rest)| rest);
        Some(split.map(|(element, _)| element))
    }
}

/// The first element of `bytes`, and what follows it.
fn split_element(bytes: &[u8], depth: usize) -> Result<(Element<'_>, &[u8]), BerError> {
    let [tag, length, rest @ ..] = bytes else { return Err(BerError::Truncated) };
    if tag & LONG_TAG == LONG_TAG {
        return Err(BerError::Form);
    }
    let (content, rest) = match *length {
        INDEFINITE if tag & CONSTRUCTED == 0 => return Err(BerError::Form),
        INDEFINITE => split_indefinite(rest, depth)?,
        short @ 0..INDEFINITE => split_at(rest, usize::from(short))?,
        long => {
            let (length, rest) = split_at(rest, usize::from(long & !INDEFINITE))?;
            if length.len() > size_of::<u32>() {
                return Err(BerError::Form);
            }
            split_at(rest, length.iter().fold(0, |value, byte| value << 8 | usize::from(*byte)))?
        }
    };
    Ok((Element { tag: *tag, content }, rest))
}

/// The content up to the end-of-contents mark, and what follows the mark.
fn split_indefinite(bytes: &[u8], depth: usize) -> Result<(&[u8], &[u8]), BerError> {
    if depth == DEEPEST {
        return Err(BerError::Depth);
    }
    let mut rest = bytes;
    loop {
        if let [0, 0, after @ ..] = rest {
            return Ok((&bytes[..bytes.len() - rest.len()], after));
        }
        (_, rest) = split_element(rest, depth + 1)?;
    }
}

fn split_at(bytes: &[u8], length: usize) -> Result<(&[u8], &[u8]), BerError> {
    bytes.split_at_checked(length).ok_or(BerError::Truncated)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(bytes: &[u8]) -> Result<Element<'_>, BerError> {
        Elements::of(bytes).next().unwrap()
    }

    #[test]
    fn definite_and_indefinite_lengths_give_the_same_content() {
        for bytes in [
            &[0x30, 3, 2, 1, 7][..],
            &[0x30, 0x81, 3, 2, 1, 7],
            &[0x30, 0x82, 0, 3, 2, 1, 7],
            &[0x30, 0x80, 2, 1, 7, 0, 0],
        ] {
            let sequence = first(bytes).unwrap();
            assert_eq!(sequence, Element { tag: SEQUENCE, content: &[2, 1, 7] });
            assert_eq!(sequence.inner().unwrap().integer(), Ok(7));
        }
    }

    #[test]
    fn an_end_of_contents_mark_ends_only_its_own_level() {
        let bytes = [0x30, 0x80, 0x30, 0x80, 2, 1, 0, 0, 0, 2, 1, 9, 0, 0, 2, 1, 5];
        let elements: Vec<_> = Elements::of(&bytes).collect::<Result<_, _>>().unwrap();
        assert_eq!(elements.len(), 2);
        assert_eq!(elements[0].content, &bytes[2..12]);
        assert_eq!(elements[0].children().count(), 2);
        assert_eq!(elements[1].integer(), Ok(5));
    }

    #[test]
    fn integers_have_a_sign_and_up_to_eight_bytes() {
        let integer = |content: &[u8]| Element { tag: INTEGER, content }.integer();
        assert_eq!(integer(&[0xFF]), Ok(-1));
        assert_eq!(integer(&[0, 0xFF]), Ok(255));
        assert_eq!(integer(&[0x80, 0, 0, 0, 0, 0, 0, 0]), Ok(i64::MIN));
        assert_eq!(integer(&[]), Err(BerError::Missing("an integer")));
        assert_eq!(integer(&[1; 9]), Err(BerError::Missing("an integer")));
        assert_eq!(
            Element { tag: VISIBLE_STRING, content: b"1" }.integer(),
            Err(BerError::Missing("an integer"))
        );
    }

    #[test]
    fn every_malformed_element_is_refused() {
        for (bytes, expected) in [
            (&[0x30][..], BerError::Truncated),
            (&[0x1A, 5, b'a'], BerError::Truncated),
            (&[0x30, 0x80, 2, 1, 7, 0], BerError::Truncated),
            (&[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], BerError::Truncated),
            (&[0x30, 0x85, 0, 0, 0, 0, 1, 0], BerError::Form),
            (&[0x1A, 0x80, b'a', 0, 0], BerError::Form),
            (&[0x1F, 0x80, 1, 0], BerError::Form),
        ] {
            assert_eq!(first(bytes), Err(expected), "{bytes:?}");
        }
        assert_eq!(first(&[0x30, 0x80].repeat(100_000)), Err(BerError::Depth));
    }
}
