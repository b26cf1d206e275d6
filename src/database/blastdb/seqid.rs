//! NCBI's sequence identifiers (`Seq-id` of `seqloc.asn`), written with bars.

use super::ber::{BerError, Element, Elements, SEQUENCE, context};

/// How a kind of identifier is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Local,
    Number,
    ImportedNumber,
    Text,
    Patent,
    General,
    Pdb,
}

/// The kinds in the order of their choice tags: code before the first bar, encoding, and rank among
/// the identifiers of one sequence, the smallest of which stands for it
/// (`objects/seqloc/Seq_id.cpp`, `BaseTextScore`).
const KINDS: [(&[u8], Form, u16); 20] = [
    (b"lcl", Form::Local, 50),
    (b"bbs", Form::Number, 1000),
    (b"bbm", Form::Number, 1000),
    (b"gim", Form::ImportedNumber, 1000),
    (b"gb", Form::Text, 10),
    (b"emb", Form::Text, 10),
    (b"pir", Form::Text, 10),
    (b"sp", Form::Text, 10),
    (b"pat", Form::Patent, 50),
    (b"ref", Form::Text, 10),
    (b"gnl", Form::General, 60),
    (b"gi", Form::Number, 70),
    (b"dbj", Form::Text, 10),
    (b"prf", Form::Text, 20),
    (b"pdb", Form::Pdb, 10),
    (b"tpg", Form::Text, 10),
    (b"tpe", Form::Text, 10),
    (b"tpd", Form::Text, 10),
    (b"gpp", Form::Text, 20),
    (b"nat", Form::Text, 20),
];

/// The database that makeblastdb puts into the identifier of a sequence whose own it has not parsed.
const ORDINAL: &[u8] = b"gnl|BL_ORD_ID|";

/// The identifiers of one definition line, or nothing if they were not parsed: at most a GI number
/// and the best of the others, joined as in `gi|129295|sp|P01013.1|`.
pub(super) fn write(ids: Elements<'_>) -> Result<Option<Vec<u8>>, BerError> {
    let mut gi = None;
    let mut best: Option<(u16, Vec<u8>)> = None;
    for element in ids {
        let element = element?;
        let kind = KINDS.iter().enumerate().find(|(number, _)| element.tag == context(*number as u8));
        let Some((_, &(code, form, rank))) = kind else { continue };
        let id = write_id(code, form, element.inner_choice(form)?)?;
        if id.starts_with(ORDINAL) {
            return Ok(None);
        }
        if code == b"gi" {
            gi.get_or_insert(id);
        } else if best.as_ref().is_none_or(|(smallest, _)| rank < *smallest) {
            best = Some((rank, id));
        }
    }
    let ids: Vec<_> = gi.into_iter().chain(best.map(|(_, id)| id)).collect();
    Ok((!ids.is_empty()).then(|| ids.join(&b'|')))
}

impl<'a> Element<'a> {
    /// The value of the choice: itself a sequence, unless it is a plain value.
    fn inner_choice(&self, form: Form) -> Result<Element<'a>, BerError> {
        let value = self.inner()?;
        match form {
            Form::Local | Form::Number => Ok(value),
            _ if value.tag == SEQUENCE => Ok(value),
            _ => Err(BerError::Missing("a sequence of fields")),
        }
    }

    /// The value of field `number`, if it is there.
    fn field(&self, number: u8) -> Result<Option<Element<'a>>, BerError> {
        for field in self.children() {
            let field = field?;
            if field.tag == context(number) {
                return field.inner().map(Some);
            }
        }
        Ok(None)
    }

    fn text_field(&self, number: u8) -> Result<Option<&'a [u8]>, BerError> {
        self.field(number)?.map(|value| value.text()).transpose()
    }
}

fn write_id(code: &[u8], form: Form, value: Element<'_>) -> Result<Vec<u8>, BerError> {
    let required = |field: Option<Element<'_>>| field.map_or(Err(BerError::Missing("a field")), |_| Ok(()));
    let fields: [Vec<u8>; 3] = match form {
        Form::Number => return Ok([code, number(value)?.as_bytes()].join(&b'|')),
        Form::Local => return Ok([code, &object_id(value)?].join(&b'|')),
        Form::ImportedNumber => {
            let id = value.field(0)?.ok_or(BerError::Missing("a number"))?;
            return Ok([code, number(id)?.as_bytes()].join(&b'|'));
        }
        Form::General => {
            required(value.field(0)?)?;
            let tag = value.field(1)?.ok_or(BerError::Missing("a tag"))?;
            return Ok([code, value.text_field(0)?.unwrap_or_default(), &object_id(tag)?].join(&b'|'));
        }
        Form::Pdb => [code.to_vec(), value.text_field(0)?.unwrap_or_default().to_vec(), chain(value)?],
        Form::Text => text_id(code, value)?,
        Form::Patent => return patent(value),
    };
    Ok(fields.join(&b'|'))
}

/// `Textseq-id`: code, accession with version, and name.
fn text_id(code: &[u8], value: Element<'_>) -> Result<[Vec<u8>; 3], BerError> {
    // Swiss-Prot's unreviewed half.
    let code = match value.text_field(2)? {
        Some(b"unreviewed") if code == b"sp" => b"tr",
        _ => code,
    };
    let mut accession = value.text_field(1)?.unwrap_or_default().to_vec();
    if let (false, Some(version)) = (accession.is_empty(), value.field(3)?) {
        match version.integer()? {
            0 => {}
            version => accession.extend(format!(".{version}").bytes()),
        }
    }
    Ok([code.to_vec(), accession, value.text_field(0)?.unwrap_or_default().to_vec()])
}

/// The chain of a `PDB-seq-id`: the newer text, else the older character code, else a blank.
fn chain(value: Element<'_>) -> Result<Vec<u8>, BerError> {
    if let Some(chain) = value.text_field(3)? {
        return Ok(chain.to_vec());
    }
    let code = value.field(1)?.map_or(Ok(i64::from(b' ')), |code| code.integer())?;
    match u8::try_from(code) {
        // A lower-case chain cannot be told from its upper-case twin in a file name, so NCBI
        // doubled it.
        Ok(letter) if letter.is_ascii_lowercase() => Ok(vec![letter.to_ascii_uppercase(); 2]),
        Ok(letter) if letter.is_ascii_graphic() || letter == b' ' => Ok(vec![letter]),
        _ => Err(BerError::Missing("the character of a chain")),
    }
}

/// `Patent-seq-id`: country, number of the patent or of the application, sequence.
fn patent(value: Element<'_>) -> Result<Vec<u8>, BerError> {
    let missing = || BerError::Missing("a patent");
    let sequence = number(value.field(0)?.ok_or_else(missing)?)?;
    let cited = value.field(1)?.ok_or_else(missing)?;
    let country = cited.text_field(0)?.unwrap_or_default();
    let choice = cited.field(1)?.ok_or_else(missing)?;
    let code: &[u8] = if choice.tag == context(1) { b"pgp" } else { b"pat" };
    Ok([code, country, choice.inner()?.text()?, sequence.as_bytes()].join(&b'|'))
}

/// `Object-id`: a number or a text.
fn object_id(choice: Element<'_>) -> Result<Vec<u8>, BerError> {
    let value = choice.inner()?;
    match value.text() {
        Ok(text) => Ok(text.to_vec()),
        Err(_) => number(value).map(String::into_bytes),
    }
}

fn number(value: Element<'_>) -> Result<String, BerError> {
    value.integer().map(|number| number.to_string())
}
