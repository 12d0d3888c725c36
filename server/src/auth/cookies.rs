//! The browser's credentials: two cookies that no script can read.

use super::tokens::{ACCESS_SECONDS, SESSION_SECONDS};
use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite, time::Duration};

pub const ACCESS: &str = "natter_access";
pub const REFRESH: &str = "natter_refresh";

/// Sets and reads the cookies. `secure` where the place is served over HTTPS.
#[derive(Clone, Copy)]
pub struct Cookies {
    pub secure: bool,
}

impl Cookies {
    pub fn access(self, token: String) -> HeaderValue {
        self.cookie(ACCESS, token, ACCESS_SECONDS)
    }

    pub fn refresh(self, token: String) -> HeaderValue {
        self.cookie(REFRESH, token, SESSION_SECONDS)
    }

    /// Takes both away.
    pub fn clear(self) -> [HeaderValue; 2] {
        [self.cookie(ACCESS, String::new(), 0), self.cookie(REFRESH, String::new(), 0)]
    }

    fn cookie(self, name: &'static str, value: String, seconds: i64) -> HeaderValue {
        let cookie = Cookie::build((name, value))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure)
            .max_age(Duration::seconds(seconds))
            .build();
        // Tokens are URL-safe characters, so this can't fail; an empty header sets nothing.
        HeaderValue::from_str(&cookie.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

/// The value of a request's cookie.
pub fn read<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).find_map(|line| {
        line.split(';').filter_map(|pair| pair.trim().split_once('=')).find(|(key, _)| *key == name).map(|(_, v)| v)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_closed_to_scripts_and_other_sites() {
        let value = Cookies { secure: true }.access("abc".into());
        let text = value.to_str().unwrap();
        for part in ["natter_access=abc", "HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Max-Age=900"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!Cookies { secure: false }.access("abc".into()).to_str().unwrap().contains("Secure"));
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("x=1; natter_access=a.b.c; natter_refresh=r"));
        assert_eq!(read(&headers, ACCESS), Some("a.b.c"));
        assert_eq!(read(&headers, REFRESH), Some("r"));
        assert_eq!(read(&headers, "y"), None);
    }
}
