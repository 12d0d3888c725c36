//! Where files are made ready, off the threads that answer: a few at once, and few that wait.

use super::{boxes, matroska, picture};
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
use tokio::sync::Semaphore;

/// Files that wait to be made ready; beyond it the answer is to come back later.
const WAITING: usize = 32;
/// At most so many pictures are decoded at once, each within 256 MiB, and not more than cores.
const AT_ONCE: usize = 4;

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
    places: Semaphore,
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
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self { spool, places: Semaphore::new(cores.min(AT_ONCE)), waiting: Arc::default() }
    }

    /// A file without a name: what isn't kept, or was under way when the process died, leaves nothing.
    pub async fn blank(&self) -> io::Result<File> {
        let spool = self.spool.clone();
        on_a_thread(move || tempfile::tempfile_in(spool)).await
    }

    /// Makes a file ready to be kept as what it is.
    pub async fn prepare(&self, mut file: File, media_type: &'static str) -> Result<Prepared, Unfit> {
        let kind = Kind::of(media_type);
        if !matches!(kind, Kind::Picture | Kind::Video) && media_type != "audio/mp4" {
            return Ok(Prepared::plain(file)?);
        }
        let _waiting = Waiting(self.waiting.clone());
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
            return Err(Unfit::Busy);
        }
        let _place = self.places.acquire().await.map_err(|_| Unfit::Busy)?;
        let copy = if kind == Kind::Picture { Some(self.blank().await?) } else { None };
        on_a_thread(move || match (media_type, copy) {
            (_, Some(copy)) => picture::prepare(file, copy, media_type),
            ("video/mp4" | "video/quicktime" | "audio/mp4", _) => {
                let about = boxes::scrub(&mut file)?;
                Ok(Prepared {
                    width: about.width,
                    height: about.height,
                    duration: about.duration,
                    ..Prepared::plain(file)?
                })
            }
            ("video/webm", _) => {
                let about = matroska::scrub(&mut file)?;
                Ok(Prepared {
                    width: about.width,
                    height: about.height,
                    duration: about.duration,
                    ..Prepared::plain(file)?
                })
            }
            _ => Ok(Prepared::plain(file)?),
        })
        .await
    }
}

/// What a video says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct About {
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub duration: Option<u64>,
}

async fn on_a_thread<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<io::Error> + Send + 'static,
{
    // Decoders of others' files may panic; that is one file's misfortune.
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error).into()))
}

/// A second handle on it, at its beginning. The two share their place.
pub(super) fn rewound(file: &File) -> io::Result<File> {
    let mut again = file.try_clone()?;
    again.seek(SeekFrom::Start(0))?;
    Ok(again)
}
