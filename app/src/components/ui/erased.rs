//! Leptos compiles a copy of its machinery for each closure. These hide the closure behind a pointer,
//! so that there is one copy, which is most of what a closure costs the browser to load.

use leptos::{prelude::*, tachys::reactive_graph::SharedReactiveFunction};
use std::sync::{Arc, Mutex};

/// A part of a view that changes: `{changing(move || …)}`.
pub fn changing(view: impl FnMut() -> AnyView + Send + 'static) -> SharedReactiveFunction<AnyView> {
    Arc::new(Mutex::new(view))
}

/// [`Effect`], for effects that keep nothing from one run to the next. Runs in the browser only.
pub fn effect(run: impl FnMut() + 'static) {
    fn start(mut run: Box<dyn FnMut()>) {
        Effect::new(move |_| run());
    }
    start(Box::new(run));
}
