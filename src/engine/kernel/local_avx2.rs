//! [`LocalKernel`](super::local::LocalKernel) for processors with AVX2: 32 subjects at a time.

#![expect(unsafe_code, reason = "vector loads and stores")]

use std::arch::x86_64::*;

use super::byte_scores::{ByteScores, PADDING};
use super::local::{Column, LOCAL_LANES, LocalScoring, SubjectColumns};
use super::local_lanes::local_scores;
use super::processor::Avx2;

local_scores! {
    lanes: 32, register: __m256i, feature: "avx2", token: Avx2,
    load: _mm256_loadu_si256, store: _mm256_storeu_si256, splat: _mm256_set1_epi8,
    spread: _mm256_broadcastsi128_si256,
    shuffle: _mm256_shuffle_epi8, add: _mm256_add_epi8, subtract: _mm256_sub_epi8, max: _mm256_max_epi8,
    or: _mm256_or_si256, xor: _mm256_xor_si256, shift: _mm256_srli_epi16,
    and: _mm256_and_si256,
}
