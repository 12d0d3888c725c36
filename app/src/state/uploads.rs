//! Files on their way to the server, before a message carries them: what is shown of them, and the
//! requests themselves. Those are `XMLHttpRequest`s, since `fetch` doesn't say how much has been sent.

use super::{Target, browser};
use leptos::{
    ev,
    prelude::*,
    wasm_bindgen::{JsCast as _, closure::Closure},
};
use natter::{
    Problem, ScheduledId, Timestamp, Upload, UploadId, UserId,
    input::ATTACHMENTS_MAX,
    media::{Kind, UploadBounds, size_text},
};
use serde::{Deserialize, Serialize};
use std::{cell::RefCell, collections::HashMap};
use web_sys::{File, FormData, ProgressEvent, Url, XmlHttpRequest};

/// What the keys of files for the next messages begin with in the tab's storage, whoever's they are.
pub const FILES: &str = "natter.files.";
/// How long files that no message carries are asked for again: the server keeps them for a day.
const KEPT_MS: i64 = 23 * 60 * 60 * 1000;

/// Requests at once; the others wait their turn.
const AT_ONCE: usize = 3;

/// How far a file has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    Waiting,
    /// In hundredths. At 100 the server makes it ready.
    Sending(u32),
    Done(Box<Upload>),
    /// The message has it already, and keeps it until a change without it is saved.
    Carried(Box<Upload>),
    /// Why not, and whether it may be worth another try.
    Failed(String, bool),
}

/// The message that files are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// The next one of a conversation.
    Next(Target),
    /// One for later that is being changed.
    Scheduled(ScheduledId),
}

/// A file that was picked for a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Picked {
    pub key: u32,
    pub name: String,
    pub size: u64,
    /// An address of the file, in this browser or a small copy's, where it is a picture.
    pub preview: Option<String>,
    pub progress: Progress,
}

thread_local! {
    /// What belongs to the browser alone, by key.
    static HELD: RefCell<HashMap<u32, Held>> = RefCell::default();
}

struct Held {
    file: File,
    request: Option<XmlHttpRequest>,
}

/// The files of each message that is being written.
#[derive(Clone, Copy)]
pub struct Uploads {
    picked: RwSignal<HashMap<Carrier, Vec<Picked>>>,
    bounds: UploadBounds,
    next: StoredValue<u32>,
}

impl Uploads {
    pub fn new(bounds: UploadBounds) -> Self {
        Self { picked: RwSignal::default(), bounds, next: StoredValue::new(0) }
    }

    pub fn of(self, carrier: Carrier) -> Vec<Picked> {
        self.picked.read().get(&carrier).cloned().unwrap_or_default()
    }

    pub fn any(self, carrier: Carrier) -> bool {
        self.picked.with(|all| all.get(&carrier).is_some_and(|files| !files.is_empty()))
    }

    /// The files of a message, when all have arrived.
    pub fn ready(self, carrier: Carrier) -> Option<Vec<Upload>> {
        self.picked.with(|all| ready(all.get(&carrier).map_or(&[], Vec::as_slice)))
    }

    /// One of them didn't arrive, and waits for the person.
    pub fn stuck(self, carrier: Carrier) -> bool {
        let failed = |file: &Picked| matches!(file.progress, Progress::Failed(..));
        self.picked.with(|all| all.get(&carrier).is_some_and(|files| files.iter().any(failed)))
    }

    /// Takes files for a message; answers what is wrong with them, if anything.
    pub fn add(self, carrier: Carrier, files: Vec<File>) -> Option<String> {
        let room = self.room(carrier);
        let too_many = files.len() > room;
        for file in files.into_iter().take(room) {
            let key = self.key();
            let size = whole(file.size());
            let progress = match self.too_large(&file.type_(), size) {
                Some(why) => Progress::Failed(why, false),
                None => Progress::Waiting,
            };
            let preview =
                file.type_().starts_with("image/").then(|| Url::create_object_url_with_blob(&file).ok()).flatten();
            let picked = Picked { key, name: file.name(), size, preview, progress };
            HELD.with_borrow_mut(|held| held.insert(key, Held { file, request: None }));
            self.picked.update(|all| all.entry(carrier).or_default().push(picked));
        }
        self.go_on();
        too_many.then(too_many_files)
    }

    /// How many more files a message may carry.
    fn room(self, carrier: Carrier) -> usize {
        let count = self.picked.with_untracked(|all| all.get(&carrier).map_or(0, Vec::len));
        ATTACHMENTS_MAX.saturating_sub(count)
    }

    fn key(self) -> u32 {
        let key = self.next.get_value();
        self.next.set_value(key + 1);
        key
    }

