//! Texts that a pretrained encoder reads: the encoder is a part of the graph, and what is fed are the pieces that its
//! tokenizer makes of a text, padded to the longest.

use super::emit::{Emit, Form, Indices};
use super::writer::Setting;
use crate::array::{Axis, Type};
use crate::error::ExportError;
use polytask::config::EncoderPooling;
use polytask::inputs::{Context, Encoded};
use polytask::model::Network;
use polytask_graph::{DomainId, Node, NodeId, ops};

/// The pieces of a text: their numbers, and which of them are there, `[batch, length]` both.
struct Pieces {
    ids: String,
    mask: String,
}

/// Below it, a vector's length is taken to be this.
const SHORTEST: f32 = 1e-12;

impl Emit<'_> {
    /// Declares the pieces of a column.
    fn pieces(&mut self, column: &str, context: &Context) -> Pieces {
        let axes: [Axis; 2] = ["batch".into(), Axis::Named(format!("context.{column}.length"))];
        let words = "the numbers of the pieces that tokenizer.json makes of the text, those around it included";
        let ids = self.fed_input(&format!("context.{column}"), Type::Long, &axes, words);
        let words = "which pieces there are: those that only fill up come last";
        let mut mask = self.fed_input(&format!("mask.context.{column}"), Type::Bool, &axes, words);
        if let Some(piece) = context.checkpoint.reader.left_out {
            let piece = self.w.long(i64::from(piece));
            let unknown = self.w.op("Equal", &[&ids, &piece]);
            let known = self.w.op("Not", &[&unknown]);
            mask = self.w.op("And", &[&mask, &known]);
        }
        Pieces { ids, mask }
    }

    /// The pieces of an encoder that is a part of the network.
    pub fn read_pieces(&mut self, id: NodeId, node: &Node, column: &str, context: &Context) {
        let Pieces { ids, mask } = self.pieces(column, context);
        let ids = self.w.unsqueeze(&ids, &[-1]);
        self.indices.insert(id, Indices::Fed(ids));
        self.masks.insert(node.domain, mask);
    }

    /// The place of the first piece of each row: 0.
    pub fn first_place(&mut self, id: NodeId) {
        let batch = self.batch.clone().unwrap_or_default();
        let shape = self.w.op("Shape", &[&batch]);
        let (shape, one) = (self.w.slice(&shape, 0, 0, 1), self.w.longs(&[1]));
        let (shape, zero) = (self.w.concat(&[shape, one], 0), self.w.long(0));
        let places = self.w.op("Expand", &[&zero, &shape]);
        self.indices.insert(id, Indices::Fed(places));
    }

    /// The vector that an encoder which learns nothing makes of each text, standardised, `[batch, width]`.
    pub fn encoded(&mut self, column: &str, encoded: &Encoded) -> Result<String, ExportError> {
        let context = &encoded.context;
        let pieces = self.pieces(column, context);
        let states = self.states(column, context, &pieces)?;
        let there = self.w.unsqueeze(&pieces.mask, &[-1]);
        let mut x = match context.encoding.pooling {
            EncoderPooling::Cls => self.w.take(&states, 1, 0),
            EncoderPooling::Mean => {
                let nothing = self.w.float(0.0);
                let states = self.w.op("Where", &[&there, &states, &nothing]);
                let ones = self.w.cast(&there, Type::Float);
                let (sum, count) = (self.sum(&states, 1, false), self.sum(&ones, 1, false));
                // Static vectors know texts without pieces.
                let one = self.w.float(1.0);
                let count = self.w.op("Max", &[&count, &one]);
                self.w.op("Div", &[&sum, &count])
            }
            EncoderPooling::Max => {
                let lowest = self.w.float(f32::MIN);
                let states = self.w.op("Where", &[&there, &states, &lowest]);
                let axes = self.w.longs(&[1]);
                self.w.op_with("ReduceMax", &[&states, &axes], vec![("keepdims", Setting::Int(0))])
            }
        };
        if context.encoding.normalize {
            let (axes, shortest) = (self.w.longs(&[-1]), self.w.float(SHORTEST));
            let length = self.w.op("ReduceL2", &[&x, &axes]);
            let length = self.w.op("Max", &[&length, &shortest]);
            x = self.w.op("Div", &[&x, &length]);
        }
        let width = encoded.width();
        let scales = &encoded.scales;
        let (mean, factor) = (self.w.floats(&[width], &scales.mean), self.w.floats(&[width], &scales.factor));
        let x = self.w.op("Sub", &[&x, &mean]);
        Ok(self.w.op("Mul", &[&x, &factor]))
    }

    /// The vector that an encoder which learns nothing makes of each token: the mean of the states of its pieces.
    pub fn token_vectors(
        &mut self,
        id: NodeId,
        node: &Node,
        column: &str,
        context: &Context,
    ) -> Result<(), ExportError> {
        let pieces = self.pieces(column, context);
        let axes: [Axis; 2] = ["batch".into(), Axis::Named(format!("context.{column}.length"))];
        let words = "the place of the token that each piece is of; -1 for those around the text";
        let places = self.fed_input(&format!("words.{column}"), Type::Long, &axes, words);
        let states = self.states(column, context, &pieces)?;
        let tokens = self.positions(node.domain).map_err(|refusal| refusal.at(node, "onnx"))?;
        let (tokens, places) = (self.w.unsqueeze(&tokens, &[-1]), self.w.unsqueeze(&places, &[1]));
        let own = self.w.op("Equal", &[&tokens, &places]);
        let there = self.w.unsqueeze(&pieces.mask, &[1]);
        let own = self.w.op("And", &[&own, &there]);
        let own = self.w.cast(&own, Type::Float);
        let (sum, count) = (self.w.op("MatMul", &[&own, &states]), self.sum(&own, -1, true));
        // A token that the tokenizer makes nothing of has no vector.
        let one = self.w.float(1.0);
        let count = self.w.op("Max", &[&count, &one]);
        let vectors = self.w.op("Div", &[&sum, &count]);
        self.put(id, Form::Plain, vectors);
        Ok(())
    }

    /// The hidden states of an encoder, `[batch, length, width]`.
    fn states(&mut self, column: &str, context: &Context, pieces: &Pieces) -> Result<String, ExportError> {
        let built = context.checkpoint.network();
        let (graph, parameters) = built.map_err(|error| ExportError::Input {
            input: column.to_owned(),
            format: "ONNX",
            reason: error.to_string(),
        })?;
        let network = Network { graph, parameters };
        let mut emit = Emit::new(self.model, &network);
        emit.w = std::mem::take(&mut self.w);
        emit.prefix = format!("context.{column}.");
        emit.batch = Some(pieces.ids.clone());
        for (i, node) in network.graph.nodes().iter().enumerate() {
            if node.op.fed() == Some(ops::Fed::Indices) {
                let ids = emit.w.unsqueeze(&pieces.ids, &[-1]);
                emit.indices.insert(NodeId(i), Indices::Fed(ids));
            }
        }
        emit.masks.insert(DomainId(1), pieces.mask.clone());
        emit.nodes()?;
        let states = network.graph.losses().first().map(|loss| emit.plain(loss.prediction));
        self.w = emit.w;
        Ok(states.unwrap_or_default())
    }
}
