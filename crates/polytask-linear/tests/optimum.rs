//! What is found is the minimum: certified by the duality gap, by random steps away from it, and by closed forms.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{EXACT, Noise, features, penalties, squared, sum};
use polytask_linear::*;

/// What a loss makes of a label.
type Relabel = (Loss, fn(f64) -> f64);
/// A penalty, and the ties it stands for.
type Ties<'a> = (Tied, &'a dyn Fn(usize, usize) -> f64);

const ROWS: usize = 40;
const WIDTH: usize = 6;

/// Correlated features, four tasks.
fn tasks(noise: &mut Noise) -> (Matrix, Vec<Task>) {
    let common = noise.matrix(ROWS, 1);
    let x = Matrix::from_fn(ROWS, WIDTH, |r, j| common.get(r, 0) + noise.normal() + j as f64);
    let truth = noise.matrix(WIDTH, 4);
    let tasks = squared(noise, &x, &truth, 0.5);
    (x, tasks)
}

/// A quarter of the labels of every task missing, each its own; the others weigh differently.
fn with_rows_of_their_own(noise: &mut Noise, tasks: &mut [Task]) {
    for task in tasks {
        task.weights.iter_mut().for_each(|w| *w = if noise.uniform() < 0.25 { 0.0 } else { 0.5 + noise.uniform() });
    }
}

