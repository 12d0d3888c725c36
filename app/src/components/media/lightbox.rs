use super::fitted;
use crate::components::ui::{GHOST, Icon, changing, effect, hide};
use leptos::{ev, html, prelude::*};
use natter::{Upload, media::size_text};

/// How far a finger goes to turn the page, in pixels.
const SWIPE: i32 = 48;
/// A picture is shown no larger than this, and than the window.
const LARGEST: (u32, u32) = (4_096, 4_096);

/// The pictures of a message that are looked at, and which of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    pub pictures: Vec<Upload>,
    pub at: usize,
}

impl Shown {
    fn turned(&self, back: bool) -> Self {
        let count = self.pictures.len().max(1);
        let by = if back { count - 1 } else { 1 };
        Self { at: (self.at + by) % count, ..self.clone() }
    }
}

/// Pictures over everything else, one at a time.
#[component]
pub fn Lightbox(shown: RwSignal<Option<Shown>>) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    effect(move || {
        let open = shown.read().is_some();
        if let Some(dialog) = dialog.get()
            && open
            && !dialog.open()
        {
            let _ = dialog.show_modal();
        }
    });
    let turn = move |back: bool| shown.update(|shown| *shown = shown.as_ref().map(|shown| shown.turned(back)));
    let keys = move |event: ev::KeyboardEvent| match event.key().as_str() {
        "ArrowLeft" => turn(true),
        "ArrowRight" => turn(false),
        _ => {}
    };
    let began = StoredValue::new(None::<(i32, i32)>);
    let finger = |event: &ev::TouchEvent| {
        let touch = event.changed_touches().item(0).filter(|_| event.touches().length() <= 1)?;
        Some((touch.client_x(), touch.client_y()))
    };
    let touched = move |event: ev::TouchEvent| began.set_value(finger(&event));
    let let_go = move |event: ev::TouchEvent| {
        let Some(((x, y), (to_x, to_y))) = began.get_value().zip(finger(&event)) else { return };
        if (to_x - x).abs() > SWIPE && (to_x - x).abs() > (to_y - y).abs() {
            turn(to_x > x);
        }
    };
    let name =
        move || shown.with(|shown| shown.as_ref().and_then(|it| it.pictures.get(it.at)).map(|it| it.filename.clone()));
    view! {
        <dialog node_ref=dialog class="lightbox" aria-label=name on:keydown=keys on:touchstart=touched on:touchend=let_go
            on:close=move |_| shown.set(None)>
            {changing(move || match shown.get() {
                Some(shown) => stage(&shown, dialog, turn),
                None => ().into_any(),
            })}
        </dialog>
    }
}

fn stage(shown: &Shown, dialog: NodeRef<html::Dialog>, turn: impl Fn(bool) + Copy + Send + 'static) -> AnyView {
    let Some(file) = shown.pictures.get(shown.at).cloned() else { return ().into_any() };
    let count = shown.pictures.len();
    let place = (count > 1).then(|| format!("{} of {count} · ", shown.at + 1));
    let (width, height) = fitted(file.width.unwrap_or(LARGEST.0), file.height.unwrap_or(LARGEST.1), LARGEST);
    // Already here, as a rule: what is looked at while the picture itself comes.
    let small = file
        .thumbnail_url
        .clone()
        .map(|src| view! { <img class="lightbox-picture" src=src alt="" width=width height=height/> });
    let beside = move |event: ev::MouseEvent| {
        if event.target() == event.current_target() {
            hide(dialog);
        }
    };
    let arrow = |back: bool| {
        let (label, class) =
            if back { ("Previous picture", "lightbox-turn left-2") } else { ("Next picture", "lightbox-turn right-2") };
        let icon = if back { icondata_lu::LuChevronLeft } else { icondata_lu::LuChevronRight };
        view! {
            <button type="button" class=class aria-label=label on:click=move |_| turn(back)><Icon icon/></button>
        }
    };
    let arrows = (count > 1).then(|| [true, false].map(arrow).collect_view());
    let about = format!("{}{}", place.unwrap_or_default(), size_text(file.size));
    let (download, label) = (file.filename.clone(), format!("Download {}", file.filename));
    view! {
        <div class="lightbox-inside">
            <div class="lightbox-bar">
                <p class="min-w-0 flex-1 truncate"><b>{file.filename.clone()}</b> " " <span class="text-soft">{about}</span></p>
                <a href=file.url.clone() download=download class=GHOST aria-label=label><Icon icon=icondata_lu::LuDownload/></a>
                <button type="button" class=GHOST aria-label="Close" autofocus on:click=move |_| hide(dialog)>
                    <Icon icon=icondata_lu::LuX/>
                </button>
            </div>
            <div class="lightbox-stage" on:click=beside>
                {small}
                <img class="lightbox-picture" src=file.url alt=file.filename width=width height=height/>
            </div>
            {arrows}
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_the_last_picture_comes_the_first() {
        let file: Upload = serde_json::from_str(
            r#"{"id":"01938f3e-1c00-7000-8000-000000000000","filename":"a","media_type":"image/png","size":1,"url":"/a"}"#,
        )
        .unwrap();
        let shown = Shown { pictures: vec![file; 3], at: 2 };
        assert_eq!((shown.turned(false).at, shown.turned(true).at), (0, 1));
        assert_eq!(shown.turned(false).turned(true), shown);
    }
}
