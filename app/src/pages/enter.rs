use crate::{
    app::BootstrapResource,
    components::ui::{Field, FormError, PRIMARY, Post, PostForm, effect},
    state::{assign_location, set_title},
};
use leptos::prelude::*;
use leptos_router::components::Redirect;

/// The frame of the pages for those who aren't logged in; those who are don't need them.
#[component]
fn Enter(title: &'static str, children: ChildrenFn) -> impl IntoView {
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
                {move || Suspend::new(async move {
                    matches!(bootstrap.await, Ok(Some(_))).then(|| view! { <Redirect path="/"/> })
                })}
            </Suspense>
        </main>
    }
}

const LINK: &str = "font-semibold text-accent rounded underline-offset-2 hover:underline";

#[component]
pub fn Login() -> impl IntoView {
    // A full load: everything on the page was made for nobody.
    let login = Post::new("/api/fn/login", |_| assign_location("/"));
    view! {
        <Enter title="Log in">
            <PostForm post=login>
                <FormError message=login.rest(&["username", "password"])/>
                <Field id="username" label="Username" name="username" autocomplete="username" required=true autofocus=true
                    error=login.field("username")/>
                <Field id="password" label="Password" name="password" kind="password" autocomplete="current-password"
                    required=true error=login.field("password")/>
                <button type="submit" class=format!("{PRIMARY} w-full") disabled=move || login.pending.get()>
                    "Log in"
                </button>
            </PostForm>
            <p class="mt-5 text-sm text-soft">"New here? " <a href="/register" class=LINK>"Create account"</a></p>
        </Enter>
    }
}

#[component]
pub fn Register() -> impl IntoView {
    let register = Post::new("/api/fn/register", |_| assign_location("/"));
    view! {
        <Enter title="Create account">
            <PostForm post=register>
                <FormError message=register.rest(&["username", "password"])/>
                <Field id="username" label="Username" name="username" autocomplete="username" required=true autofocus=true
                    maxlength=32 hint="Letters, digits and _ . -" error=register.field("username")/>
                <Field id="password" label="Password" name="password" kind="password" autocomplete="new-password"
                    required=true hint="At least 8 characters." error=register.field("password")/>
                <button type="submit" class=format!("{PRIMARY} w-full") disabled=move || register.pending.get()>
                    "Create account"
                </button>
            </PostForm>
            <p class="mt-5 text-sm text-soft">"Have an account? " <a href="/login" class=LINK>"Log in"</a></p>
        </Enter>
    }
}
