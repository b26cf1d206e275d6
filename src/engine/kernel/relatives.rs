//! Sequences to compare kernels and their twins on.

/// Residues that resemble `query`, so that extensions run for long.
pub(super) fn relative(query: &[u8], changes: &[(usize, u8)]) -> Vec<u8> {
    let mut residues = query.to_vec();
    for &(place, change) in changes {
        let place = place % (residues.len() + 1);
        match change {
            0..28 if place < residues.len() => residues[place] = change.max(1),
            28..34 => residues.splice(place..place, (0..=change - 28).map(|i| i * 3 + 1)).for_each(drop),
            _ => drop(residues.drain(place..(place + 5).min(residues.len()))),
        }
    }
    residues.push(1);
    residues
}
