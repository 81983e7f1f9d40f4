// The constants and polynomials of the functions of doubles.
#ifndef TK_SERIES_F64_H
#define TK_SERIES_F64_H

enum {
  mantissa_f64 = 52, bias_f64 = 1023, exp_max_f64 = 710, exp_min_f64 = -750, expm1_min_f64 = -40,
  expm1_cap_f64 = 64, subnormal_shift_f64 = 54, tanh_max_f64 = 22, silu_max_f64 = 760,
  gaussian_max_f64 = 28, normal_max_f64 = 40, phi_center_f64 = 5, erfc_max_f64 = 30,
  erf_max_f64 = 6,
};

static const double log2_e_f64 = 0x1.71547652b82fep+0;
static const double ln2_high_f64 = 0x1.62e42feep-1;
static const double ln2_low_f64 = 0x1.a39ef35793c76p-33;
static const double least_normal_f64 = 0x1p-1022;
static const double subnormal_scale_f64 = 0x1p54;
// x + rounder rounds x to an integer held, in two's complement, in the low bits of the sum.
static const double rounder_f64 = 0x1.8p52;
static const double inverse_root_2_pi_f64 = 0x1.9884533d43651p-2;
// The polynomials of the tails are in (x - center) / (x + center).
static const double erfc_center_f64 = 3.5;

// (e^r - 1 - r) / r^2 on |r| <= ln(2) / 2.
static const double exp_series_f64[] = {
  0x1.0000000000001p-1, 0x1.5555555555556p-3, 0x1.5555555553d56p-5, 0x1.11111111109afp-7,
  0x1.6c16c17890eb4p-10, 0x1.a01a01a7c73cp-13, 0x1.a019b8f9792eep-16, 0x1.71de0da24602dp-19,
  0x1.28919ccaf9211p-22, 0x1.af38c67fbb53ep-26,
};

// (2 atanh(s) / s - 2) / s^2 in s^2.
static const double log_series_f64[] = {
  0x1.5555555555558p-1, 0x1.99999999952d9p-2, 0x1.2492492df24c9p-2, 0x1.c71c62e434baap-3,
  0x1.7462b50978d9ap-3, 0x1.39fe54273fda1p-3, 0x1.2b58e1fea16c6p-3,
};

// The same for s <= 1/3.
static const double softplus_series_f64[] = {
  0x1.5555555555555p-1, 0x1.9999999999944p-2, 0x1.2492492499d46p-2, 0x1.c71c71bedea97p-3,
  0x1.745d19937b1fcp-3, 0x1.3b13515f6f9efp-3, 0x1.111abdc8abe16p-3, 0x1.e0a2d581ab68fp-4,
  0x1.bc37f0140c19ep-4, 0x1.32e0d25c9c761p-4, 0x1.401d3e65cdc48p-3,
};

// (1 + 2x) e^(x^2) erfc(x) in (x - 3.5) / (x + 3.5), x >= 1/2.
static const double erfc_tail_f64[] = {
  0x1.3e0a99a0ee914p+0, -0x1.1ebd220ea593bp-3, -0x1.59e2c284b1192p-7, 0x1.8f702ec6b328bp-4,
  -0x1.d76830c35353cp-4, 0x1.6861060470beap-4, -0x1.8ff5ef76c6102p-5, 0x1.38ec6670737e7p-6,
  -0x1.143c4cac5057fp-8, -0x1.3cf3677c28a4dp-12, 0x1.27e66629d9cffp-11, -0x1.fda9475fc1bd6p-14,
  -0x1.66e2913c7b62fp-15, 0x1.970d6ce57b72cp-16, 0x1.3897afa70ce63p-19, -0x1.003b9aa513bb1p-18,
  -0x1.88d231bd6055cp-25, 0x1.46234352905c6p-21, -0x1.99329d7ffc0afp-28, -0x1.b5ef4aca70f54p-24,
  -0x1.e6ab688d45524p-31, 0x1.1df26172bd9bdp-26, 0x1.fb1c6ad8258p-32, -0x1.04da0441fb3c7p-29,
};

// (1 + 2x) e^(x^2 / 2) Phi(-x) in (x - 5.0) / (x + 5.0), x >= 0.69.
static const double phi_tail_f64[] = {
  0x1.b135a378924a6p-1, -0x1.44c9cd8f57979p-5, -0x1.ba6f247fb88acp-5, 0x1.9d3d58860d59p-4,
  -0x1.9c4af953d6a09p-4, 0x1.28e8fee3818e7p-4, -0x1.42359ad044e5p-5, 0x1.f96034e81b2fp-7,
  -0x1.d42635f9f7e5dp-9, -0x1.f1d63dadfc7fdp-14, 0x1.bdbec1975c9c2p-12, -0x1.c5ba11bd2b306p-14,
  -0x1.bb872faf74fe7p-16, 0x1.455466cc9d68cp-16, 0x1.1e8baf8fede24p-21, -0x1.800c39e8658a7p-19,
  0x1.81be869662677p-23, 0x1.d472aec74336p-22, -0x1.6d0cf1e4cb6e5p-25, -0x1.348781b88e10cp-24,
  0x1.97365505b802fp-28, 0x1.9141a26508be8p-27, -0x1.eee74b33f2a2p-32, -0x1.6b3a6cedec16dp-30,
};

// erf(x) / x - 1 in x^2, |x| <= 1.
static const double erf_near_f64[] = {
  0x1.06eba8214db69p-3, -0x1.812746b0379e6p-2, 0x1.ce2f21a042b3p-4, -0x1.b82ce31284ep-6,
  0x1.565bcd0dbaa38p-8, -0x1.c02db3dac435fp-11, 0x1.f9a321d5b8e1ep-14, -0x1.f4d1e3183f7aep-17,
  0x1.b9df224ca4b97p-20, -0x1.5f1ecb6f0764cp-23, 0x1.f7b4bf3b13964p-27, -0x1.389d4f2641625p-30,
  0x1.05ffd737fb32ep-34,
};

// (Phi(x) - 1/2) / x in x^2, |x| <= 0.7.
static const double phi_near_f64[] = {
  0x1.9884533d43651p-2, -0x1.1058377e2cec2p-4, 0x1.46d0429765e4ep-7, -0x1.37403f698455ap-10,
  0x1.e42b0bee9d5a3p-14, -0x1.3ce8b90a38d8ep-17, 0x1.657bd43b93102p-21, -0x1.60502c514d727p-25,
  0x1.182314842ed38p-29,
};

#endif
