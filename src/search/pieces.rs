//! Words in pieces, for the indexes that find them. A text is cut into each three and each two letters in
//! a row of its words; of scripts that write no spaces, into each two characters and each one. Whatever
//! contains a term has all the term's pieces, so an index of pieces finds candidates for any part of any
//! word in any script.

/// The pieces that a text is found by, once it is [`fold`](super::fold)ed: each once, in order.
pub fn of_text(folded: &str) -> Vec<&str> {
    pieces(folded, Cut::All)
}

/// The pieces that whatever contains a folded term has, each once, in order; none for a single letter.
pub fn of_term(term: &str) -> Vec<&str> {
    pieces(term, Cut::Needed)
}

fn pieces(folded: &str, how: Cut) -> Vec<&str> {
    let mut pieces = Vec::new();
    cut(folded, how, |piece| pieces.push(piece));
    pieces.sort_unstable();
    pieces.dedup();
    pieces
}

/// How texts are cut. An index that was made in another way is made again: whoever changes what this file
/// or [`fold`](super::fold) does counts it up, and what is a letter and which is its lower case changes
/// with Unicode.
pub fn version() -> String {
    let (major, minor, update) = char::UNICODE_VERSION;
    format!("1/{major}.{minor}.{update}")
}

/// A piece as a number. Two that have one in common make candidates, no more.
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
    if c.is_ascii() {
        return if c.is_ascii_alphanumeric() { Script::Spaced } else { Script::None };
    }
    let emoji = matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}');
    let dense = c >= '\u{0e00}' && !matches!(c, '\u{1e00}'..='\u{1fff}');
    match (c.is_alphanumeric(), dense, emoji) {
        (_, _, true) | (true, true, _) => Script::Dense,
        (true, false, false) => Script::Spaced,
        (false, _, false) => Script::None,
    }
}

/// The characters in a row that were read last, of one script: where the last three begin.
struct Run {
    script: Script,
    length: usize,
    last: [usize; 3],
}

impl Run {
    /// The place where the last so many characters begin, if there are so many.
    fn from(&self, count: usize) -> Option<usize> {
        if count <= self.length { self.last.get(count.checked_sub(1)?).copied() } else { None }
    }

    /// How many characters its longer pieces have; the shorter ones have one less.
    const fn longer(&self) -> usize {
        match self.script {
            Script::Spaced => 3,
            Script::Dense | Script::None => 2,
        }
    }
}

/// Cuts folded text into its pieces; some come more than once.
fn cut<'a>(text: &'a str, how: Cut, mut take: impl FnMut(&'a str)) {
    let mut run = Run { script: Script::None, length: 0, last: [0; 3] };
    let mut piece = |from: Option<usize>, to: usize| {
        if let Some(piece) = from.and_then(|from| text.get(from..to)) {
            take(piece);
        }
    };
    for (at, c) in text.char_indices() {
        let script = script(c);
        if script != run.script {
            end(&run, at, how, &mut piece);
            run = Run { script, length: 0, last: [0; 3] };
        }
        if script == Script::None {
            continue;
        }
        run.length += 1;
        run.last = [at, run.last[0], run.last[1]];
        let (longer, to) = (run.longer(), at + c.len_utf8());
        piece(run.from(longer), to);
        if how == Cut::All {
            piece(run.from(longer - 1), to);
        }
    }
    end(&run, text.len(), how, &mut piece);
}

/// What is too short for a longer piece is asked for by a shorter one.
fn end(run: &Run, at: usize, how: Cut, piece: &mut impl FnMut(Option<usize>, usize)) {
    if how == Cut::Needed && run.script != Script::None && run.length + 1 == run.longer() {
        piece(run.from(run.length), at);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fold, *};
    use proptest::prelude::*;

    fn shown(text: &str, how: Cut) -> String {
        pieces(&fold(text), how).join(" ")
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
            let text = fold(&text);
            let all = of_text(&text);
            for piece in of_term(&fold(&part)) {
                prop_assert!(all.contains(&piece), "{piece:?} of {part:?} in {text:?}");
            }
        }

        /// SQLite's `ascii` tokenizer, which reads them, takes ASCII letters and digits and all beyond ASCII.
        #[test]
        fn a_piece_is_one_token(text in "\\PC{0,40}") {
            for piece in of_text(&fold(&text)) {
                prop_assert!(piece.chars().all(|c| c.is_ascii_alphanumeric() || !c.is_ascii()), "{piece:?}");
            }
        }
    }
}
