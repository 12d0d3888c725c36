//! Small parts that take props only.

mod avatar;
mod button;
mod dialog;
mod erased;
mod field;
mod form;
mod icon;
mod when;

pub use avatar::Avatar;
pub use button::{GHOST, PRIMARY, SECONDARY};
pub use dialog::{Dialog, close_dialog, hide, open_dialog};
pub use erased::{changing, effect};
pub use field::{Field, FormError};
pub use form::{Post, PostForm};
pub use icon::Icon;
pub use when::When;
