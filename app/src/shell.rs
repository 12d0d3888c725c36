//! The HTML around every page.

use crate::{App, rescue::RESCUE};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_router::location::RequestUrl;

/// The names of the built files, which carry their content's hash. Empty when there is no bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assets {
    pub script: String,
    pub wasm: String,
    pub style: String,
}

/// The document. Every inline script carries the response's nonce: nothing else may run.
pub fn shell(assets: &Assets) -> impl IntoView + use<> {
    let nonce = use_nonce();
    let title = use_context::<RequestUrl>().map_or_else(|| "Natter".to_owned(), |url| title(url.as_ref()));
    // The browser goes to a message, or to where unread begins, when it first shows the page: by then all of the
    // log has to be there.
    let whole = use_context::<RequestUrl>().is_some_and(|url| has_log(url.as_ref()));
    let whole = whole.then(|| view! { <link rel="expect" href="#log-end" blocking="render"/> });
    let style = (!assets.style.is_empty()).then(|| format!("/pkg/{}", assets.style));
    let scripts = (!assets.script.is_empty()).then(|| {
        let (script, wasm) = (format!("/pkg/{}", assets.script), format!("/pkg/{}", assets.wasm));
        let start = format!(
            "import init, {{ hydrate }} from '{script}';{RESCUE}init({{ module_or_path: '{wasm}' }}).then(() => hydrate());"
        );
        view! {
            <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
            <link rel="modulepreload" href=script nonce=nonce.clone()/>
            <script type="module" nonce=nonce.clone() inner_html=start></script>
        }
    });
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="description" content="Natter: real-time team chat"/>
                // Not as a child: there it would end with a mark that is for scripts, and be shown with it.
                <title inner_html=title></title>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                {whole}
                {style.map(|href| view! { <link rel="stylesheet" href=href/> })}
                {scripts}
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// Whether an address leads to a conversation.
fn has_log(address: &str) -> bool {
    let path = path(address);
    ["/channels/", "/direct/"].iter().any(|start| path.starts_with(start))
}

fn path(address: &str) -> &str {
    // Of the server's own making: it has a scheme and some host.
    let address = address.split_once("://").map_or(address, |(_, rest)| rest.trim_start_matches(|c| c != '/'));
    address.split(['?', '#']).next().unwrap_or_default()
}

/// What the page at an address is called, as HTML, before scripts say it (`set_title`).
fn title(address: &str) -> String {
    let mut parts = path(address).split('/');
    if parts.next() != Some("") {
        return "Natter".to_owned();
    }
    let words = match (parts.next().unwrap_or_default(), parts.next()) {
        ("", _) => "Catch up".to_owned(),
        ("login", _) => "Log in".to_owned(),
        ("register" | "invite", _) => "Create account".to_owned(),
        ("browse", _) => "Browse channels".to_owned(),
        ("channels", Some(name)) => format!("#{name}"),
        ("direct", Some(name)) => name.to_owned(),
        ("settings", None) => "Settings".to_owned(),
        ("admin", _) => "Admin".to_owned(),
        _ => return "Natter".to_owned(),
    };
    format!("{words} · Natter").replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::{has_log, title};

    #[test]
    fn an_address_may_lead_to_a_conversation() {
        for (address, expected) in [
            ("/channels/general?at=7", true),
            ("http://leptos.dev/direct/mira", true),
            ("/channels", false),
            ("/", false),
            ("/search?q=/channels/general", false),
            ("/admin/channels/general", false),
        ] {
            assert_eq!(has_log(address), expected, "{address}");
        }
    }

    #[test]
    fn a_page_has_its_title_before_any_script_runs() {
        for (address, expected) in [
            ("/", "Catch up · Natter"),
            ("/login?__err=x", "Log in · Natter"),
            ("/channels/general?at=7", "#general · Natter"),
            ("http://leptos.dev/channels/general?at=7", "#general · Natter"),
            ("http://leptos.dev/", "Catch up · Natter"),
            ("/direct/mira", "mira · Natter"),
            ("/direct/</title><script>&", "&lt; · Natter"),
            ("/settings", "Settings · Natter"),
            ("/admin/people", "Admin · Natter"),
            ("/nowhere", "Natter"),
            ("nonsense", "Natter"),
        ] {
            assert_eq!(title(address), expected, "{address}");
        }
    }
}
