use super::completion::{beginning, complete, names};
use crate::{
    components::{
        attach::{AttachButton, Attaching, DropZone, Previews, STUCK},
        later::{Promised, SendLater, SendLaterButton, TimePicker, Words},
        media::said,
        ui::{GHOST, Icon, Name, PRIMARY, When, changing, effect},
    },
    state::{Carrier, Chat, Target},
};
use leptos::{ev, html, prelude::*};
use natter::{Channel, input::MESSAGE_CHARS};
use std::time::Duration;

/// Names that fit what is being typed, and which of them is meant.
#[derive(Clone, Debug, Default, PartialEq)]
struct Offer {
    names: Vec<String>,
    chosen: usize,
    /// What was typed is a whole name already: Enter sends.
    whole: bool,
    /// Where the beginning stands, and the caret behind it, in UTF-16 units.
    at: usize,
    caret: usize,
}

/// What is being written, and what happens to it.
#[derive(Clone, Copy)]
struct Writing {
    chat: Chat,
    target: Target,
    channel: Memo<Option<Channel>>,
    text: RwSignal<String>,
    note: RwSignal<Option<String>>,
    offer: RwSignal<Offer>,
    area: NodeRef<html::Textarea>,
    on_sent: Callback<()>,
    /// It is to be sent as soon as its files have arrived.
    held: RwSignal<bool>,
    later: SendLater,
}

impl Writing {
    fn write(self, value: String) {
        self.chat.drafts.set(self.target, value.clone());
        self.note.set(None);
        self.held.set(false);
        self.later.forget();
        self.text.set(value);
    }

    fn typed(self, value: String) {
        self.write(value);
        if !self.text.with_untracked(|text| text.trim().is_empty()) {
            self.chat.say_typing(self.target);
        }
        self.look();
    }

    /// Looks whether a name is being typed.
    fn look(self) {
        let caret = self.area.get_untracked().and_then(|area| area.selection_start().ok().flatten()).unwrap_or(0);
        let caret = caret as usize;
        let found = self.text.with_untracked(|text| beginning(text, caret));
        let offered = found.and_then(|(at, typed)| {
            let members = self.chat.people.members(self.channel.get_untracked()?.id);
            let me = self.chat.me.with_untracked(|me| me.role);
            let names = members.with_untracked(|members| names(members, &typed, me));
            let whole = names.iter().any(|name| name.eq_ignore_ascii_case(&typed));
            Some(Offer { names, chosen: 0, whole, at, caret })
        });
        self.offer.set(offered.unwrap_or_default());
    }

    fn choose(self, name: &str) {
        let Offer { at, caret, .. } = self.offer.get_untracked();
        let (value, caret) = self.text.with_untracked(|text| complete(text, at, caret, name));
        self.write(value.clone());
        self.offer.set(Offer::default());
        if let Some(area) = self.area.get_untracked() {
            area.set_value(&value);
            let caret = u32::try_from(caret).unwrap_or(0);
            let _ = area.set_selection_range(caret, caret);
            let _ = area.focus();
        }
    }

    fn send(self) {
        let typed = self.text.get_untracked();
        let trimmed = typed.trim();
        let length = trimmed.chars().count();
        let (uploads, carrier) = (self.chat.uploads, Carrier::Next(self.target));
        let files = untrack(|| uploads.any(carrier));
        if length == 0 && !files {
            return;
        }
        if length > *MESSAGE_CHARS.end() {
            self.note.set(Some(format!("That's {length} characters; a message has at most 4,000.")));
            return;
        }
        if untrack(|| uploads.stuck(carrier)) {
            self.note.set(Some(STUCK.into()));
            return;
        }
        let Some(files) = untrack(|| uploads.ready(carrier)) else {
            self.note.set(None);
            self.held.set(true);
            return;
        };
        if self.chat.send_with(self.target, trimmed, files).is_some() {
            uploads.clear(carrier);
            self.write(String::new());
            self.offer.set(Offer::default());
            self.on_sent.run(());
        } else {
            self.note.set(Some("Too much is waiting to be sent. Wait until you are connected again.".into()));
        }
    }

