//! `polytask --version`: the version and what it was built of; `-V` says the version alone.

/// The version, then a line each for what is known of the build and of the processor.
pub fn long() -> String {
    let known = [
        ("commit", option_env!("POLYTASK_COMMIT")),
        ("target", option_env!("POLYTASK_TARGET")),
        ("profile", option_env!("POLYTASK_PROFILE")),
        ("rustc", option_env!("POLYTASK_RUSTC").map(|text| text.trim_start_matches("rustc "))),
        ("vectors", Some(vectors())),
    ];
    let lines = known.iter().filter_map(|(name, value)| Some(format!("\n{name}: {}", (*value)?)));
    env!("CARGO_PKG_VERSION").to_owned() + &lines.collect::<String>()
}

/// The vector instructions that this machine has of those there are kernels for.
fn vectors() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        if has!("avx512f") && has!("avx512bw") && has!("avx512cd") && has!("avx512dq") && has!("avx512vl") {
            return "AVX-512";
        }
        if has!("avx2") && has!("fma") {
            return "AVX2 and FMA";
        }
        "SSE2"
    }
    #[cfg(target_arch = "aarch64")]
    {
        "NEON"
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        "none"
    }
}
