//! Matrix products and sums of the emulated kernels compared with plain loops.

use emulator::products::check_products;
use emulator::sums::check_sums;
use emulator::{Order, Processor};

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
