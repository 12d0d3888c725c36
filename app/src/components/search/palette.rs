use super::{
    entries::{Entry, entries},
    hit::{OPERATORS, label, words},
};
use crate::{
    api,
    components::ui::{Avatar, Dialog, Icon, changing, hide},
    state::Chat,
};
use leptos::{ev, html, prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use natter::{User, search::Hit};
use std::time::Duration;

pub const SEARCH: &str = "search";
const LIST: &str = "search-entries";

/// How long one has to stop typing before it is searched.
const PAUSE: Duration = Duration::from_millis(150);

/// What is typed, what was found for it, and which of it is meant.
#[derive(Clone, Copy)]
struct Finding {
    chat: Chat,
    query: RwSignal<String>,
    people: RwSignal<Vec<User>>,
    hits: RwSignal<Vec<Hit>>,
    entries: Memo<Vec<Entry>>,
    active: RwSignal<usize>,
}

impl Finding {
    fn new(chat: Chat) -> Self {
        let query = RwSignal::new(String::new());
        let (people, hits) = (RwSignal::new(Vec::<User>::new()), RwSignal::new(Vec::<Hit>::new()));
        let entries = Memo::new(move |_| entries(chat, &query.read(), &people.read(), &hits.read()));
        Self { chat, query, people, hits, entries, active: RwSignal::new(0) }
    }

    fn typed(self, words: String) {
        self.active.set(0);
        self.query.set(words.clone());
        if words.trim().is_empty() {
            self.people.set(Vec::new());
            self.hits.set(Vec::new());
            return;
        }
        set_timeout(
            move || {
                if self.query.try_get_untracked().is_some_and(|now| now == words) {
                    self.look(words);
                }
            },
            PAUSE,
        );
    }

    /// Asks for people and messages; what was typed since has its own answer.
    fn look(self, words: String) {
        let current = move |words: &String| self.query.try_with_untracked(|now| now == words) == Some(true);
        let name = words.trim().trim_start_matches('@').to_owned();
        let asked = words.clone();
        spawn_local(async move {
            let people = api::people(name, String::new()).await.unwrap_or_default();
            if current(&asked) {
                self.people.set(people);
            }
        });
        spawn_local(async move {
            // What isn't a query yet, such as half a date, finds nothing yet.
            let hits = api::search(words.trim().to_owned(), None).await.map(|page| page.items).unwrap_or_default();
            if current(&words) {
                self.hits.set(hits);
            }
        });
    }

    /// Opened anew: nothing is typed. Channels that one isn't in are asked for, once.
    fn begin(self, typed: String) {
        if typed != *self.query.read_untracked() {
            self.typed(typed);
        }
        let directory = self.chat.directory;
        if directory.with_untracked(Option::is_none) {
            spawn_local(async move {
                if let Ok(channels) = api::browse_channels().await {
                    directory.try_set(Some(channels));
                }
            });
        }
    }

    fn step(self, back: bool) {
        let count = self.entries.read_untracked().len();
        if count == 0 {
            return;
        }
        self.active.update(|at| *at = if back { (*at + count - 1) % count } else { (*at + 1) % count });
        let id = format!("#{}", option_id(self.active.get_untracked()));
        request_animation_frame(move || {
            if let Ok(Some(option)) = document().query_selector(&id) {
                let options = web_sys::ScrollIntoViewOptions::new();
                options.set_block(web_sys::ScrollLogicalPosition::Nearest);
                option.scroll_into_view_with_scroll_into_view_options(&options);
            }
        });
    }
}

fn option_id(at: usize) -> String {
    format!("search-entry-{at}")
}

/// Ctrl+K, or Cmd+K, opens the palette, and closes it.
fn shortcut(dialog: NodeRef<html::Dialog>) {
    let pressed = window_event_listener(ev::keydown, move |event| {
        let plain = !event.alt_key() && !event.shift_key() && (event.ctrl_key() || event.meta_key());
        if !plain || !event.key().eq_ignore_ascii_case("k") {
            return;
        }
        event.prevent_default();
        let Some(node) = dialog.get_untracked() else { return };
        if node.open() {
            hide(dialog);
        } else if document().query_selector("dialog:modal").ok().flatten().is_none() {
            let _ = node.show_modal();
        }
    });
    on_cleanup(move || pressed.remove());
}

/// One box for channels, people and messages.
#[component]
pub fn Palette(node_ref: NodeRef<html::Dialog>) -> impl IntoView {
    let finding = Finding::new(expect_context::<Chat>());
    let navigate = StoredValue::new(use_navigate());
    shortcut(node_ref);
    let go = move |address: String| {
        hide(node_ref);
        navigate.with_value(|navigate| navigate(&address, NavigateOptions::default()));
    };
    let meant = move || address_of(finding, finding.active.get_untracked());
    let pressed = move |event: ev::KeyboardEvent| {
        if event.is_composing() {
            return;
        }
        match event.key().as_str() {
            "ArrowDown" => finding.step(false),
            "ArrowUp" => finding.step(true),
            // Else browsers empty the field first, and only the next one closes.
            "Escape" => hide(node_ref),
            _ => return,
        }
        event.prevent_default();
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        meant().into_iter().for_each(go);
    };
    let active = move || {
        let at = finding.active.get();
        (at < finding.entries.read().len()).then(|| option_id(at))
    };
    view! {
        <Dialog id=SEARCH title="Search" node_ref=node_ref>
            <form method="get" action="/search" role="search" on:submit=submit>
                <label class="relative block">
                    <span class="sr-only">"Search messages, channels and people"</span>
                    <span class="absolute left-3 inset-y-0 grid items-center text-faint"><Icon icon=icondata_lu::LuSearch/></span>
                    <input type="search" name="q" role="combobox" aria-autocomplete="list" aria-expanded="true" aria-controls=LIST
                        aria-activedescendant=active placeholder="Messages, channels, people" autocomplete="off" autofocus=true
                        enterkeyhint="search" maxlength=natter::search::QUERY_MAX_CHARS class="search-field focus-ring"
                        on:focus=move |event| finding.begin(event_target_value(&event))
                        on:input=move |event| finding.typed(event_target_value(&event)) on:keydown=pressed/>
                </label>
            </form>
            <div class="palette">
                <ul id=LIST role="listbox" aria-label="Suggestions">
                    {changing(move || options(finding, Callback::new(go)))}
                </ul>
                {changing(move || finding.query.read().trim().is_empty().then(|| view! { <Hints/> }).into_any())}
            </div>
        </Dialog>
    }
    .into_any()
}

fn options(finding: Finding, go: Callback<String>) -> AnyView {
    let entries = finding.entries.get();
    let mut above = None;
    let rows = entries.into_iter().enumerate().map(|(at, entry)| {
        let heading = entry.heading().filter(|_| entry.heading() != above);
        above = entry.heading();
        let heading = heading.map(|words| view! { <li role="presentation" class="palette-heading">{words}</li> });
        view! {
            {heading}
            <li id=option_id(at) role="option" class="palette-entry" aria-selected=move || if finding.active.get() == at { "true" } else { "false" }
                on:click=move |_| address_of(finding, at).into_iter().for_each(|to| go.run(to)) on:pointermove=move |_| finding.active.set(at)>
                {shown(&entry, finding)}
            </li>
        }
    });
    rows.collect_view().into_any()
}

/// Where an entry leads, for what is typed by now.
fn address_of(finding: Finding, at: usize) -> Option<String> {
    let query = finding.query.get_untracked();
    finding.entries.read_untracked().get(at).map(|entry| entry.address(&query))
}

fn shown(entry: &Entry, finding: Finding) -> AnyView {
    match entry {
        Entry::All => {
            let words = Signal::derive(move || format!("Messages with “{}”", finding.query.read().trim()));
            view! { <Icon icon=icondata_lu::LuSearch/> <span class="truncate">{words}</span> <kbd aria-hidden="true">"Enter"</kbd> }
                .into_any()
        }
        Entry::Channel { name, private } => {
            let icon = if *private { icondata_lu::LuLock } else { icondata_lu::LuHash };
            view! { <Icon icon/> <span class="truncate">{name.clone()}</span> }.into_any()
        }
        Entry::Person(user) => {
            view! { <Avatar user=user.clone() small=true/> <span class="truncate">{user.username.clone()}</span> }
                .into_any()
        }
        Entry::Message(hit) => {
            let about = format!("{} in {}", hit.message.sender.username, label(&hit.channel));
            let text = words(hit, &finding.query.get_untracked());
            view! {
                <Avatar user=hit.message.sender.clone() small=true/>
                <span class="min-w-0">
                    <span class="palette-text">{text}</span>
                    <span class="palette-about">{about}</span>
                </span>
            }
            .into_any()
        }
    }
}

#[component]
fn Hints() -> impl IntoView {
    let one = |(operator, what): (&'static str, &'static str)| {
        view! { <div><dt><code>{operator}</code></dt> <dd>{what}</dd></div> }
    };
    view! { <dl class="search-hints" aria-label="What else can be asked">{OPERATORS.map(one).collect_view()}</dl> }
        .into_any()
}
