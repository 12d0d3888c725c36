use crate::{
    components::ui::{GHOST, Icon, Post, PostForm, changing, effect},
    state::Chat,
};
use leptos::prelude::*;
use natter::Channel;

/// Keeps a conversation quiet, or not any more.
#[component]
pub fn MuteButton(
    channel: Memo<Option<Channel>>,
    /// What it is called: `#general`, or somebody's name.
    label: String,
) -> impl IntoView {
    let chat = expect_context::<Chat>();
    // The live connection says that it is so, here and on other devices.
    let post = Post::new("/api/fn/set_muted", |_| ());
    let problem = post.rest(&[]);
    effect(move || {
        if let Some(words) = problem.get() {
            chat.notice.set(Some(words));
        }
    });
    let id = Memo::new(move |_| channel.with(|channel| channel.as_ref().map(|channel| channel.id)));
    let muted = Memo::new(move |_| channel.with(|channel| channel.as_ref().is_some_and(Channel::is_muted)));
    let name = Signal::derive(move || if muted.get() { format!("Unmute {label}") } else { format!("Mute {label}") });
    let icon = move || {
        let icon = if muted.get() { icondata_lu::LuBellOff } else { icondata_lu::LuBell };
        view! { <Icon icon/> }.into_any()
    };
    let icon = StoredValue::new(icon);
    changing(move || {
        let Some(id) = id.get() else { return ().into_any() };
        view! {
            <PostForm post>
                <input type="hidden" name="id" value=id.to_string()/>
                <input type="hidden" name="muted" value=move || (!muted.get()).to_string()/>
                <button type="submit" class=GHOST aria-label=name title=name>{changing(icon.get_value())}</button>
            </PostForm>
        }
        .into_any()
    })
}
