//! Matrix products of the emulated kernels compared with plain loops.

use emulator::products::check_products;
use emulator::{Order, Processor};

#[test]
fn products_are_those_of_plain_loops() {
    for order in [Order::Forwards, Order::Backwards] {
        check_products(&Processor(order));
    }
}
