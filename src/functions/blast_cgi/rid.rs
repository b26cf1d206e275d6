//! Request ids: the ids of jobs, spelled as clients of NCBI's API expect them.
//!
//! A RID is 26 letters and digits, which hold the 128 bits of a job's id (RFC 4648, base 32): where a RID alone
//! opens results, it must not be guessed.

use crate::jobs::JobId;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Bits of a letter.
const BITS: u32 = 5;
const LETTERS: u32 = 26;

/// The RID of a job.
pub(super) fn rid_of(id: JobId) -> String {
    let bits = u128::from_str_radix(&id.to_string(), 16).unwrap_or_default();
    let letter = |place| {
        let index = (bits >> (BITS * place)) as usize % ALPHABET.len();
        char::from(ALPHABET[index])
    };
    (0..LETTERS).rev().map(letter).collect()
}

/// The job of a RID, in whatever case it is written.
pub(super) fn job_of(rid: &str) -> Option<JobId> {
    if rid.len() != LETTERS as usize {
        return None;
    }
    let mut bits = 0_u128;
    for letter in rid.bytes() {
        let index = ALPHABET.iter().position(|known| *known == letter.to_ascii_uppercase())?;
        // The first letter has two bits more than there are.
        if bits >> (u128::BITS - BITS) != 0 {
            return None;
        }
        bits = bits << BITS | index as u128;
    }
    format!("{bits:032x}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_from_their_rids() {
        let random = JobId::random().expect("randomness").to_string();
        for id in ["0".repeat(32), "f".repeat(32), random] {
            let id: JobId = id.parse().expect("an id");
            let rid = rid_of(id);
            assert_eq!(rid.len(), 26);
            assert!(
                rid.bytes().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit()),
                "{rid}"
            );
            assert_eq!(job_of(&rid), Some(id));
            assert_eq!(job_of(&rid.to_ascii_lowercase()), Some(id));
        }
    }

    #[test]
    fn what_is_no_rid_is_no_job() {
        for rid in [
            "",
            "JZ5U0CEK013",
            &"A".repeat(25),
            &"A".repeat(27),
            &"1".repeat(26),
            &"7".repeat(26),
            "../../etc/passwd/../../etc",
        ] {
            assert_eq!(job_of(rid), None, "{rid}");
        }
    }
}
