//! Leptos compiles a copy of its machinery for each closure. These hide the closure behind a pointer,
//! so that there is one copy, which is most of what a closure costs the browser to load.

use leptos::{prelude::*, tachys::reactive_graph::SharedReactiveFunction};
use std::sync::{Arc, Mutex};

/// A part of a view that changes: `{changing(move || …)}`.
///
/// A page stays in sight until the next one is there, when all that was made for it is gone already. What is known to
/// all pages may change just then, and a part that reads it would look for what is gone: it shows nothing any more.
pub fn changing(view: impl FnMut() -> AnyView + Send + 'static) -> SharedReactiveFunction<AnyView> {
    fn while_there(mut view: Box<dyn FnMut() -> AnyView + Send>) -> SharedReactiveFunction<AnyView> {
        let there = StoredValue::new(());
        Arc::new(Mutex::new(move || if there.try_get_value().is_some() { view() } else { ().into_any() }))
    }
    while_there(Box::new(view))
}

/// [`Effect`], for effects that keep nothing from one run to the next. Runs in the browser only.
pub fn effect(run: impl FnMut() + 'static) {
    fn start(mut run: Box<dyn FnMut()>) {
        Effect::new(move |_| run());
    }
    start(Box::new(run));
}
