//! What somebody might type to harm those who read it; and the promises that hold for any text.

use super::*;
use ammonia::{Builder, Url};
use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::time::{Duration, Instant};

/// What is left of `html` after somebody else's sanitiser, which is told of our elements and attributes and no others.
fn cleaned(html: &str) -> String {
    let attributes = HashMap::from([
        ("a", HashSet::from(["href", "target", "rel"])),
        ("button", HashSet::from(["type", "class", "data-mention"])),
        ("span", HashSet::from(["class"])),
        ("ol", HashSet::from(["start"])),
        ("pre", HashSet::from(["tabindex"])),
    ]);
    let tags = "p br hr em strong del code pre ul ol li blockquote a button span";
    Builder::new()
        .tags(tags.split(' ').collect())
        .tag_attributes(attributes)
        .generic_attributes(HashSet::new())
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .link_rel(None)
        .clean(html)
        .to_string()
}

/// `html` as the sanitiser writes it: quotes in text bare, hard spaces as entities, and without the addresses that are
/// none to any browser either, such as `http://1.2.3.4.5`.
fn as_cleaned(html: &str) -> String {
    let mut parts = html.split(" href=\"");
    let mut out = parts.next().unwrap().to_string();
    for part in parts {
        let (address, rest) = part.split_once('"').unwrap();
        let raw = ["&amp;|&", "&lt;|<", "&gt;|>", "&quot;|\""].iter().rev().fold(address.to_string(), |text, pair| {
            let (entity, sign) = pair.split_once('|').unwrap();
            text.replace(entity, sign)
        });
        if Url::parse(&raw).is_ok() {
            write!(out, " href=\"{address}\"").unwrap();
        }
        out.push_str(rest);
    }
    out.replace('\u{a0}', "&nbsp;")
}