    /// Whether a message may carry so many more files; if not, what to say.
    pub fn has_room(self, carrier: Carrier, count: usize) -> Result<(), String> {
        if count > self.room(carrier) { Err(too_many_files()) } else { Ok(()) }
    }

    /// Takes files for a message that have arrived before.
    pub fn put_back(self, carrier: Carrier, files: Vec<Upload>) {
        let files: Vec<_> = files.into_iter().map(|upload| there(self.key(), upload, Progress::Done)).collect();
        self.picked.update(|all| all.entry(carrier).or_default().extend(files));
    }

    /// Has this tab keep what has arrived for the next messages, and brings back what it kept when the page
    /// was loaded last. Of no other tab: there it could be sent a second time.
    pub fn keep(self, owner: UserId) {
        let key = format!("{FILES}{owner}");
        let kept = browser::recall_here(&key).and_then(|kept| serde_json::from_slice::<Kept>(kept.as_bytes()).ok());
        let fresh = kept.filter(|kept| browser::now().millis() - kept.at.millis() < KEPT_MS);
        // That of the oldest.
        let since = StoredValue::new(fresh.as_ref().map(|kept| kept.at));
        for (target, files) in fresh.into_iter().flat_map(|kept| kept.files) {
            self.put_back(Carrier::Next(target), files);
        }
        let arrived = Memo::new(move |_| self.picked.with(arrived));
        Effect::new(move |_| {
            let files = arrived.get();
            let at = since.get_value().unwrap_or_else(browser::now);
            since.set_value((!files.is_empty()).then_some(at));
            let kept = (!files.is_empty()).then_some(Kept { at, files });
            let kept = kept.and_then(|kept| serde_json::to_string(&kept).ok());
            browser::remember_here(&key, kept.as_deref());
        });
        // What is still on its way can't be kept: one is asked first.
        let leaving = window_event_listener(ev::beforeunload, move |event| {
            let under_way = self.picked.with_untracked(|all| all.values().flatten().any(is_under_way));
            if under_way && !browser::is_leaving() {
                event.prevent_default();
            }
        });
        on_cleanup(move || leaving.remove());
    }

    /// Begins to change the files of a message that has these.
    pub fn begin(self, carrier: Carrier, files: Vec<Upload>) {
        self.clear(carrier);
        let files: Vec<_> = files.into_iter().map(|upload| there(self.key(), upload, Progress::Carried)).collect();
        self.picked.update(|all| _ = all.insert(carrier, files));
    }

    /// The message isn't changed after all, or is gone: what was added to it isn't wanted any more.
    pub fn abandon(self, carrier: Carrier) {
        let keys = self
            .picked
            .try_with_untracked(|all| all.get(&carrier).map(|files| files.iter().map(|it| it.key).collect()));
        let keys: Vec<u32> = keys.flatten().unwrap_or_default();
        for key in keys {
            self.remove(key);
        }
    }

    /// Said before it is sent: a server that has heard enough may hang up without a word.
    fn too_large(self, media_type: &str, size: u64) -> Option<String> {
        let (what, most) =
            if media_type.starts_with("video/") { ("video", self.bounds.video) } else { ("file", self.bounds.file) };
        (size > most).then(|| format!("A {what} has at most {}.", size_text(most)))
    }

    pub fn remove(self, key: u32) {
        let held = HELD.with_borrow_mut(|held| held.remove(&key));
        let mut gone = None;
        self.picked.update(|all| {
            for files in all.values_mut() {
                if let Some(at) = files.iter().position(|file| file.key == key) {
                    gone = Some(files.remove(at));
                }
            }
        });
        match gone.as_ref().map_or(Removal::Abort, |file| removal(&file.progress)) {
            Removal::Withdraw(id) => withdraw(id),
            Removal::WhenItIsThere | Removal::None => {}
            Removal::Abort => drop(held.and_then(|held| held.request).map(|request| request.abort())),
        }
        forget(gone);
        self.go_on();
    }

    pub fn retry(self, key: u32) {
        self.note(key, Progress::Waiting);
        self.go_on();
    }

    /// They are in a message now.
    pub fn clear(self, carrier: Carrier) {
        let gone = self.picked.try_update(|all| all.remove(&carrier)).flatten().unwrap_or_default();
        HELD.with_borrow_mut(|held| gone.iter().for_each(|file| _ = held.remove(&file.key)));
        forget(gone);
    }

    fn note(self, key: u32, progress: Progress) {
        self.picked.try_update(|all| {
            if let Some(file) = all.values_mut().flatten().find(|file| file.key == key) {
                file.progress = progress;
            }
        });
    }

