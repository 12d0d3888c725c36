//! The little that differs between the browser and the server rendering for it.

#[cfg(feature = "hydrate")]
mod here {
    use crate::favicon::favicon;
    use gloo_net::http::Request;
    use natter::{ErrorCode, Problem, Timestamp, time::Civil};
    use std::cell::{Cell, RefCell};
    use wasm_bindgen::JsCast as _;

    pub fn now() -> Timestamp {
        Timestamp::from_millis(whole(js_sys::Date::now()))
    }

    /// In the reader's own time zone.
    pub fn civil(time: Timestamp) -> Civil {
        #[expect(clippy::cast_precision_loss, reason = "exact for the next 285,000 years")]
        let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(time.millis() as f64));
        let small = |value: u32| u8::try_from(value).unwrap_or(0);
        Civil {
            year: i32::try_from(date.get_full_year()).unwrap_or(0),
            month: small(date.get_month() + 1),
            day: small(date.get_date()),
            hour: small(date.get_hours()),
            minute: small(date.get_minutes()),
        }
    }

    /// When the reader's clocks show that. Where they jump over it, what it would be without the jump.
    pub fn instant(civil: Civil) -> Timestamp {
        let date = js_sys::Date::new_with_year_month_day_hr_min(
            u32::try_from(civil.year).unwrap_or(0),
            i32::from(civil.month) - 1,
            civil.day.into(),
            civil.hour.into(),
            civil.minute.into(),
        );
        Timestamp::from_millis(whole(date.get_time()))
    }

    /// What the reader's time zone is called: `Europe/Stockholm`.
    pub fn zone_name() -> String {
        let format = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &js_sys::Object::new());
        let name = js_sys::Reflect::get(&format.resolved_options(), &"timeZone".into());
        name.ok().and_then(|name| name.as_string()).unwrap_or_default()
    }

    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
    fn whole(millis: f64) -> i64 {
        millis as i64
    }

    fn storage() -> Option<web_sys::Storage> {
        web_sys::window()?.local_storage().ok()?
    }

    /// All keys that start so.
    fn keys(storage: &web_sys::Storage, prefix: &str) -> Vec<String> {
        let keys = (0..storage.length().unwrap_or(0)).filter_map(|at| storage.key(at).ok()?);
        keys.filter(|key| key.starts_with(prefix)).collect()
    }

    /// The values of all keys that start so.
    pub fn recall(prefix: &str) -> Vec<String> {
        let Some(storage) = storage() else { return Vec::new() };
        keys(&storage, prefix).iter().filter_map(|key| storage.get_item(key).ok()?).collect()
    }

    pub fn forget_all(prefix: &str) {
        for storage in [storage(), session()].into_iter().flatten() {
            for key in keys(&storage, prefix) {
                let _ = storage.remove_item(&key);
            }
        }
    }

    /// Storage may be full or forbidden: then this is false, a reload forgets, and nothing else breaks.
    pub fn remember(key: &str, value: &str) -> bool {
        storage().is_some_and(|storage| storage.set_item(key, value).is_ok())
    }

    /// There is storage, and it doesn't hold that key.
    pub fn is_forgotten(key: &str) -> bool {
        storage().is_some_and(|storage| matches!(storage.get_item(key), Ok(None)))
    }

    pub fn forget(key: &str) {
        if let Some(storage) = storage() {
            let _ = storage.remove_item(key);
        }
    }

    fn session() -> Option<web_sys::Storage> {
        web_sys::window()?.session_storage().ok()?
    }

    /// What this tab keeps until it is closed.
    pub fn recall_here(key: &str) -> Option<String> {
        session()?.get_item(key).ok()?
    }

    /// The same, of what this tab should keep; None: nothing any more.
    pub fn remember_here(key: &str, value: Option<&str>) {
        if let Some(session) = session() {
            let _ = value.map_or_else(|| session.remove_item(key), |value| session.set_item(key, value));
        }
    }

    thread_local! {
        static LEAVING: Cell<bool> = const { Cell::new(false) };
    }

    /// The page is being left by its own wish, not by the reader's.
    pub fn is_leaving() -> bool {
        LEAVING.get()
    }

    /// Leaves for another page, with a full load.
    pub fn assign_location(path: &str) {
        LEAVING.set(true);
        if let Some(window) = web_sys::window() {
            let _ = window.location().assign(path);
        }
    }

    /// Somebody can be taken to be looking: the window is visible and has the focus.
    pub fn is_attentive() -> bool {
        web_sys::window().and_then(|window| window.document()).is_some_and(|document| {
            document.visibility_state() == web_sys::VisibilityState::Visible && document.has_focus().unwrap_or(false)
        })
    }

    /// Posts a form as the browser would, but asks for the answer as JSON.
    pub fn post_form(
        path: &'static str,
        event: &leptos::ev::SubmitEvent,
    ) -> impl Future<Output = Result<String, Problem>> + use<> {
        let fields = event
            .target()
            .and_then(|form| form.dyn_into::<web_sys::HtmlFormElement>().ok())
            .and_then(|form| web_sys::FormData::new_with_form(&form).ok())
            .and_then(|data| web_sys::UrlSearchParams::new_with_str_sequence_sequence(&data).ok());
        let body = fields.map(|fields| String::from(fields.to_string())).unwrap_or_default();
        async move { send_form(path, body).await.unwrap_or_else(|_| Err(unreachable_server())) }
    }

    async fn send_form(path: &str, body: String) -> Result<Result<String, Problem>, gloo_net::Error> {
        let request = Request::post(path)
            .header("Accept", "application/json")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(body)?;
        let answer = request.send().await?;
        let text = answer.text().await?;
        if answer.ok() {
            return Ok(Ok(text));
        }
        Ok(Err(serde_json::from_slice(text.as_bytes()).unwrap_or_else(|_| unreachable_server())))
    }

    fn unreachable_server() -> Problem {
        Problem::new(ErrorCode::Unavailable, "Can't reach the server. Try again in a moment.")
    }

    /// Whether `command="show-modal"` does it without us.
    pub fn has_invoker_commands() -> bool {
        let window = js_sys::global();
        js_sys::Reflect::has(&window, &"CommandEvent".into()).unwrap_or(false)
    }

    /// An element is about to be shown anew. That takes its attributes off for a moment, and a focus that
    /// rests on one of them goes with it.
    pub fn keep_focus(id: String) {
        let focused = |id: &str| {
            let document = web_sys::window().and_then(|window| window.document())?;
            Some((document.active_element().is_some_and(|at| at.id() == id), document.get_element_by_id(id)?))
        };
        if focused(&id).is_some_and(|(has_it, _)| has_it) {
            leptos::prelude::request_animation_frame(move || {
                if let Some((false, element)) = focused(&id)
                    && let Some(element) = element.dyn_ref::<web_sys::HtmlElement>()
                {
                    focus_in_place(element);
                }
            });
        }
    }

    /// Nothing moves to where the focus is: its reader may look elsewhere.
    pub fn focus_in_place(element: &web_sys::HtmlElement) {
        let options = web_sys::FocusOptions::new();
        options.set_prevent_scroll(true);
        let _ = element.focus_with_options(&options);
    }

    /// Whether that is what has the focus.
    pub fn has_focus(selector: &str) -> bool {
        let at = web_sys::window().and_then(|window| window.document()).and_then(|document| document.active_element());
        at.is_some_and(|at| at.matches(selector).unwrap_or(false))
    }

    pub fn leads_nowhere() {}

    thread_local! {
        /// What the page is called, and how much waits for the reader.
        static TITLE: RefCell<(String, u64)> = const { RefCell::new((String::new(), 0)) };
    }

    pub fn set_title(title: &str) {
        TITLE.with_borrow_mut(|(words, waiting)| {
            title.clone_into(words);
            show_title(words, *waiting);
        });
    }

    /// How much waits for the reader stands in front of the page's name, and on its icon; there a dot says
    /// that something else is unread.
    pub fn set_waiting(count: u64, unread: bool) {
        let document = web_sys::window().and_then(|window| window.document());
        if let Some(icon) = document.and_then(|document| document.query_selector("link[rel=icon]").ok().flatten()) {
            let _ = icon.set_attribute("href", &favicon(count, unread));
        }
        TITLE.with_borrow_mut(|(words, waiting)| {
            *waiting = count;
            if !words.is_empty() {
                show_title(words, count);
            }
        });
    }

    fn show_title(words: &str, waiting: u64) {
        if let Some(document) = web_sys::window().and_then(|window| window.document()) {
            document.set_title(&if waiting == 0 { words.to_owned() } else { format!("({waiting}) {words}") });
        }
    }
}

