//! A generator whose numbers a seed repeats.

/// A xorshift generator.
pub struct Random(u64);

impl Random {
    /// Makes the generator of a seed.
    pub fn new(seed: u64) -> Self {
        // Spreads small seeds over all bits; a state of zero would stay zero.
        Self(
            seed.wrapping_add(1)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                .max(1),
        )
    }

    /// The next number, from 0 and below 1.
    pub fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}
