//! Names that fit what is being typed after an `@`.

use natter::{Role, User};

/// Names offered at once.
const OFFERED: usize = 8;

/// The beginning of a name right before the caret: what comes after the `@`, and where that stands in
/// UTF-16 units, which browsers count in.
pub fn beginning(text: &str, caret: usize) -> Option<(usize, String)> {
    let units: Vec<u16> = text.encode_utf16().take(caret).collect();
    let before = String::from_utf16_lossy(&units);
    let at = before.rfind('@')?;
    let typed = &before[at + 1..];
    let starts_word = before[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '@' && c != '_');
    let is_name = typed.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    (starts_word && is_name).then(|| (before[..at].encode_utf16().count(), typed.to_owned()))
}

/// Whom it may become: names that begin so, then those that contain it.
pub fn names(members: &[User], typed: &str, me: Role) -> Vec<String> {
    let typed = typed.to_lowercase();
    let everyone = (me.can_mention_channel() && "channel".starts_with(&typed)).then(|| "channel".to_owned());
    let fits = |user: &&User, first: bool| {
        let name = user.username.to_lowercase();
        let shown = user.display_name.to_lowercase();
        let begins = name.starts_with(&typed) || shown.starts_with(&typed);
        !user.suspended && if first { begins } else { !begins && name.contains(&typed) }
    };
    let of = |first: bool| members.iter().filter(move |user| fits(user, first)).map(|user| user.username.clone());
    of(true).chain(everyone).chain(of(false)).take(OFFERED).collect()
}

/// The text with the name in the place of its beginning, and where the caret goes.
pub fn complete(text: &str, at: usize, caret: usize, name: &str) -> (String, usize) {
    let units: Vec<u16> = text.encode_utf16().collect();
    let (before, after) = (&units[..at.min(units.len())], &units[caret.min(units.len())..]);
    let inserted = format!("@{name} ");
    let rest = String::from_utf16_lossy(after);
    let rest = rest.strip_prefix(' ').unwrap_or(&rest);
    let text = format!("{}{inserted}{rest}", String::from_utf16_lossy(before));
    (text, at + inserted.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::fixtures::user;

    #[test]
    fn a_name_begins_after_an_at_that_begins_a_word() {
        for (text, expected) in [
            ("@", Some((0, ""))),
            ("hi @ad", Some((3, "ad"))),
            ("😀 @a", Some((3, "a"))),
            ("mail ada@exa", None),
            ("@ada hello", None),
            ("none", None),
        ] {
            let found = beginning(text, text.encode_utf16().count());
            assert_eq!(found.as_ref().map(|(at, name)| (*at, name.as_str())), expected, "{text}");
        }
        assert_eq!(beginning("@ada and more", 3), Some((0, "ad".into())));
    }

    #[test]
    fn those_that_begin_so_come_first_and_admins_may_call_everyone() {
        let members = [user("chad"), user("ada"), user("charles")];
        assert_eq!(names(&members, "cha", Role::Member), ["chad", "charles"]);
        assert_eq!(names(&members, "CH", Role::Admin), ["chad", "charles", "channel"]);
        assert_eq!(names(&members, "ad", Role::Admin), ["ada", "chad"]);
    }

    #[test]
    fn the_name_takes_the_place_of_its_beginning() {
        assert_eq!(complete("hi @ad", 3, 6, "ada"), ("hi @ada ".into(), 8));
        assert_eq!(complete("😀 @a there", 3, 5, "ada"), ("😀 @ada there".into(), 8));
    }
}
