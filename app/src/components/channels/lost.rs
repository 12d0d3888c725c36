use crate::{
    components::ui::{PRIMARY, SECONDARY, effect, land},
    state::{Chat, Loss},
};
use leptos::prelude::*;
use leptos_router::{NavigateOptions, components::A, hooks::use_navigate};
use std::time::Duration;

/// Whoever was in a channel that is gone is taken elsewhere, after time enough to read why.
const MOVE_ON: Duration = Duration::from_secs(8);

/// Tells somebody kindly that the channel they were reading is gone for them.
#[component]
pub fn Lost(
    name: String,
    loss: Loss,
    /// A way back, where there is one.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let navigate = use_navigate();
    // What had the focus is gone with the channel.
    effect(land);
    effect(move || {
        let navigate = navigate.clone();
        let moving = set_timeout_with_handle(move || navigate("/", NavigateOptions::default()), MOVE_ON);
        on_cleanup(move || moving.into_iter().for_each(|moving| moving.clear()));
    });
    let (title, detail) = match loss {
        Loss::Left => (format!("You aren't in #{name} any more."), "You can join again."),
        Loss::Deleted => (format!("#{name} was deleted."), "What was said in it is gone as well."),
        Loss::Closed => (format!("You can't read #{name} any more."), "You were taken out of it, or it was deleted."),
    };
    on_cleanup(move || chat.places.forget(&name));
    let looks = if children.is_some() { SECONDARY } else { PRIMARY };
    view! {
        <div class="grid place-items-center flex-1 p-6 text-center">
            <div>
                <p role="alert" class="mb-1 text-lg font-[650] tracking-tight">{title}</p>
                <p class="mb-5 text-soft">{detail} " Catch up opens in a few seconds."</p>
                <div class="flex flex-wrap justify-center gap-3">
                    {children.map(|children| children())}
                    <A href="/" attr:class=looks>"Go to Catch up"</A>
                </div>
            </div>
        </div>
    }
    .into_any()
}
