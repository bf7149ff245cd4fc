//! Two tasks pull one point to two places, one a hundred times harder. Where does each method leave it?
//!
//! `cargo run -p polytask-balance --example two_tasks`

use polytask_balance::{BalanceError, LossFamily, Step, TaskInfo, build, direction};

/// `L_0 = |x - (1, 0)|^2` and `L_1 = 100 |x - (0, 1)|^2`, with their gradients.
fn losses(x: &[f64]) -> ([f64; 2], [Vec<f64>; 2]) {
    let to = |target: [f64; 2], scale: f64| {
        let away = [x[0] - target[0], x[1] - target[1]];
        let loss = scale * (away[0] * away[0] + away[1] * away[1]);
        (loss, vec![2.0 * scale * away[0], 2.0 * scale * away[1]])
    };
    let ((a, ga), (b, gb)) = (to([1.0, 0.0], 1.0), to([0.0, 1.0], 100.0));
    ([a, b], [ga, gb])
}

fn main() -> Result<(), BalanceError> {
    let tasks = ["near", "loud"].map(|name| TaskInfo::new(name, LossFamily::Regression));
    println!("{:16} {:>8} {:>8} {:>9} {:>9}", "method", "x", "y", "near", "loud");
    for name in ["equal", "geometric", "dwa", "famo", "mgda", "upgrad", "cagrad", "imtl_g", "nash", "dbmtl"] {
        let mut method = build(name, &serde_json::Map::new(), &tasks, 0)?;
        let mut x = [-1.0, -1.0];
        for index in 0..2000 {
            let (now, rows) = losses(&x);
            let step = Step { index, epoch: index / 100, tasks: &[0, 1], losses: &now };
            // `direction` also shows the method the losses afterwards.
            let d = direction(method.as_mut(), &step, &rows)?.direction;
            for (x, d) in x.iter_mut().zip(d) {
                *x -= 0.002 * d;
            }
            if method.wants_losses_after() {
                method.observe_after(&Step { losses: &losses(&x).0, ..step })?;
            }
            if index % 100 == 99 {
                method.end_epoch();
            }
        }
        let ([near, loud], _) = losses(&x);
        println!("{name:16} {:8.3} {:8.3} {near:9.4} {loud:9.4}", x[0], x[1]);
    }
    Ok(())
}
