use crate::{
    components::ui::{Avatar, Icon, Name},
    state::Zone,
};
use leptos::prelude::*;
use leptos_router::{components::A, params::ParamsMap};
use natter::{
    ChannelKind, MessageId,
    search::{Hit, Place, Query, snippet},
};

/// How much of a message is shown, in characters.
const SHOWN: usize = 280;

/// What can be asked besides words.
pub const OPERATORS: [(&str, &str); 6] = [
    ("in:general", "in a channel; in:@mira for a private conversation"),
    ("from:mira", "from somebody"),
    ("before:2026-11-26", "before a day"),
    ("after:2026-11-01", "on a day or later"),
    ("has:link", "with a link; also has:image, has:video, has:file"),
    ("\"two words\"", "these words next to each other"),
];

/// The page that shows what fits a query.
pub fn address(query: &str, cursor: Option<MessageId>) -> String {
    let mut params = ParamsMap::new();
    params.insert("q", query.to_owned());
    if let Some(cursor) = cursor {
        params.insert("cursor", cursor.to_string());
    }
    format!("/search{}", params.to_query_string())
}

/// Where a message stands, with what is around it.
pub fn place(hit: &Hit) -> String {
    let seq = hit.message.seq;
    match &hit.channel.peer {
        Some(peer) => format!("/direct/{}?at={seq}", peer.username),
        None => format!("/channels/{}?at={seq}", hit.channel.name.as_deref().unwrap_or_default()),
    }
}

/// What the conversation is called.
pub fn label(place: &Place) -> String {
    match (place.kind, &place.peer, &place.name) {
        (ChannelKind::Direct, Some(peer), _) => peer.username.clone(),
        (.., name) => format!("#{}", name.as_deref().unwrap_or_default()),
    }
}

/// A message's words, marked; where it has none, what its files are called.
pub fn words(hit: &Hit, query: &str) -> AnyView {
    let terms = Query::parse(query).map(|query| query.terms).unwrap_or_default();
    if hit.message.text.is_empty() {
        let names: Vec<_> = hit.message.attachments.iter().map(|file| file.filename.clone()).collect();
        return names.join(", ").into_any();
    }
    let part = |segment: snippet::Segment| {
        if segment.marked { view! { <mark>{segment.text}</mark> }.into_any() } else { segment.text.into_any() }
    };
    snippet::of(&hit.message.text, &terms, SHOWN).into_iter().map(part).collect_view().into_any()
}

/// A message that was found: where, by whom and when, and the way to it.
#[component]
pub fn HitRow(hit: Hit, query: String) -> impl IntoView {
    let zone = expect_context::<Zone>();
    let (at, sender) = (hit.message.timestamp, hit.message.sender.clone());
    let (to, name) = (place(&hit), label(&hit.channel));
    let conversation = to.split('?').next().unwrap_or_default().to_owned();
    let text = words(&hit, &query);
    let files = (!hit.message.attachments.is_empty() && !hit.message.text.is_empty()).then(|| {
        view! {
            <span class="inline-flex items-center gap-1 text-xs text-faint">
                <Icon icon=icondata_lu::LuPaperclip/>
                {match hit.message.attachments.len() { 1 => "1 file".to_owned(), n => format!("{n} files") }}
            </span>
        }
    });
    view! {
        <li class="hit">
            <Avatar user=sender.clone()/>
            <div class="min-w-0 flex-1">
                <p class="hit-about">
                    <Name username=sender.username/>
                    <span class="text-faint">"in"</span>
                    <A href=conversation attr:class="hit-place">{name}</A>
                    <time class="hit-time" datetime=at.to_string() title=move || zone.full(at)>
                        {Signal::derive(move || format!("{}, {}", zone.day(at), zone.clock(at)))}
                    </time>
                    {files}
                </p>
                <A href=to attr:class="hit-text">{text}</A>
            </div>
        </li>
    }
    .into_any()
}
