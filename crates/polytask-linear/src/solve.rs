//! Accelerated proximal gradient: FISTA (Beck and Teboulle, SIAM J. Imaging Sciences 2, 2009), which starts its momentum
//! afresh whenever that points uphill (O'Donoghue and Candès, Found. Comput. Math. 15, 2015). The bound on the curvature,
//! by which steps are cut, begins low; when the gradient is seen to turn faster between two points, the last step
//! is taken back and the bound raised. So every iteration looks at the data once.

use crate::{Matrix, Penalty, Problem};
use polytask_math::algebra::vector::{add, dot};

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Where every loss is squared: the duality gap, relative to the loss of constant predictions. Elsewhere: the square
    /// of the step's gradient relative to the square of the gradient at weights of 0. Default 1e-8.
    pub tolerance: f64,
    /// Iterations at most. Default 10,000.
    pub iterations: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options { tolerance: 1e-8, iterations: 10_000 }
    }
}

/// The minimum.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// `features x columns`, the sum of the parts.
    pub weights: Matrix,
    /// What the penalty splits the weights into.
    pub parts: Vec<Matrix>,
    /// By column.
    pub intercepts: Vec<f64>,
    /// The data loss of all tasks.
    pub loss: f64,
    /// `strength * penalty`
    pub penalty: f64,
    /// How far `loss + penalty` is from its minimum at most, where every loss is squared.
    pub gap: Option<f64>,
    /// Iterations taken.
    pub iterations: u64,
    /// Whether the tolerance was reached.
    pub converged: bool,
    /// Intercepts for centred features.
    centred: Vec<f64>,
    /// Bound on the curvature that the steps went by.
    bound: f64,
}

/// A place: parts and intercepts.
#[derive(Clone)]
struct Point {
    parts: Vec<Matrix>,
    intercepts: Vec<f64>,
}

impl Point {
    fn weights(&self) -> Matrix {
        let mut sum = self.parts[0].clone();
        self.parts[1..].iter().for_each(|part| sum.add(1.0, part));
        sum
    }

    /// Adds `factor * (a - b)`.
    fn add(&mut self, factor: f64, a: &Point, b: &Point) {
        for ((own, a), b) in self.parts.iter_mut().zip(&a.parts).zip(&b.parts) {
            own.add(factor, a);
            own.add(-factor, b);
        }
        add(&mut self.intercepts, factor, &a.intercepts);
        add(&mut self.intercepts, -factor, &b.intercepts);
    }

    fn dot(&self, other: &Point) -> f64 {
        let parts: f64 = self.parts.iter().zip(&other.parts).map(|(a, b)| a.dot(b)).sum();
        parts + dot(&self.intercepts, &other.intercepts)
    }

    fn minus(&self, other: &Point) -> Point {
        let mut difference = self.clone();
        for (a, b) in difference.parts.iter_mut().zip(&other.parts) {
            a.add(-1.0, b);
        }
        add(&mut difference.intercepts, -1.0, &other.intercepts);
        difference
    }
}

/// The data loss at a point.
struct Seen {
    at: Point,
    value: f64,
    by_weights: Matrix,
    by_intercepts: Vec<f64>,
}

impl Seen {
    fn new(problem: &Problem<'_>, at: Point) -> Self {
        let (value, by_weights, by_intercepts) = problem.slope(&at.weights(), &at.intercepts);
        Seen { at, value, by_weights, by_intercepts }
    }

    /// The curvature along the way from another point, where it is above a bound; infinite values are beyond any.
    fn beyond(&self, before: &Seen, bound: f64) -> Option<f64> {
        if !self.value.is_finite() {
            return Some(bound);
        }
        let way = self.at.minus(&before.at);
        let length = way.dot(&way);
        // Of a shorter way rounding alone would be left.
        if length <= 1e-18 * self.at.dot(&self.at) {
            return None;
        }
        let mut change = self.by_weights.clone();
        change.add(-1.0, &before.by_weights);
        let mut turn: f64 = way.parts.iter().map(|part| change.dot(part)).sum();
        turn += dot(&self.by_intercepts, &way.intercepts) - dot(&before.by_intercepts, &way.intercepts);
        (turn > (1.0 + 1e-6) * bound * length).then(|| turn / length)
    }
}

/// Iterations between two looks at the duality gap.
const LOOK: u64 = 10;
/// The square of a step's gradient, relative to that at weights of 0, below which there is nothing but rounding.
const ROUNDING: f64 = 1e-26;

