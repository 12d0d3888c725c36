use super::{PostgresStore, row, run};
use crate::store::{Result, StoreError};
use base64::{Engine as _, engine::general_purpose::STANDARD};

impl PostgresStore {
    /// The key that every node on this database signs with; `fresh` becomes it if there is none.
    pub async fn signing_key(&self, fresh: Vec<u8>) -> Result<Vec<u8>> {
        let offer = sqlx::query("INSERT INTO meta (key, value) VALUES ('signing_key', $1) ON CONFLICT DO NOTHING");
        run(&self.pool, offer.bind(STANDARD.encode(fresh))).await?;
        let (key,): (String,) =
            row(&self.pool, sqlx::query_as("SELECT value FROM meta WHERE key = 'signing_key'")).await?;
        STANDARD.decode(key).map_err(|_| StoreError::Corrupt("meta.signing_key"))
    }
}
