use crate::{components::ui::Name, state::Chat};
use leptos::prelude::*;
use leptos_router::components::A;
use natter::{ChannelId, ChannelKind};

/// Where a message goes: the way there, or as much as is known of where it was to go.
pub fn place(chat: Chat, id: ChannelId) -> AnyView {
    let Some(channel) = chat.channel(id) else {
        return view! { <span class="text-soft">"Where you aren't any more"</span> }.into_any();
    };
    let name = channel.label().to_owned();
    match channel.kind {
        ChannelKind::Channel => {
            view! { <A href=format!("/channels/{name}") attr:class="link">{format!("#{name}")}</A> }.into_any()
        }
        ChannelKind::Direct => view! { <span class="font-semibold"><Name username=name/></span> }.into_any(),
    }
}
