//! Running the place. For admins: to others these addresses lead nowhere.

mod audit;
mod channel;
mod channels;
mod overview;
mod people;
mod registration;

pub use audit::Audit;
pub use channel::AdminChannel;
pub use channels::AdminChannels;
pub use overview::Overview;
pub use people::People;
pub use registration::RegistrationPage;

use crate::{
    components::{
        admin::Told,
        ui::{Header, PRIMARY, When},
    },
    pages::NotFound,
    state::Chat,
};
use leptos::prelude::*;
use leptos_router::components::{A, Outlet};

const PAGES: [(&str, &str); 5] = [
    ("/admin", "Overview"),
    ("/admin/channels", "Channels"),
    ("/admin/people", "People"),
    ("/admin/registration", "Registration"),
    ("/admin/audit", "Audit log"),
];

/// What stands around each page of the admin area.
#[component]
pub fn Admin() -> impl IntoView {
    let chat = expect_context::<Chat>();
    provide_context(Told::default());
    let allowed = move || chat.me.read().role.can_inspect();
    let was = untrack(allowed);
    let fallback = move || if was { demoted() } else { view! { <NotFound/> }.into_any() };
    view! {
        <When when=Signal::derive(allowed) fallback>
            <Frame/>
        </When>
    }
}

/// For whoever was an admin when they came.
fn demoted() -> AnyView {
    view! {
        <main class="grid place-items-center flex-1 p-6 text-center">
            <div>
                <h1 role="alert" class="mb-1 text-lg font-[650] tracking-tight">"You aren't an admin any more"</h1>
                <p class="mb-5 text-soft">"What is here is for admins. Your conversations are where they were."</p>
                <A href="/" attr:class=PRIMARY>"Go to Catch up"</A>
            </div>
        </main>
    }
    .into_any()
}

#[component]
fn Frame() -> impl IntoView {
    let told = expect_context::<Told>();
    let link = |(href, name): (&'static str, &'static str)| {
        let exact = href == "/admin";
        view! { <A href exact attr:class="tab">{name}</A> }
    };
    view! {
        <main class="flex flex-col min-h-0 flex-1">
            <Header title="Admin".to_owned()>
                <p role="status" class="told">{told.line()}</p>
            </Header>
            <nav aria-label="Admin" class="tabs">{PAGES.map(link).collect_view()}</nav>
            <Outlet/>
        </main>
    }
    .into_any()
}
