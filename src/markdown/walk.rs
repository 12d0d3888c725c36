//! One walk over a message: from what Markdown reads in it to what is shown of it.

use super::{MENTIONS_MAX, Mentions, tokens};
use pulldown_cmark::{CodeBlockKind, Event, LinkType, Parser, Tag, TagEnd};
use std::mem;

/// Quotes and lists inside each other, and emphasis inside emphasis; what is deeper has no element of its own.
const DEPTH_MAX: usize = 8;
/// Elements that stand within a line.
pub const INLINE: [&str; 4] = ["a", "del", "em", "strong"];

/// What a message consists of, in its order. Elements are opened and closed in pairs.
pub enum Step<'a> {
    Open(&'static str),
    OpenList(Option<u64>),
    OpenLink(&'a str),
    Close(&'static str),
    Text(&'a str),
    /// With its `@`.
    Mention(&'a str),
    Code(&'a str),
    Block {
        language: &'a str,
        code: &'a str,
    },
    Break,
    Rule,
}

/// Hands out what `text` consists of.
pub fn walk(text: &str, emit: &mut dyn FnMut(Step<'_>)) -> Walked {
    let text = tokens::protect(text);
    let mut walk = Walk {
        emit,
        text: String::new(),
        language: None,
        links: Vec::new(),
        in_link: false,
        blocks: 0,
        inlines: 0,
        bare: false,
        walked: Walked::default(),
    };
    for event in Parser::new_ext(&text, tokens::OPTIONS) {
        walk.event(event);
    }
    walk.walked
}

#[derive(Default)]
pub struct Walked {
    pub mentions: Mentions,
    /// How often something was emitted that people can see.
    pub shown: usize,
}

struct Walk<'e> {
    emit: &'e mut dyn FnMut(Step<'_>),
    /// The text since the last other event: Markdown hands it out in pieces, and a name may be in several.
    text: String,
    /// In a code block: its language.
    language: Option<String>,
    links: Vec<Link>,
    /// Whether one of `links` has its element.
    in_link: bool,
    blocks: usize,
    inlines: usize,
    /// Whether text came since a block began or ended, so that text of another block would run into it.
    bare: bool,
    walked: Walked,
}

struct Link {
    /// To be shown where the link has no text: nothing of a message is invisible.
    address: String,
    shown_before: usize,
    open: bool,
}

impl Walk<'_> {
    fn event(&mut self, event: Event<'_>) {
        match event {
            // Nobody's HTML is HTML here.
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => return self.text.push_str(&text),
            _ => self.flush(),
        }
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Code(code) => self.emit(Step::Code(&code)),
            Event::SoftBreak | Event::HardBreak => self.emit(Step::Break),
            Event::Rule => self.emit(Step::Rule),
            // The rest belongs to extensions that are off.
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock => self.emit(Step::Open("p")),
            Tag::Heading { .. } => {
                self.emit(Step::Open("p"));
                self.emit(Step::Open("strong"));
            }
            Tag::BlockQuote(_) => self.enter(Step::Open("blockquote")),
            Tag::List(start) => self.enter(Step::OpenList(start)),
            Tag::Item => self.block(Step::Open("li")),
            Tag::CodeBlock(CodeBlockKind::Fenced(info)) => {
                let word = info.split(|c: char| c.is_whitespace() || ",{".contains(c)).next();
                self.language = Some(word.unwrap_or_default().to_ascii_lowercase());
            }
            Tag::CodeBlock(CodeBlockKind::Indented) => self.language = Some(String::new()),
            Tag::Emphasis => self.open_inline("em"),
            Tag::Strong => self.open_inline("strong"),
            Tag::Strikethrough => self.open_inline("del"),
            Tag::Link { link_type, dest_url, .. } | Tag::Image { link_type, dest_url, .. } => {
                self.open_link(link_type, &dest_url);
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.emit(Step::Close("p")),
            TagEnd::Heading(_) => {
                self.emit(Step::Close("strong"));
                self.emit(Step::Close("p"));
            }
            TagEnd::BlockQuote(_) => self.leave("blockquote"),
            TagEnd::List(ordered) => self.leave(if ordered { "ol" } else { "ul" }),
            TagEnd::Item if self.blocks <= DEPTH_MAX => self.emit(Step::Close("li")),
            TagEnd::Emphasis => self.close_inline("em"),
            TagEnd::Strong => self.close_inline("strong"),
            TagEnd::Strikethrough => self.close_inline("del"),
            TagEnd::Link | TagEnd::Image => self.close_link(),
            _ => {}
        }
    }

    fn enter(&mut self, step: Step<'_>) {
        self.blocks += 1;
        self.block(step);
    }

    fn leave(&mut self, tag: &'static str) {
        if self.blocks <= DEPTH_MAX {
            self.emit(Step::Close(tag));
        }
        self.blocks -= 1;
    }

    fn block(&mut self, step: Step<'_>) {
        if self.blocks <= DEPTH_MAX {
            self.emit(step);
        } else if self.bare {
            self.emit(Step::Break);
        }
    }

    fn open_inline(&mut self, tag: &'static str) {
        self.inlines += 1;
        if self.inlines <= DEPTH_MAX {
            self.emit(Step::Open(tag));
        }
    }

    fn close_inline(&mut self, tag: &'static str) {
        if self.inlines <= DEPTH_MAX {
            self.emit(Step::Close(tag));
        }
        self.inlines -= 1;
    }

    fn open_link(&mut self, kind: LinkType, address: &str) {
        // References are text (see `protect`), and one of their addresses could be repeated a thousand times.
        let written = matches!(kind, LinkType::Inline | LinkType::Autolink | LinkType::Email);
        let mail = if kind == LinkType::Email { "mailto:" } else { "" };
        let address = if written { format!("{mail}{address}") } else { String::new() };
        let target = tokens::link_target(&address).filter(|_| !self.in_link);
        let open = target.is_some();
        if let Some(target) = target {
            self.in_link = true;
            self.emit(Step::OpenLink(target));
        }
        self.links.push(Link { open, shown_before: self.walked.shown, address });
    }

    fn close_link(&mut self) {
        let Some(link) = self.links.pop() else { return };
        if self.walked.shown == link.shown_before {
            self.emit(Step::Text(&link.address));
        }
        if link.open {
            self.emit(Step::Close("a"));
            self.in_link = false;
        }
    }

    fn flush(&mut self) {
        let text = mem::take(&mut self.text);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        if let Some(language) = self.language.take() {
            return self.emit(Step::Block { language: &language, code: text });
        }
        for (n, line) in text.split('\n').enumerate() {
            if n > 0 {
                self.emit(Step::Break);
            }
            self.line(line);
        }
    }

    fn line(&mut self, line: &str) {
        let mut from = 0;
        if !self.in_link {
            for (at, token) in tokens::tokens(line, 0..line.len()) {
                self.emit(Step::Text(&line[from..at]));
                from = at + token.len();
                self.token(token);
            }
        }
        self.emit(Step::Text(&line[from..]));
    }

    fn token(&mut self, token: &str) {
        let Some(name) = token.strip_prefix('@') else {
            self.emit(Step::OpenLink(token));
            self.emit(Step::Text(token));
            return self.emit(Step::Close("a"));
        };
        let mentions = &mut self.walked.mentions;
        let name = name.to_ascii_lowercase();
        if tokens::is_channel(token) {
            mentions.channel = true;
        } else if mentions.names.len() < MENTIONS_MAX {
            mentions.names.insert(name);
        } else if !mentions.names.contains(&name) {
            return self.emit(Step::Text(token));
        }
        self.emit(Step::Mention(token));
    }

    fn emit(&mut self, step: Step<'_>) {
        match step {
            Step::Text("") => return,
            Step::Text(text) | Step::Block { code: text, .. } => {
                self.walked.shown += usize::from(!text.trim().is_empty());
            }
            Step::Mention(_) | Step::Code(_) | Step::Rule => self.walked.shown += 1,
            _ => {}
        }
        self.bare = match step {
            Step::Open(tag) | Step::Close(tag) if INLINE.contains(&tag) => self.bare,
            Step::OpenLink(_) => self.bare,
            Step::Text(_) | Step::Mention(_) | Step::Code(_) => true,
            _ => false,
        };
        (self.emit)(step);
    }
}
