use crate::{
    api,
    pages::{Browse, ChannelPage, Home, Login, NotFound, Register, Signed},
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
                <ParentRoute path=path!("") view=Signed ssr=SsrMode::Async>
                    <Route path=path!("/") view=Home ssr=SsrMode::Async/>
                    <Route path=path!("/browse") view=Browse ssr=SsrMode::Async/>
                    <Route path=path!("/channels/:name") view=ChannelPage ssr=SsrMode::Async/>
                </ParentRoute>
            </Routes>
        </Router>
    }
}
