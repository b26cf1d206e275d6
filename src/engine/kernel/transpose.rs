//! Letters of 32 sequences, turned into columns.

#![expect(unsafe_code, reason = "vector loads and stores")]

use std::arch::x86_64::*;

/// One letter of each lane, as a place in a table of scores: 0x70 more than its code, so that a byte shuffle
/// with it finds the scores of codes 0–15 and gives 0 for all others; with the highest bit turned, the other
/// way round.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(super) struct Column([u8; 32]);

impl Column {
    pub(super) const EMPTY: Self = Self([0; 32]);

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn load(&self) -> __m256i {
        // SAFETY: the array is as long as the register, and aligned.
        unsafe { _mm256_load_si256(self.0.as_ptr().cast()) }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(piece: &[u8; 16]) -> __m128i {
    // SAFETY: the array is as long as the register.
    unsafe { _mm_loadu_si128(piece.as_ptr().cast()) }
}

/// Turns 16 letters of each of 32 sequences into 16 columns.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn transpose(pieces: &[&[u8; 16]; 32], columns: &mut [Column; 16]) {
    let mut rows = [_mm256_setzero_si256(); 16];
    for place in 0..16 {
        let lower = _mm256_castsi128_si256(load(pieces[place]));
        rows[place] = _mm256_inserti128_si256::<1>(lower, load(pieces[place + 16]));
    }
    for _ in 0..4 {
        let before = rows;
        for place in 0..8 {
            rows[2 * place] = _mm256_unpacklo_epi8(before[place], before[place + 8]);
            rows[2 * place + 1] = _mm256_unpackhi_epi8(before[place], before[place + 8]);
        }
    }
    let (mask, base) = (_mm256_set1_epi8(0x1f), _mm256_set1_epi8(0x70));
    for place in 0..16 {
        let row = _mm256_and_si256(_mm256_srli_epi16::<3>(rows[place]), mask);
        // SAFETY: the array is as long as the register, and aligned.
        unsafe { _mm256_store_si256(columns[place].0.as_mut_ptr().cast(), _mm256_add_epi8(row, base)) };
    }
}
