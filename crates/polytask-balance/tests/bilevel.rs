//! Methods that try out steps, on models small enough to know the answers: quadratic losses
//! `L_i(x) = 0.5 (x - c_i)^T D_i (x - c_i)` with diagonal `D_i`, whose gradients and Hessians are plain.

#![allow(clippy::unwrap_used, clippy::panic)] // Helpers of tests, which clippy does not see as such.

mod common;

use common::{Dice, inner, keys, make, norm, refused, tasks};
use polytask_balance::{
    BalanceError, Balancer, Batch, Family, HeldOut, METHODS, Needs, Oracle, Step, Weights, build, direction,
};

/// One loss.
#[derive(Clone)]
struct Bowl {
    centre: Vec<f64>,
    curve: Vec<f64>,
}

impl Bowl {
    fn loss(&self, x: &[f64]) -> f64 {
        self.slope(x).iter().zip(x).zip(&self.centre).map(|((g, x), c)| 0.5 * g * (x - c)).sum()
    }

    fn slope(&self, x: &[f64]) -> Vec<f64> {
        x.iter().zip(&self.centre).zip(&self.curve).map(|((x, c), d)| d * (x - c)).collect()
    }
}

/// All tasks' losses on both batches, at a point.
#[derive(Clone)]
struct Toy {
    at: Vec<f32>,
    rate: f64,
    drift: Vec<f32>,
    bowls: [Vec<Bowl>; 2],
    /// Tasks present.
    present: Vec<usize>,
    /// Questions asked: losses, gradients, Jacobians.
    asked: [usize; 3],
}

fn wide(at: &[f32]) -> Vec<f64> {
    at.iter().map(|v| f64::from(*v)).collect()
}

impl Toy {
    fn random(seed: u64, tasks: usize, width: usize) -> Self {
        let mut dice = Dice(seed);
        let mut bowls = || {
            let mut bowl = || Bowl {
                centre: (0..width).map(|_| dice.normal()).collect(),
                curve: (0..width).map(|_| 0.2 + dice.uniform()).collect(),
            };
            (0..tasks).map(|_| bowl()).collect::<Vec<_>>()
        };
        let bowls = [bowls(), bowls()];
        let at = (0..width).map(|k| 0.3 * k as f32 - 1.0).collect();
        Toy { at, rate: 0.1, drift: vec![0.0; width], bowls, present: (0..tasks).collect(), asked: [0; 3] }
    }

    fn of(&self, batch: Batch) -> Vec<&Bowl> {
        let bowls = &self.bowls[usize::from(batch == Batch::Outer)];
        self.present.iter().map(|&task| &bowls[task]).collect()
    }

    /// Moves against a gradient.
    fn go(&mut self, along: &[f64], rate: f64) {
        self.at.iter_mut().zip(along).for_each(|(x, d)| *x -= (rate * d) as f32);
    }
}

impl Oracle for Toy {
    fn parameters(&self) -> &[f32] {
        &self.at
    }

    fn rate(&self) -> f64 {
        self.rate
    }

    fn drift(&self, into: &mut [f32]) {
        into.copy_from_slice(&self.drift);
    }

    fn losses(&mut self, batch: Batch, at: &[f32]) -> Vec<f64> {
        self.asked[0] += 1;
        self.of(batch).iter().map(|bowl| bowl.loss(&wide(at))).collect()
    }

    fn gradient(&mut self, batch: Batch, at: &[f32], weights: &[f64], into: &mut [f32]) -> Vec<f64> {
        self.asked[1] += 1;
        let sum = blend(&self.of(batch), weights, &wide(at));
        into.iter_mut().zip(sum).for_each(|(i, s)| *i = s as f32);
        self.of(batch).iter().map(|bowl| bowl.loss(&wide(at))).collect()
    }

