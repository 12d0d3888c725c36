use super::{Result, SqliteStore, options};
use crate::store::StoreError;
use sqlx::{Connection as _, SqliteConnection};
use std::{io, path::Path};

impl SqliteStore {
    /// Copies a database, which may be in use, as it is at one moment. The copy has no epoch: whoever
    /// starts on it begins a new one, and clients that saw more than it has reload. `to` must not
    /// exist; it is there whole or not at all.
    pub async fn backup(from: &Path, to: &Path) -> Result<()> {
        let failed = |error: io::Error| StoreError::Database(error.into());
        if !from.try_exists().map_err(failed)? {
            return Err(failed(io::Error::new(io::ErrorKind::NotFound, "there is no database")));
        }
        if to.try_exists().map_err(failed)? {
            return Err(failed(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file of that name already")));
        }
        let mut part = to.as_os_str().to_owned();
        part.push(".part");
        let part = Path::new(&part);
        match std::fs::remove_file(part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        super::make_private_file(part).map_err(failed)?;
        let mut source = SqliteConnection::connect_with(&options(from).read_only(true)).await?;
        sqlx::query("VACUUM INTO ?").bind(part.to_string_lossy().into_owned()).execute(&mut source).await?;
        source.close().await?;
        // Not in WAL mode: the copy is one file.
        let plain = options(part).journal_mode(sqlx::sqlite::SqliteJournalMode::Delete);
        let mut copy = SqliteConnection::connect_with(&plain).await?;
        sqlx::query("DELETE FROM meta WHERE key = 'epoch'").execute(&mut copy).await?;
        copy.close().await?;
        std::fs::rename(part, to).map_err(failed)?;
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
    }
}
