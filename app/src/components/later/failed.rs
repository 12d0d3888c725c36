use super::{
    desk::Desk,
    entry::{excerpt, files},
    place::{Place, place_of, show},
};
use crate::{
    components::ui::{Icon, PostForm, SECONDARY, changing},
    state::{Chat, Zone},
};
use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};
use natter::{Scheduled, markdown};

/// A message that wasn't sent, and why.
#[component]
pub fn Failed(one: Scheduled, desk: Desk) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let zone = expect_context::<Zone>();
    let to = place_of(chat, one.channel_id);
    let (id, at, about) = (one.id, one.send_at, excerpt(&one));
    let (again_name, discard_name) = (format!("Write again “{about}”"), format!("Discard “{about}”"));
    let navigate = use_navigate();
    let again = one.clone();
    let write = Callback::new(move |place: Place| {
        let (navigate, address) = (navigate.clone(), place.address());
        desk.write_again(again.clone(), place.target, move || navigate(&address, NavigateOptions::default()));
    });
    let again = move || {
        let Some(place) = to.get().filter(|place| place.may_post) else { return ().into_any() };
        view! {
            <button type="button" class=SECONDARY aria-label=again_name.clone()
                on:click=move |_| write.run(place.clone())>"Write again"</button>
        }
        .into_any()
    };
    view! {
        <li id=format!("scheduled-{id}") tabindex="-1" class="later-entry later-failed">
            <p class="later-head">
                {changing(move || show(to.get()))}
                <time class="text-soft" datetime=at.to_string() title=move || zone.full(at)>
                    {Signal::derive(move || zone.moment(at))}
                </time>
            </p>
            <p class="later-reason">
                <Icon icon=icondata_lu::LuCircleAlert/>
                <span>"Not sent. " {one.failure.clone()}</span>
            </p>
            <div class="message-text" inner_html=markdown::html(&one.text)></div>
            {files(&one)}
            <div class="later-acts">
                {changing(again)}
                <PostForm post=desk.cancel>
                    <input type="hidden" name="id" value=id.to_string()/>
                    <button type="submit" class=SECONDARY aria-label=discard_name>"Discard"</button>
                </PostForm>
            </div>
        </li>
    }
    .into_any()
}