    fn key(self, event: &ev::KeyboardEvent) {
        // While an input method is composing, keys belong to it.
        if event.is_composing() {
            return;
        }
        let chat = self.chat;
        let Offer { names, chosen, whole, .. } = self.offer.get_untracked();
        let offered = !names.is_empty() && !event.shift_key();
        let step = |by: usize| self.offer.update(|offer| offer.chosen = (chosen + by) % names.len());
        match event.key().as_str() {
            "ArrowDown" if offered => step(1),
            "ArrowUp" if offered => step(names.len() - 1),
            "Tab" if offered => self.choose(&names[chosen]),
            "Enter" if offered && !whole => self.choose(&names[chosen]),
            "Escape" if offered => self.offer.set(Offer::default()),
            "Escape" if chat.replying.with_untracked(Option::is_some) => chat.replying.set(None),
            "Enter" if !event.shift_key() => self.send(),
            "ArrowUp" if self.text.with_untracked(String::is_empty) => edit_last(chat, self.target),
            _ => return,
        }
        event.prevent_default();
    }
}

/// Where one writes. Enter sends, Shift+Enter breaks the line.
#[component]
pub fn Composer(
    target: Target,
    channel: Memo<Option<Channel>>,
    /// What it is called: `#general`, or somebody's name.
    label: String,
    #[prop(into)] on_sent: Callback<()>,
) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let to = label.clone();
    let label = format!("Message {label}");
    let (text, note, offer) = (RwSignal::new(String::new()), RwSignal::new(None), RwSignal::new(Offer::default()));
    let area = NodeRef::<html::Textarea>::new();
    let held = RwSignal::new(false);
    let later = later(chat, target, text);
    let writing = Writing { chat, target, channel, text, note, offer, area, on_sent, held, later };
    let (uploads, carrier) = (chat.uploads, Carrier::Next(target));
    let attaching = Attaching { uploads, carrier, note };
    effect(move || {
        let (arrived, stuck) = (uploads.ready(carrier).is_some(), uploads.stuck(carrier));
        if held.get() && (arrived || stuck) {
            held.set(false);
            writing.send();
        }
    });
    // Until the page is awake nothing typed could be sent: better to say so than to lose it.
    let awake = RwSignal::new(false);
    effect(move || {
        text.set(chat.drafts.of(target));
        chat.drafts.follow(target, text);
        awake.set(true);
    });
    let has_mouse = move || window().match_media("(pointer: fine)").ok().flatten().is_some_and(|query| query.matches());
    effect(move || {
        // Answering something begins with writing.
        let answering = chat.replying.read().is_some();
        if awake.get()
            && (answering || has_mouse())
            && let Some(area) = area.get()
        {
            area.set_disabled(false);
            let _ = area.focus();
        }
    });
    // A memo, not only a signal: the page stays in sight when it is gone, and files still arrive.
    let empty = Memo::new(move |_| !awake.get() || (text.read().trim().is_empty() && !uploads.any(carrier)));
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        writing.send();
        // The button is switched off as soon as nothing is left to send, and would take the focus with it.
        if let Some(area) = area.get_untracked() {
            let _ = area.focus();
        }
    };
    // After a click on a name has chosen it.
    let left = move |_| set_timeout(move || _ = offer.try_set(Offer::default()), Duration::from_millis(150));
    let chosen =
        move || offer.with(|offer| (!offer.names.is_empty()).then(|| format!("composer-name-{}", offer.chosen)));
    view! {
        <DropZone attaching label=to/>
        <form class="composer" on:submit=submit>
            <Answering target/>
            <Previews carrier words=".composer textarea".to_owned()/>
            {changing(move || offered(&offer.get(), &writing))}
            <textarea node_ref=area rows="1" class="composer-text" aria-label=label.clone() placeholder=label
                disabled=move || !awake.get() prop:value=move || text.get() on:blur=left
                on:input=move |event| writing.typed(event_target_value(&event))
                on:keydown=move |event| writing.key(&event) on:paste=move |event| attaching.pasted(&event) enterkeyhint="send" aria-describedby="composer-note"
                aria-autocomplete="list" aria-controls="composer-names" aria-activedescendant=chosen></textarea>
            <div class="flex items-center gap-2 px-2 pb-2">
                <AttachButton attaching disabled=Signal::derive(move || !awake.get())/>
                <p id="composer-note" role="status" class="px-1.5 text-[13px] text-alert">{note}</p>
                <When when=held><p role="status" class="text-[13px] text-soft">"Sends once its files are there."</p></When>
                <noscript><p class="px-1.5 text-[13px] text-soft">"Writing needs JavaScript; reading doesn't."</p></noscript>
                <Promised later/>
                <span class="ml-auto"><SendLaterButton later disabled=empty/></span>
                // The words keep the focus when it is pressed: a phone's keyboard would go, and come again.
                <button type="submit" class=PRIMARY aria-label="Send" disabled=empty on:mousedown=move |event| event.prevent_default()>
                    <Icon icon=icondata_lu::LuSendHorizontal/>
                    <span class="max-sm:hidden">"Send"</span>
                </button>
            </div>
        </form>
        <TimePicker picking=later.picking title="Send later"/>
    }
    .into_any()
}