/// The labels less their mean, in units of their deviation.
fn centred(task: &Task) -> Vec<f64> {
    let Labels::Real(values) = &task.labels else { return Vec::new() };
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let deviation = (values.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt();
    values.iter().map(|y| (y - mean) / deviation).collect()
}

/// Mean loss of all tasks, computed plainly.
fn plain_loss(x: &Matrix, tasks: &[Task], weights: &Matrix, intercepts: &[f64]) -> f64 {
    let mut start = 0;
    let mut all = 0.0;
    for task in tasks {
        let (mut sum, mut total) = (0.0, 0.0);
        for r in 0..x.rows() {
            let z = |k: usize| -> f64 {
                intercepts[start + k] + (0..x.columns()).map(|j| x.get(r, j) * weights.get(j, start + k)).sum::<f64>()
            };
            let y = match &task.labels {
                Labels::Real(values) => values[r * task.loss.labels()],
                Labels::Class(classes) => f64::from(classes[r]),
            };
            let loss = match task.loss {
                Loss::Squared => 0.5 * (z(0) - y).powi(2),
                Loss::Huber { delta } => {
                    let e = (z(0) - y).abs();
                    if e <= delta { 0.5 * e * e } else { delta * (e - 0.5 * delta) }
                }
                Loss::Logistic => (1.0 + z(0).exp()).ln() - y * z(0),
                Loss::Events { count } => {
                    let Labels::Real(values) = &task.labels else { return f64::NAN };
                    let known: Vec<usize> = (0..count).filter(|k| !values[r * count + k].is_nan()).collect();
                    let one = |k: &usize| (1.0 + z(*k).exp()).ln() - values[r * count + k] * z(*k);
                    if known.is_empty() { 0.0 } else { known.iter().map(one).sum::<f64>() / known.len() as f64 }
                }
                Loss::Softmax { classes } => (0..classes).map(|k| z(k).exp()).sum::<f64>().ln() - z(y as usize),
                Loss::Poisson => z(0).exp() - y * z(0) + if y > 0.0 { y * y.ln() - y } else { 0.0 },
            };
            sum += task.weights[r] * loss;
            total += task.weights[r];
        }
        all += sum / total;
        start += task.loss.outputs();
    }
    all
}

/// No random step away from a solution makes the objective smaller.
fn is_lowest(name: &str, x: &Matrix, tasks: &[Task], penalty: &dyn Penalty, strength: f64, found: &Solution) {
    let objective = |parts: &[Matrix], intercepts: &[f64]| {
        plain_loss(x, tasks, &sum(parts), intercepts) + strength * penalty.value(parts)
    };
    let least = objective(&found.parts, &found.intercepts);
    assert!((least - found.loss - found.penalty).abs() < 1e-9 * least.abs(), "{name}: {least} {found:?}");
    let mut noise = Noise(5);
    for size in [1e-5, 1e-3, 0.1] {
        for _ in 0..40 {
            let (mut parts, mut intercepts) = (found.parts.clone(), found.intercepts.clone());
            for part in &mut parts {
                part.add(size, &noise.matrix(x.columns(), found.weights.columns()));
            }
            intercepts.iter_mut().for_each(|b| *b += size * noise.normal());
            let other = objective(&parts, &intercepts);
            assert!(other >= least - 1e-11 * least.abs(), "{name}: {other} below {least}, {size} away");
        }
    }
}

#[test]
fn squared_losses_close_the_duality_gap() {
    for own_rows in [false, true] {
        let mut noise = Noise(1);
        let (x, mut tasks) = tasks(&mut noise);
        if own_rows {
            with_rows_of_their_own(&mut noise, &mut tasks);
        }
        let features = features(&x);
        let rows: Vec<u32> = (0..ROWS as u32).collect();
        let problem = Problem::new(&features, &tasks, &rows).unwrap();
        for (name, penalty) in penalties(problem.blocks()) {
            for strength in [0.02, 0.5] {
                let found = solve(&problem, penalty.as_ref(), strength, &EXACT, None);
                assert!(found.converged, "{name}");
                let gap = found.gap.unwrap();
                assert!(gap < 1e-10 * (found.loss + found.penalty), "{name} at {strength}: a gap of {gap}");
                is_lowest(name, &x, &tasks, penalty.as_ref(), strength, &found);
            }
        }
    }
}

#[test]
fn the_gap_stops_within_its_tolerance() {
    let mut noise = Noise(2);
    let (x, tasks) = tasks(&mut noise);
    let features = features(&x);
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    let problem = Problem::new(&features, &tasks, &rows).unwrap();
    for (name, penalty) in penalties(problem.blocks()) {
        let exact = solve(&problem, penalty.as_ref(), 0.1, &EXACT, None);
        let rough = solve(&problem, penalty.as_ref(), 0.1, &Options { tolerance: 1e-4, iterations: 10_000 }, None);
        assert!(rough.iterations < exact.iterations, "{name}");
        let above = rough.loss + rough.penalty - exact.loss - exact.penalty;
        assert!(above <= rough.gap.unwrap() + 1e-12, "{name}: {above} above, a gap of {:?}", rough.gap);
        // From the exact solution there is nothing left to do.
        let again = solve(&problem, penalty.as_ref(), 0.1, &Options::default(), Some(&exact));
        assert!(again.iterations <= 10, "{name}: {}", again.iterations);
    }
}

#[test]
fn other_losses_are_at_their_lowest() {
    let mut noise = Noise(3);
    let (x, mut tasks) = tasks(&mut noise);
    let kinds: [Relabel; 4] = [
        (Loss::Squared, |y| y),
        (Loss::Huber { delta: 0.3 }, |y| y),
        (Loss::Logistic, |y| f64::from(u8::from(y > 0.0))),
        (Loss::Poisson, |y| y.exp().floor()),
    ];
    for (task, (loss, of)) in tasks.iter_mut().zip(kinds) {
        let labels = Labels::Real(centred(task).into_iter().map(of).collect());
        *task = Task { loss, labels, weights: task.weights.clone() };
    }
    with_rows_of_their_own(&mut noise, &mut tasks);
    let features = features(&x);
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    let problem = Problem::new(&features, &tasks, &rows).unwrap();
    for (name, penalty) in penalties(problem.blocks()) {
        let found = solve(&problem, penalty.as_ref(), 0.05, &Options { tolerance: 1e-18, iterations: 20_000 }, None);
        assert!(found.converged && found.gap.is_none(), "{name}");
        is_lowest(name, &x, &tasks, penalty.as_ref(), 0.05, &found);
    }
}

#[test]
fn tasks_of_several_classes_are_at_their_lowest() {
    let mut noise = Noise(4);
    let (x, tasks) = tasks(&mut noise);
    let classes = |task: Task| {
        let class = |y: f64| u32::from(y > -0.5) + u32::from(y > 0.5);
        let labels = Labels::Class(centred(&task).into_iter().map(class).collect());
        Task { loss: Loss::Softmax { classes: 3 }, labels, weights: task.weights }
    };
    let mut tasks: Vec<Task> = tasks.into_iter().map(classes).collect();
    with_rows_of_their_own(&mut noise, &mut tasks);
    let features = features(&x);
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    let problem = Problem::new(&features, &tasks, &rows).unwrap();
    for (name, penalty) in penalties(problem.blocks()) {
        let found = solve(&problem, penalty.as_ref(), 0.03, &Options { tolerance: 1e-18, iterations: 20_000 }, None);
        assert!(found.converged, "{name}");
        is_lowest(name, &x, &tasks, penalty.as_ref(), 0.03, &found);
    }
}

/// Several events a row: as tasks of their own where all labels are there, and with some missing beside another kind of task.
#[test]
fn tasks_of_several_events_are_at_their_lowest() {
    let mut noise = Noise(8);
    let (x, tasks) = tasks(&mut noise);
    let count = 3;
    let event = |y: f64| f64::from(u8::from(y > 0.3));
    let all: Vec<Vec<f64>> = tasks[..count].iter().map(|task| centred(task).into_iter().map(event).collect()).collect();
    let mut labels: Vec<f64> = (0..ROWS).flat_map(|r| all.iter().map(move |own| own[r])).collect();
    let features = features(&x);
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    let exact = Options { tolerance: 1e-18, iterations: 20_000 };
    let fit = |tasks: &[Task], strength: f64| {
        let problem = Problem::new(&features, tasks, &rows).unwrap();
        solve(&problem, &Ridge, strength, &exact, None)
    };
    // The mean over three events is a third of the sum over three tasks.
    let weights = tasks[0].weights.clone();
    let events = |labels: &[f64], weights: &[f64]| Task {
        loss: Loss::Events { count },
        labels: Labels::Real(labels.to_vec()),
        weights: weights.to_vec(),
    };
    let alone =
        |own: &Vec<f64>| Task { loss: Loss::Logistic, labels: Labels::Real(own.clone()), weights: weights.clone() };
    let together = fit(&[events(&labels, &weights)], 0.02);
    let apart = fit(&all.iter().map(alone).collect::<Vec<_>>(), 0.06);
    for (a, b) in together.weights.values().iter().zip(apart.weights.values()) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
    assert_eq!(together.weights.columns(), count);

    let mut weights = weights.clone();
    for (r, weight) in weights.iter_mut().enumerate() {
        for k in (0..count).filter(|k| (r + k) % 4 == 0 || r % 7 == 0) {
            labels[r * count + k] = f64::NAN;
        }
        *weight = if r % 7 == 0 { 0.0 } else { 0.5 + noise.uniform() };
    }
    let class = |y: f64| u32::from(y > -0.5) + u32::from(y > 0.5);
    let classes = Labels::Class(centred(&tasks[3]).into_iter().map(class).collect());
    let classes = Task { loss: Loss::Softmax { classes: count }, labels: classes, weights: tasks[3].weights.clone() };
    let events = events(&labels, &weights);
    // Ties are between four tasks.
    let tasks = [events.clone(), classes.clone(), events, classes];
    let problem = Problem::new(&features, &tasks, &rows).unwrap();
    for (name, penalty) in penalties(problem.blocks()) {
        let found = solve(&problem, penalty.as_ref(), 0.03, &exact, None);
        assert!(found.converged, "{name}");
        is_lowest(name, &x, &tasks, penalty.as_ref(), 0.03, &found);
    }
    let wrong = |labels: Vec<f64>| {
        let tasks = [Task { labels: Labels::Real(labels), ..tasks[0].clone() }];
        Problem::new(&features, &tasks, &rows).unwrap_err().to_string()
    };
    let mut none = labels.clone();
    none[count..2 * count].fill(f64::NAN);
    assert!(wrong(none).contains("labels"), "a row that counts has a label");
    assert!(wrong(labels[1..].to_vec()).contains("120"), "{}", wrong(labels[1..].to_vec()));
}

/// The solution of `A x = b` (Gauss with pivots).
fn gauss(a: &Matrix, b: &[f64]) -> Vec<f64> {
    let n = b.len();
    let mut m = Matrix::from_fn(n, n + 1, |r, c| if c < n { a.get(r, c) } else { b[r] });
    for i in 0..n {
        let pivot = (i..n).max_by(|p, q| m.get(*p, i).abs().total_cmp(&m.get(*q, i).abs())).unwrap();
        let (top, low) = (m.row(i).to_vec(), m.row(pivot).to_vec());
        m.row_mut(i).copy_from_slice(&low);
        m.row_mut(pivot).copy_from_slice(&top);
        for r in (0..n).filter(|r| *r != i) {
            let factor = m.get(r, i) / m.get(i, i);
            let row = m.row(i).to_vec();
            m.row_mut(r).iter_mut().zip(row).for_each(|(v, p)| *v -= factor * p);
        }
    }
    (0..n).map(|i| m.get(i, n) / m.get(i, i)).collect()
}

/// Ties between tasks have the normal equations `(G_t + strength A) w = m`, one block a task.
#[test]
fn mean_and_graph_are_their_closed_forms() {
    let mut noise = Noise(6);
    let (x, mut tasks) = tasks(&mut noise);
    with_rows_of_their_own(&mut noise, &mut tasks);
    let features = features(&x);
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    let problem = Problem::new(&features, &tasks, &rows).unwrap();
    let (strength, ratio) = (0.3, 0.2);
    let of_mean = |s: usize, t: usize| if s == t { 1.0 + ratio - 0.25 } else { -0.25 };
    let laplacian = [[2.0, -2.0, 0.0, 0.0], [-2.0, 3.0, -1.0, 0.0], [0.0, -1.0, 1.0, 0.0], [0.0; 4]];
    let of_graph = |s: usize, t: usize| laplacian[s][t] + if s == t { ratio } else { 0.0 };
    let edges = [(0, 1, 2.0), (2, 1, 1.0)];
    let cases: [Ties; 2] =
        [(mean(ratio, &[1; 4]).unwrap(), &of_mean), (graph(&edges, ratio, &[1; 4]).unwrap(), &of_graph)];
    for (penalty, ties) in cases {
        let found = solve(&problem, &penalty, strength, &EXACT, None);
        let n = WIDTH * 4;
        let mut a =
            Matrix::from_fn(
                n,
                n,
                |p, q| if p % WIDTH == q % WIDTH { strength * ties(p / WIDTH, q / WIDTH) } else { 0.0 },
            );
        let mut b = vec![0.0; n];
        for (t, task) in tasks.iter().enumerate() {
            let Labels::Real(y) = &task.labels else { continue };
            let total: f64 = task.weights.iter().sum();
            let mean = |of: &dyn Fn(usize) -> f64| -> f64 { (0..ROWS).map(|r| task.weights[r] / total * of(r)).sum() };
            for i in 0..WIDTH {
                let centre = mean(&|r| x.get(r, i));
                b[t * WIDTH + i] = mean(&|r| (x.get(r, i) - centre) * y[r]);
                for j in 0..WIDTH {
                    *a.get_mut(t * WIDTH + i, t * WIDTH + j) += mean(&|r| (x.get(r, i) - centre) * x.get(r, j));
                }
            }
        }
        let exact = gauss(&a, &b);
        for (p, exact) in exact.iter().enumerate() {
            let got = found.weights.get(p % WIDTH, p / WIDTH);
            assert!((got - exact).abs() < 1e-8, "task {}, feature {}: {got}, exactly {exact}", p / WIDTH, p % WIDTH);
        }
    }
}

#[test]
fn more_features_than_rows_and_one_hot_features_are_the_same_problem() {
    let mut noise = Noise(7);
    // 300 features, 20 rows: row by row. The same with 20 features by the Gramian is scaled to agree.
    let x = noise.matrix(20, 300);
    let truth = Matrix::from_fn(300, 4, |j, t| if j < 3 { 1.0 + t as f64 } else { 0.0 });
    let tasks = squared(&mut noise, &x, &truth, 0.1);
    let wide = features(&x);
    let rows: Vec<u32> = (0..20).collect();
    let problem = Problem::new(&wide, &tasks, &rows).unwrap();
    for (name, penalty) in penalties(problem.blocks()) {
        let found = solve(&problem, penalty.as_ref(), 0.3, &EXACT, None);
        assert!(found.gap.unwrap() < 1e-9, "{name}: {:?}", found.gap);
    }
    // A category of three levels, one of them missing now and then, beside a number.
    let codes: Vec<u32> = (0..60).map(|r| [0, 1, 2, u32::MAX][(r * 7 + r / 5) % 4]).collect();
    let numbers = noise.matrix(60, 1);
    let dense = Matrix::from_fn(60, 4, |r, j| match j {
        0 => numbers.get(r, 0),
        _ => f64::from(u8::from(codes[r] == j as u32 - 1)),
    });
    let tasks = squared(&mut noise, &dense, &Matrix::from_fn(4, 4, |j, t| (j + t) as f64), 0.2);
    let rows: Vec<u32> = (0..60).collect();
    let sparse = Features::new(60, numbers.values().to_vec(), codes, vec![3]).unwrap();
    let dense = features(&dense);
    let [one, other] = [&sparse, &dense].map(|features| {
        solve(&Problem::new(features, &tasks, &rows).unwrap(), &L21::new(0.9).unwrap(), 0.05, &EXACT, None)
    });
    let differences = one.weights.values().iter().zip(other.weights.values()).map(|(a, b)| (a - b).abs());
    assert!(differences.fold(0.0, f64::max) < 1e-12);
}