    fn gradients(&mut self, batch: Batch, at: &[f32], into: &mut [Vec<f32>]) -> Vec<f64> {
        self.asked[2] += 1;
        for (row, bowl) in into.iter_mut().zip(self.of(batch)) {
            row.iter_mut().zip(bowl.slope(&wide(at))).for_each(|(i, s)| *i = s as f32);
        }
        self.of(batch).iter().map(|bowl| bowl.loss(&wide(at))).collect()
    }
}

fn blend(bowls: &[&Bowl], weights: &[f64], x: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; x.len()];
    for (bowl, weight) in bowls.iter().zip(weights) {
        sum.iter_mut().zip(bowl.slope(x)).for_each(|(s, g)| *s += weight * g);
    }
    sum
}

fn at_step(index: u64, present: &[usize]) -> Step<'_> {
    Step { index, epoch: index / 4, tasks: present, losses: &[] }
}

/// Explores, and gives the weights of the step and the direction if the method made one.
fn explore(method: &mut dyn Balancer, index: u64, toy: &mut Toy) -> (Weights, Option<Vec<f64>>) {
    let present = toy.present.clone();
    let step = at_step(index, &present);
    let mut out = vec![f32::NAN; toy.at.len()];
    match method.explore(&step, toy, &mut out).unwrap() {
        Some(weights) => (weights, Some(wide(&out))),
        None => (method.weights(&step, None).unwrap(), None),
    }
}

fn bilevel() -> impl Iterator<Item = &'static str> {
    METHODS.iter().filter(|m| m.family == Family::Bilevel).map(|m| m.name)
}

/// Adam as Kingma and Ba write it, for many scalars.
struct Adam {
    m: Vec<f64>,
    v: Vec<f64>,
    t: i32,
}

impl Adam {
    fn new(count: usize) -> Self {
        Adam { m: vec![0.0; count], v: vec![0.0; count], t: 0 }
    }

    fn step(&mut self, values: &mut [f64], gradient: &[f64], rate: f64) {
        self.t += 1;
        for (i, g) in gradient.iter().enumerate() {
            self.m[i] = 0.9 * self.m[i] + 0.1 * g;
            self.v[i] = 0.999 * self.v[i] + 0.001 * g * g;
            let (m, v) = (self.m[i] / (1.0 - 0.9f64.powi(self.t)), self.v[i] / (1.0 - 0.999f64.powi(self.t)));
            values[i] -= rate * m / (v.sqrt() + 1e-8);
        }
    }
}

#[track_caller]
fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= tolerance, "{found:?} is not {expected:?}");
    }
}

