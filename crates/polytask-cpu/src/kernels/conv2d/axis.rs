//! Which pixels a window covers, along one axis.

/// One tap of a window: with weight `k` it reads the source at `offset` from where the output's sources begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernels) struct Tap {
    pub k: usize,
    pub offset: isize,
}

/// One axis of a sweep of outputs that each read some sources. Outputs `phase + step m` read the sources
/// `stride m + offset` with the taps of their phase.
#[derive(Clone, Debug)]
pub(in crate::kernels) struct Axis {
    pub outputs: usize,
    pub sources: usize,
    pub step: usize,
    pub stride: usize,
    /// Taps by phase, one phase a step.
    pub phases: Vec<Vec<Tap>>,
}

/// By phase, tiles of outputs.
pub(in crate::kernels) type Tiling = Vec<Vec<(usize, usize)>>;

/// A window along one axis.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Extent {
    pub size: usize,
    pub stride: usize,
    pub padding: usize,
    pub dilation: usize,
}

impl Axis {
    /// Outputs that read an image of `sources` pixels.
    pub(in crate::kernels) fn forward(sources: usize, outputs: usize, window: Extent) -> Self {
        let tap = |k: usize| Tap { k, offset: (k * window.dilation) as isize - window.padding as isize };
        let phases = vec![(0..window.size).map(tap).collect()];
        Axis { outputs, sources, step: 1, stride: window.stride, phases }
    }

    /// The pixels of that image, which read the outputs that read them: output `o` reads pixel
    /// `o stride + k dilation - padding`.
    pub(in crate::kernels) fn backward(sources: usize, outputs: usize, window: Extent) -> Self {
        let stride = window.stride as isize;
        let taps = |phase: usize| {
            let numerator = move |k: usize| (phase + window.padding) as isize - (k * window.dilation) as isize;
            let hits = (0..window.size).filter(move |&k| numerator(k) % stride == 0);
            hits.map(|k| Tap { k, offset: numerator(k) / stride }).collect()
        };
        let phases = (0..window.stride).map(taps).collect();
        Axis { outputs: sources, sources: outputs, step: window.stride, stride: 1, phases }
    }

    /// Number of outputs of a phase.
    pub(in crate::kernels) fn count(&self, phase: usize) -> usize {
        self.outputs.saturating_sub(phase).div_ceil(self.step)
    }

    /// The source that a tap reads for output number `m` of its phase; none outside the image.
    pub(in crate::kernels) fn source(&self, m: usize, tap: Tap) -> Option<usize> {
        let at = (m * self.stride) as isize + tap.offset;
        usize::try_from(at).ok().filter(|at| *at < self.sources)
    }

    /// The outputs of each phase in tiles of so many, `(first, outputs)`; of two where a tile is ragged, and of one where two do
    /// not fit.
    pub(in crate::kernels) fn tiling(&self, most: usize) -> Tiling {
        let phase = |phase: usize| {
            let (count, mut x, mut tiles) = (self.count(phase), 0, Vec::new());
            while x < count {
                let whole = count - x >= most && !self.is_ragged(phase, x..x + most);
                let own = if whole { most } else { (count - x).min(2) };
                tiles.push((x, own));
                x += own;
            }
            tiles
        };
        (0..self.phases.len()).map(phase).collect()
    }

    /// Whether several taps of a phase read the image for some of these outputs and not for others: so at the edge of an
    /// image under a large window.
    fn is_ragged(&self, phase: usize, outputs: std::ops::Range<usize>) -> bool {
        let partly = |tap: &&Tap| {
            let valid = self.valid(phase, tap.offset);
            let own = valid.start.max(outputs.start)..valid.end.min(outputs.end);
            !own.is_empty() && own.len() < outputs.len()
        };
        self.phases[phase].iter().filter(partly).count() > 1
    }

    /// The outputs `m` of a phase whose source at `offset` lies in the image.
    pub(in crate::kernels) fn valid(&self, phase: usize, offset: isize) -> std::ops::Range<usize> {
        let stride = self.stride as isize;
        let first = (-offset).max(0).div_euclid(stride) + isize::from((-offset).max(0) % stride != 0);
        let end = (self.sources as isize - offset + stride - 1).max(0) / stride;
        let count = self.count(phase) as isize;
        let end = end.min(count).max(0);
        first.min(end) as usize..end as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Forward and backward know the same pairs of outputs and pixels.
    #[test]
    fn both_ways() {
        for (size, stride, padding, dilation, sources) in
            [(3, 1, 1, 1, 8), (3, 2, 1, 1, 9), (5, 3, 0, 1, 17), (2, 4, 0, 1, 11), (3, 2, 2, 2, 10), (1, 2, 0, 1, 7)]
        {
            let window = Extent { size, stride, padding, dilation };
            let outputs = (sources + 2 * padding - dilation * (size - 1) - 1) / stride + 1;
            let (there, back) = (Axis::forward(sources, outputs, window), Axis::backward(sources, outputs, window));
            let pairs = |axis: &Axis| {
                let mut all = Vec::new();
                for (phase, taps) in axis.phases.iter().enumerate() {
                    for m in 0..axis.count(phase) {
                        for tap in taps {
                            let source = axis.source(m, *tap);
                            assert_eq!(axis.valid(phase, tap.offset).contains(&m), source.is_some());
                            all.extend(source.map(|source| (phase + axis.step * m, tap.k, source)));
                        }
                    }
                }
                all
            };
            let mut one = pairs(&there);
            let mut other: Vec<_> = pairs(&back).into_iter().map(|(pixel, k, output)| (output, k, pixel)).collect();
            one.sort_unstable();
            other.sort_unstable();
            assert_eq!(one, other);
            assert!(one.len() >= outputs);
        }
    }
}
