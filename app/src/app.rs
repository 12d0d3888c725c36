use crate::{
    api,
    pages::{
        Browse, ChannelPage, DirectPage, Home, Invited, Login, NotFound, Register, ScheduledPage, SearchPage, Settings,
        Signed,
        admin::{Admin, AdminChannel, AdminChannels, Audit, Overview, People, RegistrationPage},
    },
    state::Zone,
};
use leptos::prelude::*;
use leptos_router::{
    SsrMode,
    components::{ParentRoute, Route, Router, Routes},
    path,
};

/// Who is logged in, asked once a page load and awaited wherever needed.
pub type BootstrapResource = Resource<Result<Option<api::Bootstrap>, api::Failure>>;

/// The whole interface.
#[component]
pub fn App() -> impl IntoView {
    let bootstrap: BootstrapResource = Resource::new_blocking(|| (), |()| api::bootstrap());
    provide_context(bootstrap);
    provide_context(Zone::default());
    // Async: the whole page is in the HTML before any script runs.
    view! {
        <Router>
            <Routes fallback=NotFound>
                <Route path=path!("/login") view=Login ssr=SsrMode::Async/>
                <Route path=path!("/register") view=Register ssr=SsrMode::Async/>
                <Route path=path!("/invite/:code") view=Invited ssr=SsrMode::Async/>
                <ParentRoute path=path!("") view=Signed ssr=SsrMode::Async>
                    <Route path=path!("/") view=Home ssr=SsrMode::Async/>
                    <Route path=path!("/browse") view=Browse ssr=SsrMode::Async/>
                    <Route path=path!("/search") view=SearchPage ssr=SsrMode::Async/>
                    <Route path=path!("/channels/:name") view=ChannelPage ssr=SsrMode::Async/>
                    <Route path=path!("/scheduled") view=ScheduledPage ssr=SsrMode::Async/>
                    <Route path=path!("/settings") view=Settings ssr=SsrMode::Async/>
                    <Route path=path!("/direct/:username") view=DirectPage ssr=SsrMode::Async/>
                    <ParentRoute path=path!("/admin") view=Admin ssr=SsrMode::Async>
                        <Route path=path!("") view=Overview ssr=SsrMode::Async/>
                        <Route path=path!("/channels") view=AdminChannels ssr=SsrMode::Async/>
                        <Route path=path!("/channels/:name") view=AdminChannel ssr=SsrMode::Async/>
                        <Route path=path!("/people") view=People ssr=SsrMode::Async/>
                        <Route path=path!("/registration") view=RegistrationPage ssr=SsrMode::Async/>
                        <Route path=path!("/audit") view=Audit ssr=SsrMode::Async/>
                    </ParentRoute>
                </ParentRoute>
            </Routes>
        </Router>
    }
}
