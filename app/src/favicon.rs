//! The icon of the page's tab, and what it says of what is unread.

/// Without anything unread.
pub const FAVICON: &str = include_str!("favicon.svg");
/// The light theme's colour of what is unread. A tab's ground isn't ours to know.
const ALERT: &str = "#b3261e";

/// The icon's address: with the number of what waits for the reader, with a dot where something else is
/// unread, or as it is.
#[cfg_attr(not(feature = "hydrate"), cfg_attr(not(test), expect(dead_code, reason = "only browsers have tabs")))]
pub fn favicon(waiting: u64, unread: bool) -> String {
    let badge = match waiting {
        0 if !unread => return "/favicon.svg".to_owned(),
        0 => format!(r##"<circle cx="21" cy="7" r="6" fill="{ALERT}" stroke="#fff" stroke-width="1.5"/>"##),
        count => {
            let (shown, size) = if count > 9 { ("9+".to_owned(), 10) } else { (count.to_string(), 14) };
            format!(
                r##"<circle cx="19" cy="19" r="8.5" fill="{ALERT}" stroke="#fff"/><text x="19" y="{y}" fill="#fff" font-family="sans-serif" font-size="{size}" font-weight="700" text-anchor="middle">{shown}</text>"##,
                y = 19 + size * 36 / 100,
            )
        }
    };
    let icon = FAVICON.trim_end().replacen("</svg>", &format!("{badge}</svg>"), 1);
    let mut address = String::from("data:image/svg+xml,");
    for letter in icon.chars() {
        match letter {
            '#' => address.push_str("%23"),
            '%' => address.push_str("%25"),
            '<' => address.push_str("%3C"),
            '>' => address.push_str("%3E"),
            '"' => address.push('\''),
            '\n' => {}
            _ => address.push(letter),
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::favicon;

    #[test]
    fn the_icon_has_a_number_of_what_is_to_oneself_else_a_dot_else_nothing() {
        assert_eq!(favicon(0, false), "/favicon.svg");
        let dot = favicon(0, true);
        assert!(dot.starts_with("data:image/svg+xml,%3Csvg ") && dot.ends_with("%3C/svg%3E"), "{dot}");
        assert!(dot.contains("circle") && !dot.contains("text"), "{dot}");
        assert!(favicon(3, true).contains("%3E3%3C/text%3E"));
        assert!(favicon(9, false).contains("%3E9%3C/text%3E"));
        assert!(favicon(10, true).contains("%3E9+%3C/text%3E"));
        for icon in [dot, favicon(12, true)] {
            assert!(!icon.contains(['#', '<', '>', '"', '\n']), "{icon}");
        }
    }
}
