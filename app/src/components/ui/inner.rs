use leptos::{prelude::*, suspense::Unsuspend};
use leptos_router::components::Outlet;

/// The page within a frame that waits for something, made once. A `Transition` on the server goes through all it
/// holds, to find what there is to wait for, before it renders it; and an `Outlet` makes its page anew each time it is
/// looked at. The page would ask for its things several times, and be rendered from another answer than the browser
/// is given to wake it with.
#[component]
pub fn Inner() -> impl IntoView {
    let outlet = Outlet();
    Unsuspend::new(move || outlet)
}
