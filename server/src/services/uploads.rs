//! Files: taking them in, and handing them out to those who may have them.

use super::{Caller, Client, Clock, Result, ServiceError};
use crate::{
    config,
    limits::{UploadLimits, UploadPlace},
    media::{Depot, DepotError, Prepared, Studio, Unfit, sniff},
    store::{FoundUpload, Kept, NewUpload, Store, Withdrawn},
};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream::BoxStream};
use natter::{
    FieldError, Upload, UploadId,
    media::{Kind, UploadBounds, clean_filename, size_text},
};
use std::{fs::File, io, ops::Range, sync::Arc, time::Duration};
use tokio::io::AsyncWriteExt as _;

const DAY: Duration = Duration::from_hours(24);
/// A file that no message carries is kept this long.
pub(super) const UNUSED_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// Files forgotten in one transaction, and asked after in one question.
const SWEEP: u32 = 500;
/// While somebody's download goes on, it is asked this often whether they still may have it.
const ASK_AGAIN_MILLIS: i64 = 500;

pub struct Uploads {
    pub store: Arc<dyn Store>,
    pub depot: Depot,
    pub studio: Studio,
    pub clock: Clock,
    pub limits: Arc<UploadLimits>,
    pub bounds: config::Uploads,
}

/// Why bytes stopped coming.
#[derive(Debug, thiserror::Error)]
pub enum Cut {
    #[error("the body comes too slowly")]
    Slow,
    #[error("the body didn't arrive whole")]
    Broken,
}

impl From<Cut> for ServiceError {
    fn from(cut: Cut) -> Self {
        let why = match cut {
            Cut::Slow => "The file came too slowly: it has to be 16 KB a second.",
            Cut::Broken => "The file didn't arrive whole.",
        };
        FieldError::new("file", why).into()
    }
}

/// Bytes on their way out.
pub type Outgoing = BoxStream<'static, std::result::Result<Bytes, DepotError>>;

impl Uploads {
    /// A place for a file that is about to come.
    pub fn begin(&self, caller: &Caller, client: &Client) -> Result<UploadPlace> {
        Ok(self.limits.begin(caller.user.id, client.address)?)
    }

    /// Takes a file in, as it comes: it is never whole in memory.
    pub async fn receive<S>(&self, caller: &Caller, _place: UploadPlace, filename: &str, mut body: S) -> Result<Upload>
    where
        S: Stream<Item = std::result::Result<Bytes, Cut>> + Unpin + Send,
    {
        let room = self.bounds.quota.saturating_sub(self.store.uploaded_bytes(caller.user.id).await?);
        if room == 0 {
            return Err(self.full());
        }
        let file = self.studio.blank().await.map_err(|error| no_room(io::Error::other(error)))?;
        let (file, media_type) = self.spool(file, &mut body, room).await?;
        let (prepared, media_type) = self.prepare(file, media_type).await?;
        self.keep(caller, filename, prepared, media_type).await
    }

