use crate::{
    components::ui::Name,
    state::{Chat, Target, target_of},
};
use leptos::prelude::*;
use leptos_router::components::A;
use natter::{ChannelId, ChannelKind};

/// Where a message goes, as far as it is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    pub name: String,
    kind: ChannelKind,
    pub target: Target,
    pub may_post: bool,
}

impl Place {
    pub fn address(&self) -> String {
        match self.kind {
            ChannelKind::Channel => format!("/channels/{}", self.name),
            ChannelKind::Direct => format!("/direct/{}", self.name),
        }
    }
}

/// None where one isn't, or not any more.
pub fn place_of(chat: Chat, id: ChannelId) -> Memo<Option<Place>> {
    Memo::new(move |_| {
        let channel = chat.channel(id)?;
        Some(Place {
            name: channel.label().to_owned(),
            kind: channel.kind,
            target: target_of(&channel),
            may_post: chat.me.read().role.can_post(channel.access()),
        })
    })
}

/// The way there, or as much as is known of where it was to go.
pub fn show(place: Option<Place>) -> AnyView {
    let Some(place) = place else {
        return view! { <span class="text-soft">"Where you aren't any more"</span> }.into_any();
    };
    match place.kind {
        ChannelKind::Channel => {
            view! { <A href=place.address() attr:class="link">{format!("#{}", place.name)}</A> }.into_any()
        }
        ChannelKind::Direct => view! { <span class="font-semibold"><Name username=place.name/></span> }.into_any(),
    }
}
