use crate::{
    api::CreateChannel,
    components::ui::{Dialog, Field, FormError, PRIMARY},
    pages::problem_of,
};
use leptos::{form::ActionForm, html, prelude::*};
use leptos_router::hooks::use_navigate;

pub const CREATE_CHANNEL: &str = "create-channel";

/// Admins name a new channel.
#[component]
pub fn CreateChannelDialog(node_ref: NodeRef<html::Dialog>) -> impl IntoView {
    let create = ServerAction::<CreateChannel>::new();
    let problem = problem_of(create);
    let navigate = use_navigate();
    Effect::new(move |_| {
        if let Some(Ok(channel)) = create.value().get() {
            if let Some(dialog) = node_ref.get_untracked() {
                dialog.close();
            }
            create.value().set(None);
            navigate(&format!("/channels/{}", channel.label()), leptos_router::NavigateOptions::default());
        }
    });
    view! {
        <Dialog id=CREATE_CHANNEL title="Create channel" node_ref=node_ref>
            <ActionForm action=create>
                <Field id="channel-name" label="Name" name="name" required=true autocomplete="off" maxlength=65
                    hint="Lower-case letters, digits, - and _." error=problem.field("name")/>
                <Field id="channel-topic" label="Topic" name="topic" autocomplete="off" maxlength=250
                    hint="What it is for. You can leave it empty." error=problem.field("topic")/>
                <FormError message=problem.rest(&["name", "topic"])/>
                <div class="flex justify-end">
                    <button type="submit" class=PRIMARY disabled=move || create.pending().get()>"Create channel"</button>
                </div>
            </ActionForm>
        </Dialog>
    }
}
