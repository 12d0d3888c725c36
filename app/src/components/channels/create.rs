use crate::{
    components::{
        admin::Rules,
        ui::{Dialog, Field, FormError, PRIMARY, Post, PostForm, hide},
    },
    state::has_invoker_commands,
};
use leptos::{html, prelude::*, wasm_bindgen::JsCast as _};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use natter::Channel;

pub const CREATE_CHANNEL: &str = "create-channel";

/// Opens the dialog from anywhere, where the browser doesn't do so itself: it stands in the frame around all
/// pages (`pages/signed.rs`).
pub fn open_create() {
    if has_invoker_commands() {
        return;
    }
    let dialog = document().get_element_by_id(CREATE_CHANNEL);
    if let Some(dialog) = dialog.and_then(|dialog| dialog.dyn_into::<web_sys::HtmlDialogElement>().ok()) {
        let _ = dialog.show_modal();
    }
}

/// Admins name a new channel.
#[component]
pub fn CreateChannelDialog(node_ref: NodeRef<html::Dialog>) -> impl IntoView {
    let navigate = use_navigate();
    let create = Post::new("/api/fn/create_channel", move |answer| {
        hide(node_ref);
        if let Ok(channel) = serde_json::from_slice::<Channel>(answer.as_bytes()) {
            navigate(&format!("/channels/{}", channel.label()), NavigateOptions::default());
        }
    });
    view! {
        <Dialog id=CREATE_CHANNEL title="Create channel" node_ref=node_ref open=create.failed()>
            <PostForm post=create>
                <Field id="channel-name" label="Name" name="name" required=true autofocus=true autocomplete="off" maxlength=65
                    hint="Lower-case letters, digits, - and _." error=create.field("name")/>
                <Field id="channel-topic" label="Topic" name="topic" autocomplete="off" maxlength=250
                    hint="What it is for. You can leave it empty." error=create.field("topic")/>
                <Rules id="channel"/>
                <FormError message=create.rest(&["name", "topic"])/>
                <div class="flex justify-end">
                    <button type="submit" class=PRIMARY disabled=move || create.pending.get()>"Create channel"</button>
                </div>
            </PostForm>
        </Dialog>
    }
}
