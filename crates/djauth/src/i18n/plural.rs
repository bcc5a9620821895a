//! Which plural form a number takes: the rules of the CLDR for whole numbers.

/// A plural category of the CLDR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Category {
    Zero,
    One,
    Two,
    Few,
    Many,
    Other,
}

impl Category {
    pub(super) const ALL: [Category; 6] = [
        Category::Zero,
        Category::One,
        Category::Two,
        Category::Few,
        Category::Many,
        Category::Other,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Category::Zero => "zero",
            Category::One => "one",
            Category::Two => "two",
            Category::Few => "few",
            Category::Many => "many",
            Category::Other => "other",
        }
    }
}

/// The category of a whole number in a language; a language without a rule here has one form.
pub(super) fn category(language: &str, n: u64) -> Category {
    match language {
        "ar" => arabic(n),
        "de" | "en" => when(n == 1, Category::One),
        "es" => millions(n == 1, n),
        "fr" | "pt-br" => millions(n <= 1, n),
        "he" => hebrew(n),
        "pl" => polish(n),
        _ => Category::Other,
    }
}

fn when(condition: bool, category: Category) -> Category {
    if condition { category } else { Category::Other }
}

/// Languages in which whole millions need a word more ("un million de…").
fn millions(one: bool, n: u64) -> Category {
    if one {
        Category::One
    } else {
        when(n != 0 && n.is_multiple_of(1_000_000), Category::Many)
    }
}

fn hebrew(n: u64) -> Category {
    match n {
        1 => Category::One,
        2 => Category::Two,
        _ => Category::Other,
    }
}

fn arabic(n: u64) -> Category {
    match (n, n % 100) {
        (0, _) => Category::Zero,
        (1, _) => Category::One,
        (2, _) => Category::Two,
        (_, 3..=10) => Category::Few,
        (_, 11..=99) => Category::Many,
        _ => Category::Other,
    }
}

/// `other` is for fractions alone.
fn polish(n: u64) -> Category {
    match (n, n % 10, n % 100) {
        (1, ..) => Category::One,
        (_, _, 12..=14) => Category::Many,
        (_, 2..=4, _) => Category::Few,
        _ => Category::Many,
    }
}

/// The number that chooses: `count`, or else the first parameter that is a whole number.
pub(super) fn count(params: &[(&str, String)]) -> Option<u64> {
    let named = params.iter().find(|(name, _)| *name == "count");
    let number = |(_, value): &(&str, String)| value.parse().ok();
    named
        .and_then(number)
        .or_else(|| params.iter().find_map(number))
}

/// The categories that a language knows, for the tests.
#[cfg(test)]
pub(super) fn categories(language: &str) -> Vec<Category> {
    let mut known: Vec<_> = (0..200)
        .chain([1_000_000])
        .map(|n| category(language, n))
        .collect();
    known.push(Category::Other);
    Category::ALL
        .into_iter()
        .filter(|category| known.contains(category))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples that the CLDR itself gives for its rules (plurals.xml, release 46).
    #[test]
    fn categories_are_those_of_the_cldr() {
        use Category::*;
        for (languages, category, numbers) in [
            (&["en", "de", "es", "he", "pl", "ar"][..], One, &[1][..]),
            (&["fr", "pt-br"], One, &[0, 1]),
            (&["en", "de"], Other, &[0, 2, 16, 100, 1_000, 1_000_000]),
            (&["es"], Other, &[0, 2, 16, 100, 1_000]),
            (&["fr", "pt-br"], Other, &[2, 17, 100, 1_000]),
            (&["es", "fr", "pt-br"], Many, &[1_000_000, 2_000_000]),
            (&["ja"], Other, &[0, 1, 2, 15, 1_000_000]),
            (&["he", "ar"], Two, &[2]),
            (&["he"], Other, &[0, 3, 17, 100, 1_000_000]),
            (&["pl"], Few, &[2, 3, 4, 22, 24, 32, 102, 1_002]),
            (&["pl"], Many, &[0, 5, 12, 14, 19, 100, 111, 112, 1_000_000]),
            (&["ar"], Zero, &[0]),
            (&["ar"], Few, &[3, 10, 103, 110, 1_003]),
            (&["ar"], Many, &[11, 26, 99, 111, 1_011]),
            (&["ar"], Other, &[100, 102, 200, 202, 1_000, 1_000_000]),
        ] {
            for language in languages {
                for number in numbers {
                    let got = super::category(language, *number);
                    assert_eq!(got, category, "{language} {number}");
                }
            }
        }
    }

    #[test]
    fn count_chooses_before_other_numbers() {
        let params = |all: &[(&'static str, &str)]| {
            let owned = all.iter().map(|(name, value)| (*name, (*value).to_owned()));
            count(&owned.collect::<Vec<_>>())
        };
        assert_eq!(params(&[("length", "3"), ("count", "1")]), Some(1));
        assert_eq!(params(&[("name", "joe"), ("min_length", "8")]), Some(8));
        assert_eq!(params(&[("name", "joe")]), None);
    }
}
