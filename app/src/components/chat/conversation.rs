use super::{Composer, Log, Opening, Typing};
use crate::state::{Chat, Target};
use leptos::prelude::*;
use natter::{Channel, PostPolicy, Timeline};

/// Messages, who is writing, and where one writes: the same for channels and for two people.
#[component]
pub fn Conversation(
    target: Target,
    /// As it is now; None while there is none yet.
    channel: Memo<Option<Channel>>,
    /// What it is called: `#general`, or somebody's name.
    label: String,
    opening: Opening,
    timeline: ArcRwSignal<Timeline>,
) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let to_end = RwSignal::new(0);
    // Whoever may open a conversation that isn't there yet may write in it.
    let policy = Memo::new(move |_| {
        let role = chat.me.read().role;
        channel.with(|channel| {
            channel.as_ref().filter(|channel| !role.can_post(channel.access())).map(|it| it.post_policy)
        })
    });
    let name = label.clone();
    let below = move || match policy.get() {
        Some(policy) => read_only(policy, chat.drafts.any(target)),
        None => view! {
            <Composer target channel label=name.clone() on_sent=move |()| to_end.update(|n| *n += 1)/>
        }
        .into_any(),
    };
    view! {
        <Log target channel label opening timeline to_end/>
        <Typing channel/>
        {crate::components::ui::changing(below)}
    }
    .into_any()
}

fn read_only(policy: PostPolicy, begun: bool) -> AnyView {
    let why = match policy {
        PostPolicy::Admins => "Only admins write here.",
        PostPolicy::Everyone => "You can't write here.",
    };
    let kept = begun.then_some(" What you began to write is kept, for when you can.");
    view! { <p class="mx-4 mb-4 px-4 py-3 rounded-xl bg-panel text-soft text-sm">{why} {kept}</p> }.into_any()
}
