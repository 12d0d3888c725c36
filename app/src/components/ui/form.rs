use super::focus::focus_is_lost;
use crate::{api::Failure, state::post_form};
use leptos::{ev, prelude::*, server_fn::error::ServerFnUrlError, task::spawn_local, wasm_bindgen::JsCast as _};
use leptos_router::hooks::use_query_map;
use natter::Problem;
use std::sync::Arc;

type Done = Arc<dyn Fn(String) + Send + Sync>;

/// A form's way to a server function, and what came of it. Before the page is awake, or without
/// scripts, the browser posts the form itself and the address brings back what was wrong.
#[derive(Clone, Copy)]
pub struct Post {
    path: &'static str,
    pub pending: RwSignal<bool>,
    problem: RwSignal<Option<Problem>>,
    /// How often the form was emptied: what comes of an earlier one is none of its business.
    emptied: StoredValue<u32>,
    done: StoredValue<Done>,
}

impl Post {
    /// `path`: the server function's address. `done` gets its answer, as JSON.
    pub fn new(path: &'static str, done: impl Fn(String) + Send + Sync + 'static) -> Self {
        let problem = use_query_map().with_untracked(|query| {
            let ours = query.get_str("__path") == Some(path);
            let error = query.get_str("__err").filter(|_| ours)?;
            Some(ServerFnUrlError::<Failure>::decode_err(error).0)
        });
        Self {
            path,
            pending: RwSignal::new(false),
            problem: RwSignal::new(problem),
            emptied: StoredValue::new(0),
            done: StoredValue::new(Arc::new(done)),
        }
    }

    fn submit(self, event: &ev::SubmitEvent) {
        event.prevent_default();
        if self.pending.get_untracked() {
            return;
        }
        self.pending.set(true);
        let sent = post_form(self.path, event);
        let form = event.target().and_then(|form| form.dyn_into::<web_sys::Element>().ok());
        // Still to be called when the answer has made the form go away.
        let done = self.done.get_value();
        let emptied = self.emptied.get_value();
        spawn_local(async move {
            let answer = sent.await;
            // The form may be gone by now, and its signals with it.
            self.pending.try_set(false);
            match answer {
                Ok(answer) => {
                    self.problem.try_set(None);
                    done(answer);
                }
                Err(_) if self.emptied.try_get_value() != Some(emptied) => {}
                Err(problem) => {
                    self.problem.try_set(Some(problem));
                    form.into_iter().for_each(return_to);
                }
            }
        });
    }

    fn empty(self) {
        self.problem.set(None);
        self.emptied.update_value(|emptied| *emptied += 1);
    }

    /// It came back with a problem, or was refused since.
    pub fn failed(self) -> bool {
        self.problem.with_untracked(Option::is_some)
    }

    /// What is wrong with one field.
    pub fn field(self, name: &'static str) -> Signal<Option<String>> {
        Signal::derive(move || self.problem.with(|problem| problem.as_ref()?.field(name).map(ToOwned::to_owned)))
    }

    /// What is wrong with none of these fields.
    pub fn rest(self, fields: &'static [&'static str]) -> Signal<Option<String>> {
        Signal::derive(move || {
            self.problem.with(|problem| {
                let problem = problem.as_ref()?;
                let shown = problem.errors.iter().any(|error| fields.contains(&error.field.as_str()));
                (!shown).then(|| problem.detail.clone())
            })
        })
    }
}

/// Something in a form is to be put right: the focus goes there, or back to what had it before the button was
/// switched off.
fn return_to(form: web_sys::Element) {
    request_animation_frame(move || {
        let find = |selector: &str| form.query_selector(selector).ok().flatten();
        let again = || find("[type=password]").or_else(|| find("[type=submit]")).filter(|_| focus_is_lost());
        let next = find("[aria-invalid=true]").or_else(again);
        if let Some(next) = next.and_then(|next| next.dyn_into::<web_sys::HtmlElement>().ok()) {
            let _ = next.focus();
        }
    });
}

#[component]
pub fn PostForm(post: Post, children: Children) -> impl IntoView {
    view! {
        <form method="post" action=post.path on:submit=move |event| post.submit(&event)
            on:reset=move |_| post.empty()>
            {children()}
        </form>
    }
    .into_any()
}
