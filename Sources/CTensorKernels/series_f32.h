// The constants and polynomials of the functions of floats.
#ifndef TK_SERIES_F32_H
#define TK_SERIES_F32_H

enum {
  mantissa_f32 = 23, bias_f32 = 127, exp_max_f32 = 89, exp_min_f32 = -105, expm1_min_f32 = -20,
  expm1_cap_f32 = 32, subnormal_shift_f32 = 25, tanh_max_f32 = 12, silu_max_f32 = 120,
  gaussian_max_f32 = 12, normal_max_f32 = 16, erfc_max_f32 = 12, erf_max_f32 = 4,
};

static const float log2_e_f32 = 0x1.715476p+0f;
static const float ln2_high_f32 = 0x1.62ep-1f;
static const float ln2_low_f32 = 0x1.0bfbe8p-15f;
static const float least_normal_f32 = 0x1p-126f;
static const float subnormal_scale_f32 = 0x1p25f;
// x + rounder rounds x to an integer held, in two's complement, in the low bits of the sum.
static const float rounder_f32 = 0x1.8p23f;
static const float inverse_root_2_pi_f32 = 0x1.988454p-2f;
// The polynomials of the tails are in (x - center) / (x + center).
static const float erfc_center_f32 = 2.5f;
static const float phi_center_f32 = 3.5f;

// (e^r - 1 - r) / r^2 on |r| <= ln(2) / 2.
static const float exp_series_f32[] = {
  0x1.0p-1f, 0x1.5554dcp-3f, 0x1.55551ap-5f, 0x1.120b9p-7f, 0x1.6d112cp-10f,
};

// (2 atanh(s) / s - 2) / s^2 in s^2.
static const float log_series_f32[] = {
  0x1.555556p-1f, 0x1.9999ecp-2f, 0x1.245c42p-2f, 0x1.ddcf56p-3f,
};

// The same for s <= 1/3.
static const float softplus_series_f32[] = {
  0x1.555556p-1f, 0x1.9998d4p-2f, 0x1.24c926p-2f, 0x1.bc8cf8p-3f, 0x1.dba26p-3f,
};

// (1 + 2x) e^(x^2) erfc(x) in (x - 2.5) / (x + 2.5), x >= 1/2.
static const float erfc_tail_f32[] = {
  0x1.43cc7p+0f, -0x1.f52c62p-4f, -0x1.959abep-4f, 0x1.42d3d8p-3f, -0x1.a5c11ep-4f, 0x1.0c4d66p-5f,
  0x1.e9f93ap-11f, -0x1.1bf9e2p-8f, 0x1.f9b676p-12f, 0x1.0db206p-11f, -0x1.35c2dap-14f,
};

// (1 + 2x) e^(x^2 / 2) Phi(-x) in (x - 3.5) / (x + 3.5), x >= 0.69.
static const float phi_tail_f32[] = {
  0x1.b396fap-1f, -0x1.0f7f4ep-7f, -0x1.fd0e9ep-4f, 0x1.1a14b2p-3f, -0x1.45f4a6p-4f, 0x1.6dabbp-6f,
  0x1.f67452p-10f, -0x1.a57b9cp-9f, 0x1.1834e4p-13f, 0x1.aafa9ep-12f,
};

// erf(x) / x - 1 in x^2, |x| <= 1.
static const float erf_near_f32[] = {
  0x1.06eba8p-3f, -0x1.81273ep-2f, 0x1.ce2d1p-4f, -0x1.b7fabap-6f, 0x1.54127p-8f, -0x1.a45088p-11f,
  0x1.4a569p-14f,
};

// (Phi(x) - 1/2) / x in x^2, |x| <= 0.7.
static const float phi_near_f32[] = {
  0x1.988454p-2f, -0x1.10582ap-4f, 0x1.46c98cp-7f, -0x1.360aeap-10f, 0x1.b6421ap-14f,
};

#endif
