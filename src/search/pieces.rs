//! Words in pieces, for the indexes that find them. A text is cut into each three and each two letters in
//! a row of its words; of scripts that write no spaces, into each two characters and each one. Whatever
//! contains a term has all the term's pieces, so an index of pieces finds candidates for any part of any
//! word in any script.

use super::fold;
use std::collections::BTreeSet;

/// The pieces that a text is found by.
pub fn of_text(text: &str) -> BTreeSet<String> {
    pieces(&fold(text), Cut::All)
}

/// The pieces that whatever contains a folded term has; none for a single letter.
pub fn of_term(term: &str) -> BTreeSet<String> {
    pieces(term, Cut::Needed)
}

fn pieces(folded: &str, how: Cut) -> BTreeSet<String> {
    let mut pieces = BTreeSet::new();
    cut(folded, how, |piece| {
        if !pieces.contains(piece) {
            pieces.insert(piece.to_owned());
        }
    });
    pieces
}

/// A piece as a number. Two that have one in common make candidates, no more. Two that have one in common make candidates, no more.
pub fn number(piece: &str) -> i32 {
    // FNV-1a, then mixed (murmur3's finaliser), so that short pieces spread over all numbers.
    let hash = piece.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    let hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    (hash ^ (hash >> 16)).cast_signed()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// For the index.
    All,
    /// For a query: the fewest that say the same.
    Needed,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    /// Letters that make words with spaces between them.
    Spaced,
    /// One character says much: Chinese, Japanese, Korean, Thai, emoji.
    Dense,
    /// Between words.
    None,
}

fn script(c: char) -> Script {
    let emoji = matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}');
    let dense = c >= '\u{0e00}' && !matches!(c, '\u{1e00}'..='\u{1fff}');
    match (c.is_alphanumeric(), dense, emoji) {
        (_, _, true) | (true, true, _) => Script::Dense,
        (true, false, false) => Script::Spaced,
        (false, _, false) => Script::None,
    }
}

/// Cuts folded text into its pieces; some come more than once.
fn cut(text: &str, how: Cut, mut take: impl FnMut(&str)) {
    let mut starts: Vec<usize> = Vec::new();
    let mut run = Script::None;
    let ends = std::iter::once((text.len(), Script::None));
    for (at, script) in text.char_indices().map(|(at, c)| (at, script(c))).chain(ends) {
        if script != run {
            starts.push(at);
            windows(text, &starts, run, how, &mut take);
            starts.clear();
            run = script;
        }
        starts.push(at);
    }
}

/// The pieces of one run of characters, of which the starts are given and, last, its end.
fn windows(text: &str, starts: &[usize], script: Script, how: Cut, take: &mut impl FnMut(&str)) {
    let length = starts.len().saturating_sub(1);
    let (long, short) = match script {
        Script::None => return,
        Script::Spaced => (3, 2),
        Script::Dense => (2, 1),
    };
    let mut each = |size: usize| {
        for window in starts.windows(size + 1) {
            if let (Some(from), Some(to)) = (window.first(), window.last())
                && let Some(piece) = text.get(*from..*to)
            {
                take(piece);
            }
        }
    };
    if length >= long {
        each(long);
    }
    if how == Cut::All || length < long {
        each(short);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str, how: Cut) -> String {
        pieces(&fold(text), how).into_iter().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn words_are_cut_by_threes_and_twos_and_dense_scripts_by_twos_and_ones() {
        assert_eq!(shown("Fox!", Cut::All), "fo fox ox");
        assert_eq!(shown("a b-c", Cut::All), "");
        assert_eq!(shown("绿茶", Cut::All), "绿 绿茶 茶");
        assert_eq!(shown("東京で", Cut::All), "で 京 京で 東 東京");
        assert_eq!(shown("회의", Cut::All), "의 회 회의");
        assert_eq!(shown("v2🎉手", Cut::All), "v2 手 🎉 🎉手");
    }

    #[test]
    fn a_query_asks_for_the_fewest() {
        assert_eq!(shown("brown", Cut::Needed), "bro own row");
        assert_eq!(shown("qa", Cut::Needed), "qa");
        assert_eq!(shown("x", Cut::Needed), "");
        assert_eq!(shown("茶", Cut::Needed), "茶");
        assert_eq!(shown("绿茶店", Cut::Needed), "绿茶 茶店");
    }

    proptest! {
        /// The promise of the index: it never misses.
        #[test]
        fn whatever_contains_a_term_has_its_pieces(text in "\\PC{0,40}", from in 0_usize..40, length in 1_usize..9) {
            let part: String = text.chars().skip(from).take(length).collect();
            let all = of_text(&text);
            for piece in of_term(&fold(&part)) {
                prop_assert!(all.contains(&piece), "{piece:?} of {part:?} in {text:?}");
            }
        }

        /// SQLite's `ascii` tokenizer, which reads them, takes ASCII letters and digits and all beyond ASCII.
        #[test]
        fn a_piece_is_one_token(text in "\\PC{0,40}") {
            for piece in of_text(&text) {
                prop_assert!(piece.chars().all(|c| c.is_ascii_alphanumeric() || !c.is_ascii()), "{piece:?}");
            }
        }
    }
}
