//! Tasks whose groups are known: those of one group are nearly the same function of the inputs, those of others are not.
//!
//! A task is a weighted sum of its group's four features `tanh(2 a . x)`. The directions `a` of all groups are orthogonal, so that
//! tasks of different groups have nothing in common; the weights of a group's tasks lie around a center of length 2 with
//! deviations of length 0.6, so that two of them have a correlation of about 0.9 before noise.

use super::Noise;

/// What is planted.
#[derive(Clone, Copy)]
pub struct Planted {
    pub rows: usize,
    /// Groups, and tasks in each.
    pub groups: usize,
    pub each: usize,
    /// Standard deviation of the noise on a label of deviation 1.
    pub noise: f64,
    /// Tasks that are nothing but noise, three times as large as the others.
    pub harmful: usize,
    /// Directions and centers are drawn freely: groups overlap, and some have next to nothing in common within.
    pub blurred: bool,
}

const FEATURES: usize = 4;
/// Room for four groups.
const INPUTS: usize = 16;
const BLURRED_INPUTS: usize = 10;
const LOUD: f64 = 3.0;

impl Noise {
    /// Standard normal (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.next(), self.next());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }
}

impl Planted {
    /// The names of the tasks: `g0t0`, `g0t1`, ... and `bad0`, ...
    pub fn names(&self) -> Vec<String> {
        let planted = (0..self.groups).flat_map(|g| (0..self.each).map(move |t| format!("g{g}t{t}")));
        planted.chain((0..self.harmful).map(|t| format!("bad{t}"))).collect()
    }

    /// The planted groups, each in the order of names, by their first names; a harmful task is a group of its own.
    pub fn truth(&self) -> Vec<Vec<String>> {
        let group = |g: usize| (0..self.each).map(|t| format!("g{g}t{t}")).collect();
        let mut all: Vec<Vec<String>> = (0..self.groups).map(group).collect();
        all.extend((0..self.harmful).map(|t| vec![format!("bad{t}")]));
        // By letters `g0t10` comes before `g0t2`.
        all.iter_mut().for_each(|group| group.sort());
        all.sort();
        all
    }

    /// Columns `x0`, `x1`, ... and one a task.
    pub fn table(&self, seed: u64) -> String {
        let mut noise = Noise(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xA5A5);
        let _first: f64 = (0..20).map(|_| noise.next()).sum();
        let inputs = if self.blurred { BLURRED_INPUTS } else { INPUTS };
        let x: Vec<Vec<f64>> = (0..self.rows).map(|_| (0..inputs).map(|_| noise.normal()).collect()).collect();
        let mut columns: Vec<Vec<f64>> = Vec::new();
        let mut directions: Vec<Vec<f64>> = Vec::new();
        for _ in 0..self.groups {
            let a: Vec<Vec<f64>> = (0..FEATURES).map(|_| self.direction(inputs, &mut directions, &mut noise)).collect();
            let deviation = if self.blurred { 0.5 } else { 0.3 };
            let feature = |a: &[f64], x: &[f64]| dot(a, x).tanh();
            let mut center: Vec<f64> = (0..FEATURES).map(|_| noise.normal()).collect();
            if !self.blurred {
                let length = dot(&center, &center).sqrt();
                center.iter_mut().for_each(|c| *c *= 2.0 / length);
            }
            for _ in 0..self.each {
                let w: Vec<f64> = center.iter().map(|c| c + deviation * noise.normal()).collect();
                let y: Vec<f64> =
                    x.iter().map(|x| a.iter().zip(&w).map(|(a, w)| w * feature(a, x)).sum::<f64>()).collect();
                let mean = y.iter().sum::<f64>() / self.rows as f64;
                let scale = (y.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / self.rows as f64).sqrt();
                columns.push(y.iter().map(|v| v / scale + self.noise * noise.normal()).collect());
            }
        }
        columns.extend((0..self.harmful).map(|_| (0..self.rows).map(|_| LOUD * noise.normal()).collect::<Vec<f64>>()));
        let header: Vec<String> = (0..inputs).map(|i| format!("x{i}")).chain(self.names()).collect();
        let mut text = header.join(",") + "\n";
        for (row, x) in x.iter().enumerate() {
            let values = x.iter().copied().chain(columns.iter().map(|c| c[row]));
            text.push_str(&(values.map(|v| format!("{v:.4}")).collect::<Vec<_>>().join(",") + "\n"));
        }
        text
    }

    /// Where a feature looks: orthogonal to those before, of length 2.
    fn direction(&self, inputs: usize, before: &mut Vec<Vec<f64>>, noise: &mut Noise) -> Vec<f64> {
        let mut a: Vec<f64> = (0..inputs).map(|_| noise.normal()).collect();
        if self.blurred {
            return a;
        }
        for other in before.iter() {
            let along = dot(&a, other) / dot(other, other);
            a.iter_mut().zip(other).for_each(|(a, o)| *a -= along * o);
        }
        let length = dot(&a, &a).sqrt();
        a.iter_mut().for_each(|a| *a *= 2.0 / length);
        before.push(a.clone());
        a
    }

    /// A config for [`table`](Self::table) in `data.csv`.
    pub fn config(&self) -> String {
        let keys = |name: &str| if name.starts_with("bad") { "standardize = false\n" } else { "" };
        let tasks: String = self.names().iter().map(|name| format!("[tasks.{name}]\n{}", keys(name))).collect();
        format!(
            "[data]\npath = \"data.csv\"\nsplit = {{ valid = 0.15, test = 0.2, seed = 1 }}\n{tasks}[model]\ntrunk = [32]\n\
             [train]\nepochs = 200\nbatch = 64\nlearning_rate = 0.001\npatience = 0\n"
        )
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
