//! What both kernels are made of, on registers of either width.

/// Functions for a module that says what a register is (`Register`), how it is read and written
/// (`load_rows`, `store_rows`, `load_pairs`, `store_pairs`), and what can be done with it (`sum`, `xor`, `turn_…`,
/// `shift`, `straddle`).
macro_rules! rounds {
    ($features:literal, rows: $rows:literal, columns: $columns:literal) => {
        /// The words `a`, `b`, `c` and `d` of as many mixtures as a register has words.
        type Set = [Register; 4];

        /// All rows of a block, and then all columns. Two sets at a time: each waits for its own last
        /// step most of the time.
        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn permute(block: &mut Block) {
            let (rows, _) = block.0.as_chunks_mut::<16>();
            let (sets, _) = rows.as_chunks_mut::<{ 2 * $rows }>();
            for rows in sets {
                along(rows);
            }
            for columns in 0..8 / $columns {
                across(block, columns);
            }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn along(rows: &mut [[u64; 16]; 2 * $rows]) {
            let (halves, _) = rows.as_chunks_mut::<$rows>();
            let [first, second] = halves else {
                unreachable!("twice the rows are two halves");
            };
            let mut sets = [load_rows(first), load_rows(second)];
            mix(&mut sets);
            for [_, b, c, d] in &mut sets {
                (*b, *c, *d) = (shift::<ONE>(*b), shift::<TWO>(*c), shift::<THREE>(*d));
            }
            mix(&mut sets);
            for [_, b, c, d] in &mut sets {
                (*b, *c, *d) = (shift::<THREE>(*b), shift::<TWO>(*c), shift::<ONE>(*d));
            }
            let [one, other] = sets;
            store_rows(one, first);
            store_rows(other, second);
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn across(block: &mut Block, columns: usize) {
            let (chunks, _) = block.0.as_chunks_mut::<{ 2 * $columns }>();
            let place = |row: usize| 8 / $columns * row + columns;
            let mut sets = [
                load_columns(chunks, columns),
                load_columns(&chunks[8 / $columns..], columns),
            ];
            mix(&mut sets);
            let [[a, b, c, d], [e, f, g, h]] = sets;
            sets = [
                [a, straddle(b, f), g, straddle(h, d)],
                [e, straddle(f, b), c, straddle(d, h)],
            ];
            mix(&mut sets);
            let [[a, b, g, h], [e, f, c, d]] = sets;
            let one = [a, straddle(f, b), c, straddle(h, d)];
            let other = [e, straddle(b, f), g, straddle(d, h)];
            for (index, register) in one.into_iter().enumerate() {
                store_pairs(register, &mut chunks[place(2 * index)]);
            }
            for (index, register) in other.into_iter().enumerate() {
                store_pairs(register, &mut chunks[place(2 * index + 1)]);
            }
        }

        /// Every other row's words in these columns.
        #[inline]
        #[target_feature(enable = $features)]
        fn load_columns(chunks: &[[u64; 2 * $columns]], columns: usize) -> Set {
            let row = |row: usize| &chunks[8 / $columns * row + columns];
            [
                load_pairs(row(0)),
                load_pairs(row(2)),
                load_pairs(row(4)),
                load_pairs(row(6)),
            ]
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn mix(sets: &mut [Set; 2]) {
            for [a, b, _, d] in sets.iter_mut() {
                *a = sum(*a, *b);
                *d = turn_32(xor(*d, *a));
            }
            for [_, b, c, d] in sets.iter_mut() {
                *c = sum(*c, *d);
                *b = turn_24(xor(*b, *c));
            }
            for [a, b, _, d] in sets.iter_mut() {
                *a = sum(*a, *b);
                *d = turn_16(xor(*d, *a));
            }
            for [_, b, c, d] in sets.iter_mut() {
                *c = sum(*c, *d);
                *b = turn_63(xor(*b, *c));
            }
        }
    };
}