/// `d V / d lambda_i = -a <grad L_i(theta), grad V(theta')>`, which for quadratic losses the finite difference gives
/// exactly. Adam weighs each step's gradient by those before it, so that a trajectory shows their sizes, not only signs.
#[test]
fn auto_lambda_follows_the_analytic_hypergradient() {
    for (text, judges) in [("", [1.0, 1.0, 1.0]), (r#""primary": ["t2", "t0"], "#, [1.0, 0.0, 1.0])] {
        let mut method = make("auto_lambda", &format!(r#"{{{text}"initial": 0.5, "rate": 0.01}}"#), 3);
        let mut toy = Toy::random(3, 3, 5);
        toy.drift = vec![0.5, -1.0, 0.0, 0.25, 2.0];
        let (mut lambda, mut adam) = (vec![0.5; 3], Adam::new(3));
        for index in 0..30 {
            toy.rate = 0.1 / (1.0 + index as f64);
            let x = wide(&toy.at);
            let slope = blend(&toy.of(Batch::Inner), &lambda, &x);
            let ahead: Vec<f64> = (0..5).map(|k| x[k] - toy.rate * (slope[k] + f64::from(toy.drift[k]))).collect();
            let v = blend(&toy.of(Batch::Outer), &judges, &ahead);
            let hyper: Vec<f64> = toy.of(Batch::Inner).iter().map(|l| -toy.rate * inner(&l.slope(&x), &v)).collect();
            adam.step(&mut lambda, &hyper, 0.01);
            toy.asked = [0; 3];
            let (weights, direction) = explore(method.as_mut(), index, &mut toy);
            assert_close(&weights.shared, &lambda, 2e-6);
            assert_eq!(weights.heads, weights.shared);
            assert!(direction.is_none());
            assert_eq!(toy.asked, [2, 2, 0], "two backward passes and two forward passes");
            toy.go(&blend_of(&toy, &lambda), 0.05);
        }
        assert!(lambda.iter().any(|l| (l - 0.5).abs() > 0.1), "they have moved: {lambda:?}");
    }
}

/// One task to get better at, one that pulls the same way, one that pulls against it.
#[test]
fn auto_lambda_keeps_what_helps_and_drops_what_harms() {
    let mut method = make("auto_lambda", r#"{"primary": ["t0"], "rate": 0.01}"#, 3);
    let mut toy = Toy::random(5, 3, 4);
    let bowl = |size: f64| Bowl { centre: vec![size; 4], curve: vec![1.0; 4] };
    toy.bowls = [vec![bowl(2.0), bowl(2.5), bowl(-3.0)], vec![bowl(2.1), bowl(0.0), bowl(0.0)]];
    let mut weights = Vec::new();
    for index in 0..100 {
        weights = explore(method.as_mut(), index, &mut toy).0.shared;
        toy.go(&blend_of(&toy, &weights), toy.rate);
        if index == 20 {
            assert!(weights[1] > 0.25 && weights[2] == 0.0, "{weights:?}");
        }
    }
    assert!(weights.iter().all(|w| *w >= 0.0), "no loss is driven up: {weights:?}");
    let primary = toy.bowls[1][0].loss(&wide(&toy.at));
    assert!(primary < 0.1, "the primary task is learnt: {primary}");
    // With the third as the primary one it is the other way round.
    let mut other = make("auto_lambda", r#"{"primary": ["t2"], "rate": 0.01}"#, 3);
    let mut toy = Toy::random(5, 3, 4);
    toy.bowls = [vec![bowl(2.0), bowl(2.5), bowl(-3.0)], vec![bowl(2.0), bowl(2.5), bowl(-3.0)]];
    let weights = (0..21).map(|index| explore(other.as_mut(), index, &mut toy).0.shared).last().unwrap();
    assert!(weights[0] == 0.0 && weights[1] == 0.0 && weights[2] > 0.25, "{weights:?}");
}

#[test]
fn auto_lambda_needs_a_primary_task_to_go_by() {
    let mut method = make("auto_lambda", r#"{"primary": ["t1"]}"#, 3);
    let mut toy = Toy::random(7, 3, 4);
    toy.present = vec![0, 2];
    let before = method.state();
    explore(method.as_mut(), 0, &mut toy);
    assert_eq!((method.state(), toy.asked), (before.clone(), [0; 3]));
    toy.present = vec![1, 2];
    explore(method.as_mut(), 1, &mut toy);
    assert_ne!(method.state(), before);
}

/// The derivative of outer losses after K steps by the shares, through the closed form of the steps: with
/// `w_{k+1} = w_k - eta sum_i p_i D_i (w_k - c_i)`, `dw_{k+1}/dp_i = (1 - eta H) dw_k/dp_i - eta D_i (w_k - c_i)`.
fn hypergradients(toy: &Toy, p: &[f64], eta: f64, steps: usize) -> Vec<Vec<f64>> {
    let bowls = toy.of(Batch::Inner);
    let mut x = wide(&toy.at);
    let mut dx = vec![vec![0.0; x.len()]; p.len()];
    for _ in 0..steps {
        for (d, bowl) in dx.iter_mut().zip(&bowls) {
            for (k, d) in d.iter_mut().enumerate() {
                let h: f64 = bowls.iter().zip(p).map(|(b, p)| p * b.curve[k]).sum();
                *d = (1.0 - eta * h) * *d - eta * bowl.curve[k] * (x[k] - bowl.centre[k]);
            }
        }
        let slope = blend(&bowls, p, &x);
        x.iter_mut().zip(slope).for_each(|(x, s)| *x -= eta * s);
    }
    toy.of(Batch::Outer).iter().map(|v| dx.iter().map(|d| inner(&v.slope(&x), d)).collect()).collect()
}

/// `(d softmax / dz)^T g`, by the matrix.
fn through(p: &[f64], g: &[f64]) -> Vec<f64> {
    let one = |k: usize| (0..p.len()).map(|i| g[i] * p[i] * (f64::from(u8::from(i == k)) - p[k])).sum();
    (0..p.len()).map(one).collect()
}

fn softmax(z: &[f64]) -> Vec<f64> {
    let sum: f64 = z.iter().map(|z| z.exp()).sum();
    z.iter().map(|z| z.exp() / sum).collect()
}

#[test]
fn moml_follows_the_analytic_hypergradients() {
    for steps in [1, 2, 4] {
        let text = format!(r#"{{"inner_rate": 0.2, "inner_steps": {steps}, "outer_rate": 0.05}}"#);
        let mut method = make("moml", &text, 2);
        let mut toy = Toy::random(11, 2, 6);
        let (mut z, mut adam) = (vec![0.0; 2], Adam::new(2));
        for index in 0..25 {
            let p = softmax(&z);
            let unit = |h: Vec<f64>| {
                let h = through(&p, &h);
                h.iter().map(|v| v / norm(&h)).collect::<Vec<f64>>()
            };
            let units: Vec<Vec<f64>> = hypergradients(&toy, &p, 0.2, steps).into_iter().map(unit).collect();
            // By two logits that sum to nothing the two are the same or opposed: one is followed, or neither.
            let agree = inner(&units[0], &units[1]) > 0.0;
            let d = if agree { units[0].clone() } else { vec![0.0; 2] };
            adam.step(&mut z, &d, 0.05);
            toy.asked = [0; 3];
            let (weights, direction) = explore(method.as_mut(), index, &mut toy);
            assert_close(&weights.shared, &softmax(&z), 1e-5);
            assert!(direction.is_none() && weights.heads == weights.shared);
            assert_eq!(toy.asked, [0, 4 * (steps - 1), 1 + steps]);
            toy.go(&blend_of(&toy, &p), 0.02);
        }
        assert!(z[0].abs() > 0.1, "they have moved: {z:?}");
    }
}

/// With more tasks the logits follow the shortest blend of the unit hypergradients, which makes no task's outer loss rise.
#[test]
fn moml_follows_the_shortest_blend() {
    let mut method = make("moml", r#"{"outer_rate": 0.02}"#, 4);
    let mut toy = Toy::random(13, 4, 6);
    let (mut z, mut adam, mut lengths) = (vec![0.0; 4], Adam::new(4), 0.0);
    for index in 0..15 {
        let p = softmax(&z);
        let hypers: Vec<Vec<f64>> = hypergradients(&toy, &p, 0.1, 1).iter().map(|h| through(&p, h)).collect();
        let blend = shortest(&hypers);
        lengths += norm(&blend);
        adam.step(&mut z, &blend, 0.02);
        assert_close(&explore(method.as_mut(), index, &mut toy).0.shared, &softmax(&z), 2e-4);
        toy.go(&blend_of(&toy, &p), 0.1);
    }
    assert!(lengths > 1.0 && z.iter().any(|z| z.abs() > 0.1), "{lengths} {z:?}");
}

fn blend_of(toy: &Toy, weights: &[f64]) -> Vec<f64> {
    blend(&toy.of(Batch::Inner), weights, &wide(&toy.at))
}

/// The shortest blend of unit vectors, by Frank-Wolfe with exact line search.
fn shortest(rows: &[Vec<f64>]) -> Vec<f64> {
    let units: Vec<Vec<f64>> = rows.iter().map(|h| h.iter().map(|v| v / norm(h)).collect()).collect();
    let mut d = units[0].clone();
    for _ in 0..100_000 {
        let best = units.iter().min_by(|a, b| inner(a, &d).total_cmp(&inner(b, &d))).unwrap();
        let gap: Vec<f64> = d.iter().zip(best).map(|(d, b)| d - b).collect();
        let square = inner(&gap, &gap);
        if square < 1e-30 {
            break;
        }
        let share = (inner(&gap, &d) / square).clamp(0.0, 1.0);
        d.iter_mut().zip(gap).for_each(|(d, g)| *d -= share * g);
    }
    d
}

/// The whole direction of one step, with the program over two shares solved on a fine grid.
#[test]
fn forum_gives_the_direction_of_its_program() {
    let (rho, eta, steps) = (0.3, 0.2, 3);
    let text = format!(r#"{{"rho": {rho}, "inner_rate": {eta}, "inner_steps": {steps}, "outer_rate": 0.02}}"#);
    let mut method = make("forum", &text, 2);
    let mut toy = Toy::random(17, 2, 5);
    let (mut z, mut adam, mut kept) = (vec![0.0; 2], Adam::new(2), 0.0);
    let mut held = 0;
    for index in 0..24 {
        let (p, x) = (softmax(&z), wide(&toy.at));
        let bowls = toy.of(Batch::Inner);
        let mut best = x.clone();
        for _ in 0..steps {
            let slope = blend(&bowls, &p, &best);
            best.iter_mut().zip(slope).for_each(|(x, s)| *x -= eta * s);
        }
        let gained: Vec<f64> = bowls.iter().map(|b| b.loss(&x) - b.loss(&best)).collect();
        let (q_z, q_w) = (through(&p, &gained), blend(&bowls, &p, &x));
        let square = inner(&q_z, &q_z) + inner(&q_w, &q_w);
        let slopes: Vec<Vec<f64>> = toy.of(Batch::Outer).iter().map(|v| v.slope(&x)).collect();
        let lengths: Vec<f64> = slopes.iter().map(|s| norm(s)).collect();
        let sum = |l: f64| -> Vec<f64> {
            (0..5).map(|k| l * slopes[0][k] / lengths[0] + (1.0 - l) * slopes[1][k] / lengths[1]).collect()
        };
        let nu = |l: f64| (rho - inner(&sum(l), &q_w) / square).max(0.0);
        let value = |l: f64| {
            let (f, nu) = (sum(l), nu(l));
            let both: Vec<f64> = f.iter().zip(&q_w).map(|(f, q)| f + nu * q).collect();
            inner(&both, &both) + nu * nu * inner(&q_z, &q_z) - nu * rho * square
        };
        let grid = (0..=20_000).map(|i| f64::from(i) / 20_000.0);
        let newest = grid.min_by(|a, b| value(*a).total_cmp(&value(*b))).unwrap();
        let epoch = (index / 4) as f64;
        kept = if index == 0 { 0.5 } else { kept };
        kept += (epoch + 1.0).powf(-0.75) * (newest - kept);
        let hold = nu(kept);
        held += u32::from(hold > 0.0);
        let expected: Vec<f64> = sum(kept).iter().zip(&q_w).map(|(f, q)| f + hold * q).collect();
        let factors = [kept / lengths[0] + hold * p[0], (1.0 - kept) / lengths[1] + hold * p[1]];
        adam.step(&mut z, &q_z.iter().map(|q| hold * q).collect::<Vec<_>>(), 0.02);

        toy.asked = [0; 3];
        let (weights, direction) = explore(method.as_mut(), index, &mut toy);
        let direction = direction.unwrap();
        assert_close(&direction, &expected, 3e-4);
        assert_close(&weights.shared, &factors, 3e-4);
        assert_eq!(toy.asked, [1, steps, 1]);
        let present = [0, 1];
        assert_close(&method.weights(&at_step(index, &present), None).unwrap().shared, &softmax(&z), 1e-5);
        toy.go(&direction, 0.05);
    }
    assert!(held > 0 && z[0].abs() > 0.01, "the constraint has held {held} times: {z:?}");
}

fn bits(found: &(Weights, Option<Vec<f64>>)) -> Vec<u64> {
    let direction = found.1.iter().flatten();
    found.0.shared.iter().chain(&found.0.heads).chain(direction).map(|v| v.to_bits()).collect()
}

/// Steps with all tasks and with some.
fn run(method: &mut dyn Balancer, steps: std::ops::Range<u64>) -> Vec<Vec<u64>> {
    let one = |index: u64| {
        let mut toy = Toy::random(100 + index, 4, 7);
        if index % 4 == 3 {
            toy.present = vec![1, 2];
        }
        bits(&explore(method, index, &mut toy))
    };
    steps.map(one).collect()
}

#[test]
fn state_comes_back_bit_for_bit() {
    for name in bilevel() {
        let mut whole = make(name, "{}", 4);
        let fresh = whole.state();
        let first = run(whole.as_mut(), 0..20);
        let saved = serde_json::to_string(&whole.state()).unwrap();
        let expected = run(whole.as_mut(), 20..40);
        let mut resumed = make(name, "{}", 4);
        resumed.restore(&serde_json::from_str(&saved).unwrap()).unwrap();
        assert_eq!(run(resumed.as_mut(), 20..40), expected, "{name}");
        resumed.reset();
        assert_eq!(resumed.state(), fresh, "{name}");
        assert_eq!(run(resumed.as_mut(), 0..20), first, "{name}");
        let other = make(name, "{}", 5).state();
        assert!(matches!(resumed.restore(&other), Err(BalanceError::State { .. })), "{name}");
    }
}

#[test]
fn any_number_of_tasks() {
    for name in bilevel() {
        for count in (1..=64).step_by(7).chain([2, 64]) {
            let mut method = make(name, "{}", count);
            let fresh = method.state();
            for index in 0..3 {
                let mut toy = Toy::random(index, count, 9);
                let (weights, direction) = explore(method.as_mut(), index, &mut toy);
                assert_eq!((weights.shared.len(), weights.heads.len()), (count, count));
                let all = weights.shared.iter().chain(&weights.heads);
                assert!(all.clone().all(|w| w.is_finite() && *w >= 0.0), "{name} of {count}: {weights:?}");
                assert!(direction.iter().flatten().all(|d| d.is_finite()), "{name} of {count}");
                assert_eq!(direction.is_some(), name == "forum" && count > 1);
                assert_eq!(toy.asked == [0; 3], count == 1);
            }
            assert_eq!(method.state() == fresh, count == 1, "{name}: a task alone has nothing to be weighed against");
        }
    }
}

/// Where nothing can be gained nothing breaks: no gradient at all, the same task twice, and huge ones.
#[test]
fn flat_equal_and_steep_losses_are_no_trouble() {
    for name in bilevel() {
        for (kind, curve) in [("flat", 0.0), ("equal", 1.0), ("steep", 1e4)] {
            let mut method = make(name, r#"{"held_out": "batch"}"#, 3);
            assert_eq!(method.held_out(), HeldOut::Batch);
            let mut toy = Toy::random(1, 3, 4);
            toy.rate = 1e-3;
            let bowl = Bowl { centre: vec![0.5; 4], curve: vec![curve; 4] };
            toy.bowls = [vec![bowl.clone(); 3], vec![bowl; 3]];
            for index in 0..3 {
                let (weights, direction) = explore(method.as_mut(), index, &mut toy);
                let all = weights.shared.iter().chain(direction.iter().flatten());
                assert!(all.clone().all(|v| v.is_finite()), "{name} {kind}: {weights:?}");
            }
        }
    }
}

#[test]
fn absent_tasks_keep_their_state() {
    for name in bilevel() {
        let mut method = make(name, "{}", 4);
        explore(method.as_mut(), 0, &mut Toy::random(1, 4, 6));
        let weights = |method: &mut dyn Balancer, task: usize| {
            method.weights(&at_step(1, &[task]), None).unwrap();
            method.state()["state"].clone()
        };
        let before = weights(method.as_mut(), 0);
        let mut toy = Toy::random(2, 4, 6);
        toy.present = vec![0, 3];
        explore(method.as_mut(), 1, &mut toy);
        let after = method.state()["state"].clone();
        let logits = |state: &serde_json::Value| match state.get("logits") {
            Some(logits) => logits.clone(),
            None => state.clone(),
        };
        let (before, after) = (logits(&before), logits(&after));
        assert_eq!((&before[1], &before[2]), (&after[1], &after[2]), "{name}");
        assert_ne!(before[0], after[0], "{name}");
    }
}

/// A model that runs out of the numbers, or answers nonsense.
struct Broken(Vec<f64>, f32);

impl Oracle for Broken {
    fn parameters(&self) -> &[f32] {
        &[1.0, 2.0]
    }

    fn rate(&self) -> f64 {
        0.1
    }

    fn losses(&mut self, _: Batch, _: &[f32]) -> Vec<f64> {
        self.0.clone()
    }

    fn gradient(&mut self, _: Batch, _: &[f32], _: &[f64], into: &mut [f32]) -> Vec<f64> {
        into.fill(self.1);
        self.0.clone()
    }
}

#[test]
fn what_is_refused() {
    for name in bilevel() {
        let ask = |mut oracle: Broken, out: usize| {
            let mut method = make(name, "{}", 2);
            method.explore(&at_step(8, &[0, 1]), &mut oracle, &mut vec![0.0; out]).unwrap_err()
        };
        for broken in [Broken(vec![1.0, f64::NAN], 1.0), Broken(vec![1.0, 1.0], f32::INFINITY)] {
            let error = ask(broken, 2);
            assert_eq!(
                error.to_string(),
                format!("a step that `{name}` tries out leads to losses or gradients that are not finite at step 8")
            );
            assert_eq!(error.hint().unwrap(), "lower the method's `inner_rate` or the learning rate");
        }
        let error = ask(Broken(vec![1.0], 1.0), 2);
        assert_eq!(error.to_string(), "step 8 has 2 tasks, and the model answers with 1 losses");
        let error = ask(Broken(vec![1.0, 1.0], 1.0), 3);
        assert_eq!(error.to_string(), "the model of step 8 has 2 parameters, the direction 3 values");

        let mut method = make(name, "{}", 2);
        assert_eq!(method.needs(), Needs::Model);
        let error = direction(method.as_mut(), &at_step(0, &[0, 1]), &[vec![1.0], vec![2.0]]).unwrap_err();
        assert_eq!(error.to_string(), format!("`{name}` needs a model to try out steps on: call `explore`"));
        assert!(matches!(refused(name, r#"{"held_out": "test"}"#, 2), BalanceError::BadValue { .. }));
    }
    let mut equal = make("equal", "{}", 2);
    let error = equal.explore(&at_step(0, &[0, 1]), &mut Broken(vec![], 0.0), &mut [0.0; 2]).unwrap_err();
    assert!(error.to_string().contains("call `weights` or `aggregate`"), "{error}");

    let says = |name: &str, text: &str| refused(name, text, 2).to_string();
    assert!(says("auto_lambda", r#"{"primary": ["t2"]}"#).contains("names the task `t2`, which does not exist"));
    assert!(says("auto_lambda", r#"{"primary": []}"#).contains("it names no task"));
    for (name, text) in [
        ("auto_lambda", r#"{"initial": 0}"#),
        ("auto_lambda", r#"{"rate": 0}"#),
        ("moml", r#"{"inner_rate": 0}"#),
        ("moml", r#"{"inner_steps": 0}"#),
        ("moml", r#"{"inner_steps": 21}"#),
        ("moml", r#"{"outer_rate": -1}"#),
        ("forum", r#"{"rho": 0}"#),
        ("forum", r#"{"inner_rate": -0.1}"#),
        ("forum", r#"{"inner_steps": 0}"#),
        ("forum", r#"{"outer_rate": 0}"#),
    ] {
        assert!(says(name, text).contains("is out of range"), "{name} {text}");
    }
    assert!(build("auto_lambda", &keys(r#"{"primary": ["t1"]}"#), &tasks(2), 0).is_ok());
}
