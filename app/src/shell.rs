//! The HTML around every page.

use crate::App;
use leptos::{nonce::use_nonce, prelude::*};

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
    let style = (!assets.style.is_empty()).then(|| format!("/pkg/{}", assets.style));
    let scripts = (!assets.script.is_empty()).then(|| {
        let (script, wasm) = (format!("/pkg/{}", assets.script), format!("/pkg/{}", assets.wasm));
        let start = format!(
            "import init, {{ hydrate }} from '{script}';\ninit({{ module_or_path: '{wasm}' }}).then(() => hydrate());"
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
                <title>"Natter"</title>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                {style.map(|href| view! { <link rel="stylesheet" href=href/> })}
                {scripts}
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}
