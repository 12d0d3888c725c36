use super::*;
use proptest::prelude::*;

fn parse(text: &str) -> Query {
    Query::parse(text).unwrap()
}

#[test]
fn words_phrases_and_operators_are_told_apart() {
    let query = parse("  Deploy in:#general From:@Mira \"exact  Phrase\" has:link,image before:2026-11-26 log");
    assert_eq!(query.terms, ["deploy", "exact  phrase", "log"]);
    assert_eq!(query.places, ["#general"]);
    assert_eq!(query.senders, ["@Mira"]);
    assert_eq!(query.has, [Has::Link, Has::Image]);
    assert_eq!(query.before, Timestamp::parse("2026-11-26T00:00:00Z"));
    assert_eq!(query.after, None);
}

#[test]
fn what_only_looks_like_an_operator_is_a_word() {
    assert_eq!(parse("http://x.test in: std::mem 12:30").terms, ["http://x.test", "in:", "std::mem", "12:30"]);
    assert_eq!(parse("\"in:general\"").terms, ["in:general"]);
    assert!(parse("\"in:general\"").places.is_empty());
}

#[test]
fn quotes_of_any_shape_hold_together_and_need_no_end() {
    assert_eq!(parse("“green tea” „Kaffee“ \"open end").terms, ["green tea", "kaffee", "open end"]);
    assert!(parse("\"\" “” \"  ").is_empty());
    assert_eq!(parse("same SAME same").terms, ["same"]);
}

#[test]
fn of_several_bounds_the_tightest_holds() {
    let query = parse("after:2026-01-01 after:2026-02-01 before:2026-05-01T10:00:00+02:00 before:2027-01-01");
    assert_eq!(query.after, Timestamp::parse("2026-02-01T00:00:00Z"));
    assert_eq!(query.before, Timestamp::parse("2026-05-01T08:00:00Z"));
}

#[test]
fn nonsense_names_the_field() {
    for (text, field) in [
        ("before:yesterday", "before"),
        ("after:2026-13-01", "after"),
        ("has:cheese", "has"),
        (&*"x".repeat(QUERY_MAX_CHARS + 1), "q"),
    ] {
        assert_eq!(Query::parse(text).unwrap_err().field, field, "{text}");
    }
    assert!(Query::parse(&"猫".repeat(QUERY_MAX_CHARS)).is_ok(), "characters are counted, not bytes");
    assert!(Query::parse(&"x".repeat(QUERY_MAX_CHARS + 1)).unwrap_err().message.contains("200"));
}

#[test]
fn a_term_is_found_in_any_place_in_any_case_in_any_script() {
    for (text, term) in [
        ("The quick BROWN fox", "row"),
        ("Größe ÄNDERN", "änd"),
        ("ΟΔΟΣ", "οδος"),
        ("Привет, МИР", "мир"),
        ("我喜欢喝绿茶", "绿茶"),
        ("明日の会議は東京です", "会議"),
        ("내일 회의는 서울에서", "회의"),
        ("done 🎉", "🎉"),
    ] {
        assert!(is_match(text, &[fold(term)]), "{text} {term}");
    }
    assert!(!is_match("tea", &["tea".into(), "green".into()]), "all of them");
    assert!(is_match("anything", &[]));
}

#[test]
fn marks_stand_on_what_was_found_and_touch_each_other_nowhere() {
    let marked = |text: &str, query: &str| {
        let terms = parse(query).terms;
        highlights(text, &terms).into_iter().map(|range| text[range].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(marked("Brown crow, BROWN", "row brown"), ["Brown", "row", "BROWN"]);
    assert_eq!(marked("aXbXc", "x"), ["X", "X"]);
    assert_eq!(marked("İstanbul'da", "stan"), ["stan"], "a letter that becomes two in lower case");
    assert_eq!(highlighted_chars("猫が好き 猫", &["猫".into()]), [(0, 1), (5, 6)]);
    assert_eq!(marked("nothing", "else"), Vec::<String>::new());
}

#[test]
fn a_link_is_an_address_on_the_web() {
    assert!(has_link("see HTTPS://example.org/x"));
    assert!(has_link("(http://localhost:3000)"));
    assert!(!has_link("https:// is a scheme"));
    assert!(!has_link("ftp://example.org"));
}

proptest! {
    #[test]
    fn any_part_of_a_text_is_found_in_it_and_marked(text in "\\PC{0,40}", from in 0_usize..40, length in 1_usize..8) {
        let part: String = text.chars().skip(from).take(length).collect();
        let term = fold(&part);
        prop_assume!(!term.is_empty());
        prop_assert!(is_match(&text, std::slice::from_ref(&term)));
        let marks = highlights(&text, &[term]);
        prop_assert!(!marks.is_empty());
        for mark in &marks {
            prop_assert!(text.get(mark.clone()).is_some(), "marks begin and end between characters");
        }
        prop_assert!(marks.windows(2).all(|pair| pair[0].end < pair[1].start));
    }

    #[test]
    fn whatever_is_typed_is_a_query_or_a_problem_of_a_field(text in "\\PC{0,60}") {
        if let Ok(query) = Query::parse(&text) {
            prop_assert!(query.terms.iter().all(|term| !term.trim().is_empty()));
        }
    }
}
