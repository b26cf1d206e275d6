//! NCBIstdaa, the 28-letter protein alphabet of NCBI's toolkit.
//!
//! A residue code is the letter's position in [`LETTERS`]; code 0 is the gap and doubles as the
//! sentinel between sequences. Source: NCBI C++ Toolkit, `core/blast_encoding.c`.

/// The letters in the order of their codes.
pub const LETTERS: &[u8; 28] = b"-ABCDEFGHIKLMNPQRSTVWXYZU*OJ";

/// Number of residue codes, gap included.
pub const ALPHABET_SIZE: usize = LETTERS.len();

/// Code of the gap, which never occurs inside a sequence and so ends every extension.
pub const SENTINEL: u8 = 0;

/// Code of `C` (cysteine).
pub const C: u8 = 3;

/// Code of `X` (any residue).
pub const X: u8 = 21;

/// Code of `U` (selenocysteine).
pub const U: u8 = 24;

/// Code of `*` (stop).
pub const STOP: u8 = 25;

/// Code of `O` (pyrrolysine).
pub const O: u8 = 26;

/// Code of `J` (leucine or isoleucine).
pub const J: u8 = 27;

const INVALID: u8 = u8::MAX;

const CODES: [u8; 256] = {
    let mut codes = [INVALID; 256];
    let mut code = 1;
    while code < ALPHABET_SIZE {
        let letter = LETTERS[code];
        codes[letter as usize] = code as u8;
        codes[letter.to_ascii_lowercase() as usize] = code as u8;
        code += 1;
    }
    codes
};

/// Code of a letter, either case; `None` for anything but the 26 letters and `*`.
pub fn encode(letter: u8) -> Option<u8> {
    match CODES[letter as usize] {
        INVALID => None,
        code => Some(code),
    }
}

/// Letter of a residue code; codes outside the alphabet read as `?`.
pub fn decode(code: u8) -> u8 {
    LETTERS.get(code as usize).copied().unwrap_or(b'?')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_survives_a_round_trip_in_either_case() {
        for letter in b"ABCDEFGHIJKLMNOPQRSTUVWXYZ*" {
            let code = encode(*letter).expect("a letter of the alphabet");
            assert_eq!(decode(code), *letter);
            assert_eq!(encode(letter.to_ascii_lowercase()), Some(code));
        }
    }

    #[test]
    fn gaps_digits_and_other_bytes_have_no_code() {
        for byte in [b'-', b'1', b'.', b' ', b'?', 0, 0xE9] {
            assert_eq!(encode(byte), None);
        }
    }
}