/// Everything that has to be so of any message.
pub fn check(text: &str) {
    let html = html(text);
    let bare_quotes = |html: &str| html.replace("&quot;", "\"");
    assert_eq!(bare_quotes(&cleaned(&html)), bare_quotes(&as_cleaned(&html)), "from {text:?}");
    assert!(html.len() <= 32 * text.len() + 128, "{} bytes of HTML from {text:?}", html.len());

    let Mentions { names, channel } = mentions(text);
    let buttons =
        html.split(" data-mention=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_ascii_lowercase());
    assert_eq!(buttons.collect::<BTreeSet<_>>(), names, "from {text:?}");
    assert_eq!(html.to_ascii_lowercase().contains("<span class=\"mention\">@channel</span>"), channel, "from {text:?}");

    let line = plain(text, usize::MAX);
    assert!(line.matches('\\').count() <= text.matches('\\').count(), "{line:?} from {text:?}");
    for max in [0, 1, 20] {
        let line = plain(text, max);
        assert!(line.chars().count() <= max && !line.contains(char::is_control), "{line:?} from {text:?}");
    }
}

#[test]
fn html_is_text() {
    shows("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>");
    shows("a <b>c</b>", "<p>a &lt;b&gt;c&lt;/b&gt;</p>");
    shows("<div>\n*a*\n</div>\n\n*b*", "<p>&lt;div&gt;<br>*a*<br>&lt;/div&gt;</p><p><em>b</em></p>");
    shows("- <hr>\n- <!-- a", "<ul><li><p>&lt;hr&gt;</p></li><li><p>&lt;!-- a</p></li></ul>");
    shows("[<img src=x onerror=y>](http://a.b)", &p(&link("http://a.b", "&lt;img src=x onerror=y&gt;")));
    shows("&lt;b&gt; &copy; &nope;", "<p>&amp;lt;b&amp;gt; &amp;copy; &amp;nope;</p>");
}

#[test]
fn hostile_links_are_shown_as_their_text() {
    for address in [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "&#106;avascript:alert(1)",
        "&#x6A;avascript&colon;alert(1)",
        "java&Tab;script:alert(1)",
        "<java\tscript:alert(1)>",
        "&#1;javascript:alert(1)",
        "data:text/html,<b>",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example",
        "/relative",
        "https:relative",
        "https:///evil.example",
        "http:\\\\evil.example",
        "ht&NewLine;tp://a.b",
        "http://a&Tab;.b",
        "#x",
        "",
    ] {
        shows(&format!("[text]({address})"), "<p>text</p>");
        shows(&format!("![text]({address})"), "<p>text</p>");
    }
    shows("<javascript:alert(1)>", "<p>javascript:alert(1)</p>");
    shows("[a](<http://b.c/\"onmouseover=\"x>)", &p(&link("http://b.c/&quot;onmouseover=&quot;x", "a")));
    shows("[a](&#1;http://b.c)", &p(&link("http://b.c", "a")));
    shows("[a](java\nscript:x)", "<p>[a](java<br>script:x)</p>");
}

#[test]
fn deep_nesting_stops_but_keeps_what_is_said() {
    let quotes = html(&format!("{} deep", ">".repeat(4000)));
    assert_eq!(quotes.matches("<blockquote>").count(), 8);
    assert!(quotes.contains("<p>deep</p>"));
    let lists = html(&format!("{}deep", "- ".repeat(1998)));
    assert_eq!(lists.matches("<ul>").count(), 8);
    let nine = (0..10).map(|n| format!("{}- {n}", "  ".repeat(n.min(8)))).collect::<Vec<_>>().join("\n");
    assert!(html(&nine).contains("<li>7<br>8<br>9</li>"), "{}", html(&nine));
    let emphasis = html(&format!("{0}deep{0}", "*".repeat(1998)));
    assert_eq!(emphasis.matches("<strong>").count(), 8);
    assert!(emphasis.contains("<strong>deep</strong>"));
}

#[test]
fn hostile_shapes_are_harmless_and_quick() {
    let units = "\
        > ¦[¦- ¦*¦_¦`¦~¦![¦](¦<¦&¦@a¦@_¦\"¦\\\"¦'¦\\¦|¦#¦1. ¦\n¦<!--¦[a](¦[]()¦*a_ ¦**a ¦a**b*¦`` ` ¦http://¦\
        http://*¦http://a_¦http://a)¦http://a(¦@ab ¦@a_b_¦[a]: x\n\n¦[a]:x\n\n[b]:¦[a][a]¦> - ¦\n> ¦<?¦<![CDATA[¦\
        <a ¦<a b='¦&#¦é¦\0¦\r¦\t¦>";
    for unit in units.split('¦') {
        let text = unit.repeat(4000 / unit.len());
        check(&text);
        check(&format!("[a]: http://{}\n\n{text}", "x".repeat(500)));
        for language in ["", "```rust\n", "```js\n", "```html\n", "```sql\n", "```diff\n", "```yaml\n"] {
            check(&format!("{language}{text}"));
            // Ten times as long as a message: what takes ten times as long, and not a hundred times, is far below this.
            let start = Instant::now();
            html(&format!("{language}{}", unit.repeat(40_000 / unit.len())));
            assert!(start.elapsed() < Duration::from_secs(2), "{language:?} {unit:?} took {:?}", start.elapsed());
        }
    }
}

#[test]
fn random_hostile_text_keeps_all_the_promises() {
    const PIECES: &str = "\
        <script>¦</p>¦<img src=x onerror=alert(1)>¦javascript:¦data:text/html,¦http://a.b/¦HTTPS://x¦mailto:¦[¦](¦\
        )¦![¦<¦>¦\"¦'¦`¦```¦```rust\n¦~~¦*¦**¦_¦__¦@ada¦@channel¦@a_b¦@¦&lt;¦&#106;¦&quot;¦&nbsp;¦\\¦\n¦\n\n¦\n> ¦\
        \n- ¦\n  1. ¦\n    ¦\t¦ ¦# ¦\n---\n¦[a]: ¦[^1]¦|¦<!--¦-->¦<a href=\"¦é¦\u{202e}¦\0¦\r\n¦x¦7.5¦//¦/*";
    let pieces: Vec<_> = PIECES.split('¦').collect();
    let mut state = 2026_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for _ in 0..3000 {
        let text: String = (0..=next(40)).map(|_| pieces[next(pieces.len())]).collect();
        check(&text);
    }
}
