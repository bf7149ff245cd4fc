//! Metrics of the classes of pixels.

/// How often each class was predicted where each was true. Codes are bytes.
#[derive(Clone, Debug)]
pub struct Confusion {
    /// `true class x predicted class`
    counts: Vec<u64>,
}

const CODES: usize = 256;

impl Confusion {
    /// The counts of pairs of a true and a predicted class.
    pub fn of(pairs: impl Iterator<Item = (u8, u8)>) -> Self {
        let mut counts = vec![0; CODES * CODES];
        pairs.for_each(|(truth, predicted)| counts[usize::from(truth) * CODES + usize::from(predicted)] += 1);
        Confusion { counts }
    }

    /// The share of pixels whose class was predicted; none of no pixels.
    pub fn accuracy(&self) -> Option<f64> {
        let hits: u64 = (0..CODES).map(|class| self.counts[class * CODES + class]).sum();
        let all: u64 = self.counts.iter().sum();
        (all > 0).then(|| hits as f64 / all as f64)
    }

    /// The mean over the classes of `IoU = tp / (tp + fp + fn)`, over all pixels together (Everingham et al. 2010). The
    /// classes are those among labels or predictions.
    pub fn mean_iou(&self) -> Option<f64> {
        let of = |class: usize| {
            let hits = self.counts[class * CODES + class];
            let labelled: u64 = self.counts[class * CODES..(class + 1) * CODES].iter().sum();
            let predicted: u64 = self.counts.iter().skip(class).step_by(CODES).sum();
            let union = labelled + predicted - hits;
            (union > 0).then(|| hits as f64 / union as f64)
        };
        let classes: Vec<f64> = (0..CODES).filter_map(of).collect();
        (!classes.is_empty()).then(|| classes.iter().sum::<f64>() / classes.len() as f64)
    }
}
