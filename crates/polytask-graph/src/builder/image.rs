//! Layers of images, `[height, width, channels]`.

use super::GraphBuilder;
use crate::{Activation, DomainId, Init, Interpolation, NodeId, Op, ParameterId, Pooling, Role, Shape, Window, ops};

impl GraphBuilder {
    /// Images fed from outside, `[height, width, channels]` a row, channels last.
    pub fn image_input(&mut self, name: &str, shape: [usize; 3]) -> NodeId {
        self.named(name).push(Op::Input, vec![], Shape(shape.to_vec()))
    }

    /// `activation(window(x) * W + b)` with `channels` filters. Weights start He-uniform before rectifying activations and
    /// Glorot-uniform otherwise; biases start at zero.
    pub fn conv2d(&mut self, x: NodeId, channels: usize, window: Window, activation: Activation) -> NodeId {
        self.convolution(x, channels, window, 1, Some(activation), None)
    }

    /// The same without bias and activation, before a norm that has its own.
    pub fn plain_conv2d(&mut self, x: NodeId, channels: usize, window: Window) -> NodeId {
        self.convolution(x, channels, window, 1, None, None)
    }

    /// The same in groups of channels that do not see each other; as many as there are channels is a depthwise
    /// convolution. Without an activation there is no bias either.
    pub fn grouped_conv2d(
        &mut self,
        x: NodeId,
        channels: usize,
        window: Window,
        groups: usize,
        activation: Option<Activation>,
    ) -> NodeId {
        self.convolution(x, channels, window, groups, activation, None)
    }

    fn convolution(
        &mut self,
        x: NodeId,
        channels: usize,
        window: Window,
        groups: usize,
        activation: Option<Activation>,
        init: Option<Init>,
    ) -> NodeId {
        let name = self.take_name("conv2d");
        let own = self.shape(x).channels() / groups.max(1);
        let [height, width] = window.size;
        let pixels = height.saturating_mul(width);
        let (fan_in, fan_out) = (pixels.saturating_mul(own).max(1), (pixels * channels / groups.max(1)).max(1));
        let init = init.unwrap_or(match activation.unwrap_or(Activation::Relu).is_rectifying() {
            true => Init::he(fan_in),
            false => Init::glorot(fan_in, fan_out),
        });
        let weight = self.parameter(&name, "weight", vec![height, width, own, channels], init, Role::Weight);
        let bias = activation.map(|_| self.parameter(&name, "bias", vec![channels], Init::Constant(0.0), Role::Bias));
        let activation = activation.unwrap_or(Activation::Linear);
        let shape = self.windowed(x, window, channels);
        self.named(name).push(Op::Conv2d(ops::Conv2d { weight, bias, window, groups, activation }), vec![x], shape)
    }

    /// `activation(x W + b)` at every pixel of an image, or of plain features, `[.., c] -> [.., channels]`.
    pub fn pointwise(&mut self, x: NodeId, channels: usize, activation: Activation) -> NodeId {
        match self.shape(x).image() {
            Some(_) => self.conv2d(x, channels, Window::square(1), activation),
            None => self.dense(x, channels, activation),
        }
    }

    /// The same with weights that start as told.
    pub fn pointwise_from(&mut self, x: NodeId, channels: usize, activation: Activation, init: Init) -> NodeId {
        match self.shape(x).image() {
            Some(_) => self.convolution(x, channels, Window::square(1), 1, Some(activation), Some(init)),
            None => self.dense_from(x, channels, activation, init),
        }
    }

    /// Every channel of an image times a trained number, plus another; they start at 1 and 0.
    pub fn scale_channels(&mut self, x: NodeId) -> NodeId {
        let channels = self.shape(x).channels();
        let (linear, ones) = (Some(Activation::Linear), Some(Init::Constant(1.0)));
        self.convolution(x, channels, Window::square(1), channels, linear, ones)
    }

    /// The largest or mean value at every place of a window.
    pub fn pool(&mut self, x: NodeId, pooling: Pooling, window: Window) -> NodeId {
        let shape = self.windowed(x, window, self.shape(x).channels());
        self.push(Op::Pool(ops::Pool { pooling, window }), vec![x], shape)
    }

    /// The mean of every channel, `[h, w, c] -> [c]`.
    pub fn global_pool(&mut self, x: NodeId) -> NodeId {
        let channels = self.shape(x).channels();
        self.push(Op::GlobalPool, vec![x], Shape(vec![channels]))
    }

