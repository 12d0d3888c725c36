//! Where files are made ready, off the threads that answer: a few at once, and few that wait.

use super::{boxes, cost, matroska, picture};
use image::ImageFormat;
use natter::media::Kind;
use std::{
    fs::File,
    io::{self, Seek as _, SeekFrom},
    num::NonZeroUsize,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Files that wait to be made ready; beyond it the answer is to come back later.
const WAITING: usize = 32;
/// At most so many files are made ready at once, and not more than cores.
const AT_ONCE: usize = 4;
/// What all pictures that are made ready may take at once. It holds the largest photo that may be sent.
const MEMORY_MIB: u32 = 640;

/// A file as it is to be kept.
#[derive(Debug)]
pub struct Prepared {
    pub file: File,
    pub size: u64,
    pub width: Option<u32>,
    pub height: Option<u32>,
    /// Milliseconds.
    pub duration: Option<u64>,
    pub thumbnail: Option<Vec<u8>>,
}

impl Prepared {
    /// As it came.
    pub fn plain(file: File) -> io::Result<Self> {
        let size = file.metadata()?.len();
        Ok(Self { file, size, width: None, height: None, duration: None, thumbnail: None })
    }
}

/// Why a file can't be kept as what it is.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error("{0}")]
    Broken(&'static str),
    #[error("{0}")]
    TooLarge(String),
    /// It has the beginning of a video and no more: it may be kept, but not be played.
    #[error("there is nothing to play in it")]
    Unplayable,
    #[error("too many are waiting")]
    Busy,
    #[error("can't make a file ready: {0}")]
    Failed(#[from] io::Error),
}

pub struct Studio {
    spool: PathBuf,
    places: Arc<Semaphore>,
    /// One for each MiB.
    memory: Arc<Semaphore>,
    memory_mib: u32,
    waiting: Arc<AtomicUsize>,
}

/// A place in the queue until this is dropped.
struct Waiting(Arc<AtomicUsize>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Studio {
    /// `spool`: where files are put that nobody but this process sees.
    pub fn new(spool: PathBuf) -> Self {
        Self::with(spool, MEMORY_MIB)
    }

    fn with(spool: PathBuf, memory_mib: u32) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let places = Arc::new(Semaphore::new(cores.min(AT_ONCE)));
        Self {
            spool,
            places,
            memory: Arc::new(Semaphore::new(memory_mib as usize)),
            memory_mib,
            waiting: Arc::default(),
        }
    }

    /// A file without a name: what isn't kept, or was under way when the process died, leaves nothing.
    pub async fn blank(&self) -> Result<File, Unfit> {
        let spool = self.spool.clone();
        on_a_thread(move || tempfile::tempfile_in(spool)).await
    }

    /// Makes a file ready to be kept as what it is.
    pub async fn prepare(&self, file: File, media_type: &'static str) -> Result<Prepared, Unfit> {
        let kind = Kind::of(media_type);
        if !matches!(kind, Kind::Picture | Kind::Video) && media_type != "audio/mp4" {
            return Ok(Prepared::plain(file)?);
        }
        let waiting = Waiting(self.waiting.clone());
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
            return Err(Unfit::Busy);
        }
        let place = self.places.clone().acquire_owned().await.map_err(|_| Unfit::Busy)?;
        // It stays with the work: whoever asked for it may leave, and that goes on.
        let held = Held { _waiting: waiting, _place: place };
        if kind == Kind::Picture {
            return self.picture(file, media_type, held).await;
        }
        on_a_thread(move || {
            let _held = held;
            film(file, media_type)
        })
        .await
    }

    async fn picture(&self, file: File, media_type: &'static str, held: Held) -> Result<Prepared, Unfit> {
        let format = ImageFormat::from_mime_type(media_type).ok_or(Unfit::Broken("This isn't a picture."))?;
        let measured = on_a_thread(move || cost::memory(&file, format).map(|bytes| (file, bytes, held))).await;
        let (file, bytes, held) = measured?;
        let mib = u32::try_from(bytes.div_ceil(1024 * 1024)).unwrap_or(u32::MAX);
        if mib > self.memory_mib {
            return Err(Unfit::TooLarge(format!(
                "This picture takes {mib} MiB of memory to be made ready; it may be at most {}.",
                self.memory_mib
            )));
        }
        let room = self.memory.clone().acquire_many_owned(mib).await.map_err(|_| Unfit::Busy)?;
        let copy = self.blank().await?;
        on_a_thread(move || {
            let _held = (held, room);
            picture::prepare(file, copy, format)
        })
        .await
    }
}

/// What a file holds while it is made ready.
struct Held {
    _waiting: Waiting,
    _place: OwnedSemaphorePermit,
}

fn film(mut file: File, media_type: &str) -> Result<Prepared, Unfit> {
    let About { width, height, duration } = match media_type {
        "video/mp4" | "video/quicktime" | "audio/mp4" => boxes::scrub(&mut file)?,
        "video/webm" => matroska::scrub(&mut file)?,
        _ => About::default(),
    };
    Ok(Prepared { width, height, duration, ..Prepared::plain(file)? })
}

/// What a video says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct About {
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub duration: Option<u64>,
}

