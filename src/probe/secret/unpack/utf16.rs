//! stub
#![allow(missing_docs)]
pub struct Order;
pub struct Utf16;
pub fn recognise_utf16(_: &[u8]) -> Option<Order> {
    None
}
impl Utf16 {
    pub fn new(_: Order) -> Self {
        Self
    }
    pub fn feed(&mut self, _: &[u8], _: &mut Vec<u8>) {}
}
