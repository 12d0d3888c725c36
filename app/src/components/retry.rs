use crate::{
    components::ui::SECONDARY,
    state::{Chat, Link},
};
use leptos::{ev, prelude::*};

/// The way to have again what couldn't be had. Once the connection is back, it is tried without being asked.
#[component]
pub fn Retry(again: Callback<()>) -> impl IntoView {
    let chat = expect_context::<Chat>();
    Effect::new(move |before: Option<()>| {
        // Each connection that is ready says so, also if nobody noticed that the one before was gone.
        if chat.link.get() == Link::Up && before.is_some() {
            again.run(());
        }
    });
    let online = window_event_listener(ev::online, move |_| again.run(()));
    on_cleanup(move || online.remove());
    view! { <button type="button" class=SECONDARY on:click=move |_| again.run(())>"Retry"</button> }.into_any()
}
