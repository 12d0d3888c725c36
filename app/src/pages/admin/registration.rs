use crate::{
    api,
    components::{
        admin::{Act, CopyButton, Deed, Empty, Moment, Page, Told, Wrong, origin, shown},
        ui::{Choice, FilledField, FormError, Name, Options, PRIMARY, Post, PostForm, changing},
    },
};
use leptos::prelude::*;
use natter::{
    admin::{Invite, Registration},
    input::{INVITE_DAYS, INVITE_USES},
};

const MODES: Options = &[
    ("open", "Open", "Anyone who finds this place can make an account."),
    ("invite", "Invitation only", "Whoever has a link from below can make an account."),
    ("closed", "Closed", "Nobody can make an account. Links wait until it is open again."),
];

/// Who may make an account, and the links that let people do so.
#[component]
pub fn RegistrationPage() -> impl IntoView {
    // One call each: on the server, what comes after the first wait may have lost its request.
    let mode = Resource::new_blocking(|| (), |()| api::registration(None));
    let invites = Resource::new_blocking(|| (), |()| api::invites());
    view! {
        <Page title="Registration">
            {shown(mode, |entrance| view! { <Mode mode=entrance.registration/> }.into_any())}
            {shown(invites, |invites| view! { <Invitations invites/> }.into_any())}
        </Page>
    }
}

#[component]
fn Mode(mode: Registration) -> impl IntoView {
    let told = expect_context::<Told>();
    let save = Post::new("/api/fn/set_registration", move |_| told.say("Saved."));
    view! {
        <section class="panel">
            <PostForm post=save>
                <Choice id="registration".to_owned() legend="Who can make an account" name="mode" options=MODES chosen=mode.as_str()/>
                <FormError message=save.rest(&[])/>
                <button type="submit" class=PRIMARY>"Save"</button>
            </PostForm>
        </section>
    }
    .into_any()
}

#[component]
fn Invitations(invites: Vec<Invite>) -> impl IntoView {
    let told = expect_context::<Told>();
    let invites = RwSignal::new(invites);
    let reload = move || told.reload(invites, api::invites());
    let create = Post::new("/api/fn/create_invite", move |_| {
        told.say("The invitation is ready: its link is below.");
        reload();
    });
    let revoke = told.deed("/api/fn/revoke_invite", reload);
    let origin = origin();
    let entries = move || {
        let invites = invites.read();
        if invites.is_empty() {
            return view! { <Empty words="There is no invitation that can still be used."/> }.into_any();
        }
        let entries = invites.iter().map(|invite| invitation(invite, revoke, origin)).collect_view();
        view! { <ul>{entries}</ul> }.into_any()
    };
    view! {
        <section class="panel">
            <h2 class="mb-3 text-lg font-[650] tracking-tight" tabindex="-1">"Invitations"</h2>
            <PostForm post=create>
                <div class="grid grid-cols-2 sm:grid-cols-[1fr_1fr_auto] items-end gap-x-3">
                    <FilledField id="invite-days" label="Days" name="days" value="7".to_owned() kind="number" required=true
                        range=INVITE_DAYS error=create.field("days")/>
                    <FilledField id="invite-uses" label="Uses" name="uses" value="1".to_owned() kind="number" required=true
                        range=INVITE_USES error=create.field("uses")/>
                    <button type="submit" class=format!("{PRIMARY} mb-4 h-10! pointer-coarse:h-11! max-sm:col-span-2")>"Create invitation"</button>
                </div>
                <FormError message=create.rest(&["days", "uses"])/>
            </PostForm>
            <Wrong message=told.trouble([revoke])/>
            {changing(entries)}
        </section>
    }
    .into_any()
}

fn invitation(invite: &Invite, revoke: Deed, origin: RwSignal<String>) -> AnyView {
    let entry = format!("invite-{}", invite.code);
    let link_id = format!("{entry}-link");
    let path = format!("/invite/{}", invite.code);
    let uses = format!("{} of {} used · ", invite.uses, invite.max_uses);
    let by = invite.created_by.username.clone();
    let fields = vec![("code", invite.code.clone())];
    view! {
        <li id=entry.clone() tabindex="-1" class="entry flex-wrap">
            <div class="min-w-0 flex-1 basis-64">
                <input id=link_id.clone() readonly=true aria-label="Link" value=Signal::derive(move || format!("{}{path}", origin.read()))
                    class="h-9 pointer-coarse:h-11 w-full px-3 rounded-lg border bg-panel text-[13px] text-ink focus-ring"/>
                <p id=format!("{entry}-name") class="mt-1 text-[13px] text-faint">{uses} "until " <Moment at=invite.expires_at/> " · by " <Name username=by/></p>
            </div>
            <div class="acts">
                <CopyButton input_id=link_id awake=Signal::derive(move || !origin.read().is_empty())/>
                <Act deed=revoke label="Withdraw" entry=entry.clone() says="The invitation is withdrawn.".to_owned() fields/>
            </div>
        </li>
    }
    .into_any()
}
