use crate::{
    components::ui::{DANGER, FormError, Post, PostForm, SECONDARY, changing, effect, hide, light, make_modal},
    state::Chat,
};
use leptos::{html, prelude::*};
use natter::{Channel, ChannelId, Visibility};

/// The ways out of channels: at once where one can come back, else after being asked.
#[derive(Clone, Copy)]
pub struct Leaving {
    pub post: Post,
    asking: RwSignal<Option<Channel>>,
    /// What one is about to be out of.
    going: StoredValue<Option<ChannelId>>,
}

impl Leaving {
    pub fn new() -> Self {
        let asking = RwSignal::new(None);
        let post = Post::new("/api/fn/leave_channel", move |_| _ = asking.try_set(None));
        Self { post, asking, going: StoredValue::default() }
    }

    pub fn begin(self, id: ChannelId) {
        self.going.set_value(Some(id));
    }

    /// Whether one has just got out of a channel by this; true once.
    pub fn is_done(self, joined: impl Fn(ChannelId) -> bool) -> Option<ChannelId> {
        let gone = self.going.get_value().filter(|id| !joined(*id))?;
        self.going.set_value(None);
        Some(gone)
    }
}

/// The button, with what it sends. Before the page is awake nothing asks.
pub fn leave(leaving: Leaving, channel: &Channel, words: String) -> AnyView {
    let (id, label) = (channel.id, format!("Leave #{}", channel.label()));
    let input = view! { <input type="hidden" name="id" value=id.to_string()/> };
    if channel.visibility == Visibility::Public {
        return view! {
            <PostForm post=leaving.post>
                {input}
                <button type="submit" class=SECONDARY aria-label=label on:click=move |_| leaving.begin(id)>{words}</button>
            </PostForm>
        }
        .into_any();
    }
    let channel = channel.clone();
    view! {
        <form method="post" action="/api/fn/leave_channel"
            on:submit=move |event| { event.prevent_default(); leaving.asking.set(Some(channel.clone())); }>
            {input}
            <button type="submit" class=SECONDARY aria-label=label aria-haspopup="dialog">{words}</button>
        </form>
    }
    .into_any()
}

/// Asks before somebody gets out of where only others can let them in again.
#[component]
pub fn AskToLeave(leaving: Leaving) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let dialog = NodeRef::<html::Dialog>::new();
    let asking = leaving.asking;
    effect(move || {
        let about = asking.read().as_ref().map(|channel| channel.id);
        // It may have been lost meanwhile.
        let here = about.is_some_and(|id| chat.channel(id).is_some());
        match dialog.get() {
            Some(dialog) if here => make_modal(&dialog),
            _ => hide(dialog),
        }
    });
    let (down, click) = light(dialog);
    view! {
        <dialog node_ref=dialog class="dialog" aria-labelledby="leave-title" on:pointerdown=down on:click=click
            on:close=move |_| asking.set(None)>
            {changing(move || asking.get().map(|channel| question(&channel, leaving, dialog)).into_any())}
        </dialog>
    }
    .into_any()
}

fn question(channel: &Channel, leaving: Leaving, dialog: NodeRef<html::Dialog>) -> AnyView {
    let id = channel.id;
    view! {
        <div class="p-5">
            <h2 id="leave-title" class="mb-2 text-base font-[650] tracking-tight">{format!("Leave #{}?", channel.label())}</h2>
            <p class="mb-5 text-soft">"This channel is private: only an admin can let you in again."</p>
            <FormError message=leaving.post.rest(&[])/>
            <PostForm post=leaving.post>
                <input type="hidden" name="id" value=id.to_string()/>
                <div class="flex justify-end gap-2">
                    <button type="button" class=SECONDARY autofocus=true on:click=move |_| hide(dialog)>"Cancel"</button>
                    <button type="submit" class=DANGER on:click=move |_| leaving.begin(id)>"Leave channel"</button>
                </div>
            </PostForm>
        </div>
    }
    .into_any()
}
