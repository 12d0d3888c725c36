use leptos::prelude::*;
use natter::{UserId, UserRef};

const HUES: u128 = 12;

/// A person's initials on a colour that comes from their id.
#[component]
pub fn Avatar(user: UserRef, #[prop(optional)] small: bool) -> impl IntoView {
    let size = if small { "size-5 rounded-md text-[9.5px]" } else { "size-9 rounded-[11px] text-[13.5px]" };
    let class = format!("avatar avatar-{} {size}", hue(user.id));
    view! { <span class=class aria-hidden="true">{initials(&user.username)}</span> }
}

/// Which of the style sheet's avatar colours; the end of a `UUIDv7` is its random part.
fn hue(id: UserId) -> u128 {
    id.0.as_u128() % HUES
}

/// `ada.lindqvist` is AL, `mira` is MI.
fn initials(name: &str) -> String {
    let mut words = name.split(['.', '_', '-', ' ']).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or(name);
    let letters: String = match words.next() {
        Some(second) => first.chars().take(1).chain(second.chars().take(1)).collect(),
        None => first.chars().take(2).collect(),
    };
    letters.to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_come_from_the_words_of_a_name() {
        for (name, expected) in [("ada.lindqvist", "AL"), ("mira", "MI"), ("x-", "X"), ("..", ".."), ("a_b_c", "AB")] {
            assert_eq!(initials(name), expected);
        }
    }
}
