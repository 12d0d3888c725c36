use super::FieldNote;
use leptos::prelude::*;

/// A labelled input that has something in it already; else like [`Field`](super::Field).
#[component]
pub fn FilledField(
    label: &'static str,
    name: &'static str,
    /// Unique on the page.
    id: &'static str,
    value: String,
    #[prop(default = "text")] kind: &'static str,
    #[prop(optional)] hint: Option<&'static str>,
    #[prop(optional)] required: bool,
    #[prop(optional)] maxlength: Option<usize>,
    /// Of a number.
    #[prop(optional)]
    range: Option<std::ops::RangeInclusive<u32>>,
    error: Signal<Option<String>>,
) -> impl IntoView {
    let note_id = format!("{id}-note");
    let class = "h-10 pointer-coarse:h-11 w-full px-3 rounded-lg border bg-raised text-ink \
        placeholder:text-faint focus-ring aria-invalid:border-alert";
    let (min, max) = range.map(|range| (*range.start(), *range.end())).unzip();
    view! {
        <div class="mb-4 min-w-0">
            <label for=id class="block mb-1 text-[13px] font-semibold text-soft">{label}</label>
            <input id=id name=name type=kind class=class value=value required=required maxlength=maxlength min=min max=max
                autocomplete="off" autocapitalize="none" spellcheck="false"
                aria-describedby=note_id.clone() aria-invalid=move || error.read().is_some().then_some("true")/>
            <FieldNote id=note_id hint error/>
        </div>
    }
    .into_any()
}
