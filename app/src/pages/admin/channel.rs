use crate::{
    api::{self, Roster},
    components::{
        admin::{Act, Deed, Page, Rules, Told, Wrong, shown},
        ui::{
            Avatar, DANGER, Dialog, FilledField, FormError, Icon, Name, PRIMARY, Post, PostForm, SECONDARY, changing,
            close_dialog, open_dialog,
        },
    },
};
use leptos::{html, prelude::*, wasm_bindgen::JsCast as _};
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate, use_params_map},
};
use natter::{
    Channel, User, UserRef,
    input::{CHANNEL_NAME_CHARS, TOPIC_MAX_CHARS, USERNAME_CHARS},
};
use std::time::Duration;

const DELETE: &str = "delete-this-channel";
const NEW_MEMBER: &str = "new-member";

/// A channel as whoever runs it sees it.
#[component]
pub fn AdminChannel() -> impl IntoView {
    let params = use_params_map();
    let name = Memo::new(move |_| params.read().get("name").unwrap_or_default());
    let loaded = Resource::new_blocking(move || name.get(), api::roster);
    view! {
        <Page title="Channel">
            <p class="mb-3"><a href="/admin/channels" class="link back"><Icon icon=icondata_lu::LuArrowLeft/> "All channels"</a></p>
            {shown(loaded, |Roster { channel, members }| {
                view! {
                    <Settings channel=channel.clone()/>
                    <Members channel=channel.clone() members/>
                    <Delete channel/>
                }
                .into_any()
            })}
        </Page>
    }
}

/// Its name, topic and rules.
#[component]
fn Settings(channel: Channel) -> impl IntoView {
    let told = expect_context::<Told>();
    let (navigate, path) = (use_navigate(), use_location().pathname);
    let before = channel.label().to_owned();
    let update = Post::new("/api/fn/update_channel", move |answer| {
        let Ok(after) = serde_json::from_slice::<Channel>(answer.as_bytes()) else { return };
        told.say("Saved.");
        // Whoever went on meanwhile stays where they are.
        if after.label() != before && *path.read_untracked() == format!("/admin/channels/{before}") {
            let options = NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() };
            let (navigate, address) = (navigate.clone(), format!("/admin/channels/{}", after.label()));
            // Once the form has taken in that nothing is wrong with it: then it goes.
            set_timeout(move || navigate(&address, options), Duration::ZERO);
        }
    });
    let name = channel.label().to_owned();
    let outside = (!channel.joined).then_some("You aren't in this channel: you run it, but can't read it.");
    view! {
        <section class="panel">
            <h2 class="mb-3 text-lg font-[650] tracking-tight truncate">{format!("#{name}")}</h2>
            <p class="mb-3 text-[13px] text-soft empty:hidden">{outside}</p>
            <PostForm post=update>
                <input type="hidden" name="id" value=channel.id.to_string()/>
                <FilledField id="edit-name" label="Name" name="name" value=name required=true maxlength=*CHANNEL_NAME_CHARS.end()
                    hint="Links to the old name stop working." error=update.field("name")/>
                <FilledField id="edit-topic" label="Topic" name="topic" value=channel.topic maxlength=TOPIC_MAX_CHARS
                    error=update.field("topic")/>
                <Rules id="edit" visibility=channel.visibility post_policy=channel.post_policy/>
                <p class="mb-4 text-[13px] text-soft">
                    "Made private, it vanishes from the list of channels. Whoever is in it stays; nobody else finds, joins or reads it."
                </p>
                <FormError message=update.rest(&["name", "topic"])/>
                <button type="submit" class=PRIMARY>"Save"</button>
            </PostForm>
        </section>
    }
    .into_any()
}