    /// Begins what may begin.
    fn go_on(self) {
        let next = self.picked.with_untracked(|all| next(all.values().flatten()));
        for key in next {
            self.note(key, Progress::Sending(0));
            if self.send(key).is_none() {
                self.note(key, Progress::Failed("Your browser can't send this.".into(), false));
            }
        }
    }

    fn send(self, key: u32) -> Option<()> {
        let request = XmlHttpRequest::new().ok()?;
        request.open("POST", "/api/v1/uploads").ok()?;
        let progressed = Closure::<dyn Fn(ProgressEvent)>::new(move |event: ProgressEvent| {
            if event.length_computable() && event.total() > 0.0 {
                self.note(key, Progress::Sending(hundredths(event.loaded() / event.total())));
            }
        });
        request.upload().ok()?.set_onprogress(Some(progressed.as_ref().unchecked_ref()));
        let answered = request.clone();
        let ended = Closure::<dyn Fn()>::new(move || {
            let status = answered.status().unwrap_or(0);
            let body = answered.response_text().ok().flatten().unwrap_or_default();
            let outcome = outcome(status, &body);
            let wanted = HELD.with_borrow_mut(|held| held.get_mut(&key).map(|held| held.request.take())).is_some();
            if let (Progress::Done(upload), false) = (&outcome, wanted) {
                withdraw(upload.id);
            }
            self.note(key, outcome);
            self.go_on();
        });
        request.set_onload(Some(ended.as_ref().unchecked_ref()));
        request.set_onerror(Some(ended.as_ref().unchecked_ref()));
        // They live as long as the page: a few bytes for each file.
        progressed.forget();
        ended.forget();
        HELD.with_borrow_mut(|held| {
            let held = held.get_mut(&key)?;
            let form = FormData::new().ok()?;
            form.append_with_blob_and_filename("file", &held.file, &held.file.name()).ok()?;
            request.send_with_opt_form_data(Some(&form)).ok()?;
            held.request = Some(request);
            Some(())
        })
    }
}

/// Files that have arrived for the next messages, by where those go, in the tab's storage.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// When the first of them was kept.
    at: Timestamp,
    files: Vec<(Target, Vec<Upload>)>,
}

fn arrived(all: &HashMap<Carrier, Vec<Picked>>) -> Vec<(Target, Vec<Upload>)> {
    let done = |file: &Picked| match &file.progress {
        Progress::Done(upload) => Some((**upload).clone()),
        _ => None,
    };
    let next = all.iter().filter_map(|(carrier, files)| match carrier {
        Carrier::Next(target) => Some((*target, files.iter().filter_map(done).collect::<Vec<_>>())),
        Carrier::Scheduled(_) => None,
    });
    next.filter(|(_, files)| !files.is_empty()).collect()
}

fn is_under_way(file: &Picked) -> bool {
    matches!(file.progress, Progress::Waiting | Progress::Sending(_))
}

/// What has to be done about a file that isn't wanted any more.
#[derive(Debug, PartialEq)]
enum Removal {
    Abort,
    /// The server has all of it, and may keep it whether or not anybody listens.
    WhenItIsThere,
    Withdraw(UploadId),
    /// The message has it until it is saved without it.
    None,
}

fn removal(progress: &Progress) -> Removal {
    match progress {
        Progress::Done(upload) => Removal::Withdraw(upload.id),
        Progress::Carried(_) => Removal::None,
        Progress::Sending(100) => Removal::WhenItIsThere,
        Progress::Waiting | Progress::Sending(_) | Progress::Failed(..) => Removal::Abort,
    }
}

/// It would count for a day otherwise. Where it can't be said, it does.
fn withdraw(id: UploadId) {
    if let Ok(request) = XmlHttpRequest::new()
        && request.open("DELETE", &format!("/api/v1/uploads/{id}")).is_ok()
    {
        let _ = request.send();
    }
}

fn too_many_files() -> String {
    format!("A message carries at most {ATTACHMENTS_MAX} files.")
}

/// A file that is there already.
fn there(key: u32, upload: Upload, how: fn(Box<Upload>) -> Progress) -> Picked {
    let preview = (upload.kind() == Kind::Picture).then(|| upload.thumbnail_url.clone().unwrap_or(upload.url.clone()));
    let (name, size) = (upload.filename.clone(), upload.size);
    Picked { key, name, size, preview, progress: how(Box::new(upload)) }
}

/// All that have arrived, if that is all of them.
fn ready(files: &[Picked]) -> Option<Vec<Upload>> {
    let done = |file: &Picked| match &file.progress {
        Progress::Done(upload) | Progress::Carried(upload) => Some((**upload).clone()),
        _ => None,
    };
    files.iter().map(done).collect()
}

