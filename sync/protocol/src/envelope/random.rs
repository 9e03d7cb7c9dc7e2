//! Randomness for one sealing: 32 bytes of the system, stretched by SHA-256 if more is asked for.

use std::convert::Infallible;

use hpke::rand_core::{TryCryptoRng, TryRng};
use ring::digest::{Context, SHA256};
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

/// A source for one use.
pub struct Random {
    seed: Zeroizing<[u8; 32]>,
    block: u64,
}

impl Random {
    /// From the system; none if it has nothing to give, which a library that draws by itself would
    /// answer with a panic.
    pub fn new() -> Option<Self> {
        let mut seed = Zeroizing::new([0; 32]);
        SystemRandom::new().fill(&mut *seed).ok()?;
        Some(Self { seed, block: 0 })
    }

    /// Always the same, for the published vector.
    #[cfg(test)]
    pub fn fixed(seed: [u8; 32]) -> Self {
        Self { seed: Zeroizing::new(seed), block: 0 }
    }
}

impl TryRng for Random {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, filled: &mut [u8]) -> Result<(), Infallible> {
        for chunk in filled.chunks_mut(32) {
            let mut hash = Context::new(&SHA256);
            hash.update(&*self.seed);
            hash.update(&self.block.to_be_bytes());
            self.block += 1;
            chunk.copy_from_slice(&hash.finish().as_ref()[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Random {}
