//! The composed application: services, clients and commit protocols living in one world, as scenario files describe it.
//!
//! A [`plan::Plan`] holds everything that was compiled from names and steps; a [`machine::Machine`] is one node of it. A
//! request in progress is a [`frame::Frame`] with a program counter; [`interpreter`] runs it until it must wait. Start
//! reading there.

mod asking;
mod calls;
pub mod clients;
pub mod consulting;
pub mod embed;
pub mod ending;
pub mod frame;
pub mod guest;
pub mod interpreter;
pub mod keeper;
pub mod machine;
pub mod message;
pub mod mutant;
mod operations;
pub mod output;
pub mod plan;
mod posting;
pub mod question;
mod reading;
mod record;
mod relay;
pub mod rows;
pub mod server;
pub mod spent;
pub mod station;
mod store;
pub mod timer;
