use crate::{
    api,
    components::{
        Retry,
        later::{Desk, Entry, Failed, TimePicker},
        ui::{FormError, Header, When, effect},
    },
    state::{Chat, set_title},
};
use leptos::{ev, prelude::*, task::spawn_local};
use natter::scheduled::ScheduledState;

/// One's own messages that wait to be sent, and those that weren't.
#[component]
pub fn ScheduledPage() -> impl IntoView {
    let chat = expect_context::<Chat>();
    let begun = chat.later.heard_so_far();
    let listed = Resource::new_blocking(|| (), |()| api::scheduled());
    effect(move || {
        set_title("Scheduled · Natter");
        let focused = window_event_listener(ev::focus, move |_| chat.later.gaps.update(|gaps| gaps.0 += 1));
        on_cleanup(move || focused.remove());
    });
    // What happened while nobody listened is read anew.
    effect(move || {
        if chat.later.gaps.get().0 > 0 {
            let heard = chat.later.heard_so_far();
            spawn_local(async move {
                if let Ok(all) = api::scheduled().await {
                    chat.later.read(heard, all);
                }
            });
        }
    });
    view! {
        <main class="flex flex-col min-h-0 flex-1">
            <Header title="Scheduled".to_owned()/>
            <div class="flex-1 overflow-y-auto p-5 max-sm:p-3.5">
                <div class="max-w-[760px] mx-auto">
                    <Suspense fallback=|| view! { <p class="text-faint">"Loading…"</p> }>
                        {move || Suspend::new(async move {
                            match listed.await {
                                Ok(all) => {
                                    chat.later.read(begun, all);
                                    view! { <Lists/> }.into_any()
                                }
                                Err(failure) => view! {
                                    <p role="alert" class="mb-4 text-alert">{failure.to_string()}</p>
                                    <Retry again=Callback::new(move |()| listed.refetch())/>
                                }
                                .into_any(),
                            }
                        })}
                    </Suspense>
                </div>
            </div>
        </main>
    }
    .into_any()
}

#[component]
fn Lists() -> impl IntoView {
    let chat = expect_context::<Chat>();
    let desk = Desk::new(chat);
    let ids = move |state: ScheduledState| {
        Memo::new(move |_| {
            let list = chat.later.list.read();
            list.iter().flatten().filter(|one| one.state == state).map(|one| one.id).collect::<Vec<_>>()
        })
    };
    let (pending, failed) = (ids(ScheduledState::Pending), ids(ScheduledState::Failed));
    let find = move |id| chat.later.list.with_untracked(|list| list.iter().flatten().find(|one| one.id == id).cloned());
    view! {
        <FormError message=desk.send.rest(&[])/>
        <FormError message=desk.cancel.rest(&[])/>
        <When when=Signal::derive(move || !failed.read().is_empty())>
            <section aria-labelledby="scheduled-failed">
                <h2 id="scheduled-failed" class="later-heading">"Not sent"</h2>
                <ul>
                    <For each=move || failed.get() key=|id| *id let:id>
                        {find(id).map(|one| view! { <Failed one desk/> })}
                    </For>
                </ul>
                <h2 class="later-heading">"Waiting"</h2>
            </section>
        </When>
        <ul aria-label="Waiting to be sent">
            <For each=move || pending.get() key=|id| *id let:id>
                <Entry id desk/>
            </For>
        </ul>
        <When when=Signal::derive(move || pending.read().is_empty())>
            <div class="py-16 text-center">
                <p class="text-lg font-[650] tracking-tight">"Nothing is waiting to be sent"</p>
                <p class="text-soft">"Write a message and choose “Send later” beside Send."</p>
            </div>
        </When>
        <TimePicker picking=desk.picking title="Reschedule"/>
    }
    .into_any()
}