/// Finds the minimum of `data loss + strength * penalty`, from weights of 0 or from another solution of the same
/// problem, under a penalty with as many parts.
///
/// A strength of 0 gives the plain least squares or maximum likelihood; one of them where there are many.
pub fn solve(
    problem: &Problem<'_>,
    penalty: &dyn Penalty,
    strength: f64,
    options: &Options,
    start: Option<&Solution>,
) -> Solution {
    let zeros = Matrix::zeros(problem.width(), problem.columns());
    let constants = problem.constants();
    let (scale, slope, by_intercepts) = problem.slope(&zeros, &constants);
    let steepest = dot(slope.values(), slope.values()) + dot(&by_intercepts, &by_intercepts);
    let curvature = problem.curvature().max(f64::MIN_POSITIVE);
    let (mut x, mut bound) = match start {
        Some(start) if start.parts.len() == penalty.parts() => {
            (Point { parts: start.parts.clone(), intercepts: start.centred.clone() }, 0.5 * start.bound)
        }
        _ => (Point { parts: vec![zeros; penalty.parts()], intercepts: constants }, curvature),
    };
    // Without a penalty the dual is not feasible before the end.
    let with_gap = problem.is_quadratic() && strength > 0.0;
    let (mut y, mut t) = (x.clone(), 1.0_f64);
    // Where to go back to when a step was too long, and what was seen before it.
    let (mut safe, mut before) = (x.clone(), None::<Seen>);
    let (mut iterations, mut converged, mut gap) = (0, false, None);
    while iterations < options.iterations && !converged {
        iterations += 1;
        let seen = Seen::new(problem, y.clone());
        if !seen.value.is_finite() && before.is_none() {
            break;
        }
        if let Some(curved) = before.as_ref().and_then(|before| seen.beyond(before, bound)) {
            bound = curved.max(2.0 * bound);
            (x, y, t, before) = (safe.clone(), safe.clone(), 1.0, None);
            continue;
        }
        let mut next = seen.at.clone();
        next.parts.iter_mut().for_each(|part| part.add(-1.0 / bound, &seen.by_weights));
        add(&mut next.intercepts, -1.0 / bound, &seen.by_intercepts);
        penalty.prox(&mut next.parts, strength / bound);
        let step = next.minus(&seen.at);
        let residual = bound * bound * step.dot(&step);
        if step.dot(&next.minus(&x)) < 0.0 {
            t = 1.0;
        }
        let faster = 0.5 * (1.0 + (1.0 + 4.0 * t * t).sqrt());
        y = next.clone();
        y.add((t - 1.0) / faster, &next, &x);
        safe = std::mem::replace(&mut x, next);
        (t, before) = (faster, Some(seen));
        let still = residual <= ROUNDING * steepest;
        let near = residual <= options.tolerance * steepest;
        if !with_gap {
            converged = still || near;
        } else if iterations % LOOK == 0 || still {
            gap = duality_gap(problem, penalty, strength, &x);
            converged = still || gap.map_or(near, |gap| gap <= options.tolerance * scale);
        }
    }
    let weights = x.weights();
    let loss = problem.value(&weights, &x.intercepts);
    Solution {
        intercepts: problem.uncentred(&weights, &x.intercepts),
        loss,
        penalty: strength * penalty.value(&x.parts),
        gap,
        iterations,
        converged,
        weights,
        parts: x.parts,
        centred: x.intercepts,
        bound,
    }
}

/// How far the objective is above its minimum at most, for squared losses: the objective less that of the dual at
/// the point's residuals, scaled until they are feasible.
///
/// With `f` the data loss, `g` its gradient and `h` the penalty, residuals times `s` have the dual objective
/// `s (2 f - W . g) - s^2 f - h*(-s g)`.
fn duality_gap(problem: &Problem<'_>, penalty: &dyn Penalty, strength: f64, x: &Point) -> Option<f64> {
    let weights = x.weights();
    let (f, mut slope, _) = problem.slope(&weights, &x.intercepts);
    let linear = 2.0 * f - weights.dot(&slope);
    let primal = f + strength * penalty.value(&x.parts);
    slope.values_mut().iter_mut().for_each(|g| *g /= -strength);
    let dual = match penalty.conjugate(&slope) {
        Some(conjugate) => linear - f - strength * conjugate,
        None => {
            let longest = 1.0 / penalty.ceiling(&slope);
            let s = longest.min(if f > 0.0 { linear / (2.0 * f) } else { 1.0 });
            s * linear - s * s * f
        }
    };
    let gap = primal - dual;
    gap.is_finite().then_some(gap.max(0.0))
}
