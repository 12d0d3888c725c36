use super::{GHOST, Icon, effect};
use crate::state::has_invoker_commands;
use leptos::{ev, html, prelude::*, wasm_bindgen::JsCast as _};

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

/// Without scripts it is open already, but not modal.
pub fn make_modal(dialog: &web_sys::HtmlDialogElement) {
    if !dialog.matches(":modal").unwrap_or(false) {
        let _ = dialog.remove_attribute("open");
        let _ = dialog.show_modal();
    }
}

/// Opened again, its form is as new.
fn reset(dialog: NodeRef<html::Dialog>) {
    let form = dialog.get_untracked().and_then(|dialog| dialog.query_selector("form").ok().flatten());
    if let Some(form) = form.and_then(|form| form.dyn_into::<web_sys::HtmlFormElement>().ok()) {
        form.reset();
    }
}

/// Closes a dialog by a press on its backdrop: that is one on the dialog itself, outside its one child. What is
/// pressed inside and let go outside is meant otherwise, to select words for example.
pub fn light(dialog: NodeRef<html::Dialog>) -> (impl Fn(ev::PointerEvent), impl Fn(ev::MouseEvent)) {
    let pressed = StoredValue::new(false);
    let beside = |event: &ev::Event| {
        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        target.is_some_and(|target| target.tag_name().eq_ignore_ascii_case("dialog"))
    };
    let down = move |event: ev::PointerEvent| pressed.set_value(beside(&event));
    let click = move |event: ev::MouseEvent| {
        if pressed.get_value() && beside(&event) {
            hide(dialog);
        }
    };
    (down, click)
}

/// A modal dialog named by its title. It is always in the page, closed, so that it opens without scripts.
#[component]
pub fn Dialog(
    /// Names it for `commandfor`.
    id: &'static str,
    #[prop(into)] title: Signal<String>,
    node_ref: NodeRef<html::Dialog>,
    /// Its form came back with a problem: without scripts the page shows it at once.
    #[prop(optional)]
    open: bool,
    children: Children,
) -> impl IntoView {
    let title_id = format!("{id}-title");
    let labelled_by = title_id.clone();
    let (down, click) = light(node_ref);
    effect(move || {
        if let Some(dialog) = node_ref.get().filter(|dialog| open && dialog.open()) {
            make_modal(&dialog);
        }
    });
    view! {
        <dialog id=id node_ref=node_ref open=open class="dialog" aria-labelledby=labelled_by on:pointerdown=down
            on:click=click on:close=move |_| reset(node_ref)>
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
