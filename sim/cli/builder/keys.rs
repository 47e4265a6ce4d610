//! The keys of every table as methods. The lists below this file are written by `tests/builder_keys.rs` from the tables of
//! `lab` (`BLESS=1` writes them again), so a key that is not here is a failed test.

/// The example of a method: how it is called, and what it writes.
macro_rules! shown {
    ($how:literal, $writes:literal) => {
        concat!("\n```\n# use stormglass::builder::*;\nassert_eq!(", $how, ".to_string(), r#\"", $writes, "\"#);\n```")
    };
    ($before:literal, $how:literal, $after:literal, $writes:literal) => {
        concat!(
            "\n```\n# use stormglass::builder::*;\nlet mut shop = Builder::new(\"shop\");\nshop.",
            $before,
            $how,
            $after,
            ";\nassert!(shop.text().contains(r#\"",
            $writes,
            "\"#));\n```"
        )
    };
}

mod load;
mod messages;
mod promises;
mod root;
mod world;

pub(super) use root::SECTIONS;

/// Methods of a piece: `name "key" what it takes`.
macro_rules! keys {
    ($piece:ident { $( $(#[$doc:meta])* $name:ident $key:literal $takes:ident $($of:ident)? = $how:literal $writes:literal; )* }) => {
        #[allow(clippy::should_implement_trait, reason = "`add` is a key")]
        impl $crate::builder::$piece {
            $( keys! {
                @one $takes [$($of)?]
                $(#[$doc])*
                #[doc = shown!($how, $writes)]
                $name $key
            } )*
        }
    };
    (@one value [] $(#[$doc:meta])* $name:ident $key:literal) => {
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, value: impl Into<$crate::builder::Value>) -> Self {
            self.0.put($key, value.into());
            self
        }
    };
    (@one part [$of:ident] $(#[$doc:meta])* $name:ident $key:literal) => {
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, value: impl Into<$crate::builder::Of<$crate::builder::$of>>) -> Self {
            self.0.put($key, value.into().into());
            self
        }
    };
    (@one list [$of:ident] $(#[$doc:meta])* $name:ident $key:literal) => {
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, list: impl Into<$crate::builder::List<$crate::builder::$of>>) -> Self {
            self.0.put($key, list.into().into());
            self
        }
    };
    (@one each [] $(#[$doc:meta])* $name:ident $key:literal) => {
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, name: impl Into<String>, value: impl Into<$crate::builder::Value>) -> Self {
            self.0.inner($key).add(name, value);
            self
        }
    };
    (@one each [$of:ident] $(#[$doc:meta])* $name:ident $key:literal) => {
        $(#[$doc])*
        #[must_use]
        pub fn $name(
            mut self,
            name: impl Into<String>,
            value: impl Into<$crate::builder::Of<$crate::builder::$of>>,
        ) -> Self {
            self.0.inner($key).add(name, value.into());
            self
        }
    };
}

/// Constructors of a piece that has one of several verbs.
macro_rules! verbs {
    ($piece:ident { $( $(#[$doc:meta])* $name:ident $key:literal $takes:ident $($of:ident)? = $how:literal $writes:literal; )* }) => {
        impl $crate::builder::$piece {
            $( verbs! {
                @one $takes [$($of)?]
                $(#[$doc])*
                #[doc = shown!($how, $writes)]
                $name $key
            } )*
        }
    };
    (@one value [] $(#[$doc:meta])* $name:ident $key:literal) => {
        $(#[$doc])*
        pub fn $name(value: impl Into<$crate::builder::Value>) -> Self {
            Self($crate::builder::Table::new().with($key, value))
        }
    };
    (@one list [$of:ident] $(#[$doc:meta])* $name:ident $key:literal) => {
        $(#[$doc])*
        pub fn $name(list: impl Into<$crate::builder::List<$crate::builder::$of>>) -> Self {
            Self($crate::builder::Table::new().with($key, list.into()))
        }
    };
}

/// Sections: methods of the builder and of variants.
macro_rules! sections {
    ($( $(#[$doc:meta])* $name:ident $key:literal $takes:ident $($of:ident)? = $how:literal $writes:literal; )*) => {
        impl $crate::builder::Variant {
            $( keys! {
                @one $takes [$($of)?]
                $(#[$doc])*
                #[doc = shown!("variant(\"other\", Variant::new().", $how, ")", $writes)]
                $name $key
            } )*
        }
        impl $crate::builder::Builder {
            $( sections! {
                @one $takes [$($of)?]
                $(#[$doc])*
                #[doc = shown!("", $how, "", $writes)]
                $name $key
            } )*
        }
    };
    (@one value [] $(#[$doc:meta])* $name:ident $key:literal) => {
        $(#[$doc])*
        pub fn $name(&mut self, value: impl Into<$crate::builder::Value>) -> &mut Self {
            self.root.put($key, value.into());
            self
        }
    };
    (@one part [$of:ident] $(#[$doc:meta])* $name:ident $key:literal) => {
        $(#[$doc])*
        pub fn $name(&mut self, value: impl Into<$crate::builder::Of<$crate::builder::$of>>) -> &mut Self {
            self.root.put($key, value.into().into());
            self
        }
    };
    (@one each [] $(#[$doc:meta])* $name:ident $key:literal) => {
        $(#[$doc])*
        pub fn $name(&mut self, name: impl Into<String>, value: impl Into<$crate::builder::Value>) -> &mut Self {
            self.root.inner($key).add(name, value);
            self
        }
    };
    (@one each [$of:ident] $(#[$doc:meta])* $name:ident $key:literal) => {
        $(#[$doc])*
        pub fn $name(
            &mut self,
            name: impl Into<String>,
            value: impl Into<$crate::builder::Of<$crate::builder::$of>>,
        ) -> &mut Self {
            self.root.inner($key).add(name, value.into());
            self
        }
    };
}

pub(super) use {keys, sections, verbs};
