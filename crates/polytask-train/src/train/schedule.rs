//! The learning rate over the steps of a run.

use polytask_model::config::{Schedule, TrainConfig};

/// Learning rate of the step with this number, counted from 0. `total` is the length of the run and `epoch_steps` that
/// of an epoch, in steps.
///
/// The schedule's rate is multiplied by `(step + 1) / warmup` during warm-up, so that no step is lost on a rate of 0.
pub(super) fn rate(config: &TrainConfig, step: u64, total: u64, epoch_steps: u64) -> f64 {
    let base = config.learning_rate;
    let scheduled = match config.schedule {
        Schedule::Constant => base,
        // 0.5 (1 + cos(pi t / T)) (Loshchilov and Hutter 2017)
        Schedule::Cosine => base * 0.5 * (1.0 + (std::f64::consts::PI * step as f64 / total.max(1) as f64).cos()),
        // 0.5 (1 - cos(2 pi log2(1 + (2^n - 1) t / T)))
        Schedule::Cycles { count } => {
            let through = (step as f64 + 1.0) / (total as f64 + 1.0);
            let cycle = (1.0 + (f64::from(count).exp2() - 1.0) * through).log2();
            base * 0.5 * (1.0 - (std::f64::consts::TAU * cycle).cos())
        }
        Schedule::Step { every, factor } => {
            let times = step / epoch_steps.max(1) / every.max(1);
            base * factor.powf(times as f64)
        }
    };
    match config.warmup {
        0 => scheduled,
        warmup => scheduled * ((step + 1) as f64 / warmup as f64).min(1.0),
    }
}

/// The temperature of a step at which choices that are learnt by drawing are differentiated: it falls by a factor of ten,
/// from soft to sharp.
pub(super) fn temperature(step: u64, steps: u64) -> f32 {
    5.0 * 0.1f32.powf(step as f32 / steps.max(1) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules() {
        let mut config = TrainConfig { learning_rate: 0.1, ..TrainConfig::default() };
        assert_eq!(rate(&config, 77, 100, 10), 0.1);
        config.schedule = Schedule::Cosine;
        assert_eq!(rate(&config, 0, 100, 10), 0.1);
        assert!((rate(&config, 50, 100, 10) - 0.05).abs() < 1e-15);
        assert!(rate(&config, 99, 100, 10) < 1e-4);
        config.schedule = Schedule::Cycles { count: 2 };
        let cycles = [0, 33, 66, 99, 149].map(|s| rate(&config, s, 150, 10));
        assert!(
            cycles[0] > 0.0 && cycles[0] < 1e-3 && cycles[1] > 0.05 && cycles[3] > 0.09 && cycles[4] < 1e-3,
            "{cycles:?}"
        );
        config.schedule = Schedule::Step { every: 2, factor: 0.5 };
        assert_eq!([0, 19, 20, 40].map(|s| rate(&config, s, 100, 10)), [0.1, 0.1, 0.05, 0.025]);
        config.schedule = Schedule::Constant;
        config.warmup = 4;
        assert_eq!([0, 1, 3, 4].map(|s| rate(&config, s, 100, 10)), [0.025, 0.05, 0.1, 0.1]);
    }
}
