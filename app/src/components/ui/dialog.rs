use super::{GHOST, Icon};
use crate::state::has_invoker_commands;
use leptos::{html, prelude::*, wasm_bindgen::JsCast as _};

/// Opens a dialog where the browser doesn't do so itself for `command="show-modal"`; those that do
/// open it also before any script ran.
pub fn open_dialog(dialog: NodeRef<html::Dialog>) {
    if !has_invoker_commands()
        && let Some(dialog) = dialog.get_untracked()
        && !dialog.open()
    {
        let _ = dialog.show_modal();
    }
}

/// Closes a dialog where the browser doesn't do so itself for `command="close"`.
pub fn close_dialog(dialog: NodeRef<html::Dialog>) {
    if !has_invoker_commands() {
        hide(dialog);
    }
}

/// Closes a dialog, whatever the browser does itself.
pub fn hide(dialog: NodeRef<html::Dialog>) {
    if let Some(dialog) = dialog.try_get_untracked().flatten()
        && dialog.open()
    {
        dialog.close();
    }
}

/// Opened again, its form is as new.
fn reset(dialog: NodeRef<html::Dialog>) {
    let form = dialog.get_untracked().and_then(|dialog| dialog.query_selector("form").ok().flatten());
    if let Some(form) = form.and_then(|form| form.dyn_into::<web_sys::HtmlFormElement>().ok()) {
        form.reset();
    }
}

/// A modal dialog named by its title. It is always in the page, closed, so that it opens without scripts.
#[component]
pub fn Dialog(
    /// Names it for `commandfor`.
    id: &'static str,
    #[prop(into)] title: Signal<String>,
    node_ref: NodeRef<html::Dialog>,
    children: Children,
) -> impl IntoView {
    let title_id = format!("{id}-title");
    let labelled_by = title_id.clone();
    // A click on the backdrop is a click on the dialog itself, outside its one child.
    let outside = move |event: leptos::ev::MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        if target.is_some_and(|target| target.tag_name().eq_ignore_ascii_case("dialog")) {
            hide(node_ref);
        }
    };
    view! {
        <dialog id=id node_ref=node_ref class="dialog" aria-labelledby=labelled_by on:click=outside on:close=move |_| reset(node_ref)>
            <div class="p-5">
                <div class="flex items-center gap-2 mb-4">
                    <h2 id=title_id class="text-base font-[650] tracking-tight">{title}</h2>
                    <button type="button" class=format!("{GHOST} ml-auto -mr-2") aria-label="Close" on:click=move |_| close_dialog(node_ref)
                        command="close" commandfor=id>
                        <Icon icon=icondata_lu::LuX/>
                    </button>
                </div>
                {children()}
            </div>
        </dialog>
    }
    .into_any()
}
