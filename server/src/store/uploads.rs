//! Files: what is known of them, and who may have them. Their bytes are elsewhere (`crate::media`).

use super::{
    Result,
    rows::{AccessRow, count, signed},
};
use async_trait::async_trait;
use natter::{
    Timestamp, Upload, UploadId, UserId,
    admin::{StorageKind, StorageStats},
    channel::Access,
    media::{thumbnail_url, url},
};
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

/// A file whose bytes are stored already.
#[derive(Clone, Debug)]
pub struct NewUpload {
    pub id: UploadId,
    pub owner_id: UserId,
    pub filename: String,
    pub media_type: String,
    pub size: u64,
    pub width: Option<u32>,
    pub height: Option<u32>,
    /// Milliseconds.
    pub duration: Option<u64>,
    /// Bytes that its thumbnail takes.
    pub thumbnail: Option<u64>,
    pub created_at: Timestamp,
    /// When it goes unless a message carries it by then.
    pub expires_at: Timestamp,
}

/// What became of a file that somebody uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    Kept(Upload),
    /// It would be more than its owner may have.
    Full,
    /// Its owner has been suspended meanwhile.
    NotAllowed,
}

/// What became of a file that its owner takes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawn {
    Gone,
    /// A message carries it, or one for later holds it.
    Held,
    /// There is none, or not of theirs.
    NotFound,
}

/// A file, and what decides who may have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundUpload {
    pub upload: Upload,
    pub owner_id: UserId,
    /// How the viewer stands to where a message carries it; None while none does.
    pub carried: Option<Access>,
}

#[async_trait]
pub trait UploadStore: Send + Sync {
    /// Keeps it if all that its owner has stays within `quota` bytes.
    async fn keep_upload(&self, new: NewUpload, quota: u64) -> Result<Kept>;
    /// As this person stands to it; None also where it is nobody's any more.
    async fn upload(&self, viewer: UserId, id: UploadId, now: Timestamp) -> Result<Option<FoundUpload>>;
    /// Forgets a file of that person's, unless something holds it.
    async fn withdraw_upload(&self, owner: UserId, id: UploadId, now: Timestamp) -> Result<Withdrawn>;
    /// Bytes of all that somebody uploaded and that is still there, thumbnails included.
    async fn uploaded_bytes(&self, owner: UserId) -> Result<u64>;
    /// Forgets at most `limit` files that are nobody's, and says which.
    async fn discard_uploads(&self, now: Timestamp, limit: u32) -> Result<Vec<UploadId>>;
    /// Those of `ids` that are known.
    async fn known_uploads(&self, ids: &[UploadId]) -> Result<Vec<UploadId>>;
    /// Waits until files have become nobody's with a removed channel, whose messages may go after the answer,
    /// or with a message for later.
    async fn freed(&self);
}

/// The columns of an upload `u` that make an [`UploadRow`].
macro_rules! upload {
    () => {
        "u.id AS upload_id, u.owner_id, u.filename, u.media_type, u.size, u.width, u.height, u.duration,
         u.thumbnail IS NOT NULL AS has_thumbnail, u.expires_at"
    };
}
pub(super) use upload;

#[derive(FromRow)]
pub(super) struct UploadRow {
    upload_id: Uuid,
    owner_id: Uuid,
    filename: String,
    media_type: String,
    size: i64,
    width: Option<i64>,
    height: Option<i64>,
    duration: Option<i64>,
    has_thumbnail: bool,
    expires_at: Option<i64>,
}

impl UploadRow {
    pub(super) fn id(&self) -> UploadId {
        UploadId(self.upload_id)
    }

    fn upload(&self) -> Upload {
        let row = self;
        let attached = (row.upload_id, row.filename.clone(), row.media_type.clone(), row.size);
        let (id, filename, media_type, size) = attached;
        Attached(id, filename, media_type, size, row.width, row.height, row.duration, row.has_thumbnail).into()
    }
}

