//! Chance that can be repeated: a number for each question that is asked.
//!
//! It is not one stream of numbers, from which each question would take the
//! next: then the packets of one direction would change the fate of those of the
//! other, and how they interleave differs from run to run.

/// A number for the n-th question of one kind, the same for the same seed.
pub(crate) fn number(seed: u64, kind: u64, n: u64) -> u64 {
    [kind, n]
        .into_iter()
        .fold(mixed(seed), |mix, part| mixed(mix ^ mixed(part)))
}

/// Whether it happens, so many times of 100.
pub(crate) fn happens(percent: f64, seed: u64, kind: u64, n: u64) -> bool {
    // The upper 53 bits are a number from 0 up to, but not including, 1.
    let point = (number(seed, kind, n) >> 11) as f64 / (1_u64 << 53) as f64;
    point * 100.0 < percent
}

/// A step of SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom
/// Number Generators", 2014).
fn mixed(seed: u64) -> u64 {
    let mut mix = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mix = (mix ^ (mix >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mix = (mix ^ (mix >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mix ^ (mix >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_percent_is_about_every_tenth() {
        let count = (0..100_000).filter(|n| happens(10.0, 7, 1, *n)).count();
        assert!((9_500..10_500).contains(&count), "{count}");
    }

    #[test]
    fn nothing_happens_at_0_percent_and_everything_at_100() {
        assert!((0..1000).all(|n| !happens(0.0, 7, 1, n)));
        assert!((0..1000).all(|n| happens(100.0, 7, 1, n)));
    }

    #[test]
    fn another_seed_or_kind_is_another_chance() {
        let drawn = |seed, kind| (0..64).map(move |n| happens(50.0, seed, kind, n));
        assert!(drawn(1, 1).eq(drawn(1, 1)));
        assert!(!drawn(1, 1).eq(drawn(2, 1)));
        assert!(!drawn(1, 1).eq(drawn(1, 2)));
    }
}
