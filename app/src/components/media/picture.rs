use super::fitted;
use leptos::prelude::*;
use natter::Upload;

/// How large one picture is shown, and each of several.
const ONE: (u32, u32) = (420, 320);
const SEVERAL: (u32, u32) = (204, 204);
/// A moving picture larger than this moves only when it is opened.
const MOVING_MAX: u64 = 4_000_000;

#[component]
pub fn Pictures(pictures: Vec<Upload>) -> impl IntoView {
    if pictures.is_empty() {
        return ().into_any();
    }
    let most = if pictures.len() == 1 { ONE } else { SEVERAL };
    let all = pictures.into_iter().map(|file| view! { <Picture file most/> }).collect_view();
    view! { <div class="pictures">{all}</div> }.into_any()
}

/// A picture at its true shape, whose place is there before it is: a small copy, that opens the large one.
#[component]
fn Picture(file: Upload, most: (u32, u32)) -> impl IntoView {
    let Upload { id, filename, media_type, size, width, height, url, thumbnail_url, .. } = file;
    let (width, height) = fitted(width.unwrap_or(most.0), height.unwrap_or(most.1), most);
    let small = thumbnail_url.unwrap_or_else(|| url.clone());
    let moves = media_type == "image/gif" && size <= MOVING_MAX;
    let still = moves.then(|| view! { <source srcset=small.clone() media="(prefers-reduced-motion: reduce)"/> });
    let src = if moves { url.clone() } else { small };
    // A click opens it on the page; without scripts, and in another tab, the address does.
    view! {
        <a href=url rel="external" class="picture" data-act="picture" data-upload=id.to_string()>
            <picture>
                {still}
                <img src=src alt=filename width=width height=height loading="lazy" decoding="async"/>
            </picture>
        </a>
    }
}
