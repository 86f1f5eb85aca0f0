//! Whole numbers of any size, for keys that are keys: an RSA key whose parts do not belong together is none.

use crate::chance::Chance;

/// Digits of 32 bits, the lowest first, without zeros at the top.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Number(Vec<u32>);

impl Number {
    pub fn small(value: u32) -> Self {
        Self(vec![value]).trimmed()
    }

    pub fn random(bits: usize, chance: &mut Chance) -> Self {
        let mut digits: Vec<u32> = (0..bits / 32).map(|_| chance.next() as u32).collect();
        // Both ends are set, as for primes of which the product is to have twice the length.
        *digits.last_mut().expect("some bits") |= 0xc000_0000;
        digits[0] |= 1;
        Self(digits)
    }

    pub fn prime(bits: usize, chance: &mut Chance) -> Self {
        loop {
            let candidate = Self::random(bits, chance);
            let small = (3..2000).step_by(2).any(|d| candidate.divided(&Self::small(d)).1.is_zero());
            if !small && (0..8).all(|_| candidate.passes(&Self::small(chance.next() as u32 | 2))) {
                return candidate;
            }
        }
    }

    /// One round of Miller and Rabin.
    fn passes(&self, base: &Self) -> bool {
        let one = Self::small(1);
        let less = self.minus(&one);
        let twos = less.0.iter().position(|&d| d != 0).map_or(0, |at| at * 32 + less.0[at].trailing_zeros() as usize);
        let odd = less.divided(&Self::small(2).power(twos)).0;
        let mut x = base.power_mod(&odd, self);
        if x == one || x == less {
            return true;
        }
        (1..twos).any(|_| {
            x = x.times(&x).divided(self).1;
            x == less
        })
    }

