//! [`BandedKernel`](super::banded::BandedKernel) for processors with AVX2.

#![expect(unsafe_code, reason = "vector loads and stores")]

use std::arch::x86_64::*;

use super::banded::{BAND, BandedKernel, Lane, ROWS};
use super::byte_scores::PADDING;
use super::processor::Avx2;
use super::transpose::{Column, transpose};
use super::windows::LANES;
use super::windows_avx2::looked_up;

pub(super) fn scores(_: Avx2, kernel: &BandedKernel, rows: &[u8], lanes: &[Lane<'_>]) -> [u8; LANES] {
    // SAFETY: there is AVX2, as the first argument proves.
    unsafe { all_lanes(kernel, rows, lanes) }
}

#[target_feature(enable = "avx2")]
fn all_lanes(kernel: &BandedKernel, rows: &[u8], lanes: &[Lane<'_>]) -> [u8; LANES] {
    let mut columns = [Column::EMPTY; (ROWS + BAND).next_multiple_of(16)];
    for (part, columns) in columns.as_chunks_mut().0.iter_mut().enumerate() {
        if part * 16 >= rows.len() + BAND {
            break;
        }
        let mut letters = [[PADDING; 16]; LANES];
        for (letters, lane) in letters.iter_mut().zip(lanes) {
            *letters = lane.piece(part * 16);
        }
        transpose(&letters.each_ref(), columns);
    }
    let floor = _mm256_set1_epi8(i8::MIN);
    let (open, extend) = (_mm256_set1_epi8(kernel.open), _mm256_set1_epi8(kernel.extend));
    let (mut scores, mut gaps) = ([floor; BAND + 1], [floor; BAND + 1]);
    let mut best = floor;
    for (row, &query) in rows.iter().enumerate() {
        let band: &[Column; BAND] = columns[row..].first_chunk().expect("columns go on for a band");
        let mut row_gap = floor;
        for diagonal in 0..BAND {
            let low = band[diagonal].load();
            let pair = looked_up(&kernel.scores, query, low, _mm256_xor_si256(low, floor));
            let gap = gaps[diagonal + 1];
            let through = _mm256_adds_epi8(scores[diagonal], pair);
            let score = _mm256_max_epi8(through, _mm256_max_epi8(row_gap, gap));
            best = _mm256_max_epi8(best, score);
            scores[diagonal] = score;
            let opened = _mm256_subs_epi8(score, open);
            row_gap = _mm256_max_epi8(_mm256_subs_epi8(row_gap, extend), opened);
            gaps[diagonal] = _mm256_max_epi8(_mm256_subs_epi8(gap, extend), opened);
        }
    }
    let mut bytes = [0_u8; LANES];
    // SAFETY: the array is as long as the register.
    unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), best) };
    bytes.map(|byte| byte ^ 0x80)
}