    /// Every channel of an image times a number of `gate`, `[h, w, c], [c] -> [h, w, c]`.
    pub fn gate(&mut self, x: NodeId, gate: NodeId) -> NodeId {
        let shape = self.shape(x);
        self.push(Op::Gate, vec![x, gate], shape)
    }

    /// The pixels of an image as elements of `domain`, which lies in the image's, `[h, w, c] -> [c]`, behind `before`
    /// elements of zeros.
    pub fn pixels(&mut self, x: NodeId, domain: DomainId, before: usize) -> NodeId {
        let channels = self.shape(x).channels();
        self.push_on(domain, Op::Pixels(ops::Pixels { before }), vec![x], Shape(vec![channels]))
    }

    /// Normalises every channel over the rows that are worked on together, then scales and shifts it; epsilon is 1e-5.
    pub fn batch_norm(&mut self, x: NodeId, activation: Activation) -> NodeId {
        let name = self.take_name("batch_norm");
        let shape = self.shape(x);
        let channels = vec![shape.channels()];
        let (gain, bias) = self.gain_and_bias(&name, &channels);
        let mean = self.parameter(&name, "mean", channels.clone(), Init::Constant(0.0), Role::Statistic);
        let variance = self.parameter(&name, "variance", channels, Init::Constant(1.0), Role::Statistic);
        let op = Op::BatchNorm(ops::BatchNorm { gain, bias, mean, variance, epsilon: 1e-5, activation });
        self.named(name).push(op, vec![x], shape)
    }

    /// Normalises groups of channels over the pixels of a row, then scales and shifts every channel; epsilon is 1e-5.
    pub fn group_norm(&mut self, x: NodeId, groups: usize, activation: Activation) -> NodeId {
        let name = self.take_name("group_norm");
        let shape = self.shape(x);
        let (gain, bias) = self.gain_and_bias(&name, &[shape.channels()]);
        self.named(name).push(
            Op::GroupNorm(ops::GroupNorm { gain, bias, groups, epsilon: 1e-5, activation }),
            vec![x],
            shape,
        )
    }

    /// An image enlarged, `[h, w, c] -> [h * factor, w * factor, c]`. A factor of 1 adds no node.
    pub fn upsample(&mut self, x: NodeId, factor: usize, interpolation: Interpolation) -> NodeId {
        if factor == 1 {
            self.next_name = None;
            return x;
        }
        self.enlarge(x, [factor; 2], interpolation)
    }

    /// Plain features as an image of `[height, width]`, the same at every pixel, `[c] -> [height, width, c]`.
    pub fn planes(&mut self, x: NodeId, size: [usize; 2]) -> NodeId {
        let name = self.take_name("planes");
        let width = self.shape(x).width();
        let pixel = self.named(format!("{name}.pixel")).reshape(x, &[1, 1, width]);
        self.named(name).enlarge(pixel, size, Interpolation::Nearest)
    }

    fn enlarge(&mut self, x: NodeId, factor: [usize; 2], interpolation: Interpolation) -> NodeId {
        let shape = match self.shape(x).image() {
            Some([height, width, channels]) => {
                vec![height.saturating_mul(factor[0].max(1)), width.saturating_mul(factor[1].max(1)), channels]
            }
            None => vec![1],
        };
        self.push(Op::Upsample(ops::Upsample { interpolation, factor }), vec![x], Shape(shape))
    }

    /// The same features in another shape.
    pub fn reshape(&mut self, x: NodeId, shape: &[usize]) -> NodeId {
        self.push(Op::Reshape, vec![x], Shape(shape.to_vec()))
    }

    /// An image as plain features. Plain features add no node.
    pub fn flatten(&mut self, x: NodeId) -> NodeId {
        let shape = self.shape(x);
        if shape.0.len() == 1 {
            self.next_name = None;
            return x;
        }
        self.reshape(x, &[shape.width()])
    }

    fn gain_and_bias(&mut self, name: &str, dims: &[usize]) -> (ParameterId, ParameterId) {
        let gain = self.parameter(name, "gain", dims.to_vec(), Init::Constant(1.0), Role::Gain);
        let bias = self.parameter(name, "bias", dims.to_vec(), Init::Constant(0.0), Role::Bias);
        (gain, bias)
    }

    /// The image of a window's places.
    fn windowed(&self, x: NodeId, window: Window, channels: usize) -> Shape {
        let places = self.shape(x).image().and_then(|[height, width, _]| window.places([height, width]));
        // Where it does not fit, the check says why.
        let [height, width] = places.unwrap_or([1, 1]);
        Shape(vec![height, width, channels])
    }
}
