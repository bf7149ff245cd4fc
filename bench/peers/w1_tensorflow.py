"""W1 as a TensorFlow v1 session; the data are constants of the graph, so that nothing is fed."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import protocol

np, tf = protocol.need("numpy", "tensorflow")
options = protocol.arguments()
v1 = tf.compat.v1
v1.disable_eager_execution()

x, y = (tf.constant(a) for a in protocol.data(544, 2, 2))
(w1, b1), *heads = protocol.layers([(2, 5), (5, 1), (5, 1)])
hidden = tf.matmul(x, v1.Variable(w1)) + v1.Variable(b1)
w2 = v1.Variable(np.hstack([w for w, _ in heads]))
b2 = v1.Variable(np.hstack([b for _, b in heads]))
loss = tf.reduce_mean(tf.square(tf.matmul(hidden, w2) + b2 - y))
update = v1.train.AdamOptimizer(1e-3).minimize(loss)

session = v1.Session(
    config=v1.ConfigProto(
        intra_op_parallelism_threads=options.threads, inter_op_parallelism_threads=options.threads
    )
)
session.run(v1.global_variables_initializer())
train = session.make_callable([loss, update])  # the cheapest way to run a fetch again and again

protocol.serve(lambda: train()[0])
