//! Proving who is asking: passwords, tokens, cookies and the origin of a request.

pub mod cookies;
pub mod origin;
pub mod password;
pub mod tokens;