#[cfg(not(feature = "hydrate"))]
mod here {
    use natter::{ErrorCode, Problem, Timestamp, time::Civil};

    pub fn now() -> Timestamp {
        Timestamp::default()
    }

    pub fn civil(time: Timestamp) -> Civil {
        time.civil_utc()
    }

    pub fn instant(civil: Civil) -> Timestamp {
        Timestamp::from_civil_utc(civil)
    }

    pub fn zone_name() -> String {
        "UTC".into()
    }

    pub fn recall(_: &str) -> Vec<String> {
        Vec::new()
    }

    pub fn remember(_: &str, _: &str) -> bool {
        false
    }

    pub fn is_forgotten(_: &str) -> bool {
        false
    }

    pub fn forget(_: &str) {}

    pub fn forget_all(_: &str) {}

    pub fn recall_here(_: &str) -> Option<String> {
        None
    }

    pub fn remember_here(_: &str, _: Option<&str>) {}

    pub fn is_leaving() -> bool {
        false
    }

    pub fn assign_location(_: &str) {}

    pub fn is_attentive() -> bool {
        false
    }

    pub fn post_form(
        _: &'static str,
        _: &leptos::ev::SubmitEvent,
    ) -> impl Future<Output = Result<String, Problem>> + use<> {
        std::future::ready(Err(Problem::new(ErrorCode::Internal, "Forms are posted by browsers.")))
    }

    pub fn has_invoker_commands() -> bool {
        false
    }

    pub fn keep_focus(_: String) {}

    pub fn focus_in_place(_: &web_sys::HtmlElement) {}

    pub fn has_focus(_: &str) -> bool {
        false
    }

    /// The page that is being made is of an address that leads nowhere: programs see it by the status.
    pub fn leads_nowhere() {
        #[cfg(feature = "ssr")]
        if let Ok(backend) = crate::backend::backend() {
            backend.leads_nowhere();
        }
    }

    pub fn set_title(_: &str) {}

    pub fn set_waiting(_: u64, _: bool) {}
}

pub use here::*;
