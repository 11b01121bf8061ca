//! The kernels that plans launch, each with its arguments by name.
//!
//! A kernel is a struct with a field for each of its arguments, so a missing or exchanged one is an error of the
//! compiler. `declared` is generated from the kernels' source, which belongs to another crate, `cuda`; a test of that
//! crate compares the two. Here: what all of them have in common.

mod declared;

use super::launch::{Argument, Launch};
use crate::kernels::elementwise::Activation;

pub use declared::*;

/// A kernel and its arguments.
pub trait Kernel: Sized {
    /// Its name.
    fn name(&self) -> &'static str;

    /// Its arguments, in order.
    fn arguments(&self) -> Vec<Argument>;

    /// The kernel of a launch, if it is this one.
    fn of(launch: &Launch) -> Option<Self>;
}

/// The operation after a sum, by the number that kernels know: an activation, or the gradient before one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Following(i32);

impl Following {
    /// The number of the gradient before an activation is that of the activation and this.
    const BEFORE: i32 = 4;

    /// The gradient before an activation, from its value.
    pub fn before(activation: Activation) -> Self {
        Self(Self::from(activation).0 + Self::BEFORE)
    }

    /// Whether it is the gradient before an activation.
    pub fn is_before(self) -> bool {
        self.0 >= Self::BEFORE
    }
}

impl From<Activation> for Following {
    fn from(activation: Activation) -> Self {
        Self(match activation {
            Activation::None => 0,
            Activation::Relu => 1,
            Activation::Elu => 2,
        })
    }
}

impl From<Following> for Argument {
    fn from(following: Following) -> Self {
        Self::Whole(following.0)
    }
}

impl TryFrom<Argument> for Following {
    type Error = ();

    fn try_from(argument: Argument) -> Result<Self, ()> {
        match argument {
            Argument::Whole(number) => Ok(Self(number)),
            _ => Err(()),
        }
    }
}

/// Declares a kernel: its struct and its name, and a field for each argument.
macro_rules! kernel {
    ($type:ident = $name:literal { $($field:ident: $kind:ty,)* }) => {
        #[doc = concat!("The kernel `", $name, "`.")]
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $type {
            $(#[doc = concat!("The argument `", stringify!($field), "`.")] pub $field: $kind,)*
        }

        impl $crate::plan::kernels::Kernel for $type {
            fn name(&self) -> &'static str {
                $name
            }

            fn arguments(&self) -> Vec<$crate::plan::Argument> {
                vec![$(self.$field.into()),*]
            }

            fn of(launch: &$crate::plan::Launch) -> Option<Self> {
                let &[$($field),*] = launch.arguments.as_slice() else { return None };
                (launch.kernel == $name).then_some(Self { $($field: $field.try_into().ok()?),* })
            }
        }
    };
}
use kernel;

/// Declares kernels that take the same arguments: their struct, and an enumeration of their names.
macro_rules! family {
    ($type:ident, $names:ident [$($member:ident = $name:literal,)*] { $($field:ident: $kind:ty,)* }) => {
        #[doc = concat!("The kernels that take the arguments of [`", stringify!($type), "`].")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $names {
            $(#[doc = concat!("`", $name, "`.")] $member,)*
        }

        impl $names {
            /// Its name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$member => $name,)*
                }
            }

            fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$member),)*
                    _ => None,
                }
            }
        }

        #[doc = concat!("A launch of one of the kernels of [`", stringify!($names), "`].")]
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $type {
            /// Which of them.
            pub which: $names,
            $(#[doc = concat!("The argument `", stringify!($field), "`.")] pub $field: $kind,)*
        }

        impl $crate::plan::kernels::Kernel for $type {
            fn name(&self) -> &'static str {
                self.which.name()
            }

            fn arguments(&self) -> Vec<$crate::plan::Argument> {
                vec![$(self.$field.into()),*]
            }

            fn of(launch: &$crate::plan::Launch) -> Option<Self> {
                let &[$($field),*] = launch.arguments.as_slice() else { return None };
                let which = $names::named(launch.kernel)?;
                Some(Self { which, $($field: $field.try_into().ok()?),* })
            }
        }
    };
}
use family;
