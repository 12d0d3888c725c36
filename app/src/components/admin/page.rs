use super::told::{PAGE, Told};
use crate::{
    api::Failure,
    components::{
        Retry,
        ui::{FormError, PRIMARY, effect},
    },
    state::{Zone, set_title},
};
use leptos::prelude::*;
use natter::{ErrorCode, Timestamp};
use serde::{Serialize, de::DeserializeOwned};
use std::pin::Pin;

/// The part of an admin page below the navigation.
#[component]
pub fn Page(title: &'static str, children: Children) -> impl IntoView {
    expect_context::<Told>().arrive();
    effect(move || set_title(&format!("{title} · Admin · Natter")));
    view! {
        <div id=PAGE tabindex="-1" class="relative flex-1 overflow-y-auto p-5 max-sm:p-3.5">
            <div class="max-w-[760px] mx-auto">{children()}</div>
        </div>
    }
    .into_any()
}

/// What was loaded for a page, or why it can't be shown.
pub fn shown<T: Clone + Send + Sync + Serialize + DeserializeOwned + 'static>(
    loaded: Resource<Result<T, Failure>>,
    show: impl Fn(T) -> AnyView + Copy + Send + Sync + 'static,
) -> AnyView {
    let told = expect_context::<Told>();
    waiting(Box::new(move || {
        Box::pin(async move {
            let found = loaded.await;
            told.keep_focus_if_done();
            match found {
                Ok(value) => show(value),
                Err(failure) => view! { <Trouble failure again=Callback::new(move |()| loaded.refetch())/> }.into_any(),
            }
        })
    }))
}

type Shown = Pin<Box<dyn Future<Output = AnyView> + Send>>;

/// The same for all pages, and therefore once in the bundle.
fn waiting(next: Box<dyn Fn() -> Shown + Send + Sync>) -> AnyView {
    view! {
        <Suspense fallback=|| view! { <p class="text-faint">"Loading…"</p> }>{move || Suspend::new(next())}</Suspense>
    }
    .into_any()
}

/// What can't be shown, and why. Whoever isn't an admin any more sees what isn't there.
#[component]
fn Trouble(failure: Failure, again: Callback<()>) -> impl IntoView {
    if failure.is(ErrorCode::Forbidden) || failure.is(ErrorCode::NotFound) {
        view! {
            <div class="py-16 text-center">
                <h2 class="mb-2 text-lg font-[650]">"There is nothing here"</h2>
                <p class="mb-5 text-soft">"The address may be mistyped, or what it led to is gone."</p>
                <a href="/" class=PRIMARY>"Go to Catch up"</a>
            </div>
        }
        .into_any()
    } else {
        view! {
            <p role="alert" class="mb-4 text-alert">{failure.to_string()}</p>
            <Retry again/>
        }
        .into_any()
    }
}

/// What went wrong with an entry of a list, in sight wherever in the list one is. It stands over the page: a list that
/// moved when it came would put another entry's button under the pointer.
#[component]
pub fn Wrong(message: Signal<Option<String>>) -> impl IntoView {
    view! { <div class="wrong"><FormError message/></div> }
}

/// Where there is nothing to list.
#[component]
pub fn Empty(words: &'static str) -> impl IntoView {
    view! { <p class="py-8 text-center text-soft">{words}</p> }
}

/// When something is, by the reader's clock.
#[component]
pub fn Moment(at: Timestamp) -> impl IntoView {
    let zone = expect_context::<Zone>();
    view! {
        <time datetime=at.to_string() title=Signal::derive(move || zone.full(at))>
            {Signal::derive(move || format!("{}, {}", zone.day(at), zone.clock(at)))}
        </time>
    }
    .into_any()
}
