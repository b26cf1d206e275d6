//! The species that a title names, for those who read hits: most databases of FASTA state it nowhere else.

/// The species in a title as UniProt (`OS=Homo sapiens OX=9606`) or NCBI (`… [Homo sapiens]`) write it.
///
/// ```
/// use skyblast::report::species_of;
///
/// assert_eq!(species_of("sp|P1|X_HUMAN Protein X OS=Homo sapiens OX=9606 GN=X"), Some("Homo sapiens"));
/// assert_eq!(species_of("NP_1.1 protein [x-like] [Mus musculus]"), Some("Mus musculus"));
/// assert_eq!(species_of("B0RED7 GO:0006200"), None);
/// ```
pub fn species_of(title: &str) -> Option<&str> {
    uniprot(title).or_else(|| ncbi(title)).map(str::trim).filter(|species| !species.is_empty())
}

fn uniprot(title: &str) -> Option<&str> {
    let (_, rest) = title.split_once(" OS=")?;
    // What comes behind is another pair of two capitals and a value.
    let is_next_field = |place: &usize| {
        let field = &rest.as_bytes()[*place..];
        matches!(field, [b' ', a, b, b'=', ..] if a.is_ascii_uppercase() && b.is_ascii_uppercase())
    };
    let end = rest.match_indices(' ').map(|(place, _)| place).find(is_next_field);
    Some(&rest[..end.unwrap_or(rest.len())])
}

fn ncbi(title: &str) -> Option<&str> {
    let inside = title.trim_end().strip_suffix(']')?;
    let (_, species) = inside.rsplit_once('[')?;
    // Names of species begin with a capital; modifications and domains in brackets mostly do not.
    species.starts_with(|letter: char| letter.is_uppercase()).then_some(species)
}

#[cfg(test)]
mod tests {
    use super::species_of;

    #[test]
    fn a_species_ends_where_the_next_field_begins() {
        for (title, species) in [
            ("x OS=Homo sapiens", Some("Homo sapiens")),
            ("x OS=Influenza A virus (strain A/X/1) OX=1 PE=1", Some("Influenza A virus (strain A/X/1)")),
            ("x OS= OX=1", None),
            ("x [Escherichia coli]  ", Some("Escherichia coli")),
            ("x [imported]", None),
            ("x]", None),
            ("", None),
        ] {
            assert_eq!(species_of(title), species, "{title}");
        }
    }
}
