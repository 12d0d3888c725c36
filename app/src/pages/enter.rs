use crate::{
    api::{self, Entrance},
    app::BootstrapResource,
    components::ui::{Field, FormError, PRIMARY, Post, PostForm, When, effect},
    next::{has_left, login_first, next, register_first},
    state::{ENDED, assign_location, forget, forget_drafts, recall, set_title},
};
use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    components::Redirect,
    hooks::{use_location, use_navigate, use_params_map},
};
use natter::admin::Registration;

/// The frame of the pages for those who aren't logged in; those who are don't need them.
#[component]
fn Enter(
    title: &'static str,
    /// Where those are led.
    #[prop(default = "/".to_owned())]
    next: String,
    children: ChildrenFn,
) -> impl IntoView {
    let bootstrap = expect_context::<BootstrapResource>();
    let children = StoredValue::new(children);
    effect(move || set_title(&format!("{title} · Natter")));
    view! {
        <main class="grid place-items-center min-h-dvh p-4">
            <div class="w-full max-w-sm">
                <div class="flex items-center justify-center gap-3 mb-6">
                    <span class="grid place-items-center size-10 rounded-xl bg-accent text-accent-ink text-xl font-extrabold"
                        aria-hidden="true">"N"</span>
                    <span class="text-xl font-[650] tracking-tight">"Natter"</span>
                </div>
                <div class="p-6 rounded-2xl border border-line bg-raised shadow-sm">
                    <h1 class="mb-5 text-lg font-[650] tracking-tight">{title}</h1>
                    {move || children.with_value(|children| children())}
                </div>
            </div>
            <Suspense>
                {move || {
                    let path = next.clone();
                    Suspend::new(async move {
                        matches!(bootstrap.await, Ok(Some(_))).then(|| view! { <Redirect path/> })
                    })
                }}
            </Suspense>
        </main>
    }
}

const LINK: &str = "font-semibold text-accent rounded underline-offset-2 hover:underline";