    pub fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// Big-endian bytes, with a zero in front where the first bit is set: the body of an INTEGER.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.0.iter().rev().flat_map(|digit| digit.to_be_bytes()).collect();
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count().min(bytes.len().saturating_sub(1));
        bytes.drain(..zeros);
        if bytes.first().is_none_or(|&byte| byte > 0x7f) {
            bytes.insert(0, 0);
        }
        bytes
    }

    pub fn plus(&self, other: &Self) -> Self {
        let mut carry = 0_u64;
        let len = self.0.len().max(other.0.len()) + 1;
        let sum = (0..len).map(|at| {
            carry += u64::from(*self.0.get(at).unwrap_or(&0)) + u64::from(*other.0.get(at).unwrap_or(&0));
            let digit = carry as u32;
            carry >>= 32;
            digit
        });
        Self(sum.collect()).trimmed()
    }

    /// The difference; `other` is the smaller one.
    pub fn minus(&self, other: &Self) -> Self {
        let mut borrow = 0_i64;
        let rest = self.0.iter().enumerate().map(|(at, &digit)| {
            let value = i64::from(digit) - i64::from(*other.0.get(at).unwrap_or(&0)) + borrow;
            borrow = value >> 32;
            value as u32
        });
        Self(rest.collect()).trimmed()
    }

    pub fn times(&self, other: &Self) -> Self {
        let mut product = vec![0_u32; self.0.len() + other.0.len()];
        for (i, &a) in self.0.iter().enumerate() {
            let mut carry = 0_u64;
            for (j, &b) in other.0.iter().enumerate() {
                carry += u64::from(product[i + j]) + u64::from(a) * u64::from(b);
                product[i + j] = carry as u32;
                carry >>= 32;
            }
            product[i + other.0.len()] = carry as u32;
        }
        Self(product).trimmed()
    }

    fn power(&self, exponent: usize) -> Self {
        (0..exponent).fold(Self::small(1), |power, _| power.times(self))
    }

    pub fn power_mod(&self, exponent: &Self, modulus: &Self) -> Self {
        let mut power = Self::small(1);
        for at in (0..exponent.0.len() * 32).rev() {
            power = power.times(&power).divided(modulus).1;
            if exponent.0[at / 32] >> (at % 32) & 1 == 1 {
                power = power.times(self).divided(modulus).1;
            }
        }
        power
    }

    /// The number that gives 1 when it is multiplied with this one; they must have no divisor in common.
    pub fn inverse_mod(&self, modulus: &Self) -> Self {
        let (mut r0, mut r1) = (modulus.clone(), self.divided(modulus).1);
        let (mut t0, mut t1) = (Self::small(0), Self::small(1));
        while !r1.is_zero() {
            let (quotient, rest) = r0.divided(&r1);
            let step = quotient.times(&t1).divided(modulus).1;
            let next = t0.plus(modulus).minus(&step).divided(modulus).1;
            (r0, r1) = (r1, rest);
            (t0, t1) = (t1, next);
        }
        t0
    }

    /// Quotient and rest: Knuth's algorithm D.
    pub fn divided(&self, by: &Self) -> (Self, Self) {
        if self.0.len() < by.0.len() {
            return (Self::small(0), self.clone());
        }
        if by.0.len() == 1 {
            let mut rest = 0_u64;
            let mut quotient = vec![0; self.0.len()];
            for at in (0..self.0.len()).rev() {
                rest = rest << 32 | u64::from(self.0[at]);
                quotient[at] = (rest / u64::from(by.0[0])) as u32;
                rest %= u64::from(by.0[0]);
            }
            return (Self(quotient).trimmed(), Self::small(rest as u32));
        }
        let shift = by.0[by.0.len() - 1].leading_zeros();
        let (mut rest, by) = (self.shifted(shift), by.shifted(shift).trimmed().0);
        let len = by.len();
        let mut quotient = vec![0; rest.0.len() - len];
        for at in (0..rest.0.len() - len).rev() {
            let top = u64::from(rest.0[at + len]) << 32 | u64::from(rest.0[at + len - 1]);
            let mut guess = (top / u64::from(by[len - 1])).min(u64::from(u32::MAX));
            let mut over = top - guess * u64::from(by[len - 1]);
            while over <= u64::from(u32::MAX)
                && u128::from(guess) * u128::from(by[len - 2])
                    > (u128::from(over) << 32 | u128::from(rest.0[at + len - 2]))
            {
                guess -= 1;
                over += u64::from(by[len - 1]);
            }
            let (mut borrow, mut carry) = (0_i64, 0_u64);
            for i in 0..=len {
                carry += guess * u64::from(*by.get(i).unwrap_or(&0));
                let value = i64::from(rest.0[at + i]) - i64::from(carry as u32) + borrow;
                rest.0[at + i] = value as u32;
                borrow = value >> 32;
                carry >>= 32;
            }
            if borrow < 0 {
                guess -= 1;
                let mut carry = 0_u64;
                for i in 0..=len {
                    carry += u64::from(rest.0[at + i]) + u64::from(*by.get(i).unwrap_or(&0));
                    rest.0[at + i] = carry as u32;
                    carry >>= 32;
                }
            }
            quotient[at] = guess as u32;
        }
        let rest = rest.0.iter().enumerate().map(|(at, &digit)| {
            let above = u64::from(*rest.0.get(at + 1).unwrap_or(&0));
            ((above << 32 | u64::from(digit)) >> shift) as u32
        });
        (Self(quotient).trimmed(), Self(rest.collect()).trimmed())
    }

    /// Shifted to the left by less than a digit, and one digit longer.
    fn shifted(&self, shift: u32) -> Self {
        let mut carry = 0_u64;
        let digits = self.0.iter().chain([&0]).map(|&digit| {
            carry |= u64::from(digit) << shift;
            let low = carry as u32;
            carry >>= 32;
            low
        });
        Self(digits.collect())
    }

    fn trimmed(mut self) -> Self {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }
}

#[test]
fn division_undoes_multiplication() {
    let mut chance = Chance::new(3);
    for bits in [32, 64, 96, 256, 512] {
        let (a, b) = (Number::random(bits, &mut chance), Number::random(160, &mut chance));
        let c = Number::random(96, &mut chance);
        assert_eq!(a.times(&b).plus(&c).divided(&b), (a.plus(&Number::small(0)), c), "{bits}");
    }
    let prime = Number::prime(128, &mut chance);
    let a = Number::random(96, &mut chance);
    assert_eq!(a.times(&a.inverse_mod(&prime)).divided(&prime).1, Number::small(1));
}
