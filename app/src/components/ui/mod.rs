//! Small parts that take props only.

mod avatar;
mod button;
mod choice;
mod dialog;
mod erased;
mod field;
mod filled;
mod focus;
mod form;
mod header;
mod icon;
mod inner;
mod name;
mod when;

pub use avatar::Avatar;
pub use button::{DANGER, GHOST, PRIMARY, SECONDARY};
pub use choice::{Choice, Options};
pub use dialog::{Dialog, close_dialog, hide, light, make_modal, open_dialog};
pub use erased::{changing, effect};
pub use field::{Field, FieldNote, FormError};
pub use filled::FilledField;
pub use focus::{CATCH_UP, HOME, focus_first, focus_is_lost, focus_on, land, turn_to};
pub use form::{Post, PostForm};
pub use header::Header;
pub use icon::Icon;
pub use inner::Inner;
pub use name::Name;
pub use when::When;
