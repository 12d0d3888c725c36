use super::{
    desk::Desk,
    entry::{excerpt, files},
    place::place,
};
use crate::{
    components::ui::{Icon, PostForm, SECONDARY},
    state::{Chat, Zone, target_of},
};
use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};
use natter::{ChannelKind, Scheduled, markdown};

/// A message that wasn't sent, and why.
#[component]
pub fn Failed(one: Scheduled, desk: Desk) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let zone = expect_context::<Zone>();
    let (id, at, about) = (one.id, one.send_at, excerpt(&one));
    let again =
        chat.channel(one.channel_id).filter(|channel| untrack(|| chat.me.read().role.can_post(channel.access())));
    let navigate = use_navigate();
    let text = one.text.clone();
    let again = again.map(|channel| {
        let write = move |_| {
            let (target, name) = (target_of(&channel), channel.label());
            let draft = chat.draft(target);
            chat.set_draft(target, format!("{draft}\n{text}").trim().to_owned());
            let address = match channel.kind {
                ChannelKind::Channel => format!("/channels/{name}"),
                ChannelKind::Direct => format!("/direct/{name}"),
            };
            desk.discard(id);
            navigate(&address, NavigateOptions::default());
        };
        view! {
            <button type="button" class=SECONDARY aria-label=format!("Write again “{about}”") on:click=write>"Write again"</button>
        }
    });
    let about = excerpt(&one);
    view! {
        <li id=format!("scheduled-{id}") tabindex="-1" class="later-entry later-failed">
            <p class="later-head">
                {place(chat, one.channel_id)}
                <time class="text-soft" datetime=at.to_string() title=move || zone.full(at)>{move || zone.moment(at)}</time>
            </p>
            <p class="later-reason"><Icon icon=icondata_lu::LuCircleAlert/> <span>"Not sent. " {one.failure.clone()}</span></p>
            <div class="message-text" inner_html=markdown::html(&one.text)></div>
            {files(&one)}
            <div class="later-acts">
                {again}
                <PostForm post=desk.cancel>
                    <input type="hidden" name="id" value=id.to_string()/>
                    <button type="submit" class=SECONDARY aria-label=format!("Discard “{about}”")>"Discard"</button>
                </PostForm>
            </div>
        </li>
    }
    .into_any()
}
