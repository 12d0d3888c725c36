use crate::{
    api::Failure,
    components::ui::{Post, focus_is_lost},
};
use leptos::{prelude::*, task::spawn_local, wasm_bindgen::JsCast as _};

/// The part of a page that scrolls; it can have the focus.
pub const PAGE: &str = "admin-page";

/// A form that changes something of a list, and each entry of which has one.
#[derive(Clone, Copy)]
pub struct Deed {
    pub post: Post,
    path: &'static str,
}

/// What an admin page says of what was done on it.
#[derive(Clone, Copy, Default)]
pub struct Told {
    line: RwSignal<Option<String>>,
    /// What `line` will say when the form on its way has succeeded.
    next: StoredValue<String>,
    /// The form that was sent last: what went wrong with another one is past. None before the first.
    latest: RwSignal<Option<&'static str>>,
    /// The id of the entry that it stands in.
    entry: StoredValue<String>,
    /// What the next page is to say.
    carried: StoredValue<Option<String>>,
}

impl Told {
    pub fn line(self) -> Signal<Option<String>> {
        self.line.into()
    }

    pub fn say(self, words: impl Into<String>) {
        self.line.set(Some(words.into()));
    }

    /// Says something on the page that is about to be opened.
    pub fn say_there(self, words: String) {
        self.carried.set_value(Some(words));
    }

    /// A page is opened: what was done on the one before is past.
    pub fn arrive(self) {
        self.line.set(self.carried.try_update_value(Option::take).flatten());
        self.latest.set(None);
    }

    /// A form's way to a server function; `reload` runs when it has succeeded.
    pub fn deed(self, path: &'static str, reload: impl Fn() + Send + Sync + 'static) -> Deed {
        let post = Post::new(path, move |_| {
            // The page may be gone by now: whoever takes the role of an admin from themselves loses it.
            if let Some(words) = self.next.try_get_value() {
                self.say(words);
                reload();
            }
        });
        Deed { post, path }
    }

    /// Such a form is about to be sent, from an entry of the list. `says`: what is said when it has succeeded.
    pub fn begin(self, deed: Deed, entry: &str, says: &str) {
        self.line.set(None);
        self.next.set_value(says.into());
        self.entry.set_value(entry.into());
        self.latest.set(Some(deed.path));
    }

    /// Whatever went wrong is past.
    pub fn forget(self) {
        self.latest.set(Some(""));
    }

    /// What went wrong with the latest of these.
    pub fn trouble(self, deeds: impl IntoIterator<Item = Deed>) -> Signal<Option<String>> {
        let deeds: Vec<_> = deeds.into_iter().map(|deed| (deed.path, deed.post, deed.post.rest(&[]))).collect();
        Signal::derive(move || {
            let latest = self.latest.get();
            let of_now = |path| latest.is_none_or(|latest| latest == path);
            let words = |(path, post, words): &(&'static str, Post, Signal<Option<String>>)| {
                (of_now(*path) && !post.pending.get()).then(|| words.get()).flatten()
            };
            deeds.iter().find_map(words)
        })
    }

    /// Loads again what a page shows, after a change to it.
    pub fn reload<T: Send + Sync + 'static>(
        self,
        shown: RwSignal<T>,
        load: impl Future<Output = Result<T, Failure>> + 'static,
    ) {
        spawn_local(async move {
            match load.await {
                Ok(fresh) => _ = shown.try_set(fresh),
                Err(failure) => _ = self.line.try_set(Some(failure.to_string())),
            }
            request_animation_frame(move || self.keep_focus());
        });
    }

    /// What was done has led here.
    pub fn keep_focus_if_done(self) {
        if self.line.with_untracked(Option::is_some) {
            request_animation_frame(move || self.keep_focus());
        }
    }

    /// What had the focus may have gone with the change, or have become the button of whoever moved up. Then its
    /// entry has it, or where that is gone as well the heading above, or the whole page: nobody starts again at the
    /// top, and a second Enter does nothing to somebody else.
    fn keep_focus(self) {
        let document = document();
        let entry = self.entry.try_get_value().unwrap_or_default();
        let at = document.active_element();
        let within = |selector: &str| at.as_ref().and_then(|at| at.closest(selector).ok().flatten());
        let strayed = within(".entry").is_some_and(|other| other.id() != entry);
        let heading = || document.query_selector(&format!("#{PAGE} h2[tabindex]")).ok().flatten();
        let next = document.get_element_by_id(&entry).or_else(heading).or_else(|| document.get_element_by_id(PAGE));
        if (strayed || focus_is_lost())
            && let Some(next) = next.and_then(|next| next.dyn_into::<web_sys::HtmlElement>().ok())
        {
            let _ = next.focus();
        }
    }
}
