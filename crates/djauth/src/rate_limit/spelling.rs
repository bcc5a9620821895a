//! Spellings of a username that share a counter.

use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::UnicodeNormalization;

/// More characters than any column of a username has.
const LONGEST: usize = 512;

/// A form in which all spellings are equal that one of the databases could take for the same name:
/// MariaDB compares without regard to case, accents, invisible characters and blanks at the end, and
/// some letters as their neighbours. Its collations know more than this; what they find beyond is not
/// let in ([`counts_together`](super::LoginRateLimit::counts_together)). That other names fall together too does no harm: they share a
/// counter.
pub(crate) fn fold(username: &str) -> String {
    let letters = username
        .chars()
        .take(LONGEST)
        .nfkd()
        .filter(|c| is_seen(*c));
    let small: String = letters.flat_map(char::to_lowercase).collect();
    let mut folded = String::with_capacity(small.len());
    for letter in small.nfkd().filter(|c| is_seen(*c)) {
        for base in bases(letter) {
            // "ß" may be one s or two.
            if *base != 's' || !folded.ends_with('s') {
                folded.push(*base);
            }
        }
        if bases(letter).is_empty() {
            folded.push(if letter > '\u{ffff}' {
                '\u{fffd}'
            } else {
                letter
            });
        }
    }
    folded
}

fn is_seen(c: char) -> bool {
    use GeneralCategory as Category;
    !matches!(
        get_general_category(c),
        Category::Control
            | Category::Format
            | Category::NonspacingMark
            | Category::EnclosingMark
            | Category::SpaceSeparator
            | Category::LineSeparator
            | Category::ParagraphSeparator
    )
}

/// Letters that have no accent in Unicode's eyes, but are compared as if they had.
fn bases(letter: char) -> &'static [char] {
    match letter {
        's' | 'ß' => &['s'],
        'æ' => &['a', 'e'],
        'œ' => &['o', 'e'],
        'ø' => &['o'],
        'đ' | 'ð' => &['d'],
        'ħ' => &['h'],
        'ı' => &['i'],
        'ł' => &['l'],
        'ŧ' => &['t'],
        'þ' => &['t', 'h'],
        'ŋ' => &['n'],
        'ĸ' => &['q'],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_name_are_one() {
        for spelling in [
            "Alice",
            "ALICE",
            "alicé",
            "ａｌｉｃｅ",
            "al\u{200b}ice",
            "alice ",
            "a\u{301}lice",
            "alıce",
            "\u{feff}alice\0",
            "𝐚lice",
        ] {
            assert_eq!(fold(spelling), "alice", "{spelling:?}");
        }
        assert_eq!(fold("Straße"), fold("STRASSE"));
        assert_eq!(fold("Ærø"), fold("aero"));
    }

    #[test]
    fn other_names_stay_apart() {
        for (one, other) in [
            ("alice", "alice2"),
            ("bob", "rob"),
            ("иван", "анна"),
            ("田中", "中田"),
        ] {
            assert_ne!(fold(one), fold(other));
        }
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(name in "\\PC{0,20}") {
            let once = fold(&name);
            prop_assert_eq!(fold(&once), once.clone());
            prop_assert!(once.len() <= 18 * 4 * name.len().max(1));
        }

        #[test]
        fn case_makes_no_difference(name in "[a-zA-Z0-9éÉßøØ]{0,20}") {
            prop_assert_eq!(fold(&name.to_uppercase()), fold(&name.to_lowercase()));
        }
    }
}
