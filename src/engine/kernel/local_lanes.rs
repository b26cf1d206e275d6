//! The inner loop of local scores, for registers of any width.

/// Defines `Rows` and `scores` for registers of so many lanes: how they are loaded and stored, and how 16 bytes
/// get into each of their parts.
macro_rules! local_scores {
    (
        lanes: $lanes:literal, register: $register:ty, feature: $feature:literal, token: $token:ty,
        load: $load:ident, store: $store:ident, splat: $splat:ident, spread: $spread:expr,
        shuffle: $shuffle:ident, add: $add:ident, subtract: $subtract:ident, max: $max:ident,
        or: $or:ident, xor: $xor:ident, shift: $shift:ident, and: $and:ident,
    ) => {
        const LANES: usize = $lanes;
        /// Columns that are worked out together.
        const TOGETHER: usize = 4;
        /// Codes that letters stand for.
        const CODES: usize = 32;

        /// What a row hands over to the next columns: its best scores, and those with a gap in the query's favour.
        #[derive(Clone, Copy, Debug)]
        #[repr(align(64))]
        struct Row {
            best: [u8; LANES],
            gap: [u8; LANES],
        }

        /// Working memory: a row for each query letter.
        #[derive(Debug, Default)]
        pub(in crate::engine) struct Rows(Vec<Row>);

        #[inline]
        #[target_feature(enable = $feature)]
        fn load(bytes: &[u8; LANES]) -> $register {
            // SAFETY: the array is as long as the register.
            unsafe { $load(bytes.as_ptr().cast()) }
        }

        #[inline]
        #[target_feature(enable = $feature)]
        fn store(bytes: &mut [u8; LANES], value: $register) {
            // SAFETY: the array is as long as the register.
            unsafe { $store(bytes.as_mut_ptr().cast(), value) }
        }

        /// Best scores of a query with all subjects.
        pub(super) fn scores(
            _: $token,
            scoring: &LocalScoring,
            query: &[u8],
            subjects: &SubjectColumns,
            rows: &mut Rows,
        ) -> [u8; LOCAL_LANES] {
            let mut best = [0; LOCAL_LANES];
            let (parts, _) = best.as_chunks_mut::<LANES>();
            for (part, best) in parts.iter_mut().enumerate() {
                let lanes = part * LANES..(part + 1) * LANES;
                let columns = subjects.of(lanes);
                if !columns.is_empty() {
                    // SAFETY: the processor has what is needed, as the first argument proves.
                    unsafe { part_scores(scoring, query, (columns, part), &mut rows.0, best) }
                }
            }
            best
        }

        /// Scores of each code against the letters of a column.
        #[inline]
        #[target_feature(enable = $feature)]
        fn against(scores: &ByteScores, code: usize, low: $register) -> $register {
            let high = $xor(low, $splat(i8::MIN));
            // SAFETY: the row of any code, 64 bytes, lies in the table.
            let (row_low, row_high) = unsafe {
                let row = scores.rows().add(code * 64);
                ($spread(_mm_loadu_si128(row.cast())), $spread(_mm_loadu_si128(row.add(32).cast())))
            };
            $or($shuffle(row_low, low), $shuffle(row_high, high))
        }

        #[target_feature(enable = $feature)]
        fn part_scores(
            scoring: &LocalScoring,
            query: &[u8],
            (columns, part): (&[Column], usize),
            rows: &mut Vec<Row>,
            result: &mut [u8; LANES],
        ) {
            let zero = $splat(scoring.zero);
            let (first, further) = ($splat(scoring.first), $splat(scoring.further));
            let no_gap = scoring.zero.wrapping_sub(scoring.first);
            rows.clear();
            rows.resize(query.len(), Row { best: [scoring.zero as u8; LANES], gap: [no_gap as u8; LANES] });
            let present = query.iter().fold(0_u32, |present, letter| present | 1 << (letter >> 3));
            let mut profile = [[zero; TOGETHER]; CODES];
            let mut best = zero;
            for columns in columns.chunks(TOGETHER) {
                for place in 0..TOGETHER {
                    // What is beyond the last column is padding, which adds nothing to any score.
                    let letters = match columns.get(place) {
                        Some(column) => load(&column.0.as_chunks().0[part]),
                        None => $splat(PADDING as i8),
                    };
                    let low = $add($and($shift::<3>(letters), $splat(0x1f)), $splat(0x70));
                    let mut codes = present;
                    while codes != 0 {
                        let code = codes.trailing_zeros() as usize;
                        codes &= codes - 1;
                        profile[code][place] = against(&scoring.scores, code, low);
                    }
                }
                let mut above = [zero; TOGETHER];
                let mut query_gaps = [$splat(no_gap); TOGETHER];
                let mut above_left = zero;
                for (&letter, row) in query.iter().zip(rows.iter_mut()) {
                    let pairs = &profile[usize::from(letter >> 3)];
                    let left = load(&row.best);
                    let mut subject_gap = load(&row.gap);
                    let mut diagonal = above_left;
                    for place in 0..TOGETHER {
                        let pair = $add(diagonal, pairs[place]);
                        // The gap in the row comes last: all else is there before.
                        let score = $max($max($max(pair, zero), query_gaps[place]), subject_gap);
                        best = $max(best, score);
                        let opened = $subtract(score, first);
                        subject_gap = $max($subtract(subject_gap, further), opened);
                        query_gaps[place] = $max($subtract(query_gaps[place], further), opened);
                        diagonal = std::mem::replace(&mut above[place], score);
                    }
                    above_left = left;
                    store(&mut row.best, above[TOGETHER - 1]);
                    store(&mut row.gap, subject_gap);
                }
            }
            store(result, $subtract(best, zero));
            for score in result {
                *score = (*score).min(scoring.ceiling);
            }
        }
    };
}

pub(super) use local_scores;