    /// Writes what comes into a file that nobody sees, as long as it may be.
    async fn spool<S>(&self, file: File, body: &mut S, room: u64) -> Result<(File, &'static str)>
    where
        S: Stream<Item = std::result::Result<Bytes, Cut>> + Unpin + Send,
    {
        let mut file = tokio::fs::File::from_std(file);
        let mut head = Vec::with_capacity(sniff::HEAD);
        let (mut size, mut most) = (0, self.bounds.video_max.max(self.bounds.file_max));
        while let Some(chunk) = body.next().await {
            let chunk = chunk?;
            if head.len() < sniff::HEAD {
                head.extend(chunk.iter().take(sniff::HEAD - head.len()));
                most = self.most(kind_of(&head));
            }
            size += chunk.len() as u64;
            if size > most {
                return Err(self.too_long(kind_of(&head)));
            }
            if size > room {
                return Err(self.full());
            }
            file.write_all(&chunk).await.map_err(no_room)?;
        }
        file.flush().await.map_err(no_room)?;
        if size == 0 {
            return Err(FieldError::new("file", "This file is empty.").into());
        }
        Ok((file.into_std().await, sniff::media_type(&head)))
    }

    /// How large files may be.
    pub fn sizes(&self) -> UploadBounds {
        UploadBounds { file: self.bounds.file_max, video: self.bounds.video_max }
    }

    fn most(&self, kind: Kind) -> u64 {
        if kind == Kind::Video { self.bounds.video_max } else { self.bounds.file_max }
    }

    async fn prepare(&self, file: File, media_type: &'static str) -> Result<(Prepared, &'static str)> {
        let again = file.try_clone().map_err(no_room)?;
        match self.studio.prepare(file, media_type).await {
            // Encoded anew it may be somewhat larger than it came.
            Ok(prepared) if prepared.size > 2 * self.most(Kind::of(media_type)) => {
                Err(self.too_long(Kind::of(media_type)))
            }
            Ok(prepared) => Ok((prepared, media_type)),
            // It only begins like a video: a file like any other.
            Err(Unfit::Unplayable) => {
                let plain = Prepared::plain(again).map_err(no_room)?;
                if plain.size > self.bounds.file_max {
                    Err(self.too_long(Kind::File))
                } else {
                    Ok((plain, sniff::UNKNOWN))
                }
            }
            Err(Unfit::Broken(why)) => Err(FieldError::new("file", why).into()),
            Err(Unfit::TooLarge(why)) => Err(FieldError::new("file", why).into()),
            Err(Unfit::Busy) => Err(ServiceError::Overloaded),
            Err(Unfit::Failed(error)) => Err(no_room(error)),
        }
    }

    /// First the bytes, then the row: what is known is there. A crash in between leaves bytes that the
    /// sweep finds.
    async fn keep(&self, caller: &Caller, filename: &str, file: Prepared, media_type: &str) -> Result<Upload> {
        let now = self.clock.now();
        let new = NewUpload {
            id: UploadId::generate(),
            owner_id: caller.user.id,
            filename: clean_filename(filename),
            media_type: media_type.to_owned(),
            size: file.size,
            width: file.width,
            height: file.height,
            duration: file.duration,
            thumbnail: file.thumbnail.as_ref().map(|bytes| bytes.len() as u64),
            created_at: now,
            expires_at: now.plus_millis(UNUSED_MILLIS),
        };
        let id = new.id;
        let stored = async {
            self.depot.put(id, file.file).await.map_err(unkept)?;
            if let Some(bytes) = file.thumbnail {
                self.depot.put_thumbnail(id, bytes).await.map_err(unkept)?;
            }
            match self.store.keep_upload(new, self.bounds.quota).await? {
                Kept::Kept(upload) => Ok(upload),
                Kept::Full => Err(self.full()),
                Kept::NotAllowed => Err(ServiceError::Unauthenticated("Log in to continue.")),
            }
        };
        let stored = stored.await;
        // What isn't known whether it was stored is left to the sweep.
        if stored.is_err() && !matches!(stored, Err(ServiceError::Store(_))) {
            self.remove(id).await;
        }
        stored
    }

    fn too_long(&self, kind: Kind) -> ServiceError {
        let what = match kind {
            Kind::Picture => "picture",
            Kind::Video => "video",
            Kind::Sound | Kind::File => "file",
        };
        ServiceError::TooLarge(format!("A {what} has at most {}.", size_text(self.most(kind))))
    }

    fn full(&self) -> ServiceError {
        let quota = size_text(self.bounds.quota);
        ServiceError::TooLarge(format!(
            "All that you have uploaded is at most {quota}. Delete messages with files first."
        ))
    }

    /// A file, to whoever may have it.
    pub async fn get(&self, caller: &Caller, id: UploadId) -> Result<Upload> {
        let found = self.store.upload(caller.user.id, id, self.clock.now()).await?;
        let may =
            |found: &FoundUpload| caller.user.role.can_fetch_upload(found.carried, caller.user.id, found.owner_id);
        found.filter(may).map(|found| found.upload).ok_or_else(no_such_file)
    }

    /// Its bytes. They stop when whoever asked may have them no longer.
    pub async fn read(self: &Arc<Self>, caller: &Caller, upload: &Upload, range: Range<u64>) -> Result<Outgoing> {
        let bytes = self.depot.read(upload.id, range).await.map_err(unread)?;
        let state = (self.clone(), caller.clone(), upload.id, bytes, self.clock.now());
        let watched = futures::stream::unfold(Some(state), async |state| {
            let (uploads, caller, id, mut bytes, mut asked) = state?;
            let chunk = bytes.next().await?;
            let now = uploads.clock.now();
            if now.millis() - asked.millis() > ASK_AGAIN_MILLIS {
                if !uploads.still_may(&caller, id).await {
                    let gone = std::io::Error::new(std::io::ErrorKind::PermissionDenied, "not allowed any more");
                    return Some((Err(gone.into()), None));
                }
                asked = now;
            }
            Some((chunk, Some((uploads, caller, id, bytes, asked))))
        });
        Ok(watched.boxed())
    }

    async fn still_may(&self, caller: &Caller, id: UploadId) -> bool {
        match self.store.session_user(caller.session_id, self.clock.now()).await {
            Ok(Some(user)) => self.get(&Caller { user, ..caller.clone() }, id).await.is_ok(),
            _ => false,
        }
    }

    pub async fn thumbnail(&self, upload: &Upload) -> Result<Bytes> {
        if upload.thumbnail_url.is_none() {
            return Err(no_such_file());
        }
        self.depot.thumbnail(upload.id).await.map_err(unread)
    }

    /// Takes a file back that its owner doesn't send after all.
    pub async fn withdraw(&self, caller: &Caller, id: UploadId) -> Result<()> {
        match self.store.withdraw_upload(caller.user.id, id, self.clock.now()).await? {
            Withdrawn::Gone => {
                self.remove(id).await;
                Ok(())
            }
            Withdrawn::Held => {
                // Where a message has it that they can't read any more, there is none.
                self.get(caller, id).await?;
                let message = "A message has this file, now or for later. Delete the message instead.";
                Err(ServiceError::Conflict(FieldError::new("id", message)))
            }
            Withdrawn::NotFound => Err(no_such_file()),
        }
    }

    /// Removes files that are nobody's: of deleted messages, and those that no message has carried for a day.
    pub async fn sweep(&self) -> Result<()> {
        loop {
            let gone = self.store.discard_uploads(self.clock.now(), SWEEP).await?;
            for id in &gone {
                self.remove(*id).await;
            }
            if gone.len() < SWEEP as usize {
                return Ok(());
            }
        }
    }

    /// Removes bytes that no upload is known of: of uploads that a crash ended.
    pub async fn sweep_strays(&self) -> Result<()> {
        self.depot.remove_halves(DAY).await.map_err(|error| ServiceError::Internal(error.to_string()))?;
        let before = self.clock.now().plus_millis(-UNUSED_MILLIS);
        let mut old = self.depot.older_than(before).chunks(SWEEP as usize);
        while let Some(chunk) = old.next().await {
            let ids: Vec<UploadId> = chunk.into_iter().filter_map(std::result::Result::ok).collect();
            let known = self.store.known_uploads(&ids).await?;
            for id in ids.iter().filter(|id| !known.contains(id)) {
                self.remove(*id).await;
            }
        }
        Ok(())
    }

    async fn remove(&self, id: UploadId) {
        if let Err(error) = self.depot.remove(id).await {
            tracing::warn!(%error, upload_id = %id, "a file is left for the next sweep");
        }
    }
}

/// Until enough has come to tell, anything may still be a video.
fn kind_of(head: &[u8]) -> Kind {
    if head.len() < 16 { Kind::Video } else { Kind::of(sniff::media_type(head)) }
}

fn no_such_file() -> ServiceError {
    ServiceError::NotFound("There is no such file.")
}

pub(super) fn no_such_upload() -> ServiceError {
    let message = "Something attached isn't one of your uploads, or a message carries it already.";
    FieldError::new("attachments", message).into()
}

fn no_room(error: std::io::Error) -> ServiceError {
    unkept(error.into())
}

fn unkept(error: DepotError) -> ServiceError {
    tracing::error!(%error, "a file couldn't be stored");
    ServiceError::Unstored
}

fn unread(error: DepotError) -> ServiceError {
    if error.is_missing() {
        return no_such_file();
    }
    tracing::error!(%error, "a file couldn't be read");
    ServiceError::Unstored
}
