//! What becomes of a page whose program broke: nothing of it may be trusted to say so, so a script of its own does.

/// Listens from before the program starts. The page is loaded anew, once; if it has just been, a notice offers to.
/// What was begun is kept (`state/drafts.rs`).
#[cfg(feature = "ssr")]
pub const RESCUE: &str = r"
addEventListener('natter-broken', () => {
  try {
    const key = 'natter.reloaded', last = Number(sessionStorage.getItem(key)), now = Date.now();
    if (!(Math.abs(now - last) < 30000)) {
      sessionStorage.setItem(key, String(now));
      location.reload();
      return;
    }
  } catch {
    // Without storage it might do so for ever.
  }
  const notice = document.createElement('div'), words = document.createElement('span');
  const button = document.createElement('button');
  notice.setAttribute('role', 'alert');
  notice.className = 'notice broken';
  words.textContent = 'Something broke on this page. What you began to write is kept.';
  button.type = 'button';
  button.textContent = 'Reload';
  button.addEventListener('click', () => location.reload());
  notice.append(words, button);
  document.body.append(notice);
}, { once: true });
";

/// Says that the program broke.
#[cfg(feature = "hydrate")]
pub fn broken() {
    if let (Some(window), Ok(event)) = (web_sys::window(), web_sys::Event::new("natter-broken")) {
        let _ = window.dispatch_event(&event);
    }
}
