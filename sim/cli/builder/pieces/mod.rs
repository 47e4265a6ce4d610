//! The tables of a file as types. What they have for keys stands in `keys`; here stands what each is for.

pub(super) mod load;
pub(super) mod messages;
pub(super) mod promises;
pub(super) mod world;

/// A table of the file: a type that prints as TOML and can stand wherever a value can.
macro_rules! piece {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Debug, Default)]
        pub struct $name(pub(crate) $crate::builder::Table);

        impl $name {
            /// Nothing is said yet.
            #[doc = concat!(
                "\n```\n# use stormglass::builder::*;\nassert_eq!(", stringify!($name), "::new().to_string(), \"{}\");\n```"
            )]
            pub fn new() -> Self {
                Self::default()
            }
        }

        written! { $name }
    };
}

/// The same for one that begins with its verb.
macro_rules! verbed {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Debug)]
        pub struct $name(pub(crate) $crate::builder::Table);

        written! { $name }
    };
}

macro_rules! written {
    ($name:ident) => {
        impl From<$name> for $crate::builder::Value {
            fn from(piece: $name) -> Self {
                Self::Table(piece.0)
            }
        }

        impl $crate::builder::value::Piece for $name {}

        /// As TOML, on one line.
        impl core::fmt::Display for $name {
            fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                $crate::builder::Value::Table(self.0.clone()).fmt(out)
            }
        }
    };
}

pub(super) use {piece, verbed, written};
