use super::told::{Deed, Told};
use crate::components::ui::{PostForm, SECONDARY};
use leptos::prelude::*;

/// A button in an entry of a list, with the form that it sends.
#[component]
pub fn Act(
    deed: Deed,
    label: &'static str,
    /// What it is called where that doesn't say enough.
    #[prop(optional)]
    name: Option<String>,
    /// The id of the entry.
    entry: String,
    /// What is said when it has succeeded.
    says: String,
    fields: Vec<(&'static str, String)>,
) -> impl IntoView {
    let told = expect_context::<Told>();
    // Buttons of other entries may be called the same: what stands beside them says whose they are.
    let about = name.is_none().then(|| format!("{entry}-name"));
    let fields = fields.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> });
    let fields = fields.collect_view();
    view! {
        <PostForm post=deed.post>
            {fields}
            <button type="submit" class=format!("{SECONDARY} px-3!") aria-label=name aria-describedby=about
                on:click=move |_| told.begin(deed, &entry, &says)>
                {label}
            </button>
        </PostForm>
    }
    .into_any()
}
