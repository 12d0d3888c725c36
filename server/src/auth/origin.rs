//! Where a request comes from. A cookie proves who the browser belongs to, not which site made it
//! send; so whatever a cookie authorises must come from a page of ours (Fetch Metadata, and RFC 6454's
//! Origin).

use axum::http::{HeaderMap, Uri, header};

/// The origins whose pages may act with a visitor's cookies: our own, and those configured.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    allowed: Vec<String>,
}

impl Origins {
    pub fn new(allowed: impl IntoIterator<Item = String>) -> Self {
        Self { allowed: allowed.into_iter().map(|origin| origin.trim_end_matches('/').to_lowercase()).collect() }
    }

    /// Our own or a configured origin. `null` is neither.
    pub fn allows(&self, headers: &HeaderMap) -> bool {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(origin) = text("origin") {
            return self.is_allowed(&origin.to_lowercase(), text(header::HOST.as_str()).unwrap_or_default());
        }
        // Older browsers leave Origin out of same-origin requests; only they and `same-origin` remain.
        text("sec-fetch-site") == Some("same-origin")
    }

    /// A socket's handshake always carries an Origin when a browser makes it.
    pub fn allows_socket(&self, headers: &HeaderMap) -> bool {
        headers.contains_key(header::ORIGIN) && self.allows(headers)
    }

    fn is_allowed(&self, origin: &str, host: &str) -> bool {
        let same = origin
            .parse::<Uri>()
            .ok()
            .and_then(|uri| uri.authority().map(|authority| authority.as_str().eq_ignore_ascii_case(host)))
            .unwrap_or(false);
        same || self.allowed.iter().any(|allowed| allowed == origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn only_our_own_and_configured_origins_are_allowed() {
        let origins = Origins::new(["https://chat.example/".to_owned()]);
        for (pairs, expected) in [
            (&[("host", "natter.test:3000"), ("origin", "http://natter.test:3000")][..], true),
            (&[("host", "natter.test:3000"), ("origin", "http://natter.test")], false),
            (&[("host", "natter.test"), ("origin", "https://chat.example")], true),
            (&[("host", "natter.test"), ("origin", "https://evil.example")], false),
            (&[("host", "natter.test"), ("origin", "null")], false),
            (&[("host", "natter.test"), ("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")], false),
            (&[("host", "natter.test"), ("sec-fetch-site", "same-origin")], true),
            (&[("host", "natter.test"), ("sec-fetch-site", "cross-site")], false),
            (&[("host", "natter.test"), ("sec-fetch-site", "same-site")], false),
            (&[("host", "natter.test")], false),
        ] {
            assert_eq!(origins.allows(&headers(pairs)), expected, "{pairs:?}");
        }
    }

    #[test]
    fn a_socket_needs_an_origin() {
        let origins = Origins::default();
        assert!(!origins.allows_socket(&headers(&[("host", "a"), ("sec-fetch-site", "same-origin")])));
        assert!(origins.allows_socket(&headers(&[("host", "a"), ("origin", "http://a")])));
    }
}
