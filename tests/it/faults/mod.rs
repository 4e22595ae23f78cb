//! Nothing lost and nothing doubled, whatever fails outside: the rows of the fault table that need no process of their
//! own. `rows` is the table; `outside` has every call fail in every way, `late` and `lasting` what takes longer, `chaos` all of it at
//! random; `scenes` has one scene for each kind of input, `picture` what can be seen from outside when
//! it is over. `controls` takes protections away and proves that this does not go unnoticed.

mod chaos;
mod controls;
mod lasting;
mod late;
mod outside;
mod picture;
mod rows;
mod scenes;

pub(crate) use self::{
    picture::{Picture, doubles, whispers},
    scenes::{ASTRAY, FORM, LATE_DOUBLE, SCENES, Scene, afterwards},
};
