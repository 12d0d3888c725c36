//! Lists as every list of the API answers them.

use crate::{error::ApiError, http::extract::number};
use natter::input::page_limit;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// One page of a list.
#[derive(Serialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Give it back as `cursor` for the next page; null at the end.
    pub next: Option<String>,
}

/// Which page of a list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// At most this many items, 1–100; 50 if left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
}

pub fn limit(text: Option<&str>) -> Result<u32, ApiError> {
    let limit = number::<i64>("limit", text)?;
    page_limit(limit).map_err(|error| ApiError::field(&error.field, error.message))
}

impl<T> Page<T> {
    /// The first `limit` of `items`, of which one more was asked for: it tells whether there is more.
    pub fn cut(mut items: Vec<T>, limit: u32, key: impl Fn(&T) -> String) -> Self {
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| more).map(key);
        Self { items, next }
    }
}

impl PageQuery {
    /// How many items at most.
    pub fn limit(&self) -> Result<u32, ApiError> {
        limit(self.limit.as_deref())
    }

    /// Where to go on.
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// The page of `all`, which is in the order of `key`.
    pub fn page<T>(&self, all: Vec<T>, key: impl Fn(&T) -> String) -> Result<Page<T>, ApiError> {
        let limit = limit(self.limit.as_deref())? as usize;
        let descending = all.first().map(&key) > all.last().map(&key);
        let start = match &self.cursor {
            None => 0,
            // The item it names may be gone by now: go on where it would stand.
            Some(cursor) => match all.iter().position(|item| key(item) == *cursor) {
                Some(at) => at + 1,
                None if descending => all.partition_point(|item| key(item) > *cursor),
                None => all.partition_point(|item| key(item) < *cursor),
            },
        };
        let more = all.len() > start + limit;
        let items: Vec<T> = all.into_iter().skip(start).take(limit).collect();
        let next = items.last().filter(|_| more).map(key);
        Ok(Page { items, next })
    }
}
