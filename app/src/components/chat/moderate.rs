use super::acts::Acts;
use crate::components::ui::{DANGER, SECONDARY, changing, effect, hide};
use leptos::{ev, html, prelude::*};
use natter::{input::REASON_MAX_CHARS, markdown};

/// An admin deletes what somebody else said, and may tell them why.
#[component]
pub fn Moderate(acts: Acts) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let reason = NodeRef::<html::Input>::new();
    effect(move || {
        if acts.moderating.read().is_some()
            && let Some(dialog) = dialog.get()
            && !dialog.open()
        {
            let _ = dialog.show_modal();
        }
    });
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let why = reason.get_untracked().map(|input| input.value()).unwrap_or_default();
        let message = acts.moderating.get_untracked();
        hide(dialog);
        if let Some(message) = message {
            acts.delete(message.id, Some(why.trim().to_owned()).filter(|why| !why.is_empty()));
        }
    };
    view! {
        <dialog node_ref=dialog class="dialog" aria-label="Delete message" on:close=move |_| acts.moderating.set(None)>
            {changing(move || acts.moderating.get().map(|message| {
                let label = format!("Reason, for {}", message.sender.username);
                view! {
                    <form class="p-5" on:submit=submit>
                        <h2 class="mb-2 text-base font-[650] tracking-tight">{format!("Delete this message of {}?", message.sender.username)}</h2>
                        <p class="mb-4 text-soft line-clamp-3">{markdown::plain(&message.text, 200)}</p>
                        <label class="block mb-4">
                            <span class="block mb-1 text-[13px] font-semibold text-soft">{label}</span>
                            <input node_ref=reason maxlength=REASON_MAX_CHARS.to_string() autocomplete="off"
                                class="h-10 pointer-coarse:h-11 w-full px-3 rounded-lg border bg-raised focus-ring"/>
                            <span class="block mt-1 text-[13px] text-faint">"You can leave it empty. It is sent to them as a private message."</span>
                        </label>
                        <div class="flex justify-end gap-2">
                            <button type="button" class=SECONDARY on:click=move |_| hide(dialog)>"Cancel"</button>
                            <button type="submit" class=DANGER>"Delete message"</button>
                        </div>
                    </form>
                }
            }).into_any())}
        </dialog>
    }
    .into_any()
}
