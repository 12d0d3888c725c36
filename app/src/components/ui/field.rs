use super::{Icon, changing};
use leptos::prelude::*;

/// A labelled input with its hint, or what is wrong with it, below.
#[component]
pub fn Field(
    label: &'static str,
    name: &'static str,
    /// Unique on the page.
    id: &'static str,
    #[prop(default = "text")] kind: &'static str,
    #[prop(optional)] hint: &'static str,
    #[prop(optional)] autocomplete: &'static str,
    #[prop(optional)] required: bool,
    #[prop(optional)] autofocus: bool,
    #[prop(optional)] maxlength: Option<u32>,
    #[prop(into)] error: Signal<Option<String>>,
) -> impl IntoView {
    let note_id = format!("{id}-note");
    let class = "h-10 pointer-coarse:h-11 w-full px-3 rounded-lg border bg-raised text-ink \
        placeholder:text-faint focus-ring aria-invalid:border-alert";
    view! {
        <div class="mb-4">
            <label for=id class="block mb-1 text-[13px] font-semibold text-soft">{label}</label>
            <input id=id name=name type=kind class=class autocomplete=autocomplete required=required
                autofocus=autofocus maxlength=maxlength autocapitalize="none" spellcheck="false"
                aria-describedby=note_id.clone() aria-invalid=move || error.read().is_some().then_some("true")/>
            <FieldNote id=note_id hint=Some(hint) error/>
        </div>
    }
}

/// What to know of a field, or what is wrong with it.
#[component]
pub fn FieldNote(id: String, hint: Option<&'static str>, error: Signal<Option<String>>) -> impl IntoView {
    let wrong = move || error.read().is_some();
    let words = move || match error.get() {
        Some(words) => view! {
            <span role="alert" class="flex gap-1.5">
                <Icon icon=icondata_lu::LuCircleAlert/>
                <span><span class="sr-only">"Error: "</span><span>{words}</span></span>
            </span>
        }
        .into_any(),
        None => hint.filter(|hint| !hint.is_empty()).into_any(),
    };
    view! {
        <p id=id class="mt-1 text-[13px] empty:hidden" class=("text-faint", move || !wrong()) class=("text-alert", wrong)>
            {changing(words)}
        </p>
    }
    .into_any()
}

/// What went wrong with a whole form.
#[component]
pub fn FormError(#[prop(into)] message: Signal<Option<String>>) -> impl IntoView {
    view! {
        <p role="alert" class="empty:hidden mb-4 px-3 py-2 rounded-lg bg-alert-soft text-alert text-sm">{message}</p>
    }
}
