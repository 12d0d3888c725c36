//! Where files are kept, and how much of them.

use super::{ConfigError, invalid};
use clap::Args;
use serde::Deserialize;
use std::path::{Path, PathBuf};

const MB: u64 = 1_000_000;

#[derive(Debug, Default, Args, Deserialize)]
pub struct UploadOptions {
    /// Where files go: `file:DIRECTORY`, or `s3://BUCKET/PREFIX` for a store that speaks S3. Several nodes
    /// need one that they share. [default: uploads in the data directory]
    #[arg(long, global = true, env = "NATTER_UPLOADS_URL", value_name = "URL")]
    uploads_url: Option<String>,
    /// Address of a store that speaks S3 and isn't Amazon's, for example <https://minio.example.org>.
    #[arg(long, global = true, env = "NATTER_S3_ENDPOINT", value_name = "URL")]
    s3_endpoint: Option<String>,
    /// Region of the bucket. [default: us-east-1]
    #[arg(long, global = true, env = "NATTER_S3_REGION", value_name = "REGION")]
    s3_region: Option<String>,
    /// Name of the key to the bucket.
    #[arg(long, global = true, env = "NATTER_S3_ACCESS_KEY", value_name = "KEY", hide_env_values = true)]
    s3_access_key: Option<String>,
    /// The key itself: in the environment or the file, where nobody else sees it.
    #[arg(long, global = true, env = "NATTER_S3_SECRET_KEY", value_name = "SECRET", hide_env_values = true)]
    s3_secret_key: Option<String>,
    /// The largest picture or other file, in MB. [default: 25]
    #[arg(long, global = true, env = "NATTER_UPLOAD_MAX_MB", value_name = "MB")]
    upload_max_mb: Option<u64>,
    /// The largest video, in MB. [default: 100]
    #[arg(long, global = true, env = "NATTER_VIDEO_MAX_MB", value_name = "MB")]
    video_max_mb: Option<u64>,
    /// What one person may have uploaded in all, in MB. [default: 1000]
    #[arg(long, global = true, env = "NATTER_UPLOAD_QUOTA_MB", value_name = "MB")]
    upload_quota_mb: Option<u64>,
}

/// The settings in force.
#[derive(Clone)]
pub struct Uploads {
    pub storage: Storage,
    /// For what is on its way, and only there until it is stored.
    pub spool: PathBuf,
    /// Bytes.
    pub file_max: u64,
    pub video_max: u64,
    pub quota: u64,
}

#[derive(Clone, PartialEq, Eq)]
pub enum Storage {
    Directory(PathBuf),
    Bucket(Bucket),
}

/// Its keys are not for logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Bucket {
    pub name: String,
    pub prefix: String,
    pub endpoint: Option<String>,
    pub region: Option<String>,
    pub access_key: String,
    pub secret_key: String,
}

impl Uploads {
    /// What holds where nothing is said.
    pub fn of(data_dir: &Path) -> Self {
        Self {
            storage: Storage::Directory(data_dir.join("uploads")),
            spool: data_dir.to_owned(),
            file_max: 25 * MB,
            video_max: 100 * MB,
            quota: 1_000 * MB,
        }
    }
}

impl UploadOptions {
    pub(super) fn merge(self, written: Self, data_dir: &Path) -> Result<Uploads, ConfigError> {
        let default = Uploads::of(data_dir);
        let megabytes = |key, value: Option<u64>, default| match value {
            None => Ok(default),
            Some(value @ 1..=1_000_000) => Ok(value * MB),
            Some(_) => Err(invalid(key, "is not between 1 and 1000000")),
        };
        let keys = Keys {
            endpoint: self.s3_endpoint.or(written.s3_endpoint),
            region: self.s3_region.or(written.s3_region),
            access_key: self.s3_access_key.or(written.s3_access_key),
            secret_key: self.s3_secret_key.or(written.s3_secret_key),
        };
        let url = self.uploads_url.or(written.uploads_url);
        Ok(Uploads {
            storage: url.map_or(Ok(default.storage), |url| parse(&url, keys))?,
            spool: default.spool,
            file_max: megabytes("upload_max_mb", self.upload_max_mb.or(written.upload_max_mb), default.file_max)?,
            video_max: megabytes("video_max_mb", self.video_max_mb.or(written.video_max_mb), default.video_max)?,
            quota: megabytes("upload_quota_mb", self.upload_quota_mb.or(written.upload_quota_mb), default.quota)?,
        })
    }
}

