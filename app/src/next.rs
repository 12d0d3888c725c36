//! Where one was going when one had to log in first.

use std::fmt::Write as _;

/// Longer than any address of a page.
const MAX: usize = 2_000;

/// The log-in page, as one's own log-out leads to it once it has succeeded.
pub const LOGGED_OUT: &str = "/login?out";

/// Whether one comes to the log-in page because one has logged out, by what stands after the `?` of its address.
pub fn has_left(query: &str) -> bool {
    query.trim_start_matches('?').split('&').any(|key| key == "out")
}

/// The log-in page, that leads on to an address of this site.
pub fn login_first(going: &str) -> String {
    leading_on("/login", going)
}

/// The page that makes an account, and leads on like that.
pub fn register_first(going: &str) -> String {
    leading_on("/register", going)
}

fn leading_on(page: &str, going: &str) -> String {
    let going = own(going);
    if going == "/" {
        return page.to_owned();
    }
    let mut address = format!("{page}?next=");
    for byte in going.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => address.push(byte.into()),
            _ => _ = write!(address, "%{byte:02X}"),
        }
    }
    address
}

/// Where these pages lead on to, by what stands after the `?` of its address.
pub fn next(query: &str) -> String {
    let next = query.trim_start_matches('?').split('&').find_map(|pair| pair.strip_prefix("next="));
    own(&decoded(next.unwrap_or_default())).to_owned()
}

/// Not by the router: it takes `%2520` for a space.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => bytes.push(if *first == b'+' { b' ' } else { *first }),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An address, if it is of this site, else home. Anyone can make a link to the log-in page: it must not lead to a page
/// elsewhere that looks like ours. Browsers take `//` and `/\` for the beginning of another site, and pass over tabs
/// and line ends while they look.
pub fn own(next: &str) -> &str {
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_own = next.starts_with('/') && !next.starts_with("//") && is_plain && next.len() <= MAX;
    if is_own { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::{MAX, has_left, login_first, next, own, register_first};

    #[test]
    fn only_a_path_of_this_site_is_gone_on_to() {
        for good in ["/", "/channels/general?at=7#x", "/search?q=%E6%97%A5&x=//y", "/direct/mira"] {
            assert_eq!(own(good), good);
        }
        let long = format!("/{}", "a".repeat(MAX));
        for bad in [
            "",
            "channels/general",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "\t//evil.example",
            "https://evil.example",
            "https:/evil.example",
            "javascript:alert(1)",
            "/x\r\nSet-Cookie: a=b",
            "/日本",
            "/a b",
            &long,
        ] {
            assert_eq!(own(bad), "/", "{bad:?}");
        }
    }

    #[test]
    fn the_log_in_page_is_told_where_one_was_going() {
        for (going, expected) in [
            ("/", "/login"),
            ("//evil.example", "/login"),
            ("/channels/general?at=7#x", "/login?next=/channels/general%3Fat%3D7%23x"),
            ("/search?q=a%20b&c", "/login?next=/search%3Fq%3Da%2520b%26c"),
        ] {
            assert_eq!(login_first(going), expected);
            let query = expected.split_once('?').map_or("", |(_, query)| query);
            assert_eq!(next(query), own(going), "and leads there");
            assert_eq!(register_first(going), expected.replace("/login", "/register"));
        }
    }

    #[test]
    fn one_s_own_log_out_is_told_from_a_session_that_ended() {
        for (query, expected) in [("?out", true), ("out&__err=x", true), ("", false), ("next=/out", false)] {
            assert_eq!(has_left(query), expected, "{query}");
        }
    }

    #[test]
    fn what_leads_on_is_read_from_any_query() {
        for (query, expected) in [
            ("", "/"),
            ("?__err=x&next=/browse", "/browse"),
            ("next=%2Fsearch%3Fq%3Da%2520b", "/search?q=a%20b"),
            ("next=%2F%2Fevil.example", "/"),
            ("next=%2F%5Cevil.example", "/"),
            ("next=%2F%09%2Fevil.example", "/"),
            ("next=/100%", "/100%"),
            ("next=/%e", "/%e"),
            ("next=/a+b", "/"),
            ("next=%ff", "/"),
            ("nextnext=/browse", "/"),
        ] {
            assert_eq!(next(query), expected, "{query}");
        }
    }
}
