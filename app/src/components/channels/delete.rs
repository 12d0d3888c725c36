use crate::components::ui::{DANGER, Dialog, FormError, Post, PostForm, SECONDARY, close_dialog};
use leptos::{html, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use natter::Channel;

pub const DELETE_CHANNEL: &str = "delete-channel";

/// Admins confirm that a channel goes, and are told what goes with it.
#[component]
pub fn DeleteChannelDialog(channel: Channel, node_ref: NodeRef<html::Dialog>) -> impl IntoView {
    let navigate = use_navigate();
    let delete = Post::new("/api/fn/delete_channel", move |_| navigate("/", NavigateOptions::default()));
    let name = channel.label().to_owned();
    let members = match channel.members {
        1 => "you, its only member".to_owned(),
        n => format!("all {n} members"),
    };
    let warning = format!("Every message in #{name} is deleted for {members}. This can't be undone.");
    view! {
        <Dialog id=DELETE_CHANNEL title=format!("Delete #{name}?") node_ref=node_ref open=delete.failed()>
            <p class="mb-5 text-soft">{warning}</p>
            <FormError message=delete.rest(&[])/>
            <PostForm post=delete>
                <input type="hidden" name="id" value=channel.id.to_string()/>
                <div class="flex justify-end gap-2">
                    <button type="button" class=SECONDARY autofocus=true on:click=move |_| close_dialog(node_ref) command="close" commandfor=DELETE_CHANNEL>
                        "Cancel"
                    </button>
                    <button type="submit" class=DANGER disabled=move || delete.pending.get()>
                        "Delete channel"
                    </button>
                </div>
            </PostForm>
        </Dialog>
    }
}