async fn on_a_thread<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, Unfit>
where
    T: Send + 'static,
    E: Into<Unfit> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(Into::into),
        // Decoders of others' files may panic; that is one file's misfortune.
        Err(error) if error.is_panic() => Err(Unfit::Broken("This file is damaged, or isn't what it looks like.")),
        Err(error) => Err(io::Error::other(error).into()),
    }
}

/// A second handle on it, at its beginning. The two share their place.
pub(super) fn rewound(file: &File) -> io::Result<File> {
    let mut again = file.try_clone()?;
    again.seek(SeekFrom::Start(0))?;
    Ok(again)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::DynamicImage;

    fn picture(side: u32) -> File {
        let mut file = tempfile::tempfile().unwrap();
        DynamicImage::new_rgb8(side, side).write_to(&mut file, ImageFormat::Png).unwrap();
        file
    }

    #[tokio::test]
    async fn a_picture_that_takes_more_than_there_is_is_refused_and_says_so() {
        let studio = Studio::with(std::env::temp_dir(), 8);
        studio.prepare(picture(700), "image/png").await.unwrap();
        let Err(Unfit::TooLarge(why)) = studio.prepare(picture(1_000), "image/png").await else {
            panic!("it was taken")
        };
        assert!(why.contains("10 MiB") && why.contains("at most 8"), "{why}");
    }

    #[tokio::test]
    async fn a_decoder_s_panic_is_the_file_s_misfortune_and_a_full_disk_is_not() {
        let panicked = on_a_thread::<(), Unfit>(|| panic!("deep in a decoder")).await;
        assert!(matches!(panicked, Err(Unfit::Broken(_))), "{panicked:?}");
        let full = on_a_thread::<(), io::Error>(|| Err(io::ErrorKind::StorageFull.into())).await;
        assert!(matches!(full, Err(Unfit::Failed(_))), "{full:?}");
    }

    #[tokio::test]
    async fn pictures_that_don_t_fit_beside_each_other_come_one_after_the_other() {
        let studio = Arc::new(Studio::with(std::env::temp_dir(), 8));
        let taken = studio.memory.clone().acquire_many_owned(4).await.unwrap();
        let theirs = studio.clone();
        let waiting = tokio::spawn(async move { theirs.prepare(picture(700), "image/png").await });
        for _ in 0..100 {
            tokio::task::spawn_blocking(|| ()).await.unwrap();
        }
        assert!(!waiting.is_finished());
        drop(taken);
        waiting.await.unwrap().unwrap();
        assert_eq!(studio.memory.available_permits(), 8);
    }
}
