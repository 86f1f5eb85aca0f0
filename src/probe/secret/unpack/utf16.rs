//! UTF-16 as UTF-8, so that text of Windows tools is searched like any other.

/// Which byte of a unit comes first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Order {
    /// The lower one.
    Little,
    /// The higher one.
    Big,
}

/// Fewest bytes that are judged without a byte-order mark.
const MIN_LEN: usize = 8;

/// Bytes that are judged.
const HEAD_LEN: usize = 512;

/// Whether a file is UTF-16, by its first bytes: a byte-order mark, or units of which nearly all are printable ASCII.
///
/// Text in other scripts without a mark is not told from binary data.
pub fn recognise_utf16(head: &[u8]) -> Option<Order> {
    match head {
        // UTF-32.
        [0xff, 0xfe, 0, 0, ..] => return None,
        [0xff, 0xfe, ..] => return Some(Order::Little),
        [0xfe, 0xff, ..] => return Some(Order::Big),
        _ => {}
    }
    let head = head.get(..HEAD_LEN).unwrap_or(head);
    if !head.contains(&0) {
        return None;
    }
    let units = head.len() / 2;
    let is_ascii = |unit: &u16| matches!(unit, 9 | 10 | 13 | 0x20..=0x7e);
    [Order::Little, Order::Big].into_iter().find(|order| {
        let ascii = units_of(head, *order).filter(is_ascii).count();
        let zero = units_of(head, *order).any(|unit| unit == 0);
        head.len() >= MIN_LEN && !zero && ascii * 10 >= units * 9
    })
}

/// Turns UTF-16 into UTF-8 as it comes.
///
/// A byte-order mark at the start is left out, and what is half of a pair becomes `?`.
#[derive(Clone, Debug)]
pub struct Utf16 {
    order: Order,
    /// The first byte of a unit whose second did not come yet.
    half: Option<u8>,
    /// The first unit of a pair whose second did not come yet.
    high: Option<u16>,
    start: bool,
}

impl Utf16 {
    /// A transcoder at the start of a text.
    pub fn new(order: Order) -> Self {
        Self { order, half: None, high: None, start: true }
    }

    /// Takes the next bytes, and adds what they mean to `out`: three bytes at most for two.
    pub fn feed(&mut self, mut piece: &[u8], out: &mut Vec<u8>) {
        if let (Some(first), Some((&second, rest))) = (self.half, piece.split_first()) {
            self.half = None;
            piece = rest;
            self.units(&[first, second], out);
        }
        self.units(piece, out);
        if let [last] = piece.as_chunks::<2>().1 {
            self.half = Some(*last);
        }
    }

    /// Ends the text.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        if self.high.take().is_some() {
            out.push(b'?');
        }
        if self.half.take().is_some() {
            out.push(b'?');
        }
    }

    fn units(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        // Two loops, each with its order built in.
        match self.order {
            Order::Little => self.read(bytes, u16::from_le_bytes, out),
            Order::Big => self.read(bytes, u16::from_be_bytes, out),
        }
    }

    fn read(&mut self, bytes: &[u8], order: impl Fn([u8; 2]) -> u16, out: &mut Vec<u8>) {
        out.reserve(bytes.len() / 2);
        for pair in bytes.as_chunks::<2>().0 {
            let unit = order(*pair);
            if unit < 0x80 && self.high.is_none() {
                out.push(unit as u8);
            } else {
                self.unit(unit, out);
            }
            self.start = false;
        }
    }

    fn unit(&mut self, unit: u16, out: &mut Vec<u8>) {
        if self.start && unit == 0xfeff {
            return;
        }
        let pair = self.high.take().map(|high| [high, unit]);
        if let Some(Ok(both)) = pair.and_then(|pair| char::decode_utf16(pair).next()) {
            push(both, out);
            return;
        }
        if pair.is_some() {
            out.push(b'?');
        }
        match unit {
            0xd800..=0xdbff => self.high = Some(unit),
            _ => push(char::from_u32(u32::from(unit)).unwrap_or('?'), out),
        }
    }
}

fn push(char: char, out: &mut Vec<u8>) {
    out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
}

fn units_of(bytes: &[u8], order: Order) -> impl Iterator<Item = u16> {
    let read = match order {
        Order::Little => u16::from_le_bytes,
        Order::Big => u16::from_be_bytes,
    };
    bytes.as_chunks::<2>().0.iter().map(move |pair| read(*pair))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(units: &[u16], order: Order) -> Vec<u8> {
        let write = |unit: &u16| match order {
            Order::Little => unit.to_le_bytes(),
            Order::Big => unit.to_be_bytes(),
        };
        units.iter().flat_map(write).collect()
    }

    fn text(bytes: &[u8], order: Order, piece: usize) -> String {
        let (mut decoder, mut out) = (Utf16::new(order), Vec::new());
        bytes.chunks(piece).for_each(|piece| decoder.feed(piece, &mut out));
        decoder.end(&mut out);
        String::from_utf8(out).expect("it writes UTF-8")
    }

    #[test]
    fn text_is_the_same_in_utf8_however_it_is_cut() {
        let original = "user = \"j\u{fc}rgen\" \u{1f511} \u{65e5}\u{672c}\r\n".repeat(40);
        for order in [Order::Little, Order::Big] {
            let units: Vec<u16> = [0xfeff].into_iter().chain(original.encode_utf16()).collect();
            let bytes = bytes(&units, order);
            assert_eq!(recognise_utf16(&bytes), Some(order));
            for piece in [1, 2, 3, 5, 1_000_000] {
                assert_eq!(text(&bytes, order, piece), original);
                assert_eq!(text(&bytes[2..], order, piece), original);
            }
        }
    }

    #[test]
    fn half_pairs_and_half_units_are_question_marks() {
        let mut bytes = bytes(&[0xd83d, 0x41, 0xdd11, 0xd83d, 0xd83d, 0xdd11, 0xfeff, 0xd800], Order::Little);
        bytes.push(0x41);
        for piece in [1, 2, 99] {
            assert_eq!(text(&bytes, Order::Little, piece), "?A??\u{1f511}\u{feff}??");
        }
    }

    #[test]
    fn text_without_a_mark_is_known_by_its_zeros() {
        let units: Vec<u16> = "password=x\r\n".encode_utf16().collect();
        for order in [Order::Little, Order::Big] {
            assert_eq!(recognise_utf16(&bytes(&units, order)), Some(order));
        }
        for other in [
            &b"password=x\r\n"[..],
            b"",
            b"a\0",
            &[0; 64],
            &[1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0],
            b"\xff\xfe\0\0a\0\0\0",
        ] {
            assert_eq!(recognise_utf16(other), None, "{other:?}");
        }
    }
}
