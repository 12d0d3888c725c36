use leptos::prelude::*;

/// What can be chosen: the value that is sent, what it is called, and what it means.
pub type Options = &'static [(&'static str, &'static str, &'static str)];

/// One of several, as radio buttons that are as large as what they say.
#[component]
pub fn Choice(
    legend: &'static str,
    name: &'static str,
    /// Unique on the page.
    id: String,
    options: Options,
    chosen: &'static str,
) -> impl IntoView {
    let one = |(value, label, hint): &(&'static str, &'static str, &'static str)| {
        let (label_id, hint_id) = (format!("{id}-{value}"), format!("{id}-{value}-hint"));
        view! {
            <label class="choice">
                <input type="radio" class="choice-input" name=name value=*value checked={*value == chosen}
                    aria-labelledby=label_id.clone() aria-describedby=hint_id.clone()/>
                <span class="choice-dot" aria-hidden="true"></span>
                <span class="min-w-0">
                    <span id=label_id class="block font-medium">{*label}</span>
                    <span id=hint_id class="block text-[13px] leading-[18px] text-soft">{*hint}</span>
                </span>
            </label>
        }
    };
    let choices = options.iter().map(one).collect_view();
    let class = if options.len() == 2 { "grid sm:grid-cols-2 gap-2" } else { "grid gap-2" };
    view! {
        <fieldset class="mb-4">
            <legend class="mb-1 text-[13px] font-semibold text-soft">{legend}</legend>
            <div class=class>{choices}</div>
        </fieldset>
    }
    .into_any()
}
