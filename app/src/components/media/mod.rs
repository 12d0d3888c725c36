//! Files in messages: pictures, videos, sound, and everything else as something to download.

mod glimpse;
mod lightbox;
mod picture;

pub use glimpse::glimpses;
pub use lightbox::{Lightbox, Shown};

use crate::components::ui::Icon;
use leptos::prelude::*;
use natter::{
    Message, Upload, markdown,
    media::{Kind, duration_text, size_text},
};
use picture::Pictures;

/// How large a video is shown, in pixels.
const VIDEO: (u32, u32) = (420, 320);

/// All files of a message: the pictures together, and the others below each other.
pub fn attachments(files: &[Upload]) -> AnyView {
    if files.is_empty() {
        return ().into_any();
    }
    let pictures: Vec<_> = files.iter().filter(|file| file.kind() == Kind::Picture).cloned().collect();
    let others = files.iter().filter(|file| file.kind() != Kind::Picture).cloned();
    let others = others.map(|file| match file.kind() {
        Kind::Video => view! { <Video file/> }.into_any(),
        Kind::Sound => view! { <Sound file/> }.into_any(),
        Kind::Picture | Kind::File => view! { <Card file/> }.into_any(),
    });
    let others = others.collect_view();
    view! { <div class="attachments"><Pictures pictures/> {others}</div> }.into_any()
}

/// What stands for a message where there is little room: its words, or the names of its files.
pub fn said(message: &Message, most: usize) -> String {
    let words = markdown::plain(&message.text, most);
    if !words.is_empty() || message.attachments.is_empty() {
        return words;
    }
    message.attachments.iter().map(|file| file.filename.as_str()).collect::<Vec<_>>().join(", ")
}

/// The size within a box at which something keeps its shape; never larger than it is.
fn fitted(width: u32, height: u32, most: (u32, u32)) -> (u32, u32) {
    let (w, h) = (u64::from(width.max(1)), u64::from(height.max(1)));
    let (most_w, most_h) = (u64::from(most.0), u64::from(most.1));
    let (w, h) = if w <= most_w && h <= most_h {
        (w, h)
    } else if w * most_h > h * most_w {
        (most_w, (h * most_w).div_ceil(w))
    } else {
        ((w * most_h).div_ceil(h), most_h)
    };
    (u32::try_from(w).unwrap_or(1), u32::try_from(h).unwrap_or(1))
}

#[component]
fn Video(file: Upload) -> impl IntoView {
    let (width, height) = match (file.width, file.height) {
        (Some(width), Some(height)) => fitted(width, height, VIDEO),
        _ => (VIDEO.0, VIDEO.0 * 9 / 16),
    };
    let (src, label) = (file.url.clone(), file.filename.clone());
    view! {
        <figure class="video">
            <video controls playsinline preload="metadata" width=width height=height src=src aria-label=label></video>
            <Line file/>
        </figure>
    }
}

#[component]
fn Sound(file: Upload) -> impl IntoView {
    let (src, label) = (file.url.clone(), file.filename.clone());
    view! {
        <figure class="sound">
            <audio controls preload="metadata" src=src aria-label=label></audio>
            <Line file/>
        </figure>
    }
}

/// What stands under something that plays: its name, and the way to have it where it doesn't.
#[component]
fn Line(file: Upload) -> impl IntoView {
    let about = about(&file);
    let (label, download, href) = (format!("Download {}", file.filename), file.filename.clone(), file.url);
    view! {
        <figcaption class="media-line">
            <span class="truncate">{file.filename}</span>
            <span class="text-faint whitespace-nowrap">{about}</span>
            <a href=href download=download class="media-download" aria-label=label><Icon icon=icondata_lu::LuDownload/></a>
        </figcaption>
    }
}

#[component]
fn Card(file: Upload) -> impl IntoView {
    let about = about(&file);
    let (download, label) = (file.filename.clone(), format!("Download {}, {about}", file.filename));
    let icon = icon(&file);
    view! {
        <a href=file.url download=download class="file-card" aria-label=label>
            <span class="file-icon"><Icon icon/></span>
            <span class="min-w-0 flex-1">
                <span class="block truncate font-medium">{file.filename}</span>
                <span class="block text-[13px] text-soft">{about}</span>
            </span>
            <Icon icon=icondata_lu::LuDownload/>
        </a>
    }
}

/// The sign of what kind of file it is.
fn icon(file: &Upload) -> icondata_core::Icon {
    match (file.kind(), file.media_type.as_str()) {
        (Kind::Video, _) => icondata_lu::LuFilm,
        (Kind::Sound, _) => icondata_lu::LuMusic,
        (_, "text/plain" | "application/pdf") => icondata_lu::LuFileText,
        (_, "application/zip" | "application/gzip" | "application/x-7z-compressed") => icondata_lu::LuFileArchive,
        _ => icondata_lu::LuFile,
    }
}

/// What kind of file it is, how long and how large: `PDF · 1.2 MB`.
fn about(file: &Upload) -> String {
    let kind = match file.media_type.as_str() {
        "application/pdf" => "PDF",
        "text/plain" => "Text",
        "application/zip" | "application/gzip" | "application/x-7z-compressed" => "Archive",
        _ => match file.kind() {
            Kind::Picture => "Picture",
            Kind::Video => "Video",
            Kind::Sound => "Sound",
            Kind::File => "File",
        },
    };
    let length = file.duration.map(|millis| format!("{} · ", duration_text(millis))).unwrap_or_default();
    format!("{kind} · {length}{}", size_text(file.size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_keeps_its_shape_within_its_box() {
        for (size, expected) in [
            ((100, 50), (100, 50)),
            ((4_000, 3_000), (420, 315)),
            ((3_000, 4_000), (240, 320)),
            ((12_000, 10), (420, 1)),
            ((0, 0), (1, 1)),
        ] {
            assert_eq!(fitted(size.0, size.1, VIDEO), expected, "{size:?}");
        }
    }
}
