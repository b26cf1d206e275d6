//! [`WindowKernel`](super::windows::WindowKernel) for processors with AVX2.

#![expect(unsafe_code, reason = "vector loads and stores")]

use std::arch::x86_64::*;

use super::byte_scores::ByteScores;
use super::prefetch::prefetch;
use super::processor::Avx2;
use super::transpose::{Column, transpose};
use super::windows::{Found, LANES, WIDTH, Windows};

/// The columns of 32 windows.
#[derive(Debug)]
pub(in crate::engine) struct Columns([Column; WIDTH]);

impl Default for Columns {
    fn default() -> Self {
        Self([Column::EMPTY; WIDTH])
    }
}

/// How many windows ahead letters are asked for.
const AHEAD: usize = 6;

pub(super) fn join(
    _: Avx2,
    scores: &ByteScores,
    lanes: Windows<'_>,
    others: Windows<'_>,
    least: u8,
    columns: &mut Columns,
    found: &mut Vec<Found>,
) {
    // SAFETY: there is AVX2, as the first argument proves.
    unsafe { join_lanes(scores, lanes, others, least, columns, found) }
}

#[target_feature(enable = "avx2")]
fn join_lanes(
    scores: &ByteScores,
    lanes: Windows<'_>,
    others: Windows<'_>,
    least: u8,
    columns: &mut Columns,
    found: &mut Vec<Found>,
) {
    let limit = _mm256_set1_epi8((least - 1).wrapping_add(0x80) as i8);
    for group in lanes.positions.chunks(LANES) {
        let full = u32::MAX >> (LANES - group.len());
        // What is beyond the group's end is a copy of its first window and not looked at.
        let mut windows = [lanes.window(group[0]); LANES];
        for (window, &position) in windows.iter_mut().zip(group) {
            *window = lanes.window(position);
        }
        let (pieces, _) = windows[0].as_chunks::<16>();
        for part in 0..pieces.len() {
            let mut pieces = [&pieces[part]; LANES];
            for (piece, window) in pieces.iter_mut().zip(windows) {
                *piece = &window.as_chunks().0[part];
            }
            transpose(&pieces, &mut columns.0.as_chunks_mut().0[part]);
        }
        let mut pairs = others.positions.chunks_exact(2);
        for (place, pair) in pairs.by_ref().enumerate() {
            if let Some(later) = others.positions.get(2 * place + AHEAD..2 * place + AHEAD + 2) {
                for &position in later {
                    let window = others.window(position);
                    prefetch(&window[..1]);
                    prefetch(&window[WIDTH - 1..]);
                }
            }
            let (best_a, best_b) = two(scores, &columns.0, others.window(pair[0]), others.window(pair[1]));
            let enough_a = bits(_mm256_cmpgt_epi8(best_a, limit)) & full;
            let enough_b = bits(_mm256_cmpgt_epi8(best_b, limit)) & full;
            if enough_a | enough_b != 0 {
                emit(enough_a, best_a, group, pair[0], found);
                emit(enough_b, best_b, group, pair[1], found);
            }
        }
        if let &[only] = pairs.remainder() {
            let window = others.window(only);
            let (best, _) = two(scores, &columns.0, window, window);
            emit(bits(_mm256_cmpgt_epi8(best, limit)) & full, best, group, only, found);
        }
    }
}

#[target_feature(enable = "avx2")]
fn bits(lanes: __m256i) -> u32 {
    _mm256_movemask_epi8(lanes) as u32
}

#[cold]
#[target_feature(enable = "avx2")]
fn emit(mut enough: u32, best: __m256i, group: &[u32], other: u32, found: &mut Vec<Found>) {
    let mut scores = [0_u8; LANES];
    // SAFETY: the array is as long as the register.
    unsafe { _mm256_storeu_si256(scores.as_mut_ptr().cast(), best) };
    while enough != 0 {
        let lane = enough.trailing_zeros() as usize;
        enough &= enough - 1;
        found.push(Found { lane: group[lane], other, score: scores[lane] ^ 0x80 });
    }
}

/// Best scores, less 128, of all lanes with two windows: two at once, since each column waits for the last.
#[inline]
#[target_feature(enable = "avx2")]
fn two(
    scores: &ByteScores,
    columns: &[Column; WIDTH],
    a: &[u8; WIDTH],
    b: &[u8; WIDTH],
) -> (__m256i, __m256i) {
    let floor = _mm256_set1_epi8(i8::MIN);
    let (mut sum_a, mut sum_b, mut best_a, mut best_b) = (floor, floor, floor, floor);
    for place in 0..WIDTH {
        let low = columns[place].load();
        let high = _mm256_xor_si256(low, floor);
        sum_a = _mm256_adds_epi8(sum_a, looked_up(scores, a[place], low, high));
        sum_b = _mm256_adds_epi8(sum_b, looked_up(scores, b[place], low, high));
        best_a = _mm256_max_epi8(best_a, sum_a);
        best_b = _mm256_max_epi8(best_b, sum_b);
    }
    (best_a, best_b)
}

/// The scores of a letter against the letters of a column.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn looked_up(scores: &ByteScores, letter: u8, low: __m256i, high: __m256i) -> __m256i {
    // SAFETY: whatever the letter, its row of 64 bytes lies in the table, which is aligned as rows are.
    let (row_low, row_high) = unsafe {
        let row = scores.rows().add(usize::from(letter) * 8).cast::<__m256i>();
        (_mm256_loadu_si256(row), _mm256_loadu_si256(row.add(1)))
    };
    _mm256_or_si256(_mm256_shuffle_epi8(row_low, low), _mm256_shuffle_epi8(row_high, high))
}
