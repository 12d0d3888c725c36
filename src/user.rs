//! People.

use crate::{Role, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// A person as everybody who is signed in may see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    pub id: UserId,
    pub username: String,
    pub display_name: String,
    pub role: Role,
    pub suspended: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    pub created_at: Timestamp,
}

/// Just enough of a person to name them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserRef {
    pub id: UserId,
    pub username: String,
}

impl From<&User> for UserRef {
    fn from(user: &User) -> Self {
        Self { id: user.id, username: user.username.clone() }
    }
}
