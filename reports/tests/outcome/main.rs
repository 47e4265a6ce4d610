//! What becomes of one outcome: files, pictures, text.

mod fixture;
mod page;
mod parts;
mod pictures;
mod stores;
mod tables;
mod texts;