/// How what is being written is sent later.
fn later(chat: Chat, target: Target, text: RwSignal<String>) -> SendLater {
    let (uploads, carrier) = (chat.uploads, Carrier::Next(target));
    let take = Callback::new(move |()| {
        if untrack(|| uploads.stuck(carrier)) {
            return Err(STUCK.to_owned());
        }
        let files = untrack(|| uploads.ready(carrier)).ok_or("Its files aren't there yet. Wait a moment.")?;
        Ok(Words { text: text.get_untracked(), attachments: files.into_iter().map(|file| file.id).collect() })
    });
    let done = Callback::new(move |()| {
        uploads.clear(carrier);
        chat.drafts.set(target, String::new());
        text.set(String::new());
    });
    SendLater::new(chat, target, take, done)
}

/// The list of names, above what is being typed.
fn offered(offer: &Offer, writing: &Writing) -> AnyView {
    let writing = *writing;
    if offer.names.is_empty() {
        return ().into_any();
    }
    let option = |(at, name): (usize, &String)| {
        let name = name.clone();
        let shown = format!("@{name}");
        view! {
            <li role="option" id=format!("composer-name-{at}") class="option"
                aria-selected=if at == offer.chosen { "true" } else { "false" }
                on:pointerdown=move |event| { event.prevent_default(); writing.choose(&name); }>{shown}</li>
        }
    };
    let options = offer.names.iter().enumerate().map(option).collect_view();
    view! { <ul role="listbox" id="composer-names" aria-label="People" class="options">{options}</ul> }.into_any()
}

/// What the message will answer, and the way out of that.
#[component]
fn Answering(target: Target) -> impl IntoView {
    let chat = expect_context::<Chat>();
    changing(move || match chat.replying.get().filter(|(to, _)| *to == target) {
        Some((_, message)) => view! {
            <p class="flex items-center gap-2 pl-3.5 pr-1 pt-1 text-[13px] text-soft">
                <span class="min-w-0 truncate">
                    "Replying to " <b><Name username=message.sender.username.clone()/></b> ": " {said(&message, 100)}
                </span>
                <button type="button" class=format!("{GHOST} ml-auto") aria-label="Don't reply"
                    on:click=move |_| chat.replying.set(None)>
                    <Icon icon=icondata_lu::LuX/>
                </button>
            </p>
        }
        .into_any(),
        None => ().into_any(),
    })
}

/// Begins to edit the last thing one said.
fn edit_last(chat: Chat, target: Target) {
    let me = chat.me.with_untracked(|me| me.id);
    let Some(timeline) = chat.timeline(target) else { return };
    let own = |message: &&natter::Message| message.sender.id == me && !message.deleted;
    let last = timeline.with_untracked(|timeline| timeline.messages().rev().find(own).cloned());
    if let Some(last) = last {
        chat.editing.begin(&last);
        chat.editing.from_composer.set_value(true);
    }
}
