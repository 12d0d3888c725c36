//! The browser bundle, inside the binary; in debug builds read from the disk.

use axum::{
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../dist"]
#[allow_missing = true]
struct Bundle;

/// Names carry the content's hash: what they name never changes.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// The names of the built files.
#[derive(Clone, Debug, Default)]
pub struct Assets(natter_app::Assets);

impl Assets {
    /// Finds them; without a bundle pages work, but don't wake up.
    pub fn find() -> Self {
        let find = |end: &str| Bundle::iter().find(|name| name.ends_with(end) && !name.contains('/'));
        let name = |end| find(end).map(std::borrow::Cow::into_owned).unwrap_or_default();
        let assets = natter_app::Assets { script: name(".js"), wasm: name("_bg.wasm"), style: name(".css") };
        if assets.script.is_empty() {
            tracing::warn!("there is no browser bundle: pages will not be interactive");
        }
        Self(assets)
    }

    pub fn names(&self) -> natter_app::Assets {
        // In debug builds the bundle is rebuilt while the server runs.
        if cfg!(debug_assertions) { Self::find().0 } else { self.0.clone() }
    }
}

/// A file of the bundle, in the smallest form that the browser takes.
pub async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let forms = [("br", ".br"), ("gzip", ".gz")];
    // The packed forms have no address of their own.
    if forms.iter().any(|(_, end)| name.ends_with(end)) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let accepts = |coding: &str| {
        accepted.split(',').any(|part| {
            let mut part = part.split(';');
            part.next().is_some_and(|name| name.trim() == coding) && !part.any(|weight| weight.trim() == "q=0")
        })
    };
    let packed = forms
        .iter()
        .filter(|(coding, _)| accepts(coding))
        .find_map(|(coding, end)| Bundle::get(&format!("{name}{end}")).map(|file| (*coding, file)));
    let (coding, file) = match packed {
        Some((coding, file)) => (Some(coding), file),
        None => match Bundle::get(&name) {
            Some(file) => (None, file),
            None => return StatusCode::NOT_FOUND.into_response(),
        },
    };
    let kind = mime_guess::from_path(&name).first_or_octet_stream();
    let kind = match kind.type_() {
        mime_guess::mime::TEXT => format!("{kind}; charset=utf-8"),
        _ => kind.to_string(),
    };
    let mut response = (
        [(header::CONTENT_TYPE, kind.as_str()), (header::CACHE_CONTROL, IMMUTABLE), (header::VARY, "Accept-Encoding")],
        file.data,
    )
        .into_response();
    if let Some(coding) = coding {
        response.headers_mut().insert(header::CONTENT_ENCODING, header::HeaderValue::from_static(coding));
    }
    response
}

pub async fn favicon() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "public, max-age=86400")], natter_app::FAVICON)
}
