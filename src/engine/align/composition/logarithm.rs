//! The natural logarithm of many numbers at once.
//!
//! The Newton iteration takes 400 logarithms a step. The `libm` crate's function (FreeBSD's
//! `e_log.c`) branches on its argument, so a loop over it cannot use vector instructions; here the
//! same operations are done without branches, for normal positive numbers, and give the same bits.

const LN2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN2_LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);
/// Coefficients of the polynomial for ln((1 + s) / (1 − s)), lowest degree first.
const COEFFICIENTS: [f64; 7] = [
    f64::from_bits(0x3fe5_5555_5555_5593),
    f64::from_bits(0x3fd9_9999_9997_fa04),
    f64::from_bits(0x3fd2_4924_9422_9359),
    f64::from_bits(0x3fcc_71c5_1d8e_78af),
    f64::from_bits(0x3fc7_4664_96cb_03de),
    f64::from_bits(0x3fc3_9a09_d078_c69f),
    f64::from_bits(0x3fc2_f112_df3e_5244),
];
/// Upper half of the bits of √½, and their distance to those of 1.
const ROOT_HALF: u64 = 0x3fe6_a09e_0000_0000;
const TO_ONE: u64 = 0x3ff0_0000_0000_0000 - ROOT_HALF;
/// 2⁵² + 2⁵¹ as a number and its bits: adding a small integer to one adds it to the other.
const SHIFT: f64 = 6_755_399_441_055_744.0;

/// Logarithms of numbers, the same bits as those of [`libm::log`].
#[inline(always)]
pub(super) fn ln<const N: usize>(values: &[f64; N]) -> [f64; N] {
    let is_plain = |value: &f64| (f64::MIN_POSITIVE..=f64::MAX).contains(value);
    if !values.iter().fold(true, |all, value| all & is_plain(value)) {
        return values.map(libm::log);
    }
    let mut logarithms = [0.0; N];
    for (logarithm, value) in logarithms.iter_mut().zip(values) {
        *logarithm = ln_of_normal(*value);
    }
    logarithms
}

#[inline(always)]
fn ln_of_normal(value: f64) -> f64 {
    // value = 2^k · (1 + f) with √½ < 1 + f < √2.
    let bits = value.to_bits().wrapping_add(TO_ONE);
    let biased_exponent = bits >> 52;
    let k = f64::from_bits(SHIFT.to_bits() + biased_exponent) - SHIFT - 1023.0;
    let f = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) + ROOT_HALF) - 1.0;

    let half_square = 0.5 * f * f;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let [c1, c2, c3, c4, c5, c6, c7] = COEFFICIENTS;
    let even = w * (c2 + w * (c4 + w * c6));
    let odd = z * (c1 + w * (c3 + w * (c5 + w * c7)));
    let r = odd + even;
    s * (half_square + r) + k * LN2_LOW - half_square + f + k * LN2_HIGH
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_logarithm_of_one_is_zero_and_of_two_known() {
        assert_eq!(ln(&[1.0, 2.0]), [0.0, std::f64::consts::LN_2]);
    }

    #[test]
    fn arguments_without_a_normal_logarithm_are_no_trap() {
        let [zero, tiny, negative] = ln(&[0.0, 5e-324, -1.0]);
        assert_eq!((zero, tiny), (f64::NEG_INFINITY, libm::log(5e-324)));
        assert!(negative.is_nan());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

        /// Every normal number, and the neighbourhood of 1, where cancellation is worst.
        #[test]
        fn bits_equal_those_of_the_scalar_logarithm(
            value in prop_oneof![
                (0x0010_0000_0000_0000u64..0x7ff0_0000_0000_0000).prop_map(f64::from_bits),
                0.4f64..2.5,
                1e-6f64..1e3,
            ],
        ) {
            prop_assert_eq!(ln(&[value])[0].to_bits(), libm::log(value).to_bits());
        }
    }
}