/// Who is in it.
#[component]
fn Members(channel: Channel, members: Vec<User>) -> impl IntoView {
    let told = expect_context::<Told>();
    let members = RwSignal::new(members);
    let (id, name) = (channel.id.to_string(), channel.label().to_owned());
    let reload = {
        let name = name.clone();
        move || {
            let load = api::roster(name.clone());
            told.reload(members, async move { load.await.map(|roster| roster.members) });
        }
    };
    let expel = told.deed("/api/fn/expel", reload.clone());
    let to = name.clone();
    let admit = Post::new("/api/fn/admit", move |_| {
        told.say(format!("{} is in #{to} now.", take_name()));
        reload();
    });
    let (of, from) = (id.clone(), name.clone());
    let entries = move || members.read().iter().map(|user| member(user, expel, &of, &from)).collect_view().into_any();
    view! {
        <section class="panel">
            <h2 class="mb-3 text-lg font-[650] tracking-tight" tabindex="-1">
                "Members "
                <span class="text-faint font-normal tabular-nums">{Signal::derive(move || members.read().len().to_string())}</span>
            </h2>
            <PostForm post=admit>
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="channel" value=name/>
                <div class="flex items-end gap-2">
                    <div class="flex-1 min-w-0">
                        <FilledField id=NEW_MEMBER label="Username" name="username" value=String::new() required=true
                            maxlength=*USERNAME_CHARS.end() + 1 error=admit.field("username")/>
                    </div>
                    <button type="submit" class=format!("{SECONDARY} mb-4 h-10! pointer-coarse:h-11!")>"Add a member"</button>
                </div>
                <FormError message=admit.rest(&["username"])/>
            </PostForm>
            <Wrong message=told.trouble([expel])/>
            <ul on:click=spare_the_next>{changing(entries)}</ul>
        </section>
    }
    .into_any()
}

fn member(user: &User, expel: Deed, channel_id: &str, channel: &str) -> AnyView {
    let name = user.username.clone();
    let entry = format!("member-{}", user.id);
    let fields = vec![("id", channel_id.to_owned()), ("user_id", user.id.to_string()), ("channel", channel.to_owned())];
    let says = format!("{name} is out of #{channel}.");
    view! {
        <li id=entry.clone() tabindex="-1" class="entry">
            <Avatar user=UserRef::from(user)/>
            <span class="min-w-0 flex-1 font-medium"><Name username=name.clone()/></span>
            <Act deed=expel label="Remove" name=format!("Remove {name}") entry=entry.clone() says fields/>
        </li>
    }
    .into_any()
}

/// The second click of a double click would hit whoever moves up.
fn spare_the_next(event: leptos::ev::MouseEvent) {
    if event.detail() > 1 {
        event.prevent_default();
    }
}

/// Whom the form has just added; it is free for the next one.
fn take_name() -> String {
    let input = document().get_element_by_id(NEW_MEMBER);
    let Some(input) = input.and_then(|input| input.dyn_into::<web_sys::HtmlInputElement>().ok()) else {
        return String::new();
    };
    let name = input.value();
    input.set_value("");
    name.trim().trim_start_matches('@').to_owned()
}

/// The way to its end, and what goes with it.
#[component]
fn Delete(channel: Channel) -> impl IntoView {
    let told = expect_context::<Told>();
    let navigate = use_navigate();
    let dialog = NodeRef::<html::Dialog>::new();
    let name = channel.label().to_owned();
    let said = format!("#{name} is deleted.");
    let delete = Post::new("/api/fn/delete_channel", move |_| {
        told.say_there(said.clone());
        navigate("/admin/channels", NavigateOptions::default());
    });
    view! {
        <section class="panel">
            <h2 class="mb-1 text-lg font-[650] tracking-tight">"Delete"</h2>
            <p class="mb-3 text-soft">"Everything that was said in it goes as well, for everyone."</p>
            <button type="button" class=SECONDARY command="show-modal" commandfor=DELETE on:click=move |_| open_dialog(dialog)>
                <Icon icon=icondata_lu::LuTrash2/>
                "Delete channel"
            </button>
            <Dialog id=DELETE title=format!("Delete #{name}?") node_ref=dialog open=delete.failed()>
                <p class="mb-5 text-soft">
                    {format!("Every message in #{name} is deleted, for all its members. This can't be undone.")}
                </p>
                <FormError message=delete.rest(&[])/>
                <PostForm post=delete>
                    <input type="hidden" name="id" value=channel.id.to_string()/>
                    <div class="flex justify-end gap-2">
                        <button type="button" class=SECONDARY autofocus=true command="close" commandfor=DELETE on:click=move |_| close_dialog(dialog)>
                            "Cancel"
                        </button>
                        <button type="submit" class=DANGER>"Delete channel"</button>
                    </div>
                </PostForm>
            </Dialog>
        </section>
    }
    .into_any()
}