/// An upload that could be put into a message, as it is while nobody else can do so.
#[derive(FromRow)]
pub(super) struct OfferedRow {
    #[sqlx(flatten)]
    row: UploadRow,
    carried: bool,
}

impl OfferedRow {
    pub(super) fn id(&self) -> UploadId {
        self.row.id()
    }

    /// What a message of that person's would carry.
    pub(super) fn offered_to(&self, sender: UserId, now: Timestamp) -> Option<Upload> {
        let alive = self.row.expires_at.is_none_or(|at| at > now.millis());
        (alive && !self.carried && self.row.owner_id == sender.0).then(|| self.row.upload())
    }
}

#[derive(FromRow)]
pub(super) struct FoundRow {
    #[sqlx(flatten)]
    row: UploadRow,
    carried: bool,
    kind: Option<String>,
    visibility: Option<String>,
    post_policy: Option<String>,
    joined: bool,
}

impl FoundRow {
    /// None where the channel in which it was carried is gone.
    pub(super) fn found(self) -> Result<Option<FoundUpload>> {
        let (upload, owner_id) = (self.row.upload(), UserId(self.row.owner_id));
        if !self.carried {
            return Ok(Some(FoundUpload { upload, owner_id, carried: None }));
        }
        let (Some(kind), Some(visibility), Some(post_policy)) = (self.kind, self.visibility, self.post_policy) else {
            return Ok(None);
        };
        let access = Access::try_from(&AccessRow { kind, visibility, post_policy, joined: self.joined })?;
        Ok(Some(FoundUpload { upload, owner_id, carried: Some(access) }))
    }
}

/// One of the files in a message's row, as JSON: id, name, type, size, width, height, duration, and
/// whether it has a thumbnail.
#[derive(Deserialize)]
struct Attached(
    Uuid,
    String,
    String,
    i64,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    #[serde(deserialize_with = "truth")] bool,
);

/// `SQLite` has no booleans.
fn truth<'de, D: serde::Deserializer<'de>>(reader: D) -> std::result::Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Truth {
        Bool(bool),
        Number(u8),
    }
    Ok(match Truth::deserialize(reader)? {
        Truth::Bool(truth) => truth,
        Truth::Number(number) => number > 0,
    })
}

impl From<Attached> for Upload {
    fn from(Attached(id, filename, media_type, size, width, height, duration, thumbnail): Attached) -> Self {
        let id = UploadId(id);
        let pixels = |value: Option<i64>| value.and_then(|value| u32::try_from(value).ok());
        Self {
            id,
            url: url(id, &filename),
            thumbnail_url: thumbnail.then(|| thumbnail_url(id)),
            filename,
            media_type,
            size: count(size),
            width: pixels(width),
            height: pixels(height),
            duration: duration.map(count),
        }
    }
}

/// The files of a message's row.
pub(super) fn attached(json: Option<&str>) -> Vec<Upload> {
    let rows: Vec<Attached> = json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    rows.into_iter().map(Into::into).collect()
}

impl NewUpload {
    pub(super) fn upload(self) -> Upload {
        let thumbnail = self.thumbnail.is_some();
        let (width, height) = (self.width.map(i64::from), self.height.map(i64::from));
        let (size, duration) = (signed(self.size), self.duration.map(signed));
        Attached(self.id.0, self.filename, self.media_type, size, width, height, duration, thumbnail).into()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.size + self.thumbnail.unwrap_or(0)
    }
}

/// How the database's bytes and those of pictures, videos and other files are shown.
pub(super) fn storage(database: i64, pictures: i64, videos: i64, files: i64) -> Vec<StorageStats> {
    let kinds = [
        (StorageKind::Database, database),
        (StorageKind::Pictures, pictures),
        (StorageKind::Videos, videos),
        (StorageKind::Files, files),
    ];
    kinds.map(|(kind, bytes)| StorageStats { kind, bytes: count(bytes) }).into()
}
