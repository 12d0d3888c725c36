use leptos::prelude::*;

/// Somebody's name. A click on it opens their card: the frame around all pages listens (`pages/signed.rs`).
#[component]
pub fn Name(username: String) -> impl IntoView {
    let whose = username.clone();
    view! { <button type="button" class="name" data-mention=whose>{username}</button> }.into_any()
}
