//! One file a route.

mod browse;
mod channel;
mod enter;
mod home;
mod not_found;
mod signed;

pub use browse::Browse;
pub use channel::ChannelPage;
pub use enter::{Login, Register};
pub use home::Home;
pub use not_found::NotFound;
pub use signed::Signed;

use crate::api::Failure;
use leptos::{
    prelude::*,
    server_fn::{ServerFn, error::ServerFnUrlError},
};
use leptos_router::hooks::use_query_map;
use natter::Problem;

/// What a form's last submission was refused for.
#[derive(Clone, Copy)]
pub struct FormProblem(Memo<Option<Problem>>);

/// The problem of an action: its own answer, or, for a form sent before the page was awake or with
/// scripts off, what the address brought back.
pub fn problem_of<S>(action: ServerAction<S>) -> FormProblem
where
    S: ServerFn<Error = Failure> + Clone + Send + Sync + 'static,
    S::Output: Clone + Send + Sync + 'static,
{
    let query = use_query_map();
    FormProblem(Memo::new(move |_| {
        if let Some(result) = action.value().get() {
            return result.err().map(|failure| failure.0);
        }
        let query = query.read();
        let ours = query.get_str("__path") == Some(S::PATH);
        let error = query.get_str("__err").filter(|_| ours)?;
        Some(ServerFnUrlError::<Failure>::decode_err(error).0)
    }))
}

impl FormProblem {
    /// The message for one field.
    pub fn field(self, name: &'static str) -> Signal<Option<String>> {
        Signal::derive(move || self.0.with(|problem| problem.as_ref()?.field(name).map(ToOwned::to_owned)))
    }

    /// The message that belongs to none of these fields.
    pub fn rest(self, fields: &'static [&'static str]) -> Signal<Option<String>> {
        Signal::derive(move || {
            self.0.with(|problem| {
                let problem = problem.as_ref()?;
                let shown = problem.errors.iter().any(|error| fields.contains(&error.field.as_str()));
                (!shown).then(|| problem.detail.clone())
            })
        })
    }
}