struct Keys {
    endpoint: Option<String>,
    region: Option<String>,
    access_key: Option<String>,
    secret_key: Option<String>,
}

fn parse(url: &str, keys: Keys) -> Result<Storage, ConfigError> {
    if let Some(path) = url.strip_prefix("file:").map(|path| path.strip_prefix("//").unwrap_or(path))
        && !path.is_empty()
    {
        return Ok(Storage::Directory(path.into()));
    }
    let place = url.strip_prefix("s3://").map(|place| place.split_once('/').unwrap_or((place, "")));
    let Some((name, prefix)) = place.filter(|(name, _)| !name.is_empty() && !name.contains(['?', '@', ':'])) else {
        return Err(invalid("uploads_url", "expected file:DIRECTORY or s3://BUCKET/PREFIX"));
    };
    let endpoint = keys.endpoint;
    if endpoint.as_ref().is_some_and(|url| !url.starts_with("https://") && !url.starts_with("http://")) {
        return Err(invalid("s3_endpoint", "is not an address such as https://minio.example.org"));
    }
    Ok(Storage::Bucket(Bucket {
        name: name.to_owned(),
        prefix: prefix.trim_matches('/').to_owned(),
        endpoint,
        region: keys.region,
        access_key: keys.access_key.ok_or_else(|| invalid("s3_access_key", "is missing for the bucket"))?,
        secret_key: keys.secret_key.ok_or_else(|| invalid("s3_secret_key", "is missing for the bucket"))?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(text: &str) -> Result<Uploads, String> {
        let options: UploadOptions = toml::from_str(text).unwrap();
        options.merge(UploadOptions::default(), Path::new("data")).map_err(|error| error.to_string())
    }

    #[test]
    fn files_are_in_the_data_directory_unless_told_otherwise() {
        let uploads = merged("").unwrap();
        assert!(uploads.storage == Storage::Directory("data/uploads".into()));
        assert_eq!((uploads.file_max, uploads.video_max, uploads.quota), (25_000_000, 100_000_000, 1_000_000_000));
        let elsewhere = merged("uploads_url = \"file:/srv/files\"\nvideo_max_mb = 5").unwrap();
        assert!(elsewhere.storage == Storage::Directory("/srv/files".into()) && elsewhere.video_max == 5_000_000);
    }

    #[test]
    fn a_bucket_needs_its_keys() {
        let keys = "s3_access_key = \"a\"\ns3_secret_key = \"b\"\ns3_endpoint = \"http://127.0.0.1:9000\"";
        let Storage::Bucket(bucket) = merged(&format!("uploads_url = \"s3://files/natter/\"\n{keys}")).unwrap().storage
        else {
            panic!("not a bucket")
        };
        assert_eq!((bucket.name.as_str(), bucket.prefix.as_str()), ("files", "natter"));
        for (text, key) in [
            ("uploads_url = \"s3://files\"", "s3_access_key"),
            ("uploads_url = \"s3://\"", "uploads_url"),
            ("uploads_url = \"ftp://files\"", "uploads_url"),
            ("upload_max_mb = 0", "upload_max_mb"),
            ("uploads_url = \"s3://f\"\ns3_access_key = \"a\"\ns3_endpoint = \"minio\"", "s3_endpoint"),
        ] {
            let error = merged(text).map(|_| ()).unwrap_err();
            assert!(error.starts_with(key), "{error}");
        }
    }
}
