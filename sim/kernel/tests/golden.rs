//! The hashes of every stream of draws. A change here changes every run of every scenario: it needs a reason, a line in
//! the CHANGELOG, and new golden fingerprints.

use kernel::distribution::golden;

const HASHES: &[(&str, u64)] = &[
    ("keyed mix", 0xeef6_53fc_0a33_dc26),
    ("chacha8 stream", 0x6303_7109_50a1_99b5),
    ("keys", 0x80c5_83b0_b23b_9f5e),
    ("constant(5ms)", 0x3377_8066_d8a5_6559),
    ("uniform(2ms, 6ms)", 0x2edd_9055_5113_eb11),
    ("exp(5ms)", 0x5ddd_8c64_d005_cdd1),
    ("normal(10, 30)", 0x2141_f604_73d6_13e4),
    ("normal(10ms, 8ms) cut at 0", 0xeb89_cf15_4fa4_515a),
    ("lognormal(mean=5ms, cv=0.8)", 0x0dca_6894_a854_1e12),
    ("lognormal(p50=2ms, p99=9ms)", 0x92ba_c11f_b714_37e5),
    ("pareto(min=1ms, alpha=5)", 0xa7ad_5a9a_0f9a_7a8d),
    ("pareto(min=1ms, alpha=1.2)", 0xa6f8_8fca_1c9a_6ac8),
    ("pareto(min=1ms, alpha=1.1, max=1s)", 0x925d_445c_6b86_df8b),
    ("pareto(min=1ms, alpha=1, max=20ms)", 0xa1a4_20da_2e48_7e22),
    ("weibull(scale=5ms, shape=0.7)", 0x2d9c_82a2_b209_7ce8),
    ("weibull(scale=5ms, shape=3)", 0x774a_f99e_1d16_02b9),
    ("erlang(k=4, mean=8ms)", 0x39ff_72c7_716a_6ec3),
    ("erlang(k=40, mean=8ms)", 0xa80e_6208_494c_4d98),
    ("gamma(mean=5ms, cv=0.5)", 0x1155_35f9_250d_ed9f),
    ("gamma(mean=5ms, cv=1.6)", 0xd319_771d_d050_e532),
    ("hyperexp(mean=5ms, cv=1)", 0xc359_fd63_e587_1b74),
    ("hyperexp(mean=5ms, cv=3)", 0x4345_8b8d_e890_62f3),
    ("mix(99%: exp(2ms), 1%: uniform(50ms, 90ms))", 0xcd3e_a961_6719_bf4f),
    ("mix(3: 1ms, 1: exp(2ms))", 0xd084_75f1_bf66_25f8),
    ("1ms + exp(2ms)", 0x2bb2_7389_8a2a_fda6),
    ("1ms + exp(2ms) + normal + uniform", 0xa5cd_26ed_2c05_4501),
    ("empirical of 1000 values", 0xeaf3_2552_5835_bf90),
    ("int(-3, 12)", 0x1358_d64b_2496_2ef1),
    ("zipf(1000, 0)", 0x8f38_5e37_ff12_e489),
    ("zipf(1000, 0.6)", 0x6707_9721_18f6_9752),
    ("zipf(1000, 1)", 0x2595_1436_2736_305a),
    ("zipf(1000000, 1.2)", 0x2995_24ac_a40e_9949),
    ("zipf(50, 2.5)", 0xd0f4_b417_e6a9_e8f6),
    ("hotspot(1000, hot=5, share=90%)", 0x05d6_ce44_3528_5fcb),
    ("geometric(4)", 0x22fc_0038_d8f3_d38b),
    ("poisson(3)", 0x1144_19fc_94bd_a97c),
    ("poisson(250)", 0x5056_1f09_5313_35c4),
    ("chance(0.2)", 0x129f_031f_e44b_1f75),
    ("choice(98, 0, 2)", 0xa869_4c21_e147_346e),
];

#[test]
fn every_stream_has_its_golden_hash() {
    for (found, wanted) in golden().into_iter().zip(HASHES) {
        assert_eq!(found, *wanted, "{} is now {:016x}", found.0, found.1);
    }
    assert_eq!(golden().len(), HASHES.len(), "a stream without its hash");
}
