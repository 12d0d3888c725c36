//! Where bytes are kept: a directory, or a bucket that speaks S3. A file is there whole or not at all.

use crate::config::{Bucket, Storage};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use natter::{Timestamp, UploadId};
use object_store::{
    GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, aws::AmazonS3Builder, local::LocalFileSystem, path::Path,
};
use std::{
    fs, io,
    io::{Seek as _, SeekFrom},
    ops::Range,
    os::unix::fs::DirBuilderExt as _,
    path::{Path as FilePath, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::io::AsyncReadExt as _;

/// What is in memory of a file on its way into the store. S3 takes no smaller parts than 5 MiB.
const PART_BYTES: usize = 8 * 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum DepotError {
    #[error(transparent)]
    Store(#[from] object_store::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl DepotError {
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Store(object_store::Error::NotFound { .. }))
    }
}

type Result<T> = std::result::Result<T, DepotError>;

/// Which bytes of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    File,
    Thumbnail,
}

pub struct Depot {
    store: Arc<dyn ObjectStore>,
    prefix: String,
    /// Where it is a directory of this machine.
    directory: Option<PathBuf>,
}

impl Depot {
    pub fn open(storage: &Storage) -> Result<Self> {
        match storage {
            Storage::Directory(path) => {
                fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
                // What was acknowledged survives a power cut.
                let store = LocalFileSystem::new_with_prefix(path)?.with_fsync(true);
                Ok(Self { store: Arc::new(store), prefix: String::new(), directory: Some(path.clone()) })
            }
            Storage::Bucket(bucket) => {
                let store = Arc::new(s3(bucket).build()?);
                Ok(Self { store, prefix: bucket.prefix.clone(), directory: None })
            }
        }
    }

    fn path(&self, id: UploadId, part: Part) -> Path {
        let ending = match part {
            Part::File => "",
            Part::Thumbnail => ".thumbnail",
        };
        Path::from(format!("{}/{id}{ending}", self.prefix))
    }

    /// Streams a file into its place. What fails on the way leaves nothing that could be read.
    pub async fn put(&self, id: UploadId, mut file: fs::File) -> Result<()> {
        file.seek(SeekFrom::Start(0))?;
        let mut file = tokio::fs::File::from_std(file);
        file.set_max_buf_size(PART_BYTES);
        let path = self.path(id, Part::File);
        let first = next_part(&mut file).await?;
        if first.len() < PART_BYTES {
            self.store.put(&path, first.into()).await?;
            return Ok(());
        }
        let mut upload = self.store.put_multipart(&path).await?;
        let copied = async {
            let mut part = first;
            while !part.is_empty() {
                upload.put_part(part.into()).await?;
                part = next_part(&mut file).await?;
            }
            upload.complete().await.map_err(DepotError::from)
        };
        if let Err(error) = copied.await {
            let _ = upload.abort().await;
            return Err(error);
        }
        Ok(())
    }

    pub async fn put_thumbnail(&self, id: UploadId, bytes: Vec<u8>) -> Result<()> {
        self.store.put(&self.path(id, Part::Thumbnail), bytes.into()).await?;
        Ok(())
    }

    pub async fn read(&self, id: UploadId, range: Range<u64>) -> Result<BoxStream<'static, Result<Bytes>>> {
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        let found = self.store.get_opts(&self.path(id, Part::File), options).await?;
        Ok(found.into_stream().map_err(Into::into).boxed())
    }

    /// Small enough to be read whole.
    pub async fn thumbnail(&self, id: UploadId) -> Result<Bytes> {
        Ok(self.store.get(&self.path(id, Part::Thumbnail)).await?.bytes().await?)
    }

    /// What isn't there is gone already.
    pub async fn remove(&self, id: UploadId) -> Result<()> {
        for part in [Part::File, Part::Thumbnail] {
            match self.store.delete(&self.path(id, part)).await {
                Err(object_store::Error::NotFound { .. }) => {}
                other => other?,
            }
        }
        Ok(())
    }

    /// The uploads of which there has been something since before `before`.
    pub fn older_than(&self, before: Timestamp) -> BoxStream<'static, Result<UploadId>> {
        let prefix = Path::from(self.prefix.as_str());
        let listed = self.store.list((!self.prefix.is_empty()).then_some(&prefix));
        let old = listed.map_err(DepotError::from).try_filter_map(move |object| {
            let old = object.last_modified.timestamp_millis() < before.millis();
            let name = object.location.filename().map(|name| name.split('.').next().unwrap_or(name));
            let id = name.and_then(|name| name.parse().ok()).filter(|_| old);
            async move { Ok(id) }
        });
        old.boxed()
    }

    /// Removes what a write left that a power cut ended. Nobody can read it, but it takes room.
    pub async fn remove_halves(&self, age: Duration) -> io::Result<()> {
        let Some(directory) = self.directory.clone() else { return Ok(()) };
        tokio::task::spawn_blocking(move || remove_halves(&directory, age)).await.unwrap_or(Ok(()))
    }
}

/// Empty at the end, and shorter just before it.
async fn next_part(file: &mut tokio::fs::File) -> io::Result<Vec<u8>> {
    let mut part = Vec::new();
    file.take(PART_BYTES as u64).read_to_end(&mut part).await?;
    Ok(part)
}

/// The store writes beside a file's place, under its name with a `#`, and moves it when it is whole.
fn remove_halves(directory: &FilePath, age: Duration) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let modified = entry.metadata()?.modified()?;
        let old = SystemTime::now().duration_since(modified).is_ok_and(|passed| passed > age);
        if old && entry.file_name().to_string_lossy().contains('#') {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn s3(bucket: &Bucket) -> AmazonS3Builder {
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&bucket.name)
        .with_region(bucket.region.as_deref().unwrap_or("us-east-1"))
        .with_access_key_id(&bucket.access_key)
        .with_secret_access_key(&bucket.secret_key);
    if let Some(endpoint) = &bucket.endpoint {
        builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
    }
    builder
}
