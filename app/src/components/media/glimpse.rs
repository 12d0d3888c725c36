use super::{about, fitted, icon};
use crate::components::ui::Icon;
use leptos::prelude::*;
use leptos_router::components::A;
use natter::{Upload, media::Kind};

/// How large one picture is shown, and each of several.
const ONE: (u32, u32) = (200, 120);
const SEVERAL: (u32, u32) = (96, 96);

/// What a message carries, where it is only looked through: small, nothing plays, and each leads to the message.
pub fn glimpses(files: &[Upload], message: &str) -> AnyView {
    if files.is_empty() {
        return ().into_any();
    }
    let pictures = files.iter().filter(|file| file.kind() == Kind::Picture).count();
    let most = if pictures == 1 { ONE } else { SEVERAL };
    let one = |file: &Upload| match file.kind() {
        Kind::Picture => picture(file, most, message),
        Kind::Video | Kind::Sound | Kind::File => card(file, message),
    };
    let all = files.iter().map(one).collect_view();
    view! { <div class="glimpses">{all}</div> }.into_any()
}

/// At its true shape, and its place is there before it is.
fn picture(file: &Upload, most: (u32, u32), message: &str) -> AnyView {
    let (width, height) = fitted(file.width.unwrap_or(most.0), file.height.unwrap_or(most.1), most);
    let (src, alt) = (file.thumbnail_url.clone().unwrap_or_else(|| file.url.clone()), file.filename.clone());
    view! {
        <A href=message.to_owned() attr:class="picture glimpse">
            <img src=src alt=alt width=width height=height loading="lazy" decoding="async"/>
        </A>
    }
    .into_any()
}

fn card(file: &Upload, message: &str) -> AnyView {
    let (icon, name, about) = (icon(file), file.filename.clone(), about(file));
    view! {
        <A href=message.to_owned() attr:class="file-card glimpse-card">
            <span class="file-icon"><Icon icon/></span>
            <span class="min-w-0 flex-1">
                <span class="block truncate font-medium">{name}</span>
                <span class="block text-[13px] text-soft">{about}</span>
            </span>
        </A>
    }
    .into_any()
}
