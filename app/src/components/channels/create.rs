use crate::components::{
    admin::Rules,
    ui::{Dialog, Field, FormError, PRIMARY, Post, PostForm, hide},
};
use leptos::{html, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use natter::Channel;

pub const CREATE_CHANNEL: &str = "create-channel";

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
        <Dialog id=CREATE_CHANNEL title="Create channel" node_ref=node_ref>
            <PostForm post=create>
                <Field id="channel-name" label="Name" name="name" required=true autocomplete="off" maxlength=65
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
