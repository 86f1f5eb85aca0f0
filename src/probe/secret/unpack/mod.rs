//! stub
#![allow(missing_docs)]
use crate::model::Unread;
pub mod utf16;
pub trait Members {
    fn begin(&mut self, name: &[u8], size: Option<u64>);
    fn body(&mut self, piece: &[u8]);
    fn end(&mut self);
    fn unread(&mut self, name: &[u8], why: Unread);
    fn open(&self) -> bool;
}
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Zip,
    Closed,
}
pub fn recognise(_: &[u8], _: &[u8]) -> Option<Kind> {
    None
}
pub struct Unpacker {}
impl Unpacker {
    pub fn new(_: Kind) -> Self {
        Self {}
    }
    pub fn feed(&mut self, _: &[u8], _: &mut dyn Members) {}
    pub fn end(&mut self, _: &mut dyn Members) {}
}
