use leptos::prelude::*;

/// Shows its children while a condition holds. Unlike Leptos's `Show` it is one piece of code however
/// often it is used, which is most of what it costs the browser to load.
#[component]
pub fn When(
    #[prop(into)] when: Signal<bool>,
    children: ChildrenFn,
    #[prop(optional, into)] fallback: ViewFn,
) -> impl IntoView {
    let when = Memo::new(move |_| when.get());
    move || if when.get() { children() } else { fallback.run() }
}
