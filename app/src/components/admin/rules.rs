use crate::components::ui::{Choice, Options};
use leptos::prelude::*;
use natter::{PostPolicy, Visibility};

const VISIBILITY: Options = &[
    ("public", "Public", "Everyone finds it and can join."),
    ("private", "Private", "Only those whom admins add find it."),
];
const POST_POLICY: Options = &[
    ("everyone", "Everyone", "All its members write."),
    ("admins", "Admins only", "The other members read and react."),
];

/// Who finds a channel and who writes in it, as parts of a form.
#[component]
pub fn Rules(
    /// Unique on the page.
    id: &'static str,
    #[prop(optional)] visibility: Visibility,
    #[prop(optional)] post_policy: PostPolicy,
) -> impl IntoView {
    view! {
        <Choice id=format!("{id}-visibility") legend="Visibility" name="visibility" options=VISIBILITY chosen=visibility.as_str()/>
        <Choice id=format!("{id}-post-policy") legend="Who writes" name="post_policy" options=POST_POLICY chosen=post_policy.as_str()/>
    }
    .into_any()
}
