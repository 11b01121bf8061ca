//! Matrix products, sums and steps of recurrent units of the emulated kernels compared with plain loops.

use emulator::products::check_products;
use emulator::sums::check_sums;
use emulator::units::check_units;
use emulator::{OneByOne, Order, Processor};

#[test]
fn products_are_those_of_plain_loops() {
    for order in [Order::Forwards, Order::Backwards] {
        check_products(&Processor(order));
    }
}

#[test]
fn sums_and_scales_are_those_of_plain_loops() {
    for order in [Order::Forwards, Order::Backwards] {
        check_sums(&Processor(order));
    }
}

#[test]
fn recurrent_units_are_those_of_plain_loops_and_the_same_in_a_chain() {
    let alone = check_units(&OneByOne::default());
    for order in [Order::Forwards, Order::Backwards] {
        assert!(check_units(&Processor(order)) == alone, "{order:?}: not the bits of single launches");
    }
}
