use super::*;
use hostile::check;

mod hostile;

fn link(address: &str, text: &str) -> String {
    format!("<a href=\"{address}\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">{text}</a>")
}

fn button(name: &str) -> String {
    format!("<button type=\"button\" class=\"mention\" data-mention=\"{name}\">@{name}</button>")
}

fn p(inner: &str) -> String {
    format!("<p>{inner}</p>")
}

#[track_caller]
fn shows(text: &str, expected: &str) {
    assert_eq!(html(text), expected, "from {text:?}");
    check(text);
}

#[test]
fn plain_words_are_a_paragraph() {
    shows("hello", "<p>hello</p>");
    shows("one\n\ntwo", "<p>one</p><p>two</p>");
    shows("", "");
    shows(" \n\t ", "");
    shows("a & b < c > d \"e\" 'f'", "<p>a &amp; b &lt; c &gt; d &quot;e&quot; 'f'</p>");
}

#[test]
fn a_newline_is_a_break_however_it_is_written() {
    for text in ["a\nb", "a  \nb", "a\\\nb", "a\r\nb"] {
        shows(text, "<p>a<br>b</p>");
    }
}

#[test]
fn emphasis_code_and_strikethrough_are_elements() {
    shows("*a* **b** ~~c~~ `d`", "<p><em>a</em> <strong>b</strong> <del>c</del> <code>d</code></p>");
    shows("_a_ snake_case_name", "<p><em>a</em> snake_case_name</p>");
    shows("`<b>&amp;`", "<p><code>&lt;b&gt;&amp;amp;</code></p>");
    shows("2 * 3 * 4, *unclosed", "<p>2 * 3 * 4, *unclosed</p>");
}

#[test]
fn code_blocks_keep_their_lines() {
    shows("```\na <b>\n  c\n```", "<pre tabindex=\"0\"><code>a &lt;b&gt;\n  c</code></pre>");
    shows("    indented\n    code", "<pre tabindex=\"0\"><code>indented\ncode</code></pre>");
    shows("> ```\n> a\n> b\n> ```", "<blockquote><pre tabindex=\"0\"><code>a\nb</code></pre></blockquote>");
    shows("so:\n```\nto the end\n\n@ada", "<p>so:</p><pre tabindex=\"0\"><code>to the end\n\n@ada</code></pre>");
}

#[test]
fn lists_and_quotes_are_elements() {
    shows("- a\n- b", "<ul><li>a</li><li>b</li></ul>");
    shows("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>");
    shows("1986. A year", "<ol start=\"1986\"><li>A year</li></ol>");
    shows("- a\n  - b\n\n  c", "<ul><li><p>a</p><ul><li>b</li></ul><p>c</p></li></ul>");
    shows("> a\n> b\n\nc", "<blockquote><p>a<br>b</p></blockquote><p>c</p>");
}

#[test]
fn headings_are_strong_and_rules_are_lines() {
    shows("# Big *news*", "<p><strong>Big <em>news</em></strong></p>");
    shows("Title\n===", "<p><strong>Title</strong></p>");
    shows("a\n\n---\n\nb", "<p>a</p><hr><p>b</p>");
}

#[test]
fn extensions_of_markdown_are_text() {
    shows("|a|b|\n|-|-|\n|c|d|", "<p>|a|b|<br>|-|-|<br>|c|d|</p>");
    shows("- [ ] a", "<ul><li>[ ] a</li></ul>");
    shows("a[^1] $x$\n\n[^1]: note", "<p>a[^1] $x$</p><p>[^1]: note</p>");
}

#[test]
fn what_would_show_nothing_is_shown_as_it_was_typed() {
    for text in ["-", "+", "1.", "#", "```", "- -"] {
        shows(text, &p(text));
        assert_eq!(plain(text, 10), text);
    }
    shows(">", "<p>&gt;</p>");
    shows("[a]: http://b.c", &p(&format!("[a]: {}", link("http://b.c", "http://b.c"))));
    shows("x\n\n[a]: /u 'v'\n[b]: /w\n\n[a][b]", "<p>x</p><p>[a]: /u 'v'<br>[b]: /w</p><p>[a][b]</p>");
    shows("![](http://a.b/c.png)", &p(&link("http://a.b/c.png", "http://a.b/c.png")));
    shows("[](javascript:x)", "<p>javascript:x</p>");
}

#[test]
fn links_open_elsewhere_and_tell_nothing() {
    shows("[a *b*](https://c.d/?e=1&f=\")", &p(&link("https://c.d/?e=1&amp;f=&quot;", "a <em>b</em>")));
    shows("[a](HTTP://b.c 'title')", &p(&link("HTTP://b.c", "a")));
    shows("[a](mailto:b@c.d)", &p(&link("mailto:b@c.d", "a")));
    shows(
        "<https://a.b> <c@d.e>",
        &p(&format!("{} {}", link("https://a.b", "https://a.b"), link("mailto:c@d.e", "c@d.e"))),
    );
    shows("![alt](https://a.b/c.png)", &p(&link("https://a.b/c.png", "alt")));
}

#[test]
fn links_dont_nest() {
    shows("[![a](http://b.c)](http://d.e)", &p(&link("http://d.e", "a")));
    shows("![[a](http://b.c) d](http://e.f)", &p(&link("http://e.f", "a d")));
    shows("[http://a.b @ada](http://c.d)", &p(&link("http://c.d", "http://a.b @ada")));
    shows(
        "[a [b](http://c.d)](http://e.f)",
        &p(&format!("[a {}]({})", link("http://c.d", "b"), link("http://e.f", "http://e.f"))),
    );
}

#[test]
fn bare_addresses_become_links_without_what_follows_them() {
    for (text, before, address, after) in [
        ("see http://a.b/c.", "see ", "http://a.b/c", "."),
        ("(https://a.b/c_(d))!?", "(", "https://a.b/c_(d)", ")!?"),
        ("[HTTPS://a.b]", "[", "HTTPS://a.b", "]"),
        ("http://a.b/…", "", "http://a.b/", "…"),
        ("http://bücher.de/ü, x", "", "http://bücher.de/ü", ", x"),
        ("http://a.b/__init__.py", "", "http://a.b/__init__.py", ""),
        ("http://a.b/*c*/~d~/_e_/f", "", "http://a.b/*c*/~d~/_e_/f", ""),
        ("http://a.b/@ada", "", "http://a.b/@ada", ""),
    ] {
        shows(text, &p(&format!("{before}{}{after}", link(address, address))));
    }
    shows("**http://a.b**", &p(&format!("<strong>{}</strong>", link("http://a.b", "http://a.b"))));
    shows("_http://a.b/c_d_", &p(&format!("<em>{}</em>", link("http://a.b/c_d", "http://a.b/c_d"))));
    shows("http://a.b?c=1&d=2", &p(&link("http://a.b?c=1&amp;d=2", "http://a.b?c=1&amp;d=2")));
    for text in ["http://", "https://.", "xhttp://a.b", "http:/a.b", "ftp://a.b", "www.a.b"] {
        shows(text, &p(text));
    }
    shows("`http://a.b`", "<p><code>http://a.b</code></p>");
}

#[test]
fn mentions_are_buttons() {
    for name in ["ada", "ada_l", "a_b_c", "x__y", "_ada_", "__ada__", "Ada.L-9", "ab", &"x".repeat(32)] {
        shows(&format!("@{name}"), &p(&button(name)));
        shows(&format!("hi @{name}, and (@{name})."), &p(&format!("hi {0}, and ({0}).", button(name))));
        assert_eq!(mentions(&format!("@{name}")).names, BTreeSet::from([name.to_lowercase()]));
    }
    shows("@ada... @bob.-", &p(&format!("{}... {}.-", button("ada"), button("bob"))));
    shows(
        "*@ada* _@ada_ **@a_b**",
        &p(&format!("<em>{0}</em> <em>{0}</em> <strong>{1}</strong>", button("ada"), button("a_b"))),
    );
    shows("@_a_b @_c_d", &p(&format!("{} {}", button("_a_b"), button("_c_d"))));
    for text in ["@", "@a", "a@bob.com", "1@bob", "ü@bob", "a_@bob", "@@bob", ".@bob", &format!("@{}", "x".repeat(33))]
    {
        shows(text, &p(text));
        assert_eq!(mentions(text), Mentions::default());
    }
}

#[test]
fn the_channel_is_mentioned_by_its_word() {
    shows("@channel: lunch", "<p><span class=\"mention\">@channel</span>: lunch</p>");
    assert_eq!(mentions("@Channel"), Mentions { names: BTreeSet::new(), channel: true });
    assert_eq!(mentions("@channels").names, BTreeSet::from(["channels".to_string()]));
    assert!(!mentions("`@channel` [@channel](http://a.b)").channel);
}

#[test]
fn code_and_links_mention_nobody() {
    shows("`@ada`", "<p><code>@ada</code></p>");
    for text in
        ["```\n@ada\n```", "    @ada", "<http://a.b/@ada>", "http://a.b/?@ada", "[@ada](http://a.b)", "<ada@b.c>"]
    {
        check(text);
        assert_eq!(mentions(text), Mentions::default(), "{text:?}");
    }
    assert!(mentions("<b>@ada</b>").names.contains("ada"), "raw HTML is text");
}

#[test]
fn only_so_many_are_mentioned() {
    let text = (0..200).map(|n| format!("@name{n}")).collect::<Vec<_>>().join(" ") + " @name0";
    assert_eq!(mentions(&text).names.len(), MENTIONS_MAX);
    assert!(html(&text).ends_with(&format!("@name199 {}</p>", button("name0"))));
    check(&text);
}

#[test]
fn a_line_for_notifications_has_no_markup() {
    let text =
        "# News\n\n*Hi* @ada,\nsee [this](http://a.b) and `code`:\n\n- one\n- two\n\n```rust\nlet x = 1;\n```\n> <b>";
    assert_eq!(plain(text, 200), "News Hi @ada, see this and code: one two let x = 1; <b>");
    assert_eq!(plain("one two three", 8), "one two…");
    assert_eq!(plain("one two three", 13), "one two three");
    assert_eq!(plain("ßßßß", 3), "ßß…");
    assert_eq!(plain("a", 0), "");
    assert_eq!(plain("---", 9), "---");
    assert_eq!(plain("a\u{2028}b\u{7}c", 9), "a b c");
}

#[test]
fn known_languages_have_colours() {
    let code = |language: &str, code: &str| {
        let text = format!("```{language}\n{code}\n```");
        check(&text);
        let html = html(&text);
        let inner = html.strip_prefix("<pre tabindex=\"0\"><code>").and_then(|html| html.strip_suffix("</code></pre>"));
        inner.unwrap().replace("<span class=\"hl-", "{").replace("\">", ":").replace("</span>", "}")
    };
    for (language, source, expected) in [
        (
            "rust",
            "let x: &'a str = \"a\\\"b\"; // <c>",
            "{k:let} x: &amp;'a str = {s:&quot;a\\&quot;b&quot;}; {c:// &lt;c&gt;}",
        ),
        ("Rust,ignore", "'\"' 1_000.5 0..9 letter", "{s:'&quot;'} {n:1_000.5} {n:0}..{n:9} letter"),
        ("py", "def f(): # no\n  return '''a\nb'''", "{k:def} f(): {c:# no}\n  {k:return} {s:'''a\nb'''}"),
        ("tsx", "const a = `b\nc` + 'd' /* e\n", "{k:const} a = {s:`b\nc`} + {s:'d'} {c:/* e\n}"),
        ("json", "{\"a\": [true, -1]}", "{{s:&quot;a&quot;}: [{k:true}, -{n:1}]}"),
        ("sh", "if [ $# = 1 ] # x", "{k:if} [ $# = {n:1} ] {c:# x}"),
        ("sql", "Select 'a' -- b", "{k:Select} {s:'a'} {c:-- b}"),
        (
            "html",
            "<a b='c'>don't</a><!-- d -->",
            "{k:&lt;a} b={s:'c'}{k:&gt;}don't{k:&lt;/a}{k:&gt;}{c:&lt;!-- d --&gt;}",
        ),
        ("yaml", "a: don't # b\nc: \"d\"", "a: don't {c:# b}\nc: {s:&quot;d&quot;}"),
        ("diff", "@@ 1 @@\n+a\n-b\n c", "{k:@@ 1 @@}\n{i:+a}\n{d:-b}\n c"),
        ("klingon", "let x = 1;", "let x = 1;"),
        ("", "let x = 1;", "let x = 1;"),
    ] {
        assert_eq!(code(language, source), expected);
    }
    let names = "rust python py javascript js ts typescript jsx tsx json go java c cpp csharp kotlin swift ruby rb php \
                 bash sh shell zsh sql html xml css yaml yml toml diff";
    for name in names.split(' ') {
        let source = if name == "diff" { "+ 1" } else { "<1 \"x\" 1" };
        assert!(code(name, source).contains('{') || name == "html" || name == "xml", "{name}");
    }
}