#[component]
pub fn Login() -> impl IntoView {
    let query = use_location().search.get_untracked();
    let (next, left) = (next(&query), has_left(&query));
    let then = next.clone();
    let next = StoredValue::new(next);
    // A full load: everything on the page was made for nobody.
    let login = Post::new("/api/fn/login", move |_| assign_location(&then));
    let ended = RwSignal::new(false);
    let (bootstrap, navigate) = (expect_context::<BootstrapResource>(), use_navigate());
    effect(move || {
        // Anyone can make a link to here: nothing is lost by it while one is logged in.
        if left && matches!(bootstrap.get(), Some(Ok(None))) {
            forget_drafts();
            navigate("/login", NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
        }
    });
    effect(move || {
        ended.set(!recall(ENDED).is_empty());
        forget(ENDED);
    });
    view! {
        <Enter title="Log in" next=next.get_value()>
            <When when=ended>
                <p role="status" class="mb-4 px-3 py-2 rounded-lg bg-accent-soft text-sm">
                    "You were logged out, here or by an admin. Log in to go on."
                </p>
            </When>
            <PostForm post=login>
                <input type="hidden" name="next" value=next.get_value()/>
                <FormError message=login.rest(&["username", "password"])/>
                <Field id="username" label="Username" name="username" autocomplete="username" required=true autofocus=true
                    error=login.field("username")/>
                <Field id="password" label="Password" name="password" kind="password" autocomplete="current-password"
                    required=true error=login.field("password")/>
                <button type="submit" class=format!("{PRIMARY} w-full") disabled=move || login.pending.get()>
                    "Log in"
                </button>
            </PostForm>
            <p class="mt-5 text-sm text-soft">"New here? " <a href=register_first(&next.get_value()) class=LINK>"Create account"</a></p>
        </Enter>
    }
}

/// Where it couldn't be asked: the form says what stands in the way.
const UNKNOWN: Entrance = Entrance { registration: Registration::Open, invited: false, first: false };
const NOT_NOW: &str = "No new accounts are made here at the moment.";
const OVER: &str = "This invitation is used up, too old or withdrawn.";

/// An account for whoever comes, where that is for everyone. Somebody must have chosen that it isn't: the first one
/// is always made.
#[component]
pub fn Register() -> impl IntoView {
    let loaded = Resource::new_blocking(|| (), |()| api::registration(None));
    let going = StoredValue::new(next(&use_location().search.get_untracked()));
    let shown = move |entrance: Entrance| {
        let next = going.get_value();
        let words = match entrance.registration {
            _ if entrance.first => {
                return view! {
                    <p class="mb-4 text-sm text-soft">"You are the first here: this account becomes the admin."</p>
                    <NewAccount invite=String::new() next/>
                }
                .into_any();
            }
            Registration::Open => return view! { <NewAccount invite=String::new() next/> }.into_any(),
            Registration::Invite => {
                "You need an invitation to make an account here. If you have a link, open it; else ask an admin."
            }
            Registration::Closed => NOT_NOW,
        };
        view! {
            <p class="mb-4 px-3 py-2 rounded-lg bg-accent-soft text-sm">{words}</p>
            <HaveAccount next/>
        }
        .into_any()
    };
    view! {
        <Enter title="Create account" next=going.get_value()>
            <Suspense>
                {move || Suspend::new(async move { shown(loaded.await.unwrap_or(UNKNOWN)) })}
            </Suspense>
        </Enter>
    }
}

/// An account for whoever has a link.
#[component]
pub fn Invited() -> impl IntoView {
    let code = use_params_map().with_untracked(|params| params.get("code")).unwrap_or_default();
    let asked = code.clone();
    let loaded = Resource::new_blocking(move || asked.clone(), |code| api::registration(Some(code)));
    let code = StoredValue::new(code);
    let over = |words: String, open| view! { <Over words open/> }.into_any();
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match loaded.await.map(|entrance| (entrance.registration, entrance.invited)) {
                    Ok((Registration::Closed, true)) => over(NOT_NOW.to_owned() + " Keep the link: it may work again later.", false),
                    Ok((_, true)) => view! { <Welcome invite=code.get_value()/> }.into_any(),
                    Ok((Registration::Open, false)) => {
                        over(OVER.to_owned() + " But you don't need one: anyone can make an account here.", true)
                    }
                    Ok(_) => over(OVER.to_owned() + " Ask whoever sent it for a new one.", false),
                    Err(failure) => over(failure.to_string(), false),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Welcome(invite: String) -> impl IntoView {
    view! {
        <Enter title="Create account">
            <p class="mb-4 text-sm text-soft">"You are invited to Natter. Choose how others will know you."</p>
            <NewAccount invite=invite.clone() next="/".to_owned()/>
        </Enter>
    }
    .into_any()
}

/// A link that can't be used.
#[component]
fn Over(
    words: String,
    /// One can make an account without it.
    open: bool,
) -> impl IntoView {
    view! {
        <Enter title="Invitation">
            <p class="text-soft">{words.clone()}</p>
            {open.then(|| view! { <p class="mt-5 text-sm"><a href="/register" class=LINK>"Create account"</a></p> })}
            <HaveAccount next="/".to_owned()/>
        </Enter>
    }
    .into_any()
}

#[component]
fn NewAccount(
    /// The code of an invitation; may be empty.
    invite: String,
    /// Where one goes on to.
    next: String,
) -> impl IntoView {
    let (then, going) = (next.clone(), next.clone());
    let register = Post::new("/api/fn/register", move |_| assign_location(&then));
    view! {
        <PostForm post=register>
            <input type="hidden" name="next" value=going/>
            <FormError message=register.rest(&["username", "password"])/>
            <input type="hidden" name="invite" value=invite/>
            <Field id="username" label="Username" name="username" autocomplete="username" required=true autofocus=true
                maxlength=32 hint="Letters, digits and _ . -" error=register.field("username")/>
            <Field id="password" label="Password" name="password" kind="password" autocomplete="new-password"
                required=true hint="At least 8 characters." error=register.field("password")/>
            <button type="submit" class=format!("{PRIMARY} w-full") disabled=move || register.pending.get()>
                "Create account"
            </button>
        </PostForm>
        <HaveAccount next/>
    }
    .into_any()
}

#[component]
fn HaveAccount(next: String) -> impl IntoView {
    let login = login_first(&next);
    view! { <p class="mt-5 text-sm text-soft">"Have an account? " <a href=login class=LINK>"Log in"</a></p> }
}