/// The keys of those whose turn it is.
fn next<'a>(files: impl Iterator<Item = &'a Picked> + Clone) -> Vec<u32> {
    let under_way = files.clone().filter(|file| matches!(file.progress, Progress::Sending(_))).count();
    let mut waiting: Vec<u32> = files.filter(|file| file.progress == Progress::Waiting).map(|file| file.key).collect();
    waiting.sort_unstable();
    waiting.truncate(AT_ONCE.saturating_sub(under_way));
    waiting
}

/// What an answer means.
fn outcome(status: u16, body: &str) -> Progress {
    if status == 201
        && let Ok(upload) = serde_json::from_slice(body.as_bytes())
    {
        return Progress::Done(Box::new(upload));
    }
    match serde_json::from_slice::<Problem>(body.as_bytes()) {
        // Sent again, a file that was refused is refused again.
        Ok(problem) => Progress::Failed(problem.detail, !matches!(status, 413 | 415 | 422)),
        Err(_) => Progress::Failed("Can't reach the server.".into(), true),
    }
}

fn forget(files: impl IntoIterator<Item = Picked>) {
    for url in files.into_iter().filter_map(|file| file.preview) {
        let _ = Url::revoke_object_url(&url);
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sizes of files are whole and positive")]
fn whole(size: f64) -> u64 {
    size as u64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 100")]
fn hundredths(share: f64) -> u32 {
    (share.clamp(0.0, 1.0) * 100.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(key: u32, progress: Progress) -> Picked {
        Picked { key, name: format!("{key}.png"), size: 1, preview: None, progress }
    }

    fn upload() -> Upload {
        let id = UploadId::generate();
        let (filename, media_type, url) = ("a.txt".into(), "text/plain".into(), "/a".into());
        Upload {
            id,
            filename,
            media_type,
            size: 1,
            width: None,
            height: None,
            duration: None,
            url,
            thumbnail_url: None,
        }
    }

    #[test]
    fn three_go_at_once_and_the_others_in_the_order_they_were_picked() {
        let mut files: Vec<_> = [4, 2, 5, 1, 3].map(|key| picked(key, Progress::Waiting)).into();
        assert_eq!(next(files.iter()), [1, 2, 3]);
        for file in &mut files {
            file.progress = match file.key {
                1 => Progress::Failed("no".into(), true),
                2 | 3 => Progress::Sending(7),
                _ => Progress::Waiting,
            };
        }
        assert_eq!(next(files.iter()), [4]);
    }

    #[test]
    fn a_message_waits_for_all_its_files() {
        let done = upload();
        let mut files = vec![picked(1, Progress::Done(Box::new(done.clone()))), picked(2, Progress::Sending(100))];
        assert_eq!(ready(&files), None);
        files[1].progress = Progress::Failed("no".into(), true);
        assert_eq!(ready(&files), None);
        files.pop();
        assert_eq!(ready(&files), Some(vec![done]));
        assert_eq!(ready(&[]), Some(Vec::new()));
    }

    #[test]
    fn what_the_server_has_is_taken_back_when_it_is_removed() {
        let done = upload();
        assert_eq!(removal(&Progress::Done(Box::new(done.clone()))), Removal::Withdraw(done.id));
        assert_eq!(removal(&Progress::Sending(100)), Removal::WhenItIsThere);
        for progress in [Progress::Waiting, Progress::Sending(99), Progress::Failed("no".into(), true)] {
            assert_eq!(removal(&progress), Removal::Abort);
        }
        assert_eq!(removal(&Progress::Carried(Box::new(done))), Removal::None, "it is the message's");
    }

    #[test]
    fn what_has_arrived_before_is_ready_and_shown_by_its_small_copy() {
        let text = upload();
        let picture = Upload { media_type: "image/png".into(), thumbnail_url: Some("/small".into()), ..upload() };
        let files = [there(1, text.clone(), Progress::Done), there(2, picture.clone(), Progress::Carried)];
        assert_eq!(ready(&files), Some(vec![text, picture]));
        assert_eq!(files.map(|file| file.preview), [None, Some("/small".to_owned())]);
    }

    #[test]
    fn what_was_refused_isn_t_tried_again_and_what_wasn_t_heard_is() {
        let done = upload();
        assert_eq!(outcome(201, &serde_json::to_string(&done).unwrap()), Progress::Done(Box::new(done)));
        let refused = Problem::new(natter::ErrorCode::TooLarge, "A picture has at most 25 MB.");
        let said = serde_json::to_string(&refused).unwrap();
        assert_eq!(outcome(413, &said), Progress::Failed(refused.detail.clone(), false));
        assert_eq!(outcome(503, &said), Progress::Failed(refused.detail, true));
        assert_eq!(outcome(0, ""), Progress::Failed("Can't reach the server.".into(), true));
    }
}
