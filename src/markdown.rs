//! Message text as Markdown. The server and the browser render with this one piece of code, so that a message looks
//! the same before and after it was sent, and so that nothing but this decides what becomes HTML.
//!
//! Everything in a message that isn't one of the few elements written here is text, and is escaped. What is shown and
//! who is mentioned comes from one walk over the message: the functions can't disagree.

mod highlight;
mod tokens;
mod walk;

use std::collections::BTreeSet;
use walk::{Step, walk};

/// People that one message can mention; further names in it are just text.
pub const MENTIONS_MAX: usize = 50;

/// Whom a message speaks to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    /// Names after an `@`, in lower case and at most [`MENTIONS_MAX`]; nobody of that name need exist.
    pub names: BTreeSet<String>,
    /// Whether `@channel` is among them; it isn't in `names`.
    pub channel: bool,
}

/// A message as sanitised HTML: safe to put into a page as it is.
///
/// Elements: `p br hr em strong del code pre ul ol li blockquote a`, `button.mention`, `span.mention` and the
/// `span.hl-…` of highlighted code. Links lead to `http:`, `https:` and `mailto:` only. Blank text is no HTML at all.
/// Takes time and space in proportion to the text, at most some 20 bytes of HTML for one of text.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(2 * text.len() + 16);
    let walked = walk(text, &mut |step| write_html(&mut out, step));
    if walked.shown == 0 {
        // A lone `>`, `-` or `#` is something that somebody said, not an empty quote, list or heading.
        out.clear();
        if !text.trim().is_empty() {
            out.push_str("<p>");
            escape(&mut out, text.trim());
            out.push_str("</p>");
        }
    }
    out
}

/// Whom a message mentions: those that [`html`] shows as mentions, so nothing in code or in links.
pub fn mentions(text: &str) -> Mentions {
    walk(text, &mut |_| ()).mentions
}

/// A message without its markup on one line, for quotes and notifications: at most `max_chars` characters, of which
/// the last is `…` where something was cut off.
pub fn plain(text: &str, max_chars: usize) -> String {
    let mut out = String::with_capacity(text.len());
    walk(text, &mut |step| match step {
        Step::Text(text) | Step::Mention(text) | Step::Code(text) | Step::Block { code: text, .. } => {
            out.push_str(text);
        }
        Step::Open(tag) | Step::Close(tag) if walk::INLINE.contains(&tag) => {}
        Step::Open(_) | Step::Close(_) | Step::OpenList(_) | Step::Break | Step::Rule => out.push(' '),
        Step::OpenLink(_) => {}
    });
    let mut line = one_line(&out);
    if line.is_empty() {
        line = one_line(text);
    }
    if line.chars().count() > max_chars {
        let cut: String = line.chars().take(max_chars.saturating_sub(1)).collect();
        line = cut.trim_end().into();
        line.extend((max_chars > 0).then_some('…'));
    }
    line
}

fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    words.join(" ")
}

fn write_html(out: &mut String, step: Step<'_>) {
    match step {
        Step::Open(tag) => out.extend(["<", tag, ">"]),
        Step::OpenList(None) => out.push_str("<ul>"),
        Step::OpenList(Some(1)) => out.push_str("<ol>"),
        Step::OpenList(Some(start)) => out.extend(["<ol start=\"", &start.to_string(), "\">"]),
        Step::OpenLink(address) => {
            out.push_str("<a href=\"");
            escape(out, address);
            out.push_str("\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">");
        }
        Step::Close(tag) => out.extend(["</", tag, ">"]),
        Step::Text(text) => escape(out, text),
        Step::Mention(text) if tokens::is_channel(text) => {
            out.extend(["<span class=\"mention\">", text, "</span>"]);
        }
        // Names have no character that would need escaping.
        Step::Mention(text) => out.extend([
            "<button type=\"button\" class=\"mention\" data-mention=\"",
            &text[1..],
            "\">",
            text,
            "</button>",
        ]),
        Step::Code(code) => {
            out.push_str("<code>");
            escape(out, code);
            out.push_str("</code>");
        }
        Step::Block { language, code } => {
            // Long lines scroll, also for those who have no pointer to scroll with.
            out.push_str("<pre tabindex=\"0\"><code>");
            highlight::write(out, language, code);
            out.push_str("</code></pre>");
        }
        Step::Break => out.push_str("<br>"),
        Step::Rule => out.push_str("<hr>"),
    }
}

/// Text for between tags and for between double quotes.
fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // HTML's parser changes these, so the page from the server would differ from what the browser makes itself.
            '\r' | '\0' => {}
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests;
