//! The windows of convolutions and pooling, and what goes with images.

use serde::{Deserialize, Serialize};

/// A window that slides over an image: `[vertical, horizontal]` everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Pixels it covers.
    pub size: [usize; 2],
    /// Pixels from one place to the next.
    pub stride: [usize; 2],
    /// Pixels it may reach over each edge of the image.
    pub padding: [usize; 2],
    /// Pixels it may reach further over the lower and the right edge, as TensorFlow pads.
    #[serde(default, skip_serializing_if = "is_none")]
    pub beyond: [usize; 2],
    /// Distance between the pixels it covers; 1 is side by side.
    pub dilation: [usize; 2],
}

/// Whether a window reaches as far over all edges.
fn is_none(beyond: &[usize; 2]) -> bool {
    *beyond == [0, 0]
}

impl Window {
    /// A square window that moves pixel by pixel inside the image.
    pub fn square(size: usize) -> Self {
        Window { size: [size; 2], stride: [1; 2], padding: [0; 2], beyond: [0; 2], dilation: [1; 2] }
    }

    /// Sets the stride.
    pub fn stride(self, stride: usize) -> Self {
        Window { stride: [stride; 2], ..self }
    }

    /// Sets the padding.
    pub fn padding(self, padding: usize) -> Self {
        Window { padding: [padding; 2], ..self }
    }

    /// Sets the dilation.
    pub fn dilation(self, dilation: usize) -> Self {
        Window { dilation: [dilation; 2], ..self }
    }

    /// Pads as TensorFlow does where it keeps the size of an image or halves it ("same"): so that there are
    /// `ceil(n / stride)` places, and what is odd is over the lower and the right edge.
    pub fn same_as_tensorflow(self, image: [usize; 2]) -> Self {
        let all = [0, 1].map(|axis| {
            let stride = self.stride[axis].max(1);
            let last = image[axis].div_ceil(stride).saturating_sub(1) * stride;
            (last + self.dilation[axis] * self.size[axis].saturating_sub(1) + 1).saturating_sub(image[axis])
        });
        Window { padding: all.map(|all| all / 2), beyond: all.map(|all| all % 2), ..self }
    }

    /// Pads so that an odd window with stride 1 keeps the size of the image.
    pub fn same(self) -> Self {
        let half = |axis: usize| self.dilation[axis] * (self.size[axis].saturating_sub(1)) / 2;
        Window { padding: [half(0), half(1)], ..self }
    }

    /// Places it has on an image of `[height, width]`:
    /// `floor((n + 2 padding + beyond - dilation (size - 1) - 1) / stride) + 1` along each axis. None where it does not fit.
    pub fn places(&self, image: [usize; 2]) -> Option<[usize; 2]> {
        let along = |axis: usize| {
            let reach = self.dilation[axis].checked_mul(self.size[axis].checked_sub(1)?)?.checked_add(1)?;
            let padding = self.padding[axis].checked_mul(2)?.checked_add(self.beyond[axis])?;
            let room = image[axis].checked_add(padding)?.checked_sub(reach)?;
            Some(room.checked_div(self.stride[axis])? + 1)
        };
        Some([along(0)?, along(1)?])
    }

    /// What is wrong with it, if anything.
    pub(crate) fn fault(&self) -> Option<String> {
        for (name, values, least) in
            [("size", self.size, 1), ("stride", self.stride, 1), ("dilation", self.dilation, 1)]
        {
            if values.iter().any(|v| *v < least) {
                return Some(format!("its {name} is {values:?}; it must be at least {least}"));
            }
        }
        let most = |axis: usize| self.dilation[axis].saturating_mul(self.size[axis] - 1);
        let far = |axis: usize| self.padding[axis].saturating_add(self.beyond[axis]);
        match (0..2).any(|axis| far(axis) > most(axis)) {
            true => Some(format!("its padding is {:?}; the window must always cover a pixel", [far(0), far(1)])),
            false => None,
        }
    }
}

/// What pooling takes from a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// The largest value. The gradient goes to the first of equals.
    Max,
    /// The mean of the pixels that lie inside the image.
    Average,
}

/// How an image is enlarged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// Every pixel becomes a block of its own value.
    Nearest,
    /// Weighted by the distance to the four nearest pixel centres; edges repeat.
    Bilinear,
}
