use crate::{
    api::{self, OwnSession},
    components::{
        admin::{Act, Deed, Moment, PAGE, Told, Wrong, shown},
        ui::{Field, FilledField, FormError, Header, PRIMARY, Post, PostForm, SECONDARY, When, changing, effect},
    },
    state::{Chat, set_title},
};
use leptos::{prelude::*, wasm_bindgen::JsCast as _};
use natter::input::DISPLAY_NAME_CHARS;

const CURRENT: &str = "settings-current";

/// What is one's own: the name, the password, and where one is logged in.
#[component]
pub fn Settings() -> impl IntoView {
    let told = Told::default();
    provide_context(told);
    effect(move || set_title("Settings · Natter"));
    let loaded = Resource::new_blocking(|| (), |()| api::sessions());
    let sessions = RwSignal::new(Vec::new());
    let reload = Callback::new(move |()| told.reload(sessions, api::sessions()));
    view! {
        <main class="flex flex-col min-h-0 flex-1">
            <Header title="Settings".to_owned()>
                <p role="status" class="told">{told.line()}</p>
            </Header>
            <div id=PAGE tabindex="-1" class="relative flex-1 overflow-y-auto p-5 max-sm:p-3.5">
                <div class="max-w-[560px] mx-auto">
                    <DisplayName/>
                    <Password reload/>
                    <section class="panel" aria-labelledby="sessions-title">
                        <h2 id="sessions-title" class="text-lg font-[650] tracking-tight" tabindex="-1">"Where you are logged in"</h2>
                        {shown(loaded, move |found| {
                            sessions.set(found);
                            view! { <Sessions sessions reload/> }.into_any()
                        })}
                    </section>
                </div>
            </div>
        </main>
    }
    .into_any()
}

#[component]
fn DisplayName() -> impl IntoView {
    let chat = expect_context::<Chat>();
    let told = expect_context::<Told>();
    let save = Post::new("/api/fn/rename", move |_| told.say("Your name is changed."));
    let me = chat.me.get_untracked();
    let (name, hint) = (me.display_name, format!("Others write to you, and mention you, as {}.", me.username));
    view! {
        <section class="panel" aria-labelledby="name-title">
            <h2 id="name-title" class="mb-1 text-lg font-[650] tracking-tight">"Your name"</h2>
            <p class="mb-3 text-[13px] text-soft">{hint}</p>
            <PostForm post=save>
                <FilledField id="settings-name" label="Display name" name="display_name" value=name required=true
                    maxlength=*DISPLAY_NAME_CHARS.end() error=save.field("display_name")/>
                <FormError message=save.rest(&["display_name"])/>
                <button type="submit" class=PRIMARY disabled=move || save.pending.get()>"Save name"</button>
            </PostForm>
        </section>
    }
    .into_any()
}

#[component]
fn Password(
    /// Other sessions end with the old password.
    reload: Callback<()>,
) -> impl IntoView {
    let chat = expect_context::<Chat>();
    let told = expect_context::<Told>();
    let change = Post::new("/api/fn/change_password", move |_| {
        told.say("Your password is changed. Everywhere else you are logged out.");
        empty_form();
        // The page may have been left meanwhile.
        let _ = reload.try_run(());
    });
    view! {
        <section class="panel" aria-labelledby="password-title">
            <h2 id="password-title" class="mb-1 text-lg font-[650] tracking-tight">"Password"</h2>
            <p class="mb-3 text-[13px] text-soft">"A new one logs you out everywhere but here."</p>
            <PostForm post=change>
                // For what keeps passwords: whose it is.
                <input type="text" value=chat.me.read_untracked().username.clone() autocomplete="username" readonly=true hidden/>
                <Field id=CURRENT label="Current password" name="current" kind="password" autocomplete="current-password"
                    required=true error=change.field("current")/>
                <Field id="settings-new" label="New password" name="new" kind="password" autocomplete="new-password"
                    required=true hint="At least 8 characters." error=change.field("new")/>
                <FormError message=change.rest(&["current", "new"])/>
                <button type="submit" class=PRIMARY disabled=move || change.pending.get()>"Change password"</button>
            </PostForm>
        </section>
    }
    .into_any()
}

fn empty_form() {
    let form = document().get_element_by_id(CURRENT).and_then(|field| field.closest("form").ok().flatten());
    if let Some(form) = form.and_then(|form| form.dyn_into::<web_sys::HtmlFormElement>().ok()) {
        form.reset();
    }
}

#[component]
fn Sessions(sessions: RwSignal<Vec<OwnSession>>, reload: Callback<()>) -> impl IntoView {
    let told = expect_context::<Told>();
    let end = told.deed("/api/fn/end_session", move || reload.run(()));
    let end_others = told.deed("/api/fn/end_other_sessions", move || reload.run(()));
    let entries = move || {
        let sessions = sessions.read();
        let entries = sessions.iter().map(|session| entry(session, end)).collect_view();
        view! { <ul>{entries}</ul> }.into_any()
    };
    let several = Signal::derive(move || sessions.read().len() > 1);
    view! {
        <Wrong message=told.trouble([end, end_others])/>
        {changing(entries)}
        <When when=several>
            <PostForm post=end_others.post>
                <button type="submit" class=format!("{SECONDARY} mt-3")
                    on:click=move |_| told.begin(end_others, "sessions-title", "You are logged in only here now.")>
                    "End all others"
                </button>
            </PostForm>
        </When>
    }
    .into_any()
}

fn entry(session: &OwnSession, end: Deed) -> AnyView {
    let element = format!("session-{}", session.id);
    let what = device(&session.user_agent);
    let act = if session.current {
        view! { <span class="chip">"This device"</span> }.into_any()
    } else {
        let (says, fields) = (format!("{what} is logged out."), vec![("id", session.id.to_string())]);
        view! { <div class="acts"><Act deed=end label="End" entry=element.clone() says fields/></div> }.into_any()
    };
    view! {
        <li id=element.clone() tabindex="-1" class="entry">
            <div class="min-w-0 flex-1">
                <p id=format!("{element}-name") class="font-medium truncate">{what}</p>
                <p class="text-[13px] text-faint">
                    "Last used: " <Moment at=session.last_seen_at/> " · Since: " <Moment at=session.created_at/>
                </p>
            </div>
            {act}
        </li>
    }
    .into_any()
}

/// What somebody would call the program that says this of itself: `Firefox on Linux`.
fn device(user_agent: &str) -> String {
    let found = |marks: &[(&str, &'static str)]| {
        marks.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    // Most say that they are several others, too.
    let browser = found(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = found(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "Mac"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) => {
            let name = user_agent.split(['/', ' ', '(']).next().unwrap_or_default();
            if name.is_empty() { "Unknown program".to_owned() } else { name.to_owned() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::device;

    #[test]
    fn a_session_is_called_by_its_browser_and_system() {
        for (says, expected) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36 Edg/142.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            ("curl/8.5.0", "curl"),
            ("node", "node"),
            ("", "Unknown program"),
        ] {
            assert_eq!(device(says), expected, "{says}");
        }
    }
}
