//! [`LocalKernel`](super::local::LocalKernel) for processors with AVX-512: 64 subjects at a time.

#![expect(unsafe_code, reason = "vector loads and stores")]

use std::arch::x86_64::*;

use super::byte_scores::{ByteScores, PADDING};
use super::local::{Column, LOCAL_LANES, LocalScoring, SubjectColumns};
use super::local_lanes::local_scores;
use super::processor::Avx512;

local_scores! {
    lanes: 64, register: __m512i, feature: "avx512f,avx512bw", token: Avx512,
    load: _mm512_loadu_si512, store: _mm512_storeu_si512, splat: _mm512_set1_epi8,
    spread: _mm512_broadcast_i32x4,
    shuffle: _mm512_shuffle_epi8, add: _mm512_add_epi8, subtract: _mm512_sub_epi8, max: _mm512_max_epi8,
    or: _mm512_or_si512, xor: _mm512_xor_si512, shift: _mm512_srli_epi16,
    and: _mm512_and_si512,
}
