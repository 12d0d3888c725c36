//! Who may do what: one function a right, asked by the services that decide and by the interface
//! that decides what to show.

use crate::{
    channel::{Access, ChannelKind, PostPolicy, Visibility},
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

    /// Rename it, change its topic and rules, say who is in it, delete it. Admins run every channel,
    /// private ones they are not in as well; what was said in those they can't read. A direct is
    /// nobody's to run.
    pub const fn can_manage_channel(self, kind: ChannelKind) -> bool {
        match (self, kind) {
            (Self::Admin, ChannelKind::Channel) => true,
            (Self::Admin, ChannelKind::Direct) | (Self::Member, _) => false,
        }
    }

    /// Give and take roles, suspend and reinstate, end somebody's sessions.
    pub const fn can_manage_people(self) -> bool {
        match self {
            Self::Admin => true,
            Self::Member => false,
        }
    }

    /// Say who may register, and invite.
    pub const fn can_manage_registration(self) -> bool {
        match self {
            Self::Admin => true,
            Self::Member => false,
        }
    }

    /// Read the audit log and the figures.
    pub const fn can_inspect(self) -> bool {
        match self {
            Self::Admin => true,
            Self::Member => false,
        }
    }

    /// Know that the channel exists: its name, topic and how many are in it. In lists and by its id,
    /// a private channel is its members' own, also for admins; those find it where they run it.
    pub const fn can_see_channel(self, access: Access) -> bool {
        match (access.kind, access.visibility) {
            (ChannelKind::Channel, Visibility::Public) => true,
            (ChannelKind::Channel, Visibility::Private) | (ChannelKind::Direct, _) => access.joined,
        }
    }

    /// Enter a channel by one's own decision.
    pub const fn can_join_channel(self, access: Access) -> bool {
        match (access.kind, access.visibility) {
            (ChannelKind::Channel, Visibility::Public) => true,
            (ChannelKind::Channel, Visibility::Private) | (ChannelKind::Direct, _) => access.joined,
        }
    }

    /// Leave by one's own decision. A direct is never left: it would come back with the next message.
    pub const fn can_leave_channel(self, access: Access) -> bool {
        match access.kind {
            ChannelKind::Channel => true,
            ChannelKind::Direct => false,
        }
    }

    /// Read its messages and receive them live.
    pub const fn can_read_channel(self, access: Access) -> bool {
        access.joined
    }

    /// Have it stay quiet, for oneself.
    pub const fn can_mute_channel(self, access: Access) -> bool {
        self.can_read_channel(access)
    }

    /// Fetch a file. It belongs to whoever uploaded it until a message carries it; then to those who may
    /// read that, and only to them.
    pub fn can_fetch_upload(self, carried: Option<Access>, me: UserId, owner: UserId) -> bool {
        carried.map_or(me == owner, |access| self.can_see_channel(access) && self.can_read_channel(access))
    }

    pub const fn can_post(self, access: Access) -> bool {
        match (access.joined, access.post_policy, self) {
            (false, _, _) | (true, PostPolicy::Admins, Self::Member) => false,
            (true, PostPolicy::Everyone, _) | (true, PostPolicy::Admins, Self::Admin) => true,
        }
    }

    /// Answer a message with an emoji: whoever reads may.
    pub const fn can_react(self, access: Access) -> bool {
        self.can_read_channel(access)
    }

    /// Call everyone in a channel by `@channel`.
    pub const fn can_mention_channel(self) -> bool {
        match self {
            Self::Admin => true,
            Self::Member => false,
        }
    }

    /// Change the words of a message: one's own, where one may still post.
    pub fn can_edit_message(self, access: Access, me: UserId, sender: UserId) -> bool {
        me == sender && self.can_post(access)
    }

    /// Delete a message: one's own, or anybody's when moderating a channel. A private conversation
    /// isn't moderated.
    pub fn can_delete_message(self, access: Access, me: UserId, sender: UserId) -> bool {
        match (self, access.kind) {
            (Self::Admin, ChannelKind::Channel) => self.can_see_channel(access),
            (Self::Admin, ChannelKind::Direct) | (Self::Member, _) => me == sender && self.can_see_channel(access),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(visibility: Visibility, post_policy: PostPolicy, joined: bool) -> Access {
        Access { kind: ChannelKind::Channel, visibility, post_policy, joined }
    }

    fn direct(joined: bool) -> Access {
        Access { kind: ChannelKind::Direct, ..access(Visibility::Private, PostPolicy::Everyone, joined) }
    }

    #[test]
    fn only_the_first_account_is_admin() {
        assert_eq!(Role::for_new_account(0), Role::Admin);
        assert_eq!(Role::for_new_account(1), Role::Member);
        assert_eq!(Role::for_new_account(u64::MAX), Role::Member);
    }

    #[test]
    fn only_admins_run_the_place() {
        let rights = |role: Role| {
            let channels = role.can_create_channels() && role.can_manage_channel(ChannelKind::Channel);
            [channels, role.can_manage_people(), role.can_manage_registration(), role.can_inspect()]
        };
        assert_eq!(rights(Role::Admin), [true; 4]);
        assert_eq!(rights(Role::Member), [false; 4]);
        assert!(Role::Admin.can_mention_channel() && !Role::Member.can_mention_channel());
    }

    #[test]
    fn a_direct_belongs_to_the_two_in_it() {
        let (me, other) = (UserId::generate(), UserId::generate());
        for role in [Role::Admin, Role::Member] {
            assert!(!role.can_manage_channel(ChannelKind::Direct) && !role.can_leave_channel(direct(true)));
            assert!(!role.can_see_channel(direct(false)) && !role.can_join_channel(direct(false)));
            assert!(!role.can_read_channel(direct(false)) && !role.can_post(direct(false)));
            assert!(!role.can_delete_message(direct(false), me, me));
            assert!(role.can_post(direct(true)) && role.can_delete_message(direct(true), me, me));
            assert!(!role.can_delete_message(direct(true), me, other));
        }
    }

    #[test]
    fn people_edit_their_own_words_where_they_may_still_post() {
        let (me, other) = (UserId::generate(), UserId::generate());
        let inside = access(Visibility::Public, PostPolicy::Everyone, true);
        for role in [Role::Admin, Role::Member] {
            assert!(role.can_edit_message(inside, me, me) && !role.can_edit_message(inside, me, other));
            assert!(!role.can_edit_message(access(Visibility::Public, PostPolicy::Everyone, false), me, me));
        }
        let read_only = access(Visibility::Public, PostPolicy::Admins, true);
        assert!(!Role::Member.can_edit_message(read_only, me, me) && Role::Admin.can_edit_message(read_only, me, me));
        assert!(Role::Member.can_react(read_only) && Role::Member.can_mute_channel(read_only));
    }

    #[test]
    fn members_delete_their_own_messages_admins_any() {
        let (me, other) = (UserId::generate(), UserId::generate());
        let public = access(Visibility::Public, PostPolicy::Everyone, false);
        assert!(Role::Member.can_delete_message(public, me, me));
        assert!(!Role::Member.can_delete_message(public, me, other));
        assert!(Role::Admin.can_delete_message(public, me, other));
        let hidden = access(Visibility::Private, PostPolicy::Everyone, false);
        assert!(!Role::Admin.can_delete_message(hidden, me, other) && !Role::Member.can_delete_message(hidden, me, me));
    }

    #[test]
    fn a_private_channel_is_closed_to_everyone_outside_it() {
        for role in [Role::Admin, Role::Member] {
            let outside = access(Visibility::Private, PostPolicy::Everyone, false);
            assert!(!role.can_see_channel(outside));
            assert!(!role.can_join_channel(outside));
            assert!(!role.can_read_channel(outside) && !role.can_mute_channel(outside));
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
    fn a_file_is_its_uploader_s_until_a_message_carries_it() {
        let (me, other) = (UserId::generate(), UserId::generate());
        for role in [Role::Admin, Role::Member] {
            assert!(role.can_fetch_upload(None, me, me) && !role.can_fetch_upload(None, me, other));
            for (visibility, owner) in
                [(Visibility::Public, me), (Visibility::Public, other), (Visibility::Private, me)]
            {
                let inside = access(visibility, PostPolicy::Admins, true);
                assert!(role.can_fetch_upload(Some(inside), me, owner));
                let outside = access(visibility, PostPolicy::Everyone, false);
                assert!(!role.can_fetch_upload(Some(outside), me, owner), "also one's own");
            }
            assert!(role.can_fetch_upload(Some(direct(true)), me, other));
            assert!(!role.can_fetch_upload(Some(direct(false)), me, me));
        }
    }

    #[test]
    fn names_round_trip() {
        for role in [Role::Admin, Role::Member] {
            assert_eq!(Role::from_name(role.as_str()), Some(role));
        }
        assert_eq!(Role::from_name("owner"), None);
    }
}
