//! Who may do what: one function a right, asked by the services that decide and by the interface
//! that decides what to show.

use crate::{
    channel::{Access, PostPolicy, Visibility},
    id::UserId,
};
use serde::{Deserialize, Serialize};

/// What a person is in this place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Creates and deletes channels, moderates, writes.
    Admin,
    /// Reads and writes where allowed.
    Member,
}

impl Role {
    /// The word stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "admin" => Some(Self::Admin),
            "member" => Some(Self::Member),
            _ => None,
        }
    }

    /// The role of a newly registered account: whoever comes first runs the place.
    pub const fn for_new_account(accounts_before: u64) -> Self {
        if accounts_before == 0 { Self::Admin } else { Self::Member }
    }

    pub const fn can_create_channels(self) -> bool {
        match self {
            Self::Admin => true,
            Self::Member => false,
        }
    }

    pub const fn can_delete_channels(self) -> bool {
        match self {
            Self::Admin => true,
            Self::Member => false,
        }
    }

    /// Delete a message: one's own, or anybody's when moderating.
    pub fn can_delete_message(self, me: UserId, sender: UserId) -> bool {
        match self {
            Self::Admin => true,
            Self::Member => me == sender,
        }
    }

    /// Know that the channel exists: its name, topic and how many are in it. Admins get no look
    /// into private channels they are not in: a private channel is its members' own.
    pub const fn can_see_channel(self, access: Access) -> bool {
        match access.visibility {
            Visibility::Public => true,
            Visibility::Private => access.joined,
        }
    }

    /// Enter a channel by one's own decision.
    pub const fn can_join_channel(self, access: Access) -> bool {
        match access.visibility {
            Visibility::Public => true,
            Visibility::Private => access.joined,
        }
    }

    /// Read its messages and receive them live.
    pub const fn can_read_channel(self, access: Access) -> bool {
        access.joined
    }

    pub const fn can_post(self, access: Access) -> bool {
        match (access.joined, access.post_policy, self) {
            (false, _, _) | (true, PostPolicy::Admins, Self::Member) => false,
            (true, PostPolicy::Everyone, _) | (true, PostPolicy::Admins, Self::Admin) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(visibility: Visibility, post_policy: PostPolicy, joined: bool) -> Access {
        Access { visibility, post_policy, joined }
    }

    #[test]
    fn only_the_first_account_is_admin() {
        assert_eq!(Role::for_new_account(0), Role::Admin);
        assert_eq!(Role::for_new_account(1), Role::Member);
        assert_eq!(Role::for_new_account(u64::MAX), Role::Member);
    }

    #[test]
    fn only_admins_create_and_delete_channels() {
        assert!(Role::Admin.can_create_channels() && Role::Admin.can_delete_channels());
        assert!(!Role::Member.can_create_channels() && !Role::Member.can_delete_channels());
    }

    #[test]
    fn members_delete_their_own_messages_admins_any() {
        let (me, other) = (UserId::generate(), UserId::generate());
        assert!(Role::Member.can_delete_message(me, me));
        assert!(!Role::Member.can_delete_message(me, other));
        assert!(Role::Admin.can_delete_message(me, other));
    }

    #[test]
    fn a_private_channel_is_closed_to_everyone_outside_it() {
        for role in [Role::Admin, Role::Member] {
            let outside = access(Visibility::Private, PostPolicy::Everyone, false);
            assert!(!role.can_see_channel(outside));
            assert!(!role.can_join_channel(outside));
            assert!(!role.can_read_channel(outside));
            assert!(!role.can_post(outside));
            let inside = access(Visibility::Private, PostPolicy::Everyone, true);
            assert!(role.can_see_channel(inside) && role.can_read_channel(inside) && role.can_post(inside));
        }
    }

    #[test]
    fn a_public_channel_is_seen_by_all_and_read_by_its_members() {
        let outside = access(Visibility::Public, PostPolicy::Everyone, false);
        assert!(Role::Member.can_see_channel(outside) && Role::Member.can_join_channel(outside));
        assert!(!Role::Member.can_read_channel(outside) && !Role::Admin.can_read_channel(outside));
        assert!(!Role::Admin.can_post(outside));
    }

    #[test]
    fn read_only_means_members_read() {
        let inside = access(Visibility::Public, PostPolicy::Admins, true);
        assert!(Role::Admin.can_post(inside));
        assert!(!Role::Member.can_post(inside) && Role::Member.can_read_channel(inside));
    }

    #[test]
    fn names_round_trip() {
        for role in [Role::Admin, Role::Member] {
            assert_eq!(Role::from_name(role.as_str()), Some(role));
        }
        assert_eq!(Role::from_name("owner"), None);
    }
}
