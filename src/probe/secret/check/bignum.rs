//! Multiplies large integers, to see whether a key's two primes make its modulus.
//!
//! Nothing but that: big-endian bytes, as DER and SSH write them.

/// Longest factor in bytes: half of a modulus of 16,384 bits, and some more for keys with uneven primes.
const FACTOR_MAX: usize = 2048;

/// Whether `p` times `q` is `n`; `None` when they are too long to try.
pub(super) fn product_is(p: &[u8], q: &[u8], n: &[u8]) -> Option<bool> {
    let (p, q, n) = (trim(p), trim(q), trim(n));
    if p.len() > FACTOR_MAX || q.len() > FACTOR_MAX {
        return None;
    }
    let (p, q) = (limbs(p), limbs(q));
    let mut product = vec![0_u32; p.len() + q.len()];
    for (at, &a) in p.iter().enumerate() {
        let mut carry = 0_u64;
        let mut row = product.iter_mut().skip(at);
        for (&b, slot) in q.iter().zip(&mut row) {
            // Can not overflow: (2^32-1)^2 + 2 (2^32-1) is 2^64-1.
            let sum = u64::from(a) * u64::from(b) + u64::from(*slot) + carry;
            let [low, high] = halves(sum);
            *slot = low;
            carry = u64::from(high);
        }
        if let Some(slot) = product.get_mut(at + q.len()) {
            *slot = halves(carry)[0];
        }
    }
    while product.last() == Some(&0) {
        product.pop();
    }
    Some(product == limbs(n))
}

/// How many bits a number has.
pub(super) fn bits(n: &[u8]) -> usize {
    let n = trim(n);
    n.first().map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize)
}

/// The number without leading zeros.
pub(super) fn trim(n: &[u8]) -> &[u8] {
    let zeros = n.iter().take_while(|&&b| b == 0).count();
    n.get(zeros..).unwrap_or_default()
}

/// Least significant first.
fn limbs(n: &[u8]) -> Vec<u32> {
    n.rchunks(4).map(|chunk| chunk.iter().fold(0, |all, &b| all << 8 | u32::from(b))).collect()
}

fn halves(number: u64) -> [u32; 2] {
    [(number & u64::from(u32::MAX)) as u32, (number >> 32) as u32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_machine_numbers_hold() {
        let mut number = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..2000 {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (p, q) = (number >> (number % 60), number.rotate_left(17) >> (number % 53));
            let n = u128::from(p) * u128::from(q);
            assert_eq!(product_is(&p.to_be_bytes(), &q.to_be_bytes(), &n.to_be_bytes()), Some(true));
            assert_eq!(product_is(&p.to_be_bytes(), &q.to_be_bytes(), &(n + 1).to_be_bytes()), Some(false));
        }
    }

    #[test]
    fn long_products_carry_to_the_end() {
        // (2^8k - 1)^2 = 2^16k - 2^(8k+1) + 1
        for k in [1, 3, 4, 5, 64, 256, 2048] {
            let factor = vec![0xff; k];
            let mut n = vec![0xff; k - 1];
            n.push(0xfe);
            n.extend(vec![0; k - 1]);
            n.push(1);
            assert_eq!(product_is(&factor, &factor, &n), Some(true), "{k}");
        }
        assert_eq!(product_is(&[1; 2049], &[1], &[1]), None);
    }

    #[test]
    fn bits_are_counted_without_leading_zeros() {
        assert_eq!([&[0, 0, 1, 0][..], &[0xff], &[], &[0]].map(bits), [9, 8, 0, 0]);
    }
}
